import { expect, test } from "bun:test";
import { Request } from "../../../src/resp/request.ts";
import { CommandLog, logArguments } from "../../../src/stats/command-log.ts";
import { Counters } from "../../../src/stats/counters.ts";
import { LatencyMonitor } from "../../../src/stats/latency-monitor.ts";
import { deriveFigures, humanBytes } from "../../../src/stats/memory-figures.ts";
import { Rate } from "../../../src/stats/rates.ts";
import { RecentPeaks } from "../../../src/stats/recent-peaks.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test("errors are counted by their code", () => {
  const counters = new Counters();
  for (const text of [
    "ERR syntax error",
    "ERR no such key",
    "WRONGTYPE Operation against",
    "no code",
    "word",
  ])
    counters.countError(text);
  expect(counters.errorReplies).toBe(5);
  expect(counters.errors.get("ERR")).toBeGreaterThanOrEqual(2);
  expect(counters.errors.get("WRONGTYPE")).toBe(1);
  counters.commands = 7;
  counters.changes = 3;
  counters.reset();
  expect([counters.errorReplies, counters.errors.size, counters.commands, counters.changes]).toEqual([
    0, 0, 0, 3,
  ]);
});

test("the slow log keeps the newest entries and never gives a number twice", () => {
  const log = new CommandLog();
  log.maxLength = 3;
  const entry = { time: 1, amount: 2, args: [], address: "", clientName: "" };
  for (let i = 0; i < 5; i++) log.add(entry);
  expect(log.newest(10).map(({ id }) => id)).toEqual([4, 3, 2]);
  expect(log.newest(2).map(({ id }) => id)).toEqual([4, 3]);
  log.clear();
  log.add(entry);
  expect([log.length, log.newest(1)[0]!.id]).toEqual([1, 5]);
  log.maxLength = 0;
  log.add(entry);
  expect(log.length).toBe(0);
});

test("the slow log's arguments are cut short, secrets left out", () => {
  const cut = (args: string[], secret: (i: number) => boolean = () => false): string[] =>
    logArguments(Request.of(args.map(encode)), secret).map(decode);
  expect(cut(["SET", "k", "x".repeat(128)])).toEqual(["SET", "k", "x".repeat(128)]);
  expect(cut(["SET", "k", "x".repeat(130)])[2]).toBe(`${"x".repeat(128)}... (2 more bytes)`);
  expect(cut(["AUTH", "me", "password"], (i) => i > 0)).toEqual(["AUTH", "(redacted)", "(redacted)"]);
  expect(cut(Array.from({ length: 32 }, () => "a")).length).toBe(32);
  const long = cut(Array.from({ length: 40 }, () => "a"));
  expect([long.length, long[31]]).toEqual([32, "... (9 more arguments)"]);
});

test("latency events below the threshold are not noted", () => {
  const monitor = new LatencyMonitor();
  monitor.note("command", 500);
  expect(monitor.size).toBe(0);
  monitor.threshold = 100;
  monitor.note("command", 99);
  monitor.note("command", 100.7);
  monitor.note("fast-command", 300);
  expect(monitor.size).toBe(2);
  expect(monitor.get("command")!.max).toBe(100);
  expect(monitor.reset("COMMAND")).toBe(1);
  expect(monitor.reset()).toBe(1);
});

test("a rate is the mean of the last samples", () => {
  const rate = new Rate();
  for (let i = 1; i <= 17; i++) rate.track(i * 10, i * 100_000, 1_000_000);
  expect(rate.mean).toBe(100);
  for (let i = 18; i <= 40; i++) rate.track(170, i * 100_000, 1_000_000);
  expect(rate.mean).toBe(0);
});

test("peaks are forgotten after eight seconds", () => {
  const peaks = new RecentPeaks();
  peaks.begin(100);
  peaks.note(5, 7);
  for (let second = 101; second < 108; second++) peaks.begin(second);
  peaks.note(1, 1);
  expect([peaks.maxInput, peaks.maxOutput]).toEqual([5, 7]);
  peaks.begin(108);
  expect([peaks.maxInput, peaks.maxOutput]).toEqual([1, 1]);
});

test("memory figures add up", () => {
  const figures = deriveFigures({
    used: 1000,
    peak: 2000,
    startup: 100,
    allocatorActive: 1500,
    rss: 3000,
    clients: 50,
    databases: [
      { id: 0, keys: 3, main: 200, expires: 10, slots: 0 },
      { id: 5, keys: 1, main: 40, expires: 0, slots: 0 },
    ],
  });
  expect([figures.keys, figures.overhead, figures.dataset, figures.bytesPerKey]).toEqual([4, 400, 600, 225]);
  expect([figures.peakPercentage, figures.fragmentationBytes, figures.totalRatio]).toEqual([50, 500, 3]);
  expect([0, 1023, 1024, 1536, 5 << 20].map(humanBytes)).toEqual(["0B", "1023B", "1.00K", "1.50K", "5.00M"]);
});
