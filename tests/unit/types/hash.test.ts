/**
 * One suite for each encoding of a hash, beside a plain Map, over bytes of its own and over records of a database.
 */
import { describe, expect, test } from "bun:test";
import { LpItem } from "../../../src/encodings/listpack.ts";
import { TYPE_HASH } from "../../../src/keyspace/record.ts";
import { addValue, RecordHome } from "../../../src/keyspace/value-home.ts";
import { type HashLimits, HashValue } from "../../../src/types/hash.ts";
import { FORM_LISTPACK, FORM_OBJECT, OwnHome, type ValueHome } from "../../../src/types/home.ts";
import { bytesOf, type Random, seeded } from "../bytes/random.ts";
import { key, testDatabase } from "../keyspace/support.ts";

interface Limits extends HashLimits {
  hashMaxListpackEntries: number;
  hashMaxListpackValue: number;
}

const limits = (entries = 512, value = 64): Limits => ({
  hashMaxListpackEntries: entries,
  hashMaxListpackValue: value,
});

const seeds = { seed0: 1, seed1: 2 };
const field = new LpItem();
const value = new LpItem();
const textOf = (item: LpItem) => Buffer.from(item.copy()).toString("latin1");

function pairs(hash: HashValue): string[] {
  const found: string[] = [];
  for (hash.rewind(); hash.next(field, value); ) found.push(`${textOf(field)}=${textOf(value)}`);
  return found.sort();
}

const pairsOf = (model: Map<string, string>) => [...model].map(([f, v]) => `${f}=${v}`).sort();

function set(hash: HashValue, name: string, text: string): boolean {
  return hash.set(bytesOf(name), 0, name.length, bytesOf(text), 0, text.length);
}

const KINDS = {
  listpack: { form: FORM_LISTPACK, limits: limits(1e9, 1e9) },
  table: { form: FORM_OBJECT, limits: limits(0, 0) },
  mixed: { form: -1, limits: limits(40, 20) },
};

const someField = (random: Random) => random.pick(["", "f", "field:", "0"]) + random.below(60);
const someValue = (random: Random) =>
  random.below(40) === 0
    ? "long".repeat(random.below(20))
    : random.pick(["", "v", "-", "12345"]) + random.below(1000);

for (const [name, kind] of Object.entries(KINDS)) {
  describe(`hash as ${name}`, () => {
    function exercise(home: ValueHome, hash: HashValue, model: Map<string, string>, random: Random): void {
      for (let step = 0; step < 500; step++) {
        const [f, v] = [someField(random), someValue(random)];
        const bytes = bytesOf(f);
        const action = random.below(10);
        if (action < 5) {
          expect(set(hash, f, v)).toBe(!model.has(f));
          model.set(f, v);
        } else if (action < 7) expect(hash.remove(bytes, 0, bytes.length)).toBe(model.delete(f));
        else if (action < 9) {
          expect(hash.has(bytes, 0, bytes.length)).toBe(model.has(f));
          expect(hash.get(bytes, 0, bytes.length, value)).toBe(model.has(f));
          if (model.has(f)) expect(textOf(value)).toBe(model.get(f)!);
        } else if (model.size > 0) {
          hash.random(() => random.below(2 ** 32) | 0, field, value);
          expect(model.get(textOf(field))).toBe(textOf(value));
        }
        if (kind.form >= 0 && model.size > 0) expect(home.form).toBe(kind.form);
        expect(hash.size).toBe(model.size);
      }
      expect(pairs(hash)).toEqual(pairsOf(model));
    }

    test("random operations on bytes of its own", () => {
      const random = seeded(`hash ${name}`);
      for (let round = 0; round < 20; round++) {
        const home = new OwnHome();
        const hash = new HashValue(kind.limits).bind(home, seeds);
        hash.create();
        set(hash, "first", "1");
        exercise(home, hash, new Map([["first", "1"]]), random);
      }
    });

    test("random operations on records, several at a time", () => {
      const random = seeded(`hash records ${name}`);
      const db = testDatabase();
      const models = new Map<string, Map<string, string>>();
      const hash = new HashValue(kind.limits);
      const record = new RecordHome();
      for (let round = 0; round < 30; round++) {
        const name = `k${random.below(6)}`;
        let position = db.find(key(name), 0, name.length);
        if (position === 0) {
          const own = new OwnHome();
          hash.bind(own, seeds).create();
          set(hash, "first", "1");
          position = addValue(db, TYPE_HASH, key(name), 0, name.length, own);
          models.set(name, new Map([["first", "1"]]));
        }
        hash.bind(record.bind(db, position), db.context);
        exercise(record, hash, models.get(name)!, random);
        expect(db.find(key(name), 0, name.length)).toBe(record.position);
      }
      for (const [name, model] of models) {
        hash.bind(record.bind(db, db.find(key(name), 0, name.length)), db.context);
        expect(pairs(hash)).toEqual(pairsOf(model));
      }
    });
  });
}

describe("conversions", () => {
  function built(count: number, max: Limits): { home: OwnHome; hash: HashValue } {
    const home = new OwnHome();
    const hash = new HashValue(max).bind(home, seeds);
    hash.create();
    for (let i = 0; i < count; i++) set(hash, `f${i}`, `${i}`);
    return { home, hash };
  }

  test("by the limits of Redis 7.2", () => {
    expect(built(512, limits()).home.form).toBe(FORM_LISTPACK);
    expect(built(513, limits()).home.form).toBe(FORM_OBJECT);
    const { home, hash } = built(3, limits());
    set(hash, "f1", "x".repeat(64));
    expect(home.form).toBe(FORM_LISTPACK);
    set(hash, "f1", "x".repeat(65));
    expect(home.form).toBe(FORM_OBJECT);
    expect(pairs(hash)).toEqual(["f0=0", `f1=${"x".repeat(65)}`, "f2=2"]);
    const other = built(3, limits());
    set(other.hash, "y".repeat(65), "v");
    expect(other.home.form).toBe(FORM_OBJECT);
  });

  test("a coming crowd or a long value converts beforehand", () => {
    for (const [fields, longest, form] of [
      [512, 64, FORM_LISTPACK],
      [513, 1, FORM_OBJECT],
      [1, 65, FORM_OBJECT],
    ] as const) {
      const { home, hash } = built(3, limits());
      hash.expect(fields, longest, 100);
      expect(home.form).toBe(form);
      expect(hash.size).toBe(3);
    }
  });

  test("limits changed at run time hold for the next operation", () => {
    const max = limits();
    const { home, hash } = built(10, max);
    max.hashMaxListpackEntries = 5;
    set(hash, "f1", "again");
    expect(home.form).toBe(FORM_LISTPACK);
    set(hash, "new", "1");
    expect(home.form).toBe(FORM_OBJECT);
    expect(hash.size).toBe(11);
  });
});
