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
  const { records } = db;
  const inline = value.form === FORM_INTSET ? ENC_INTSET : ENC_LISTPACK;
  const length = value.end - value.start;
  if (records.fitsInline(end - start, length)) {
    const position = db.add(type, inline, key, start, end, length);
    copyBytes(records.bytes(position), records.valueOffset(position), value.buf, value.start, value.end);
    return position;
  }
  const position = db.add(type, blockForm(inline), key, start, end, length);
  const block = records.blocks.alloc(length);
  copyBytes(records.blocks.get(block), 0, value.buf, value.start, value.end);
  records.setPayload(position, block, 0);
  return position;
}
