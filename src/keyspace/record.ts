import { copyBytes } from "../bytes/ascii.ts";
import { highHalf, joinHalves, lowHalf } from "../bytes/int64.ts";
import { Arena, MAX_CELL } from "../memory/arena.ts";
import { Blocks } from "../memory/blocks.ts";
import { Objects } from "../memory/objects.ts";

/**
 * A record: one key with its value, in one arena cell.
 *
 *   word 0   clock (24 bits) | expiry flag (1) | encoding (4) | type (3)
 *   word 1   key length; bit 31: the key is in a block (its number stands where the key would);
 *            bit 30: the snapshot bit, equal to `Records.epoch` once a snapshot has the record (snapshot.ts)
 *   word 2   value length in bytes (inline value: also what SETRANGE and the like may overwrite)
 *   word 3   tick under which the expiry wheel knows the record, 0: it does not
 *  [words    expiry, milliseconds since 1970, low half then high half        if the flag is set]
 *  [words    payload: an integer, a block's or an object's number            if encoding >= 8   ]
 *   bytes    key
 *   bytes    value                                                           if encoding < 8
 *
 * A 16-byte key with a 32-byte value is 64 bytes. The clock is Redis's LRU clock, or LFU's minutes and
 * counter.
 */

export const TYPE_STRING = 0;
export const TYPE_LIST = 1;
export const TYPE_SET = 2;
export const TYPE_ZSET = 3;
export const TYPE_HASH = 4;
/** Modules of Redis have one type for all their values; there are no others here. */
export const TYPE_VECTOR_SET = 5;
export const TYPE_STREAM = 6;
export const TYPE_ARRAY = 7;
export const TYPE_NAMES = ["string", "list", "set", "zset", "hash", "vectorset", "stream", "array"];

/** Inline encodings: the value's bytes follow the key. */
export const ENC_RAW = 0;
export const ENC_EMBSTR = 1;
export const ENC_LISTPACK = 2;
export const ENC_INTSET = 3;
/** Payload encodings: an integer, or the number of a block or of an object. */
export const ENC_INT = 8;
export const ENC_BLOCK = 9;
export const ENC_LISTPACK_BLOCK = 10;
export const ENC_INTSET_BLOCK = 11;
export const ENC_OBJECT = 12;

/** Whether the value's bytes are in a block. */
export function inBlock(encoding: number): boolean {
  return encoding >= ENC_BLOCK && encoding <= ENC_INTSET_BLOCK;
}

/** The block form of an inline encoding of bytes. */
export function blockForm(encoding: number): number {
  if (encoding === ENC_LISTPACK) return ENC_LISTPACK_BLOCK;
  return encoding === ENC_INTSET ? ENC_INTSET_BLOCK : ENC_BLOCK;
}

/** The inline form of a block encoding. */
export function inlineForm(encoding: number): number {
  if (encoding === ENC_LISTPACK_BLOCK) return ENC_LISTPACK;
  return encoding === ENC_INTSET_BLOCK ? ENC_INTSET : ENC_RAW;
}

export const HEADER = 16;
const EXPIRY_FLAG = 0x80;
const PAYLOAD_FLAG = 0x40;
const BIG_KEY = 0x80000000 | 0;
const EPOCH = 0x40000000;
const UNIT_MASK = 0x7fff;
const PAGE_SHIFT = 15;
const WORD_MASK = 0xffff;
/** Longest key kept inside its record; leaves room for header, expiry and payload in the largest cell. */
const MAX_INLINE_KEY = MAX_CELL - HEADER - 16;

export class Records {
  readonly arena = new Arena();
  readonly blocks = new Blocks();
  readonly objects = new Objects();
  /** Snapshot bit of records made now: 0 or EPOCH. */
  epoch = 0;

  private word(position: number, index: number): number {
    return this.arena.words[position >>> PAGE_SHIFT]![(position & UNIT_MASK) * 2 + index]!;
  }

  private setWord(position: number, index: number, value: number): void {
    this.arena.words[position >>> PAGE_SHIFT]![(position & UNIT_MASK) * 2 + index] = value;
  }

