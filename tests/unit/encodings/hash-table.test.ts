import { describe, expect, test } from "bun:test";
import { HashTable, TableCursor } from "../../../src/encodings/hash-table.ts";
import { TABLE_CURSOR_END } from "../../../src/encodings/hash-table-scan.ts";
import { NO_EXPIRY, type Range } from "../../../src/encodings/hash-table-segment.ts";
import { Random } from "../../../src/host/random.ts";
import { bytesOf, type Random as Seeded, seeded } from "../bytes/random.ts";

const range: Range = { buf: new Uint8Array(0), start: 0, end: 0 };

function text(): string {
  return Buffer.from(range.buf.subarray(range.start, range.end)).toString("latin1");
}

function find(table: HashTable, field: string): boolean {
  const bytes = bytesOf(field);
  return table.find(bytes, 0, bytes.length);
}

function add(table: HashTable, member: string): boolean {
  const bytes = bytesOf(member);
  return table.add(bytes, 0, bytes.length);
}

function set(table: HashTable, field: string, value: string): boolean {
  const [a, b] = [bytesOf(field), bytesOf(value)];
  return table.set(a, 0, a.length, b, 0, b.length);
}

function remove(table: HashTable, field: string): boolean {
  if (!find(table, field)) return false;
  table.remove();
  return true;
}

function fields(table: HashTable): string[] {
  const found: string[] = [];
  const cursor = new TableCursor();
  while (table.advance(cursor)) {
    table.readField(range);
    found.push(text());
  }
  return found;
}

/** Fields with values and expiries, as text, in order. */
function contents(table: HashTable): string[] {
  return fields(table)
    .map((field) => {
      find(table, field);
      if (!table.hasValues) return field;
      table.readValue(range);
      return `${field}=${text()}@${table.expiry}`;
    })
    .sort();
}

function check(table: HashTable): void {
  let held = 0;
  let count = 0;
  for (const [i, segment] of table.segments.entries()) {
    expect(segment.index).toBe(i);
    held += segment.size;
    count += segment.count;
    let entries = 0;
    for (let slot = 0; slot < segment.capacity; slot++) if (segment.slots[slot] !== 0) entries++;
    expect(entries).toBe(segment.count);
  }
  expect(table.count).toBe(count);
  expect(table.memoryUse).toBeGreaterThanOrEqual(held);
  expect(table.memoryUse).toBeLessThan(held + 100_000 + 8 * 2 ** 20);
}

const newTable = (hasValues: boolean, expected = 0) => new HashTable(11, 22, hasValues, expected);

function someText(random: Seeded): string {
  const length = random.pick([1, 3, 10, 30, 130, 300, 4000, 20_000].slice(0, random.below(40) === 0 ? 8 : 5));
  return String(random.below(1000)).padEnd(random.below(length) + 1, "x");
}

