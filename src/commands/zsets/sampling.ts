import { latin1Bytes } from "../../bytes/ascii.ts";
import { MAX_DOUBLE_TEXT, writeDouble } from "../../bytes/double.ts";
import { globMatchAt } from "../../bytes/glob.ts";
import type { Call } from "../../call/call.ts";
import type { SortedSet } from "../../encodings/sorted-set.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { scanScoreText } from "../../types/zset-scan-text.ts";
import { cursorAt } from "../generic/scanning.ts";
import { indexOf, type ZsetDeps, zsetAt } from "./key.ts";
import { beginEntries, replyEntries, replyEntry } from "./ranges.ts";

/** ZRANDMEMBER and ZSCAN. */

const WITHSCORES = latin1Bytes("withscores");
const MATCH = latin1Bytes("match");
const COUNT = latin1Bytes("count");
const LONG_MIN = -(2n ** 63n);
const NOT_LONG_MIN =
  "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
const HALF_LONG = 2n ** 62n - 1n;
/** Fewer than one in so many members wanted: they are drawn; more: the set is gone through. */
const DRAWN = 3;
/** Cursors of an index are below this. */
const CURSORS = 2 ** 32;

const text = new Uint8Array(MAX_DOUBLE_TEXT);

export function zrandmember(call: Call, deps: ZsetDeps): void {
  const { reply } = call;
  if (call.argc === 2) {
    const set = zsetAt(call, 1);
    if (set === null) return reply.nil();
    set.seek(deps.random.below(set.size));
    return reply.bulk(set.buf, set.start, set.end);
  }
  const exact = call.bigint(2);
  if (exact === LONG_MIN) throw new CommandError(NOT_LONG_MIN);
  const withScores = call.argc === 4 && call.is(3, WITHSCORES);
  if (call.argc > 3 && !withScores) throw new CommandError(errors.syntax);
  if (withScores && (exact < -HALF_LONG || exact > HALF_LONG)) throw new CommandError(errors.outOfRange);
  const count = Number(exact);
  const set = zsetAt(call, 1);
  if (set === null || count === 0) return reply.array(0);
  const { size } = set;
  if (count < 0) {
    beginEntries(reply, -count, withScores);
    for (let i = count; i < 0; i++) {
      set.seek(deps.random.below(size));
      replyEntry(reply, set, withScores);
    }
  } else if (count >= size) replyEntries(reply, set, 0, size, false, withScores);
  else if (count * DRAWN < size) replyDrawn(call, set, count, withScores, deps);
  else replySelected(call, set, count, withScores, deps);
}

/** Draws ranks until there are so many different ones. */
function replyDrawn(call: Call, set: SortedSet, count: number, withScores: boolean, deps: ZsetDeps): void {
  const drawn = new Set<number>();
  while (drawn.size < count) drawn.add(deps.random.below(set.size));
  beginEntries(call.reply, count, withScores);
  for (const rank of drawn) {
    set.seek(rank);
    replyEntry(call.reply, set, withScores);
  }
}

/** Goes through the set; each entry is taken with the chance that makes all selections equally likely. */
function replySelected(call: Call, set: SortedSet, count: number, withScores: boolean, deps: ZsetDeps): void {
  const { size } = set;
  beginEntries(call.reply, count, withScores);
  for (let rank = 0, left = count; left > 0; rank++) {
    if (rank === 0) set.seek(0);
    else set.forward();
    if (deps.random.below(size - rank) >= left) continue;
    replyEntry(call.reply, set, withScores);
    left--;
  }
}

export function zscan(call: Call): void {
  const { reply, buf, start, end } = call;
  const from = cursorAt(call, 2);
  const set = zsetAt(call, 1);
  if (set === null) {
    reply.array(2);
    reply.bulkInt(0);
    return reply.array(0);
  }
  let count = 10;
  let pattern = 0;
  for (let i = 3; i < call.argc; i += 2) {
    if (i + 1 < call.argc && call.is(i, COUNT)) {
      count = call.int(i + 1);
      if (count < 1) throw new CommandError(errors.syntax);
    } else if (i + 1 < call.argc && call.is(i, MATCH)) pattern = i + 1;
    else throw new CommandError(errors.syntax);
  }
  const matches = (member: Uint8Array, memberStart: number, memberEnd: number) =>
    pattern === 0 ||
    (call.length(pattern) === 1 && buf[start[pattern]!] === 42) ||
    globMatchAt(buf, start[pattern]!, end[pattern]!, member, memberStart, memberEnd, false);

  const index = indexOf(set);
  const found: Uint8Array[] = [];
  let cursor = 0;
  if (index !== null)
    cursor = index.scan(from < CURSORS ? from : 0, count, (score, member, memberStart, memberEnd) => {
      if (!matches(member, memberStart, memberEnd)) return;
      found.push(member.slice(memberStart, memberEnd), latin1Bytes(scanScoreText(score)));
    });
  reply.array(2);
  reply.bulkInt(cursor);
  if (index !== null) {
    reply.array(found.length);
    for (const bytes of found) reply.bulk(bytes);
    return;
  }
  const mark = reply.deferred();
  let written = 0;
  for (let rank = 0; rank < set.size; rank++) {
    if (rank === 0) set.seek(0);
    else set.forward();
    if (!matches(set.buf, set.start, set.end)) continue;
    reply.bulk(set.buf, set.start, set.end);
    reply.bulk(text, 0, writeDouble(text, 0, set.score));
    written += 2;
  }
  reply.endDeferred(mark, "array", written);
}
