/** ZADD's rules on both encodings and across the conversion, ranges, combinations. */
import { describe, expect, test } from "bun:test";
import { compareBytes, latin1Text } from "../../../src/bytes/ascii.ts";
import { lpValidate } from "../../../src/encodings/listpack.ts";
import type { SortedSet } from "../../../src/encodings/sorted-set.ts";
import { SortedSetIndex } from "../../../src/encodings/sorted-set-index.ts";
import { ListpackSortedSet } from "../../../src/encodings/sorted-set-listpack.ts";
import { OwnBytes } from "../../../src/memory/byte-store.ts";
import { type AddOutcome, GT, INCR, LT, NX, XX, Zset } from "../../../src/types/zset.ts";
import {
  type Aggregate,
  EMPTY_SOURCE,
  intersect,
  intersectionSize,
  SortedSetSource,
  type Source,
  subtract,
  unite,
} from "../../../src/types/zset-combine.ts";
import { ZsetRange } from "../../../src/types/zset-range.ts";
import { scanScoreText } from "../../../src/types/zset-scan-text.ts";
import { bytesOf, type Random, seeded } from "../bytes/random.ts";

type Entries = [string, number][];

function sorted(scores: Map<string, number>): Entries {
  return [...scores].sort(
    ([a, x], [b, y]) => (x === y ? 0 : x < y ? -1 : 1) || compareBytes(bytesOf(a), bytesOf(b)),
  );
}

function contents(set: SortedSet): Entries {
  return Array.from({ length: set.size }, (_, rank) => {
    if (rank === 0) set.seek(0);
    else set.forward();
    return [latin1Text(set.buf, set.start, set.end), set.score];
  });
}

/** ZADD for one member, on a plain map. */
function addToModel(scores: Map<string, number>, flags: number, score: number, member: string): AddOutcome {
  const old = scores.get(member);
  if (old === undefined) {
    if (flags & XX) return "refused";
    scores.set(member, score);
    return "added";
  }
  if (flags & NX) return "refused";
  const wanted = flags & INCR ? old + score : score;
  if (Number.isNaN(wanted)) return "nan";
  if ((flags & GT && wanted <= old) || (flags & LT && wanted >= old)) return "refused";
  scores.set(member, wanted);
  return wanted === old ? "same" : "updated";
}

const FLAGS = [0, 0, 0, NX, XX, GT, LT, XX | GT, XX | LT, INCR, INCR | XX, INCR | NX, INCR | GT, INCR | LT];
const SCORES = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1, 1, 2, 0.1, -7.25, 1e20, 2 ** 53];

function randomMember(random: Random): string {
  return random.below(10) === 0 ? "long".repeat(random.below(30)) : `m${random.below(400)}`;
}

describe("adding", () => {
  for (const [entries, length] of [
    [0, 64],
    [1e9, 1e9],
    [128, 64],
    [20, 8],
  ] as const) {
    test(`as ZADD does, listpacks up to ${entries} members of ${length} bytes`, () => {
      const random = seeded(`zset ${entries} ${length}`);
      const limits = { zsetMaxListpackEntries: entries, zsetMaxListpackValue: length };
      for (let round = 0; round < 5; round++) {
        const scores = new Map<string, number>();
        const store = new OwnBytes();
        const zset = new Zset(limits, () => random.below(2 ** 32) | 0).create(store);
        let mustBeIndex = false;
        for (let step = 0; step < 1500; step++) {
          const member = randomMember(random);
          const score = random.below(3) === 0 ? random.pick(SCORES) : random.below(100);
          const flags = random.pick(FLAGS);
          const bytes = bytesOf(member);
          const outcome = zset.add(score, flags, bytes, 0, bytes.length);
          expect(outcome).toBe(addToModel(scores, flags, score, member));
          if (outcome === "added" || outcome === "updated" || outcome === "same")
            expect(zset.score).toBe(scores.get(member)!);
          if (outcome === "added" && (scores.size > entries || member.length > length)) mustBeIndex = true;
          expect(zset.converted !== null).toBe(mustBeIndex);
          expect(zset.size).toBe(scores.size);
        }
        expect(contents(zset.set)).toEqual(sorted(scores));
        if (!mustBeIndex) expect(lpValidate(store)).toBe(true);
      }
    });
  }

  test("a set for many or long members begins as an index", () => {
    const zset = new Zset({ zsetMaxListpackEntries: 4, zsetMaxListpackValue: 8 }, () => 1);
    expect(zset.startsAsIndex(4, 8)).toBe(false);
    expect(zset.startsAsIndex(5, 1)).toBe(true);
    expect(zset.startsAsIndex(1, 9)).toBe(true);
    zset.create(new OwnBytes());
    zset.expect(4);
    expect(zset.converted).toBeNull();
    zset.expect(5);
    expect(zset.converted).not.toBeNull();
  });

  test("a result is kept as a listpack where the limits allow", () => {
    const zset = new Zset({ zsetMaxListpackEntries: 3, zsetMaxListpackValue: 4 }, () => 1);
    const result = zset.newIndex();
    const add = (member: string, score: number) => result.insert(score, bytesOf(member), 0, member.length);
    add("aaaa", 2);
    add("b", 1);
    add("c", Number.POSITIVE_INFINITY);
    expect(zset.fitsListpack(result)).toBe(true);
    const store = new OwnBytes();
    zset.copyToListpack(result, store);
    expect(contents(new ListpackSortedSet().bind(store))).toEqual([
      ["b", 1],
      ["aaaa", 2],
      ["c", Number.POSITIVE_INFINITY],
    ]);
    result.remove(bytesOf("c"), 0, 1);
    add("ddddd", 0);
    expect(zset.fitsListpack(result)).toBe(false);
    result.remove(bytesOf("ddddd"), 0, 5);
    add("d", 0);
    expect(zset.fitsListpack(result)).toBe(true);
    add("e", 0);
    expect(zset.fitsListpack(result)).toBe(false);
  });
});

