import { copyBytes } from "../bytes/ascii.ts";
import type { ByteStore } from "../memory/byte-store.ts";

/**
 * A node of a sparse array: the elements of 64 neighbouring places, as bytes.
 *
 *   [places taken: 64 bits, little-endian][element] ... [element]        in the order of their places
 *
 *   element   length, 7 bits a byte, the lowest first, bit 7: more follow
 *             bytes
 *
 * An element is found by counting the bits before its own and going over as many lengths.
 */
export const NODE_PLACES = 64;
const BITMAP = 8;

/** The element last looked for: its bytes are `buf[textStart, textEnd)` of the store. */
export class NodeElement {
  /** Where the element begins, its length included, or would begin. */
  entry = 0;
  textStart = 0;
  textEnd = 0;

  /** Whether there is one at this place. */
  seek(store: ByteStore, place: number): boolean {
    const { buf, start } = store;
    let before = 0;
    for (let i = 0; i < place >>> 3; i++) before += bitCount(buf[start + i]!);
    const bits = buf[start + (place >>> 3)]!;
    before += bitCount(bits & ((1 << (place & 7)) - 1));
    let at = start + BITMAP;
    for (; before > 0; before--) at = this.skip(buf, at);
    this.entry = at;
    if ((bits & (1 << (place & 7))) === 0) return false;
    this.skip(buf, at);
    return true;
  }

  /** Reads the element that begins at `at`; returns where the next one does. */
  skip(buf: Uint8Array, at: number): number {
    let length = 0;
    let scale = 1;
    let byte: number;
    do {
      byte = buf[at++]!;
      length += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    this.textStart = at;
    this.textEnd = at + length;
    return this.textEnd;
  }
}

const element = new NodeElement();

export function bitCount(byte: number): number {
  const pairs = byte - ((byte >>> 1) & 0x55);
  const nibbles = (pairs & 0x33) + ((pairs >>> 2) & 0x33);
  return (nibbles + (nibbles >>> 4)) & 15;
}

/** Bytes of a node with one element of this length. */
export function nodeBytesFor(length: number): number {
  return BITMAP + lengthBytes(length) + length;
}

/** Makes the store an empty node; it must have room for its bitmap. */
export function emptyNode(store: ByteStore): void {
  store.resize(BITMAP);
  store.buf.fill(0, store.start, store.end);
}

export function nodeCount({ buf, start }: ByteStore): number {
  let count = 0;
  for (let i = 0; i < BITMAP; i++) count += bitCount(buf[start + i]!);
  return count;
}

export function nodeHas({ buf, start }: ByteStore, place: number): boolean {
  return (buf[start + (place >>> 3)]! & (1 << (place & 7))) !== 0;
}

/** Sets the element of a place; whether there was none. The value must not lie in the node. */
export function nodeSet(
  store: ByteStore,
  place: number,
  value: Uint8Array,
  from: number,
  to: number,
): boolean {
  const added = !element.seek(store, place);
  const at = element.entry - store.start;
  const old = added ? 0 : element.textEnd - element.entry;
  const length = to - from;
  const head = lengthBytes(length);
  resizeAt(store, at, old, head + length);
  let left = length;
  for (let i = 0; i < head; i++) {
    store.buf[store.start + at + i] = (left % 128) | (i + 1 < head ? 128 : 0);
    left = Math.floor(left / 128);
  }
  copyBytes(store.buf, store.start + at + head, value, from, to);
  store.buf[store.start + (place >>> 3)]! |= 1 << (place & 7);
  return added;
}

/** Removes the element of a place; whether there was one. */
export function nodeDelete(store: ByteStore, place: number): boolean {
  if (!element.seek(store, place)) return false;
  resizeAt(store, element.entry - store.start, element.textEnd - element.entry, 0);
  store.buf[store.start + (place >>> 3)]! &= ~(1 << (place & 7));
  return true;
}

/** Puts room for `fresh` bytes in place of `old` ones. */
function resizeAt(store: ByteStore, at: number, old: number, fresh: number): void {
  const size = store.end - store.start;
  const tail = size - at - old;
  if (fresh > old) store.resize(size + fresh - old);
  const { buf, start } = store;
  if (fresh !== old) buf.copyWithin(start + at + fresh, start + at + old, start + at + old + tail);
  if (fresh < old) store.resize(size + fresh - old);
}

function lengthBytes(length: number): number {
  let bytes = 1;
  for (let left = length; left > 127; left = Math.floor(left / 128)) bytes++;
  return bytes;
}
