/**
 * Calls drawn from the grammar that the oracle tells of its commands (lib/grammar.ts), each reply compared, and at the
 * end of a round what stands under the keys. REDBUN_SEED repeats a run, REDBUN_ROUNDS makes it longer. Needs an oracle
 * of 7.2: an older one differs in more than can be told apart here.
 */
import { afterAll, expect, test } from "bun:test";
import { describeWithOracle, findOracle } from "../oracle.ts";
import { seeded } from "../unit/bytes/random.ts";
import { differenceOf } from "./lib/differences.ts";
import { ALL_KEYS, Caller, contents, NOT_COMPARABLE, readGrammar, text } from "./lib/grammar.ts";
import { Listener } from "./lib/listener.ts";
import { describe as describeReply, oracleIsOlder, Pair, sorted } from "./lib/pair.ts";
import { show, showCommand, Wire } from "./lib/wire.ts";

const ROUNDS = Number(process.env.REDBUN_ROUNDS ?? 15);
const COMMANDS = 1000;

const pair = findOracle() === null || oracleIsOlder ? null : await Pair.start();

/** Replies without an order of their own, and those in which time has passed. */
const UNORDERED = /^(KEYS|SMEMBERS|SUNION|SINTER|SDIFF|HGETALL|HKEYS|HVALS|GEORADIUS\w*|GEOSEARCH)$/;
const TIMED = /^(P?TTL|P?EXPIRETIME)$/;

function isSame([name = ""]: readonly string[], expected: Buffer, actual: Buffer): boolean {
  if (expected.equals(actual)) return true;
  if (UNORDERED.test(name)) return sorted(expected).equals(sorted(actual));
  // Within a second of each other, or nearly a second of milliseconds.
  return TIMED.test(name) && Math.abs(number(expected) - number(actual)) <= 2000;
}

function number(reply: Buffer): number {
  return Number(text(reply));
}

const PROBES: Record<string, (key: string) => string[]> = {
  string: (key) => ["GET", key],
  list: (key) => ["LRANGE", key, "0", "-1"],
  set: (key) => ["SMEMBERS", key],
  zset: (key) => ["ZRANGE", key, "0", "-1", "WITHSCORES"],
  hash: (key) => ["HGETALL", key],
  stream: (key) => ["XRANGE", key, "-", "+"],
};

/** The keys with their values and encodings. */
async function compareKeys(resp: 2 | 3): Promise<string | null> {
  for (const key of ALL_KEYS) {
    const [[theirs, ours]] = (await pair!.both([["TYPE", key]])) as [[Buffer, Buffer]];
    if (!theirs.equals(ours)) return describeReply(["TYPE", key], theirs, ours, resp);
    const probe = PROBES[text(theirs)];
    if (probe === undefined) continue;
    const questions = [probe(key), ["OBJECT", "ENCODING", key]];
    for (const [i, [expected, actual]] of (await pair!.both(questions)).entries())
      if (!isSame(questions[i]!, expected, actual))
        return describeReply(questions[i]!, expected, actual, resp);
  }
  return null;
}

async function round(caller: Caller, resp: 2 | 3, big: boolean): Promise<string | null> {
  await pair!.reset(resp);
  const done: string[][] = [];
  const batchOf = async (batch: string[][]): Promise<string | null> => {
    for (const [i, [expected, actual]] of (await pair!.both(batch)).entries()) {
      const command = batch[i]!;
      // In a script it is the inner command that counts.
      const own = command[0] === "EVAL" ? command.slice(3) : command;
      if (
        !isSame(own, expected, actual) &&
        differenceOf(own, oracleIsOlder, "reply", expected.toString("latin1")) === null
      )
        return `${describeReply(command, expected, actual, resp)}\n${history([...done, ...batch.slice(0, i)], command)}`;
    }
    done.push(...batch);
    return null;
  };
  for (let left = COMMANDS; left > 0; left -= 50) {
    const refill = left % 500 === 0 ? [["FLUSHALL"], ...contents(big)] : [];
    const problem = await batchOf([...refill, ...Array.from({ length: 50 }, () => caller.call())]);
    if (problem !== null) return problem;
  }
  const problem = await compareKeys(resp);
  return problem === null ? null : `${problem}\n${history(done, [])}`;
}

