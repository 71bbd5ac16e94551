import type { Call } from "../call/call.ts";
import type { CommandSpec } from "../call/spec.ts";
import { CommandError } from "../resp/errors.ts";
import { type CommandLog, LOG_TYPES } from "../stats/command-log.ts";
import { replyHelp } from "./help.ts";
import { countAt, replyEntries, type SlowlogDeps } from "./slowlog.ts";

/** COMMANDLOG (Valkey 8.1): the commands that took longest, came with the most bytes, were answered with the most. */

const HELP = [
  "GET <count> <slow|large-request|large-reply>",
  "    The newest <count> entries of a log (-1 for all). An entry is: its id, the time",
  "    in seconds, the duration in microseconds or the size in bytes, the arguments,",
  "    the client's address and its name.",
  "LEN <slow|large-request|large-reply>",
  "    The number of entries of a log.",
  "RESET <slow|large-request|large-reply>",
  "    Forget all entries of a log.",
];
const TYPE_ARGUMENT = "type=(SLOW|LARGE-REQUEST|LARGE-REPLY)";

/** The log that argument i names. */
function logAt(call: Call, i: number, { commandLogs }: SlowlogDeps): CommandLog {
  const name = call.text(i).toLowerCase();
  const type = LOG_TYPES.find((known) => known === name);
  if (type === undefined)
    throw new CommandError(`ERR type should be one of the following: ${LOG_TYPES.join(", ")}`);
  return commandLogs[type];
}

type Row = Pick<CommandSpec, "name" | "arity" | "summary" | "complexity" | "args" | "tips" | "run">;

function subcommand(row: Row): CommandSpec {
  return { ...row, flags: ["admin", "loading", "stale"], categories: [], since: "8.1.0", group: "server" };
}

export function commandlogCommands(deps: SlowlogDeps): CommandSpec[] {
  return [
    {
      name: "commandlog",
      arity: -2,
      flags: [],
      categories: [],
      since: "8.1.0",
      group: "server",
      summary: "Commands about the logs of costly commands.",
      complexity: "Depends on the subcommand",
      subcommands: [
        subcommand({
          name: "get",
          arity: 4,
          summary: "Entries of a log of costly commands, the newest first.",
          complexity: "O(N), N entries",
          args: `count:integer ${TYPE_ARGUMENT}`,
          tips: ["request_policy:all_nodes", "nondeterministic_output"],
          run: (call) => {
            const log = logAt(call, 3, deps);
            replyEntries(call, log, countAt(call, 2, log));
          },
        }),
        {
          name: "help",
          arity: 2,
          flags: ["loading", "stale"],
          categories: [],
          since: "8.1.0",
          group: "server",
          summary: "Describes the subcommands.",
          complexity: "O(1)",
          run: (call) => replyHelp(call, "commandlog", HELP),
        },
        subcommand({
          name: "len",
          arity: 3,
          summary: "The number of entries of a log of costly commands.",
          complexity: "O(1)",
          args: TYPE_ARGUMENT,
          tips: ["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"],
          run: (call) => call.reply.int(logAt(call, 2, deps).length),
        }),
        subcommand({
          name: "reset",
          arity: 3,
          summary: "Empties a log of costly commands.",
          complexity: "O(N), N entries",
          args: TYPE_ARGUMENT,
          tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
          run: (call) => {
            logAt(call, 2, deps).clear();
            call.reply.ok();
          },
        }),
      ],
    },
  ];
}
