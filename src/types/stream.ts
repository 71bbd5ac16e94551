import { Counter, StreamId } from "../encodings/stream-id.ts";
import { IdTable, Place } from "../encodings/stream-index.ts";
import { NODE_WIDTH, NodeBytes } from "../encodings/stream-memory.ts";
import {
  appendEntry,
  EntryCursor,
  type FieldSource,
  newNode,
  nodeDeleted,
  nodeEntries,
} from "../encodings/stream-node.ts";
import type { BigValue, ValueWatch } from "../memory/objects.ts";
import { ConsumerGroup, findName, insertGroup } from "./stream-groups.ts";
import type { Producers } from "./stream-producers.ts";

/**
 * A stream: nodes of entries (encodings/stream-node.ts) in a table by the ID of their first entry, what is to be
 * remembered of entries that are gone, and consumer groups.
 */

/** Longest listpack of a node, whatever the limits allow. */
const MAX_NODE_BYTES = 2 ** 30;
/** Bytes of a stream's objects, apart from nodes and groups. */
const STREAM_BYTES = 400;

const place = new Place();
const reference = new Place();
const bytes = new NodeBytes();
const cursor = new EntryCursor();
const master = new StreamId();
const edge = new StreamId();

/** stream-node-max-bytes and stream-node-max-entries; 0: no limit. */
export interface NodeLimits {
  readonly maxBytes: number;
  readonly maxEntries: number;
}

/** How far a stream is to be trimmed. */
export interface Trimming {
  strategy: "none" | "length" | "id";
  /** Remove whole nodes only. */
  approximate: boolean;
  /** Remove at most so many entries; 0: any number. */
  limit: number;
  /** Entries to keep, for "length". */
  maxLength: number;
  /** The lowest ID to keep, for "id". */
  readonly minId: StreamId;
}

/** Is told before the node at a place changes or is removed. What groups hold is not told: see IdTable.capture. */
export interface StreamWatch extends ValueWatch {
  beforeNode(node: Place): void;
}

export class Stream implements BigValue {
  /** Entries that are not deleted. */
  length = 0;
  readonly lastId = new StreamId();
  /** That of the first entry which is not deleted; 0-0 if there is none. */
  readonly firstId = new StreamId();
  readonly maxDeletedId = new StreamId();
  readonly entriesAdded = new Counter();
  readonly nodes = new IdTable(NODE_WIDTH);
  /** Bytes of cells and blocks that nodes are in. */
  nodeBytes = 0;
  /** In the order of their names. */
  groups: ConsumerGroup[] = NO_GROUPS;
  /** What idempotent producers have added; null: there are none. */
  producers: Producers | null = null;
  watch: StreamWatch | null = null;

  get memoryUse(): number {
    let total = STREAM_BYTES + this.nodes.bytes + this.nodeBytes;
    if (this.producers !== null) total += this.producers.memoryUse;
    for (const group of this.groups) total += group.memoryUse;
    return total;
  }

  /** Whether it holds what only Redis 8.6 and later know. */
  get isNewer(): boolean {
    return this.producers?.needsSaving === true || this.groups.some((group) => group.releasedCount > 0);
  }

  // ------------------------------------------------------------------ adding

  /** Appends an entry; the ID must be higher than the last one. */
  append(id: StreamId, fields: FieldSource, limits: NodeLimits): void {
    let textBytes = 0;
    for (let i = fields.first; i < fields.first + fields.count * 2; i++)
      textBytes += fields.end[i]! - fields.start[i]!;
    const { nodes } = this;
    let capacity = 0;
    let fits = false;
    if (nodes.last(place)) {
      bytes.bind(this, place.rows, place.at);
      fits = hasRoom(bytes, textBytes, limits);
      if (fits) this.watch?.beforeNode(place);
      else {
        bytes.fit();
        capacity = Math.min(bytes.end - bytes.start, LIKELY_BYTES);
      }
    }
    if (!fits) {
      nodes.append(id, place);
      const empty = newNode(fields);
      const length = empty.end - empty.start;
      bytes.create(this, place.rows, place.at, length, capacity);
      bytes.buf.set(empty.buf.subarray(empty.start, empty.end), bytes.start);
    }
    appendEntry(bytes, master.read(place.rows, place.at), id, fields);
    this.length++;
    this.entriesAdded.increment();
    this.lastId.copy(id);
    if (this.length === 1) this.firstId.copy(id);
  }

