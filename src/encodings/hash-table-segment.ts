import { copyBytes } from "../bytes/ascii.ts";
import { highHalf, joinHalves, lowHalf } from "../bytes/int64.ts";
import { release } from "../memory/arena.ts";
import type { Blocks } from "../memory/blocks.ts";

/**
 * A segment of a hash table (hash-table.ts): up to about 800 entries, their bytes and the slots that find them.
 *
 *   slots (Int32Array):   [top 16 bits of the hash | offset of the entry (16 bits)] ...      0: empty
 *   bytes (Uint8Array):   [unused byte][entry][entry] ... [room]                             up to 64 KiB
 *
 *   entry:  [0xc1, expiry in ms low, high]  [field part]  [value part]    expiry only where there is one,
 *                                                                         value only in hashes
 *   part:   0xxxxxxx + bytes               up to 127 bytes
 *           10xxxxxx x8 + bytes            up to 4095
 *           0xc0, block u32, length u32    longer: the bytes are in a block of the table
 *
 * The home slot follows from the hash's top 16 bits, whatever the number of slots, so slots lie in the order
 * of those bits; collisions probe to the right, removal shifts back. The rest of the hash is not kept: it is
 * computed again when the segment is split. New entries go behind the last one; what removed ones leave is
 * counted as waste and taken back when the bytes are rewritten.
 */

export const NO_EXPIRY = -1;
const IN_BLOCK = 0xc0;
const EXPIRES = 0xc1;
const EXPIRY_BYTES = 9;
const BLOCK_PART = 9;
const MAX_INLINE = 4095;
const FIRST_OFFSET = 1;
/** The offset in a slot. */
export const OFFSET = 0xffff;
/** Bytes that the entries of a segment can have. */
export const MAX_LIVE = OFFSET - FIRST_OFFSET;
/** A buffer of at least this size is given back at once instead of being left to the garbage collector. */
const RELEASE_FROM = 4096;
/** Bytes of the objects around a segment's two buffers, roughly. */
export const SEGMENT_OVERHEAD = 240;

const CAPACITIES = [8, 16, 32, 64, 128, 192, 256, 384, 512, 768, 1024];
/** Slots of a segment, at most: beyond it is split (or doubles, where it cannot be split). */
export const MAX_CAPACITY = 1024;

/** Entries that a segment of so many slots may hold. */
export function limitOf(capacity: number): number {
  return (capacity * 4) / 5;
}

export function capacityFor(count: number): number {
  for (const capacity of CAPACITIES) if (count <= limitOf(capacity)) return capacity;
  let capacity = MAX_CAPACITY;
  while (count > limitOf(capacity)) capacity *= 2;
  return capacity;
}

/** Where bytes stand: `buf[start, end)`. */
export interface Range {
  buf: Uint8Array;
  start: number;
  end: number;
}

/** Where blocks are read from. */
export type BlockSource = Pick<Blocks, "get">;

const EMPTY = new Uint8Array(0);

/** The next size of a buffer: steps of a quarter of a power of two, which memory allocators have as well. */
function bufferSize(bytes: number): number {
  if (bytes <= 64) return (bytes + 15) & ~15;
  const step = 1 << (29 - Math.clz32(bytes - 1));
  return Math.min((bytes + step - 1) & ~(step - 1), OFFSET + 1);
}

export class Segment {
  slots: Int32Array;
  capacity: number;
  bytes: Uint8Array;
  /** Offset behind the last entry. */
  used = FIRST_OFFSET;
  /** Bytes before it that belong to no entry. */
  waste = 0;
  count = 0;
  /** Where the table's list has it. */
  index = 0;
  /** No entry expires before this time. */
  soonest = Number.POSITIVE_INFINITY;
  /** Who watches the table wants to know before this changes. */
  awaited = false;

  constructor(
    public depth: number,
    public prefix: number,
    capacity: number,
    room: number,
  ) {
    this.capacity = capacity;
    this.slots = new Int32Array(capacity);
    this.bytes = new Uint8Array(bufferSize(room + FIRST_OFFSET));
  }

