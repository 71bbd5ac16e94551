import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";
import { latin1Text } from "../bytes/ascii.ts";
import { systemErrorText } from "../config/errors.ts";

/**
 * One AOF file as `redbun check-aof` goes through it: strictly forward, line by line, a window at a time. It
 * counts the lines, as the report names the one at fault.
 */

const WINDOW = 1024 * 1024;
/** Bytes at either end of what is passed over that are shown. */
const ENDS = 8;

export class CheckedFile {
  /** The number of the line that is read next. */
  line = 1;
  readonly size: number;
  /** The end has been met. */
  atEnd = false;
  private readonly window = new Uint8Array(WINDOW);
  /** The offset in the file of the window's first byte, and what of the window is read and filled. */
  private base = 0;
  private pos = 0;
  private end = 0;

  private constructor(private readonly fd: number) {
    this.size = fstatSync(fd).size;
  }

  /** Throws a sentence for the user. */
  static open(path: string, writable: boolean): CheckedFile {
    try {
      return new CheckedFile(openSync(path, writable ? "r+" : "r"));
    } catch (error) {
      throw new CheckFailure(`Cannot open file ${path}: ${systemErrorText(error)}, aborting...`);
    }
  }

  get offset(): number {
    return this.base + this.pos;
  }

  seek(offset: number): void {
    this.base = offset;
    this.pos = this.end = 0;
    this.atEnd = false;
  }

  /** The next byte, which stays where it is; -1 at the end. */
  peek(): number {
    return this.fill() ? this.window[this.pos]! : -1;
  }

  /** Text up to and with the next LF, at most so many bytes; null at the end of the file. */
  readLine(most: number): string | null {
    let text = "";
    while (text.length < most && this.fill()) {
      const stop = Math.min(this.end, this.pos + most - text.length);
      const newline = this.window.subarray(this.pos, stop).indexOf(10);
      const upTo = newline < 0 ? stop : this.pos + newline + 1;
      text += latin1Text(this.window, this.pos, upTo);
      this.pos = upTo;
      if (newline >= 0) return text;
    }
    return text === "" ? null : text;
  }

  /** Passes over so many bytes; returns how many there were. `keep` gets the first and the last of them. */
  skip(length: number, keep: (byte: number, index: number) => void): number {
    let index = 0;
    while (index < length && this.fill()) {
      const count = Math.min(length - index, this.end - this.pos);
      for (let i = 0; i < count; ) {
        const at = index + i;
        // Only the ends of a long run are of interest.
        if (at >= ENDS && at < length - ENDS) i = Math.min(count, length - ENDS - index);
        else keep(this.window[this.pos + i++]!, at);
      }
      this.pos += count;
      index += count;
    }
    return index;
  }

  /** Cuts the file there. */
  truncate(offset: number): boolean {
    try {
      ftruncateSync(this.fd, offset);
      return true;
    } catch {
      return false;
    }
  }

  close(): void {
    closeSync(this.fd);
  }

  private fill(): boolean {
    if (this.pos < this.end) return true;
    this.base += this.end;
    this.pos = 0;
    this.end = readSync(this.fd, this.window, 0, WINDOW, this.base);
    if (this.end === 0) this.atEnd = true;
    return this.end > 0;
  }
}

/** Ends the check with exit code 1; the message is for the user. */
export class CheckFailure extends Error {}
