import { describe, expect, test } from "bun:test";
import {
  intsetAdd,
  intsetCreate,
  intsetGet,
  intsetHas,
  intsetLength,
  intsetRemove,
  intsetValidate,
  parsed,
  parseMember,
} from "../../../src/encodings/intset.ts";
import { LpItem } from "../../../src/encodings/listpack.ts";
import { OwnBytes } from "../../../src/memory/byte-store.ts";
import { bytesOf, seeded } from "../bytes/random.ts";

const item = new LpItem();

function create(): OwnBytes {
  const store = new OwnBytes();
  intsetCreate(store);
  return store;
}

const low = (n: bigint) => Number(BigInt.asIntN(32, n));
const high = (n: bigint) => Number(n >> 32n);
const add = (store: OwnBytes, n: bigint) => intsetAdd(store, low(n), high(n));
const has = (store: OwnBytes, n: bigint) => intsetHas(store, low(n), high(n));
const remove = (store: OwnBytes, n: bigint) => intsetRemove(store, low(n), high(n));
const all = (store: OwnBytes) =>
  Array.from({ length: intsetLength(store) }, (_, i) => intsetGet(store, i, item).bigint());
const hex = (store: OwnBytes) => Buffer.from(store.buf.subarray(store.start, store.end)).toString("hex");

describe("intset", () => {
  test("the bytes of Redis's format", () => {
    const store = create();
    expect(hex(store)).toBe("0200000000000000");
    for (const n of [5n, 1n, -2n]) add(store, n);
    expect(hex(store)).toBe("0200000003000000" + "feff" + "0100" + "0500");
    add(store, 65536n);
    expect(hex(store)).toBe("0400000004000000" + "feffffff" + "01000000" + "05000000" + "00000100");
    add(store, -(2n ** 40n));
    expect(hex(store)).toBe(
      "0800000005000000" +
        "0000000000ffffff" +
        "feffffffffffffff" +
        "0100000000000000" +
        "0500000000000000" +
        "0000010000000000",
    );
    remove(store, -(2n ** 40n));
    expect(hex(store).slice(0, 16)).toBe("0800000004000000");
  });

  test("random operations beside a Set", () => {
    const random = seeded("intset");
    const limits = [
      [-(2n ** 15n), 2n ** 15n - 1n],
      [-(2n ** 31n), 2n ** 31n - 1n],
      [-(2n ** 63n), 2n ** 63n - 1n],
    ] as const;
    const number = (width: number): bigint => {
      const [least, most] = limits[random.below(width)]!;
      if (random.below(8) === 0) return random.pick([least, most, least + 1n, most - 1n, 0n, -1n]);
      return least + (((most - least) / 1000n) * BigInt(random.below(1000))) / 1n;
    };
    for (let round = 0; round < 60; round++) {
      const store = create();
      const model = new Set<bigint>();
      const width = 1 + (round % 3);
      for (let step = 0; step < 400; step++) {
        const n = number(step < 100 ? 1 : width);
        const kind = random.below(3);
        if (kind === 0) {
          expect(add(store, n)).toBe(!model.has(n));
          model.add(n);
        } else if (kind === 1) expect(remove(store, n)).toBe(model.delete(n));
        else expect(has(store, n)).toBe(model.has(n));
      }
      expect(all(store)).toEqual([...model].sort((a, b) => (a < b ? -1 : 1)));
      expect(intsetValidate(store)).toBe(model.size > 0);
    }
  });

  test("a store inside of other bytes", () => {
    const store = create();
    for (let i = 0n; i < 20n; i++) add(store, i * 1000n);
    const inside = new OwnBytes(new Uint8Array(store.end + 10));
    inside.buf.set(store.buf.subarray(0, store.end), 7);
    inside.start = 7;
    inside.end = 7 + store.end;
    expect(all(inside)).toEqual(all(store));
    expect(has(inside, 19000n)).toBe(true);
    expect(has(inside, 19001n)).toBe(false);
  });

  test("bytes from outside are refused unless sorted, complete and of a known width", () => {
    const valid = create();
    for (const n of [-5n, 3n, 70000n]) add(valid, n);
    expect(intsetValidate(valid)).toBe(true);
    for (const damage of [
      (b: Uint8Array) => (b[0] = 3),
      (b: Uint8Array) => (b[4] = 2),
      (b: Uint8Array) => (b[4] = 4),
      (b: Uint8Array) => b.copyWithin(8, 12, 16),
      (b: Uint8Array) => b.copyWithin(8, 16, 20),
    ]) {
      const bytes = valid.buf.slice(0, valid.end);
      damage(bytes);
      expect(intsetValidate(new OwnBytes(bytes))).toBe(false);
    }
    expect(intsetValidate(new OwnBytes(new Uint8Array(5)))).toBe(false);
    const wide = create();
    for (const n of [2n ** 40n, 2n ** 40n + 2n ** 31n, -(2n ** 50n)]) add(wide, n);
    expect(intsetValidate(wide)).toBe(true);
  });

  test("only canonical 64-bit integers are members", () => {
    const parse = (text: string) => parseMember(bytesOf(text), 0, text.length);
    for (const text of ["0", "-1", "9223372036854775807", "-9223372036854775808", "9007199254740993"]) {
      expect(parse(text)).toBe(true);
      expect((BigInt(parsed.high) << 32n) | BigInt(parsed.low >>> 0)).toBe(BigInt(text));
    }
    for (const text of ["", "-", "-0", "01", "+1", " 1", "1 ", "1.0", "9223372036854775808", "a", "1e3"])
      expect(parse(text)).toBe(false);
  });
});
