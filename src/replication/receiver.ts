import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { latin1Text } from "../bytes/ascii.ts";

/**
 * Receives a snapshot, into a file or (streamed-snapshot.ts) for a loader that waits for it:
 *
 *   \n ...                                    the master is still preparing
 *   $<length>\r\n  <length bytes>
 *   $EOF:<40 characters>\r\n  <bytes>  <the same 40 characters>
 */
const LF = 10;
const DOLLAR = 36;
const MINUS = 45;
const MARK = 40;
const LONGEST_LINE = 1024;

export abstract class SnapshotReceiver {
  /** Bytes of the snapshot received, and how many there are to be (0: not known). */
  received = 0;
  total = 0;
  /** The characters at its end; empty where its length is known. */
  mark = "";
  /** What the snapshot begins with has been read. */
  begun = false;
  private header = "";
  /** The last bytes received, which may be the mark. */
  private readonly tail = new Uint8Array(MARK);
  private tailLength = 0;

  /** It is not needed, or will not come whole. */
  abstract discard(): void;
  protected abstract store(chunk: Uint8Array, start: number, end: number): void;

  /**
   * Takes bytes; returns how many belong to the snapshot where it is complete with them, -1 where more are to come.
   * Throws an Error with a sentence for what is no snapshot, and the system's errors.
   */
  take(chunk: Uint8Array): number {
    let at = 0;
    while (!this.begun) {
      if (at === chunk.length) return -1;
      const end = chunk.indexOf(LF, at);
      this.header += latin1Text(chunk, at, end < 0 ? chunk.length : end);
      if (this.header.length > LONGEST_LINE) throw new Error("Bad protocol from MASTER: too long a line");
      at = end < 0 ? chunk.length : end + 1;
      if (end >= 0) this.readHeader();
    }
    return this.mark === "" ? this.takeCounted(chunk, at) : this.takeMarked(chunk, at);
  }

  private readHeader(): void {
    const line = this.header.replace(/\r$/, "");
    this.header = "";
    if (line === "") return;
    if (line.charCodeAt(0) === MINUS)
      throw new Error(`MASTER aborted replication with an error: ${line.slice(1)}`);
    if (line.charCodeAt(0) !== DOLLAR)
      throw new Error(
        `Bad protocol from MASTER, the first byte is not '$' (we received '${line}'), are you sure the host and ` +
          "port are right?",
      );
    if (line.startsWith("$EOF:") && line.length >= 5 + MARK) this.mark = line.slice(5, 5 + MARK);
    else {
      // No file has more than 15 digits of bytes, and none has to.
      if (!/^\$\d{1,15}$/.test(line)) throw new Error(`Bad protocol from MASTER: no length in '${line}'`);
      this.total = Number(line.slice(1));
    }
    this.begun = true;
  }

  private takeCounted(chunk: Uint8Array, at: number): number {
    const count = Math.min(chunk.length - at, this.total - this.received);
    this.write(chunk, at, count);
    return this.received === this.total ? at + count : -1;
  }

  /** Everything is stored, the mark too, which no reader minds. Nothing follows before the snapshot is acknowledged. */
  private takeMarked(chunk: Uint8Array, at: number): number {
    this.write(chunk, at, chunk.length - at);
    const { tail } = this;
    const fresh = chunk.subarray(Math.max(at, chunk.length - MARK));
    const kept = Math.min(this.tailLength, MARK - fresh.length);
    tail.copyWithin(0, this.tailLength - kept, this.tailLength);
    tail.set(fresh, kept);
    this.tailLength = kept + fresh.length;
    if (this.tailLength < MARK || latin1Text(tail) !== this.mark) return -1;
    this.received -= MARK;
    return chunk.length;
  }

  private write(chunk: Uint8Array, at: number, count: number): void {
    this.store(chunk, at, at + count);
    this.received += count;
  }
}

export class FileReceiver extends SnapshotReceiver {
  private readonly fd: number;
  private open = true;

  /** Throws the system's error. */
  constructor(readonly path: string) {
    super();
    this.fd = openSync(path, "wx");
  }

  protected store(chunk: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; ) at += writeSync(this.fd, chunk, at, end - at);
  }

  /** The snapshot is whole: it is on disk under this name now. */
  finish(name: string): void {
    fsyncSync(this.fd);
    this.close();
    renameSync(this.path, name);
  }

  discard(): void {
    if (!this.open) return;
    this.close();
    try {
      unlinkSync(this.path);
    } catch {
      // Somebody else was quicker.
    }
  }

  private close(): void {
    if (!this.open) return;
    this.open = false;
    closeSync(this.fd);
  }
}