  /** Reads words at both ends of a small record, to bring it into the cache. */
  prefetch(position: number): number {
    const words = this.arena.words[position >>> PAGE_SHIFT]!;
    const at = (position & UNIT_MASK) * 2;
    return words[at]! + words[(at + 15) & WORD_MASK]!;
  }

  /** The page of bytes the record lies in. */
  bytes(position: number): Uint8Array {
    return this.arena.pages[position >>> PAGE_SHIFT]!;
  }

  type(position: number): number {
    return this.word(position, 0) & 7;
  }

  encoding(position: number): number {
    return (this.word(position, 0) >>> 3) & 15;
  }

  clock(position: number): number {
    return this.word(position, 0) >>> 8;
  }

  setClock(position: number, clock: number): void {
    const words = this.arena.words[position >>> PAGE_SHIFT]!;
    const at = (position & UNIT_MASK) * 2;
    words[at] = (words[at]! & 0xff) | (clock << 8);
  }

  /** Sets the access clock; returns whether the record has an expiry. */
  stamp(position: number, clock: number): boolean {
    const words = this.arena.words[position >>> PAGE_SHIFT]!;
    const at = (position & UNIT_MASK) * 2;
    const flags = words[at]! & 0xff;
    words[at] = flags | (clock << 8);
    return (flags & EXPIRY_FLAG) !== 0;
  }

  hasExpiry(position: number): boolean {
    return (this.word(position, 0) & EXPIRY_FLAG) !== 0;
  }

  /** Milliseconds since 1970, or -1 where the key has no expiry. */
  expireAt(position: number): number {
    const words = this.arena.words[position >>> PAGE_SHIFT]!;
    const at = (position & UNIT_MASK) * 2;
    if ((words[at]! & EXPIRY_FLAG) === 0) return -1;
    return joinHalves(words[at + 4]!, words[at + 5]!);
  }

  /** Overwrites the expiry of a record that has one. */
  writeExpiry(position: number, at: number): void {
    this.setWord(position, 4, lowHalf(at));
    this.setWord(position, 5, highHalf(at));
  }

  wheelTick(position: number): number {
    return this.word(position, 3) >>> 0;
  }

  setWheelTick(position: number, tick: number): void {
    this.setWord(position, 3, tick);
  }

  keyLength(position: number): number {
    return this.word(position, 1) & ~(BIG_KEY | EPOCH);
  }

  valueLength(position: number): number {
    return this.word(position, 2);
  }

  setValueLength(position: number, length: number): void {
    this.setWord(position, 2, length);
  }

  /** Changes type and encoding bits; both encodings must be of the same kind (inline or payload). */
  setEncoding(position: number, type: number, encoding: number): void {
    const words = this.arena.words[position >>> PAGE_SHIFT]!;
    const at = (position & UNIT_MASK) * 2;
    words[at] = (words[at]! & ~0x7f) | (encoding << 3) | type;
  }

  /** Index of the first word behind the header and the expiry in `words` of its page. */
  private payloadIndex(words: Int32Array, position: number): number {
    const at = (position & UNIT_MASK) * 2;
    return at + HEADER / 4 + ((words[at]! & EXPIRY_FLAG) >>> 6);
  }

  payloadLow(position: number): number {
    const words = this.arena.words[position >>> PAGE_SHIFT]!;
    return words[this.payloadIndex(words, position)]!;
  }

  payloadHigh(position: number): number {
    const words = this.arena.words[position >>> PAGE_SHIFT]!;
    return words[this.payloadIndex(words, position) + 1]!;
  }

  setPayload(position: number, low: number, high: number): void {
    const words = this.arena.words[position >>> PAGE_SHIFT]!;
    const at = this.payloadIndex(words, position);
    words[at] = low;
    words[at + 1] = high;
  }

  /** Where the key stands: in `bytes(position)`, or in a block where it is too long for a cell. */
  keyOffset(position: number): number {
    const meta = this.word(position, 0);
    return (
      ((position & UNIT_MASK) << 3) + HEADER + ((meta & EXPIRY_FLAG) >>> 4) + ((meta & PAYLOAD_FLAG) >>> 3)
    );
  }

