/**
 * One suite for each encoding of a set, beside a plain Set, over bytes of its own and over records of a database.
 */
import { describe, expect, test } from "bun:test";
import { LpItem } from "../../../src/encodings/listpack.ts";
import { TYPE_SET } from "../../../src/keyspace/record.ts";
import { addValue, RecordHome, replaceValue } from "../../../src/keyspace/value-home.ts";
import { FORM_INTSET, FORM_LISTPACK, FORM_OBJECT, OwnHome, type ValueHome } from "../../../src/types/home.ts";
import { type SetLimits, SetValue } from "../../../src/types/set.ts";
import { bytesOf, type Random, seeded } from "../bytes/random.ts";
import { key, testDatabase } from "../keyspace/support.ts";

interface Limits extends SetLimits {
  setMaxIntsetEntries: number;
  setMaxListpackEntries: number;
  setMaxListpackValue: number;
}

const limits = (ints = 512, entries = 128, value = 64): Limits => ({
  setMaxIntsetEntries: ints,
  setMaxListpackEntries: entries,
  setMaxListpackValue: value,
});

const seeds = { seed0: 1, seed1: 2 };
const item = new LpItem();
const textOf = (member: LpItem) => Buffer.from(member.copy()).toString("latin1");

function members(set: SetValue): string[] {
  const found: string[] = [];
  for (set.rewind(); set.next(item); ) found.push(textOf(item));
  return found.sort();
}

function call(set: SetValue, what: "add" | "remove" | "has", member: string): boolean {
  const bytes = bytesOf(member);
  return set[what](bytes, 0, bytes.length);
}

const integer = (random: Random) =>
  String(random.pick([0, 100, -100, 40_000, -70_000, 2 ** 40, -(2 ** 52)]) + random.below(60));
const word = (random: Random) => random.pick(["a", "key:", "0", "longer member "]) + random.below(200);

/** Encodings by what goes into the set; `mixed` crosses all conversions. */
const KINDS = {
  intset: { form: FORM_INTSET, limits: limits(1e9), member: integer },
  listpack: {
    form: FORM_LISTPACK,
    limits: limits(0, 1e9, 1e9),
    member: (r: Random) => (r.below(2) ? integer(r) : word(r)),
  },
  table: { form: FORM_OBJECT, limits: limits(0, 0, 0), member: word },
  mixed: {
    form: -1,
    limits: limits(20, 40, 10),
    member: (r: Random) => (r.below(30) ? integer(r) : word(r)),
  },
};

for (const [name, kind] of Object.entries(KINDS)) {
  describe(`set as ${name}`, () => {
    function exercise(home: ValueHome, set: SetValue, model: Set<string>, random: Random): void {
      for (let step = 0; step < 600; step++) {
        const member = kind.member(random);
        const action = random.below(10);
        if (action < 5) {
          expect(call(set, "add", member)).toBe(!model.has(member));
          model.add(member);
        } else if (action < 7) {
          expect(call(set, "remove", member)).toBe(model.delete(member));
        } else if (action < 9) expect(call(set, "has", member)).toBe(model.has(member));
        else if (model.size > 1) {
          set.random(() => random.below(2 ** 32) | 0, item);
          const popped = textOf(item);
          expect(model.delete(popped)).toBe(true);
          set.removeRandom();
        }
        if (kind.form >= 0) expect(home.form).toBe(kind.form);
        expect(set.size).toBe(model.size);
      }
      expect(members(set)).toEqual([...model].sort());
    }

    test("random operations on bytes of its own", () => {
      const random = seeded(`set ${name}`);
      for (let round = 0; round < 20; round++) {
        const home = new OwnHome();
        const set = new SetValue(kind.limits).bind(home, seeds);
        const first = kind.member(random);
        set.create(bytesOf(first), 0, first.length, 1);
        exercise(home, set, new Set(), random);
      }
    });

    test("random operations on records, several at a time", () => {
      const random = seeded(`set records ${name}`);
      const db = testDatabase();
      const models = new Map<string, Set<string>>();
      const set = new SetValue(kind.limits);
      const record = new RecordHome();
      for (let round = 0; round < 30; round++) {
        const name = `k${random.below(6)}`;
        let position = db.find(key(name), 0, name.length);
        if (position === 0) {
          const own = new OwnHome();
          const first = kind.member(random);
          set.bind(own, seeds).create(bytesOf(first), 0, first.length, 1);
          call(set, "add", first);
          position = addValue(db, TYPE_SET, key(name), 0, name.length, own);
          models.set(name, new Set([first]));
        }
        set.bind(record.bind(db, position), db.context);
        exercise(record, set, models.get(name)!, random);
        expect(db.find(key(name), 0, name.length)).toBe(record.position);
      }
      for (const [name, model] of models) {
        set.bind(record.bind(db, db.find(key(name), 0, name.length)), db.context);
        expect(members(set)).toEqual([...model].sort());
      }
    });

    test("a stored result has the same members, in place of another value too", () => {
      const random = seeded(`set results ${name}`);
      const db = testDatabase();
      const set = new SetValue(kind.limits);
      for (let round = 0; round < 20; round++) {
        const own = new OwnHome();
        const first = kind.member(random);
        set.bind(own, seeds).create(bytesOf(first), 0, first.length, 1);
        const model = new Set<string>();
        exercise(own, set, model, random);
        const old = db.find(key("k"), 0, 1);
        const at = old === 0 ? addValue(db, TYPE_SET, key("k"), 0, 1, own) : replaceValue(db, old, own);
        expect(db.find(key("k"), 0, 1)).toBe(at);
        set.bind(new RecordHome().bind(db, at), db.context);
        expect(members(set)).toEqual([...model].sort());
      }
    });
  });
}

