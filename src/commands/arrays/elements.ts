import type { Call } from "../../call/call.ts";
import { CommandError, wrongArity } from "../../resp/errors.ts";
import { INDEX_END } from "../../types/sparse-array.ts";
import {
  arrayAt,
  arrayForWrite,
  arrayToFill,
  changed,
  neededIndex,
  replyElement,
  replyUnsigned,
} from "./common.ts";

/** ARGET, ARSET, ARDEL and their kin: elements by their indexes. All indexes are read before anything is done. */

/** Elements of one ARGETRANGE, empty ones included. */
const MOST_IN_RANGE = 1_000_000;

export function arget(call: Call): void {
  const array = arrayAt(call);
  replyElement(call.reply, array, neededIndex(call, 2));
}

export function armget(call: Call): void {
  const array = arrayAt(call);
  const indexes = allIndexes(call, 1);
  call.reply.array(indexes.length);
  for (const index of indexes) replyElement(call.reply, array, index);
}

export function argetrange(call: Call): void {
  const from = neededIndex(call, 2);
  const to = neededIndex(call, 3);
  const array = arrayAt(call);
  const step = from > to ? -1n : 1n;
  const count = (to - from) * step + 1n;
  if (count > MOST_IN_RANGE) throw new CommandError(`ERR range exceeds maximum of ${MOST_IN_RANGE} items`);
  call.reply.array(Number(count));
  for (let i = 0n; i < count; i++) replyElement(call.reply, array, from + i * step);
}

export function arset(call: Call): void {
  const first = neededIndex(call, 2);
  if (first + BigInt(call.argc - 3) > INDEX_END) throw new CommandError("ERR array index overflow");
  const array = arrayToFill(call);
  let added = 0;
  for (let i = 3; i < call.argc; i++)
    if (array.set(first + BigInt(i - 3), call.buf, call.start[i]!, call.end[i]!)) added++;
  changed(call, array, "arset", call.argc - 3);
  call.reply.int(added);
}

export function armset(call: Call): void {
  if (call.argc % 2 !== 0) throw new CommandError(wrongArity("armset"));
  const indexes = allIndexes(call, 2);
  const array = arrayToFill(call);
  let added = 0;
  for (const [n, index] of indexes.entries()) {
    const value = 3 + n * 2;
    if (array.set(index, call.buf, call.start[value]!, call.end[value]!)) added++;
  }
  changed(call, array, "armset", indexes.length);
  call.reply.int(added);
}

export function ardel(call: Call): void {
  const indexes = allIndexes(call, 1);
  const array = arrayForWrite(call);
  if (array === null) return call.reply.int(0);
  let removed = 0;
  for (const index of indexes) if (array.delete(index)) removed++;
  if (removed > 0) changed(call, array, "ardel", removed);
  call.reply.int(removed);
}

export function ardelrange(call: Call): void {
  if (call.argc % 2 !== 0) throw new CommandError(wrongArity("ardelrange"));
  const ends = allIndexes(call, 1);
  const array = arrayForWrite(call);
  if (array === null) return call.reply.int(0);
  let removed = 0;
  for (let i = 0; i < ends.length; i += 2) {
    const [from, to] = [ends[i]!, ends[i + 1]!];
    removed += from <= to ? array.deleteRange(from, to) : array.deleteRange(to, from);
  }
  if (removed > 0) changed(call, array, "ardelrange", removed);
  call.reply.int(removed);
}

/** Every argument from 2 on that is an index: each one, or each `step`th. */
function allIndexes(call: Call, step: number): bigint[] {
  const indexes: bigint[] = [];
  for (let i = 2; i < call.argc; i += step) indexes.push(neededIndex(call, i));
  return indexes;
}

export function arlen(call: Call): void {
  replyUnsigned(call.reply, arrayAt(call)?.length ?? 0n);
}

export function arcount(call: Call): void {
  call.reply.int(arrayAt(call)?.count ?? 0);
}