  // ------------------------------------------------------------------ removing

  /** Deletes an entry; false if there is none. `firstId` and `maxDeletedId` are the caller's to see to. */
  delete(id: StreamId): boolean {
    if (!this.findEntry(id)) return false;
    this.watch?.beforeNode(place);
    if (nodeEntries(bytes) === 1) {
      bytes.free();
      this.nodes.remove(place);
    } else cursor.markDeleted();
    this.length--;
    return true;
  }

  has(id: StreamId): boolean {
    return this.findEntry(id);
  }

  /** Sets the cursor to the entry of this ID; false if there is none, or it is deleted. */
  private findEntry(id: StreamId): boolean {
    if (this.length === 0 || !this.nodes.floor(id, place)) return false;
    bytes.bind(this, place.rows, place.at);
    cursor.open(bytes, place.rows, place.at);
    for (let more = cursor.toFirst(); more; more = cursor.next()) {
      const order = cursor.id.compare(id);
      if (order > 0) return false;
      if (order === 0) return !cursor.deleted;
    }
    return false;
  }

  /** Removes entries from the front; returns how many. */
  trim(trimming: Trimming): number {
    if (trimming.strategy === "none") return 0;
    const { nodes } = this;
    const byLength = trimming.strategy === "length";
    let removed = 0;
    let more = nodes.first(place);
    while (more && !(byLength && this.length <= trimming.maxLength)) {
      bytes.bind(this, place.rows, place.at);
      const entries = nodeEntries(bytes);
      if (trimming.limit > 0 && removed + entries > trimming.limit) break;
      let whole: boolean;
      if (byLength) whole = this.length - entries >= trimming.maxLength;
      else {
        cursor.open(bytes, place.rows, place.at);
        whole = cursor.toLast() && cursor.id.compare(trimming.minId) < 0;
      }
      if (!whole) {
        if (!trimming.approximate) removed += this.trimNode(trimming);
        break;
      }
      this.watch?.beforeNode(place);
      bytes.free();
      more = nodes.remove(place);
      this.length -= entries;
      removed += entries;
    }
    if (this.length === 0 || removed > 0) this.refreshFirstId();
    return removed;
  }

  /** Deletes entries from the front of the node at `place`; returns how many. */
  private trimNode(trimming: Trimming): number {
    let removed = 0;
    this.watch?.beforeNode(place);
    cursor.open(bytes, place.rows, place.at);
    for (let more = cursor.toFirst(); more; more = cursor.next()) {
      if (
        trimming.strategy === "length"
          ? this.length <= trimming.maxLength
          : cursor.id.compare(trimming.minId) >= 0
      )
        break;
      if (cursor.deleted) continue;
      cursor.markDeleted();
      removed++;
      this.length--;
    }
    return removed;
  }

