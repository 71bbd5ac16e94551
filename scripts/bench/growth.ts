/**
 * What a command costs as its one key grows, by decades up to 10 million elements, and how long another client
 * waits while a collection grows (from its small encoding into its big one) and while a plain DEL removes it.
 *
 * The cost at size n is the server's CPU time for the elements from n/2 to n. Small sizes are measured over
 * several keys, so that each figure stands on some hundred thousand commands.
 */

import { infoField, type Wire } from "../lib/wire.ts";
import {
  type Contestant,
  endContestant,
  inTurn,
  type Report,
  SIDES,
  type Side,
  startContestant,
} from "./contestants.ts";
import { type Encode, loadEncoded, Template } from "./loader.ts";
import type { Options } from "./options.ts";
import { startProbe } from "./probe.ts";

const SMALLEST = 10_000;
/** Commands behind a figure, at least. */
const COMMANDS = 200_000;
/**
 * A command may become dearer than Redis's does by this much: a quarter, which is what the same measurement of
 * the same server differs by on a shared machine.
 */
const GROWTH_GOAL = 1.25;
const STALL_GOAL_MS = 20;
/** Commands that come in one piece are one wait, however fast each is: so that it is not their sum, a small one. */
const STALL_BATCH = 16 * 1024;
const VALUE = "value:##########";

interface Growing {
  name: string;
  template: Template;
  /** Of each reply, see `loadEncoded`. */
  lines: number;
}

/** The holes of each: the key's number, a scattered number, the element's number. */
const WORDS = [
  ["LPUSH", "key:##", `########${VALUE}`],
  ["ZADD", "key:##", "########", VALUE],
  ["HSET", "key:##", "########field", VALUE],
  ["SADD", "key:##", `########${VALUE}`],
  ["XADD", "key:##", "*", "field", `########${VALUE}`],
];

const COMMANDS_GROWING: Growing[] = WORDS.map((words) => ({
  name: words[0]!,
  template: new Template(words),
  lines: words[0] === "XADD" ? 2 : 1,
}));

export async function growth(options: Options, report: Report): Promise<void> {
  const sizes = [];
  for (let size = SMALLEST; size <= options.growthItems; size *= 10) sizes.push(size);
  for (const each of COMMANDS_GROWING) await curve(options, report, each, sizes);
  for (const each of COMMANDS_GROWING) await stalls(options, report, each);
}

/** Adds the elements from `from` to `to` to each of so many keys. */
function add(
  port: number,
  { template, lines }: Growing,
  keys: number,
  from: number,
  to: number,
  batchBytes?: number,
): Promise<void> {
  const each = to - from;
  const encode: Encode = (i, buffer, at) => {
    const key = Math.floor(i / each);
    const element = from + i - key * each;
    return template.encode(buffer, at, [key, Math.imul(element, 0x9e3779b1) >>> 6, element]);
  };
  return loadEncoded(port, keys * each, encode, lines, batchBytes);
}

async function curve(options: Options, report: Report, growing: Growing, sizes: number[]): Promise<void> {
  const costs: Record<Side, number[]> = { redis: [], redbun: [] };
  const contestants: Contestant[] = [];
  try {
    for (const side of SIDES) contestants.push(await startContestant(side, options));
    // Cold code does not count.
    for (const { port } of contestants) await add(port, growing, 1, 0, COMMANDS);
    for (const size of sizes) {
      for (const each of contestants) costs[each.side].push(await costAt(each, growing, size));
      report({
        section: "growth",
        name: `${growing.name} at ${size.toLocaleString("en-US")} elements`,
        unit: "cpu us/command",
        redis: costs.redis.at(-1)!,
        redbun: costs.redbun.at(-1)!,
      });
    }
  } finally {
    for (const each of contestants) await endContestant(each);
  }
  const dearer = (side: Side) => costs[side].at(-1)! / costs[side][0]!;
  report({
    section: "growth",
    name: `${growing.name}, the last size to the first`,
    unit: "times",
    redis: dearer("redis"),
    redbun: dearer("redbun"),
    goal: { kind: "ratio", atMost: GROWTH_GOAL },
    details: { sizes, costs },
  });
}

async function costAt({ port, wire }: Contestant, growing: Growing, size: number) {
  await wire.command("FLUSHALL");
  const half = size / 2;
  const keys = Math.max(1, COMMANDS / half);
  await add(port, growing, keys, 0, half);
  const before = await cpuTime(wire);
  await add(port, growing, keys, half, size);
  return ((await cpuTime(wire)) - before) / (keys * half);
}

/** CPU microseconds by the server's own word, which knows no steps of 10 ms as /proc does. */
async function cpuTime(wire: Wire): Promise<number> {
  const info = await wire.command("INFO", "cpu");
  return (Number(infoField(info, "used_cpu_sys")) + Number(infoField(info, "used_cpu_user"))) * 1_000_000;
}

async function stalls(options: Options, report: Report, growing: Growing): Promise<void> {
  const elements = options.growthStallItems;
  const results = await inTurn(options, [], async ({ port, wire, process }) => {
    // A server's first second is not what grows slowly.
    await add(port, growing, 1, 0, COMMANDS);
    await wire.command("FLUSHALL");
    const whileGrowing = await startProbe(port, process.pid);
    await add(port, growing, 1, 0, elements, STALL_BATCH);
    const grown = await whileGrowing.stop();
    const whileDeleting = await startProbe(port, process.pid);
    const removed = await wire.command("DEL", "key:00");
    if (removed !== 1) throw new Error(`DEL says ${removed}`);
    // What was put off until later may stall later.
    await Bun.sleep(1000);
    return { grown, deleted: await whileDeleting.stop() };
  });
  for (const [phase, title] of [
    ["grown", "growing to"],
    ["deleted", "DEL of"],
  ] as const) {
    const redis = results.redis[phase];
    const redbun = results.redbun[phase];
    report({
      section: "growth",
      name: `${growing.name}: worst PING, ${title} ${elements.toLocaleString("en-US")}`,
      unit: "ms",
      redis: redis.worstCorrected,
      redbun: redbun.worstCorrected,
      goal: { kind: "value", atMost: STALL_GOAL_MS },
      note: `main thread busy for ${redis.busyWorst.toFixed(1)}, ${redbun.busyWorst.toFixed(1)}; without a processor (taken off) for ${redis.processorWorst.toFixed(1)}, ${redbun.processorWorst.toFixed(1)} ms`,
      details: { elements, redis, redbun },
    });
  }
}
