import { type ByteStore, OwnBytes } from "../memory/byte-store.ts";
import {
  LP_HEADER,
  type LpItem,
  lpAppend,
  lpCreate,
  lpDelete,
  lpFirst,
  lpGet,
  lpLast,
  lpNext,
  lpPrev,
  lpSeek,
} from "./listpack.ts";
import type { QuicklistNode } from "./quicklist-node.ts";

/**
 * A place in a list, and the way on from there. It stands on an entry of a listpack (`bytes`, `at`), on a plain
 * node (`plain`), or behind the last element (`at` 0). A node that is compressed is read from a copy; `own` makes
 * it raw where it is, so that it can be changed.
 */

/** The position of a plain node's element: any but 0. */
const PLAIN_AT = 1;
const NOTHING = new OwnBytes();

export class ListCursor {
  /** The listpack the cursor stands in, or a plain node. */
  bytes: ByteStore = NOTHING;
  at = 0;
  plain = false;
  /** The node, where the list has nodes, and the element's index in it. */
  node: QuicklistNode | null = null;
  offset = 0;
  backwards = false;
  private readonly copy = new OwnBytes();

  /** Onto the entry of this index (from the front) of a listpack that is the whole list. */
  setListpack(bytes: ByteStore, index: number, backwards: boolean): void {
    this.bytes = bytes;
    this.node = null;
    this.plain = false;
    this.backwards = backwards;
    this.offset = index;
    this.at = lpSeek(bytes, index);
  }

  /** Onto the element of this index of a node; null: behind the last one. */
  setNode(node: QuicklistNode | null, index: number, backwards: boolean): void {
    this.backwards = backwards;
    this.offset = index;
    this.node = node;
    this.at = 0;
    if (node === null) return;
    this.load(node);
    if (this.plain) this.at = PLAIN_AT;
    else if (index === 0) this.at = lpFirst(this.bytes);
    else this.at = index === node.count - 1 ? lpLast(this.bytes) : lpSeek(this.bytes, index);
  }

  private load(node: QuicklistNode): void {
    this.plain = node.plain;
    this.bytes = node;
    if (!node.compressed) return;
    const { copy } = this;
    if (copy.buf.length > MAX_COPY && node.size <= MAX_COPY) copy.buf = new Uint8Array(0);
    copy.end = 0;
    copy.resize(node.size);
    node.decompressTo(copy.buf);
    this.bytes = copy;
  }

  /** Makes the node raw, for changes. */
  own(): void {
    if (this.node === null) return;
    this.node.decompress();
    this.bytes = this.node;
  }

  /** On to the next element of the same node; false behind its last one. */
  step(): boolean {
    if (this.plain) this.at = 0;
    else this.at = this.backwards ? lpPrev(this.bytes, this.at) : lpNext(this.bytes, this.at);
    this.offset += this.backwards ? -1 : 1;
    return this.at !== 0;
  }

  /** On to the next element; false behind the last one. */
  advance(): boolean {
    return this.step() || this.advanceNode();
  }

  /** Deletes the entry from its listpack, of which it is not the last one left, and goes on inside of it. */
  deleteEntry(): void {
    this.own();
    const behind = lpDelete(this.bytes, this.at);
    if (!this.backwards) this.at = behind;
    else {
      this.offset--;
      this.at = behind === 0 ? lpLast(this.bytes) : lpPrev(this.bytes, behind);
    }
  }

  /** On to the next node's first element (last, when going backwards). */
  advanceNode(): boolean {
    if (this.node === null) {
      this.at = 0;
      return false;
    }
    const next = this.backwards ? this.node.prev : this.node.next;
    this.setNode(next, next !== null && this.backwards ? next.count - 1 : 0, this.backwards);
    return this.at !== 0;
  }

  get(item: LpItem): LpItem {
    if (!this.plain) return lpGet(this.bytes, this.at, item);
    item.isInt = false;
    item.buf = this.bytes.buf;
    item.start = this.bytes.start;
    item.end = this.bytes.end;
    return item;
  }
}

const MAX_COPY = 1 << 16;

/**
 * A value to be looked for. A value has one form in a listpack, so its entry's bytes can be compared as they are.
 */
export class Needle {
  private readonly pack = new OwnBytes();
  private value: Uint8Array = NOTHING.buf;
  private start = 0;
  private end = 0;
  /** Bytes of the entry. */
  private length = 0;

  set(value: Uint8Array, start: number, end: number): this {
    this.value = value;
    this.start = start;
    this.end = end;
    if (this.pack.buf.length > MAX_COPY) this.pack.buf = new Uint8Array(0);
    this.pack.end = 0;
    lpCreate(this.pack);
    lpAppend(this.pack, value, start, end);
    this.length = this.pack.end - 1 - LP_HEADER;
    return this;
  }

  /** Whether the cursor stands on this value. */
  isAt(cursor: ListCursor): boolean {
    const { buf, start } = cursor.bytes;
    if (cursor.plain) {
      if (cursor.bytes.end - start !== this.end - this.start) return false;
      for (let i = this.start, j = start; i < this.end; i++, j++) if (this.value[i] !== buf[j]) return false;
      return true;
    }
    const entry = this.pack.buf;
    const from = start + cursor.at;
    if (buf[from] !== entry[LP_HEADER]) return false;
    for (let i = 1; i < this.length; i++) if (buf[from + i] !== entry[LP_HEADER + i]) return false;
    return true;
  }

  /** Moves the cursor, from where it is, to the first place of this value; false: there is none. */
  find(cursor: ListCursor): boolean {
    if (cursor.at === 0) return false;
    while (!this.isAt(cursor)) if (!cursor.advance()) return false;
    return true;
  }
}
