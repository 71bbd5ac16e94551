import type { Call } from "../call/call.ts";
import type { CommandSpec } from "../call/spec.ts";
import { CommandError, subcommandSyntax } from "../resp/errors.ts";
import type { CommandLog, CommandLogs } from "../stats/command-log.ts";
import { replyHelp } from "./help.ts";

/** SLOWLOG: the commands that took longest. */

export interface SlowlogDeps {
  readonly commandLogs: CommandLogs;
}

const DEFAULT_COUNT = 10;
const HELP = [
  "GET [<count>]",
  "    The newest <count> entries (default: 10, -1 for all). An entry is:",
  "    its id, the time in seconds, the duration in microseconds, the arguments,",
  "    the client's address and its name.",
  "LEN",
  "    The number of entries.",
  "RESET",
  "    Forget all entries.",
];

function get(call: Call, { commandLogs }: SlowlogDeps): void {
  if (call.argc > 3) throw new CommandError(subcommandSyntax(call.text(1), call.text(0)));
  const { slow } = commandLogs;
  replyEntries(call, slow, call.argc > 2 ? countAt(call, 2, slow) : DEFAULT_COUNT);
}

/** Argument i as a number of a log's entries: -1 is all of them. */
export function countAt(call: Call, i: number, log: CommandLog): number {
  const count = call.safeInt(i);
  if (!(count >= -1)) throw new CommandError("ERR count should be greater than or equal to -1");
  return count === -1 ? log.length : count;
}

export function replyEntries(call: Call, log: CommandLog, count: number): void {
  const entries = log.newest(count);
  const { reply } = call;
  reply.array(entries.length);
  for (const { id, time, amount, args, address, clientName } of entries) {
    reply.array(6);
    reply.int(id);
    reply.int(time);
    reply.int(amount);
    reply.array(args.length);
    for (const arg of args) reply.bulk(arg);
    reply.bulkText(address);
    reply.bulkText(clientName);
  }
}

export function slowlogCommands(deps: SlowlogDeps): CommandSpec[] {
  return [
    {
      name: "slowlog",
      arity: -2,
      flags: [],
      categories: [],
      since: "2.2.12",
      group: "server",
      summary: "Commands about the slow log.",
      complexity: "Depends on the subcommand",
      subcommands: [
        {
          name: "get",
          arity: -2,
          flags: ["admin", "loading", "stale"],
          categories: [],
          since: "2.2.12",
          group: "server",
          summary: "Entries of the slow log, the newest first.",
          complexity: "O(N), N entries",
          args: "[count:integer]",
          tips: ["request_policy:all_nodes", "nondeterministic_output"],
          history: [["4.0.0", "Entries tell the client's address and name."]],
          run: (call) => get(call, deps),
        },
        {
          name: "help",
          arity: 2,
          flags: ["loading", "stale"],
          categories: [],
          since: "6.2.0",
          group: "server",
          summary: "Describes the subcommands.",
          complexity: "O(1)",
          run: (call) => replyHelp(call, "slowlog", HELP),
        },
        {
          name: "len",
          arity: 2,
          flags: ["admin", "loading", "stale"],
          categories: [],
          since: "2.2.12",
          group: "server",
          summary: "The number of entries in the slow log.",
          complexity: "O(1)",
          tips: ["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"],
          run: (call) => call.reply.int(deps.commandLogs.slow.length),
        },
        {
          name: "reset",
          arity: 2,
          flags: ["admin", "loading", "stale"],
          categories: [],
          since: "2.2.12",
          group: "server",
          summary: "Empties the slow log.",
          complexity: "O(N), N entries",
          tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
          run: (call) => {
            deps.commandLogs.slow.clear();
            call.reply.ok();
          },
        },
      ],
    },
  ];
}
