import type { Aof } from "../aof/aof.ts";
import type { Blocking, Hold } from "../blocking/blocking.ts";
import type { Call } from "../call/call.ts";
import type { Config } from "../config/config.ts";
import type { Log } from "../host/log.ts";
import type { Primary } from "../replication/primary.ts";
import type { ForegroundSave, Persistence } from "./persistence.ts";

/**
 * Ending the server: SHUTDOWN, SIGTERM and SIGINT.
 *
 *   signal -> noted -> the cron begins -> replicas catch up -> AOF to disk, BGSAVE given up
 *                                                           -> final RDB file, in slices -> exit
 *
 * Replicas are waited for up to shutdown-timeout; writes wait as well meanwhile, so that there is an end to it. Until
 * they have caught up, SHUTDOWN ABORT takes everything back. While the final file is written everybody waits,
 * so that nothing is acknowledged that it lacks; it is written in slices all the same, because a second SIGINT
 * must be heard: it ends the process at once. Where saving is wanted and cannot be done, the server lives on.
 */
export interface ShutdownRequest {
  /** What to do about the data set; "default": save if save points are configured. */
  save: "default" | "save" | "nosave";
  /** Do not wait for replicas that lag behind. */
  now: boolean;
  /** End even where saving fails. */
  force: boolean;
}

export interface ShutdownParts {
  readonly config: Config;
  readonly log: Log;
  readonly persistence: Persistence;
  readonly aof: Aof;
  readonly blocking: Pick<Blocking, "hold" | "resume">;
  readonly primary: Pick<Primary, "all" | "askForAcks">;
  readonly history: { readonly offset: number };
  /** The data set is not whole yet. */
  loading(): boolean;
  /** Writes wait from now on, see `waiting`, or go on again. */
  holdWrites(held: boolean): void;
  /** Everything stands still from now on, or goes on again. */
  freeze(frozen: boolean): void;
  closeAll(): void;
  /** All is closed: the server has come to its end. */
  exit(): void;
}

type Signal = "SIGTERM" | "SIGINT";

const SLICE_MS = 50;

export class Shutdown {
  /** The signal that the cron is to obey, or is obeying. */
  private asked: Signal | null = null;
  /** The data set is being saved. */
  saving = false;
  /** Until when replicas are waited for, milliseconds since 1970; 0: they are not. */
  waitsUntil = 0;
  private request: ShutdownRequest | null = null;
  /** The clients whose SHUTDOWN is under way. */
  private holds: Hold[] = [];
  private failedHold: Hold | null = null;

  constructor(private readonly parts: ShutdownParts) {}

  /** The process has got a signal; "insists": it is to end without any more ado. */
  signalled(signal: Signal): "noted" | "insists" {
    const { log, persistence, loading } = this.parts;
    if (this.asked !== null && signal === "SIGINT") {
      log.warning("You insist... exiting now.");
      persistence.removeTemporary();
      return "insists";
    }
    log.warning(
      loading()
        ? "Received shutdown signal during loading, scheduling shutdown."
        : `Received ${signal} scheduling shutdown...`,
    );
    this.asked = signal;
    return "noted";
  }

  /** With each tick of the cron: obeys a signal, as shutdown-on-sigterm and shutdown-on-sigint say. */
  tick(): void {
    if (this.saving) return;
    if (this.waitsUntil > 0) {
      if (Date.now() >= this.waitsUntil || this.caughtUp()) this.finish();
      return;
    }
    if (this.asked === null) return;
    const words = this.parts.config.text(
      this.asked === "SIGTERM" ? "shutdown-on-sigterm" : "shutdown-on-sigint",
    );
    this.begin(
      {
        save: words.includes("nosave") ? "nosave" : words.includes("save") ? "save" : "default",
        now: words.includes("now"),
        force: words.includes("force"),
      },
      null,
    );
  }

  /** SHUTDOWN; false: refused, the log says why. If it returns true, the call is held, and executed again if it fails. */
  run(call: Call, request: ShutdownRequest): boolean {
    return this.begin(request, call);
  }

  /** Whether this is the call that was held and has failed since. */
  hasFailed(call: Call): boolean {
    return this.failedHold?.session === call.session;
  }

  /** SHUTDOWN ABORT; false where there is nothing to abort. */
  abort(): boolean {
    if (this.asked === null && this.waitsUntil === 0) return false;
    this.asked = null;
    if (this.waitsUntil > 0) this.cancel();
    this.parts.log.notice("Shutdown manually aborted.");
    return true;
  }

