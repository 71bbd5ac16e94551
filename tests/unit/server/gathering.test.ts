import { expect, test } from "bun:test";
import { Gathering } from "../../../src/server/gathering.ts";

/** Clients that share an fsync: as many as last time, for as long as they keep coming and an fsync at most. */

function gathering() {
  const time = { now: 100 };
  return { time, gathering: new Gathering(() => time.now) };
}

test("a turn waits until as many clients have come as the last one had", () => {
  const { gathering: each } = gathering();
  expect(each.waits(5, 1)).toBe(false);
  each.ended(5);
  for (const clients of [1, 3, 4]) expect(each.waits(clients, 1)).toBe(true);
  expect(each.waits(5, 1)).toBe(false);
  each.ended(5);
  expect(each.waits(7, 1)).toBe(false);
});

test("one client alone waits for nobody", () => {
  const { gathering: each } = gathering();
  for (let turn = 0; turn < 3; turn++) {
    expect(each.waits(1, 1)).toBe(false);
    each.ended(1);
  }
});

test("where no more come, it waits for a gap and no longer, and the next turn expects fewer", () => {
  const { time, gathering: each } = gathering();
  each.ended(10);
  expect(each.waits(4, 0.5)).toBe(true);
  time.now += 0.03;
  expect(each.waits(4, 0.5)).toBe(true);
  time.now += 0.03;
  expect(each.waits(4, 0.5)).toBe(false);
  each.ended(4);
  expect(each.waits(4, 0.5)).toBe(false);
});

test("who comes one after the other is waited for, but not longer than an fsync takes", () => {
  const { time, gathering: each } = gathering();
  each.ended(1000);
  let clients = 1;
  for (; each.waits(clients, 0.5); clients++) time.now += 0.04;
  expect(clients).toBeGreaterThan(10);
  expect(clients).toBeLessThan(16);
});

test("without an fsync on this thread nobody waits", () => {
  const { gathering: each } = gathering();
  each.ended(10);
  expect(each.waits(1, 0)).toBe(false);
});
