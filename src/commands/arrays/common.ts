import { INT64_MAX } from "../../bytes/int64.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { TYPE_ARRAY } from "../../keyspace/record.ts";
import { addObject, objectOf } from "../../keyspace/value-bytes.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/reply-writer.ts";
import { INDEX_END, SparseArray } from "../../types/sparse-array.ts";

/** What array commands share: finding arrays, reading indexes, replying with them. */

const MAX_U64 = 2n ** 64n - 1n;
/** As C's strtoull reads it. */
const UNSIGNED = /^[ \t\n\v\f\r]*([+-]?)(\d+)$/;
const CANONICAL_NEGATIVE = /^-[1-9]\d{0,18}$/;
const INT64_LEAST = -(2n ** 63n);

function arrayIn(call: Call, position: number): SparseArray | null {
  if (position === 0) return null;
  if (call.db.records.type(position) !== TYPE_ARRAY) throw new CommandError(errors.wrongType);
  return objectOf(call.db, position) as SparseArray;
}

/** The array at the key in argument 1 for reading, or null; throws for another type. */
export function arrayAt(call: Call): SparseArray | null {
  return arrayIn(call, call.lookup(1));
}

export function arrayForWrite(call: Call): SparseArray | null {
  return arrayIn(call, call.lookupWrite(1));
}

/** As `arrayForWrite`; there is a new one where there was none, which the caller must put something into. */
export function arrayToFill(call: Call): SparseArray {
  const array = arrayForWrite(call);
  if (array !== null) return array;
  const fresh = new SparseArray();
  addObject(call.db, TYPE_ARRAY, call.buf, call.start[1]!, call.end[1]!, fresh);
  return fresh;
}

/** Tells of a change; an array that has become empty goes. */
export function changed(call: Call, array: SparseArray, event: string, changes: number): void {
  call.dirty += changes;
  const gone = array.count === 0;
  if (gone) call.db.remove(call.db.find(call.buf, call.start[1]!, call.end[1]!));
  call.event(NOTIFY.array, event, 1);
  if (gone) call.event(NOTIFY.generic, "del", 1);
}

/** Argument i as an index; null where it is none. `most` may be one more than the highest index. */
export function indexAt(call: Call, i: number, most = INDEX_END - 1n): bigint | null {
  const text = call.text(i);
  const parts = UNSIGNED.exec(text);
  if (parts === null) return null;
  const digits = BigInt(parts[2]!);
  if (digits > MAX_U64) return null;
  if (CANONICAL_NEGATIVE.test(text) && -digits >= INT64_LEAST) return null;
  const index = parts[1] === "-" ? BigInt.asUintN(64, -digits) : digits;
  return index > most ? null : index;
}

export function neededIndex(call: Call, i: number): bigint {
  const index = indexAt(call, i);
  if (index === null) throw new CommandError("ERR invalid array index");
  return index;
}

/** An unsigned integer of 64 bits: where the protocol's integers end, a big number, or text in RESP2. */
export function replyUnsigned(reply: ReplyWriter, value: bigint): void {
  if (value <= INT64_MAX) reply.bigint(value);
  else reply.bigNumber(value.toString());
}

/** Replies with an array's element, or with a null where there is none. */
export function replyElement(reply: ReplyWriter, array: SparseArray | null, index: bigint): void {
  if (array?.find(index) === true) reply.bulk(array.buf, array.start, array.end);
  else reply.nil();
}
