import { renameSync } from "node:fs";
import { systemErrorText } from "../config/errors.ts";
import type { AppendFile } from "./append-file.ts";
import { BaseFile, sizeOf } from "./base-file.ts";
import type { AofFolder, AofLog } from "./folder.ts";
import { RewriteLimit } from "./rewrite-limit.ts";
import type { AofLatencyEvent, AofWriter } from "./writer.ts";

/**
 * BGREWRITEAOF.
 *
 *   1 preparing   what is recorded so far is written and synced, off this thread
 *   2 writing     at one moment: a new incremental file, in the manifest, takes what is recorded from now on,
 *                 and a snapshot of the data set as of now begins to write a base file
 *   3 finishing   the base is synced and renamed; a manifest with it and without what came before replaces the
 *                 old one; what came before is deleted
 *
 * A failure at any point leaves what was there, and at most one incremental file more. While the AOF is being
 * turned on there is nothing yet to add to: what is recorded goes to a temporary file, which joins the manifest
 * with the base; where the rewrite fails it is deleted, and the rewrite is started anew.
 */

/** Takes the base as the snapshot writes it. `write` throws the system's error; then call `failed` with it. */
export interface BaseSink {
  write(bytes: Uint8Array): void;
  done(): void;
  failed(error: unknown): void;
}

/** A snapshot being written; it drives itself. */
export interface BaseJob {
  /** Ends it; the sink hears no more of it. */
  abort(): void;
}

export type BaseFormat = "rdb" | "aof";

/** "wait": being turned on, the first rewrite is not done yet. */
export type AofState = "off" | "on" | "wait";

export interface RewriteSettings {
  readonly aofUseRdbPreamble: boolean;
  readonly aofRewriteIncrementalFsync: boolean;
  readonly aofTimestampEnabled: boolean;
  readonly aofDisableAutoGc: boolean;
  readonly autoAofRewritePercentage: number;
  readonly autoAofRewriteMinSize: number;
}

export interface RewriteDeps {
  readonly settings: RewriteSettings;
  readonly clock: { readonly now: number };
  readonly log: AofLog;
  latency(event: AofLatencyEvent, milliseconds: number): void;
  /** Another snapshot is under way (BGSAVE, a full sync): only one at a time. */
  snapshotActive(): boolean;
  /** Between the first and the last effect of a transaction or script. */
  inTransaction(): boolean;
  /** Begins a snapshot of the data set as of this very moment. */
  startBase(sink: BaseSink, format: BaseFormat): BaseJob;
}

export type RewriteAnswer = "started" | "scheduled" | "already" | "failed";

const MEGABYTE = 1024 * 1024;

export class AofRewrite {
  state: AofState = "off";
  scheduled = false;
  /** Rewrites begun. */
  count = 0;
  lastOk = true;
  /** Seconds the last one took; -1: there was none. */
  lastSeconds = -1;
  /** Bytes of the AOF when it was last rewritten, or of its base at the start. */
  baseSize = 0;
  /** Bytes of all files but the one written to. */
  otherBytes = 0;
  readonly limit: RewriteLimit;
  private startedAt = 0;
  private phase: "idle" | "preparing" | "writing" | "finishing" = "idle";
  private base: BaseFile | null = null;
  private job: BaseJob | null = null;
  private format: BaseFormat = "rdb";
  private attempts = 0;
  private temporaries = 0;

  constructor(
    private readonly folder: AofFolder,
    private readonly writer: AofWriter,
    private readonly deps: RewriteDeps,
  ) {
    this.limit = new RewriteLimit(deps.clock, deps.log);
  }

  get inProgress(): boolean {
    return this.phase !== "idle";
  }

  /** Seconds since the rewrite under way began; -1: none is. */
  get currentSeconds(): number {
    return this.inProgress ? Math.floor((this.deps.clock.now - this.startedAt) / 1000) : -1;
  }

  /** Bytes of the AOF. */
  get size(): number {
    return this.otherBytes + this.writer.fileSize;
  }

  // ------------------------------------------------------------------ when

