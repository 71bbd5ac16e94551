/**
 * What streams are made of: IDs of 2 x 64 bits beside BigInt, tables of IDs beside a sorted array, nodes beside
 * plain entries and, byte for byte, beside those of a real server.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { LpItem } from "../../../src/encodings/listpack.ts";
import {
  Counter,
  ID_GIVEN,
  ID_INVALID,
  ID_OPEN,
  ID_TEXT,
  StreamId,
} from "../../../src/encodings/stream-id.ts";
import { IdTable, Place } from "../../../src/encodings/stream-index.ts";
import {
  appendEntry,
  EntryCursor,
  newNode,
  nodeDeleted,
  nodeEntries,
  nodeIsValid,
} from "../../../src/encodings/stream-node.ts";
import { OwnBytes } from "../../../src/memory/byte-store.ts";
import { Wire } from "../../differential/lib/wire.ts";
import { describeWithOracle, findOracle, startOracle } from "../../oracle.ts";
import { bytesOf, type Random, seeded } from "../bytes/random.ts";
import { fieldsOf, idOf, textOf } from "../types/stream-support.ts";

const U64 = 2n ** 64n;
const TWO_32 = 2n ** 32n;

function big(id: StreamId): bigint {
  const half = (high: number, low: number) => BigInt(high) * TWO_32 + BigInt(low);
  return half(id.msHigh, id.msLow) * U64 + half(id.seqHigh, id.seqLow);
}

function parse(text: string, strict = true, seqMax = false, open = false): string {
  const id = new StreamId();
  const bytes = bytesOf(`##${text}##`);
  const form = id.parse(bytes, 2, bytes.length - 2, strict, seqMax, open);
  if (form === ID_INVALID) return "invalid";
  return (form === ID_OPEN ? "open " : "") + textOf(id);
}

describe("IDs", () => {
  const EDGES = [
    0n,
    1n,
    9n,
    10n,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 32n,
    2n ** 53n - 1n,
    2n ** 53n,
    10n ** 15n - 1n,
    10n ** 15n,
    2n ** 63n - 1n,
    2n ** 63n,
    U64 - 2n,
    U64 - 1n,
  ]; // prettier-ignore

  test("text to ID and back, exact over 64 bits", () => {
    for (const ms of EDGES)
      for (const seq of EDGES) {
        expect(parse(`${ms}-${seq}`)).toBe(`${ms}-${seq}`);
        expect(big(idOf(`${ms}-${seq}`))).toBe(ms * U64 + seq);
        expect(parse(`${ms}`)).toBe(`${ms}-0`);
        expect(parse(`${ms}`, true, true)).toBe(`${ms}-${U64 - 1n}`);
        expect(parse(`${ms}-*`, true, false, true)).toBe(`open ${ms}-0`);
      }
  });

  test("what is no ID, and odd ones that are", () => {
    const none = [
      "",
      "-",
      "+",
      "--",
      "1-",
      "-1",
      "1-1-1",
      "x",
      "1-x",
      "1 ",
      "1--5",
      "*",
      "1-*",
      `${U64}`,
      `1-${U64}`,
    ];
    for (const text of [...none, "1".repeat(128), "+-1", "0x1"])
      expect([text, parse(text)]).toEqual([text, "invalid"]);
    expect(parse("-", false)).toBe("0-0");
    expect(parse("+", false)).toBe(`${U64 - 1n}-${U64 - 1n}`);
    expect(parse("+1- 01")).toBe("1-1");
    expect(parse("1--05")).toBe(`1-${U64 - 5n}`);
    expect(parse("7-7\0rest")).toBe("7-7");
    expect(parse(`${"0".repeat(126)}5`)).toBe("5-0");
    expect(ID_GIVEN).not.toBe(ID_OPEN);
  });

  test("order, successor and predecessor", () => {
    const max = U64 * U64 - 1n;
    const ids = EDGES.flatMap((ms) => EDGES.map((seq) => idOf(`${ms}-${seq}`)));
    for (const a of ids) {
      for (const b of ids) {
        const difference = big(a) - big(b);
        expect(Math.sign(a.compare(b))).toBe(difference < 0n ? -1 : difference > 0n ? 1 : 0);
      }
      const next = new StreamId().copy(a);
      expect(next.increment()).toBe(big(a) !== max);
      expect(big(next)).toBe(big(a) === max ? 0n : big(a) + 1n);
      const before = new StreamId().copy(a);
      expect(before.decrement()).toBe(big(a) !== 0n);
      expect(big(before)).toBe(big(a) === 0n ? max : big(a) - 1n);
      expect(a.isMax).toBe(big(a) === max);
      expect(a.isZero).toBe(big(a) === 0n);
    }
  });

  test("the longest text", () => {
    expect(textOf(new StreamId().setMax()).length).toBe(ID_TEXT);
    expect(textOf(new StreamId().setTime(1700000000123))).toBe("1700000000123-0");
  });

  test("counters", () => {
    const values = [0n, 1n, -1n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
    const value = ({ high, low }: Counter) => BigInt(high) * TWO_32 + BigInt(low);
    for (const a of values) {
      const counter = new Counter().setBig(a);
      expect(value(counter)).toBe(a);
      for (const b of values)
        expect(value(new Counter().difference(counter, new Counter().setBig(b)))).toBe(
          BigInt.asIntN(64, a - b),
        );
      counter.increment();
      expect(value(counter)).toBe(BigInt.asIntN(64, a + 1n));
    }
    expect(new Counter().set(-1).number()).toBe(-1);
    expect(value(new Counter().set(2 ** 52))).toBe(2n ** 52n);
  });
});

// -------------------------------------------------------------------------------- tables

/** A table and the sorted list of what is in it; the column behind the ID holds the ID's low half. */
class Tables {
  readonly table = new IdTable(5);
  readonly model: number[] = [];
  private readonly place = new Place();
  private readonly id = new StreamId();

