import { describe, expect, test } from "bun:test";
import {
  type BitfieldOutcome,
  bitfieldEnd,
  bitfieldGet,
  bitfieldIncrBy,
  bitfieldSet,
  type Int64,
  type Overflow,
  parseBitfieldType,
  parseBitOffset,
} from "../../../src/types/bitfield.ts";
import { bytesOf, seeded } from "../bytes/random.ts";

const LIMIT = 512 * 1024 * 1024;
const MIN = -(2n ** 63n);

function type(text: string): number {
  return parseBitfieldType(bytesOf(`-${text}-`), 1, text.length + 1);
}

function offset(text: string, of = "", limit = LIMIT): number {
  return parseBitOffset(bytesOf(`-${text}-`), 1, text.length + 1, of === "" ? 0 : type(of), limit);
}

function narrow(value: bigint): Int64 {
  return value >= -(2n ** 53n) + 1n && value <= 2n ** 53n - 1n ? Number(value) : value;
}

function set(bytes: Uint8Array, of: string, at: number, value: Int64, overflow: Overflow): BitfieldOutcome {
  const outcome: BitfieldOutcome = { reply: null, changed: false };
  bitfieldSet(bytes, type(of), at, value, overflow, outcome);
  return outcome;
}

function incrBy(bytes: Uint8Array, of: string, at: number, by: Int64, overflow: Overflow): BitfieldOutcome {
  const outcome: BitfieldOutcome = { reply: null, changed: false };
  bitfieldIncrBy(bytes, type(of), at, by, overflow, outcome);
  return outcome;
}

describe("BITFIELD arguments, as Redis 7.2.6 takes them", () => {
  test("types", () => {
    for (const good of ["u1", "u8", "u63", "i1", "i64", "u8\0x"]) expect(type(good)).toBeGreaterThan(0);
    const bad = [
      "u64",
      "i65",
      "u0",
      "i0",
      "u",
      "i",
      "",
      "8",
      "U8",
      "u08",
      "u+8",
      "u-8",
      "u 8",
      "u8 ",
      "x8",
      "u\0",
    ];
    for (const text of bad) expect([text, type(text)]).toEqual([text, -1]);
  });

  test("offsets", () => {
    expect(offset("0", "u8")).toBe(0);
    expect(offset("100", "u8")).toBe(100);
    expect(offset("#3", "u8")).toBe(24);
    expect(offset("#3", "i5")).toBe(15);
    expect(offset("4294967295", "u8")).toBe(4294967295);
    expect(offset("#536870911", "u8")).toBe(4294967288);
    // The product wraps around at 64 bits.
    expect(offset("#2305843009213693953", "u8")).toBe(8);
    const bad = [
      "",
      "#",
      "#-1",
      "-1",
      "01",
      "+1",
      "1#",
      "##1",
      "4294967296",
      "#536870912",
      "1\0",
      "#9223372036854775807",
    ];
    for (const text of bad) expect([text, offset(text, "u8")]).toEqual([text, -1]);
    expect(offset("7", "", 1)).toBe(7);
    expect(offset("8", "", 1)).toBe(-1);
    expect(offset("#1")).toBe(-1);
  });

  test("the length a field needs", () => {
    expect(bitfieldEnd(type("u8"), 0)).toBe(1);
    expect(bitfieldEnd(type("u8"), 1)).toBe(2);
    expect(bitfieldEnd(type("i64"), 7)).toBe(9);
  });
});

