import { copyBytes } from "../bytes/ascii.ts";
import { halfSipHash } from "../bytes/siphash.ts";
import { Blocks } from "../memory/blocks.ts";
import type { BigValue } from "../memory/objects.ts";
import { MAX_DEPTH, SegmentDirectory } from "./hash-table-directory.ts";
import { imageOf, type SegmentImage, type TableWatch } from "./hash-table-image.ts";
import { scanSegments } from "./hash-table-scan.ts";
import {
  capacityFor,
  copyBlock,
  entryEnd,
  expiryAt,
  expiryBytes,
  fieldAt,
  freePart,
  limitOf,
  MAX_CAPACITY,
  MAX_LIVE,
  NO_EXPIRY,
  OFFSET,
  partBytes,
  partEnd,
  partEquals,
  type Range,
  readPart,
  Segment,
  writeExpiry,
  writePart,
} from "./hash-table-segment.ts";

/**
 * The hash table of big hashes and sets: fields (members) with or without values, by extendible hashing.
 *
 *   directory: from the low bits of a field's keyed hash to a segment    hash-table-directory.ts
 *   segment:   up to 800 entries with their bytes                        hash-table-segment.ts
 *
 * A segment of depth d holds all entries whose hash ends in its d-bit prefix. One that gets full, or whose
 * bytes exceed 48 KiB, is split by the next bit or two; two sparse buddies are merged. So growth and shrinking
 * cost at most one segment at a time, and a table of a million entries is a few thousand JavaScript cells.
 *
 * A random entry: a random segment, taken with the probability of its fill, then a random slot until one is
 * in use. Every entry has the same chance, whatever the depths and sizes of segments.
 *
 * `find`, `advance`, `random` and `select` make an entry the current one, which the other methods read or
 * change. Changing anything makes no entry current.
 */

const SPLIT_BYTES = 48 * 1024;
/** A segment is not split for its bytes alone below this number of entries, while they fit. */
const SPLIT_COUNT = 16;
const SPLIT_IN_FOUR = 512;
const MERGE_BELOW = 130;
const MERGE_SUM = 320;
const FULL = limitOf(MAX_CAPACITY);
const TABLE_OVERHEAD = 400;
const NOTHING = new Uint8Array(0);
const scratch: Range = { buf: NOTHING, start: 0, end: 0 };
/** For each slot of the segment being split the part that it goes to. */
const goesTo = new Uint8Array(MAX_CAPACITY);

/** A place in the iteration over a table that does not change meanwhile. */
export class TableCursor {
  segment = 0;
  slot = 0;

  rewind(): void {
    this.segment = this.slot = 0;
  }
}

export class HashTable implements BigValue {
  private directory: SegmentDirectory;
  private blocks = new Blocks();
  /** Entries held. */
  count = 0;
  /** Entries with an expiry. */
  expiring = 0;
  /** No entry expires before this time. */
  soonest = Number.POSITIVE_INFINITY;
  /** For the key space: under which tick its wheel knows the table, 0: it does not. */
  wheelTick = 0;
  watch: TableWatch | null = null;
  /** The current entry. */
  private segment: Segment;
  private slot = 0;
  /** The hash of the field looked for last. */
  private hash = 0;
  /** The field whose hash has been computed ahead, see `expect`; -1: none. */
  private expectedBuf: Uint8Array = NOTHING;
  private expectedStart = -1;
  private expectedHash = 0;

  /** `expected`: how many entries there will soon be. */
  constructor(
    private readonly seed0: number,
    private readonly seed1: number,
    readonly hasValues: boolean,
    expected = 0,
  ) {
    const first = new Segment(0, 0, capacityFor(Math.min(expected, FULL)), 0);
    this.segment = first;
    this.directory = new SegmentDirectory(first);
  }

  get segments(): readonly Segment[] {
    return this.directory.segments;
  }

  private announce(segment: Segment): void {
    segment.awaited = false;
    this.watch?.beforeSegment(segment);
  }

  get memoryUse(): number {
    return TABLE_OVERHEAD + this.directory.memoryUse + this.blocks.usedBytes;
  }

  // ------------------------------------------------------------------ finding

