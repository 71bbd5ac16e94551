import { expect, test } from "bun:test";
import {
  cumulativeMicroseconds,
  newHistogram,
  percentile,
  record,
  totalCount,
} from "../../../src/stats/histogram.ts";
import { type Random, seeded } from "../bytes/random.ts";

/** As LATENCY HISTOGRAM has them: 1, 2, 4, 8, 16, 32, 65, 131, ... */
const BOUNDS = Array.from({ length: 24 }, (_, i) => Math.floor((1024 * 2 ** i) / 1000));

/** The value below which `percent` of the sorted values lie, counted out. */
function naive(sorted: number[], percent: number): number {
  const wanted = Math.max(1, Math.floor((Math.min(percent, 100) / 100) * sorted.length + 0.5));
  return sorted[wanted - 1]!;
}

function values(random: Random): number[] {
  const count = 1 + random.below(3000);
  const span = random.pick([10, 300, 5000, 1_000_000, 999_999_999]);
  return Array.from({ length: count }, () => 1 + random.below(span)).sort((a, b) => a - b);
}

test("percentiles agree with counting, to one part in 128", () => {
  const random = seeded("histogram");
  for (let round = 0; round < 100; round++) {
    const sorted = values(random);
    const histogram = newHistogram();
    for (const value of sorted) record(histogram, value, 1);
    expect(totalCount(histogram)).toBe(sorted.length);
    for (const percent of [0, 1, 50, 90, 99, 99.9, 100, 200]) {
      const exact = naive(sorted, percent);
      const found = percentile(histogram, percent);
      if (found < exact || found > exact * (1 + 1 / 128) + 1)
        throw new Error(`p${percent}: ${found} instead of ${exact}`);
      if (exact < 256) expect(found).toBe(exact);
    }
  }
});

test("a value counted many times is as that many values", () => {
  const one = newHistogram();
  const other = newHistogram();
  for (let i = 0; i < 100; i++) record(one, 12_345, 1);
  record(other, 12_345, 100);
  expect(other).toEqual(one);
});

test("the ends of the range", () => {
  const histogram = newHistogram();
  for (const value of [0, -5, 0.2, 1e9, 1e12, Number.POSITIVE_INFINITY]) record(histogram, value, 1);
  expect(totalCount(histogram)).toBe(6);
  expect(percentile(histogram, 1)).toBe(1);
  const high = percentile(histogram, 100);
  expect(high).toBeWithin(1e9, 1e9 * (1 + 1 / 64));
  expect(percentile(newHistogram(), 50)).toBe(0);
});

test("cumulative counts in doubling steps of about a microsecond", () => {
  const random = seeded("histogram, cumulative");
  for (let round = 0; round < 50; round++) {
    const sorted = values(random);
    const histogram = newHistogram();
    for (const value of sorted) record(histogram, value, 1);
    const rows = cumulativeMicroseconds(histogram);
    expect(rows.at(-1)![1]).toBe(sorted.length);
    let before = 0;
    for (const [bound, count] of rows) {
      expect(count).toBeGreaterThan(before);
      before = count;
      expect(BOUNDS).toContain(bound);
      // Values of one histogram cell may fall on either side of the bound.
      const below = sorted.filter((value) => value < bound * 1000).length;
      const notAbove = sorted.filter((value) => value <= (bound + 1) * 1024 * (1 + 1 / 64)).length;
      expect(count).toBeWithin(below * 0.98 - 2, notAbove + 1);
    }
  }
  expect(cumulativeMicroseconds(newHistogram())).toEqual([]);
});
