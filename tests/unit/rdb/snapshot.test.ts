/**
 * Snapshots in slices, while big values change: what is written is the data set of the moment at which the snapshot
 * began. Random commands run between the slices; what is then loaded is compared with what there was.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { RestoreRecords } from "../../../src/aof/restore-records.ts";
import type { HashTable } from "../../../src/encodings/hash-table.ts";
import { readSlot } from "../../../src/encodings/hash-table-image.ts";
import type { Segment } from "../../../src/encodings/hash-table-segment.ts";
import { Snapshot } from "../../../src/keyspace/snapshot.ts";
import { objectOf } from "../../../src/keyspace/value-bytes.ts";
import { loadRdb } from "../../../src/rdb/load.ts";
import { RdbRecords, type SaveOptions } from "../../../src/rdb/save.ts";
import { BytesSource } from "../../../src/rdb/sources.ts";
import { RdbWriter } from "../../../src/rdb/writer.ts";
import { type Random, seeded } from "../bytes/random.ts";
import type { Arg } from "./payloads.ts";
import { Bench } from "./support.ts";

const SAVE: SaveOptions = {
  compress: true,
  checksum: true,
  usage: "none",
  aux: [],
  functions: [],
  version: 14,
};

const text = (bytes: Buffer | Uint8Array) => Buffer.from(bytes).toString("latin1");

/** What a key holds, in a form that does not depend on how it is held. */
function contentsOf(bench: Bench, key: string): string {
  const type = bench.run("TYPE", key).slice(1, -2);
  const expiry = bench.run("PEXPIRETIME", key);
  const unordered = (reply: string, every: number) => {
    const parts = reply.split(/\r\n(?=\$)/).slice(1);
    const groups: string[] = [];
    for (let i = 0; i < parts.length; i += every)
      groups.push(
        parts
          .slice(i, i + every)
          .join()
          .trimEnd(),
      );
    return groups.sort().join("\n");
  };
  switch (type) {
    case "set":
      return type + expiry + unordered(bench.run("SMEMBERS", key), 1);
    case "hash": {
      const fields = unordered(bench.run("HKEYS", key), 1).match(/(?<=\r\n)[^\r\n]+/g)!;
      const times = bench.run("HPEXPIRETIME", key, "FIELDS", String(fields.length), ...fields);
      return type + expiry + unordered(bench.run("HGETALL", key), 2) + times;
    }
    case "zset":
      return type + expiry + bench.run("ZRANGE", key, "0", "-1", "WITHSCORES");
    case "list":
      return type + expiry + bench.run("LRANGE", key, "0", "-1");
    case "string":
      return type + expiry + bench.run("GET", key);
    default:
      // A stream has one form, and an array.
      return type + expiry + text(bench.dump(key));
  }
}

function everything(bench: Bench): Map<string, string> {
  const keys = bench
    .run("KEYS", "*")
    .split("\r\n")
    .filter((_, i) => i > 0 && i % 2 === 0)
    .sort();
  return new Map(keys.map((key) => [key, contentsOf(bench, key)]));
}

interface Running {
  /** One slice; whether the walk has ended. */
  step(): boolean;
  readonly snapshot: Snapshot;
  /** The file, once the walk has ended. */
  finish(): Uint8Array;
}

function begin(bench: Bench, asCommands = false): Running {
  const pieces: Uint8Array[] = [];
  const databases = [...bench.keyspace.all()];
  const sink = (buf: Uint8Array, start: number, end: number) => void pieces.push(buf.slice(start, end));
  const records = asCommands ? new RestoreRecords(sink) : new RdbRecords(databases, sink, SAVE, true);
  const snapshot = new Snapshot(databases, records);
  bench.snapshots.snapshot = snapshot;
  records.begin();
  return {
    step: () => snapshot.step(() => true),
    snapshot,
    finish() {
      bench.snapshots.snapshot = null;
      records.end();
      return new Uint8Array(Buffer.concat(pieces));
    },
  };
}

/** What the commands of an AOF make. */
function executed(bytes: Uint8Array): Bench {
  const bench = new Bench();
  const file = Buffer.from(bytes);
  let at = 0;
  const number = () => {
    const end = file.indexOf("\r\n", at);
    const value = Number(file.toString("latin1", at + 1, end));
    at = end + 2;
    return value;
  };
  while (at < file.length) {
    const args = Array.from({ length: number() }, () => {
      const length = number();
      at += length + 2;
      return new Uint8Array(file.subarray(at - length - 2, at - 2));
    });
    // The bench has database 0 only.
    if (text(args[0]!) !== "SELECT") expect(bench.run(...args)).toBe("+OK\r\n");
  }
  return bench;
}

