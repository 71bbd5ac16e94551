/**
 * Streams and groups beside plain models: one suite, run for nodes of every size. What cannot be seen from outside
 * (bytes held, order after splits) is checked here; replies are compared with a real server in tests/differential.
 */
import { describe, expect, test } from "bun:test";
import { LpItem } from "../../../src/encodings/listpack.ts";
import { Counter, StreamId } from "../../../src/encodings/stream-id.ts";
import { Stream, type Trimming } from "../../../src/types/stream.ts";
import { type ConsumerGroup, PendingEntry } from "../../../src/types/stream-groups.ts";
import { StreamIterator } from "../../../src/types/stream-iterator.ts";
import { radixTreeNodes } from "../../../src/types/stream-radix.ts";
import { bytesOf, type Random, seeded } from "../bytes/random.ts";
import { fieldsOf, idOf, textOf } from "./stream-support.ts";

interface Entry {
  id: string;
  texts: string[];
}

const LIMITS = [
  { maxBytes: 4096, maxEntries: 100 },
  { maxBytes: 4096, maxEntries: 1 },
  { maxBytes: 4096, maxEntries: 7 },
  { maxBytes: 200, maxEntries: 0 },
  { maxBytes: 0, maxEntries: 0 },
];

const MIN = new StreamId();
const MAX = new StreamId().setMax();
const iterator = new StreamIterator();
const field = new LpItem();
const value = new LpItem();

function entriesOf(stream: Stream, from = MIN, to = MAX, reverse = false): Entry[] {
  const found: Entry[] = [];
  for (iterator.start(stream, from, to, reverse); iterator.next(); ) {
    const texts: string[] = [];
    for (let i = 0; i < iterator.fieldCount; i++) {
      iterator.readField(field, value);
      texts.push(...[field, value].map((item) => Buffer.from(item.copy()).toString("latin1")));
    }
    found.push({ id: textOf(iterator.id), texts });
  }
  expect(iterator.next()).toBe(false);
  return found;
}

function compare(a: string, b: string): number {
  return idOf(a).compare(idOf(b));
}

function trimming(options: Partial<Trimming>): Trimming {
  return { strategy: "none", approximate: false, limit: 0, maxLength: 0, minId: new StreamId(), ...options };
}

/** A stream with the entries that should be in it. */
class Streams {
  stream = new Stream();
  model: Entry[] = [];
  private ms = 1;
  private seq = 0;
  added = 0;

  constructor(
    private readonly random: Random,
    private readonly limits: { maxBytes: number; maxEntries: number },
  ) {}

  add(): void {
    const { random } = this;
    if (random.below(3) === 0) this.seq++;
    else {
      this.ms += 1 + random.below(3);
      this.seq = random.below(2);
    }
    const names = random.pick([["f"], ["f"], ["f", "g"], ["other", "12"]]);
    const texts = names.flatMap((name) => [
      name,
      random.pick(["1", "text", "-70000", "x".repeat(random.below(100))]),
    ]);
    const id = `${this.ms}-${this.seq}`;
    this.stream.append(idOf(id), fieldsOf(texts), this.limits);
    this.model.push({ id, texts });
    this.added++;
  }

  someId(): string {
    const { random, model } = this;
    if (model.length > 0 && random.below(3) > 0) return random.pick(model).id;
    return `${random.below(this.ms + 3)}-${random.below(3)}`;
  }

  delete(): void {
    const id = this.someId();
    const index = this.model.findIndex((entry) => entry.id === id);
    expect(this.stream.has(idOf(id))).toBe(index >= 0);
    expect(this.stream.delete(idOf(id))).toBe(index >= 0);
    if (index >= 0) this.model.splice(index, 1);
    this.stream.refreshFirstId();
  }

