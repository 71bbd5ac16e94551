import { copyBytes } from "../bytes/ascii.ts";
import type { BigValue } from "../memory/objects.ts";
import {
  FORM_INTSET,
  FORM_LISTPACK,
  FORM_OBJECT,
  type HashSeeds,
  type OwnHome,
  type ValueHome,
} from "../types/home.ts";
import type { Database } from "./database.ts";
import { blockForm, ENC_INTSET, ENC_INTSET_BLOCK, ENC_LISTPACK, ENC_OBJECT, inBlock } from "./record.ts";
import { addObject, replaceWithObject, ValueBytes } from "./value-bytes.ts";

/** A record as the home of a set or hash. One instance stands for many records in turn. */
export class RecordHome extends ValueBytes implements ValueHome {
  form = FORM_LISTPACK;
  object: BigValue | null = null;
  private database!: Database;

  override bind(db: Database, position: number): this {
    this.database = db;
    const { records } = db;
    const encoding = records.encoding(position);
    if (encoding === ENC_OBJECT) {
      this.form = FORM_OBJECT;
      this.object = records.objects.get(records.payloadLow(position));
      this.position = position;
      return this;
    }
    this.form = encoding === ENC_INTSET || encoding === ENC_INTSET_BLOCK ? FORM_INTSET : FORM_LISTPACK;
    return super.bind(db, position);
  }

  setForm(form: number): void {
    const { records } = this.database;
    const inline = form === FORM_INTSET ? ENC_INTSET : ENC_LISTPACK;
    const encoding = inBlock(records.encoding(this.position)) ? blockForm(inline) : inline;
    records.setEncoding(this.position, records.type(this.position), encoding);
    this.form = form;
  }

  setObject(object: BigValue): void {
    this.position = replaceWithObject(this.database, this.position, object);
    this.form = FORM_OBJECT;
    this.object = object;
  }

  get seeds(): HashSeeds {
    return this.database.context;
  }
}

/**
 * Makes a record for a new key out of a value that was built elsewhere, and returns its position; an object
 * then belongs to the record.
 */
export function addValue(
  db: Database,
  type: number,
  key: Uint8Array,
  start: number,
  end: number,
  value: OwnHome,
): number {
  if (value.object !== null) return addObject(db, type, key, start, end, value.object);
  const length = value.end - value.start;
  const inline = db.records.fitsInline(end - start, length);
  const position = db.add(type, encodingOf(value, inline), key, start, end, length);
  fill(db, position, value);
  return position;
}

/** Puts such a value in place of the record's; the key keeps its expiry. Returns the record's new position. */
export function replaceValue(db: Database, position: number, value: OwnHome): number {
  if (value.object !== null) return replaceWithObject(db, position, value.object);
  const { records } = db;
  const length = value.end - value.start;
  const inline = records.fitsInline(records.keyLength(position), length);
  const fresh = db.recreate(position, encodingOf(value, inline), length);
  fill(db, fresh, value);
  records.free(position);
  return fresh;
}

function encodingOf(value: OwnHome, inline: boolean): number {
  const encoding = value.form === FORM_INTSET ? ENC_INTSET : ENC_LISTPACK;
  return inline ? encoding : blockForm(encoding);
}

function fill({ records }: Database, position: number, { buf, start, end }: OwnHome): void {
  if (inBlock(records.encoding(position))) {
    const block = records.blocks.alloc(end - start);
    copyBytes(records.blocks.get(block), 0, buf, start, end);
    records.setPayload(position, block, 0);
  } else copyBytes(records.bytes(position), records.valueOffset(position), buf, start, end);
}