  /** Makes the entry with this field the current one; false if there is none. */
  find(buf: Uint8Array, start: number, end: number): boolean {
    const hash =
      start === this.expectedStart && buf === this.expectedBuf
        ? this.expectedHash
        : this.hashOf(buf, start, end);
    this.hash = hash;
    const segment = this.directory.of(hash);
    const { slots, capacity } = segment;
    this.segment = segment;
    const top = hash >>> 16;
    let slot = (top * capacity) >>> 16;
    for (;;) {
      const contents = slots[slot]!;
      if (contents === 0) break;
      if (contents >>> 16 === top) {
        const { bytes } = segment;
        const field = fieldAt(bytes, contents & OFFSET);
        if (partEquals(bytes, field, buf, start, end, this.blocks)) {
          this.slot = slot;
          return true;
        }
      }
      if (++slot === capacity) slot = 0;
    }
    this.slot = slot;
    return false;
  }

  hashOf(buf: Uint8Array, start: number, end: number): number {
    return halfSipHash(this.seed0, this.seed1, buf, start, end);
  }

  /** Says which field is about to be looked for, and its hash; start -1: its buffer may soon hold something else. */
  expect(buf: Uint8Array, start: number, hash: number): void {
    this.expectedBuf = buf;
    this.expectedStart = start;
    this.expectedHash = hash;
  }

  /** Loads what finding fields of these hashes will need into the cache; the result means nothing. */
  prefetch(hashes: Int32Array, count: number): number {
    return this.directory.touch(hashes, count);
  }

  /** Makes the next entry of an iteration the current one; false at the end. */
  advance(cursor: TableCursor): boolean {
    const { segments } = this;
    while (cursor.segment < segments.length) {
      const segment = segments[cursor.segment]!;
      const { slots, capacity } = segment;
      for (let slot = cursor.slot; slot < capacity; slot++) {
        if (slots[slot] === 0) continue;
        this.segment = segment;
        this.slot = slot;
        cursor.slot = slot + 1;
        return true;
      }
      cursor.segment++;
      cursor.slot = 0;
    }
    return false;
  }

  /** Makes a random entry the current one; the table must not be empty. `random` gives 32-bit integers. */
  random(random: () => number): void {
    const { segments } = this;
    let segment = segments[0]!;
    if (segments.length > 1) {
      for (;;) {
        segment = segments[below(random, segments.length)]!;
        if (segment.count >= FULL || below(random, FULL) < segment.count) break;
      }
    }
    this.segment = segment;
    do this.slot = below(random, segment.capacity);
    while (segment.slots[this.slot] === 0);
  }

  /** The current entry as a number, good for `select` until the table changes. */
  get entry(): number {
    return this.segment.index * 65536 + this.slot;
  }

  select(entry: number): void {
    this.segment = this.segments[Math.floor(entry / 65536)]!;
    this.slot = entry % 65536;
  }

  /**
   * Adds about `count` entries from a cursor on to `found` (see `entry`) and returns the cursor to go on
   * from, 0 at the end. What is there from the first call to the last is found.
   */
  scan(cursor: number, count: number, found: number[]): number {
    return scanSegments(this.directory, cursor, count, found, this.hashAt);
  }

  // ------------------------------------------------------------------ the current entry

  private get offset(): number {
    return this.segment.offset(this.slot);
  }

  readField(range: Range): void {
    const { bytes } = this.segment;
    readPart(bytes, fieldAt(bytes, this.offset), this.blocks, range);
  }

  readValue(range: Range): void {
    const { bytes } = this.segment;
    readPart(bytes, partEnd(bytes, fieldAt(bytes, this.offset)), this.blocks, range);
  }

  /** A segment as it is, or a copy that stays so; blocks are not copied: see `keepBlocks`. */
  image(segment: Segment, copy: boolean): SegmentImage {
    return imageOf(segment, this.blocks, this.hasValues, copy);
  }

  /** Whether the bytes of blocks must stay when entries go: there may be images that lead to them. */
  keepBlocks(keep: boolean): void {
    this.blocks.readers += keep ? 1 : -1;
  }

  /** When the entry expires, in milliseconds since 1970; NO_EXPIRY. */
  get expiry(): number {
    return expiryAt(this.segment.bytes, this.offset);
  }

