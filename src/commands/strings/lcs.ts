import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { StringView } from "../../keyspace/strings.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { lcsLength, lcsLimitError, lcsMatches, lcsText, MATCH_STRIDE } from "../../types/lcs.ts";
import type { StringLimits } from "./setting.ts";
import { isString } from "./setting.ts";

/** LCS: the longest common subsequence of two strings. */

const IDX = latin1Bytes("idx");
const LEN = latin1Bytes("len");
const WITHMATCHLEN = latin1Bytes("withmatchlen");
const MINMATCHLEN = latin1Bytes("minmatchlen");
const EMPTY = new Uint8Array(0);

export function lcs(call: Call, limits: StringLimits): void {
  const positions = [call.lookup(1), call.lookup(2)] as const;
  const a = stringBytes(call, positions[0]);
  const b = stringBytes(call, positions[1]);
  let idx = false;
  let len = false;
  let withMatchLength = false;
  let minMatchLength = 0;
  for (let i = 3; i < call.argc; i++) {
    if (call.is(i, IDX)) idx = true;
    else if (call.is(i, LEN)) len = true;
    else if (call.is(i, WITHMATCHLEN)) withMatchLength = true;
    else if (call.is(i, MINMATCHLEN) && i + 1 < call.argc) minMatchLength = Math.max(0, call.int(++i));
    else throw new CommandError(errors.syntax);
  }
  if (idx && len) throw new CommandError("ERR If you want both the length and indexes, please just use IDX.");
  const tooLong = lcsLimitError(a.length, b.length, limits.protoMaxBulkLen);
  if (tooLong !== null) throw new CommandError(tooLong);
  if (idx) return replyMatches(call, a, b, minMatchLength, withMatchLength);
  if (len) call.reply.int(lcsLength(a, b));
  else call.reply.bulk(lcsText(a, b));
}

function stringBytes(call: Call, position: number): Uint8Array {
  if (position === 0) return EMPTY;
  if (!isString(call, position)) throw new CommandError("ERR The specified keys must contain string values");
  return new StringView().read(call.db, position).copy();
}

function replyMatches(call: Call, a: Uint8Array, b: Uint8Array, min: number, withLength: boolean): void {
  const { reply } = call;
  const { matches, length } = lcsMatches(a, b, min);
  reply.map(2);
  reply.bulkText("matches");
  reply.array(matches.length / MATCH_STRIDE);
  for (let i = 0; i < matches.length; i += MATCH_STRIDE) {
    reply.array(withLength ? 3 : 2);
    for (const side of [i, i + 2]) {
      reply.array(2);
      reply.int(matches[side]!);
      reply.int(matches[side + 1]!);
    }
    if (withLength) reply.int(matches[i + 4]!);
  }
  reply.bulkText("len");
  reply.int(length);
}
