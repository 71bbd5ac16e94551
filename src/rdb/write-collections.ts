import { copyBytes } from "../bytes/ascii.ts";
import type { HashTable } from "../encodings/hash-table.ts";
import { readSlot, type SegmentImage, type TableWatch } from "../encodings/hash-table-image.ts";
import { NO_EXPIRY, type Range, type Segment } from "../encodings/hash-table-segment.ts";
import type { ListWatch, Quicklist } from "../encodings/quicklist.ts";
import type { QuicklistNode } from "../encodings/quicklist-node.ts";
import { compareRanges } from "../encodings/sorted-set-cells.ts";
import type { SortedSetIndex, SortedSetWatch } from "../encodings/sorted-set-index.ts";
import { OwnBytes } from "../memory/byte-store.ts";
import { NODE_PACKED, NODE_PLAIN } from "./format.ts";
import type { RdbWriter } from "./writer.ts";
import { BigValueWriting, byteLimit } from "./writing.ts";

/** Lists, sets, hashes and sorted sets that are objects, element by element. How they may change is in writing.ts. */

// -------------------------------------------------------------------------------- lists

/** What is written of a node. */
type NodeImage = Pick<QuicklistNode, "plain" | "compressed" | "size" | "buf" | "start" | "end">;

export class ListWriting extends BigValueWriting implements ListWatch {
  private readonly nodes: QuicklistNode[] = [];
  private at = 0;
  /** Nodes that have changed since, as they were. */
  private readonly images = new Map<QuicklistNode, NodeImage>();

  constructor(out: RdbWriter, list: Quicklist, watched: boolean) {
    super(out, list, watched);
    out.length(list.nodes);
    for (let node = list.head; node !== null; node = node.next) {
      this.nodes.push(node);
      if (watched) node.awaited = true;
    }
    if (watched) list.watch = this;
  }

  step(elements: number): boolean {
    const { nodes, images, out } = this;
    const most = byteLimit(out, elements);
    for (; this.at < nodes.length && elements > 0 && out.bytes < most; this.at++) {
      const node = nodes[this.at]!;
      const image = images.get(node);
      this.write(image ?? node);
      if (image === undefined) {
        if (this.watched) node.awaited = false;
        elements -= node.count;
      } else {
        images.delete(node);
        elements--;
      }
    }
    return this.at === nodes.length;
  }

  private write({ plain, compressed, size, buf, start, end }: NodeImage): void {
    const { out } = this;
    out.length(plain ? NODE_PLAIN : NODE_PACKED);
    if (compressed) out.lzf(size, buf, start, end);
    else out.string(buf, start, end);
  }

  beforeNode(node: QuicklistNode): void {
    const { plain, compressed, size } = node;
    const buf = node.buf.slice(node.start, node.end);
    this.images.set(node, { plain, compressed, size, buf, start: 0, end: buf.length });
  }
}

// -------------------------------------------------------------------------------- sets and hashes

const field: Range = { buf: new Uint8Array(0), start: 0, end: 0 };
const value: Range = { buf: new Uint8Array(0), start: 0, end: 0 };

export class TableWriting extends BigValueWriting implements TableWatch {
  private readonly segments: readonly Segment[];
  private at = 0;
  private slot = 0;
  /** Segments that have changed since, as they were, and from which slot on they are still to be written. */
  private readonly images: { image: SegmentImage; from: number }[] = [];
  private readonly withTimes: boolean;
  /** What times count from. */
  private readonly soonest: number;
  private budget = 0;
  private most = 0;

  constructor(
    out: RdbWriter,
    private readonly table: HashTable,
    watched: boolean,
  ) {
    super(out, table, watched);
    this.withTimes = table.expiring > 0;
    this.soonest = table.soonest;
    if (this.withTimes) out.time(table.soonest);
    out.length(table.count);
    this.segments = table.segments.slice();
    if (!watched) return;
    for (const segment of this.segments) segment.awaited = true;
    table.keepBlocks(true);
    table.watch = this;
  }

  step(elements: number): boolean {
    const { segments, images, table } = this;
    this.budget = elements;
    this.most = byteLimit(this.out, elements);
    for (let last = images.at(-1); last !== undefined; last = images.at(-1)) {
      last.from = this.write(last.image, last.from);
      if (last.from < last.image.segment.capacity) return false;
      images.pop();
    }
    for (; this.at < segments.length; this.at++, this.slot = 0) {
      const segment = segments[this.at]!;
      // There is, or was, an image of it.
      if (this.watched && !segment.awaited) continue;
      this.slot = this.write(table.image(segment, false), this.slot);
      if (this.slot < segment.capacity) return false;
      if (this.watched) segment.awaited = false;
    }
    return true;
  }

