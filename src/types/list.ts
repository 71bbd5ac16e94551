import {
  type LpItem,
  lpAppend,
  lpBytes,
  lpDelete,
  lpFirst,
  lpGet,
  lpInsert,
  lpLast,
  lpLength,
  lpNext,
  lpReplace,
  lpSeek,
} from "../encodings/listpack.ts";
import { Quicklist, type QuicklistLimits } from "../encodings/quicklist.ts";
import { ListCursor, type Needle } from "../encodings/quicklist-cursor.ts";
import { countLimit, exceedsLimit, sizeLimit } from "../encodings/quicklist-node.ts";
import type { ByteStore } from "../memory/byte-store.ts";

/**
 * The list type: one listpack while it is small, a quicklist beyond that. What can be done with a list is
 * `ListStore`, over both (a Quicklist is one as it is); which of the two it has to be is asked here, by the limits that hold now, and carried out
 * by whoever owns the key:
 *
 *   before elements are added      outgrows    a listpack with them would exceed list-max-listpack-size
 *   after some have been removed   becomesSmall    one node is left, below half of the limit
 *   after a list has been built    becomesSmall    one node, below the limit
 */

export type ListLimits = QuicklistLimits;

export interface ListStore {
  readonly length: number;
  push(atHead: boolean, value: Uint8Array, start: number, end: number): void;
  /** Points `item` at the first or last element of a list that is not empty. */
  peek(atHead: boolean, item: LpItem): LpItem;
  /** Removes so many elements (there are) from one end. */
  drop(atHead: boolean, count: number): void;
  /** Puts the cursor on the element of an index that exists. */
  seek(cursor: ListCursor, index: number, backwards: boolean): void;
  /** Puts a value beside the cursor's element; the cursor is of no use afterwards. */
  insert(cursor: ListCursor, after: boolean, value: Uint8Array, start: number, end: number): void;
  /** Puts a value in place of the cursor's element; the cursor is of no use afterwards. */
  replace(cursor: ListCursor, value: Uint8Array, start: number, end: number): void;
  /** Removes so many elements (there are) from an index on. */
  removeRange(index: number, count: number): void;
  /** Removes at most so many elements that equal the needle; returns how many. */
  removeEqual(needle: Needle, most: number, backwards: boolean): number;
}

/** A list that is one listpack. One instance stands for many lists in turn. */
export class SmallList implements ListStore {
  bytes!: ByteStore;

  bind(bytes: ByteStore): this {
    this.bytes = bytes;
    return this;
  }

  get length(): number {
    return lpLength(this.bytes);
  }

  push(atHead: boolean, value: Uint8Array, start: number, end: number): void {
    if (atHead) lpInsert(this.bytes, lpFirst(this.bytes), value, start, end);
    else lpAppend(this.bytes, value, start, end);
  }

  peek(atHead: boolean, item: LpItem): LpItem {
    return lpGet(this.bytes, atHead ? lpFirst(this.bytes) : lpLast(this.bytes), item);
  }

  drop(atHead: boolean, count: number): void {
    if (count === 1) lpDelete(this.bytes, atHead ? lpFirst(this.bytes) : lpLast(this.bytes));
    else if (count > 0) lpDelete(this.bytes, lpSeek(this.bytes, atHead ? 0 : -count), count);
  }

  seek(cursor: ListCursor, index: number, backwards: boolean): void {
    cursor.setListpack(this.bytes, index, backwards);
  }

  insert(cursor: ListCursor, after: boolean, value: Uint8Array, start: number, end: number): void {
    lpInsert(this.bytes, after ? lpNext(this.bytes, cursor.at) : cursor.at, value, start, end);
  }

  replace(cursor: ListCursor, value: Uint8Array, start: number, end: number): void {
    lpReplace(this.bytes, cursor.at, value, start, end);
  }

  removeRange(index: number, count: number): void {
    if (count > 0) lpDelete(this.bytes, lpSeek(this.bytes, index), count);
  }

  removeEqual(needle: Needle, most: number, backwards: boolean): number {
    const cursor = smallCursor;
    let removed = 0;
    this.seek(cursor, backwards ? this.length - 1 : 0, backwards);
    while (cursor.at !== 0 && removed < most) {
      if (needle.isAt(cursor)) {
        cursor.deleteEntry();
        removed++;
      } else cursor.step();
    }
    return removed;
  }
}

const smallCursor = new ListCursor();

// -------------------------------------------------------------------------------- which form

/** Whether a listpack becomes too large with so many elements more, of so many bytes together. */
export function outgrows(listpack: ByteStore, bytes: number, count: number, limits: ListLimits): boolean {
  return exceedsLimit(limits.listMaxListpackSize, lpBytes(listpack) + bytes, lpLength(listpack) + count);
}

/** As `outgrows`, of a list that does not exist yet. */
export function outgrowsEmpty(bytes: number, count: number, limits: ListLimits): boolean {
  return exceedsLimit(limits.listMaxListpackSize, EMPTY_BYTES + bytes, count);
}

const EMPTY_BYTES = 7;

/** A quicklist with a copy of the listpack's elements. */
export function toQuicklist(listpack: ByteStore, limits: ListLimits): Quicklist {
  const list = new Quicklist(limits);
  const count = lpLength(listpack);
  const bytes = listpack.buf.slice(listpack.start, listpack.end);
  if (count > 0) list.appendListpack(bytes, 0, bytes.length, count);
  return list;
}

/**
 * The listpack that a quicklist has to become, or null. After elements were removed, only one of half the size
 * will do, so that a list around the limit does not change its form all the time.
 */
export function becomesSmall(list: Quicklist, afterRemoval: boolean, limits: ListLimits): ByteStore | null {
  const node = list.onlyListpack;
  if (node === null) return null;
  const size = Math.floor(sizeLimit(limits.listMaxListpackSize) / (afterRemoval ? 2 : 1));
  const count = Math.floor(countLimit(limits.listMaxListpackSize) / (afterRemoval ? 2 : 1));
  return node.size > size || list.length > count ? null : node;
}
