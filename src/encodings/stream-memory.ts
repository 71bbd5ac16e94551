import { copyBytes } from "../bytes/ascii.ts";
import { Arena, MAX_CELL, roundUp } from "../memory/arena.ts";
import { Blocks } from "../memory/blocks.ts";
import type { ByteStore } from "../memory/byte-store.ts";

/**
 * Where the listpacks of stream nodes lie. All streams share one arena, so that a stream of three entries costs
 * a cell of about its own size, and one of millions no JavaScript objects for its nodes.
 *
 *   row of a node in its stream's table:   ID (4 columns) | place | bytes, bit 31: in a block | room
 *
 *   place: a position in the arena, or the number of a block where the node is too big for a cell
 */
export const NODE_WIDTH = 7;
const PLACE = 4;
const BYTES = 5;
const ROOM = 6;
const IN_BLOCK = 0x80000000;
const LENGTH = 0x7fffffff;
const PAGE_SHIFT = 15;
const UNIT_MASK = 0x7fff;

const arena = new Arena();
const blocks = new Blocks();

/** Who is told how many bytes its nodes hold. */
export interface NodeHolder {
  nodeBytes: number;
}

/** The listpack of one node. One instance serves one node at a time. */
export class NodeBytes implements ByteStore {
  buf: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  private rows: Uint32Array = new Uint32Array(0);
  private at = 0;
  private holder: NodeHolder = { nodeBytes: 0 };

  /** Stands for the node of this row from now on. */
  bind(holder: NodeHolder, rows: Uint32Array, at: number): this {
    this.holder = holder;
    this.rows = rows;
    this.at = at;
    this.refresh();
    return this;
  }

  /** Gives the row a node of `length` undefined bytes, with room for `capacity`. */
  create(holder: NodeHolder, rows: Uint32Array, at: number, length: number, capacity: number): this {
    this.holder = holder;
    this.rows = rows;
    this.at = at;
    this.allocate(length, Math.max(length, capacity));
    return this;
  }

  resize(length: number): void {
    const { rows, at } = this;
    if (length > rows[at + ROOM]!) this.move(length, length + (length >>> 2));
    else {
      rows[at + BYTES] = (rows[at + BYTES]! & IN_BLOCK) | length;
      this.end = this.start + length;
    }
  }

  /** Gives unused room back: for a node that will not grow any more. */
  fit(): void {
    const length = this.end - this.start;
    const needed = length <= MAX_CELL ? roundUp(length) : length;
    if (needed < this.rows[this.at + ROOM]!) this.move(length, length);
  }

  /** Gives the node's memory back; its row is about to be removed. */
  free(): void {
    this.holder.nodeBytes -= this.rows[this.at + ROOM]!;
    const place = this.rows[this.at + PLACE]!;
    if (this.inBlock()) blocks.free(place);
    else arena.free(place);
  }

  private inBlock(): boolean {
    return this.rows[this.at + BYTES]! >= IN_BLOCK;
  }

  private move(length: number, capacity: number): void {
    const { buf, start, end } = this;
    const old = this.rows[this.at + PLACE]!;
    const wasInBlock = this.inBlock();
    this.holder.nodeBytes -= this.rows[this.at + ROOM]!;
    this.allocate(length, capacity);
    copyBytes(this.buf, this.start, buf, start, Math.min(end, start + length));
    if (wasInBlock) blocks.free(old);
    else arena.free(old);
  }

  private allocate(length: number, capacity: number): void {
    const { rows, at } = this;
    if (capacity <= MAX_CELL) {
      rows[at + PLACE] = arena.alloc(capacity);
      rows[at + BYTES] = length;
      rows[at + ROOM] = roundUp(capacity);
    } else {
      rows[at + PLACE] = blocks.alloc(capacity);
      rows[at + BYTES] = length | IN_BLOCK;
      rows[at + ROOM] = capacity;
    }
    this.refresh();
    this.holder.nodeBytes += rows[at + ROOM]!;
  }

  private refresh(): void {
    const place = this.rows[this.at + PLACE]!;
    const bytes = this.rows[this.at + BYTES]!;
    if (bytes >= IN_BLOCK) {
      this.buf = blocks.get(place);
      this.start = 0;
    } else {
      this.buf = arena.pages[place >>> PAGE_SHIFT]!;
      this.start = (place & UNIT_MASK) << 3;
    }
    this.end = this.start + (bytes & LENGTH);
  }
}
