import type { SegmentDirectory } from "./hash-table-directory.ts";
import type { Segment } from "./hash-table-segment.ts";

/**
 * The scan of a hash table: as that of the key space's index (keyspace/index.ts), with segments that differ
 * in their number of slots.
 *
 *   cursor = order (24 bits) | depth (5 bits) | place (16 bits)
 *
 * Order is the begin of a segment's range in the order of reversed low bits of the hash: a split cuts a range
 * in two, a merge joins two neighbours. Place says that of this range all entries are done whose hash's top
 * 16 bits are below it; slots lie in the order of those bits, however many there are.
 *
 *   range split since    its lower half goes on from the place, the upper half is visited from its first slot
 *   range merged since   what the cursor has not covered of the larger range is visited at once
 *
 * So what is present from start to end is found, and a cursor never moves back.
 */

const ORDER_BITS = 24;
const ORDERS = 1 << ORDER_BITS;
const PLACES = 65536;
/** Cursors are below this. */
export const TABLE_CURSOR_END = 2 ** 45;

function reverseBits24(value: number): number {
  let out = 0;
  for (let i = 0; i < ORDER_BITS; i++) out |= ((value >>> i) & 1) << (ORDER_BITS - 1 - i);
  return out;
}

function cursorOf(order: number, depth: number, place: number): number {
  return (order * 32 + depth) * PLACES + place;
}

function entryOf(segment: Segment, slot: number): number {
  return segment.index * 65536 + slot;
}

export function scanSegments(
  directory: SegmentDirectory,
  cursor: number,
  count: number,
  found: number[],
  hashAt: (segment: Segment, slot: number) => number,
): number {
  let order = Math.floor(cursor / (32 * PLACES)) % ORDERS;
  let depth = Math.floor(cursor / PLACES) % 32;
  let place = cursor % PLACES;
  const enough = found.length + count;
  for (;;) {
    const segment = directory.of(reverseBits24(order));
    const begin = reverseBits24(segment.prefix);
    if (segment.depth < depth) visitRest(segment, order, depth, place, found, hashAt);
    else {
      const stop = visitFrom(segment, place, enough, found);
      if (stop >= 0) return cursorOf(begin, segment.depth, stop);
    }
    order = begin + (ORDERS >> segment.depth);
    if (order >= ORDERS) return 0;
    if (found.length >= enough) return cursorOf(order, directory.of(reverseBits24(order)).depth, 0);
    place = depth = 0;
  }
}

/** Visits a segment from a place on; the place to go on from if enough is found before its end, else -1. */
function visitFrom(segment: Segment, place: number, enough: number, found: number[]): number {
  const { slots, capacity } = segment;
  for (let slot = (place * capacity) >>> 16; slot < capacity; slot++) {
    const contents = slots[slot]!;
    if (contents === 0) {
      if (found.length >= enough && slot > 0) return Math.ceil((slot * PLACES) / capacity);
      continue;
    }
    if (contents >>> 16 >= place && segment.home(contents) <= slot) found.push(entryOf(segment, slot));
  }
  // Entries whose probing went round the end.
  for (let slot = 0; slot < capacity && slots[slot] !== 0; slot++) {
    const contents = slots[slot]!;
    if (contents >>> 16 >= place && segment.home(contents) > slot) found.push(entryOf(segment, slot));
  }
  return -1;
}

/** For a cursor whose range has become part of this segment: visits what it has not covered. */
function visitRest(
  segment: Segment,
  order: number,
  depth: number,
  place: number,
  found: number[],
  hashAt: (segment: Segment, slot: number) => number,
): void {
  const { slots, capacity } = segment;
  const end = order + (ORDERS >> depth);
  for (let slot = 0; slot < capacity; slot++) {
    if (slots[slot] === 0) continue;
    const at = reverseBits24(hashAt(segment, slot));
    if (at < order || (at < end && slots[slot]! >>> 16 < place)) continue;
    found.push(entryOf(segment, slot));
  }
}
