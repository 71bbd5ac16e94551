import { HEADER_LENGTH, SIGNATURE } from "./message.ts";
import type { ClusterNode } from "./node.ts";

/**
 * A connection of the bus. Each pair of nodes has two of them: over the one that it made itself a node sends what it
 * has to say, over the other it answers. Messages come one after the other, each with its length; what is cut between
 * chunks is put together here.
 */
export interface LinkUser {
  /** A whole message, valid until this returns. */
  message(link: BusLink, bytes: Uint8Array): void;
  /** The connection stands, and can be written to. */
  opened(link: BusLink): void;
  /** What came is no message; the link is closed. */
  garbage(link: BusLink, why: string): void;
  closed(link: BusLink): void;
}

/** What a link needs of its socket. */
type BusSocket = Pick<
  Bun.Socket<unknown>,
  "write" | "terminate" | "setNoDelay" | "localAddress" | "remoteAddress"
>;

/** No message is longer: PUBLISH carries a bulk at most. */
const LONGEST = 1024 * 1024 * 1024;
const LENGTH_END = 8;
const FIRST_ROOM = 4096;

export class BusLink {
  readonly createdAt = Date.now();
  /** Whom it leads to; of an inbound one unknown until it says who it is. */
  node: ClusterNode | null = null;
  closed = false;
  private socket: BusSocket | null = null;
  /** What the kernel has not taken yet. */
  private unsent: Uint8Array[] = [];
  queuedBytes = 0;
  private scheduled = false;
  /** The beginning of a message. */
  private partial: Uint8Array = new Uint8Array(0);
  private filled = 0;
  private needed = 0;

  constructor(
    /** The other side made it. */
    readonly inbound: boolean,
    private readonly user: LinkUser,
  ) {}

  get localAddress(): string {
    return plainAddress(this.socket?.localAddress ?? "");
  }

  get remoteAddress(): string {
    return plainAddress(this.socket?.remoteAddress ?? "");
  }

  /** As CLUSTER LINKS tells: readable, and writable where something waits. */
  get events(): string {
    return this.socket === null ? "" : this.unsent.length > 0 ? "rw" : "r";
  }

  open(socket: BusSocket): void {
    if (this.closed) return void socket.terminate();
    this.socket = socket;
    socket.setNoDelay(true);
    this.user.opened(this);
  }

  /**
   * Sends it when the event under way has ended: by then what it tells of is on disk (see Cluster.settle), and several
   * messages leave together. `bytes` must not change any more.
   */
  send(bytes: Uint8Array): void {
    if (this.closed) return;
    this.unsent.push(bytes);
    this.queuedBytes += bytes.length;
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.flush);
  }

  readonly flush = (): void => {
    const { socket } = this;
    this.scheduled = false;
    if (socket === null) return;
    while (this.unsent.length > 0 && !this.closed) {
      const bytes = this.unsent[0]!;
      const written = socket.write(bytes);
      if (written < 0) return this.close();
      this.queuedBytes -= written;
      if (written < bytes.length) {
        this.unsent[0] = bytes.subarray(written);
        return;
      }
      this.unsent.shift();
    }
  };

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.unsent = [];
    this.queuedBytes = 0;
    const { node, socket } = this;
    if (node?.link === this) node.link = null;
    if (node?.inbound === this) node.inbound = null;
    this.socket = null;
    socket?.terminate();
    this.user.closed(this);
  }

  // ------------------------------------------------------------------ receiving

  received(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.closed) {
      if (this.filled > 0) {
        at += this.complete(chunk, at);
        continue;
      }
      const left = chunk.length - at;
      const length = left >= LENGTH_END ? this.lengthAt(chunk, at) : 0;
      if (length < 0) return;
      if (length === 0 || length > left) {
        this.keep(chunk, at, length);
        return;
      }
      this.user.message(this, chunk.subarray(at, at + length));
      at += length;
    }
  }

  /** The length of the message that begins there; -1: it is none, and the link is closed. */
  private lengthAt(bytes: Uint8Array, at: number): number {
    const length = new DataView(bytes.buffer, bytes.byteOffset + at, LENGTH_END).getUint32(4);
    const signed = SIGNATURE.every((byte, i) => bytes[at + i] === byte);
    if (signed && length >= HEADER_LENGTH && length <= LONGEST) return length;
    this.user.garbage(this, `Bad message length or signature received on the Cluster bus.`);
    this.close();
    return -1;
  }

  /** The rest of a chunk is the beginning of a message of this length; 0: not known yet. */
  private keep(chunk: Uint8Array, at: number, length: number): void {
    this.needed = Math.max(length, LENGTH_END);
    this.partial = new Uint8Array(Math.min(this.needed, Math.max(FIRST_ROOM, chunk.length - at)));
    this.filled = 0;
    this.take(chunk, at);
  }

  /** Adds to the message begun; returns how much of the chunk was taken. */
  private complete(chunk: Uint8Array, at: number): number {
    const taken = this.take(chunk, at);
    if (this.filled < this.needed) return taken;
    if (this.filled === LENGTH_END) {
      const length = this.lengthAt(this.partial, 0);
      if (length >= 0) this.needed = length;
      return taken;
    }
    const message = this.partial.subarray(0, this.needed);
    this.partial = new Uint8Array(0);
    this.filled = 0;
    this.user.message(this, message);
    return taken;
  }

  /** Room grows with what comes, not with what was announced. */
  private take(chunk: Uint8Array, at: number): number {
    const taken = Math.min(this.needed - this.filled, chunk.length - at);
    if (this.filled + taken > this.partial.length) {
      const larger = new Uint8Array(Math.min(this.needed, (this.filled + taken) * 2));
      larger.set(this.partial.subarray(0, this.filled));
      this.partial = larger;
    }
    this.partial.set(chunk.subarray(at, at + taken), this.filled);
    this.filled += taken;
    return taken;
  }
}

/** IPv4 addresses of a socket that speaks IPv6 come as ::ffff:1.2.3.4. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:/i, "");
}
