/** Whole files: what is written is read, in slices or at once; old versions; what stands around the keys; damage. */
import { describe, expect, test } from "bun:test";
import { checkSource } from "../../../src/rdb/check.ts";
import { OP, RdbError, TYPE } from "../../../src/rdb/format.ts";
import { type LoadOptions, loadRdb, RdbLoad } from "../../../src/rdb/load.ts";
import {
  auxFields,
  RdbRecords,
  RdbSave,
  type SaveOptions,
  saveDatabases,
  usageOf,
} from "../../../src/rdb/save.ts";
import { BytesSource } from "../../../src/rdb/sources.ts";
import { seeded } from "../bytes/random.ts";
import { type Arg, file, join, latin1, string, ziplist } from "./payloads.ts";
import { Bench } from "./support.ts";

const SAVE: SaveOptions = {
  compress: true,
  checksum: true,
  usage: "none",
  aux: [],
  functions: [],
  version: 11,
};

function saved(bench: Bench, options: Partial<SaveOptions> = {}): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = [];
  const sink = (buf: Uint8Array, start: number, end: number) => pieces.push(buf.slice(start, end));
  saveDatabases(bench.keyspace.all(), sink, { ...SAVE, ...options });
  return new Uint8Array(Buffer.concat(pieces));
}

interface Loaded {
  load: RdbLoad;
  lines: string[];
}

function options(bench: Bench, lines: string[], more: Partial<LoadOptions>): LoadOptions {
  const push = (line: string) => lines.push(line);
  const log = { debug: push, notice: push, warning: push };
  return { context: bench.readContext, log, checksum: true, deep: false, skipExpired: true, ...more };
}

function load(bench: Bench, bytes: Uint8Array, more: Partial<LoadOptions> = {}): Loaded {
  const lines: string[] = [];
  return { load: loadRdb(new BytesSource(bytes), bench.keyspace, options(bench, lines, more)), lines };
}

/** A data set with every type, in two databases. */
function filled(): Bench {
  const bench = new Bench();
  const random = seeded("rdb-files");
  const many = (count: number) => Array.from({ length: count }, () => random.bytes(1 + random.below(30)));
  for (let i = 0; i < 300; i++) bench.run("SET", `key:${i}`, random.bytes(random.below(100)));
  for (const count of [5, 2000]) {
    bench.run("RPUSH", `l${count}`, ...many(count));
    bench.run("SADD", `s${count}`, ...many(count));
    bench.run("HSET", `h${count}`, ...many(count * 2));
    bench.run("ZADD", `z${count}`, ...many(count).flatMap((member, i) => [String(i), member]));
    for (let i = 0; i < count; i++) bench.run("XADD", `x${count}`, `${i + 1}-0`, "f", "v");
    bench.run("XGROUP", "CREATE", `x${count}`, "g", "0");
    bench.run("XREADGROUP", "GROUP", "g", "c", "STREAMS", `x${count}`, ">");
  }
  bench.run("SADD", "i", "1", "2", "3");
  bench.run("PEXPIREAT", "key:1", "1800000000000");
  bench.run("COPY", "key:2", "other", "DB", "9");
  return bench;
}

/** Everything as payloads, in the order of keys. */
function shown(bench: Bench): string[] {
  const keys = bench
    .run("KEYS", "*")
    .split("\r\n")
    .filter((line) => /^[a-z]/.test(line))
    .sort();
  return keys.map((key) => {
    const type = bench.run("TYPE", key);
    const value = /set|hash/.test(type)
      ? [...bench.run(type.includes("hash") ? "HGETALL" : "SMEMBERS", key).split("\r\n")].sort().join()
      : Buffer.from(bench.dump(key)).toString("hex");
    return [key, type, bench.run("PEXPIRETIME", key), bench.run("OBJECT", "ENCODING", key), value].join(" ");
  });
}

