import { expect, test } from "bun:test";
import { Blocks } from "../../../src/memory/blocks.ts";
import { seeded } from "../bytes/random.ts";

test("blocks keep their bytes through growth, and the books are right", () => {
  const random = seeded("blocks");
  const blocks = new Blocks();
  const model = new Map<number, Uint8Array>();
  const check = (id: number): void => {
    const bytes = model.get(id)!;
    if (!Buffer.from(blocks.get(id).subarray(0, bytes.length)).equals(bytes)) throw new Error(`block ${id}`);
  };
  for (let i = 0; i < 3000; i++) {
    const ids = [...model.keys()];
    const action = random.below(4);
    if (action < 2 || ids.length === 0) {
      const bytes = random.bytes(1 + random.below(random.below(20) === 0 ? 1 << 18 : 3000));
      const id = action === 0 ? blocks.adopt(bytes.slice()) : blocks.alloc(bytes.length);
      if (action !== 0) {
        expect(blocks.get(id).every((byte) => byte === 0)).toBe(true);
        blocks.get(id).set(bytes);
      }
      expect(id).not.toBe(0);
      expect(model.has(id)).toBe(false);
      model.set(id, bytes);
    } else if (action === 2) {
      const id = random.pick(ids);
      const old = model.get(id)!;
      const needed = old.length + random.below(5000);
      const view = blocks.get(id);
      const grown = blocks.grow(id, old.length, needed);
      expect(grown.length).toBeGreaterThanOrEqual(needed);
      expect(grown).toBe(blocks.get(id));
      if (grown !== view) expect(view.buffer.byteLength).toBe(0);
      check(id);
      const value = new Uint8Array(needed);
      value.set(old);
      grown.fill(0, old.length, needed);
      model.set(id, value);
    } else {
      const id = random.pick(ids);
      check(id);
      const view = blocks.get(id);
      blocks.free(id);
      expect(view.buffer.byteLength).toBe(0);
      model.delete(id);
    }
  }
  for (const id of model.keys()) check(id);
  expect(blocks.count).toBe(model.size);
  expect(blocks.usedBytes).toBe([...model.keys()].reduce((sum, id) => sum + blocks.get(id).length, 0));
  blocks.clear();
  expect([blocks.count, blocks.usedBytes]).toEqual([0, 0]);
  expect(blocks.alloc(10)).not.toBe(0);
});

test("growth by small steps copies a value about once a doubling", () => {
  const blocks = new Blocks();
  const id = blocks.alloc(1024);
  let moves = 0;
  for (let length = 1024; length < 8 << 20; length += 1000) {
    const before = blocks.get(id);
    if (blocks.grow(id, length, length + 1000) !== before) moves++;
  }
  expect(moves).toBeLessThan(10 + 8);
});
