/**
 * Fills a server fast: commands are encoded into batches of about 64 KiB, a few batches are under way at a
 * time, and replies are only counted. Commands that differ in digits alone go through `Template`, which
 * writes the digits into prepared bytes and so keeps the loader faster than the server.
 */
import { encodeCommand } from "../lib/wire.ts";

const BATCH_BYTES = 64 * 1024;
/** Batches sent and not yet answered: enough that the server never waits for the loader. */
const AHEAD = 3;
const LF = 10;
const ERROR = 45; // "-"

/** Writes the command number `i` into `buffer` at `offset` and gives the end, or -1 if there is no room. */
export type Encode = (i: number, buffer: Buffer, offset: number) => number;

/** Sends `count` commands, given as words. Each must have a reply of one line. */
export function load(port: number, count: number, command: (i: number) => string[]): Promise<void> {
  return loadEncoded(port, count, (i, buffer, offset) => {
    const bytes = encodeCommand(command(i));
    if (offset + bytes.length > buffer.length) return -1;
    bytes.copy(buffer, offset);
    return offset + bytes.length;
  });
}

/**
 * Sends `count` commands, whose replies have so many lines each: a bulk reply, as XADD's, has two. Rejects on an
 * error reply or when the connection breaks. Smaller batches leave less before another client's turn.
 */
export async function loadEncoded(
  port: number,
  count: number,
  encode: Encode,
  lines = 1,
  batchBytes = BATCH_BYTES,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const buffer = Buffer.alloc(batchBytes);
  let next = 0;
  /** Lines of replies. */
  let answered = 0;
  let batch = buffer.subarray(0, 0);
  /** For each batch under way: the number of commands up to its end. */
  const ends: number[] = [];

  const pump = (socket: Bun.Socket): void => {
    while (ends.length < AHEAD || batch.length > 0) {
      if (batch.length === 0) {
        if (next === count) return;
        let length = 0;
        for (let end = 0; next < count; next++, length = end) {
          end = encode(next, buffer, length);
          if (end < 0) break;
        }
        if (length === 0) {
          reject(new Error("a command is longer than a batch"));
          return;
        }
        batch = buffer.subarray(0, length);
        ends.push(next);
      }
      batch = batch.subarray(Math.max(0, socket.write(batch)));
      if (batch.length > 0) return; // `drain` goes on
    }
  };
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(socket, chunk) {
        if (chunk.includes(ERROR)) {
          const text = chunk.toString();
          const error = /(?:^|\n)(-[^\r]*)/.exec(text)?.[1];
          if (error) return reject(new Error(`the server says ${error}`));
        }
        for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) answered++;
        while (ends.length > 0 && answered >= ends[0]! * lines) ends.shift();
        if (answered === count * lines) resolve();
        else pump(socket);
      },
      drain: pump,
      close: () => reject(new Error("the server closed the connection")),
      error: (_, error) => reject(error),
    },
  });
  pump(socket);
  try {
    await promise;
  } finally {
    socket.end();
  }
}

/**
 * One command as bytes with holes: in the words given, a run of `#` is filled with as many decimal digits.
 * `new Template(["SET", "key:############", "v"]).encode(buffer, offset, [7])` writes key:000000000007.
 */
export class Template {
  private readonly bytes: Buffer;
  private readonly holes: { start: number; end: number }[] = [];

  constructor(words: string[]) {
    this.bytes = encodeCommand(words);
    for (const hole of this.bytes.toString("latin1").matchAll(/#+/g)) {
      this.holes.push({ start: hole.index, end: hole.index + hole[0].length });
    }
  }

  encode(buffer: Buffer, offset: number, numbers: readonly number[]): number {
    if (offset + this.bytes.length > buffer.length) return -1;
    this.bytes.copy(buffer, offset);
    for (let i = 0; i < this.holes.length; i++) {
      const { start, end } = this.holes[i]!;
      let number = numbers[i]!;
      for (let at = offset + end - 1; at >= offset + start; at--) {
        const rest = Math.floor(number / 10);
        buffer[at] = 48 + number - rest * 10;
        number = rest;
      }
    }
    return offset + this.bytes.length;
  }
}
