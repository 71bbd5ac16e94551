// Double to decimal digits with the Grisu2 algorithm (Florian Loitsch, "Printing Floating-Point Numbers
// Quickly and Accurately with Integers", 2010), the one Redis prints scores with since 7.2.
//
// How it works: the double and the two boundaries halfway to its neighbours are scaled by a cached power of
// ten, so that the product's binary exponent lies in -60 .. -32: its integer part fits 32 bits, and digits
// fall out by division and by multiplying the fraction by ten. Digits are emitted until the rest is smaller
// than the distance between the boundaries; then the last digit is lowered towards the exact value. Every
// text reads back as the same double; about one in a thousand has a digit more than the shortest text
// (Number.prototype.toString), which is why that is not used here: the replies would differ from Redis's.
//
// A 64-bit integer is a pair of halves. Multiplication works on int32 (JSC keeps those in registers; unsigned
// 32-bit numbers become doubles), comparison on numbers 0 .. 2^32-1. Fraction digits are made of three limbs
// of 24 bits, so that a limb times ten still fits an int32. Nothing is allocated.

import { digitsOf } from "./int64.ts";

const POWER_STEP = 8;
const POWER_FIRST = -348;
const POWER_COUNT = 87;
const LOG10_OF_2 = 0.30102999566398114;
const TWO32 = 4294967296;
const TWO24 = 16777216;
const LIMB = 0xffffff;

const POWER_HI = new Int32Array(POWER_COUNT);
const POWER_LO = new Int32Array(POWER_COUNT);
const POWER_EXP = new Int16Array(POWER_COUNT);
buildPowers();

const float = new Float64Array(1);
const words = new Int32Array(float.buffer);

/** At most 17 digits as ASCII, filled by `grisu2`. */
export const digits = new Uint8Array(20);

/** The number is `digits` * 10 ** `decimalExponent`, as of the last `grisu2`. */
export let decimalExponent = 0;

// The halves of the last `multiply`, as int32.
let productHi = 0;
let productLo = 0;

/** Fills `digits` and `decimalExponent` for a finite value > 0; returns the number of digits. */
export function grisu2(value: number): number {
  float[0] = value;
  let lo = words[0]!;
  let hi = words[1]! & 0xfffff;
  let exp = words[1]! >>> 20;
  if (exp === 0) exp = 1;
  else hi |= 0x100000;
  exp -= 1075;
  const lowerIsCloser = hi === 0x100000 && lo === 0;

  // Normalize to bit 63. Half the distance to a neighbour is bit `shift` - 1 then (`shift` is 11 at least);
  // downwards from a power of two it is a quarter.
  const shift = hi !== 0 ? Math.clz32(hi) : 32 + Math.clz32(lo);
  if (shift < 32) {
    hi = (hi << shift) | (lo >>> (32 - shift));
    lo = lo << shift;
  } else {
    hi = lo << (shift - 32);
    lo = 0;
  }
  exp -= shift;
  const power = findPower(exp);
  multiply(hi, lo, power);
  const valueHi = productHi >>> 0;
  const valueLo = productLo >>> 0;
  if (shift > 32) multiply(hi + (1 << (shift - 33)), lo, power);
  else multiply(hi, lo | (1 << (shift - 1)), power);
  let upperHi = productHi >>> 0;
  let upperLo = productLo >>> 0;
  if (shift > 32) multiply(hi - (1 << (shift - 33)), lo, power);
  else if (lowerIsCloser) multiply(hi - 1, -(1 << (shift - 2)), power);
  else if (lo === 0) multiply(hi - 1, -(1 << (shift - 1)), power);
  else multiply(hi, lo - (1 << (shift - 1)), power);
  let lowerHi = productHi >>> 0;
  let lowerLo = productLo >>> 0;
  // The products are off by up to one unit: stay inside both boundaries.
  if (upperLo-- === 0) {
    upperLo = TWO32 - 1;
    upperHi--;
  }
  if (++lowerLo === TWO32) {
    lowerLo = 0;
    lowerHi++;
  }
  decimalExponent = -(POWER_FIRST + power * POWER_STEP);
  const borrowGap = upperLo < valueLo ? 1 : 0;
  const borrowDelta = upperLo < lowerLo ? 1 : 0;
  return generate(
    upperHi,
    upperLo,
    upperHi - valueHi - borrowGap,
    upperLo - valueLo + borrowGap * TWO32,
    upperHi - lowerHi - borrowDelta,
    upperLo - lowerLo + borrowDelta * TWO32,
    -(exp + POWER_EXP[power]! + 64) - 32,
  );
}

