import { latin1Bytes } from "../bytes/ascii.ts";
import { Counter, StreamId } from "../encodings/stream-id.ts";
import { type Captured, Place } from "../encodings/stream-index.ts";
import { NodeBytes } from "../encodings/stream-memory.ts";
import type { Stream, StreamWatch } from "../types/stream.ts";
import { type ConsumerGroup, PendingEntry } from "../types/stream-groups.ts";
import { DURATION, MAX_SIZE, Producers } from "../types/stream-producers.ts";
import { TYPE } from "./format.ts";
import { NodeImages } from "./node-images.ts";
import type { RdbWriter } from "./writer.ts";
import { BigValueWriting, byteLimit } from "./writing.ts";

/**
 * A stream as STREAM_LISTPACKS_3:
 *
 *   nodes, for each: string (its ID), string (its listpack)
 *   entries, last ID, first ID, highest ID deleted, entries ever added
 *   groups, for each: string, last ID, entries read, pending entries, consumers
 *     pending entry   ID, time of delivery, deliveries
 *     consumer        string, time last seen, time last active, pending entries, for each: ID
 *
 * As STREAM_LISTPACKS_5 (Redis 8.8; STREAM_LISTPACKS_4 of 8.6 lacks what is pending of nobody):
 *
 *   groups also have       entries pending of nobody, for each: ID                the first to be claimed first
 *   idempotent producers   seconds, additions that each may have; producers, for each: string, additions, for each:
 *                          string, ID; additions ever noted, and asked for again
 *
 *   IDs of nodes and pending entries are 16 bytes, big-endian; other IDs two lengths; times 64 bits, little-endian;
 *   numbers are lengths.
 */
export class StreamWriting extends BigValueWriting implements StreamWatch {
  private readonly parts: Generator<void, void, void>;
  private budget = 0;
  private most = 0;
  private readonly nodeCount: number;
  /** Nodes behind this one were added since. */
  private readonly lastNode = new StreamId();
  /** The last node written. */
  private readonly written = new StreamId();
  private readonly images = new NodeImages();
  private readonly length: number;
  private readonly ids: readonly StreamId[];
  private readonly entriesAdded = new Counter();
  private readonly groups: readonly GroupImage[];
  private readonly producers: Producers | null;

  constructor(
    out: RdbWriter,
    private readonly stream: Stream,
    /** STREAM_LISTPACKS_2, which has no times of activity, _3 or _5. */
    private readonly rdbType: number,
    watched: boolean,
  ) {
    super(out, stream, watched);
    const { nodes, lastId, firstId, maxDeletedId } = stream;
    this.nodeCount = nodes.size;
    if (nodes.last(place)) this.lastNode.read(place.rows, place.at);
    this.length = stream.length;
    this.ids = [lastId, firstId, maxDeletedId].map((each) => new StreamId().copy(each));
    this.entriesAdded.copy(stream.entriesAdded);
    this.groups = stream.groups.map((group) => imageOf(group));
    this.producers = watched ? (stream.producers?.clone() ?? null) : stream.producers;
    this.parts = this.write();
    if (watched) stream.watch = this;
  }

  step(elements: number): boolean {
    this.budget = elements;
    this.most = byteLimit(this.out, elements);
    return this.parts.next().done === true;
  }

  private spend(elements: number): boolean {
    this.budget -= elements;
    return this.budget <= 0 || this.out.bytes >= this.most;
  }

  private *write(): Generator<void, void, void> {
    this.out.length(this.nodeCount);
    for (let left = this.nodeCount; left > 0; left--) {
      this.nextNode();
      // A node is as much as some elements of other types.
      if (this.spend(16)) yield;
    }
    this.out.length(this.length);
    for (const each of this.ids) this.id(each);
    this.counter(this.entriesAdded);
    this.out.length(this.groups.length);
    for (const group of this.groups) yield* this.group(group);
    if (this.rdbType === TYPE.STREAM_LISTPACKS_5)
      yield* this.idempotent(this.producers ?? new Producers(DURATION.usual, MAX_SIZE.usual));
  }

  /** Writes the next node: as it is, or as it was before it changed. */
  private nextNode(): void {
    const { stream, written, out } = this;
    const { nodes } = stream;
    const image = this.images.first;
    const more = nodes.behind(written, place);
    if (image !== undefined && (!more || image.id.compare(id.read(place.rows, place.at)) <= 0)) {
      this.images.drop();
      written.copy(image.id);
      out.string(idBytes(image.id));
      out.string(image.bytes);
      return;
    }
    out.string(idBytes(written.read(place.rows, place.at)));
    node.bind(stream, place.rows, place.at);
    out.string(node.buf, node.start, node.end);
  }

  beforeNode({ rows, at }: Place): void {
    const { images, stream } = this;
    id.read(rows, at);
    if (id.compare(this.lastNode) > 0 || id.compare(this.written) <= 0) return;
    const kept = images.placeFor(id);
    if (kept < 0) return;
    node.bind(stream, rows, at);
    images.put(kept, id, node.buf.slice(node.start, node.end));
  }

