/** Arrays, with a map beside them: what is set, removed and walked over, wherever it lies. */
import { expect, test } from "bun:test";
import { ArrayWalk, INDEX_END, SparseArray } from "../../../src/types/sparse-array.ts";
import { type Random, seeded } from "../bytes/random.ts";

const random = seeded("sparse-array");

/** Indexes that are close to one another, or far apart, or at the end. */
function anIndex(from: Random): bigint {
  switch (from.below(4)) {
    case 0:
      return BigInt(from.below(200));
    case 1:
      return BigInt(from.below(2 ** 31)) * BigInt(from.below(2 ** 31)) * 4n;
    case 2:
      return INDEX_END - 1n - BigInt(from.below(200));
    default:
      return 2n ** 32n * 64n - 100n + BigInt(from.below(200));
  }
}

function aValue(from: Random): Uint8Array {
  const size = from.below(50) === 0 ? from.below(70_000) : from.below(from.below(10) === 0 ? 300 : 20);
  return from.bytes(size);
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

function walked(array: SparseArray, from: bigint, to: bigint): [bigint, string][] {
  const walk = new ArrayWalk().begin(array, from, to);
  const found: [bigint, string][] = [];
  while (walk.next()) found.push([walk.index, text(walk.buf.subarray(walk.start, walk.end))]);
  return found;
}

test("an array is a map from indexes to values, in their order", () => {
  for (let round = 0; round < 5; round++) {
    const array = new SparseArray();
    const model = new Map<bigint, string>();
    for (let i = 0; i < 3000; i++) {
      const index = anIndex(random);
      const action = random.below(10);
      if (action < 6) {
        const value = aValue(random);
        expect(array.set(index, value, 0, value.length)).toBe(!model.has(index));
        model.set(index, text(value));
      } else if (action < 9) expect(array.delete(index)).toBe(model.delete(index));
      else {
        const high = index + BigInt(random.below(random.below(10) === 0 ? 2 ** 40 : 300));
        let removed = 0;
        for (const each of [...model.keys()])
          if (each >= index && each <= high && model.delete(each)) removed++;
        expect(array.deleteRange(index, high)).toBe(removed);
      }
      expect(array.count).toBe(model.size);
    }
    const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
    expect(array.length).toBe(sorted.length === 0 ? 0n : sorted[sorted.length - 1]![0] + 1n);
    expect(walked(array, 0n, INDEX_END)).toEqual(sorted);
    expect(walked(array, INDEX_END, 0n)).toEqual(sorted.toReversed());
    for (let i = 0; i < 100; i++) {
      const [a, b] = [anIndex(random), anIndex(random)];
      const [low, high] = a < b ? [a, b] : [b, a];
      const inside = sorted.filter(([index]) => index >= low && index <= high);
      expect(walked(array, a, b)).toEqual(a <= b ? inside : inside.toReversed());
      expect(array.find(a)).toBe(model.has(a));
      if (model.has(a)) expect(text(array.buf.subarray(array.start, array.end))).toBe(model.get(a)!);
    }
    const copy = array.clone();
    array.dispose();
    expect(walked(copy, 0n, INDEX_END)).toEqual(sorted);
    copy.deleteRange(0n, INDEX_END - 1n);
    expect([copy.count, copy.nodeBytes, copy.nodes.size]).toEqual([0, 0, 0]);
  }
});

test("neighbours share what it takes to find them", () => {
  const array = new SparseArray();
  const value = Buffer.from("12345678");
  for (let i = 0n; i < 64_000n; i++) array.set(i, value, 0, value.length);
  expect(array.memoryUse / 64_000).toBeLessThan(14);
});
