import { expect, test } from "bun:test";
import { TopKeys } from "../../../src/stats/top-keys.ts";
import { seeded } from "../bytes/random.ts";

test("exact while there are places, and never too low behind that", () => {
  const random = seeded("top-keys");
  for (const [places, distinct] of [
    [100, 90],
    [50, 400],
    [1, 5],
  ] as const) {
    const top = new TopKeys(places);
    const model = new Map<string, number>();
    let total = 0;
    for (let i = 0; i < 5000; i++) {
      // The product of two numbers: some keys are far more frequent.
      const key = String(Math.floor((random.below(distinct) * random.below(distinct)) / distinct));
      const weight = 1 + random.below(9);
      total += weight;
      top.add(key, weight);
      model.set(key, (model.get(key) ?? 0) + weight);
    }
    const found = top.heaviest(places);
    expect(top.total).toBe(total);
    expect(found.length).toBe(Math.min(places, model.size));
    expect(found.reduce((sum, { weight }) => sum + weight, 0)).toBe(total);
    for (const { key, weight } of found) {
      const actual = model.get(key)!;
      if (model.size <= places) expect(weight).toBe(actual);
      else expect(weight).toBeGreaterThanOrEqual(actual);
    }
    const bound = total / places;
    for (const [key, weight] of model)
      if (weight > bound) expect(found.map((each) => each.key)).toContain(key);
    expect(found.map(({ weight }) => weight)).toEqual(
      found.map(({ weight }) => weight).sort((a, b) => b - a),
    );
  }
});
