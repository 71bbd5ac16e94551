/**
 * Integers of any width at any bit offset of a string, for BITFIELD and BITFIELD_RO.
 *
 *   offset 7, type u5, value 23:   00000001 01110000      bit 0 is the top bit of byte 0, the integer's
 *                                         ^ ^^^^          top bit comes first (big-endian)
 *
 * Types are u1 .. u63 and i1 .. i64 (two's complement). Up to 53 bits everything is plain numbers; wider fields
 * are two reads of at most 32 bits joined as a BigInt, and values come back as numbers where they are safe
 * integers, so that `===` compares them.
 *
 * A value that does not fit its type is handled by the overflow mode: `wrap` keeps the low bits, `sat` takes
 * the nearest limit, `fail` writes nothing. Two oddities of Redis are kept: a negative value SET to an
 * unsigned field overflows upwards, and SET of a signed field with a value within `max` of -2^63 also does.
 * https://redis.io/docs/latest/commands/bitfield/
 */

import { MAX_SAFE, parseInt64, parseSafeInt } from "../bytes/int64.ts";

/** A 64-bit integer; a BigInt only where it is not a safe integer. */
export type Int64 = number | bigint;

/** Width in bits, plus SIGNED for i1 .. i64. */
export type BitfieldType = number;

export type Overflow = "wrap" | "sat" | "fail";

/** What a SET or INCRBY replies (null: refused by `fail`) and whether the field changed. */
export interface BitfieldOutcome {
  reply: Int64 | null;
  changed: boolean;
}

export const BITFIELD_TYPE_ERROR =
  "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";
export const BIT_OFFSET_ERROR = "ERR bit offset is not an integer or out of range";

const SIGNED = 0x80;
const WIDTH = 0x7f;
const NUMBER_BITS = 53;
const HASH = 0x23;
const LETTER_I = 0x69;
const LETTER_U = 0x75;
const TWO_63 = 1n << 63n;

/** "u8", "i64"; -1 where Redis answers BITFIELD_TYPE_ERROR. Upper case is refused, as there. */
export function parseBitfieldType(buf: Uint8Array, start: number, end: number): BitfieldType {
  const sign = start < end ? buf[start] : 0;
  if (sign !== LETTER_I && sign !== LETTER_U) return -1;
  // Redis reads the width as a C string: what follows a NUL byte is ignored.
  let stop = start + 1;
  while (stop < end && buf[stop] !== 0) stop++;
  const bits = parseSafeInt(buf, start + 1, stop);
  if (!(bits >= 1 && bits <= (sign === LETTER_I ? 64 : 63))) return -1;
  return sign === LETTER_I ? bits | SIGNED : bits;
}

/**
 * "100", or "#3" for the third field of `type`; -1 where Redis answers BIT_OFFSET_ERROR. `limit` is the
 * longest string in bytes (proto-max-bulk-len; Infinity for the primary's stream and the AOF). SETBIT and
 * GETBIT, which know no "#", pass 0 for `type`.
 */
export function parseBitOffset(
  buf: Uint8Array,
  start: number,
  end: number,
  type: BitfieldType,
  limit: number,
): number {
  const bits = type & WIDTH;
  const hashed = bits > 0 && start < end && buf[start] === HASH;
  if (hashed) start++;
  let offset = parseSafeInt(buf, start, end);
  if (hashed) {
    offset *= bits;
    if (!(Math.abs(offset) <= MAX_SAFE)) {
      // The product wraps around at 64 bits, and may come out valid.
      const index = parseInt64(buf, start, end);
      if (index === null) return -1;
      offset = Number(BigInt.asIntN(64, index * BigInt(bits)));
    }
  }
  return offset >= 0 && offset <= MAX_SAFE && Math.floor(offset / 8) < limit ? offset : -1;
}

/** The length in bytes a string needs for a field; writes demand it, reads take what is missing as zeros. */
export function bitfieldEnd(type: BitfieldType, offset: number): number {
  return Math.floor((offset + (type & WIDTH) - 1) / 8) + 1;
}

export function bitfieldGet(bytes: Uint8Array, type: BitfieldType, offset: number): Int64 {
  const bits = type & WIDTH;
  const signed = (type & SIGNED) !== 0;
  if (bits <= NUMBER_BITS) {
    const value = readBits(bytes, offset, bits);
    return signed && value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
  }
  const high = BigInt(readBits(bytes, offset, bits - 32));
  const value = (high << 32n) | BigInt(readBits(bytes, offset + bits - 32, 32));
  return normalize(signed ? BigInt.asIntN(bits, value) : value);
}

