import type { RdbSource } from "../rdb/reader.ts";
import { RdbScanner } from "../rdb/scanner.ts";
import { SnapshotReceiver } from "./receiver.ts";

/**
 * repl-diskless-load: a snapshot that is loaded while it comes. What has come and is not loaded yet waits here; where
 * the loader is slower than the wire, the wire is told to wait.
 */
const MOST_WAITING = 16 * 1024 * 1024;
const FEW_WAITING = 4 * 1024 * 1024;

export class StreamedSnapshot extends SnapshotReceiver implements RdbSource {
  /** The end is not known before it comes. */
  readonly left = Number.POSITIVE_INFINITY;
  /** It has come whole. */
  complete = false;
  /** It will not come whole. */
  failed = false;
  private readonly scanner = new RdbScanner();
  private readonly chunks: Uint8Array[] = [];
  private waiting = 0;
  private wake: (() => void) | null = null;
  private full = false;

  /** `flow`: whether bytes are wanted at present. */
  constructor(private readonly flow: (wanted: boolean) => void) {
    super();
  }

  override take(chunk: Uint8Array): number {
    const taken = super.take(chunk);
    if (taken >= 0) {
      this.complete = true;
      this.scanner.end();
    }
    this.changed();
    return taken;
  }

  protected store(chunk: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    const piece = chunk.subarray(start, end);
    this.chunks.push(piece);
    this.waiting += piece.length;
    this.scanner.feed(piece);
    if (this.waiting < MOST_WAITING || this.full) return;
    this.full = true;
    this.flow(false);
  }

  /** The loader finds that it ends too early, and says so. */
  discard(): void {
    if (this.complete) return;
    this.failed = true;
    this.chunks.length = this.waiting = 0;
    this.scanner.end();
    this.changed();
  }

  private changed(): void {
    const { wake } = this;
    this.wake = null;
    wake?.();
  }

  // ------------------------------------------------------------------ for the loader

  /** The offset up to which whole parts have come. */
  get arrived(): number {
    return this.scanner.boundary;
  }

  /** Resolves when there is more, or no more to come. */
  more(): Promise<void> {
    if (this.complete || this.failed) return Promise.resolve();
    // A part larger than what may wait has to come whole.
    this.flowAgain();
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  read(target: Uint8Array, offset: number, length: number): number {
    let read = 0;
    while (read < length && this.chunks.length > 0) {
      const chunk = this.chunks[0]!;
      const piece = chunk.subarray(0, Math.min(length - read, chunk.length));
      target.set(piece, offset + read);
      read += piece.length;
      if (piece.length < chunk.length) this.chunks[0] = chunk.subarray(piece.length);
      else this.chunks.shift();
    }
    this.waiting -= read;
    if (this.waiting < FEW_WAITING) this.flowAgain();
    return read;
  }

  private flowAgain(): void {
    if (!this.full) return;
    this.full = false;
    this.flow(true);
  }
}
