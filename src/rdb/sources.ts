import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { RdbSource } from "./reader.ts";

/** Where RDB is read from. */

/** A file, from where its descriptor stands; a pipe too, whose end is not known before it comes. */
export class FileSource implements RdbSource {
  left: number;

  constructor(
    private readonly fd: number,
    offset = 0,
  ) {
    const stat = fstatSync(fd);
    this.left = stat.isFile() ? Math.max(0, stat.size - offset) : Number.POSITIVE_INFINITY;
  }

  /** Throws the system's error. */
  static open(path: string): FileSource {
    return new FileSource(openSync(path, "r"));
  }

  read(target: Uint8Array, offset: number, length: number): number {
    const read = readSync(this.fd, target, offset, length, null);
    // A file that shrinks while it is read ends where it ends.
    this.left = read === 0 ? 0 : Math.max(0, this.left - read);
    return read;
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Bytes in memory. */
export class BytesSource implements RdbSource {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  read(target: Uint8Array, offset: number, length: number): number {
    const end = Math.min(this.at + length, this.bytes.length);
    target.set(this.bytes.subarray(this.at, end), offset);
    const read = end - this.at;
    this.at = end;
    return read;
  }
}
