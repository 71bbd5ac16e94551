/** The table of read keys, with a plain map beside it. */
import { expect, test } from "bun:test";
import { Random } from "../../../src/host/random.ts";
import { TrackingTable } from "../../../src/push/tracking-table.ts";

test("adding and taking keys at random", () => {
  const random = new Random(7);
  const table = new TrackingTable();
  const model = new Map<string, Set<number>>();
  for (let step = 0; step < 20_000; step++) {
    const key = `k${random.below(50)}`;
    if (random.below(3) > 0) {
      const client = random.below(5);
      table.add(key, client);
      model.set(key, (model.get(key) ?? new Set()).add(client));
    } else {
      expect([...(table.take(key) ?? [])].sort()).toEqual([...(model.get(key) ?? [])].sort());
      model.delete(key);
    }
    const items = [...model.values()].reduce((sum, clients) => sum + clients.size, 0);
    expect([table.keyCount, table.itemCount]).toEqual([model.size, items]);
    if (model.size > 0) expect(model.has(table.anyKey((bound) => random.below(bound)))).toBe(true);
  }
  table.clear();
  expect([table.keyCount, table.itemCount, table.take("k1")]).toEqual([0, 0, null]);
});
