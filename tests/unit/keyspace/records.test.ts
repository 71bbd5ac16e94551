import { expect, test } from "bun:test";
import { ENC_BLOCK, ENC_EMBSTR, ENC_INT, ENC_RAW, Records } from "../../../src/keyspace/record.ts";
import { MAX_CELL } from "../../../src/memory/arena.ts";
import { type Random, seeded } from "../bytes/random.ts";

interface Shape {
  type: number;
  encoding: number;
  key: Uint8Array;
  /** Inline and block values. */
  value: Uint8Array;
  low: number;
  high: number;
  expireAt: number;
  clock: number;
  tick: number;
}

function create(records: Records, shape: Shape): number {
  const { key, value, encoding } = shape;
  // The key comes from the middle of a larger buffer, as from a socket's chunk.
  const chunk = new Uint8Array(key.length + 20);
  chunk.set(key, 7);
  const position = records.create(
    shape.type,
    encoding,
    chunk,
    7,
    7 + key.length,
    encoding === ENC_INT ? 8 : value.length,
    shape.expireAt,
    shape.clock,
  );
  if (encoding === ENC_BLOCK) {
    shape.low = records.blocks.adopt(value.slice());
    records.setPayload(position, shape.low, shape.high);
  } else if (encoding === ENC_INT) records.setPayload(position, shape.low, shape.high);
  else records.bytes(position).set(value, records.valueOffset(position));
  records.setWheelTick(position, shape.tick);
  return position;
}

function check(records: Records, position: number, shape: Shape): void {
  const { encoding, key } = shape;
  const facts = [
    records.type(position),
    records.encoding(position),
    records.keyLength(position),
    records.expireAt(position),
    records.hasExpiry(position),
    records.clock(position),
    records.wheelTick(position),
  ];
  expect(facts).toEqual([
    shape.type,
    encoding,
    key.length,
    shape.expireAt,
    shape.expireAt >= 0,
    shape.clock,
    shape.tick,
  ]);
  const from = records.keyStart(position);
  const stored = records.keyBytes(position).subarray(from, from + key.length);
  if (!Buffer.from(stored).equals(key)) throw new Error("another key");
  if (encoding >= 8) {
    expect([records.payloadLow(position), records.payloadHigh(position)]).toEqual([shape.low, shape.high]);
    if (encoding === ENC_BLOCK && !Buffer.from(records.blocks.get(shape.low)).equals(shape.value))
      throw new Error("another block");
  } else {
    expect(records.valueLength(position)).toBe(shape.value.length);
    const at = records.valueOffset(position);
    const value = records.bytes(position).subarray(at, at + shape.value.length);
    if (!Buffer.from(value).equals(shape.value)) throw new Error("another value");
    expect(records.inlineRoom(position)).toBeGreaterThanOrEqual(shape.value.length);
  }
  // Equal keys are equal wherever they stand; others are not.
  const probe = new Uint8Array(key.length + 9);
  probe.set(key, 5);
  expect(records.keyEquals(position, probe, 5, 5 + key.length)).toBe(true);
  expect(records.keyEquals(position, probe, 5, 6 + key.length)).toBe(false);
  if (key.length > 0) {
    expect(records.keyEquals(position, probe, 5, 4 + key.length)).toBe(false);
    probe[5 + ((key.length * 2) >> 2)]! ^= 1;
    expect(records.keyEquals(position, probe, 5, 5 + key.length)).toBe(false);
  }
}

function randomShape(random: Random): Shape {
  const inlineKey = random.below(4) > 0;
  const keyLength = inlineKey
    ? random.below(random.pick([8, 40, 300, MAX_CELL - 33]))
    : random.pick([MAX_CELL - 33, MAX_CELL - 32, MAX_CELL - 31, MAX_CELL, 70_000]);
  const encoding = random.pick([ENC_RAW, ENC_EMBSTR, ENC_INT, ENC_BLOCK]);
  const room = MAX_CELL - 24 - (keyLength > MAX_CELL - 32 ? 4 : keyLength);
  const valueLength =
    encoding === ENC_BLOCK
      ? 1 + random.below(5000)
      : random.below(Math.min(room + 1, random.pick([9, 100, 40_000])));
  return {
    type: random.pick([0, 1, 2, 3, 4, 6]),
    encoding,
    key: random.bytes(keyLength),
    value: random.bytes(valueLength),
    low: random.below(2 ** 32) | 0,
    high: random.below(2 ** 32) | 0,
    expireAt: random.below(2) === 0 ? -1 : random.pick([0, 1, 2 ** 31, 2 ** 32, 1_700_000_000_123, 2 ** 52]),
    clock: random.below(1 << 24),
    tick: random.pick([0, 1, 2 ** 31, 0xfffffff0]),
  };
}

