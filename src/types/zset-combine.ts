import type { SortedSet } from "../encodings/sorted-set.ts";
import type { SortedSetIndex } from "../encodings/sorted-set-index.ts";

/**
 * Union, intersection and difference of sorted sets, and of sets, whose members count as having score 1.
 *
 * Redis's rules for scores: each is multiplied by its set's weight, a NaN from that is 0 in the first set, a
 * NaN from a sum (inf - inf) is 0. Sets come in the order of their sizes, which decides the rounding of sums.
 */

/** What can be combined: members with scores, to be gone through and to be asked for. */
export interface Source {
  readonly size: number;
  /** The same for two sources over the same key. */
  readonly key: number;
  /** The entry that `next` has come to. */
  readonly buf: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly score: number;
  /** Before the first entry. */
  rewind(): void;
  /** To the next entry; false at the end. */
  next(): boolean;
  /** A member's score, or NaN. */
  scoreOf(buf: Uint8Array, start: number, end: number): number;
}

export class SortedSetSource implements Source {
  private rank = -1;

  constructor(
    readonly key: number,
    private readonly set: SortedSet,
  ) {}

  get size(): number {
    return this.set.size;
  }

  get buf(): Uint8Array {
    return this.set.buf;
  }

  get start(): number {
    return this.set.start;
  }

  get end(): number {
    return this.set.end;
  }

  get score(): number {
    return this.set.score;
  }

  rewind(): void {
    this.rank = -1;
  }

  next(): boolean {
    if (++this.rank >= this.set.size) return false;
    if (this.rank === 0) this.set.seek(0);
    else this.set.forward();
    return true;
  }

  scoreOf(buf: Uint8Array, start: number, end: number): number {
    return this.set.scoreOf(buf, start, end);
  }
}

/** A key that does not exist. */
export const EMPTY_SOURCE: Source = {
  size: 0,
  key: 0,
  buf: new Uint8Array(0),
  start: 0,
  end: 0,
  score: 0,
  rewind: () => {},
  next: () => false,
  scoreOf: () => Number.NaN,
};

/** "count" adds up weights, whatever the scores: in how many sets a member is (Redis 8.8). */
export type Aggregate = "sum" | "min" | "max" | "count";

/** A source with its weight. */
export interface Weighted {
  readonly source: Source;
  weight: number;
}

function aggregated(aggregate: Aggregate, target: number, value: number): number {
  // By comparison: a NaN, or a zero of the other sign, leaves the target as it is.
  if (aggregate === "min" && value < target) return value;
  if (aggregate === "max" && value > target) return value;
  if (aggregate === "min" || aggregate === "max") return target;
  const sum = target + value;
  return Number.isNaN(sum) ? 0 : sum;
}

function bySize(inputs: readonly Weighted[]): Weighted[] {
  return [...inputs].sort((a, b) => a.source.size - b.source.size);
}

function weighted(input: Weighted, aggregate: Aggregate): number {
  if (aggregate === "count") return input.weight;
  const score = input.weight * input.source.score;
  return Number.isNaN(score) ? 0 : score;
}

/** Puts the union into `result`, which is empty. */
export function unite(inputs: readonly Weighted[], aggregate: Aggregate, result: SortedSetIndex): void {
  for (const input of bySize(inputs)) {
    const { source } = input;
    for (source.rewind(); source.next(); ) {
      const { buf, start, end } = source;
      const score = weighted(input, aggregate);
      const old = result.scoreOf(buf, start, end);
      if (Number.isNaN(old)) result.insert(score, buf, start, end);
      else result.rescore(aggregated(aggregate, old, score));
    }
  }
}

/** Puts the intersection into `result`, which is empty. */
export function intersect(inputs: readonly Weighted[], aggregate: Aggregate, result: SortedSetIndex): void {
  const [first, ...others] = bySize(inputs) as [Weighted, ...Weighted[]];
  const { source } = first;
  for (source.rewind(); source.next(); ) {
    const { buf, start, end } = source;
    let score = weighted(first, aggregate);
    for (const other of others) {
      const value = other.source.scoreOf(buf, start, end);
      const more = aggregate === "count" ? other.weight : value * other.weight;
      score = Number.isNaN(value) ? Number.NaN : aggregated(aggregate, score, more);
      if (Number.isNaN(score)) break;
    }
    if (!Number.isNaN(score)) result.insert(score, buf, start, end);
  }
}

/** The size of the intersection, not counted beyond `limit` (0: no limit). */
export function intersectionSize(inputs: readonly Weighted[], limit: number): number {
  const [first, ...others] = bySize(inputs) as [Weighted, ...Weighted[]];
  const { source } = first;
  let count = 0;
  for (source.rewind(); source.next(); ) {
    const { buf, start, end } = source;
    if (others.some((other) => Number.isNaN(other.source.scoreOf(buf, start, end)))) continue;
    if (++count === limit) break;
  }
  return count;
}

/** Puts the members of the first input that are in no other one into `result`, which is empty. */
export function subtract(inputs: readonly Weighted[], result: SortedSetIndex): void {
  const [first, ...others] = inputs.map((input) => input.source) as [Source, ...Source[]];
  if (first.size === 0 || others.some((other) => other.key === first.key)) return;
  // Either every member of the first is looked for in the others, or every member of the others in the result.
  const total = inputs.reduce((sum, input) => sum + input.source.size, 0);
  if ((first.size * inputs.length) / 2 <= total) {
    others.sort((a, b) => b.size - a.size);
    for (first.rewind(); first.next(); ) {
      const { buf, start, end, score } = first;
      if (others.every((other) => Number.isNaN(other.scoreOf(buf, start, end))))
        result.insert(score, buf, start, end);
    }
    return;
  }
  for (first.rewind(); first.next(); ) result.insert(first.score, first.buf, first.start, first.end);
  for (const other of others)
    for (other.rewind(); result.size > 0 && other.next(); ) result.remove(other.buf, other.start, other.end);
}
