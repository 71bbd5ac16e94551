/**
 * The bytes of a HyperLogLog, which are an ordinary string value: GET, SET, DUMP and RDB carry them.
 *
 *   0      4          5        8                  16
 *   +------+----------+--------+------------------+-----------
 *   | HYLL | encoding | unused | cached count     | registers
 *   +------+----------+--------+------------------+-----------
 *
 * encoding 0, dense: 16,384 registers of 6 bits, 12,288 bytes, lowest bits first:
 *
 *   |11000000|22221111|33333322|55444444|
 *
 * encoding 1, sparse: runs of equal registers, covering all 16,384:
 *
 *   ZERO    00nnnnnn              n+1 registers (1 .. 64) are 0
 *   XZERO   01nnnnnn nnnnnnnn     n+1 registers (1 .. 16,384) are 0, high bits first
 *   VAL     1vvvvvnn              n+1 registers (1 .. 4) are v+1 (1 .. 32)
 *
 * The cached count is little-endian; its top bit set means it is out of date.
 */

export const HLL_REGISTERS = 16384;
export const HLL_HEADER = 16;
export const HLL_DENSE_SIZE = HLL_HEADER + (HLL_REGISTERS * 6) / 8;
export const HLL_DENSE = 0;
export const HLL_SPARSE = 1;
/** The highest register value: 50 bits of the hash may all be zero. */
export const HLL_MAX_RUN = 51;

export const SPARSE_MAX_VALUE = 32;

const ENCODING = 4;
const COUNT = 8;
const STALE = 0x80;
const XZERO = 0x40;
const VAL = 0x80;
const TWO32 = 4294967296;

/** Whether the string can be a HyperLogLog at all: magic, encoding, and the length if dense. */
export function isHyperLogLog(value: Uint8Array): boolean {
  return (
    value.length >= HLL_HEADER &&
    value[0] === 0x48 &&
    value[1] === 0x59 &&
    value[2] === 0x4c &&
    value[3] === 0x4c &&
    (value[ENCODING] === HLL_SPARSE || (value[ENCODING] === HLL_DENSE && value.length === HLL_DENSE_SIZE))
  );
}

export function hllEncoding(value: Uint8Array): "dense" | "sparse" {
  return value[ENCODING] === HLL_DENSE ? "dense" : "sparse";
}

/** An empty HyperLogLog: sparse, one XZERO. */
export function createHyperLogLog(): Uint8Array {
  const value = new Uint8Array(HLL_HEADER + 2);
  value.set([0x48, 0x59, 0x4c, 0x4c, HLL_SPARSE]);
  value[HLL_HEADER] = XZERO | 0x3f;
  value[HLL_HEADER + 1] = 0xff;
  return value;
}

/** The cached count, or -1 if it is out of date. */
export function hllCachedCount(value: Uint8Array): number {
  if ((value[COUNT + 7]! & STALE) !== 0) return -1;
  return read32(value, COUNT) + read32(value, COUNT + 4) * TWO32;
}

export function hllStoreCount(value: Uint8Array, count: number): void {
  write32(value, COUNT, count);
  write32(value, COUNT + 4, Math.floor(count / TWO32));
}

export function hllInvalidateCount(value: Uint8Array): void {
  value[COUNT + 7]! |= STALE;
}

export function denseGet(value: Uint8Array, index: number): number {
  const at = HLL_HEADER + ((index * 6) >>> 3);
  const shift = (index * 6) & 7;
  const next = at + 1 < value.length ? value[at + 1]! : 0;
  return ((value[at]! | (next << 8)) >>> shift) & 63;
}

export function denseSet(value: Uint8Array, index: number, run: number): void {
  const at = HLL_HEADER + ((index * 6) >>> 3);
  const shift = (index * 6) & 7;
  value[at] = (value[at]! & ~(63 << shift)) | (run << shift);
  // A register within one byte leaves the next alone; the last register has none behind it.
  if (shift > 2) value[at + 1] = (value[at + 1]! & ~(63 >>> (8 - shift))) | (run >>> (8 - shift));
}

