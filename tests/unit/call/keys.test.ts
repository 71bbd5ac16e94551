import { describe, expect, test } from "bun:test";
import { Call } from "../../../src/call/call.ts";
import * as specs from "../../../src/call/key-specs.ts";
import { keyFlagBits } from "../../../src/call/key-specs.ts";
import * as keys from "../../../src/call/keys.ts";
import type { CommandSpec, KeySpec } from "../../../src/call/spec.ts";
import { Request } from "../../../src/resp/request.ts";

function call(line: string): Call {
  const call = new Call();
  const words = line.split(" ").map((word) => (word === '""' ? "" : word));
  call.load(Request.of(words.map((word) => new TextEncoder().encode(word))));
  return call;
}

function finder(list: KeySpec[], getKeys?: CommandSpec["getKeys"]): keys.KeyFinder {
  const row: CommandSpec = {
    name: "x",
    arity: -1,
    flags: [],
    categories: [],
    keys: list,
    since: "1.0.0",
    group: "generic",
    summary: "",
  };
  if (getKeys !== undefined) row.getKeys = getKeys;
  return new keys.KeyFinder(row);
}

const READ = keyFlagBits(["RO"]);

/** The keys found, by their indexes. */
function indexes(list: KeySpec[], line: string): number[] {
  const out: keys.KeyList = [99, 99];
  finder(list).find(call(line), out);
  expect(out.filter((_, i) => i % 2 === 1)).toEqual(Array(out.length / 2).fill(READ));
  return out.filter((_, i) => i % 2 === 0);
}

describe("key specs", () => {
  test("one key, a key elsewhere, all keys, ranges", () => {
    expect(indexes([specs.oneKey("RO")], "get a")).toEqual([1]);
    expect(indexes([specs.keyAt(2, "RO")], "object encoding a")).toEqual([2]);
    expect(indexes([specs.allKeys("RO")], "del a b c")).toEqual([1, 2, 3]);
    expect(indexes([specs.keyRange(1, -1, 2, "RO")], "mset a 1 b 2")).toEqual([1, 3]);
    expect(indexes([specs.keyRange(1, -2, 1, "RO")], "blpop a b 0")).toEqual([1, 2]);
    expect(indexes([specs.keyRange(1, 1, 1, "RO")], "lcs a b len")).toEqual([1, 2]);
    expect(indexes([specs.oneKey("RO")], "get")).toEqual([]);
  });

  test("as many as a number says", () => {
    const list = [specs.oneKey("RO"), specs.keyNum(2, "RO")];
    expect(indexes(list, "zunionstore d 2 a b weights 1 1")).toEqual([1, 3, 4]);
    for (const bad of [
      "zunionstore d 3 a b",
      "zunionstore d 0 a",
      "zunionstore d -1 a",
      "zunionstore d x a",
    ]) {
      expect(indexes(list, bad)).toEqual([]);
    }
    expect(indexes(list, "zunionstore d")).toEqual([]);
  });

  test("behind a keyword", () => {
    const georadius = [specs.oneKey("RO"), specs.keyAfter("STORE", 6, "RO")];
    expect(indexes(georadius, "georadius k 1 2 3 m store d")).toEqual([1, 7]);
    expect(indexes(georadius, "georadius k 1 2 3 m asc")).toEqual([1]);
    expect(indexes(georadius, "georadius k 1 2 3 m store")).toEqual([1]);
    const xread = [specs.halfOfKeysAfter("STREAMS", 1, "RO")];
    expect(indexes(xread, "xread count 1 Streams a b 0 0")).toEqual([4, 5]);
    expect(indexes(xread, "xread streams a")).toEqual([]);
    const backwards = [specs.allKeysAfter("KEYS", -2, "RO")];
    expect(indexes(backwards, "migrate h 1 x 0 1 KEYS a b")).toEqual([7, 8]);
  });

  test("fake keys are keys only for routing", () => {
    const channel = finder([specs.oneKey("not_key")]);
    const out: keys.KeyList = [];
    expect(channel.some).toBe(false);
    expect(channel.find(call("spublish c m"), out)).toBe(0);
    expect(channel.findRouted(call("spublish c m"), out)).toBe(1);
    expect(out[0]).toBe(1);
  });
});

