import { copyBytes } from "../../../bytes/ascii.ts";

/** Bytes being put together, in a buffer that is used again. */
const FIRST = 1024;
const KEEP = 1024 * 1024;

export class Output {
  buf = new Uint8Array(FIRST);
  length = 0;

  /** Makes room for so many bytes more. */
  reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buf.length) return;
    const larger = new Uint8Array(Math.max(needed, this.buf.length * 2));
    copyBytes(larger, 0, this.buf, 0, this.length);
    this.buf = larger;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buf[this.length++] = value;
  }

  /** Characters up to 255. */
  text(text: string): void {
    this.reserve(text.length);
    for (let i = 0; i < text.length; i++) this.buf[this.length++] = text.charCodeAt(i);
  }

  bytes(source: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    copyBytes(this.buf, this.length, source, start, end);
    this.length += end - start;
  }

  clear(): void {
    this.length = 0;
    if (this.buf.length > KEEP) this.buf = new Uint8Array(FIRST);
  }
}
