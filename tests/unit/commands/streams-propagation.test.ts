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

test("effects, run on their own, lead to the same stream", () => {
  keyspace.flushAll();
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
  const effects = lines.flatMap((line) => run(line).split("; ")).filter((line) => line !== "");
  const questions = ["XINFO GROUPS s", "XPENDING s g", "XPENDING s g - + 500", "XRANGE s - +", "XLEN s"];
  const expected = questions.map(reply);
  keyspace.flushAll();
  for (const line of effects) run(line);
  expect(questions.map(reply)).toEqual(expected);
});
