import { readSync } from "node:fs";
import { equalsLower, latin1Bytes } from "../bytes/ascii.ts";
import type { Request } from "../resp/request.ts";

/**
 * Reads an AOF's commands from a descriptor, a slice of the file at a time.
 *
 *   buf  |.. read ..|== command ==|== not read yet ==|      base: the offset in the file of buf[0]
 *                    start         pos               end
 *
 * A command that reaches beyond `end` is read again from its start when more of the file is there; the room for
 * it doubles, so that no byte is looked at more than about twice. A length is never believed before the bytes
 * are there: what a damaged file claims is not allocated.
 *
 * The end of the file in the middle of a command, or of an annotation, is TORN: a write that a crash cut off.
 * Everything else that is no command is BAD.
 */

export const COMMAND = 1;
export const AT_END = 0;
export const TORN = -1;
export const BAD = -2;

const SLICE = 256 * 1024;
/** Bytes of a length line, at most. */
const HEADER_MAX = 32;
const ARGS_MAX = 0x7fffffff;
const LF = 10;
const CR = 13;

export class AofReader {
  /** What is wrong, after BAD. */
  error = "";
  private buf = new Uint8Array(SLICE);
  private base: number;
  private start = 0;
  private pos = 0;
  private end = 0;
  private eof = false;
  /** The buffer keeps what lies behind this offset of the file. */
  private pinned = -1;
  /** What `header` read. */
  private value = 0;

  /** Begins at this offset of the file, wherever the descriptor stands. */
  constructor(
    private readonly fd: number,
    offset = 0,
  ) {
    this.base = offset;
  }

  /** The offset in the file of the command just read, or of what is wrong. */
  get commandStart(): number {
    return this.base + this.start;
  }

  /** The offset in the file behind the command just read. */
  get offset(): number {
    return this.base + this.pos;
  }

  /** Keeps everything from the command just read on, so that `back` can return to it. */
  pin(): void {
    this.pinned = this.commandStart;
  }

  /** Returns to the pinned command: it is read next. */
  back(): void {
    this.pos = this.pinned - this.base;
  }

  unpin(): void {
    this.pinned = -1;
  }

  /** Reads the next command into `request`, whose bytes are valid until the next call. */
  next(request: Request): number {
    for (;;) {
      this.start = this.pos;
      const state = this.pos < this.end ? this.parse(request) : MORE;
      if (state === COMMAND || state === BAD) return state;
      if (state === SKIPPED) continue;
      this.pos = this.start;
      if (this.eof) return this.pos === this.end ? AT_END : TORN;
      this.fill();
    }
  }

  private parse(request: Request): number {
    const { buf, end } = this;
    const first = buf[this.pos];
    if (first === 35) return this.skipAnnotation();
    if (first !== 42) return this.bad(`expected '*', got ${byteText(first!)}`);
    let state = this.header("multibulk length", 1, ARGS_MAX);
    if (state !== COMMAND) return state;
    request.argc = 0;
    request.buf = buf;
    for (let left = this.value; left > 0; left--) {
      if (this.pos >= end) return MORE;
      if (buf[this.pos] !== 36) return this.bad(`expected '$', got ${byteText(buf[this.pos]!)}`);
      state = this.header("bulk length", 0, Number.MAX_SAFE_INTEGER);
      if (state !== COMMAND) return state;
      const stop = this.pos + this.value;
      if (stop + 2 > end) return MORE;
      if (buf[stop] !== CR || buf[stop + 1] !== LF) {
        this.pos = stop;
        return this.bad("a bulk does not end with CRLF");
      }
      request.push(this.pos, stop);
      this.pos = stop + 2;
    }
    return COMMAND;
  }

  private skipAnnotation(): number {
    const newline = this.buf.subarray(this.pos, this.end).indexOf(LF);
    if (newline < 0) return MORE;
    this.pos += newline + 1;
    return SKIPPED;
  }

  /** The number behind the byte at `pos`, up to the end of its line; moves `pos` behind that. */
  private header(what: string, least: number, most: number): number {
    const { buf, end } = this;
    let at = this.pos + 1;
    let value = 0;
    let digits = 0;
    for (; at < end; at++, digits++) {
      const digit = buf[at]! - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (digits > HEADER_MAX) return this.bad(`invalid ${what}`);
    if (at >= end) return MORE;
    if (digits > 0 && buf[at] === CR) {
      if (++at >= end) return MORE;
    }
    if (digits === 0 || buf[at] !== LF || value < least || value > most) return this.bad(`invalid ${what}`);
    this.value = value;
    this.pos = at + 1;
    return COMMAND;
  }

  private bad(error: string): number {
    this.error = `${error} at offset ${this.base + this.pos}`;
    return BAD;
  }

  /** Reads on, moving what is still needed to the front; a buffer that is full of it grows. */
  private fill(): void {
    const keep = this.pinned < 0 ? this.start : this.pinned - this.base;
    if (keep > 0) {
      this.buf.copyWithin(0, keep, this.end);
      this.base += keep;
      this.start -= keep;
      this.pos -= keep;
      this.end -= keep;
    }
    if (this.end * 2 > this.buf.length) {
      const larger = new Uint8Array(this.buf.length * 2);
      larger.set(this.buf.subarray(0, this.end));
      this.buf = larger;
    }
    const count = readSync(this.fd, this.buf, this.end, this.buf.length - this.end, this.base + this.end);
    if (count === 0) this.eof = true;
    this.end += count;
  }
}

/** Whether argument 0 is this word, in any case of letters. */
export function isNamed(request: Request, word: Uint8Array): boolean {
  return equalsLower(request.buf, request.start[0]!, request.end[0]!, word);
}

export const MULTI = latin1Bytes("multi");
export const EXEC = latin1Bytes("exec");

function byteText(byte: number): string {
  return byte > 32 && byte < 127 ? `'${String.fromCharCode(byte)}'` : `byte ${byte}`;
}

const MORE = 2;
const SKIPPED = 3;
