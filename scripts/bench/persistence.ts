/**
 * What persistence costs: SET with an append-only file, by fsync policy; loading a million keys from either file
 * form; latency and memory while BGSAVE runs under load, of many keys and of one huge one.
 *
 * Both load the same files, which the real server wrote, so that their content cannot differ.
 */
import { cpSync } from "node:fs";
import { adopt, temporaryDirectory } from "../lib/launch.ts";
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
import { loadEncoded, Template } from "./loader.ts";
import type { Options } from "./options.ts";
import { startProbe } from "./probe.ts";
import { median, residentBytes } from "./process.ts";
import { DATA_SIZE, ROWS } from "./rows.ts";
import { compare, run } from "./throughput.ts";

const SET = ROWS.set!;
const KEY = "key:############";
const plain = new Template(["SET", KEY, `value:${"#".repeat(26)}`]);
const POLL_MS = 20;
/** The load before BGSAVE starts, so that both servers are at work and their memory has settled. */
const WARM_MS = 2000;
const SAVE_LIMIT_MS = 120_000;

export async function persistence(options: Options, report: Report): Promise<void> {
  await appending(options, report, "everysec", [1, 16], options.requests);
  // Each turn waits for the disk, so fewer requests take as long; with too few, one slow fsync decides a round.
  await appending(options, report, "always", [1], Math.ceil(options.requests / 2));
  await loading(options, report);
  await saving(options, report);
  for (const value of BIG) await savingBig(options, report, value);
}

async function appending(
  options: Options,
  report: Report,
  policy: string,
  pipelines: number[],
  requests: number,
): Promise<void> {
  const args = ["--appendonly", "yes", "--appendfsync", policy, "--auto-aof-rewrite-percentage", "0"];
  const contestants: Contestant[] = [];
  try {
    for (const side of SIDES) contestants.push(await startContestant(side, options, args));
    // The first requests find cold code, as in the throughput section.
    for (const each of contestants) await run(options, each, SET, 1, Math.ceil(requests / 4));
    for (const pipeline of pipelines) {
      const title = `SET, appendfsync ${policy}`;
      const what = { section: "persistence", title, row: SET, pipeline, goal: 1, requests };
      for (const measure of await compare(options, contestants, what)) report(measure);
    }
  } finally {
    for (const each of contestants) await endContestant(each);
  }
}

// -------------------------------------------------------------------------------- loading

/** The two file forms, and the settings with which a server starts from them. */
const FORMS = [
  { name: "RDB", args: [], text: "loading an RDB" },
  {
    name: "AOF",
    args: ["--appendonly", "yes", "--appendfsync", "everysec", "--aof-use-rdb-preamble", "no"],
    text: "loading an AOF",
  },
];

async function loading(options: Options, report: Report): Promise<void> {
  const keys = options.persistedKeys;
  for (const { name, args, text } of FORMS) {
    const files = await written(options, args, keys);
    const seconds: Record<Side, number[]> = { redis: [], redbun: [] };
    for (let round = 0; round < Math.min(3, options.rounds); round++) {
      for (const side of SIDES) seconds[side].push(await loadTime(side, options, args, files, keys));
    }
    report({
      section: "persistence",
      name: `${text} of ${keys.toLocaleString("en-US")} keys`,
      unit: "s, from start",
      redis: median(seconds.redis),
      redbun: median(seconds.redbun),
      goal: { kind: "ratio", atMost: 1 },
      details: { form: name, keys, seconds },
    });
  }
}

/** A folder with the files that the real server wrote of so many keys. */
async function written(options: Options, args: string[], keys: number): Promise<string> {
  const files = temporaryDirectory();
  const server = await startContestant("redis", options, [...args, "--dir", files]);
  try {
    await loadEncoded(server.port, keys, (i, buffer, at) => plain.encode(buffer, at, [i, i]));
    if (args.length === 0) await server.wire.command("SAVE");
    else await server.wire.command("SHUTDOWN").catch(() => {});
  } finally {
    await endContestant(server);
  }
  return files;
}

/** Seconds from the start of the process until it serves with all keys. */
async function loadTime(side: Side, options: Options, args: string[], files: string, keys: number) {
  const dir = temporaryDirectory();
  cpSync(files, dir, { recursive: true });
  const start = performance.now();
  const server = await startContestant(side, options, [...args, "--dir", dir]);
  try {
    const size = await server.wire.command("DBSIZE");
    const seconds = (performance.now() - start) / 1000;
    if (size !== keys) throw new Error(`${side}: DBSIZE is ${size} after loading ${keys} keys from ${dir}`);
    return seconds;
  } finally {
    await endContestant(server);
  }
}

// -------------------------------------------------------------------------------- saving

interface Save {
  seconds: number;
  p999: number;
  worst: number;
  echoP999: number;
  /** Memory beyond what the server had before, at most, as a part of that. */
  growth: number;
}

async function saving(options: Options, report: Report): Promise<void> {
  const keys = options.persistedKeys * 2;
  const results = await inTurn(options, [], (contestant) => save(options, contestant, keys));
  const { redis, redbun } = results;
  const section = "persistence";
  const name = `BGSAVE of ${keys.toLocaleString("en-US")} keys under SETs`;
  report({
    section,
    name: `${name}: p99.9 PING`,
    unit: "ms",
    redis: redis.p999,
    redbun: redbun.p999,
    goal: { kind: "ratio", atMost: 1 },
    note: `worst ${redis.worst.toFixed(1)}, ${redbun.worst.toFixed(1)}; own p99.9 ${redis.echoP999.toFixed(1)}, ${redbun.echoP999.toFixed(1)} ms`,
    details: { keys, results },
  });
  report({
    section,
    name: "more memory meanwhile",
    unit: "%",
    redis: redis.growth * 100,
    redbun: redbun.growth * 100,
    goal: { kind: "value", atMost: 10 },
    note: "Redis: what its child copied",
  });
  report({ section, name: "duration", unit: "s", redis: redis.seconds, redbun: redbun.seconds });
}

