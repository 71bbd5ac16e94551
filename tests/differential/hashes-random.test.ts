/**
 * Random commands on a few hashes under changing limits, each reply and the encodings compared (pairs in any order).
 * REDBUN_SEED repeats a run, REDBUN_ROUNDS makes it longer.
 */
import { afterAll, expect, test } from "bun:test";
import { describeWithOracle, findOracle } from "../oracle.ts";
import { type Random, seeded } from "../unit/bytes/random.ts";
import { describe as describeReply, Pair, sorted } from "./lib/pair.ts";
import { showCommand } from "./lib/wire.ts";

const ROUNDS = Number(process.env.REDBUN_ROUNDS ?? 12);
const COMMANDS = 600;
const KEYS = ["h1", "h2", "h3"];
const NUMBERS = [
  "1",
  "-1",
  "100",
  "9223372036854775807",
  "-9223372036854775808",
  "9007199254740993",
  "x",
  "1.5",
];
const FLOATS = ["0.1", "-3.25", "1e10", "5e-5", "inf", "nan", "x", "100", "1e300", "-0"];

const pair = findOracle() === null ? null : await Pair.start();

function field(random: Random): string {
  return random.pick(["f", "f", "f", "", "1", "long field "]) + random.below(random.pick([5, 50, 1000]));
}

function value(random: Random): string {
  const kind = random.below(10);
  if (kind < 5) return String(random.below(1000) * random.pick([1, -1, 2 ** 33]));
  if (kind < 6) return random.pick([...NUMBERS, ...FLOATS]);
  return "v".repeat(random.below(random.pick([5, 70, 200])));
}

function command(random: Random): string[] {
  const key = random.pick(KEYS);
  const fields = (most: number) => Array.from({ length: 1 + random.below(most) }, () => field(random));
  const pairs = (most: number) => fields(most).flatMap((name) => [name, value(random)]);
  const kind = random.below(100);
  if (kind < 35) return [random.pick(["HSET", "HMSET"]), key, ...pairs(random.pick([1, 4, 40]))];
  if (kind < 40) return ["HSETNX", key, field(random), value(random)];
  if (kind < 50) return ["HDEL", key, ...fields(random.pick([1, 5, 60]))];
  if (kind < 60) return ["HINCRBY", key, field(random), random.pick(NUMBERS)];
  if (kind < 68) return ["HINCRBYFLOAT", key, field(random), random.pick(FLOATS)];
  if (kind < 76) return [random.pick(["HGET", "HEXISTS", "HSTRLEN"]), key, field(random)];
  if (kind < 80) return ["HMGET", key, ...fields(6)];
  if (kind < 90) return [random.pick(["HGETALL", "HKEYS", "HVALS", "HLEN"]), key];
  if (kind < 93) return ["HSCAN", key, "0", "COUNT", "100000", "MATCH", random.pick(["*", "f*", "*1"])];
  if (kind < 95) return ["HRANDFIELD", key, "100000", "WITHVALUES"];
  if (kind < 96) return ["DEL", key];
  return random.pick([
    ["COPY", key, random.pick(KEYS), "REPLACE"],
    ["RENAME", key, random.pick(KEYS)],
    ["OBJECT", "FREQ", key],
  ]);
}

async function round(random: Random, resp: 2 | 3): Promise<string | null> {
  await pair!.reset(resp);
  await pair!.both([
    ["CONFIG", "SET", "hash-max-listpack-entries", random.pick(["0", "5", "50", "512"])],
    ["CONFIG", "SET", "hash-max-listpack-value", random.pick(["0", "5", "64", "150"])],
  ]);
  const commands: string[][] = [];
  for (let i = 0; i < COMMANDS; i++) {
    commands.push(command(random));
    for (const key of KEYS) commands.push(["OBJECT", "ENCODING", key]);
    if (i % 30 === 0) for (const key of KEYS) commands.push(["HGETALL", key]);
  }
  const replies = await pair!.both(commands);
  for (const [i, [expected, actual]] of replies.entries()) {
    if (sorted(expected).equals(sorted(actual))) continue;
    const before = commands.slice(Math.max(0, i - 12), i).map((line) => `    before: ${showCommand(line)}`);
    return `${describeReply(commands[i]!, expected, actual, resp)}\n${before.join("\n")}`;
  }
  return null;
}

describeWithOracle("differential random hashes", () => {
  afterAll(async () => {
    await pair?.stop();
  });

  test(`${ROUNDS} rounds of ${COMMANDS} commands`, async () => {
    const random = seeded("differential random hashes");
    for (let i = 0; i < ROUNDS; i++) expect((await round(random, i % 2 === 0 ? 2 : 3)) ?? "").toBe("");
  }, 120_000);
});