/**
 * Digits of `upper`, as few as tell it from `upper - delta`; `gap` is how far the value lies below `upper`.
 * `bits` of the high word are fraction, 0 .. 28; the whole low word is.
 */
function generate(
  upperHi: number,
  upperLo: number,
  gapHi: number,
  gapLo: number,
  deltaHi: number,
  deltaLo: number,
  bits: number,
): number {
  const one = 1 << bits;
  const fractionHi = upperHi & (one - 1);
  let whole = upperHi >>> bits;
  let count = 0;
  let kappa = digitsOf(whole);
  for (let divisor = 10 ** (kappa - 1); kappa > 0; divisor /= 10) {
    const digit = (whole / divisor) | 0;
    digits[count++] = 0x30 + digit;
    whole -= digit * divisor;
    kappa--;
    const restHi = whole * one + fractionHi;
    if (restHi < deltaHi || (restHi === deltaHi && upperLo <= deltaLo)) {
      decimalExponent += kappa;
      roundLast(count, TWO32, deltaHi, deltaLo, restHi, upperLo, divisor * one, gapHi, gapLo);
      return count;
    }
  }

  // Move the point to bit 60: limbs of 12, 24 and 24 fraction bits. Now delta < one, so all three fit.
  const left = 28 - bits;
  const move = 2 ** left;
  let f2 = high12(fractionHi, upperLo, move);
  let f1 = middle24(fractionHi, upperLo, left);
  let f0 = (upperLo << left) & LIMB;
  let d2 = high12(deltaHi, deltaLo, move);
  let d1 = middle24(deltaHi, deltaLo, left);
  let d0 = (deltaLo << left) & LIMB;
  let g2 = high12(gapHi, gapLo, move);
  let g1 = middle24(gapHi, gapLo, left);
  let g0 = (gapLo << left) & LIMB;
  for (;;) {
    f0 = Math.imul(f0, 10);
    f1 = (Math.imul(f1, 10) + (f0 >>> 24)) | 0;
    f2 = (Math.imul(f2, 10) + (f1 >>> 24)) | 0;
    f0 &= LIMB;
    f1 &= LIMB;
    d0 = Math.imul(d0, 10);
    d1 = (Math.imul(d1, 10) + (d0 >>> 24)) | 0;
    d2 = (Math.imul(d2, 10) + (d1 >>> 24)) | 0;
    d0 &= LIMB;
    d1 &= LIMB;
    g0 = Math.imul(g0, 10);
    g1 = (Math.imul(g1, 10) + (g0 >>> 24)) | 0;
    g2 = (Math.imul(g2, 10) + (g1 >>> 24)) | 0;
    g0 &= LIMB;
    g1 &= LIMB;
    kappa--;
    digits[count++] = 0x30 + (f2 >> 12);
    f2 &= 0xfff;
    if (f2 < d2 || (f2 === d2 && (f1 < d1 || (f1 === d1 && f0 < d0)))) {
      decimalExponent += kappa;
      const unit = 2 ** 36;
      roundLast(count, TWO24, d2 * TWO24 + d1, d0, f2 * TWO24 + f1, f0, unit, g2 * TWO24 + g1, g0);
      return count;
    }
  }
}

/** Bits 48 and up of the pair times `move` (2^0 .. 2^28). */
function high12(hi: number, lo: number, move: number): number {
  return ((hi * move + Math.floor((lo * move) / TWO32)) / 65536) | 0;
}

/** Bits 24 .. 47 of the pair moved left by 0 .. 28 bits, of which the moved high word fits 28. */
function middle24(hi: number, lo: number, left: number): number {
  if (left >= 24) return (lo << (left - 24)) & LIMB;
  return ((hi << (8 + left)) | (lo >>> (24 - left))) & LIMB;
}

/**
 * Lowers the last digit while that brings the text nearer to the value. One such step is `unitHi` * `base`;
 * the low parts count to `base`.
 */
