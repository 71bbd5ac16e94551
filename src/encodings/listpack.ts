import { copyBytes } from "../bytes/ascii.ts";
import {
  highHalf,
  joinBig,
  joinHalves,
  lowHalf,
  parseInt64,
  parseSafeInt,
  writeInt64,
} from "../bytes/int64.ts";
import type { ByteStore } from "../memory/byte-store.ts";

/**
 * Listpack: a sequence of strings and integers without pointers, byte for byte as in Redis's RDB files.
 *
 *   [total bytes u32][number of entries u16] [entry] [entry] ... [0xff]          little-endian
 *
 *   entry: [encoding, with the value or its length][string bytes][back length]
 *
 *     0xxxxxxx                    integer 0..127            11110001 + 2   16-bit integer
 *     10llllll + l                string up to 63           11110010 + 3   24-bit integer
 *     110xxxxx x8                 13-bit signed integer     11110011 + 4   32-bit integer
 *     1110llll l8 + l             string up to 4095         11110100 + 8   64-bit integer
 *     11110000 l32 + l            longer string
 *
 *   back length: the bytes of the rest of the entry, 7 bits a byte, to be read from the right (the high bit
 *   says that more follow on the left); so the sequence can be walked from its end.
 *
 * The count saturates at 65535 and then has to be found by walking. Positions are relative to the start of
 * the listpack, since a resize may move it; 0 (inside the header) means "none".
 */

export const LP_HEADER = 6;
const LP_EMPTY = 7;
const COUNT_UNKNOWN = 65535;
const END = 0xff;
/** Redis refuses listpacks beyond this size. */
export const LP_MAX_BYTES = 1 << 30;

/** One entry's value: an integer (low, high) or the bytes `buf[start, end)`. */
export class LpItem {
  isInt = false;
  low = 0;
  high = 0;
  buf: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  private readonly digits = new Uint8Array(24);

  /** The value as text in any case: points buf, start and end at an integer's digits as well. */
  text(): this {
    if (this.isInt) {
      this.buf = this.digits;
      this.start = 0;
      this.end = writeInt64(this.digits, 0, this.low, this.high);
    }
    return this;
  }

  /** An integer's value as a number, rounded beyond 2^53. */
  number(): number {
    return joinHalves(this.low, this.high);
  }

  bigint(): bigint {
    return joinBig(this.low, this.high);
  }

  copy(): Uint8Array {
    this.text();
    return this.buf.slice(this.start, this.end);
  }

  /** Whether the value is these bytes. */
  equals(buf: Uint8Array, start: number, end: number): boolean {
    this.text();
    if (this.end - this.start !== end - start) return false;
    for (let i = this.start, j = start; j < end; i++, j++) if (this.buf[i] !== buf[j]) return false;
    return true;
  }
}

/** Makes the store an empty listpack. */
export function lpCreate(store: ByteStore): void {
  store.resize(LP_EMPTY);
  store.buf[store.start + 4] = 0;
  store.buf[store.start + 5] = 0;
  store.buf[store.start + 6] = END;
  writeTotal(store);
}

export function lpBytes(store: ByteStore): number {
  return store.end - store.start;
}

/** Number of entries. */
export function lpLength(store: ByteStore): number {
  const { buf, start } = store;
  const count = buf[start + 4]! | (buf[start + 5]! << 8);
  if (count !== COUNT_UNKNOWN) return count;
  let n = 0;
  for (let at = lpFirst(store); at !== 0; at = lpNext(store, at)) n++;
  if (n < COUNT_UNKNOWN) writeCount(store, n);
  return n;
}

/** The first entry, or 0. */
export function lpFirst(store: ByteStore): number {
  return store.buf[store.start + LP_HEADER] === END ? 0 : LP_HEADER;
}

/** The last entry, or 0. */
export function lpLast(store: ByteStore): number {
  return lpPrev(store, store.end - store.start - 1);
}

/** The entry behind `at`, or 0. */
export function lpNext(store: ByteStore, at: number): number {
  const next = at + entryBytes(store.buf, store.start + at);
  return store.buf[store.start + next] === END ? 0 : next;
}