describe("hash table", () => {
  test("random operations beside a Map", () => {
    const random = seeded("hash table");
    for (let round = 0; round < 6; round++) {
      const table = newTable(true, random.pick([0, 0, 100, 100_000]));
      const model = new Map<string, { value: string; expiry: number }>();
      for (let step = 0; step < 6000; step++) {
        const field = someText(random);
        const kind = random.below(round % 2 === 0 || step < 4000 ? 10 : 30);
        if (kind < 5) {
          const value = someText(random);
          expect(set(table, field, value)).toBe(!model.has(field));
          model.set(field, { value, expiry: NO_EXPIRY });
        } else if (kind < 7) {
          expect(find(table, field)).toBe(model.has(field));
          if (!model.has(field)) continue;
          const entry = model.get(field)!;
          expect(table.expiry).toBe(entry.expiry);
          table.readValue(range);
          expect(text()).toBe(entry.value);
        } else if (kind === 7) {
          if (!find(table, field)) continue;
          const expiry = random.pick([NO_EXPIRY, 0, 1_700_000_000_123, 2 ** 47]);
          table.setExpiry(expiry);
          model.get(field)!.expiry = expiry;
        } else if (kind === 8) {
          if (!find(table, field)) continue;
          const value = bytesOf(someText(random));
          table.setValue(value, 0, value.length);
          model.get(field)!.value = Buffer.from(value).toString("latin1");
        } else {
          expect(remove(table, field)).toBe(model.delete(field));
        }
      }
      check(table);
      const expected = [...model].map(([field, { value, expiry }]) => `${field}=${value}@${expiry}`).sort();
      expect(contents(table)).toEqual(expected);
      expect(table.expiring).toBe([...model.values()].filter(({ expiry }) => expiry !== NO_EXPIRY).length);
      const copy = table.clone();
      check(copy);
      for (const field of model.keys()) expect(remove(table, field)).toBe(true);
      expect(table.count).toBe(0);
      expect(table.segments.length).toBe(1);
      expect(table.memoryUse).toBeLessThan(4000);
      expect(contents(copy)).toEqual(expected);
      copy.dispose();
    }
  });

  test("grows to many segments and shrinks to one", () => {
    const table = newTable(false);
    for (let i = 0; i < 50_000; i++) expect(add(table, `member:${i}`)).toBe(true);
    check(table);
    expect(table.segments.length).toBeGreaterThan(50);
    for (let i = 0; i < 50_000; i += 7) expect(add(table, `member:${i}`)).toBe(false);
    expect(new Set(fields(table)).size).toBe(50_000);
    expect(table.memoryUse / 50_000).toBeLessThan(36);
    for (let i = 0; i < 49_990; i++) expect(remove(table, `member:${i}`)).toBe(true);
    check(table);
    expect(fields(table).length).toBe(10);
    expect(table.segments.length).toBe(1);
    expect(table.memoryUse).toBeLessThan(2000);
  });

  test("entries with long values split segments by their bytes", () => {
    const table = newTable(true);
    for (let i = 0; i < 500; i++) set(table, `f${i}`, "v".repeat(4000));
    check(table);
    expect(table.segments.length).toBeGreaterThan(5);
    for (const segment of table.segments) expect(segment.bytes.length).toBeLessThanOrEqual(65536);
    expect(table.memoryUse / 500).toBeLessThan(6000);
  });

  test("a value overwritten again and again does not fill memory", () => {
    const table = newTable(true);
    for (let i = 0; i < 20_000; i++) set(table, `f${i % 10}`, "v".repeat((i * 37) % 500));
    expect(table.memoryUse).toBeLessThan(20_000);
  });

  test("every entry is as likely as any other to be the random one", () => {
    const table = newTable(false);
    const hits = new Map<string, number>();
    // In the midst of growth: some segments are split already, others are not.
    while (table.segments.length < 9) {
      add(table, `m${hits.size}`);
      hits.set(`m${hits.size}`, 0);
    }
    expect(new Set(table.segments.map(({ depth }) => depth)).size).toBeGreaterThan(1);
    const { int32 } = new Random(7);
    const draws = hits.size * 100;
    for (let i = 0; i < draws; i++) {
      table.random(int32);
      table.readField(range);
      hits.set(text(), hits.get(text())! + 1);
    }
    let chiSquare = 0;
    for (const n of hits.values()) chiSquare += (n - 100) ** 2 / 100;
    // Its mean is the number of members, its variance twice that; beyond six deviations there is a bias.
    expect(Math.abs(chiSquare - hits.size)).toBeLessThan(6 * Math.sqrt(2 * hits.size));
  });

  test("entry numbers lead back to the entry", () => {
    const table = newTable(false);
    for (let i = 0; i < 5000; i++) add(table, `m${i}`);
    const { int32 } = new Random(3);
    for (let i = 0; i < 100; i++) {
      table.random(int32);
      table.readField(range);
      const [name, { entry }] = [text(), table];
      table.random(int32);
      table.select(entry);
      table.readField(range);
      expect(text()).toBe(name);
    }
  });
});

