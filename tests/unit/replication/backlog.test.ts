import { expect, test } from "bun:test";
import { Backlog } from "../../../src/replication/backlog.ts";
import { History } from "../../../src/replication/history.ts";
import { seeded } from "../bytes/random.ts";

/** The whole stream beside the ring that keeps its end. */
test("the backlog holds the last bytes of the stream, whatever the sizes", () => {
  const random = seeded("backlog");
  for (let round = 0; round < 50; round++) {
    const start = random.below(1000);
    let capacity = 1 + random.below(64);
    const backlog = new Backlog(capacity, start);
    let stream: number[] = [];
    for (let step = 0; step < 60; step++) {
      if (random.below(10) === 0) {
        capacity = 1 + random.below(64);
        backlog.resize(capacity);
        expect(backlog.length).toBeLessThanOrEqual(capacity);
        stream = stream.slice(stream.length - Math.min(stream.length, backlog.length));
      }
      const piece = Uint8Array.from({ length: random.below(80) }, () => random.below(256));
      backlog.append(piece, 0, piece.length);
      stream.push(...piece);
      stream = stream.slice(-capacity);
      expect(backlog.length).toBe(stream.length);
      const { first } = backlog;
      const at = random.below(stream.length + 1);
      expect(backlog.covers(first + at)).toBe(true);
      expect([...backlog.from(first + at)]).toEqual(stream.slice(at));
      expect(backlog.covers(first - 1)).toBe(false);
      expect(backlog.covers(first + stream.length + 1)).toBe(false);
    }
  }
});

test("a history is shared up to the offset at which it was left", () => {
  const history = new History();
  const old = history.id;
  history.offset = 100;
  expect(history.shares(old, 101)).toBe(true);
  history.shift();
  history.offset = 150;
  expect(history.id).not.toBe(old);
  expect([history.secondId, history.secondOffset]).toEqual([old, 101]);
  expect(history.shares(old, 101)).toBe(true);
  expect(history.shares(old, 102)).toBe(false);
  expect(history.shares(history.id, 151)).toBe(true);
  history.adopt(old, 7);
  expect([history.id, history.offset, history.secondOffset]).toEqual([old, 7, -1]);
});
