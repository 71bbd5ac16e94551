import { describe, expect, test } from "bun:test";
import { latin1Bytes, latin1Text } from "../../../src/bytes/ascii.ts";
import { Request } from "../../../src/resp/request.ts";
import { CommandLog, logArguments } from "../../../src/stats/command-log.ts";
import { Counters } from "../../../src/stats/counters.ts";
import { LatencyMonitor } from "../../../src/stats/latency-monitor.ts";
import { deriveFigures, humanBytes } from "../../../src/stats/memory-figures.ts";
import { Rate, Rates } from "../../../src/stats/rates.ts";
import { RecentPeaks } from "../../../src/stats/recent-peaks.ts";

describe("rates", () => {
  test("the mean of sixteen samples, zeros where there are fewer", () => {
    const rate = new Rate();
    rate.track(0, 1000, 1000);
    rate.track(160, 2000, 1000);
    expect(rate.mean).toBe(10);
    for (let i = 0; i < 16; i++) rate.track(160 + 32 * (i + 1), 2000 + 1000 * (i + 1), 1000);
    expect(rate.mean).toBe(32);
  });

  test("samples are at least 100 ms apart, and reset forgets them", () => {
    const rates = new Rates();
    const counters = new Counters();
    rates.sample(counters, 1_000_000);
    counters.commands = 160;
    rates.sample(counters, 1_050_000);
    expect(rates.commands.mean).toBe(0);
    rates.sample(counters, 2_000_000);
    expect(rates.commands.mean).toBe(10);
    rates.reset();
    expect(rates.commands.mean).toBe(0);
  });
});

describe("counters", () => {
  test("errors by code; without one it is ERR", () => {
    const counters = new Counters();
    for (const text of ["WRONGTYPE of sorts", "ERR x", "nocode", `${"x".repeat(40)} long`])
      counters.countError(text);
    expect(Object.fromEntries(counters.errors)).toEqual({ WRONGTYPE: 1, ERR: 3 });
  });

  test("reset keeps the changes since the last save", () => {
    const counters = new Counters();
    Object.assign(counters, {
      changes: 3,
      commands: 4,
      accessDenied: { auth: 5, command: 1, key: 0, channel: 0 },
    });
    counters.countError("ERR");
    counters.reset();
    expect(counters).toMatchObject({ changes: 3, commands: 0, accessDenied: { auth: 5 }, errorReplies: 0 });
    expect(counters.errors.size).toBe(0);
  });
});

test("recent peaks are forgotten after eight seconds", () => {
  const peaks = new RecentPeaks();
  peaks.begin(100);
  peaks.note(10, 20);
  peaks.note(5, 30);
  for (let second = 101; second < 108; second++) {
    peaks.begin(second);
    peaks.note(1, 1);
  }
  expect([peaks.maxInput, peaks.maxOutput]).toEqual([10, 30]);
  peaks.begin(108);
  expect([peaks.maxInput, peaks.maxOutput]).toEqual([1, 1]);
});

test("the latency monitor notes from its threshold on and keeps 160 samples", () => {
  const monitor = new LatencyMonitor();
  monitor.note("command", 1000);
  expect(monitor.size).toBe(0);
  monitor.threshold = 10;
  monitor.note("command", 9);
  monitor.note("command", 10);
  monitor.note("command", 30.7);
  const series = monitor.get("command")!;
  expect(series.latest.milliseconds).toBe(30);
  for (let second = 0; second < 200; second++) series.add(1_000_000 + second, second);
  expect(series.samples.length).toBe(160);
  expect([series.latest.milliseconds, series.max]).toEqual([199, 199]);
  expect(monitor.reset("COMMAND")).toBe(1);
});

test("the slow log cuts arguments and keeps what it may", () => {
  const line = Request.of([
    ...Array.from({ length: 33 }, (_, i) => latin1Bytes(String(i))),
    latin1Bytes("x".repeat(200)),
  ]);
  const args = logArguments(line, (i) => i === 2).map((arg) => latin1Text(arg));
  expect(args.length).toBe(32);
  expect(args.slice(0, 4)).toEqual(["0", "1", "(redacted)", "3"]);
  expect(args.at(-1)).toBe("... (3 more arguments)");
  const log = new CommandLog();
  log.maxLength = 2;
  for (let i = 0; i < 3; i++) log.add({ time: i, amount: i, args: [], address: "", clientName: "" });
  expect(log.newest(10).map(({ id }) => id)).toEqual([2, 1]);
});

describe("memory figures", () => {
  test("for people", () => {
    expect([0, 1023, 1024, 1536, 1048576, 5 * 2 ** 30, 3 * 2 ** 40].map(humanBytes)).toEqual([
      "0B",
      "1023B",
      "1.00K",
      "1.50K",
      "1.00M",
      "5.00G",
      "3.00T",
    ]);
  });

  test("overhead and data set add up to what is used", () => {
    const figures = deriveFigures({
      used: 1000,
      peak: 2000,
      startup: 100,
      allocatorActive: 1500,
      rss: 3000,
      clients: 50,
      databases: [{ id: 0, keys: 10, main: 200, expires: 20, slots: 0 }],
    });
    expect(figures).toMatchObject({
      overhead: 370,
      dataset: 630,
      datasetPercentage: 70,
      peakPercentage: 50,
      bytesPerKey: 90,
      fragmentationRatio: 1.5,
      rssOverheadRatio: 2,
      totalRatio: 3,
    });
  });
});