/** Adds the 16,384 dense registers to `histogram`. */
export function denseHistogram(value: Uint8Array, histogram: Int32Array): void {
  for (let at = HLL_HEADER; at < HLL_DENSE_SIZE; at += 3) {
    const four = value[at]! | (value[at + 1]! << 8) | (value[at + 2]! << 16);
    histogram[four & 63]!++;
    histogram[(four >>> 6) & 63]!++;
    histogram[(four >>> 12) & 63]!++;
    histogram[four >>> 18]!++;
  }
}

/** Raises `registers` to the dense ones. */
export function denseMerge(value: Uint8Array, registers: Uint8Array): void {
  for (let at = HLL_HEADER, i = 0; at < HLL_DENSE_SIZE; at += 3, i += 4) {
    let four = value[at]! | (value[at + 1]! << 8) | (value[at + 2]! << 16);
    for (let j = i; j < i + 4; j++, four >>>= 6) {
      const run = four & 63;
      if (run > registers[j]!) registers[j] = run;
    }
  }
}

/** Bytes of the opcode that begins with `op`. */
export function opcodeLength(op: number): number {
  return (op & 0xc0) === XZERO ? 2 : 1;
}

/** Registers the opcode at `at` covers; an XZERO cut off by `end` reads a zero byte there. */
export function opcodeSpan(bytes: Uint8Array, at: number, end: number): number {
  const op = bytes[at]!;
  if (op < XZERO) return op + 1;
  if (op >= VAL) return (op & 3) + 1;
  return (((op & 0x3f) << 8) | (at + 1 < end ? bytes[at + 1]! : 0)) + 1;
}

/** The register value of an opcode, 0 for ZERO and XZERO. */
export function opcodeValue(op: number): number {
  return op >= VAL ? ((op >>> 2) & 31) + 1 : 0;
}

export function valOpcode(run: number, span: number): number {
  return VAL | ((run - 1) << 2) | (span - 1);
}

/** Writes the shortest opcode for `span` zero registers; returns the offset behind it. */
export function writeZeros(out: Uint8Array, at: number, span: number): number {
  if (span > 64) out[at++] = XZERO | ((span - 1) >>> 8);
  out[at++] = span - 1;
  return at;
}

/** Adds the sparse registers to `histogram`; false if they are not exactly 16,384. */
export function sparseHistogram(value: Uint8Array, histogram: Int32Array): boolean {
  let index = 0;
  for (let at = HLL_HEADER; at < value.length; at += opcodeLength(value[at]!)) {
    const span = opcodeSpan(value, at, value.length);
    histogram[opcodeValue(value[at]!)]! += span;
    index += span;
  }
  return index === HLL_REGISTERS;
}

/**
 * Raises `registers` to the sparse ones; false if they are not exactly 16,384. As in Redis, what follows a VAL
 * that would go beyond is not looked at: behind complete registers it does no harm.
 */
export function sparseMerge(value: Uint8Array, end: number, registers: Uint8Array): boolean {
  let index = 0;
  for (let at = HLL_HEADER; at < end; at += opcodeLength(value[at]!)) {
    const span = opcodeSpan(value, at, end);
    const run = opcodeValue(value[at]!);
    if (run === 0) {
      index += span;
      continue;
    }
    if (index + span > HLL_REGISTERS) break;
    for (const stop = index + span; index < stop; index++) {
      if (run > registers[index]!) registers[index] = run;
    }
  }
  return index === HLL_REGISTERS;
}

/** The dense form of the sparse value `bytes[0, end)`; null if that is corrupt. */
export function sparseToDense(bytes: Uint8Array, end: number): Uint8Array | null {
  const dense = new Uint8Array(HLL_DENSE_SIZE);
  dense.set(bytes.subarray(0, HLL_HEADER));
  dense[ENCODING] = HLL_DENSE;
  let index = 0;
  for (let at = HLL_HEADER; at < end; at += opcodeLength(bytes[at]!)) {
    const span = opcodeSpan(bytes, at, end);
    const run = opcodeValue(bytes[at]!);
    if (run !== 0) {
      if (index + span > HLL_REGISTERS) break;
      for (let i = index; i < index + span; i++) denseSet(dense, i, run);
    }
    index += span;
  }
  return index === HLL_REGISTERS ? dense : null;
}

function read32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

function write32(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = value >>> (8 * i);
}
