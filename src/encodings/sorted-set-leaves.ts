/**
 * Leaves of the tree of a sorted set, in slabs.
 *
 *   [count][next][previous][unused] [cell] x 32 [score f64] x 32            400 bytes
 *
 * The first slab has 8 leaves and doubles up to 256, every other one has 256 at once. A free leaf's `next` is the
 * next free one.
 */

export const LEAF = 32;
export const HALF_LEAF = LEAF / 2;
export const NONE = -1;
const JOINED_LEAF = (LEAF * 3) / 4;

const NEXT = 1;
const PREVIOUS = 2;
const CELLS = 4;
const LEAF_INTS = CELLS + LEAF * 3;
const SCORES = (CELLS + LEAF) / 2;
const SHIFT = 8;
const SLAB_LEAVES = 1 << SHIFT;
const MASK = SLAB_LEAVES - 1;
const FIRST_LEAVES = 8;

/**
 * The first index i of `low` to `high` with slab[base + i] >= score, or `high`. Without branches on the
 * comparisons, which nobody could foretell: that halves the time of a search.
 */
export function lowerBound(
  slab: Float64Array,
  base: number,
  low: number,
  high: number,
  score: number,
): number {
  let count = high - low;
  if (count <= 0) return high;
  let at = base + low;
  while (count > 1) {
    const half = count >>> 1;
    at += half & -+(slab[at + half - 1]! < score);
    count -= half;
  }
  return at - base + +(slab[at]! < score);
}

/** As `lowerBound` with slab[base + i] > score. */
export function upperBound(
  slab: Float64Array,
  base: number,
  low: number,
  high: number,
  score: number,
): number {
  let count = high - low;
  if (count <= 0) return high;
  let at = base + low;
  while (count > 1) {
    const half = count >>> 1;
    at += half & -+(slab[at + half - 1]! <= score);
    count -= half;
  }
  return at - base + +(slab[at]! <= score);
}

export class Leaves {
  private readonly slabs: Int32Array[] = [];
  private readonly doubles: Float64Array[] = [];
  private free = NONE;
  private used = 0;
  heldBytes = 0;

  constructor(first = FIRST_LEAVES) {
    if (first > 0) this.addSlab(first);
  }

  private addSlab(leaves: number): void {
    const slab = new Int32Array(leaves * LEAF_INTS);
    this.slabs.push(slab);
    this.doubles.push(new Float64Array(slab.buffer));
    this.heldBytes += slab.byteLength;
  }

  /** An empty leaf with no neighbours. */
  alloc(): number {
    let leaf = this.free;
    if (leaf !== NONE) this.free = this.next(leaf);
    else {
      leaf = this.used++;
      const last = this.slabs.length - 1;
      if (leaf >>> SHIFT > last) this.addSlab(SLAB_LEAVES);
      else if (last === 0 && leaf * LEAF_INTS >= this.slabs[0]!.length) this.widen();
    }
    const slab = this.slabs[leaf >>> SHIFT]!;
    const base = (leaf & MASK) * LEAF_INTS;
    slab[base] = 0;
    slab[base + NEXT] = slab[base + PREVIOUS] = NONE;
    return leaf;
  }

  private widen(): void {
    const old = this.slabs.pop()!;
    this.doubles.pop();
    this.heldBytes -= old.byteLength;
    this.addSlab((old.length / LEAF_INTS) * 2);
    this.slabs[0]!.set(old);
  }

  count(leaf: number): number {
    return this.slabs[leaf >>> SHIFT]![(leaf & MASK) * LEAF_INTS]!;
  }

  next(leaf: number): number {
    return this.slabs[leaf >>> SHIFT]![(leaf & MASK) * LEAF_INTS + NEXT]!;
  }

  previous(leaf: number): number {
    return this.slabs[leaf >>> SHIFT]![(leaf & MASK) * LEAF_INTS + PREVIOUS]!;
  }

  cell(leaf: number, index: number): number {
    return this.slabs[leaf >>> SHIFT]![(leaf & MASK) * LEAF_INTS + CELLS + index]!;
  }

  score(leaf: number, index: number): number {
    return this.doubles[leaf >>> SHIFT]![(leaf & MASK) * (LEAF_INTS / 2) + SCORES + index]!;
  }

  /** The slab of scores a leaf lies in. */
  scoreSlab(leaf: number): Float64Array {
    return this.doubles[leaf >>> SHIFT]!;
  }

