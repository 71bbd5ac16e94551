import { Counter, StreamId } from "../encodings/stream-id.ts";
import { Place } from "../encodings/stream-index.ts";
import { NodeBytes } from "../encodings/stream-memory.ts";
import type { Stream } from "../types/stream.ts";
import { type Consumer, type ConsumerGroup, PendingEntry } from "../types/stream-groups.ts";
import type { ObjectWriting } from "./write-value.ts";
import type { RdbWriter } from "./writer.ts";

/**
 * A stream as STREAM_LISTPACKS_3:
 *
 *   nodes, for each: string (its ID), string (its listpack)
 *   entries, last ID, first ID, highest ID deleted, entries ever added
 *   groups, for each: string, last ID, entries read, pending entries, consumers
 *     pending entry   ID, time of delivery, deliveries
 *     consumer        string, time last seen, time last active, pending entries, for each: ID
 *
 *   IDs of nodes and pending entries are 16 bytes, big-endian; other IDs two lengths; times 64 bits, little-endian;
 *   numbers are lengths.
 */
export class StreamWriting implements ObjectWriting {
  private readonly parts: Generator<void, void, void>;
  private budget = 0;

  constructor(
    private readonly writer: RdbWriter,
    private readonly stream: Stream,
    /** Since Redis 7.2: without, it is STREAM_LISTPACKS_2. */
    private readonly withActiveTimes: boolean,
  ) {
    this.parts = this.write();
  }

  step(elements: number): boolean {
    this.budget = elements;
    return this.parts.next().done === true;
  }

  private *write(): Generator<void, void, void> {
    const { writer, stream } = this;
    writer.length(stream.nodes.size);
    const place = new Place();
    const node = new NodeBytes();
    for (let more = stream.nodes.first(place); more; more = stream.nodes.next(place)) {
      writer.string(idBytes(id.read(place.rows, place.at)));
      node.bind(stream, place.rows, place.at);
      writer.string(node.buf, node.start, node.end);
      // A node is as much as some elements of other types.
      if ((this.budget -= 16) <= 0) yield;
    }
    writer.length(stream.length);
    this.id(stream.lastId);
    this.id(stream.firstId);
    this.id(stream.maxDeletedId);
    this.counter(stream.entriesAdded);
    writer.length(stream.groups.length);
    for (const group of stream.groups) yield* this.group(group);
  }

  private *group(group: ConsumerGroup): Generator<void, void, void> {
    const { writer } = this;
    const place = new PendingEntry();
    writer.string(group.name);
    this.id(group.lastId);
    this.counter(group.entriesRead);
    writer.length(group.pending.size);
    for (let more = group.pending.first(place); more; more = group.pending.next(place)) {
      writer.raw(idBytes(place.readId()));
      writer.time(place.time);
      this.counter(place.deliveries(counter));
      if (--this.budget <= 0) yield;
    }
    writer.length(group.consumers.length);
    for (const consumer of group.consumers) yield* this.consumer(consumer);
  }

  private *consumer({ name, seenTime, activeTime, pending }: Consumer): Generator<void, void, void> {
    const { writer } = this;
    const place = new Place();
    writer.string(name);
    writer.time(seenTime);
    if (this.withActiveTimes) writer.time(activeTime);
    writer.length(pending.size);
    for (let more = pending.first(place); more; more = pending.next(place)) {
      writer.raw(idBytes(id.read(place.rows, place.at)));
      if (--this.budget <= 0) yield;
    }
  }

  private id({ msLow, msHigh, seqLow, seqHigh }: StreamId): void {
    this.writer.length64(msLow, msHigh);
    this.writer.length64(seqLow, seqHigh);
  }

  private counter({ low, high }: Counter): void {
    this.writer.length64(low, high);
  }
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
