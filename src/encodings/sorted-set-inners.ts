/**
 * Inner nodes of the tree of a sorted set, in slabs.
 *
 *   [count][unused x 3] [child] x 64 [size of its subtree] x 64 [its first cell] x 64 [its first score f64] x 64
 *
 * The first slab has one node and doubles up to 64, every other one has 64 at once. A free node's child 0 is the
 * next free one.
 */

export const FANOUT = 64;
const JOINED_INNER = (FANOUT * 3) / 4;
const NONE = -1;

const CHILDREN = 4;
const SIZES = CHILDREN + FANOUT;
const FIRST_CELLS = SIZES + FANOUT;
const INNER_INTS = FIRST_CELLS + FANOUT * 3;
const FIRST_SCORES = (FIRST_CELLS + FANOUT) / 2;
const SHIFT = 6;
const SLAB_NODES = 1 << SHIFT;
const MASK = SLAB_NODES - 1;

export class Inners {
  private readonly slabs: Int32Array[] = [];
  private readonly doubles: Float64Array[] = [];
  private freeNode = NONE;
  private used = 0;
  heldBytes = 0;

  private addSlab(nodes: number): void {
    const slab = new Int32Array(nodes * INNER_INTS);
    this.slabs.push(slab);
    this.doubles.push(new Float64Array(slab.buffer));
    this.heldBytes += slab.byteLength;
  }

  /** A node without children. */
  alloc(): number {
    let node = this.freeNode;
    if (node !== NONE) this.freeNode = this.child(node, 0);
    else {
      node = this.used++;
      const last = this.slabs.length - 1;
      if (node >>> SHIFT > last) this.addSlab(last < 0 ? 1 : SLAB_NODES);
      else if (last === 0 && node * INNER_INTS >= this.slabs[0]!.length) this.widen();
    }
    this.ints(node)[(node & MASK) * INNER_INTS] = 0;
    return node;
  }

  private widen(): void {
    const old = this.slabs.pop()!;
    this.doubles.pop();
    this.heldBytes -= old.byteLength;
    this.addSlab((old.length / INNER_INTS) * 2);
    this.slabs[0]!.set(old);
  }

  free(node: number): void {
    this.ints(node)[(node & MASK) * INNER_INTS + CHILDREN] = this.freeNode;
    this.freeNode = node;
  }

  /** The slab a node lies in. */
  ints(node: number): Int32Array {
    return this.slabs[node >>> SHIFT]!;
  }

  /** Where the sizes of its children begin there. */
  sizes(node: number): number {
    return (node & MASK) * INNER_INTS + SIZES;
  }

  count(node: number): number {
    return this.slabs[node >>> SHIFT]![(node & MASK) * INNER_INTS]!;
  }

  child(node: number, i: number): number {
    return this.slabs[node >>> SHIFT]![(node & MASK) * INNER_INTS + CHILDREN + i]!;
  }

  sizeOf(node: number, i: number): number {
    return this.slabs[node >>> SHIFT]![(node & MASK) * INNER_INTS + SIZES + i]!;
  }

  setSize(node: number, i: number, size: number): void {
    this.slabs[node >>> SHIFT]![(node & MASK) * INNER_INTS + SIZES + i] = size;
  }

  grow(node: number, i: number, by: number): void {
    this.slabs[node >>> SHIFT]![(node & MASK) * INNER_INTS + SIZES + i]! += by;
  }

  /** Entries below all children. */
  total(node: number): number {
    const ints = this.ints(node);
    const sizes = this.sizes(node);
    let sum = 0;
    for (let i = sizes + this.count(node) - 1; i >= sizes; i--) sum += ints[i]!;
    return sum;
  }

  cell(node: number, i: number): number {
    return this.slabs[node >>> SHIFT]![(node & MASK) * INNER_INTS + FIRST_CELLS + i]!;
  }

  score(node: number, i: number): number {
    return this.doubles[node >>> SHIFT]![(node & MASK) * (INNER_INTS / 2) + FIRST_SCORES + i]!;
  }

  /** The slab of first scores a node lies in. */
  scoreSlab(node: number): Float64Array {
    return this.doubles[node >>> SHIFT]!;
  }

  /** Where its children's first scores begin there. */
  scoreBase(node: number): number {
    return (node & MASK) * (INNER_INTS / 2) + FIRST_SCORES;
  }

  setFirst(node: number, i: number, score: number, cell: number): void {
    this.slabs[node >>> SHIFT]![(node & MASK) * INNER_INTS + FIRST_CELLS + i] = cell;
    this.doubles[node >>> SHIFT]![(node & MASK) * (INNER_INTS / 2) + FIRST_SCORES + i] = score;
  }

  /** Puts a child in; there must be room. */
  insertChild(node: number, at: number, child: number, size: number, score: number, cell: number): void {
    this.shift(node, at, at + 1);
    const ints = this.ints(node);
    const base = (node & MASK) * INNER_INTS;
    ints[base]!++;
    ints[base + CHILDREN + at] = child;
    ints[base + SIZES + at] = size;
    this.setFirst(node, at, score, cell);
  }

  removeChild(node: number, at: number): void {
    this.shift(node, at + 1, at);
    this.ints(node)[(node & MASK) * INNER_INTS]!--;
  }

  /** Moves the children from `from` on so that they begin at `to`. */
  private shift(node: number, from: number, to: number): void {
    const ints = this.ints(node);
    const doubles = this.doubles[node >>> SHIFT]!;
    const base = (node & MASK) * INNER_INTS;
    const count = ints[base]!;
    ints.copyWithin(base + CHILDREN + to, base + CHILDREN + from, base + CHILDREN + count);
    ints.copyWithin(base + SIZES + to, base + SIZES + from, base + SIZES + count);
    ints.copyWithin(base + FIRST_CELLS + to, base + FIRST_CELLS + from, base + FIRST_CELLS + count);
    const firsts = base / 2 + FIRST_SCORES;
    doubles.copyWithin(firsts + to, firsts + from, firsts + count);
  }

  /** Moves the children from `at` on to a new node, and returns it. */
  split(node: number, at: number): number {
    const right = this.alloc();
    this.append(right, node, at);
    this.ints(node)[(node & MASK) * INNER_INTS] = at;
    return right;
  }

  /** Appends child `i` of `parent` to the node before it and frees it; false if both are too much for one node. */
  join(node: number, parent: number, i: number): boolean {
    const right = this.child(parent, i);
    const count = this.count(node);
    if (count + this.count(right) > JOINED_INNER) return false;
    this.append(node, right, 0);
    this.setFirst(node, count, this.score(parent, i), this.cell(parent, i));
    this.free(right);
    return true;
  }

  private append(node: number, source: number, from: number): void {
    const count = this.count(source);
    const ints = this.ints(source);
    const base = (source & MASK) * INNER_INTS;
    for (let i = from; i < count; i++)
      this.insertChild(
        node,
        this.count(node),
        ints[base + CHILDREN + i]!,
        ints[base + SIZES + i]!,
        this.score(source, i),
        this.cell(source, i),
      );
  }

  clone(): Inners {
    const copy = new Inners();
    for (const slab of this.slabs) {
      copy.addSlab(slab.length / INNER_INTS);
      copy.slabs[copy.slabs.length - 1]!.set(slab);
    }
    copy.freeNode = this.freeNode;
    copy.used = this.used;
    return copy;
  }

  surrender(into: Uint8Array[]): void {
    for (const slab of this.slabs) into.push(new Uint8Array(slab.buffer));
  }
}
