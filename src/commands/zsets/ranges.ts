import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import type { SortedSet } from "../../encodings/sorted-set.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/reply-writer.ts";
import { ZsetRange } from "../../types/zset-range.ts";
import { type ZsetKey, zsetAt } from "./key.ts";
import { readMembers, readScores } from "./reading.ts";

/** ZRANGE, its older kin, and ZRANGESTORE. */

const WITHSCORES = latin1Bytes("withscores");
const LIMIT = latin1Bytes("limit");
const REV = latin1Bytes("rev");
const BYLEX = latin1Bytes("bylex");
const BYSCORE = latin1Bytes("byscore");

type By = "index" | "score" | "member";

const range = new ZsetRange();

/** What the command under way asks for. */
const wanted = { by: "index" as By, reverse: false, withScores: false, offset: 0, limit: -1 };

export function zrange(call: Call): void {
  replyRange(call, null, null);
}

export function zrevrange(call: Call): void {
  replyRange(call, "index", true);
}

export function zrangebyscore(call: Call): void {
  replyRange(call, "score", false);
}

export function zrevrangebyscore(call: Call): void {
  replyRange(call, "score", true);
}

export function zrangebylex(call: Call): void {
  replyRange(call, "member", false);
}

export function zrevrangebylex(call: Call): void {
  replyRange(call, "member", true);
}

function replyRange(call: Call, by: By | null, reverse: boolean | null): void {
  const set = select(call, 1, by, reverse, false);
  if (set === null) call.reply.array(0);
  else replyEntries(call.reply, set, range.from, range.count, wanted.reverse, wanted.withScores);
}

export function zrangestore(call: Call, key: ZsetKey): void {
  const set = select(call, 2, null, null, true);
  const { reverse, by } = wanted;
  const count = set === null ? 0 : range.count;
  // Entry by entry as ZADD: on the way through a listpack a score of -0 loses its sign.
  key.createResult(by === "index" ? count : 0);
  for (let i = 0; i < count; i++) {
    if (i === 0) set!.seek(reverse ? range.to - 1 : range.from);
    else if (reverse) set!.back();
    else set!.forward();
    key.zset.insert(set!.score, set!.buf, set!.start, set!.end);
  }
  if (key.storeResult(call, 1, "zrangestore")) call.dirty++;
  call.reply.int(count);
}

/**
 * Reads the options behind key, min and max (argument `source` and the next two) and finds the range; the sorted
 * set, or null. What the command's name says already (`by`, `reverse`) is no option then.
 */
function select(
  call: Call,
  source: number,
  by: By | null,
  reverse: boolean | null,
  store: boolean,
): SortedSet | null {
  readOptions(call, source + 3, by, reverse, store);
  const swapped = wanted.reverse && wanted.by !== "index";
  const min = swapped ? source + 2 : source + 1;
  const max = swapped ? source + 1 : source + 2;
  let start = 0;
  let stop = 0;
  if (wanted.by === "index") {
    start = call.int(min);
    stop = call.int(max);
  } else if (wanted.by === "score") readScores(call, range, min, max);
  else readMembers(call, range, min, max);

  const set = zsetAt(call, source);
  if (set === null) return null;
  if (wanted.by === "index") {
    const { size } = set;
    range.byIndex(size, start, stop);
    if (wanted.reverse) {
      const { from, to } = range;
      range.from = size - to;
      range.to = size - from;
    }
    return set;
  }
  if (wanted.by === "score") range.byScore(set);
  else range.byMember(set);
  range.limit(wanted.offset, wanted.limit, wanted.reverse);
  return set;
}

function readOptions(
  call: Call,
  first: number,
  by: By | null,
  reverse: boolean | null,
  store: boolean,
): void {
  wanted.by = by ?? "index";
  wanted.reverse = reverse ?? false;
  wanted.withScores = false;
  wanted.offset = 0;
  wanted.limit = -1;
  let chosen = by !== null;
  for (let i = first; i < call.argc; i++) {
    if (!store && call.is(i, WITHSCORES)) wanted.withScores = true;
    else if (i + 2 < call.argc && call.is(i, LIMIT)) {
      wanted.offset = call.int(i + 1);
      wanted.limit = call.int(i + 2);
      i += 2;
    } else if (reverse === null && !wanted.reverse && call.is(i, REV)) wanted.reverse = true;
    else if (!chosen && call.is(i, BYLEX)) {
      wanted.by = "member";
      chosen = true;
    } else if (!chosen && call.is(i, BYSCORE)) {
      wanted.by = "score";
      chosen = true;
    } else throw new CommandError(errors.syntax);
  }
  if (wanted.limit !== -1 && wanted.by === "index")
    throw new CommandError(
      "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
    );
  if (wanted.withScores && wanted.by === "member")
    throw new CommandError("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
}

/** Replies with `count` entries from rank `from` on, the last first with `reverse`. */
export function replyEntries(
  reply: ReplyWriter,
  set: SortedSet,
  from: number,
  count: number,
  reverse: boolean,
  withScores: boolean,
): void {
  beginEntries(reply, count, withScores);
  for (let i = 0; i < count; i++) {
    if (i === 0) set.seek(reverse ? from + count - 1 : from);
    else if (reverse) set.back();
    else set.forward();
    replyEntry(reply, set, withScores);
  }
}

/** The array for so many entries: with scores flat in RESP2, of pairs in RESP3. */
export function beginEntries(reply: ReplyWriter, count: number, withScores: boolean): void {
  reply.array(withScores && reply.resp === 2 ? count * 2 : count);
}

/** The entry under the set's cursor, as `beginEntries` has announced it. */
export function replyEntry(reply: ReplyWriter, set: SortedSet, withScores: boolean): void {
  if (withScores && reply.resp === 3) reply.array(2);
  reply.bulk(set.buf, set.start, set.end);
  if (withScores) reply.double(set.score);
}
