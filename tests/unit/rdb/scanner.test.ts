/** A snapshot that is loaded while it comes: the loader is let on up to where whole parts have arrived. */
import { expect, test } from "bun:test";
import { RdbError, TYPE } from "../../../src/rdb/format.ts";
import { RdbLoad } from "../../../src/rdb/load.ts";
import { type SaveOptions, saveDatabases } from "../../../src/rdb/save.ts";
import { RdbScanner } from "../../../src/rdb/scanner.ts";
import { StreamedSnapshot } from "../../../src/replication/streamed-snapshot.ts";
import { seeded } from "../bytes/random.ts";
import { file, string, ziplist } from "./payloads.ts";
import { Bench } from "./support.ts";

const SAVE: SaveOptions = {
  compress: true,
  checksum: true,
  usage: "none",
  aux: [["fact", "x".repeat(100)]],
  functions: [],
  version: 14,
};

const random = seeded("rdb-scanner");

/** Every type, small and large. */
function filled(): Bench {
  const bench = new Bench();
  const many = (count: number) => Array.from({ length: count }, () => random.bytes(1 + random.below(30)));
  for (let i = 0; i < 50; i++) bench.run("SET", `key:${i}`, random.bytes(random.below(100)));
  bench.run("SET", "compressible", "ab".repeat(1000));
  bench.run("SET", "long", random.bytes(300_000));
  for (const number of ["12", "1234", "123456", "12345678901"]) bench.run("SET", number, number);
  for (const count of [5, 700]) {
    bench.run("RPUSH", `l${count}`, ...many(count));
    bench.run("RPUSH", `plain${count}`, random.bytes(20_000));
    bench.run("SADD", `s${count}`, ...many(count));
    bench.run("SADD", `i${count}`, ...Array.from({ length: count }, (_, i) => String(i)));
    bench.run("HSET", `h${count}`, ...many(count * 2));
    bench.run("HSET", `x${count}`, ...many(count * 2), "field", "value");
    bench.run("HPEXPIRE", `x${count}`, "1000000", "FIELDS", "1", "field");
    bench.run("ZADD", `z${count}`, ...many(count).flatMap((member, i) => [String(i * 1.5), member]));
    for (let i = 1; i <= count; i++) bench.run("XADD", `t${count}`, `${i}-1`, "f", `v${i}`);
    bench.run("XGROUP", "CREATE", `t${count}`, "g", "0");
    for (const consumer of ["a", "b"])
      bench.run("XREADGROUP", "GROUP", "g", consumer, "COUNT", "3", "STREAMS", `t${count}`, ">");
    bench.run("ARSET", `a${count}`, String(count * 1000), ...many(count));
    for (let i = 0; i < count; i++)
      bench.run(
        "VADD",
        `v${count}`,
        "VALUES",
        "3",
        "1",
        `${i}`,
        "-2",
        `e${i}`,
        "SETATTR",
        i % 2 === 0 ? "{}" : "",
      );
    if (count === 5) bench.run("ARINSERT", `a${count}`, "x");
    bench.run("XNACK", `t${count}`, "g", "FAIL", "IDS", "2", "2-1", "1-1");
    bench.run("XADD", `t${count}`, "IDMP", "producer", "name", "*", "f", "v");
    bench.run("PEXPIRE", `l${count}`, "10000000");
  }
  return bench;
}

function saved(bench: Bench): Uint8Array {
  const pieces: Uint8Array[] = [];
  const sink = (buf: Uint8Array, start: number, end: number) => pieces.push(buf.slice(start, end));
  saveDatabases(bench.keyspace.all(), sink, SAVE);
  return new Uint8Array(Buffer.concat(pieces));
}

/** Loads what comes in such pieces, as far as it has come each time. */
function loadInPieces(
  bytes: Uint8Array,
  piece: () => number,
): { bench: Bench; load: RdbLoad; waits: number } {
  const bench = new Bench();
  const source = new StreamedSnapshot(() => {});
  const quiet = { debug() {}, notice() {}, warning() {} };
  const load = new RdbLoad(source, bench.keyspace, {
    context: bench.readContext,
    log: quiet,
    checksum: true,
    deep: true,
    skipExpired: false,
    arrived: () => source.arrived,
  });
  source.take(Buffer.from(`$${bytes.length}\r\n`));
  let waits = 0;
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + piece());
    source.take(bytes.slice(at, end));
    at = end;
    if (!load.step(() => false)) waits++;
  }
  expect(source.complete).toBe(true);
  expect(load.step(() => false)).toBe(true);
  return { bench, load, waits };
}

