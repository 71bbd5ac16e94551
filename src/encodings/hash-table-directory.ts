import type { Segment } from "./hash-table-segment.ts";

/**
 * The segments of a hash table (hash-table.ts), and which of them a hash leads to.
 *
 *   table:    Segment[2 ** bits]     indexed by the low `bits` bits of the hash
 *   segments: Segment[]              each one once, in no order
 *
 * A segment of depth d stands in 2 ** (bits - d) places of the table. The table has as many bits as the
 * deepest segment; doubling and halving it moves pointers only.
 */

/** Deepest segment. */
export const MAX_DEPTH = 24;
const DISPOSE_AT_ONCE = 6000;

export class SegmentDirectory {
  readonly segments: Segment[];
  table: Segment[];
  mask = 0;
  /** Bytes that the segments hold. */
  held: number;
  private bits = 0;
  /** Segments by depth. */
  private readonly depths = new Array<number>(MAX_DEPTH + 1).fill(0);

  constructor(first: Segment) {
    this.segments = [first];
    this.table = [first];
    this.depths[0] = 1;
    this.held = first.size;
  }

  /** The segment for a hash. */
  of(hash: number): Segment {
    return this.table[hash & this.mask]!;
  }

  /**
   * Loads what finding entries of these hashes will need into the cache: in each loop the loads do not depend on each
   * other. Their sum means nothing; it is returned so that they are not left out.
   */
  touch(hashes: Int32Array, count: number): number {
    const { table, mask } = this;
    let sum = 0;
    for (let i = 0; i < count; i++) sum += table[hashes[i]! & mask]!.capacity;
    for (let i = 0; i < count; i++) {
      const { slots, bytes } = table[hashes[i]! & mask]!;
      sum += slots.length + bytes.length;
    }
    for (let i = 0; i < count; i++) sum += table[hashes[i]! & mask]!.touch(hashes[i]!);
    return sum;
  }

  get memoryUse(): number {
    return this.held + this.table.length * 8;
  }

  /** Puts the parts of a segment in its place: two or four, which differ in one or two bits more. */
  split(segment: Segment, parts: readonly Segment[]): void {
    while (this.bits < parts[0]!.depth) {
      this.table = this.table.concat(this.table);
      this.bits++;
    }
    this.mask = this.table.length - 1;
    this.put(segment.index, parts[0]!);
    for (let i = 1; i < parts.length; i++) this.put(this.segments.length, parts[i]!);
    this.leave(segment);
  }

  /** Puts a segment in the place of the two that were joined to it. */
  merge(a: Segment, b: Segment, joined: Segment): void {
    const last = this.segments.pop()!;
    const [kept, gone] = a.index < b.index ? [a, b] : [b, a];
    if (last !== gone) {
      last.index = gone.index;
      this.segments[gone.index] = last;
    }
    this.put(kept.index, joined);
    this.leave(a);
    this.leave(b);
    while (this.bits > 0 && this.depths[this.bits] === 0) {
      this.bits--;
      this.table.length >>= 1;
    }
    this.mask = this.table.length - 1;
  }

  /** A directory of copies, in the same order. */
  clone(copy: (segment: Segment) => Segment): SegmentDirectory {
    const copies = this.segments.map(copy);
    const twin = new SegmentDirectory(copies[0]!);
    twin.bits = this.bits;
    twin.mask = this.mask;
    twin.table = new Array<Segment>(this.table.length);
    twin.held = 0;
    twin.depths.fill(0);
    copies.forEach((segment, index) => {
      twin.put(index, segment);
    });
    return twin;
  }

  /** Gives back the memory of so many segments as takes some milliseconds; the garbage collector has the rest. */
  dispose(): void {
    const count = Math.min(this.segments.length, DISPOSE_AT_ONCE);
    for (let i = 0; i < count; i++) this.segments[i]!.dispose();
    this.segments.length = 0;
    this.table.length = 0;
  }

  private put(index: number, segment: Segment): void {
    segment.index = index;
    this.segments[index] = segment;
    const { table } = this;
    const step = 1 << segment.depth;
    for (let at = segment.prefix; at < table.length; at += step) table[at] = segment;
    this.depths[segment.depth]!++;
    this.held += segment.size;
  }

  private leave(segment: Segment): void {
    this.depths[segment.depth]!--;
    this.held -= segment.size;
    segment.dispose();
  }
}
