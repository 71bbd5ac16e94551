import { latin1Bytes } from "../bytes/ascii.ts";
import type { Call } from "../call/call.ts";
import type { CommandSpec } from "../call/spec.ts";
import { CommandError, errors } from "../resp/errors.ts";

/** SHUTDOWN: no reply when it succeeds, the connection just ends. */
export interface ShutdownDeps {
  readonly scripting: { readonly runs: { readonly busy: boolean; readonly busyError: string } };
  readonly shutdown: {
    run(call: Call, request: { save: "default" | "save" | "nosave"; now: boolean; force: boolean }): boolean;
    hasFailed(call: Call): boolean;
    abort(): boolean;
  };
}

const FAILED = "ERR Errors trying to SHUTDOWN. Check logs.";
const SAVE = latin1Bytes("save");
const NOSAVE = latin1Bytes("nosave");
const NOW = latin1Bytes("now");
const FORCE = latin1Bytes("force");
const ABORT = latin1Bytes("abort");

function shutdown(call: Call, { shutdown, scripting }: ShutdownDeps): void {
  if (shutdown.hasFailed(call)) throw new CommandError(FAILED);
  let save = false;
  let nosave = false;
  let now = false;
  let force = false;
  let abort = false;
  for (let i = 1; i < call.argc; i++) {
    if (call.is(i, NOSAVE)) nosave = true;
    else if (call.is(i, SAVE)) save = true;
    else if (call.is(i, NOW)) now = true;
    else if (call.is(i, FORCE)) force = true;
    else if (call.is(i, ABORT)) abort = true;
    else throw new CommandError(errors.syntax);
  }
  if ((save && nosave) || (abort && (save || nosave || now || force))) throw new CommandError(errors.syntax);
  // What a script has done half may not be saved.
  if (scripting.runs.busy && !nosave) throw new CommandError(scripting.runs.busyError);
  if (abort) {
    if (!shutdown.abort()) throw new CommandError("ERR No shutdown in progress.");
    return call.reply.ok();
  }
  if (!now && call.session.denyBlocking)
    throw new CommandError("ERR SHUTDOWN without NOW or ABORT isn't allowed for DENY BLOCKING client");
  if (!shutdown.run(call, { save: save ? "save" : nosave ? "nosave" : "default", now, force }))
    throw new CommandError(FAILED);
}

export function shutdownCommands(deps: ShutdownDeps): CommandSpec[] {
  return [
    {
      name: "shutdown",
      arity: -1,
      flags: ["admin", "noscript", "loading", "stale", "no_multi", "allow_busy"],
      categories: [],
      since: "1.0.0",
      group: "server",
      summary: "Saves, if so configured, and ends the server.",
      complexity: "O(N) when saving N keys, else O(1)",
      args: "[save-selector=(NOSAVE|SAVE)] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]",
      history: [["7.0.0", "Options `NOW`, `FORCE` and `ABORT`."]],
      run: (call) => shutdown(call, deps),
    },
  ];
}
