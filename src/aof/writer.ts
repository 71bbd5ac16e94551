import { systemErrorText } from "../config/errors.ts";
import { AppendFile, type Disk, systemDisk, type WriteFailure } from "./append-file.ts";
import { EffectBuffer } from "./effect-buffer.ts";
import type { AofLog } from "./folder.ts";
import { SyncPace } from "./sync-pace.ts";

/**
 * The writing end of the AOF: what effects left in the buffer (effect-buffer.ts) is appended to the file by
 * `flush`.
 *
 * Positions count all bytes ever recorded: synced <= written <= appended. What lies between `written` and
 * `appended` is in the buffer. appendfsync decides when replies may leave and when the disk is asked:
 *
 *   always    when `synced` has reached what their events recorded. One fsync at a time; what is recorded
 *             meanwhile shares the next one (group commit). On another thread, so that who only reads need not
 *             wait; but on this one while the disk is so quick that waiting costs less (sync-pace.ts).
 *   everysec  when it is written. One fsync a second; while one is under way a write would wait for the disk,
 *             so it is put off, for two seconds at most.
 *   no        when it is written.
 *
 * A failed write keeps its bytes in the buffer and is tried again once a second; a failed fsync is not tried
 * again, because a second one reports success though the pages are gone: only a rewrite, which writes
 * everything anew, mends it (`syncFailure`). Meanwhile `failure` is not null and writes are to be refused.
 */

export interface WriterSettings {
  readonly appendfsync: "always" | "everysec" | "no";
  readonly noAppendfsyncOnRewrite: boolean;
  readonly aofTimestampEnabled: boolean;
}

export interface WriterDeps {
  readonly settings: WriterSettings;
  readonly clock: { readonly now: number };
  readonly log: AofLog;
  /** A snapshot is being written: no-appendfsync-on-rewrite then counts. */
  saving(): boolean;
  /** Latency events (aof-write and others), in milliseconds. */
  latency(event: AofLatencyEvent, milliseconds: number): void;
  /** DEBUG AOF-FLUSH-SLEEP, microseconds. */
  flushSleep(): number;
  readonly disk?: Disk;
}

export type AofLatencyEvent =
  | "aof-write"
  | "aof-write-alone"
  | "aof-write-active-child"
  | "aof-write-pending-fsync"
  | "aof-fsync-always"
  | "aof-fstat"
  | "aof-rename";

/** Hears that what it waits for is on disk (null), or that it is not and will not be acknowledged. */
export type Durable = (failure: unknown) => void;

/** "done": replies may leave; "pending": not before `whenDurable`; "failed": what was recorded is not safe. */
export type FlushResult = "done" | "pending" | "failed";

/** Milliseconds an everysec write waits for an fsync under way, and between attempts and between complaints. */
const POSTPONE_MS = 2000;
const RETRY_MS = 1000;
const COMPLAINT_MS = 30_000;
const SYNC_MS = 1000;

export class AofWriter extends EffectBuffer {
  /** fsyncs that writes did not wait for any longer. */
  delayedFsyncs = 0;
  private file: AppendFile | null = null;
  /** All bytes written before the current file began. */
  private fileStart = 0;
  private writeFailure: unknown = null;
  private oldSyncFailure: unknown = null;
  private lastAttempt = 0;
  private lastComplaint = Number.NEGATIVE_INFINITY;
  private postponedSince = 0;
  private lastSync = 0;
  /** What was recorded up to here has been reported as failed. */
  private failedUpTo = 0;
  /** Up to here a turn has been told what became of its records. */
  private heardUpTo = 0;
  private afterSync: (() => void) | null = null;
  private readonly pace = new SyncPace();
  private readonly waiting: { position: number; done: Durable }[] = [];

  constructor(private readonly deps: WriterDeps) {
    super(deps);
  }

  // ------------------------------------------------------------------ state

  /** Bytes recorded, ever. */
  get appended(): number {
    return this.written + this.pos;
  }

  get written(): number {
    return this.fileStart + (this.file?.size ?? 0);
  }

  /** Bytes of `appended` that are known to be on disk (for WAITAOF). */
  get synced(): number {
    return this.file === null ? this.fileStart : this.fileStart + this.file.syncedSize;
  }

  get bufferLength(): number {
    return this.pos;
  }

