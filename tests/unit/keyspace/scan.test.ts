import { expect, test } from "bun:test";
import { Index } from "../../../src/keyspace/index.ts";
import { Records } from "../../../src/keyspace/record.ts";
import { seeded } from "../bytes/random.ts";

/**
 * SCAN's guarantee: what is present from start to end is returned, whatever is added and removed meanwhile;
 * and a scan ends. Positions and hashes are made up: scanning looks at nothing else.
 */
class Places {
  readonly index = new Index(new Records(), 1, 2);
  readonly hashes = new Map<number, number>();
  private readonly live: number[] = [];
  private last = 0;

  add(hash: number): number {
    const position = ++this.last;
    this.index.insert(hash, position);
    this.hashes.set(position, hash);
    this.live.push(position);
    return position;
  }

  removeAt(at: number, kept: ReadonlySet<number>): void {
    const position = this.live[at]!;
    if (kept.has(position)) return;
    this.live[at] = this.live[this.live.length - 1]!;
    this.live.pop();
    this.index.remove(this.hashes.get(position)!, position);
    this.hashes.delete(position);
  }

  get size(): number {
    return this.live.length;
  }
}

test("a scan of a standing index returns each key once, COUNT at a time", () => {
  const random = seeded("scan");
  for (const size of [0, 1, 5, 700, 5000, 100_000]) {
    const places = new Places();
    for (let i = 0; i < size; i++) places.add(random.below(2 ** 32) | 0);
    for (const count of [1, 10, 1000, 1_000_000]) {
      if (size / count > 10_000) continue;
      const seen = new Set<number>();
      let cursor = 0;
      let steps = 0;
      do {
        let here = 0;
        cursor = places.index.scan(cursor, count, (position) => {
          here++;
          if (seen.has(position)) throw new Error("returned twice");
          seen.add(position);
        });
        steps++;
        // A run of taken slots is returned as a whole.
        if (here > count + 300) throw new Error(`${here} keys for COUNT ${count}`);
        if (here < count && cursor !== 0) throw new Error(`only ${here} keys for COUNT ${count}`);
      } while (cursor !== 0);
      expect(seen.size).toBe(size);
      expect(steps).toBeLessThanOrEqual(Math.ceil(size / count) + 1);
    }
  }
});

for (const [name, high, low] of [
  ["shrinking", 20_000, 50],
  ["growing", 50, 20_000],
  ["up and down", 6000, 6000],
] as const)
  test(`what is present from start to end is returned: ${name}`, () => {
    const random = seeded(`scan, ${name}`);
    for (let round = 0; round < 25; round++) {
      const places = new Places();
      const kept = new Set<number>();
      const keep = random.pick([20, 300, 2000]);
      for (let i = 0; i < high; i++) {
        const position = places.add(random.below(2 ** 32) | 0);
        if (kept.size < keep && random.below(high) < keep) kept.add(position);
      }
      const missing = new Set(kept);
      let cursor = 0;
      let steps = 0;
      do {
        cursor = places.index.scan(cursor, random.pick([1, 10, 100]), (position) => missing.delete(position));
        steps++;
        if (steps > 100_000) throw new Error("the scan does not end");
        const target = name === "up and down" ? (random.below(2) === 0 ? 100 : 12_000) : low;
        for (let i = 0; i < 3000 && places.size !== target; i++)
          if (places.size < target) places.add(random.below(2 ** 32) | 0);
          else places.removeAt(random.below(places.size), kept);
      } while (cursor !== 0);
      if (missing.size > 0) throw new Error(`${missing.size} of ${kept.size} keys were not returned`);
    }
  });

test("one segment torn apart and joined after every step does not keep a scan from ending", () => {
  const random = seeded("scan, one segment");
  const places = new Places();
  const kept = new Set<number>();
  for (let i = 0; i < 60; i++) kept.add(places.add(random.below(2 ** 32) | 0));
  const missing = new Set(kept);
  let cursor = 0;
  for (let steps = 1; ; steps++) {
    cursor = places.index.scan(cursor, 1, (position) => missing.delete(position));
    if (cursor === 0) break;
    expect(steps).toBeLessThan(3000);
    const target = steps % 2 === 0 ? 60 : 3000;
    while (places.size < target) places.add(random.below(2 ** 32) | 0);
    while (places.size > target) places.removeAt(random.below(places.size), kept);
  }
  expect(missing.size).toBe(0);
});

test("any number is taken for a cursor", () => {
  const random = seeded("scan, cursors");
  const places = new Places();
  for (let i = 0; i < 5000; i++) places.add(random.below(2 ** 32) | 0);
  for (let i = 0; i < 5000; i++) {
    let cursor = random.pick([random.below(2 ** 31), random.below(2 ** 31) * 2 ** random.below(22)]);
    for (let steps = 0; ; steps++) {
      cursor = places.index.scan(cursor, 2000, () => {});
      if (cursor === 0) break;
      if (steps > 10) throw new Error("the scan does not end");
    }
  }
});
