import { copyBytes } from "../bytes/ascii.ts";

/**
 * The backlog: the last bytes of the stream, in a ring, for replicas that were away for a moment.
 *
 *   ring  [ newest part ..... | oldest ............. ]      byte n of the stream stands at n modulo the capacity
 *                             next
 */
export class Backlog {
  private ring: Uint8Array;
  /** Bytes held, the last ones before `end`. */
  length = 0;

  /** `end`: the offset of the stream, that is of the next byte less one. */
  constructor(
    capacity: number,
    private end: number,
  ) {
    this.ring = new Uint8Array(capacity);
  }

  get capacity(): number {
    return this.ring.length;
  }

  /** The offset of the first byte held, counted from 1 as in PSYNC. */
  get first(): number {
    return this.end - this.length + 1;
  }

  append(bytes: Uint8Array, start: number, end: number): void {
    const { ring } = this;
    const count = end - start;
    const kept = Math.min(count, ring.length);
    this.end += count;
    let from = end - kept;
    let at = (this.end - kept) % ring.length;
    while (from < end) {
      const piece = Math.min(end - from, ring.length - at);
      copyBytes(ring, at, bytes, from, from + piece);
      from += piece;
      at = 0;
    }
    this.length = Math.min(ring.length, this.length + count);
  }

  /** Whether all bytes from this offset on are held; the one after the last counts as such. */
  covers(offset: number): boolean {
    return offset >= this.first && offset <= this.end + 1;
  }

  /** A copy of the bytes from this offset on, which must be covered. */
  from(offset: number): Uint8Array {
    const { ring } = this;
    const count = this.end + 1 - offset;
    const out = new Uint8Array(count);
    const at = (offset - 1) % ring.length;
    const piece = Math.min(count, ring.length - at);
    copyBytes(out, 0, ring, at, at + piece);
    copyBytes(out, piece, ring, 0, count - piece);
    return out;
  }

  /** Takes another capacity and keeps what fits. */
  resize(capacity: number): void {
    if (capacity === this.ring.length) return;
    const kept = Math.min(capacity, this.length);
    const bytes = this.from(this.end + 1 - kept);
    this.ring = new Uint8Array(capacity);
    this.end -= kept;
    this.length = 0;
    this.append(bytes, 0, kept);
  }
}
