/**
 * What commands hand on to the AOF and replicas: the effect, never the clock or chance that led to it, and nothing
 * where nothing changed. The commands run in this process, with a clock that stands at 1700000000000.
 */
import { expect, test } from "bun:test";
import type { Blocking } from "../../../src/blocking/blocking.ts";
import { Registry } from "../../../src/call/registry.ts";
import { bitmapCommands } from "../../../src/commands/bitmaps.ts";
import { databaseCommands } from "../../../src/commands/databases.ts";
import { expireCommands } from "../../../src/commands/expire.ts";
import { genericCommands } from "../../../src/commands/generic.ts";
import { hyperloglogCommands } from "../../../src/commands/hyperloglog.ts";
import { listCommands } from "../../../src/commands/lists.ts";
import { sortCommands } from "../../../src/commands/sort.ts";
import { stringCommands } from "../../../src/commands/strings.ts";
import { Config } from "../../../src/config/config.ts";
import { DebugSettings } from "../../../src/config/debug-settings.ts";
import { Keyspace } from "../../../src/keyspace/keyspace.ts";
import { Request } from "../../../src/resp/request.ts";
import { bytesOf } from "../bytes/random.ts";
import { testContext } from "../keyspace/support.ts";
import { Recorder } from "./recorder.ts";

const context = testContext();
const keyspace = new Keyspace(context, 16);
const limits = { protoMaxBulkLen: 512 * 1024 * 1024 };
const config = new Config();
const debugSettings = new DebugSettings();
/** Nobody waits here: a command that would is left without a reply, as one that waits is. */
const blocking = { onKeys: () => {} } as unknown as Blocking;
const registry = new Registry([
  ...stringCommands(limits),
  ...bitmapCommands(limits),
  ...hyperloglogCommands({ config: new Config() }),
  ...genericCommands({ config, keyspace }),
  ...expireCommands(),
  ...databaseCommands({ config, keyspace, persistence: { flushed() {} } }),
  ...listCommands({ config, debugSettings, blocking }),
  ...sortCommands({ acl: { mayReadAnyKey: () => true }, config, debugSettings }),
]);

const recorder = new Recorder(context.clock);
const { call, executor } = recorder;

/** Runs the commands on an empty data set; what each propagated, several joined by "; ". */
function propagated(...lines: string[]): string[] {
  keyspace.flushAll();
  return lines.map((line) => {
    recorder.recorded = [];
    call.load(Request.of(line.split(" ").map((word) => bytesOf(word === '""' ? "" : word))));
    call.db = keyspace.select(0);
    call.reply.clear();
    executor.execute(call, registry.lookup(call)!);
    return recorder.lines.join("; ");
  });
}

/** A table of commands, run one after the other, and what each must propagate. */
function check(table: readonly (readonly [string, string])[]): void {
  const actual = propagated(...table.map(([line]) => line));
  expect(table.map(([line], i) => [line, actual[i]])).toEqual(table.map(([line, effect]) => [line, effect]));
}

