import { joinHalves } from "../bytes/int64.ts";
import { Counter, StreamId } from "../encodings/stream-id.ts";
import { IdTable, Place } from "../encodings/stream-index.ts";

/**
 * Consumer groups: what a group was given, and what its consumers have not yet acknowledged.
 *
 *   group.pending       ID (4 columns) | delivery time (low, high) | deliveries (low, high) | consumer's number
 *   consumer.pending    ID (4 columns)
 *
 * An entry that a consumer has given back (XNACK, Redis 8.8) is nobody's until it is claimed: it was "delivered at 0",
 * and has the number of its release in place of the time, since what was given back first is claimed first.
 *
 * A pending entry is 52 bytes in two tables and no object. Consumers have numbers so that a row can name them;
 * a number is used again when its consumer is gone. Groups and consumers are kept in the order of their names,
 * in which replies list them.
 */
const TIME_LOW = 4;
const TIME_HIGH = 5;
const COUNT_LOW = 6;
const COUNT_HIGH = 7;
const CONSUMER = 8;
const PENDING_WIDTH = 9;
const CONSUMER_WIDTH = 4;
const NOBODY = 0xffffffff;
/** Bytes of a group's and a consumer's objects, apart from names and tables. */
const GROUP_BYTES = 400;
const CONSUMER_BYTES = 200;
/** Of so many pending entries each, one table is swept rather than searched when a consumer goes. */
const WORTH_SWEEPING = 16;

const scratch = new Place();

interface Named {
  readonly name: Uint8Array;
}

/** The index of the name in a sorted list, or -1 less the index at which it would be. */
export function findName(list: readonly Named[], buf: Uint8Array, start: number, end: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compareName(list[middle]!.name, buf, start, end);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return -1 - low;
}

function compareName(name: Uint8Array, buf: Uint8Array, start: number, end: number): number {
  const length = Math.min(name.length, end - start);
  for (let i = 0; i < length; i++) if (name[i] !== buf[start + i]) return name[i]! - buf[start + i]!;
  return name.length - (end - start);
}

export class Consumer implements Named {
  /** When it last asked for something, and last got something (-1: never); milliseconds since 1970. */
  seenTime = -1;
  activeTime = -1;
  readonly pending = new IdTable(CONSUMER_WIDTH);

  constructor(
    readonly name: Uint8Array,
    /** Under which rows of the group name it. */
    readonly number: number,
  ) {}
}

/** A row of a group's pending entries. */
export class PendingEntry extends Place {
  readonly id = new StreamId();

  /** Nobody's: given back, or not assigned yet. */
  get isReleased(): boolean {
    return this.rows[this.at + CONSUMER] === NOBODY;
  }

  /** Milliseconds since 1970; 0 where it was given back. */
  get time(): number {
    return this.isReleased ? 0 : this.timeColumns;
  }

  /** Of an entry that was given back: the lower, the earlier. */
  get releaseNumber(): number {
    return this.timeColumns;
  }

  private get timeColumns(): number {
    return joinHalves(this.rows[this.at + TIME_LOW]!, this.rows[this.at + TIME_HIGH]!);
  }

  set time(value: number) {
    this.own();
    this.rows[this.at + TIME_LOW] = value;
    this.rows[this.at + TIME_HIGH] = Math.floor(value / 4294967296);
  }

  /** Times that the entry was delivered. */
  deliveries(into: Counter): Counter {
    into.low = this.rows[this.at + COUNT_LOW]!;
    into.high = this.rows[this.at + COUNT_HIGH]! | 0;
    return into;
  }

  setDeliveries(value: Counter): void {
    this.own();
    this.rows[this.at + COUNT_LOW] = value.low;
    this.rows[this.at + COUNT_HIGH] = value.high;
  }

  /** Once more, but no more than can be counted. */
  deliveredAgain(): void {
    if (this.rows[this.at + COUNT_HIGH] === 0x7fffffff && this.rows[this.at + COUNT_LOW] === 0xffffffff)
      return;
    this.own();
    const low = (this.rows[this.at + COUNT_LOW]! + 1) >>> 0;
    this.rows[this.at + COUNT_LOW] = low;
    if (low === 0) this.rows[this.at + COUNT_HIGH]!++;
  }

  readId(): StreamId {
    return this.id.read(this.rows, this.at);
  }
}

const entry = new PendingEntry();

export class ConsumerGroup implements Named {
  /** The highest ID delivered. */
  readonly lastId = new StreamId();
  /** How many entries of the stream's history are at or before `lastId`; -1: not known. */
  readonly entriesRead = new Counter();
  readonly pending = new IdTable(PENDING_WIDTH);
  /** In the order of their names. */
  readonly consumers: Consumer[] = [];
  private readonly numbers: (Consumer | null)[] = [];
  private readonly freeNumbers: number[] = [];
  private nameBytes = 0;
  private releases = 0;

  constructor(readonly name: Uint8Array) {}

  get knowsEntriesRead(): boolean {
    return (this.entriesRead.high & (this.entriesRead.low | 0)) !== -1;
  }

  /** Bytes held. What consumers have pending is as much as the group has. */
  get memoryUse(): number {
    const consumers = this.consumers.length * CONSUMER_BYTES + this.pending.size * CONSUMER_WIDTH * 4;
    return GROUP_BYTES + this.name.length + this.nameBytes + this.pending.bytes + consumers;
  }

