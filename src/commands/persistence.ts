import { latin1Bytes } from "../bytes/ascii.ts";
import type { Call } from "../call/call.ts";
import type { CommandSpec } from "../call/spec.ts";
import { CommandError, errors } from "../resp/errors.ts";

/** SAVE, BGSAVE, LASTSAVE, BGREWRITEAOF. */
export interface PersistenceDeps {
  readonly persistence: {
    readonly lastSave: number;
    readonly inProgress: boolean;
    save(): boolean;
    bgsave(schedule: boolean): "started" | "scheduled" | "saving" | "rewriting" | "failed";
  };
  readonly appendOnly: { readonly aof: { bgrewrite(): "started" | "scheduled" | "already" | "failed" } };
}

function bgrewriteaof(call: Call, { appendOnly }: PersistenceDeps): void {
  switch (appendOnly.aof.bgrewrite()) {
    case "started":
      return call.reply.simple("Background append only file rewriting started");
    case "scheduled":
      return call.reply.simple("Background append only file rewriting scheduled");
    case "already":
      throw new CommandError("ERR Background append only file rewriting already in progress");
    case "failed":
      throw new CommandError(
        "ERR Can't execute an AOF background rewriting. Please check the server logs for more information.",
      );
  }
}

const SCHEDULE = latin1Bytes("schedule");
const SAVING = "ERR Background save already in progress";

function save(call: Call, { persistence }: PersistenceDeps): void {
  if (persistence.inProgress) throw new CommandError(SAVING);
  if (!persistence.save()) throw new CommandError("ERR");
  call.reply.ok();
}

function bgsave(call: Call, { persistence }: PersistenceDeps): void {
  const schedule = call.argc > 1;
  if (call.argc > 2 || (schedule && !call.is(1, SCHEDULE))) throw new CommandError(errors.syntax);
  switch (persistence.bgsave(schedule)) {
    case "started":
      return call.reply.simple("Background saving started");
    case "scheduled":
      return call.reply.simple("Background saving scheduled");
    case "saving":
      throw new CommandError(SAVING);
    case "rewriting":
      throw new CommandError(
        "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to " +
          "schedule a BGSAVE whenever possible.",
      );
    case "failed":
      throw new CommandError("ERR");
  }
}

export function persistenceCommands(deps: PersistenceDeps): CommandSpec[] {
  return [
    {
      name: "save",
      arity: 1,
      flags: ["admin", "noscript", "no_async_loading", "no_multi"],
      categories: [],
      since: "1.0.0",
      group: "server",
      summary: "Saves the data set while clients wait.",
      complexity: "O(N), N keys",
      run: (call) => save(call, deps),
    },
    {
      name: "bgsave",
      arity: -1,
      flags: ["admin", "noscript", "no_async_loading"],
      categories: [],
      since: "1.0.0",
      group: "server",
      summary: "Saves the data set in the background.",
      complexity: "O(1)",
      args: "[SCHEDULE@3.2.2]",
      history: [["3.2.2", "Option `SCHEDULE`."]],
      run: (call) => bgsave(call, deps),
    },
    {
      name: "bgrewriteaof",
      arity: 1,
      flags: ["admin", "noscript", "no_async_loading"],
      categories: [],
      since: "1.0.0",
      group: "server",
      summary: "Rewrites the AOF in the background.",
      complexity: "O(1)",
      run: (call) => bgrewriteaof(call, deps),
    },
    {
      name: "lastsave",
      arity: 1,
      flags: ["loading", "stale", "fast"],
      categories: ["admin", "dangerous"],
      since: "1.0.0",
      group: "server",
      summary: "The Unix time of the last successful save.",
      complexity: "O(1)",
      tips: ["nondeterministic_output"],
      run: (call) => call.reply.int(Math.floor(deps.persistence.lastSave / 1000)),
    },
  ];
}
