import {
  lpAppend,
  lpDelete,
  lpDropFirst,
  lpInsert,
  lpMerge,
  lpNext,
  lpPrepend,
  lpReplace,
  lpSeek,
} from "./listpack.ts";
import type { Quicklist } from "./quicklist.ts";
import type { ListCursor } from "./quicklist-cursor.ts";
import { exceedsLimit, QuicklistNode } from "./quicklist-node.ts";

/**
 * Changes in the middle of a quicklist: an element put in beside another, or in another's place. A node that is
 * full is split at that place, and what then is small enough merges with its neighbours:
 *
 *   [a b c d] + x after b     [a b] [x c d]     then [prev prev-prev], [next next-next], [prev this], [this next]
 */

/** Puts a value in before or after the cursor's element. The cursor is not to be used afterwards. */
export function insertBeside(
  list: Quicklist,
  cursor: ListCursor,
  after: boolean,
  value: Uint8Array,
  start: number,
  end: number,
): void {
  const node = cursor.node!;
  const length = end - start;
  const atEdge = after ? cursor.offset === node.count - 1 : cursor.offset === 0;
  if (list.isLarge(length)) {
    const fresh = QuicklistNode.ofPlain(list, value, start, end);
    if (node.plain || atEdge) list.insertNode(node, fresh, after);
    else insertInSplit(list, cursor, after, fresh);
    list.length++;
    return;
  }
  if (node.allows(length)) {
    if (node.awaited) list.announce(node);
    cursor.own();
    const before = after ? lpNext(node, cursor.at) : cursor.at;
    lpInsert(node, before, value, start, end);
    node.count++;
    list.length++;
    list.settle(node);
    return;
  }
  const neighbour = after ? node.next : node.prev;
  if (atEdge && neighbour?.allows(length)) {
    addAtEdge(list, neighbour, after, value, start, end);
    list.settle(neighbour);
  } else if (atEdge) {
    const fresh = QuicklistNode.empty(list, length + 24, after);
    list.insertNode(node, fresh, after);
    addAtEdge(list, fresh, after, value, start, end);
    list.settle(fresh);
  } else {
    cursor.own();
    const other = split(list, node, cursor.offset, after);
    list.insertNode(node, other, after);
    addAtEdge(list, other, after, value, start, end);
    mergeAround(list, node);
  }
}

/** Adds to a node the element that comes first in it, or last. */
function addAtEdge(
  list: Quicklist,
  node: QuicklistNode,
  first: boolean,
  value: Uint8Array,
  start: number,
  end: number,
): void {
  if (node.awaited) list.announce(node);
  node.decompress();
  if (first) lpPrepend(node, value, start, end);
  else lpAppend(node, value, start, end);
  node.count++;
  list.length++;
}

/** Puts a node in the middle of the cursor's, before or after its element. */
function insertInSplit(list: Quicklist, cursor: ListCursor, after: boolean, fresh: QuicklistNode): void {
  const node = cursor.node!;
  cursor.own();
  const other = split(list, node, cursor.offset, after);
  list.insertNode(node, fresh, after);
  list.insertNode(fresh, other, after);
  list.settle(other);
}

/**
 * Moves the elements behind the one at `offset` (`after`), or those before it, from a raw node into a new one,
 * which is not linked in yet.
 */
function split(list: Quicklist, node: QuicklistNode, offset: number, after: boolean): QuicklistNode {
  if (node.awaited) list.announce(node);
  const bytes = node.buf.slice(node.start, node.end);
  const kept = after ? offset + 1 : node.count - offset;
  const moved = node.count - kept;
  const other = QuicklistNode.ofListpack(list, bytes, 0, bytes.length, moved);
  if (after) {
    lpDelete(node, lpSeek(node, kept), moved);
    lpDropFirst(other, kept);
  } else {
    lpDropFirst(node, moved);
    lpDelete(other, lpSeek(other, moved), kept);
  }
  node.count = kept;
  return other;
}

/** Puts a value in place of the cursor's element. The cursor is not to be used afterwards. */
export function replaceAt(
  list: Quicklist,
  cursor: ListCursor,
  value: Uint8Array,
  start: number,
  end: number,
): void {
  const node = cursor.node!;
  const large = list.isLarge(end - start);
  if (node.awaited) list.announce(node);
  if (!node.plain && !large) {
    cursor.own();
    lpReplace(node, cursor.at, value, start, end);
    list.settle(node);
  } else if (node.plain && large) {
    node.setPlain(value, start, end);
    list.settle(node);
  } else if (node.plain) {
    insertBeside(list, cursor, true, value, start, end);
    list.removeNode(node);
  } else {
    replaceByPlain(list, cursor, QuicklistNode.ofPlain(list, value, start, end));
  }
}

/** A node of its own in place of an entry of a listpack. */
function replaceByPlain(list: Quicklist, cursor: ListCursor, fresh: QuicklistNode): void {
  const node = cursor.node!;
  const { offset } = cursor;
  cursor.own();
  const rest = offset === node.count - 1 ? null : split(list, node, offset, true);
  list.insertNode(node, fresh, true);
  if (rest !== null) list.insertNode(fresh, rest, true);
  list.length++;
  if (node.count === 1) return list.removeNode(node);
  node.decompress();
  lpDelete(node, lpSeek(node, -1));
  node.count--;
  list.length--;
  mergeAround(list, fresh);
}

function canMerge(list: Quicklist, a: QuicklistNode | null, b: QuicklistNode | null): boolean {
  if (a === null || b === null || a.plain || b.plain) return false;
  return !exceedsLimit(list.fill, a.size + b.size - 7, a.count + b.count);
}

/** Merges a node with its neighbours, and those with theirs, as far as they fit into one. */
function mergeAround(list: Quicklist, center: QuicklistNode): void {
  const { prev, next } = center;
  if (prev !== null && canMerge(list, prev.prev, prev)) merge(list, prev.prev!, prev);
  if (next !== null && canMerge(list, next, next.next)) merge(list, next, next.next!);
  let target = center;
  if (canMerge(list, target.prev, target)) target = merge(list, target.prev!, target);
  if (canMerge(list, target, target.next)) target = merge(list, target, target.next!);
  for (const node of [target.prev, target, target.next]) if (node !== null) list.settle(node);
}

/** Appends the second node's entries to the first, which is returned. */
function merge(list: Quicklist, a: QuicklistNode, b: QuicklistNode): QuicklistNode {
  if (a.awaited) list.announce(a);
  if (b.awaited) list.announce(b);
  a.decompress();
  b.decompress();
  lpMerge(a, b);
  a.count += b.count;
  list.length += b.count;
  list.removeNode(b);
  return a;
}
