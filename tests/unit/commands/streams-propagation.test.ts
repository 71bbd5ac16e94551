/**
 * What stream commands hand on to the AOF and replicas: IDs as they were given out, trimming as far as it went, and
 * deliveries as the state they led to. The clock stands at 1700000000000. Expected effects are those of Redis 7.2,
 * save that an exact trimming carries no LIMIT.
 */
import { expect, test } from "bun:test";
import type { Blocking } from "../../../src/blocking/blocking.ts";
import type { Call } from "../../../src/call/call.ts";
import { Registry } from "../../../src/call/registry.ts";
import { streamCommands } from "../../../src/commands/streams.ts";
import { Config } from "../../../src/config/config.ts";
import { Keyspace } from "../../../src/keyspace/keyspace.ts";
import type { ReplyWriter } from "../../../src/resp/reply-writer.ts";
import { Request } from "../../../src/resp/request.ts";
import { bytesOf } from "../bytes/random.ts";
import { testContext } from "../keyspace/support.ts";
import { Recorder } from "./recorder.ts";

const context = testContext();
const keyspace = new Keyspace(context, 16);
const config = new Config();
const NOW = context.clock.now;

/** Nobody waits here. */
const blocking = {
  has: () => false,
  onKeys: (
    _call: Call,
    _keys: number[],
    _timeout: number,
    _kind: string,
    late: (reply: ReplyWriter) => void,
  ) => late(call.reply),
} as unknown as Blocking;
const registry = new Registry(streamCommands({ config, blocking }));

const recorder = new Recorder(context.clock);
const { call, executor } = recorder;

function run(line: string): string {
  recorder.recorded = [];
  call.load(Request.of(line.split(" ").map((word) => bytesOf(word))));
  call.db = keyspace.select(0);
  call.reply.clear();
  executor.execute(call, registry.lookup(call)!);
  return recorder.lines.join("; ");
}

function reply(line: string): string {
  run(line);
  return Buffer.from(call.reply.buf.subarray(0, call.reply.pos)).toString("latin1");
}

/** Commands, run one after the other on an empty data set, and what each must propagate; null: itself. */
function check(table: readonly (readonly [string, string | null])[]): void {
  keyspace.flushAll();
  const actual = table.map(([line]) => [line, run(line)]);
  expect(actual).toEqual(table.map(([line, effect]) => [line, effect ?? line]));
}

test("XADD: the ID it chose, trimming as far as it went", () => {
  check([
    ["XADD s * a b", `XADD s ${NOW}-0 a b`],
    ["XADD s * a b", `XADD s ${NOW}-1 a b`],
    [`XADD s ${NOW}-* a b`, `XADD s ${NOW}-2 a b`],
    [`XADD s ${NOW + 1}-5 a b`, null],
    [`XADD s ${NOW + 1}-5 a b`, ""],
    ["XADD s NOMKSTREAM * a b", `XADD s NOMKSTREAM ${NOW + 1}-6 a b`],
    ["XADD none NOMKSTREAM * a b", ""],
    ["XADD s MAXLEN 3 * a b", `XADD s MAXLEN 3 ${NOW + 1}-7 a b`],
    ["XADD s MAXLEN ~ 1 * a b", `XADD s MAXLEN = 4 ${NOW + 1}-8 a b`],
    ["XADD s NOMKSTREAM MAXLEN ~ 0 LIMIT 2 * a b", `XADD s NOMKSTREAM MAXLEN = 5 ${NOW + 1}-9 a b`],
    ["XADD s LIMIT 0 MAXLEN ~ 0 LIMIT 0 * a b", `XADD s MAXLEN = 0 ${NOW + 1}-10 a b`],
    ["XADD s MINID ~ 5 * a b", `XADD s MINID = ${NOW + 1}-11 ${NOW + 1}-11 a b`],
    [`XADD s MINID ~ ${NOW + 2} ${NOW + 2} a b`, `XADD s MINID = ${NOW + 1}-11 ${NOW + 2} a b`],
    ["XLEN s", ""],
  ]);
});