  /** Replaces the value; the entry keeps its expiry. */
  setValue(value: Uint8Array, start: number, end: number): void {
    const { segment } = this;
    if (segment.awaited) this.announce(segment);
    const { bytes } = segment;
    const offset = this.offset;
    const at = partEnd(bytes, fieldAt(bytes, offset));
    const oldEnd = partEnd(bytes, at);
    const size = partBytes(end - start);
    const isLast = oldEnd === segment.used;
    if (at + size <= (isLast ? bytes.length : oldEnd)) {
      freePart(bytes, at, this.blocks);
      const fresh = writePart(bytes, at, value, start, end, this.blocks);
      if (isLast) segment.used = fresh;
      else segment.waste += oldEnd - fresh;
      return;
    }
    const kept = at - offset;
    this.makeRoom(kept + size);
    this.moveEntry(kept, NO_EXPIRY, value, start, end);
    this.checkBytes();
  }

  /** Sets or takes (NO_EXPIRY) the entry's expiry. */
  setExpiry(at: number): void {
    const { segment } = this;
    const had = this.expiry;
    if (had === at) return;
    if (segment.awaited) this.announce(segment);
    const offset = this.offset;
    if (had !== NO_EXPIRY && at !== NO_EXPIRY) {
      writeExpiry(segment.bytes, offset, at);
    } else if (had !== NO_EXPIRY) {
      this.dropExpiry();
    } else {
      const size = entryEnd(segment.bytes, offset, this.hasValues) - offset;
      this.makeRoom(size + expiryBytes(at));
      this.moveEntry(size, at, NOTHING, 0, -1);
      this.expiring++;
    }
    if (at !== NO_EXPIRY) {
      if (at < this.segment.soonest) this.segment.soonest = at;
      if (at < this.soonest) this.soonest = at;
    }
    this.checkBytes();
  }

  /** Takes the current entry's expiry, if it has one; it stays the current entry. */
  private dropExpiry(): void {
    const { segment, slot, offset } = this;
    const field = fieldAt(segment.bytes, offset);
    if (field === offset) return;
    if (segment.awaited) this.announce(segment);
    segment.move(slot, field);
    segment.waste += field - offset;
    this.expiring--;
  }

  /** Whether the current entry has expired. */
  isDue(now: number): boolean {
    const at = this.expiry;
    return at !== NO_EXPIRY && now > at;
  }

  /**
   * Removes entries that have expired, segment by segment, until at least `most` are gone; their fields are
   * added to `removed`. Others may be left if `soonest` is still before `now`.
   */
  removeDue(now: number, most: number, removed: Uint8Array[]): void {
    const first = removed.length;
    let soonest = Number.POSITIVE_INFINITY;
    for (const segment of this.segments) {
      if (segment.soonest < now && removed.length - first < most)
        segment.collectDue(now, this.blocks, removed);
      if (segment.soonest < soonest) soonest = segment.soonest;
    }
    this.soonest = soonest;
    for (let i = first; i < removed.length; i++) {
      this.find(removed[i]!, 0, removed[i]!.length);
      this.remove();
    }
  }

  /**
   * Writes the current entry anew behind the last one, where there is room: an expiry, the first `kept` bytes
   * of the old entry, and a new value in place of the old one (`end` below `start`: none, all is kept).
   */
  private moveEntry(kept: number, expiry: number, value: Uint8Array, start: number, end: number): void {
    const { segment, offset } = this;
    const { bytes } = segment;
    const oldEnd = entryEnd(bytes, offset, this.hasValues);
    let at = writeExpiry(bytes, segment.used, expiry);
    for (let i = offset; i < offset + kept; i++) bytes[at++] = bytes[i]!;
    if (end >= start) {
      freePart(bytes, offset + kept, this.blocks);
      at = writePart(bytes, at, value, start, end, this.blocks);
    }
    segment.move(this.slot, segment.used);
    segment.used = at;
    segment.waste += oldEnd - offset;
  }

  /** Removes the current entry. */
  remove(): void {
    const { segment, slot, offset } = this;
    if (segment.awaited) this.announce(segment);
    const { bytes } = segment;
    if (this.expiry !== NO_EXPIRY) this.expiring--;
    const field = fieldAt(bytes, offset);
    let end = partEnd(bytes, field);
    freePart(bytes, field, this.blocks);
    if (this.hasValues) {
      freePart(bytes, end, this.blocks);
      end = partEnd(bytes, end);
    }
    if (end === segment.used) segment.used = offset;
    else segment.waste += end - offset;
    segment.clearSlot(slot);
    this.count--;
    this.tighten(segment);
  }

  // ------------------------------------------------------------------ adding

  /** Adds a member to a set; false if it is there already. */
  add(buf: Uint8Array, start: number, end: number): boolean {
    if (this.find(buf, start, end)) return false;
    this.insert(buf, start, end, NOTHING, 0, 0);
    return true;
  }