  /** Writes entries from a slot on, as far as it may; returns the slot to go on from. */
  private write(image: SegmentImage, slot: number): number {
    const { table, out } = this;
    const { segment } = image;
    for (; slot < segment.capacity; slot++) {
      if (this.budget <= 0 || out.bytes >= this.most) break;
      if (!readSlot(image, slot, field, value)) continue;
      this.budget--;
      if (this.withTimes) {
        const expiry = segment.expiry(slot);
        out.length(expiry === NO_EXPIRY ? 0 : expiry - this.soonest + 1);
      }
      out.string(field.buf, field.start, field.end);
      if (table.hasValues) out.string(value.buf, value.start, value.end);
    }
    return slot;
  }

  beforeSegment(segment: Segment): void {
    const from = segment === this.segments[this.at] ? this.slot : 0;
    this.images.push({ image: this.table.image(segment, true), from });
  }

  override close(): void {
    if (this.watched) this.table.keepBlocks(false);
    super.close();
  }
}

// -------------------------------------------------------------------------------- sorted sets

const PAGE_SHIFT = 15;
const PAGE_UNITS = 1 << PAGE_SHIFT;

/** Cells by number, a bit each, in pieces for as many as a page of cells can hold. */
class CellSet {
  private readonly pages: (Uint8Array | undefined)[] = [];

  has(cell: number): boolean {
    const page = this.pages[cell >>> PAGE_SHIFT];
    return page !== undefined && (page[(cell & (PAGE_UNITS - 1)) >>> 3]! & (1 << (cell & 7))) !== 0;
  }

  add(cell: number): void {
    const page = (this.pages[cell >>> PAGE_SHIFT] ??= new Uint8Array(PAGE_UNITS >>> 3));
    page[(cell & (PAGE_UNITS - 1)) >>> 3]! |= 1 << (cell & 7);
  }
}

/** From the greatest score down. */
export class ZsetWriting extends BigValueWriting implements SortedSetWatch {
  /** Members of the beginning that are still to be written. */
  private left: number;
  /** The last member that the walk has come to: those not before it are done with. */
  private score = Number.POSITIVE_INFINITY;
  private readonly member = new OwnBytes();
  private begun = false;
  /** Cells that were changed or added since. */
  private readonly changed = new CellSet();

  constructor(
    out: RdbWriter,
    private readonly set: SortedSetIndex,
    watched: boolean,
  ) {
    super(out, set, watched);
    this.left = set.size;
    out.length(set.size);
    if (watched) set.watch = this;
  }

  step(elements: number): boolean {
    const { set, out, changed, member } = this;
    if (this.left === 0) return true;
    const most = byteLimit(out, elements);
    // The set's cursor is not ours from one step to the next, and its order may have changed.
    if (!this.begun) set.seek(set.size - 1);
    else if (!set.seekBefore(this.score, member.buf, 0, member.end)) throw new Error("members are missing");
    for (;;) {
      if (!changed.has(set.cell)) this.write(set.score, set);
      if (this.left === 0) return true;
      if (--elements <= 0 || out.bytes >= most) break;
      // What is left stands further down.
      set.back();
    }
    this.begun = true;
    this.score = set.score;
    member.end = 0;
    member.resize(set.end - set.start);
    copyBytes(member.buf, 0, set.buf, set.start, set.end);
    return false;
  }

  private write(score: number, { buf, start, end }: Range): void {
    this.out.string(buf, start, end);
    this.out.double(score);
    this.left--;
  }

  added(cell: number): void {
    this.changed.add(cell);
  }

  changes(cell: number): void {
    const { changed, set } = this;
    if (changed.has(cell)) return;
    changed.add(cell);
    const score = set.readCell(cell, field);
    if (!this.isDone(score, field)) this.write(score, field);
  }

  /** Whether the walk has passed this place in the order. */
  private isDone(score: number, { buf, start, end }: Range): boolean {
    if (!this.begun || score !== this.score) return this.begun && score > this.score;
    const { member } = this;
    return compareRanges(buf, start, end, member.buf, 0, member.end) >= 0;
  }
}
