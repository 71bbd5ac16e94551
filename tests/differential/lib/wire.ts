/**
 * A connection at protocol level: sends pipelines of commands and gives each reply's bytes as they came, so that
 * two servers can be compared without a client library in between.
 */

/** An argument: text is taken as latin1, one character a byte. */
export type Arg = string | Uint8Array;

const CR = 13;

export class Wire {
  private received: Buffer = Buffer.alloc(0);
  private ends: number[] = [];
  private scanned = 0;
  private wanted = 0;
  private resolve: (() => void) | null = null;
  private reject: ((error: Error) => void) | null = null;
  private pending: Buffer | null = null;
  private closed = false;
  private socket!: Bun.Socket<undefined>;

  static async open(port: number): Promise<Wire> {
    const wire = new Wire();
    wire.socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, chunk) => wire.take(chunk),
        drain: () => wire.write(),
        close: () => wire.ended(),
        error: () => wire.ended(),
      },
    });
    return wire;
  }

  /** Sends the commands in one piece and waits for one reply to each. */
  send(commands: readonly (readonly Arg[])[]): Promise<Buffer[]> {
    return this.sendRaw(Buffer.concat(commands.map(encode)), commands.length);
  }

  /** Sends bytes as they are and waits for so many replies; a close before that is an error. */
  async sendRaw(bytes: Buffer, count: number): Promise<Buffer[]> {
    if (this.closed) throw new Error("the server has closed the connection");
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.resolve = resolve;
    this.reject = reject;
    this.wanted = count;
    this.received = Buffer.alloc(0);
    this.ends = [];
    this.scanned = 0;
    this.pending = bytes;
    this.write();
    if (count > 0) await promise;
    return this.ends.map((end, i) => this.received.subarray(i === 0 ? 0 : this.ends[i - 1], end));
  }

  close(): void {
    this.closed = true;
    this.socket.end();
  }

  private write(): void {
    if (this.pending === null) return;
    const written = this.socket.write(this.pending);
    this.pending = written < this.pending.length ? this.pending.subarray(Math.max(0, written)) : null;
  }

  private take(chunk: Uint8Array): void {
    this.received = Buffer.concat([this.received, chunk]);
    while (this.ends.length < this.wanted) {
      const end = replyEnd(this.received, this.scanned);
      if (end < 0) return;
      this.ends.push(end);
      this.scanned = end;
    }
    if (this.scanned < this.received.length)
      this.reject?.(new Error(`unexpected bytes: ${show(this.received.subarray(this.scanned))}`));
    this.resolve?.();
  }

  private ended(): void {
    this.closed = true;
    this.reject?.(new Error(`the server closed the connection after ${this.ends.length} replies`));
  }
}

export function encode(args: readonly Arg[]): Buffer {
  const pieces: Uint8Array[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = typeof arg === "string" ? Buffer.from(arg, "latin1") : arg;
    pieces.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(pieces);
}

/** The offset behind the reply that begins at `at`, or -1 if it is not complete. */
export function replyEnd(bytes: Buffer, at: number): number {
  const line = bytes.indexOf(CR, at);
  if (line < 0 || line + 1 >= bytes.length) return -1;
  const next = line + 2;
  const count = Number(bytes.toString("latin1", at + 1, line));
  switch (String.fromCharCode(bytes[at]!)) {
    case "$":
    case "=":
    case "!": {
      const end = count < 0 ? next : next + count + 2;
      return end <= bytes.length ? end : -1;
    }
    case "*":
    case "~":
    case ">":
      return skip(bytes, next, count);
    case "%":
      return skip(bytes, next, count * 2);
    case "|": {
      const end = skip(bytes, next, count * 2);
      return end < 0 ? end : replyEnd(bytes, end);
    }
    default:
      return next;
  }
}

function skip(bytes: Buffer, at: number, count: number): number {
  let end = at;
  for (let i = 0; i < count && end >= 0; i++) end = replyEnd(bytes, end);
  return end;
}

/** Replies inside an aggregate that begins at 0, each with all that belongs to it. */
export function elements(reply: Buffer): Buffer[] {
  const found: Buffer[] = [];
  let at = reply.indexOf(CR) + 2;
  while (at < reply.length) {
    const end = replyEnd(reply, at);
    if (end < 0) break;
    found.push(reply.subarray(at, end));
    at = end;
  }
  return found;
}

/** Bytes for a human, cut in the middle where they are many. */
export function show(bytes: Uint8Array): string {
  const text = Buffer.from(bytes)
    .toString("latin1")
    .replace(/\r/g, "\\r")
    .replace(/\n/g, "\\n")
    .replace(/[^ -~]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return text.length <= 400 ? text : `${text.slice(0, 200)} ... ${text.slice(-200)} (${bytes.length} bytes)`;
}

export function showCommand(args: readonly Arg[]): string {
  return args
    .map((arg) => {
      const text = show(typeof arg === "string" ? Buffer.from(arg, "latin1") : arg);
      return text === "" || /[ "]/.test(text) ? `"${text}"` : text;
    })
    .join(" ");
}
