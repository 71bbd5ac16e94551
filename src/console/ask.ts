import type { Wire } from "../server/connection.ts";
import type { Server } from "../server/server.ts";
import { Refusal, Replies, type Reply } from "./reply.ts";

/** The other end of an HTTP request, as CLIENT LIST shows it. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** Nobody waits longer for an answer: the server is paused, or busy. */
const PATIENCE_MS = 5000;

/**
 * Asks the server as a client does, through all its gates and with the rights of who asks; the client exists for the
 * time of the question. Resolves with the replies, or with the error that logging in got.
 */
export async function ask(
  server: Server,
  peer: Peer,
  login: Login | null,
  commands: readonly (readonly string[])[],
): Promise<Reply[] | Refusal> {
  const replies: Reply[] = [];
  const wanted = commands.length + (login === null ? 0 : 1);
  const { promise, resolve } = Promise.withResolvers<void>();
  const parser = new Replies();
  const wire: Wire = {
    ...wireTo(peer),
    write(bytes, start, length) {
      parser.feed(bytes.subarray(start, start + length));
      for (let reply = parser.next(); reply !== undefined; reply = parser.next()) replies.push(reply);
      if (replies.length >= wanted) resolve();
      return length;
    },
    close: resolve,
    terminate: resolve,
  };
  const connection = server.sockets.connect(wire, "tcp");
  const timer = setTimeout(resolve, PATIENCE_MS);
  const auth = login === null ? [] : [encode(["AUTH", login.user, login.password])];
  server.sockets.received(connection, Buffer.concat([...auth, ...commands.map(encode)]));
  await promise;
  clearTimeout(timer);
  if (!connection.closed) connection.close("now");
  if (login !== null) {
    const [first] = replies.splice(0, 1);
    if (first instanceof Refusal) return first;
  }
  while (replies.length < commands.length) replies.push(new Refusal("ERR no answer in time"));
  return replies;
}

/** The addresses of a wire that is no socket. */
export function wireTo({ address, port }: Peer): Omit<Wire, "write" | "close" | "terminate"> {
  return { remoteAddress: address, remotePort: port, localAddress: "console", localPort: 0 };
}

function encode(args: readonly string[]): Buffer {
  const parts = args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`);
  return Buffer.from(`*${args.length}\r\n${parts.join("")}`);
}
