import { MAX_SAFE } from "../../bytes/int64.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { UNTOLD } from "../../keyspace/key-events.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import {
  CHANGED,
  CORRUPT,
  createHyperLogLog,
  HLL_REGISTERS,
  HllEditor,
  hllCachedCount,
  hllCount,
  hllCountRegisters,
  hllEncoding,
  hllMerge,
  hllRaiseAll,
  hllStoreCount,
} from "../../types/hyperloglog.ts";
import { stringAt } from "../strings/reading.ts";
import { type HyperLogLogDeps, hllAt, hllAtForWrite, store, writable } from "./values.ts";

/** PFADD, PFCOUNT and PFMERGE. All of them propagate as they came. */

/** The registers of a union, one a byte. */
const union = new Uint8Array(HLL_REGISTERS);

export function pfadd(call: Call, { config }: HyperLogLogDeps): void {
  const old = hllAtForWrite(call, 1);
  const editor = new HllEditor(old ?? createHyperLogLog(), config.values.hllSparseMaxBytes);
  let changes = old === null ? 1 : 0;
  let corrupt = false;
  for (let i = 2; i < call.argc && !corrupt; i++) {
    const result = editor.add(call.buf, call.start[i]!, call.end[i]!);
    if (result === CHANGED) changes++;
    corrupt = result === CORRUPT;
  }
  if (changes > 0) {
    const value = editor.finish(true);
    if (value !== old) store(call, 1, value);
    call.dirty += changes;
    if (!corrupt) call.event(NOTIFY.string, "pfadd", 1);
  }
  if (corrupt) throw new CommandError(errors.hllCorrupted);
  call.reply.int(changes > 0 ? 1 : 0);
}

export function pfcount(call: Call): void {
  if (call.argc > 2) {
    mergeFrom(call, 1);
    return call.reply.int(hllCountRegisters(union));
  }
  const value = writable(call, stringAt(call, 1));
  if (value === null) return call.reply.int(0);
  const cached = hllCachedCount(value);
  if (cached >= 0) return replyCached(call, value, cached);
  const count = hllCount(value);
  if (count < 0) throw new CommandError(errors.hllCorrupted);
  // The cache is part of the value, so filling it is a change, which replicas and the AOF have to make too.
  hllStoreCount(value, count);
  call.dirty++;
  call.event(UNTOLD, "", 1);
  call.reply.int(count);
}

/** What clients have SET may claim any count of up to 63 bits. */
function replyCached(call: Call, value: Uint8Array, count: number): void {
  if (count <= MAX_SAFE) call.reply.int(count);
  else call.reply.bigint(new DataView(value.buffer, value.byteOffset).getBigUint64(8, true));
}

export function pfmerge(call: Call, { config }: HyperLogLogDeps): void {
  const dense = mergeFrom(call, 1);
  const old = hllAtForWrite(call, 1);
  const limit = config.values.hllSparseMaxBytes;
  const value = hllRaiseAll(old ?? createHyperLogLog(), union, dense, limit);
  if (value === null) throw new CommandError(errors.hllCorrupted);
  if (value !== old) store(call, 1, value);
  call.dirty++;
  call.event(NOTIFY.string, "pfadd", 1);
  call.reply.ok();
}

/** Fills `union` from the keys in the arguments from `first` on; whether one of them is dense. */
function mergeFrom(call: Call, first: number): boolean {
  let dense = false;
  union.fill(0);
  for (let i = first; i < call.argc; i++) {
    const value = hllAt(call, i);
    if (value === null) continue;
    if (hllEncoding(value) === "dense") dense = true;
    if (!hllMerge(union, value)) throw new CommandError(errors.hllCorrupted);
  }
  return dense;
}