  get bufferCapacity(): number {
    return this.buf.length;
  }

  /** Bytes of the file written to. */
  get fileSize(): number {
    return this.file?.size ?? 0;
  }

  get fileOpen(): boolean {
    return this.file !== null;
  }

  get syncInProgress(): boolean {
    return this.file?.syncing ?? false;
  }

  /** Why writes must be refused; null: they need not. */
  get failure(): unknown {
    return this.writeFailure ?? this.syncFailure;
  }

  /** An fsync failed: only a rewrite makes sure that nothing is lost. */
  get syncFailure(): unknown {
    return this.file?.syncFailure ?? this.file?.broken ?? this.oldSyncFailure;
  }

  /** Replies to writes wait for the disk, and can turn out to be untrue. */
  get mayRefuse(): boolean {
    return this.file !== null && this.deps.settings.appendfsync === "always";
  }

  /** Milliseconds of an fsync that replies wait for on this thread; 0: they do not. */
  get patience(): number {
    return this.mayRefuse && this.pace.quick ? this.pace.average : 0;
  }

  /** The reply to a write that is refused; null: none is. */
  get refusal(): string | null {
    const { failure } = this;
    return failure === null ? null : `MISCONF Errors writing to the AOF file: ${systemErrorText(failure)}`;
  }

  // ------------------------------------------------------------------ flush

  /**
   * To be called at the end of a turn of the loop, before its replies leave. What the turn recorded may have been
   * written before, and have failed then: by the cron, or by a rewrite that began in the same turn.
   */
  flushTurn(): FlushResult {
    return this.heard(this.flush());
  }

  /** The result for all that has been recorded since the last one. */
  private heard<Result extends FlushResult>(result: Result): Result | "failed" {
    const before = this.heardUpTo;
    this.heardUpTo = this.appended;
    return this.mayRefuse && this.failedUpTo > before ? "failed" : result;
  }

  /** Writes what there is. `force` does so even while an fsync is under way. */
  flush(force = false): FlushResult {
    const { file } = this;
    if (file === null) return "done";
    const always = this.deps.settings.appendfsync === "always";
    if (this.pos === 0 && file.unsynced === 0) return "done";
    if (this.depth > 0) return "done";
    const fresh = this.appended > this.failedUpTo;
    if (this.writeFailure !== null && !force && this.deps.clock.now - this.lastAttempt < RETRY_MS) {
      this.failedUpTo = this.appended;
      return always && fresh ? "failed" : "done";
    }
    if (this.pos > 0 && this.mustWait(file, force)) return always ? "pending" : "done";
    if (this.pos > 0 && !this.writeOut(file)) {
      this.failedUpTo = this.appended;
      return always && fresh ? "failed" : "done";
    }
    return this.syncAsPolicy(file, fresh);
  }

  /**
   * As `flushTurn`, but nothing is left pending: what appendfsync wants on disk is there when this returns, written and
   * synced on this thread. For replies that have to leave now. Who waits is answered too.
   */
  flushNow(): "done" | "failed" {
    const result = this.flush(true);
    const { file } = this;
    if (result !== "pending" || file === null) return this.heard(result === "failed" ? "failed" : "done");
    return this.heard(this.syncNow(file) === null ? "done" : "failed");
  }

  /** Whether to put the write off because of an fsync under way. */
  private mustWait(file: AppendFile, force: boolean): boolean {
    const { settings, clock, log } = this.deps;
    if (!file.syncing || force || settings.appendfsync === "no") return false;
    // With "always" everybody waits for the disk anyway: what comes now goes out with the next fsync.
    if (settings.appendfsync === "always") return true;
    if (this.postponedSince === 0) this.postponedSince = clock.now;
    if (clock.now - this.postponedSince < POSTPONE_MS) return true;
    this.delayedFsyncs++;
    log.notice(
      "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting for " +
        "fsync to complete, this may slow down Redis.",
    );
    return false;
  }

