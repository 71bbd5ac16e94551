import { timeoutSeconds } from "../../blocking/blocking.ts";
import { latin1Bytes, utf8 } from "../../bytes/ascii.ts";
import { parseInt64Rounded } from "../../bytes/int64.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { ZsetDeps, ZsetKey } from "./key.ts";

/** ZPOPMIN, ZPOPMAX, ZMPOP and the forms of them that wait. */

const MIN = latin1Bytes("min");
const MAX = latin1Bytes("max");
const COUNT = latin1Bytes("count");
const ZPOPMIN = latin1Bytes("ZPOPMIN");
const ZPOPMAX = latin1Bytes("ZPOPMAX");

export function zpopmin(call: Call, key: ZsetKey): void {
  popOne(call, key, false);
}

export function zpopmax(call: Call, key: ZsetKey): void {
  popOne(call, key, true);
}

function popOne(call: Call, key: ZsetKey, max: boolean): void {
  if (call.argc > 3) throw new CommandError(errors.syntax);
  const counted = call.argc === 3;
  let count = 1;
  if (counted) {
    count = parseInt64Rounded(call.buf, call.start[2]!, call.end[2]!);
    if (!(count >= 0)) throw new CommandError(errors.positive);
  }
  const { reply } = call;
  if (!key.open(call, 1) || count === 0) return reply.array(0);
  const nested = counted && reply.resp === 3;
  count = Math.min(count, key.zset.size);
  reply.array(nested ? count : count * 2);
  take(call, key, 1, max, count, nested);
}

/** Takes `count` entries of the set of argument i, replies with each, and removes the key if nothing is left. */
function take(call: Call, key: ZsetKey, i: number, max: boolean, count: number, nested: boolean): void {
  const { reply } = call;
  const { set } = key.zset;
  const { size } = set;
  for (let taken = 0; taken < count; taken++) {
    if (taken === 0) set.seek(max ? size - 1 : 0);
    else if (max) set.back();
    else set.forward();
    if (nested) reply.array(2);
    reply.bulk(set.buf, set.start, set.end);
    reply.double(set.score);
  }
  call.event(NOTIFY.zset, max ? "zpopmax" : "zpopmin", i);
  if (count === size) {
    key.drop();
    call.event(NOTIFY.generic, "del", i);
  } else {
    set.removeRange(max ? size - count : 0, count);
    key.commit();
  }
  call.dirty += count;
}

export function zmpop(call: Call, key: ZsetKey): void {
  const { max, count, keys } = readMultiple(call, 1);
  for (let i = 2; i < 2 + keys; i++) if (popFrom(call, key, i, max, count, true)) return;
  call.reply.nilArray();
}

export function bzmpop(call: Call, key: ZsetKey, deps: ZsetDeps): void {
  const { max, count, keys } = readMultiple(call, 2);
  waitAndPop(call, key, deps, 3, 3 + keys, 1, max, count, true);
}

export function bzpopmin(call: Call, key: ZsetKey, deps: ZsetDeps): void {
  waitAndPop(call, key, deps, 1, call.argc - 1, call.argc - 1, false, 1, false);
}

export function bzpopmax(call: Call, key: ZsetKey, deps: ZsetDeps): void {
  waitAndPop(call, key, deps, 1, call.argc - 1, call.argc - 1, true, 1, false);
}

/** numkeys key... MIN|MAX [COUNT count], numkeys in argument `at`. */
function readMultiple(call: Call, at: number): { max: boolean; count: number; keys: number } {
  const keys = intOr(call, at, "ERR numkeys should be greater than 0");
  const where = at + keys + 1;
  if (where >= call.argc) throw new CommandError(errors.syntax);
  const max = call.is(where, MAX);
  if (!max && !call.is(where, MIN)) throw new CommandError(errors.syntax);
  let count = 0;
  for (let i = where + 1; i < call.argc; i++) {
    if (count !== 0 || i + 1 >= call.argc || !call.is(i, COUNT)) throw new CommandError(errors.syntax);
    count = intOr(call, ++i, "ERR count should be greater than 0");
  }
  return { max, count: count === 0 ? 1 : count, keys };
}

/** Argument i as an integer above 0; throws the sentence. */
function intOr(call: Call, i: number, sentence: string): number {
  const value = parseInt64Rounded(call.buf, call.start[i]!, call.end[i]!);
  if (!(value >= 1)) throw new CommandError(sentence);
  return value;
}

/** Pops from the sorted set under argument i; false if there is none. */
function popFrom(call: Call, key: ZsetKey, i: number, max: boolean, limit: number, nested: boolean): boolean {
  if (!key.open(call, i)) return false;
  const { reply } = call;
  const count = Math.min(limit, key.zset.size);
  reply.array(nested ? 2 : 3);
  reply.bulk(call.buf, call.start[i]!, call.end[i]!);
  if (nested) reply.array(count);
  take(call, key, i, max, count, nested);
  call.changedKey = i;
  if (call.recording) {
    const command = max ? ZPOPMAX : ZPOPMIN;
    if (nested) call.propagate(command, call.bytes(i), utf8(String(count)));
    else call.propagate(command, call.bytes(i));
  }
  return true;
}

function waitAndPop(
  call: Call,
  key: ZsetKey,
  deps: ZsetDeps,
  first: number,
  end: number,
  timeoutAt: number,
  max: boolean,
  count: number,
  nested: boolean,
): void {
  const timeout = timeoutSeconds(call, timeoutAt);
  for (let i = first; i < end; i++) if (popFrom(call, key, i, max, count, nested)) return;
  const keys = Array.from({ length: end - first }, (_, i) => first + i);
  deps.blocking.onKeys(call, keys, timeout, "zset", (reply) => reply.nilArray());
}
