import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../../scripts/lib/launch.ts";
import { Clock } from "../../../src/host/clock.ts";
import { Log, timestamp } from "../../../src/host/log.ts";
import { Random, randomHex } from "../../../src/host/random.ts";

const LINE = /^\d+:[MSCX] \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}\.\d{3} [.\-*#] .*$/;

test("log lines have Redis's form, each at its level", () => {
  const file = join(temporaryDirectory(), "redbun.log");
  const log = new Log(false);
  log.open(file);
  log.level = "debug";
  log.debug("one");
  log.role = "M";
  log.verbose("two");
  log.notice("three");
  log.warning("four");
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  for (const line of lines) expect(line).toMatch(LINE);
  expect(lines.map((line) => line.split(" ").slice(-2).join(" "))).toEqual([
    ". one",
    "- two",
    "* three",
    "# four",
  ]);
  expect(lines.map((line) => line.replace(/ .*/, ""))).toEqual([
    `${process.pid}:C`,
    `${process.pid}:M`,
    `${process.pid}:M`,
    `${process.pid}:M`,
  ]);
});

test("what is below the log's level is left out", () => {
  const file = join(temporaryDirectory(), "redbun.log");
  const log = new Log(false);
  log.open(file);
  for (const [level, count] of [
    ["debug", 4],
    ["verbose", 3],
    ["notice", 2],
    ["warning", 1],
    ["nothing", 0],
  ] as const) {
    const before = readFileSync(file, "utf8").split("\n").length;
    log.level = level;
    log.debug("x");
    log.verbose("x");
    log.notice("x");
    log.warning("x");
    expect(readFileSync(file, "utf8").split("\n").length - before).toBe(count);
  }
});

test("a file is appended to; one that cannot be opened is an error", () => {
  const directory = temporaryDirectory();
  const file = join(directory, "redbun.log");
  for (let i = 0; i < 2; i++) {
    const log = new Log(false);
    log.open(file);
    log.notice("line");
  }
  expect(readFileSync(file, "utf8").trimEnd().split("\n").length).toBe(2);
  expect(() => new Log(false).open(directory)).toThrow();
});

test("timestamps are of fixed width", () => {
  expect(timestamp(new Date(2026, 10, 1, 9, 4, 1, 7))).toBe("01 Nov 2026 09:04:01.007");
  expect(timestamp(new Date(2026, 0, 21, 19, 40, 11, 123))).toBe("21 Jan 2026 19:40:11.123");
});

test("the clock stands still while it is frozen", async () => {
  const clock = new Clock();
  clock.freeze();
  clock.freeze();
  const { now } = clock;
  const until = Date.now() + 5;
  while (Date.now() < until);
  clock.update();
  clock.thaw();
  clock.update();
  expect(clock.now).toBe(now);
  clock.thaw();
  clock.update();
  expect(clock.now).toBeGreaterThan(now);
  expect(clock.lruClock).toBe(Math.floor(clock.now / 1000) & 0xffffff);
});

test("microseconds agree with the milliseconds of the system's clock", () => {
  const clock = new Clock();
  for (let i = 0; i < 1000; i++) {
    const before = Date.now();
    const micros = clock.microseconds();
    const after = Date.now();
    expect(Math.floor(micros / 1000)).toBeWithin(before, after + 1);
  }
});

test("random numbers are spread evenly and repeat with their seed", () => {
  const random = new Random(7);
  const buckets = new Array<number>(16).fill(0);
  for (let i = 0; i < 160_000; i++) buckets[random.below(16)]!++;
  for (const count of buckets) expect(count).toBeWithin(9000, 11_000);
  for (let i = 0; i < 1000; i++) expect(random.unit()).toBeWithin(0, 1);
  const one = new Random(99);
  const other = new Random(99);
  for (let i = 0; i < 100; i++) expect(one.int32()).toBe(other.int32());
  expect(new Random().int32()).not.toBe(new Random().int32());
});

test("random identifiers", () => {
  for (const length of [1, 8, 40]) expect(randomHex(length)).toMatch(new RegExp(`^[0-9a-f]{${length}}$`));
  expect(randomHex(40)).not.toBe(randomHex(40));
});
