import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { LpItem } from "../../encodings/listpack.ts";
import { TYPE_SET } from "../../keyspace/record.ts";
import { addValue } from "../../keyspace/value-home.ts";
import { replyItem, type Sets, type StoredSet } from "./values.ts";

/** SADD and its kin: what adds, removes and looks for single members. */

const item = new LpItem();

export function sadd(call: Call, sets: Sets): void {
  const { buf, start, end, argc } = call;
  const stored = sets.write(call, 1);
  const set = stored ?? sets.fresh(call);
  if (stored === null) set.create(buf, start[2]!, end[2]!, argc - 2);
  else set.expect(argc - 2);
  let added = 0;
  for (let i = 2; i < argc; i++) if (set.add(buf, start[i]!, end[i]!)) added++;
  if (stored === null) addValue(call.db, TYPE_SET, buf, start[1]!, end[1]!, sets.own);
  call.dirty += added;
  if (added > 0) call.event(NOTIFY.set, "sadd", 1);
  call.reply.int(added);
}

/** Removes a set's key (argument 1) where nothing is in it. */
export function dropIfEmpty(call: Call, set: StoredSet): void {
  if (set.size > 0) return;
  call.db.remove(set.position);
  call.event(NOTIFY.generic, "del", 1);
}

export function srem(call: Call, sets: Sets): void {
  const set = sets.write(call, 1);
  if (set === null) return call.reply.int(0);
  let removed = 0;
  for (let i = 2; i < call.argc && set.size > 0; i++)
    if (set.remove(call.buf, call.start[i]!, call.end[i]!)) removed++;
  if (removed > 0) call.event(NOTIFY.set, "srem", 1);
  dropIfEmpty(call, set);
  call.dirty += removed;
  call.reply.int(removed);
}

export function smove(call: Call, sets: Sets): void {
  const { buf, start, end, db } = call;
  const source = sets.write(call, 1);
  if (source === null) return call.reply.int(0);
  const target = sets.write(call, 2, 1);
  const from = start[3]!;
  const to = end[3]!;
  if (target !== null && target.position === source.position)
    return call.reply.int(source.has(buf, from, to) ? 1 : 0);
  if (!source.remove(buf, from, to)) return call.reply.int(0);
  call.event(NOTIFY.set, "srem", 1);
  dropIfEmpty(call, source);
  call.dirty++;
  if (target === null) {
    const set = sets.fresh(call);
    set.create(buf, from, to, 1);
    set.add(buf, from, to);
    addValue(db, TYPE_SET, buf, start[2]!, end[2]!, sets.own);
  }
  if (target === null || target.add(buf, from, to)) {
    call.dirty++;
    call.event(NOTIFY.set, "sadd", 2);
  } else call.changedKey = 1;
  call.reply.int(1);
}

export function sismember(call: Call, sets: Sets): void {
  const set = sets.read(call, 1);
  call.reply.int(set?.has(call.buf, call.start[2]!, call.end[2]!) ? 1 : 0);
}

export function smismember(call: Call, sets: Sets): void {
  const set = sets.read(call, 1);
  call.reply.array(call.argc - 2);
  for (let i = 2; i < call.argc; i++)
    call.reply.int(set?.has(call.buf, call.start[i]!, call.end[i]!) ? 1 : 0);
}

export function scard(call: Call, sets: Sets): void {
  call.reply.int(sets.read(call, 1)?.size ?? 0);
}

export function smembers(call: Call, sets: Sets): void {
  const set = sets.read(call, 1);
  if (set === null) return call.reply.set(0);
  replyMembers(call, set);
}

/** Replies with all members as a set. */
export function replyMembers(call: Call, set: StoredSet): void {
  call.reply.set(set.size);
  for (set.rewind(); set.next(item); ) replyItem(call.reply, item);
}
