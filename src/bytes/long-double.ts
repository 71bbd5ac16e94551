// The 80-bit long double of x86, as far as INCRBYFLOAT and HINCRBYFLOAT show it.
//
// A finite value is (-1)^negative * mantissa * 2^exponent with a mantissa of at most 64 bits:
//
//   normal      mantissa 2^63 .. 2^64-1, value < 2^16384 (beyond: infinity)
//   subnormal   exponent = -16445, the smallest step there is
//
// How it works: reading makes an exact fraction of the text and rounds it once, half to even, into 64 bits;
// adding is exact on BigInt and rounds once likewise; printing is C's "%.17Lf", the exact value rounded half
// to even at the 17th decimal, without trailing zeros, "-0" as "0". So each result has the digits that Redis
// prints on x86-64, with the noise of binary fractions that shows behind the 19th significant digit.
//
// The shortcut (`addShort`) gives the same text without BigInt, for decimals below 32 in magnitude and for
// integers. Integers up to 2^53 are exact in both worlds. For decimals: reading rounds each operand below 32
// by at most 2^-60, the sum below 64 by at most 2^-59, together 2^-58 = 3.5e-18, less than half of 10^-17:
// the 17th decimal rounds to the true decimal sum, which integers scaled by a power of ten give exactly.

/** `exponent` is Infinity for the infinities. */
export interface LongDouble {
  readonly negative: boolean;
  readonly mantissa: bigint;
  readonly exponent: number;
}

export type IncrByFloatResult =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly error: "not-float"; readonly operand: "current" | "increment" }
  | { readonly ok: false; readonly error: "nan-or-inf" };

const MANTISSA_BITS = 64;
const MAX_EXPONENT = 16384;
const MIN_EXPONENT = -16445;
const DECIMALS = 17;
const SIGNIFICANT = 17;
/** Redis copies the text into a buffer of 5 KiB with a NUL behind it. */
const MAX_TEXT = 5 * 1024 - 1;

const NUMBER =
  /^([-+]?)(?:([0-9]*)(?:\.([0-9]*))?(?:e([-+]?[0-9]+))?|0x([0-9a-f]*)(?:\.([0-9a-f]*))?(?:p([-+]?[0-9]+))?)$/i;
const INFINITY = /^([-+]?)inf(?:inity)?$/i;
const SHORT = /^-?[0-9]{1,15}(?:\.[0-9]{1,15})?$/;

const POWERS_OF_TEN: readonly bigint[] = Array.from({ length: 40 }, (_, i) => 10n ** BigInt(i));

/** `current + increment` as INCRBYFLOAT replies and stores it; a missing key is the text "0". */
export function incrByFloat(currentText: string, incrementText: string): IncrByFloatResult {
  const short = addShort(currentText, incrementText);
  if (short !== null) return { ok: true, text: short };
  const current = parseLongDouble(currentText);
  if (current === null) return { ok: false, error: "not-float", operand: "current" };
  const increment = parseLongDouble(incrementText);
  if (increment === null) return { ok: false, error: "not-float", operand: "increment" };
  const sum = addLongDouble(current, increment);
  if (sum === null || !Number.isFinite(sum.exponent)) return { ok: false, error: "nan-or-inf" };
  return { ok: true, text: formatLongDouble(sum) };
}

/** As getLongDoubleFromObject: null for no number, spaces, nan, overflow and underflow to zero. */
export function parseLongDouble(text: string): LongDouble | null {
  if (text.length === 0 || text.length > MAX_TEXT) return null;
  const parts = NUMBER.exec(text);
  if (parts === null) {
    const infinite = INFINITY.exec(text);
    if (infinite === null) return null;
    return { negative: infinite[1] === "-", mantissa: 1n, exponent: Number.POSITIVE_INFINITY };
  }
  const negative = parts[1] === "-";
  if (parts[2] !== undefined) {
    return parseDecimal(negative, parts[2], parts[3] ?? "", Number(parts[4] ?? 0));
  }
  const digits = (parts[5] ?? "") + (parts[6] ?? "");
  if (digits === "") return null;
  const mantissa = BigInt(`0x${digits}`);
  const exponent = Number(parts[7] ?? 0) - 4 * (parts[6] ?? "").length;
  return checkRange(roundOff(negative, mantissa, exponent, false), mantissa);
}

function parseDecimal(
  negative: boolean,
  whole: string,
  fraction: string,
  exponent: number,
): LongDouble | null {
  const digits = whole + fraction;
  if (digits === "") return null;
  const mantissa = BigInt(digits);
  const scale = exponent - fraction.length;
  if (mantissa === 0n) return { negative, mantissa: 0n, exponent: 0 };
  // Out of range whatever the digits are: spare the huge powers of ten.
  if (scale > 5000 || scale + digits.length < -5000) return null;
  if (scale >= 0) {
    const value = mantissa * powerOfTen(scale);
    return checkRange(roundOff(negative, value, 0, false), value);
  }
  const divisor = powerOfTen(-scale);
  // Two quotient bits more than the mantissa holds; what is below them only matters as "not zero".
  const shift = Math.max(0, MANTISSA_BITS + 2 + bitLength(divisor) - bitLength(mantissa));
  const dividend = mantissa << BigInt(shift);
  const quotient = dividend / divisor;
  return checkRange(roundOff(negative, quotient, -shift, quotient * divisor !== dividend), mantissa);
}

