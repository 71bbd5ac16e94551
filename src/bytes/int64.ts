/**
 * 64-bit integers between text, numbers and pairs of 32-bit halves.
 *
 * Text is as strict as Redis's string2ll: an optional '-', no '+', no spaces, no leading zeros, within
 * [-2^63, 2^63). Values up to 2^53 travel as plain numbers; only what lies beyond takes the BigInt path.
 */

export const INT64_MAX = 9223372036854775807n;
export const INT64_MIN = -9223372036854775808n;
export const MAX_SAFE = Number.MAX_SAFE_INTEGER;

/** Whether `buf[start, end)` is a strict integer text; says nothing about its range beyond 19 digits. */
function isIntegerText(buf: Uint8Array, start: number, end: number): boolean {
  const negative = start < end && buf[start] === 45;
  const first = negative ? start + 1 : start;
  const digits = end - first;
  if (digits < 1 || digits > 19) return false;
  if (buf[first] === 48) return digits === 1 && !negative;
  for (let i = first; i < end; i++) {
    const c = buf[i]!;
    if (c < 48 || c > 57) return false;
  }
  return true;
}

/** The value, or NaN where the text is no strict integer or lies outside the 53-bit safe range. */
export function parseSafeInt(buf: Uint8Array, start: number, end: number): number {
  const negative = start < end && buf[start] === 45;
  const first = negative ? start + 1 : start;
  const digits = end - first;
  if (digits < 1 || digits > 16) return Number.NaN;
  if (buf[first] === 48) return digits === 1 && !negative ? 0 : Number.NaN;
  let value = 0;
  for (let i = first; i < end; i++) {
    const c = buf[i]! - 48;
    if (c < 0 || c > 9) return Number.NaN;
    value = value * 10 + c;
  }
  if (value > MAX_SAFE) return Number.NaN;
  return negative ? -value : value;
}

/** The exact value, or null where the text is not an integer in 64 bits. */
export function parseInt64(buf: Uint8Array, start: number, end: number): bigint | null {
  if (!isIntegerText(buf, start, end)) return null;
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(buf[i]!);
  const value = BigInt(text);
  return value > INT64_MAX || value < INT64_MIN ? null : value;
}

/**
 * The value as a number, rounded to a double beyond 2^53; NaN where the text is not an integer in 64 bits.
 * For indexes, counts and times, where the far end of the range only has to be far.
 */
export function parseInt64Rounded(buf: Uint8Array, start: number, end: number): number {
  const value = parseSafeInt(buf, start, end);
  if (!Number.isNaN(value)) return value;
  const big = parseInt64(buf, start, end);
  return big === null ? Number.NaN : Number(big);
}

/** Most digits of a safe integer. */
const LONG = 16;

/** Decimal digits of a non-negative safe integer. */
export function digitsOf(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10000) return 4;
  if (value < 100000) return 5;
  if (value < 1e6) return 6;
  if (value < 1e7) return 7;
  if (value < 1e8) return 8;
  if (value < 1e9) return 9;
  if (value < 1e10) return 10;
  if (value < 1e11) return 11;
  if (value < 1e12) return 12;
  if (value < 1e13) return 13;
  if (value < 1e14) return 14;
  if (value < 1e15) return 15;
  return LONG;
}

/**
 * Writes an integer's text at `offset`; returns the offset behind it. Beyond the safe range it is the text of the
 * number as rounding has left it.
 */
export function writeInt(buf: Uint8Array, offset: number, value: number): number {
  if (value < 0) {
    buf[offset++] = 45;
    value = -value;
  }
  const digits = digitsOf(value);
  if (digits === LONG && value >= 1e16) return writeText(buf, offset, BigInt(value).toString());
  const end = offset + digits;
  let at = end;
  while (value > 0x7fffffff) {
    const quotient = Math.floor(value / 10);
    buf[--at] = 48 + (value - quotient * 10);
    value = quotient;
  }
  let small = value | 0;
  for (; small >= 100; at -= 2) {
    const quotient = (small / 100) | 0;
    const pair = small - quotient * 100;
    buf[at - 2] = TENS[pair]!;
    buf[at - 1] = ONES[pair]!;
    small = quotient;
  }
  buf[at - 1] = ONES[small]!;
  if (small > 9) buf[at - 2] = TENS[small]!;
  return end;
}

/** Both digits of 0 to 99, as characters. */
const TENS = Uint8Array.from({ length: 100 }, (_, i) => 48 + Math.floor(i / 10));
const ONES = Uint8Array.from({ length: 100 }, (_, i) => 48 + (i % 10));

/** Joins two 32-bit halves; exact only where the result is a safe integer. */
export function joinHalves(low: number, high: number): number {
  return high * 4294967296 + (low >>> 0);
}

/** Whether the halves make a number in the safe range (|n| <= 2^53 - 1). */
export function halvesAreSafe(high: number): boolean {
  return high >= -0x200000 && high < 0x200000;
}

export function highHalf(value: number): number {
  return Math.floor(value / 4294967296) | 0;
}

export function lowHalf(value: number): number {
  return value | 0;
}

export function joinBig(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** Writes the text of the 64-bit integer (low, high) at `offset`; returns the offset behind it. */
export function writeInt64(buf: Uint8Array, offset: number, low: number, high: number): number {
  if (halvesAreSafe(high)) return writeInt(buf, offset, joinHalves(low, high));
  return writeText(buf, offset, joinBig(low, high).toString());
}

function writeText(buf: Uint8Array, offset: number, digits: string): number {
  for (let i = 0; i < digits.length; i++) buf[offset++] = digits.charCodeAt(i);
  return offset;
}
