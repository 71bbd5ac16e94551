import { halfSipHash } from "../bytes/siphash.ts";
import type { Cells } from "./sorted-set-cells.ts";

/**
 * From a member to its cell: an extendible hash table in the order of the hashes.
 *
 *   directory: Int32Array(2^bits)       segment number, by the hash's top `bits` bits
 *
 *   segment: [hash 0][position 0] ... [hash 1019][position 1019] [count][depth][unused x 6]
 *
 * A segment of depth d holds the hashes that share its top d bits. Inside it the next 16 bits give the home
 * slot; collisions probe to the right and round the end, removal shifts back, position 0 marks an empty slot.
 * A full segment is split by the next bit, two sparse buddies are merged. While there is one segment only, it
 * has 256 or 512 slots at first. Segments lie in slabs of 16 (the first slab doubles up to that).
 *
 * Scan. Segments are ranges of hashes in ascending order, and so are a segment's homes. A cursor is a hash: all
 * members with a lower one are done. It always stands at the first hash of a home, and splits and merges do not
 * change the order of hashes, so what is present from start to end is visited.
 */

const SLOTS = 1020;
const SEGMENT_INTS = 2048;
const TAIL = 8;
const SLAB_SHIFT = 4;
const SLAB_SEGMENTS = 1 << SLAB_SHIFT;
const FIRST_SLOTS = 252;
const MERGE_BELOW = 200;
const MERGE_SUM = 500;
/** Deepest prefix; 2^20 segments are a billion members. */
const MAX_BITS = 20;
const HASHES = 2 ** 32;

export class Members {
  private readonly slabs: Int32Array[] = [new Int32Array(FIRST_SLOTS * 2 + TAIL)];
  private readonly spare: number[] = [];
  private directory = new Int32Array(1);
  private bits = 0;
  private segments = 1;
  /** Slots of a segment: fewer than SLOTS only while there is a single one. */
  private slots = FIRST_SLOTS;
  /** Bytes of slabs and directory. */
  heldBytes = (FIRST_SLOTS * 2 + TAIL) * 4 + 4;

  constructor(
    private readonly seed0: number,
    private readonly seed1: number,
  ) {}

  hash(buf: Uint8Array, start: number, end: number): number {
    return halfSipHash(this.seed0, this.seed1, buf, start, end);
  }

  /** The position of the cell with this member, or 0. */
  find(cells: Cells, hash: number, buf: Uint8Array, start: number, end: number): number {
    const segment = this.segmentOf(hash);
    const slab = this.slabs[segment >>> SLAB_SHIFT]!;
    const base = (segment & (SLAB_SEGMENTS - 1)) * SEGMENT_INTS;
    const { slots } = this;
    let slot = home(hash, slab[base + slots * 2 + 1]!, slots);
    for (;;) {
      const position = slab[base + slot * 2 + 1]!;
      if (position === 0) return 0;
      if (slab[base + slot * 2] === hash && cells.equals(position, buf, start, end)) return position;
      if (++slot === slots) slot = 0;
    }
  }

  /** Puts a member in that is not there. */
  insert(hash: number, position: number): void {
    const segment = this.segmentOf(hash);
    const slab = this.slabs[segment >>> SLAB_SHIFT]!;
    const base = (segment & (SLAB_SEGMENTS - 1)) * SEGMENT_INTS;
    const { slots } = this;
    place(slab, base, slots, hash, position);
    if (slab[base + slots * 2]! * 5 >= slots * 4) {
      if (slots < SLOTS) this.widen();
      else this.split(segment, hash);
    }
  }

  /** Takes the slot that holds this position out. */
  remove(hash: number, position: number): void {
    const segment = this.segmentOf(hash);
    const slab = this.slabs[segment >>> SLAB_SHIFT]!;
    const base = (segment & (SLAB_SEGMENTS - 1)) * SEGMENT_INTS;
    const { slots } = this;
    const depth = slab[base + slots * 2 + 1]!;
    let gap = home(hash, depth, slots);
    while (slab[base + gap * 2 + 1] !== position) if (++gap === slots) gap = 0;
    for (let at = gap; ; ) {
      if (++at === slots) at = 0;
      const moved = slab[base + at * 2 + 1]!;
      if (moved === 0) break;
      const movedHash = slab[base + at * 2]!;
      const distance = at - home(movedHash, depth, slots);
      const span = at - gap;
      if ((distance < 0 ? distance + slots : distance) >= (span < 0 ? span + slots : span)) {
        slab[base + gap * 2] = movedHash;
        slab[base + gap * 2 + 1] = moved;
        gap = at;
      }
    }
    slab[base + gap * 2 + 1] = 0;
    if (--slab[base + slots * 2]! < MERGE_BELOW && depth > 0) this.merge(segment, hash);
  }