function loaded(bytes: Uint8Array): Bench {
  const bench = new Bench();
  const log = { debug() {}, notice() {}, warning() {} };
  const options = { context: bench.readContext, log, checksum: true, deep: true, skipExpired: false };
  loadRdb(new BytesSource(bytes), bench.keyspace, options);
  return bench;
}

type Commands = (random: Random, key: string) => Arg[];

interface Kind {
  /** Adds about so many elements. */
  readonly fill: (bench: Bench, random: Random, key: string, count: number) => void;
  readonly change: readonly Commands[];
  /** How many times fewer changes are enough. */
  readonly slowness?: number;
}

const name = (random: Random) => `member:${random.below(9000)}`;
const long = (random: Random) =>
  random.below(20) === 0 ? "x".repeat(random.below(6000)) : `v${random.below(1e6)}`;
const LONG = Uint8Array.from({ length: 6_000_000 }, (_, i) => (i * 2654435761) >>> 25);
let nextId = 1;

const KINDS: Record<string, Kind> = {
  hash: {
    fill(bench, random, key, count) {
      for (let i = 0; i < count; i++) bench.run("HSET", key, `member:${i}`, long(random));
      for (let i = 0; i < count / 20; i++)
        bench.run(
          "HPEXPIREAT",
          key,
          String(1_800_000_000_000 + random.below(1000)),
          "FIELDS",
          "1",
          name(random),
        );
    },
    change: [
      (random, key) => ["HSET", key, name(random), long(random)],
      (random, key) => ["HSET", key, name(random), long(random), name(random), long(random)],
      (random, key) => ["HDEL", key, name(random), name(random), name(random), name(random)],
      (random, key) => ["HDEL", key, ...Array.from({ length: 300 }, () => name(random))],
      (random, key) => ["HINCRBY", key, `n${random.below(50)}`, "5"],
      (random, key) => [
        "HPEXPIREAT",
        key,
        String(1_800_000_000_000 + random.below(9)),
        "FIELDS",
        "1",
        name(random),
      ],
      (random, key) => ["HPERSIST", key, "FIELDS", "1", name(random)],
      (random, key) => ["HPEXPIRE", key, "0", "FIELDS", "1", name(random)],
    ],
  },
  set: {
    fill(bench, random, key, count) {
      for (let i = 0; i < count; i++) bench.run("SADD", key, i % 30 === 0 ? long(random) : `member:${i}`);
    },
    change: [
      (random, key) => ["SADD", key, name(random), long(random)],
      (random, key) => ["SREM", key, name(random), name(random), name(random)],
      (_, key) => ["SPOP", key],
      (_, key) => ["SPOP", key, "200"],
      (random, key) => ["SMOVE", key, "elsewhere", name(random)],
    ],
  },
  zset: {
    fill(bench, random, key, count) {
      for (let i = 0; i < count; i++) bench.run("ZADD", key, String(random.below(500)), `member:${i}`);
      bench.run("ZADD", key, "inf", "top", "-inf", "bottom", "0", "zero");
    },
    change: [
      (random, key) => ["ZADD", key, String(random.below(600) - 50), name(random)],
      (random, key) => ["ZADD", key, random.pick(["inf", "-inf", "0"]), name(random)],
      (random, key) => ["ZINCRBY", key, String(random.below(9) - 4), name(random)],
      (random, key) => ["ZREM", key, name(random), name(random)],
      (_, key) => ["ZPOPMAX", key, "3"],
      (_, key) => ["ZPOPMIN", key],
      (random, key) => {
        const rank = random.below(3000);
        return ["ZREMRANGEBYRANK", key, String(rank), String(rank + random.below(200))];
      },
    ],
  },
  list: {
    fill(bench, random, key, count) {
      for (let i = 0; i < count; i++) bench.run("RPUSH", key, long(random));
    },
    change: [
      (random, key) => ["LPUSH", key, long(random)],
      (random, key) => ["RPUSH", key, long(random), long(random)],
      (_, key) => ["LPOP", key, "3"],
      (_, key) => ["RPOP", key],
      (random, key) => ["LSET", key, String(random.below(2000)), long(random)],
      (random, key) => ["LREM", key, "2", `v${random.below(1000)}`],
      (random, key) => ["LINSERT", key, "AFTER", "needle", long(random)],
      (random, key) => ["LSET", key, String(random.below(2000)), "needle"],
      (random, key) => ["LTRIM", key, String(random.below(30)), String(-1 - random.below(30))],
      (_, key) => ["LMOVE", key, key, "LEFT", "RIGHT"],
    ],
  },
  string: {
    slowness: 30,
    fill(bench, _random, key, count) {
      bench.run("SET", key, LONG.subarray(0, count * 600));
    },
    change: [
      (random, key) => ["SETRANGE", key, String(random.below(1_500_000)), "changed"],
      (random, key) => ["APPEND", key, "y".repeat(random.below(100_000))],
      (random, key) => ["SETBIT", key, String(random.below(10_000_000)), "1"],
      (random, key) => ["BITFIELD", key, "SET", "u8", String(random.below(10_000_000)), "7"],
      (random, key) => ["SET", key, LONG.subarray(0, 1_000_000 + random.below(500_000))],
      (_, key) => ["GETDEL", key],
    ],
  },
  stream: {
    fill(bench, random, key, count) {
      for (let i = 0; i < count; i++) bench.run("XADD", key, `${nextId++}-1`, "f", long(random));
      for (const group of ["g1", "g2"]) {
        bench.run("XGROUP", "CREATE", key, group, "0");
        for (const consumer of ["a", "b", "c"])
          bench.run("XREADGROUP", "GROUP", group, consumer, "COUNT", String(count / 4), "STREAMS", key, ">");
      }
    },
    change: [
      (random, key) => ["XADD", key, `${nextId++}-1`, "f", long(random)],
      (random, key) => ["XADD", key, `${nextId++}-1`, "other", long(random), "g", "1"],
      (random, key) => ["XDEL", key, `${random.below(nextId)}-1`, `${random.below(nextId)}-1`],
      (random, key) => ["XTRIM", key, "MAXLEN", "~", String(1000 + random.below(2000))],
      (random, key) => ["XTRIM", key, "MAXLEN", String(1200 + random.below(2000))],
      (random, key) => ["XACK", key, "g1", ...Array.from({ length: 5 }, () => `${random.below(nextId)}-1`)],
      (random, key) => [
        "XREADGROUP",
        "GROUP",
        "g2",
        random.pick(["a", "z"]),
        "COUNT",
        "7",
        "STREAMS",
        key,
        ">",
      ],
      (random, key) => [
        "XREADGROUP",
        "GROUP",
        "g2",
        "a",
        "COUNT",
        "7",
        "STREAMS",
        key,
        String(random.below(nextId)),
      ],
      (_, key) => ["XACK", key, "g2", ...Array.from({ length: 30 }, (_, i) => `${nextId - i}-1`)],
      (random, key) => ["XCLAIM", key, "g1", "b", "0", `${random.below(nextId)}-1`],
      (random, key) => ["XAUTOCLAIM", key, "g1", "c", "0", String(random.below(nextId)), "COUNT", "9"],
      (random, key) => ["XGROUP", "DELCONSUMER", key, "g2", random.pick(["a", "b"])],
      (random, key) => ["XNACK", key, "g1", "FAIL", "IDS", "1", `${random.below(nextId)}-1`, "FORCE"],
      (_, key) => ["XADD", key, "IDMP", "p", `${nextId}`, `${nextId++}-1`, "f", "v"],
      (random, key) => ["XGROUP", "SETID", key, "g1", String(random.below(nextId))],
      (random, key) => ["XGROUP", random.pick(["CREATE", "DESTROY"]), key, "g3", "0"],
    ],
  },
};

