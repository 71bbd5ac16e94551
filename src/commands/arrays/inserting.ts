import { latin1Bytes } from "../../bytes/ascii.ts";
import { parseInt64 } from "../../bytes/int64.ts";
import type { Call } from "../../call/call.ts";
import { CommandError, errors, wrongArity } from "../../resp/errors.ts";
import { INDEX_END, SparseArray } from "../../types/sparse-array.ts";
import {
  arrayAt,
  arrayForWrite,
  arrayToFill,
  changed,
  indexAt,
  replyElement,
  replyUnsigned,
} from "./common.ts";

/** ARINSERT, ARRING, ARNEXT, ARSEEK and ARLASTITEMS: an array that is written to one place after the other. */

const REV = latin1Bytes("rev");
const LAST_INDEX = INDEX_END - 1n;

/** The index that is written next. */
function nextIndex({ cursor }: SparseArray): bigint {
  return cursor === null ? 0n : cursor + 1n;
}

export function arinsert(call: Call): void {
  const existing = arrayForWrite(call);
  const first = existing === null ? 0n : nextIndex(existing);
  const last = first + BigInt(call.argc - 3);
  if (last > LAST_INDEX) throw new CommandError("ERR insert index overflow");
  const array = existing ?? arrayToFill(call);
  for (let i = 2; i < call.argc; i++)
    array.set(first + BigInt(i - 2), call.buf, call.start[i]!, call.end[i]!);
  array.cursor = last;
  changed(call, array, "arinsert", call.argc - 2);
  replyUnsigned(call.reply, last);
}

export function arring(call: Call): void {
  const size = parseInt64(call.buf, call.start[2]!, call.end[2]!);
  if (size === null) throw new CommandError("ERR invalid size");
  if (size <= 0n) throw new CommandError("ERR size must be positive");
  const array = arrayToFill(call);
  const kept = toKeep(array, size);
  if (kept > 0n) array.become(laidOut(array, kept));
  let index = 0n;
  for (let i = 3; i < call.argc; i++) {
    index = nextIndex(array) % size;
    array.set(index, call.buf, call.start[i]!, call.end[i]!);
    array.cursor = index;
  }
  changed(call, array, "arring", call.argc - 3);
  replyUnsigned(call.reply, index);
}

/**
 * How many elements at most are to be laid out anew before a ring of this size is written to; 0: it can stay as it is.
 * It cannot if it gets smaller, nor if it gets larger and its writing has come round: the next element would be
 * written over an old one. ARSEEK to 0 says that this is what is wanted.
 */
function toKeep(array: SparseArray, size: bigint): bigint {
  const span = array.length;
  if (size < span) return size;
  return size > span && array.cursor !== null && nextIndex(array) < span ? span : 0n;
}

/** The latest elements up to the first empty place, the oldest of them at index 0. */
function laidOut(array: SparseArray, most: bigint): SparseArray {
  const span = array.length;
  const newest = array.cursor === null ? span - 1n : array.cursor % span;
  const found: Uint8Array[] = [];
  for (let index = newest; BigInt(found.length) < most && array.find(index); ) {
    found.push(array.buf.slice(array.start, array.end));
    index = index === 0n ? span - 1n : index - 1n;
  }
  const fresh = new SparseArray();
  for (const [i, value] of found.reverse().entries()) fresh.set(BigInt(i), value, 0, value.length);
  fresh.cursor = found.length === 0 ? null : BigInt(found.length - 1);
  return fresh;
}

export function arnext(call: Call): void {
  const array = arrayAt(call);
  if (array?.cursor === LAST_INDEX) call.reply.nil();
  else replyUnsigned(call.reply, array === null ? 0n : nextIndex(array));
}

export function arseek(call: Call): void {
  const index = indexAt(call, 2, INDEX_END);
  if (index === null) throw new CommandError("ERR invalid array index");
  const array = arrayForWrite(call);
  if (array === null) return call.reply.int(0);
  array.cursor = index === 0n ? null : index - 1n;
  changed(call, array, "arseek", 1);
  call.reply.int(1);
}

export function arlastitems(call: Call): void {
  const wanted = parseInt64(call.buf, call.start[2]!, call.end[2]!);
  if (wanted === null) throw new CommandError("ERR invalid COUNT");
  if (wanted <= 0n) return call.reply.array(0);
  if (call.argc > 4) throw new CommandError(wrongArity("arlastitems"));
  const reverse = call.argc === 4;
  if (reverse && !call.is(3, REV)) throw new CommandError(errors.syntax);
  const array = arrayAt(call);
  if (array === null) return call.reply.array(0);
  const length = array.length;
  const indexes: bigint[] = [];
  const count = wanted > BigInt(array.count) ? array.count : Number(wanted);
  for (let index = array.cursor ?? length - 1n; indexes.length < count; ) {
    indexes.push(index);
    index = index === 0n ? length - 1n : index - 1n;
  }
  if (!reverse) indexes.reverse();
  call.reply.array(count);
  for (const index of indexes) replyElement(call.reply, array, index);
}
