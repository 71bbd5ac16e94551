/**
 * What the commands on sets and hashes hand on to the AOF and replicas, and what the key space tells of hash fields
 * that expire. The commands run in this process, with a clock that stands at 1700000000000.
 */
import { beforeEach, expect, test } from "bun:test";
import { Registry } from "../../../src/call/registry.ts";
import { genericCommands } from "../../../src/commands/generic.ts";
import { hashCommands } from "../../../src/commands/hashes.ts";
import { setCommands } from "../../../src/commands/sets.ts";
import { Config } from "../../../src/config/config.ts";
import { Keyspace } from "../../../src/keyspace/keyspace.ts";
import { Request } from "../../../src/resp/request.ts";
import { bytesOf } from "../bytes/random.ts";
import { testContext } from "../keyspace/support.ts";
import { Recorder } from "./recorder.ts";

const context = testContext();
const keyspace = new Keyspace(context, 16);
const config = new Config();
const registry = new Registry([
  ...setCommands({ config }),
  ...hashCommands({ config }),
  ...genericCommands({ config, keyspace }),
]);

const recorder = new Recorder(context.clock);
const { call, executor } = recorder;

/** The reply's bytes, with line ends as "|". */
function run(line: string): string {
  recorder.recorded = [];
  call.load(Request.of(line.split(" ").map((word) => bytesOf(word === '""' ? "" : word))));
  call.db = keyspace.select(0);
  call.reply.clear();
  executor.execute(call, registry.lookup(call)!);
  return Buffer.from(call.reply.buf.subarray(0, call.reply.pos)).toString("latin1").replaceAll("\r\n", "|");
}

/** Commands, and what each must propagate, several joined by "; ". */
function check(table: readonly (readonly [string, string])[]): void {
  const actual = table.map(([line]) => {
    run(line);
    return [line, recorder.lines.join("; ")];
  });
  expect(actual).toEqual(table.map(([line, effect]) => [line, effect]));
}

beforeEach(() => {
  keyspace.flushAll();
  context.clock.set(1_700_000_000_000);
  context.told.length = 0;
  context.keepExpired = false;
  context.ignoreExpiry = false;
});

test("sets", () => {
  check([
    ["SADD s a b", "SADD s a b"],
    ["SADD s a", ""],
    ["SREM s x", ""],
    ["SREM s b", "SREM s b"],
    ["SPOP s", "SREM s a"],
    ["SPOP s", ""],
    ["SADD s a", "SADD s a"],
    ["SPOP s 0", ""],
    ["SPOP s 5", "DEL s"],
    ["SADD s a", "SADD s a"],
    ["SMOVE s t x", ""],
    ["SMOVE s t a", "SMOVE s t a"],
    ["SMOVE t t a", ""],
    ["SINTERSTORE d missing", ""],
    ["SINTERSTORE d t", "SINTERSTORE d t"],
    ["SINTERSTORE d missing", "SINTERSTORE d missing"],
    ["SUNIONSTORE d t", "SUNIONSTORE d t"],
    ["SDIFFSTORE d d t", "SDIFFSTORE d d t"],
    ["SDIFFSTORE d missing", ""],
    ["SRANDMEMBER t 5", ""],
    ["SSCAN t 0", ""],
  ]);
});

test("SPOP with a count becomes SREM, of 1,024 members at most", () => {
  for (const [make, count, left] of [
    [(i: number) => String(i), 10, 20],
    [(i: number) => `m${i}`, 10, 20],
    [(i: number) => `m${i}`, 3000, 3000],
    [(i: number) => `m${i}`, 2500, 20],
  ] as const) {
    const members = Array.from({ length: count + left }, (_, i) => make(i));
    run(`SADD s ${members.join(" ")}`);
    const reply = run(`SPOP s ${count}`);
    const popped = reply.split("|").filter((_, i) => i > 0 && i % 2 === 0);
    expect(popped.length).toBe(count);
    expect(new Set(popped).size).toBe(count);
    const removed = recorder.recorded.flatMap(([name, key, ...rest]) => {
      expect([name, key, rest.length <= 1024]).toEqual(["SREM", "s", true]);
      return rest;
    });
    expect(removed).toEqual(popped);
    expect(run("SCARD s")).toBe(`:${left}|`);
    for (const member of popped.slice(0, 50)) expect(run(`SISMEMBER s ${member}`)).toBe(":0|");
    run("DEL s");
  }
});

test("hashes", () => {
  check([
    ["HSET h a 1 b 2", "HSET h a 1 b 2"],
    ["HMSET h a 1", "HMSET h a 1"],
    ["HSETNX h a 1", ""],
    ["HSETNX h c 1", "HSETNX h c 1"],
    ["HINCRBY h a 5", "HINCRBY h a 5"],
    ["HINCRBY h a x", ""],
    ["HINCRBYFLOAT h a 0.5", "HSET h a 6.5"],
    ["HINCRBYFLOAT h new 1", "HSET h new 1"],
    ["HINCRBY h a 5", ""],
    ["HDEL h x", ""],
    ["HDEL h a x b", "HDEL h a x b"],
    ["HRANDFIELD h 5", ""],
    ["HGETALL h", ""],
  ]);
});