/** strtold reports ERANGE for what overflowed, and for zero that was not zero. */
function checkRange(value: LongDouble, exact: bigint): LongDouble | null {
  if (!Number.isFinite(value.exponent)) return null;
  return value.mantissa === 0n && exact !== 0n ? null : value;
}

/** null if the sum is not a number (infinity minus infinity). */
export function addLongDouble(a: LongDouble, b: LongDouble): LongDouble | null {
  if (!Number.isFinite(a.exponent)) {
    return !Number.isFinite(b.exponent) && a.negative !== b.negative ? null : a;
  }
  if (!Number.isFinite(b.exponent)) return b;
  const exponent = Math.min(a.exponent, b.exponent);
  const left = a.mantissa << BigInt(a.exponent - exponent);
  const right = b.mantissa << BigInt(b.exponent - exponent);
  const sum = (a.negative ? -left : left) + (b.negative ? -right : right);
  if (sum === 0n) return { negative: a.negative && b.negative, mantissa: 0n, exponent: 0 };
  return roundOff(sum < 0n, sum < 0n ? -sum : sum, exponent, false);
}

/** The largest finite value. */
export const LARGEST: LongDouble = {
  negative: false,
  mantissa: 2n ** 64n - 1n,
  exponent: MAX_EXPONENT - MANTISSA_BITS,
};
export const ZERO: LongDouble = { negative: false, mantissa: 0n, exponent: 0 };

export function negated(value: LongDouble): LongDouble {
  return { ...value, negative: !value.negative };
}

