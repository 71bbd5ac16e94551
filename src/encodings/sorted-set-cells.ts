import { copyBytes } from "../bytes/ascii.ts";
import { classOf, MAX_CELL, release, roundUp } from "../memory/arena.ts";

/**
 * The entries of one big sorted set, each a cell of whole 8-byte units in pages of bytes.
 *
 *   position (uint32):  page (17 bits) | unit (15 bits)
 *
 *   cell    [score f64][length u8][member]                           up to 254 bytes
 *           [score f64][255][length u32][member]                     up to what a cell takes
 *           [score f64][255][length u32][block number u32]           longer ones: the member in a block
 *   free    [position of the next free cell of this size, as f64]
 *
 * Page 0 begins with 2 KiB and doubles up to 256 KiB, so that a set of a few hundred members stays small; every
 * other page has 256 KiB at once. So no step of growth copies more than 128 KiB. Sizes are classed as in the
 * arena (every 8 bytes up to 256). Position 0 is never handed out.
 */

const PAGE_SHIFT = 15;
const UNIT_MASK = (1 << PAGE_SHIFT) - 1;
const PAGE_UNITS = 1 << PAGE_SHIFT;
const FIRST_UNITS = 256;
const MAX_PAGES = 1 << 17;
const CLASSES = classOf(MAX_CELL) + 1;
const LONG = 255;

export class Cells {
  private readonly pages: Uint8Array[] = [];
  private readonly doubles: Float64Array[] = [];
  private readonly heads = new Uint32Array(CLASSES);
  private readonly blocks: (Uint8Array | null)[] = [];
  private readonly spareBlocks: number[] = [];
  private bump = 1;
  private limit = 0;
  /** Bytes of pages and blocks. */
  heldBytes = 0;
  /** Bytes of entries. */
  usedBytes = 0;
  /** Where the member that was last opened stands. */
  buf: Uint8Array = EMPTY;
  start = 0;
  end = 0;

  score(position: number): number {
    return this.doubles[position >>> PAGE_SHIFT]![position & UNIT_MASK]!;
  }

  setScore(position: number, score: number): void {
    this.doubles[position >>> PAGE_SHIFT]![position & UNIT_MASK] = score;
  }

  /** Points `buf`, `start` and `end` at the member; valid until the next `add`. */
  open(position: number): void {
    const page = this.pages[position >>> PAGE_SHIFT]!;
    const at = ((position & UNIT_MASK) << 3) + 8;
    const length = page[at]!;
    if (length !== LONG) {
      this.buf = page;
      this.start = at + 1;
      this.end = at + 1 + length;
    } else this.openLong(page, at + 1);
  }

  private openLong(page: Uint8Array, at: number): void {
    const length = read32(page, at);
    if (inCell(length)) {
      this.buf = page;
      this.start = at + 4;
    } else {
      this.buf = this.blocks[read32(page, at + 4)]!;
      this.start = 0;
    }
    this.end = this.start + length;
  }

  /** Order of the member at this position and other bytes, as memcmp and then by length. */
  compare(position: number, buf: Uint8Array, start: number, end: number): number {
    const page = this.pages[position >>> PAGE_SHIFT]!;
    let at = ((position & UNIT_MASK) << 3) + 8;
    const length = page[at++]!;
    if (length === LONG) {
      this.open(position);
      return compareRanges(this.buf, this.start, this.end, buf, start, end);
    }
    const stop = at + Math.min(length, end - start);
    for (let i = start; at < stop; at++, i++) {
      const difference = page[at]! - buf[i]!;
      if (difference !== 0) return difference;
    }
    return length - (end - start);
  }

  equals(position: number, buf: Uint8Array, start: number, end: number): boolean {
    const page = this.pages[position >>> PAGE_SHIFT]!;
    let at = ((position & UNIT_MASK) << 3) + 8;
    const length = page[at]!;
    if (length === LONG || length !== end - start)
      return length === LONG && this.compare(position, buf, start, end) === 0;
    for (let i = start; i < end; i++) if (page[++at] !== buf[i]) return false;
    return true;
  }

  /** A new entry; the member may lie anywhere but in these cells. */
  add(score: number, buf: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const cls = classOf(cellBytes(length));
    const position = this.alloc(cls);
    this.usedBytes += classUnits[cls]! * 8;
    const page = this.pages[position >>> PAGE_SHIFT]!;
    this.doubles[position >>> PAGE_SHIFT]![position & UNIT_MASK] = score;
    let at = ((position & UNIT_MASK) << 3) + 8;
    if (length < LONG) {
      page[at] = length;
      copyBytes(page, at + 1, buf, start, end);
      return position;
    }
    page[at++] = LONG;
    write32(page, at, length);
    if (inCell(length)) copyBytes(page, at + 4, buf, start, end);
    else {
      const block = this.spareBlocks.pop() ?? this.blocks.length;
      this.blocks[block] = buf.slice(start, end);
      this.heldBytes += length;
      this.usedBytes += length;
      write32(page, at + 4, block);
    }
    return position;
  }