function smallSet(entries: Entries): SortedSet {
  const set = new ListpackSortedSet().create(new OwnBytes());
  for (const [member, score] of entries) set.insert(score, bytesOf(member), 0, member.length);
  return set;
}

function bigSet(entries: Entries): SortedSet {
  const set = new SortedSetIndex(7, 8);
  for (const [member, score] of entries) set.insert(score, bytesOf(member), 0, member.length);
  return set;
}

describe("ranges", () => {
  const range = new ZsetRange();
  const set = smallSet([
    ["a", 1],
    ["b", 2],
    ["c", 2],
    ["d", 3],
    ["e", Number.POSITIVE_INFINITY],
  ]);

  function byScore(min: string, max: string): [number, number] | null {
    const read = range.minScore(bytesOf(min), 0, min.length) && range.maxScore(bytesOf(max), 0, max.length);
    if (!read) return null;
    range.byScore(set);
    return [range.from, range.to];
  }

  test("of scores", () => {
    expect(byScore("-inf", "+inf")).toEqual([0, 5]);
    expect(byScore("2", "2")).toEqual([1, 3]);
    expect(byScore("(2", "3")).toEqual([3, 4]);
    expect(byScore("1", "(2")).toEqual([0, 1]);
    expect(byScore("(2", "(2")).toEqual([3, 3]);
    expect(byScore("3", "1")).toEqual([3, 3]);
    expect(byScore("", "(")).toEqual([0, 0]);
    expect(byScore("x", "1")).toBeNull();
    expect(byScore("1", "nan")).toBeNull();
  });

  test("of indexes", () => {
    const at = (start: number, stop: number) => {
      range.byIndex(5, start, stop);
      return [range.from, range.to];
    };
    expect(at(0, -1)).toEqual([0, 5]);
    expect(at(-2, 100)).toEqual([3, 5]);
    expect(at(-100, 1)).toEqual([0, 2]);
    expect(at(3, 1)).toEqual([3, 3]);
    expect(at(7, 9)).toEqual([7, 7]);
    expect(at(0, -100)).toEqual([0, 0]);
  });

  test("limited, from either end", () => {
    const limited = (offset: number, limit: number, reverse: boolean) => {
      byScore("1", "3");
      range.limit(offset, limit, reverse);
      return [range.from, range.to];
    };
    expect(limited(1, 2, false)).toEqual([1, 3]);
    expect(limited(1, 2, true)).toEqual([1, 3]);
    expect(limited(0, 1, true)).toEqual([3, 4]);
    expect(limited(2, -1, false)).toEqual([2, 4]);
    expect(limited(3, 9, true)).toEqual([0, 1]);
    expect(limited(-1, 2, false)).toEqual([0, 0]);
    expect(limited(9, 2, false)).toEqual([4, 4]);
    expect(limited(1, 0, false)).toEqual([1, 1]);
  });

  test("of members", () => {
    const lex = smallSet(["a", "b", "bb", "c"].map((member) => [member, 0]));
    const at = (min: string, max: string) => {
      const read =
        range.minMember(bytesOf(min), 0, min.length) && range.maxMember(bytesOf(max), 0, max.length);
      if (!read) return null;
      range.byMember(lex);
      return [range.from, range.to];
    };
    expect(at("-", "+")).toEqual([0, 4]);
    expect(at("[b", "(c")).toEqual([1, 3]);
    expect(at("(b", "[c")).toEqual([2, 4]);
    expect(at("+", "-")).toEqual([4, 4]);
    expect(at("[", "(")).toEqual([0, 0]);
    expect(at("+x", "-")).toBeNull();
    expect(at("a", "+")).toBeNull();
    expect(at("", "+")).toBeNull();
  });
});

