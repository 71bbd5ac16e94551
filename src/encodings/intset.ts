import { highHalf, lowHalf, parseInt64, parseSafeInt } from "../bytes/int64.ts";
import type { ByteStore } from "../memory/byte-store.ts";
import type { LpItem } from "./listpack.ts";

/**
 * Intset: a sorted array of integers without duplicates, byte for byte as in Redis's RDB files.
 *
 *   [bytes of an integer u32: 2, 4 or 8][number of integers u32] [integer] [integer] ...      little-endian
 *
 * All integers have the width that the widest one needs; an integer too wide for the set makes it wider as a
 * whole, and nothing makes it narrower again. Values are pairs of 32-bit halves (low, high), signed.
 */

const HEADER = 8;

/** Makes the store an empty intset. */
export function intsetCreate(store: ByteStore): void {
  store.resize(HEADER);
  write32(store.buf, store.start, 2);
  write32(store.buf, store.start + 4, 0);
}

/** Number of integers. */
export function intsetLength(store: ByteStore): number {
  return read32(store.buf, store.start + 4);
}

/** Reads the integer of this index, 0 to length - 1, into `item`. */
export function intsetGet(store: ByteStore, index: number, item: LpItem): LpItem {
  const { buf, start } = store;
  const width = buf[start]!;
  const at = start + HEADER + index * width;
  item.isInt = true;
  item.low = readLow(buf, at, width);
  item.high = width === 8 ? read32(buf, at + 4) : item.low >> 31;
  return item;
}

/** The index of the integer; where it is missing, -1 - the index where it would be. */
export function intsetSearch(store: ByteStore, low: number, high: number): number {
  const { buf, start } = store;
  const width = buf[start]!;
  const length = intsetLength(store);
  if (widthOf(low, high) > width) return high < 0 ? -1 : -1 - length;
  let first = 0;
  let last = length;
  while (first < last) {
    const middle = (first + last) >>> 1;
    const at = start + HEADER + middle * width;
    const value = readLow(buf, at, width);
    let order: number;
    if (width === 8) {
      const top = read32(buf, at + 4);
      order = top === high ? (value >>> 0) - (low >>> 0) : top - high;
    } else order = value - low;
    if (order === 0) return middle;
    if (order < 0) first = middle + 1;
    else last = middle;
  }
  return -1 - first;
}

export function intsetHas(store: ByteStore, low: number, high: number): boolean {
  return intsetSearch(store, low, high) >= 0;
}

/** Adds an integer; false if it is there already. */
export function intsetAdd(store: ByteStore, low: number, high: number): boolean {
  const index = intsetSearch(store, low, high);
  if (index >= 0) return false;
  const need = widthOf(low, high);
  if (need > store.buf[store.start]!) widen(store, need);
  const width = store.buf[store.start]!;
  const length = intsetLength(store);
  const from = HEADER + (-1 - index) * width;
  store.resize(HEADER + (length + 1) * width);
  const { buf, start } = store;
  buf.copyWithin(start + from + width, start + from, start + HEADER + length * width);
  writeValue(buf, start + from, width, low, high);
  write32(buf, start + 4, length + 1);
  return true;
}

/** Removes an integer; false if it is not there. */
export function intsetRemove(store: ByteStore, low: number, high: number): boolean {
  const index = intsetSearch(store, low, high);
  if (index < 0) return false;
  intsetRemoveAt(store, index);
  return true;
}

export function intsetRemoveAt(store: ByteStore, index: number): void {
  const { buf, start } = store;
  const width = buf[start]!;
  const length = intsetLength(store);
  const at = start + HEADER + index * width;
  buf.copyWithin(at, at + width, start + HEADER + length * width);
  write32(buf, start + 4, length - 1);
  store.resize(HEADER + (length - 1) * width);
}

/** Whether bytes from outside are an intset: a known width, the right length, sorted without duplicates. */
export function intsetValidate(store: ByteStore): boolean {
  const { buf, start, end } = store;
  if (end - start < HEADER) return false;
  const width = read32(buf, start);
  if (width !== 2 && width !== 4 && width !== 8) return false;
  const length = read32(buf, start + 4) >>> 0;
  if (length === 0 || HEADER + length * width !== end - start) return false;
  for (let i = 1; i < length; i++) {
    const at = start + HEADER + i * width;
    const low = readLow(buf, at, width);
    const before = readLow(buf, at - width, width);
    if (width < 8 ? low <= before : !isAbove8(buf, at, low, before)) return false;
  }
  return true;
}

/** Whether the 8-byte integer at `at` is greater than the one before it; given their low halves. */
function isAbove8(buf: Uint8Array, at: number, low: number, before: number): boolean {
  const high = read32(buf, at + 4);
  const highBefore = read32(buf, at - 4);
  return high === highBefore ? low >>> 0 > before >>> 0 : high > highBefore;
}

/**
 * Reads text as a member of an intset: true if it is a 64-bit integer in canonical form, whose halves are
 * then in `parsed`.
 */
export function parseMember(buf: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length === 0 || length > 20 || buf[start]! > 57) return false;
  const value = parseSafeInt(buf, start, end);
  if (!Number.isNaN(value)) {
    parsed.low = lowHalf(value);
    parsed.high = highHalf(value);
    return true;
  }
  if (length < 16) return false;
  const big = parseInt64(buf, start, end);
  if (big === null) return false;
  parsed.low = Number(BigInt.asIntN(32, big));
  parsed.high = Number(big >> 32n);
  return true;
}

export const parsed = { low: 0, high: 0 };

function widthOf(low: number, high: number): number {
  if (high !== low >> 31) return 8;
  return low >= -32768 && low <= 32767 ? 2 : 4;
}

/** Gives every integer the new width, from the last one on: none is overwritten before it is read. */
function widen(store: ByteStore, width: number): void {
  const old = store.buf[store.start]!;
  const length = intsetLength(store);
  store.resize(HEADER + length * width);
  const { buf, start } = store;
  for (let i = length - 1; i >= 0; i--) {
    const low = readLow(buf, start + HEADER + i * old, old);
    writeValue(buf, start + HEADER + i * width, width, low, low >> 31);
  }
  write32(buf, start, width);
}

function readLow(buf: Uint8Array, at: number, width: number): number {
  if (width === 2) return ((buf[at]! | (buf[at + 1]! << 8)) << 16) >> 16;
  return read32(buf, at);
}

function writeValue(buf: Uint8Array, at: number, width: number, low: number, high: number): void {
  buf[at] = low & 255;
  buf[at + 1] = (low >>> 8) & 255;
  if (width === 2) return;
  buf[at + 2] = (low >>> 16) & 255;
  buf[at + 3] = low >>> 24;
  if (width === 8) write32(buf, at + 4, high);
}

function read32(buf: Uint8Array, i: number): number {
  return buf[i]! | (buf[i + 1]! << 8) | (buf[i + 2]! << 16) | (buf[i + 3]! << 24);
}

function write32(buf: Uint8Array, i: number, value: number): void {
  buf[i] = value & 255;
  buf[i + 1] = (value >>> 8) & 255;
  buf[i + 2] = (value >>> 16) & 255;
  buf[i + 3] = value >>> 24;
}
