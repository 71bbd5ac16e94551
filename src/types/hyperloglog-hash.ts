/**
 * MurmurHash64A (Austin Appleby's MurmurHash2 in 64 bits), with which HyperLogLog hashes its elements, and
 * what is taken from the hash:
 *
 *   bit   63                      14 13              0
 *         [ 50 bits: run of zeros  ] [ register index ]
 *
 * The run is counted from bit 14 upwards; with the one that ends it, it is 1 .. 51 long.
 *
 * Eight bytes a round, little-endian: k *= m, k ^= k >> 47, k *= m, then h = (h ^ k) * m. A 64-bit number is
 * two int32 halves; the product modulo 2^64 needs the full 64 bits of low * low and the low 32 of the cross
 * products. The halves of the constant m are fixed, so each multiplication is written out on them.
 */

const M_LO = 0x5bd1e995;
const M_HI = 0xc6a4a793;
const M_LO_LO = 0xe995;
const M_LO_HI = 0x5bd1;
export const HLL_SEED = 0xadc83b19;

const REGISTER_MASK = 0x3fff;

// The halves of the last hash, and the register it leads to.
let hashLo = 0;
let hashHi = 0;
/** The register of the element that `patternLength` saw last. */
export let registerIndex = 0;

/** Length of the run 0..01 in the element's hash, 1 .. 51; sets `registerIndex`. */
export function patternLength(buf: Uint8Array, start: number, end: number): number {
  hash(buf, start, end, HLL_SEED);
  registerIndex = hashLo & REGISTER_MASK;
  const low = (hashLo >>> 14) | (hashHi << 18);
  if (low !== 0) return 32 - Math.clz32(low & -low);
  // A one above the 50 bits ends the longest run.
  const high = (hashHi >>> 14) | (1 << 18);
  return 64 - Math.clz32(high & -high);
}

export function murmurHash64A(buf: Uint8Array, start: number, end: number, seed: number): bigint {
  hash(buf, start, end, seed);
  return (BigInt(hashHi >>> 0) << 32n) | BigInt(hashLo >>> 0);
}

function hash(buf: Uint8Array, start: number, end: number, seed: number): void {
  const length = end - start;
  let lo = Math.imul(length, M_LO) ^ seed;
  let hi = (mulHigh(length) + Math.imul(length, M_HI)) | 0;
  let at = start;
  for (const last = end - 8; at <= last; at += 8) {
    let kLo = buf[at]! | (buf[at + 1]! << 8) | (buf[at + 2]! << 16) | (buf[at + 3]! << 24);
    let kHi = buf[at + 4]! | (buf[at + 5]! << 8) | (buf[at + 6]! << 16) | (buf[at + 7]! << 24);
    kHi = (mulHigh(kLo) + Math.imul(kLo, M_HI) + Math.imul(kHi, M_LO)) | 0;
    kLo = Math.imul(kLo, M_LO);
    kLo ^= kHi >>> 15;
    kHi = (mulHigh(kLo) + Math.imul(kLo, M_HI) + Math.imul(kHi, M_LO)) | 0;
    kLo = Math.imul(kLo, M_LO);
    lo ^= kLo;
    hi ^= kHi;
    hi = (mulHigh(lo) + Math.imul(lo, M_HI) + Math.imul(hi, M_LO)) | 0;
    lo = Math.imul(lo, M_LO);
  }
  if (at < end) {
    for (let shift = 0; at < end; at++, shift += 8) {
      if (shift < 32) lo ^= buf[at]! << shift;
      else hi ^= buf[at]! << (shift - 32);
    }
    hi = (mulHigh(lo) + Math.imul(lo, M_HI) + Math.imul(hi, M_LO)) | 0;
    lo = Math.imul(lo, M_LO);
  }
  lo ^= hi >>> 15;
  hi = (mulHigh(lo) + Math.imul(lo, M_HI) + Math.imul(hi, M_LO)) | 0;
  lo = Math.imul(lo, M_LO);
  hashLo = lo ^ (hi >>> 15);
  hashHi = hi;
}

/** The upper half of the 64-bit product with M_LO. */
function mulHigh(x: number): number {
  const xLo = x & 0xffff;
  const xHi = x >>> 16;
  const t = (Math.imul(xHi, M_LO_LO) + (Math.imul(xLo, M_LO_LO) >>> 16)) | 0;
  const u = (Math.imul(xLo, M_LO_HI) + (t & 0xffff)) | 0;
  return (Math.imul(xHi, M_LO_HI) + (t >>> 16) + (u >>> 16)) | 0;
}