  private writeOut(file: AppendFile): boolean {
    const { deps } = this;
    const sleep = deps.flushSleep();
    if (sleep > 0) Bun.sleepSync(sleep / 1000);
    this.lastAttempt = deps.clock.now;
    const started = performance.now();
    const failure = file.append(this.buf, this.pos);
    this.noteWrite(performance.now() - started, file);
    this.postponedSince = 0;
    if (failure !== null) {
      this.noteFailure(failure);
      return false;
    }
    this.clear();
    if (this.writeFailure !== null) {
      deps.log.notice("AOF write error looks solved, Redis can write again.");
      this.writeFailure = null;
    }
    return true;
  }

  private noteWrite(milliseconds: number, file: AppendFile): void {
    const { latency, saving } = this.deps;
    const kind = file.syncing
      ? "aof-write-pending-fsync"
      : saving()
        ? "aof-write-active-child"
        : "aof-write-alone";
    latency(kind, milliseconds);
    latency("aof-write", milliseconds);
  }

  private noteFailure({ error, written, expected, stuck }: WriteFailure): void {
    const { log, clock } = this.deps;
    const complain = clock.now - this.lastComplaint > COMPLAINT_MS;
    if (complain) this.lastComplaint = clock.now;
    if (complain && written === 0) log.warning(`Error writing to the AOF file: ${systemErrorText(error)}`);
    if (complain && written > 0)
      log.warning(`Short write while writing to the AOF file: (nwritten=${written}, expected=${expected})`);
    if (stuck !== null) {
      if (complain)
        log.warning(
          "Could not remove short write from the append-only file.  Redis may refuse to load the AOF the next " +
            `time it starts.  ftruncate: ${systemErrorText(stuck)}`,
        );
      this.drop(written);
    }
    this.writeFailure = error;
    this.fail(error);
  }

  private syncAsPolicy(file: AppendFile, fresh: boolean): FlushResult {
    const { settings, clock, saving } = this.deps;
    const always = settings.appendfsync === "always";
    if (file.unsynced === 0) return "done";
    if (settings.noAppendfsyncOnRewrite && saving()) {
      this.settle();
      return "done";
    }
    if (this.syncFailure !== null) {
      this.failedUpTo = this.appended;
      return always && fresh ? "failed" : "done";
    }
    if (always) {
      if (!file.syncing && this.pace.quick) return this.syncHere(file, fresh);
      if (!file.syncing) this.startSync(file);
      return "pending";
    }
    if (settings.appendfsync === "everysec" && clock.now - this.lastSync >= SYNC_MS && !file.syncing)
      this.startSync(file);
    return "done";
  }

  /** An fsync on this thread. */
  private syncHere(file: AppendFile, fresh: boolean): FlushResult {
    const started = performance.now();
    const failure = this.syncNow(file);
    this.noteSync(performance.now() - started);
    return failure !== null && fresh ? "failed" : "done";
  }

  /** Syncs on this thread and answers who waits; returns the error, null where all is on disk. */
  private syncNow(file: AppendFile): unknown {
    const failure = file.syncNow();
    if (failure !== null) this.noteSyncFailure(failure);
    this.settle();
    return failure;
  }

  /** An fsync, wherever it was done, has taken so long. */
  private noteSync(milliseconds: number): void {
    this.pace.note(milliseconds);
    if (this.deps.settings.appendfsync === "always") this.deps.latency("aof-fsync-always", milliseconds);
  }

  private startSync(file: AppendFile): void {
    const started = performance.now();
    this.lastSync = this.deps.clock.now;
    file.sync((failure) => {
      if (this.file !== file) {
        // It was left meanwhile, and the error came here instead of to the fsync that left it.
        if (this.file !== null) this.oldSyncFailure ??= failure;
        return;
      }
      this.noteSync(performance.now() - started);
      if (failure !== null) this.noteSyncFailure(failure);
      this.settle();
      const then = this.afterSync;
      this.afterSync = null;
      then?.();
      if (this.file !== file) return;
      // What was put off, and with "always" what has come meanwhile: the next group.
      if (this.pos > 0 || this.deps.settings.appendfsync === "always") this.flush();
    });
  }

  private noteSyncFailure(failure: unknown): void {
    this.deps.log.warning(
      `Fail to fsync the AOF file: ${systemErrorText(failure)}. What it holds can no longer be relied on: writes ` +
        "are refused until the AOF has been rewritten.",
    );
    this.failedUpTo = this.appended;
    this.fail(failure);
  }

  // ------------------------------------------------------------------ durability

