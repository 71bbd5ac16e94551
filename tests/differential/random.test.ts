/**
 * Thousands of random commands in pipelines of random length, each reply compared, and after each round the whole
 * data set. REDBUN_SEED repeats a run, REDBUN_ROUNDS makes it longer.
 */
import { afterAll, expect, test } from "bun:test";
import { describeWithOracle, findOracle } from "../oracle.ts";
import { seeded } from "../unit/bytes/random.ts";
import { differenceOf } from "./lib/differences.ts";
import { describe as describeReply, oracleIsOlder, Pair, sorted } from "./lib/pair.ts";
import { DATABASES, Generator } from "./lib/random-commands.ts";
import { probes } from "./lib/script.ts";
import { elements, showCommand, type Wire } from "./lib/wire.ts";

const ROUNDS = Number(process.env.REDBUN_ROUNDS ?? 8);
const COMMANDS = 1000;

const pair = findOracle() === null ? null : await Pair.start();

/** The commands before the last one that named one of its words as well: how the difference came about. */
function history(commands: readonly string[][], last: number): string {
  const words = new Set(commands[last]!.slice(1));
  const related = commands
    .slice(0, last)
    .filter(
      (command) =>
        /^(select|swapdb|flush)/i.test(command[0]!) || command.slice(1).some((word) => words.has(word)),
    );
  return related
    .slice(-12)
    .map((command) => `    before: ${showCommand(command)}`)
    .join("\n");
}

async function round(generator: Generator, resp: 2 | 3): Promise<string | null> {
  const commands: string[][] = [];
  await pair!.reset(resp);
  while (commands.length < COMMANDS) {
    const batch = Array.from({ length: 1 + generator.below(100) }, () => generator.command());
    const first = commands.length;
    commands.push(...batch);
    const replies = await pair!.both(batch);
    for (const [i, [expected, actual]] of replies.entries()) {
      if (expected.equals(actual) || differenceOf(batch[i]!, oracleIsOlder) !== null) continue;
      return `${describeReply(batch[i]!, expected, actual, resp)}\n${history(commands, first + i)}`;
    }
  }
  for (let database = 0; database < DATABASES; database++) {
    const problem = await compareDatabase(database, resp, generator);
    if (problem !== null) return problem;
  }
  return null;
}

async function compareDatabase(database: number, resp: 2 | 3, generator: Generator): Promise<string | null> {
  await pair!.both([["SELECT", String(database)]]);
  const [[expected, actual]] = (await pair!.both([["KEYS", "*"]])) as [[Buffer, Buffer]];
  if (!sorted(expected).equals(sorted(actual))) return describeReply(["KEYS", "*"], expected, actual, resp);
  const keys = elements(expected).map(bulkBytes);
  const questions = [["DBSIZE"], ...keys.flatMap((key) => probes(key))];
  for (const [i, [theirs, ours]] of (await pair!.both(questions)).entries())
    if (!theirs.equals(ours)) return describeReply(questions[i]!, theirs, ours, resp);
  const scanned = await scanAll(pair!.subject.wire, 1 + generator.below(5));
  if (scanned.sort().join() !== [...keys].sort().join())
    return `SCAN of database ${database} differs from KEYS`;
  return null;
}

function bulkBytes(reply: Buffer): string {
  return reply.toString("latin1", reply.indexOf(10) + 1, reply.length - 2);
}

async function scanAll(wire: Wire, count: number): Promise<string[]> {
  const found = new Set<string>();
  let cursor = "0";
  do {
    const [reply] = await wire.send([["SCAN", cursor, "COUNT", String(count)]]);
    const [next, keys] = elements(reply!);
    cursor = bulkBytes(next!);
    for (const key of elements(keys!)) found.add(bulkBytes(key));
  } while (cursor !== "0");
  return [...found];
}

describeWithOracle("differential random commands", () => {
  afterAll(async () => {
    await pair?.stop();
  });

  test(`${ROUNDS} rounds of ${COMMANDS} commands`, async () => {
    const generator = new Generator(seeded("differential random commands"));
    for (let i = 0; i < ROUNDS; i++) {
      const problem = await round(generator, i % 2 === 0 ? 2 : 3);
      expect(problem === null ? "" : `round ${i}\n${problem}`).toBe("");
    }
  }, 120_000);
});