test("strings", () => {
  check([
    ["SET k v", "SET k v"],
    ["GET k", ""],
    ["SET k v NX", ""],
    ["SET k v GET", "SET k v"],
    ["SET k v XX GET KEEPTTL", "SET k v KEEPTTL"],
    ["SET k v EX 100", "SET k v PXAT 1700000100000"],
    ["SET k v PX 100 XX GET", "SET k v PXAT 1700000000100"],
    ["SETEX k 10 w", "SET k w PXAT 1700000010000"],
    ["PSETEX k 10 w", "SET k w PXAT 1700000000010"],
    ["SETNX k w", ""],
    ["SET k w IFEQ x", ""],
    ["SET k x IFEQ w", "SET k x"],
    ["SET k y IFNE w KEEPTTL", "SET k y KEEPTTL"],
    ["SET k y IFEQ y GET KEEPTTL", "SET k y KEEPTTL"],
    ["SET k z IFEQ y PXAT 1700000009000", "SET k z PXAT 1700000009000"],
    ["SET k w IFNE y EX 1", "SET k w PXAT 1700000001000"],
    ["DELEX k IFEQ x", ""],
    ["DELEX k IFEQ w", "DEL k"],
    ["DELEX k", ""],
    ["MSETEX 2 k 1 l 2", "MSET k 1 l 2"],
    ["MSETEX 2 k 1 m 2 XX EX 5", ""],
    ["MSETEX 2 k 1 l 2 XX EX 5", "SET k 1 PXAT 1700000005000; SET l 2 PXAT 1700000005000"],
    ["MSETEX 1 k 1 KEEPTTL", "SET k 1 KEEPTTL"],
    ["DELIFEQ k 2", ""],
    ["DELIFEQ k 1", "DEL k"],
    ["INCREX k", "SET k 1 KEEPTTL"],
    ["INCREX k BYINT 5 UBOUND 3", ""],
    ["INCREX k BYINT 5 UBOUND 3 SATURATE EX 10", "SET k 3 PXAT 1700000010000"],
    ["INCREX k BYINT 5 ENX EX 50", "SET k 8 KEEPTTL"],
    ["INCREX k BYFLOAT 0.5 PERSIST", "SET k 8.5"],
    ["INCREX k BYFLOAT 0.5 PXAT 5", "DEL k"],
    ["INCREX k PXAT 5", ""],
    ["SET k w PXAT 1700000000010", "SET k w PXAT 1700000000010"],
    ["GETEX k", ""],
    ["GETEX k EX 1", "PEXPIREAT k 1700000001000"],
    ["GETEX k PERSIST", "PERSIST k"],
    ["GETEX k PERSIST", ""],
    ["GETEX k PXAT 5", "DEL k"],
    ["GETSET k 1", "SET k 1"],
    ["GETDEL k", "DEL k"],
    ["GETDEL k", ""],
    ["INCR n", "INCR n"],
    ["INCRBY n 5", "INCRBY n 5"],
    ["SET t text", "SET t text"],
    ["INCR t", ""],
    ["INCRBYFLOAT n 0.5", "SET n 6.5 KEEPTTL"],
    ["INCR n", ""],
    ["APPEND n 1", "APPEND n 1"],
    ["SETRANGE n 9 x", "SETRANGE n 9 x"],
    ['SETRANGE n 9 ""', ""],
    ["MSET a 1 b 2", "MSET a 1 b 2"],
    ["MSETNX a 1 c 2", ""],
    ["MSETNX c 1 d 2", "MSETNX c 1 d 2"],
  ]);
});

test("bitmaps", () => {
  check([
    ["SETBIT k 7 0", "SETBIT k 7 0"],
    ["SETBIT k 7 0", ""],
    ["SETBIT k 7 1", "SETBIT k 7 1"],
    ["SETBIT k 99 0", "SETBIT k 99 0"],
    ["GETBIT k 7", ""],
    ["BITCOUNT k", ""],
    ["BITPOS k 1", ""],
    ["BITFIELD k GET u8 0", ""],
    ["BITFIELD k SET u8 0 1", ""],
    ["BITFIELD k INCRBY u8 0 0", ""],
    ["BITFIELD k INCRBY u8 0 1 GET u8 0", "BITFIELD k INCRBY u8 0 1 GET u8 0"],
    ["BITFIELD k OVERFLOW FAIL SET u8 0 256", ""],
    ["BITFIELD k OVERFLOW FAIL SET u8 800 256", "BITFIELD k OVERFLOW FAIL SET u8 800 256"],
    ["BITFIELD_RO k GET u8 0", ""],
    ["BITFIELD_RO k SET u8 0 9", ""],
    ["BITOP NOT d k", "BITOP NOT d k"],
    ["BITOP AND d missing", "BITOP AND d missing"],
    ["BITOP AND d missing", ""],
    ["SET x abc", "SET x abc"],
    ["BITOP ONE d x missing", "SET d abc"],
    ["BITOP DIFF d x x2", "SET d abc"],
    ["BITOP DIFF1 d missing x2", "DEL d"],
    ["BITOP DIFF1 d missing x2", ""],
  ]);
});

test("HyperLogLog", () => {
  check([
    ["PFADD h", "PFADD h"],
    ["PFADD h", ""],
    ["PFADD h a b", "PFADD h a b"],
    ["PFADD h a", ""],
    // Filling the cached count changes the value.
    ["PFCOUNT h", "PFCOUNT h"],
    ["PFCOUNT h", ""],
    ["PFADD h c", "PFADD h c"],
    ["PFCOUNT h i", ""],
    ["PFMERGE m h", "PFMERGE m h"],
    ["PFDEBUG ENCODING h", ""],
    ["PFDEBUG TODENSE h", "PFDEBUG TODENSE h"],
    ["PFDEBUG TODENSE h", ""],
    ["PFDEBUG GETREG m", "PFDEBUG GETREG m"],
  ]);
});