  /**
   * Visits the positions of about `count` members from a cursor on and returns the cursor to go on from, 0 at the
   * end. `visit` must not change the set.
   */
  scan(cursor: number, count: number, visit: (position: number) => void): number {
    const { slots } = this;
    let left = count;
    for (let from = cursor; ; ) {
      const segment = this.segmentOf(from | 0);
      const slab = this.slabs[segment >>> SLAB_SHIFT]!;
      const base = (segment & (SLAB_SEGMENTS - 1)) * SEGMENT_INTS;
      const depth = slab[base + slots * 2 + 1]!;
      const width = 2 ** (32 - depth);
      const begin = Math.floor(from / width) * width;
      let slot = home(from | 0, depth, slots);
      for (; slot < slots; slot++) {
        left -= visitHome(slab, base, slots, depth, slot, from, visit);
        if (left > 0) continue;
        const next = begin + firstOfHome(slot + 1, depth, slots);
        if (slot + 1 < slots && next < begin + width) return next;
        break;
      }
      from = begin + width;
      if (from >= HASHES) return 0;
      if (left <= 0) return from;
    }
  }

  private segmentOf(hash: number): number {
    return this.bits === 0 ? this.directory[0]! : this.directory[hash >>> (32 - this.bits)]!;
  }

  /** Makes the only segment larger. */
  private widen(): void {
    const old = this.slabs[0]!;
    const slots = this.slots;
    this.slots = Math.min(SLOTS, slots * 2 + 4);
    const larger = new Int32Array(this.slots === SLOTS ? SEGMENT_INTS : this.slots * 2 + TAIL);
    for (let slot = 0; slot < slots; slot++)
      if (old[slot * 2 + 1] !== 0) place(larger, 0, this.slots, old[slot * 2]!, old[slot * 2 + 1]!);
    this.slabs[0] = larger;
    this.heldBytes += (larger.length - old.length) * 4;
  }

  private allocSegment(): number {
    this.segments++;
    const spare = this.spare.pop();
    if (spare !== undefined) return spare;
    const id = this.segments - 1;
    const last = this.slabs.length - 1;
    const slab = this.slabs[last]!;
    if (id >>> SLAB_SHIFT > last) {
      this.slabs.push(new Int32Array(SLAB_SEGMENTS * SEGMENT_INTS));
      this.heldBytes += SLAB_SEGMENTS * SEGMENT_INTS * 4;
    } else if (id * SEGMENT_INTS >= slab.length && last === 0) {
      const larger = new Int32Array(slab.length * 2);
      larger.set(slab);
      this.slabs[0] = larger;
      this.heldBytes += slab.length * 4;
    }
    return id;
  }

  /** Splits the segment in which this hash lies. */
  private split(segment: number, hash: number): void {
    const high = this.allocSegment();
    const slab = this.slabs[segment >>> SLAB_SHIFT]!;
    const base = (segment & (SLAB_SEGMENTS - 1)) * SEGMENT_INTS;
    const depth = slab[base + SLOTS * 2 + 1]!;
    if (depth === MAX_BITS) {
      this.segments--;
      this.spare.push(high);
      if (slab[base + SLOTS * 2]! >= SLOTS - 1) throw new RangeError("the sorted set is full");
      return;
    }
    const highSlab = this.slabs[high >>> SLAB_SHIFT]!;
    const highBase = (high & (SLAB_SEGMENTS - 1)) * SEGMENT_INTS;
    for (let i = 0; i < SEGMENT_INTS; i++) scratch[i] = slab[base + i]!;
    slab.fill(0, base, base + SEGMENT_INTS);
    highSlab.fill(0, highBase, highBase + SEGMENT_INTS);
    slab[base + SLOTS * 2 + 1] = highSlab[highBase + SLOTS * 2 + 1] = depth + 1;
    for (let slot = 0; slot < SLOTS; slot++) {
      const position = scratch[slot * 2 + 1]!;
      if (position === 0) continue;
      const moved = scratch[slot * 2]!;
      if (((moved << depth) & 0x80000000) === 0) place(slab, base, SLOTS, moved, position);
      else place(highSlab, highBase, SLOTS, moved, position);
    }
    if (depth === this.bits) this.doubleDirectory();
    const span = 1 << (this.bits - depth);
    const first = (hash >>> (32 - this.bits)) & ~(span - 1);
    this.directory.fill(high, first + (span >> 1), first + span);
  }

