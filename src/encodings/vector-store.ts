import { copyBytes } from "../bytes/ascii.ts";

/**
 * The vectors of a vector set, by number, each of length 1 and in one of Redis's three forms:
 *
 *   f32    components of 4 bytes
 *   int8   components of 1 byte, in steps of range / 127, where the range is the largest component there is
 *   bin    a bit for each component: whether it is above 0; in whole words of 8 bytes
 *
 *   pages  a power of two of vectors each, about 256 KiB; the first one begins with four and doubles
 *
 * The distance of two vectors is 1 - their product: 0 where they point the same way, 2 where they are opposite. Number 0
 * is nobody's: what is searched for is put there.
 */
export const QUERY = 0;
export const F32 = 0;
export const INT8 = 1;
export const BIN = 2;
export type Quantization = typeof F32 | typeof INT8 | typeof BIN;

const PAGE_BYTES = 256 * 1024;
const FIRST_VECTORS = 4;
const STEPS = 127;

type Page = Float32Array | Int8Array | Int32Array;

/** How many things of this size a page holds, as a shift. */
export function pageShift(bytesEach: number): number {
  return Math.max(0, 31 - Math.clz32(Math.floor(PAGE_BYTES / bytesEach) || 1));
}

export abstract class VectorStore {
  protected abstract readonly pages: Page[];
  protected readonly shift: number;
  protected readonly mask: number;
  /** The largest component of each vector (int8). */
  ranges = new Float32Array(FIRST_VECTORS);
  /** What each vector's length was before it became 1. */
  lengths = new Float32Array(FIRST_VECTORS);
  /** Bytes of pages. */
  heldBytes = 0;

  constructor(
    readonly dimension: number,
    /** Bytes of a vector. */
    readonly bytesEach: number,
    /** Cells of a page's array that a vector takes. */
    protected readonly width: number,
  ) {
    this.shift = pageShift(bytesEach);
    this.mask = (1 << this.shift) - 1;
  }

  /** Bytes held. */
  get memoryUse(): number {
    return this.heldBytes + this.ranges.byteLength + this.lengths.byteLength;
  }

  /** Sees that there is room for the vector of this number. */
  reserve(number: number): void {
    const page = number >>> this.shift;
    if (page > 0 && this.pages.length === 1) this.enlarge(1 << this.shift);
    while (this.pages.length <= page)
      this.addPage(page === 0 ? Math.min(FIRST_VECTORS, 1 << this.shift) : 1 << this.shift);
    if (page === 0) {
      let vectors = this.pages[0]!.length / this.width;
      if (number >= vectors) {
        while (number >= vectors) vectors *= 2;
        this.enlarge(vectors);
      }
    }
    if (number >= this.ranges.length) {
      this.ranges = grown(this.ranges, number);
      this.lengths = grown(this.lengths, number);
    }
  }

  private enlarge(vectors: number): void {
    const first = this.pages[0]!;
    if (first.length >= vectors * this.width) return;
    const larger = this.newPage(vectors * this.width);
    (larger as Int8Array).set(first as Int8Array);
    this.pages[0] = larger;
    this.heldBytes += larger.byteLength - first.byteLength;
  }

  private addPage(vectors: number): void {
    const page = this.newPage(vectors * this.width);
    this.pages.push(page);
    this.heldBytes += page.byteLength;
  }

  protected abstract newPage(cells: number): Page;

  /** Keeps a vector, whose length becomes 1. */
  set(number: number, vector: Float32Array): void {
    this.lengths[number] = normalize(vector);
    this.encode(number, vector);
  }

  /** Keeps a vector of length 1. */
  protected abstract encode(number: number, vector: Float32Array): void;

  /** From 0 to 2. */
  abstract distance(a: number, b: number): number;

  /** The vector as it was set, as far as that is known. */
  abstract read(number: number): Float32Array;

  /** The vector's bytes, where they are. */
  bytes(number: number): Uint8Array {
    const page = this.pages[number >>> this.shift]!;
    const at = page.byteOffset + (number & this.mask) * this.width * page.BYTES_PER_ELEMENT;
    return new Uint8Array(page.buffer as ArrayBuffer, at, this.bytesEach);
  }

  /** Keeps a vector by its bytes. */
  setBytes(number: number, buf: Uint8Array, start: number): void {
    copyBytes(this.bytes(number), 0, buf, start, start + this.bytesEach);
  }

  copy(from: VectorStore): void {
    this.pages.length = 0;
    for (const page of from.pages) this.pages.push(page.slice());
    this.heldBytes = from.heldBytes;
    this.ranges = from.ranges.slice();
    this.lengths = from.lengths.slice();
  }

  /** Hands over the buffers, to be released. */
  surrender(into: Uint8Array[]): void {
    for (const page of this.pages) into.push(new Uint8Array(page.buffer as ArrayBuffer));
  }
}

export function newVectorStore(dimension: number, quantization: Quantization): VectorStore {
  if (quantization === F32) return new FloatVectors(dimension);
  return quantization === INT8 ? new ByteVectors(dimension) : new BitVectors(dimension);
}

class FloatVectors extends VectorStore {
  protected readonly pages: Float32Array[] = [];

  constructor(dimension: number) {
    super(dimension, dimension * 4, dimension);
  }

  protected newPage(cells: number): Float32Array {
    return new Float32Array(cells);
  }

  protected encode(number: number, vector: Float32Array): void {
    this.pages[number >>> this.shift]!.set(vector, (number & this.mask) * this.dimension);
  }

