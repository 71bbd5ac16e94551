import { latin1Text } from "../../bytes/ascii.ts";
import { parseInt64Rounded } from "../../bytes/int64.ts";
import type { Call } from "../../call/call.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { Script } from "../../scripting/scripts.ts";
import { shaArgument } from "../../scripting/scripts.ts";
import { commandFlags } from "../../scripting/shebang.ts";
import type { ScriptingDeps } from "./deps.ts";

/** EVAL, EVALSHA, FCALL and their read-only forms. */

const NUMKEYS = 2;
const SHA_LENGTH = 40;

/** Argument 2, the number of keys among the arguments behind it. */
function keyCount(call: Call, malformed: string): number {
  const count = parseInt64Rounded(call.buf, call.start[NUMKEYS]!, call.end[NUMKEYS]!);
  if (Number.isNaN(count)) throw new CommandError(malformed);
  if (count > call.argc - NUMKEYS - 1)
    throw new CommandError("ERR Number of keys can't be greater than number of args");
  if (count < 0) throw new CommandError("ERR Number of keys can't be negative");
  return count;
}

function run(
  call: Call,
  script: Script,
  keys: number,
  readOnly: boolean,
  { scripting }: ScriptingDeps,
): void {
  const { runs, scripts } = scripting;
  const { sandbox } = scripts;
  runs.run(call, scripting.commandOf(call), {
    kind: "eval",
    sandbox,
    name: script.sha,
    flags: script.flags,
    readOnly,
    keysAt: NUMKEYS,
    keyCount: keys,
    debugged: call.session.scriptDebugging === "off" ? null : call.text(1),
    push: (L) => sandbox.machine.pushRef(L, script.ref),
  });
}

export function evaluate(call: Call, readOnly: boolean, deps: ScriptingDeps): void {
  const keys = keyCount(call, errors.notInteger);
  run(call, deps.scripting.scripts.define(call.buf, call.start[1]!, call.end[1]!), keys, readOnly, deps);
}

export function evaluateSha(call: Call, readOnly: boolean, deps: ScriptingDeps): void {
  if (call.length(1) !== SHA_LENGTH) throw new CommandError(errors.noScript);
  const keys = keyCount(call, errors.notInteger);
  const script = deps.scripting.scripts.find(shaArgument(call.buf, call.start[1]!, call.end[1]!));
  if (script === null) throw new CommandError(errors.noScript);
  run(call, script, keys, readOnly, deps);
}

export function callFunction(call: Call, readOnly: boolean, { scripting }: ScriptingDeps): void {
  const { runs, functions } = scripting;
  const { sandbox } = functions;
  const found = functions.current.find(latin1Text(call.buf, call.start[1], call.end[1]));
  if (found === undefined) throw new CommandError("ERR Function not found");
  const keys = keyCount(call, "ERR Bad number of keys provided");
  runs.run(call, scripting.commandOf(call), {
    kind: "function",
    sandbox,
    name: found.name,
    flags: found.flags,
    readOnly,
    keysAt: NUMKEYS,
    keyCount: keys,
    debugged: null,
    push: (L) => sandbox.machine.pushRef(L, found.ref),
  });
}

/** The flags that follow from what the script says of itself. */
export function evalFlags(call: Call, flags: number, { scripting }: ScriptingDeps): number {
  if (call.argc < 2) return flags;
  return commandFlags(flags, scripting.scripts.flagsOf(call.buf, call.start[1]!, call.end[1]!));
}

export function evalShaFlags(call: Call, flags: number, { scripting }: ScriptingDeps): number {
  if (call.argc < 2 || call.length(1) !== SHA_LENGTH) return flags;
  const script = scripting.scripts.find(shaArgument(call.buf, call.start[1]!, call.end[1]!));
  return script === null ? flags : commandFlags(flags, script.flags);
}

export function functionFlags(call: Call, flags: number, { scripting }: ScriptingDeps): number {
  if (call.argc < 2) return flags;
  const found = scripting.functions.current.find(latin1Text(call.buf, call.start[1], call.end[1]));
  return found === undefined ? flags : commandFlags(flags, found.flags);
}
