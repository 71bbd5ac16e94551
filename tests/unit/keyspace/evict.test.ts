import { expect, test } from "bun:test";
import type { Database } from "../../../src/keyspace/database.ts";
import { Evictor, evictionPolicy } from "../../../src/keyspace/evict.ts";
import { seeded } from "../bytes/random.ts";
import { testContext, testDatabase } from "./support.ts";

const bytes = (text: string) => Buffer.from(text);

function set(db: Database, key: string, expireAt = -1): number {
  return db.setString(bytes(key), 0, key.length, bytes("value"), 0, 5, expireAt);
}

function keyOf({ db, position }: { db: Database; position: number }): string {
  const start = db.records.keyStart(position);
  return Buffer.from(db.records.keyBytes(position)).toString(
    "latin1",
    start,
    start + db.records.keyLength(position),
  );
}

const random = seeded("evict");
const int32 = () => random.below(2 ** 32) | 0;

test("policies by name", () => {
  expect(evictionPolicy("noeviction")).toBeNull();
  expect(evictionPolicy("allkeys-lru")).toEqual({ volatile: false, by: "idle" });
  expect(evictionPolicy("volatile-ttl")).toEqual({ volatile: true, by: "ttl" });
});

test("volatile policies never touch a key without an expiry, however few have one", () => {
  for (const few of [1, 20]) {
    const db = testDatabase();
    for (let i = 0; i < 5000; i++) set(db, `plain:${i}`);
    for (let i = 0; i < few; i++) set(db, `volatile:${i}`, db.context.clock.now + 1_000_000 + i);
    for (const by of ["idle", "ttl", "random"] as const) {
      const evictor = new Evictor(int32);
      const chosen = evictor.choose([db], { volatile: true, by }, 5);
      expect(keyOf(chosen!)).toStartWith("volatile:");
    }
    const evictor = new Evictor(int32);
    for (let i = 0; i < few; i++) db.remove(evictor.choose([db], { volatile: true, by: "ttl" }, 5)!.position);
    expect([db.expires, db.size]).toEqual([0, 5000]);
    expect(evictor.choose([db], { volatile: true, by: "ttl" }, 5)).toBeNull();
  }
});

test("the longest idle and the next to fall due go before most others", () => {
  const context = testContext();
  const db = testDatabase(context);
  const count = 2000;
  for (let i = 0; i < count; i++) {
    const position = set(db, `k:${i}`, context.clock.now + 1_000_000 + i * 1000);
    db.records.setClock(position, (context.clock.lruClock - (count - i)) & 0xffffff);
  }
  for (const by of ["idle", "ttl"] as const) {
    const evictor = new Evictor(int32);
    let sum = 0;
    for (let i = 0; i < 200; i++) {
      const chosen = evictor.choose([db], { volatile: false, by }, 10)!;
      sum += Number(keyOf(chosen).slice(2));
      db.remove(chosen.position);
    }
    // By chance alone the mean would be 1,000.
    expect(sum / 200).toBeLessThan(350);
  }
});

test("every key can be evicted, from all databases, and what is gone meanwhile is passed over", () => {
  const context = testContext();
  const databases = [testDatabase(context), testDatabase(context)];
  for (let i = 0; i < 300; i++) set(databases[i % 2]!, `k:${i}`);
  const evictor = new Evictor(int32);
  let left = 300;
  while (left > 0) {
    const policy = { volatile: false, by: random.below(2) === 0 ? ("idle" as const) : ("random" as const) };
    const chosen = evictor.choose(databases, policy, 5);
    expect(chosen).not.toBeNull();
    chosen!.db.remove(chosen!.position);
    left--;
    // Others delete as well.
    const other = databases[random.below(2)]!;
    if (other.size > 0 && random.below(3) === 0) {
      other.remove(other.index.randomPosition(int32));
      left--;
    }
  }
  expect(evictor.choose(databases, { volatile: false, by: "idle" }, 5)).toBeNull();
});

test("a database that was flushed is left alone, whatever was sampled of it before", () => {
  const context = testContext();
  const [old, fresh] = [testDatabase(context), testDatabase(context)];
  for (let i = 0; i < 100; i++) set(old, `old:${i}`);
  const evictor = new Evictor(int32);
  evictor.choose([old], { volatile: false, by: "idle" }, 10);
  old.records.arena.dismantle(Number.POSITIVE_INFINITY);
  expect(evictor.choose([fresh], { volatile: false, by: "idle" }, 10)).toBeNull();
  set(fresh, "fresh");
  const chosen = evictor.choose([old, fresh].slice(1), { volatile: false, by: "idle" }, 10)!;
  expect(keyOf(chosen)).toBe("fresh");
});