describe("a field whose hash was computed ahead", () => {
  test("is looked for by that hash, others by their own, and nothing by it once it is withdrawn", () => {
    const table = newTable(true);
    for (let i = 0; i < 5000; i++) set(table, `field${i}`, `value${i}`);
    const bytes = bytesOf("field1field2");
    const hash = table.hashOf(bytes, 6, 12);
    const hashes = new Int32Array([hash, table.hashOf(bytes, 0, 6), table.hashOf(bytes, 0, 12)]);
    expect(table.prefetch(hashes, 3)).toBeNumber();
    table.expect(bytes, 6, hash);
    expect(table.find(bytes, 6, 12)).toBe(true);
    table.readField(range);
    expect(text()).toBe("field2");
    expect(table.find(bytes, 0, 6)).toBe(true);
    table.readField(range);
    expect(text()).toBe("field1");
    // The buffer holds another field now.
    bytes.set(bytesOf("field9"), 6);
    expect(table.find(bytes, 6, 12)).toBe(false);
    table.expect(new Uint8Array(0), -1, 0);
    expect(table.find(bytes, 6, 12)).toBe(true);
    table.readField(range);
    expect(text()).toBe("field9");
  });
});

describe("scanning a hash table", () => {
  function step(table: HashTable, cursor: number, count: number, seen: Map<string, number>): number {
    const found: number[] = [];
    const next = table.scan(cursor, count, found);
    for (const entry of found) {
      table.select(entry);
      table.readField(range);
      seen.set(text(), (seen.get(text()) ?? 0) + 1);
    }
    return next;
  }

  test("returns everything once while nothing changes, about COUNT at a time", () => {
    for (const size of [0, 1, 7, 100, 1000, 20_000]) {
      const table = newTable(false);
      for (let i = 0; i < size; i++) add(table, `m${i}`);
      for (const count of [1, 10, 100]) {
        const seen = new Map<string, number>();
        let cursor = 0;
        let calls = 0;
        do {
          cursor = step(table, cursor, count, seen);
          expect(cursor).toBeLessThan(TABLE_CURSOR_END);
          calls++;
        } while (cursor !== 0);
        expect(seen.size).toBe(size);
        expect([...seen.values()].every((n) => n === 1)).toBe(true);
        if (size === 1000) expect(calls).toBeGreaterThan(1000 / count / 20);
      }
    }
  });

  test("what stays is found, however the table grows and shrinks meanwhile", () => {
    const random = seeded("scanning a hash table");
    for (let round = 0; round < 16; round++) {
      const table = newTable(false);
      const staying = Array.from({ length: 1 + random.below(500) }, (_, i) => `stays:${i}`);
      for (const member of staying) add(table, member);
      const others: string[] = [];
      const churn = (amount: number) => {
        const growing = random.below(2) === 0;
        for (let i = 0; i < amount; i++) {
          if (growing || others.length === 0) {
            const member = `goes:${random.below(1e9)}`;
            if (add(table, member)) others.push(member);
          } else {
            const at = random.below(others.length);
            remove(table, others[at]!);
            others[at] = others.at(-1)!;
            others.pop();
          }
        }
      };
      churn(random.below(5000));
      const seen = new Map<string, number>();
      let cursor = 0;
      do {
        cursor = step(table, cursor, 1 + random.below(50), seen);
        churn(random.below(random.pick([5, 300, 3000])));
      } while (cursor !== 0);
      for (const member of staying) expect(seen.has(member)).toBe(true);
    }
  });

  test("any cursor is safe", () => {
    const random = seeded("cursors");
    const table = newTable(false);
    for (let i = 0; i < 3000; i++) add(table, `m${i}`);
    for (let i = 0; i < 2000; i++) {
      const cursor = Math.floor((random.below(2 ** 31) / 2 ** 31) * TABLE_CURSOR_END);
      const next = table.scan(cursor, 10, []);
      expect(next).toBeGreaterThanOrEqual(0);
    }
  });
});