  /** Sets a field's value; returns whether the field is new. Unless `keepExpiry`, it loses its expiry. */
  set(
    field: Uint8Array,
    fieldStart: number,
    fieldEnd: number,
    value: Uint8Array,
    start: number,
    end: number,
    keepExpiry = false,
  ): boolean {
    if (this.find(field, fieldStart, fieldEnd)) {
      if (!keepExpiry && this.expiring > 0) this.dropExpiry();
      this.setValue(value, start, end);
      return false;
    }
    this.insert(field, fieldStart, fieldEnd, value, start, end);
    return true;
  }

  /** Adds the field that the last `find` has looked for in vain. */
  insert(
    field: Uint8Array,
    fieldStart: number,
    fieldEnd: number,
    value: Uint8Array,
    start: number,
    end: number,
  ): void {
    if (this.segment.awaited) this.announce(this.segment);
    const size = partBytes(fieldEnd - fieldStart) + (this.hasValues ? partBytes(end - start) : 0);
    this.makeRoom(size);
    const { segment } = this;
    const { bytes, used } = segment;
    let at = writePart(bytes, used, field, fieldStart, fieldEnd, this.blocks);
    if (this.hasValues) at = writePart(bytes, at, value, start, end, this.blocks);
    segment.used = at;
    segment.slots[this.slot] = (this.hash & ~OFFSET) | used;
    this.count++;
    if (++segment.count > limitOf(segment.capacity)) this.grow(segment);
    else this.checkBytes();
  }

  /**
   * Makes room in the current segment for so many bytes behind the last entry. Where they would be too many,
   * it is split, and current is the half and the slot where the current entry, or the one to be inserted, is.
   */
  private makeRoom(size: number): void {
    while (this.segment.live + size > MAX_LIVE) {
      const { segment, slot } = this;
      const offset = segment.offset(slot);
      if (offset !== 0) this.hash = this.hashAt(segment, slot);
      const name = new Uint8Array(offset === 0 ? 0 : this.fieldLength());
      if (offset !== 0) this.copyField(name);
      this.split(segment);
      this.segment = this.directory.of(this.hash);
      if (offset !== 0) this.find(name, 0, name.length);
      else this.slot = this.freeSlot(this.segment);
    }
    const { segment } = this;
    if (segment.used + size <= segment.bytes.length) return;
    const before = segment.bytes.length;
    segment.makeRoom(size, this.hasValues);
    this.directory.held += segment.bytes.length - before;
  }

  private fieldLength(): number {
    this.readField(scratch);
    return scratch.end - scratch.start;
  }

  private copyField(to: Uint8Array): void {
    this.readField(scratch);
    copyBytes(to, 0, scratch.buf, scratch.start, scratch.end);
  }

  /** The slot where an entry of the current hash would be put. */
  private freeSlot(segment: Segment): number {
    let slot = segment.home(this.hash);
    while (segment.slots[slot] !== 0) if (++slot === segment.capacity) slot = 0;
    return slot;
  }

  /** After a change: splits the current segment where its bytes have become many. */
  private checkBytes(): void {
    const { segment } = this;
    if (segment.used > SPLIT_BYTES && segment.count > SPLIT_COUNT && segment.live > SPLIT_BYTES)
      this.split(segment);
  }

  private grow(segment: Segment): void {
    if (segment.capacity >= MAX_CAPACITY && segment.depth < MAX_DEPTH) this.split(segment);
    else this.resizeSlots(segment, capacityFor(segment.count + (segment.count >> 3)));
  }

  private resizeSlots(segment: Segment, capacity: number): void {
    const before = segment.size;
    segment.resizeSlots(capacity);
    this.directory.held += segment.size - before;
  }

  // ------------------------------------------------------------------ splitting and merging

  /** The hash of the entry in a slot. */
  private readonly hashAt = (segment: Segment, slot: number): number => {
    const { bytes } = segment;
    readPart(bytes, fieldAt(bytes, segment.offset(slot)), this.blocks, scratch);
    return this.hashOf(scratch.buf, scratch.start, scratch.end);
  };

