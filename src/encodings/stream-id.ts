import { joinHalves, writeInt } from "../bytes/int64.ts";

/**
 * Stream IDs: 64 bits of milliseconds and 64 bits of sequence number, written <ms>-<seq>.
 *
 *   msHigh | msLow | seqHigh | seqLow        four unsigned 32-bit numbers, in memory and in the tables of
 *                                            stream-index.ts; their order is that of the IDs
 *
 * Halves are exact over all 64 bits and cost no BigInt; only the text of a part beyond 2^53 takes one.
 */

const TWO_32 = 4294967296;
const MAX_HALF = 0xffffffff;
const MAX_U64 = 2n ** 64n - 1n;
/** Parts below this half make numbers below 2^53. */
const SAFE_HIGH = 0x200000;
/** Longest text that is looked at. */
const MAX_INPUT = 127;
/** Bytes of the longest ID's text. */
export const ID_TEXT = 41;

const DASH = 45;
const PLUS = 43;
const STAR = 42;

/** What `parse` found. */
export const ID_INVALID = 0;
export const ID_GIVEN = 1;
/** <ms>-*: the sequence number is left to the stream. */
export const ID_OPEN = 2;

export class StreamId {
  msHigh = 0;
  msLow = 0;
  seqHigh = 0;
  seqLow = 0;

  copy(other: StreamId): this {
    this.msHigh = other.msHigh;
    this.msLow = other.msLow;
    this.seqHigh = other.seqHigh;
    this.seqLow = other.seqLow;
    return this;
  }

  clear(): this {
    this.msHigh = this.msLow = this.seqHigh = this.seqLow = 0;
    return this;
  }

  setMax(): this {
    this.msHigh = this.msLow = this.seqHigh = this.seqLow = MAX_HALF;
    return this;
  }

  /** <milliseconds>-0. */
  setTime(milliseconds: number): this {
    this.msHigh = Math.floor(milliseconds / TWO_32);
    this.msLow = milliseconds >>> 0;
    this.seqHigh = this.seqLow = 0;
    return this;
  }

  get isZero(): boolean {
    return (this.msLow | this.msHigh | this.seqLow | this.seqHigh) === 0;
  }

  get isMax(): boolean {
    return (this.msLow & this.msHigh & this.seqLow & this.seqHigh) === -1;
  }

  /** Negative, zero or positive. */
  compare(other: StreamId): number {
    return (
      this.msHigh - other.msHigh ||
      this.msLow - other.msLow ||
      this.seqHigh - other.seqHigh ||
      this.seqLow - other.seqLow
    );
  }

  hasTimeOf(other: StreamId): boolean {
    return this.msLow === other.msLow && this.msHigh === other.msHigh;
  }

  /** The sequence number's successor; false at its end, the ID is then left as it was. */
  nextInTime(): boolean {
    if (this.seqLow === MAX_HALF && this.seqHigh === MAX_HALF) return false;
    if (this.seqLow === MAX_HALF) {
      this.seqLow = 0;
      this.seqHigh++;
    } else this.seqLow++;
    return true;
  }

  /** Becomes its successor; the last ID becomes 0-0, and the answer is false. */
  increment(): boolean {
    if (this.nextInTime()) return true;
    this.seqLow = this.seqHigh = 0;
    this.msLow = (this.msLow + 1) >>> 0;
    if (this.msLow === 0) this.msHigh = (this.msHigh + 1) >>> 0;
    return (this.msLow | this.msHigh) !== 0;
  }

  /** Becomes its predecessor; 0-0 becomes the last ID, and the answer is false. */
  decrement(): boolean {
    const wraps = this.isZero;
    if (this.seqLow-- === 0) {
      this.seqLow = MAX_HALF;
      if (this.seqHigh-- === 0) {
        this.seqHigh = MAX_HALF;
        if (this.msLow-- === 0) {
          this.msLow = MAX_HALF;
          if (this.msHigh-- === 0) this.msHigh = MAX_HALF;
        }
      }
    }
    return !wraps;
  }

  /** Reads the ID from the first four columns of a table's row. */
  read(rows: Uint32Array, at: number): this {
    this.msHigh = rows[at]!;
    this.msLow = rows[at + 1]!;
    this.seqHigh = rows[at + 2]!;
    this.seqLow = rows[at + 3]!;
    return this;
  }

  write(rows: Uint32Array, at: number): void {
    rows[at] = this.msHigh;
    rows[at + 1] = this.msLow;
    rows[at + 2] = this.seqHigh;
    rows[at + 3] = this.seqLow;
  }

  /** Writes <ms>-<seq> at `at`, where there are ID_TEXT bytes of room; returns the offset behind it. */
  writeText(buf: Uint8Array, at: number): number {
    if (this.msLow !== lastLow || this.msHigh !== lastHigh) {
      lastLow = this.msLow;
      lastHigh = this.msHigh;
      lastLength = writePart(lastText, 0, lastHigh, lastLow);
      lastText[lastLength++] = DASH;
    }
    for (let i = 0; i < lastLength; i++) buf[at++] = lastText[i]!;
    return writePart(buf, at, this.seqHigh, this.seqLow);
  }

