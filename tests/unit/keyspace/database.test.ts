import { expect, test } from "bun:test";
import { Database, KEEP_EXPIRY, NO_EXPIRY } from "../../../src/keyspace/database.ts";
import { ENC_BLOCK, ENC_EMBSTR, ENC_INT, ENC_RAW } from "../../../src/keyspace/record.ts";
import { growString, StringView } from "../../../src/keyspace/strings.ts";
import { type Random, seeded } from "../bytes/random.ts";
import { key, type TestContext, testContext, testDatabase } from "./support.ts";

interface Entry {
  value: Buffer;
  /** Milliseconds since 1970, or -1. */
  expireAt: number;
}

const view = new StringView();
const never = (): boolean => false;

/** A database with a Map beside it. Keys are text; those with "long" in them take more than an arena cell. */
class Pair {
  readonly model = new Map<string, Entry>();
  constructor(
    readonly db: Database,
    readonly context: TestContext,
  ) {}

  live(name: string): Entry | undefined {
    const entry = this.model.get(name);
    if (entry === undefined || entry.expireAt < 0 || this.context.clock.now <= entry.expireAt) return entry;
    this.model.delete(name);
    return undefined;
  }

  find(name: string): number {
    const bytes = key(name);
    return this.db.find(bytes, 0, bytes.length);
  }

  set(name: string, value: Uint8Array, expireAt: number): void {
    const bytes = key(name);
    const old = this.live(name);
    const position = this.db.setString(bytes, 0, bytes.length, value, 0, value.length, expireAt);
    const kept = expireAt === KEEP_EXPIRY ? (old?.expireAt ?? -1) : expireAt;
    this.model.set(name, { value: Buffer.from(value), expireAt: kept });
    this.same(name, position);
  }

  /** The record at `position` is what the model says of the key. */
  same(name: string, position: number): void {
    const entry = this.live(name);
    if (entry === undefined) {
      if (position !== 0) throw new Error(`${label(name)} should not exist`);
      return;
    }
    if (position === 0) throw new Error(`${label(name)} is missing`);
    const { records } = this.db;
    view.read(this.db, position);
    if (!entry.value.equals(view.buf.subarray(view.start, view.end)))
      throw new Error(`${label(name)}: another value of ${view.length} bytes`);
    if (records.expireAt(position) !== entry.expireAt)
      throw new Error(`${label(name)}: expiry ${records.expireAt(position)}, not ${entry.expireAt}`);
    const from = records.keyStart(position);
    const stored = Buffer.from(records.keyBytes(position).subarray(from, from + records.keyLength(position)));
    if (stored.toString() !== name) throw new Error(`${label(name)}: another key`);
  }

  /** Everything the database holds adds up, and is what the model has. */
  check(): void {
    const { records, index, wheel } = this.db;
    let cells = 0;
    let blockBytes = 0;
    let expires = 0;
    let blocks = 0;
    const positions: number[] = [];
    let cursor = 0;
    do cursor = index.scan(cursor, 1000, (position) => positions.push(position));
    while (cursor !== 0);
    for (const position of positions) {
      cells += records.arena.cellBytes(position);
      if (records.encoding(position) === ENC_BLOCK) {
        blocks++;
        blockBytes += records.blocks.get(records.payloadLow(position)).length;
      }
      if (records.keyIsInBlock(position)) {
        blocks++;
        blockBytes += records.keyLength(position);
      }
      if (!records.hasExpiry(position)) continue;
      expires++;
      if (records.wheelTick(position) === 0) throw new Error("a key with an expiry is not on the wheel");
      if (records.wheelTick(position) > Math.max(wheel.tickOf(records.expireAt(position)), 1))
        throw new Error("the wheel will look too late");
    }
    expect(index.count).toBe(positions.length);
    expect(records.arena.usedBytes).toBe(cells);
    expect(records.blocks.usedBytes).toBe(blockBytes);
    expect(records.blocks.count).toBe(blocks);
    expect(this.db.expires).toBe(expires);
    expect(wheel.entries).toBeGreaterThanOrEqual(expires);
    for (const name of [...this.model.keys()]) this.same(name, this.find(name));
    expect(this.db.size).toBeGreaterThanOrEqual(this.model.size);
  }
}

