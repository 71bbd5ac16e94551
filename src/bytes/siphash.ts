/**
 * HalfSipHash-1-3: a keyed 32-bit hash (Aumasson and Bernstein's SipHash on 32-bit words, 64-bit key), so
 * that nobody who does not know the key can choose colliding keys.
 *
 *   state v0..v3 from the key; for each little-endian word m: v3 ^= m, one round, v0 ^= m;
 *   the last word carries the remaining bytes and the length in its top byte; then three rounds.
 *
 * Unrolled into one function: the state stays in registers and nothing is allocated.
 */

export function halfSipHash(k0: number, k1: number, buf: Uint8Array, start: number, end: number): number {
  let v0 = k0;
  let v1 = k1;
  let v2 = k0 ^ 0x6c796765;
  let v3 = k1 ^ 0x74656462;
  const length = end - start;
  const tail = end - (length & 3);
  let i = start;
  let m = 0;
  for (;;) {
    if (i < tail) {
      m = buf[i]! | (buf[i + 1]! << 8) | (buf[i + 2]! << 16) | (buf[i + 3]! << 24);
    } else {
      const rest = length & 3;
      m = length << 24;
      if (rest === 3) m |= buf[i + 2]! << 16;
      if (rest >= 2) m |= buf[i + 1]! << 8;
      if (rest >= 1) m |= buf[i]!;
    }
    v3 ^= m;
    v0 = (v0 + v1) | 0;
    v1 = (v1 << 5) | (v1 >>> 27);
    v1 ^= v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = (v3 << 8) | (v3 >>> 24);
    v3 ^= v2;
    v0 = (v0 + v3) | 0;
    v3 = (v3 << 7) | (v3 >>> 25);
    v3 ^= v0;
    v2 = (v2 + v1) | 0;
    v1 = (v1 << 13) | (v1 >>> 19);
    v1 ^= v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= m;
    if (i >= tail) break;
    i += 4;
  }
  v2 ^= 0xff;
  for (let round = 0; round < 3; round++) {
    v0 = (v0 + v1) | 0;
    v1 = (v1 << 5) | (v1 >>> 27);
    v1 ^= v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = (v3 << 8) | (v3 >>> 24);
    v3 ^= v2;
    v0 = (v0 + v3) | 0;
    v3 = (v3 << 7) | (v3 >>> 25);
    v3 ^= v0;
    v2 = (v2 + v1) | 0;
    v1 = (v1 << 13) | (v1 >>> 19);
    v1 ^= v2;
    v2 = (v2 << 16) | (v2 >>> 16);
  }
  return v1 ^ v3;
}
