/**
 * Random commands on two lists under changing limits, each reply compared; with an oracle of 7.2 also encodings, and
 * of quicklists the number and size of their nodes, which tell when a list becomes a listpack again. REDBUN_SEED
 * repeats a run, REDBUN_ROUNDS makes it longer.
 */
import { afterAll, expect, test } from "bun:test";
import { describeWithOracle, findOracle } from "../oracle.ts";
import { type Random, seeded } from "../unit/bytes/random.ts";
import { describe as describeReply, oracleIsOlder, Pair } from "./lib/pair.ts";
import { showCommand } from "./lib/wire.ts";

const ROUNDS = Number(process.env.REDBUN_ROUNDS ?? 10);
const COMMANDS = 500;
const KEYS = ["list1", "list2"];
const SIZES = ["-1", "-1", "-2", "-3", "-5", "1", "2", "3", "5", "16", "128", "1000"];
const DEPTHS = ["0", "0", "1", "2", "3"];
/** Before 7.2 big elements in nodes of their own made Redis crash. */
const THRESHOLDS = oracleIsOlder ? ["0"] : ["0", "0", "0", "10", "30", "100", "1000"];

const pair = findOracle() === null ? null : await Pair.start(["--enable-debug-command", "yes"]);

function value(random: Random, longest: number): string {
  const kind = random.below(20);
  if (kind < 6) return String(random.below(20));
  if (kind < 8) return String((random.below(2 ** 31) - 2 ** 30) * random.pick([1, 2 ** 22]));
  if (kind < 18) return `v${random.below(30)}${"x".repeat(random.below(longest))}`;
  return random.pick(["a", "b", "", "y".repeat(300), "z".repeat(random.below(5000))]);
}

function index(random: Random): string {
  return String(random.pick([0, -1, 1, -2, random.below(50), -random.below(50), random.below(2000) - 1000]));
}

function command(random: Random, longest: number): string[] {
  const key = () => random.pick(KEYS);
  const some = (most: number) => Array.from({ length: 1 + random.below(most) }, () => value(random, longest));
  const side = () => random.pick(["LEFT", "RIGHT"]);
  const kind = random.below(100);
  if (kind < 25) return [random.pick(["LPUSH", "RPUSH"]), key(), ...some(random.pick([3, 3, 30]))];
  if (kind < 30) return [random.pick(["LPOP", "RPOP"]), key()];
  if (kind < 35) return [random.pick(["LPOP", "RPOP"]), key(), String(random.below(random.pick([3, 60])))];
  if (kind < 55)
    return ["LINSERT", key(), random.pick(["BEFORE", "AFTER"]), value(random, 3), value(random, longest)];
  if (kind < 70) return ["LSET", key(), index(random), value(random, longest)];
  if (kind < 75) return ["LREM", key(), String(random.below(7) - 3), value(random, 3)];
  if (kind < 78) return ["LTRIM", key(), String(random.below(4)), String(-1 - random.below(4))];
  if (kind < 79) return ["LTRIM", key(), index(random), index(random)];
  if (kind < 83) return ["LMOVE", key(), key(), side(), side()];
  if (kind < 86) return ["LRANGE", key(), index(random), index(random)];
  if (kind < 88) return ["LINDEX", key(), index(random)];
  if (kind < 91) {
    const [rank, count, most] = [
      ["1", "-1", "2", "-3"],
      ["0", "1", "2"],
      ["0", "10"],
    ].map((list) => random.pick(list));
    return ["LPOS", key(), value(random, 3), "RANK", rank!, "COUNT", count!, "MAXLEN", most!];
  }
  if (kind < 93) return ["LLEN", key()];
  if (kind < 95) return ["SORT", key(), "ALPHA", "STORE", key()];
  if (kind < 96) return ["COPY", key(), key(), "REPLACE"];
  return ["LMPOP", "2", ...KEYS, side(), "COUNT", String(1 + random.below(9))];
}

/** Of DEBUG OBJECT what has to be the same. */
function figures(args: readonly string[], reply: Buffer): string {
  const text = reply.toString("latin1");
  if (args[0] !== "DEBUG") return text;
  return (/encoding:\S+/.exec(text)?.[0] ?? text) + (/ ql_.*/.exec(text)?.[0] ?? "");
}

async function round(random: Random): Promise<string | null> {
  const [size, depth, threshold] = [SIZES, DEPTHS, THRESHOLDS].map((list) => random.pick(list));
  const limits = `size ${size}, depth ${depth}, threshold ${threshold}`;
  await pair!.reset(2);
  await pair!.both([
    ["CONFIG", "SET", "list-max-listpack-size", size!, "list-compress-depth", depth!],
    ["DEBUG", "QUICKLIST-PACKED-THRESHOLD", threshold!],
  ]);
  const longest = random.pick([3, 20, 100, 400]);
  const commands: string[][] = [];
  for (let i = 0; i < COMMANDS; i++) {
    commands.push(command(random, longest));
    if (!oracleIsOlder) for (const key of KEYS) commands.push(["DEBUG", "OBJECT", key]);
    if (i % 20 === 0) for (const key of KEYS) commands.push(["LRANGE", key, "0", "-1"]);
  }
  const replies = await pair!.both(commands);
  for (const [i, [expected, actual]] of replies.entries()) {
    const args = commands[i]!;
    if (figures(args, expected) === figures(args, actual)) continue;
    const before = commands.slice(Math.max(0, i - 9), i).map((line) => `    before: ${showCommand(line)}`);
    return `${limits}\n${describeReply(args, expected, actual, 2)}\n${before.join("\n")}`;
  }
  return null;
}

describeWithOracle("differential random lists", () => {
  afterAll(async () => {
    await pair?.stop();
  });

  test(`${ROUNDS} rounds of ${COMMANDS} commands`, async () => {
    const random = seeded("differential random lists");
    for (let i = 0; i < ROUNDS; i++) expect((await round(random)) ?? "").toBe("");
  }, 120_000);
});