test("a HyperLogLog found damaged half way keeps and propagates what came before", () => {
  // Opcodes for 16,128 registers: the elements beyond are corrupt.
  const cut = "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x7e\xff";
  const names = Array.from({ length: 2000 }, (_, i) => `e${i}`).join(" ");
  const [, effect] = propagated(`SET h ${cut}`, `PFADD h ${names}`);
  expect(effect).toStartWith("PFADD h e0");
  expect(call.reply.lastError).toBe("INVALIDOBJ Corrupted HLL object detected");
});

test("lists", () => {
  check([
    ["RPUSH l a b c d e f g h", "RPUSH l a b c d e f g h"],
    ["LPUSHX l z", "LPUSHX l z"],
    ["LPUSHX missing z", ""],
    ["LRANGE l 0 -1", ""],
    ["LPOP l", "LPOP l"],
    ["LPOP l 2", "LPOP l 2"],
    ["LPOP l 0", ""],
    ["LPOP missing", ""],
    ["LMPOP 2 missing l RIGHT COUNT 2", "RPOP l 2"],
    ["LMPOP 1 l LEFT", "LPOP l 1"],
    ["LMPOP 1 missing LEFT", ""],
    ["BLPOP missing l 0", "LPOP l"],
    ["BRPOP l 0", "RPOP l"],
    ["BLPOP missing 0", ""],
    ["RPUSH l 1 2 3", "RPUSH l 1 2 3"],
    ["BLMPOP 0 1 l LEFT COUNT 2", "LPOP l 2"],
    ["LMOVE l m LEFT RIGHT", "LMOVE l m LEFT RIGHT"],
    ["LMOVE missing m LEFT RIGHT", ""],
    ["RPUSH l 1 2", "RPUSH l 1 2"],
    ["BLMOVE l m right left 0", "LMOVE l m right left"],
    ["BRPOPLPUSH l m 0", "RPOPLPUSH l m"],
    ["BLMOVE missing m LEFT LEFT 0", ""],
    ["RPOPLPUSH m m", "RPOPLPUSH m m"],
    ["LSET m 0 x", "LSET m 0 x"],
    ["LSET m 9 x", ""],
    ["LINSERT m BEFORE x y", "LINSERT m BEFORE x y"],
    ["LINSERT m BEFORE nothing y", ""],
    ["LREM m 0 nothing", ""],
    ["LREM m 0 x", "LREM m 0 x"],
    ["LTRIM m 0 -1", ""],
    ["LTRIM m 1 -1", "LTRIM m 1 -1"],
    ["LTRIM m 9 9", "LTRIM m 9 9"],
    ["EXISTS m", ""],
  ]);
});

test("SORT", () => {
  check([
    ["RPUSH l 3 1 2", "RPUSH l 3 1 2"],
    ["SORT l", ""],
    ["SORT l DESC STORE m", "SORT l DESC STORE m"],
    ["SORT missing STORE m", "SORT missing STORE m"],
    ["SORT missing STORE m", ""],
  ]);
});

test("keys, expiry, databases", () => {
  check([
    ["SET k v", "SET k v"],
    ["EXPIRE k 10", "PEXPIREAT k 1700000010000"],
    ["EXPIRE k 20 NX", ""],
    ["PEXPIRE k 20 LT", "PEXPIREAT k 1700000000020"],
    ["EXPIREAT k 1800000000", "PEXPIREAT k 1800000000000"],
    ["PERSIST k", "PERSIST k"],
    ["PERSIST k", ""],
    ["TTL k", ""],
    ["COPY k l", "COPY k l"],
    ["COPY k l", ""],
    ["RENAME l m", "RENAME l m"],
    ["RENAMENX m k", ""],
    ["MOVE m 1", "MOVE m 1"],
    ["MOVE m 1", ""],
    ["EXPIRE k -1", "DEL k"],
    ["DEL k", ""],
    ["UNLINK k", ""],
    ["TOUCH k", ""],
    ["SWAPDB 0 1", "SWAPDB 0 1"],
    ["DEL m x", "DEL m x"],
    ["FLUSHDB", "FLUSHDB"],
    ["FLUSHALL ASYNC", "FLUSHALL ASYNC"],
  ]);
});