/** The entry before `at`, or 0. */
export function lpPrev(store: ByteStore, at: number): number {
  if (at <= LP_HEADER) return 0;
  const { buf, start } = store;
  let i = start + at - 1;
  let length = 0;
  let shift = 0;
  for (;;) {
    const byte = buf[i]!;
    length |= (byte & 127) << shift;
    if ((byte & 128) === 0) break;
    shift += 7;
    i--;
  }
  return i - start - length;
}

/** The entry of this index (negative: from the end), or 0. */
export function lpSeek(store: ByteStore, index: number): number {
  const count = store.buf[store.start + 4]! | (store.buf[store.start + 5]! << 8);
  if (count !== COUNT_UNKNOWN) {
    if (index < 0) index += count;
    if (index < 0 || index >= count) return 0;
    if (index > count >> 1) index -= count;
  }
  let at = index < 0 ? lpLast(store) : lpFirst(store);
  if (index < 0) for (; at !== 0 && index < -1; index++) at = lpPrev(store, at);
  else for (; at !== 0 && index > 0; index--) at = lpNext(store, at);
  return at;
}

/** Reads the entry at `at` into `item`. */
export function lpGet(store: ByteStore, at: number, item: LpItem): LpItem {
  const { buf } = store;
  const i = store.start + at;
  const head = buf[i]!;
  item.isInt = true;
  if (head < 0x80) return setInt(item, head);
  if (head < 0xc0) return setString(item, buf, i + 1, head & 0x3f);
  if (head < 0xe0) return setInt(item, ((((head & 0x1f) << 8) | buf[i + 1]!) << 19) >> 19);
  if (head < 0xf0) return setString(item, buf, i + 2, ((head & 0x0f) << 8) | buf[i + 1]!);
  switch (head) {
    case 0xf1:
      return setInt(item, ((buf[i + 1]! | (buf[i + 2]! << 8)) << 16) >> 16);
    case 0xf2:
      return setInt(item, ((buf[i + 1]! | (buf[i + 2]! << 8) | (buf[i + 3]! << 16)) << 8) >> 8);
    case 0xf3:
      return setInt(item, read32(buf, i + 1));
    case 0xf4:
      item.low = read32(buf, i + 1);
      item.high = read32(buf, i + 5);
      return item;
    default:
      return setString(item, buf, i + 5, read32(buf, i + 1) >>> 0);
  }
}

function setInt(item: LpItem, value: number): LpItem {
  item.low = value;
  item.high = value >> 31;
  return item;
}

function setString(item: LpItem, buf: Uint8Array, start: number, length: number): LpItem {
  item.isInt = false;
  item.buf = buf;
  item.start = start;
  item.end = start + length;
  return item;
}

/**
 * Inserts a value before the entry at `at` (0: at the end), as an integer where its text is one in canonical
 * form. Returns the new entry's position. The value must not lie in the listpack itself.
 */
export function lpInsert(
  store: ByteStore,
  at: number,
  value: Uint8Array,
  start: number,
  end: number,
): number {
  return splice(store, at === 0 ? lpBytes(store) - 1 : at, 0, encode(value, start, end), 1);
}

export function lpAppend(store: ByteStore, value: Uint8Array, start: number, end: number): number {
  if (!isShortText(value, start, end)) return lpInsert(store, 0, value, start, end);
  const at = lpBytes(store) - 1;
  const size = end - start + 2;
  const count = lpLengthKnown(store);
  store.resize(at + size + 1);
  writeShortText(store.buf, store.start + at, value, start, end);
  store.buf[store.start + at + size] = END;
  writeTotal(store);
  if (count >= 0) writeCount(store, Math.min(COUNT_UNKNOWN, count + 1));
  return at;
}

/** A store that can grow at its front too, where it has room. */
export interface FrontStore extends ByteStore {
  /** Moves `start` down by so many bytes; what stands between the old and the new start is undefined. */
  growFront(bytes: number): void;
}