  keyIsInBlock(position: number): boolean {
    return this.word(position, 1) < 0;
  }

  /** The buffer that holds the key; use with keyStart. */
  keyBytes(position: number): Uint8Array {
    return this.keyIsInBlock(position) ? this.blocks.get(this.keyBlock(position)) : this.bytes(position);
  }

  keyStart(position: number): number {
    return this.keyIsInBlock(position) ? 0 : this.keyOffset(position);
  }

  private keyBlock(position: number): number {
    const at = this.keyOffset(position);
    const page = this.bytes(position);
    return page[at]! | (page[at + 1]! << 8) | (page[at + 2]! << 16) | (page[at + 3]! << 24);
  }

  /** Where an inline value stands in `bytes(position)`. */
  valueOffset(position: number): number {
    const length = this.word(position, 1);
    return this.keyOffset(position) + (length < 0 ? 4 : length & ~EPOCH);
  }

  /** Bytes of a cell that an inline value may use without moving the record. */
  inlineRoom(position: number): number {
    const start = (position & UNIT_MASK) << 3;
    return this.arena.cellBytes(position) - (this.valueOffset(position) - start);
  }

  /** Makes all records there are count as not seen by a snapshot, all made from now on as seen. */
  turnEpoch(): void {
    this.epoch ^= EPOCH;
  }

  /** Whether the running snapshot has the record, or the record is younger than the snapshot. */
  isSeen(position: number): boolean {
    return (this.word(position, 1) & EPOCH) === this.epoch;
  }

  markSeen(position: number): void {
    this.setWord(position, 1, (this.word(position, 1) & ~EPOCH) | this.epoch);
  }

  keyEquals(position: number, buf: Uint8Array, start: number, end: number): boolean {
    const page = position >>> PAGE_SHIFT;
    const unit = position & UNIT_MASK;
    const words = this.arena.words[page]!;
    if ((words[unit * 2 + 1]! & ~EPOCH) !== end - start) {
      return this.keyIsInBlock(position) && this.bigKeyEquals(position, buf, start, end);
    }
    const meta = words[unit * 2]!;
    let at = (unit << 3) + HEADER + ((meta & EXPIRY_FLAG) >>> 4) + ((meta & PAYLOAD_FLAG) >>> 3);
    const bytes = this.arena.pages[page]!;
    for (let i = start; i < end; i++) if (bytes[at++] !== buf[i]) return false;
    return true;
  }

  private bigKeyEquals(position: number, buf: Uint8Array, start: number, end: number): boolean {
    const length = this.keyLength(position);
    if (length !== end - start) return false;
    const key = this.blocks.get(this.keyBlock(position));
    for (let i = 0; i < length; i++) if (key[i] !== buf[start + i]) return false;
    return true;
  }

  /**
   * A new record with its key in place. The caller writes the value: at valueOffset (inline encodings) or
   * with setPayload. `expireAt` -1 means none.
   */
  create(
    type: number,
    encoding: number,
    buf: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueLength: number,
    expireAt: number,
    clock: number,
  ): number {
    const keyLength = keyEnd - keyStart;
    const inBlock = keyLength > MAX_INLINE_KEY;
    const hasExpiry = expireAt >= 0;
    const fixed = HEADER + (hasExpiry ? 8 : 0) + (encoding >= 8 ? 8 : 0);
    const size = fixed + (inBlock ? 4 : keyLength) + (encoding >= 8 ? 0 : valueLength);
    const position = this.arena.alloc(size);
    const words = this.arena.words[position >>> PAGE_SHIFT]!;
    const at = (position & UNIT_MASK) * 2;
    words[at] = (clock << 8) | (hasExpiry ? EXPIRY_FLAG : 0) | (encoding << 3) | type;
    words[at + 1] = inBlock ? keyLength | BIG_KEY | this.epoch : keyLength | this.epoch;
    words[at + 2] = valueLength;
    words[at + 3] = 0;
    if (hasExpiry) {
      words[at + 4] = lowHalf(expireAt);
      words[at + 5] = highHalf(expireAt);
    }
    const offset = ((position & UNIT_MASK) << 3) + fixed;
    if (inBlock) {
      const block = this.blocks.alloc(keyLength);
      copyBytes(this.blocks.get(block), 0, buf, keyStart, keyEnd);
      words[offset >>> 2] = block;
    } else {
      copyBytes(this.arena.pages[position >>> PAGE_SHIFT]!, offset, buf, keyStart, keyEnd);
    }
    return position;
  }

