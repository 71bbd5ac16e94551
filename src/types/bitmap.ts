/**
 * Bits of a string, for BITCOUNT, BITPOS and BITOP. Bit 0 is the most significant bit of byte 0:
 *
 *   byte       0        1
 *          10000000 00000001
 *   bit    0      7 8     15
 *
 * How it works. Counting takes aligned 32-bit words, eight at a time through a carry-save adder (Harley and Seal):
 * full adders on whole words leave one word of eights to count instead of eight words. Searching
 * skips words that are all zeros (all ones), then the byte is found, and in it the bit by counting leading
 * zeros. A range in bits masks off its first and last byte. BITOP runs over words too; a source that is not
 * aligned as the result is copied through an aligned window first.
 */

import { copyBytes } from "../bytes/ascii.ts";

/** An index as the client gave it: any 64-bit integer, negative from the end. */
export type Index = number | bigint;

/** Those from "diff" on are of Redis 8.2; all but "one" set the first source against the union of the others. */
export type BitOperation = "and" | "or" | "xor" | "not" | "diff" | "diff1" | "andor" | "one";

/** What combines two strings; "without" clears what the second has. */
type Step = "and" | "or" | "xor" | "not" | "without";

/** From this many bytes on, the word view (an allocation) is worth it. */
const WORDWISE_FROM = 512;
const WINDOW_WORDS = 16384;

// The range of the last `resolveRange`, in units; empty if first > last.
let first = 0;
let last = -1;

/** The number of bits set in `bytes[start, end)`. */
export function popcount(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  let i = start;
  if (end - start >= WORDWISE_FROM) {
    const alignment = (4 - ((bytes.byteOffset + start) & 3)) & 3;
    for (const stop = start + alignment; i < stop; i++) count += popcount32(bytes[i]!);
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + i, (end - i) >>> 2);
    count += popcountWords(words);
    i += words.length * 4;
  }
  for (; i + 3 < end; i += 4) {
    count += popcount32(bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
  }
  for (; i < end; i++) count += popcount32(bytes[i]!);
  return count;
}

/** BITCOUNT key start end BYTE|BIT; without a range it is `popcount(bytes, 0, bytes.length)`. */
export function bitCountRange(bytes: Uint8Array, start: Index, end: Index, inBits: boolean): number {
  if (start < 0 && end < 0 && start > end) return 0;
  resolveRange(start, end, inBits ? bytes.length * 8 : bytes.length);
  if (first > last) return 0;
  if (!inBits) return popcount(bytes, first, last + 1);
  const firstByte = Math.floor(first / 8);
  const lastByte = Math.floor(last / 8);
  return (
    popcount(bytes, firstByte, lastByte + 1) -
    popcount32(bytes[firstByte]! & headMask(first)) -
    popcount32(bytes[lastByte]! & tailMask(last))
  );
}

/**
 * BITPOS key bit [start [end [BYTE|BIT]]]: the position of the first such bit in the whole string, or -1.
 * With `end` undefined the string counts as followed by zeros, so a missing 0 is found behind the last byte.
 * A missing key is the caller's: -1 for 1, and 0 for 0.
 */
export function bitPosition(
  bytes: Uint8Array,
  bit: 0 | 1,
  start: Index,
  end: Index | undefined,
  inBits: boolean,
): number {
  resolveRange(start, end ?? -1, inBits ? bytes.length * 8 : bytes.length);
  if (first > last) return -1;
  let firstByte = inBits ? Math.floor(first / 8) : first;
  let lastByte = inBits ? Math.floor(last / 8) : last;
  // A bit outside the range is never the one: as if it were its opposite.
  const flip = bit === 1 ? 0 : 0xff;
  const head = inBits ? headMask(first) : 0;
  const tail = inBits ? tailMask(last) : 0;
  if (firstByte === lastByte) {
    const sole = (bytes[firstByte]! ^ flip) & ~(head | tail);
    return sole !== 0 ? firstByte * 8 + leadingZeros(sole) : notFound(bit, end, lastByte);
  }
  const beginning = (bytes[firstByte]! ^ flip) & ~head;
  if (beginning !== 0) return firstByte * 8 + leadingZeros(beginning);
  firstByte++;
  if (tail === 0) lastByte++;
  const found = findByte(bytes, firstByte, lastByte, flip);
  if (found < lastByte) return found * 8 + leadingZeros(bytes[found]! ^ flip);
  if (tail === 0) return notFound(bit, end, lastByte - 1);
  const ending = (bytes[lastByte]! ^ flip) & ~tail;
  return ending !== 0 ? lastByte * 8 + leadingZeros(ending) : -1;
}

/** BITOP: a new string as long as the longest source; shorter ones count as followed by zeros. */
export function bitOperation(operation: BitOperation, sources: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const source of sources) length = Math.max(length, source.length);
  const result = new Uint8Array(length);
  if (length === 0) return result;
  const [head, ...others] = sources as [Uint8Array, ...Uint8Array[]];
  if (operation === "diff1" || operation === "andor") {
    for (const source of others) combine("or", result, source);
    combineWhole(operation === "andor" ? "and" : "without", result, head);
  } else if (operation === "one") {
    inOneOnly(sources, result);
  } else {
    copyBytes(result, 0, head, 0, head.length);
    if (operation === "not") combine("not", result, result);
    else
      for (const source of others) combineWhole(operation === "diff" ? "without" : operation, result, source);
  }
  return result;
}

/** As `combine`, with zeros behind the end of `source`. */
function combineWhole(step: Step, result: Uint8Array, source: Uint8Array): void {
  combine(step, result, source);
  if (step === "and") result.fill(0, source.length);
}

