/** Buffers in which output waits for the kernel, one after another's: what is pushed seldom waits for long. */

/** Bytes of a buffer of the pool. */
export const PIECE = 16 * 1024;
/** So many are kept for later: those that a push to so many clients takes. */
const KEPT = 256;

export class PiecePool {
  private readonly free: Uint8Array[] = [];

  take(): Uint8Array {
    return this.free.pop() ?? new Uint8Array(PIECE);
  }

  /** Nobody else has the buffer any more; it came from `take`. */
  give(buf: Uint8Array): void {
    if (this.free.length < KEPT) this.free.push(buf);
  }
}
