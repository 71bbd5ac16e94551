import { halfSipHash } from "../bytes/siphash.ts";
import type { Records } from "./record.ts";
import { SlotKeys } from "./slot-keys.ts";

/**
 * The index: from a key's 32-bit hash to the position of its record, by extendible hashing.
 *
 *   segments: Map<prefix, segment>      prefix = the low `bits` bits of the hash
 *
 *   segment (Int32Array, 8 KiB):
 *     [hash 0][position 0] ... [hash 1019][position 1019] [count][depth][prefix][unused x 5]
 *
 * A segment of depth d holds all keys whose hash ends in its d-bit prefix. Inside it, a hash's home slot
 * follows from its top 16 bits, so slots lie in the order of the top bits; collisions probe to the right,
 * removal shifts back, position 0 marks an empty slot. A segment that gets full is split in two by the next
 * bit; two sparse buddies are merged. When a split needs one bit more than the map has, `bits` grows and
 * nothing else happens: the entries of the new half are filled in when they are first asked for, so that
 * growth never costs more than one split.
 *
 * Scan order. A segment is a range of the order of reversed low bits: a split cuts a range in two, a merge
 * joins two neighbours. A cursor (begin of a range, its depth, slot) says: all ranges before it are done, and
 * of this one all keys whose home lies before the slot.
 *
 *   range split since    its lower half goes on from the slot, the upper half is visited from its first slot
 *   range merged since   what the cursor has not covered of the larger range is visited at once, whatever
 *                        COUNT says: "home before the slot" is true of a part of that range only
 *
 * So what is present from start to end is returned, and a cursor never moves back.
 */

const SLOTS = 1020;
const COUNT = SLOTS * 2;
const DEPTH = COUNT + 1;
const PREFIX = COUNT + 2;
const SEGMENT_INTS = 2048;
const SPLIT_AT = 816;
const MERGE_BELOW = 200;
const MERGE_SUM = 500;
/** Deepest prefix: the home slot uses the other bits. */
const MAX_BITS = 24;
const ORDERS = 1 << MAX_BITS;
/** Scan cursors are below this: order (24 bits), depth (5), slot (10). */
export const CURSOR_END = 2 ** 39;

type Segment = Int32Array;

function home(hash: number): number {
  return ((hash >>> 16) * SLOTS) >>> 16;
}

function reverseBits24(value: number): number {
  let out = 0;
  for (let i = 0; i < MAX_BITS; i++) out |= ((value >>> i) & 1) << (MAX_BITS - 1 - i);
  return out;
}

let serials = 0;

export class Index {
  private readonly segments = new Map<number, Segment>();
  private bits = 0;
  private mask = 0;
  /** Keys held. */
  count = 0;
  /** On a cluster node: the keys of each hash slot. */
  slots: SlotKeys | null = null;
  /** Segments held (8 KiB each). */
  segmentCount = 1;
  /** Where the last `find` ended: at the key's slot, or at the empty slot where it would go. */
  private foundSegment: Segment;
  private foundSlot = 0;
  /** The key found last is the one that a command's hint is for (see Database.visit), and nothing has moved since. */
  foundStands = false;
  /** Tells it from all others. */
  readonly serial = ++serials;

  constructor(
    private readonly records: Records,
    private readonly seed0: number,
    private readonly seed1: number,
  ) {
    this.foundSegment = new Int32Array(SEGMENT_INTS);
    this.segments.set(0, this.foundSegment);
  }

  /** Keeps account of hash slots from now on; the index must be empty. */
  trackSlots(): void {
    this.slots = new SlotKeys(this.records);
  }

  hash(buf: Uint8Array, start: number, end: number): number {
    return halfSipHash(this.seed0, this.seed1, buf, start, end);
  }

  /** The position of the key's record, or 0. */
  find(hash: number, buf: Uint8Array, start: number, end: number): number {
    this.foundStands = false;
    const found = this.foundSlot * 2;
    if (this.foundSegment[found] === hash) {
      // The key found last is often looked for again.
      const position = this.foundSegment[found + 1]!;
      if (position !== 0 && this.records.keyEquals(position, buf, start, end)) return position;
    }
    const segment = this.segmentOf(hash);
    let slot = home(hash);
    for (;;) {
      const position = segment[slot * 2 + 1]!;
      if (
        position === 0 ||
        (segment[slot * 2] === hash && this.records.keyEquals(position, buf, start, end))
      ) {
        this.foundSegment = segment;
        this.foundSlot = slot;
        return position;
      }
      if (++slot === SLOTS) slot = 0;
    }
  }

  /** The position of the key found last, or 0; of use while `foundStands`. */
  get found(): number {
    return this.foundSegment[this.foundSlot * 2 + 1]!;
  }

  /** Loads a key's home slot into the cache. No branch depends on it, so the processor need not wait for it. */
  touch(hash: number): number {
    return this.segmentOf(hash)[home(hash) * 2]!;
  }

  /** The position of the first record with a key of this hash, or 0; says nothing about the key itself. */
  peek(hash: number): number {
    const segment = this.segmentOf(hash);
    for (let slot = home(hash); ; ) {
      const position = segment[slot * 2 + 1]!;
      if (position === 0 || segment[slot * 2] === hash) return position;
      if (++slot === SLOTS) slot = 0;
    }
  }

