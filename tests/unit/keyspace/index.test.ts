import { expect, test } from "bun:test";
import { Index } from "../../../src/keyspace/index.ts";
import { Records, TYPE_STRING } from "../../../src/keyspace/record.ts";
import { type Random, seeded } from "../bytes/random.ts";
import { key } from "./support.ts";

/** An index over real records, with a Map beside it. */
class Keys {
  readonly records = new Records();
  readonly index: Index;
  readonly model = new Map<string, number>();
  readonly names: string[] = [];

  constructor(
    random: Random,
    private readonly hashOf?: (name: string) => number,
  ) {
    this.index = new Index(this.records, random.below(2 ** 31), random.below(2 ** 31));
  }

  hash(bytes: Uint8Array, name: string): number {
    return this.hashOf?.(name) ?? this.index.hash(bytes, 0, bytes.length);
  }

  find(name: string): number {
    const bytes = key(name);
    return this.index.find(this.hash(bytes, name), bytes, 0, bytes.length);
  }

  record(bytes: Uint8Array): number {
    return this.records.create(TYPE_STRING, 8, bytes, 0, bytes.length, 8, -1, 0);
  }

  /** `found`: by way of find and insertFound, as SET does it. */
  insert(name: string, found = true): void {
    const bytes = key(name);
    const hash = this.hash(bytes, name);
    if (found && this.index.find(hash, bytes, 0, bytes.length) !== 0) throw new Error(`${name} is there`);
    const position = this.record(bytes);
    if (found) this.index.insertFound(hash, position);
    else this.index.insert(hash, position);
    this.model.set(name, position);
    this.names.push(name);
  }

  remove(at: number): void {
    const name = this.names[at]!;
    this.names[at] = this.names[this.names.length - 1]!;
    this.names.pop();
    const position = this.model.get(name)!;
    this.index.remove(this.hash(key(name), name), position);
    this.records.free(position);
    this.model.delete(name);
  }

  /** Moves the key's record elsewhere. */
  move(name: string, found: boolean): void {
    const bytes = key(name);
    const hash = this.hash(bytes, name);
    const old = this.model.get(name)!;
    const fresh = this.record(bytes);
    if (found) {
      if (this.index.find(hash, bytes, 0, bytes.length) !== old) throw new Error(`${name} not found`);
      this.index.replaceFound(fresh);
    } else this.index.replace(hash, old, fresh);
    this.records.free(old);
    this.model.set(name, fresh);
  }

  check(): void {
    expect(this.index.count).toBe(this.model.size);
    for (const [name, position] of this.model)
      if (this.find(name) !== position) throw new Error(`${name} not found`);
    const scanned = new Set<number>();
    let cursor = 0;
    do {
      cursor = this.index.scan(cursor, 1000, (position) => {
        if (scanned.has(position)) throw new Error("scanned twice though nothing changed");
        scanned.add(position);
      });
    } while (cursor !== 0);
    expect(scanned.size).toBe(this.model.size);
  }
}

test("insert, find, replace and remove 250,000 keys", () => {
  const random = seeded("index");
  const keys = new Keys(random);
  for (let i = 0; i < 250_000; i++) keys.insert(`key:${i}`, (i & 3) !== 0);
  keys.check();
  expect(keys.index.segmentCount).toBeGreaterThan(250_000 / 1020);
  expect(keys.index.segmentCount).toBeLessThan(250_000 / 350);
  for (let i = 0; i < 20_000; i++) {
    expect(keys.find(`missing:${i}`)).toBe(0);
    keys.move(random.pick(keys.names), (i & 1) === 0);
  }
  while (keys.names.length > 3000) keys.remove(random.below(keys.names.length));
  keys.check();
  expect(keys.index.segmentCount).toBeLessThan(60);
  for (let i = 0; i < 20_000; i++) keys.insert(`again:${i}`);
  keys.check();
  while (keys.names.length > 0) keys.remove(random.below(keys.names.length));
  keys.check();
  expect(keys.index.segmentCount).toBe(1);
});

test("growing and shrinking at random, with keys that never were", () => {
  const random = seeded("index, random");
  const keys = new Keys(random);
  let next = 0;
  for (let round = 0; round < 60; round++) {
    const target = random.below(2) === 0 ? random.below(3000) : random.below(30_000);
    while (keys.names.length !== target)
      if (keys.names.length < target) keys.insert(`k${next++}`, random.below(2) === 0);
      else keys.remove(random.below(keys.names.length));
    for (let i = 0; i < 500; i++) if (keys.find(`none${i}`) !== 0) throw new Error("found what is not there");
    if (round % 10 === 9) keys.check();
  }
});

test("keys of one hash, and hashes that agree in many low bits", () => {
  const random = seeded("equal hashes");
  for (const [clashes, others] of [
    [700, 2000],
    [900, 0],
  ] as const) {
    // What begins with "c" has one hash; "n" shares its low 20 bits, so that splits do not part them.
    const hashOf = (name: string): number =>
      name.startsWith("c")
        ? 0x5a5a1234
        : name.startsWith("n")
          ? (0x5a5a1234 & 0xfffff) | (Number(name.slice(1)) << 20)
          : Math.imul(Number(name.slice(1)) + 1, 0x9e3779b1);
    const keys = new Keys(random, hashOf);
    for (let i = 0; i < clashes; i++) keys.insert(`c${i}`);
    for (let i = 0; i < 50; i++) keys.insert(`n${i}`);
    for (let i = 0; i < others; i++) keys.insert(`o${i}`);
    keys.check();
    expect(keys.index.forHash(hashOf("c"), () => {})).toBe(clashes);
    while (keys.names.length > 0) keys.remove(random.below(keys.names.length));
    keys.check();
  }
});

test("forHash gives every key of a hash and may remove it", () => {
  const random = seeded("forHash");
  const keys = new Keys(random, (name) => Number(name.slice(1)) % 7);
  for (let i = 0; i < 300; i++) keys.insert(`k${i}`);
  for (let hash = 0; hash < 7; hash++) {
    const expected = keys.names.filter((name) => Number(name.slice(1)) % 7 === hash);
    const seen: number[] = [];
    keys.index.forHash(hash, (position) => {
      seen.push(position);
      keys.index.remove(hash, position);
    });
    expect(seen.length).toBe(expected.length);
    expect(new Set(seen)).toEqual(new Set(expected.map((name) => keys.model.get(name)!)));
  }
  expect(keys.index.count).toBe(0);
});

test("randomPosition reaches every key, few or many", () => {
  const random = seeded("randomPosition");
  const keys = new Keys(random);
  const next = (): number => random.below(2 ** 32) | 0;
  expect(keys.index.randomPosition(next)).toBe(0);
  for (let i = 0; i < 50; i++) keys.insert(`k${i}`);
  const seen = new Set<number>();
  for (let i = 0; i < 5000; i++) seen.add(keys.index.randomPosition(next));
  expect(seen).toEqual(new Set(keys.model.values()));
  for (let i = 50; i < 50_000; i++) keys.insert(`k${i}`);
  while (keys.names.length > 1) keys.remove(keys.names.length - 1);
  expect(keys.index.randomPosition(next)).toBe(keys.model.get(keys.names[0]!)!);
});