  private set(value: number): StreamId {
    this.id.clear().msHigh = value >>> 16;
    this.id.seqLow = value & 0xffff;
    return this.id;
  }

  private value(): number {
    const { msHigh, seqLow } = this.id.read(this.place.rows, this.place.at);
    const value = msHigh * 65536 + seqLow;
    expect(this.place.rows[this.place.at + 4]).toBe(value);
    return value;
  }

  private below(value: number): number {
    let low = 0;
    let high = this.model.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.model[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  insert(value: number): void {
    const index = this.below(value);
    const fresh = this.model[index] !== value;
    expect(this.table.insert(this.set(value), this.place)).toBe(fresh);
    if (!fresh) return;
    this.place.rows[this.place.at + 4] = value;
    this.model.splice(index, 0, value);
    this.value();
  }

  /** Removes the value, or the next one behind it, and `more` behind that. */
  remove(value: number, more: number): void {
    const index = this.below(value);
    let found = this.table.ceiling(this.set(value), this.place);
    expect(found).toBe(index < this.model.length);
    for (; found && more >= 0; more--) {
      expect(this.value()).toBe(this.model[index]!);
      this.model.splice(index, 1);
      found = this.table.remove(this.place);
      expect(found).toBe(index < this.model.length);
    }
    if (found) expect(this.value()).toBe(this.model[index]!);
  }

  look(value: number): void {
    const index = this.below(value);
    expect(this.table.find(this.set(value), this.place)).toBe(this.model[index] === value);
    const floor = this.model[index] === value ? index : index - 1;
    expect(this.table.floor(this.set(value), this.place)).toBe(floor >= 0);
    if (floor < 0) return;
    expect(this.value()).toBe(this.model[floor]!);
    expect(this.table.next(this.place)).toBe(floor + 1 < this.model.length);
  }

  check(): void {
    expect(this.table.size).toBe(this.model.length);
    const forwards: number[] = [];
    for (let more = this.table.first(this.place); more; more = this.table.next(this.place))
      forwards.push(this.value());
    expect(forwards).toEqual(this.model);
    const backwards: number[] = [];
    for (let more = this.table.last(this.place); more; more = this.table.previous(this.place))
      backwards.unshift(this.value());
    expect(backwards).toEqual(this.model);
  }
}

describe("tables of IDs", () => {
  const run = (random: Random, shape: "random" | "queue" | "steps") => {
    const tables = new Tables();
    let top = 0;
    for (let i = 0; i < 12000; i++) {
      const kind = random.below(10);
      const growing = Math.floor(i / 3000) % 2 === 0;
      if (kind < (growing ? 7 : 3)) {
        top += 1 + random.below(3);
        tables.insert(shape === "random" ? random.below(20000) : top);
      } else if (kind < 9) tables.remove(shape === "queue" ? 0 : random.below(top + 10), random.below(4));
      else tables.look(random.below(20000));
      if (i % 500 === 0) tables.check();
    }
    tables.check();
    const twin = tables.table.clone();
    tables.remove(0, 1e9);
    expect(tables.table.size).toBe(0);
    expect(tables.table.bytes).toBe(0);
    expect(twin.clone().bytes).toBe(twin.bytes);
  };

  test("filled and emptied in any order", () => run(seeded("stream table"), "random"));
  test("filled at the end, emptied at the front", () => run(seeded("stream table as a queue"), "queue"));
  test("filled at the end, emptied anywhere", () => run(seeded("stream table in steps"), "steps"));

  test("rows swept by a column", () => {
    const table = new IdTable(5);
    const place = new Place();
    const id = new StreamId();
    for (let i = 0; i < 2000; i++) {
      id.seqLow = i;
      table.append(id, place);
      place.rows[place.at + 4] = i < 600 ? 7 : i % 3;
    }
    table.removeWhere(4, 7);
    table.removeWhere(4, 1);
    const left: number[] = [];
    for (let more = table.first(place); more; more = table.next(place))
      left.push(id.read(place.rows, place.at).seqLow);
    expect(left).toEqual(Array.from({ length: 1400 }, (_, i) => i + 600).filter((i) => i % 3 !== 1));
    expect(table.size).toBe(left.length);
    table.removeWhere(4, 0);
    table.removeWhere(4, 2);
    expect([table.size, table.bytes]).toEqual([0, 0]);
  });

  test("a hundred thousand rows take little more than their bytes", () => {
    const table = new IdTable(5);
    const place = new Place();
    const id = new StreamId();
    for (let i = 0; i < 100000; i++) {
      id.increment();
      table.append(id, place);
    }
    expect(table.bytes).toBeLessThan(100000 * 20 * 1.05);
    for (let i = 0; i < 99990; i++) {
      table.first(place);
      table.remove(place);
    }
    expect(table.bytes).toBeLessThan(6000);
  });
});

// -------------------------------------------------------------------------------- nodes

type Entry = [id: string, ...texts: string[]];

const rows = new Uint32Array(4);
const field = new LpItem();
const value = new LpItem();

function nodeOf(entries: readonly Entry[]): OwnBytes {
  const [id, ...texts] = entries[0]!;
  const empty = newNode(fieldsOf(texts));
  const node = new OwnBytes(empty.buf.slice(empty.start, empty.end));
  for (const [entryId, ...entryTexts] of entries)
    appendEntry(node, idOf(id), idOf(entryId), fieldsOf(entryTexts));
  return node;
}

function cursorAt(node: OwnBytes, master: string): EntryCursor {
  idOf(master).write(rows, 0);
  const cursor = new EntryCursor();
  cursor.open(node, rows, 0);
  return cursor;
}

function entryAt(cursor: EntryCursor, read: boolean): Entry {
  const entry: Entry = [textOf(cursor.id)];
  for (let i = 0; read && i < cursor.fieldCount; i++) {
    cursor.readField(field, value);
    entry.push(...[field, value].map((item) => Buffer.from(item.copy()).toString("latin1")));
  }
  return entry;
}

/** Entries in both directions; in each, some are read to the end, some in part, some not at all. */
function entriesOf(node: OwnBytes, master: string): Entry[] {
  const cursor = cursorAt(node, master);
  const all: Entry[] = [];
  for (let more = cursor.toFirst(); more; more = cursor.next()) all.push(entryAt(cursor, true));
  const ids: string[] = [];
  for (let more = cursor.toFirst(); more; more = cursor.next()) {
    ids.push(textOf(cursor.id));
    if (cursor.fieldCount > 1 && ids.length % 2 === 0) cursor.readField(field, value);
  }
  expect(ids).toEqual(all.map(([id]) => id));
  const backwards: Entry[] = [];
  for (let more = cursor.toLast(); more; more = cursor.previous()) backwards.unshift(entryAt(cursor, true));
  expect(backwards).toEqual(all);
  return all;
}

const TEXTS = [
  "a",
  "b",
  "",
  "0",
  "7",
  "127",
  "128",
  "-1",
  "-4096",
  "4095",
  "4096",
  "40000",
  "-9000000",
  "3000000000",
  "9223372036854775807",
  "9223372036854775808",
  "007",
  "1.5",
  "x".repeat(63),
  "y".repeat(64),
  "z".repeat(4095),
  "w".repeat(4096),
  "\x00\xff",
]; // prettier-ignore

function randomEntries(random: Random, count: number): Entry[] {
  let ms = BigInt(random.below(1000));
  let seq = 0n;
  return Array.from({ length: count }, () => {
    const step = random.pick([0n, 0n, 1n, 200n, 5000n, 2n ** 31n, 2n ** 53n]);
    ms += step;
    seq = step === 0n ? seq + random.pick([1n, 1n, 300n, 2n ** 40n]) : BigInt(random.below(3));
    const names = random.pick([["a"], ["a", "b"], ["a", "b"], ["7", "x".repeat(63), "y".repeat(70)]]);
    return [`${ms}-${seq}`, ...names.flatMap((name) => [name, random.pick(TEXTS)])] as Entry;
  });
}

describe("nodes", () => {
  test("entries are read as they were written, in both directions", () => {
    const random = seeded("stream node");
    for (let i = 0; i < 200; i++) {
      const entries = randomEntries(random, 1 + random.below(150));
      const node = nodeOf(entries);
      expect(entriesOf(node, entries[0]![0])).toEqual(entries);
      expect([nodeEntries(node), nodeDeleted(node)]).toEqual([entries.length, 0]);
      expect(nodeIsValid(node)).toBe(true);
    }
  });

  test("the fields of the first entry are not written again", () => {
    const name = "name".repeat(10);
    const many: Entry[] = Array.from({ length: 100 }, (_, i) => [`1-${i}`, name, "v"]);
    expect(nodeOf(many).end).toBeLessThan(100 * 12 + 80);
  });

  test("deleted entries are marked, and counted beyond 127", () => {
    const entries: Entry[] = Array.from({ length: 300 }, (_, i) => [`1-${i}`, "f", `${i}`]);
    const node = nodeOf(entries);
    const cursor = cursorAt(node, "1-0");
    let gone = 0;
    for (let more = cursor.toFirst(); more; more = cursor.next()) {
      if (cursor.id.seqLow % 3 === 0) continue;
      cursor.markDeleted();
      gone++;
      expect(cursor.deleted).toBe(true);
      // The cursor still stands at its entry, though counts have grown before it.
      expect(entryAt(cursor, true)).toEqual(entries[cursor.id.seqLow]!);
    }
    expect([nodeEntries(node), nodeDeleted(node)]).toEqual([300 - gone, gone]);
    expect(entriesOf(node, "1-0")).toEqual(entries);
    const kept: number[] = [];
    for (let more = cursor.toLast(); more; more = cursor.previous())
      if (!cursor.deleted) kept.unshift(cursor.id.seqLow);
    expect(kept).toEqual(entries.map((_, i) => i).filter((i) => i % 3 === 0));
    expect(nodeIsValid(node)).toBe(true);
  });

  test("more elements than a listpack's header can count", () => {
    const entries: Entry[] = Array.from({ length: 20000 }, (_, i) => [`${i + 1}-0`, "f", "v"]);
    const node = nodeOf(entries);
    expect(entriesOf(node, "1-0").length).toBe(20000);
    expect(nodeIsValid(node)).toBe(true);
  });

  test("damaged nodes are refused, and reading their validity never goes astray", () => {
    const random = seeded("damaged stream node");
    let refused = 0;
    for (let i = 0; i < 3000; i++) {
      const node = nodeOf(randomEntries(random, 1 + random.below(6)));
      node.buf[random.below(node.end)] = random.below(256);
      if (!nodeIsValid(node)) refused++;
    }
    expect(refused).toBeGreaterThan(300);
    expect(nodeIsValid(new OwnBytes(Uint8Array.of(7, 0, 0, 0, 0, 0, 255)))).toBe(false);
  });
});

const oracle = findOracle() === null ? null : await startOracle(["--rdbcompression", "no"]);

describeWithOracle("nodes beside Redis's", () => {
  afterAll(async () => {
    await oracle?.stop("SIGKILL");
  });

  test("a DUMP holds the same bytes", async () => {
    const random = seeded("stream nodes beside Redis's");
    const wire = await Wire.open(oracle!.port);
    await wire.send([["CONFIG", "SET", "stream-node-max-bytes", "0"]]);
    for (let i = 0; i < 60; i++) {
      const entries = randomEntries(random, 1 + random.below(60));
      const deleted = entries.filter(() => random.below(4) === 0).map(([id]) => id);
      if (deleted.length === entries.length) deleted.pop();
      const node = nodeOf(entries);
      const cursor = cursorAt(node, entries[0]![0]);
      for (let more = cursor.toFirst(); more; more = cursor.next())
        if (deleted.includes(textOf(cursor.id))) cursor.markDeleted();
      const replies = await wire.send([
        ["DEL", "s"],
        ...entries.map(([id, ...texts]) => ["XADD", "s", id, ...texts]),
        ...(deleted.length > 0 ? [["XDEL", "s", ...deleted]] : []),
        ["DUMP", "s"],
      ]);
      expect(replies.at(-1)!.includes(node.buf.subarray(0, node.end))).toBe(true);
    }
    wire.close();
  });
});
