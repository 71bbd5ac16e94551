import { expect, test } from "bun:test";
import { ENC_BLOCK, ENC_RAW } from "../../../src/keyspace/record.ts";
import { growString, StringView, stringLength } from "../../../src/keyspace/strings.ts";
import { seeded } from "../bytes/random.ts";
import { key, testDatabase } from "./support.ts";

const view = new StringView();

function set(db: ReturnType<typeof testDatabase>, name: string, text: string): number {
  const value = key(text);
  return db.setString(key(name), 0, name.length, value, 0, value.length, -1);
}

test("a view shows the bytes of every encoding", () => {
  const db = testDatabase();
  for (const text of ["", "0", "-17", "9223372036854775807", "abc", "x".repeat(100), "y".repeat(50_000)]) {
    const position = set(db, "k", text);
    expect(Buffer.from(view.read(db, position).copy()).toString()).toBe(text);
    expect([view.length, stringLength(db, position)]).toEqual([text.length, text.length]);
  }
});

test("two views of integers do not disturb each other", () => {
  const db = testDatabase();
  const [a, b] = [set(db, "a", "111"), set(db, "b", "22222")];
  const other = new StringView();
  view.read(db, a);
  other.read(db, b);
  expect(stringLength(db, b)).toBe(5);
  expect([Buffer.from(view.copy()).toString(), Buffer.from(other.copy()).toString()]).toEqual([
    "111",
    "22222",
  ]);
});

test("growth keeps the bytes and adds zeros, whatever stood in the memory before", () => {
  const random = seeded("growString");
  const db = testDatabase();
  for (let round = 0; round < 300; round++) {
    // Dirty the arena, so that fresh cells are not zero by luck.
    const junk = random.bytes(random.below(2000)).fill(0xff);
    db.setString(key("junk"), 0, 4, junk, 0, junk.length, -1);
    db.remove(db.find(key("junk"), 0, 4));
    let expected = Buffer.from(
      random.below(3) === 0 ? String(random.below(1000)) : random.bytes(random.below(200)),
    );
    let position = db.setString(key("k"), 0, 1, expected, 0, expected.length, random.pick([-1, 2 ** 41]));
    for (let step = 0; step < 6; step++) {
      const length = expected.length + random.below(random.pick([2, 30, 3000, 60_000]));
      position = growString(db, position, length, view);
      expected = Buffer.concat([expected, Buffer.alloc(length - expected.length)]);
      expect(db.find(key("k"), 0, 1)).toBe(position);
      if (!expected.equals(view.copy())) throw new Error(`wrong bytes after growing to ${length}`);
      expect([ENC_RAW, ENC_BLOCK]).toContain(db.records.encoding(position));
    }
  }
});

test("appending byte by byte moves a value about once a doubling", () => {
  const db = testDatabase();
  let position = set(db, "k", "x");
  let moves = 0;
  let buf = view.read(db, position).buf;
  for (let length = 2; length <= 300_000; length++) {
    const fresh = growString(db, position, length, view);
    if (fresh !== position || view.buf !== buf) moves++;
    position = fresh;
    buf = view.buf;
  }
  expect(moves).toBeLessThan(30);
  expect(db.dataBytes).toBeLessThan(1_000_000);
});

test("a long key is not lost when its value grows out of its cell", () => {
  const db = testDatabase();
  const name = "k".repeat(40_000);
  const bytes = key(name);
  let position = db.setString(bytes, 0, bytes.length, key("v"), 0, 1, 2 ** 41);
  for (const length of [10, 100, 5000, 100_000]) {
    position = growString(db, position, length, view);
    expect(db.find(bytes, 0, bytes.length)).toBe(position);
    expect(db.records.expireAt(position)).toBe(2 ** 41);
  }
  db.remove(position);
  expect([db.dataBytes, db.records.blocks.count]).toEqual([0, 0]);
});