  /** The program that the server runs in ends it. */
  end(request: ShutdownRequest): void {
    this.begin(request, null);
  }

  private begin(request: ShutdownRequest, call: Call | null): boolean {
    const { log, config, blocking, primary } = this.parts;
    if (this.waitsUntil > 0) {
      // Somebody has asked before: who asks again waits for the same end.
      if (call !== null) this.holds.push(blocking.hold(call));
      return true;
    }
    log.notice("User requested shutdown...");
    this.request = request;
    const { shutdownTimeout } = config.values;
    if (request.now || shutdownTimeout === 0 || this.caughtUp()) return this.finish(call);
    if (call !== null) this.holds.push(blocking.hold(call));
    this.waitsUntil = Date.now() + shutdownTimeout * 1000;
    primary.askForAcks();
    this.parts.holdWrites(true);
    log.notice("Waiting for replicas before shutting down.");
    return true;
  }

  private caughtUp(): boolean {
    const { primary, history } = this.parts;
    for (const { acknowledged } of primary.all()) if (acknowledged < history.offset) return false;
    return true;
  }

  private reportReplicas(): void {
    const { log, primary, history } = this.parts;
    const replicas = [...primary.all()];
    if (replicas.length === 0) return;
    const lagging = replicas.filter(({ acknowledged }) => acknowledged < history.offset);
    for (const replica of lagging) {
      const lag = replica.state === "online" ? replica.lag(Date.now()) : 0;
      log.notice(
        `Lagging replica ${replica.name} reported offset ${history.offset - replica.acknowledged} behind master, ` +
          `lag=${lag}, state=${replica.state}.`,
      );
    }
    const inSync = replicas.length - lagging.length;
    log.notice(`${inSync} of ${replicas.length} replicas are in sync when shutting down.`);
  }

  /** `call`: the SHUTDOWN that is being executed, unless it is held already. */
  private finish(call: Call | null = null): boolean {
    const { log, aof, persistence, config, loading, blocking } = this.parts;
    const request = this.request!;
    this.reportReplicas();
    const { blocksShutdown } = aof;
    if (blocksShutdown !== null && !request.force) {
      log.warning(`${blocksShutdown}, can't exit.`);
      this.failed();
      return false;
    }
    if (blocksShutdown !== null) log.warning(`${blocksShutdown}. Exit anyway.`);
    if (persistence.inProgress) log.warning("There is a child saving an .rdb. Killing it!");
    persistence.abort();
    aof.close();
    // Half a data set must not take the place of the whole one.
    const save = loading() ? "nosave" : request.save;
    if (save === "nosave" || (save === "default" && config.values.save.length === 0)) return this.exit();
    log.notice("Saving the final RDB snapshot before exiting.");
    if (call !== null) this.holds.push(blocking.hold(call));
    this.saving = true;
    this.parts.freeze(true);
    this.slice(persistence.beginSave(), request.force);
    return true;
  }

  private slice(save: ForegroundSave, force: boolean): void {
    const delay = this.parts.config.values.rdbKeySaveDelay;
    const end = performance.now() + SLICE_MS;
    const before = save.keys;
    const state = save.step(() => delay > 0 || performance.now() >= end);
    if (state === "more") {
      setTimeout(() => this.slice(save, force), (delay * (save.keys - before)) / 1000);
      return;
    }
    const { log } = this.parts;
    if (state === "done") return void this.exit();
    if (force) {
      log.warning("Error trying to save the DB. Exit anyway.");
      return void this.exit();
    }
    log.warning("Error trying to save the DB, can't exit.");
    this.saving = false;
    this.parts.freeze(false);
    this.failed();
  }

  private failed(): void {
    this.parts.log.warning("Errors trying to shut down the server. Check the logs for more information.");
    this.asked = null;
    this.cancel();
  }

  /** Nothing comes of it: who asked for it is told, and writes go on. */
  private cancel(): void {
    const holds = this.holds.splice(0);
    this.request = null;
    if (this.waitsUntil > 0) {
      this.waitsUntil = 0;
      this.parts.holdWrites(false);
    }
    // Where it failed in its first slice, the command is still under way.
    queueMicrotask(() => {
      for (const hold of holds) {
        this.failedHold = hold;
        this.parts.blocking.resume(hold);
      }
      this.failedHold = null;
    });
  }

  private exit(): true {
    const { log, closeAll, exit } = this.parts;
    closeAll();
    log.warning("Redis is now ready to exit, bye bye...");
    exit();
    return true;
  }
}
