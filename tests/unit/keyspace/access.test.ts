import { expect, test } from "bun:test";
import { Random } from "../../../src/host/random.ts";
import { AccessClock } from "../../../src/keyspace/access.ts";
import { FakeClock } from "./support.ts";

const MINUTE = 60_000;

function lru(): { clock: FakeClock; access: AccessClock } {
  const clock = new FakeClock();
  return { clock, access: new AccessClock(clock, new Random(42)) };
}

function lfu(): { clock: FakeClock; access: AccessClock } {
  const both = lru();
  both.access.lfu = true;
  return both;
}

test("LRU: seconds since the last access", () => {
  const { clock, access } = lru();
  const fresh = access.fresh();
  expect(access.idleSeconds(fresh)).toBe(0);
  clock.advance(999);
  clock.advance(61_001);
  expect(access.idleSeconds(fresh)).toBe(62);
  expect(access.idleSeconds(access.touched(fresh))).toBe(0);
});

test("LRU: the clock of 24 bits wraps round", () => {
  const { clock, access } = lru();
  clock.set((0xffffff - 5) * 1000);
  const fresh = access.fresh();
  expect(fresh).toBe(0xffffff - 5);
  clock.advance(15_000);
  expect(clock.lruClock).toBe(9);
  // As Redis's estimateObjectIdleTime: one second is lost at the wrap.
  expect(access.idleSeconds(fresh)).toBe(14);
});

test("LFU: new keys start at 5, accesses raise the counter ever more slowly", () => {
  const { access } = lfu();
  let clock = access.fresh();
  expect(access.frequency(clock)).toBe(5);
  const after: Record<number, number> = {};
  for (let i = 1; i <= 1_000_000; i++) {
    clock = access.touched(clock);
    if (i === 100 || i === 1000 || i === 100_000 || i === 1_000_000) after[i] = access.frequency(clock);
  }
  // redis.conf's table for lfu-log-factor 10: 10, 18, 142, 255 (within what chance does).
  expect(after[100]).toBeWithin(8, 14);
  expect(after[1000]).toBeWithin(14, 24);
  expect(after[100_000]).toBeWithin(125, 160);
  expect(after[1_000_000]).toBe(255);
});

test("LFU: the factor sets how slowly", () => {
  const { access } = lfu();
  const after = (factor: number): number => {
    access.logFactor = factor;
    let clock = access.fresh();
    for (let i = 0; i < 1000; i++) clock = access.touched(clock);
    return access.frequency(clock);
  };
  expect(after(0)).toBe(255);
  expect(after(1)).toBeWithin(40, 60);
  expect(after(100)).toBeWithin(7, 13);
});

test("LFU: without access the counter loses one for each lfu-decay-time minutes", () => {
  const { clock, access } = lfu();
  let stamp = access.fresh();
  while (access.frequency(stamp) < 100) stamp = access.touched(stamp);
  clock.advance(10 * MINUTE);
  expect(access.frequency(stamp)).toBe(90);
  access.decayMinutes = 5;
  expect(access.frequency(stamp)).toBe(98);
  access.decayMinutes = 0;
  expect(access.frequency(stamp)).toBe(100);
  access.decayMinutes = 1;
  clock.advance(200 * MINUTE);
  expect(access.frequency(stamp)).toBe(0);
  // An access counts from what is left.
  expect(access.frequency(access.touched(stamp))).toBeLessThanOrEqual(1);
});

test("LFU: minutes of 16 bits wrap round", () => {
  const { clock, access } = lfu();
  clock.set((0xffff - 1) * MINUTE);
  let stamp = access.fresh();
  while (access.frequency(stamp) < 50) stamp = access.touched(stamp);
  clock.advance(6 * MINUTE);
  expect(access.frequency(stamp)).toBeWithin(44, 46);
});