  /** Where its scores begin there. */
  scoreBase(leaf: number): number {
    return (leaf & MASK) * (LEAF_INTS / 2) + SCORES;
  }

  setScore(leaf: number, index: number, score: number): void {
    this.doubles[leaf >>> SHIFT]![(leaf & MASK) * (LEAF_INTS / 2) + SCORES + index] = score;
  }

  /** Puts an entry in; there must be room. */
  insert(leaf: number, index: number, score: number, cell: number): void {
    const slab = this.slabs[leaf >>> SHIFT]!;
    const doubles = this.doubles[leaf >>> SHIFT]!;
    const base = (leaf & MASK) * LEAF_INTS;
    const cells = base + CELLS;
    const scores = base / 2 + SCORES;
    const count = slab[base]!;
    for (let i = count; i > index; i--) {
      slab[cells + i] = slab[cells + i - 1]!;
      doubles[scores + i] = doubles[scores + i - 1]!;
    }
    slab[cells + index] = cell;
    doubles[scores + index] = score;
    slab[base] = count + 1;
  }

  remove(leaf: number, index: number, removed: number): void {
    const slab = this.slabs[leaf >>> SHIFT]!;
    const doubles = this.doubles[leaf >>> SHIFT]!;
    const base = (leaf & MASK) * LEAF_INTS;
    const cells = base + CELLS;
    const scores = base / 2 + SCORES;
    const count = slab[base]! - removed;
    for (let i = index; i < count; i++) {
      slab[cells + i] = slab[cells + i + removed]!;
      doubles[scores + i] = doubles[scores + i + removed]!;
    }
    slab[base] = count;
  }

  /** Moves the entries from `at` on to a new leaf behind this one, and returns it. */
  split(leaf: number, at: number): number {
    const right = this.alloc();
    const next = this.next(leaf);
    this.link(right, next);
    this.link(leaf, right);
    this.move(leaf, at, right);
    return right;
  }

  /** Appends a leaf's neighbour to it and frees that; false if both are too much for one leaf. */
  join(leaf: number, right: number): boolean {
    if (this.count(leaf) + this.count(right) > JOINED_LEAF) return false;
    this.move(right, 0, leaf);
    this.unlink(right);
    return true;
  }

  /** Moves the entries of one leaf from `at` on to the end of another. */
  private move(from: number, at: number, to: number): void {
    const source = this.slabs[from >>> SHIFT]!;
    const target = this.slabs[to >>> SHIFT]!;
    const sourceDoubles = this.doubles[from >>> SHIFT]!;
    const targetDoubles = this.doubles[to >>> SHIFT]!;
    const sourceBase = (from & MASK) * LEAF_INTS;
    const targetBase = (to & MASK) * LEAF_INTS;
    const count = source[sourceBase]! - at;
    const kept = target[targetBase]!;
    for (let i = 0; i < count; i++) {
      target[targetBase + CELLS + kept + i] = source[sourceBase + CELLS + at + i]!;
      targetDoubles[targetBase / 2 + SCORES + kept + i] = sourceDoubles[sourceBase / 2 + SCORES + at + i]!;
    }
    target[targetBase] = kept + count;
    source[sourceBase] = at;
  }

  /** Makes `right` (or NONE) the neighbour behind `leaf` (or NONE). */
  private link(leaf: number, right: number): void {
    if (leaf !== NONE) this.slabs[leaf >>> SHIFT]![(leaf & MASK) * LEAF_INTS + NEXT] = right;
    if (right !== NONE) this.slabs[right >>> SHIFT]![(right & MASK) * LEAF_INTS + PREVIOUS] = leaf;
  }

  /** Takes a leaf out of the row of leaves and frees it. */
  unlink(leaf: number): void {
    this.link(this.previous(leaf), this.next(leaf));
    this.slabs[leaf >>> SHIFT]![(leaf & MASK) * LEAF_INTS + NEXT] = this.free;
    this.free = leaf;
  }

  clone(): Leaves {
    const copy = new Leaves(0);
    for (const slab of this.slabs) {
      copy.addSlab(slab.length / LEAF_INTS);
      copy.slabs[copy.slabs.length - 1]!.set(slab);
    }
    copy.free = this.free;
    copy.used = this.used;
    return copy;
  }

  surrender(into: Uint8Array[]): void {
    for (const slab of this.slabs) into.push(new Uint8Array(slab.buffer));
  }
}