  /** Bytes held. */
  get size(): number {
    return this.slots.byteLength + this.bytes.length + SEGMENT_OVERHEAD;
  }

  /** Bytes of the entries. */
  get live(): number {
    return this.used - this.waste - FIRST_OFFSET;
  }

  /** The home slot of an entry, given its slot's contents or its hash. */
  home(slot: number): number {
    return ((slot >>> 16) * this.capacity) >>> 16;
  }

  /** Loads the first entry of a hash's chain, and where the next new one goes, into the cache. */
  touch(hash: number): number {
    const { bytes } = this;
    return bytes[this.offset(this.home(hash))]! + bytes[Math.min(this.used, bytes.length - 1)]!;
  }

  /** The offset of the entry in a slot, 0: the slot is empty. */
  offset(slot: number): number {
    return this.slots[slot]! & OFFSET;
  }

  /** When the entry in a slot expires. */
  expiry(slot: number): number {
    return expiryAt(this.bytes, this.offset(slot));
  }

  /** Points the next free slot of this hash's chain at an entry. */
  place(hash: number, offset: number): void {
    const { slots, capacity } = this;
    let slot = this.home(hash);
    while (slots[slot] !== 0) if (++slot === capacity) slot = 0;
    slots[slot] = (hash & ~OFFSET) | offset;
    this.count++;
  }

  /** Points a slot in use at another place in the bytes. */
  move(slot: number, offset: number): void {
    this.slots[slot] = (this.slots[slot]! & ~OFFSET) | offset;
  }

  /** Empties a slot; entries behind it that were pushed past their home move up. */
  clearSlot(slot: number): void {
    const { slots, capacity } = this;
    let gap = slot;
    for (let at = slot; ; ) {
      if (++at === capacity) at = 0;
      const moved = slots[at]!;
      if (moved === 0) break;
      const distance = at - this.home(moved);
      const span = at - gap;
      if ((distance < 0 ? distance + capacity : distance) >= (span < 0 ? span + capacity : span)) {
        slots[gap] = moved;
        gap = at;
      }
    }
    slots[gap] = 0;
    this.count--;
  }

  /** Gives the segment another number of slots. */
  resizeSlots(capacity: number): void {
    const old = this.slots;
    this.slots = new Int32Array(capacity);
    this.capacity = capacity;
    this.count = 0;
    for (let i = 0; i < old.length; i++) if (old[i] !== 0) this.place(old[i]!, old[i]! & OFFSET);
    giveBack(old);
  }

  /** Makes room for `size` more bytes behind the last entry, which there is below MAX_LIVE: rewrites the bytes. */
  makeRoom(size: number, hasValues: boolean): void {
    if (this.used + size <= this.bytes.length) return;
    const needed = this.live + size + FIRST_OFFSET;
    // Rewriting moves all entries: it has to free room for a while.
    if (this.waste > 0 && (needed * 1.125 <= this.bytes.length || this.bytes.length > OFFSET))
      this.rewrite(this.bytes.length, hasValues);
    else this.rewrite(bufferSize(needed < 512 ? needed + 32 : needed), hasValues);
  }

  /** Gives unused bytes back when most of the buffer is unused. */
  shrink(hasValues: boolean): void {
    const { live } = this;
    if (this.bytes.length > 1024 && live * 3 < this.bytes.length)
      this.rewrite(bufferSize(live + (live >>> 2)), hasValues);
  }

  /** Moves the entries to a buffer of this size, without the waste. */
  private rewrite(size: number, hasValues: boolean): void {
    const { slots, bytes } = this;
    const fresh = new Uint8Array(size);
    if (this.waste === 0) copyBytes(fresh, 0, bytes, 0, this.used);
    else {
      let at = FIRST_OFFSET;
      for (let i = 0; i < slots.length; i++) {
        const offset = slots[i]! & OFFSET;
        if (offset === 0) continue;
        const end = entryEnd(bytes, offset, hasValues);
        copyBytes(fresh, at, bytes, offset, end);
        this.move(i, at);
        at += end - offset;
      }
      this.used = at;
      this.waste = 0;
    }
    this.bytes = fresh;
    giveBack(bytes);
  }