test("XTRIM, XDEL, XSETID", () => {
  check([
    ["XADD s 1-1 a b", null],
    ["XADD s 1-2 a b", null],
    ["XADD s 1-3 a b", null],
    ["XTRIM s MAXLEN 5", ""],
    ["XTRIM s MAXLEN ~ 1", ""],
    ["XTRIM s MAXLEN 2", null],
    ["XTRIM s MINID 1-3", null],
    ["XTRIM s MAXLEN ~ 0 LIMIT 100", "XTRIM s MAXLEN = 0"],
    ["XADD s 2-1 a b", null],
    ["XTRIM s MINID ~ 3", "XTRIM s MINID = 18446744073709551615-18446744073709551615"],
    ["XADD s 3-1 a b", null],
    ["XDEL s 3-1 9-9", null],
    ["XDEL s 3-1", ""],
    ["XSETID s 5-5 ENTRIESADDED 100 MAXDELETEDID 4-4", null],
    ["XSETID s 1-1", ""],
  ]);
});

test("XREADGROUP: each entry as a claim, or how far the group has come", () => {
  const claim = (id: string, last: string, consumer = "c") =>
    `XCLAIM s g ${consumer} 0 ${id} TIME ${NOW} RETRYCOUNT 1 FORCE JUSTID LASTID ${last}`;
  check([
    ["XADD s 1-1 a b", null],
    ["XADD s 2-1 a b", null],
    ["XADD s 3-1 a b", null],
    ["XADD s 4-1 a b", null],
    ["XGROUP CREATE s g 0", null],
    ["XREAD STREAMS s 0", ""],
    ["XREADGROUP GROUP g c COUNT 2 STREAMS s >", `${claim("1-1", "1-1")}; ${claim("2-1", "2-1")}`],
    // The deliveries this counts up are not told of.
    ["XREADGROUP GROUP g c STREAMS s 0", ""],
    [
      "XREADGROUP GROUP g n COUNT 1 NOACK STREAMS s >",
      "XGROUP CREATECONSUMER s g n; XGROUP SETID s g 3-1 ENTRIESREAD 3",
    ],
    ["XREADGROUP GROUP g new STREAMS s 0", ""],
    ["XREADGROUP GROUP g c STREAMS s >", claim("4-1", "4-1")],
    ["XREADGROUP GROUP g c BLOCK 5 STREAMS s >", ""],
    ["XREADGROUP GROUP none c STREAMS s >", ""],
    ["XACK s g 1-1 9-9", null],
    ["XACK s g 1-1", ""],
    ["XGROUP SETID s g 0", null],
    ["XREADGROUP GROUP g d COUNT 1 STREAMS s >", claim("1-1", "1-1", "d")],
  ]);
});

test("XCLAIM and XAUTOCLAIM: the entry as it is afterwards", () => {
  const claim = (consumer: string, id: string, time: number, count: number, last = "3-1") =>
    `XCLAIM s g ${consumer} 0 ${id} TIME ${time} RETRYCOUNT ${count} FORCE JUSTID LASTID ${last}`;
  check([
    ["XADD s 1-1 a b", null],
    ["XADD s 2-1 a b", null],
    ["XADD s 3-1 a b", null],
    ["XADD s 4-1 a b", null],
    ["XGROUP CREATE s g 0", null],
    [
      "XREADGROUP GROUP g c COUNT 3 STREAMS s >",
      [1, 2, 3].map((n) => claim("c", `${n}-1`, NOW, 1, `${n}-1`)).join("; "),
    ],
    ["XCLAIM s g d 0 1-1 9-9", claim("d", "1-1", NOW, 2)],
    ["XCLAIM s g d 0 1-1 JUSTID TIME 5", claim("d", "1-1", 5, 2)],
    ["XCLAIM s g d 0 1 2-1 RETRYCOUNT 9 IDLE 1000", claim("d", "2-1", NOW - 1000, 9)],
    ["XCLAIM s g d 100000 2-1", ""],
    ["XCLAIM s g d 0 4-1 FORCE", claim("d", "4-1", NOW, 2)],
    ["XCLAIM s g d 100000 2-1 LASTID 4-1", "XGROUP SETID s g 4-1 ENTRIESREAD 3"],
    ["XCLAIM s g d 0 2-1 LASTID 5-1", claim("d", "2-1", NOW, 10, "5-1")],
    ["XCLAIM s g fresh 0 9-9", ""],
    ["XDEL s 2-1 3-1", null],
    // A message that is gone takes its pending entry along: the claim comes to nothing there as well.
    ["XCLAIM s g d 0 2-1", claim("d", "2-1", NOW, 10, "5-1")],
    [
      "XAUTOCLAIM s g e 0 -",
      [
        claim("e", "1-1", NOW, 3, "5-1"),
        claim("c", "3-1", NOW, 1, "5-1"),
        claim("e", "4-1", NOW, 3, "5-1"),
      ].join("; "),
    ],
    ["XAUTOCLAIM s g e 100000 -", ""],
    ["XAUTOCLAIM s g e 0 4 JUSTID", claim("e", "4-1", NOW, 3, "5-1")],
  ]);
});

