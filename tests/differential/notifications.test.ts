/**
 * Keyspace notifications: the scripts of the families run on both servers, and what a listener hears after each
 * command must be the same messages in the same order. When a key that has fallen due goes is left to each server,
 * so "expired" is left out here.
 */
import { afterAll, expect, test } from "bun:test";
import { describeWithOracle, findOracle } from "../oracle.ts";
import { differenceOf } from "./lib/differences.ts";
import { type Heard, Listener } from "./lib/listener.ts";
import { oracleIsOlder, Pair } from "./lib/pair.ts";
import { parseScript, type Step } from "./lib/script.ts";
import type { Scripts } from "./lib/suite.ts";
import { type Arg, showCommand, type Wire } from "./lib/wire.ts";
import { BITMAPS } from "./scripts/bitmaps.ts";
import { DUMP } from "./scripts/dump.ts";
import { EXPIRE } from "./scripts/expire.ts";
import { GENERIC } from "./scripts/generic.ts";
import { GEO } from "./scripts/geo.ts";
import { HASHES } from "./scripts/hashes.ts";
import { HYPERLOGLOG } from "./scripts/hyperloglog.ts";
import { LISTS } from "./scripts/lists.ts";
import { NOTIFICATIONS } from "./scripts/notifications.ts";
import { SETS } from "./scripts/sets.ts";
import { SORT } from "./scripts/sort.ts";
import { STREAM_GROUPS } from "./scripts/stream-groups.ts";
import { STREAMS } from "./scripts/streams.ts";
import { STRINGS } from "./scripts/strings.ts";
import { ZSETS } from "./scripts/zsets.ts";

const FAMILIES: Record<string, Scripts> = {
  notifications: NOTIFICATIONS,
  bitmaps: BITMAPS,
  dump: DUMP,
  expire: EXPIRE,
  generic: GENERIC,
  geo: GEO,
  hashes: HASHES,
  hyperloglog: HYPERLOGLOG,
  lists: LISTS,
  sets: SETS,
  sort: SORT,
  groups: STREAM_GROUPS,
  streams: STREAMS,
  strings: STRINGS,
  zsets: ZSETS,
};

/** Streams: 7.2 creates consumers at other times, and takes other IDs. */
const CHANGED = /^(IDs|XADD|XREAD|XCLAIM|XSETID|consumers)/;

/** Half a gigabyte takes a while, and is no other event than a byte. */
const HUGE = "the longest string";
const PATIENCE_MS = 30_000;

const args = ["--notify-keyspace-events", "KEAnm"];
const pair = findOracle() === null ? null : await Pair.start(args);
const listeners =
  pair === null
    ? []
    : await Promise.all([pair.oracle, pair.subject].map(({ port }) => Listener.open(port, "*")));

/** What each step made the listener hear. */
async function hear(wire: Wire, listener: Listener, steps: readonly Step[]): Promise<string[][]> {
  const commands: Arg[][] = [["RESET"], ["FLUSHALL"], ["PUBLISH", "begin", ""]];
  steps.forEach((step, i) => {
    // Polled, it would be asked as often as it takes.
    if (step.mode !== "until") commands.push(step.args);
    commands.push(["PUBLISH", `done ${i}`, ""]);
  });
  await wire.send(commands);
  await listener.before("begin");
  const heard: string[][] = [];
  for (let i = 0; i < steps.length; i++) {
    const lines = (await listener.before(`done ${i}`)).filter(isCertain).map(lineOf);
    // Sets that 7.2 keeps as listpacks are in random order before it, and so are the keys that SORT looks up.
    heard.push(oracleIsOlder && /^sort/i.test(String(steps[i]!.args[0])) ? lines.sort() : lines);
  }
  return heard;
}

function isCertain({ channel, message }: Heard): boolean {
  return message !== "expired" && !channel.endsWith(":expired");
}

function lineOf({ channel, message }: Heard): string {
  return `${channel} ${message}`;
}

async function compare(text: string): Promise<string> {
  const steps = parseScript(text);
  const [theirs, ours] = await Promise.all([
    hear(pair!.oracle.wire, listeners[0]!, steps),
    hear(pair!.subject.wire, listeners[1]!, steps),
  ]);
  const problems: string[] = [];
  steps.forEach(({ args }, i) => {
    const [expected, actual] = [theirs![i]!.join("\n    "), ours![i]!.join("\n    ")];
    if (expected === actual || differenceOf(args, oracleIsOlder) !== null) return;
    problems.push(`${showCommand(args)}\n  redis\n    ${expected}\n  redbun\n    ${actual}`);
  });
  return problems.slice(0, 10).join("\n");
}

describeWithOracle("differential notifications", () => {
  afterAll(async () => {
    for (const listener of listeners) listener.close();
    await pair?.stop();
  });
  for (const [family, scripts] of Object.entries(FAMILIES))
    for (const [script, text] of Object.entries(scripts)) {
      if (script === HUGE) continue;
      const name = `${family}: ${script.replace(/^needs [A-Z, ]+: /, "")}`;
      if (oracleIsOlder && CHANGED.test(script)) test.skip(`${name} [needs redis-server 7.2]`, () => {});
      else
        test(
          name,
          async () => {
            expect(await compare(text)).toBe("");
          },
          PATIENCE_MS,
        );
    }
});