const label = (name: string): string => (name.length > 40 ? `${name.slice(0, 40)}...` : name);

function randomKey(random: Random): string {
  const n = random.below(300);
  const kind = random.below(60);
  if (kind === 0) return "";
  if (kind === 1) return `long:${n % 4}:${"k".repeat(32_700 + (n % 80))}`;
  if (kind === 2) return `long:${n % 3}:${"k".repeat(50_000)}`;
  if (kind < 6) return `middle:${n % 20}:${"m".repeat(n * 7)}`;
  return `key:${n}`;
}

function randomValue(random: Random): Uint8Array {
  switch (random.below(8)) {
    case 0:
      return key(String(random.below(100_000) - 50_000));
    case 1:
      return key(`${random.below(2) ? "-" : ""}${9_007_199_254_740_000n + BigInt(random.below(2000))}`);
    case 2:
      return key(
        random.pick([
          "9223372036854775807",
          "-9223372036854775808",
          "9223372036854775808",
          "007",
          "-0",
          "+1",
          "1 ",
          "",
        ]),
      );
    case 3:
      return random.bytes(random.below(random.below(10) === 0 ? 200_000 : 3000));
    case 4:
      return random.bytes(32_600 + random.below(300));
    default:
      return random.bytes(random.below(100));
  }
}

function randomExpiry(random: Random, now: number): number {
  const span = random.pick([1, 50, 500, 5000, 100_000, 10_000_000, 2 ** 40]);
  return random.below(3) === 0 ? NO_EXPIRY : now + random.below(span);
}

test("random operations on two databases agree with two maps", () => {
  const random = seeded("database");
  for (let round = 0; round < 6; round++) {
    const context = testContext(random.below(2 ** 31));
    const pairs = [new Pair(testDatabase(context), context), new Pair(new Database(1, context), context)];
    for (let step = 0; step < 6000; step++) {
      const pair = random.pick(pairs);
      const { db } = pair;
      const { now } = context.clock;
      const name = randomKey(random);
      const bytes = key(name);
      switch (random.below(12)) {
        case 0:
        case 1:
        case 2:
          pair.set(name, randomValue(random), randomExpiry(random, now));
          break;
        case 3:
          pair.set(name, randomValue(random), KEEP_EXPIRY);
          break;
        case 4: {
          const position = pair.find(name);
          pair.same(name, position);
          if (position !== 0) db.remove(position);
          pair.model.delete(name);
          break;
        }
        case 5: {
          const at = randomExpiry(random, now);
          const position = pair.find(name);
          if (position === 0) break;
          pair.model.get(name)!.expireAt = at;
          pair.same(name, db.setExpiry(position, at));
          pair.same(name, pair.find(name));
          break;
        }
        case 6: {
          // RENAME, MOVE and COPY, within a database or to the other.
          const to = random.pick(pairs);
          const target = randomKey(random);
          const from = pair.find(name);
          if (from === 0 || (to === pair && target === name)) break;
          const old = to.find(target);
          if (old !== 0) to.db.remove(old);
          const take = random.below(2) === 0;
          const entry = pair.model.get(name)!;
          const targetBytes = key(target);
          const position = to.db.copyFrom(db, pair.find(name), targetBytes, 0, targetBytes.length, take);
          to.model.set(target, { value: entry.value, expireAt: entry.expireAt });
          if (take) pair.model.delete(name);
          to.same(target, position);
          break;
        }
        case 7: {
          const position = pair.find(name);
          const entry = pair.live(name);
          if (position === 0 || entry === undefined) break;
          const length = entry.value.length + random.below(random.pick([3, 100, 40_000]));
          const at = growString(db, position, length, view);
          const longer = Buffer.alloc(length);
          entry.value.copy(longer);
          if (length > 0) {
            const place = random.below(length);
            longer[place] = view.buf[view.start + place] = random.below(256);
          }
          entry.value = longer;
          expect(db.records.encoding(at)).not.toBe(ENC_INT);
          pair.same(name, at);
          pair.same(name, pair.find(name));
          break;
        }
        case 8:
          pair.same(name, db.lookup(bytes, 0, bytes.length));
          break;
        case 9:
          context.clock.advance(random.below(random.pick([2, 100, 2000])));
          break;
        case 10:
          db.expireDue(random.below(2) === 0 ? never : () => random.below(2) === 0);
          break;
        default:
          if (random.below(2) === 0) db.emptySparsePage();
          else db.compactWheel(() => random.below(4) === 0);
      }
      if (step % 1000 === 999) for (const each of pairs) each.check();
    }
    // Time passes until nothing with an expiry is left, without anybody asking for the keys.
    context.clock.advance(2 ** 41);
    for (const pair of pairs) {
      while (pair.db.expireDue(() => random.below(2) === 0));
      for (const name of [...pair.model.keys()]) pair.live(name);
      expect(pair.db.size).toBe(pair.model.size);
      expect(pair.db.expires).toBe(0);
      pair.check();
      for (const name of pair.model.keys()) pair.db.remove(pair.find(name));
      expect(pair.db.dataBytes).toBe(0);
    }
  }
});

