import type { Cells } from "./sorted-set-cells.ts";
import { FANOUT, Inners } from "./sorted-set-inners.ts";
import { HALF_LEAF, LEAF, Leaves, lowerBound, NONE, upperBound } from "./sorted-set-leaves.ts";

/**
 * The order of a big sorted set: a B+-tree that counts, over cells ordered by score, then by member.
 *
 *   inner  (children, sizes of their subtrees, score and cell of each child's first entry)
 *     |
 *   leaf   (scores, cells; linked with its neighbours)
 *
 * Nodes are numbers into slabs of typed arrays. A search descends by the children's first entries and compares
 * members only where scores are equal; the sizes left of the way down add up to the rank. A node that is full is
 * split (at the end where entries come in order, so that such leaves stay full); one that is a quarter full is
 * joined with a neighbour if both take no more than three quarters of a node.
 *
 * The first entry that an inner node notes for its child 0 is never looked at. A search leaves its way down in
 * `way` and `turn` (one array for all trees: it is used up before the next search) and its end in `leaf`, `index`.
 */

const MAX_HEIGHT = 12;
const QUARTER_LEAF = LEAF / 4;
const QUARTER_INNER = FANOUT / 4;

const way = new Int32Array(MAX_HEIGHT);
const turn = new Int32Array(MAX_HEIGHT);

/** Where the scores equal to the one at `at` end. */
function endOfRun(slab: Float64Array, base: number, at: number, count: number, score: number): number {
  if (at + 1 === count || slab[base + at + 1] !== score) return at + 1;
  return upperBound(slab, base, at + 1, count, score);
}

export class Tree {
  private leaves = new Leaves();
  private inners = new Inners();
  private root: number;
  /** Levels of inner nodes above the leaves. */
  private height = 0;
  size = 0;
  /** Where the last search ended. */
  leaf = 0;
  index = 0;

  constructor(private cells: Cells) {
    this.root = this.leaves.alloc();
  }

  get heldBytes(): number {
    return this.leaves.heldBytes + this.inners.heldBytes;
  }

  // ------------------------------------------------------------------ reading

  cellAt(leaf: number, index: number): number {
    return this.leaves.cell(leaf, index);
  }

  scoreAt(leaf: number, index: number): number {
    return this.leaves.score(leaf, index);
  }

  countOf(leaf: number): number {
    return this.leaves.count(leaf);
  }

  nextLeaf(leaf: number): number {
    return this.leaves.next(leaf);
  }

  previousLeaf(leaf: number): number {
    return this.leaves.previous(leaf);
  }

  /** Goes to the entry of this rank, 0 to size - 1. */
  seek(rank: number): void {
    let node = this.root;
    for (let level = 0; level < this.height; level++) {
      const { inners } = this;
      const ints = inners.ints(node);
      const sizes = inners.sizes(node);
      let child = 0;
      while (rank >= ints[sizes + child]!) rank -= ints[sizes + child++]!;
      way[level] = node;
      turn[level] = child;
      node = inners.child(node, child);
    }
    this.leaf = node;
    this.index = rank;
  }

  /** Goes to this cell's entry, looked for by this score, or to where it would be put. */
  find(score: number, cell: number): void {
    const { inners, leaves } = this;
    let node = this.root;
    for (let level = 0; level < this.height; level++) {
      const slab = inners.scoreSlab(node);
      const base = inners.scoreBase(node);
      const count = inners.count(node);
      let after = lowerBound(slab, base, 1, count, score);
      if (after < count && slab[base + after] === score)
        after = this.childAfter(node, after, endOfRun(slab, base, after, count, score), cell);
      way[level] = node;
      turn[level] = after - 1;
      node = inners.child(node, after - 1);
    }
    const slab = leaves.scoreSlab(node);
    const base = leaves.scoreBase(node);
    const count = leaves.count(node);
    let index = lowerBound(slab, base, 0, count, score);
    if (index < count && slab[base + index] === score && leaves.cell(node, index) !== cell)
      index = this.entryFrom(node, index, endOfRun(slab, base, index, count, score), cell);
    this.leaf = node;
    this.index = index;
  }

