import { latin1Bytes, latin1Text } from "../bytes/ascii.ts";
import type { Call } from "../call/call.ts";
import { keyNum } from "../call/key-specs.ts";
import type { CommandSpec, KeyFlag } from "../call/spec.ts";
import { CommandError, errors } from "../resp/errors.ts";
import { shaArgument } from "../scripting/scripts.ts";
import { replyHelp } from "./help.ts";
import type { ScriptingDeps } from "./scripting/deps.ts";
import * as libraries from "./scripting/libraries.ts";
import * as running from "./scripting/running.ts";

/** EVAL, FCALL, SCRIPT, FUNCTION (https://redis.io/docs/latest/develop/interact/programmability/). */

const SCRIPT_HELP = [
  "DEBUG (YES|SYNC|NO)",
  "    Set the debug mode for subsequent scripts executed.",
  "EXISTS <sha1> [<sha1> ...]",
  "    Return information about the existence of the scripts in the script cache.",
  "FLUSH [ASYNC|SYNC]",
  "    Flush the Lua scripts cache. Very dangerous on replicas.",
  "    When called without the optional mode argument, the behavior is determined by the",
  "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
  "    * ASYNC: Asynchronously flush the scripts cache.",
  "    * SYNC: Synchronously flush the scripts cache.",
  "KILL",
  "    Kill the currently executing Lua script.",
  "SHOW <sha1>",
  "    The source of a script.",
  "LOAD <script>",
  "    Load a script into the scripts cache without executing it.",
];

const FUNCTION_HELP = [
  "LOAD [REPLACE] <FUNCTION CODE>",
  "    Create a new library with the given library name and code.",
  "DELETE <LIBRARY NAME>",
  "    Delete the given library.",
  "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
  "    Return general information on all the libraries:",
  "    * Library name",
  "    * The engine used to run the Library",
  "    * Library description",
  "    * Functions list",
  "    * Library code (if WITHCODE is given)",
  "    It also possible to get only function that matches a pattern using LIBRARYNAME argument.",
  "STATS",
  "    Return information about the current function running:",
  "    * Function name",
  "    * Command used to run the function",
  "    * Duration in MS that the function is running",
  "    If no function is running, return nil",
  "    In addition, returns a list of available engines.",
  "KILL",
  "    Kill the current running function.",
  "FLUSH [ASYNC|SYNC]",
  "    Delete all the libraries.",
  "    When called without the optional mode argument, the behavior is determined by the",
  "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
  "    * ASYNC: Asynchronously flush the libraries.",
  "    * SYNC: Synchronously flush the libraries.",
  "DUMP",
  "    Return a serialized payload representing the current libraries, can be restored using FUNCTION RESTORE command",
  "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
  "    Restore the libraries represented by the given payload, it is possible to give a restore policy to",
  "    control how to handle existing libraries (default APPEND):",
  "    * FLUSH: delete all existing libraries.",
  "    * APPEND: appends the restored libraries to the existing libraries. On collision, abort.",
  "    * REPLACE: appends the restored libraries to the existing libraries, On collision, replace the old",
  "      libraries with the new libraries (notice that even on this option there is a chance of failure",
  "      in case of functions name collision with another library).",
];

const YES = latin1Bytes("yes");
const NO = latin1Bytes("no");
const SYNC = latin1Bytes("sync");
const ASYNC = latin1Bytes("async");

function exists(call: Call, { scripting }: ScriptingDeps): void {
  call.reply.array(call.argc - 2);
  for (let i = 2; i < call.argc; i++) {
    const sha = latin1Text(call.buf, call.start[i], call.end[i]).toLowerCase();
    call.reply.int(scripting.scripts.find(sha) === null ? 0 : 1);
  }
}

/** SCRIPT SHOW of Valkey 8.0. */
function show(call: Call, { scripting }: ScriptingDeps): void {
  const script = scripting.scripts.find(shaArgument(call.buf, call.start[2]!, call.end[2]!));
  if (script === null) throw new CommandError(errors.noScript);
  call.reply.bulk(script.source);
}