const anywhere = (random: Random) => String(random.below(4) === 0 ? random.below(1e9) : random.below(9000));

KINDS.array = {
  fill(bench, random, key, count) {
    for (let i = 0; i < count; i += 2) bench.run("ARSET", key, String(i), long(random), long(random));
    for (let i = 0; i < count / 10; i++) bench.run("ARSET", key, anywhere(random), long(random));
  },
  change: [
    (random, key) => ["ARSET", key, anywhere(random), long(random)],
    (random, key) => ["ARMSET", key, anywhere(random), long(random), anywhere(random), long(random)],
    (random, key) => ["ARINSERT", key, long(random), long(random)],
    (random, key) => ["ARRING", key, "1000000000", long(random)],
    (random, key) => ["ARSEEK", key, anywhere(random)],
    (random, key) => ["ARDEL", key, anywhere(random), anywhere(random)],
    (random, key) => {
      const from = random.below(9000);
      return ["ARDELRANGE", key, String(from), String(from + random.below(300))];
    },
  ],
};

const element = (random: Random) => `element:${random.below(1200)}`;
const vector = (random: Random) => Array.from({ length: 6 }, () => String(random.below(2001) - 1000));

KINDS["vector set"] = {
  fill(bench, random, key, count) {
    for (let i = 0; i < count; i += 4) {
      const attributes = random.pick(["", `{"n":${i}}`]);
      bench.run(
        "VADD",
        key,
        "VALUES",
        "6",
        ...vector(random),
        element(random),
        "EF",
        "20",
        "SETATTR",
        attributes,
      );
    }
  },
  change: [
    (random, key) => ["VADD", key, "VALUES", "6", ...vector(random), element(random), "EF", "20"],
    (random, key) => ["VREM", key, element(random)],
    (random, key) => ["VSETATTR", key, element(random), random.pick(["", long(random)])],
    (random, key) => ["VSIM", key, "ELE", element(random)],
  ],
};