async function save(
  options: Options,
  { port, wire, process, side }: Contestant,
  keys: number,
): Promise<Save> {
  await loadEncoded(port, keys, (i, buffer, at) => plain.encode(buffer, at, [i, i]));
  const load = endless(options, port, keys, ["-t", "set"]);
  try {
    await Bun.sleep(WARM_MS);
    const before = residentBytes(process.pid);
    const probe = await startProbe(port, process.pid);
    const start = performance.now();
    await wire.command("BGSAVE");
    let most = before;
    while ((await persistenceField(wire, "rdb_bgsave_in_progress")) !== "0") {
      most = Math.max(most, residentBytes(process.pid));
      if (performance.now() - start > SAVE_LIMIT_MS) throw new Error("BGSAVE does not end");
      await Bun.sleep(POLL_MS);
    }
    const seconds = (performance.now() - start) / 1000;
    most = Math.max(most, residentBytes(process.pid));
    const { p999, worst, echoP999 } = await probe.stop();
    const status = await persistenceField(wire, "rdb_last_bgsave_status");
    if (status !== "ok") throw new Error(`BGSAVE ended with ${status}`);
    // A fork's cost is not in the parent's resident memory: the pages that had to be copied are counted.
    const copied = side === "redis" ? Number(await persistenceField(wire, "rdb_last_cow_size")) : 0;
    return { seconds, p999, worst, echoP999, growth: (most - before + copied) / before };
  } finally {
    load.kill();
    await load.exited;
  }
}

/** Clients that send this with random numbers below `keys`, one request each at a time, until killed. */
function endless(
  { benchmark, clients }: Options,
  port: number,
  keys: number,
  what: string[],
): Bun.Subprocess {
  const numbers = { p: port, c: clients, n: 2_000_000_000, r: keys, d: DATA_SIZE };
  const flags = Object.entries(numbers).flatMap(([flag, value]) => [`-${flag}`, String(value)]);
  const child = Bun.spawn([benchmark, ...flags, "-q", ...what], { stdout: "ignore", stderr: "ignore" });
  adopt(child);
  return child;
}

// -------------------------------------------------------------------------------- one big value

/** One key of many elements, and what changes it all over while it is saved. */
interface BigValue {
  name: string;
  fill: Template;
  /** Of each reply to `fill`. */
  lines: number;
  change: string[];
}

const NUMBER = "############";
const RANDOM = "__rand_int__";
const BIG: BigValue[] = [
  {
    name: "hash",
    fill: new Template(["HSET", "big", `field:${NUMBER}`, `value:${NUMBER}`]),
    lines: 1,
    change: ["HSET", "big", `field:${RANDOM}`, `changed:${RANDOM}`],
  },
  {
    name: "set",
    fill: new Template(["SADD", "big", `member:${NUMBER}`]),
    lines: 1,
    change: ["SREM", "big", `member:${RANDOM}`],
  },
  {
    name: "sorted set",
    fill: new Template(["ZADD", "big", NUMBER, `member:${NUMBER}`]),
    lines: 1,
    change: ["ZADD", "big", `1${RANDOM}`, `member:${RANDOM}`],
  },
  {
    name: "list",
    fill: new Template(["RPUSH", "big", `element:${NUMBER}`]),
    lines: 1,
    change: ["LSET", "big", RANDOM, `changed:${RANDOM}`],
  },
  {
    name: "stream",
    fill: new Template(["XADD", "big", `1${NUMBER}-1`, "field", `value:${NUMBER}`]),
    lines: 2,
    change: ["XDEL", "big", `1${RANDOM}-1`],
  },
];

/** The longest wait of another client while one key of millions of elements is saved and changes meanwhile. */
async function savingBig(options: Options, report: Report, value: BigValue): Promise<void> {
  const { persistedKeys } = options;
  const elements = persistedKeys * 3;
  const results = await inTurn(options, [], async ({ port, wire, process }) => {
    await loadEncoded(port, elements, (i, buffer, at) => value.fill.encode(buffer, at, [i, i]), value.lines);
    const load = endless(options, port, elements, value.change);
    try {
      await Bun.sleep(WARM_MS);
      const probe = await startProbe(port, process.pid);
      await wire.command("BGSAVE");
      while ((await persistenceField(wire, "rdb_bgsave_in_progress")) !== "0") await Bun.sleep(POLL_MS);
      const figures = await probe.stop();
      const status = await persistenceField(wire, "rdb_last_bgsave_status");
      if (status !== "ok") throw new Error(`BGSAVE ended with ${status}`);
      return figures;
    } finally {
      load.kill();
      await load.exited;
    }
  });
  const { redis, redbun } = results;
  report({
    section: "persistence",
    name: `BGSAVE of a ${value.name} of ${elements.toLocaleString("en-US")} that changes: worst PING`,
    unit: "ms",
    redis: redis.worstCorrected,
    redbun: redbun.worstCorrected,
    goal: { kind: "value", atMost: 20 },
    note: `uncorrected ${redis.worst.toFixed(1)}, ${redbun.worst.toFixed(1)}; busy ${redis.busyWorst.toFixed(1)}, ${redbun.busyWorst.toFixed(1)} ms`,
    details: { elements, results },
  });
}

async function persistenceField(wire: Wire, field: string): Promise<string> {
  return infoField(await wire.command("INFO", "persistence"), field);
}
