import { ptr } from "bun:ffi";
import { LONG, libc, MSG_DONTWAIT, MSG_NOSIGNAL } from "../host/libc.ts";
import type { ReceiveRing, Receiver } from "../host/receive-ring.ts";
import type { Connection, Wire } from "./connection.ts";

/**
 * A client's socket that has been taken over from Bun: what it receives comes through a ring (host/receive-ring.ts), and
 * what does not go out by the ring of sends is sent by a call. Linux only.
 */
const SOL_SOCKET = 1;
const SO_LINGER = 13;
const F_DUPFD_CLOEXEC = 1030;
const SYMBOLS = {
  fcntl: { args: ["int", "int", "int"], returns: "int" },
  send: { args: ["int", LONG, LONG, "int"], returns: LONG },
  setsockopt: { args: ["int", "int", "int", "ptr", "int"], returns: "int" },
  close: { args: ["int"], returns: "int" },
} as const;

interface Library {
  fcntl(fd: number, command: number, lowest: number): number;
  send(fd: number, address: number, length: number, flags: number): number | bigint;
  setsockopt(fd: number, level: number, option: number, value: Int32Array, length: number): number;
  close(fd: number): number;
}

/** Closing does not deliver what waits, but resets the connection. */
const NO_LINGER = Int32Array.of(1, 0);

let library: Library | null | undefined;

/** What is told of a connection whose socket was taken over, as Bun's handlers tell of the others. */
export interface RingHandlers {
  /** The bytes are the handler's until it returns. */
  data(connection: Connection, bytes: Uint8Array): void;
  drain(connection: Connection): void;
  end(connection: Connection): void;
  /** The socket is gone, but for its descriptor. */
  error(connection: Connection): void;
}

export class RingSocket implements Wire, Receiver {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  private readonly number: number;
  private waiting = false;
  private open = true;

  private constructor(
    private readonly library: Library,
    private readonly ring: ReceiveRing,
    readonly fd: number,
    private readonly handlers: RingHandlers,
    private readonly connection: Connection,
    from: Wire,
  ) {
    ({
      remoteAddress: this.remoteAddress,
      remotePort: this.remotePort,
      localAddress: this.localAddress,
      localPort: this.localPort,
    } = from);
    this.number = ring.watch(fd, this);
  }

  /** Takes the connection's socket over, which may then be closed; null where that cannot be done. */
  static of(
    connection: Connection,
    from: Wire,
    ring: ReceiveRing,
    handlers: RingHandlers,
  ): RingSocket | null {
    library ??= libc(SYMBOLS);
    const fd = library?.fcntl(connection.fd, F_DUPFD_CLOEXEC, 0) ?? -1;
    return library === null || fd < 0 ? null : new RingSocket(library, ring, fd, handlers, connection, from);
  }

  received(bytes: Uint8Array): void {
    this.handlers.data(this.connection, bytes);
  }

  ended(): void {
    this.handlers.end(this.connection);
  }

  failed(): void {
    this.handlers.error(this.connection);
  }

  writable(): void {
    this.waiting = false;
    this.handlers.drain(this.connection);
  }

  write(bytes: Uint8Array, start: number, length: number): number {
    if (!this.open) return -1;
    const address = ptr(bytes) + start;
    const sent = Number(this.library.send(this.fd, address, length, MSG_DONTWAIT | MSG_NOSIGNAL));
    if (sent < length && !this.waiting) {
      this.waiting = true;
      this.ring.whenWritable(this.number);
    }
    return sent;
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.ring.unwatch(this.number);
    this.library.close(this.fd);
  }

  terminate(): void {
    if (this.open) this.library.setsockopt(this.fd, SOL_SOCKET, SO_LINGER, NO_LINGER, NO_LINGER.byteLength);
    this.close();
  }
}