  /** Takes the entry of another segment over, given its hash or slot. */
  adopt(hash: number, from: Uint8Array, offset: number, end: number): void {
    const expiry = expiryAt(from, offset);
    if (expiry !== NO_EXPIRY && expiry < this.soonest) this.soonest = expiry;
    copyBytes(this.bytes, this.used, from, offset, end);
    this.place(hash, this.used);
    this.used += end - offset;
  }

  /** Adds the fields that have expired to `due`; `soonest` is then of the others. */
  collectDue(now: number, blocks: BlockSource, due: Uint8Array[]): void {
    const { bytes, capacity } = this;
    this.soonest = Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < capacity; slot++) {
      const offset = this.offset(slot);
      if (offset === 0) continue;
      const at = expiryAt(bytes, offset);
      if (at === NO_EXPIRY) continue;
      if (now > at) {
        readPart(bytes, fieldAt(bytes, offset), blocks, scratch);
        due.push(scratch.buf.slice(scratch.start, scratch.end));
      } else if (at < this.soonest) this.soonest = at;
    }
  }

  /** Adds to `lengths` how many entries lie so many slots behind their home. */
  countProbes(lengths: number[]): void {
    const { slots, capacity } = this;
    for (let slot = 0; slot < capacity; slot++) {
      if (slots[slot] === 0) continue;
      const distance = slot - this.home(slots[slot]!);
      const probes = distance < 0 ? distance + capacity : distance;
      lengths[probes] = (lengths[probes] ?? 0) + 1;
    }
  }

  clone(): Segment {
    const copy = new Segment(this.depth, this.prefix, 0, 0);
    copy.capacity = this.capacity;
    copy.slots = this.slots.slice();
    copy.bytes = this.bytes.slice();
    copy.used = this.used;
    copy.waste = this.waste;
    copy.count = this.count;
    copy.index = this.index;
    copy.soonest = this.soonest;
    return copy;
  }

  dispose(): void {
    giveBack(this.slots);
    giveBack(this.bytes);
  }
}

function giveBack(array: Uint8Array | Int32Array): void {
  if (array.byteLength >= RELEASE_FROM) release(array as Uint8Array);
}

// -------------------------------------------------------------------------------- entries

/** Bytes of a part for a string of this length. */
export function partBytes(length: number): number {
  if (length < 128) return 1 + length;
  return length <= MAX_INLINE ? 2 + length : BLOCK_PART;
}

/** The offset of an entry's field part. */
export function fieldAt(bytes: Uint8Array, offset: number): number {
  return bytes[offset] === EXPIRES ? offset + EXPIRY_BYTES : offset;
}

/** The offset behind the part at `at`. */
export function partEnd(bytes: Uint8Array, at: number): number {
  const head = bytes[at]!;
  if (head < 0x80) return at + 1 + head;
  return head < IN_BLOCK ? at + 2 + (((head & 0x3f) << 8) | bytes[at + 1]!) : at + BLOCK_PART;
}

/** The offset behind the entry at `offset`. */
export function entryEnd(bytes: Uint8Array, offset: number, hasValues: boolean): number {
  const end = partEnd(bytes, fieldAt(bytes, offset));
  return hasValues ? partEnd(bytes, end) : end;
}