  /** Whether a value of this length can be inline in a record with this key and an expiry. */
  fitsInline(keyLength: number, valueLength: number): boolean {
    return (keyLength > MAX_INLINE_KEY ? 4 : keyLength) + valueLength + HEADER + 8 <= MAX_CELL;
  }

  /** Bytes of a record with such a key and value, before rounding up to a cell. */
  inlineSize(keyLength: number, valueLength: number, hasExpiry: boolean): number {
    return HEADER + (hasExpiry ? 8 : 0) + (keyLength > MAX_INLINE_KEY ? 4 : keyLength) + valueLength;
  }

  /**
   * A copy of the record's cell with an expiry (or -1: without), the value unchanged; the old cell is freed
   * and its key and value blocks now belong to the copy. Returns the new position.
   */
  reshape(position: number, expireAt: number): number {
    const meta = this.word(position, 0);
    const had = (meta & EXPIRY_FLAG) !== 0;
    const has = expireAt >= 0;
    if (had && has) {
      this.writeExpiry(position, expireAt);
      return position;
    }
    if (!had && !has) return position;
    const start = (position & UNIT_MASK) << 3;
    const tailStart = start + HEADER + (had ? 8 : 0);
    const tailEnd =
      (meta & PAYLOAD_FLAG) !== 0
        ? this.keyOffset(position) + (this.keyIsInBlock(position) ? 4 : this.keyLength(position))
        : this.valueOffset(position) + this.valueLength(position);
    const size = HEADER + (has ? 8 : 0) + (tailEnd - tailStart);
    const fresh = this.arena.alloc(size);
    const target = this.bytes(fresh);
    const freshStart = (fresh & UNIT_MASK) << 3;
    copyBytes(target, freshStart + HEADER + (has ? 8 : 0), this.bytes(position), tailStart, tailEnd);
    for (let i = 1; i < 4; i++) this.setWord(fresh, i, this.word(position, i));
    this.setWord(fresh, 0, has ? meta | EXPIRY_FLAG : meta & ~EXPIRY_FLAG);
    if (has) this.writeExpiry(fresh, expireAt);
    this.arena.free(position);
    return fresh;
  }

  /** A byte-exact copy of the record's cell elsewhere; the old cell is freed. For emptying sparse pages. */
  relocate(position: number): number {
    const size = this.arena.cellBytes(position);
    const fresh = this.arena.alloc(size);
    const start = (position & UNIT_MASK) << 3;
    copyBytes(this.bytes(fresh), (fresh & UNIT_MASK) << 3, this.bytes(position), start, start + size);
    this.arena.free(position);
    return fresh;
  }

  /** Frees the cell and the blocks of key and value. */
  free(position: number): void {
    const encoding = this.encoding(position);
    if (inBlock(encoding)) this.blocks.free(this.payloadLow(position));
    else if (encoding === ENC_OBJECT) this.objects.free(this.payloadLow(position));
    if (this.keyIsInBlock(position)) this.blocks.free(this.keyBlock(position));
    this.arena.free(position);
  }

  freeKeyBlock(position: number): void {
    this.blocks.free(this.keyBlock(position));
  }

  /** Frees the cell alone: its blocks have moved to another record, or are freed already. */
  freeCell(position: number): void {
    this.arena.free(position);
  }

  /** Bytes held by the record: its cell and its blocks. */
  memoryUse(position: number): number {
    let size = this.arena.cellBytes(position);
    const encoding = this.encoding(position);
    if (inBlock(encoding)) size += this.blocks.get(this.payloadLow(position)).length;
    else if (encoding === ENC_OBJECT) size += this.objects.get(this.payloadLow(position)).memoryUse;
    if (this.keyIsInBlock(position)) size += this.keyLength(position);
    return size;
  }
}