  /** Of children whose first scores are the same: the first one that begins behind the cell's member. */
  private childAfter(node: number, low: number, high: number, cell: number): number {
    const { cells, inners } = this;
    cells.open(cell);
    const { buf, start, end } = cells;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = inners.cell(node, middle);
      if (other === cell || cells.compare(other, buf, start, end) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Of entries of a leaf with the same score: the first one whose member is not before the cell's. */
  private entryFrom(leaf: number, low: number, high: number, cell: number): number {
    const { cells, leaves } = this;
    cells.open(cell);
    const { buf, start, end } = cells;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = leaves.cell(leaf, middle);
      if (other !== cell && cells.compare(other, buf, start, end) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The rank of where the last `find` ended. */
  rank(): number {
    let rank = this.index;
    for (let level = 0; level < this.height; level++) rank += this.before(way[level]!, turn[level]!);
    return rank;
  }

  /** Number of entries with a lower score, or with `orEqual` with one not higher. */
  rankOfScore(score: number, orEqual: boolean): number {
    const { inners, leaves } = this;
    const bound = orEqual ? upperBound : lowerBound;
    let node = this.root;
    let rank = 0;
    for (let level = 0; level < this.height; level++) {
      const after = bound(inners.scoreSlab(node), inners.scoreBase(node), 1, inners.count(node), score);
      rank += this.before(node, after - 1);
      node = inners.child(node, after - 1);
    }
    return rank + bound(leaves.scoreSlab(node), leaves.scoreBase(node), 0, leaves.count(node), score);
  }

  /** As `rankOfScore` by members, where all scores are the same. */
  rankOfMember(buf: Uint8Array, start: number, end: number, orEqual: boolean): number {
    const { cells, inners, leaves } = this;
    const limit = orEqual ? 1 : 0;
    let node = this.root;
    let rank = 0;
    for (let level = 0; level < this.height; level++) {
      let low = 1;
      let high = inners.count(node);
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (Math.sign(cells.compare(inners.cell(node, middle), buf, start, end)) < limit) low = middle + 1;
        else high = middle;
      }
      rank += this.before(node, low - 1);
      node = inners.child(node, low - 1);
    }
    let low = 0;
    let high = leaves.count(node);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (Math.sign(cells.compare(leaves.cell(node, middle), buf, start, end)) < limit) low = middle + 1;
      else high = middle;
    }
    return rank + low;
  }

  /** How many entries lie below the children before this one. */
  private before(node: number, child: number): number {
    const ints = this.inners.ints(node);
    const sizes = this.inners.sizes(node);
    let sum = 0;
    for (let i = sizes; i < sizes + child; i++) sum += ints[i]!;
    return sum;
  }

  // ------------------------------------------------------------------ writing

  /** Puts a cell in its place. */
  insert(cell: number): void {
    const { leaves } = this;
    const score = this.cells.score(cell);
    this.find(score, cell);
    this.size++;
    const { leaf, index } = this;
    for (let level = 0; level < this.height; level++) this.inners.grow(way[level]!, turn[level]!, 1);
    if (leaves.count(leaf) < LEAF) {
      leaves.insert(leaf, index, score, cell);
      if (index === 0) this.firstChanged(leaf);
      return;
    }
    let at = HALF_LEAF;
    if (index === LEAF && leaves.next(leaf) === NONE) at = LEAF;
    else if (index === 0 && leaves.previous(leaf) === NONE) at = 0;
    const right = leaves.split(leaf, at);
    if (index > at || (index === at && at === LEAF)) leaves.insert(right, index - at, score, cell);
    else {
      leaves.insert(leaf, index, score, cell);
      if (index === 0) this.firstChanged(leaf);
    }
    this.addChild(
      this.height - 1,
      leaf,
      leaves.count(leaf),
      right,
      leaves.count(right),
      leaves.score(right, 0),
      leaves.cell(right, 0),
    );
  }

  /** Gives this cell's entry another score. */
  rescore(cell: number, score: number): void {
    const { leaves, cells } = this;
    this.find(cells.score(cell), cell);
    const { leaf, index } = this;
    cells.setScore(cell, score);
    if (this.fits(leaf, index, score)) {
      leaves.setScore(leaf, index, score);
      if (index === 0) this.firstChanged(leaf);
      return;
    }
    this.remove(1);
    this.insert(cell);
  }

  /** Whether an entry with this score may stay where it is. */
  private fits(leaf: number, index: number, score: number): boolean {
    const { leaves, cells } = this;
    const cell = leaves.cell(leaf, index);
    const before = index > 0 ? leaf : leaves.previous(leaf);
    if (before !== NONE) {
      const i = index > 0 ? index - 1 : leaves.count(before) - 1;
      const other = leaves.score(before, i);
      if (other > score) return false;
      if (other === score) {
        cells.open(cell);
        if (cells.compare(leaves.cell(before, i), cells.buf, cells.start, cells.end) > 0) return false;
      }
    }
    const last = index + 1 === leaves.count(leaf);
    const after = last ? leaves.next(leaf) : leaf;
    if (after === NONE) return true;
    const i = last ? 0 : index + 1;
    const other = leaves.score(after, i);
    if (other !== score) return other > score;
    cells.open(cell);
    return cells.compare(leaves.cell(after, i), cells.buf, cells.start, cells.end) > 0;
  }

  /** Takes `count` entries out from where the last search ended; they must all be in that leaf. */
  remove(count: number): void {
    const { leaves, inners, leaf, index, height } = this;
    leaves.remove(leaf, index, count);
    this.size -= count;
    for (let level = 0; level < height; level++) inners.grow(way[level]!, turn[level]!, -count);
    const left = leaves.count(leaf);
    if (height === 0) return;
    if (left === 0) {
      leaves.unlink(leaf);
      this.dropChild(height - 1);
      return;
    }
    if (index === 0) this.firstChanged(leaf);
    if (left < QUARTER_LEAF) this.joinLeaf(leaf);
  }

  /** After the first entry of the leaf at the end of the way has become another one. */
  private firstChanged(leaf: number): void {
    this.noteFirst(this.height - 1, this.leaves.score(leaf, 0), this.leaves.cell(leaf, 0));
  }

  private noteFirst(level: number, score: number, cell: number): void {
    for (; level >= 0; level--) {
      if (turn[level] === 0) continue;
      this.inners.setFirst(way[level]!, turn[level]!, score, cell);
      return;
    }
  }

  private joinLeaf(leaf: number): void {
    const { leaves, inners } = this;
    const level = this.height - 1;
    const parent = way[level]!;
    const child = turn[level]!;
    if (child + 1 < inners.count(parent)) {
      const right = inners.child(parent, child + 1);
      if (leaves.join(leaf, right)) this.absorb(level, child + 1);
    } else if (child > 0) {
      const left = inners.child(parent, child - 1);
      if (leaves.join(left, leaf)) this.absorb(level, child);
    }
  }

  /** Child i of the node on this level has been joined into the one before it. */
  private absorb(level: number, i: number): void {
    const node = way[level]!;
    this.inners.grow(node, i - 1, this.inners.sizeOf(node, i));
    turn[level] = i;
    this.dropChild(level);
  }

  /** Takes the child out that the way goes through on this level. */
  private dropChild(level: number): void {
    const { inners } = this;
    const node = way[level]!;
    const child = turn[level]!;
    inners.removeChild(node, child);
    const left = inners.count(node);
    if (level === 0) {
      while (this.height > 0 && inners.count(this.root) === 1) {
        const old = this.root;
        this.root = inners.child(old, 0);
        inners.free(old);
        this.height--;
      }
      return;
    }
    if (left === 0) {
      inners.free(node);
      this.dropChild(level - 1);
      return;
    }
    if (child === 0) this.noteFirst(level - 1, inners.score(node, 0), inners.cell(node, 0));
    if (left < QUARTER_INNER) this.joinInner(level, node);
  }

  private joinInner(level: number, node: number): void {
    const { inners } = this;
    const parent = way[level - 1]!;
    const child = turn[level - 1]!;
    if (child + 1 < inners.count(parent)) {
      if (inners.join(node, parent, child + 1)) this.absorb(level - 1, child + 1);
    } else if (child > 0) {
      if (inners.join(inners.child(parent, child - 1), parent, child)) this.absorb(level - 1, child);
    }
  }

  /**
   * After a split of `left` on the way below this level: sets its size and puts `right` behind it, whose first
   * entry is (score, cell). The sizes further up count both already.
   */
  private addChild(
    level: number,
    left: number,
    leftSize: number,
    right: number,
    rightSize: number,
    score: number,
    cell: number,
  ): void {
    const { inners } = this;
    if (level < 0) {
      const root = inners.alloc();
      inners.insertChild(root, 0, left, leftSize, 0, 0);
      inners.insertChild(root, 1, right, rightSize, score, cell);
      this.root = root;
      this.height++;
      return;
    }
    let node = way[level]!;
    let at = turn[level]! + 1;
    inners.setSize(node, at - 1, leftSize);
    if (inners.count(node) < FANOUT) {
      inners.insertChild(node, at, right, rightSize, score, cell);
      return;
    }
    const cut = at === FANOUT ? FANOUT - 1 : FANOUT / 2;
    const upperScore = inners.score(node, cut);
    const upperCell = inners.cell(node, cut);
    const upper = inners.split(node, cut);
    const lower = node;
    if (at > cut) {
      node = upper;
      at -= cut;
    }
    inners.insertChild(node, at, right, rightSize, score, cell);
    this.addChild(level - 1, lower, inners.total(lower), upper, inners.total(upper), upperScore, upperCell);
  }

  clone(cells: Cells): Tree {
    const copy = new Tree(cells);
    copy.leaves = this.leaves.clone();
    copy.inners = this.inners.clone();
    copy.root = this.root;
    copy.height = this.height;
    copy.size = this.size;
    return copy;
  }

  surrender(into: Uint8Array[]): void {
    this.leaves.surrender(into);
    this.inners.surrender(into);
  }
}
