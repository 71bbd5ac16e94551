import { MAX_DOUBLE_TEXT, parseDouble, writeDouble } from "../bytes/double.ts";
import { highHalf, lowHalf } from "../bytes/int64.ts";
import type { ByteStore } from "../memory/byte-store.ts";
import {
  LpItem,
  lpAppend,
  lpCreate,
  lpDelete,
  lpGet,
  lpInsert,
  lpInsertInt,
  lpLength,
  lpNext,
  lpPrev,
  lpReplace,
  lpReplaceInt,
  lpSeek,
} from "./listpack.ts";
import type { SortedSet } from "./sorted-set.ts";
import { compareRanges } from "./sorted-set-cells.ts";
import { findMember, walk, walked } from "./sorted-set-walk.ts";

/**
 * A small sorted set: a listpack of pairs in order, byte for byte as in Redis.
 *
 *   [member][score] [member][score] ...
 *
 * A score is an integer entry where it is a whole number up to 2^62 (so -0 becomes 0), else its text. To find a
 * place one walk over the listpack notes where the members stand (sorted-set-walk.ts), and a binary search among
 * those reads the few scores it needs.
 */
export class ListpackSortedSet implements SortedSet {
  private store!: ByteStore;
  private at = 0;
  /** The entry that `scoreOf` has found last. */
  private found = 0;
  private readonly item = new LpItem();

  /** Stands for this listpack from now on. */
  bind(store: ByteStore): this {
    this.store = store;
    this.at = 0;
    if (walked.by === this) walked.by = null;
    return this;
  }

  /** Makes the store an empty sorted set and stands for it. */
  create(store: ByteStore): this {
    lpCreate(store);
    return this.bind(store);
  }

  get size(): number {
    return lpLength(this.store) >>> 1;
  }

  get bytes(): number {
    return this.store.end - this.store.start;
  }

  get buf(): Uint8Array {
    return this.item.buf;
  }

  get start(): number {
    return this.item.start;
  }

  get end(): number {
    return this.item.end;
  }

  get score(): number {
    return scoreAt(this.store, lpNext(this.store, this.at));
  }

  scoreOf(buf: Uint8Array, start: number, end: number): number {
    const rank = findMember(this.store, buf, start, end);
    if (rank < 0) {
      this.found = 0;
      walked.by = this;
      return Number.NaN;
    }
    this.found = walked.places[rank]!;
    return scoreAt(this.store, lpNext(this.store, this.found));
  }

  rankOf(buf: Uint8Array, start: number, end: number): number {
    return findMember(this.store, buf, start, end);
  }

  insert(score: number, buf: Uint8Array, start: number, end: number): void {
    const { store } = this;
    // Where `scoreOf` has just looked for the member in vain, all places are known.
    const count = walked.by === this ? walked.count : walk(store);
    walked.by = null;
    const { places } = walked;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = scoreAt(store, lpNext(store, places[middle]!));
      if (other < score || (other === score && this.compare(places[middle]!, buf, start, end) < 0))
        low = middle + 1;
      else high = middle;
    }
    if (low === count) {
      lpAppend(store, buf, start, end);
      insertScore(store, 0, score);
    } else {
      const at = lpInsert(store, places[low]!, buf, start, end);
      insertScore(store, lpNext(store, at), score);
    }
  }

  rescore(score: number, buf: Uint8Array, start: number, end: number): void {
    const { store } = this;
    const at = this.found;
    const before = lpPrev(store, at);
    const after = lpNext(store, lpNext(store, at));
    if (
      (before === 0 || scoreAt(store, before) < score) &&
      (after === 0 || scoreAt(store, lpNext(store, after)) > score)
    ) {
      replaceScore(store, lpNext(store, at), score);
      return;
    }
    lpDelete(store, at, 2);
    this.insert(score, buf, start, end);
  }

  remove(buf: Uint8Array, start: number, end: number): boolean {
    const rank = findMember(this.store, buf, start, end);
    if (rank < 0) return false;
    lpDelete(this.store, walked.places[rank]!, 2);
    return true;
  }

  removeRange(rank: number, count: number): void {
    walked.by = null;
    if (count > 0) lpDelete(this.store, lpSeek(this.store, rank * 2), count * 2);
  }

  rankOfScore(score: number, orEqual: boolean): number {
    let low = 0;
    let high = walk(this.store);
    const { places } = walked;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = scoreAt(this.store, lpNext(this.store, places[middle]!));
      if (other < score || (orEqual && other === score)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  rankOfMember(buf: Uint8Array, start: number, end: number, orEqual: boolean): number {
    const limit = orEqual ? 1 : 0;
    let low = 0;
    let high = walk(this.store);
    const { places } = walked;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (Math.sign(this.compare(places[middle]!, buf, start, end)) < limit) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  seek(rank: number): void {
    this.goTo(lpSeek(this.store, rank * 2));
  }

  forward(): void {
    this.goTo(lpNext(this.store, lpNext(this.store, this.at)));
  }

  back(): void {
    this.goTo(lpPrev(this.store, lpPrev(this.store, this.at)));
  }

  private goTo(at: number): void {
    this.at = at;
    lpGet(this.store, at, this.item).text();
  }

  private compare(at: number, buf: Uint8Array, start: number, end: number): number {
    lpGet(this.store, at, probe).text();
    return compareRanges(probe.buf, probe.start, probe.end, buf, start, end);
  }
}

const probe = new LpItem();
const text = new Uint8Array(MAX_DOUBLE_TEXT);
/** Scores that are whole numbers up to this are integers in a listpack. */
const MAX_INTEGER = 2 ** 62;

function scoreAt(store: ByteStore, at: number): number {
  lpGet(store, at, probe);
  return probe.isInt ? probe.number() : parseDouble(probe.buf, probe.start, probe.end);
}

function isWhole(score: number): boolean {
  return Math.floor(score) === score && Math.abs(score) <= MAX_INTEGER;
}

function insertScore(store: ByteStore, at: number, score: number): void {
  if (isWhole(score)) lpInsertInt(store, at, lowHalf(score), highHalf(score));
  else lpInsert(store, at, text, 0, writeDouble(text, 0, score));
}

function replaceScore(store: ByteStore, at: number, score: number): void {
  if (isWhole(score)) lpReplaceInt(store, at, lowHalf(score), highHalf(score));
  else lpReplace(store, at, text, 0, writeDouble(text, 0, score));
}
