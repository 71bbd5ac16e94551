import type { BigValue, ValueWatch } from "../memory/objects.ts";
import {
  type LpItem,
  lpAppend,
  lpDelete,
  lpDropFirst,
  lpFirst,
  lpGet,
  lpLast,
  lpPrepend,
  lpSeek,
} from "./listpack.ts";
import { ListCursor, type Needle } from "./quicklist-cursor.ts";
import { insertBeside, replaceAt } from "./quicklist-edit.ts";
import {
  clampDepth,
  clampFill,
  countLimit,
  type NodeOwner,
  QuicklistNode,
  sizeLimit,
} from "./quicklist-node.ts";

/**
 * Quicklist: a long list as a chain of listpacks, each of a limited size, so that a change moves few bytes.
 *
 *   head <-> node <-> node <-> ... <-> tail          node: a listpack, or one big element (quicklist-node.ts)
 *      raw    [      compressed      ]  raw          with list-compress-depth 1
 *
 * Which nodes there are decides when a list may become a single listpack again, so nodes are filled, split and
 * merged by the rules of Redis 7.2. What changes a list in its middle is in quicklist-edit.ts.
 */

/** list-max-listpack-size and list-compress-depth hold for lists made from then on, the threshold at once. */
export interface QuicklistLimits {
  readonly listMaxListpackSize: number;
  readonly listCompressDepth: number;
  /** Bytes from which on an element gets a node of its own; 0: the default. */
  readonly packedThreshold: number;
}

const DEFAULT_THRESHOLD = 1 << 30;
const SAFE_NODE = 8192;
/** Nodes whose memory `dispose` gives back at once, about 5 ms; the rest is left to the collector. */
const DISPOSE_NODES = 16384;

/** Is told before a node that is `awaited` changes, or leaves the list. */
export interface ListWatch extends ValueWatch {
  beforeNode(node: QuicklistNode): void;
}

export class Quicklist implements BigValue, NodeOwner {
  head: QuicklistNode | null = null;
  tail: QuicklistNode | null = null;
  /** Nodes. */
  nodes = 0;
  /** Elements. */
  length = 0;
  heldBytes = 0;
  readonly fill: number;
  readonly depth: number;
  readonly nodeBytes: number;
  readonly nodeEntries: number;
  watch: ListWatch | null = null;

  constructor(
    private readonly limits: QuicklistLimits,
    fill = limits.listMaxListpackSize,
    depth = limits.listCompressDepth,
  ) {
    this.fill = clampFill(fill) | 0;
    this.depth = clampDepth(depth) | 0;
    this.nodeBytes = fill < 0 ? sizeLimit(this.fill) | 0 : SAFE_NODE;
    this.nodeEntries = countLimit(this.fill) | 0;
  }

  get memoryUse(): number {
    return this.heldBytes + 128;
  }

  /** Whether an element of this length is kept by itself. */
  isLarge(length: number): boolean {
    return length >= (this.limits.packedThreshold || DEFAULT_THRESHOLD);
  }

  // ------------------------------------------------------------------ both ends

  push(atHead: boolean, value: Uint8Array, start: number, end: number): void {
    const length = end - start;
    let node = atHead ? this.head : this.tail;
    if (this.isLarge(length)) {
      this.insertNode(node, QuicklistNode.ofPlain(this, value, start, end), !atHead);
      this.length++;
      return;
    }
    if (node === null || !node.allows(length)) {
      const fresh = QuicklistNode.empty(this, this.firstCapacity(length), atHead);
      this.insertNode(node, fresh, !atHead);
      node = fresh;
    }
    if (node.awaited) this.announce(node);
    if (atHead) lpPrepend(node, value, start, end);
    else lpAppend(node, value, start, end);
    node.count++;
    this.length++;
  }

  /** The elements of this node, which is `awaited`, are about to change. */
  announce(node: QuicklistNode): void {
    node.awaited = false;
    this.watch?.beforeNode(node);
  }

