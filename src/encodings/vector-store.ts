import { copyBytes } from "../bytes/ascii.ts";
import { ASIDE, LARGEST, type VectorArena } from "../memory/vector-arena.ts";
import { BLOCK, type Kernels, ROUND, vectorSpace } from "./vector-kernels.ts";

/**
 * The vectors of a vector set, by number, each of length 1 and in one of Redis's three forms:
 *
 *   f32    components of 4 bytes
 *   int8   components of 1 byte, in steps of range / 127, where the range is the largest component there is
 *   bin    a bit for each component: whether it is above 0; in whole words of 8 bytes
 *
 *   pages  a power of two of vectors each, up to 256 KiB; the first one begins with four and doubles
 *   vector its bytes, and zeros up to a whole number of blocks of 16
 *
 * Pages are in memory where SIMD reaches them (memory/vector-arena.ts). When that is full, they are elsewhere, and vectors
 * are copied there when they are compared.
 *
 * The distance of two vectors is 1 - their product: 0 where they point the same way, 2 where they are opposite. Number 0
 * is nobody's: what is searched for is put there.
 */
export const QUERY = 0;
export const F32 = 0;
export const INT8 = 1;
export const BIN = 2;
export type Quantization = typeof F32 | typeof INT8 | typeof BIN;

const FIRST_VECTORS = 4;
const STEPS = 127;
const NOWHERE = -1;

/** How many things of this size a page holds, as a shift. */
export function pageShift(bytesEach: number): number {
  return Math.max(0, 31 - Math.clz32(Math.floor(LARGEST / bytesEach) || 1));
}

interface Page {
  /** In the arena; NOWHERE: it has an array of its own. */
  address: number;
  size: number;
  own: Uint8Array | null;
}

export class VectorStore {
  private readonly arena: VectorArena;
  private readonly kernels: Kernels;
  private readonly pages: Page[] = [];
  /** The addresses of the pages. */
  private readonly addresses: number[] = [];
  /** Bytes of a vector. */
  readonly bytesEach: number;
  /** The same up to a whole number of blocks. */
  private readonly stride: number;
  private readonly rounds: number;
  private readonly rest: number;
  private readonly shift: number;
  private readonly mask: number;
  /** The largest component of each vector (int8). */
  ranges = new Float32Array(FIRST_VECTORS);
  /** What each vector's length was before it became 1. */
  lengths = new Float32Array(FIRST_VECTORS);
  private heldBytes = 0;

  constructor(
    readonly dimension: number,
    readonly form: Quantization,
    space = vectorSpace(),
  ) {
    const { arena, kernels } = space;
    this.arena = arena;
    this.kernels = kernels;
    this.bytesEach = form === F32 ? dimension * 4 : form === INT8 ? dimension : Math.ceil(dimension / 64) * 8;
    const blocks = Math.ceil(this.bytesEach / BLOCK);
    this.stride = blocks * BLOCK;
    this.rounds = Math.floor(blocks / ROUND);
    this.rest = blocks % ROUND;
    this.shift = pageShift(this.stride);
    this.mask = (1 << this.shift) - 1;
  }

  /** Bytes held. */
  get memoryUse(): number {
    return this.heldBytes + this.ranges.byteLength + this.lengths.byteLength;
  }

  // ------------------------------------------------------------------ pages

  /** Sees that there is room for the vector of this number. */
  reserve(number: number): void {
    const page = number >>> this.shift;
    const whole = 1 << this.shift;
    for (let index = this.pages.length; index <= page; index++)
      this.setPage(index, index === 0 ? Math.min(FIRST_VECTORS, whole) : whole);
    let vectors = Math.floor(this.pages[0]!.size / this.stride);
    const needed = page === 0 ? number + 1 : whole;
    if (vectors < needed) {
      while (vectors < needed) vectors *= 2;
      this.setPage(0, Math.min(vectors, whole));
    }
    if (number >= this.ranges.length) {
      this.ranges = grown(this.ranges, number);
      this.lengths = grown(this.lengths, number);
    }
  }

  private setPage(index: number, vectors: number): void {
    const size = this.arena.sizeOf(vectors * this.stride);
    const address = this.arena.alloc(size);
    const own = address === NOWHERE ? new Uint8Array(size) : null;
    const before = this.pages[index];
    this.pages[index] = { address, size, own };
    this.addresses[index] = address;
    this.heldBytes += size;
    if (before === undefined) return;
    copyBytes(this.contents(this.pages[index]), 0, this.contents(before), 0, before.size);
    this.drop(before);
  }