describe("a whole data set", () => {
  const bench = filled();
  const bytes = saved(bench);
  const expected = shown(bench);

  test("comes back", () => {
    const copy = new Bench();
    const { load: done, lines } = load(copy, bytes);
    expect(shown(copy)).toEqual(expected);
    expect([copy.keyspace.select(9).size, done.keysLoaded, done.consumed]).toEqual([1, 312, bytes.length]);
    expect(lines.at(-1)).toBe("Done loading RDB, keys loaded: 312, keys expired: 0.");
  });

  test("in slices of any length, saved and loaded", () => {
    const pieces: Uint8Array[] = [];
    const save = new RdbSave(
      bench.keyspace.all(),
      (buf, start, end) => pieces.push(buf.slice(start, end)),
      SAVE,
    );
    let slices = 0;
    while (!save.step(() => true)) slices++;
    expect(new Uint8Array(Buffer.concat(pieces))).toEqual(bytes);
    expect([save.keys, save.bytes]).toEqual([312, bytes.length]);
    expect(slices).toBeGreaterThan(100);
    const copy = new Bench();
    const loading = new RdbLoad(new BytesSource(bytes), copy.keyspace, options(copy, [], {}));
    slices = 0;
    while (!loading.step(() => true)) slices++;
    expect(shown(copy)).toEqual(expected);
    // The big collections take several.
    expect(slices).toBeGreaterThan(20);
    expect(loading.step(() => true)).toBe(true);
  });

  test("record by record in any order, others waiting for the one under way", () => {
    const pieces: Uint8Array[] = [];
    const records = new RdbRecords(
      bench.keyspace.all(),
      (buf, start, end) => pieces.push(buf.slice(start, end)),
      SAVE,
      true,
    );
    records.begin();
    const [first, second] = [bench.keyspace.select(0), bench.keyspace.select(9)];
    const positions: number[] = [];
    for (let cursor = 0; ; ) {
      cursor = first.index.scan(cursor, 100, (position) => positions.push(position));
      if (cursor === 0) break;
    }
    for (const [i, position] of positions.entries()) {
      if (!records.record(first, 0, position)) records.step(3);
      if (i === 100) second.index.scan(0, 10, (other) => records.record(second, 9, other));
    }
    records.end();
    const copy = new Bench();
    load(copy, new Uint8Array(Buffer.concat(pieces)));
    expect(shown(copy)).toEqual(expected);
    expect(copy.keyspace.select(9).size).toBe(1);
  });

  test("as version 10, for Redis 7.0", () => {
    const old = saved(bench, { version: 10 });
    expect(Buffer.from(old.subarray(0, 9)).toString()).toBe("REDIS0010");
    const copy = new Bench();
    load(copy, old);
    expect(shown(copy).filter((line) => !line.startsWith("x"))).toEqual(
      expected.filter((line) => !line.startsWith("x")),
    );
  });

  test("is written in the oldest version that can hold it", () => {
    const versionOf = (bench: Bench) =>
      Buffer.from(saved(bench, { version: undefined }).subarray(5, 9)).toString();
    const own = new Bench();
    own.run("HSET", "h", "f", "v", "g", "w");
    expect(versionOf(own)).toBe("0010");
    own.run("HEXPIRE", "h", "100", "FIELDS", "1", "f");
    expect(versionOf(own)).toBe("0012");
    const copy = new Bench();
    const bytes = saved(own, { version: undefined });
    load(copy, bytes);
    expect(copy.run("HPEXPIRETIME", "h", "FIELDS", "2", "f", "g")).toBe("*2\r\n:1700000100000\r\n:-1\r\n");
    expect(versionOf(copy)).toBe("0012");
    const lines: string[] = [];
    expect(checkSource(new BytesSource(bytes), "x.rdb", (line) => lines.push(line), 0)).toBe(true);
    copy.run("RENAME", "h", "i");
    expect(versionOf(copy)).toBe("0012");
    // Known to the wheel still, but gone.
    copy.run("DEL", "i");
    expect(versionOf(copy)).toBe("0010");
  });

  test("in version 10, when consumers last got something is kept in a fact of our own", () => {
    const own = new Bench();
    own.run("XADD", "x", "1-1", "f", "v");
    for (const group of ["g1", "g2"]) {
      own.run("XGROUP", "CREATE", "x", group, "0");
      own.run("XGROUP", "CREATECONSUMER", "x", group, "idle");
      own.run("XREADGROUP", "GROUP", group, "busy", "STREAMS", "x", ">");
      own.context.clock.advance(5000);
      own.run("XREADGROUP", "GROUP", group, "busy", "STREAMS", "x", ">");
    }
    own.run("XADD", "y", "1-1", "f", "v");
    own.run("XGROUP", "CREATE", "y", "g", "0");
    const copy = new Bench();
    load(copy, saved(own, { version: 10 }));
    for (const key of ["x", "y"])
      expect(Buffer.from(copy.dump(key)).toString("hex")).toBe(Buffer.from(own.dump(key)).toString("hex"));
  });

  test("is right for check-rdb", () => {
    const lines: string[] = [];
    expect(checkSource(new BytesSource(bytes), "x.rdb", (line) => lines.push(line), 0)).toBe(true);
    expect(lines.slice(-5)).toEqual([
      `[offset ${bytes.length}] Checksum OK`,
      `[offset ${bytes.length}] \\o/ RDB looks OK! \\o/`,
      "[info] 312 keys read",
      "[info] 1 expires",
      "[info] 0 already expired",
    ]);
  });

  test("damaged anywhere, is refused or loads, and never hangs", () => {
    const random = seeded("rdb-damage");
    for (let i = 0; i < 100; i++) {
      const broken = bytes.slice(0, random.below(4) === 0 ? random.below(bytes.length) : bytes.length);
      for (let n = 0; n < 1 + random.below(4); n++) broken[random.below(broken.length)] = random.below(256);
      const copy = new Bench();
      // Without a checksum more damage gets through to what is looked at here.
      try {
        load(copy, broken, { checksum: false, deep: i % 2 === 0 });
      } catch (error) {
        expect(error).toBeInstanceOf(RdbError);
      }
      for (const key of ["l2000", "s2000", "h2000", "z2000", "x2000"]) {
        copy.run("TYPE", key);
        copy.run("DEL", key);
      }
    }
  });

  test("cut anywhere, is a short read", () => {
    const small = saved(smallBench());
    for (let end = 0; end < small.length; end++) {
      const copy = new Bench();
      expect(() => load(copy, small.slice(0, end))).toThrow("Unexpected EOF reading RDB file");
      expect(checkSource(new BytesSource(small.slice(0, end)), "x", () => {})).toBe(false);
    }
  });
});

