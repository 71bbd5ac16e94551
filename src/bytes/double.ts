// Doubles as text, both ways, as Redis 7.2 reads and prints them.
//
// Reading follows C's strtod, over the whole text: optional sign, then decimal digits with an optional point
// and exponent, or 0x with hexadecimal digits and an optional binary exponent, or inf / infinity / nan in any
// case. A score or timeout argument must not be empty, start with a space, be nan, overflow to infinity or
// underflow to zero ("strict"); the bounds of score ranges may do all of that but nan ("lenient").
//
//   text            strict   lenient          How it works: up to 15 digits and a power of ten up to 22 are
//   1e3  .5  5.     yes      yes              exact doubles, and one multiplication or division rounds once,
//   inf  -Infinity  yes      yes              correctly. Anything longer takes the engine's own parser.
//   0x1p-3          yes      yes
//   "" " 1"         no       0, 1
//   1e999  1e-999   no       inf, 0
//   nan  1x  "1 "   no       no
//
// Writing: nan, inf, -inf, -0; integers up to 2^62 with all their digits; anything else as the digits of
// grisu2.ts in one of three layouts (x is the decimal exponent of the first digit, k that of the last):
//
//   1234500000000   k >= 0 and x < number of digits + 7
//   0.0012345       k < 0 and (k > -7 or |x| < 4)
//   1.2345e-10      otherwise

import { latin1Text, lower } from "./ascii.ts";
import { decimalExponent, digits, grisu2 } from "./grisu2.ts";
import { MAX_SAFE, writeInt } from "./int64.ts";

/** `writeDouble` never writes more bytes than this. */
export const MAX_DOUBLE_TEXT = 32;

const MAX_PLAIN_INTEGER = 2 ** 62;
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const E = 0x65;
const X = 0x78;

/** The value of `buf[start, end)` for arguments that must be a float; NaN if Redis refuses it. */
export function parseDouble(buf: Uint8Array, start: number, end: number): number {
  if (start >= end) return Number.NaN;
  return parse(buf, start, end, true);
}

/** As the bounds of ZRANGEBYSCORE are read (without the "("); NaN if Redis refuses it. */
export function parseDoubleLenient(buf: Uint8Array, start: number, end: number): number {
  // strtod stops at a NUL byte, and what is behind it is never looked at.
  const nul = buf.indexOf(0, start);
  if (nul >= 0 && nul < end) end = nul;
  if (start >= end) return 0;
  while (start < end && isSpace(buf[start]!)) start++;
  return start < end ? parse(buf, start, end, false) : Number.NaN;
}

function parse(buf: Uint8Array, start: number, end: number, strict: boolean): number {
  let i = start;
  let negative = false;
  if (buf[i] === MINUS || buf[i] === PLUS) negative = buf[i++] === MINUS;
  const c = lower(i < end ? buf[i]! : 0);
  let magnitude: number;
  if (c > 0x39) magnitude = parseInfinity(buf, i, end);
  else if (c === ZERO && i + 2 < end && lower(buf[i + 1]!) === X)
    magnitude = parseHex(buf, i + 2, end, strict);
  else magnitude = parseDecimal(buf, i, end, strict);
  return negative ? -magnitude : magnitude;
}

function parseDecimal(buf: Uint8Array, start: number, end: number, strict: boolean): number {
  let mantissa = 0;
  let significant = 0;
  let scale = 0;
  let anyDigit = false;
  let point = false;
  let i = start;
  for (; i < end; i++) {
    const c = buf[i]!;
    const digit = c - ZERO;
    if (digit >= 0 && digit <= 9) {
      anyDigit = true;
      if (significant > 0 || digit > 0) significant++;
      if (significant <= 15) mantissa = mantissa * 10 + digit;
      if (point) scale--;
    } else if (c === POINT && !point) {
      point = true;
    } else {
      break;
    }
  }
  if (!anyDigit) return Number.NaN;
  if (i < end) {
    if (lower(buf[i]!) !== E) return Number.NaN;
    const exponent = parseExponent(buf, i + 1, end);
    if (Number.isNaN(exponent)) return Number.NaN;
    scale += exponent;
  }
  if (significant === 0) return 0;
  if (significant <= 15 && scale >= -22 && scale <= 22) {
    return scale < 0 ? mantissa / POWERS[-scale]! : mantissa * POWERS[scale]!;
  }
  const value = Number(latin1Text(buf, start, end));
  return strict && outOfRange(value) ? Number.NaN : value;
}

/** A decimal exponent with its sign; NaN if there is none or anything behind it. Capped, not exact, if huge. */
function parseExponent(buf: Uint8Array, i: number, end: number): number {
  let negative = false;
  if (i < end && (buf[i] === MINUS || buf[i] === PLUS)) negative = buf[i++] === MINUS;
  if (i >= end) return Number.NaN;
  let exponent = 0;
  for (; i < end; i++) {
    const digit = buf[i]! - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    if (exponent < 1e12) exponent = exponent * 10 + digit;
  }
  return negative ? -exponent : exponent;
}

