/**
 * Sends raw bytes to a real redis-server and to the server under test, piece by piece, and tells what each has
 * answered behind each piece, and whether it hung up.
 *
 * That a server has dealt with a piece is known from a second connection: what is asked there afterwards is answered
 * behind what was there before. A reply and the end of a connection may leave a turn of the event loop later, so it is
 * asked several times.
 */
import type { Socket } from "bun";
import type { HostileStream } from "./hostile-streams.ts";
import { show, Wire } from "./wire.ts";

const QUESTIONS = 3;

/** What a client knows after a piece. */
interface Outcome {
  received: string;
  closed: boolean;
}

/** One of the two servers, and the connection that watches it. */
export class Watched {
  /** Own questions since the statistics began. */
  private asked = 0;

  private constructor(
    readonly port: number,
    private readonly auth: readonly string[][],
    private readonly control: Wire,
  ) {}

  static async open(port: number, password: string | null): Promise<Watched> {
    const auth = password === null ? [] : [["AUTH", password]];
    const control = await Wire.open(port);
    if (auth.length > 0) await control.send(auth);
    return new Watched(port, auth, control);
  }

  /** An empty data set, and statistics that begin anew. */
  async reset(setup: readonly string[][]): Promise<void> {
    await this.control.send([["FLUSHALL"], ["SCRIPT", "FLUSH"], ...setup, ["CONFIG", "RESETSTAT"]]);
    this.asked = 0;
  }

  /** Everything sent so far has been dealt with when this resolves. */
  async settle(): Promise<void> {
    for (let i = 0; i < QUESTIONS; i++) await this.control.send([["PING"]]);
    this.asked += QUESTIONS;
  }

  /** Sends the stream on a connection of its own. */
  async play(stream: HostileStream): Promise<Outcome[]> {
    const client = await RawSocket.open(this.port);
    await this.settle();
    const outcomes: Outcome[] = [];
    const look = async (): Promise<void> => {
      await this.settle();
      outcomes.push({ received: client.received, closed: client.closed });
    };
    for (const [i, piece] of stream.pieces.entries()) {
      if (client.closed) break;
      await client.send(piece);
      if (stream.end === "half-close at once" && i === stream.pieces.length - 1) client.halfClose();
      await look();
    }
    if (stream.end === "half-close" && !client.closed) {
      client.halfClose();
      await look();
    }
    client.end();
    await this.settle();
    return outcomes;
  }

  /** What a new client is told, and what the statistics have come to. */
  async aftermath(): Promise<string[]> {
    const fresh = await Wire.open(this.port);
    const answers = await fresh.send([...this.auth, ["PING"], ["DBSIZE"], ["DEBUG", "DIGEST"]]);
    fresh.close();
    const [info] = await this.control.send([["INFO", "all"]]);
    return [...answers.map(show), ...statistics(info!.toString("latin1"), this.asked)];
  }

  /** As INFO tells it, with the buffers of clients. */
  async usedMemory(): Promise<number> {
    const [info] = await this.control.send([["INFO", "memory"]]);
    return Number(/^used_memory:(\d+)/m.exec(info!.toString("latin1"))![1]);
  }

  close(): void {
    this.control.close();
  }
}

const TOTALS =
  /^(total_commands_processed|acl_access_\w+|total_error_replies|unexpected_error_replies|total_connections_received|rejected_connections|connected_clients|blocked_clients|pubsub(_channels|_patterns|shard_channels)|keyspace_\w+|errorstat_\w+):/;

/** The lines of INFO that do not depend on time and memory; so many PINGs do not count. */
function statistics(info: string, pings: number): string[] {
  const lines: string[] = [];
  for (const whole of info.split("\r\n")) {
    const line = whole.replace(
      /^(total_commands_processed:|cmdstat_ping:calls=)(\d+)/,
      (_, name, count) => `${name}${Number(count) - pings}`,
    );
    if (TOTALS.test(line)) lines.push(line);
    else if (line.startsWith("cmdstat_")) lines.push(line.replace(/usec=\d+,usec_per_call=[\d.]+,/, ""));
  }
  return lines.sort();
}

/** A connection that sends bytes as they are told, each piece for itself. */
export class RawSocket {
  private socket!: Socket<undefined>;
  private readonly chunks: Buffer[] = [];
  private drained: (() => void) | null = null;
  closed = false;

  static async open(port: number): Promise<RawSocket> {
    const client = new RawSocket();
    const ended = (): void => {
      client.closed = true;
      client.drained?.();
    };
    client.socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_, chunk) => {
          client.chunks.push(Buffer.from(chunk));
        },
        drain: () => client.drained?.(),
        close: ended,
        error: ended,
      },
    });
    client.socket.setNoDelay(true);
    return client;
  }

  get received(): string {
    return Buffer.concat(this.chunks).toString("latin1");
  }

  async send(text: string): Promise<void> {
    const bytes = Buffer.from(text, "latin1");
    for (let at = 0; at < bytes.length && !this.closed; ) {
      const written = this.socket.write(bytes, at, bytes.length - at);
      at += Math.max(0, written);
      if (at === bytes.length || this.closed) break;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.drained = resolve;
      await promise;
    }
  }

  halfClose(): void {
    this.socket.shutdown();
  }

  end(): void {
    if (!this.closed) this.socket.terminate();
  }
}