  trim(): void {
    const byLength = this.random.below(2) === 0;
    const maxLength = Math.max(0, this.model.length - this.random.below(10));
    const minId = byLength
      ? "0-0"
      : (this.model[Math.min(this.model.length - 1, this.random.below(9))]?.id ?? "5");
    const strategy = byLength ? "length" : "id";
    const approximate = this.random.below(3) === 0;
    const gone = byLength
      ? this.model.length - maxLength
      : this.model.filter(({ id }) => compare(id, minId) < 0).length;
    const removed = this.stream.trim(trimming({ strategy, maxLength, minId: idOf(minId), approximate }));
    if (approximate) expect(removed).toBeLessThanOrEqual(gone);
    else expect(removed).toBe(gone);
    this.model.splice(0, removed);
  }

  look(): void {
    const [a, b] = [this.someId(), this.someId()];
    const inside = this.model.filter(({ id }) => compare(id, a) >= 0 && compare(id, b) <= 0);
    expect(entriesOf(this.stream, idOf(a), idOf(b))).toEqual(inside);
    expect(entriesOf(this.stream, idOf(a), idOf(b), true)).toEqual(inside.toReversed());
    expect(this.stream.hasBehind(idOf(a))).toBe(this.model.some(({ id }) => compare(id, a) > 0));
  }

  check(stream = this.stream): void {
    expect(entriesOf(stream)).toEqual(this.model);
    expect(stream.length).toBe(this.model.length);
    expect(stream.entriesAdded.number()).toBe(this.added);
    expect(textOf(stream.firstId)).toBe(this.model[0]?.id ?? "0-0");
    if (this.model.length > 0) {
      expect(textOf(stream.edgeId(true, true, new StreamId()))).toBe(this.model[0]!.id);
      expect(textOf(stream.edgeId(false, true, new StreamId()))).toBe(this.model.at(-1)!.id);
    }
    let bytes = 0;
    let nodes = 0;
    stream.forEachNode((_id, _buf, start, end) => {
      bytes += end - start;
      nodes++;
    });
    expect(stream.nodes.size).toBe(nodes);
    expect(stream.nodeBytes).toBeGreaterThanOrEqual(bytes);
    expect(stream.nodeBytes).toBeLessThanOrEqual(bytes * 1.3 + nodes * 8 + 5120);
    expect(stream.memoryUse).toBeGreaterThan(bytes);
  }
}