/** Writes a part at `at` and returns the offset behind it. */
export function writePart(
  bytes: Uint8Array,
  at: number,
  buf: Uint8Array,
  start: number,
  end: number,
  blocks: Blocks,
): number {
  const length = end - start;
  if (length < 128) bytes[at++] = length;
  else if (length <= MAX_INLINE) {
    bytes[at++] = 0x80 | (length >> 8);
    bytes[at++] = length & 255;
  } else {
    bytes[at] = IN_BLOCK;
    write32(bytes, at + 1, blocks.adopt(buf.slice(start, end)));
    write32(bytes, at + 5, length);
    return at + BLOCK_PART;
  }
  copyBytes(bytes, at, buf, start, end);
  return at + length;
}

/** Points `range` at the string of the part at `at`. */
export function readPart(bytes: Uint8Array, at: number, blocks: BlockSource, range: Range): void {
  const head = bytes[at]!;
  range.buf = bytes;
  if (head < 0x80) {
    range.start = at + 1;
    range.end = at + 1 + head;
  } else if (head < IN_BLOCK) {
    range.start = at + 2;
    range.end = at + 2 + (((head & 0x3f) << 8) | bytes[at + 1]!);
  } else {
    range.buf = blocks.get(read32(bytes, at + 1));
    range.start = 0;
    range.end = read32(bytes, at + 5);
  }
}

/** Gives the part at `at`, which was copied from another table, a copy of its block. */
export function copyBlock(bytes: Uint8Array, at: number, from: Blocks, to: Blocks): void {
  if (bytes[at] === IN_BLOCK) write32(bytes, at + 1, to.adopt(from.get(read32(bytes, at + 1)).slice()));
}

/** The number of the block of the part at `at`; 0: it has none. */
export function blockOf(bytes: Uint8Array, at: number): number {
  return bytes[at] === IN_BLOCK ? read32(bytes, at + 1) : 0;
}

/** Gives back the block of the part at `at`, if it has one. */
export function freePart(bytes: Uint8Array, at: number, blocks: Blocks): void {
  if (bytes[at] === IN_BLOCK) blocks.free(read32(bytes, at + 1));
}

/** Whether the part at `at` holds the bytes `buf[start, end)`. */
export function partEquals(
  bytes: Uint8Array,
  at: number,
  buf: Uint8Array,
  start: number,
  end: number,
  blocks: Blocks,
): boolean {
  const head = bytes[at]!;
  if (head < 0x80) {
    if (head !== end - start) return false;
    for (let i = start; i < end; i++) if (bytes[++at] !== buf[i]) return false;
    return true;
  }
  readPart(bytes, at, blocks, scratch);
  if (scratch.end - scratch.start !== end - start) return false;
  const other = scratch.buf;
  for (let i = start, j = scratch.start; i < end; i++, j++) if (other[j] !== buf[i]) return false;
  return true;
}

const scratch: Range = { buf: EMPTY, start: 0, end: 0 };

/** Milliseconds since 1970, or NO_EXPIRY. */
export function expiryAt(bytes: Uint8Array, offset: number): number {
  if (bytes[offset] !== EXPIRES) return NO_EXPIRY;
  return joinHalves(read32(bytes, offset + 1), read32(bytes, offset + 5));
}

/** Bytes that an expiry takes. */
export function expiryBytes(at: number): number {
  return at === NO_EXPIRY ? 0 : EXPIRY_BYTES;
}

/** Writes an expiry (or none) at `offset` and returns the offset behind it. */
export function writeExpiry(bytes: Uint8Array, offset: number, at: number): number {
  if (at === NO_EXPIRY) return offset;
  bytes[offset] = EXPIRES;
  write32(bytes, offset + 1, lowHalf(at));
  write32(bytes, offset + 5, highHalf(at));
  return offset + EXPIRY_BYTES;
}

function read32(buf: Uint8Array, i: number): number {
  return buf[i]! | (buf[i + 1]! << 8) | (buf[i + 2]! << 16) | (buf[i + 3]! << 24);
}

function write32(buf: Uint8Array, i: number, value: number): void {
  buf[i] = value & 255;
  buf[i + 1] = (value >>> 8) & 255;
  buf[i + 2] = (value >>> 16) & 255;
  buf[i + 3] = value >>> 24;
}