/** The last commands before this one that share a word with it: how the difference came about. */
function history(done: readonly string[][], command: readonly string[]): string {
  const words = new Set(command.slice(1));
  const related = done.filter(
    (each) => words.size === 0 || each[0] === "FLUSHALL" || each.slice(1).some((word) => words.has(word)),
  );
  return related
    .slice(-15)
    .map((each) => `    before: ${showCommand(each)}`)
    .join("\n");
}

describeWithOracle("differential grammar", () => {
  afterAll(async () => {
    await pair?.stop();
  });

  test.skipIf(oracleIsOlder)(
    `${ROUNDS} rounds of calls from the grammar [needs redis-server 7.2]`,
    async () => {
      const grammars = await readGrammar(pair!.oracle.wire, NOT_COMPARABLE);
      expect(grammars.length).toBeGreaterThan(120);
      const caller = new Caller(seeded("differential grammar"), grammars);
      for (let i = 0; i < ROUNDS; i++) {
        const problem = await round(caller, i % 2 === 0 ? 2 : 3, i % 4 >= 2);
        expect(problem === null ? "" : `round ${i}\n${problem}`).toBe("");
      }
    },
    120_000,
  );

  test.skipIf(oracleIsOlder)(
    `${ROUNDS} rounds of what WATCH sees of them [needs redis-server 7.2]`,
    async () => {
      const random = seeded("differential grammar, watched");
      // LTRIM touches its key in Redis also where nothing is cut off; of the others see NOT_COMPARABLE.
      const grammars = await readGrammar(pair!.oracle.wire, /^(LTRIM|LSET|Z\w*LEX\w*)$/);
      const caller = new Caller(random, grammars);
      const watchers = await Promise.all([Wire.open(pair!.oracle.port), Wire.open(pair!.subject.port)]);
      const askBoth = (commands: string[][]) => Promise.all(watchers.map((wire) => wire.send(commands)));
      for (let i = 0; i < ROUNDS; i++) {
        await pair!.reset(2);
        await pair!.both(contents(i % 2 === 1));
        for (let left = COMMANDS / 5; left > 0; left--) {
          const watched = Array.from({ length: 1 + random.below(3) }, () => random.pick(ALL_KEYS));
          await askBoth([["WATCH", ...watched]]);
          const call = caller.call();
          await pair!.both([call]);
          const [theirs, ours] = await askBoth([["MULTI"], ["PING"], ["EXEC"]]);
          const outcome = [theirs, ours].map((replies) => show(replies![2]!)).join(" / ");
          const same = theirs![2]!.equals(ours![2]!);
          expect(same ? "" : `WATCH ${watched.join(" ")}, then ${showCommand(call)}: ${outcome}`).toBe("");
        }
      }
      for (const wire of watchers) wire.close();
    },
    120_000,
  );

  test.skipIf(oracleIsOlder)(
    `${ROUNDS} rounds of the events they make [needs redis-server 7.2]`,
    async () => {
      const random = seeded("differential grammar, events");
      const caller = new Caller(random, await readGrammar(pair!.oracle.wire, NOT_COMPARABLE));
      const ports = [pair!.oracle.port, pair!.subject.port];
      const listeners = await Promise.all(ports.map((port) => Listener.open(port, "__key*")));
      for (let i = 0; i < ROUNDS; i++) {
        await pair!.reset(2);
        await pair!.both([["CONFIG", "SET", "notify-keyspace-events", "KEAmn"], ...contents(i % 2 === 1)]);
        for (let left = COMMANDS / 5; left > 0; left--) {
          const call = caller.call();
          await pair!.both([call, ["PUBLISH", "__keymark", ""]]);
          const heard = await Promise.all(listeners.map((listener) => listener.before("__keymark")));
          // Keys that SET has made due go when a cron finds them.
          const [theirs, ours] = heard.map((events) =>
            events
              .map(({ channel, message }) => `${channel} ${message}`)
              .filter((event) => !event.includes("expired"))
              .join(", "),
          );
          // XREAD takes + as Redis 7.4 does.
          if (call[0] === "XREAD" && call.includes("+")) continue;
          expect(`${showCommand(call)}: ${ours}`).toBe(`${showCommand(call)}: ${theirs}`);
        }
      }
      for (const listener of listeners) listener.close();
    },
    120_000,
  );
});