  free(position: number): void {
    const page = this.pages[position >>> PAGE_SHIFT]!;
    const at = ((position & UNIT_MASK) << 3) + 8;
    let length = page[at]!;
    if (length === LONG) {
      length = read32(page, at + 1);
      if (!inCell(length)) this.freeBlock(read32(page, at + 5));
    }
    const cls = classOf(cellBytes(length));
    this.doubles[position >>> PAGE_SHIFT]![position & UNIT_MASK] = this.heads[cls]!;
    this.heads[cls] = position;
    this.usedBytes -= classUnits[cls]! * 8;
  }

  private freeBlock(block: number): void {
    const bytes = this.blocks[block]!;
    this.heldBytes -= bytes.length;
    this.usedBytes -= bytes.length;
    this.blocks[block] = null;
    this.spareBlocks.push(block);
    release(bytes);
  }

  private alloc(cls: number): number {
    const head = this.heads[cls]!;
    if (head !== 0) {
      this.heads[cls] = this.doubles[head >>> PAGE_SHIFT]![head & UNIT_MASK]!;
      return head;
    }
    const units = classUnits[cls]!;
    while (this.bump + units > this.limit) this.grow();
    const unit = this.bump;
    this.bump = unit + units;
    return ((this.pages.length - 1) << PAGE_SHIFT) | unit;
  }

  private grow(): void {
    if (this.limit === PAGE_UNITS || this.pages.length === 0) {
      if (this.pages.length === MAX_PAGES) throw new RangeError("the sorted set is full");
      this.limit = this.pages.length === 0 ? FIRST_UNITS : PAGE_UNITS;
      this.bump = this.pages.length === 0 ? 1 : 0;
      this.addPage(new Uint8Array(this.limit * 8));
      return;
    }
    const old = this.pages.pop()!;
    this.doubles.pop();
    this.heldBytes -= old.length;
    this.limit *= 2;
    const larger = new Uint8Array(this.limit * 8);
    larger.set(old);
    this.addPage(larger);
  }

  private addPage(page: Uint8Array<ArrayBuffer>): void {
    this.pages.push(page);
    this.doubles.push(new Float64Array(page.buffer));
    this.heldBytes += page.length;
  }

  clone(): Cells {
    const copy = new Cells();
    for (const page of this.pages) copy.addPage(page.slice());
    for (const block of this.blocks) copy.blocks.push(block === null ? null : block.slice());
    copy.spareBlocks.push(...this.spareBlocks);
    copy.heads.set(this.heads);
    copy.bump = this.bump;
    copy.limit = this.limit;
    copy.heldBytes = this.heldBytes;
    copy.usedBytes = this.usedBytes;
    return copy;
  }

  /** Hands over the buffers, to be released; the cells are not used afterwards. */
  surrender(into: Uint8Array[]): void {
    for (const page of this.pages) into.push(page);
    for (const block of this.blocks) if (block !== null) into.push(block);
  }
}

const EMPTY = new Uint8Array(0);

const classUnits = Uint16Array.from({ length: CLASSES }, (_, cls) => {
  let bytes = 8;
  while (classOf(bytes) < cls) bytes += 8;
  return roundUp(bytes) >>> 3;
});

function inCell(length: number): boolean {
  return length + 13 <= MAX_CELL;
}

function cellBytes(length: number): number {
  if (length < LONG) return length + 9;
  return inCell(length) ? length + 13 : 17;
}

/** Order of two ranges of bytes, as memcmp and then by length. */
export function compareRanges(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const length = aEnd - aStart;
  const stop = length < bEnd - bStart ? aEnd : aStart + (bEnd - bStart);
  for (let i = aStart, j = bStart; i < stop; i++, j++) {
    const difference = a[i]! - b[j]!;
    if (difference !== 0) return difference;
  }
  return length - (bEnd - bStart);
}

function read32(buf: Uint8Array, i: number): number {
  return (buf[i]! | (buf[i + 1]! << 8) | (buf[i + 2]! << 16) | (buf[i + 3]! << 24)) >>> 0;
}

function write32(buf: Uint8Array, i: number, value: number): void {
  buf[i] = value & 255;
  buf[i + 1] = (value >>> 8) & 255;
  buf[i + 2] = (value >>> 16) & 255;
  buf[i + 3] = (value >>> 24) & 255;
}
