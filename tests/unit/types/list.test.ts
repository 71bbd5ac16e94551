/** One suite for both forms of a list, and for a list in the key space that goes from one form to the other. */
import { describe, expect, test } from "bun:test";
import { ListValue } from "../../../src/commands/lists/values.ts";
import { LpItem, lpCreate, lpValidate } from "../../../src/encodings/listpack.ts";
import { Quicklist } from "../../../src/encodings/quicklist.ts";
import { ListCursor, Needle } from "../../../src/encodings/quicklist-cursor.ts";
import { ENC_LISTPACK, ENC_LISTPACK_BLOCK, ENC_OBJECT } from "../../../src/keyspace/record.ts";
import { OwnBytes } from "../../../src/memory/byte-store.ts";
import { type ListLimits, type ListStore, SmallList } from "../../../src/types/list.ts";
import { bytesOf, type Random, seeded } from "../bytes/random.ts";
import { key, testDatabase } from "../keyspace/support.ts";

const LIMITS: ListLimits = { listMaxListpackSize: 20, listCompressDepth: 0, packedThreshold: 0 };
const KEY = key("some list");
const item = new LpItem();
const cursor = new ListCursor();
const needle = new Needle();

/** A list to be tested; `store` gives the one to work on, `done` follows each change. */
interface Subject {
  store(): ListStore;
  /** The store after `willAdd`, which may be another one. */
  current(): ListStore;
  willAdd(bytes: number): void;
  done(): void;
}

interface Form {
  name: string;
  limit: number;
  make(): Subject;
}

function fixed(store: ListStore, done: () => void = () => {}): Subject {
  return { store: () => store, current: () => store, willAdd: () => {}, done };
}

/** A list under a key, which comes and goes with its elements. */
function stored(limits: ListLimits): Subject & { encodings: Set<number> } {
  const db = testDatabase();
  const value = new ListValue(limits);
  const encodings = new Set<number>();
  const find = () => db.find(KEY, 0, KEY.length);
  let exists = false;
  return {
    encodings,
    store() {
      exists = value.bind(db, find());
      return exists ? value.store : EMPTY;
    },
    current: () => value.store,
    willAdd(bytes) {
      if (exists) value.grow(bytes, 1);
      else value.create(KEY, 0, KEY.length, bytes, 1);
    },
    done() {
      value.shrink();
      const position = find();
      if (position !== 0) encodings.add(db.records.encoding(position));
    },
  };
}

const EMPTY = new SmallList();
const nothing = new OwnBytes();
lpCreate(nothing);
EMPTY.bind(nothing);

const forms: Form[] = [
  {
    name: "a listpack",
    limit: 100,
    make() {
      const bytes = new OwnBytes();
      lpCreate(bytes);
      return fixed(new SmallList().bind(bytes), () => expect(lpValidate(bytes)).toBe(true));
    },
  },
  { name: "a quicklist", limit: 1000, make: () => fixed(new Quicklist(LIMITS)) },
  {
    name: "a quicklist of big elements",
    limit: 100,
    make: () => fixed(new Quicklist({ ...LIMITS, packedThreshold: 3 })),
  },
  { name: "a list under a key, around the limit", limit: 40, make: () => stored(LIMITS) },
  {
    name: "a list under a key, of up to 64 KiB",
    limit: 3000,
    make: () => stored({ ...LIMITS, listMaxListpackSize: -5 }),
  },
];

function text(value: LpItem): string {
  return Buffer.from(value.copy()).toString("latin1");
}

function contents(store: ListStore, backwards: boolean): string[] {
  const { length } = store;
  const found: string[] = [];
  if (length === 0) return found;
  store.seek(cursor, backwards ? length - 1 : 0, backwards);
  do found.push(text(cursor.get(item)));
  while (cursor.advance());
  return backwards ? found.reverse() : found;
}

function anyValue(random: Random): string {
  return random.pick([
    String(random.below(30) - 10),
    `v${random.below(30)}`,
    "x".repeat(random.below(80)),
    "",
    "9223372036854775807",
  ]);
}