describe("entries", () => {
  for (const limits of LIMITS)
    test(`nodes of ${limits.maxEntries || "any number of"} entries, ${limits.maxBytes || "any number of"} bytes`, () => {
      const random = seeded(`stream of nodes of ${limits.maxEntries}, ${limits.maxBytes}`);
      const streams = new Streams(random, limits);
      for (let i = 0; i < 3000; i++) {
        const kind = random.below(100);
        const shrinking = i % 1000 > 800;
        if (kind < (shrinking ? 20 : 60)) streams.add();
        else if (kind < 90) streams.delete();
        else if (kind < 93) streams.trim();
        else if (kind < 96) streams.look();
        if (i % 250 === 0) streams.check();
        if (i % 700 === 0) {
          const copy = streams.stream.clone();
          streams.stream.dispose();
          expect(streams.stream.nodeBytes).toBe(0);
          streams.stream = copy;
        }
      }
      streams.check();
      streams.stream.trim(trimming({ strategy: "length" }));
      streams.model = [];
      streams.check();
      expect([streams.stream.nodeBytes, streams.stream.nodes.size]).toEqual([0, 0]);
    });

  test("a copy shares nothing", () => {
    const random = seeded("copied stream");
    const streams = new Streams(random, LIMITS[2]!);
    for (let i = 0; i < 100; i++) streams.add();
    const copy = streams.stream.clone();
    const before = structuredClone(streams.model);
    const { added } = streams;
    for (let i = 0; i < 50; i++) streams.delete();
    for (let i = 0; i < 50; i++) streams.add();
    streams.check();
    streams.model = before;
    streams.added = added;
    streams.check(copy);
  });

  test("entries larger than a cell have blocks of their own", () => {
    const stream = new Stream();
    const long = "x".repeat(100_000);
    for (let i = 1; i <= 5; i++)
      stream.append(idOf(`${i}-0`), fieldsOf(["f", long, "g", "short"]), LIMITS[i % 2]!);
    for (let i = 6; i <= 8; i++)
      stream.append(idOf(`${i}-0`), fieldsOf(["f", long, "g", "short"]), LIMITS[4]!);
    expect(entriesOf(stream).map(({ texts }) => texts[1])).toEqual(Array(8).fill(long));
    expect(stream.nodeBytes).toBeLessThan(8 * 130_000);
    stream.dispose();
    expect(stream.nodeBytes).toBe(0);
  });

  test("three entries take far less than the 4.4 KB of Redis", () => {
    const stream = new Stream();
    for (let i = 1; i <= 3; i++)
      stream.append(idOf(`170000000000${i}-0`), fieldsOf(["field", "value"]), LIMITS[0]!);
    expect(stream.memoryUse).toBeLessThan(700);
  });

  test("limits may change while a stream grows", () => {
    const stream = new Stream();
    for (let i = 1; i <= 500; i++)
      stream.append(idOf(`${i}-0`), fieldsOf(["f", `${i}`]), LIMITS[Math.floor(i / 20) % LIMITS.length]!);
    expect(entriesOf(stream).map(({ texts }) => texts[1])).toEqual(
      Array.from({ length: 500 }, (_, i) => `${i + 1}`),
    );
  });

  test("nodes of Redis's radix tree, counted on a tree of plain objects", () => {
    const random = seeded("radix tree nodes");
    for (let i = 0; i < 200; i++) {
      const stream = new Stream();
      const id = new StreamId();
      const hex: string[] = [];
      for (let n = random.below(40); n >= 0; n--) {
        id.msHigh += random.below(2);
        id.msLow += random.below(random.pick([2, 300, 70000]));
        id.seqHigh += random.below(2);
        id.seqLow += 1 + random.below(random.pick([2, 300, 70000]));
        stream.append(id, fieldsOf(["f", "v"]), LIMITS[1]!);
        const { msHigh, msLow, seqHigh, seqLow } = id;
        hex.push([msHigh, msLow, seqHigh, seqLow].map((half) => half.toString(16).padStart(8, "0")).join(""));
      }
      expect(radixTreeNodes(stream.nodes)).toBe(treeNodes(hex.map((text) => text.match(/../g)!)));
    }
    expect(radixTreeNodes(new Stream().nodes)).toBe(1);
  });
});

/** Nodes of the tree of these keys, a run of bytes without a branch being one node. */
function treeNodes(keys: string[][], depth = 0): number {
  if (depth === 16) return 1;
  let end = depth;
  while (end < 16 && keys.every((key) => key[end] === keys[0]![end])) end++;
  const run = end > depth ? 1 : 0;
  if (end === 16) return run + 1;
  const branches = Map.groupBy(keys, (key) => key[end]!);
  return run + 1 + [...branches.values()].reduce((sum, branch) => sum + treeNodes(branch, end + 1), 0);
}

// -------------------------------------------------------------------------------- groups

interface Delivery {
  owner: string;
  time: number;
  count: number;
}

/** A group with the deliveries that should be pending in it. */
class Groups {
  group = new Stream().addGroup(bytesOf("group"), MIN, new Counter())!;
  readonly pending = new Map<number, Delivery>();
  readonly consumers = new Set<string>();
  private readonly entry = new PendingEntry();
  private top = 0;

  constructor(private readonly random: Random) {}

  private id(value: number): StreamId {
    const id = new StreamId();
    id.msLow = value >> 3;
    id.seqLow = value & 7;
    return id;
  }

  private consumer(name: string) {
    const bytes = bytesOf(name);
    const found = this.group.consumer(bytes, 0, bytes.length);
    expect(found !== null).toBe(this.consumers.has(name));
    this.consumers.add(name);
    return found ?? this.group.addConsumer(bytes, 5);
  }

  private someName(): string {
    return this.random.pick(["a", "b", "ab", "", "c", "\xff", "consumer"]);
  }

