/**
 * Requests per second and CPU time per command, for each row and pipeline: both servers
 * stay up, runs go in turn, the data is emptied and prepared anew before each. Where a client needs nearly all of its
 * processor, it is said: then CPU time per command tells more than requests per second.
 */
import { join } from "node:path";
import { adopt } from "../lib/launch.ts";
import { encodeCommand, infoField } from "../lib/wire.ts";
import {
  type Contestant,
  endContestant,
  knows,
  type Measure,
  type Report,
  SIDES,
  type Side,
  startContestant,
} from "./contestants.ts";
import type { Job, Result } from "./load-client.ts";
import type { Options } from "./options.ts";
import { cpuMicroseconds, median } from "./process.ts";
import { DATA_SIZE, goalOf, ROWS, type Row } from "./rows.ts";

/** The share of a processor from which on a client holds the server up. */
const CLIENT_LIMIT = 0.9;

interface Run extends Load {
  /** Server's CPU microseconds per command. */
  cpu: number;
}

/** What a client has done. */
interface Load {
  rps: number;
  /** The share of the run's time in which it computed. */
  clientBusy: number;
}

export async function throughput(options: Options, report: Report): Promise<void> {
  const contestants: Contestant[] = [];
  try {
    for (const side of SIDES) contestants.push(await startContestant(side, options));
    for (const name of options.rows) {
      const row = ROWS[name]!;
      const missing = await sidesWithout(row.command, contestants);
      if (missing.length > 0) {
        if (options.rowsNamed) report(unknown(name, missing));
        continue;
      }
      // The first requests of a kind find cold code in both servers: they do not count.
      for (const each of contestants) await run(options, each, row, 16, Math.ceil(options.requests / 4));
      for (const pipeline of options.pipelines) {
        const goal = goalOf(name, pipeline);
        const what = { section: "throughput", title: name.toUpperCase(), row, pipeline, goal };
        for (const measure of await compare(options, contestants, what)) report(measure);
      }
    }
  } finally {
    for (const each of contestants) await endContestant(each);
  }
}

async function sidesWithout(command: string, contestants: Contestant[]): Promise<Side[]> {
  const missing: Side[] = [];
  for (const each of contestants) if (!(await knows(each, command))) missing.push(each.side);
  return missing;
}

function unknown(name: string, missing: Side[]): Measure {
  const note = `${missing.join(" and ")} has no such command`;
  return {
    section: "throughput",
    name: name.toUpperCase(),
    unit: "requests/s",
    redis: null,
    redbun: null,
    note,
  };
}

export interface Comparison {
  section: string;
  title: string;
  row: Row;
  pipeline: number;
  /** Requests per second, at least so many times Redis's. */
  goal: number | undefined;
  /** Of a run at pipeline 1, where it is not the usual number. */
  requests?: number;
}

/** Sends as many requests to both in turn, as many rounds as asked for; gives requests per second and CPU time. */
export async function compare(
  options: Options,
  contestants: Contestant[],
  { section, title, row, pipeline, goal, requests: base = options.requests }: Comparison,
): Promise<Measure[]> {
  const runs: Record<Side, Run[]> = { redis: [], redbun: [] };
  const requests = requestsAt(pipeline, base);
  for (let round = 0; round < options.rounds; round++) {
    for (const each of contestants) runs[each.side].push(await run(options, each, row, pipeline, requests));
  }
  const name = `${title} -P ${pipeline}`;
  const figure = (side: Side, key: keyof Run) => median(runs[side].map((each) => each[key]));
  const ratios = runs.redbun.map((each, i) => each.rps / runs.redis[i]!.rps);
  const busy = figure("redbun", "clientBusy");
  const notes = [
    ...(ratios.length > 1
      ? [`rounds ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`]
      : []),
    ...(busy >= CLIENT_LIMIT ? [`client busy ${Math.round(busy * 100)} %: it is the limit`] : []),
  ];
  return [
    {
      section,
      name,
      unit: "requests/s",
      redis: figure("redis", "rps"),
      redbun: figure("redbun", "rps"),
      ...(goal && { goal: { kind: "ratio" as const, atLeast: goal } }),
      ...(notes.length > 0 && { note: notes.join("; ") }),
      details: { pipeline, requests, runs },
    },
    {
      section,
      name,
      unit: "cpu us/command",
      redis: figure("redis", "cpu"),
      redbun: figure("redbun", "cpu"),
    },
  ];
}

/** Pipelined runs are shorter in time, so they get more requests: 8 times at 16, 15 times at 100. */
function requestsAt(pipeline: number, base: number): number {
  return Math.round(base * Math.min(15, Math.max(1, pipeline / 2)));
}

export async function run(
  options: Options,
  contestant: Contestant,
  row: Row,
  pipeline: number,
  requests: number,
): Promise<Run> {
  const { wire, port, process } = contestant;
  const { keyspace } = options;
  await wire.command("FLUSHALL");
  await row.prepare?.({ wire, port, requests, keyspace });
  const commands = await commandsProcessed(contestant);
  const cpu = cpuMicroseconds(process.pid);
  const load = await (options.redisBenchmark ? benchmark : own)(options, port, row, pipeline, requests);
  const used = cpuMicroseconds(process.pid) - cpu;
  return { ...load, cpu: used / ((await commandsProcessed(contestant)) - commands) };
}

async function commandsProcessed({ wire }: Contestant): Promise<number> {
  return Number(infoField(await wire.command("INFO", "stats"), "total_commands_processed"));
}

async function benchmark(
  options: Options,
  port: number,
  row: Row,
  pipeline: number,
  requests: number,
): Promise<Load> {
  const numbers = {
    p: port,
    c: options.clients,
    n: requests,
    P: pipeline,
    r: options.keyspace,
    d: DATA_SIZE,
  };
  const flags = Object.entries(numbers).flatMap(([flag, value]) => [`-${flag}`, String(value)]);
  const what = row.line;
  const { output, busySeconds } = await client([
    ...options.client,
    options.benchmark,
    ...flags,
    "--csv",
    ...what,
  ]);
  // A header line, then "title","requests per second",latencies...
  const rps = Number(/^"[^"]*","([\d.]+)"/m.exec(output.slice(output.indexOf("\n") + 1))?.[1]);
  if (!(rps > 0)) throw new Error(`redis-benchmark ${what.join(" ")} on port ${port}: ${output}`);
  return { rps, clientBusy: (busySeconds * rps) / requests };
}

/** As `benchmark`, by the bench's own client. */
async function own(
  { clients, keyspace, client: prefix }: Options,
  port: number,
  { line, reply }: Row,
  pipeline: number,
  requests: number,
): Promise<Load> {
  const request = encodeCommand(line).toString("latin1");
  const job: Job = { port, clients, pipeline, requests, request, keyspace, reply };
  const script = join(import.meta.dir, "load-client.ts");
  const { output } = await client([...prefix, process.execPath, script, JSON.stringify(job)]);
  const { seconds, busySeconds } = JSON.parse(output) as Result;
  return { rps: requests / seconds, clientBusy: busySeconds / seconds };
}

/** Runs a client to its end; gives what it wrote, and its CPU time. */
async function client(command: string[]): Promise<{ output: string; busySeconds: number }> {
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
  adopt(child);
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}: ${output}${errors}`);
  return { output, busySeconds: Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6 };
}