/** The digits behind "0x"; rounded half to even into 53 bits, fewer for subnormal results. */
function parseHex(buf: Uint8Array, start: number, end: number, strict: boolean): number {
  let hex = "";
  let scale = 0;
  let point = false;
  let i = start;
  for (; i < end; i++) {
    const c = lower(buf[i]!);
    if ((c >= ZERO && c <= 0x39) || (c >= 0x61 && c <= 0x66)) {
      hex += String.fromCharCode(c);
      if (point) scale -= 4;
    } else if (c === POINT && !point) {
      point = true;
    } else {
      break;
    }
  }
  if (hex === "") return Number.NaN;
  if (i < end) {
    if (lower(buf[i]!) !== 0x70) return Number.NaN;
    const exponent = parseExponent(buf, i + 1, end);
    if (Number.isNaN(exponent)) return Number.NaN;
    scale += exponent;
  }
  const mantissa = BigInt(`0x${hex}`);
  if (mantissa === 0n) return 0;
  const bits = mantissa.toString(2).length;
  let value = 0;
  if (bits + scale > 1024) {
    value = Number.POSITIVE_INFINITY;
  } else if (bits + scale >= -1074) {
    const unit = Math.max(bits + scale - 53, -1074);
    const drop = unit - scale;
    let kept = drop > 0 ? mantissa >> BigInt(drop) : mantissa << BigInt(-drop);
    if (drop > 0) {
      const twice = (mantissa - (kept << BigInt(drop))) << 1n;
      const whole = 1n << BigInt(drop);
      if (twice > whole || (twice === whole && (kept & 1n) === 1n)) kept++;
    }
    // Two factors, because 2 ** -1074 is a double but 2 ** 1023 * 2 would not be.
    value = unit < 0 ? Number(kept) * 2 ** unit : Number(kept) * 2 ** (unit - 1) * 2;
  }
  return strict && outOfRange(value) ? Number.NaN : value;
}

function parseInfinity(buf: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length !== 3 && length !== 8) return Number.NaN;
  const text = latin1Text(buf, start, end).toLowerCase();
  return text === "inf" || text === "infinity" ? Number.POSITIVE_INFINITY : Number.NaN;
}

/** For a text that is neither zero nor an infinity: what C reports as ERANGE. */
function outOfRange(value: number): boolean {
  return value === 0 || value === Number.POSITIVE_INFINITY;
}

function isSpace(c: number): boolean {
  return c === 0x20 || (c >= 0x09 && c <= 0x0d);
}

/** Writes `value` at `offset` (room for MAX_DOUBLE_TEXT is needed); returns the offset behind it. */
export function writeDouble(out: Uint8Array, offset: number, value: number): number {
  if (Number.isNaN(value)) return writeWord(out, offset, "nan");
  if (value < 0 || (value === 0 && 1 / value < 0)) {
    out[offset++] = MINUS;
    value = -value;
  }
  if (value === Number.POSITIVE_INFINITY) return writeWord(out, offset, "inf");
  if (value <= MAX_PLAIN_INTEGER && Math.floor(value) === value) return writeInteger(out, offset, value);
  return layOut(out, offset, grisu2(value));
}

/** The same text as a string, for replies that are built rarely. */
export function doubleText(value: number): string {
  const out = new Uint8Array(MAX_DOUBLE_TEXT);
  return latin1Text(out, 0, writeDouble(out, 0, value));
}

function layOut(out: Uint8Array, offset: number, count: number): number {
  const last = decimalExponent;
  const first = last + count - 1;
  const magnitude = Math.abs(first);
  if (last >= 0 && magnitude < count + 7) {
    offset = writeDigits(out, offset, 0, count);
    return writeZeros(out, offset, last);
  }
  if (last < 0 && (last > -7 || magnitude < 4)) {
    const whole = count + last;
    if (whole > 0) {
      offset = writeDigits(out, offset, 0, whole);
      out[offset++] = POINT;
      return writeDigits(out, offset, whole, count);
    }
    out[offset++] = ZERO;
    out[offset++] = POINT;
    offset = writeZeros(out, offset, -whole);
    return writeDigits(out, offset, 0, count);
  }
  out[offset++] = digits[0]!;
  if (count > 1) {
    out[offset++] = POINT;
    offset = writeDigits(out, offset, 1, count);
  }
  out[offset++] = E;
  out[offset++] = first < 0 ? MINUS : PLUS;
  return writeInt(out, offset, magnitude);
}

/** An integer 0 .. 2^62, all its digits. Beyond 2^53 in two parts: both steps are exact, see the limits. */
function writeInteger(out: Uint8Array, offset: number, value: number): number {
  if (value <= MAX_SAFE) return writeInt(out, offset, value);
  const low = value % 1e9;
  offset = writeInt(out, offset, (value - low) / 1e9);
  for (let unit = 1e8; unit >= 1; unit /= 10) out[offset++] = ZERO + (Math.floor(low / unit) % 10);
  return offset;
}

function writeDigits(out: Uint8Array, offset: number, from: number, to: number): number {
  for (let i = from; i < to; i++) out[offset++] = digits[i]!;
  return offset;
}

function writeWord(out: Uint8Array, offset: number, word: string): number {
  for (let i = 0; i < word.length; i++) out[offset++] = word.charCodeAt(i);
  return offset;
}

function writeZeros(out: Uint8Array, offset: number, count: number): number {
  for (let i = 0; i < count; i++) out[offset++] = ZERO;
  return offset;
}
