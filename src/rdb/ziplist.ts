import { lpAppend, lpCreate, lpInsertInt } from "../encodings/listpack.ts";
import { OwnBytes } from "../memory/byte-store.ts";

/**
 * Encodings of old versions, read only: each becomes a listpack. Nothing in them is believed before it is checked.
 *
 *   ziplist   [bytes u32][offset of the last entry u32][entries u16] entry entry ... 0xff        little-endian
 *     entry     [bytes of the entry before: u8, or 254 and u32] encoding
 *     encoding  00llllll + l             01llllll l8 + l          10...... l32 + l     strings, l big-endian
 *               11000000 + i16           11010000 + i32           11100000 + i64       integers, little-endian
 *               11110000 + i24           11111110 + i8            1111vvvv: v - 1, v = 1 .. 13
 *
 *   zipmap    [fields u8, 254: to be counted] field field ... 0xff
 *     field     [length] name [length][unused u8] value and so many unused bytes
 *     length    u8 up to 253, or 254 and u32
 */

const HEADER = 10;
const END = 255;
const BIG = 254;
const COUNT_UNKNOWN = 65535;

/** A listpack with the ziplist's entries; null if it is none. */
export function fromZiplist(buf: Uint8Array, start: number, end: number): OwnBytes | null {
  const size = end - start;
  if (size < HEADER + 1 || read32(buf, start) !== size || buf[end - 1] !== END) return null;
  const tail = read32(buf, start + 4);
  const declared = buf[start + 8]! | (buf[start + 9]! << 8);
  const last = end - 1;
  const target = emptyListpack(size);
  let at = start + HEADER;
  let before = 0;
  let count = 0;
  while (buf[at] !== END) {
    const next = convertEntry(buf, at, last, before, target);
    if (next < 0) return null;
    before = next - at;
    at = next;
    count++;
  }
  if (at !== last || (count > 0 && start + tail !== at - before) || tail > size - 1) return null;
  return declared === COUNT_UNKNOWN || declared === count ? target : null;
}

/** Appends the entry at `at` to the listpack; returns the offset behind it, or -1. */
function convertEntry(buf: Uint8Array, at: number, last: number, before: number, target: OwnBytes): number {
  const wide = buf[at] === BIG;
  const head = at + (wide ? 5 : 1);
  if (head >= last || (wide ? read32(buf, at + 1) : buf[at]!) !== before) return -1;
  const code = buf[head]!;
  if (code < 0xc0) {
    const lengthBytes = code < 0x40 ? 1 : code < 0x80 ? 2 : 5;
    const text = head + lengthBytes;
    if (text > last) return -1;
    const length = textLength(buf, head, code);
    if (text + length > last) return -1;
    lpAppend(target, buf, text, text + length);
    return text + length;
  }
  const bytes = integerBytes(code);
  const value = head + 1;
  if (bytes < 0 || value + bytes > last) return -1;
  const low = bytes === 0 ? (code & 15) - 1 : readSigned(buf, value, Math.min(bytes, 4));
  lpInsertInt(target, 0, low, bytes === 8 ? readSigned(buf, value + 4, 4) : low >> 31);
  return value + bytes;
}

function textLength(buf: Uint8Array, at: number, code: number): number {
  if (code < 0x40) return code;
  if (code < 0x80) return ((code & 0x3f) << 8) | buf[at + 1]!;
  return ((buf[at + 1]! << 24) | (buf[at + 2]! << 16) | (buf[at + 3]! << 8) | buf[at + 4]!) >>> 0;
}

/** Bytes of an integer behind this encoding byte; -1: there is no such encoding. */
function integerBytes(code: number): number {
  switch (code) {
    case 0xc0:
      return 2;
    case 0xd0:
      return 4;
    case 0xe0:
      return 8;
    case 0xf0:
      return 3;
    case 0xfe:
      return 1;
    default:
      return code >= 0xf1 && code <= 0xfd ? 0 : -1;
  }
}

/** A listpack with the zipmap's fields and values in turn; null if it is none. */
export function fromZipmap(buf: Uint8Array, start: number, end: number): OwnBytes | null {
  const last = end - 1;
  if (end - start < 2 || buf[last] !== END) return null;
  const target = emptyListpack(end - start);
  let at = start + 1;
  let count = 0;
  while (buf[at] !== END) {
    const name = at + zipmapLengthBytes(buf, at);
    if (name > last) return null;
    const nameEnd = name + zipmapLength(buf, at);
    if (nameEnd > last) return null;
    const value = nameEnd + zipmapLengthBytes(buf, nameEnd) + 1;
    if (value > last) return null;
    const valueEnd = value + zipmapLength(buf, nameEnd);
    at = valueEnd + buf[value - 1]!;
    if (at > last) return null;
    lpAppend(target, buf, name, nameEnd);
    lpAppend(target, buf, value, valueEnd);
    count++;
  }
  if (at !== last || count === 0) return null;
  return buf[start] === BIG || buf[start] === count ? target : null;
}

function zipmapLengthBytes(buf: Uint8Array, at: number): number {
  return buf[at]! < BIG ? 1 : 5;
}

function zipmapLength(buf: Uint8Array, at: number): number {
  return buf[at]! < BIG ? buf[at]! : read32(buf, at + 1);
}

/** With room for about so many bytes. */
function emptyListpack(bytes: number): OwnBytes {
  const target = new OwnBytes();
  target.resize(bytes + (bytes >> 3) + 16);
  lpCreate(target);
  return target;
}

function read32(buf: Uint8Array, at: number): number {
  return readSigned(buf, at, 4) >>> 0;
}

/** A little-endian integer of 1 to 4 bytes. */
function readSigned(buf: Uint8Array, at: number, bytes: number): number {
  let value = 0;
  for (let i = 0; i < bytes; i++) value |= buf[at + i]! << (8 * i);
  const shift = 32 - bytes * 8;
  return (value << shift) >> shift;
}
