import type { Call } from "../../call/call.ts";
import type { Command } from "../../call/registry.ts";
import type { Functions } from "../../scripting/functions.ts";
import type { ScriptRuns } from "../../scripting/runs.ts";
import type { Scripts } from "../../scripting/scripts.ts";

export interface ScriptingDeps {
  readonly scripting: {
    readonly runs: ScriptRuns;
    readonly scripts: Scripts;
    readonly functions: Functions;
    /** The command that the call is of. */
    commandOf(call: Call): Command;
  };
  readonly debugSettings: { readonly skipChecksums: boolean };
  readonly config: { readonly values: { readonly rdbcompression: boolean } };
}