  // ------------------------------------------------------------------ consumers

  consumer(buf: Uint8Array, start: number, end: number): Consumer | null {
    const index = findName(this.consumers, buf, start, end);
    return index < 0 ? null : this.consumers[index]!;
  }

  /** Adds a consumer of a name that there is none of yet. */
  addConsumer(name: Uint8Array, now: number): Consumer {
    const number = this.freeNumbers.pop() ?? this.numbers.length;
    const consumer = new Consumer(name, number);
    consumer.seenTime = now;
    this.numbers[number] = consumer;
    this.consumers.splice(-1 - findName(this.consumers, name, 0, name.length), 0, consumer);
    this.nameBytes += name.length;
    return consumer;
  }

  /** Removes a consumer with all it has pending. */
  removeConsumer(consumer: Consumer): void {
    const { pending } = consumer;
    if (pending.size * WORTH_SWEEPING > this.pending.size)
      this.pending.removeWhere(CONSUMER, consumer.number);
    else
      for (let more = pending.first(scratch); more; more = pending.next(scratch)) {
        entry.id.read(scratch.rows, scratch.at);
        if (this.pending.find(entry.id, entry)) this.pending.remove(entry);
      }
    pending.clear();
    this.consumers.splice(findName(this.consumers, consumer.name, 0, consumer.name.length), 1);
    this.numbers[consumer.number] = null;
    this.freeNumbers.push(consumer.number);
    this.nameBytes -= consumer.name.length;
  }

  /** Whose the entry is; null where it was given back, while a group is being loaded or an entry is being made. */
  ownerOf(place: Place): Consumer | null {
    const number = place.rows[place.at + CONSUMER]!;
    return number === NOBODY ? null : this.numbers[number]!;
  }

  // ------------------------------------------------------------------ pending entries

  /** Adds an entry that was delivered once and is nobody's yet; `place` is at it. False if it is pending already. */
  addPending(id: StreamId, now: number, place: PendingEntry): boolean {
    if (!this.pending.insert(id, place)) return false;
    place.time = now;
    place.rows[place.at + COUNT_LOW] = 1;
    place.rows[place.at + COUNT_HIGH] = 0;
    place.rows[place.at + CONSUMER] = NOBODY;
    return true;
  }

  /** Makes the entry at `place` this consumer's. */
  assign(place: Place, consumer: Consumer): void {
    const owner = this.ownerOf(place);
    if (owner === consumer) return;
    entry.id.read(place.rows, place.at);
    if (owner?.pending.find(entry.id, scratch)) owner.pending.remove(scratch);
    consumer.pending.insert(entry.id, scratch);
    place.own();
    place.rows[place.at + CONSUMER] = consumer.number;
  }

  /** Notes a first delivery, or one as if it were the first; the entry is left in `place`. */
  deliver(id: StreamId, consumer: Consumer, now: number, place: PendingEntry): void {
    if (!this.addPending(id, now, place)) {
      place.time = now;
      place.rows[place.at + COUNT_LOW] = 1;
      place.rows[place.at + COUNT_HIGH] = 0;
    }
    this.assign(place, consumer);
  }

  /** Makes the entry at `place` nobody's, behind others that are so already. */
  release(place: PendingEntry): void {
    const owner = this.ownerOf(place);
    entry.id.read(place.rows, place.at);
    if (owner?.pending.find(entry.id, scratch)) owner.pending.remove(scratch);
    place.time = ++this.releases;
    place.rows[place.at + CONSUMER] = NOBODY;
  }

  /** How many entries are nobody's. */
  get releasedCount(): number {
    let count = this.pending.size;
    for (const consumer of this.consumers) count -= consumer.pending.size;
    return count;
  }

  /** Takes the entry at `place` off both lists; `place` is then at the entry behind it, false if there is none. */
  removePending(place: Place): boolean {
    const owner = this.ownerOf(place);
    entry.id.read(place.rows, place.at);
    if (owner?.pending.find(entry.id, scratch)) owner.pending.remove(scratch);
    return this.pending.remove(place);
  }

  acknowledge(id: StreamId): boolean {
    if (!this.pending.find(id, entry)) return false;
    this.removePending(entry);
    return true;
  }

  clone(): ConsumerGroup {
    const copy = new ConsumerGroup(this.name);
    copy.lastId.copy(this.lastId);
    copy.entriesRead.copy(this.entriesRead);
    const place = new PendingEntry();
    const deliveries = new Counter();
    for (const { name, seenTime, activeTime } of this.consumers) {
      const twin = copy.addConsumer(name, seenTime);
      twin.activeTime = activeTime;
    }
    const from = new PendingEntry();
    copy.releases = this.releases;
    for (let more = this.pending.first(from); more; more = this.pending.next(from)) {
      copy.addPending(from.readId(), from.isReleased ? from.releaseNumber : from.time, place);
      place.setDeliveries(from.deliveries(deliveries));
      const owner = this.ownerOf(from);
      if (owner !== null) copy.assign(place, copy.consumer(owner.name, 0, owner.name.length)!);
    }
    return copy;
  }
}

/** Adds a group in the order of names; false if there is one of its name. */
export function insertGroup(groups: ConsumerGroup[], group: ConsumerGroup): boolean {
  const index = findName(groups, group.name, 0, group.name.length);
  if (index >= 0) return false;
  groups.splice(-1 - index, 0, group);
  return true;
}
