import { copyBytes } from "../bytes/ascii.ts";
import { Session, type SessionLink } from "../call/session.ts";
import type { SendRing } from "../host/send-ring.ts";
import type { Request } from "../resp/request.ts";
import { NEED_MORE, READY, RequestReader } from "../resp/request-reader.ts";
import type { ConnectionHost } from "./connection-host.ts";
import { PIECE } from "./piece-pool.ts";

/**
 * One client's socket: its request reader, its session, and the replies that the kernel has not taken yet.
 *
 * Replies are gathered in the server's one writer and sent at the end of the turn (turn.ts). What the kernel
 * does not take waits here in pieces until `drain`; a large rest takes the writer's buffer with it instead
 * of being copied.
 */

/** What a connection needs of its socket: Bun's, or what the console puts in its place. */
export interface Wire {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Takes some of the bytes and returns how many; below 0: the socket is gone. They are the caller's again. */
  write(bytes: Uint8Array, start: number, length: number): number;
  close(): void;
  terminate(): void;
}

interface Piece {
  readonly buf: Uint8Array;
  start: number;
  end: number;
  /** The buffer goes back to the pool. */
  readonly pooled: boolean;
}

const HAND_OVER = 64 * 1024;

export class Connection implements SessionLink {
  readonly session: Session;
  readonly reader: RequestReader;
  readonly address: string;
  readonly localAddress: string;
  fd: number;
  readonly unixSocket: boolean;
  readonly tls: boolean;
  /** No commands are read for now (CLIENT PAUSE); what arrives is kept. */
  suspended = false;
  closed = false;
  /** When output first went over the soft limit, milliseconds; 0: it is not over. */
  softLimitSince = 0;
  /** Stretches of replies that are held for the end of a turn, or for the disk (turn.ts). */
  holding = 0;
  /** Bytes that count for maxmemory-clients, as of the last look (client-eviction.ts). */
  accounted = 0;
  private pieces: Piece[] = [];
  outputBytes = 0;
  private endWhenDrained = false;
  private taker: ((request: Request | null) => void) | null = null;

  constructor(
    private readonly host: ConnectionHost,
    private socket: Wire,
    id: number,
    kind: "tcp" | "tls" | "unix",
    unixPath: string,
  ) {
    const unixSocket = kind === "unix";
    this.unixSocket = unixSocket;
    this.tls = kind === "tls";
    this.session = new Session(id, this, host.clock.now);
    this.reader = new RequestReader(host.readerLimits, host.sharedRequest);
    this.fd = descriptorOf(socket);
    this.address = unixSocket ? `${unixPath}:0` : endpoint(socket.remoteAddress, socket.remotePort);
    this.localAddress = unixSocket ? `${unixPath}:0` : endpoint(socket.localAddress, socket.localPort);
  }

  /** Its bytes go another way from now on. Only where nothing waits to be sent. */
  moveTo(socket: Wire): void {
    this.socket = socket;
    this.fd = descriptorOf(socket);
  }

  get queryBytes(): number {
    return this.reader.held - this.reader.argumentBytes;
  }

  get argumentBytes(): number {
    return this.reader.argumentBytes;
  }

  get queryCapacity(): number {
    return this.reader.capacity;
  }

  get announcedBytes(): number {
    return this.reader.announced;
  }

  get outputPieces(): number {
    return this.pieces.length;
  }

  /** Appends bytes that belong to no reply under way, and will not change, and sees that they are written. */
  send(bytes: Uint8Array): void {
    if (this.closed || bytes.length === 0) return;
    if (this.holding > 0) this.host.sendHeld();
    // What is published is the same for many: alone it is not copied.
    if (this.pieces.length === 0) this.wait(bytes, 0, bytes.length);
    else this.keep(bytes, 0, bytes.length);
    this.host.flushLater(this);
    this.host.checkOutput(this);
  }

  stream(bytes: Uint8Array, start: number, end: number): void {
    if (this.closed) return;
    if (this.holding > 0) this.host.sendHeld();
    this.host.counters.netReplOutput += end - start;
    this.sendFrom(bytes, start, end, false);
  }

  suspend(): void {
    this.suspended = true;
  }

  nextRequest(take: (request: Request | null) => void): void {
    this.taker = take;
    setImmediate(() => this.deliver());
  }

  /** Bytes have come while it is suspended: a request may be complete that somebody has asked for. */
  deliver(): void {
    const { reader, taker } = this;
    if (taker === null) return;
    let request: Request | null = null;
    if (!this.closed) {
      reader.use(this.host.sharedRequest);
      const state = reader.next();
      if (state === NEED_MORE) return reader.finish();
      if (state === READY) request = reader.request;
    }
    this.taker = null;
    if (request === null && !this.closed) this.close("now");
    taker(request);
    if (!this.closed) reader.finish();
  }

  /** What is sent to it may go to its descriptor at once: nothing waits, and nothing has to be done to the bytes. */
  get ready(): boolean {
    return this.pieces.length === 0 && this.bare;
  }

