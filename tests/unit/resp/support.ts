/** Feeding the request reader, and command streams to feed it with. */
import { latin1Text } from "../../../src/bytes/ascii.ts";
import { Request } from "../../../src/resp/request.ts";
import { NEED_MORE, PROTOCOL_ERROR, READY, RequestReader } from "../../../src/resp/request-reader.ts";
import type { Random } from "../bytes/random.ts";

export const limits = { protoMaxBulkLen: 512 * 1024 * 1024 };

/** The shared request of all readers of a test, as in the server. */
export const shared = new Request();

/** What a reader makes of a stream: commands (one character a byte), then the protocol error, if any. */
export interface Outcome {
  commands: string[][];
  error: string | null;
}

export function argsOf(request: Request): string[] {
  return Array.from({ length: request.argc }, (_, i) =>
    latin1Text(request.buf, request.start[i]!, request.end[i]!),
  );
}

/** Reads what there is, and ends the event as the dispatcher does. */
export function drain(reader: RequestReader, into: Outcome): void {
  for (;;) {
    const state = reader.next();
    if (state === NEED_MORE) break;
    if (state === PROTOCOL_ERROR) {
      into.error = reader.error;
      break;
    }
    if (state !== READY) throw new Error(`next() returned ${state}`);
    into.commands.push(argsOf(reader.request));
  }
  reader.finish();
}

/** Feeds the chunks one by one; each is overwritten afterwards, as nothing may look at it any more. */
export function read(chunks: Iterable<Uint8Array>, reader = new RequestReader(limits, shared)): Outcome {
  const out: Outcome = { commands: [], error: null };
  for (const chunk of chunks) {
    const own = chunk.slice();
    reader.feed(own);
    drain(reader, out);
    own.fill(0x2a);
    if (out.error !== null) break;
  }
  return out;
}

export function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** A command as a multibulk. */
export function multibulk(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`;
}

export function* cut(stream: Uint8Array, at: readonly number[]): Iterable<Uint8Array> {
  let from = 0;
  for (const to of [...at, stream.length]) {
    yield stream.subarray(from, to);
    from = to;
  }
}

export function* pieces(stream: Uint8Array, size: () => number): Iterable<Uint8Array> {
  for (let from = 0; from < stream.length; ) {
    const to = from + Math.max(1, size());
    yield stream.subarray(from, to);
    from = to;
  }
}

/** A random stream of commands and what must be read from it. */
export function randomStream(
  random: Random,
  count: number,
  large = 300,
): { stream: Uint8Array; commands: string[][] } {
  let text = "";
  const commands: string[][] = [];
  for (let i = 0; i < count; i++) {
    const kind = random.below(12);
    if (kind === 0) text += random.pick(["\r\n", "\n", "*0\r\n", "*-1\r\n", "*-10\r\n", "   \r\n"]);
    else if (kind < 3) {
      const words = Array.from({ length: 1 + random.below(4) }, () => word(random, 1 + random.below(12)));
      text += words.join(random.pick([" ", "  ", "\t"])) + random.pick(["\r\n", "\n"]);
      commands.push(words);
    } else {
      const argc = random.below(30) === 0 ? random.below(3000) + 1 : 1 + random.below(12);
      const args = Array.from({ length: argc }, () =>
        Buffer.from(random.bytes(random.below(10) === 0 ? random.below(large) : random.below(20))).toString(
          "latin1",
        ),
      );
      text += multibulk(args);
      commands.push(args);
    }
  }
  return { stream: bytes(text), commands };
}

function word(random: Random, length: number): string {
  return Buffer.from(random.bytes(length, "abcdefghijklmnopqrstuvwxyzABC0123456789:{}$-_")).toString(
    "latin1",
  );
}
