/**
 * Latency histogram of high dynamic range (Gil Tene's HdrHistogram, two significant digits).
 *
 *   value (ns):   0..255 exact, then 128 steps a doubling, up to 2^30 (about 1 s, above counts as that)
 *   index:        value < 256: value; else 128 * bucket + (value >> bucket)
 */
const SUB_BITS = 8;
const HALF = 128;
const MAX_VALUE = 1_000_000_000;
const LENGTH = HALF * 24 + HALF;

export function newHistogram(): Int32Array {
  return new Int32Array(LENGTH);
}

function indexOf(value: number): number {
  const bucket = 32 - Math.clz32(value | 255) - SUB_BITS;
  return bucket * HALF + (value >>> bucket);
}

/** Upper end of the values that share an index. */
function highestOf(index: number): number {
  const bucket = index < 256 ? 0 : (index >> 7) - 1;
  const sub = index - bucket * HALF;
  return (sub + 1) * 2 ** bucket - 1;
}

/** Counts a value `times` times. */
export function record(histogram: Int32Array, nanoseconds: number, times: number): void {
  const value = nanoseconds < 1 ? 1 : nanoseconds > MAX_VALUE ? MAX_VALUE : nanoseconds | 0;
  histogram[indexOf(value)]! += times;
}

export function totalCount(histogram: Int32Array): number {
  let total = 0;
  for (const count of histogram) total += count;
  return total;
}

/** The value (ns) below which `percent` of the recorded ones lie. */
export function percentile(histogram: Int32Array, percent: number): number {
  const total = totalCount(histogram);
  const wanted = Math.max(1, Math.floor((Math.min(percent, 100) / 100) * total + 0.5));
  let seen = 0;
  for (let i = 0; i < histogram.length; i++) {
    seen += histogram[i]!;
    if (seen >= wanted) return highestOf(i);
  }
  return 0;
}

/** [upper bound in us, how many were at most that] in doubling steps of 1.024 us, as LATENCY HISTOGRAM. */
export function cumulativeMicroseconds(histogram: Int32Array): [number, number][] {
  const out: [number, number][] = [];
  const total = totalCount(histogram);
  let seen = 0;
  let index = 0;
  for (let bound = 1024; seen < total; bound *= 2) {
    const before = seen;
    while (index < histogram.length && highestOf(index) < bound) seen += histogram[index++]!;
    if (bound > 2 ** 31) seen = total;
    if (seen > before) out.push([Math.floor(bound / 1000), seen]);
  }
  return out;
}