/** A digest of what is at the key; tables have no order. */
function content(bench: Bench, key: string): string {
  const ask: Record<string, string> = { "+set\r\n": "SMEMBERS", "+hash\r\n": "HGETALL" };
  const tables = ask[bench.run("TYPE", key)];
  const value =
    tables === undefined ? bench.run("DUMP", key) : bench.run(tables, key).split("\r\n").sort().join();
  return `${key} ${Bun.hash(value)} ${bench.run("PEXPIRETIME", key)}`;
}

test("everything is loaded, however it is cut", () => {
  const original = filled();
  const bytes = saved(original);
  const keys = original
    .run("KEYS", "*")
    .match(/\$\d+\r\n[^\r]*/g)!
    .map((line) => line.split("\r\n")[1]!);
  for (const most of [7, 100, 5_000, 1_000_000]) {
    const { bench, load, waits } = loadInPieces(bytes, () => 1 + random.below(most));
    expect(load.keysLoaded).toBe(keys.length);
    for (const key of keys) expect(content(bench, key)).toBe(content(original, key));
    if (most < 1000) expect(waits).toBeGreaterThan(100);
  }
});

test("boundaries lie between parts, and the last one at the end", () => {
  const bytes = saved(filled());
  const scanner = new RdbScanner();
  const boundaries = new Set<number>();
  for (let at = 0; at < bytes.length; at++) {
    scanner.feed(bytes.slice(at, at + 1));
    boundaries.add(scanner.boundary);
    if (scanner.boundary > at + 1) throw new Error(`at ${at} a boundary at ${scanner.boundary}`);
  }
  expect(boundaries.size).toBeGreaterThan(70);
  expect(scanner.boundary).toBeGreaterThan(bytes.length - 20);
});

test("old encodings, and quicklists before version 10", () => {
  const list = ziplist("a", "b", 12);
  const bytes = file(
    9,
    TYPE.LIST_QUICKLIST,
    string("quick"),
    2,
    string(list),
    string(list),
    TYPE.ZSET,
    string("scores"),
    2,
    string("one"),
    3,
    "1.5",
    string("infinite"),
    254,
  );
  const { bench } = loadInPieces(bytes, () => 1);
  expect(bench.run("LLEN", "quick")).toBe(":6\r\n");
  expect(bench.run("ZSCORE", "scores", "infinite")).toBe("$3\r\ninf\r\n");
});

test("what is damaged is an error, not a wait without an end", () => {
  const bytes = saved(filled());
  for (let i = 0; i < 60; i++) {
    const damaged = bytes.slice();
    damaged[random.below(damaged.length)] = random.below(256);
    try {
      loadInPieces(damaged, () => 1 + random.below(10_000));
    } catch (error) {
      expect(error).toBeInstanceOf(RdbError);
    }
  }
});

test("a loader that is slow holds the wire back; a part larger than the buffer comes whole", async () => {
  const wanted: boolean[] = [];
  const source = new StreamedSnapshot((flow) => wanted.push(flow));
  const size = 40 * 1024 * 1024;
  const head = file(11, TYPE.STRING, string("k"));
  const large = Buffer.concat([head.slice(0, head.length - 9), Buffer.from([0x80]), lengthOf(size)]);
  source.take(Buffer.from(`$${size * 2}\r\n`));
  source.take(new Uint8Array(large));
  const chunk = new Uint8Array(1024 * 1024);
  for (let i = 0; i < 16; i++) source.take(chunk.slice());
  expect(wanted).toEqual([false]);
  // The loader finds nothing that it could load.
  const more = source.more();
  expect(wanted).toEqual([false, true]);
  source.take(chunk.slice());
  await more;
});

function lengthOf(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
