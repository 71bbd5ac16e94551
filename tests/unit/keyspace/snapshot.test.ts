/** Snapshots are exact: what is handed on is the data set of the moment, once each, whatever changes meanwhile. */
import { expect, test } from "bun:test";
import { type Database, NO_EXPIRY } from "../../../src/keyspace/database.ts";
import { Snapshot } from "../../../src/keyspace/snapshot.ts";
import { StringView } from "../../../src/keyspace/strings.ts";
import { bytesOf, seeded } from "../bytes/random.ts";
import { testDatabase } from "./support.ts";

const view = new StringView();

function textAt(db: Database, position: number): [string, string] {
  const start = db.records.keyStart(position);
  const key = db.records.keyBytes(position).slice(start, start + db.records.keyLength(position));
  return [
    Buffer.from(key).toString("latin1"),
    Buffer.from(view.read(db, position).copy()).toString("latin1"),
  ];
}

test("records are handed on once, as they were, while the database changes", () => {
  const random = seeded("snapshot");
  const db = testDatabase();
  const model = new Map<string, string>();
  const position = (name: string): number => {
    const bytes = bytesOf(name);
    return db.find(bytes, 0, bytes.length);
  };
  const write = (name: string, value: string, snapshot: Snapshot | null): void => {
    const old = position(name);
    if (old !== 0) snapshot?.beforeChange(db, old);
    const key = bytesOf(name);
    const bytes = bytesOf(value);
    db.setString(key, 0, key.length, bytes, 0, bytes.length, NO_EXPIRY);
    model.set(name, value);
  };
  const remove = (name: string, snapshot: Snapshot | null): void => {
    const old = position(name);
    if (old === 0) return;
    snapshot?.beforeChange(db, old);
    db.remove(old);
    model.delete(name);
  };
  const change = (snapshot: Snapshot | null): void => {
    const name = `k${random.below(20_000)}`;
    if (random.below(3) === 0) remove(name, snapshot);
    else write(name, "v".repeat(random.below(80)) + random.below(1000), snapshot);
  };
  for (let i = 0; i < 30_000; i++) change(null);

  for (let round = 0; round < 6; round++) {
    const expected = new Map(model);
    const saved = new Map<string, string>();
    let twice = 0;
    let open = false;
    const snapshot = new Snapshot([db], {
      record(database, _id, at) {
        const [name, value] = textAt(database, at);
        if (saved.has(name)) twice++;
        saved.set(name, value);
        // Now and then a record takes several steps, as a big value does.
        open = random.below(10) === 0;
        return !open;
      },
      step() {
        open = open && random.below(3) > 0;
        return !open;
      },
      abandon() {},
      beforeChange() {},
    });
    const abandoned = round === 2;
    let steps = 0;
    while (!snapshot.step(() => true)) {
      for (let i = 0; i < random.below(60); i++) change(snapshot);
      if (abandoned && ++steps === 5) snapshot.abandon();
    }
    expect(twice).toBe(0);
    if (!abandoned) {
      expect(saved.size).toBe(expected.size);
      for (const [name, value] of expected) expect(saved.get(name)).toBe(value);
    }
    expect(db.holds).toBe(0);
    expect(db.size).toBe(model.size);
  }
});
