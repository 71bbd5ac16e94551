import type { Call } from "../call/call.ts";
import type { CommandSpec } from "../call/spec.ts";
import { CommandError, subcommandSyntax } from "../resp/errors.ts";
import type { DebugDeps, Subcommand } from "./debug/deps.ts";
import { inspecting } from "./debug/inspecting.ts";
import { protocol } from "./debug/protocol.ts";
import { steering } from "./debug/steering.ts";
import { replyHelp } from "./help.ts";

/**
 * DEBUG: for tests, and for people who look inside. One row as in Redis, so its subcommands have a table of
 * their own; each says how many arguments it takes.
 */

const HELP = [
  "AOF-FLUSH-SLEEP <microsec>",
  "    Wait so long before the AOF is flushed.",
  "ASSERT",
  "    End as after a failed assertion.",
  "CLUSTERLINK KILL <to|from|all> <node-id>",
  "    Break the connection to or from a node of the cluster, or both.",
  "CONFIG-REWRITE-FORCE-ALL",
  "    As CONFIG REWRITE, with every directive, defaults too.",
  "DIGEST",
  "    A signature of all data.",
  "DIGEST-VALUE <key> [<key> ...]",
  "    A signature of each key's value.",
  "DROP-CLUSTER-PACKET-FILTER <packet-type>",
  "    Do not see messages of this type on the cluster bus; -1: see all.",
  "ERROR <string>",
  "    Reply with <string> as an error.",
  "LOG <message>",
  "    Write <message> to the log.",
  "HTSTATS <dbid> [full]",
  "    Figures of a database's index.",
  "HTSTATS-KEY <key> [full]",
  "    Figures of the hash table that a value is kept in.",
  "OBJECT <key>",
  "    How <key> and its value are kept.",
  "PANIC",
  "    End as after an unexpected state.",
  "PAUSE-CRON <0|1>",
  "    Whether periodic work stands still.",
  "POPULATE <count> [<prefix>] [<size>]",
  "    Create <count> strings named <prefix>:<number> (default prefix: key), <size>",
  "    bytes each. They are not propagated.",
  "PROTOCOL <type>",
  "    Reply with a value of this type: string, integer, double, bignum, null, array,",
  "    set, map, attrib, push, verbatim, true, false.",
  "QUICKLIST-PACKED-THRESHOLD <size>",
  "    Bytes from which on a list element has a node of its own; 0: the default.",
  "REPLYBUFFER PEAK-RESET-TIME <NEVER||RESET|time>",
  "    Accepted: clients have no reply buffers of their own here.",
  "REPLYBUFFER RESIZING <0|1>",
  "    Likewise.",
  "SDSLEN <key>",
  "    Lengths and room of <key> and of its string.",
  "SEGFAULT",
  "    End by SIGSEGV, with a crash report.",
  "SET-ACTIVE-EXPIRE <0|1>",
  "    Whether keys that are due are removed in the background.",
  "SET-DISABLE-DENY-SCRIPTS <0|1>",
  "    Whether scripts may call what is forbidden to them.",
  "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
  "    Whether checksums of RDB files and DUMP payloads are ignored.",
  "SLEEP <seconds>",
  "    Do nothing for so long (decimals allowed); all clients wait.",
  "STRINGMATCH-TEST",
  "    Try the pattern matcher on random input.",
];

const SUBCOMMANDS: ReadonlyMap<string, Subcommand> = new Map([
  ...inspecting,
  ...steering,
  ["protocol", { min: 3, max: 3, run: protocol }] as const,
  ["help", { min: 2, max: 2, run: (call: Call) => replyHelp(call, "debug", HELP) }] as const,
]);

function debug(call: Call, deps: DebugDeps): void {
  const name = call.text(1);
  const subcommand = SUBCOMMANDS.get(name.toLowerCase());
  if (subcommand === undefined || call.argc < subcommand.min || call.argc > subcommand.max)
    throw new CommandError(subcommandSyntax(name, call.text(0)));
  subcommand.run(call, deps);
}

export function debugCommands(deps: DebugDeps): CommandSpec[] {
  return [
    {
      name: "debug",
      arity: -2,
      flags: ["admin", "noscript", "loading", "stale", "protected"],
      categories: [],
      since: "1.0.0",
      group: "server",
      summary: "Commands for testing and debugging the server.",
      complexity: "Depends on the subcommand",
      run: (call) => debug(call, deps),
    },
  ];
}
