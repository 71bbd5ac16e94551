// Glob patterns as KEYS, SCAN MATCH, PSUBSCRIBE and CONFIG GET use them, byte for byte.
//
//   *        any run of bytes, empty too        \x    the byte x itself
//   ?        any one byte                       [abc] one of the bytes; [^abc] none of them
//   [a-z]    a range, either way round          [abc  an unterminated class ends with the pattern
//
// How it works: a pattern without `*` matches byte against byte. At a `*` the position is noted; on a later
// mismatch the text of that star grows by one byte and matching resumes behind it. Only the LAST star is
// ever retried: had an earlier one to be longer, the part behind the last star would have to match even
// further right, and that was just tried. So the time is O(pattern * text), never exponential.
//
// Kept from Redis because clients can see it:
// - an empty text matches only an empty pattern (not even `*`);
// - bytes in ranges are compared as signed chars (x86-64), so `[a-\xff]` means 0xff .. 0x7f and 0 .. 'a';
// - with nocase the ends of a range are put in order before they are lowered (which also turns bytes from
//   0x80 to 0xfe positive), and an escaped byte in a class keeps its case;
// - a pattern with more than 1,000 runs of `*` before its end matches nothing.

import { lower } from "./ascii.ts";

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;
const CARET = 0x5e;
const DASH = 0x2d;
const MAX_STARS = 1000;

export function globMatch(pattern: Uint8Array, text: Uint8Array, nocase: boolean): boolean {
  return globMatchAt(pattern, 0, pattern.length, text, 0, text.length, nocase);
}

/** Matches `p[pStart, pEnd)` against the whole of `t[tStart, tEnd)`. */
export function globMatchAt(
  p: Uint8Array,
  pStart: number,
  pEnd: number,
  t: Uint8Array,
  tStart: number,
  tEnd: number,
  nocase: boolean,
): boolean {
  let pi = pStart;
  let ti = tStart;
  if (pi >= pEnd || ti >= tEnd) return pi >= pEnd && ti >= tEnd;

  let stars = 0;
  let resumePattern = -1;
  let resumeText = 0;
  for (;;) {
    if (ti >= tEnd) {
      while (pi < pEnd && p[pi] === STAR) pi++;
      // Pattern left over: a longer star would leave even less text for it.
      return pi >= pEnd;
    }
    if (pi < pEnd) {
      const c = p[pi]!;
      if (c === STAR) {
        do pi++;
        while (pi < pEnd && p[pi] === STAR);
        if (pi >= pEnd) return true;
        if (++stars > MAX_STARS) return false;
        resumePattern = pi;
        resumeText = ti;
        continue;
      }
      const next = matchOne(p, pi, pEnd, c, t[ti]!, nocase);
      if (next >= 0) {
        pi = next;
        ti++;
        continue;
      }
    }
    if (resumePattern < 0) return false;
    pi = resumePattern;
    ti = ++resumeText;
  }
}

/** The position behind the element at `pi` if it takes the byte `byte`, else -1. */
function matchOne(p: Uint8Array, pi: number, pEnd: number, c: number, byte: number, nocase: boolean): number {
  if (c === QUESTION) return pi + 1;
  if (c === OPEN) return matchClass(p, pi + 1, pEnd, byte, nocase);
  if (c === BACKSLASH && pi + 1 < pEnd) c = p[++pi]!;
  if (c === byte || (nocase && lower(c) === lower(byte))) return pi + 1;
  return -1;
}

function matchClass(p: Uint8Array, pi: number, pEnd: number, byte: number, nocase: boolean): number {
  let negated = false;
  if (pi < pEnd && p[pi] === CARET) {
    negated = true;
    pi++;
  }
  let found = false;
  for (; pi < pEnd; pi++) {
    const c = p[pi]!;
    if (c === BACKSLASH && pi + 1 < pEnd) {
      if (p[++pi] === byte) found = true;
    } else if (c === CLOSE) {
      return found !== negated ? pi + 1 : -1;
    } else if (pi + 2 < pEnd && p[pi + 1] === DASH) {
      if (inRange(signed(c), signed(p[pi + 2]!), signed(byte), nocase)) found = true;
      pi += 2;
    } else if (c === byte || (nocase && lower(c) === lower(byte))) {
      found = true;
    }
  }
  return found !== negated ? pEnd : -1;
}

function inRange(from: number, to: number, c: number, nocase: boolean): boolean {
  if (from > to) {
    const swap = from;
    from = to;
    to = swap;
  }
  if (!nocase) return c >= from && c <= to;
  c = lowerSigned(c);
  return c >= lowerSigned(from) && c <= lowerSigned(to);
}

/** glibc's tolower of a signed char: what is negative comes back as its byte, but for -1, which is EOF. */
function lowerSigned(c: number): number {
  return c < -1 ? c + 256 : lower(c);
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}
