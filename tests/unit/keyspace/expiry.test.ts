import { expect, test } from "bun:test";
import { NO_EXPIRY } from "../../../src/keyspace/database.ts";
import { Keyspace } from "../../../src/keyspace/keyspace.ts";
import { seeded } from "../bytes/random.ts";
import { FakeClock, key, testContext, testDatabase } from "./support.ts";

const never = (): boolean => false;
const VALUE = key("value");

function set(db: ReturnType<typeof testDatabase>, name: string, expireAt: number): void {
  const bytes = key(name);
  db.setString(bytes, 0, bytes.length, VALUE, 0, VALUE.length, expireAt);
}

test("expiry is exact to the millisecond: due after its time, not at it", () => {
  const context = testContext();
  const db = testDatabase(context);
  const at = context.clock.now + 1000;
  set(db, "k", at);
  context.clock.set(at);
  expect(db.find(key("k"), 0, 1)).not.toBe(0);
  db.expireDue(never);
  expect(db.size).toBe(1);
  context.clock.set(at + 1);
  expect(db.find(key("k"), 0, 1)).toBe(0);
  expect([db.size, db.expires, context.stats.expired]).toEqual([0, 0, 1]);
  expect(context.told).toEqual(["k"]);
});

test("a million keys due within a second are told of once each and gone a tick later", () => {
  const random = seeded("a million keys due");
  const context = testContext();
  const db = testDatabase(context);
  const start = context.clock.now;
  let told = 0;
  context.listener.expired = () => told++;
  for (let i = 0; i < 1_000_000; i++) set(db, `key:${i}`, start + 10_000 + random.below(1000));
  for (let i = 0; i < 100; i++) set(db, `stays:${i}`, i % 2 === 0 ? NO_EXPIRY : start + 60_000);
  context.clock.set(start + 9_900);
  db.expireDue(never);
  expect(told).toBe(0);
  context.clock.set(start + 11_000 + 64);
  let calls = 0;
  while (db.expireDue(() => ++calls % 8 === 0));
  expect(told).toBe(1_000_000);
  expect([db.size, db.expires]).toEqual([100, 50]);
  expect(db.records.arena.usedBytes).toBeLessThan(100 * 64);
  expect(db.memoryUse).toBeLessThan(8 << 20);
});

test("EXPIRE over and over again adds nothing to the wheel", () => {
  const context = testContext();
  const db = testDatabase(context);
  set(db, "k", context.clock.now + 1000);
  for (let i = 0; i < 10_000; i++) {
    context.clock.advance(1);
    const position = db.setExpiry(db.find(key("k"), 0, 1), context.clock.now + 1000);
    expect(position).not.toBe(0);
    if (i % 50 === 0) db.expireDue(never);
  }
  expect(db.wheel.entries).toBe(1);
  context.clock.advance(1100);
  db.expireDue(never);
  expect([db.size, db.wheel.entries]).toEqual([0, 0]);
});

test("while due keys are to stay they are hidden, and removed afterwards", () => {
  const context = testContext();
  const db = testDatabase(context);
  set(db, "k", context.clock.now + 10);
  context.clock.advance(1000);
  context.keepExpired = true;
  expect(db.find(key("k"), 0, 1)).toBe(0);
  expect(db.expireDue(never)).toBe(false);
  expect([db.size, context.stats.expired]).toEqual([1, 0]);
  set(db, "k", NO_EXPIRY); // overwrites the hidden record
  expect(db.size).toBe(1);
  set(db, "l", context.clock.now + 10);
  context.clock.advance(1000);
  context.keepExpired = false;
  while (db.expireDue(never));
  expect([db.size, db.expires]).toEqual([1, 0]);
});

test("averageTtl", () => {
  const context = testContext();
  const db = testDatabase(context);
  expect(db.averageTtl).toBe(0);
  for (let i = 1; i <= 9; i++) set(db, `k${i}`, context.clock.now + i * 1000);
  expect(db.averageTtl).toBe(5000);
  context.clock.advance(500);
  expect(db.averageTtl).toBe(4500);
  set(db, "k9", NO_EXPIRY);
  expect(db.averageTtl).toBe(4000);
});

test("tidying comes to an end, also where stale wheel entries look alive", () => {
  const context = testContext();
  const keyspace = new Keyspace(context, 4);
  const db = keyspace.select(0);
  const at = context.clock.now + 86_400_000;
  // One key set and deleted with the same expiry: each time an entry of the same hash and tick.
  for (let i = 0; i < 150_000; i++) {
    set(db, "k", at);
    if (i < 149_999) db.remove(db.find(key("k"), 0, 1));
  }
  expect(db.wheel.entries).toBe(150_000);
  let steps = 0;
  while (keyspace.tidy(never)) expect(++steps).toBeLessThan(100);
  // Entries of keys that are gone are dropped.
  for (let i = 0; i < 400_000; i++) {
    set(db, `k${i}`, at);
    db.remove(db.find(key(`k${i}`), 0, key(`k${i}`).length));
  }
  while (keyspace.tidy(() => ++steps % 10 === 0)) expect(steps).toBeLessThan(1_000_000);
  expect(db.wheel.entries).toBeLessThanOrEqual(400_000);
  context.clock.set(at + 100);
  while (keyspace.expireDue(never));
  expect([db.size, db.wheel.entries]).toEqual([0, 0]);
});

test("flushing hands memory back in slices; new data is not touched", () => {
  const context = testContext();
  const keyspace = new Keyspace(context, 4);
  const big = new Uint8Array(50_000).fill(65);
  for (const id of [0, 1]) {
    const db = keyspace.select(id);
    for (let i = 0; i < 20_000; i++) set(db, `key:${i}`, NO_EXPIRY);
    for (let i = 0; i < 500; i++) db.setString(key(`b${i}`), 0, key(`b${i}`).length, big, 0, big.length, -1);
  }
  const old = keyspace.select(0);
  const views = [...old.records.arena.pages];
  const blocks = Array.from({ length: 500 }, (_, i) => old.records.blocks.get(i + 1));
  expect(keyspace.flush(0)).toBe(20_500);
  expect(keyspace.flush(0)).toBe(0);
  expect(keyspace.select(0)).not.toBe(old);
  set(keyspace.select(0), "new", NO_EXPIRY);
  expect(keyspace.pendingKeys).toBe(20_500);
  expect(keyspace.flushAll()).toBe(20_501);
  let slices = 1;
  while (keyspace.reap()) slices++;
  expect(slices).toBeGreaterThan(5);
  expect([keyspace.pendingKeys, keyspace.freedKeys, keyspace.size]).toEqual([0, 41_001, 0]);
  expect([...views, ...blocks].every((bytes) => bytes.buffer.byteLength === 0)).toBe(true);
});

test("swapping databases exchanges their numbers", () => {
  const keyspace = new Keyspace(testContext(), 16);
  set(keyspace.select(3), "a", NO_EXPIRY);
  keyspace.swap(3, 9);
  expect([keyspace.select(3).size, keyspace.select(9).size]).toEqual([0, 1]);
  expect([keyspace.select(3).id, keyspace.select(9).id]).toEqual([3, 9]);
  keyspace.swap(9, 9);
  expect([keyspace.select(9).size, keyspace.select(9).id]).toEqual([1, 9]);
});

test("the fake clock stands still", () => {
  const clock = new FakeClock(5000);
  clock.update();
  expect([clock.now, clock.lruClock]).toEqual([5000, 5]);
});
