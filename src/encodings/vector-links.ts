import { pageShift } from "./vector-store.ts";

/**
 * The links of nodes of a vector graph on one layer, or on all layers above the lowest: rows of as many as a node may have.
 *
 *   row:  [links there are][the one that is farthest][its distance, f32][row of the next layer][link] ...
 *
 * Rows lie in pages as vectors do (vector-store.ts). Row 0 is not used.
 */
export const COUNT = 0;
const WORST = 1;
const WORST_DISTANCE = 2;
const ABOVE = 3;
export const LINKS = 4;
const FIRST_ROWS = 4;

export class LinkRows {
  readonly pages: Int32Array[] = [];
  private readonly floats: Float32Array[] = [];
  readonly shift: number;
  readonly mask: number;
  readonly width: number;
  /** Bytes of pages. */
  heldBytes = 0;
  private readonly spare: number[] = [];
  private next = 1;

  /** `most`: links that a node may have. */
  constructor(readonly most: number) {
    this.width = LINKS + most;
    this.shift = pageShift(this.width * 4);
    this.mask = (1 << this.shift) - 1;
  }

  /** Sees that there is a row of this number. */
  reserve(row: number): void {
    const page = row >>> this.shift;
    for (let first = this.pages.length; first <= page; first++)
      this.setPage(
        first,
        (first === 0 ? Math.min(FIRST_ROWS, 1 << this.shift) : 1 << this.shift) * this.width,
      );
    const needed = page === 0 ? (row + 1) * this.width : this.width << this.shift;
    let cells = this.pages[0]!.length;
    if (cells >= needed) return;
    while (cells < needed) cells *= 2;
    this.setPage(0, cells);
  }

  private setPage(index: number, cells: number): void {
    const page = new Int32Array(cells);
    const before = this.pages[index];
    if (before !== undefined) page.set(before);
    this.pages[index] = page;
    this.floats[index] = new Float32Array(page.buffer);
    this.heldBytes += page.byteLength - (before?.byteLength ?? 0);
  }

  /** A row without links. */
  alloc(): number {
    const row = this.spare.pop() ?? this.next++;
    this.reserve(row);
    this.clear(row);
    return row;
  }

  free(row: number): void {
    this.spare.push(row);
  }

  clear(row: number): void {
    const at = this.at(row);
    this.page(row).fill(0, at, at + LINKS);
  }

  page(row: number): Int32Array {
    return this.pages[row >>> this.shift]!;
  }

  /** Where the row begins in its page. */
  at(row: number): number {
    return (row & this.mask) * this.width;
  }

  count(row: number): number {
    return this.page(row)[this.at(row) + COUNT]!;
  }

  isFull(row: number): boolean {
    return this.count(row) >= this.most;
  }

  link(row: number, index: number): number {
    return this.page(row)[this.at(row) + LINKS + index]!;
  }

  /** The index of the link that is farthest. */
  worst(row: number): number {
    return this.page(row)[this.at(row) + WORST]!;
  }

  worstDistance(row: number): number {
    return this.floats[row >>> this.shift]![this.at(row) + WORST_DISTANCE]!;
  }

  setWorst(row: number, index: number, distance: number): void {
    const at = this.at(row);
    this.page(row)[at + WORST] = index;
    this.floats[row >>> this.shift]![at + WORST_DISTANCE] = distance;
  }

  /** The row of the same node on the next layer; 0: it has none. */
  above(row: number): number {
    return this.page(row)[this.at(row) + ABOVE]!;
  }

  setAbove(row: number, above: number): void {
    this.page(row)[this.at(row) + ABOVE] = above;
  }

  indexOf(row: number, node: number): number {
    const page = this.page(row);
    const first = this.at(row) + LINKS;
    const end = first + page[first - LINKS + COUNT]!;
    for (let i = first; i < end; i++) if (page[i] === node) return i - first;
    return -1;
  }

  /** Adds a link, for which there must be room. */
  add(row: number, node: number, distance: number): void {
    const at = this.at(row);
    const page = this.page(row);
    const count = page[at + COUNT]!++;
    page[at + LINKS + count] = node;
    if (count === 0 || distance > this.worstDistance(row)) this.setWorst(row, count, distance);
  }

  /** Gives a row its links, as many as it may have of these. */
  fill(row: number, nodes: ArrayLike<number>, worst: number, distance: number): void {
    const at = this.at(row);
    const page = this.page(row);
    const count = Math.min(nodes.length, this.most);
    for (let i = 0; i < count; i++) page[at + LINKS + i] = nodes[i]!;
    page[at + COUNT] = count;
    this.setWorst(row, worst, distance);
  }

  /** Takes a link out; the last one takes its place. Whether it was the farthest, which is then unknown. */
  removeAt(row: number, index: number): boolean {
    const at = this.at(row);
    const page = this.page(row);
    const last = --page[at + COUNT]!;
    page[at + LINKS + index] = page[at + LINKS + last]!;
    const worst = page[at + WORST]!;
    if (worst === last) page[at + WORST] = index;
    return worst === index;
  }

  clone(): LinkRows {
    const copy = new LinkRows(this.most);
    for (const [index, page] of this.pages.entries()) {
      copy.setPage(index, page.length);
      copy.pages[index]!.set(page);
    }
    copy.spare.push(...this.spare);
    copy.next = this.next;
    return copy;
  }

  surrender(into: Uint8Array[]): void {
    for (const page of this.pages) into.push(new Uint8Array(page.buffer as ArrayBuffer));
  }
}