function smallBench(): Bench {
  const bench = new Bench();
  for (const line of [
    "SET a b",
    "SET n 70000 PXAT 1800000000000",
    "RPUSH l a b c",
    "SADD s x y",
    "SADD i 1 2 3",
    "HSET h f v",
    "ZADD z 1.5 m",
    "XADD x 1-1 f v",
    "XGROUP CREATE x g 0",
    "XREADGROUP GROUP g c STREAMS x >",
  ])
    bench.run(...line.split(" "));
  return bench;
}

describe("what stands around the keys", () => {
  const key = (name: string, value: string) => join(TYPE.STRING, string(name), string(value));

  function loaded(bytes: Uint8Array, more: Partial<LoadOptions> = {}): Loaded & { bench: Bench } {
    const bench = new Bench();
    return { bench, ...load(bench, bytes, more) };
  }

  test("facts, functions, sizes and slots", () => {
    const sources: string[] = [];
    const aux = (name: string, value: Arg) => join(OP.AUX, string(name), string(value));
    const {
      load: done,
      lines,
      bench,
    } = loaded(
      file(
        12,
        aux("redis-ver", "7.4.0"),
        aux("redis-bits", Uint8Array.fromHex("")),
        aux("ctime", "1699999990"),
        aux("used-mem", "1048576"),
        aux("repl-id", "x".repeat(40)),
        aux("aof-base", "1"),
        aux("%note", "hello"),
        aux("whatever", "1"),
        OP.FUNCTION2,
        string("#!lua name=f"),
        OP.SELECTDB,
        2,
        OP.RESIZEDB,
        1,
        0,
        OP.SLOT_INFO,
        1,
        1,
        0,
        key("a", "b"),
      ),
      { onFunction: (source) => sources.push(Buffer.from(source).toString()) },
    );
    expect(lines).toEqual([
      "Loading RDB produced by version 7.4.0",
      "RDB age 10 seconds",
      "RDB memory usage when created 1.00 Mb",
      "RDB is base AOF",
      "RDB '%note': hello",
      "Unrecognized RDB AUX field: 'whatever'",
      "Done loading RDB, keys loaded: 1, keys expired: 0.",
    ]);
    expect(sources).toEqual(["#!lua name=f"]);
    expect([done.version, done.aux.get("repl-id"), bench.keyspace.select(2).size]).toEqual([
      12,
      "x".repeat(40),
      1,
    ]);
  });

  test("are written as Redis 7.2 writes them", () => {
    const bytes = saved(new Bench(), {
      aux: auxFields({
        now: 1_700_000_000_000,
        usedMemory: 1000,
        aofBase: true,
        replication: { id: "r".repeat(40), offset: 7, database: 0 },
      }),
      functions: [latin1("#!lua name=f")],
    });
    const { load: done } = loaded(bytes);
    expect([...done.aux.entries()].join(" ")).toBe(
      `redis-ver,7.2.6 redis-bits,64 ctime,1700000000 used-mem,1000 repl-stream-db,0 repl-id,${"r".repeat(40)} ` +
        "repl-offset,7 aof-base,1",
    );
    expect(Buffer.from(bytes).toString("latin1")).toContain("\xf5\x0c#!lua name=f");
  });

  test("an empty data set is Redis's 18 bytes", () => {
    const bytes = saved(new Bench(), { checksum: false, version: undefined });
    expect(Buffer.from(bytes).toString("latin1")).toBe(`REDIS0010\xff${"\0".repeat(8)}`);
  });

  test("expiry, in seconds and milliseconds; what is due is left out, or kept", () => {
    const seconds = (n: number) => {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setInt32(0, n, true);
      return bytes;
    };
    const milliseconds = (n: number) => {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigInt64(0, BigInt(n), true);
      return bytes;
    };
    const bytes = file(
      9,
      OP.EXPIRETIME,
      seconds(1_800_000_000),
      key("a", "1"),
      OP.EXPIRETIME_MS,
      milliseconds(1_800_000_000_123),
      TYPE.LIST,
      string("l"),
      1,
      string("x"),
      OP.EXPIRETIME_MS,
      milliseconds(1_600_000_000_000),
      key("due", "1"),
      key("b", "1"),
    );
    const { bench, load: done } = loaded(bytes);
    expect(bench.run("PEXPIRETIME", "a")).toBe(":1800000000000\r\n");
    expect(bench.run("PEXPIRETIME", "l")).toBe(":1800000000123\r\n");
    expect(bench.run("PEXPIRETIME", "b")).toBe(":-1\r\n");
    expect([done.keysLoaded, done.keysExpired, bench.keyspace.size]).toEqual([3, 1, 3]);
    expect(loaded(bytes, { skipExpired: false }).bench.keyspace.size).toBe(4);
  });

  test("idle time and frequency, as far as the policy knows them", () => {
    const bytes = file(9, OP.IDLE, 50, key("a", "1"), OP.FREQ, 200, key("b", "1"));
    const lru = loaded(bytes).bench;
    expect(lru.run("OBJECT", "IDLETIME", "a")).toBe(":50\r\n");
    expect(lru.run("OBJECT", "IDLETIME", "b")).toBe(":0\r\n");
    expect([usageOf("allkeys-lru"), usageOf("volatile-lfu"), usageOf("noeviction")]).toEqual([
      "idle",
      "frequency",
      "none",
    ]);
    const again = loaded(saved(lru, { usage: "idle" })).bench;
    expect(again.run("OBJECT", "IDLETIME", "a")).toBe(":50\r\n");
    const lfu = new Bench();
    lfu.context.access.lfu = true;
    load(lfu, bytes);
    expect(lfu.run("OBJECT", "FREQ", "b")).toBe(":200\r\n");
    expect(Buffer.from(saved(lfu, { usage: "frequency" })).toString("latin1")).toContain("\xf9\xc8");
  });

  test("a key twice is an error, or replaces the first", () => {
    const bytes = file(9, key("a", "1"), key("a", "2"));
    expect(() => loaded(bytes)).toThrow("RDB has duplicated key 'a' in DB 0");
    expect(loaded(bytes, { allowDuplicates: true }).bench.run("GET", "a")).toBe("$1\r\n2\r\n");
  });

  test("empty collections are left out", () => {
    const empty = (type: number, name: string) => join(type, string(name), 0);
    const {
      bench,
      load: done,
      lines,
    } = loaded(
      file(
        9,
        empty(TYPE.LIST, "l"),
        empty(TYPE.SET, "s"),
        empty(TYPE.ZSET_2, "z"),
        empty(TYPE.HASH, "h"),
        TYPE.HASH_ZIPLIST,
        string("hz"),
        string(ziplist()),
        TYPE.LIST_QUICKLIST,
        string("q"),
        1,
        string(ziplist()),
        key("a", "1"),
      ),
    );
    expect([bench.keyspace.size, done.keysLoaded, done.keysEmpty]).toEqual([1, 1, 6]);
    expect(lines).toContain("rdbLoadObject skipping empty key: hz");
    expect(lines.at(-1)).toBe("Done loading RDB, keys loaded: 1, keys expired: 0, empty keys skipped: 6.");
  });

  test("what cannot be loaded says why", () => {
    for (const [bytes, message] of [
      [latin1("RADIS0009..."), "Wrong signature trying to load DB from file"],
      [file(15), "Can't handle RDB format version 15"],
      [file(0), "Can't handle RDB format version 0"],
      [file(9, OP.SELECTDB, 16), "configured to handle more than 16 databases"],
      [file(9, OP.FUNCTION_PRE_GA, 0), "Pre-release function format not supported."],
      [file(9, 8, string("k")), "Invalid object type: 8"],
      [
        file(9, OP.MODULE_AUX, Uint8Array.fromHex("8100100d3cb1c2b800"), 2, 1, 0),
        "AUX module data I can't load: no matching module",
      ],
      [file(9, key("a", "1")).fill(1, 20), "RDB CRC error"],
    ] as const)
      expect(() => loaded(bytes)).toThrow(message);
    const broken = file(9, key("a", "1"));
    broken[broken.length - 1]! ^= 1;
    expect(loaded(broken, { checksum: false }).bench.keyspace.size).toBe(1);
    expect(loaded(file(4, key("a", "1"))).bench.keyspace.size).toBe(1);
  });

  test("what follows the end is left to the AOF", () => {
    const bytes = file(11, key("a", "1"));
    const { load: done } = loaded(join(bytes, "*1\r\n$4\r\nPING\r\n"));
    expect(done.consumed).toBe(bytes.length);
  });

  test("check-rdb tells where and what, and reads over modules", () => {
    const lines: string[] = [];
    const print = (line: string) => lines.push(line);
    const module = Uint8Array.fromHex("8100100d3cb1c2b800");
    const value = join(module, 1, 5, 5, string("x"), 4, new Uint8Array(8), 3, new Uint8Array(4), 0);
    const good = file(9, OP.MODULE_AUX, module, 2, 1, 0, TYPE.MODULE_2, string("m"), value, key("a", "1"));
    expect(checkSource(new BytesSource(good), "m.rdb", print)).toBe(true);
    expect(lines).toContain("[info] 2 keys read");
    lines.length = 0;
    const bad = file(9, OP.SELECTDB, 3, TYPE.HASH_ZIPLIST, string("name"), string("broken"));
    expect(checkSource(new BytesSource(bad), "b.rdb", print)).toBe(false);
    expect(lines).toEqual([
      "[offset 0] Checking RDB file b.rdb",
      "[offset 11] Selecting DB ID 3",
      "--- RDB ERROR DETECTED ---",
      "[offset 24] Hash ziplist integrity check failed.",
      "[additional info] While doing: read-object-value",
      "[additional info] Reading key 'name'",
      "[additional info] Reading type 13 (hash-ziplist)",
      "[info] 1 keys read",
      "[info] 0 expires",
      "[info] 0 already expired",
    ]);
  });
});