/** What may happen to a key of any type. */
const ANY: Commands[] = [
  (_, key) => ["DEL", key],
  (_, key) => ["RENAME", key, "renamed"],
  (_, key) => ["RENAME", "renamed", key],
  (_, key) => ["COPY", key, "copy", "REPLACE"],
  (_, key) => ["COPY", "copy", key, "REPLACE"],
  (random, key) => ["PEXPIREAT", key, String(1_900_000_000_000 + random.below(10))],
  (_, key) => ["PEXPIREAT", key, "1"],
  (_, key) => ["PERSIST", key],
  (_, key) => ["SET", key, "a string"],
  (_, key) => ["MOVE", key, "1"],
  () => ["FLUSHALL"],
  () => ["SWAPDB", "0", "1"],
];

describe.each(Object.keys(KINDS))("of a big %s", (type) => {
  const kind = KINDS[type]!;
  const random = seeded(`snapshot-${type}`);
  const keys = ["one", "two", "small", "three"];

  function filled(): Bench {
    const bench = new Bench();
    Object.assign(bench.config.values, { listMaxListpackSize: -1 });
    for (const [i, key] of keys.entries()) kind.fill(bench, random, key, [3000, 2000, 20, 2000][i]!);
    for (let i = 0; i < 300; i++) bench.run("SET", `s${i}`, long(random));
    return bench;
  }

  function change(bench: Bench, rarely: number): void {
    const key = random.pick(keys);
    if (random.below(3) === 0) bench.run("SET", `s${random.below(400)}`, long(random));
    else if (random.below(rarely) === 0) bench.run(...random.pick(ANY)(random, key));
    else bench.run(...random.pick(kind.change)(random, key));
  }

  test.each([1_000_000, 60, 6])(
    "is that of its moment, however it changes (%d)",
    (rarely) => {
      for (let round = 0; round < 3; round++) {
        const bench = filled();
        const pace = [3, 40, 200][round]! / (kind.slowness ?? 1);
        // Twice, for the second one to begin with what the first one has left.
        for (let i = 0; i < 2; i++) {
          const expected = everything(bench);
          const running = begin(bench);
          while (!running.step())
            for (let n = random.below(Math.ceil(pace) + 1); n > 0; n--) change(bench, rarely);
          const copy = everything(loaded(running.finish()));
          expect([...copy.keys()]).toEqual([...expected.keys()]);
          for (const [key, value] of expected)
            if (copy.get(key) !== value) {
              const [a, b] = [copy.get(key)!.split("\r\n"), value.split("\r\n")];
              const at = a.findIndex((part, i) => part !== b[i]);
              expect([key, at, ...a.slice(at - 6, at + 6)]).toEqual([key, at, ...b.slice(at - 6, at + 6)]);
            }
          expect([...bench.keyspace.all()].map(({ holds }) => holds)).toEqual(
            [...bench.keyspace.all()].map(() => 0),
          );
        }
      }
    },
    60_000,
  );

  test("is that of its moment, as commands", () => {
    const bench = filled();
    const expected = everything(bench);
    const running = begin(bench, true);
    while (!running.step()) for (let n = random.below(10); n > 0; n--) change(bench, 60);
    expect(everything(executed(running.finish()))).toEqual(expected);
  }, 30_000);

  test("given up, leaves nothing that hinders the next one", () => {
    const bench = filled();
    const first = begin(bench);
    for (let i = 0; i < 20; i++) {
      first.step();
      for (let n = 0; n < 20; n++) change(bench, 1_000_000);
    }
    first.snapshot.abandon();
    for (let i = 0; i < 20; i++) change(bench, 1_000_000);
    while (!first.step());
    const expected = everything(bench);
    const second = begin(bench);
    while (!second.step()) change(bench, 1_000_000);
    expect(everything(loaded(second.finish()))).toEqual(expected);
  }, 30_000);
});