describe("BITFIELD values", () => {
  test("the layout", () => {
    const bytes = new Uint8Array(2);
    expect(set(bytes, "u5", 7, 23, "wrap")).toEqual({ reply: 0, changed: true });
    expect([...bytes]).toEqual([0b00000001, 0b01110000]);
    expect(set(bytes, "u5", 7, 23, "wrap")).toEqual({ reply: 23, changed: false });
    expect(bitfieldGet(bytes, type("i5"), 7)).toBe(-9);
    expect(bitfieldGet(bytes, type("u8"), 12)).toBe(0);
    expect(bitfieldGet(bytes, type("i64"), 1000)).toBe(0);
  });

  test("overflow", () => {
    const bytes = Uint8Array.of(0xff, 0x7f, 0x80);
    expect(incrBy(bytes, "u8", 0, 1, "fail")).toEqual({ reply: null, changed: false });
    expect(incrBy(bytes, "u8", 0, 10, "sat")).toEqual({ reply: 255, changed: false });
    expect(incrBy(bytes, "u8", 0, 10, "wrap")).toEqual({ reply: 9, changed: true });
    expect(incrBy(bytes, "i8", 8, 1, "sat")).toEqual({ reply: 127, changed: false });
    expect(incrBy(bytes, "i8", 8, 1, "wrap")).toEqual({ reply: -128, changed: true });
    expect(incrBy(bytes, "i8", 16, -1, "sat")).toEqual({ reply: -128, changed: false });
    expect(incrBy(bytes, "i8", 16, -1, "fail")).toEqual({ reply: null, changed: false });
    expect(set(bytes, "u8", 0, -1, "sat")).toEqual({ reply: 9, changed: true });
    expect(bytes[0]).toBe(255);
  });

  test("oddities of Redis 7.2.6", () => {
    const bytes = new Uint8Array(1);
    set(bytes, "i8", 0, MIN, "sat");
    expect(bitfieldGet(bytes, type("i8"), 0)).toBe(127);
    set(bytes, "i8", 0, MIN + 128n, "sat");
    expect(bitfieldGet(bytes, type("i8"), 0)).toBe(-128);
    set(bytes, "i8", 0, MIN + 127n, "sat");
    expect(bitfieldGet(bytes, type("i8"), 0)).toBe(127);
  });

  test("64 bits", () => {
    const bytes = new Uint8Array(9);
    set(bytes, "i64", 3, MIN, "wrap");
    expect(bitfieldGet(bytes, type("i64"), 3)).toBe(MIN);
    expect(incrBy(bytes, "i64", 3, -1, "sat")).toEqual({ reply: MIN, changed: false });
    expect(incrBy(bytes, "i64", 3, -1, "wrap")).toEqual({ reply: -MIN - 1n, changed: true });
    expect(incrBy(bytes, "i64", 3, MIN, "wrap")).toEqual({ reply: -1, changed: true });
  });

  test("agree with a string of bits and BigInt", () => {
    const random = seeded("bitfield");
    for (let i = 0; i < 40000; i++) {
      const signed = random.below(2) === 0;
      const bits = 1 + random.below(signed ? 64 : 63);
      const at = random.below(90);
      const bytes = random.bytes(20);
      const text = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
      const read = BigInt(`0b${text.slice(at, at + bits)}`);
      const old = signed ? BigInt.asIntN(bits, read) : read;
      const name = (signed ? "i" : "u") + bits;
      expect(bitfieldGet(bytes, type(name), at)).toBe(narrow(old));

      const power = 1n << BigInt(random.below(64));
      const value = BigInt.asIntN(64, (random.below(2) === 0 ? power : -power) + BigInt(random.below(5) - 2));
      const overflow = random.pick(["wrap", "sat", "fail"] as const);
      const increments = random.below(2) === 0;
      const wanted = increments ? old + value : value;
      const max = signed ? 2n ** BigInt(bits - 1) - 1n : 2n ** BigInt(bits) - 1n;
      const min = signed ? -max - 1n : 0n;
      const upwards = wanted > max || (!increments && (!signed || (bits < 64 && wanted <= max + MIN)));
      let stored: bigint | null = wanted;
      if (wanted < min || wanted > max) {
        if (overflow === "fail") stored = null;
        else if (overflow === "sat") stored = upwards ? max : min;
        else stored = signed ? BigInt.asIntN(bits, wanted) : BigInt.asUintN(bits, wanted);
      }
      const outcome = (increments ? incrBy : set)(bytes, name, at, narrow(value), overflow);
      const reply = stored === null ? null : narrow(increments ? stored : old);
      expect(outcome).toEqual({ reply, changed: stored !== null && stored !== old });
      const field = BigInt.asUintN(bits, stored ?? old)
        .toString(2)
        .padStart(bits, "0");
      const after = text.slice(0, at) + field + text.slice(at + bits);
      expect(Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("")).toBe(after);
    }
  });
});
