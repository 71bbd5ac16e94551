import type { Cells } from "./sorted-set-cells.ts";

/**
 * The cells (sorted-set-cells.ts) of different names in the order of the names, as memcmp: sorted blocks of up to 512 of
 * them, in a list. Finding bisects the list and then a block; a block that is full is split, one that has become small
 * is joined to its neighbour.
 */
const MOST = 512;
const FEW = MOST / 8;

export class NameOrder {
  private blocks: Uint32Array[] = [new Uint32Array(4)];
  private counts: number[] = [0];
  size = 0;
  /** Where `seek` stands. */
  private block = 0;
  private index = 0;

  constructor(private readonly cells: Cells) {}

  get memoryUse(): number {
    return this.blocks.length * (MOST * 4 + 80);
  }

  /** Goes to the first name that is not below `buf[start, end)`. */
  seek(buf: Uint8Array, start: number, end: number): void {
    const { blocks, counts, cells } = this;
    let low = 0;
    let high = blocks.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cells.compare(blocks[middle]![counts[middle]! - 1]!, buf, start, end) < 0) low = middle + 1;
      else high = middle;
    }
    this.block = low;
    const block = blocks[low]!;
    let first = 0;
    let last = counts[low]!;
    while (first < last) {
      const middle = (first + last) >> 1;
      if (cells.compare(block[middle]!, buf, start, end) < 0) first = middle + 1;
      else last = middle;
    }
    this.index = first;
  }

  /** Goes to the first name. */
  seekFirst(): void {
    this.block = this.index = 0;
  }

  /** The cell where `seek` stands, and goes to the next one; 0 at the end. */
  next(): number {
    if (this.index >= this.counts[this.block]!) {
      if (this.block + 1 >= this.blocks.length) return 0;
      this.block++;
      this.index = 0;
    }
    return this.blocks[this.block]![this.index++] ?? 0;
  }

  /** A random name's cell; there must be one. `random` gives 32-bit integers. */
  random(random: () => number): number {
    for (;;) {
      const block = (random() >>> 0) % this.blocks.length;
      const index = (random() >>> 0) % (this.blocks.length === 1 ? this.counts[0]! : MOST);
      if (index < this.counts[block]!) return this.blocks[block]![index]!;
    }
  }

  /** Puts a cell in, whose name is `buf[start, end)`. */
  insert(cell: number, buf: Uint8Array, start: number, end: number): void {
    this.seek(buf, start, end);
    if (this.counts[this.block] === MOST) this.split(start, buf, end);
    const at = this.block;
    let block = this.blocks[at]!;
    const count = this.counts[at]!++;
    if (count === block.length) {
      block = new Uint32Array(count * 2);
      block.set(this.blocks[at]!);
      this.blocks[at] = block;
    }
    block.copyWithin(this.index + 1, this.index, count);
    block[this.index] = cell;
    this.size++;
  }

  private split(start: number, buf: Uint8Array, end: number): void {
    const at = this.block;
    const block = this.blocks[at]!;
    const upper = new Uint32Array(MOST);
    upper.set(block.subarray(MOST / 2));
    this.blocks.splice(at + 1, 0, upper);
    this.counts.splice(at, 1, MOST / 2, MOST / 2);
    this.seek(buf, start, end);
  }

  /** Takes the cell with this name out. */
  remove(buf: Uint8Array, start: number, end: number): void {
    this.seek(buf, start, end);
    const at = this.block;
    const count = --this.counts[at]!;
    this.blocks[at]!.copyWithin(this.index, this.index + 1, count + 1);
    this.size--;
    if (count < FEW && this.blocks.length > 1) this.join(at === 0 ? 0 : at - 1);
  }

  /** Joins a block to the next one, if they are one block's worth. */
  private join(at: number): void {
    const count = this.counts[at]!;
    const more = this.counts[at + 1]!;
    if (count + more > MOST) return;
    const joined = new Uint32Array(MOST);
    joined.set(this.blocks[at]!.subarray(0, count));
    joined.set(this.blocks[at + 1]!.subarray(0, more), count);
    this.blocks.splice(at, 2, joined);
    this.counts.splice(at, 2, count + more);
  }

  /** The same order of a copy of the cells. */
  clone(cells: Cells): NameOrder {
    const copy = new NameOrder(cells);
    copy.blocks = this.blocks.map((block) => block.slice());
    copy.counts = this.counts.slice();
    copy.size = this.size;
    return copy;
  }
}