  /**
   * As `trim`, where each entry that is to go needs the leave of `mayDelete`; one without stays, and those behind it
   * go nevertheless. `onHole` is told of each that went from behind one that stayed. As in Redis 8.2, an approximate
   * trimming then differs from an exact one in its limit alone.
   */
  trimEach(trimming: Trimming, mayDelete: (id: StreamId) => boolean, onHole: (id: StreamId) => void): number {
    if (trimming.strategy === "none") return 0;
    const { nodes } = this;
    const byLength = trimming.strategy === "length";
    let removed = 0;
    let kept = false;
    for (let more = nodes.first(place); more && !(byLength && this.length <= trimming.maxLength); ) {
      bytes.bind(this, place.rows, place.at);
      const entries = nodeEntries(bytes);
      if (trimming.limit > 0 && removed + entries > trimming.limit) break;
      cursor.open(bytes, place.rows, place.at);
      const whole = byLength
        ? this.length - entries >= trimming.maxLength
        : cursor.toLast() && cursor.id.compare(trimming.minId) < 0;
      this.watch?.beforeNode(place);
      let here = 0;
      cursor.open(bytes, place.rows, place.at);
      for (let inside = cursor.toFirst(); inside; inside = cursor.next()) {
        if (byLength ? this.length <= trimming.maxLength : cursor.id.compare(trimming.minId) >= 0) break;
        if (cursor.deleted) continue;
        if (!mayDelete(cursor.id)) {
          kept = true;
          continue;
        }
        if (kept) {
          onHole(cursor.id);
          // A replica that is told to delete it notes this too.
          if (cursor.id.compare(this.maxDeletedId) > 0) this.maxDeletedId.copy(cursor.id);
        }
        cursor.markDeleted();
        here++;
        this.length--;
      }
      removed += here;
      if (!whole) break;
      if (here === entries) {
        bytes.free();
        more = nodes.remove(place);
      } else more = nodes.next(place);
    }
    if (this.length === 0 || removed > 0) this.refreshFirstId();
    return removed;
  }

  /** Whether a group has the entry of this ID pending, or has yet to be given it. */
  isReferenced(id: StreamId): boolean {
    for (const group of this.groups)
      if (group.lastId.compare(id) < 0 || group.pending.find(id, reference)) return true;
    return false;
  }

  /** Finds `firstId` anew; 0-0 where no entry is left. */
  refreshFirstId(): void {
    this.firstId.clear();
    if (this.length > 0) this.edgeId(true, true, this.firstId);
  }

  /**
   * The ID of the first or last entry, deleted ones left out or not. Where there is none, it is the highest ID for
   * the first and the lowest for the last.
   */
  edgeId(first: boolean, skipDeleted: boolean, into: StreamId): StreamId {
    const { nodes } = this;
    for (let node = first ? nodes.first(place) : nodes.last(place); node; ) {
      cursor.open(bytes.bind(this, place.rows, place.at), place.rows, place.at);
      let more = first ? cursor.toFirst() : cursor.toLast();
      while (more && skipDeleted && cursor.deleted) more = first ? cursor.next() : cursor.previous();
      if (more) return into.copy(cursor.id);
      node = first ? nodes.next(place) : nodes.previous(place);
    }
    return first ? into.setMax() : into.clear();
  }

  /** Whether there is an entry, not deleted, with an ID higher than this. */
  hasBehind(id: StreamId): boolean {
    return this.length > 0 && this.edgeId(false, true, edge).compare(id) > 0;
  }

  // ------------------------------------------------------------------ groups

  group(buf: Uint8Array, start: number, end: number): ConsumerGroup | null {
    const index = findName(this.groups, buf, start, end);
    return index < 0 ? null : this.groups[index]!;
  }

  /** Null if there is a group of this name. */
  addGroup(name: Uint8Array, lastId: StreamId, entriesRead: Counter): ConsumerGroup | null {
    const group = new ConsumerGroup(name);
    group.lastId.copy(lastId);
    group.entriesRead.copy(entriesRead);
    if (this.groups === NO_GROUPS) this.groups = [];
    return insertGroup(this.groups, group) ? group : null;
  }

  removeGroup(group: ConsumerGroup): void {
    this.groups.splice(this.groups.indexOf(group), 1);
  }

  /**
   * How many entries of the stream's history are at or before this ID; false where that cannot be told, because
   * the ID lies inside the stream, or deleted entries do.
   */
  readsUpTo(id: StreamId, into: Counter): boolean {
    if (this.entriesAdded.isZero) {
      into.set(0);
      return true;
    }
    const toLast = id.compare(this.lastId);
    if (toLast === 0 || (toLast < 0 && this.length === 0)) {
      into.copy(this.entriesAdded);
      return true;
    }
    if (toLast > 0) return false;
    if (!this.maxDeletedId.isZero && this.maxDeletedId.compare(this.firstId) >= 0) return false;
    const toFirst = id.compare(this.firstId);
    if (toFirst > 0) return false;
    into.difference(this.entriesAdded, into.set(this.length));
    if (toFirst === 0) into.increment();
    return true;
  }