  private someId(): number {
    return this.random.below(this.top + 5);
  }

  deliver(old = this.random.below(8) === 0): void {
    const value = old ? this.someId() : (this.top += 1 + this.random.below(3));
    const owner = this.someName();
    const time = 1_700_000_000_000 + this.random.below(1e9);
    this.group.deliver(this.id(value), this.consumer(owner), time, this.entry);
    expect(this.entry.readId().compare(this.id(value))).toBe(0);
    this.pending.set(value, { owner, time, count: 1 });
  }

  acknowledge(value = this.someId()): void {
    expect(this.group.acknowledge(this.id(value))).toBe(this.pending.delete(value));
  }

  claim(): void {
    const value = this.someId();
    const found = this.group.pending.find(this.id(value), this.entry);
    const delivery = this.pending.get(value);
    expect(found).toBe(delivery !== undefined);
    if (delivery === undefined) return;
    delivery.owner = this.someName();
    delivery.count++;
    this.entry.deliveredAgain();
    this.group.assign(this.entry, this.consumer(delivery.owner));
  }

  removeConsumer(): void {
    const name = this.someName();
    if (!this.consumers.has(name)) return;
    const consumer = this.consumer(name);
    const mine = [...this.pending].filter(([, { owner }]) => owner === name);
    expect(consumer.pending.size).toBe(mine.length);
    this.group.removeConsumer(consumer);
    this.consumers.delete(name);
    for (const [value] of mine) this.pending.delete(value);
  }

  check(group = this.group): void {
    const expected = [...this.pending].sort(([a], [b]) => a - b);
    const count = new Counter();
    const found: [number, Delivery][] = [];
    const { entry } = this;
    const mine = new Map<string, number[]>([...this.consumers].map((name) => [name, []]));
    for (let more = group.pending.first(entry); more; more = group.pending.next(entry)) {
      const { msLow, seqLow } = entry.readId();
      const owner = Buffer.from(group.ownerOf(entry)!.name).toString("latin1");
      mine.get(owner)!.push(msLow * 8 + seqLow);
      found.push([msLow * 8 + seqLow, { owner, time: entry.time, count: entry.deliveries(count).number() }]);
    }
    expect(found).toEqual(expected);
    const names = group.consumers.map(({ name }) => Buffer.from(name).toString("latin1"));
    expect(names).toEqual([...this.consumers].sort());
    for (const consumer of group.consumers) {
      const values: number[] = [];
      for (let more = consumer.pending.first(entry); more; more = consumer.pending.next(entry)) {
        const { msLow, seqLow } = entry.readId();
        values.push(msLow * 8 + seqLow);
      }
      expect(values).toEqual(mine.get(Buffer.from(consumer.name).toString("latin1"))!);
    }
  }
}

function fill(groups: Groups, random: Random, steps: number): void {
  for (let i = 0; i < steps; i++) {
    const kind = random.below(100);
    if (kind < (i % 3000 < 2000 ? 70 : 10)) groups.deliver();
    else if (kind < 85) groups.acknowledge();
    else if (kind < 97) groups.claim();
    else if (random.below(10) === 0) groups.removeConsumer();
    if (i % 500 === 0) groups.check();
  }
  groups.check();
}

