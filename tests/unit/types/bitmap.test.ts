import { describe, expect, test } from "bun:test";
import {
  type BitOperation,
  bitCountRange,
  bitOperation,
  bitPosition,
  popcount,
} from "../../../src/types/bitmap.ts";
import { bytesOf, type Random, seeded } from "../bytes/random.ts";

/** Often all zeros or all ones but for one byte; at any alignment. */
function sample(random: Random): Uint8Array {
  const length = random.below(20) === 0 ? random.below(3000) : random.below(40);
  const start = random.below(4);
  const bytes = random.bytes(length + start + 2);
  const kind = random.below(3);
  if (kind < 2) bytes.fill(kind === 0 ? 0 : 255);
  if (length > 0) bytes[start + random.below(length)] = random.below(256);
  return bytes.subarray(start, start + length);
}

function bitsOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
}

function ones(bits: string): number {
  return bits.replaceAll("0", "").length;
}

/** The part of `bits` from `start` to `end` as Redis counts, and where it begins. */
function range(bits: string, start: number, end: number, inBits: boolean): [part: string, from: number] {
  const unit = inBits ? 1 : 8;
  const total = bits.length / unit;
  const from = Math.max(start < 0 ? start + total : start, 0);
  const to = Math.min(Math.max(end < 0 ? end + total : end, 0), total - 1);
  return [from > to ? "" : bits.slice(from * unit, (to + 1) * unit), from * unit];
}

describe("bitmap", () => {
  test("examples of the command pages", () => {
    const foobar = bytesOf("foobar");
    expect(popcount(foobar, 0, 6)).toBe(26);
    expect(bitCountRange(foobar, 0, 0, false)).toBe(4);
    expect(bitCountRange(foobar, 1, 1, false)).toBe(6);
    expect(bitCountRange(foobar, 5, 30, true)).toBe(17);
    expect(bitPosition(Uint8Array.of(0xff, 0xf0, 0), 0, 0, undefined, false)).toBe(12);
    const late = Uint8Array.of(0, 0xff, 0xf0);
    expect(bitPosition(late, 1, 0, undefined, false)).toBe(8);
    expect(bitPosition(late, 1, 2, undefined, false)).toBe(16);
    expect(bitPosition(late, 1, 7, 15, true)).toBe(8);
    expect(bitPosition(late, 1, 7, -3, true)).toBe(8);
  });

  test("a missing 0 is behind the string only if no end was given", () => {
    const full = Uint8Array.of(0xff, 0xff, 0xff);
    expect(bitPosition(full, 0, 0, undefined, false)).toBe(24);
    expect(bitPosition(full, 0, 1, undefined, false)).toBe(24);
    expect(bitPosition(full, 0, 3, undefined, false)).toBe(-1);
    expect(bitPosition(full, 0, 0, -1, false)).toBe(-1);
    expect(bitPosition(full, 0, 0, -1, true)).toBe(-1);
    expect(bitPosition(new Uint8Array(0), 0, 0, undefined, false)).toBe(-1);
    expect(bitPosition(new Uint8Array(3), 1, 0, undefined, false)).toBe(-1);
  });

  test("the ends of the 64-bit range", () => {
    const bytes = bytesOf("foobar");
    const min = -(2n ** 63n);
    expect(bitCountRange(bytes, min, 2n ** 63n - 1n, false)).toBe(26);
    expect(bitCountRange(bytes, min + 1n, min, false)).toBe(0);
    expect(bitCountRange(bytes, min, min + 1n, false)).toBe(4);
  });

  test("counting and searching agree with a string of bits", () => {
    const random = seeded("bitmap");
    for (let i = 0; i < 20000; i++) {
      const bytes = sample(random);
      const bits = bitsOf(bytes);
      const inBits = random.below(2) === 0;
      const span = random.pick([bytes.length, bits.length, bits.length + 10]);
      const start = random.below(2 * span + 2) - span - 1;
      const end = random.below(2 * span + 2) - span - 1;
      const [part, from] = range(bits, start, end, inBits);
      expect(popcount(bytes, 0, bytes.length)).toBe(ones(bits));
      const reversed = start < 0 && end < 0 && start > end;
      expect(bitCountRange(bytes, start, end, inBits)).toBe(reversed ? 0 : ones(part));
      for (const bit of [0, 1] as const) {
        const at = part.indexOf(String(bit));
        expect(bitPosition(bytes, bit, start, end, inBits)).toBe(at < 0 ? -1 : from + at);
      }
    }
  });

  test("BITOP agrees with byte by byte", () => {
    const random = seeded("bitop");
    const union = (bytes: number[]) => bytes.reduce((a, b) => a | b, 0);
    const column: Record<BitOperation, (bytes: number[]) => number> = {
      and: (bytes) => bytes.reduce((a, b) => a & b),
      or: union,
      xor: (bytes) => bytes.reduce((a, b) => a ^ b),
      not: ([a]) => ~a! & 0xff,
      diff: ([a, ...others]) => a! & ~union(others),
      diff1: ([a, ...others]) => union(others) & ~a!,
      andor: ([a, ...others]) => a! & union(others),
      one: (bytes) =>
        union([1, 2, 4, 8, 16, 32, 64, 128].filter((bit) => bytes.filter((b) => b & bit).length === 1)),
    };
    const operations = Object.keys(column) as BitOperation[];
    for (let i = 0; i < 1000; i++) {
      const operation = random.pick(operations);
      const sources = Array.from({ length: operation === "not" ? 1 : 1 + random.below(4) }, () =>
        sample(random),
      );
      if (i < 20) sources[0] = random.bytes(70000 + random.below(100)).subarray(random.below(4));
      const before = sources.map((source) => source.slice());
      const length = Math.max(...sources.map((source) => source.length));
      const expected = Uint8Array.from({ length }, (_, at) => {
        return column[operation](sources.map((source) => source[at] ?? 0));
      });
      expect(bitOperation(operation, sources)).toEqual(expected);
      expect(sources.map((source) => source.slice())).toEqual(before);
    }
  });
});
