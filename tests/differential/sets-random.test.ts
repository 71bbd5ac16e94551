/**
 * Random commands on a few sets under changing limits, each reply compared (sets in any order), and encodings where
 * the oracle has 7.2's. Commands that choose at random are left out: what they leave behind differs. REDBUN_SEED
 * repeats a run, REDBUN_ROUNDS makes it longer.
 */
import { afterAll, expect, test } from "bun:test";
import { describeWithOracle, findOracle } from "../oracle.ts";
import { type Random, seeded } from "../unit/bytes/random.ts";
import { describe as describeReply, oracleIsOlder, Pair, sorted } from "./lib/pair.ts";
import { showCommand } from "./lib/wire.ts";

const ROUNDS = Number(process.env.REDBUN_ROUNDS ?? 12);
const COMMANDS = 600;
const KEYS = ["set1", "set2", "set3", "set4"];

const pair = findOracle() === null ? null : await Pair.start();

function member(random: Random, kind: number): string {
  const number = random.below(random.pick([10, 100, 2000])) - 5;
  if (kind < 50 || random.below(3) > 0) return String(number * random.pick([1, 1, 1, 70_000, 2 ** 40]));
  return random.pick(["", "a", "01", "-0", `m${number}`, "x".repeat(random.below(80)), "\x00\xff"]);
}

function command(random: Random, kind: number): string[] {
  const key = () => random.pick(KEYS);
  const some = () =>
    Array.from({ length: 1 + random.below(random.pick([1, 4, 60])) }, () => member(random, kind));
  const keys = () => Array.from({ length: 1 + random.below(3) }, key);
  const what = random.below(100);
  if (what < 40) return ["SADD", key(), ...some()];
  if (what < 55) return ["SREM", key(), ...some()];
  if (what < 60) return ["SISMEMBER", key(), member(random, kind)];
  if (what < 64) return ["SMISMEMBER", key(), ...some()];
  if (what < 66) return ["SCARD", key()];
  if (what < 68) return ["SMEMBERS", key()];
  if (what < 72) return ["SMOVE", key(), key(), member(random, kind)];
  if (what < 80) return [random.pick(["SINTER", "SUNION", "SDIFF"]), ...keys()];
  if (what < 92) return [random.pick(["SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"]), key(), ...keys()];
  if (what < 94) return ["SINTERCARD", "2", key(), key(), "LIMIT", String(random.below(5))];
  if (what < 95) return ["SSCAN", key(), "0", "COUNT", "100000"];
  if (what < 96) return ["SRANDMEMBER", key(), "100000"];
  if (what < 97) return ["SPOP", key(), "100000"];
  if (what < 98) return ["DEL", key()];
  return random.pick([
    ["COPY", key(), key(), "REPLACE"],
    ["RENAME", key(), key()],
    ["SORT", key(), "ALPHA"],
  ]);
}

async function round(random: Random): Promise<string | null> {
  await pair!.reset(2);
  const listpack = random.pick([0, 5, 50, 128]);
  // Were fewer integers allowed, the encoding of a union would depend on the order in which members come.
  const intset = Math.max(listpack, random.pick([0, 5, 50, 512]));
  await pair!.both([
    ["CONFIG", "SET", "set-max-intset-entries", String(intset)],
    ["CONFIG", "SET", "set-max-listpack-entries", String(listpack)],
    ["CONFIG", "SET", "set-max-listpack-value", random.pick(["0", "5", "64"])],
  ]);
  const kind = random.below(100);
  const commands: string[][] = [];
  for (let i = 0; i < COMMANDS; i++) {
    commands.push(command(random, kind));
    if (!oracleIsOlder) for (const key of KEYS) commands.push(["OBJECT", "ENCODING", key]);
    if (i % 30 === 0) for (const key of KEYS) commands.push(["SMEMBERS", key]);
  }
  const replies = await pair!.both(commands);
  for (const [i, [expected, actual]] of replies.entries()) {
    if (sorted(expected).equals(sorted(actual))) continue;
    const before = commands.slice(Math.max(0, i - 12), i).map((line) => `    before: ${showCommand(line)}`);
    return `${describeReply(commands[i]!, expected, actual, 2)}\n${before.join("\n")}`;
  }
  return null;
}

describeWithOracle("differential random sets", () => {
  afterAll(async () => {
    await pair?.stop();
  });

  test(`${ROUNDS} rounds of ${COMMANDS} commands`, async () => {
    const random = seeded("differential random sets");
    for (let i = 0; i < ROUNDS; i++) expect((await round(random)) ?? "").toBe("");
  }, 120_000);
});