  /**
   * Calls `done` when what has been recorded by now is durable as appendfsync demands, or has failed to be: at
   * once, where that is so.
   */
  whenDurable(done: Durable): void {
    const { file } = this;
    if (file === null || this.deps.settings.appendfsync !== "always") done(null);
    else if (this.failure !== null) done(this.failure);
    else if (this.synced >= this.appended) done(null);
    else this.waiting.push({ position: this.appended, done });
  }

  /** Answers those whose bytes are on disk, or all where nobody has to wait any more. */
  private settle(): void {
    const { waiting } = this;
    if (waiting.length === 0) return;
    const { settings, saving } = this.deps;
    const nobody =
      this.file === null ||
      settings.appendfsync !== "always" ||
      (settings.noAppendfsyncOnRewrite && saving());
    const reached = nobody ? Number.POSITIVE_INFINITY : this.synced;
    let count = 0;
    while (count < waiting.length && waiting[count]!.position <= reached) count++;
    for (const { done } of waiting.splice(0, count)) done(null);
  }

  private fail(error: unknown): void {
    for (const { done } of this.waiting.splice(0)) done(error);
  }

  // ------------------------------------------------------------------ files

  /** Begins to write to this file. The one before, if any, must have been left by `leave`. */
  use(file: AppendFile): void {
    this.fileStart = this.written - file.size;
    this.file = file;
    this.forgetDatabase();
    this.lastSync = this.deps.clock.now;
    this.postponedSince = 0;
    this.active = true;
  }

  /** Opens a file for `use` or a new one in its place; throws the system's error. */
  openFile(path: string, how: "create" | "append"): AppendFile {
    const disk = this.deps.disk ?? systemDisk;
    return how === "create" ? AppendFile.create(path, disk) : AppendFile.open(path, disk);
  }

  /**
   * Writes and syncs on another thread what there is, so that `readyToLeave` has little to do. `then` is called
   * at once where there is nothing to sync, and also where syncing fails.
   */
  prepareToLeave(then: () => void): void {
    this.flush(true);
    const { file } = this;
    if (file === null || file.unsynced === 0 || file.syncFailure !== null) return then();
    this.afterSync = then;
    if (!file.syncing) this.startSync(file);
  }

  /**
   * Whether the file can be left: what is recorded is in it, and on disk, before the next one exists; otherwise a
   * power cut could take the end of this one and leave the next. False: not all of it can be written. It cannot go
   * to the next file instead, since the snapshot that goes with that has it too.
   */
  readyToLeave(): boolean {
    const { file } = this;
    if (file === null) return true;
    this.flush(true);
    if (this.bufferLength > 0) return false;
    const known = file.syncFailure !== null;
    const failure = file.syncNow();
    if (failure !== null && !known) this.noteSyncFailure(failure);
    return true;
  }

  /** Ends the work on the current file, which is ready for that. */
  leave(): void {
    const { file } = this;
    if (file === null) return;
    this.oldSyncFailure ??= file.syncFailure ?? file.broken;
    this.fileStart = this.written;
    this.file = null;
    file.close();
    this.settle();
  }

  /** After a rewrite: what happened to files before the current one no longer counts. */
  forgetOldFailures(): void {
    this.oldSyncFailure = null;
    if (this.failure === null) this.lastComplaint = Number.NEGATIVE_INFINITY;
  }

  /** Ends writing; a transaction under way is left out. Errors are forgotten. */
  stop(discard: boolean): void {
    this.dropGroup();
    if (discard) this.clear();
    const { file } = this;
    if (file !== null) {
      this.flush(true);
      const failure = discard ? null : file.syncNow();
      if (failure !== null) this.deps.log.warning(`Fail to fsync the AOF file: ${systemErrorText(failure)}`);
      this.fileStart = this.written;
      this.file = null;
      file.close();
    }
    this.clear();
    this.active = false;
    this.writeFailure = this.oldSyncFailure = null;
    this.failedUpTo = this.heardUpTo = 0;
    this.afterSync = null;
    this.settle();
  }

  /** Writes and syncs all there is, on this thread: the process is about to end. Returns the error. */
  finish(): unknown {
    const { file } = this;
    if (file === null) return null;
    this.flush(true);
    const failure = this.writeFailure ?? file.syncNow();
    this.settle();
    return failure;
  }
}
