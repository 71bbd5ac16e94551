/** A connection that listens to everything, and keeps what it hears. */
import { elements, encode, replyEnd } from "./wire.ts";

export interface Heard {
  channel: string;
  message: string;
}

export class Listener {
  private received: Buffer = Buffer.alloc(0);
  private heard: Heard[] = [];
  private until: string | null = null;
  private resolve: () => void = () => {};
  private socket!: Bun.Socket<undefined>;

  /** Listens to the channels that match; resolves when it does. */
  static async open(port: number, pattern: string): Promise<Listener> {
    const listener = new Listener();
    const subscribed = listener.next("psubscribe");
    listener.socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: { data: (_socket, chunk) => listener.take(chunk) },
    });
    listener.socket.write(encode(["PSUBSCRIBE", pattern]));
    await subscribed;
    return listener;
  }

  /** What was heard before a message on this channel, once that has come. */
  async before(channel: string): Promise<Heard[]> {
    const at = () => this.heard.findIndex((each) => each.channel === channel);
    if (at() < 0) await this.next(channel);
    const found = this.heard.splice(0, at() + 1);
    found.pop();
    return found;
  }

  close(): void {
    this.socket.end();
  }

  private next(channel: string): Promise<void> {
    this.until = channel;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.resolve = resolve;
    return promise;
  }

  private take(chunk: Uint8Array): void {
    this.received = Buffer.concat([this.received, chunk]);
    for (let end = replyEnd(this.received, 0); end >= 0 && end > 0; end = replyEnd(this.received, 0)) {
      const parts = elements(this.received.subarray(0, end)).map(textOf);
      this.received = this.received.subarray(end);
      const channel = parts[0] === "psubscribe" ? "psubscribe" : parts[2]!;
      if (channel !== "psubscribe") this.heard.push({ channel, message: parts[3]! });
      if (channel === this.until) this.resolve();
      if (this.received.length === 0) break;
    }
  }
}

/** The text of a bulk string. */
function textOf(reply: Buffer): string {
  return reply.toString("latin1", reply.indexOf(10) + 1, reply.length - 2);
}