/** The bits set in exactly one source: those seen, without those seen again. */
function inOneOnly(sources: readonly Uint8Array[], result: Uint8Array): void {
  const again = new Uint8Array(result.length);
  const both = new Uint8Array(result.length);
  for (const source of sources) {
    both.set(result);
    combineWhole("and", both, source);
    combine("or", again, both);
    combine("or", result, source);
  }
  combine("without", result, again);
}

/** result = result OP source, over the length of `source`. */
function combine(operation: Step, result: Uint8Array, source: Uint8Array): void {
  const words = source.length >= WORDWISE_FROM ? source.length >>> 2 : 0;
  if (words > 0) {
    const target = new Int32Array(result.buffer, 0, words);
    if ((source.byteOffset & 3) === 0) {
      combineWords(operation, target, 0, new Int32Array(source.buffer, source.byteOffset, words), words);
    } else {
      const window = new Int32Array(Math.min(words, WINDOW_WORDS));
      const windowBytes = new Uint8Array(window.buffer);
      for (let at = 0; at < words; at += WINDOW_WORDS) {
        const count = Math.min(WINDOW_WORDS, words - at);
        copyBytes(windowBytes, 0, source, at * 4, at * 4 + count * 4);
        combineWords(operation, target, at, window, count);
      }
    }
  }
  for (let i = words * 4; i < source.length; i++) {
    const byte = source[i]!;
    if (operation === "and") result[i]! &= byte;
    else if (operation === "or") result[i]! |= byte;
    else if (operation === "xor") result[i]! ^= byte;
    else if (operation === "without") result[i]! &= ~byte;
    else result[i] = ~byte;
  }
}

function combineWords(
  operation: Step,
  target: Int32Array,
  at: number,
  source: Int32Array,
  count: number,
): void {
  if (operation === "and") for (let i = 0; i < count; i++) target[at + i]! &= source[i]!;
  else if (operation === "or") for (let i = 0; i < count; i++) target[at + i]! |= source[i]!;
  else if (operation === "xor") for (let i = 0; i < count; i++) target[at + i]! ^= source[i]!;
  else if (operation === "without") for (let i = 0; i < count; i++) target[at + i]! &= ~source[i]!;
  else for (let i = 0; i < count; i++) target[at + i] = ~source[i]!;
}

/** Behind the last byte there are zeros, unless the range was given an end. */
function notFound(bit: 0 | 1, end: Index | undefined, lastByte: number): number {
  return bit === 0 && end === undefined ? (lastByte + 1) * 8 : -1;
}

/** The first byte in [start, end) that is not `skip`, else `end`. */
function findByte(bytes: Uint8Array, start: number, end: number, skip: number): number {
  let i = start;
  if (end - start >= WORDWISE_FROM) {
    while (((bytes.byteOffset + i) & 3) !== 0) {
      if (bytes[i] !== skip) return i;
      i++;
    }
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + i, (end - i) >>> 2);
    const skipWord = skip === 0 ? 0 : -1;
    let w = 0;
    while (w < words.length && words[w] === skipWord) w++;
    i += w * 4;
  }
  while (i < end && bytes[i] === skip) i++;
  return i;
}

function resolveRange(start: Index, end: Index, total: number): void {
  let from = Number(start);
  let to = Number(end);
  if (from < 0) from += total;
  if (to < 0) to += total;
  first = Math.max(from, 0);
  last = Math.min(Math.max(to, 0), total - 1);
}

/** The bits of a byte before bit position `bit`. */
function headMask(bit: number): number {
  return 0xff & ~(0xff >>> (bit & 7));
}

/** The bits of a byte behind bit position `bit`. */
function tailMask(bit: number): number {
  return 0x7f >>> (bit & 7);
}

function leadingZeros(byte: number): number {
  return Math.clz32(byte) - 24;
}

function popcountWords(words: Int32Array): number {
  let ones = 0;
  let twos = 0;
  let fours = 0;
  let total = 0;
  let i = 0;
  for (const stop = words.length - 7; i < stop; i += 8) {
    // A full adder turns three words of one weight into `sum` of that weight and a carry of twice the weight.
    let a = words[i]!;
    let b = words[i + 1]!;
    let sum = ones ^ a;
    const twosA = (ones & a) | (sum & b);
    ones = sum ^ b;
    a = words[i + 2]!;
    b = words[i + 3]!;
    sum = ones ^ a;
    const twosB = (ones & a) | (sum & b);
    ones = sum ^ b;
    sum = twos ^ twosA;
    const foursA = (twos & twosA) | (sum & twosB);
    twos = sum ^ twosB;
    a = words[i + 4]!;
    b = words[i + 5]!;
    sum = ones ^ a;
    const twosC = (ones & a) | (sum & b);
    ones = sum ^ b;
    a = words[i + 6]!;
    b = words[i + 7]!;
    sum = ones ^ a;
    const twosD = (ones & a) | (sum & b);
    ones = sum ^ b;
    sum = twos ^ twosC;
    const foursB = (twos & twosC) | (sum & twosD);
    twos = sum ^ twosD;
    sum = fours ^ foursA;
    total += popcount32((fours & foursA) | (sum & foursB));
    fours = sum ^ foursB;
  }
  total = 8 * total + 4 * popcount32(fours) + 2 * popcount32(twos) + popcount32(ones);
  for (; i < words.length; i++) total += popcount32(words[i]!);
  return total;
}

function popcount32(word: number): number {
  word -= (word >>> 1) & 0x55555555;
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
