import { releaseInSteps } from "../memory/arena.ts";
import type { BigValue, ValueWatch } from "../memory/objects.ts";
import type { SortedSet } from "./sorted-set.ts";
import { Cells } from "./sorted-set-cells.ts";
import { Members } from "./sorted-set-members.ts";
import { Tree } from "./sorted-set-tree.ts";

/**
 * A big sorted set ("skiplist" for OBJECT ENCODING): cells with scores and members, and two ways to them.
 *
 *   member --hash--> Members (extendible hash table) ---+
 *                                                       +--> cell [score, member]
 *   score, member, rank --> Tree (counting B+-tree) ----+
 *
 * Everything is integers and bytes in slabs that grow one by one, so that no step copies more than a few hundred
 * KiB and the garbage collector sees some thousand objects for ten million members. Per member of 16 bytes it
 * takes about 32 bytes of cell, 13 to 20 of tree and 13 of hash table.
 *
 * A set that has shrunk to a small part of what it was is built anew, once it is small enough for that to take a
 * few milliseconds.
 */

/** JavaScript's own objects for one set, roughly. */
const FIXED_BYTES = 1536;
/** Built anew when it is down to this many entries... */
const REBUILD_SIZE = 8192;
/** ...and holds, beyond the first MiB, more than this many times what they need. */
const REBUILD_FACTOR = 8;
const ENTRY_BYTES = 32;

/** Is told of each member that is added, and of each one before it is given another score or removed. */
export interface SortedSetWatch extends ValueWatch {
  added(cell: number): void;
  changes(cell: number): void;
}

export class SortedSetIndex implements SortedSet, BigValue {
  private cells: Cells;
  private members: Members;
  private tree: Tree;
  private leaf = 0;
  private index = 0;
  /** The cell that `scoreOf` has found last. */
  private found = 0;
  buf: Uint8Array = EMPTY;
  start = 0;
  end = 0;
  watch: SortedSetWatch | null = null;

  /** The seeds are the key of the hash. */
  constructor(
    private readonly seed0: number,
    private readonly seed1: number,
  ) {
    this.cells = new Cells();
    this.members = new Members(seed0, seed1);
    this.tree = new Tree(this.cells);
  }

  get size(): number {
    return this.tree.size;
  }

  get memoryUse(): number {
    return this.cells.heldBytes + this.members.heldBytes + this.tree.heldBytes + FIXED_BYTES;
  }

  private lookUp(buf: Uint8Array, start: number, end: number): number {
    const { members } = this;
    return members.find(this.cells, members.hash(buf, start, end), buf, start, end);
  }

  scoreOf(buf: Uint8Array, start: number, end: number): number {
    const cell = this.lookUp(buf, start, end);
    this.found = cell;
    return cell === 0 ? Number.NaN : this.cells.score(cell);
  }

  rankOf(buf: Uint8Array, start: number, end: number): number {
    const cell = this.lookUp(buf, start, end);
    if (cell === 0) return -1;
    this.tree.find(this.cells.score(cell), cell);
    return this.tree.rank();
  }

  insert(score: number, buf: Uint8Array, start: number, end: number): void {
    const cell = this.cells.add(score, buf, start, end);
    this.members.insert(this.members.hash(buf, start, end), cell);
    this.tree.insert(cell);
    this.watch?.added(cell);
  }

  rescore(score: number): void {
    this.watch?.changes(this.found);
    this.tree.rescore(this.found, score);
  }

  remove(buf: Uint8Array, start: number, end: number): boolean {
    const { cells, members, tree } = this;
    const hash = members.hash(buf, start, end);
    const cell = members.find(cells, hash, buf, start, end);
    if (cell === 0) return false;
    this.watch?.changes(cell);
    tree.find(cells.score(cell), cell);
    tree.remove(1);
    members.remove(hash, cell);
    cells.free(cell);
    this.shrink();
    return true;
  }

  removeRange(rank: number, count: number): void {
    const { cells, members, tree } = this;
    while (count > 0) {
      tree.seek(rank);
      const { leaf, index } = tree;
      const run = Math.min(count, tree.countOf(leaf) - index);
      for (let i = 0; i < run; i++) {
        const cell = tree.cellAt(leaf, index + i);
        this.watch?.changes(cell);
        cells.open(cell);
        members.remove(members.hash(cells.buf, cells.start, cells.end), cell);
        cells.free(cell);
      }
      tree.remove(run);
      count -= run;
    }
    this.shrink();
  }