  private *group(group: GroupImage): Generator<void, void, void> {
    this.out.string(group.name);
    this.id(group.lastId);
    this.counter(group.entriesRead);
    this.out.length(group.pending.size);
    const { parts, width } = group.pending;
    for (const { rows, first, end } of parts)
      for (let row = first; row < end; row++) {
        entry.rows = rows;
        entry.at = row * width;
        this.out.raw(idBytes(entry.readId()));
        this.out.time(entry.time);
        this.counter(entry.deliveries(counter));
        if (this.spend(1)) yield;
      }
    this.out.length(group.consumers.length);
    for (const consumer of group.consumers) yield* this.consumer(consumer);
    if (this.rdbType === TYPE.STREAM_LISTPACKS_5) yield* this.released(group);
  }

  /** What is pending of nobody, in the order in which it was given back. */
  private *released({ pending, consumers }: GroupImage): Generator<void, void, void> {
    const found: { number: number; id: StreamId }[] = [];
    const count = consumers.reduce((left, consumer) => left - consumer.pending.size, pending.size);
    if (count > 0)
      for (const { rows, first, end } of pending.parts)
        for (let row = first; row < end; row++) {
          entry.rows = rows;
          entry.at = row * pending.width;
          if (entry.isReleased)
            found.push({ number: entry.releaseNumber, id: new StreamId().copy(entry.readId()) });
          if (this.spend(1)) yield;
        }
    this.out.length(found.length);
    for (const one of found.sort((a, b) => a.number - b.number)) {
      this.out.raw(idBytes(one.id));
      if (this.spend(1)) yield;
    }
  }

  private *idempotent({
    duration,
    maxSize,
    byName,
    added,
    duplicates,
  }: Producers): Generator<void, void, void> {
    this.out.length(duration);
    this.out.length(maxSize);
    this.out.length(byName.size);
    for (const [producer, additions] of byName) {
      this.out.string(latin1Bytes(producer));
      this.out.length(additions.size);
      for (const [name, addition] of additions) {
        this.out.string(latin1Bytes(name));
        this.id(addition);
        if (this.spend(1)) yield;
      }
    }
    this.out.length(added);
    this.out.length(duplicates);
  }

  private *consumer({ name, seenTime, activeTime, pending }: ConsumerImage): Generator<void, void, void> {
    this.out.string(name);
    this.out.time(seenTime);
    if (this.rdbType !== TYPE.STREAM_LISTPACKS_2) this.out.time(activeTime);
    this.out.length(pending.size);
    for (const { rows, first, end } of pending.parts)
      for (let row = first; row < end; row++) {
        this.out.raw(idBytes(id.read(rows, row * pending.width)));
        if (this.spend(1)) yield;
      }
    if (this.spend(1)) yield;
  }

  override close(): void {
    for (const { pending, consumers } of this.groups)
      for (const captured of [pending, ...consumers.map((consumer) => consumer.pending)])
        for (const part of captured.parts) part.release();
    super.close();
  }

  private id({ msLow, msHigh, seqLow, seqHigh }: StreamId): void {
    this.out.length64(msLow, msHigh);
    this.out.length64(seqLow, seqHigh);
  }

  private counter({ low, high }: Counter): void {
    this.out.length64(low, high);
  }
}

interface ConsumerImage {
  readonly name: Uint8Array;
  readonly seenTime: number;
  readonly activeTime: number;
  readonly pending: Captured;
}

interface GroupImage {
  readonly name: Uint8Array;
  readonly lastId: StreamId;
  readonly entriesRead: Counter;
  readonly pending: Captured;
  readonly consumers: readonly ConsumerImage[];
}

/** A group as it is now. What is pending is not copied, but by whoever changes it. */
function imageOf({ name, lastId, entriesRead, pending, consumers }: ConsumerGroup): GroupImage {
  const counted = new Counter();
  counted.copy(entriesRead);
  return {
    name,
    lastId: new StreamId().copy(lastId),
    entriesRead: counted,
    pending: pending.capture(),
    consumers: consumers.map((consumer) => ({
      name: consumer.name,
      seenTime: consumer.seenTime,
      activeTime: consumer.activeTime,
      pending: consumer.pending.capture(),
    })),
  };
}

/** When the consumers last got something (see ACTIVE_TIMES); null: it is when they were last seen. */
export function activeTimes({ groups }: Stream): string | null {
  const consumers = groups.flatMap((group) => group.consumers);
  if (consumers.every(({ seenTime, activeTime }) => seenTime === activeTime)) return null;
  return consumers.map(({ activeTime }) => activeTime).join();
}

/** Gives the consumers these times. What does not fit the stream is left. */
export function setActiveTimes({ groups }: Stream, times: string): void {
  const consumers = groups.flatMap((group) => group.consumers);
  for (const [i, text] of times.split(",").entries()) {
    const consumer = consumers[i];
    if (consumer !== undefined && /^(-1|\d{1,15})$/.test(text)) consumer.activeTime = Number(text);
  }
}

export const ID_BYTES = 16;
const id = new StreamId();
const counter = new Counter();
const place = new Place();
const entry = new PendingEntry();
const node = new NodeBytes();
const raw = new Uint8Array(ID_BYTES);
const view = new DataView(raw.buffer);

/** The 16 bytes of an ID; good until the next call. */
function idBytes({ msHigh, msLow, seqHigh, seqLow }: StreamId): Uint8Array {
  view.setUint32(0, msHigh);
  view.setUint32(4, msLow);
  view.setUint32(8, seqHigh);
  view.setUint32(12, seqLow);
  return raw;
}
