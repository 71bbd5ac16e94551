import { existsSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { BaseFile } from "../aof/base-file.ts";
import { readContext } from "../commands/dump.ts";
import type { Config } from "../config/config.ts";
import { systemErrorText } from "../config/errors.ts";
import type { Database } from "../keyspace/database.ts";
import { type LoadOptions, type LoadTarget, RdbLoad } from "../rdb/load.ts";
import type { RdbSource } from "../rdb/reader.ts";
import { auxFields, RdbRecords, RdbSave, type SaveOptions, usageOf } from "../rdb/save.ts";
import { FileSource } from "../rdb/sources.ts";
import type { LibrarySet } from "../scripting/functions.ts";
import type { Server } from "./server.ts";
import { SnapshotJob } from "./snapshot-job.ts";

/**
 * The RDB file: SAVE, BGSAVE and save points write it, under a temporary name that takes the old one's place
 * when all is on disk; the server loads it when it starts. BGSAVE is a snapshot written in slices, not a
 * process of its own.
 */

/** After a failed BGSAVE, the save points wait so long before they try again. */
const RETRY_MS = 5000;
const MISCONF =
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that " +
  "may modify the data set are disabled, because this instance is configured to report errors during writes if RDB " +
  "snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB " +
  "error.";

/** Absolute, since CONFIG SET dir may come before the file is whole. */
function temporaryName(config: Config): string {
  return resolve(config.path(`temp-${process.pid}.rdb`));
}

export type BgsaveAnswer = "started" | "scheduled" | "saving" | "rewriting" | "failed";

export class Persistence {
  /** Milliseconds since 1970 of the last save that worked. */
  lastSave = Date.now();
  lastOk = true;
  lastSeconds = -1;
  saves = 0;
  keysLoaded = 0;
  keysExpired = 0;
  job: SnapshotJob | null = null;
  /** Bytes of records that the last BGSAVE had to write ahead of their turn, see SnapshotGuard. */
  lastCopied = 0;
  private scheduled = false;
  /** Hears how the save under way ends. */
  private ended: ((ok: boolean) => void) | null = null;
  /** What BGSAVE writes to, while one is under way. */
  private file: BaseFile | null = null;
  /** The name of what the save under way, or the last one, writes to until it is whole. */
  private temporary = "";
  /** BGSAVE has been promised, and waits for a snapshot given up to end its walk. */
  private starting: ReturnType<typeof setInterval> | null = null;
  private lastTry = 0;

  constructor(private readonly server: Server) {}

  get path(): string {
    return this.server.config.path(this.server.config.values.dbfilename);
  }

  /** Why write commands are refused, or null. */
  get refusal(): string | null {
    const { values } = this.server.config;
    return !this.lastOk && values.stopWritesOnBgsaveError && values.save.length > 0 ? MISCONF : null;
  }

  options(aofBase: boolean): SaveOptions {
    const { config, clock, memory } = this.server;
    return {
      compress: config.values.rdbcompression,
      checksum: config.values.rdbchecksum,
      usage: usageOf(config.values.maxmemoryPolicy),
      functions: [...this.server.scripting.functions.sources()],
      aux: auxFields({
        now: clock.now,
        usedMemory: memory.used,
        aofBase,
        replication: this.server.replication.savedHistory,
      }),
    };
  }

  // ------------------------------------------------------------------ saving

  /** SAVE: writes the file while everybody waits; false where it could not be written. */
  save(): boolean {
    const save = this.beginSave();
    const delay = this.server.config.values.rdbKeySaveDelay;
    for (;;) {
      const before = save.keys;
      const state = save.step(() => delay > 0);
      if (state !== "more") return state === "done";
      Bun.sleepSync((delay * (save.keys - before)) / 1000);
    }
  }

  /** A save to be stepped, between whose steps nothing may change. */
  beginSave(): ForegroundSave {
    const { server } = this;
    this.temporary = temporaryName(this.server.config);
    return new ForegroundSave(
      this.path,
      this.temporary,
      server.keyspace.all(),
      this.options(false),
      (failure) => {
        if (failure !== null) {
          server.log.warning(`Failed saving the DB: ${systemErrorText(failure)}`);
          return;
        }
        server.log.notice("DB saved on disk");
        this.saved(server.counters.changes, Date.now());
      },
    );
  }

  private saved(changes: number, startedAt: number): void {
    this.server.counters.changes -= changes;
    this.lastSave = Date.now();
    this.lastSeconds = Math.floor((Date.now() - startedAt) / 1000);
    this.lastOk = true;
    this.saves++;
  }

  /** A BGSAVE is under way, or promised. */
  get saving(): boolean {
    return this.job !== null || this.starting !== null;
  }

  /** So it is, or replicas are being sent the data set. */
  get inProgress(): boolean {
    return this.saving || this.server.replication.primary.syncing;
  }

  /** BGSAVE; with `schedule` it waits for what stands in its way. A transaction is not saved by half. */
  bgsave(schedule: boolean): BgsaveAnswer {
    const { server } = this;
    const { running } = server.transactions;
    if (this.inProgress) return "saving";
    if (running || server.appendOnly.aof.rewrite.inProgress) {
      if (!schedule && !running) return "rewriting";
      this.scheduled = true;
      return "scheduled";
    }
    if (!server.snapshots.active) return this.start() ? "started" : "failed";
    this.starting = setInterval(() => {
      if (server.snapshots.active) return;
      this.stopStarting();
      this.start();
    }, 1);
    return "started";
  }

  private stopStarting(): void {
    if (this.starting !== null) clearInterval(this.starting);
    this.starting = null;
  }

  /** Saves for replicas, which get the file; false: it cannot begin. A save given up counts as failed. */
  saveForReplicas(done: (ok: boolean) => void): boolean {
    return this.start(done);
  }

  private start(ended: ((ok: boolean) => void) | null = null): boolean {
    const { server } = this;
    const { log } = server;
    this.lastTry = Date.now();
    let file: BaseFile;
    try {
      this.temporary = temporaryName(this.server.config);
      file = new BaseFile(this.temporary, server.config.values.rdbSaveIncrementalFsync);
    } catch (error) {
      log.warning(`Failed opening the temp RDB file for saving: ${systemErrorText(error)}`);
      this.lastOk = false;
      return false;
    }
    const target = resolve(this.path);
    const changes = server.counters.changes;
    const failed = (error: unknown): void => {
      // Given up meanwhile: the temporary file of that name may be another's.
      if (this.job !== job) return;
      file.discard("now");
      this.job = this.file = null;
      this.lastOk = false;
      log.warning(`Background saving error: ${systemErrorText(error)}`);
      this.tellEnd(false);
    };
    const job = new SnapshotJob(
      server.counters,
      server.snapshots,
      [...server.keyspace.all()],
      (databases, bytes) => new RdbRecords(databases, bytes, this.options(false), true),
      {
        write: (buf, start, end) => file.write(buf.subarray(start, end)),
        failed,
        done: () =>
          file.finish((failure) => {
            if (failure !== null) return failed(failure);
            if (this.job !== job) return;
            try {
              file.rename(target);
            } catch (error) {
              return failed(error);
            }
            this.job = this.file = null;
            this.lastCopied = server.snapshots.copied;
            log.notice("DB saved on disk");
            log.notice("Background saving terminated with success");
            this.saved(changes, job.startedAt);
            this.tellEnd(true);
          }),
      },
      () => server.config.values.rdbKeySaveDelay,
    );
    this.job = job;
    this.file = file;
    this.ended = ended;
    log.notice(`Background saving started by pid ${process.pid}`);
    return true;
  }

  /** Gives a running BGSAVE up, as FLUSHALL, SAVE at the end and DEBUG RELOAD do. */
  abort(): void {
    this.stopStarting();
    if (this.job === null) return;
    this.server.log.notice("The background save under way is given up");
    this.job.abort();
    this.file?.discard("now");
    this.job = this.file = null;
    this.tellEnd(false);
  }

  private tellEnd(ok: boolean): void {
    const { ended } = this;
    this.ended = null;
    ended?.(ok);
  }

  /** Removes what a save that will not go on has written. */
  removeTemporary(): void {
    rmSync(this.temporary, { force: true });
  }

  /** After FLUSHALL: with save points, the empty data set is saved at once. */
  flushed(): void {
    this.abort();
    if (this.server.config.values.save.length > 0) this.save();
  }

  /** With each tick of the cron: save points, and what was scheduled. */
  tick(): void {
    const { server } = this;
    if (this.inProgress || server.snapshots.active || server.appendOnly.aof.rewrite.inProgress) return;
    if (this.scheduled) {
      this.scheduled = false;
      this.start();
      return;
    }
    const now = Date.now();
    if (!this.lastOk && now - this.lastTry < RETRY_MS) return;
    const { changes } = server.counters;
    const elapsed = (now - this.lastSave) / 1000;
    for (const point of server.config.values.save) {
      if (changes < point.changes || elapsed <= point.seconds) continue;
      server.log.notice(`${point.changes} changes in ${point.seconds} seconds. Saving...`);
      this.start();
      return;
    }
  }

  // ------------------------------------------------------------------ loading

  get fileExists(): boolean {
    return existsSync(this.path);
  }

  /** The file, to be loaded and then closed; throws the system's error. */
  open(): FileSource {
    return FileSource.open(this.path);
  }

  /** A load, to be stepped. */
  load(
    source: RdbSource,
    options: Partial<LoadOptions> = {},
    target: LoadTarget = this.server.keyspace,
    libraries: LibrarySet | undefined = undefined,
  ): RdbLoad {
    const { config, log, scripting } = this.server;
    return new RdbLoad(source, target, {
      context: readContext(this.server),
      log,
      checksum: config.values.rdbchecksum,
      deep: config.values.sanitizeDumpPayload === "yes",
      skipExpired: true,
      onFunction: (source) => {
        const replace = options.allowDuplicates === true;
        try {
          scripting.functions.load(source, { replace, patient: true }, libraries);
        } catch (error) {
          log.warning(`Failed loading library, ${error instanceof Error ? error.message : String(error)}`);
          throw error;
        }
      },
      ...options,
    });
  }

  /** Lets go of all that is loaded, for a load that takes its place. */
  clear(): void {
    this.server.keyspace.flushAll();
    this.server.scripting.functions.flush();
  }

  /** A load has ended. */
  loaded(load: RdbLoad): void {
    this.keysLoaded = load.keysLoaded;
    this.keysExpired = load.keysExpired;
  }
}

/** Writing the file while nothing else happens, in steps. */
export class ForegroundSave {
  private file: BaseFile | null = null;
  private save: RdbSave | null = null;

  /** `ended` hears of the error, null where all is on disk under the file's name. */
  constructor(
    private readonly path: string,
    private readonly temporary: string,
    private readonly databases: Iterable<Database>,
    private readonly options: SaveOptions,
    private readonly ended: (failure: unknown) => void,
  ) {}

  /** Keys written. */
  get keys(): number {
    return this.save?.keys ?? 0;
  }

  step(outOfTime: () => boolean): "more" | "done" | "failed" {
    try {
      const file = (this.file ??= new BaseFile(this.temporary, false));
      this.save ??= new RdbSave(
        this.databases,
        (buf, start, end) => file.write(buf.subarray(start, end)),
        this.options,
      );
      if (!this.save.step(outOfTime)) return "more";
      file.finishNow();
      file.rename(this.path);
    } catch (error) {
      this.file?.discard("now");
      this.ended(error);
      return "failed";
    }
    this.ended(null);
    return "done";
  }
}
