/** One suite for both encodings of a sorted set, beside a plain model. */
import { describe, expect, test } from "bun:test";
import { compareBytes } from "../../../src/bytes/ascii.ts";
import { lpValidate } from "../../../src/encodings/listpack.ts";
import type { SortedSet } from "../../../src/encodings/sorted-set.ts";
import { SortedSetIndex } from "../../../src/encodings/sorted-set-index.ts";
import { ListpackSortedSet } from "../../../src/encodings/sorted-set-listpack.ts";
import { OwnBytes } from "../../../src/memory/byte-store.ts";
import { bytesOf, type Random, seeded } from "../bytes/random.ts";

/** Scores by member (latin1), and the order found by sorting. */
class Model {
  readonly scores = new Map<string, number>();

  ordered(): [string, number][] {
    return [...this.scores].sort(
      ([a, x], [b, y]) => (x === y ? 0 : x < y ? -1 : 1) || compareBytes(bytesOf(a), bytesOf(b)),
    );
  }
}

function contents(set: SortedSet, backwards = false): [string, number][] {
  const found: [string, number][] = [];
  for (let i = 0; i < set.size; i++) {
    if (i === 0) set.seek(backwards ? set.size - 1 : 0);
    else if (backwards) set.back();
    else set.forward();
    found.push([latin1(set.buf.subarray(set.start, set.end)), set.score]);
  }
  return backwards ? found.reverse() : found;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

interface Form {
  name: string;
  make(): SortedSet;
  /** Members at most, so that the runs stay short. */
  limit: number;
  check(set: SortedSet): void;
}

const stores = new WeakMap<SortedSet, OwnBytes>();

const forms: Form[] = [
  {
    name: "listpack",
    limit: 200,
    make() {
      const store = new OwnBytes();
      const set = new ListpackSortedSet().create(store);
      stores.set(set, store);
      return set;
    },
    check(set) {
      expect(lpValidate(stores.get(set)!)).toBe(true);
    },
  },
  { name: "index", limit: 6000, make: () => new SortedSetIndex(1, 2), check: () => {} },
];

const SCORES = [
  0,
  1,
  1,
  2,
  -1,
  0.5,
  1e100,
  -1e-7,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** 62,
  2 ** 40,
];

function randomMember(random: Random): Uint8Array<ArrayBuffer> {
  switch (random.below(12)) {
    case 0:
      return random.bytes(random.below(300), "ab");
    case 1:
      return bytesOf(String(random.below(2000) - 1000));
    case 2:
      return random.bytes(random.below(4));
    default:
      return bytesOf(`member:${random.below(5000)}`);
  }
}

function randomScore(random: Random): number {
  if (random.below(3) === 0) return random.pick(SCORES);
  return random.below(2) === 0 ? random.below(50) : random.below(1e6) / 64;
}

for (const form of forms) {
  describe(`sorted set as ${form.name}`, () => {
    test("random operations agree with a model", () => {
      const random = seeded(`sorted set ${form.name}`);
      for (const [steps, limit] of [
        [3000, 60],
        [form.limit * 5, form.limit],
      ] as const) {
        const model = new Model();
        const set = form.make();
        let growing = true;
        for (let step = 0; step < steps; step++) {
          if (model.scores.size >= limit) growing = false;
          if (model.scores.size === 0) growing = true;
          const member = randomMember(random);
          const text = latin1(member);
          const known = model.scores.get(text);
          expect(set.scoreOf(member, 0, member.length)).toBe(known ?? Number.NaN);
          if (growing || random.below(3) === 0) {
            const score = randomScore(random);
            if (known === undefined) set.insert(score, member, 0, member.length);
            else set.rescore(score, member, 0, member.length);
            model.scores.set(text, score);
          } else if (random.below(20) === 0) {
            const from = random.below(model.scores.size);
            const count = Math.min(random.below(limit / 10), model.scores.size - from);
            for (const [gone] of model.ordered().slice(from, from + count)) model.scores.delete(gone);
            set.removeRange(from, count);
          } else {
            const victim =
              known === undefined && model.scores.size > 0 && random.below(2) === 0
                ? model.ordered()[random.below(model.scores.size)]![0]
                : text;
            const bytes = bytesOf(victim);
            expect(set.remove(bytes, 0, bytes.length)).toBe(model.scores.delete(victim));
          }
          expect(set.size).toBe(model.scores.size);
          if (step % Math.ceil(steps / 60) === 0) {
            form.check(set);
            const ordered = model.ordered();
            expect(contents(set)).toEqual(ordered);
            expect(contents(set, true)).toEqual(ordered);
            for (let i = 0; i < 20 && ordered.length > 0; i++) {
              const at = random.below(ordered.length);
              const [name, score] = ordered[at]!;
              const bytes = bytesOf(name);
              expect(set.rankOf(bytes, 0, bytes.length)).toBe(at);
              set.seek(at);
              expect([latin1(set.buf.subarray(set.start, set.end)), set.score]).toEqual([name, score]);
              const bound = random.below(2) === 0 ? score : randomScore(random);
              expect(set.rankOfScore(bound, false)).toBe(ordered.filter(([, s]) => s < bound).length);
              expect(set.rankOfScore(bound, true)).toBe(ordered.filter(([, s]) => s <= bound).length);
            }
          }
        }
      }
    });

    test("ranks of members where all scores are the same", () => {
      const random = seeded(`sorted set lex ${form.name}`);
      const set = form.make();
      const members = new Set<string>();
      while (members.size < form.limit / 2) {
        const member = randomMember(random);
        if (members.has(latin1(member))) continue;
        members.add(latin1(member));
        set.insert(0, member, 0, member.length);
      }
      const ordered = [...members].map(bytesOf).sort(compareBytes);
      for (let i = 0; i < 200; i++) {
        const bound = random.below(2) === 0 ? random.pick(ordered) : randomMember(random);
        const below = ordered.filter((m) => compareBytes(m, bound) < 0).length;
        const upTo = ordered.filter((m) => compareBytes(m, bound) <= 0).length;
        expect(set.rankOfMember(bound, 0, bound.length, false)).toBe(below);
        expect(set.rankOfMember(bound, 0, bound.length, true)).toBe(upTo);
      }
    });
  });
}

describe("sorted set index", () => {
  test("ascending, descending and removed from either end", () => {
    for (const direction of [1, -1]) {
      const set = new SortedSetIndex(3, 4);
      const count = 30_000;
      for (let i = 0; i < count; i++) {
        const member = bytesOf(`m${i}`);
        set.insert(i * direction, member, 0, member.length);
      }
      expect(set.size).toBe(count);
      // Leaves filled in order stay full: 12 bytes a member, beside its cell and its slot.
      expect(set.memoryUse / count).toBeLessThan(70);
      for (let i = 0; i < count; i += 997) {
        const member = bytesOf(`m${i}`);
        expect(set.rankOf(member, 0, member.length)).toBe(direction > 0 ? i : count - 1 - i);
      }
      for (let i = 0; i < count; i++) set.removeRange(i % 2 === 0 ? 0 : set.size - 1, 1);
      expect(set.size).toBe(0);
      expect(set.memoryUse).toBeLessThan(2 << 20);
      set.insert(1, bytesOf("again"), 0, 5);
      expect(contents(set)).toEqual([["again", 1]]);
    }
  });

  test("members longer than a cell or a page", () => {
    const set = new SortedSetIndex(3, 4);
    const lengths = [0, 1, 6, 7, 254, 255, 256, 32754, 32755, 32756, 100_000, 1_000_000];
    const members = lengths.map((length, i) => new Uint8Array(length).fill(i));
    for (const [i, member] of members.entries()) set.insert(-i, member, 0, member.length);
    for (const [i, member] of members.entries()) {
      expect(set.scoreOf(member, 0, member.length)).toBe(-i);
      const rank = members.length - 1 - i;
      expect(set.rankOf(member, 0, member.length)).toBe(rank);
      set.seek(rank);
      expect(compareBytes(set.buf.subarray(set.start, set.end), member)).toBe(0);
    }
    const copy = set.clone();
    for (const member of members) expect(set.remove(member, 0, member.length)).toBe(true);
    expect(set.size).toBe(0);
    expect(set.memoryUse).toBeLessThan(1 << 20);
    for (const [i, member] of members.entries()) expect(copy.scoreOf(member, 0, member.length)).toBe(-i);
    copy.dispose();
    set.dispose();
  });

  test("a copy shares nothing with its original", () => {
    const set = new SortedSetIndex(5, 6);
    for (let i = 0; i < 5000; i++) set.insert(i % 100, bytesOf(`m${i}`), 0, `m${i}`.length);
    const before = contents(set);
    const copy = set.clone();
    expect(copy.memoryUse).toBe(set.memoryUse);
    for (let i = 0; i < 5000; i += 2) set.remove(bytesOf(`m${i}`), 0, `m${i}`.length);
    for (let i = 0; i < 500; i++) set.insert(i, bytesOf(`n${i}`), 0, `n${i}`.length);
    expect(contents(copy)).toEqual(before);
  });

  test("a scan visits what is there from beginning to end, while the set grows and shrinks", () => {
    const random = seeded("sorted set scan");
    for (const [start, change] of [
      [300, 400],
      [2000, 40_000],
      [40_000, -39_000],
    ] as const) {
      const set = new SortedSetIndex(random.below(1e9), random.below(1e9));
      const stays = new Set<string>();
      const goes: string[] = [];
      for (let i = 0; i < start; i++) {
        const name = `m${i}`;
        set.insert(i, bytesOf(name), 0, name.length);
        if (change < 0 && i < -change) goes.push(name);
        else stays.add(name);
      }
      const seen = new Map<string, number>();
      let cursor = 0;
      let calls = 0;
      let added = 0;
      do {
        cursor = set.scan(cursor, 1 + random.below(30), (_score, buf, from, to) => {
          const name = latin1(buf.subarray(from, to));
          seen.set(name, (seen.get(name) ?? 0) + 1);
        });
        const steps = Math.ceil((Math.abs(change) / start) * 50);
        for (let i = 0; i < steps; i++) {
          const name = change > 0 && added < change ? `n${added++}` : goes.pop();
          if (name === undefined) break;
          if (change > 0) set.insert(0.5, bytesOf(name), 0, name.length);
          else set.remove(bytesOf(name), 0, name.length);
        }
        calls++;
      } while (cursor !== 0);
      expect(calls).toBeGreaterThan(2);
      for (const name of stays) expect(seen.get(name)).toBe(1);
    }
  });
});
