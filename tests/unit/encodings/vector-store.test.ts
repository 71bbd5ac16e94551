import { describe, expect, test } from "bun:test";
import { BLOCK, kernelsOf, ROUND } from "../../../src/encodings/vector-kernels.ts";
import { BIN, F32, INT8, VectorStore } from "../../../src/encodings/vector-store.ts";
import { LARGEST, VectorArena } from "../../../src/memory/vector-arena.ts";
import { type Random, seeded } from "../bytes/random.ts";

function aVector(random: Random, dimension: number): Float32Array {
  return Float32Array.from({ length: dimension }, () => random.below(2001) / 1000 - 1);
}

describe("kernels", () => {
  test("in WebAssembly and in JavaScript come to the same, for any number of blocks", () => {
    const random = seeded("kernels");
    const arena = new VectorArena();
    const simd = kernelsOf(arena);
    const plain = kernelsOf(arena, true);
    expect(simd.int8).not.toBe(plain.int8);
    const [a, b] = [arena.alloc(4096), arena.alloc(4096)];
    for (let blocks = 0; blocks < 40; blocks++) {
      arena.bytes.set(random.bytes(4096), a);
      arena.bytes.set(random.bytes(4096), b);
      // The extremes, whose products are the largest.
      if (blocks % 3 === 0) arena.bytes.fill(0x80, a, a + 64).fill(0x80, b, b + 64);
      const [rounds, rest] = [Math.floor(blocks / ROUND), blocks % ROUND];
      expect(simd.int8(a, b, rounds, rest)).toBe(plain.int8(a, b, rounds, rest));
      expect(simd.bin(a, b, rounds, rest)).toBe(plain.bin(a, b, rounds, rest));
      arena.floats.set(aVector(random, 1024), a / 4);
      arena.floats.set(aVector(random, 1024), b / 4);
      expect(simd.f32(a, b, rounds, rest)).toBeCloseTo(plain.f32(a, b, rounds, rest), 3);
      // What is behind the blocks does not count.
      const before = simd.f32(a, b, rounds, rest);
      arena.floats.fill(9, a / 4 + (blocks * BLOCK) / 4, a / 4 + 1024);
      expect(simd.f32(a, b, rounds, rest)).toBe(before);
    }
  });

  test("go on when the memory grows, and when there is a new one", () => {
    const arena = new VectorArena();
    const { int8 } = kernelsOf(arena);
    const kernels = kernelsOf(arena);
    expect(kernels.int8).toBeFunction();
    for (let round = 0; round < 3; round++) {
      const cells = Array.from({ length: 30 }, () => arena.alloc(LARGEST));
      const last = cells.at(-1)!;
      arena.bytes.fill(2, last, last + 32);
      expect(kernels.int8(last, last, 0, 2)).toBe(32 * 4);
      for (const cell of cells) arena.release(cell, LARGEST);
      expect(arena.bytes.length).toBe(2 * LARGEST);
    }
    expect(int8).toBeFunction();
  });
});

describe("the arena", () => {
  test("gives each cell to one only, full of zeros, and knows when it is full", () => {
    const random = seeded("vector arena");
    const arena = new VectorArena(64);
    const cells: { at: number; size: number; mark: number }[] = [];
    let refused = 0;
    for (let step = 0; step < 3000; step++) {
      if (random.below(5) < 3) {
        const bytes = 1 + random.below(random.pick([2000, 60_000, LARGEST]));
        const size = arena.sizeOf(bytes);
        expect(size).toBeGreaterThanOrEqual(bytes);
        expect(size).toBeLessThanOrEqual(Math.max(1024, bytes * 1.25));
        const at = arena.alloc(size);
        if (at < 0) {
          refused++;
          continue;
        }
        expect(arena.bytes.subarray(at, at + size).every((byte) => byte === 0)).toBe(true);
        const mark = 1 + random.below(255);
        arena.bytes.fill(mark, at, at + size);
        cells.push({ at, size, mark });
      } else if (cells.length > 0) {
        const [{ at, size, mark }] = cells.splice(random.below(cells.length), 1) as [(typeof cells)[0]];
        expect(arena.bytes.subarray(at, at + size).every((byte) => byte === mark)).toBe(true);
        arena.release(at, size);
      }
    }
    expect(refused).toBeGreaterThan(0);
    expect(arena.bytes.length).toBeLessThanOrEqual(64 * 65536);
  });
});

describe.each([
  ["f32", F32],
  ["int8", INT8],
  ["bin", BIN],
] as const)("vectors of %s", (name, form) => {
  test("are the same where the arena is full, and so are their distances", () => {
    const random = seeded(`vectors of ${name}`);
    for (const dimension of [1, 3, 16, 100, 1000]) {
      const roomy = new VectorStore(dimension, form);
      const small = new VectorArena(9);
      const crowded = new VectorStore(dimension, form, { arena: small, kernels: kernelsOf(small) });
      const count = dimension === 1000 ? 400 : 3000;
      const bytes: string[] = [];
      for (let i = 0; i < count; i++) {
        const vector = aVector(random, dimension);
        for (const store of [roomy, crowded]) {
          store.reserve(i);
          store.set(i, vector.slice());
        }
        bytes.push(Buffer.from(roomy.bytes(i)).toString("hex"));
      }
      const copy = new VectorStore(dimension, form);
      copy.copy(crowded);
      for (let i = 0; i < count; i++) {
        expect(Buffer.from(crowded.bytes(i)).toString("hex")).toBe(bytes[i]!);
        const other = random.below(count);
        expect(crowded.distance(i, other)).toBe(roomy.distance(i, other));
        expect(copy.distance(other, i)).toBe(roomy.distance(i, other));
        expect([...crowded.read(i)]).toEqual([...roomy.read(i)]);
      }
      for (const store of [roomy, crowded, copy]) store.dispose();
      expect(small.bytes.length).toBe(2 * LARGEST);
    }
  });
});
