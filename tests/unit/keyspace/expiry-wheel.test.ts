import { expect, test } from "bun:test";
import { ExpiryWheel, TICK_MS } from "../../../src/keyspace/expiry-wheel.ts";
import { seeded } from "../bytes/random.ts";

/**
 * The wheel against a plain list. Entries are never missed and never early: an entry of time t is reported by
 * the first completed `advance` to a moment in a later tick than t's, exactly once.
 */
const START = 1_700_000_000_000;
const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

const never = (): boolean => false;

class Model {
  readonly wheel = new ExpiryWheel(START);
  now = START;
  /** By entry number (the hash): its time, the same but no earlier than when it was added, and its tick. */
  readonly waiting = new Map<number, { at: number; from: number; tick: number }>();
  private last = 0;

  add(at: number): void {
    const hash = ++this.last;
    const tick = this.wheel.tickOf(at);
    this.wheel.add(hash, tick);
    this.waiting.set(hash, { at, from: Math.max(at, this.now), tick });
  }

  readonly due = (hash: number, tick: number): void => {
    const entry = this.waiting.get(hash);
    if (entry === undefined) throw new Error(`entry ${hash} was reported twice, or never added`);
    if (entry.tick !== tick) throw new Error(`entry ${hash}: tick ${tick} instead of ${entry.tick}`);
    if (this.now <= entry.at) throw new Error(`entry ${hash} is early by ${entry.at - this.now} ms`);
    this.waiting.delete(hash);
  };

  /** Advances in slices of random length until nothing due is left. */
  advance(to: number, slice: () => boolean = never): void {
    this.now = to;
    let more = true;
    for (let i = 0; more; i++) {
      more = this.wheel.advance(to, this.due, slice);
      if (i > 1_000_000) throw new Error("advance never ends");
    }
    for (const { from } of this.waiting.values())
      if (Math.floor(from / TICK_MS) < Math.floor(to / TICK_MS))
        throw new Error(`an entry is late by ${to - from} ms`);
    expect(this.wheel.entries).toBe(this.waiting.size);
  }
}

test("every entry is reported once, in time, on all levels", () => {
  const random = seeded("wheel");
  const slice = (): boolean => random.below(3) === 0;
  for (let round = 0; round < 30; round++) {
    const model = new Model();
    for (let step = 0; step < 60; step++) {
      const count = random.below(200);
      for (let i = 0; i < count; i++) {
        const span = random.pick([50, SECOND, 20 * SECOND, HOUR, 2 * DAY, 30 * DAY, YEAR, 8 * YEAR]);
        model.add(model.now - 100 + random.below(span));
      }
      const jump = random.pick([
        0,
        1,
        63,
        64,
        100,
        SECOND,
        17 * SECOND,
        70 * 60 * SECOND,
        13 * HOUR,
        13 * DAY,
      ]);
      model.advance(model.now + random.below(jump + 1), slice);
    }
    model.advance(model.now + 8.2 * YEAR, slice);
    expect(model.waiting.size).toBe(0);
    expect(model.wheel.memoryUse).toBeLessThan(1 << 20);
  }
});

test("times at the borders of ticks and levels", () => {
  for (const span of [1, 256, 65536, 16777216])
    for (const delta of [-2, -1, 0, 1, 2])
      for (const start of [0, 1, 255, 256, 257, 65535, 65536]) {
        const model = new Model();
        model.add(START + 100);
        model.advance(START + start * TICK_MS);
        const at = model.now + (span + delta) * TICK_MS;
        for (const off of [-1, 0, 1]) model.add(at + off);
        model.advance(Math.max(at - 3 * TICK_MS, model.now));
        for (let ms = -TICK_MS * 2; ms <= TICK_MS * 3; ms += 16)
          if (at + ms >= model.now) model.advance(at + ms);
        expect(model.waiting.size).toBe(0);
      }
});

test("what lies beyond the wheel's end waits at its end", () => {
  const wheel = new ExpiryWheel(START);
  const tick = wheel.tickOf(START + 500 * YEAR);
  expect(tick).toBe(wheel.tickOf(START + 100 * YEAR));
  expect(tick).toBeLessThan(2 ** 32);
  wheel.add(7, tick);
  wheel.advance(START + 8 * YEAR, () => expect.unreachable(), never);
  expect(wheel.entries).toBe(1);
});

test("a time in the past is filed under the present", () => {
  const model = new Model();
  model.advance(START + HOUR);
  model.add(START - YEAR);
  model.add(0);
  model.advance(model.now + 2 * TICK_MS);
  expect(model.waiting.size).toBe(0);
});

test("an entry filed again while it is worked off comes again", () => {
  const wheel = new ExpiryWheel(START);
  wheel.add(1, wheel.tickOf(START + 100));
  let reports = 0;
  for (let now = START; now < START + 60 * SECOND; now += 40)
    wheel.advance(
      now,
      (hash) => {
        reports++;
        if (reports < 200) wheel.add(hash, wheel.tickOf(now + 200));
      },
      never,
    );
  expect(reports).toBe(200);
  expect(wheel.entries).toBe(0);
});

test("compaction drops what no longer stands and loses nothing else", () => {
  const random = seeded("wheel, compaction");
  for (let round = 0; round < 20; round++) {
    const model = new Model();
    const stale = new Set<number>();
    let compacting = 0;
    for (let step = 0; step < 150; step++) {
      const before = model.wheel.entries;
      for (let i = random.below(300); i > 0; i--)
        model.add(model.now + random.below(random.pick([SECOND, 20 * SECOND, HOUR, DAY, YEAR])));
      expect(model.wheel.entries).toBeGreaterThanOrEqual(before);
      // Some entries lead nowhere any more: the key is gone.
      for (const hash of model.waiting.keys()) if (random.below(4) === 0) stale.add(hash);
      const done = model.wheel.compact(
        (hash) => {
          if (!model.waiting.has(hash)) throw new Error("an entry came up twice");
          if (!stale.has(hash)) return true;
          model.waiting.delete(hash);
          return false;
        },
        () => random.below(3) === 0,
      );
      compacting += done ? 1 : 0;
      if (random.below(3) === 0)
        model.advance(
          model.now + random.below(random.pick([200, 20 * SECOND, 2 * HOUR])),
          () => random.below(3) === 0,
        );
    }
    expect(compacting).toBeGreaterThan(0);
    expect(model.wheel.entries).toBe(model.waiting.size);
    model.advance(model.now + 2 * YEAR);
    expect(model.waiting.size).toBe(0);
  }
});

test("a million entries in one tick leave in slices, and their memory with them", () => {
  const wheel = new ExpiryWheel(START);
  const tick = wheel.tickOf(START + 10 * SECOND);
  for (let i = 0; i < 1_000_000; i++) wheel.add(i, tick);
  let seen = 0;
  let slices = 0;
  let steps = 0;
  const slice = (): boolean => ++steps % 100 === 0;
  while (wheel.advance(START + 11 * SECOND, () => seen++, slice)) slices++;
  expect(seen).toBe(1_000_000);
  expect(slices).toBeGreaterThan(100);
  expect(wheel.memoryUse).toBeLessThan(1 << 20);
});