  distance(a: number, b: number): number {
    const { pages, shift, mask, dimension } = this;
    const x = pages[a >>> shift]!;
    const y = pages[b >>> shift]!;
    let i = (a & mask) * dimension;
    let j = (b & mask) * dimension;
    const end = i + dimension;
    let even = 0;
    let odd = 0;
    for (; i + 3 < end; i += 4, j += 4) {
      even += x[i]! * y[j]! + x[i + 2]! * y[j + 2]!;
      odd += x[i + 1]! * y[j + 1]! + x[i + 3]! * y[j + 3]!;
    }
    for (; i < end; i++, j++) even += x[i]! * y[j]!;
    return Math.fround(1 - Math.fround(even + odd));
  }

  read(number: number): Float32Array {
    const at = (number & this.mask) * this.dimension;
    const length = this.lengths[number]!;
    return this.pages[number >>> this.shift]!.slice(at, at + this.dimension).map((x) => x * length);
  }
}

class ByteVectors extends VectorStore {
  protected readonly pages: Int8Array[] = [];

  constructor(dimension: number) {
    super(dimension, dimension, dimension);
  }

  protected newPage(cells: number): Int8Array {
    return new Int8Array(cells);
  }

  protected encode(number: number, vector: Float32Array): void {
    const page = this.pages[number >>> this.shift]!;
    let at = (number & this.mask) * this.dimension;
    let range = 0;
    for (let i = 0; i < vector.length; i++) range = Math.max(range, Math.abs(vector[i]!));
    this.ranges[number] = range;
    const scale = range === 0 ? 0 : Math.fround(STEPS / range);
    for (let i = 0; i < vector.length; i++) {
      const scaled = Math.fround(vector[i]! * scale);
      // Halves go away from zero.
      page[at++] = scaled < 0 ? -Math.floor(0.5 - scaled) : Math.floor(scaled + 0.5);
    }
  }

  distance(a: number, b: number): number {
    const { pages, shift, mask, dimension, ranges } = this;
    const x = pages[a >>> shift]!;
    const y = pages[b >>> shift]!;
    let i = (a & mask) * dimension;
    let j = (b & mask) * dimension;
    const end = i + dimension;
    let even = 0;
    let odd = 0;
    for (; i + 3 < end; i += 4, j += 4) {
      even = (even + x[i]! * y[j]! + x[i + 2]! * y[j + 2]!) | 0;
      odd = (odd + x[i + 1]! * y[j + 1]! + x[i + 3]! * y[j + 3]!) | 0;
    }
    for (; i < end; i++, j++) even = (even + x[i]! * y[j]!) | 0;
    const scale = Math.fround(Math.fround(ranges[a]! / STEPS) * Math.fround(ranges[b]! / STEPS));
    const distance = Math.fround(1 - Math.fround((even + odd) * scale));
    return Math.min(2, Math.max(0, distance));
  }

  read(number: number): Float32Array {
    const page = this.pages[number >>> this.shift]!;
    const at = (number & this.mask) * this.dimension;
    const range = this.ranges[number]!;
    const length = this.lengths[number]!;
    return Float32Array.from(page.subarray(at, at + this.dimension), (step) => {
      return Math.fround(Math.fround(step * range) / STEPS) * length;
    });
  }
}

class BitVectors extends VectorStore {
  protected readonly pages: Int32Array[] = [];

  constructor(dimension: number) {
    const words = Math.ceil(dimension / 64) * 2;
    super(dimension, words * 4, words);
  }

  protected newPage(cells: number): Int32Array {
    return new Int32Array(cells);
  }

  protected encode(number: number, vector: Float32Array): void {
    const page = this.pages[number >>> this.shift]!;
    const at = (number & this.mask) * this.width;
    page.fill(0, at, at + this.width);
    for (let i = 0; i < vector.length; i++) if (vector[i]! > 0) page[at + (i >>> 5)]! |= 1 << (i & 31);
  }

  distance(a: number, b: number): number {
    const { pages, shift, mask, width } = this;
    const x = pages[a >>> shift]!;
    const y = pages[b >>> shift]!;
    let i = (a & mask) * width;
    let j = (b & mask) * width;
    let different = 0;
    for (const end = i + width; i < end; i++, j++) {
      let bits = x[i]! ^ y[j]!;
      bits -= (bits >>> 1) & 0x55555555;
      bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
      different += Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
    }
    return Math.fround((different * 2) / this.dimension);
  }

  read(number: number): Float32Array {
    const page = this.pages[number >>> this.shift]!;
    const at = (number & this.mask) * this.width;
    return Float32Array.from({ length: this.dimension }, (_, i) =>
      (page[at + (i >>> 5)]! >>> (i & 31)) & 1 ? 1 : -1,
    );
  }
}

/** Gives a vector the length 1, in single precision; returns the length it had. One of zeros stays, and counts as 1. */
function normalize(vector: Float32Array): number {
  const { fround } = Math;
  const square = (i: number) => fround(vector[i]! * vector[i]!);
  const whole = vector.length & ~3;
  let sum = 0;
  for (let i = 0; i < whole; i += 4)
    sum = fround(sum + fround(fround(fround(square(i) + square(i + 1)) + square(i + 2)) + square(i + 3)));
  for (let i = whole; i < vector.length; i++) sum = fround(sum + square(i));
  if (sum === 0) return 1;
  const length = fround(Math.sqrt(sum));
  for (let i = 0; i < vector.length; i++) vector[i] = vector[i]! / length;
  return length;
}

/** A longer copy of a typed array, that has this index. */
export function grown<T extends Float32Array | Float64Array | Uint8Array | Uint32Array | Int32Array>(
  array: T,
  index: number,
): T {
  let length = Math.max(FIRST_VECTORS, array.length);
  while (length <= index) length *= 2;
  const larger = new (array.constructor as new (length: number) => T)(length);
  larger.set(array);
  return larger;
}