describe("blocks that others draw in", () => {
  /** What happens while the snapshot has begun with a key, and has written nothing of it. */
  function during(bench: Bench, key: string, changes: () => void): void {
    const expected = everything(bench);
    const running = begin(bench);
    bench.run("PEXPIREAT", key, "2000000000000");
    changes();
    while (!running.step());
    expect(everything(loaded(running.finish()))).toEqual(expected);
  }

  test("a segment joined with one that gets empty", () => {
    const bench = new Bench();
    for (let i = 0; i < 2000; i++) bench.run("SADD", "key", `member:${i}`.padEnd(60, "."));
    const db = bench.keyspace.select(0);
    const key = new TextEncoder().encode("key");
    const table = objectOf(db, db.find(key, 0, key.length)) as HashTable;
    const range = { buf: key, start: 0, end: 0 };
    const removal = (segment: Segment, kept: number) => {
      const image = table.image(segment, true);
      for (let slot = 0, left = segment.count; slot < image.segment.capacity && left > kept; slot++)
        if (readSlot(image, slot, range, range)) {
          left--;
          bench.run("SREM", "key", range.buf.slice(range.start, range.end));
        }
    };
    // So few are left of each that two of them, one of which loses some more, fit into one.
    for (const segment of [...table.segments]) removal(segment, 165);
    const before = table.segments.length;
    expect(before).toBeGreaterThan(1);
    during(bench, "key", () => removal(table.segments[0]!, 100));
    expect(table.segments.length).toBeLessThan(before);
  });

  test("nodes of a list that are joined beside one that is split", () => {
    const bench = new Bench();
    Object.assign(bench.config.values, { listMaxListpackSize: 4 });
    for (let i = 0; i < 4000; i++)
      bench.run("RPUSH", "key", i % 2 === 0 ? "x" : `element:${i}`.padEnd(60, "."));
    bench.run("LREM", "key", "0", "x");
    during(bench, "key", () => {
      for (let i = 0; i < 20; i++)
        bench.run("LINSERT", "key", "AFTER", "element:999".padEnd(60, "."), `new:${i}`);
    });
  });
});

describe("how much is done at once", () => {
  const { string } = RdbWriter.prototype;
  let strings = 0;

  afterEach(() => {
    RdbWriter.prototype.string = string;
  });

  test.each(Object.keys(KINDS))(
    "of a big %s, in a slice or before a change",
    (type) => {
      const kind = KINDS[type]!;
      const random = seeded(`work-${type}`);
      const bench = new Bench();
      for (const key of ["one", "two"]) kind.fill(bench, random, key, 10_000);
      RdbWriter.prototype.string = function (...args) {
        strings++;
        string.apply(this, args);
      };
      const running = begin(bench);
      let most = 0;
      const measured = <T>(work: () => T): T => {
        strings = 0;
        const result = work();
        most = Math.max(most, strings);
        return result;
      };
      for (let steps = 0; !measured(running.step); steps++)
        for (const key of ["one", "two"]) {
          const command = random.pick(kind.change)(random, key);
          measured(() => bench.run(...command));
          // Another one takes the place of a value that is not written yet.
          if (steps === 20 && key === "two") measured(() => bench.run("SET", "two", "x"));
          if (steps === 30 && key === "one") measured(() => bench.run("DEL", "one"));
        }
      // A slice writes about 128 elements, a change at most those that it changes itself; a node of a list or stream
      // counts as one.
      expect(most).toBeLessThan(300);
      expect(everything(loaded(running.finish())).size).toBe(2);
    },
    30_000,
  );
});
