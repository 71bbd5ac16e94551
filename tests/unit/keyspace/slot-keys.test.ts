import { expect, test } from "bun:test";
import { keySlot, SLOT_COUNT } from "../../../src/bytes/crc16.ts";
import { Database } from "../../../src/keyspace/database.ts";
import { Records } from "../../../src/keyspace/record.ts";
import { SlotKeys } from "../../../src/keyspace/slot-keys.ts";
import { seeded } from "../bytes/random.ts";
import { key, testContext } from "./support.ts";

/** The keys of each hash slot: beside a model, with many keys in few slots, and by way of a database. */

test("a slot's hashes, against a plain list", () => {
  const random = seeded("slot keys");
  const slots = new SlotKeys(new Records());
  const model = new Map<number, number[]>([1, 2, 16383].map((slot) => [slot, []]));
  const same = (slot: number): void => {
    const hashes: number[] = [];
    slots.forEachHash(slot, (hash) => {
      hashes.push(hash);
      return true;
    });
    const expected = [...new Set(model.get(slot)!)];
    expect(hashes.toSorted((a, b) => a - b)).toEqual(expected.toSorted((a, b) => a - b));
    expect(slots.count(slot)).toBe(model.get(slot)!.length);
  };
  // Up, down to nothing, and up again; a small range of hashes makes some equal.
  for (const share of [80, 20, 70, 0]) {
    for (let i = 0; i < 6000; i++) {
      const slot = random.pick([1, 2, 16383]);
      const list = model.get(slot)!;
      if (random.below(100) < share) {
        const hash = random.below(3000) - 1500;
        list.push(hash);
        slots.add(hash, slot);
      } else if (list.length > 0) {
        const [hash] = list.splice(random.below(list.length), 1);
        slots.remove(hash!, slot);
      }
    }
    for (const slot of model.keys()) same(slot);
  }
});

test("looking at some of a slot's hashes ends when it is told to", () => {
  const slots = new SlotKeys(new Records());
  for (let hash = 0; hash < 1000; hash++) slots.add(hash, 5);
  let seen = 0;
  slots.forEachHash(5, () => ++seen < 10);
  expect(seen).toBe(10);
});

test("a database on a cluster node knows the keys of its slots through all that happens to them", () => {
  const random = seeded("slots of a database");
  const context = testContext(7);
  const db = new Database(0, { ...context, slots: true });
  const model = new Set<string>();
  const value = key("some value");
  for (let i = 0; i < 5000; i++) {
    const name = random.below(3) === 0 ? `{tag}${random.below(400)}` : `key:${random.below(600)}`;
    const bytes = key(name);
    const position = db.find(bytes, 0, bytes.length);
    if (position !== 0 && random.below(2) === 0) {
      db.remove(position);
      model.delete(name);
    } else {
      const at = random.below(4) === 0 ? context.clock.now + 1_000_000 : -1;
      db.setString(bytes, 0, bytes.length, value, 0, random.below(value.length), at);
      model.add(name);
    }
  }
  const counts = new Int32Array(SLOT_COUNT);
  for (const name of model) counts[keySlot(key(name), 0, name.length)]!++;
  for (let slot = 0; slot < SLOT_COUNT; slot++) expect(db.index.slots!.count(slot)).toBe(counts[slot]!);
  const tagged = keySlot(key("tag"), 0, 3);
  const names = db.index.positionsInSlot(tagged, 1e9).map((position) => {
    const start = db.records.keyStart(position);
    const bytes = db.records.keyBytes(position).subarray(start, start + db.records.keyLength(position));
    return Buffer.from(bytes).toString();
  });
  const expected = [...model].filter((name) => keySlot(key(name), 0, name.length) === tagged);
  expect(names.toSorted()).toEqual(expected.toSorted());
  expect(db.index.positionsInSlot(tagged, 3)).toHaveLength(3);
});

test("without a cluster nothing is kept", () => {
  const db = new Database(0, testContext());
  expect(db.index.slots).toBeNull();
  expect(db.index.positionsInSlot(1, 10)).toEqual([]);
});