test("records of every shape keep their facts through reshape, relocate and free", () => {
  const random = seeded("records");
  const records = new Records();
  const live = new Map<number, Shape>();
  for (let i = 0; i < 6000; i++) {
    const action = random.below(6);
    const positions = [...live.keys()];
    if (action < 3 || positions.length === 0) {
      const shape = randomShape(random);
      const position = create(records, shape);
      expect(live.has(position)).toBe(false);
      live.set(position, shape);
      check(records, position, shape);
      continue;
    }
    const position = random.pick(positions);
    const shape = live.get(position)!;
    check(records, position, shape);
    live.delete(position);
    if (action === 3) {
      records.free(position);
    } else if (action === 4) {
      shape.expireAt = random.below(2) === 0 ? -1 : random.below(2 ** 48);
      const fresh = records.reshape(position, shape.expireAt);
      live.set(fresh, shape);
      check(records, fresh, shape);
    } else {
      const fresh = records.relocate(position);
      expect(fresh).not.toBe(position);
      live.set(fresh, shape);
      check(records, fresh, shape);
    }
    if (positions.length > 300) {
      const extra = random.pick([...live.keys()]);
      records.free(extra);
      live.delete(extra);
    }
  }
  let cells = 0;
  let total = 0;
  for (const [position, shape] of live) {
    check(records, position, shape);
    cells += records.arena.cellBytes(position);
    total += records.memoryUse(position);
  }
  expect(records.arena.usedBytes).toBe(cells);
  expect(total).toBe(cells + records.blocks.usedBytes);
  for (const position of live.keys()) records.free(position);
  expect([records.arena.usedBytes, records.blocks.count]).toEqual([0, 0]);
});

test("setters change their own field alone", () => {
  const random = seeded("record setters");
  const records = new Records();
  const shape = {
    ...randomShape(random),
    key: random.bytes(9),
    encoding: ENC_RAW,
    value: random.bytes(20),
    expireAt: 5,
    type: 4,
  };
  const position = create(records, shape);
  for (const clock of [0, 0xffffff, 0x123456]) {
    shape.clock = clock;
    records.setClock(position, clock);
    check(records, position, shape);
  }
  shape.type = 0;
  shape.encoding = ENC_EMBSTR;
  records.setEncoding(position, 0, ENC_EMBSTR);
  shape.expireAt = 2 ** 45 + 7;
  records.writeExpiry(position, shape.expireAt);
  check(records, position, shape);
});

test("a 16-byte key with a 32-byte value takes 64 bytes, an integer 40, an expiry 8 more", () => {
  const records = new Records();
  const key = new Uint8Array(16).fill(65);
  const size = (encoding: number, value: number, expireAt: number): number =>
    records.memoryUse(records.create(0, encoding, key, 0, 16, value, expireAt, 0));
  expect([size(ENC_EMBSTR, 32, -1), size(ENC_INT, 8, -1)]).toEqual([64, 40]);
  expect([size(ENC_EMBSTR, 32, 1), size(ENC_INT, 8, 1)]).toEqual([72, 48]);
});

test("fitsInline leaves room for an expiry", () => {
  const records = new Records();
  for (const keyLength of [0, 1, 100, MAX_CELL - 40, MAX_CELL - 33, MAX_CELL - 32, MAX_CELL - 31, 100_000]) {
    const key = new Uint8Array(keyLength);
    let value = 0;
    if (!records.fitsInline(keyLength, 0)) continue;
    while (records.fitsInline(keyLength, value + 1)) value++;
    const position = records.create(0, ENC_RAW, key, 0, keyLength, value, -1, 0);
    const fresh = records.reshape(position, 5);
    expect(records.arena.cellBytes(fresh)).toBe(MAX_CELL);
    records.free(fresh);
  }
  expect(records.fitsInline(10, MAX_CELL)).toBe(false);
});
