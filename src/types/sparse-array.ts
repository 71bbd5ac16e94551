import {
  emptyNode,
  NODE_PLACES,
  NodeElement,
  nodeBytesFor,
  nodeCount,
  nodeDelete,
  nodeHas,
  nodeSet,
} from "../encodings/array-node.ts";
import { StreamId } from "../encodings/stream-id.ts";
import { IdTable, Place } from "../encodings/stream-index.ts";
import { NODE_WIDTH, NodeBytes } from "../encodings/stream-memory.ts";
import type { BigValue, ValueWatch } from "../memory/objects.ts";

/**
 * The array type (Redis 8.8): elements at indexes from 0 to 2^64 - 2, most of which are empty.
 *
 *   nodes     64 places each (encodings/array-node.ts), in a table by index / 64; one without elements is not kept
 *   cursor    where ARINSERT and ARRING wrote last
 *
 * Finding a node bisects the table, so that arrays of neighbouring elements and of scattered ones are the same. Indexes
 * are bigints where they come from outside and go there.
 */
export const INDEX_END = 2n ** 64n - 1n;
const ARRAY_BYTES = 250;
const PLACES = BigInt(NODE_PLACES);

/** Is told before the node at a place changes or is removed, and of new ones. */
export interface ArrayWatch extends ValueWatch {
  beforeNode(node: Place): void;
  nodeAdded(node: Place): void;
}

const place = new Place();
const bytes = new NodeBytes();
const id = new StreamId();
const element = new NodeElement();

/** Sets an ID to the number of an index's node; returns the index's place in it. */
function locate(index: bigint, into: StreamId): number {
  const node = index / PLACES;
  into.msHigh = Number(node >> 32n);
  into.msLow = Number(node & 0xffffffffn);
  into.seqHigh = into.seqLow = 0;
  return Number(index % PLACES);
}

/** The index of a node's first place. */
export function firstIndex({ msHigh, msLow }: StreamId): bigint {
  return ((BigInt(msHigh) << 32n) | BigInt(msLow)) * PLACES;
}

export class SparseArray implements BigValue {
  readonly nodes = new IdTable(NODE_WIDTH);
  /** Bytes of cells and blocks that nodes are in. */
  nodeBytes = 0;
  /** Elements there are. */
  count = 0;
  /** The index that ARINSERT or ARRING wrote last; null: none. */
  cursor: bigint | null = null;
  readonly isNewest = true;
  watch: ArrayWatch | null = null;
  /** The element that `find` has found. */
  buf: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;

  get memoryUse(): number {
    return ARRAY_BYTES + this.nodes.bytes + this.nodeBytes;
  }

  /** The highest index with an element, plus one. */
  get length(): bigint {
    if (!this.nodes.last(place)) return 0n;
    bytes.bind(this, place.rows, place.at);
    let last = NODE_PLACES - 1;
    while (!nodeHas(bytes, last)) last--;
    return firstIndex(id.read(place.rows, place.at)) + BigInt(last) + 1n;
  }

  /** Whether there is an element; it is then `buf[start, end)` until the array changes. */
  find(index: bigint): boolean {
    const at = locate(index, id);
    if (!this.nodes.find(id, place)) return false;
    bytes.bind(this, place.rows, place.at);
    if (!element.seek(bytes, at)) return false;
    this.buf = bytes.buf;
    this.start = element.textStart;
    this.end = element.textEnd;
    return true;
  }

  /** Sets an element; whether there was none. */
  set(index: bigint, value: Uint8Array, start: number, end: number): boolean {
    const at = locate(index, id);
    if (this.nodes.insert(id, place)) {
      bytes.create(this, place.rows, place.at, 8, nodeBytesFor(end - start));
      emptyNode(bytes);
      this.watch?.nodeAdded(place);
    } else {
      this.watch?.beforeNode(place);
      bytes.bind(this, place.rows, place.at);
    }
    const added = nodeSet(bytes, at, value, start, end);
    if (added) this.count++;
    return added;
  }

  /** Removes an element; whether there was one. */
  delete(index: bigint): boolean {
    const at = locate(index, id);
    if (!this.nodes.find(id, place)) return false;
    bytes.bind(this, place.rows, place.at);
    if (!nodeHas(bytes, at)) return false;
    this.watch?.beforeNode(place);
    this.count--;
    if (nodeCount(bytes) === 1) this.dropNode();
    else {
      nodeDelete(bytes, at);
      bytes.fit();
    }
    return true;
  }