test("idempotent additions: as others, and what they were; nothing where they were made before", () => {
  check([
    ["XADD s IDMP p i * a b", `XADD s ${NOW}-0 a b; XIDMPRECORD s p i ${NOW}-0`],
    ["XADD s IDMP p i * a b", ""],
    [
      "XADD s NOMKSTREAM IDMP p j KEEPREF MAXLEN 5 * a b",
      `XADD s NOMKSTREAM MAXLEN 5 ${NOW}-1 a b; XIDMPRECORD s p j ${NOW}-1`,
    ],
    ["XADD s IDMP p k MAXLEN ~ 100 * a b", `XADD s MAXLEN = 3 ${NOW}-2 a b; XIDMPRECORD s p k ${NOW}-2`],
    [
      "XADD s DELREF MAXLEN 1 IDMP p l * a b",
      `XADD s ${NOW}-3 a b; XIDMPRECORD s p l ${NOW}-3; XTRIM s MAXLEN = 1`,
    ],
    [`XIDMPRECORD s q x ${NOW}-3`, null],
    [`XIDMPRECORD s q x ${NOW}-3`, ""],
    ["XCFGSET s IDMP-DURATION 100", ""],
    ["XCFGSET s IDMP-DURATION 101", null],
    ["XGROUP CREATE s g 0", null],
    ["XNACK s g FAIL IDS 1 1-1", ""],
    [`XNACK s g FAIL IDS 2 ${NOW}-3 1-1 FORCE`, null],
    [`XDEL s ${NOW}-3`, null],
    // Nobody can be named to whom it belongs.
    [`XCLAIM s g c 0 ${NOW}-3`, `XACK s g ${NOW}-3`],
  ]);
});