  private get bare(): boolean {
    return !this.closed && this.fd >= 0 && !this.tls;
  }

  /**
   * Sends `buf[start, end)` after what still waits; `sent` bytes of it the kernel has already. `mayKeep`: nobody else
   * needs the buffer, so a large rest may take it along; returns whether it did.
   */
  sendFrom(buf: Uint8Array, start: number, end: number, mayKeep: boolean, sent = 0): boolean {
    if (this.closed) return false;
    let from = start;
    let kept = false;
    if (sent > 0) {
      this.host.counters.netOutput += sent;
      this.host.counters.writes++;
      from += sent;
    }
    if (this.pieces.length === 0 && from < end) {
      const written = Math.max(0, this.socket.write(buf, from, end - from));
      this.host.counters.netOutput += written;
      this.host.counters.writes++;
      from += written;
    }
    if (from < end) {
      kept = mayKeep && end - from >= HAND_OVER;
      if (kept) this.wait(buf, from, end);
      else this.keep(buf, from, end);
      if (from === start) this.drain();
      this.host.checkOutput(this);
    }
    if (this.endWhenDrained && this.pieces.length === 0 && this.holding === 0) this.end();
    return kept;
  }

  /** Puts the first piece of what waits into the ring, for `drain` afterwards; false: it cannot be sent so. */
  offer(ring: SendRing): boolean {
    const piece = this.pieces[0];
    if (piece === undefined || !this.bare) return false;
    ring.add(this.fd, piece.buf, piece.start, piece.end);
    return true;
  }

  /** Writes what waits, as far as the kernel takes it; `sent` bytes of the first piece it has already. */
  drain(sent = 0): void {
    if (sent > 0) this.advance(sent);
    while (this.pieces.length > 0 && !this.closed) {
      const { buf, start, end } = this.pieces[0]!;
      const written = Math.max(0, this.socket.write(buf, start, end - start));
      this.advance(written);
      if (start + written < end) return;
    }
    this.softLimitSince = 0;
    if (this.endWhenDrained && this.holding === 0) this.end();
  }

  /** So many bytes of the first piece are with the kernel. */
  private advance(bytes: number): void {
    const piece = this.pieces[0];
    if (piece === undefined) return;
    this.host.counters.netOutput += bytes;
    this.outputBytes -= bytes;
    // A client that reads a long reply slowly is not idle.
    if (bytes > 0) this.session.lastInteraction = this.host.clock.now;
    piece.start += bytes;
    if (piece.start < piece.end) return;
    this.pieces.shift();
    if (piece.pooled) this.host.pieces.give(piece.buf);
  }

  close(how: "after-replies" | "now"): void {
    this.session.closing = true;
    if (how === "after-replies") {
      this.endWhenDrained = true;
      this.host.flushLater(this);
      return;
    }
    this.hangUp();
  }

  /** The client has ended its side. */
  finish(): void {
    this.hangUp();
  }

  /** The socket is gone. */
  drop(): void {
    if (this.closed) return;
    this.closed = true;
    this.session.closing = true;
    for (const { buf, pooled } of this.pieces) if (pooled) this.host.pieces.give(buf);
    this.pieces = [];
    this.outputBytes = 0;
    this.host.removed(this);
    this.deliver();
  }

  private end(): void {
    if (this.closed) return;
    this.hangUp();
  }

  /**
   * close() delivers what the kernel has taken, and frees the descriptor at once; end() over TLS keeps it until
   * the client is so kind as to close. Where the client does not read, close() over TLS waits as well: it
   * takes a reset.
   */
  private hangUp(): void {
    const stuck = this.outputBytes > 0;
    this.drop();
    if (stuck) this.socket.terminate();
    else this.socket.close();
  }

  /** These bytes wait behind the others, where they are. */
  private wait(buf: Uint8Array, start: number, end: number): void {
    this.pieces.push({ buf, start, end, pooled: false });
    this.outputBytes += end - start;
  }

  /** A copy of these bytes waits behind the others. */
  private keep(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    let last = this.pieces[this.pieces.length - 1];
    if (last === undefined || last.buf.length - last.end < length) {
      // What stands alone in somebody else's buffer is gathered with this: they are sent by one call.
      const gathered =
        last !== undefined && !last.pooled && last.end - last.start + length <= PIECE ? last : null;
      const pooled = length <= PIECE;
      last = { buf: pooled ? this.host.pieces.take() : new Uint8Array(length), start: 0, end: 0, pooled };
      if (gathered !== null) {
        last.end = gathered.end - gathered.start;
        copyBytes(last.buf, 0, gathered.buf, gathered.start, gathered.end);
        this.pieces.pop();
      }
      this.pieces.push(last);
    }
    copyBytes(last.buf, last.end, bytes, start, end);
    last.end += length;
    this.outputBytes += length;
  }
}

function endpoint(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Bun's sockets have the descriptor, its types do not. */
function descriptorOf(socket: object): number {
  return "fd" in socket && typeof socket.fd === "number" ? socket.fd : -1;
}