/** Puts a value before the first entry without moving the others: the header moves down instead. */
export function lpPrepend(store: FrontStore, value: Uint8Array, start: number, end: number): void {
  const count = lpLengthKnown(store);
  if (isShortText(value, start, end)) {
    store.growFront(end - start + 2);
    writeShortText(store.buf, store.start + LP_HEADER, value, start, end);
  } else {
    const entry = encode(value, start, end);
    const body = entry.headLength + (entry.end - entry.start);
    store.growFront(body + lpBackLength(body));
    writeEntry(store.buf, store.start + LP_HEADER, entry, body);
  }
  writeTotal(store);
  writeCount(store, count < 0 ? COUNT_UNKNOWN : Math.min(COUNT_UNKNOWN, count + 1));
}

/** Removes `count` entries (there are so many) from the front without moving the others. */
export function lpDropFirst(store: FrontStore, count: number): void {
  const { buf, start } = store;
  let stop = start + LP_HEADER;
  for (let i = 0; i < count; i++) stop += entryBytes(buf, stop);
  const length = lpLengthKnown(store);
  store.start = stop - LP_HEADER;
  writeTotal(store);
  writeCount(store, length < 0 ? COUNT_UNKNOWN : length - count);
}

/** Inserts an integer before the entry at `at` (0: at the end). */
export function lpInsertInt(store: ByteStore, at: number, low: number, high: number): number {
  return splice(store, at === 0 ? lpBytes(store) - 1 : at, 0, encodeInt(low, high), 1);
}

export function lpReplace(
  store: ByteStore,
  at: number,
  value: Uint8Array,
  start: number,
  end: number,
): number {
  return splice(store, at, entryBytes(store.buf, store.start + at), encode(value, start, end), 0);
}

export function lpReplaceInt(store: ByteStore, at: number, low: number, high: number): number {
  return splice(store, at, entryBytes(store.buf, store.start + at), encodeInt(low, high), 0);
}

/** Deletes `count` entries from `at` on; returns what then stands there, or 0 at the end. */
export function lpDelete(store: ByteStore, at: number, count = 1): number {
  const { buf, start } = store;
  let stop = at;
  let deleted = 0;
  for (; deleted < count && buf[start + stop] !== END; deleted++) stop += entryBytes(buf, start + stop);
  const total = lpBytes(store);
  const length = lpLengthKnown(store);
  if (stop === total - 1) buf[start + at] = END;
  else buf.copyWithin(start + at, start + stop, start + total);
  store.resize(total - (stop - at));
  writeTotal(store);
  if (length >= 0) writeCount(store, length - deleted);
  return store.buf[store.start + at] === END ? 0 : at;
}

/**
 * The first entry from `at` on that equals the value, looking at every (skip + 1)-th one; 0 if there is none.
 */
export function lpFind(
  store: ByteStore,
  at: number,
  value: Uint8Array,
  start: number,
  end: number,
  skip: number,
): number {
  const length = end - start;
  const number = length <= 20 ? parseSafeInt(value, start, end) : Number.NaN;
  const maybeInt =
    !Number.isNaN(number) || (length > 15 && length <= 20 && parseInt64(value, start, end) !== null);
  while (at !== 0) {
    lpGet(store, at, probe);
    if (probe.isInt) {
      if (maybeInt && (Number.isNaN(number) ? probe.equals(value, start, end) : probe.number() === number))
        return at;
    } else if (!maybeInt && probe.end - probe.start === length && probe.equals(value, start, end)) return at;
    for (let i = 0; i <= skip && at !== 0; i++) at = lpNext(store, at);
  }
  return 0;
}

const probe = new LpItem();

/** Appends all entries of another listpack. */
export function lpMerge(store: ByteStore, other: ByteStore): void {
  const total = lpBytes(store);
  const added = lpBytes(other) - LP_EMPTY;
  const count = lpLength(store) + lpLength(other);
  store.resize(total + added);
  copyBytes(store.buf, store.start + total - 1, other.buf, other.start + LP_HEADER, other.end);
  writeTotal(store);
  writeCount(store, Math.min(count, COUNT_UNKNOWN));
}