/** The combination of plain maps, with scores as Redis works them out. */
function combine(
  maps: Map<string, number>[],
  weights: number[],
  aggregate: Aggregate,
  everywhere: boolean,
): Entries {
  const order = maps.map((map, i) => ({ map, weight: weights[i]! })).sort((a, b) => a.map.size - b.map.size);
  const result = new Map<string, number>();
  for (const { map, weight } of order)
    for (const [member, score] of map) {
      if (everywhere && !maps.every((other) => other.has(member))) continue;
      const old = result.get(member);
      // An intersection takes inf * 0 as 0 in its first set only.
      const isZero = Number.isNaN(score * weight) && !(everywhere && old !== undefined);
      const value = isZero ? 0 : score * weight;
      if (old === undefined) result.set(member, value);
      else if (aggregate === "sum") result.set(member, Number.isNaN(old + value) ? 0 : old + value);
      else if (aggregate === "min" ? value < old : value > old) result.set(member, value);
    }
  return sorted(result);
}

test("unions, intersections and differences", () => {
  const random = seeded("zset combine");
  for (let round = 0; round < 150; round++) {
    const maps = Array.from({ length: 1 + random.below(4) }, () => {
      const map = new Map<string, number>();
      const size = random.below(4) === 0 ? 0 : random.below(random.below(3) === 0 ? 300 : 20);
      for (let i = 0; i < size; i++)
        map.set(`m${random.below(size * 2)}`, random.below(5) === 0 ? random.pick(SCORES) : random.below(9));
      return map;
    });
    const inputs = maps.map((map, i) => {
      const entries = [...map];
      const set = random.below(2) === 0 ? smallSet(entries) : bigSet(entries);
      const source: Source = map.size === 0 ? EMPTY_SOURCE : new SortedSetSource(i + 1, set);
      return { source, weight: random.below(3) === 0 ? random.below(5) - 2 : 1 };
    });
    const weights = inputs.map(({ weight }) => weight);
    const aggregate = random.pick<Aggregate>(["sum", "min", "max"]);
    const united = new SortedSetIndex(1, 2);
    unite(inputs, aggregate, united);
    expect(contents(united)).toEqual(combine(maps, weights, aggregate, false));
    const common = combine(maps, weights, aggregate, true);
    const intersected = new SortedSetIndex(1, 2);
    intersect(inputs, aggregate, intersected);
    expect(contents(intersected)).toEqual(common);
    expect(intersectionSize(inputs, 0)).toBe(common.length);
    expect(intersectionSize(inputs, 3)).toBe(Math.min(3, common.length));
    const rest = new SortedSetIndex(1, 2);
    subtract(inputs, rest);
    const [first, ...others] = maps;
    expect(contents(rest)).toEqual(
      sorted(new Map([...first!].filter(([member]) => !others.some((other) => other.has(member))))),
    );
  }
});

test("scores as ZSCAN shows them", () => {
  const texts: [number, string][] = [
    [0, "0"],
    [-0, "-0"],
    [1, "1"],
    [-12.5, "-12.5"],
    [0.1, "0.10000000000000001"],
    [100, "100"],
    [1e16, "10000000000000000"],
    [1e17, "1e+17"],
    [Number(123456789012345678n), "1.2345678901234568e+17"],
    [0.0001, "0.0001"],
    [0.00001, "1.0000000000000001e-05"],
    [-1.5e-5, "-1.5e-05"],
    [5e-324, "4.9406564584124654e-324"],
    [1.7976931348623157e308, "1.7976931348623157e+308"],
    // Exactly half way between two texts of 17 digits: to the even one.
    [1e15 + 0.25, "1000000000000000.2"],
    [1e15 + 0.75, "1000000000000000.8"],
    [Number.POSITIVE_INFINITY, "inf"],
    [Number.NEGATIVE_INFINITY, "-inf"],
  ];
  for (const [score, text] of texts) expect(scanScoreText(score)).toBe(text);
});