  /** Whether an entry with this ID or a higher one may have been deleted, behind the stream's first. */
  hasGapsFrom(id: StreamId): boolean {
    if (this.length === 0 || this.maxDeletedId.isZero) return false;
    return this.firstId.compare(this.maxDeletedId) <= 0 && id.compare(this.maxDeletedId) <= 0;
  }

  /** How many entries the group has still to be given; false where that cannot be told. */
  lag(group: ConsumerGroup, into: Counter): boolean {
    if (this.entriesAdded.isZero) into.set(0);
    else if (group.knowsEntriesRead && !this.hasGapsFrom(group.lastId))
      into.difference(this.entriesAdded, group.entriesRead);
    else if (this.readsUpTo(group.lastId, into)) into.difference(this.entriesAdded, into);
    else return false;
    return true;
  }

  /** Notes that the group is given the entry of this ID, if that is its furthest; whether it is. */
  advance(group: ConsumerGroup, id: StreamId): boolean {
    if (id.compare(group.lastId) <= 0) return false;
    if (group.knowsEntriesRead && !this.hasGapsFrom(id)) group.entriesRead.increment();
    else if (!this.entriesAdded.isZero && !this.readsUpTo(id, group.entriesRead)) group.entriesRead.set(-1);
    group.lastId.copy(id);
    return true;
  }

  // ------------------------------------------------------------------ as a whole

  /** Calls back with each node's ID and its listpack, in order; both are good until the callback returns. */
  forEachNode(onNode: (id: StreamId, buf: Uint8Array, start: number, end: number) => void): void {
    const at = new Place();
    const node = new NodeBytes();
    const id = new StreamId();
    for (let more = this.nodes.first(at); more; more = this.nodes.next(at)) {
      node.bind(this, at.rows, at.at);
      onNode(id.read(at.rows, at.at), node.buf, node.start, node.end);
    }
  }

  /** Adds a whole node with its listpack; false if there is one of this ID. `length` is the caller's to set. */
  adoptNode(id: StreamId, listpack: Uint8Array): boolean {
    if (!this.nodes.insert(id, place)) return false;
    bytes.create(this, place.rows, place.at, listpack.length, 0);
    bytes.buf.set(listpack, bytes.start);
    return true;
  }

  clone(): Stream {
    const copy = new Stream();
    copy.length = this.length;
    copy.lastId.copy(this.lastId);
    copy.firstId.copy(this.firstId);
    copy.maxDeletedId.copy(this.maxDeletedId);
    copy.entriesAdded.copy(this.entriesAdded);
    this.forEachNode((id, buf, start, end) => copy.adoptNode(id, buf.subarray(start, end)));
    if (this.producers !== null) copy.producers = this.producers.clone();
    if (this.groups.length > 0) copy.groups = this.groups.map((group) => group.clone());
    return copy;
  }

  dispose(): void {
    const { nodes } = this;
    for (let more = nodes.first(place); more; more = nodes.next(place))
      bytes.bind(this, place.rows, place.at).free();
    nodes.clear();
    this.groups = NO_GROUPS;
    this.producers = null;
  }
}

const NO_GROUPS: ConsumerGroup[] = [];
/** What a new node gets room for at once, where the one before it has become so large. */
const LIKELY_BYTES = 4096;

function hasRoom(node: NodeBytes, textBytes: number, { maxBytes, maxEntries }: NodeLimits): boolean {
  const limit = maxBytes === 0 || maxBytes > MAX_NODE_BYTES ? MAX_NODE_BYTES : maxBytes;
  if (node.end - node.start + textBytes >= limit) return false;
  return maxEntries === 0 || nodeEntries(node) + nodeDeleted(node) < maxEntries;
}