test("what regards groups: acknowledgements and deletions that older servers know", () => {
  check([
    ...[1, 2, 3, 4, 5, 6].map((n) => [`XADD s ${n}-1 a b`, null] as const),
    ["XGROUP CREATE s g 0", null],
    ["XGROUP CREATE s h 5-1", null],
    [
      "XCLAIM s g c 0 1-1 2-1 3-1 FORCE JUSTID TIME 5 RETRYCOUNT 3 LASTID 5-1",
      [1, 2, 3].map((n) => `XCLAIM s g c 0 ${n}-1 TIME 5 RETRYCOUNT 3 FORCE JUSTID LASTID 5-1`).join("; "),
    ],
    ["XDELEX s ACKED IDS 3 1-1 4-1 9-9", "XDEL s 4-1"],
    ["XDELEX s ACKED IDS 1 1-1", ""],
    ["XDELEX s DELREF IDS 2 2-1 9-9", "XACK s g 2-1; XDEL s 2-1"],
    ["XDELEX s KEEPREF IDS 1 3-1", "XDEL s 3-1"],
    ["XDELEX s DELREF IDS 1 3-1", "XACK s g 3-1"],
    ["XACKDEL s g IDS 2 1-1 1-1", "XACK s g 1-1; XDEL s 1-1"],
    ["XACKDEL s g IDS 1 1-1", ""],
    ["XADD s KEEPREF MAXLEN 2 * a b", `XADD s MAXLEN 2 ${NOW}-0 a b`],
    ["XADD s KEEPREF 1700000000001-1 a b", "XADD s 1700000000001-1 a b"],
    ["XTRIM s MAXLEN 2 KEEPREF", "XTRIM s MAXLEN 2"],
    ["XTRIM s KEEPREF MAXLEN ~ 0", "XTRIM s MAXLEN = 0"],
    ...[1, 2, 3, 4, 5].map((n) => {
      const line = `XADD s 180000000000${n}-0 a b`;
      return [line, null] as const;
    }),
    ["XGROUP SETID s g 1800000000005-0", null],
    ["XGROUP SETID s h 1800000000005-0", null],
    [
      "XCLAIM s h d 0 1800000000002-0 FORCE JUSTID TIME 5 RETRYCOUNT 1",
      "XCLAIM s h d 0 1800000000002-0 TIME 5 RETRYCOUNT 1 FORCE JUSTID LASTID 1800000000005-0",
    ],
    // From before the one that is pending, and from behind it.
    ["XTRIM s MAXLEN 2 ACKED", "XDEL s 1800000000003-0 1800000000004-0; XTRIM s MAXLEN = 2"],
    ["XTRIM s MAXLEN 1 DELREF", "XACK s h 1800000000002-0; XTRIM s MAXLEN = 1"],
    ["XADD s DELREF 1800000000006-0 a b", "XADD s 1800000000006-0 a b"],
    ["XADD s DELREF MAXLEN 1 1800000000007-0 a b", "XADD s 1800000000007-0 a b; XTRIM s MAXLEN = 1"],
    // It was given to nobody yet.
    ["XTRIM s MAXLEN 0 ACKED", ""],
  ]);
});

test("XREADGROUP CLAIM: what was left alone for longest first", () => {
  keyspace.flushAll();
  for (let n = 1; n <= 5; n++) run(`XADD s ${n}-1 n ${n}`);
  run("XGROUP CREATE s g 0");
  run("XREADGROUP GROUP g c COUNT 4 STREAMS s >");
  run(`XCLAIM s g d 0 1-1 JUSTID TIME ${NOW - 50} RETRYCOUNT 7`);
  run(`XCLAIM s g d 0 2-1 JUSTID TIME ${NOW - 100}`);
  run(`XCLAIM s g d 0 3-1 JUSTID TIME ${NOW - 100}`);
  run(`XCLAIM s g d 0 4-1 JUSTID TIME ${NOW - 200}`);
  run("XDEL s 4-1");
  const claimed = (n: number, deliveries: number) =>
    `XCLAIM s g e 0 ${n}-1 TIME ${NOW} RETRYCOUNT ${deliveries} FORCE JUSTID LASTID 4-1`;
  const entry = (n: number, idle: number, deliveries: number) =>
    `*4\r\n$3\r\n${n}-1\r\n*2\r\n$1\r\nn\r\n$1\r\n${n}\r\n:${idle}\r\n:${deliveries}\r\n`;
  const got = (...entries: string[]) => `*1\r\n*2\r\n$1\r\ns\r\n*${entries.length}\r\n${entries.join("")}`;
  expect(reply("XREADGROUP GROUP g e CLAIM 60 COUNT 1 STREAMS s >")).toBe(got(entry(2, 100, 1)));
  expect(recorder.lines).toEqual([claimed(2, 2)]);
  expect(reply("XREADGROUP GROUP g e CLAIM 101 COUNT 1 STREAMS s >")).toBe(got(entry(5, 0, 0)));
  expect(reply("XREADGROUP GROUP g e CLAIM 101 STREAMS s >")).toBe("*-1\r\n");
  expect(reply("XREADGROUP GROUP g e CLAIM 20 STREAMS s >")).toBe(got(entry(3, 100, 1), entry(1, 50, 7)));
  run("XADD s 6-1 n 6");
  expect(reply("XREADGROUP GROUP g f CLAIM 0 COUNT 5 STREAMS s >")).toBe(
    got(entry(1, 0, 8), entry(2, 0, 2), entry(3, 0, 2), entry(5, 0, 1), entry(6, 0, 0)),
  );
  expect(reply("XPENDING s g")).toBe(
    "*4\r\n:6\r\n$3\r\n1-1\r\n$3\r\n6-1\r\n*2\r\n*2\r\n$1\r\nd\r\n$1\r\n1\r\n*2\r\n$1\r\nf\r\n$1\r\n5\r\n",
  );
});

