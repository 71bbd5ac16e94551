/**
 * Bytes that can grow and shrink in place of their owner: `buf[start, end)`. Small encodings (listpack,
 * intset) work on this, whether the bytes lie in a record's cell, in a block or in a buffer of their own.
 */
export interface ByteStore {
  buf: Uint8Array;
  start: number;
  end: number;
  /** Makes the range `length` bytes long, keeping what fits; `buf`, `start` and `end` may all change. */
  resize(length: number): void;
}

/** A buffer of its own, with room to grow. */
export class OwnBytes implements ByteStore {
  buf: Uint8Array;
  start = 0;
  end: number;

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.buf = bytes;
    this.end = bytes.length;
  }

  resize(length: number): void {
    if (length > this.buf.length) {
      const larger = new Uint8Array(Math.max(length, Math.min(this.buf.length * 2, length + 4096)));
      larger.set(this.buf.subarray(0, this.end));
      this.buf = larger;
    }
    this.end = length;
  }

  /** Gives unused room back. */
  fit(): void {
    if (this.buf.length !== this.end) this.buf = this.buf.slice(0, this.end);
  }
}