  /** Points the slot where the last `find` ended at another position. */
  replaceFound(position: number): void {
    this.foundSegment[this.foundSlot * 2 + 1] = position;
  }

  /** Puts a key at the empty slot where the last `find` ended. */
  insertFound(hash: number, position: number): void {
    const segment = this.foundSegment;
    this.foundStands = false;
    segment[this.foundSlot * 2] = hash;
    segment[this.foundSlot * 2 + 1] = position;
    this.count++;
    if (this.slots !== null) this.slots.add(hash, this.slots.slotOf(position));
    if (++segment[COUNT]! >= SPLIT_AT) this.split(segment);
  }

  /** Puts a new key in; it must not be there. */
  insert(hash: number, position: number): void {
    const segment = this.segmentOf(hash);
    this.foundStands = false;
    place(segment, hash, position);
    this.count++;
    if (this.slots !== null) this.slots.add(hash, this.slots.slotOf(position));
    if (segment[COUNT]! >= SPLIT_AT) this.split(segment);
  }

  /** Points the slot that holds `from` at `to`. */
  replace(hash: number, from: number, to: number): void {
    const segment = this.segmentOf(hash);
    segment[this.slotOf(segment, hash, from) * 2 + 1] = to;
  }

  /** Takes the slot that holds this position out; the record must still be there. */
  remove(hash: number, position: number): void {
    if (this.slots !== null) this.slots.remove(hash, this.slots.slotOf(position));
    const segment = this.segmentOf(hash);
    this.foundStands = false;
    let gap = this.slotOf(segment, hash, position);
    for (let at = gap; ; ) {
      if (++at === SLOTS) at = 0;
      const moved = segment[at * 2 + 1]!;
      if (moved === 0) break;
      const movedHash = segment[at * 2]!;
      const distance = at - home(movedHash);
      const span = at - gap;
      if ((distance < 0 ? distance + SLOTS : distance) >= (span < 0 ? span + SLOTS : span)) {
        segment[gap * 2] = movedHash;
        segment[gap * 2 + 1] = moved;
        gap = at;
      }
    }
    segment[gap * 2 + 1] = 0;
    this.count--;
    if (--segment[COUNT]! < MERGE_BELOW && segment[DEPTH] !== 0) this.merge(segment);
  }

  /**
   * Calls `visit` with the positions of all keys of this hash (normally one). `visit` may remove the key it
   * is given; returns how many there were.
   */
  forHash(hash: number, visit: (position: number) => void): number {
    const found: number[] = [];
    const segment = this.segmentOf(hash);
    for (let slot = home(hash); segment[slot * 2 + 1] !== 0; slot = slot + 1 === SLOTS ? 0 : slot + 1)
      if (segment[slot * 2] === hash) found.push(segment[slot * 2 + 1]!);
    for (const position of found) visit(position);
    return found.length;
  }

  /**
   * Visits about `count` keys from a cursor on and returns the cursor to go on from, 0 at the end. `visit`
   * must not change the index.
   */
  scan(cursor: number, count: number, visit: (position: number) => void): number {
    let order = Math.floor(cursor / 32768) & (ORDERS - 1);
    let depth = Math.floor(cursor / 1024) % 32;
    let first = Math.min(cursor % 1024, SLOTS - 1);
    let left = count;
    for (;;) {
      const segment = this.segmentOf(reverseBits24(order));
      const begin = reverseBits24(segment[PREFIX]!);
      if (segment[DEPTH]! < depth) left -= visitRest(segment, order, depth, first, visit);
      else {
        let slot = first;
        for (; slot < SLOTS; slot++) {
          const position = segment[slot * 2 + 1]!;
          if (position === 0) {
            if (left <= 0) return cursorOf(begin, segment[DEPTH]!, slot);
            continue;
          }
          const at = home(segment[slot * 2]!);
          if (at < first || at > slot) continue;
          visit(position);
          left--;
        }
        // Keys whose probing went round the end of the table.
        for (slot = 0; segment[slot * 2 + 1] !== 0 && slot < SLOTS; slot++) {
          const at = home(segment[slot * 2]!);
          if (at > slot && at >= first) {
            visit(segment[slot * 2 + 1]!);
            left--;
          }
        }
      }
      order = begin + (ORDERS >> segment[DEPTH]!);
      if (order >= ORDERS) return 0;
      if (left <= 0) return cursorOf(order, this.segmentOf(reverseBits24(order))[DEPTH]!, 0);
      first = depth = 0;
    }
  }

  /** The position of some key, or 0 where there is none; `random` gives 32-bit integers. */
  randomPosition(random: () => number): number {
    if (this.count === 0) return 0;
    for (;;) {
      const segment = this.segmentOf(random() | 0);
      if (segment[COUNT] === 0) continue;
      for (;;) {
        const position = segment[((random() >>> 16) % SLOTS) * 2 + 1]!;
        if (position !== 0) return position;
      }
    }
  }

