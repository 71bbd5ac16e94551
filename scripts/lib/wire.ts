/**
 * A small RESP2 client on a raw socket, written apart from src/resp on purpose: a mistake there must not be
 * hidden by the same mistake here. For scripts and tests; requests may be pipelined, replies keep their order.
 */

/** A reply as JavaScript: a bulk or simple string, an integer, null, an array, or an error reply. */
export type Reply = string | number | null | ReplyError | Reply[];

export class ReplyError extends Error {
  override name = "ReplyError";
}

interface Pending {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

const CR = 13;
const INCOMPLETE = Symbol("incomplete");

export class Wire {
  private socket!: Bun.Socket<undefined>;
  private readonly pending: Pending[] = [];
  private received = Buffer.alloc(0);
  private unsent = Buffer.alloc(0);
  private readonly closing = Promise.withResolvers<void>();
  private ended = false;
  /** Resolves when the connection is gone, whoever closed it. */
  readonly closed: Promise<void> = this.closing.promise;

  static async connect(port: number, hostname = "127.0.0.1"): Promise<Wire> {
    const wire = new Wire();
    wire.socket = await Bun.connect({
      hostname,
      port,
      socket: {
        data: (_, chunk) => wire.take(chunk),
        drain: () => wire.flush(),
        close: () => wire.end(new Error("the server closed the connection")),
        error: (_, error) => wire.end(error),
      },
    });
    return wire;
  }

  /** Sends one command. An error reply is a rejection with a `ReplyError`. */
  async command(...args: (string | number)[]): Promise<Reply> {
    const reply = await this.raw(args);
    if (reply instanceof ReplyError) throw reply;
    return reply;
  }

  /** Sends one command; an error reply is a value. */
  raw(args: readonly (string | number)[]): Promise<Reply> {
    if (this.ended) return Promise.reject(new Error("the connection is closed"));
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    this.pending.push({ resolve, reject });
    this.send(encodeCommand(args));
    return promise;
  }

  /** Sends bytes as they are; whoever does so knows that no reply is matched to them. */
  send(bytes: Uint8Array): void {
    this.unsent = this.unsent.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.unsent, bytes]);
    this.flush();
  }

  close(): void {
    this.socket.end();
    this.end(new Error("the connection was closed here"));
  }

  private flush(): void {
    if (this.unsent.length === 0) return;
    const written = this.socket.write(this.unsent);
    if (written > 0) this.unsent = this.unsent.subarray(written);
  }

  private take(chunk: Uint8Array): void {
    this.received = this.received.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.received, chunk]);
    const reader = new Reader(this.received);
    let taken = 0;
    while (this.pending.length > 0) {
      const reply = reader.read();
      if (reply === INCOMPLETE) break;
      taken = reader.position;
      this.pending.shift()?.resolve(reply);
    }
    this.received = this.received.subarray(taken);
  }

  private end(error: Error): void {
    if (this.ended) return;
    this.ended = true;
    for (const { reject } of this.pending.splice(0)) reject(error);
    this.closing.resolve();
  }
}

export function encodeCommand(args: readonly (string | number)[]): Buffer {
  const words = args.map(String);
  return Buffer.from(
    `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`,
  );
}

/** The value of one `field:value` line of an INFO reply. */
export function infoField(info: Reply, field: string): string {
  const line = String(info)
    .split("\r\n")
    .find((each) => each.startsWith(`${field}:`));
  if (line === undefined) throw new Error(`INFO has no ${field}`);
  return line.slice(field.length + 1);
}

class Reader {
  position = 0;
  constructor(private readonly bytes: Buffer) {}

  read(): Reply | typeof INCOMPLETE {
    const line = this.line();
    if (line === INCOMPLETE) return INCOMPLETE;
    const rest = line.slice(1);
    switch (line[0]) {
      case "+":
        return rest;
      case "-":
        return new ReplyError(rest);
      case ":":
        return Number(rest);
      case "$":
        return this.bulk(Number(rest));
      case "*":
        return this.array(Number(rest));
      default:
        throw new Error(`not a RESP2 reply: ${JSON.stringify(line)}`);
    }
  }

  private line(): string | typeof INCOMPLETE {
    const end = this.bytes.indexOf(CR, this.position);
    if (end < 0 || end + 1 >= this.bytes.length) return INCOMPLETE;
    const line = this.bytes.toString("utf8", this.position, end);
    this.position = end + 2;
    return line;
  }

  private bulk(length: number): string | null | typeof INCOMPLETE {
    if (length < 0) return null;
    const end = this.position + length;
    if (end + 2 > this.bytes.length) return INCOMPLETE;
    const text = this.bytes.toString("utf8", this.position, end);
    this.position = end + 2;
    return text;
  }

  private array(length: number): Reply[] | null | typeof INCOMPLETE {
    if (length < 0) return null;
    const items: Reply[] = [];
    for (let i = 0; i < length; i++) {
      const item = this.read();
      if (item === INCOMPLETE) return INCOMPLETE;
      items.push(item);
    }
    return items;
  }
}
