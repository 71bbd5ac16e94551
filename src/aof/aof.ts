import { systemErrorText } from "../config/errors.ts";
import { BaseFile } from "./base-file.ts";
import { AofFolder, type AofLog, type FolderNames } from "./folder.ts";
import { AofLoad, type LoadDeps } from "./load.ts";
import { AofRewrite, type RewriteAnswer, type RewriteDeps, type RewriteSettings } from "./rewrite.ts";
import { AofWriter, type WriterDeps, type WriterSettings } from "./writer.ts";

/**
 * The AOF as the server sees it: loading and opening at the start, on and off at run time, the cron's share, and
 * what INFO shows. The parts: folder.ts (manifest and files), load.ts, writer.ts, rewrite.ts.
 */

export type AofSettings = WriterSettings & RewriteSettings & { readonly aofLoadTruncated: boolean };

export interface AofDeps extends Omit<WriterDeps, "settings" | "saving">, Omit<RewriteDeps, "settings"> {
  readonly settings: AofSettings;
  readonly names: FolderNames;
  readonly log: AofLog;
  /** An RDB of an empty data set. */
  emptyRdb(): Uint8Array;
}

/** Between attempts to mend a failed fsync by a rewrite: from, doubling, to. */
const MEND_MS = { first: 1000, most: 60_000 };

export class Aof {
  readonly folder: AofFolder;
  readonly writer: AofWriter;
  readonly rewrite: AofRewrite;
  private mendDelay = MEND_MS.first;
  private mendAt = 0;

  constructor(private readonly deps: AofDeps) {
    this.folder = new AofFolder(deps.names, deps.log);
    this.writer = new AofWriter({
      settings: deps.settings,
      clock: deps.clock,
      log: deps.log,
      latency: deps.latency,
      flushSleep: deps.flushSleep,
      disk: deps.disk,
      saving: () => this.rewrite.inProgress || deps.snapshotActive(),
    });
    this.rewrite = new AofRewrite(this.folder, this.writer, deps);
  }

  get state() {
    return this.rewrite.state;
  }

  /** Whether appendonly is in force or about to be. */
  get enabled(): boolean {
    return this.rewrite.state !== "off";
  }

  // ------------------------------------------------------------------ start

  /** Reads the manifest. False: the server must not start. */
  readManifest(): boolean {
    return this.folder.load();
  }

  /** Loads what the manifest names: to be stepped until it is not "more"; on "failed" the server must not start. */
  load(parts: Pick<LoadDeps, "execute" | "fileBegins" | "loadRdb">): AofLoad {
    const { settings, log } = this.deps;
    return new AofLoad({ folder: this.folder, log, settings, ...parts });
  }

  /** After loading with appendonly yes: opens the file to append to. False: the server must not start. */
  open(load: AofLoad): boolean {
    const { folder, writer, rewrite, deps } = this;
    const { manifest } = folder;
    if (!folder.create()) return false;
    if (manifest.files.length === 0 && !this.createBase()) return false;
    const existing = manifest.incrs.length > 0;
    const { name } = manifest.incrs.at(-1) ?? manifest.nextIncr(folder.filename);
    try {
      writer.use(writer.openFile(folder.path(name), "append"));
    } catch (error) {
      deps.log.warning(`Can't open the append-only file ${name}: ${systemErrorText(error)}`);
      return false;
    }
    if (!folder.persist(manifest)) return false;
    rewrite.state = "on";
    rewrite.otherBytes = folder.totalSize() - writer.fileSize;
    rewrite.baseSize = load.baseBytes;
    deps.log.notice(`${existing ? "Opening" : "Creating"} AOF incr file ${name} on server start`);
    if (!deps.settings.aofDisableAutoGc) folder.deleteHistory();
    return true;
  }

  /** With an empty data set the AOF begins with a base that says so. */
  private createBase(): boolean {
    const { folder, deps } = this;
    const { settings } = deps;
    const { name } = folder.manifest.nextBase(folder.filename, settings.aofUseRdbPreamble ? "rdb" : "aof");
    try {
      const base = new BaseFile(folder.path(`temp-rewriteaof-${process.pid}.aof`), false);
      if (settings.aofUseRdbPreamble) base.write(deps.emptyRdb());
      else if (settings.aofTimestampEnabled)
        base.write(Buffer.from(`#TS:${Math.floor(Date.now() / 1000)}\r\n`));
      base.finishNow();
      base.rename(folder.path(name));
    } catch (error) {
      deps.log.warning(`Write error writing append only file on disk: ${systemErrorText(error)}`);
      return false;
    }
    deps.log.notice(`Creating AOF base file ${name} on server start`);
    return true;
  }

  // ------------------------------------------------------------------ at run time

  /** BGREWRITEAOF. */
  bgrewrite(): RewriteAnswer {
    return this.rewrite.request();
  }

