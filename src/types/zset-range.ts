import { parseDoubleLenient } from "../bytes/double.ts";
import type { SortedSet } from "../encodings/sorted-set.ts";

/**
 * Ranges of a sorted set as commands give them, and the ranks they come to: [from, to).
 *
 *   indexes   0 -1          from the end where negative
 *   scores    1.5 (2  -inf  a bound behind "(" is not in the range
 *   members   [a (b - +     with "[" it is, with "(" not; "-" and "+" are below and above every member
 */

const PAREN = 0x28;
const BRACKET = 0x5b;
const PLUS = 0x2b;
const MINUS = 0x2d;

export class ZsetRange {
  /** The ranks that belong to the range: from <= rank < to. */
  from = 0;
  to = 0;
  private min = 0;
  private max = 0;
  private minOpen = false;
  private maxOpen = false;
  private readonly low = new MemberBound();
  private readonly high = new MemberBound();

  get count(): number {
    return this.to - this.from;
  }

  byIndex(size: number, start: number, stop: number): void {
    this.from = Math.max(0, start < 0 ? start + size : start);
    this.to = Math.min(size, (stop < 0 ? stop + size : stop) + 1);
    if (this.to < this.from) this.to = this.from;
  }

  /** Reads the lower bound of a range of scores; false if it is none. */
  minScore(buf: Uint8Array, start: number, end: number): boolean {
    this.minOpen = start < end && buf[start] === PAREN;
    this.min = parseDoubleLenient(buf, this.minOpen ? start + 1 : start, end);
    return !Number.isNaN(this.min);
  }

  maxScore(buf: Uint8Array, start: number, end: number): boolean {
    this.maxOpen = start < end && buf[start] === PAREN;
    this.max = parseDoubleLenient(buf, this.maxOpen ? start + 1 : start, end);
    return !Number.isNaN(this.max);
  }

  /** Scores from `min` up to but without `max`. */
  setScores(min: number, max: number): void {
    this.min = min;
    this.max = max;
    this.minOpen = false;
    this.maxOpen = true;
  }

  byScore(set: SortedSet): void {
    this.from = set.rankOfScore(this.min, this.minOpen);
    this.to = Math.max(this.from, set.rankOfScore(this.max, !this.maxOpen));
  }

  minMember(buf: Uint8Array, start: number, end: number): boolean {
    return this.low.read(buf, start, end);
  }

  maxMember(buf: Uint8Array, start: number, end: number): boolean {
    return this.high.read(buf, start, end);
  }

  byMember(set: SortedSet): void {
    this.from = this.low.rank(set, false);
    this.to = Math.max(this.from, this.high.rank(set, true));
  }

  /** LIMIT: leaves out `offset` entries (from the end with `reverse`) and keeps `limit` (negative: all). */
  limit(offset: number, limit: number, reverse: boolean): void {
    const count = offset < 0 ? 0 : Math.max(0, this.count - offset);
    const kept = limit < 0 ? count : Math.min(count, limit);
    if (reverse) {
      this.to -= Math.min(Math.max(offset, 0), this.count);
      this.from = this.to - kept;
    } else {
      this.from += Math.min(Math.max(offset, 0), this.count);
      this.to = this.from + kept;
    }
  }
}

class MemberBound {
  /** -1: below every member, 1: above, 0: at the bytes. */
  private side = 0;
  private open = false;
  private buf: Uint8Array = EMPTY;
  private start = 0;
  private end = 0;

  read(buf: Uint8Array, start: number, end: number): boolean {
    if (start >= end) return false;
    const first = buf[start]!;
    if (first === PLUS || first === MINUS) {
      this.side = first === PLUS ? 1 : -1;
      // C sees the end of the text at a NUL byte.
      return end - start === 1 || buf[start + 1] === 0;
    }
    this.side = 0;
    this.open = first === PAREN;
    this.buf = buf;
    this.start = start + 1;
    this.end = end;
    return first === PAREN || first === BRACKET;
  }

  /** How many members lie before the range (`upper` false), or before its end. */
  rank(set: SortedSet, upper: boolean): number {
    if (this.side !== 0) return this.side < 0 ? 0 : set.size;
    return set.rankOfMember(this.buf, this.start, this.end, upper !== this.open);
  }
}

const EMPTY = new Uint8Array(0);