/**
 * Whether bytes from outside are a listpack, every entry inside its bounds and walkable both ways.
 * `onEntry` may look at each entry and refuse it.
 */
export function lpValidate(store: ByteStore, onEntry?: (at: number) => boolean): boolean {
  const { buf, start, end } = store;
  const total = end - start;
  if (total < LP_EMPTY || read32(buf, start) >>> 0 !== total || buf[end - 1] !== END) return false;
  const declared = buf[start + 4]! | (buf[start + 5]! << 8);
  let count = 0;
  let at = LP_HEADER;
  while (at < total - 1) {
    const head = buf[start + at]!;
    if (head === END || head > 0xf4 || at + headBytes(head) > total - 1) return false;
    const size = entryBytes(buf, start + at);
    if (at + size > total - 1) return false;
    if (lpPrev(store, at + size) !== at) return false;
    if (onEntry !== undefined && !onEntry(at)) return false;
    at += size;
    count++;
  }
  return at === total - 1 && (declared === COUNT_UNKNOWN || declared === count);
}

// -------------------------------------------------------------------------------- bytes of entries

/** The encoded form of one value: `encoded.head[0, headLength)`, then the string's bytes. */
const encoded: EncodedEntry = {
  head: new Uint8Array(9),
  headLength: 0,
  value: new Uint8Array(0),
  start: 0,
  end: 0,
};

interface EncodedEntry {
  readonly head: Uint8Array;
  headLength: number;
  value: Uint8Array;
  start: number;
  end: number;
}

/** Whether the value is a string of 6 bits of length, seen from its first byte: the common entry, without detours. */
function isShortText(value: Uint8Array, start: number, end: number): boolean {
  return end - start < 64 && end > start && value[start]! > 57;
}

function writeShortText(buf: Uint8Array, at: number, value: Uint8Array, start: number, end: number): void {
  const length = end - start;
  buf[at] = 0x80 | length;
  copyBytes(buf, at + 1, value, start, end);
  buf[at + 1 + length] = length + 1;
}

function encode(value: Uint8Array, start: number, end: number): EncodedEntry {
  const length = end - start;
  if (length > 0 && length <= 20 && value[start]! <= 57) {
    const number = parseSafeInt(value, start, end);
    if (!Number.isNaN(number)) return encodeInt(lowHalf(number), highHalf(number));
    const big = length > 15 ? parseInt64(value, start, end) : null;
    if (big !== null) return encodeInt(Number(BigInt.asIntN(32, big)), Number(big >> 32n));
  }
  const { head } = encoded;
  encoded.value = value;
  encoded.start = start;
  encoded.end = end;
  if (length < 64) {
    head[0] = 0x80 | length;
    encoded.headLength = 1;
  } else if (length < 4096) {
    head[0] = 0xe0 | (length >> 8);
    head[1] = length & 255;
    encoded.headLength = 2;
  } else {
    head[0] = 0xf0;
    write32(head, 1, length);
    encoded.headLength = 5;
  }
  return encoded;
}

function encodeInt(low: number, high: number): EncodedEntry {
  const { head } = encoded;
  encoded.start = encoded.end = 0;
  const small = high === low >> 31;
  if (small && low >= 0 && low < 128) {
    head[0] = low;
    encoded.headLength = 1;
  } else if (small && low >= -4096 && low < 4096) {
    head[0] = 0xc0 | ((low >> 8) & 0x1f);
    head[1] = low & 255;
    encoded.headLength = 2;
  } else if (small && low >= -32768 && low < 32768) {
    head[0] = 0xf1;
    head[1] = low & 255;
    head[2] = (low >> 8) & 255;
    encoded.headLength = 3;
  } else if (small && low >= -8388608 && low < 8388608) {
    head[0] = 0xf2;
    head[1] = low & 255;
    head[2] = (low >> 8) & 255;
    head[3] = (low >> 16) & 255;
    encoded.headLength = 4;
  } else if (small) {
    head[0] = 0xf3;
    write32(head, 1, low);
    encoded.headLength = 5;
  } else {
    head[0] = 0xf4;
    write32(head, 1, low);
    write32(head, 5, high);
    encoded.headLength = 9;
  }
  return encoded;
}