  /** CONFIG SET appendonly yes. False: refused, the log says why. */
  turnOn(): boolean {
    const { rewrite, deps } = this;
    if (rewrite.state !== "off") return true;
    rewrite.state = "wait";
    if (deps.snapshotActive()) {
      rewrite.scheduled = true;
      deps.log.notice(
        "AOF was enabled but there is already another background operation. An AOF background was scheduled to " +
          "start when possible.",
      );
    } else if (deps.inTransaction()) {
      rewrite.scheduled = true;
      deps.log.notice(
        "AOF was enabled during a transaction. An AOF background was scheduled to start when possible.",
      );
    } else {
      if (rewrite.inProgress) {
        deps.log.notice(
          "AOF was enabled but there is already an AOF rewriting in background. Stopping background AOF and " +
            "starting a rewrite now.",
        );
        rewrite.abort();
        if (deps.snapshotActive()) {
          rewrite.scheduled = true;
          return true;
        }
      }
      if (!rewrite.start()) {
        rewrite.state = "off";
        deps.log.warning(
          "Redis needs to enable the AOF but can't trigger a background AOF rewrite operation. Check the above " +
            "logs for more info about the error.",
        );
        return false;
      }
    }
    return true;
  }

  /** CONFIG SET appendonly no. The files stay. */
  turnOff(): void {
    const { rewrite, writer, folder } = this;
    if (rewrite.state === "off") return;
    const waiting = rewrite.state === "wait";
    rewrite.state = "off";
    rewrite.scheduled = false;
    rewrite.otherBytes = rewrite.baseSize = 0;
    rewrite.abort();
    writer.stop(waiting);
    if (waiting) folder.deleteNow(folder.temporaryIncrName);
  }

  /** CONFIG SET aof-disable-auto-gc no. */
  collectGarbage(): void {
    if (!this.deps.settings.aofDisableAutoGc) this.folder.deleteHistory();
  }

  /** With each tick of the cron. */
  tick(): void {
    this.writer.flush();
    this.mend();
    this.rewrite.tick();
  }

  /** After a failed fsync, a rewrite is what makes the AOF good again. */
  private mend(): void {
    const { rewrite, writer, deps } = this;
    if (writer.syncFailure === null) {
      this.mendDelay = MEND_MS.first;
      return;
    }
    if (rewrite.inProgress || rewrite.state !== "on" || deps.clock.now < this.mendAt) return;
    if (deps.snapshotActive() || deps.inTransaction()) return;
    this.mendAt = deps.clock.now + this.mendDelay;
    this.mendDelay = Math.min(this.mendDelay * 2, MEND_MS.most);
    deps.log.notice("Rewriting the AOF because an fsync of it failed");
    rewrite.start();
  }

  /** Before DEBUG LOADAOF loads anew: nothing may be left in the buffer. False: the manifest cannot be used. */
  beforeReload(): boolean {
    this.writer.flush(true);
    this.writer.active = false;
    return this.folder.load();
  }

  /** After it: goes on where the file ends. False: it cannot be opened, and the AOF is off. */
  afterReload(load: AofLoad): boolean {
    const { writer, folder } = this;
    if (!writer.fileOpen) return true;
    writer.active = true;
    const name = folder.manifest.incrs.at(-1)?.name;
    if (!load.truncated || this.rewrite.state !== "on" || name === undefined) return true;
    // The descriptor stands where the file ended before it was cut.
    writer.leave();
    try {
      writer.use(writer.openFile(folder.path(name), "append"));
    } catch (error) {
      this.deps.log.warning(`Can't open the append-only file ${name}: ${systemErrorText(error)}`);
      this.rewrite.state = "off";
      return false;
    }
    return true;
  }

  // ------------------------------------------------------------------ end

  /** Why the server must not end now; null: it may. */
  get blocksShutdown(): string | null {
    return this.rewrite.state === "wait" && this.rewrite.inProgress ? "Writing initial AOF" : null;
  }

  /** Writes and syncs what there is: the process is about to end. */
  close(): void {
    const { rewrite, writer, deps } = this;
    if (rewrite.inProgress) {
      deps.log.warning("There is a child rewriting the AOF. Killing it!");
      rewrite.abort();
    }
    if (rewrite.state === "off") return;
    deps.log.notice("Calling fsync() on the AOF file.");
    const failure = writer.finish();
    if (failure !== null) deps.log.warning(`Fail to fsync the AOF file: ${systemErrorText(failure)}.`);
  }

  /** INFO persistence, in its order; `copied`: what is to be shown for memory copied on write. */
  info(copied = 0): [name: string, value: string | number][] {
    const { rewrite, writer } = this;
    const lines: [string, string | number][] = [
      ["aof_enabled", this.enabled ? 1 : 0],
      ["aof_rewrite_in_progress", rewrite.inProgress ? 1 : 0],
      ["aof_rewrite_scheduled", rewrite.scheduled ? 1 : 0],
      ["aof_last_rewrite_time_sec", rewrite.lastSeconds],
      ["aof_current_rewrite_time_sec", rewrite.currentSeconds],
      ["aof_last_bgrewrite_status", rewrite.lastOk ? "ok" : "err"],
      ["aof_rewrites", rewrite.count],
      ["aof_rewrites_consecutive_failures", rewrite.limit.failures],
      ["aof_last_write_status", writer.failure === null ? "ok" : "err"],
      ["aof_last_cow_size", copied],
    ];
    if (!this.enabled) return lines;
    lines.push(
      ["aof_current_size", rewrite.size],
      ["aof_base_size", rewrite.baseSize],
      ["aof_pending_rewrite", rewrite.scheduled ? 1 : 0],
      ["aof_buffer_length", writer.bufferLength],
      ["aof_pending_bio_fsync", writer.syncInProgress ? 1 : 0],
      ["aof_delayed_fsync", writer.delayedFsyncs],
    );
    return lines;
  }
}