function flushScripts(call: Call, { scripting }: ScriptingDeps): void {
  if (call.argc > 3 || (call.argc === 3 && !call.is(2, SYNC) && !call.is(2, ASYNC)))
    throw new CommandError("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
  scripting.scripts.flush();
  call.reply.ok();
}

/** Of what is debugged in the way of YES, the changes are taken back. */
function debug(call: Call): void {
  const { session } = call;
  if (call.is(2, NO)) session.scriptDebugging = "off";
  else if (call.is(2, YES)) session.scriptDebugging = "undone";
  else if (call.is(2, SYNC)) session.scriptDebugging = "sync";
  else throw new CommandError("ERR Use SCRIPT DEBUG YES/SYNC/NO");
  call.reply.ok();
}

type RunningRow = Pick<CommandSpec, "name" | "since" | "summary" | "args" | "flagsOf" | "run"> & {
  readOnly: boolean;
  notes?: boolean;
  what: "script" | "function";
};

/** A row of the commands that run something. */
function runningRow({ readOnly, notes, what, ...row }: RunningRow): CommandSpec {
  const flags: KeyFlag[] = readOnly ? ["RO", "access"] : ["RW", "access", "update"];
  const worst = readOnly ? "RO and ACCESS" : "RW and UPDATE";
  const keys = {
    ...keyNum(2, ...flags),
    ...(notes && { notes: `We cannot tell how the keys will be used so we assume the worst, ${worst}` }),
  };
  return {
    arity: -3,
    flags: [
      "noscript",
      "stale",
      "skip_monitor",
      "no_mandatory_keys",
      readOnly ? "readonly" : "may_replicate",
    ],
    categories: ["scripting"],
    keys: [keys],
    group: "scripting",
    complexity: `Depends on the ${what}`,
    ...row,
  };
}

function runningRows(deps: ScriptingDeps): CommandSpec[] {
  return [
    runningRow({
      name: "eval",
      readOnly: false,
      notes: true,
      what: "script",
      since: "2.6.0",
      summary: "Runs a Lua script.",
      args: "script numkeys:integer [key...] [arg...]",
      flagsOf: (call, flags) => running.evalFlags(call, flags, deps),
      run: (call) => running.evaluate(call, false, deps),
    }),
    runningRow({
      name: "evalsha",
      readOnly: false,
      what: "script",
      since: "2.6.0",
      summary: "Runs a Lua script that the server knows, by its SHA1.",
      args: "sha1 numkeys:integer [key...] [arg...]",
      flagsOf: (call, flags) => running.evalShaFlags(call, flags, deps),
      run: (call) => running.evaluateSha(call, false, deps),
    }),
    runningRow({
      name: "eval_ro",
      readOnly: true,
      notes: true,
      what: "script",
      since: "7.0.0",
      summary: "Runs a Lua script that only reads.",
      args: "script numkeys:integer [key...] [arg...]",
      flagsOf: (call, flags) => running.evalFlags(call, flags, deps),
      run: (call) => running.evaluate(call, true, deps),
    }),
    runningRow({
      name: "evalsha_ro",
      readOnly: true,
      what: "script",
      since: "7.0.0",
      summary: "Runs a Lua script that only reads, by its SHA1.",
      args: "sha1 numkeys:integer [key...] [arg...]",
      flagsOf: (call, flags) => running.evalShaFlags(call, flags, deps),
      run: (call) => running.evaluateSha(call, true, deps),
    }),
    runningRow({
      name: "fcall",
      readOnly: false,
      notes: true,
      what: "function",
      since: "7.0.0",
      summary: "Calls a function of a library.",
      args: "function numkeys:integer [key...] [arg...]",
      flagsOf: (call, flags) => running.functionFlags(call, flags, deps),
      run: (call) => running.callFunction(call, false, deps),
    }),
    runningRow({
      name: "fcall_ro",
      readOnly: true,
      notes: true,
      what: "function",
      since: "7.0.0",
      summary: "Calls a function of a library that only reads.",
      args: "function numkeys:integer [key...] [arg...]",
      flagsOf: (call, flags) => running.functionFlags(call, flags, deps),
      run: (call) => running.callFunction(call, true, deps),
    }),
  ];
}

const ALL_NODES = ["request_policy:all_nodes", "response_policy:all_succeeded"];
const ALL_SHARDS = ["request_policy:all_shards", "response_policy:all_succeeded"];
const ONE_OF_ALL_SHARDS = ["request_policy:all_shards", "response_policy:one_succeeded"];

type SubcommandRow = Omit<CommandSpec, "categories" | "group">;

function subcommand(row: SubcommandRow): CommandSpec {
  return { categories: ["scripting"], group: "scripting", complexity: "O(1)", ...row };
}

function scriptRow(deps: ScriptingDeps): CommandSpec {
  return {
    name: "script",
    arity: -2,
    flags: [],
    categories: [],
    since: "2.6.0",
    group: "scripting",
    summary: "The scripts that the server knows.",
    complexity: "Depends on subcommand.",
    subcommands: [
      subcommand({
        name: "debug",
        arity: 3,
        flags: ["noscript"],
        since: "3.2.0",
        summary: "Turns the debugger off, which redbun does not have.",
        args: "mode=(YES|SYNC|NO)",
        run: debug,
      }),
      subcommand({
        name: "exists",
        arity: -3,
        flags: ["noscript"],
        since: "2.6.0",
        summary: "Tells which scripts the server knows.",
        complexity: "O(N), N scripts asked for",
        args: "sha1...",
        tips: ["request_policy:all_shards", "response_policy:agg_logical_and"],
        run: (call) => exists(call, deps),
      }),
      subcommand({
        name: "flush",
        arity: -2,
        flags: ["noscript"],
        since: "2.6.0",
        summary: "Forgets all scripts.",
        complexity: "O(N), N scripts",
        args: "[flush-type=(ASYNC|SYNC)@6.2.0]",
        tips: ALL_NODES,
        history: [["6.2.0", "Options `ASYNC` and `SYNC`."]],
        run: (call) => flushScripts(call, deps),
      }),
      subcommand({
        name: "help",
        arity: 2,
        flags: ["loading", "stale"],
        since: "5.0.0",
        summary: "Lists the subcommands.",
        run: (call) => replyHelp(call, "script", SCRIPT_HELP),
      }),
      subcommand({
        name: "kill",
        arity: 2,
        flags: ["noscript", "allow_busy"],
        since: "2.6.0",
        summary: "Ends the script that is running.",
        tips: ONE_OF_ALL_SHARDS,
        run: (call) => {
          deps.scripting.runs.kill("eval");
          call.reply.ok();
        },
      }),
      subcommand({
        name: "load",
        arity: 3,
        flags: ["noscript", "stale"],
        since: "2.6.0",
        summary: "Compiles a script, for EVALSHA.",
        complexity: "O(N), N bytes of the script",
        args: "script",
        tips: ALL_NODES,
        run: (call) =>
          call.reply.bulkText(deps.scripting.scripts.define(call.buf, call.start[2]!, call.end[2]!).sha),
      }),
      subcommand({
        name: "show",
        arity: 3,
        flags: ["noscript", "stale"],
        since: "8.0.0",
        summary: "The source of a script that the server knows (Valkey).",
        complexity: "O(1)",
        args: "sha1",
        run: (call) => show(call, deps),
      }),
    ],
  };
}

function functionRow(deps: ScriptingDeps): CommandSpec {
  return {
    name: "function",
    arity: -2,
    flags: [],
    categories: [],
    since: "7.0.0",
    group: "scripting",
    summary: "Libraries of functions.",
    complexity: "Depends on subcommand.",
    subcommands: [
      subcommand({
        name: "delete",
        arity: 3,
        flags: ["write", "noscript"],
        since: "7.0.0",
        summary: "Deletes a library.",
        args: "library-name",
        tips: ALL_SHARDS,
        run: (call) => libraries.remove(call, deps),
      }),
      subcommand({
        name: "dump",
        arity: 2,
        flags: ["noscript"],
        since: "7.0.0",
        summary: "All libraries as one payload.",
        complexity: "O(N), N functions",
        run: (call) => libraries.dump(call, deps),
      }),
      subcommand({
        name: "flush",
        arity: -2,
        flags: ["write", "noscript"],
        since: "7.0.0",
        summary: "Deletes all libraries.",
        complexity: "O(N), N functions",
        args: "[flush-type=(ASYNC|SYNC)]",
        tips: ALL_SHARDS,
        run: (call) => libraries.flush(call, deps),
      }),
      subcommand({
        name: "help",
        arity: 2,
        flags: ["loading", "stale"],
        since: "7.0.0",
        summary: "Lists the subcommands.",
        run: (call) => replyHelp(call, "function", FUNCTION_HELP),
      }),
      subcommand({
        name: "kill",
        arity: 2,
        flags: ["noscript", "allow_busy"],
        since: "7.0.0",
        summary: "Ends the function that is running.",
        tips: ONE_OF_ALL_SHARDS,
        run: (call) => {
          deps.scripting.runs.kill("function");
          call.reply.ok();
        },
      }),
      subcommand({
        name: "list",
        arity: -2,
        flags: ["noscript"],
        since: "7.0.0",
        summary: "Lists libraries and their functions.",
        complexity: "O(N), N functions",
        args: "[LIBRARYNAME library-name-pattern] [WITHCODE]",
        tips: ["nondeterministic_output_order"],
        run: (call) => libraries.list(call, deps),
      }),
      subcommand({
        name: "load",
        arity: -3,
        flags: ["write", "denyoom", "noscript"],
        since: "7.0.0",
        summary: "Loads a library.",
        args: "[REPLACE] function-code",
        tips: ALL_SHARDS,
        run: (call) => libraries.load(call, deps),
      }),
      subcommand({
        name: "restore",
        arity: -3,
        flags: ["write", "denyoom", "noscript"],
        since: "7.0.0",
        summary: "Takes libraries from a payload.",
        complexity: "O(N), N functions",
        args: "serialized-value [policy=(FLUSH|APPEND|REPLACE)]",
        tips: ALL_SHARDS,
        run: (call) => libraries.restore(call, deps),
      }),
      subcommand({
        name: "stats",
        arity: 2,
        flags: ["noscript", "allow_busy"],
        since: "7.0.0",
        summary: "Tells which function runs, and how many there are.",
        tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        run: (call) => libraries.stats(call, deps),
      }),
    ],
  };
}

export function scriptingCommands(deps: ScriptingDeps): CommandSpec[] {
  return [...runningRows(deps), functionRow(deps), scriptRow(deps)];
}