test("expiry of fields is propagated as absolute times, and as HDEL where it has passed", () => {
  check([
    ["HSET h a 1 b 2 c 3 d 4 e 5 f 6 g 7", "HSET h a 1 b 2 c 3 d 4 e 5 f 6 g 7"],
    ["HEXPIRE h 10 FIELDS 2 a missing", "HPEXPIREAT h 1700000010000 FIELDS 1 a"],
    ["HPEXPIRE h 10 FIELDS 1 b", "HPEXPIREAT h 1700000000010 FIELDS 1 b"],
    ["HEXPIREAT h 1700000020 NX FIELDS 2 a c", "HPEXPIREAT h 1700000020000 FIELDS 1 c"],
    ["HPEXPIREAT h 1700000030000 GT FIELDS 2 c d", "HPEXPIREAT h 1700000030000 FIELDS 1 c"],
    ["HEXPIRE h 10 XX FIELDS 1 d", ""],
    ["HEXPIRE h 0 FIELDS 3 c d missing", "HDEL h c; HDEL h d"],
    ["HPERSIST h FIELDS 2 e missing", ""],
    ["HPERSIST h FIELDS 2 a missing", "HPERSIST h FIELDS 2 a missing"],
    ["HGETEX h FIELDS 1 a", ""],
    ["HGETEX h EX 5 FIELDS 2 a missing", "HPEXPIREAT h 1700000005000 FIELDS 1 a"],
    ["HGETEX h PERSIST FIELDS 2 a e", "HPERSIST h FIELDS 1 a"],
    ["HGETEX h PXAT 1 FIELDS 2 a missing", "HDEL h a"],
    ["HGETDEL h FIELDS 2 e missing", "HDEL h e"],
    ["HGETDEL h FIELDS 1 missing", ""],
    ["HSETEX h FIELDS 1 x 1", "HSETEX h FIELDS 1 x 1"],
    ["HSETEX h EX 5 FIELDS 1 x 1", "HSETEX h PXAT 1700000005000 FIELDS 1 x 1"],
    ["HSETEX h FXX PX 5 FIELDS 1 x 1", "HSETEX h FXX PXAT 1700000000005 FIELDS 1 x 1"],
    ["HSETEX h FNX FIELDS 1 x 1", ""],
    ["HSETEX h KEEPTTL FIELDS 1 x 2", "HSETEX h KEEPTTL FIELDS 1 x 2"],
    ["HINCRBYFLOAT h x 0.5", "HSETEX h KEEPTTL FIELDS 1 x 2.5"],
    ["HINCRBY h x 1", ""],
    ["HSETEX h EXAT 1 FIELDS 2 x 1 y 1", "HDEL h x; HDEL h y"],
    ["HSETEX new EXAT 1 FIELDS 1 x 1", "HDEL new x"],
    ["HTTL h FIELDS 1 f", ""],
    ["HEXPIRE missing 10 FIELDS 1 f", ""],
  ]);
  expect(run("EXISTS new")).toBe(":0|");
  expect(run("HKEYS h")).toMatch(/^\*3\|/);
});

test("the hash goes with its last field", () => {
  for (const command of [
    "HEXPIRE h 0 FIELDS 2 a b",
    "HGETDEL h FIELDS 2 a b",
    "HGETEX h EX 0 FIELDS 2 a b",
    "HSETEX h PXAT 1 FIELDS 2 a 1 b 2",
  ]) {
    run("HSET h a 1 b 2");
    run(command);
    expect([command, run("EXISTS h")]).toEqual([command, ":0|"]);
  }
});

test("fields expire to the millisecond, and whoever names one removes it", () => {
  run("HSET h a 1 b 2 c 3");
  run("HPEXPIRE h 100 FIELDS 2 a b");
  context.clock.advance(100);
  expect(run("HMGET h a b c")).toBe("*3|$1|1|$1|2|$1|3|");
  context.clock.advance(1);
  expect(run("HLEN h")).toBe(":3|");
  expect(run("HGETALL h")).toBe("*2|$1|c|$1|3|");
  expect(run("HKEYS h")).toBe("*1|$1|c|");
  expect(run("HVALS h")).toBe("*1|$1|3|");
  expect(run("HSCAN h 0")).toBe("*2|$1|0|*2|$1|c|$1|3|");
  expect(run("HTTL h FIELDS 2 a c")).toBe("*2|:-2|:-1|");
  expect(context.told).toEqual([]);
  expect(run("HGET h a")).toBe("$-1|");
  expect(context.told).toEqual(["h/a"]);
  expect(run("HLEN h")).toBe(":2|");
  expect(run("HINCRBY h b 7")).toBe(":7|");
  expect(context.told).toEqual(["h/a", "h/b"]);
  expect(recorder.recorded).toEqual([["HINCRBY", "h", "b", "7"]]);
  expect(run("HTTL h FIELDS 1 b")).toBe("*1|:-1|");
});

