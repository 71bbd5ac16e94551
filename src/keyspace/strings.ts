import { copyBytes } from "../bytes/ascii.ts";
import { writeInt64 } from "../bytes/int64.ts";
import type { Database } from "./database.ts";
import { ENC_BLOCK, ENC_INT, ENC_RAW, TYPE_STRING } from "./record.ts";

/**
 * String values as ranges of bytes, whatever their encoding: read through a view, or made writable (raw) and
 * long enough for an in-place change.
 */

/** Room kept for later growth at most, as in sds. */
const MAX_SLACK = 1 << 20;

/** Where a value's bytes stand; valid until the next write to the database. */
export class StringView {
  buf: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  private readonly digits = new Uint8Array(24);

  /** Points the view at a string record's bytes (an integer's text is written to a buffer of the view). */
  read(db: Database, position: number): this {
    const { records } = db;
    const encoding = records.encoding(position);
    if (encoding === ENC_INT) {
      this.buf = this.digits;
      this.start = 0;
      this.end = writeInt64(this.digits, 0, records.payloadLow(position), records.payloadHigh(position));
    } else if (encoding === ENC_BLOCK) {
      this.buf = records.blocks.get(records.payloadLow(position));
      this.start = 0;
      this.end = records.valueLength(position);
    } else {
      this.buf = records.bytes(position);
      this.start = records.valueOffset(position);
      this.end = this.start + records.valueLength(position);
    }
    return this;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** A copy of the bytes. */
  copy(): Uint8Array {
    return this.buf.slice(this.start, this.end);
  }
}

/** Bytes of a string value. */
export function stringLength(db: Database, position: number): number {
  const { records } = db;
  if (records.encoding(position) !== ENC_INT) return records.valueLength(position);
  return intView.read(db, position).length;
}

const intView = new StringView();

/**
 * Makes a string value raw and `length` bytes long, at least as long as it is; new bytes are zero. Points
 * `view` at it and returns the record's position, which may be a new one. Room grows ahead of need, as sds
 * does, so that repeated APPEND is linear.
 */
export function growString(db: Database, position: number, length: number, view: StringView): number {
  const { records } = db;
  const old = view.read(db, position).length;
  const encoding = records.encoding(position);
  let at = position;
  if (encoding === ENC_BLOCK) {
    records.blocks.grow(records.payloadLow(position), old, length);
  } else if (
    encoding < 8 &&
    records.inlineRoom(position) >= length &&
    records.fitsInline(records.keyLength(position), length)
  ) {
    records.bytes(position).fill(0, view.end, view.start + length);
    records.setEncoding(position, TYPE_STRING, ENC_RAW);
  } else {
    // A new string gets just what it needs; what grows will grow again.
    const roomy =
      old === 0 ? length : length < 1024 ? length + 64 + (length >> 1) : length + Math.min(length, MAX_SLACK);
    const inline = records.fitsInline(records.keyLength(position), roomy);
    at = db.recreate(position, inline ? ENC_RAW : ENC_BLOCK, inline ? roomy : length);
    if (inline) {
      const target = records.bytes(at);
      const offset = records.valueOffset(at);
      copyBytes(target, offset, view.buf, view.start, view.end);
      target.fill(0, offset + old, offset + length);
    } else {
      const block = records.blocks.alloc(roomy);
      copyBytes(records.blocks.get(block), 0, view.buf, view.start, view.end);
      records.setPayload(at, block, 0);
    }
    if (records.keyIsInBlock(position)) records.freeKeyBlock(position);
    records.freeCell(position);
  }
  records.setValueLength(at, length);
  view.read(db, at);
  return at;
}
