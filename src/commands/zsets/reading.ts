import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { CommandError, errors, wrongArity } from "../../resp/errors.ts";
import { ZsetRange } from "../../types/zset-range.ts";
import { zsetAt } from "./key.ts";

/** ZCARD, ZSCORE, ZMSCORE, ZRANK, ZREVRANK, ZCOUNT and ZLEXCOUNT. */

const WITHSCORE = latin1Bytes("withscore");

const range = new ZsetRange();

export function zcard(call: Call): void {
  call.reply.int(zsetAt(call, 1)?.size ?? 0);
}

export function zscore(call: Call): void {
  const { buf, start, end } = call;
  const set = zsetAt(call, 1);
  const score = set === null ? Number.NaN : set.scoreOf(buf, start[2]!, end[2]!);
  if (Number.isNaN(score)) call.reply.nil();
  else call.reply.double(score);
}

export function zmscore(call: Call): void {
  const { buf, start, end, reply } = call;
  const set = zsetAt(call, 1);
  reply.array(call.argc - 2);
  for (let i = 2; i < call.argc; i++) {
    const score = set === null ? Number.NaN : set.scoreOf(buf, start[i]!, end[i]!);
    if (Number.isNaN(score)) reply.nil();
    else reply.double(score);
  }
}

export function zrank(call: Call): void {
  replyRank(call, false);
}

export function zrevrank(call: Call): void {
  replyRank(call, true);
}

function replyRank(call: Call, reverse: boolean): void {
  const { buf, start, end, reply } = call;
  if (call.argc > 4) throw new CommandError(wrongArity(reverse ? "zrevrank" : "zrank"));
  const withScore = call.argc === 4;
  if (withScore && !call.is(3, WITHSCORE)) throw new CommandError(errors.syntax);
  const set = zsetAt(call, 1);
  const rank = set === null ? -1 : set.rankOf(buf, start[2]!, end[2]!);
  if (set === null || rank < 0) {
    if (withScore) reply.nilArray();
    else reply.nil();
    return;
  }
  if (withScore) reply.array(2);
  reply.int(reverse ? set.size - 1 - rank : rank);
  if (withScore) reply.double(set.scoreOf(buf, start[2]!, end[2]!));
}

export function zcount(call: Call): void {
  readScores(call, range, 2, 3);
  const set = zsetAt(call, 1);
  if (set === null) return call.reply.int(0);
  range.byScore(set);
  call.reply.int(range.count);
}

export function zlexcount(call: Call): void {
  readMembers(call, range, 2, 3);
  const set = zsetAt(call, 1);
  if (set === null) return call.reply.int(0);
  range.byMember(set);
  call.reply.int(range.count);
}

/** Reads arguments `min` and `max` as a range of scores; throws. */
export function readScores(call: Call, into: ZsetRange, min: number, max: number): void {
  const { buf, start, end } = call;
  if (!into.minScore(buf, start[min]!, end[min]!) || !into.maxScore(buf, start[max]!, end[max]!))
    throw new CommandError("ERR min or max is not a float");
}

/** Reads arguments `min` and `max` as a range of members; throws. */
export function readMembers(call: Call, into: ZsetRange, min: number, max: number): void {
  const { buf, start, end } = call;
  if (!into.minMember(buf, start[min]!, end[min]!) || !into.maxMember(buf, start[max]!, end[max]!))
    throw new CommandError("ERR min or max not valid string range item");
}