  /** BGREWRITEAOF. */
  request(): RewriteAnswer {
    if (this.inProgress) return "already";
    if (this.deps.snapshotActive() || this.deps.inTransaction()) {
      this.scheduled = true;
      this.limit.failures = 0;
      return "scheduled";
    }
    return this.start() ? "started" : "failed";
  }

  /** With each tick of the cron: what is scheduled, and what has grown enough. */
  tick(): void {
    const { deps } = this;
    if (this.inProgress || deps.snapshotActive() || deps.inTransaction()) return;
    if (this.scheduled) {
      if (!this.limit.active) this.start();
      return;
    }
    const { autoAofRewritePercentage, autoAofRewriteMinSize } = deps.settings;
    if (this.state !== "on" || autoAofRewritePercentage === 0 || this.size <= autoAofRewriteMinSize) return;
    const growth = Math.floor((this.size * 100) / (this.baseSize || 1)) - 100;
    if (growth < autoAofRewritePercentage || this.limit.active) return;
    deps.log.notice(`Starting automatic rewriting of AOF on ${growth}% growth`);
    this.start();
  }

  // ------------------------------------------------------------------ how

  /** False: it cannot begin, and the log says why. */
  start(): boolean {
    if (!this.folder.create()) return this.cannotStart();
    this.phase = "preparing";
    this.startedAt = this.deps.clock.now;
    const attempt = ++this.attempts;
    let begun = true;
    this.writer.prepareToLeave(() => {
      if (this.phase === "preparing" && attempt === this.attempts) begun = this.begin();
    });
    return begun;
  }

  private cannotStart(): false {
    this.phase = "idle";
    this.lastOk = false;
    this.limit.failures++;
    return false;
  }

  private begin(): boolean {
    const { deps, folder } = this;
    const format: BaseFormat = deps.settings.aofUseRdbPreamble ? "rdb" : "aof";
    const name = `temp-rewriteaof-bg-${process.pid}-${++this.temporaries}.aof`;
    try {
      this.base = new BaseFile(folder.path(name), deps.settings.aofRewriteIncrementalFsync);
    } catch (error) {
      deps.log.warning(`Opening the temp file for AOF rewrite failed: ${systemErrorText(error)}`);
      return this.cannotStart();
    }
    if (!this.openIncr()) {
      this.base.discard();
      this.base = null;
      return this.cannotStart();
    }
    this.count++;
    this.scheduled = false;
    this.phase = "writing";
    this.format = format;
    deps.log.notice(`Background append only file rewriting started by pid ${process.pid}`);
    this.startJob(this.base, format);
    return true;
  }

  private startJob(base: BaseFile, format: BaseFormat): void {
    const current = () => this.base === base && this.phase === "writing";
    const failed = (error: unknown) => {
      if (current()) this.writeFailed(error);
    };
    try {
      if (format === "aof" && this.deps.settings.aofTimestampEnabled)
        base.write(Buffer.from(`#TS:${Math.floor(Date.now() / 1000)}\r\n`));
      const sink: BaseSink = {
        write: (bytes) => base.write(bytes),
        done: () => {
          if (current()) this.written(base);
        },
        failed,
      };
      const job = this.deps.startBase(sink, format);
      if (current()) this.job = job;
    } catch (error) {
      failed(error);
    }
  }

  /** From now on what is recorded goes to a file of its own. */
  private openIncr(): boolean {
    const { folder, writer, state } = this;
    if (state === "off") return true;
    const manifest = folder.manifest.clone();
    const name = state === "wait" ? folder.temporaryIncrName : manifest.nextIncr(folder.filename).name;
    let file: AppendFile;
    try {
      file = writer.openFile(folder.path(name), "create");
    } catch (error) {
      this.deps.log.warning(`Can't open the append-only file ${name}: ${systemErrorText(error)}`);
      return false;
    }
    // The manifest must know the file before anything is in it, and the file before must be whole by then.
    const ready = writer.readyToLeave();
    if (!ready) this.deps.log.warning("Can't rewrite the AOF while the current file cannot be written");
    if (!ready || (state === "on" && !folder.persist(manifest))) {
      file.close();
      if (!folder.isNamedOnDisk(name)) folder.deleteNow(name);
      return false;
    }
    this.deps.log.notice(`Creating AOF incr file ${name} on background rewrite`);
    this.otherBytes += writer.fileSize;
    writer.leave();
    writer.use(file);
    return true;
  }