describe("groups", () => {
  test("deliveries, claims, acknowledgements and consumers that go", () => {
    const random = seeded("consumer group");
    const groups = new Groups(random);
    fill(groups, random, 9000);
    const copy: ConsumerGroup = groups.group.clone();
    groups.check(copy);
    groups.group = copy;
    fill(groups, random, 2000);
  });

  test("memory follows what is pending", () => {
    const random = seeded("memory of a consumer group");
    const groups = new Groups(random);
    const empty = groups.group.memoryUse;
    for (let i = 0; i < 20000; i++) groups.deliver(false);
    const each = (groups.group.memoryUse - empty) / groups.pending.size;
    expect(each).toBeGreaterThan(50);
    expect(each).toBeLessThan(60);
    for (const value of [...groups.pending.keys()]) groups.acknowledge(value);
    expect(groups.group.memoryUse).toBeLessThan(empty + 4000);
  });

  test("groups by name, in order", () => {
    const stream = new Stream();
    const names = ["b", "a", "", "ab", "\xff", "a\x00"];
    for (const name of names) expect(stream.addGroup(bytesOf(name), MIN, new Counter())).not.toBeNull();
    expect(stream.addGroup(bytesOf("ab"), MIN, new Counter())).toBeNull();
    const listed = () => stream.groups.map(({ name }) => Buffer.from(name).toString("latin1"));
    expect(listed()).toEqual([...names].sort());
    const bytes = bytesOf("-ab-");
    stream.removeGroup(stream.group(bytes, 1, 3)!);
    expect(stream.group(bytes, 1, 3)).toBeNull();
    expect(listed()).toEqual(["", "a", "a\x00", "b", "\xff"]);
  });
});

/** Processor time of this process so far, in milliseconds: unlike the clock it does not count other processes. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

test("a big stream: no step takes long, nor does its end", () => {
  const stream = new Stream();
  const id = new StreamId();
  const fields = fieldsOf(["field", "value"]);
  const total = Number(process.env.REDBUN_BIG ?? 1_000_000);
  let worst = 0;
  for (let i = 0; i < total; ) {
    const started = processorTime();
    for (const stop = i + 1000; i < stop; i++) {
      id.increment();
      stream.append(id, fields, LIMITS[0]!);
    }
    worst = Math.max(worst, processorTime() - started);
  }
  const started = processorTime();
  stream.dispose();
  const end = processorTime() - started;
  console.log(`worst 1,000 XADDs ${worst.toFixed(2)} ms, dispose ${end.toFixed(2)} ms`);
  expect(worst).toBeLessThan(50);
  expect(end).toBeLessThan(50);
});

test("trimming with leave for each entry agrees with a list", () => {
  const random = seeded("stream-trim-each");
  for (let round = 0; round < 300; round++) {
    const stream = new Stream();
    const maxEntries = random.pick([1, 2, 3, 7, 100]);
    const count = random.below(20);
    for (let n = 1; n <= count; n++)
      stream.append(idOf(`${n}-0`), fieldsOf(["f", String(n)]), { maxBytes: 4096, maxEntries });
    for (let n = 1; n <= count; n++) if (random.below(5) === 0) stream.delete(idOf(`${n}-0`));
    stream.refreshFirstId();
    const live = entriesOf(stream).map(({ id }) => id);
    const stays = new Set(live.filter(() => random.below(3) === 0));
    const byLength = random.below(2) === 0;
    const maxLength = random.below(live.length + 2);
    const minId = `${random.below(count + 2)}-0`;
    const gone: string[] = [];
    let length = live.length;
    for (const id of live) {
      if (byLength ? length <= maxLength : compare(id, minId) >= 0) break;
      if (stays.has(id)) continue;
      gone.push(id);
      length--;
    }
    const firstStay = live.find((id) => stays.has(id));
    const holes: string[] = [];
    const removed = stream.trimEach(
      trimming({ strategy: byLength ? "length" : "id", maxLength, minId: idOf(minId) }),
      (id) => !stays.has(textOf(id)),
      (id) => holes.push(textOf(id)),
    );
    // By length, a node that could not go as a whole is the last one looked at.
    const left = entriesOf(stream).map(({ id }) => id);
    const really = live.filter((id) => !left.includes(id));
    if (!byLength) expect(really).toEqual(gone);
    else expect(gone.slice(0, really.length)).toEqual(really);
    if (stays.size === 0 || !byLength || maxEntries === 100) expect(really).toEqual(gone);
    expect([removed, stream.length]).toEqual([really.length, left.length]);
    expect(textOf(stream.firstId)).toBe(left[0] ?? "0-0");
    expect(holes).toEqual(really.filter((id) => firstStay !== undefined && compare(id, firstStay) > 0));
    stream.dispose();
  }
});
