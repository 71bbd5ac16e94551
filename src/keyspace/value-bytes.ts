import { copyBytes } from "../bytes/ascii.ts";
import type { ByteStore } from "../memory/byte-store.ts";
import type { BigValue } from "../memory/objects.ts";
import type { Database } from "./database.ts";
import { blockForm, ENC_OBJECT, inBlock, inlineForm } from "./record.ts";

/**
 * The bytes of a record's value (a listpack, an intset) as a ByteStore: what works on such bytes can resize
 * them, and the record moves to a larger or smaller cell, or to a block and back, without the encoding's
 * code knowing of records. One instance serves one command at a time.
 */
export class ValueBytes implements ByteStore {
  buf: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  /** Where the record is now. */
  position = 0;
  private db!: Database;

  /** Stands for the value of this record from now on. */
  bind(db: Database, position: number): this {
    this.db = db;
    this.position = position;
    this.refresh();
    return this;
  }

  /** Makes a record for a new key, with an empty value of this type and (inline) encoding. */
  create(db: Database, type: number, encoding: number, key: Uint8Array, start: number, end: number): this {
    return this.bind(db, db.add(type, encoding, key, start, end, 0));
  }

  resize(length: number): void {
    const { db } = this;
    const { records } = db;
    const encoding = records.encoding(this.position);
    const inline = records.fitsInline(records.keyLength(this.position), length);
    if (inBlock(encoding)) {
      if (inline && length * 4 < this.buf.length) this.rebuild(length, inlineForm(encoding));
      else records.blocks.grow(records.payloadLow(this.position), this.end - this.start, length);
    } else {
      const room = records.inlineRoom(this.position);
      const slack = room - length;
      if (slack < 0 || !inline || (slack >= 32 && slack > length))
        this.rebuild(length, inline ? encoding : blockForm(encoding));
    }
    records.setValueLength(this.position, length);
    this.refresh();
  }

  private rebuild(length: number, encoding: number): void {
    const { db, position } = this;
    const { records } = db;
    const kept = Math.min(this.end - this.start, length);
    const fresh = db.recreate(position, encoding, length);
    if (inBlock(encoding)) {
      const block = records.blocks.alloc(length * 2);
      copyBytes(records.blocks.get(block), 0, this.buf, this.start, this.start + kept);
      records.setPayload(fresh, block, 0);
    } else {
      copyBytes(records.bytes(fresh), records.valueOffset(fresh), this.buf, this.start, this.start + kept);
    }
    records.free(position);
    this.position = fresh;
  }

  private refresh(): void {
    const { records } = this.db;
    const { position } = this;
    if (inBlock(records.encoding(position))) {
      this.buf = records.blocks.get(records.payloadLow(position));
      this.start = 0;
    } else {
      this.buf = records.bytes(position);
      this.start = records.valueOffset(position);
    }
    this.end = this.start + records.valueLength(position);
  }
}

/** The big value of a record with ENC_OBJECT. */
export function objectOf(db: Database, position: number): BigValue {
  return db.records.objects.get(db.records.payloadLow(position));
}

/** Puts an object in place of what the record held; returns the record's new position. */
export function replaceWithObject(db: Database, position: number, value: BigValue): number {
  const { records } = db;
  const fresh = db.recreate(position, ENC_OBJECT, 0);
  records.setPayload(fresh, records.objects.put(value), 0);
  records.free(position);
  return fresh;
}

/** Makes a record for a new key that holds an object. */
export function addObject(
  db: Database,
  type: number,
  key: Uint8Array,
  start: number,
  end: number,
  value: BigValue,
): number {
  const position = db.add(type, ENC_OBJECT, key, start, end, 0);
  db.records.setPayload(position, db.records.objects.put(value), 0);
  return position;
}
