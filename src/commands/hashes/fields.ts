import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { LpItem } from "../../encodings/listpack.ts";
import { CommandError, wrongArity } from "../../resp/errors.ts";
import type { HashValue } from "../../types/hash.ts";
import { replyItem } from "../sets/values.ts";
import type { Hashes, StoredHash } from "./values.ts";

/** HSET and its kin: what sets, reads and removes fields. */

const field = new LpItem();
const value = new LpItem();

export function hset(call: Call, hashes: Hashes): void {
  call.reply.int(setPairs(call, hashes, "hset"));
}

export function hmset(call: Call, hashes: Hashes): void {
  setPairs(call, hashes, "hmset");
  call.reply.ok();
}

/** Sets the pairs from argument 2 on; returns how many fields are new. */
function setPairs(call: Call, hashes: Hashes, command: string): number {
  const { buf, start, end, argc } = call;
  if (argc % 2 === 1) throw new CommandError(wrongArity(command));
  const hash = hashes.writeOrCreate(call);
  expectArguments(call, hash, 2, argc);
  let created = 0;
  for (let i = 2; i < argc; i += 2)
    if (hash.set(buf, start[i]!, end[i]!, buf, start[i + 1]!, end[i + 1]!)) created++;
  hashes.finish(call);
  call.dirty += (argc - 2) / 2;
  call.fieldsEvent(NOTIFY.hash, "hset", call.fieldsFrom(2, argc, 2));
  return created;
}

/** Prepares a hash for the pairs in the arguments [from, to). */
export function expectArguments(call: Call, hash: HashValue, from: number, to: number): void {
  let longest = 0;
  let bytes = 0;
  for (let i = from; i < to; i++) {
    const length = call.end[i]! - call.start[i]!;
    bytes += length;
    if (length > longest) longest = length;
  }
  hash.expect((to - from) >> 1, longest, bytes);
}

export function hsetnx(call: Call, hashes: Hashes): void {
  const { buf, start, end } = call;
  const hash = hashes.writeOrCreate(call, 2);
  if (hash.has(buf, start[2]!, end[2]!)) return call.reply.int(0);
  expectArguments(call, hash, 2, 4);
  hash.set(buf, start[2]!, end[2]!, buf, start[3]!, end[3]!);
  hashes.finish(call);
  call.dirty++;
  call.fieldsEvent(NOTIFY.hash, "hset", call.fieldsFrom(2, 3, 1));
  call.reply.int(1);
}

function replyField(call: Call, hash: StoredHash | null, i: number): void {
  if (hash?.get(call.buf, call.start[i]!, call.end[i]!, value)) replyItem(call.reply, value);
  else call.reply.nil();
}

export function hget(call: Call, hashes: Hashes): void {
  replyField(call, hashes.read(call, 2), 2);
}

export function hmget(call: Call, hashes: Hashes): void {
  const hash = hashes.read(call, 2);
  call.reply.array(call.argc - 2);
  for (let i = 2; i < call.argc; i++) replyField(call, hash, i);
}

export function hexists(call: Call, hashes: Hashes): void {
  const hash = hashes.read(call, 2);
  call.reply.int(hash?.has(call.buf, call.start[2]!, call.end[2]!) ? 1 : 0);
}

export function hstrlen(call: Call, hashes: Hashes): void {
  const hash = hashes.read(call, 2);
  if (!hash?.get(call.buf, call.start[2]!, call.end[2]!, value)) return call.reply.int(0);
  value.text();
  call.reply.int(value.end - value.start);
}

export function hlen(call: Call, hashes: Hashes): void {
  call.reply.int(hashes.read(call)?.size ?? 0);
}

export function hdel(call: Call, hashes: Hashes): void {
  const hash = hashes.write(call);
  if (hash === null) return call.reply.int(0);
  hash.hideExpired(0);
  let removed = 0;
  const fields = call.fieldsWanted();
  for (let i = 2; i < call.argc && hash.size > 0; i++)
    if (hash.remove(call.buf, call.start[i]!, call.end[i]!)) {
      removed++;
      fields?.push(call.bytes(i));
    }
  if (removed > 0) call.fieldsEvent(NOTIFY.hash, "hdel", fields);
  hashes.dropIfEmpty(call, hash);
  call.dirty += removed;
  call.reply.int(removed);
}

export function hgetall(call: Call, hashes: Hashes): void {
  const hash = hashes.read(call);
  if (hash === null) return call.reply.map(0);
  const { reply } = call;
  const mark = reply.deferred();
  let count = 0;
  for (hash.rewind(); hash.next(field, value); count++) {
    replyItem(reply, field);
    replyItem(reply, value);
  }
  reply.endDeferred(mark, "map", count);
}

export function hkeys(call: Call, hashes: Hashes): void {
  replyOne(call, hashes, field);
}

export function hvals(call: Call, hashes: Hashes): void {
  replyOne(call, hashes, value);
}

/** Replies with one side of all pairs. */
function replyOne(call: Call, hashes: Hashes, wanted: LpItem): void {
  const hash = hashes.read(call);
  if (hash === null) return call.reply.array(0);
  const mark = call.reply.deferred();
  let count = 0;
  for (hash.rewind(); hash.next(field, value); count++) replyItem(call.reply, wanted);
  call.reply.endDeferred(mark, "array", count);
}
