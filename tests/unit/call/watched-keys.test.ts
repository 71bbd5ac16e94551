import { expect, test } from "bun:test";
import { keyName } from "../../../src/call/key-watchers.ts";
import { WatchedKeys } from "../../../src/call/watched-keys.ts";
import { seeded } from "../bytes/random.ts";

test("a map of key names that never says of a key it has that there is none, and seldom of another that there may be", () => {
  const random = seeded("watched keys");
  const keys = new WatchedKeys<number>();
  const model = new Map<string, { key: Uint8Array; value: number }>();
  for (let step = 0; step < 20_000; step++) {
    const key = random.bytes(random.below(random.pick([3, 10, 60])));
    const name = keyName(random.below(3), key, 0, key.length);
    if (random.below(100) === 0) {
      keys.set(name, step);
      model.set(name, { key, value: step });
    } else if (random.below(20) === 0) {
      const gone = [...model.keys()][random.below(model.size + 1)] ?? name;
      expect(keys.delete(gone)).toBe(model.delete(gone));
    }
    expect(keys.get(name)).toBe(model.get(name)?.value as number);
  }
  for (const name of [...model.keys()].slice(3)) {
    keys.delete(name);
    model.delete(name);
  }
  keys.set("0:again", 1).set("0:again", 2).delete("0:again");
  expect(keys.size).toBe(model.size);
  for (const { key } of model.values()) {
    const around = Buffer.concat([random.bytes(3), key, random.bytes(3)]);
    expect(keys.mayHave(around, 3, 3 + key.length)).toBe(true);
  }
  let taken = 0;
  for (let i = 0; i < 10_000; i++) if (keys.mayHave(random.bytes(16), 0, 16)) taken++;
  expect(taken).toBeLessThan(100);
});