  /** Removes all elements from one index to another, both included; returns how many. */
  deleteRange(low: bigint, high: bigint): number {
    const from = locate(low, id);
    let more = this.nodes.ceiling(id, place);
    const firstNode = low - BigInt(from);
    let removed = 0;
    while (more) {
      const first = firstIndex(id.read(place.rows, place.at));
      if (first > high) break;
      bytes.bind(this, place.rows, place.at);
      const begin = first === firstNode ? from : 0;
      const end = high - first >= PLACES ? NODE_PLACES - 1 : Number(high - first);
      this.watch?.beforeNode(place);
      const before = nodeCount(bytes);
      if (begin === 0 && end === NODE_PLACES - 1) {
        removed += before;
        more = this.dropNode();
        continue;
      }
      for (let at = begin; at <= end; at++) nodeDelete(bytes, at);
      const left = nodeCount(bytes);
      removed += before - left;
      if (left === 0) more = this.dropNode();
      else {
        bytes.fit();
        more = this.nodes.next(place);
      }
    }
    this.count -= removed;
    return removed;
  }

  /** Removes the node at `place`, which is then at the node behind it; false if there is none. */
  private dropNode(): boolean {
    bytes.free();
    return this.nodes.remove(place);
  }

  /** Takes everything of another array, which must not be used any more. */
  become(other: SparseArray): void {
    this.deleteRange(0n, INDEX_END - 1n);
    for (const [index, value] of other.elements()) this.set(index, value, 0, value.length);
    this.cursor = other.cursor;
    other.dispose();
  }

  /** Copies of all elements. */
  *elements(): Iterable<[bigint, Uint8Array]> {
    const walk = new ArrayWalk();
    walk.begin(this, 0n, INDEX_END);
    while (walk.next()) yield [walk.index, walk.buf.slice(walk.start, walk.end)];
  }

  clone(): SparseArray {
    const copy = new SparseArray();
    const at = new Place();
    const node = new NodeBytes();
    const twin = new Place();
    for (let more = this.nodes.first(at); more; more = this.nodes.next(at)) {
      node.bind(this, at.rows, at.at);
      copy.nodes.insert(id.read(at.rows, at.at), twin);
      bytes.create(copy, twin.rows, twin.at, node.end - node.start, 0);
      bytes.buf.set(node.buf.subarray(node.start, node.end), bytes.start);
    }
    copy.count = this.count;
    copy.cursor = this.cursor;
    return copy;
  }

  dispose(): void {
    const { nodes } = this;
    for (let more = nodes.first(place); more; more = nodes.next(place))
      bytes.bind(this, place.rows, place.at).free();
    nodes.clear();
  }
}

/** Goes over the elements of an array between two indexes, both included, in either direction; it must not change. */
export class ArrayWalk {
  /** The element that `next` has come to. */
  index = 0n;
  buf: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  private readonly place = new Place();
  private readonly bytes = new NodeBytes();
  private readonly id = new StreamId();
  private array!: SparseArray;
  private low = 0n;
  private high = 0n;
  private backwards = false;
  private more = false;
  /** The node's first index, the next place in it, and the last one. */
  private first = 0n;
  private at = 0;
  private last = -1;

  begin(array: SparseArray, from: bigint, to: bigint): this {
    this.array = array;
    this.backwards = from > to;
    this.low = this.backwards ? to : from;
    this.high = this.backwards ? from : to;
    locate(from, this.id);
    this.more = this.backwards
      ? array.nodes.floor(this.id, this.place)
      : array.nodes.ceiling(this.id, this.place);
    this.open();
    return this;
  }

  private open(): void {
    if (!this.more) return;
    const { place, low, high } = this;
    this.first = firstIndex(this.id.read(place.rows, place.at));
    const bottom = low - this.first > 0n ? low - this.first : 0n;
    const top = high - this.first < PLACES ? high - this.first : PLACES - 1n;
    if (bottom >= PLACES || top < 0n) {
      this.more = false;
      return;
    }
    this.at = Number(this.backwards ? top : bottom);
    this.last = Number(this.backwards ? bottom : top);
    this.bytes.bind(this.array, place.rows, place.at);
  }

  next(): boolean {
    const step = this.backwards ? -1 : 1;
    while (this.more) {
      while (this.backwards ? this.at >= this.last : this.at <= this.last) {
        const at = this.at;
        this.at += step;
        if (!element.seek(this.bytes, at)) continue;
        this.index = this.first + BigInt(at);
        this.buf = this.bytes.buf;
        this.start = element.textStart;
        this.end = element.textEnd;
        return true;
      }
      const { nodes } = this.array;
      this.more = this.backwards ? nodes.previous(this.place) : nodes.next(this.place);
      this.open();
    }
    return false;
  }
}
