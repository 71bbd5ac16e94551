import { latin1Bytes } from "../../bytes/ascii.ts";
import { parseDouble } from "../../bytes/double.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { GT, INCR, LT, NX, XX } from "../../types/zset.ts";
import type { ZsetKey } from "./key.ts";

/** ZADD and ZINCRBY. */

export const OPTION_NX = latin1Bytes("nx");
export const OPTION_XX = latin1Bytes("xx");
const OPTION_GT = latin1Bytes("gt");
const OPTION_LT = latin1Bytes("lt");
export const OPTION_CH = latin1Bytes("ch");
const OPTION_INCR = latin1Bytes("incr");
/** A bit beside the conditions: reply with the number of changes. */
export const CH = 32;
const NAN = "ERR resulting score is not a number (NaN)";

/** The scores of the command under way, all read before anything is changed. */
export const scores = { values: new Float64Array(64) };

/** Makes room for the scores of so many members. */
export function reserveScores(count: number): Float64Array {
  if (scores.values.length < count) scores.values = new Float64Array(count);
  return scores.values;
}

/** Argument i as a double; throws "value is not a valid float" or another sentence. */
export function doubleAt(call: Call, i: number, sentence: string = errors.notFloat): number {
  const value = parseDouble(call.buf, call.start[i]!, call.end[i]!);
  if (Number.isNaN(value)) throw new CommandError(sentence);
  return value;
}

export function zadd(call: Call, key: ZsetKey): void {
  let flags = 0;
  let first = 2;
  for (; first < call.argc; first++) {
    const option = optionAt(call, first);
    if (option === 0) break;
    flags |= option;
  }
  addScored(call, key, flags, first);
}

function optionAt(call: Call, i: number): number {
  const length = call.length(i);
  if (length === 2) {
    if (call.is(i, OPTION_NX)) return NX;
    if (call.is(i, OPTION_XX)) return XX;
    if (call.is(i, OPTION_GT)) return GT;
    if (call.is(i, OPTION_LT)) return LT;
    if (call.is(i, OPTION_CH)) return CH;
  }
  return length === 4 && call.is(i, OPTION_INCR) ? INCR : 0;
}

export function zincrby(call: Call, key: ZsetKey): void {
  addScored(call, key, INCR, 2);
}

/** The pairs of score and member from argument `first` on. */
function addScored(call: Call, key: ZsetKey, flags: number, first: number): void {
  const count = (call.argc - first) / 2;
  if (count <= 0 || count !== Math.floor(count)) throw new CommandError(errors.syntax);
  if ((flags & NX) !== 0 && (flags & XX) !== 0)
    throw new CommandError("ERR XX and NX options at the same time are not compatible");
  const exclusive = flags & (GT | LT | NX);
  if ((exclusive & (exclusive - 1)) !== 0)
    throw new CommandError("ERR GT, LT, and/or NX options at the same time are not compatible");
  if ((flags & INCR) !== 0 && count > 1)
    throw new CommandError("ERR INCR option supports a single increment-element pair");
  const values = reserveScores(count);
  for (let i = 0; i < count; i++) values[i] = doubleAt(call, first + i * 2);
  addMembers(call, key, flags, count, first + 1, 2);
}

/** Adds `count` members, the first in argument `member`, each `step` further, with the scores read before. */
export function addMembers(
  call: Call,
  key: ZsetKey,
  flags: number,
  count: number,
  member: number,
  step: number,
): void {
  const { buf, start, end } = call;
  const { values } = scores;
  const { zset } = key;
  let added = 0;
  let updated = 0;
  let refused = 0;
  if (key.open(call, 1)) zset.expect(count);
  else if ((flags & XX) === 0) key.create(call, 1, count, call.length(member));
  else return replyToAdd(call, flags, 0, 0, true, 0);
  for (let i = 0; i < count; i++) {
    const at = member + i * step;
    const outcome = zset.add(values[i]!, flags, buf, start[at]!, end[at]!);
    if (outcome === "added") added++;
    else if (outcome === "updated") updated++;
    else if (outcome === "refused") refused++;
    else if (outcome === "nan") throw new CommandError(NAN);
  }
  key.commit();
  call.dirty += added + updated;
  if (added + updated > 0) call.event(NOTIFY.zset, (flags & INCR) !== 0 ? "zincr" : "zadd", 1);
  replyToAdd(call, flags, added, updated, refused > 0, zset.score);
}

function replyToAdd(
  call: Call,
  flags: number,
  added: number,
  updated: number,
  refused: boolean,
  score: number,
): void {
  if ((flags & INCR) === 0) call.reply.int((flags & CH) !== 0 ? added + updated : added);
  else if (refused) call.reply.nil();
  else call.reply.double(score);
}