  bytes(): Uint8Array {
    const out = new Uint8Array(ID_TEXT);
    return out.slice(0, this.writeText(out, 0));
  }

  /**
   * Reads the text of an ID: <ms>-<seq> or <ms>, which gets the lowest sequence number, or the highest with
   * `seqMax`. "-" and "+" are the lowest and highest ID unless `strict`; <ms>-* is taken with `open`. What
   * follows a NUL does not count. https://redis.io/docs/latest/develop/data-types/streams/#entry-ids
   */
  parse(buf: Uint8Array, start: number, end: number, strict: boolean, seqMax = false, open = false): number {
    if (end - start > MAX_INPUT) return ID_INVALID;
    let dash = -1;
    for (let i = start; i < end; i++) {
      const c = buf[i]!;
      if (c === DASH && dash < 0) dash = i;
      else if (c === 0) end = i;
    }
    if (end - start === 1 && !strict) {
      if (buf[start] === DASH) {
        this.clear();
        return ID_GIVEN;
      }
      if (buf[start] === PLUS) {
        this.setMax();
        return ID_GIVEN;
      }
    }
    if (!parsePart(buf, start, dash < 0 ? end : dash)) return ID_INVALID;
    const msHigh = partHigh;
    const msLow = partLow;
    let form = ID_GIVEN;
    if (dash < 0) partHigh = partLow = seqMax ? MAX_HALF : 0;
    else if (open && end - dash === 2 && buf[dash + 1] === STAR) {
      form = ID_OPEN;
      partHigh = partLow = 0;
    } else if (!parsePart(buf, dash + 1, end)) return ID_INVALID;
    this.msHigh = msHigh;
    this.msLow = msLow;
    this.seqHigh = partHigh;
    this.seqLow = partLow;
    return form;
  }
}

/** What `parsePart` read. */
let partHigh = 0;
let partLow = 0;

/** Reads an unsigned 64-bit number; longer or odd texts are read as C's strtoull reads them. */
function parsePart(buf: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length < 1) return false;
  let value = 0;
  let plain = length <= 15;
  for (let i = start; plain && i < end; i++) {
    const digit = buf[i]! - 48;
    if (digit < 0 || digit > 9) plain = false;
    value = value * 10 + digit;
  }
  if (!plain) return parseOddPart(buf, start, end);
  partHigh = Math.floor(value / TWO_32);
  partLow = value >>> 0;
  return true;
}

const STRTOULL = /^[ \t-\r]*([+-]?)([0-9]+)$/;
/** What is an integer in canonical form is refused where it is negative. */
const NEGATIVE = /^-[1-9][0-9]*$/;

function parseOddPart(buf: Uint8Array, start: number, end: number): boolean {
  const text = String.fromCharCode(...buf.subarray(start, end));
  const [, sign, digits] = STRTOULL.exec(text) ?? [];
  if (digits === undefined) return false;
  let value = BigInt(digits);
  if (value > MAX_U64) return false;
  if (NEGATIVE.test(text) && value <= 2n ** 63n) return false;
  if (sign === "-") value = BigInt.asUintN(64, -value);
  partHigh = Number(value >> 32n);
  partLow = Number(value & 0xffffffffn);
  return true;
}

/** The milliseconds last written, with the dash: IDs written one after the other often share them. */
const lastText = new Uint8Array(ID_TEXT);
let lastHigh = -1;
let lastLow = -1;
let lastLength = 0;

function writePart(buf: Uint8Array, at: number, high: number, low: number): number {
  if (high < SAFE_HIGH) return writeInt(buf, at, high * TWO_32 + low);
  const text = ((BigInt(high) << 32n) | BigInt(low)).toString();
  for (let i = 0; i < text.length; i++) buf[at++] = text.charCodeAt(i);
  return at;
}

/** A counter of 64 bits with sign, as halves: entries ever added, entries read. */
export class Counter {
  /** Signed. */
  high = 0;
  /** Unsigned. */
  low = 0;

  set(value: number): this {
    this.high = Math.floor(value / TWO_32) | 0;
    this.low = value >>> 0;
    return this;
  }

  setBig(value: bigint): this {
    this.high = Number(BigInt.asIntN(32, value >> 32n));
    this.low = Number(BigInt.asUintN(32, value));
    return this;
  }

  copy(other: Counter): this {
    this.high = other.high;
    this.low = other.low;
    return this;
  }

  increment(): void {
    this.low = (this.low + 1) >>> 0;
    if (this.low === 0) this.high = (this.high + 1) | 0;
  }

  /** Becomes a - b. */
  difference(a: Counter, b: Counter): this {
    this.high = (a.high - b.high - (a.low < b.low ? 1 : 0)) | 0;
    this.low = (a.low - b.low) >>> 0;
    return this;
  }

  get isZero(): boolean {
    return (this.low | this.high) === 0;
  }

  /** The value, rounded beyond 2^53. */
  number(): number {
    return joinHalves(this.low, this.high);
  }
}