  /**
   * Splits a segment in two, or, where it has many entries, in four at once: computing hashes and moving
   * entries is most of the work, and there is half as much of it.
   */
  private split(segment: Segment): void {
    const { depth, prefix, slots, bytes } = segment;
    if (depth === MAX_DEPTH) {
      if (segment.live > SPLIT_BYTES) throw new RangeError("hash table is full");
      return;
    }
    const bits = segment.count >= SPLIT_IN_FOUR && depth + 2 <= MAX_DEPTH ? 2 : 1;
    const goes = slots.length <= goesTo.length ? goesTo : new Uint8Array(slots.length);
    const counts = [0, 0, 0, 0];
    const sizes = [0, 0, 0, 0];
    for (let slot = 0; slot < slots.length; slot++) {
      const offset = segment.offset(slot);
      if (offset === 0) continue;
      const part = (this.hashAt(segment, slot) >>> depth) & ((1 << bits) - 1);
      goes[slot] = part;
      counts[part]!++;
      sizes[part]! += entryEnd(bytes, offset, this.hasValues) - offset;
    }
    const parts: Segment[] = [];
    for (let part = 0; part < 1 << bits; part++)
      parts.push(roomySegment(depth + bits, prefix | (part << depth), counts[part]!, sizes[part]!));
    for (let slot = 0; slot < slots.length; slot++) {
      const offset = segment.offset(slot);
      if (offset === 0) continue;
      const end = entryEnd(bytes, offset, this.hasValues);
      parts[goes[slot]!]!.adopt(slots[slot]!, bytes, offset, end);
    }
    this.directory.split(segment, parts);
  }

  /** After a removal: gives room back, merges with the buddy. */
  private tighten(segment: Segment): void {
    const { count, capacity } = segment;
    if (count * 5 < capacity && capacity > 8) this.resizeSlots(segment, capacityFor(count * 2));
    const before = segment.bytes.length;
    segment.shrink(this.hasValues);
    this.directory.held += segment.bytes.length - before;
    if (count < MERGE_BELOW && segment.depth > 0) this.merge(segment);
  }

  private merge(segment: Segment): void {
    const { depth } = segment;
    const bit = 1 << (depth - 1);
    const buddy = this.directory.of(segment.prefix ^ bit);
    const count = segment.count + buddy.count;
    const bytes = segment.live + buddy.live;
    if (buddy.depth !== depth || count > MERGE_SUM || bytes > SPLIT_BYTES / 2) return;
    if (buddy.awaited) this.announce(buddy);
    const joined = roomySegment(depth - 1, segment.prefix & ~bit, count, bytes);
    for (const { slots, bytes: from } of [segment, buddy])
      for (const contents of slots) {
        const offset = contents & OFFSET;
        if (offset !== 0) joined.adopt(contents, from, offset, entryEnd(from, offset, this.hasValues));
      }
    this.directory.merge(segment, buddy, joined);
    // Its own buddy may have waited for it: where nothing is removed any more, nobody would ask again.
    if (count < MERGE_BELOW && joined.depth > 0) this.merge(joined);
  }

  // ------------------------------------------------------------------ as a whole

  clone(): HashTable {
    const copy = new HashTable(this.seed0, this.seed1, this.hasValues);
    copy.count = this.count;
    copy.expiring = this.expiring;
    copy.soonest = this.soonest;
    copy.directory = this.directory.clone((segment) => {
      const twin = segment.clone();
      if (this.blocks.count > 0) this.copyBlocks(twin, copy.blocks);
      return twin;
    });
    return copy;
  }

  private copyBlocks({ slots, bytes }: Segment, to: Blocks): void {
    for (const contents of slots) {
      if (contents === 0) continue;
      const offset = contents & OFFSET;
      const field = fieldAt(bytes, offset);
      copyBlock(bytes, field, this.blocks, to);
      if (this.hasValues) copyBlock(bytes, partEnd(bytes, field), this.blocks, to);
    }
  }

  dispose(): void {
    this.directory.dispose();
    this.blocks.clear();
  }

  /** For statistics: entries that lie so many slots behind their home, by that number. */
  probeLengths(): number[] {
    const lengths: number[] = [];
    for (const segment of this.segments) segment.countProbes(lengths);
    return Array.from(lengths, (n) => n ?? 0);
  }
}

/** An empty segment for so many entries of so many bytes, and some more. */
function roomySegment(depth: number, prefix: number, count: number, bytes: number): Segment {
  return new Segment(depth, prefix, capacityFor(count + (count >> 2)), bytes + (bytes >>> 3));
}

/** A random integer in [0, bound); `random` gives 32-bit integers. */
export function below(random: () => number, bound: number): number {
  return Math.floor(((random() >>> 0) / 4294967296) * bound);
}