/** Puts the encoded entry in place of `removed` bytes at `at`. */
function splice(
  store: ByteStore,
  at: number,
  removed: number,
  entry: EncodedEntry,
  countChange: number,
): number {
  const body = entry.headLength + (entry.end - entry.start);
  const size = body + lpBackLength(body);
  const total = lpBytes(store);
  const count = countChange === 0 ? -1 : lpLengthKnown(store);
  if (size > removed) store.resize(total + size - removed);
  const { buf, start } = store;
  if (at === total - 1) buf[start + at + size] = END;
  else if (size !== removed) buf.copyWithin(start + at + size, start + at + removed, start + total);
  if (size < removed) store.resize(total + size - removed);
  writeEntry(store.buf, store.start + at, entry, body);
  writeTotal(store);
  if (count >= 0) writeCount(store, Math.min(COUNT_UNKNOWN, count + countChange));
  return at;
}

function writeEntry(buf: Uint8Array, at: number, entry: EncodedEntry, body: number): void {
  const { head, headLength } = entry;
  for (let i = 0; i < headLength; i++) buf[at + i] = head[i]!;
  copyBytes(buf, at + headLength, entry.value, entry.start, entry.end);
  if (body < 128) buf[at + body] = body;
  else writeBackLength(buf, at + body, body);
}

/** The number of entries if the header knows it, else -1. */
function lpLengthKnown(store: ByteStore): number {
  const count = store.buf[store.start + 4]! | (store.buf[store.start + 5]! << 8);
  return count === COUNT_UNKNOWN ? -1 : count;
}

/** Bytes that must be there to know an entry's size. */
function headBytes(head: number): number {
  if (head < 0xc0) return 1;
  if (head < 0xf0) return 2;
  return head === 0xf0 ? 5 : 1;
}

/** Bytes of an entry without its back length. */
function bodyBytes(buf: Uint8Array, i: number): number {
  const head = buf[i]!;
  if (head < 0x80) return 1;
  if (head < 0xc0) return 1 + (head & 0x3f);
  if (head < 0xe0) return 2;
  if (head < 0xf0) return 2 + (((head & 0x0f) << 8) | buf[i + 1]!);
  if (head === 0xf0) return 5 + (read32(buf, i + 1) >>> 0);
  return head === 0xf4 ? 9 : head - 0xf1 + 3;
}

function entryBytes(buf: Uint8Array, i: number): number {
  const body = bodyBytes(buf, i);
  return body + lpBackLength(body);
}

/** Bytes of the back length of an entry whose rest has so many. */
export function lpBackLength(body: number): number {
  // Redis moves to the next size one value early, save the first time.
  if (body < 128) return 1;
  if (body < 16383) return 2;
  if (body < 2097151) return 3;
  return body < 268435455 ? 4 : 5;
}

function writeBackLength(buf: Uint8Array, at: number, body: number): void {
  const bytes = lpBackLength(body);
  for (let i = bytes - 1; i >= 0; i--) {
    buf[at + i] = (body & 127) | (i === 0 ? 0 : 128);
    body = Math.floor(body / 128);
  }
}

function writeTotal(store: ByteStore): void {
  write32(store.buf, store.start, store.end - store.start);
}

function writeCount(store: ByteStore, count: number): void {
  store.buf[store.start + 4] = count & 255;
  store.buf[store.start + 5] = count >> 8;
}

function read32(buf: Uint8Array, i: number): number {
  return buf[i]! | (buf[i + 1]! << 8) | (buf[i + 2]! << 16) | (buf[i + 3]! << 24);
}

function write32(buf: Uint8Array, i: number, value: number): void {
  buf[i] = value & 255;
  buf[i + 1] = (value >>> 8) & 255;
  buf[i + 2] = (value >>> 16) & 255;
  buf[i + 3] = (value >>> 24) & 255;
}