  /** A list that has had several nodes will fill this one as well. */
  private firstCapacity(length: number): number {
    const one = length + 24;
    if (this.nodes < 2) return Math.max(one, 64) | 0;
    const all = this.fill < 0 ? this.nodeBytes : this.fill * one;
    return Math.max(one, Math.min(SAFE_NODE, all)) | 0;
  }

  /** Points `item` at the first or last element; there is one. */
  peek(atHead: boolean, item: LpItem): LpItem {
    const node = atHead ? this.head! : this.tail!;
    if (!node.plain) return lpGet(node, atHead ? lpFirst(node) : lpLast(node), item);
    item.isInt = false;
    item.buf = node.buf;
    item.start = node.start;
    item.end = node.end;
    return item;
  }

  /** Removes so many elements (there are) from one end. */
  drop(atHead: boolean, count: number): void {
    while (count > 0) {
      const node = atHead ? this.head! : this.tail!;
      if (count >= node.count) {
        count -= node.count;
        this.removeNode(node);
        continue;
      }
      if (node.awaited) this.announce(node);
      if (atHead) lpDropFirst(node, count);
      else lpDelete(node, count === 1 ? lpLast(node) : lpSeek(node, -count), count);
      node.count -= count;
      this.length -= count;
      return;
    }
  }

  // ------------------------------------------------------------------ places

  /** Puts the cursor on the element of this index (0 .. length-1), to go on forwards or backwards. */
  seek(cursor: ListCursor, index: number, backwards: boolean): void {
    if (index < this.length >> 1) {
      let node = this.head!;
      while (index >= node.count) {
        index -= node.count;
        node = node.next!;
      }
      cursor.setNode(node, index, backwards);
      return;
    }
    let left = this.length - index;
    let node = this.tail!;
    while (left > node.count) {
      left -= node.count;
      node = node.prev!;
    }
    cursor.setNode(node, node.count - left, backwards);
  }

  /** Puts a value beside the cursor's element; the cursor is of no use afterwards. */
  insert(cursor: ListCursor, after: boolean, value: Uint8Array, start: number, end: number): void {
    insertBeside(this, cursor, after, value, start, end);
  }

  /** Puts a value in place of the cursor's element; the cursor is of no use afterwards. */
  replace(cursor: ListCursor, value: Uint8Array, start: number, end: number): void {
    replaceAt(this, cursor, value, start, end);
  }

  /** Removes at most so many elements equal to the needle, from one end on; returns how many. */
  removeEqual(needle: Needle, most: number, backwards: boolean): number {
    const cursor = rangeCursor;
    let removed = 0;
    let node = backwards ? this.tail : this.head;
    while (node !== null && removed < most) {
      const next: QuicklistNode | null = backwards ? node.prev : node.next;
      const before = node.count;
      cursor.setNode(node, backwards ? before - 1 : 0, backwards);
      while (cursor.at !== 0 && removed < most) {
        if (!needle.isAt(cursor)) {
          cursor.step();
          continue;
        }
        removed++;
        if (node.count === 1) {
          this.removeNode(node);
          break;
        }
        if (node.awaited) this.announce(node);
        cursor.deleteEntry();
        node.count--;
        this.length--;
      }
      if (node.count !== before) this.settle(node);
      node = next;
    }
    cursor.setNode(null, 0, false);
    return removed;
  }

  /** Removes `count` elements (there are so many) from this index on. */
  removeRange(index: number, count: number): void {
    if (count <= 0) return;
    this.seek(rangeCursor, index, false);
    let { node, offset } = rangeCursor;
    rangeCursor.setNode(null, 0, false);
    while (count > 0) {
      const { next, count: held } = node!;
      const removed = Math.min(count, held - offset);
      if (removed === held) this.removeNode(node!);
      else {
        if (node!.awaited) this.announce(node!);
        node!.decompress();
        if (offset === 0) lpDropFirst(node!, removed);
        else lpDelete(node!, lpSeek(node!, offset), removed);
        node!.count -= removed;
        this.length -= removed;
        this.settle(node!);
      }
      count -= removed;
      node = next;
      offset = 0;
    }
  }