/** Below, at or above 0, as a is below, equal to or above b. */
export function compareLongDouble(a: LongDouble, b: LongDouble): number {
  if (!Number.isFinite(a.exponent) || !Number.isFinite(b.exponent)) return infinitySign(a) - infinitySign(b);
  const exponent = Math.min(a.exponent, b.exponent);
  const left = a.mantissa << BigInt(a.exponent - exponent);
  const right = b.mantissa << BigInt(b.exponent - exponent);
  const difference = (a.negative ? -left : left) - (b.negative ? -right : right);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function infinitySign({ negative, exponent }: LongDouble): number {
  return Number.isFinite(exponent) ? 0 : negative ? -1 : 1;
}

/** As ld2string(LD_STR_HUMAN) prints it, for a finite value. */
export function formatLongDouble(value: LongDouble): string {
  const { mantissa, exponent, negative } = value;
  const sign = negative ? "-" : "";
  if (exponent >= 0) {
    return mantissa === 0n ? "0" : sign + (mantissa << BigInt(exponent)).toString();
  }
  const scaled = roundShift(mantissa * powerOfTen(DECIMALS), -exponent, false);
  if (scaled === 0n) return "0";
  return sign + placePoint(scaled.toString(), DECIMALS);
}

/** As ld2string(LD_STR_AUTO) prints it: C's "%.17Lg". */
export function formatLongDoubleShort({ negative, mantissa, exponent }: LongDouble): string {
  const minus = sign(negative);
  if (!Number.isFinite(exponent)) return `${minus}inf`;
  if (mantissa === 0n) return `${minus}0`;
  // A first guess of the decimal exponent, which rounding may raise.
  let decimals = Math.floor((bitLength(mantissa) + exponent) * Math.LOG10E * Math.LN2);
  let digits = significant(mantissa, exponent, decimals);
  if (digits >= powerOfTen(SIGNIFICANT)) digits = significant(mantissa, exponent, ++decimals);
  else if (digits < powerOfTen(SIGNIFICANT - 1)) digits = significant(mantissa, exponent, --decimals);
  if (digits >= powerOfTen(SIGNIFICANT)) digits = significant(mantissa, exponent, ++decimals);
  const text = digits.toString();
  if (decimals >= -4 && decimals < SIGNIFICANT) {
    const point = SIGNIFICANT - 1 - decimals;
    return minus + placePoint(text, point);
  }
  const tail = text.slice(1).replace(/0+$/, "");
  const power = String(Math.abs(decimals)).padStart(2, "0");
  return `${minus}${text[0]}${tail === "" ? "" : `.${tail}`}e${decimals < 0 ? "-" : "+"}${power}`;
}

/** The first 17 digits of a value whose first digit stands for 10^decimals, rounded half to even. */
function significant(mantissa: bigint, exponent: number, decimals: number): bigint {
  const shift = SIGNIFICANT - 1 - decimals;
  let above = mantissa;
  let below = 1n;
  if (exponent >= 0) above <<= BigInt(exponent);
  else below <<= BigInt(-exponent);
  if (shift >= 0) above *= powerOfTen(shift);
  else below *= powerOfTen(-shift);
  const quotient = above / below;
  const rest = (above % below) * 2n;
  return rest > below || (rest === below && (quotient & 1n) === 1n) ? quotient + 1n : quotient;
}

/** A finite double as it is. */
export function longDoubleOf(value: number): LongDouble {
  let mantissa = Math.abs(value);
  let exponent = 0;
  for (; mantissa !== Math.floor(mantissa); exponent--) mantissa *= 2;
  return { negative: value < 0 || Object.is(value, -0), mantissa: BigInt(mantissa), exponent };
}

/** A double as Redis prints it where it uses "%.17Lf" (GEOPOS coordinates). */
export function formatDoubleHuman(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  const negative = value < 0;
  let mantissa = Math.abs(value);
  let exponent = 0;
  if (mantissa >= 2 ** 53) {
    return sign(negative) + BigInt(mantissa).toString();
  }
  while (mantissa !== Math.floor(mantissa)) {
    // Beyond 2^-60 nothing shows in 17 decimals.
    if (exponent < -120) return "0";
    mantissa *= 2;
    exponent--;
  }
  return formatLongDouble({ negative, mantissa: BigInt(mantissa), exponent });
}

function sign(negative: boolean): string {
  return negative ? "-" : "";
}

/** `scaled / 10^decimals` without trailing zeros. */
function placePoint(scaled: string, decimals: number): string {
  let end = scaled.length;
  let point = end - decimals;
  if (point <= 0) {
    scaled = "0".repeat(1 - point) + scaled;
    end = scaled.length;
    point = 1;
  }
  while (end > point && scaled.charCodeAt(end - 1) === 0x30) end--;
  return end === point ? scaled.slice(0, point) : `${scaled.slice(0, point)}.${scaled.slice(point, end)}`;
}

/** Rounds mantissa * 2^exponent (plus something less than one unit, if `inexact`) into the format. */
function roundOff(negative: boolean, mantissa: bigint, exponent: number, inexact: boolean): LongDouble {
  const bits = bitLength(mantissa);
  if (mantissa === 0n || bits + exponent < MIN_EXPONENT) return { negative, mantissa: 0n, exponent: 0 };
  const overflow = { negative, mantissa: 1n, exponent: Number.POSITIVE_INFINITY };
  if (bits + exponent > MAX_EXPONENT) return overflow;
  const drop = Math.max(bits - MANTISSA_BITS, MIN_EXPONENT - exponent);
  if (drop <= 0) return { negative, mantissa, exponent };
  const rounded = roundShift(mantissa, drop, inexact);
  exponent += drop;
  return rounded >> BigInt(Math.max(0, MAX_EXPONENT - exponent)) > 0n
    ? overflow
    : { negative, mantissa: rounded, exponent };
}

/** mantissa / 2^drop, half to even. */
function roundShift(mantissa: bigint, drop: number, inexact: boolean): bigint {
  const shift = BigInt(drop);
  const kept = mantissa >> shift;
  const rest = mantissa - (kept << shift);
  const half = 1n << (shift - 1n);
  return rest > half || (rest === half && (inexact || (kept & 1n) === 1n)) ? kept + 1n : kept;
}

function bitLength(value: bigint): number {
  const hex = value.toString(16);
  return hex.length * 4 - Math.clz32(Number.parseInt(hex[0]!, 16)) + 28;
}

function powerOfTen(exponent: number): bigint {
  return POWERS_OF_TEN[exponent] ?? 10n ** BigInt(exponent);
}

/** The sum where the shortcut is provably the same, else null. */
function addShort(a: string, b: string): string | null {
  if (a.length > 17 || b.length > 17 || !SHORT.test(a) || !SHORT.test(b)) return null;
  const aPoint = a.indexOf(".");
  const bPoint = b.indexOf(".");
  if (aPoint < 0 && bPoint < 0) {
    // -0 + -0 is the only sum that could print a sign on zero; `String` drops it too.
    return String(Number(a) + Number(b));
  }
  const aDecimals = aPoint < 0 ? 0 : a.length - aPoint - 1;
  const bDecimals = bPoint < 0 ? 0 : b.length - bPoint - 1;
  const decimals = Math.max(aDecimals, bDecimals);
  if (decimals > 13 || Math.abs(Number(a)) >= 32 || Math.abs(Number(b)) >= 32) return null;
  const sum = scaledInteger(a, aPoint, decimals - aDecimals) + scaledInteger(b, bPoint, decimals - bDecimals);
  return sum === 0 ? "0" : sign(sum < 0) + placePoint(String(Math.abs(sum)), decimals);
}

/** The decimal text without its point, times 10^zeros; below 32 * 10^13, so exact. */
function scaledInteger(text: string, point: number, zeros: number): number {
  const digits = point < 0 ? text : text.slice(0, point) + text.slice(point + 1);
  return Number(digits) * 10 ** zeros;
}
