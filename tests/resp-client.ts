/**
 * A client for tests of single commands: replies as JavaScript values, one at a time, also those that nobody asked
 * for (MONITOR). Maps come as objects, errors as values, so that a test can look at them.
 */
import { encode, replyEnd } from "./differential/lib/wire.ts";

export type Reply = string | number | boolean | null | ReplyError | Reply[] | { [key: string]: Reply };

export class ReplyError {
  constructor(readonly message: string) {}
}

const CR = 13;

export class RespClient {
  private received: Buffer = Buffer.alloc(0);
  private readonly replies: Reply[] = [];
  private readonly waiting: ((reply: Reply | undefined) => void)[] = [];
  private socket!: Bun.Socket<undefined>;
  private unsent: Buffer[] = [];
  closed = false;

  static async open(port: number): Promise<RespClient> {
    const client = new RespClient();
    client.socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, chunk) => client.take(chunk),
        drain: () => client.flush(),
        close: () => client.end(),
        error: () => client.end(),
      },
    });
    return client;
  }

  send(...args: string[]): void {
    this.put(encode(args));
  }

  /** Bytes as they are. */
  write(text: string): void {
    this.put(Buffer.from(text, "latin1"));
  }

  private put(bytes: Buffer): void {
    this.unsent.push(bytes);
    if (this.unsent.length === 1) this.flush();
  }

  private flush(): void {
    while (this.unsent.length > 0 && !this.closed) {
      const bytes = this.unsent[0]!;
      const written = Math.max(0, this.socket.write(bytes));
      if (written < bytes.length) {
        this.unsent[0] = bytes.subarray(written);
        return;
      }
      this.unsent.shift();
    }
  }

  /** Reads no further: what the server sends gets stuck. */
  pause(): void {
    this.socket.pause();
  }

  /** The next reply; an error when the connection ends before. */
  async next(): Promise<Reply> {
    const reply = await this.nextOrEnd();
    if (reply === undefined) throw new Error("the server closed the connection");
    return reply;
  }

  /** The next reply, or undefined at the end of the connection. */
  nextOrEnd(): Promise<Reply | undefined> {
    const ready = this.replies.shift();
    if (ready !== undefined || this.closed) return Promise.resolve(ready);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  call(...args: string[]): Promise<Reply> {
    this.send(...args);
    return this.next();
  }

  /** A call whose reply is a text. */
  async text(...args: string[]): Promise<string> {
    const reply = await this.call(...args);
    if (typeof reply !== "string") throw new Error(`${args.join(" ")}: ${JSON.stringify(reply)}`);
    return reply;
  }

  close(): void {
    this.socket.end();
  }

  private take(chunk: Uint8Array): void {
    this.received = Buffer.concat([this.received, chunk]);
    for (;;) {
      const end = this.received.length === 0 ? -1 : replyEnd(this.received, 0);
      if (end < 0) return;
      const reply = parse(this.received, 0).reply;
      this.received = this.received.subarray(end);
      const waiter = this.waiting.shift();
      if (waiter === undefined) this.replies.push(reply);
      else waiter(reply);
    }
  }

  private end(): void {
    this.closed = true;
    for (const waiter of this.waiting.splice(0)) waiter(undefined);
  }
}

function parse(bytes: Buffer, at: number): { reply: Reply; end: number } {
  const line = bytes.indexOf(CR, at);
  const text = bytes.toString("latin1", at + 1, line);
  const next = line + 2;
  switch (String.fromCharCode(bytes[at]!)) {
    case "-":
      return { reply: new ReplyError(text), end: next };
    case ":":
    case ",":
      return { reply: Number(text), end: next };
    case "#":
      return { reply: text === "t", end: next };
    case "_":
      return { reply: null, end: next };
    case "$":
    case "=": {
      const length = Number(text);
      if (length < 0) return { reply: null, end: next };
      const start = bytes[at] === 61 ? next + 4 : next;
      return { reply: bytes.toString("latin1", start, next + length), end: next + length + 2 };
    }
    case "*":
    case "~":
    case ">":
      return Number(text) < 0 ? { reply: null, end: next } : list(bytes, next, Number(text));
    case "%": {
      const { reply, end } = list(bytes, next, Number(text) * 2);
      const flat = reply as Reply[];
      const map: { [key: string]: Reply } = {};
      for (let i = 0; i < flat.length; i += 2) map[String(flat[i])] = flat[i + 1]!;
      return { reply: map, end };
    }
    default:
      return { reply: text, end: next };
  }
}

function list(bytes: Buffer, at: number, count: number): { reply: Reply; end: number } {
  const items: Reply[] = [];
  let end = at;
  for (let i = 0; i < count; i++) {
    const item = parse(bytes, end);
    items.push(item.reply);
    end = item.end;
  }
  return { reply: items, end };
}

/** The fields of a text such as INFO or CLIENT INFO: "name:value" lines, or "name=value" words. */
export function fieldsOf(text: string): Record<string, string> {
  const pairs = text.includes("\r\n")
    ? text.split("\r\n").map((line) => line.split(/:(.*)/s))
    : text
        .trim()
        .split(" ")
        .map((word) => word.split(/=(.*)/s));
  return Object.fromEntries(
    pairs.filter(([, value]) => value !== undefined).map(([name, value]) => [name, value]),
  );
}