function roundLast(
  count: number,
  base: number,
  deltaHi: number,
  deltaLo: number,
  restHi: number,
  restLo: number,
  unitHi: number,
  gapHi: number,
  gapLo: number,
): void {
  for (;;) {
    if (restHi > gapHi || (restHi === gapHi && restLo >= gapLo)) return;
    // delta - rest >= unit
    const roomHi = deltaHi - restHi - (deltaLo < restLo ? 1 : 0);
    if (roomHi < unitHi) return;
    const nextHi = restHi + unitHi;
    if (nextHi > gapHi || (nextHi === gapHi && restLo >= gapLo)) {
      // Beyond the value: only if it is nearer than now, gap - rest > next - gap.
      const belowHi = gapHi - restHi - (gapLo < restLo ? 1 : 0);
      const belowLo = gapLo - restLo + (gapLo < restLo ? base : 0);
      const aboveHi = nextHi - gapHi - (restLo < gapLo ? 1 : 0);
      const aboveLo = restLo - gapLo + (restLo < gapLo ? base : 0);
      if (belowHi < aboveHi || (belowHi === aboveHi && belowLo <= aboveLo)) return;
    }
    digits[count - 1]!--;
    restHi = nextHi;
  }
}

/** The cached power that brings a number of binary exponent `exp` into -60 .. -32. */
function findPower(exp: number): number {
  let index = Math.trunc((Math.trunc(-(exp + POWER_COUNT) * LOG10_OF_2) - POWER_FIRST) / POWER_STEP);
  for (;;) {
    const scaled = exp + POWER_EXP[index]! + 64;
    if (scaled < -60) index++;
    else if (scaled > -32) index--;
    else return index;
  }
}

/** The upper 64 bits of the product with a cached power, rounded at bit 31 of the lower half. */
function multiply(hi: number, lo: number, power: number): void {
  const otherHi = POWER_HI[power]!;
  const otherLo = POWER_LO[power]!;
  // Sums of 32-bit parts in 16-bit halves, for the carries.
  let a = mulHigh(lo, otherLo);
  let b = Math.imul(hi, otherLo);
  let c = Math.imul(lo, otherHi);
  let low = (a & 0xffff) + (b & 0xffff) + (c & 0xffff);
  let high = (a >>> 16) + (b >>> 16) + (c >>> 16) + 0x8000 + (low >>> 16);
  const carry = high >>> 16;
  a = Math.imul(hi, otherHi);
  b = mulHigh(hi, otherLo);
  c = mulHigh(lo, otherHi);
  low = (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + carry;
  high = (a >>> 16) + (b >>> 16) + (c >>> 16) + (low >>> 16);
  productLo = (high << 16) | (low & 0xffff);
  productHi = (mulHigh(hi, otherHi) + (high >>> 16)) | 0;
}

/** The upper half of a 32 by 32 bit product, in int32 arithmetic throughout. */
function mulHigh(a: number, b: number): number {
  const aHi = a >>> 16;
  const aLo = a & 0xffff;
  const bHi = b >>> 16;
  const bLo = b & 0xffff;
  const t = (Math.imul(aHi, bLo) + (Math.imul(aLo, bLo) >>> 16)) | 0;
  const u = (Math.imul(aLo, bHi) + (t & 0xffff)) | 0;
  return (Math.imul(aHi, bHi) + (t >>> 16) + (u >>> 16)) | 0;
}

/** 10 ** (-348 + 8 i) as 64-bit significand (bit 63 set, rounded to nearest) and binary exponent. */
function buildPowers(): void {
  for (let i = 0; i < POWER_COUNT; i++) {
    const k = POWER_FIRST + POWER_STEP * i;
    const ten = 10n ** BigInt(Math.abs(k));
    // Enough quotient bits for 10 ** -348, whose reciprocal has 1,157.
    const scaled = k < 0 ? (1n << 1300n) / ten : ten << 1300n;
    const surplus = scaled.toString(2).length - 64;
    const significand = (scaled >> BigInt(surplus)) + ((scaled >> BigInt(surplus - 1)) & 1n);
    POWER_HI[i] = Number(significand >> 32n);
    POWER_LO[i] = Number(significand & 0xffffffffn);
    POWER_EXP[i] = surplus - 1300;
  }
}