  private written(base: BaseFile): void {
    this.phase = "finishing";
    this.job = null;
    base.finish((failure) => {
      if (this.base !== base) return;
      if (failure !== null) return this.writeFailed(failure);
      this.deps.log.notice(`Successfully created the temporary AOF base file ${base.path}`);
      this.deps.log.notice(
        `AOF rewrite: ${(base.size / MEGABYTE).toFixed(1)} MB of base file written without a child process`,
      );
      this.switchOver(base);
    });
  }

  private writeFailed(error: unknown): void {
    this.deps.log.warning(`Write error writing append only file on disk: ${systemErrorText(error)}`);
    this.deps.log.warning("Background AOF rewrite terminated with error");
    this.ended(false);
  }

  /** The base is on disk: the data set is now that, and what came since. */
  private switchOver(base: BaseFile): void {
    const { deps, folder, writer } = this;
    deps.log.notice("Background AOF rewrite terminated with success");
    const started = performance.now();
    const manifest = folder.manifest.clone();
    const { name } = manifest.nextBase(folder.filename, this.format);
    if (!this.rename("base", base.path, name)) return this.ended(false);
    this.base = null;
    let incr = "";
    if (this.state === "wait") {
      incr = manifest.nextIncr(folder.filename).name;
      if (!this.rename("incr", folder.path(folder.temporaryIncrName), incr)) {
        folder.deleteLater(name);
        return this.ended(false);
      }
    }
    deps.latency("aof-rename", performance.now() - started);
    manifest.retireIncrs(this.state === "off" ? 0 : 1);
    if (!folder.persist(manifest)) {
      // The manifest may have been replaced all the same: what it names must then stay.
      for (const orphan of [name, incr])
        if (orphan !== "" && !folder.isNamedOnDisk(orphan)) folder.deleteLater(orphan);
      return this.ended(false);
    }
    if (this.state !== "off") {
      this.otherBytes = sizeOf(folder.path(name));
      this.baseSize = this.size;
    }
    if (!deps.settings.aofDisableAutoGc) folder.deleteHistory();
    if (this.state === "wait") this.state = "on";
    writer.forgetOldFailures();
    deps.log.notice("Background AOF rewrite finished successfully");
    this.ended(true);
  }

  private rename(kind: "base" | "incr", from: string, name: string): boolean {
    const { folder, deps } = this;
    try {
      renameSync(from, folder.path(name));
    } catch (error) {
      deps.log.warning(
        `Error trying to rename the temporary AOF ${kind} file ${from} into ${folder.path(name)}: ` +
          systemErrorText(error),
      );
      return false;
    }
    deps.log.notice(`Successfully renamed the temporary AOF ${kind} file ${from} into ${name}`);
    return true;
  }

  private ended(ok: boolean): void {
    this.phase = "idle";
    this.job = null;
    this.base?.discard();
    this.base = null;
    this.lastOk = ok;
    this.limit.failures = ok ? 0 : this.limit.failures + 1;
    this.lastSeconds = Math.floor((this.deps.clock.now - this.startedAt) / 1000);
    if (this.state === "wait") this.dropTemporary();
  }

  /** While being turned on: nothing of what was recorded counts, and the rewrite begins anew. */
  private dropTemporary(): void {
    this.writer.stop(true);
    const name = this.folder.temporaryIncrName;
    this.deps.log.notice(`Removing the temp incr aof file ${name} in the background`);
    this.folder.deleteNow(name);
    this.scheduled = true;
  }

  /** Ends the rewrite under way: it is not wanted any more. */
  abort(): void {
    if (!this.inProgress) return;
    this.deps.log.notice(`Killing running AOF rewrite child: ${process.pid}`);
    this.phase = "idle";
    this.job?.abort();
    this.job = null;
    this.base?.discard();
    this.base = null;
    this.lastSeconds = Math.floor((this.deps.clock.now - this.startedAt) / 1000);
  }
}
