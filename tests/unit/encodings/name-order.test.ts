import { expect, test } from "bun:test";
import { NameOrder } from "../../../src/encodings/name-order.ts";
import { Cells } from "../../../src/encodings/sorted-set-cells.ts";
import { bytesOf, seeded } from "../bytes/random.ts";

test("names stay in order, whatever comes and goes", () => {
  const random = seeded("name order");
  for (const names of [10, 700, 20_000]) {
    const cells = new Cells();
    let order = new NameOrder(cells);
    const model = new Map<string, number>();
    const all = (from: string | null): number[] => {
      const bytes = bytesOf(from ?? "");
      if (from === null) order.seekFirst();
      else order.seek(bytes, 0, bytes.length);
      const found: number[] = [];
      for (let cell = order.next(); cell !== 0; cell = order.next()) found.push(cell);
      return found;
    };
    const sorted = () =>
      [...model].sort(([a], [b]) => Buffer.compare(bytesOf(a), bytesOf(b))).map(([, cell]) => cell);
    for (const [steps, removals] of [
      [3 * names, 2],
      [4 * names, 6],
      [2 * names, 1],
      [20 * names, 9],
    ] as const) {
      for (let step = 0; step < steps; step++) {
        const name = `${random.below(names)}`;
        const bytes = bytesOf(name);
        if (random.below(10) < removals) {
          const cell = model.get(name);
          if (cell === undefined) continue;
          order.remove(bytes, 0, bytes.length);
          cells.free(cell);
          model.delete(name);
        } else if (!model.has(name)) {
          const cell = cells.add(0, bytes, 0, bytes.length);
          order.insert(cell, bytes, 0, bytes.length);
          model.set(name, cell);
        }
      }
      expect(order.size).toBe(model.size);
      expect(all(null)).toEqual(sorted());
      for (let i = 0; i < 20; i++) {
        const from = `${random.below(names)}`;
        const behind = [...model.keys()].filter((name) => Buffer.compare(bytesOf(name), bytesOf(from)) >= 0);
        expect(all(from).length).toBe(behind.length);
      }
      if (model.size > 0) {
        const cell = order.random(() => random.below(2 ** 32));
        expect([...model.values()]).toContain(cell);
      }
      const copy = cells.clone();
      order = order.clone(copy);
      expect(all(null)).toEqual(sorted());
      order = order.clone(cells);
    }
  }
}, 60_000);
