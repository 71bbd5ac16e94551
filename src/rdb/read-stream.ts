import { latin1Text } from "../bytes/ascii.ts";
import { Counter, StreamId } from "../encodings/stream-id.ts";
import { EntryCursor, nodeDeleted, nodeEntries, nodeIsValid } from "../encodings/stream-node.ts";
import { TYPE_STREAM } from "../keyspace/record.ts";
import { Stream } from "../types/stream.ts";
import { type ConsumerGroup, PendingEntry } from "../types/stream-groups.ts";
import { DURATION, MAX_SIZE, Producers } from "../types/stream-producers.ts";
import { corrupt, TYPE } from "./format.ts";
import type { Reading, ValueReader } from "./read-value.ts";
import type { RdbReader } from "./reader.ts";
import { ReadOnlyBytes } from "./validate.ts";
import { ID_BYTES } from "./write-stream.ts";

/**
 * Streams of all versions (write-stream.ts has the newest ones). STREAM_LISTPACKS_2 lacks a consumer's time of
 * activity, STREAM_LISTPACKS also what is known of deleted entries and of entries read.
 *
 * What a stream counts must agree with its nodes, and each pending entry be one consumer's: other parts of the
 * server rely on that, so it is checked however little is validated. "Deep" adds each entry's ID and flags.
 */
export class StreamReading implements Reading {
  private readonly stream = new Stream();
  private readonly parts: Generator<void, void, void>;
  private readonly reader: RdbReader;
  private budget = 0;

  constructor(
    private readonly to: ValueReader,
    private readonly rdbType: number,
  ) {
    this.reader = to.reader;
    this.parts = this.read();
  }

  step(elements: number): boolean {
    this.budget = elements;
    if (this.parts.next().done !== true) return false;
    this.to.setObject(TYPE_STREAM, this.stream);
    return true;
  }

  abandon(): void {
    this.stream.dispose();
  }

  private *read(): Generator<void, void, void> {
    const { reader, stream, rdbType } = this;
    let entries = 0;
    for (let nodes = reader.countOf(ID_BYTES + 2); nodes > 0; nodes--) {
      entries += this.readNode();
      if ((this.budget -= 16) <= 0) yield;
    }
    stream.length = reader.length();
    if (stream.length !== entries) corrupt("Stream length inconsistent with rax entries");
    this.readId(stream.lastId);
    if (rdbType === TYPE.STREAM_LISTPACKS) {
      stream.entriesAdded.set(stream.length);
      stream.refreshFirstId();
    } else {
      this.readId(stream.firstId);
      this.readId(stream.maxDeletedId);
      this.readCounter(stream.entriesAdded);
    }
    for (let groups = reader.countOf(5); groups > 0; groups--) yield* this.readGroup();
    if (rdbType >= TYPE.STREAM_LISTPACKS_4) yield* this.readProducers();
  }

  /** Additions that are too old by now are forgotten later, as always. */
  private *readProducers(): Generator<void, void, void> {
    const { reader, stream } = this;
    const duration = reader.length();
    if (duration < DURATION.least || duration > DURATION.most) corrupt("Stream IDMP duration out of range");
    const maxSize = reader.length();
    if (maxSize < MAX_SIZE.least || maxSize > MAX_SIZE.most) corrupt("Stream IDMP max entries out of range");
    const producers = new Producers(duration, maxSize);
    producers.configured = duration !== DURATION.usual || maxSize !== MAX_SIZE.usual;
    for (let left = reader.countOf(2); left > 0; left--) {
      const producer = this.readText();
      if (producers.byName.has(producer)) corrupt("Stream IDMP producer is there twice");
      for (let additions = reader.countOf(3); additions > 0; additions--) {
        const name = this.readText();
        this.readId(id);
        producers.restore(producer, name, id);
        if (--this.budget <= 0) yield;
      }
    }
    producers.added = reader.length();
    producers.duplicates = reader.length();
    if (producers.needsSaving || producers.added > 0) stream.producers = producers;
  }

  private readText(): string {
    this.reader.string();
    return latin1Text(this.reader.data, this.reader.start, this.reader.end);
  }

  /** Reads a node; returns how many entries it has that are not deleted. */
  private readNode(): number {
    const { reader, stream, to } = this;
    reader.string();
    if (reader.end - reader.start !== ID_BYTES)
      corrupt("Stream node key entry is not the size of a stream ID");
    parseId(reader.data, reader.start, id);
    reader.string();
    const { data, start, end } = reader;
    if (to.deep) to.sanitized++;
    node.of(data, start, end);
    if (!nodeIsValid(node) || nodeEntries(node) < 0 || (to.deep && !entriesAreRight(id)))
      corrupt("Stream listpack integrity check failed.");
    if (!stream.adoptNode(id, data.subarray(start, end))) corrupt("Listpack re-added with existing key");
    return nodeEntries(node);
  }