/**
 * What may differ: HELLO tells who the server is, and the client's number; and since 7.2 Redis keeps the error of AUTH
 * to itself where other replies wait, redbun never does. All channels are unsubscribed in no particular order.
 */
function masked(text: string): string {
  return text
    .replace(/(\$2\r\nid\r\n):\d+/g, "$1:ID")
    .replace(/(\$7\r\nversion\r\n)\$\d+\r\n[\d.]+/g, "$1VERSION")
    .replace(WRONG_PASSWORD, "")
    .replace(/(unsubscribe\r\n)\$\d+\r\n[\s\S]*?(\r\n:\d)/g, "$1NAME$2");
}

const WRONG_PASSWORD = /-WRONGPASS [^\r]*\r\n/g;

/**
 * Redis waits for replies to be sent before it hangs up, and for ever where there are none, as with CLIENT REPLY OFF;
 * it reads nothing any more. redbun hangs up.
 */
function isLeftHanging(
  stream: HostileStream,
  at: number,
  theirs: readonly Outcome[],
  ours: Outcome,
): boolean {
  const { received } = theirs[at]!;
  return (
    ours.closed &&
    /reply/i.test(stream.pieces.join("")) &&
    masked(received) === masked(ours.received) &&
    theirs.slice(at).every((later) => later.received === received)
  );
}

/** Where the texts part, without what may differ. */
function firstDifference(a: string, b: string): number {
  const [theirs, ours] = [masked(a), masked(b)];
  let at = 0;
  while (at < theirs.length && theirs[at] === ours[at]) at++;
  return at;
}

function differenceIn(
  stream: HostileStream,
  theirs: readonly Outcome[],
  ours: readonly Outcome[],
): string | null {
  for (const [i, expected] of theirs.entries()) {
    const actual = ours[i];
    const same =
      actual !== undefined &&
      actual.closed === expected.closed &&
      masked(actual.received) === masked(expected.received);
    if (same) continue;
    if (actual !== undefined && isLeftHanging(stream, i, theirs, actual)) return null;
    const from =
      actual === undefined ? 0 : Math.max(0, firstDifference(expected.received, actual.received) - 60);
    const tell = ({ received, closed }: Outcome): string =>
      `${show(Buffer.from(received.slice(from, from + 200), "latin1"))}${closed ? " and hangs up" : ""}`;
    const where = i < stream.pieces.length ? `piece ${i}` : "the half-close";
    return `after ${where}\n  redis:  ${tell(expected)}\n  redbun: ${actual === undefined ? "has hung up before" : tell(actual)}`;
  }
  return null;
}

/** Errors of AUTH count where they are sent. */
const OF_AUTH = /^(errorstat_WRONGPASS|total_error_replies|cmdstat_(auth|hello))/;

/** What the servers do differently, or null. */
export async function compare(
  oracle: Watched,
  subject: Watched,
  stream: HostileStream,
  setup: readonly string[][],
): Promise<string | null> {
  const both = <T>(work: (side: Watched) => Promise<T>): Promise<[T, T]> =>
    Promise.all([work(oracle), work(subject)]);
  await both((side) => side.reset(setup));
  const [theirs, ours] = await both((side) => side.play(stream));
  const difference = differenceIn(stream, theirs, ours);
  if (difference !== null) return difference;
  const [expected, actual] = await both((side) => side.aftermath());
  const refused = actual.some((line) => line.startsWith("errorstat_WRONGPASS"));
  const isFair = (line: string): boolean => !(refused && OF_AUTH.test(line));
  const missing = expected.filter((line) => isFair(line) && !actual.includes(line));
  const extra = actual.filter((line) => isFair(line) && !expected.includes(line));
  if (missing.length === 0 && extra.length === 0) return null;
  return `afterwards\n  redis:  ${missing.join(" ")}\n  redbun: ${extra.join(" ")}`;
}

export function showStream({ pieces, end }: HostileStream): string {
  return `${pieces.map((piece) => JSON.stringify(piece.length > 300 ? `${piece.slice(0, 200)}...(${piece.length})...${piece.slice(-60)}` : piece)).join("\n")}\n${end}`;
}

/** Leaves out of the stream what the difference does not need. */
export async function shrink(
  stream: HostileStream,
  differs: (stream: HostileStream) => Promise<boolean>,
): Promise<HostileStream> {
  let best = stream;
  const better = async (pieces: string[], end = best.end): Promise<boolean> => {
    const candidate = { pieces: pieces.filter((piece) => piece !== ""), end };
    if (!(await differs(candidate))) return false;
    best = candidate;
    return true;
  };
  await better(best.pieces, "open");
  await better([best.pieces.join("")].flatMap((all) => (all.length < 16_000 ? [all] : best.pieces)));
  for (let size = Math.ceil(best.pieces.join("").length / 2); size >= 1; size = size > 1 ? size >> 1 : 0)
    for (let i = 0; i < best.pieces.length; i++)
      for (let at = 0; at < (best.pieces[i]?.length ?? 0); ) {
        const piece = best.pieces[i]!;
        const less = best.pieces.with(i, piece.slice(0, at) + piece.slice(at + size));
        if (!(await better(less))) at += size;
      }
  return best;
}