/** Fills `outcome` with the old value as the reply. */
export function bitfieldSet(
  bytes: Uint8Array,
  type: BitfieldType,
  offset: number,
  value: Int64,
  overflow: Overflow,
  outcome: BitfieldOutcome,
): void {
  const old = bitfieldGet(bytes, type, offset);
  const fitted = fit(value, type, overflow, true);
  outcome.reply = fitted === null ? null : old;
  store(bytes, type, offset, old, fitted, outcome);
}

/** Fills `outcome` with the new value as the reply. */
export function bitfieldIncrBy(
  bytes: Uint8Array,
  type: BitfieldType,
  offset: number,
  increment: Int64,
  overflow: Overflow,
  outcome: BitfieldOutcome,
): void {
  const old = bitfieldGet(bytes, type, offset);
  const fitted = fit(add(old, increment), type, overflow, false);
  outcome.reply = fitted;
  store(bytes, type, offset, old, fitted, outcome);
}

function store(
  bytes: Uint8Array,
  type: BitfieldType,
  offset: number,
  old: Int64,
  fitted: Int64 | null,
  outcome: BitfieldOutcome,
): void {
  outcome.changed = fitted !== null && fitted !== old;
  if (fitted === null) return;
  const bits = type & WIDTH;
  if (bits <= NUMBER_BITS) {
    const value = Number(fitted);
    writeBits(bytes, offset, bits, value < 0 ? value + 2 ** bits : value);
    return;
  }
  const value = BigInt.asUintN(bits, BigInt(fitted));
  writeBits(bytes, offset, bits - 32, Number(value >> 32n));
  writeBits(bytes, offset + bits - 32, 32, Number(value & 0xffffffffn));
}

/** `value`, of any size, as the type can hold it under the overflow mode; null if it is refused. */
function fit(value: Int64, type: BitfieldType, overflow: Overflow, isSet: boolean): Int64 | null {
  const bits = type & WIDTH;
  const signed = (type & SIGNED) !== 0;
  if (typeof value !== "number" || bits > NUMBER_BITS) {
    return fitWide(BigInt(value), bits, signed, overflow, isSet);
  }
  const span = 2 ** bits;
  const max = signed ? span / 2 - 1 : span - 1;
  const min = signed ? -span / 2 : 0;
  if (value >= min && value <= max) return value;
  if (overflow === "fail") return null;
  if (overflow === "sat") return value > max || (isSet && !signed) ? max : min;
  let wrapped = value % span;
  if (wrapped < 0) wrapped += span;
  if (wrapped > max) wrapped -= span;
  // A multiple of the span leaves -0.
  return wrapped + 0;
}

function fitWide(
  value: bigint,
  bits: number,
  signed: boolean,
  overflow: Overflow,
  isSet: boolean,
): Int64 | null {
  const span = 1n << BigInt(bits);
  const max = signed ? span / 2n - 1n : span - 1n;
  const min = signed ? -span / 2n : 0n;
  if (value >= min && value <= max) return normalize(value);
  if (overflow === "fail") return null;
  if (overflow === "wrap") {
    return normalize(signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value));
  }
  // Redis computes max - value in 64 bits: for values near -2^63 it turns negative and looks exceeded.
  const upwards = value > max || (isSet && (!signed || (bits < 64 && value <= max - TWO_63)));
  return normalize(upwards ? max : min);
}

function add(a: Int64, b: Int64): Int64 {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (sum >= -MAX_SAFE && sum <= MAX_SAFE) return sum;
  }
  return normalize(BigInt(a) + BigInt(b));
}

function normalize(value: bigint): Int64 {
  return value >= -MAX_SAFE && value <= MAX_SAFE ? Number(value) : value;
}

/** At most 53 bits, most significant first; zeros beyond the end. */
function readBits(bytes: Uint8Array, offset: number, bits: number): number {
  let at = Math.floor(offset / 8);
  const skip = offset - at * 8;
  let value = (at < bytes.length ? bytes[at]! : 0) & (0xff >>> skip);
  let missing = bits - (8 - skip);
  if (missing < 0) return value >>> -missing;
  for (at++; missing >= 8; at++, missing -= 8) value = value * 256 + (at < bytes.length ? bytes[at]! : 0);
  if (missing === 0) return value;
  return value * 2 ** missing + ((at < bytes.length ? bytes[at]! : 0) >>> (8 - missing));
}

/** At most 53 bits, from the last byte to the first. */
function writeBits(bytes: Uint8Array, offset: number, bits: number, value: number): void {
  let end = offset + bits;
  while (bits > 0) {
    const at = Math.floor((end - 1) / 8);
    const used = end - at * 8;
    const take = Math.min(used, bits);
    const rest = Math.floor(value / 2 ** take);
    const shift = 8 - used;
    const mask = ((1 << take) - 1) << shift;
    bytes[at] = (bytes[at]! & ~mask) | ((value - rest * 2 ** take) << shift);
    value = rest;
    end -= take;
    bits -= take;
  }
}