  private *readGroup(): Generator<void, void, void> {
    const { reader, stream } = this;
    const name = reader.stringCopy();
    this.readId(id);
    if (this.rdbType !== TYPE.STREAM_LISTPACKS) this.readCounter(counter);
    else if (!stream.readsUpTo(id, counter)) counter.set(-1);
    const group = stream.addGroup(name, id, counter);
    if (group === null) corrupt("Duplicated consumer group name");
    for (let pending = reader.countOf(ID_BYTES + 9); pending > 0; pending--) {
      this.readRawId();
      const time = reader.int64();
      this.readCounter(counter);
      if (!group.addPending(id, time, place))
        corrupt("Duplicated global PEL entry loading stream consumer group");
      place.setDeliveries(counter);
      if (--this.budget <= 0) yield;
    }
    let owned = 0;
    for (let consumers = reader.countOf(10); consumers > 0; consumers--)
      owned += yield* this.readConsumer(group);
    if (this.rdbType >= TYPE.STREAM_LISTPACKS_5) owned += yield* this.readReleased(group);
    if (owned !== group.pending.size) corrupt("Stream CG PEL entry without consumer");
  }

  /** Reads which entries are nobody's; returns how many. */
  private *readReleased(group: ConsumerGroup): Generator<void, number, void> {
    const count = this.reader.countOf(ID_BYTES);
    for (let left = count; left > 0; left--) {
      this.readRawId();
      if (!group.pending.find(id, place)) corrupt("Stream NACK zone entry not found in group global PEL");
      if (group.ownerOf(place) !== null) corrupt("Stream NACK zone entry has a consumer assigned");
      group.release(place);
      if (--this.budget <= 0) yield;
    }
    return count;
  }

  /** Reads a consumer; returns how many pending entries are its own. */
  private *readConsumer(group: ConsumerGroup): Generator<void, number, void> {
    const { reader } = this;
    const name = reader.stringCopy();
    if (group.consumer(name, 0, name.length) !== null) corrupt("Duplicate stream consumer detected.");
    const consumer = group.addConsumer(name, reader.int64());
    consumer.activeTime = this.rdbType >= TYPE.STREAM_LISTPACKS_3 ? reader.int64() : consumer.seenTime;
    const count = reader.countOf(ID_BYTES);
    for (let left = count; left > 0; left--) {
      this.readRawId();
      if (!group.pending.find(id, place)) corrupt("Consumer entry not found in group global PEL");
      if (group.ownerOf(place) !== null)
        corrupt("Duplicated consumer PEL entry loading a stream consumer group");
      group.assign(place, consumer);
      if (--this.budget <= 0) yield;
    }
    return count;
  }

  private readRawId(): void {
    this.reader.bytes(ID_BYTES);
    parseId(this.reader.data, this.reader.start, id);
  }

  private readId(into: StreamId): void {
    const { reader } = this;
    reader.length64();
    into.msLow = reader.low >>> 0;
    into.msHigh = reader.high >>> 0;
    reader.length64();
    into.seqLow = reader.low >>> 0;
    into.seqHigh = reader.high >>> 0;
  }

  private readCounter(into: Counter): void {
    this.reader.length64();
    into.low = this.reader.low >>> 0;
    into.high = this.reader.high;
  }
}

const id = new StreamId();
const counter = new Counter();
const place = new PendingEntry();
const node = new ReadOnlyBytes();
const cursor = new EntryCursor();
const before = new StreamId();
const row = new Uint32Array(4);

function parseId(buf: Uint8Array, at: number, into: StreamId): void {
  into.msHigh = bigEndian(buf, at);
  into.msLow = bigEndian(buf, at + 4);
  into.seqHigh = bigEndian(buf, at + 8);
  into.seqLow = bigEndian(buf, at + 12);
}

function bigEndian(buf: Uint8Array, at: number): number {
  return ((buf[at]! << 24) | (buf[at + 1]! << 16) | (buf[at + 2]! << 8) | buf[at + 3]!) >>> 0;
}

/** Whether the node's entries come in the order of their IDs, and are as many as it says. */
function entriesAreRight(master: StreamId): boolean {
  master.write(row, 0);
  cursor.open(node, row, 0);
  let live = 0;
  let deleted = 0;
  for (let more = cursor.toFirst(); more; more = cursor.next()) {
    if (live + deleted > 0 && cursor.id.compare(before) <= 0) return false;
    before.copy(cursor.id);
    if (cursor.deleted) deleted++;
    else live++;
  }
  return live === nodeEntries(node) && deleted === nodeDeleted(node);
}