test("XGROUP", () => {
  check([
    ["XGROUP CREATE s g $ MKSTREAM", null],
    ["XGROUP CREATE s g $ MKSTREAM", ""],
    ["XGROUP CREATECONSUMER s g c", null],
    ["XGROUP CREATECONSUMER s g c", ""],
    ["XGROUP SETID s g $ ENTRIESREAD 5", null],
    ["XGROUP DELCONSUMER s g c", null],
    ["XGROUP DELCONSUMER s g c", ""],
    ["XGROUP DESTROY s g", null],
    ["XGROUP DESTROY s g", ""],
    ["XINFO STREAM s FULL", ""],
  ]);
});

/** Runs the commands, then what they propagated on an empty data set; the questions' replies both times. */
function twice(lines: readonly string[], questions: readonly string[]): [string[], string[]] {
  keyspace.flushAll();
  const effects = lines.flatMap((line) => run(line).split("; ")).filter((line) => line !== "");
  const expected = questions.map(reply);
  keyspace.flushAll();
  for (const line of effects) run(line);
  return [questions.map(reply), expected];
}

test("effects, run on their own, lead to the same stream", () => {
  const lines = [
    ...Array.from({ length: 300 }, (_, i) => `XADD s ${i % 50 === 0 ? "MAXLEN ~ 90 " : ""}* n ${i}`),
    "XGROUP CREATE s g 0",
    "XREADGROUP GROUP g c COUNT 40 STREAMS s >",
    "XREADGROUP GROUP g d COUNT 40 STREAMS s >",
    "XREADGROUP GROUP g n COUNT 10 NOACK STREAMS s >",
    "XAUTOCLAIM s g e 0 - COUNT 30 JUSTID",
    "XTRIM s MAXLEN ~ 10",
    "XAUTOCLAIM s g e 0 - COUNT 90 JUSTID",
    "XADD s MAXLEN 100 * last one",
  ];
  const questions = [
    "XINFO GROUPS s",
    "XPENDING s g",
    "XPENDING s h - + 500",
    "XPENDING s g - + 500",
    "XRANGE s - +",
    "XLEN s",
  ];
  const [actual, expected] = twice(lines, questions);
  expect(actual).toEqual(expected);
});

test("so do those of commands that regard groups", () => {
  const lines = [
    ...Array.from({ length: 30 }, (_, i) => `XADD s * n ${i}`),
    "XGROUP CREATE s g 0",
    "XGROUP CREATE s h 0",
    "XREADGROUP GROUP g c COUNT 12 STREAMS s >",
    "XREADGROUP GROUP h c COUNT 20 STREAMS s >",
    `XACK s h ${NOW}-500 ${NOW}-3`,
    "XREADGROUP GROUP g d CLAIM 0 COUNT 3 STREAMS s >",
    "XADD s DELREF MAXLEN 28 * more n",
    "XADD s ACKED MAXLEN 20 * more n",
    "XACKDEL s g DELREF IDS 1 0-1",
    "XTRIM s MAXLEN 25 DELREF",
    "XTRIM s MAXLEN 20 ACKED",
  ];
  const questions = ["XPENDING s g - + 500", "XPENDING s h - + 500", "XRANGE s - +", "XLEN s"];
  const [actual, expected] = twice(lines, questions);
  expect(actual).toEqual(expected);
});