test("encodings are Redis's", () => {
  const db = testDatabase();
  const cases: [string, number][] = [
    ["0", ENC_INT],
    ["-1", ENC_INT],
    ["9223372036854775807", ENC_INT],
    ["-9223372036854775808", ENC_INT],
    ["9223372036854775808", ENC_EMBSTR],
    ["-0", ENC_EMBSTR],
    ["01", ENC_EMBSTR],
    ["+1", ENC_EMBSTR],
    ["", ENC_EMBSTR],
    ["x".repeat(44), ENC_EMBSTR],
    ["x".repeat(45), ENC_RAW],
    ["x".repeat(100_000), ENC_BLOCK],
  ];
  // Twice over, and in both orders: each replaces what another one left.
  for (const [text, encoding] of [...cases, ...cases.toReversed(), ...cases]) {
    const value = key(text);
    const position = db.setString(key("k"), 0, 1, value, 0, value.length, NO_EXPIRY);
    expect(db.records.encoding(position)).toBe(encoding);
    expect(view.read(db, position).copy()).toEqual(value);
    expect(db.size).toBe(1);
  }
});

test("memory goes back after deletes, even where a few keys stay on each page", () => {
  const random = seeded("sparse database");
  const db = testDatabase();
  const value = random.bytes(32);
  const names = Array.from({ length: 100_000 }, (_, i) => key(`key:${String(i).padStart(12, "0")}`));
  for (const name of names) db.setString(name, 0, name.length, value, 0, value.length, NO_EXPIRY);
  const full = db.records.arena.pageCount;
  expect(db.memoryUse / names.length).toBeLessThan(90);
  const kept: Uint8Array[] = [];
  for (const name of names)
    if (random.below(20) === 0) kept.push(name);
    else db.remove(db.find(name, 0, name.length));
  for (let moves = 0; db.emptySparsePage(); moves++) expect(moves).toBeLessThan(full);
  expect(db.records.arena.pageCount).toBeLessThan(full / 8);
  expect(db.size).toBe(kept.length);
  for (const name of kept) {
    const position = db.find(name, 0, name.length);
    if (position === 0 || !Buffer.from(view.read(db, position).copy()).equals(value)) throw new Error("lost");
  }
  for (const name of kept) db.remove(db.find(name, 0, name.length));
  expect(db.records.arena.pageCount).toBeLessThanOrEqual(1);
  expect(db.index.segmentCount).toBeLessThan(8);
});
