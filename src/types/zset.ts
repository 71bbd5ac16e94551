import { LP_MAX_BYTES } from "../encodings/listpack.ts";
import type { SortedSet } from "../encodings/sorted-set.ts";
import { SortedSetIndex } from "../encodings/sorted-set-index.ts";
import { ListpackSortedSet } from "../encodings/sorted-set-listpack.ts";
import type { ByteStore } from "../memory/byte-store.ts";

/**
 * A sorted set that is being changed, in whichever encoding it is: a listpack as long as it has few and short
 * members, an index from then on (never back). Whoever owns the listpack's bytes asks with `converted` whether
 * an index has to take their place.
 */

/** Live configuration values. */
export interface ZsetLimits {
  readonly zsetMaxListpackEntries: number;
  readonly zsetMaxListpackValue: number;
}

/** Conditions of ZADD, as bits. */
export const NX = 1;
export const XX = 2;
export const GT = 4;
export const LT = 8;
/** The score given is added to the one there is. */
export const INCR = 16;

export type AddOutcome = "added" | "updated" | "same" | "refused" | "nan";

export class Zset {
  set: SortedSet;
  private readonly small = new ListpackSortedSet();
  /** The set where it is an index, else null. */
  index: SortedSetIndex | null = null;
  /** The listpack has become an index, which its owner has not taken over yet. */
  private pending = false;
  /** The score that `add` has given or found. */
  score = 0;

  /** `random` gives 32-bit integers, the seeds of new indexes. */
  constructor(
    private readonly limits: ZsetLimits,
    private readonly random: () => number,
  ) {
    this.set = this.small;
  }

  get size(): number {
    return this.set.size;
  }

  bindListpack(store: ByteStore): this {
    this.set = this.small.bind(store);
    this.index = null;
    this.pending = false;
    return this;
  }

  bindIndex(index: SortedSetIndex): this {
    this.set = this.index = index;
    this.pending = false;
    return this;
  }

  /** Makes the store an empty listpack. */
  create(store: ByteStore): this {
    this.small.create(store);
    return this.bindListpack(store);
  }

  newIndex(): SortedSetIndex {
    return new SortedSetIndex(this.random(), this.random());
  }

  /** Whether a new set is an index from the beginning: to get so many members, the first one so long. */
  startsAsIndex(members: number, length: number): boolean {
    const { zsetMaxListpackEntries, zsetMaxListpackValue } = this.limits;
    return members > zsetMaxListpackEntries || length > zsetMaxListpackValue;
  }

  /** The index that has to take the listpack's place, or null. */
  get converted(): SortedSetIndex | null {
    return this.pending ? this.index : null;
  }

  /** As many members are about to be added. */
  expect(members: number): void {
    if (members > this.limits.zsetMaxListpackEntries) this.convert();
  }

  private convert(): void {
    if (this.index !== null) return;
    const index = this.newIndex();
    copyEntries(this.set, index);
    this.set = this.index = index;
    this.pending = true;
  }

  /** Adds a member or changes its score, as the conditions allow; a score that would be NaN changes nothing. */
  add(score: number, flags: number, buf: Uint8Array, start: number, end: number): AddOutcome {
    const old = this.set.scoreOf(buf, start, end);
    if (Number.isNaN(old)) {
      if ((flags & XX) !== 0) return "refused";
      this.score = score;
      this.insert(score, buf, start, end);
      return "added";
    }
    this.score = old;
    if ((flags & NX) !== 0) return "refused";
    if ((flags & INCR) !== 0) {
      score += old;
      if (Number.isNaN(score)) return "nan";
    }
    if (((flags & LT) !== 0 && score >= old) || ((flags & GT) !== 0 && score <= old)) return "refused";
    this.score = score;
    if (score === old) return "same";
    this.set.rescore(score, buf, start, end);
    return "updated";
  }

  /** Adds a member that is not there. */
  insert(score: number, buf: Uint8Array, start: number, end: number): void {
    if (this.index === null) {
      const { zsetMaxListpackEntries, zsetMaxListpackValue } = this.limits;
      const length = end - start;
      if (
        this.small.size >= zsetMaxListpackEntries ||
        length > zsetMaxListpackValue ||
        this.small.bytes + length > LP_MAX_BYTES
      )
        this.convert();
    }
    this.set.insert(score, buf, start, end);
  }

  /** Whether a set built as an index is to be kept as a listpack. */
  fitsListpack(set: SortedSet): boolean {
    const { zsetMaxListpackEntries, zsetMaxListpackValue } = this.limits;
    const { size } = set;
    if (size > zsetMaxListpackEntries) return false;
    let bytes = 0;
    for (let rank = 0; rank < size; rank++) {
      if (rank === 0) set.seek(0);
      else set.forward();
      const length = set.end - set.start;
      if (length > zsetMaxListpackValue) return false;
      bytes += length;
    }
    return bytes < LP_MAX_BYTES;
  }

  /** Fills a store with the listpack of this set. */
  copyToListpack(set: SortedSet, store: ByteStore): void {
    copyEntries(set, this.small.create(store));
  }
}

/** Adds all entries of one set to another that has none of them. */
export function copyEntries(from: SortedSet, to: SortedSet): void {
  const { size } = from;
  for (let rank = 0; rank < size; rank++) {
    if (rank === 0) from.seek(0);
    else from.forward();
    to.insert(from.score, from.buf, from.start, from.end);
  }
}