  // ------------------------------------------------------------------ nodes

  /** Links a node in beside `old` (null: the list is empty); its elements are not counted. */
  insertNode(old: QuicklistNode | null, node: QuicklistNode, after: boolean): void {
    if (old === null) this.head = this.tail = node;
    else if (after) {
      node.prev = old;
      node.next = old.next;
      if (old.next === null) this.tail = node;
      else old.next.prev = node;
      old.next = node;
    } else {
      node.next = old;
      node.prev = old.prev;
      if (old.prev === null) this.head = node;
      else old.prev.next = node;
      old.prev = node;
    }
    this.nodes++;
    if (old !== null) this.settle(old);
  }

  /** Takes a node out with its elements. */
  removeNode(node: QuicklistNode): void {
    if (node.awaited) this.announce(node);
    if (node.prev === null) this.head = node.next;
    else node.prev.next = node.next;
    if (node.next === null) this.tail = node.prev;
    else node.next.prev = node.prev;
    this.nodes--;
    this.length -= node.count;
    node.leave();
    if (this.depth > 0) this.balance();
  }

  /** After a change: an inner node gives its room back or is compressed again. */
  settle(node: QuicklistNode): void {
    if (this.depth > 0) {
      if (!this.isNearEnd(node)) node.compress();
      this.balance();
    } else if (node.prev !== null && node.next !== null) node.fit();
  }

  private isNearEnd(node: QuicklistNode): boolean {
    let forward = this.head;
    let backward = this.tail;
    for (let i = 0; i < this.depth && forward !== null && backward !== null; i++) {
      if (forward === node || backward === node) return true;
      forward = forward.next;
      backward = backward.prev;
    }
    return false;
  }

  /** Makes the outer nodes raw, and compresses the two next to them: others have not moved across the line. */
  private balance(): void {
    let forward = this.head;
    let backward = this.tail;
    for (let i = 0; i < this.depth && forward !== null && backward !== null; i++) {
      forward.decompress();
      backward.decompress();
      forward = forward.next;
      backward = backward.prev;
    }
    if (this.nodes <= this.depth * 2) return;
    forward?.compress();
    backward?.compress();
  }

  /** Adds a listpack of `count` entries, which then belongs to the list, at its end. */
  appendListpack(buf: Uint8Array, start: number, end: number, count: number): void {
    this.insertNode(this.tail, QuicklistNode.ofListpack(this, buf, start, end, count), true);
    this.length += count;
  }

  /** Adds an element in a node of its own at the end. */
  appendPlain(buf: Uint8Array, start: number, end: number): void {
    this.insertNode(this.tail, QuicklistNode.ofPlain(this, buf, start, end), true);
    this.length++;
  }

  /** The only node, if there is but one and it is a listpack; else null. */
  get onlyListpack(): QuicklistNode | null {
    return this.nodes === 1 && !this.head!.plain ? this.head : null;
  }

  // ------------------------------------------------------------------ BigValue

  clone(): Quicklist {
    const copy = new Quicklist(this.limits, this.fill, this.depth);
    for (let node = this.head; node !== null; node = node.next) {
      const fresh = node.cloneFor(copy);
      fresh.prev = copy.tail;
      if (copy.tail === null) copy.head = fresh;
      else copy.tail.next = fresh;
      copy.tail = fresh;
    }
    copy.nodes = this.nodes;
    copy.length = this.length;
    return copy;
  }

  dispose(): void {
    let node = this.head;
    for (let i = 0; i < DISPOSE_NODES && node !== null; i++) {
      const { next } = node;
      node.leave();
      node = next;
    }
    this.head = this.tail = null;
    this.nodes = this.length = 0;
  }
}

const rangeCursor = new ListCursor();