describe("conversions", () => {
  function built(all: string[], max: Limits, expected = all.length): { home: OwnHome; set: SetValue } {
    const home = new OwnHome();
    const set = new SetValue(max).bind(home, seeds);
    set.create(bytesOf(all[0]!), 0, all[0]!.length, expected);
    for (const member of all) call(set, "add", member);
    return { home, set };
  }
  const numbers = (n: number) => Array.from({ length: n }, (_, i) => String(i));
  const words = (n: number) => Array.from({ length: n }, (_, i) => `w${i}`);

  test("by the limits of Redis 7.2", () => {
    expect(built(numbers(512), limits(), 1).home.form).toBe(FORM_INTSET);
    expect(built(numbers(513), limits(), 1).home.form).toBe(FORM_OBJECT);
    expect(built(words(128), limits(), 1).home.form).toBe(FORM_LISTPACK);
    expect(built(words(129), limits(), 1).home.form).toBe(FORM_OBJECT);
    expect(built([...numbers(127), "x"], limits(), 1).home.form).toBe(FORM_LISTPACK);
    expect(built([...numbers(128), "x"], limits(), 1).home.form).toBe(FORM_OBJECT);
    expect(built(["x".repeat(64)], limits()).home.form).toBe(FORM_LISTPACK);
    expect(built(["x".repeat(65)], limits()).home.form).toBe(FORM_OBJECT);
    expect(built(["1"], limits(), 513).home.form).toBe(FORM_OBJECT);
    expect(built(["1"], limits(100), 101).home.form).toBe(FORM_LISTPACK);
    expect(built(["1"], limits(0)).home.form).toBe(FORM_LISTPACK);
    expect(built(["1"], limits(0, 0)).home.form).toBe(FORM_OBJECT);
    expect(built(["123456", "x"], limits(512, 128, 5)).home.form).toBe(FORM_OBJECT);
    expect(built(["-12345", "x"], limits(512, 128, 5)).home.form).toBe(FORM_OBJECT);
  });

  test("limits changed at run time hold for the next operation", () => {
    const max = limits();
    const { home, set } = built(numbers(10), max);
    max.setMaxIntsetEntries = 5;
    call(set, "add", "3");
    expect(home.form).toBe(FORM_INTSET);
    call(set, "add", "11");
    expect(home.form).toBe(FORM_OBJECT);
    expect(members(set)).toEqual([...numbers(10), "11"].sort());
    max.setMaxIntsetEntries = 512;
    call(set, "remove", "11");
    expect(home.form).toBe(FORM_OBJECT);
  });

  test("a coming crowd converts beforehand", () => {
    const { home, set } = built(words(3), limits());
    set.expect(128);
    expect(home.form).toBe(FORM_LISTPACK);
    set.expect(129);
    expect(home.form).toBe(FORM_OBJECT);
    expect(members(set)).toEqual(words(3));
  });

  test("what holds only integers can become an intset", () => {
    const { home, set } = built(numbers(600), limits(512), 1);
    set.toIntset();
    expect(home.form).toBe(FORM_OBJECT);
    for (const n of numbers(600).slice(400)) call(set, "remove", n);
    set.toIntset();
    expect(home.form).toBe(FORM_INTSET);
    expect(members(set)).toEqual(numbers(400).sort());
  });
});