  private contents({ address, size, own }: Page): Uint8Array {
    return own ?? this.arena.bytes.subarray(address, address + size);
  }

  private drop({ address, size, own }: Page): void {
    this.heldBytes -= size;
    if (own === null) this.arena.release(address, size);
  }

  /** The vector's bytes, where they are; valid until more memory is needed. */
  bytes(number: number): Uint8Array {
    const page = this.pages[number >>> this.shift]!;
    const at = (number & this.mask) * this.stride;
    return this.contents(page).subarray(at, at + this.bytesEach);
  }

  /** Keeps a vector by its bytes. */
  setBytes(number: number, buf: Uint8Array, start: number): void {
    copyBytes(this.bytes(number), 0, buf, start, start + this.bytesEach);
  }

  /** Where the kernels find a vector; one that they would not find is copied to this place for such. */
  private address(number: number, aside: number): number {
    const page = this.addresses[number >>> this.shift]!;
    if (page !== NOWHERE) return page + (number & this.mask) * this.stride;
    this.arena.bytes.set(this.bytes(number), aside);
    this.arena.bytes.fill(0, aside + this.bytesEach, aside + this.stride);
    return aside;
  }

  copy(from: VectorStore): void {
    this.dispose();
    for (const [index, page] of from.pages.entries()) {
      this.setPage(index, Math.floor(page.size / this.stride));
      copyBytes(this.contents(this.pages[index]!), 0, from.contents(page), 0, page.size);
    }
    this.ranges = from.ranges.slice();
    this.lengths = from.lengths.slice();
  }

  /** Gives the pages back. */
  dispose(): void {
    for (const page of this.pages) this.drop(page);
    this.pages.length = this.addresses.length = 0;
  }

  // ------------------------------------------------------------------ vectors

  /** Keeps a vector, whose length becomes 1. */
  set(number: number, vector: Float32Array): void {
    this.lengths[number] = normalize(vector);
    const encoded =
      this.form === F32
        ? new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)
        : this.form === INT8
          ? this.toSteps(number, vector)
          : toBits(vector, this.bytesEach);
    this.setBytes(number, encoded, 0);
  }

  private toSteps(number: number, vector: Float32Array): Uint8Array {
    let range = 0;
    for (let i = 0; i < vector.length; i++) range = Math.max(range, Math.abs(vector[i]!));
    this.ranges[number] = range;
    const scale = range === 0 ? 0 : Math.fround(STEPS / range);
    const steps = new Uint8Array(vector.length);
    for (let i = 0; i < vector.length; i++) {
      const scaled = Math.fround(vector[i]! * scale);
      // Halves go away from zero.
      steps[i] = scaled < 0 ? -Math.floor(0.5 - scaled) : Math.floor(scaled + 0.5);
    }
    return steps;
  }

  /** From 0 to 2. */
  distance(a: number, b: number): number {
    const { form, kernels, rounds, rest, ranges } = this;
    const x = this.address(a, ASIDE[0]);
    const y = this.address(b, ASIDE[1]);
    if (form === F32) return Math.fround(1 - kernels.f32(x, y, rounds, rest));
    if (form === BIN) return Math.fround((kernels.bin(x, y, rounds, rest) * 2) / this.dimension);
    const sum = kernels.int8(x, y, rounds, rest);
    const scale = Math.fround(Math.fround(ranges[a]! / STEPS) * Math.fround(ranges[b]! / STEPS));
    return Math.min(2, Math.max(0, Math.fround(1 - Math.fround(sum * scale))));
  }

  /** The vector as it was set, as far as that is known. */
  read(number: number): Float32Array {
    const bytes = this.bytes(number).slice();
    const length = this.lengths[number]!;
    if (this.form === F32) return new Float32Array(bytes.buffer).map((component) => component * length);
    if (this.form === BIN)
      return Float32Array.from({ length: this.dimension }, (_, i) =>
        (bytes[i >>> 3]! >>> (i & 7)) & 1 ? 1 : -1,
      );
    const range = this.ranges[number]!;
    return Float32Array.from(new Int8Array(bytes.buffer), (step) => {
      return Math.fround(Math.fround(step * range) / STEPS) * length;
    });
  }
}

/** A bit for each component, the first one lowest. */
function toBits(vector: Float32Array, bytes: number): Uint8Array {
  const bits = new Uint8Array(bytes);
  for (let i = 0; i < vector.length; i++) if (vector[i]! > 0) bits[i >>> 3]! |= 1 << (i & 7);
  return bits;
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
