/**
 * What both encodings of a sorted set can do: members, each with a score that is never NaN, in the order of
 * scores and, where those are equal, of members (as memcmp). Ranks count from 0. A range of scores or members
 * is a range of ranks, so counting, reading, removing and LIMIT are the same for all of them.
 *
 * A set has one cursor: `seek`, `forward` and `back` put it on an entry, whose member then is
 * `buf[start, end)`. It is valid until the next change of the set.
 */
export interface SortedSet {
  readonly size: number;
  readonly buf: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** The score of the entry under the cursor. */
  readonly score: number;

  /** A member's score, or NaN if it is not there. */
  scoreOf(buf: Uint8Array, start: number, end: number): number;
  /** A member's rank, or -1. */
  rankOf(buf: Uint8Array, start: number, end: number): number;
  /** Adds a member that is not there. */
  insert(score: number, buf: Uint8Array, start: number, end: number): void;
  /** Gives the member that `scoreOf` has found just before another score; its bytes are given again. */
  rescore(score: number, buf: Uint8Array, start: number, end: number): void;
  /** Takes a member out; false if it is not there. */
  remove(buf: Uint8Array, start: number, end: number): boolean;
  /** Takes `count` entries out from this rank on; they must be there. */
  removeRange(rank: number, count: number): void;

  /** How many entries have a lower score; with `orEqual` also those with this one. */
  rankOfScore(score: number, orEqual: boolean): number;
  /** How many entries have a lower member, where all have the same score; with `orEqual` also this one. */
  rankOfMember(buf: Uint8Array, start: number, end: number, orEqual: boolean): number;

  /** Puts the cursor on the entry of this rank, which must be there. */
  seek(rank: number): void;
  /** To the next entry; not called on the last one. */
  forward(): void;
  /** To the entry before; not called on the first one. */
  back(): void;
}
