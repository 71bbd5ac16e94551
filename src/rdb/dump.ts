import { Crc64 } from "../bytes/crc64.ts";
import type { Database } from "../keyspace/database.ts";
import {
  corrupt,
  FIELD_EXPIRY_VERSION,
  isObjectType,
  NEWEST_VERSION,
  RDB_MAX_VERSION,
  RDB_VERSION,
  type RdbVersion,
  TYPE,
} from "./format.ts";
import type { ValueReader } from "./read-value.ts";
import { beginValue, rdbTypeOf } from "./write-value.ts";
import type { RdbWriter } from "./writer.ts";
import type { ObjectWriting } from "./writing.ts";

/**
 * DUMP payloads: one value by itself.
 *
 *   [type u8][value] [version u16][CRC64 of all before it]         little-endian
 */

const FOOTER = 10;
/** Elements between looks at nothing: a payload is written and read in one go. */
const ALL = Number.POSITIVE_INFINITY;

/** Writes the payload of a record's value, in this version or the oldest one above that can hold it. */
export function writePayload(
  writer: RdbWriter,
  db: Database,
  position: number,
  atLeast: RdbVersion = RDB_VERSION,
): void {
  writer.clear();
  const type = rdbTypeOf(db, position, atLeast);
  writer.byte(type);
  const writing = beginValue(writer, db, position, type, false);
  while (writing !== null && !writing.step(ALL));
  writing?.close();
  const version = payloadVersion(type, atLeast);
  writer.byte(version & 255);
  writer.byte(version >> 8);
  writer.writeChecksum();
}

/** The version of a payload of this type. */
export function payloadVersion(type: number, atLeast: RdbVersion): RdbVersion {
  if (type > TYPE.HASH_LISTPACK_EX) return NEWEST_VERSION;
  return type === TYPE.HASH_METADATA ? FIELD_EXPIRY_VERSION : atLeast;
}

/** Begins a payload that is written in steps, but for its footer: of a value that is an object. */
export function beginPayload(
  writer: RdbWriter,
  db: Database,
  position: number,
  atLeast: RdbVersion,
): { readonly type: number; readonly writing: ObjectWriting } {
  const type = rdbTypeOf(db, position, atLeast);
  writer.byte(type);
  return { type, writing: beginValue(writer, db, position, type, true)! };
}

/** Whether the payload ends as one does, of a version that can be read. */
export function isPayload(buf: Uint8Array, start: number, end: number, skipChecksum: boolean): boolean {
  if (end - start < FOOTER) return false;
  const version = buf[end - FOOTER]! | (buf[end - FOOTER + 1]! << 8);
  if (version > RDB_MAX_VERSION) return false;
  return skipChecksum || crc.equalsRange(buf, start, end);
}

class PayloadCrc extends Crc64 {
  equalsRange(buf: Uint8Array, start: number, end: number): boolean {
    this.reset();
    return this.update(buf, start, end - 8).equalsAt(buf, end - 8);
  }
}

const crc = new PayloadCrc();

/** Reads a payload's value, to be stored or abandoned; throws RdbError, and then there is nothing to abandon. */
export function readPayload(values: ValueReader, buf: Uint8Array, start: number, end: number): void {
  const { reader } = values;
  // As Redis does, the footer counts as readable: a value cut short may end in it, and fails when it is taken apart.
  reader.use(buf, start, end);
  try {
    const type = reader.byte();
    if (!isObjectType(type)) corrupt(`Unknown RDB encoding type ${type}`);
    if (!values.begin(type)) while (!values.step(ALL));
  } catch (error) {
    values.abandon();
    throw error;
  }
}
