import { compareBytes, latin1Bytes, lower } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { StringView } from "../../keyspace/strings.ts";
import { CommandError } from "../../resp/errors.ts";

/**
 * The comparisons on which SET and DELEX of Redis 8.4 depend: IFEQ and IFNE with a value, IFDEQ and IFDNE with a
 * digest, which is the 64-bit XXH3 hash of the value as 16 hexadecimal digits.
 */
const IFEQ = latin1Bytes("ifeq");
const IFNE = latin1Bytes("ifne");
const IFDEQ = latin1Bytes("ifdeq");
const IFDNE = latin1Bytes("ifdne");
const COMPARISONS = [IFEQ, IFNE, IFDEQ, IFDNE];

/** Bits of a comparison's number. */
const NOT = 1;
const BY_DIGEST = 2;

const DIGEST_LENGTH = 16;
const WRONG_DIGEST = `ERR must be exactly ${DIGEST_LENGTH} hexadecimal characters`;

const view = new StringView();

/** The number of the comparison that argument i names, or -1. */
export function comparisonOf(call: Call, i: number): number {
  for (let kind = 0; kind < COMPARISONS.length; kind++) if (call.is(i, COMPARISONS[kind]!)) return kind;
  return -1;
}

/** Whether comparison `kind` wants a difference, so that a missing key fulfils it. */
export function wantsDifference(kind: number): boolean {
  return (kind & NOT) !== 0;
}

/** Whether the string at `position` stands to argument `i` as comparison `kind` wants it. */
export function compares(call: Call, position: number, kind: number, i: number): boolean {
  const equal = (kind & BY_DIGEST) !== 0 ? hasDigest(call, position, i) : hasValue(call, position, i);
  return equal !== wantsDifference(kind);
}

/** Whether the string at `position` is argument i, byte for byte. */
export function hasValue(call: Call, position: number, i: number): boolean {
  view.read(call.db, position);
  if (view.length !== call.length(i)) return false;
  const given = call.buf.subarray(call.start[i]!, call.end[i]!);
  return compareBytes(view.buf.subarray(view.start, view.end), given) === 0;
}

/** As Redis does, only the number of digits is checked: other characters are like no digest. */
function hasDigest(call: Call, position: number, i: number): boolean {
  if (call.length(i) !== DIGEST_LENGTH) throw new CommandError(WRONG_DIGEST);
  const digest = digestOf(call, position);
  const from = call.start[i]!;
  for (let at = 0; at < DIGEST_LENGTH; at++)
    if (lower(call.buf[from + at]!) !== digest.charCodeAt(at)) return false;
  return true;
}

/** The digest of a string record's value. */
export function digestOf(call: Call, position: number): string {
  view.read(call.db, position);
  const hash = Bun.hash.xxHash3(view.buf.subarray(view.start, view.end));
  return hash.toString(16).padStart(DIGEST_LENGTH, "0");
}
