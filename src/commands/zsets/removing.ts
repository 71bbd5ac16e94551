import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { ZsetRange } from "../../types/zset-range.ts";
import type { ZsetKey } from "./key.ts";
import { readMembers, readScores } from "./reading.ts";

/** ZREM and ZREMRANGEBY*. */

const range = new ZsetRange();

export function zrem(call: Call, key: ZsetKey): void {
  const { buf, start, end } = call;
  if (!key.open(call, 1)) return call.reply.int(0);
  const { set } = key.zset;
  let removed = 0;
  for (let i = 2; i < call.argc && set.size > 0; i++) if (set.remove(buf, start[i]!, end[i]!)) removed++;
  if (removed > 0) key.commit();
  finish(call, removed, "zrem", set.size === 0);
}

export function zremrangebyrank(call: Call, key: ZsetKey): void {
  const start = call.int(2);
  const stop = call.int(3);
  if (!key.open(call, 1)) return call.reply.int(0);
  range.byIndex(key.zset.size, start, stop);
  removeRange(call, key, "zremrangebyrank");
}

export function zremrangebyscore(call: Call, key: ZsetKey): void {
  readScores(call, range, 2, 3);
  if (!key.open(call, 1)) return call.reply.int(0);
  range.byScore(key.zset.set);
  removeRange(call, key, "zremrangebyscore");
}

export function zremrangebylex(call: Call, key: ZsetKey): void {
  readMembers(call, range, 2, 3);
  if (!key.open(call, 1)) return call.reply.int(0);
  range.byMember(key.zset.set);
  removeRange(call, key, "zremrangebylex");
}

function removeRange(call: Call, key: ZsetKey, event: string): void {
  const { count } = range;
  const all = count === key.zset.size;
  if (all) key.drop();
  else if (count > 0) {
    key.zset.set.removeRange(range.from, count);
    key.commit();
  }
  finish(call, count, event, all);
}

function finish(call: Call, removed: number, event: string, emptied: boolean): void {
  call.dirty += removed;
  if (removed > 0) {
    call.event(NOTIFY.zset, event, 1);
    if (emptied) call.event(NOTIFY.generic, "del", 1);
  }
  call.reply.int(removed);
}