describe("rows' own getKeys", () => {
  function own(
    list: KeySpec[],
    getKeys: NonNullable<CommandSpec["getKeys"]>,
    line: string,
  ): [number, number][] {
    const out: keys.KeyList = [];
    const found = finder(list, getKeys).find(call(line), out);
    return Array.from({ length: found }, (_, i) => [out[2 * i]!, out[2 * i + 1]!]);
  }
  const read = keyFlagBits(["RO", "access"]);
  const overwrite = keyFlagBits(["OW", "update"]);
  const update = keyFlagBits(["RW", "access", "update"]);
  const take = keyFlagBits(["RW", "access", "delete"]);

  test("SET and BITFIELD: flags by options", () => {
    const list = [specs.oneKey("RW", "access", "update", "variable_flags")];
    expect(own(list, keys.setKeys, "set k v")).toEqual([[1, overwrite]]);
    expect(own(list, keys.setKeys, "set k v ex 1 Get")).toEqual([[1, update]]);
    expect(own(list, keys.setKeys, "set k get")).toEqual([[1, overwrite]]);
    expect(own(list, keys.bitfieldKeys, "bitfield k get u8 0 overflow sat get u8 1")).toEqual([[1, read]]);
    expect(own(list, keys.bitfieldKeys, "bitfield k get u8 0 set u8 0 1")).toEqual([[1, update]]);
  });

  test("SORT: specs cannot tell, the last STORE counts", () => {
    const list = [specs.oneKey("RO", "access"), specs.unknownKeys("RO"), specs.unknownKeys("OW")];
    expect(own(list, keys.sortKeys, "sort k by store limit 1 store store a STORE b")).toEqual([
      [1, read],
      [10, overwrite],
    ]);
    expect(own(list, keys.sortRoKeys, "sort_ro k get x")).toEqual([[1, read]]);
  });

  test("MIGRATE: one key, or those behind KEYS", () => {
    const list = [
      specs.keyAt(3, "RW", "access", "delete"),
      specs.allKeysAfter("KEYS", -2, "RW", "access", "delete", "incomplete"),
    ];
    expect(own(list, keys.migrateKeys, "migrate h 1 k 0 1 copy")).toEqual([[3, take]]);
    expect(own(list, keys.migrateKeys, 'migrate h 1 "" 0 1 auth keys keys a b')).toEqual([
      [9, take],
      [10, take],
    ]);
    expect(own(list, keys.migrateKeys, "migrate h 1 k 0 1 keys a")).toEqual([]);
  });
});

test("first key, last key and step for clients of old", () => {
  const range = (...list: KeySpec[]) => keys.legacyRange(list);
  expect(range()).toEqual({ first: 0, last: 0, step: 0, movable: false });
  expect(range(specs.oneKey("RO"))).toEqual({ first: 1, last: 1, step: 1, movable: false });
  expect(range(specs.keyRange(1, -1, 2))).toEqual({ first: 1, last: -1, step: 2, movable: false });
  expect(range(specs.oneKey(), specs.keyAt(2))).toEqual({ first: 1, last: 2, step: 1, movable: false });
  expect(range(specs.oneKey(), specs.keyRange(2, -1, 1))).toEqual({
    first: 1,
    last: -1,
    step: 1,
    movable: false,
  });
  expect(range(specs.oneKey(), specs.keyNum(2))).toEqual({ first: 1, last: 1, step: 1, movable: true });
  expect(range(specs.keyNum(1))).toEqual({ first: 0, last: 0, step: 0, movable: true });
});
