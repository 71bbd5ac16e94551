import type { Call } from "../call/call.ts";
import type { Command, Registry } from "../call/registry.ts";
import type { CommandSpec } from "../call/spec.ts";
import type { ConfigValues } from "../config/table.ts";
import { CommandError } from "../resp/errors.ts";
import { cumulativeMicroseconds, totalCount } from "../stats/histogram.ts";
import type { LatencyMonitor } from "../stats/latency-monitor.ts";
import { replyHelp } from "./help.ts";
import { diagnosis } from "./latency/doctor.ts";
import { graph } from "./latency/graph.ts";

/** LATENCY: what the latency monitor has noted, and how the latencies of commands are distributed. */

export interface LatencyDeps {
  readonly latency: LatencyMonitor;
  readonly registry: Registry;
  readonly config: { readonly values: Readonly<ConfigValues> };
}

const HELP = [
  "DOCTOR",
  "    A report on what was slow, and advice.",
  "GRAPH <event>",
  "    The samples of <event> as a graph of characters.",
  "HISTORY <event>",
  "    Time and latency of each sample of <event>.",
  "LATEST",
  "    The latest sample of every event.",
  "RESET [<event> ...]",
  "    Forget the samples of the given events (default: of all events).",
  "HISTOGRAM [COMMAND ...]",
  "    How the latencies of the given commands are distributed, cumulatively.",
  "    Without arguments: of all commands that were called.",
];

function history(call: Call, { latency }: LatencyDeps): void {
  const samples = latency.get(call.text(2))?.samples ?? [];
  call.reply.array(samples.length);
  for (const { time, milliseconds } of samples) {
    call.reply.array(2);
    call.reply.int(time);
    call.reply.int(milliseconds);
  }
}

function latest(call: Call, { latency }: LatencyDeps): void {
  call.reply.array(latency.size);
  for (const [event, series] of latency.all()) {
    call.reply.array(4);
    call.reply.bulkText(event);
    call.reply.int(series.latest.time);
    call.reply.int(series.latest.milliseconds);
    call.reply.int(series.max);
  }
}

function reset(call: Call, { latency }: LatencyDeps): void {
  let forgotten = call.argc === 2 ? latency.reset() : 0;
  for (let i = 2; i < call.argc; i++) forgotten += latency.reset(call.text(i));
  call.reply.int(forgotten);
}

function replyGraph(call: Call, { latency }: LatencyDeps): void {
  const event = call.text(2);
  const series = latency.get(event);
  if (series === undefined) throw new CommandError(`ERR No samples available for event '${event}'`);
  call.reply.verbatim("txt", graph(event, series));
}

/** The commands asked for, a container with its subcommands; unknown ones are left out. */
function chosen(call: Call, registry: Registry): Command[] {
  if (call.argc === 2) return [...registry.all()];
  const list: Command[] = [];
  for (let i = 2; i < call.argc; i++) {
    const command = registry.get(call.text(i));
    if (command !== null) list.push(command, ...(command.subcommands ?? []));
  }
  return list;
}

function histogram(call: Call, { registry }: LatencyDeps): void {
  const { reply } = call;
  const commands = chosen(call, registry).filter(({ latency }) => latency !== null);
  reply.map(commands.length);
  for (const { fullName, latency } of commands) {
    const steps = cumulativeMicroseconds(latency!);
    reply.bulkText(fullName);
    reply.map(2);
    reply.bulkText("calls");
    reply.int(totalCount(latency!));
    reply.bulkText("histogram_usec");
    reply.map(steps.length);
    for (const [bound, count] of steps) {
      reply.int(bound);
      reply.int(count);
    }
  }
}

export function latencyCommands(deps: LatencyDeps): CommandSpec[] {
  return [
    {
      name: "latency",
      arity: -2,
      flags: [],
      categories: [],
      since: "2.8.13",
      group: "server",
      summary: "Commands about latency.",
      complexity: "Depends on the subcommand",
      subcommands: [
        {
          name: "doctor",
          arity: 2,
          flags: ["admin", "noscript", "loading", "stale"],
          categories: [],
          since: "2.8.13",
          group: "server",
          summary: "A report on latency.",
          complexity: "O(1)",
          tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
          run: (call) => call.reply.verbatim("txt", diagnosis(deps.latency, deps.config.values)),
        },
        {
          name: "graph",
          arity: 3,
          flags: ["admin", "noscript", "loading", "stale"],
          categories: [],
          since: "2.8.13",
          group: "server",
          summary: "An event's latency as a graph of characters.",
          complexity: "O(1)",
          args: "event",
          tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
          run: (call) => replyGraph(call, deps),
        },
        {
          name: "help",
          arity: 2,
          flags: ["loading", "stale"],
          categories: [],
          since: "2.8.13",
          group: "server",
          summary: "Describes the subcommands.",
          complexity: "O(1)",
          run: (call) => replyHelp(call, "latency", HELP),
        },
        {
          name: "histogram",
          arity: -2,
          flags: ["admin", "noscript", "loading", "stale"],
          categories: [],
          since: "7.0.0",
          group: "server",
          summary: "How the latencies of commands are distributed.",
          complexity: "O(N), N commands with figures",
          args: "[command...]",
          tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
          run: (call) => histogram(call, deps),
        },
        {
          name: "history",
          arity: 3,
          flags: ["admin", "noscript", "loading", "stale"],
          categories: [],
          since: "2.8.13",
          group: "server",
          summary: "An event's latency samples.",
          complexity: "O(1)",
          args: "event",
          tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
          run: (call) => history(call, deps),
        },
        {
          name: "latest",
          arity: 2,
          flags: ["admin", "noscript", "loading", "stale"],
          categories: [],
          since: "2.8.13",
          group: "server",
          summary: "The latest latency sample of every event.",
          complexity: "O(1)",
          tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
          run: (call) => latest(call, deps),
        },
        {
          name: "reset",
          arity: -2,
          flags: ["admin", "noscript", "loading", "stale"],
          categories: [],
          since: "2.8.13",
          group: "server",
          summary: "Forgets the latency samples of the given events, or of all.",
          complexity: "O(1)",
          args: "[event...]",
          tips: ["request_policy:all_nodes", "response_policy:agg_sum"],
          run: (call) => reset(call, deps),
        },
      ],
    },
  ];
}
