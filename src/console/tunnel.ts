import type { ServerWebSocket, WebSocketHandler } from "bun";
import type { Connection } from "../server/connection.ts";
import type { Server } from "../server/server.ts";
import { type Peer, wireTo } from "./ask.ts";

/**
 * RESP through a WebSocket: what the page sends is a client's requests, what it gets are the replies, byte for byte. So
 * the page logs in by AUTH and may do what its user may do, MULTI and SUBSCRIBE included.
 */
export interface Visit {
  readonly peer: Peer;
  connection: Connection | null;
}

/** Bytes that a socket may have waiting before its client's replies are kept back; they then count as its output. */
const HIGH_WATER = 1024 * 1024;

export function tunnel(server: Server): WebSocketHandler<Visit> {
  return {
    open(socket) {
      const { data } = socket;
      data.connection = server.sockets.connect(
        {
          ...wireTo(data.peer),
          write: (bytes, start, length) => send(socket, bytes.subarray(start, start + length)),
          close: () => socket.close(1000),
          terminate: () => socket.terminate(),
        },
        "tcp",
      );
    },
    message({ data: { connection } }, message) {
      if (connection === null) return;
      // The server may keep the bytes, and gives their memory back.
      server.sockets.received(
        connection,
        typeof message === "string" ? Buffer.from(message) : Uint8Array.from(message),
      );
    },
    drain({ data: { connection } }) {
      connection?.drain();
    },
    close({ data }) {
      data.connection?.drop();
      data.connection = null;
    },
    perMessageDeflate: false,
    maxPayloadLength: 16 * 1024 * 1024,
    backpressureLimit: 64 * 1024 * 1024,
    closeOnBackpressureLimit: false,
    idleTimeout: 0,
  };
}

/** How many bytes were taken; fewer than there are only if the socket has some waiting, so that it tells of its drain. */
function send(socket: ServerWebSocket<Visit>, bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length && socket.getBufferedAmount() <= HIGH_WATER) {
    const piece = bytes.subarray(at, at + HIGH_WATER);
    if (socket.sendBinary(piece) === 0) return at;
    at += piece.length;
  }
  return at;
}