  private doubleDirectory(): void {
    const old = this.directory;
    this.directory = new Int32Array(old.length * 2);
    for (let i = 0; i < old.length; i++) this.directory[i * 2] = this.directory[i * 2 + 1] = old[i]!;
    this.bits++;
    this.heldBytes += old.length * 4;
  }

  /** Joins the sparse segment in which this hash lies with its buddy, where both fit into one. */
  private merge(segment: number, hash: number): void {
    const slab = this.slabs[segment >>> SLAB_SHIFT]!;
    const base = (segment & (SLAB_SEGMENTS - 1)) * SEGMENT_INTS;
    const depth = slab[base + SLOTS * 2 + 1]!;
    const span = 1 << (this.bits - depth);
    const mine = (hash >>> (32 - this.bits)) & ~(span - 1);
    const buddy = this.directory[mine ^ span]!;
    const other = this.slabs[buddy >>> SLAB_SHIFT]!;
    const otherBase = (buddy & (SLAB_SEGMENTS - 1)) * SEGMENT_INTS;
    const sum = slab[base + SLOTS * 2]! + other[otherBase + SLOTS * 2]!;
    if (other[otherBase + SLOTS * 2 + 1] !== depth || sum > MERGE_SUM) return;
    for (let i = 0; i < SEGMENT_INTS; i++) scratch[i] = slab[base + i]!;
    slab.fill(0, base, base + SEGMENT_INTS);
    slab[base + SLOTS * 2 + 1] = depth - 1;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (scratch[slot * 2 + 1] !== 0) place(slab, base, SLOTS, scratch[slot * 2]!, scratch[slot * 2 + 1]!);
      if (other[otherBase + slot * 2 + 1] !== 0)
        place(slab, base, SLOTS, other[otherBase + slot * 2]!, other[otherBase + slot * 2 + 1]!);
    }
    const first = mine & ~span;
    this.directory.fill(segment, first, first + span * 2);
    this.spare.push(buddy);
    this.segments--;
    // Its own buddy may have waited for it.
    if (sum < MERGE_BELOW && depth > 1) this.merge(segment, hash);
  }

  clone(): Members {
    const copy = new Members(this.seed0, this.seed1);
    copy.slabs.length = 0;
    for (const slab of this.slabs) copy.slabs.push(slab.slice());
    copy.spare.push(...this.spare);
    copy.directory = this.directory.slice();
    copy.bits = this.bits;
    copy.segments = this.segments;
    copy.slots = this.slots;
    copy.heldBytes = this.heldBytes;
    return copy;
  }

  surrender(into: Uint8Array[]): void {
    for (const slab of this.slabs) into.push(new Uint8Array(slab.buffer));
  }
}

/** Contents of the segment being split or merged. */
const scratch = new Int32Array(SEGMENT_INTS);

function home(hash: number, depth: number, slots: number): number {
  return (((hash << depth) >>> 16) * slots) >>> 16;
}

/** The lowest hash, relative to its segment's first, whose home is this slot. */
function firstOfHome(slot: number, depth: number, slots: number): number {
  const top = Math.ceil((slot * 65536) / slots);
  return depth <= 16 ? top * 2 ** (16 - depth) : Math.ceil(top / 2 ** (depth - 16));
}

function place(slab: Int32Array, base: number, slots: number, hash: number, position: number): void {
  let slot = home(hash, slab[base + slots * 2 + 1]!, slots);
  while (slab[base + slot * 2 + 1] !== 0) if (++slot === slots) slot = 0;
  slab[base + slot * 2] = hash;
  slab[base + slot * 2 + 1] = position;
  slab[base + slots * 2]!++;
}

/** Visits the members at home in this slot whose hash is not below `from`; returns how many there were. */
function visitHome(
  slab: Int32Array,
  base: number,
  slots: number,
  depth: number,
  slot: number,
  from: number,
  visit: (position: number) => void,
): number {
  let visited = 0;
  for (let at = slot; slab[base + at * 2 + 1] !== 0; ) {
    const hash = slab[base + at * 2]!;
    if (home(hash, depth, slots) === slot && hash >>> 0 >= from) {
      visit(slab[base + at * 2 + 1]!);
      visited++;
    }
    if (++at === slots) at = 0;
    if (at === slot) break;
  }
  return visited;
}