  private shrink(): void {
    const { size } = this;
    const { cells, members, tree } = this;
    // Who watches knows members by their cells.
    if (size >= REBUILD_SIZE || this.watch !== null) return;
    const needed = cells.usedBytes + size * ENTRY_BYTES;
    if (this.memoryUse < needed * REBUILD_FACTOR + (1 << 20)) return;
    const fresh = new SortedSetIndex(this.seed0, this.seed1);
    for (let rank = 0; rank < size; rank++) {
      if (rank === 0) this.seek(0);
      else this.forward();
      fresh.insert(this.score, this.buf, this.start, this.end);
    }
    this.cells = fresh.cells;
    this.members = fresh.members;
    this.tree = fresh.tree;
    releaseAll(cells, members, tree);
  }

  rankOfScore(score: number, orEqual: boolean): number {
    return this.tree.rankOfScore(score, orEqual);
  }

  rankOfMember(buf: Uint8Array, start: number, end: number, orEqual: boolean): number {
    return this.tree.rankOfMember(buf, start, end, orEqual);
  }

  seek(rank: number): void {
    this.tree.seek(rank);
    this.leaf = this.tree.leaf;
    this.index = this.tree.index;
    this.open();
  }

  forward(): void {
    if (++this.index === this.tree.countOf(this.leaf)) {
      this.leaf = this.tree.nextLeaf(this.leaf);
      this.index = 0;
    }
    this.open();
  }

  back(): void {
    if (--this.index < 0) {
      this.leaf = this.tree.previousLeaf(this.leaf);
      this.index = this.tree.countOf(this.leaf) - 1;
    }
    this.open();
  }

  get score(): number {
    return this.tree.scoreAt(this.leaf, this.index);
  }

  /** Goes to the last member before this place in the order; false: there is none. */
  seekBefore(score: number, buf: Uint8Array, start: number, end: number): boolean {
    const { cells, tree } = this;
    let low = tree.rankOfScore(score, false);
    let high = tree.rankOfScore(score, true);
    while (low < high) {
      const middle = (low + high) >>> 1;
      tree.seek(middle);
      if (cells.compare(tree.cellAt(tree.leaf, tree.index), buf, start, end) < 0) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return false;
    this.seek(low - 1);
    return true;
  }

  /** The cell of the member that the set stands at. */
  get cell(): number {
    return this.tree.cellAt(this.leaf, this.index);
  }

  /** Points `range` at the member of a cell, wherever the set stands; returns its score. */
  readCell(cell: number, range: { buf: Uint8Array; start: number; end: number }): number {
    const { cells } = this;
    cells.open(cell);
    range.buf = cells.buf;
    range.start = cells.start;
    range.end = cells.end;
    return cells.score(cell);
  }

  private open(): void {
    const { cells } = this;
    cells.open(this.tree.cellAt(this.leaf, this.index));
    this.buf = cells.buf;
    this.start = cells.start;
    this.end = cells.end;
  }

  /**
   * Visits about `count` members from a cursor on, as (score, buf, start, end), and returns the cursor to go on
   * from, 0 at the end; what is there from the first call to the last is visited. Cursors are below 2^32.
   */
  scan(
    cursor: number,
    count: number,
    visit: (score: number, buf: Uint8Array, start: number, end: number) => void,
  ): number {
    const { cells } = this;
    return this.members.scan(cursor, count, (cell) => {
      cells.open(cell);
      visit(cells.score(cell), cells.buf, cells.start, cells.end);
    });
  }

  clone(): SortedSetIndex {
    const copy = new SortedSetIndex(this.seed0, this.seed1);
    copy.cells = this.cells.clone();
    copy.members = this.members.clone();
    copy.tree = this.tree.clone(copy.cells);
    return copy;
  }

  dispose(): void {
    releaseAll(this.cells, this.members, this.tree);
  }
}

const EMPTY = new Uint8Array(0);

function releaseAll(cells: Cells, members: Members, tree: Tree): void {
  const buffers: Uint8Array[] = [];
  cells.surrender(buffers);
  members.surrender(buffers);
  tree.surrender(buffers);
  releaseInSteps(buffers);
}