/** A random operation on both. */
function step(random: Random, subject: Subject, model: string[], limit: number): void {
  const value = anyValue(random);
  const bytes = bytesOf(value);
  const atHead = random.below(2) === 0;
  const store = subject.store();
  expect(store.length).toBe(model.length);
  const { length } = model;
  const index = random.below(length);
  const growing = length < limit && random.below(3) > 0;
  const kind = length === 0 ? 0 : length > limit ? 6 : growing ? random.below(5) : random.below(10);
  switch (kind) {
    case 0:
    case 1:
    case 2:
      subject.willAdd(value.length);
      subject.current().push(atHead, bytes, 0, bytes.length);
      if (atHead) model.unshift(value);
      else model.push(value);
      break;
    case 3: {
      subject.willAdd(value.length);
      const current = subject.current();
      current.seek(cursor, index, false);
      current.insert(cursor, atHead, bytes, 0, bytes.length);
      model.splice(atHead ? index + 1 : index, 0, value);
      break;
    }
    case 4:
      store.seek(cursor, index, atHead);
      expect(text(cursor.get(item))).toBe(model[index]!);
      store.replace(cursor, bytes, 0, bytes.length);
      model[index] = value;
      break;
    case 5:
      expect(text(store.peek(atHead, item))).toBe(model.at(atHead ? 0 : -1)!);
      store.drop(atHead, 1);
      model.splice(atHead ? 0 : length - 1, 1);
      break;
    case 6: {
      const count = Math.min(length, 1 + random.below(length > limit ? length : 3));
      store.drop(atHead, count);
      model.splice(atHead ? 0 : length - count, count);
      break;
    }
    case 7: {
      const count = Math.min(length - index, random.below(6));
      store.removeRange(index, count);
      model.splice(index, count);
      break;
    }
    case 8: {
      const wanted = random.below(2) === 0 ? value : model[index]!;
      const before = model.length;
      const kept = model.filter((element) => element !== wanted);
      needle.set(bytesOf(wanted), 0, wanted.length);
      expect(store.removeEqual(needle, Number.POSITIVE_INFINITY, atHead)).toBe(before - kept.length);
      model.splice(0, before, ...kept);
      break;
    }
    default:
      store.seek(cursor, atHead ? 0 : length - 1, !atHead);
      needle.set(bytes, 0, bytes.length);
      expect(needle.find(cursor)).toBe(model.includes(value));
  }
  subject.done();
}

describe("a list is", () => {
  for (const form of forms)
    test(form.name, () => {
      const random = seeded(form.name);
      const subject = form.make();
      const model: string[] = [];
      for (let i = 0; i < 4000; i++) {
        step(random, subject, model, form.limit);
        if (i % 10 !== 0) continue;
        expect(contents(subject.store(), false)).toEqual(model);
        expect(contents(subject.store(), true)).toEqual(model);
      }
    });
});

describe("conversion", () => {
  test("both ways, again and again", () => {
    const random = seeded("list conversion");
    const subject = stored(LIMITS);
    const model: string[] = [];
    for (let i = 0; i < 6000; i++) step(random, subject, model, 40);
    expect([...subject.encodings].sort()).toEqual([ENC_OBJECT, ENC_LISTPACK].sort());
  });

  test("a listpack too large for a cell is in a block, and becomes a quicklist as well", () => {
    const limits = { ...LIMITS, listMaxListpackSize: -5 };
    const db = testDatabase();
    const list = new ListValue(limits);
    const value = bytesOf("x".repeat(1000));
    const encodings: number[] = [];
    list.bind(db, 0);
    list.create(KEY, 0, KEY.length, 0, 0);
    const encoding = () => db.records.encoding(db.find(KEY, 0, KEY.length));
    for (let i = 0; i < 70; i++) {
      list.grow(1000, 1);
      list.store.push(i % 2 === 0, value, 0, value.length);
      encodings.push(encoding());
    }
    expect(encodings[20]).toBe(ENC_LISTPACK);
    expect(encodings[40]).toBe(ENC_LISTPACK_BLOCK);
    expect(encodings[69]).toBe(ENC_OBJECT);
    for (let i = 70; i > 1; i--) {
      list.store.drop(false, 1);
      list.shrink();
      if (i % 10 === 0) expect(contents(list.store, true)).toEqual(Array(i - 1).fill("x".repeat(1000)));
    }
    expect(encoding()).toBe(ENC_LISTPACK);
  });

  test("grows at the limit, shrinks at half of it, by the limits that hold then", () => {
    const limits = { listMaxListpackSize: 4, listCompressDepth: 0, packedThreshold: 0 };
    const db = testDatabase();
    const list = new ListValue(limits);
    const one = bytesOf("x");
    const bind = () => list.bind(db, db.find(KEY, 0, KEY.length));
    const push = () => {
      if (bind()) list.grow(1, 1);
      else list.create(KEY, 0, KEY.length, 1, 1);
      list.store.push(false, one, 0, 1);
      return list.isBig;
    };
    const pop = () => {
      bind();
      list.store.drop(false, 1);
      list.shrink();
      return bind() && list.isBig;
    };
    expect([push(), push(), push(), push(), push()]).toEqual([false, false, false, false, true]);
    expect([pop(), pop(), pop()]).toEqual([true, true, false]);
    limits.listMaxListpackSize = 2;
    expect(push()).toBe(true);
    limits.listMaxListpackSize = 100;
    expect(pop()).toBe(false);
    expect(pop()).toBe(false);
    pop();
    expect(db.size).toBe(0);
  });
});
