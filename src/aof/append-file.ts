import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";

/**
 * One file that is only ever appended to, and what is known of it.
 *
 *   0            syncedSize           size        position
 *   |== on disk ==|== in the page cache ==|.. gap ..|
 *
 * A write that fails halfway is cut off again, so that the file ends with a whole command. The descriptor's
 * position does not come back with that (there is no lseek here): `gap` bytes then lie between the file's end
 * and the position, and the next write fills them by their offset before it goes on at the position.
 *
 * Bun.write has three pitfalls, measured on Bun 1.4.5. From about 256 KiB it works on another thread and calls
 * fallocate first, which with a descriptor in append mode puts the data behind a block of NULs: so the
 * descriptor is not in append mode, and pieces are smaller than that, which makes each one a plain write(2) on
 * this thread, in order. An empty write truncates the file: never done.
 */

const PIECE = 128 * 1024;
/** Windows has no synchronous path in Bun.write. */
const DIRECT = process.platform !== "win32";

/** For tests: how the bytes reach the disk. */
export interface Disk {
  fdatasync(fd: number, done: (error: Error | null) => void): void;
  fdatasyncSync(fd: number): void;
}

export const systemDisk: Disk = { fdatasync, fdatasyncSync };

/** Why the last write failed; `short`: some of the bytes could be written. */
export interface WriteFailure {
  error: unknown;
  written: number;
  expected: number;
  /** What was written could not be cut off again. */
  stuck: unknown;
}

export class AppendFile {
  size: number;
  syncedSize: number;
  /** The fsync that failed: what it was to secure is lost for all we know, and no later one brings it back. */
  syncFailure: unknown = null;
  /** The file cannot be appended to any more. */
  broken: unknown = null;
  syncing = false;
  private gap = 0;
  private closed = false;
  private readonly file: Bun.BunFile;

  private constructor(
    readonly fd: number,
    size: number,
    private readonly disk: Disk,
  ) {
    this.size = this.syncedSize = size;
    this.file = Bun.file(fd);
  }

  /** A new, empty file in the place of whatever is there. Throws the system's error. */
  static create(path: string, disk: Disk = systemDisk): AppendFile {
    return new AppendFile(openSync(path, "w", 0o644), 0, disk);
  }

  /** Opens a file at its end, creating it where it is missing. Throws the system's error. */
  static open(path: string, disk: Disk = systemDisk): AppendFile {
    let fd: number;
    try {
      fd = openSync(path, "r+");
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
      return AppendFile.create(path, disk);
    }
    const size = moveToEnd(fd);
    // What is there may still be in the page cache only, from before a crash of the process.
    if (size > 0) disk.fdatasyncSync(fd);
    return new AppendFile(fd, size, disk);
  }

  get unsynced(): number {
    return this.size - this.syncedSize;
  }

  /** Appends `buf[0, end)`, all of it or none, unless the failure is stuck. Returns null where that worked. */
  append(buf: Uint8Array, end: number): WriteFailure | null {
    const { size } = this;
    if (this.broken !== null) return { error: this.broken, written: 0, expected: end, stuck: null };
    let at = 0;
    try {
      at = this.fillGap(buf, Math.min(this.gap, end));
      while (at < end) {
        const stop = Math.min(at + PIECE, end);
        at += this.write(buf, at, stop);
      }
    } catch (error) {
      return this.undo(size, end, error);
    }
    this.size = size + end;
    return null;
  }

  private write(buf: Uint8Array, start: number, end: number): number {
    if (!DIRECT) return writeSync(this.fd, buf, start, end - start, null);
    const promise = Bun.write(this.file, buf.subarray(start, end));
    const state = Bun.peek.status(promise);
    if (state === "fulfilled") return Bun.peek(promise) as number;
    if (state === "pending")
      throw new Error(`Bun.write took ${end - start} bytes to another thread; their order cannot be kept`);
    promise.catch(() => {});
    throw Bun.peek(promise);
  }

  /** Writes what belongs between the file's end and the descriptor's position. */
  private fillGap(buf: Uint8Array, length: number): number {
    for (let at = 0; at < length; ) at += writeSync(this.fd, buf, at, length - at, this.size + at);
    this.gap -= length;
    return length;
  }

  private undo(size: number, expected: number, error: unknown): WriteFailure {
    let written = 0;
    let stuck: unknown = null;
    try {
      written = Math.max(0, fstatSync(this.fd).size - size);
      try {
        if (written > 0) ftruncateSync(this.fd, size);
        this.gap = Math.max(this.gap, written);
      } catch (failure) {
        stuck = failure;
        this.size = size + written;
        this.gap = Math.max(0, this.gap - written);
      }
    } catch (failure) {
      // Where the file ends, nobody knows: what is written next might leave a hole.
      this.broken = failure;
    }
    return { error, written, expected, stuck };
  }

  /** Syncs on another thread what is written by now; `done` hears of it on this one. One at a time. */
  sync(done: (error: unknown) => void): void {
    const target = this.size;
    this.syncing = true;
    this.disk.fdatasync(this.fd, (error) => {
      this.syncing = false;
      if (error !== null && error !== undefined) this.syncFailure ??= error;
      else if (this.syncFailure === null) this.syncedSize = Math.max(this.syncedSize, target);
      if (this.closed) closeSync(this.fd);
      done(this.syncFailure);
    });
  }

  /** Syncs on this thread; returns the error, null where all is on disk. */
  syncNow(): unknown {
    if (this.syncFailure !== null) return this.syncFailure;
    if (this.unsynced === 0) return null;
    try {
      this.disk.fdatasyncSync(this.fd);
      this.syncedSize = this.size;
    } catch (error) {
      this.syncFailure = error;
    }
    return this.syncFailure;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (!this.syncing) closeSync(this.fd);
  }
}

/** Reads up to the end, which is the one way to move a descriptor's position; returns how far that is. */
function moveToEnd(fd: number): number {
  const scratch = new Uint8Array(1024 * 1024);
  let at = 0;
  for (;;) {
    const count = readSync(fd, scratch, 0, scratch.length, null);
    if (count === 0) return at;
    at += count;
  }
}
