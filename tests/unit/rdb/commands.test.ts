/** What RESTORE propagates: a moment in place of a time to live, and what became of a key that is gone at once. */
import { expect, test } from "bun:test";
import { Buffer } from "node:buffer";
import { join, payload, string } from "./payloads.ts";
import { Bench } from "./support.ts";

const HELLO = payload(join(0, string("hello")));
const TEXT = Buffer.from(HELLO).toString("latin1");

test("effects", () => {
  const bench = new Bench();
  const effects = (...args: (string | Uint8Array)[]) => {
    bench.run("RESTORE", ...args);
    return bench.effects;
  };
  expect(effects("k", "0", HELLO)).toEqual([`RESTORE k 0 ${TEXT}`]);
  expect(effects("k", "0", HELLO)).toEqual([]);
  expect(effects("k", "100", HELLO, "REPLACE", "IDLETIME", "5")).toEqual([
    `RESTORE k 1700000000100 ${TEXT} REPLACE IDLETIME 5 ABSTTL`,
  ]);
  expect(effects("k", "1700000000001", HELLO, "REPLACE", "ABSTTL")).toEqual([
    `RESTORE k 1700000000001 ${TEXT} REPLACE ABSTTL`,
  ]);
  expect(effects("k", "1", HELLO, "REPLACE", "ABSTTL")).toEqual(["DEL k"]);
  expect(effects("k", "1", HELLO, "REPLACE", "ABSTTL")).toEqual([]);
  expect(effects("k", "1", HELLO, "ABSTTL")).toEqual([]);
  bench.run("SET", "k", "v");
  Object.assign(bench.config.values, { lazyfreeLazyServerDel: true });
  expect(effects("k", "1", HELLO, "REPLACE", "ABSTTL")).toEqual(["UNLINK k"]);
  expect(effects("k", "0", join(HELLO, "x"))).toEqual([]);
  bench.run("SET", "k", "v");
  expect(bench.run("DUMP", "k")[0]).toBe("$");
  expect(bench.effects).toEqual([]);
});

test("the key survives a payload that is refused", () => {
  const bench = new Bench();
  bench.run("SET", "k", "v");
  expect(bench.restore(payload(join(4, 2, string("a"), string("1"), string("a"), string("1"))))).toBe(
    "-ERR Bad data format\r\n",
  );
  expect(bench.run("GET", "k")).toBe("$1\r\nv\r\n");
  expect(bench.lines).toEqual(["Internal error in RDB reading offset 10 -> Hash with dup elements"]);
});

test("a checksum that is wrong is taken where DEBUG says so", () => {
  const bench = new Bench();
  const broken = HELLO.slice();
  broken[broken.length - 1]! ^= 1;
  expect(bench.restore(broken)).toBe("-ERR DUMP payload version or checksum are wrong\r\n");
  bench.debugSettings.skipChecksums = true;
  expect(bench.restore(broken)).toBe("+OK\r\n");
});

test("keys and values of any length", () => {
  const bench = new Bench();
  const long = "k".repeat(40_000);
  for (const size of [0, 1, 44, 45, 5000, 40_000, 300_000]) {
    bench.run("SET", long, "x".repeat(size));
    bench.run("PEXPIREAT", long, "1800000000000");
    expect(bench.restore(bench.dump(long), long)).toBe("+OK\r\n");
    expect(bench.run("STRLEN", long)).toBe(`:${size}\r\n`);
    expect(bench.run("PTTL", long)).toBe(":-1\r\n");
  }
});
