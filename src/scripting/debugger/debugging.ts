import type { Call } from "../../call/call.ts";
import type { Command, Registry } from "../../call/registry.ts";
import type { Session } from "../../call/session.ts";
import type { Log } from "../../host/log.ts";
import type { Database } from "../../keyspace/database.ts";
import { CommandError } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/reply-writer.ts";
import type { Machine } from "../lua/machine.ts";
import { Debugger } from "./debugger.ts";
import { Undo } from "./undo.ts";

/** What a script that is debugged has beside others: its debugger, and what takes its changes back if they are to go. */

/** It is stopped after so many milliseconds where busy-reply-threshold does not say. */
const USUAL_PATIENCE_MS = 5000;

export interface DebuggingDeps {
  readonly settings: { readonly busyReplyThreshold: number };
  readonly log: Log;
  readonly keyspace: { select(id: number): Database };
  readonly registry: () => Registry;
  readonly executor: () => { begin(): void; readonly execute: (call: Call, command: Command) => void };
  /** What happens to keys is told; not while all of it is to be taken back. */
  readonly events: { classes: number };
}

export class Debugging {
  readonly debugger: Debugger;
  readonly undo: Undo | null = null;
  private readonly eventClasses: number;

  /** `session`: the script's own. */
  constructor(
    private readonly deps: DebuggingDeps,
    private readonly caller: Session,
    session: Session,
    machine: Machine,
    source: string,
  ) {
    const { events, keyspace, log, settings } = deps;
    if (caller.denyBlocking) throw new CommandError("ERR A script cannot be debugged inside a transaction");
    log.notice("Redis synchronous debugging eval session started");
    this.debugger = new Debugger(
      machine,
      caller,
      source,
      settings.busyReplyThreshold || USUAL_PATIENCE_MS,
      () => {
        deps.executor().begin();
        machine.resume();
      },
    );
    this.eventClasses = events.classes;
    if (caller.scriptDebugging !== "undone") return;
    this.undo = new Undo(
      {
        keyspace,
        registry: deps.registry(),
        execute: (call, command) => deps.executor().execute(call, command),
      },
      session,
    );
    events.classes = 0;
  }

  /** The script's reply follows; with it the client's connection ends. */
  end(reply: ReplyWriter): void {
    const { caller, deps } = this;
    this.undo?.rollBack();
    deps.events.classes = this.eventClasses;
    reply.raw(this.debugger.finish());
    caller.scriptDebugging = "off";
    deps.log.notice("Redis synchronous debugging eval session ended");
    caller.link.close("after-replies");
  }
}