  /** The keys of a hash slot, at most so many, as positions; none where slots are not kept account of. */
  positionsInSlot(slot: number, most: number): number[] {
    const found: number[] = [];
    const { slots } = this;
    slots?.forEachHash(slot, (hash) => {
      if (found.length < most)
        this.forHash(hash, (position) => {
          if (found.length < most && slots.slotOf(position) === slot) found.push(position);
        });
      return found.length < most;
    });
    return found;
  }

  /** Bytes of the segments, and of the account of hash slots. */
  get memoryUse(): number {
    const slots = this.slots === null ? 0 : this.slots.memoryUse;
    return this.segmentCount * SEGMENT_INTS * 4 + this.segments.size * 32 + slots;
  }

  private segmentOf(hash: number): Segment {
    return this.segments.get(hash & this.mask) ?? this.fill(hash & this.mask);
  }

  /** An entry that growth left open: it shares the segment of the prefix without its highest bit. */
  private fill(prefix: number): Segment {
    let shorter = prefix;
    for (;;) {
      shorter &= ~(1 << (31 - Math.clz32(shorter)));
      const segment = this.segments.get(shorter);
      if (segment !== undefined) {
        this.segments.set(prefix, segment);
        return segment;
      }
    }
  }

  private slotOf(segment: Segment, hash: number, position: number): number {
    let slot = home(hash);
    while (segment[slot * 2 + 1] !== position) {
      if (segment[slot * 2 + 1] === 0) throw new Error("index: position not found");
      if (++slot === SLOTS) slot = 0;
    }
    return slot;
  }

  private split(segment: Segment): void {
    const depth = segment[DEPTH]!;
    if (depth === MAX_BITS) {
      if (segment[COUNT]! >= SLOTS - 1) throw new RangeError("index is full");
      return;
    }
    const bit = 1 << depth;
    const prefix = segment[PREFIX]!;
    // The segment itself becomes the lower half: a split leaves no garbage.
    const low = segment;
    const high = new Int32Array(SEGMENT_INTS);
    scratch.set(segment);
    low.fill(0);
    low[DEPTH] = high[DEPTH] = depth + 1;
    low[PREFIX] = prefix;
    high[PREFIX] = prefix | bit;
    for (let slot = 0; slot < SLOTS; slot++) {
      const position = scratch[slot * 2 + 1]!;
      if (position !== 0) place((scratch[slot * 2]! & bit) === 0 ? low : high, scratch[slot * 2]!, position);
    }
    if (depth === this.bits) {
      this.bits++;
      this.mask = (1 << this.bits) - 1;
    }
    this.segments.set(prefix | bit, high);
    for (let alias = prefix + 3 * bit; alias <= this.mask; alias += 2 * bit)
      if (this.segments.has(alias)) this.segments.set(alias, high);
    this.segmentCount++;
  }

  private merge(segment: Segment): void {
    const depth = segment[DEPTH]!;
    const bit = 1 << (depth - 1);
    const prefix = segment[PREFIX]! & ~bit;
    const buddy = this.segmentOf(segment[PREFIX]! ^ bit);
    if (buddy[DEPTH] !== depth || buddy[COUNT]! + segment[COUNT]! > MERGE_SUM) return;
    const joined = new Int32Array(SEGMENT_INTS);
    joined[DEPTH] = depth - 1;
    joined[PREFIX] = prefix;
    for (const half of [segment, buddy])
      for (let slot = 0; slot < SLOTS; slot++)
        if (half[slot * 2 + 1] !== 0) place(joined, half[slot * 2]!, half[slot * 2 + 1]!);
    this.segments.set(prefix, joined);
    this.foundSegment = joined;
    for (let alias = prefix + bit; alias <= this.mask; alias += bit)
      if (this.segments.has(alias)) this.segments.set(alias, joined);
    this.segmentCount--;
    // Its own buddy may have waited for it: where nothing is removed any more, nobody would ask again.
    if (joined[COUNT]! < MERGE_BELOW && joined[DEPTH] !== 0) this.merge(joined);
  }
}

function cursorOf(order: number, depth: number, slot: number): number {
  return (order * 32 + depth) * 1024 + slot;
}

/** For a cursor whose range has become part of this segment: visits what it has not covered. */
function visitRest(
  segment: Segment,
  order: number,
  depth: number,
  first: number,
  visit: (position: number) => void,
): number {
  const end = order + (ORDERS >> depth);
  let visited = 0;
  for (let slot = 0; slot < SLOTS; slot++) {
    const position = segment[slot * 2 + 1]!;
    if (position === 0) continue;
    const hash = segment[slot * 2]!;
    const place = reverseBits24(hash);
    if (place < order || (place < end && home(hash) < first)) continue;
    visit(position);
    visited++;
  }
  return visited;
}

/** A copy of the segment being split. */
const scratch = new Int32Array(SEGMENT_INTS);

function place(segment: Segment, hash: number, position: number): void {
  let slot = home(hash);
  while (segment[slot * 2 + 1] !== 0) if (++slot === SLOTS) slot = 0;
  segment[slot * 2] = hash;
  segment[slot * 2 + 1] = position;
  segment[COUNT]!++;
}
