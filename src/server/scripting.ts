import type { Call } from "../call/call.ts";
import type { Command } from "../call/registry.ts";
import { Functions } from "../scripting/functions.ts";
import { LuaRandom } from "../scripting/lua/libraries/random.ts";
import { ScriptRuns } from "../scripting/runs.ts";
import { Scripts } from "../scripting/scripts.ts";
import type { Server } from "./server.ts";

/** Scripts and functions in the server: what they need of the other rooms. They themselves are in scripting/. */
export class Scripting {
  readonly runs: ScriptRuns;
  readonly scripts: Scripts;
  readonly functions: Functions;

  constructor(private readonly server: Server) {
    const { clock, log, config, debugSettings } = server;
    this.runs = new ScriptRuns({
      settings: config.values,
      clock,
      log,
      keyspace: { select: (id) => server.keyspace.select(id) },
      registry: () => server.registry,
      executor: () => server.executor,
      effects: { begin: () => server.effects.begin(), end: () => server.effects.end() },
      events: server.notifications,
      gates: {
        ...server.conditions,
        denied: (call, command, caller) => server.acl.refusalInScript(call, command, caller),
        slotOf: (call, command) => server.clustering.router?.slotOf(call, command) ?? null,
        route: (call, command, caller) => server.clustering.router?.forScript(call, command, caller) ?? null,
        mayCall: (call, command, caller) => server.acl.mayCall(call, command, caller),
      },
      countError: (text) => server.counters.countError(text),
      denyScriptsDisabled: () => debugSettings.disableDenyScripts,
      show: (call, command) => {
        if (server.monitors.active) server.monitors.show(call, command);
      },
      answer: (session, reply, wrote) => server.sockets.answer(session, reply, wrote),
      busyChanged: (busy) => server.scriptBusy(busy),
    });
    const random = new LuaRandom();
    const onBug = (error: unknown): void => {
      server.counters.unexpectedErrors++;
      log.warning(
        `Exception in a script's function: ${error instanceof Error ? error.stack : String(error)}`,
      );
    };
    this.scripts = new Scripts(this.runs, random, onBug);
    this.functions = new Functions(this.runs, random, onBug);
  }

  commandOf(call: Call): Command {
    return this.server.registry.lookup(call)!;
  }
}