test("HRANDFIELD removes what is due first", () => {
  run("HSET h a 1 b 2 c 3");
  run("HPEXPIRE h 100 FIELDS 2 a b");
  context.clock.advance(101);
  expect(run("HRANDFIELD h 5 WITHVALUES")).toBe("*2|$1|c|$1|3|");
  expect(context.told.sort()).toEqual(["h/a", "h/b"]);
  run("HPEXPIRE h 100 FIELDS 1 c");
  context.clock.advance(101);
  expect(run("HRANDFIELD h")).toBe("$-1|");
  expect(run("EXISTS h")).toBe(":0|");
});

test("due fields are removed actively, under a new name and in another database too", () => {
  const never = () => false;
  run("HSET h a 1 b 2");
  run("HPEXPIRE h 100 FIELDS 1 a");
  run("HSET all a 1");
  run("HPEXPIRE all 150 FIELDS 1 a");
  run("COPY h copied");
  run("RENAME h renamed");
  run("HSET moved a 1 b 2");
  run("HPEXPIRE moved 100 FIELDS 1 a");
  run("MOVE moved 3");
  keyspace.expireDue(never);
  expect(context.told).toEqual([]);
  context.clock.advance(1000);
  expect(keyspace.expireDue(never)).toBe(false);
  expect(context.told.sort()).toEqual(["all/a", "copied/a", "moved/a", "renamed/a"]);
  expect(run("EXISTS all")).toBe(":0|");
  expect(run("HLEN renamed")).toBe(":1|");
});

test("many due fields are removed in slices", () => {
  const pairs = Array.from({ length: 3000 }, (_, i) => `f${i} v`).join(" ");
  const names = Array.from({ length: 2990 }, (_, i) => `f${i}`).join(" ");
  run(`HSET h ${pairs}`);
  run(`HPEXPIRE h 100 FIELDS 2990 ${names}`);
  context.clock.advance(1000);
  let slices = 1;
  while (keyspace.expireDue(() => true)) slices++;
  expect(slices).toBeGreaterThan(4);
  expect(run("HLEN h")).toBe(":10|");
  expect(context.told.length).toBe(2990);
});

test("where due keys stay, due fields stay as well, hidden from reading but there for the master's commands", () => {
  run("HSET h a 1 b 2");
  run("HPEXPIRE h 100 FIELDS 1 a");
  context.keepExpired = true;
  context.clock.advance(1000);
  expect(keyspace.expireDue(() => false)).toBe(false);
  expect(run("HGET h a")).toBe("$-1|");
  expect(run("HRANDFIELD h 5")).toBe("*1|$1|b|");
  expect(run("HLEN h")).toBe(":2|");
  expect(run("HINCRBY h a 1")).toBe(":2|");
  expect(context.told).toEqual([]);
});

test("an expiry taken back or overwritten does not fire", () => {
  run("HSET h a 1 b 2 c 3 d 4");
  run("HPEXPIRE h 100 FIELDS 4 a b c d");
  run("HPERSIST h FIELDS 1 a");
  run("HSET h b new");
  run("HPEXPIRE h 5000 FIELDS 1 c");
  context.clock.advance(1000);
  keyspace.expireDue(() => false);
  expect(context.told).toEqual(["h/d"]);
  context.clock.advance(5000);
  keyspace.expireDue(() => false);
  expect(context.told).toEqual(["h/d", "h/c"]);
  expect(run("HMGET h a b c d")).toBe("*4|$1|1|$3|new|$-1|$-1|");
});

test("while an AOF is loaded, fields that are due count as live", () => {
  run("HSET h a 1 b 2");
  run("HPEXPIRE h 100 FIELDS 1 a");
  context.ignoreExpiry = true;
  context.clock.advance(1000);
  expect(run("HINCRBY h a 1")).toBe(":2|");
  expect(run("HPEXPIREAT h 1700000000500 FIELDS 1 b")).toBe("*1|:1|");
  expect(run("HMGET h a b")).toBe("*2|$1|2|$1|2|");
  context.ignoreExpiry = false;
  expect(context.told).toEqual([]);
  expect(run("HMGET h a b")).toBe("*2|$-1|$-1|");
  expect(run("EXISTS h")).toBe(":0|");
});

test("a hash of any size can get an expiry: the largest cell keeps room for it", () => {
  const local = { local: true, loading: false };
  config.set([["hash-max-listpack-value", "1mb"]], local);
  for (let size = 32_600; size < 32_780; size++) {
    run("HSET h a 1");
    run(`HSET h value ${"x".repeat(size)}`);
    const db = keyspace.select(0);
    const position = db.setExpiry(db.find(bytesOf("h"), 0, 1), 1_800_000_000_000);
    expect(db.find(bytesOf("h"), 0, 1)).toBe(position);
    expect(run("HSTRLEN h value")).toBe(`:${size}|`);
    run("DEL h");
  }
  config.set([["hash-max-listpack-value", "64"]], local);
});
