import { renameSync, rmSync, statSync, unlink } from "node:fs";
import { AppendFile, type Disk, systemDisk } from "./append-file.ts";

/**
 * The base file of a rewrite while it grows, under a temporary name. It is synced as it grows
 * (aof-rewrite-incremental-fsync), on another thread, so that the disk has little to do at the end.
 */
const SYNC_BYTES = 4 * 1024 * 1024;

export class BaseFile {
  private readonly file: AppendFile;
  private afterSync: (() => void) | null = null;
  private failure: unknown = null;
  private closed = false;

  /** Throws the system's error. */
  constructor(
    readonly path: string,
    private readonly incremental: boolean,
    disk: Disk = systemDisk,
  ) {
    this.file = AppendFile.create(path, disk);
  }

  get size(): number {
    return this.file.size;
  }

  /** Throws the system's error: the file is then of no use. */
  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const failure = this.file.append(bytes, bytes.length);
    if (failure !== null) throw failure.error;
    if (this.incremental && this.file.unsynced >= SYNC_BYTES && !this.file.syncing) this.sync();
  }

  private sync(): void {
    this.file.sync((failure) => {
      this.failure ??= failure;
      const then = this.afterSync;
      this.afterSync = null;
      then?.();
    });
  }

  /** Syncs and closes; `done` hears of the error, null where the file is whole and on disk. */
  finish(done: (failure: unknown) => void): void {
    if (this.closed) return;
    if (this.failure === null && (this.file.syncing || this.file.unsynced > 0)) {
      this.afterSync = () => this.finish(done);
      if (!this.file.syncing) this.sync();
      return;
    }
    this.close();
    done(this.failure);
  }

  /** Writes it whole on this thread, for a server that has just started. Throws the system's error. */
  finishNow(): void {
    const failure = this.file.syncNow();
    this.close();
    if (failure !== null) throw failure;
  }

  rename(target: string): void {
    renameSync(this.path, target);
  }

  /** The file is not needed. `now`: its name is about to be used again, so it is removed on this thread. */
  discard(when: "later" | "now" = "later"): void {
    this.close();
    if (when === "now") return rmSync(this.path, { force: true });
    // By now another rewrite may have begun a file of this name; names are therefore not used twice.
    unlink(this.path, () => {});
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    this.afterSync = null;
    this.file.close();
  }
}

export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
