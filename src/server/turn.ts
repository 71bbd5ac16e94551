import type { FlushResult } from "../aof/writer.ts";
import { latin1Bytes } from "../bytes/ascii.ts";
import type { SendRing } from "../host/send-ring.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { Connection } from "./connection.ts";
import { Gathering } from "./gathering.ts";

/**
 * A turn of the event loop, seen from the output side. Replies to all clients whose requests were read in it
 * stay in the one writer, one stretch after the other, and are sent together at its end:
 *
 *   writer:  [replies to A][replies to B][replies to C] ...
 *
 * So a client that waits is not woken while the server still has requests to read (on a busy server that is
 * half of the kernel's work), and there is one moment at which everything the turn has written goes to the
 * AOF before anybody is told of it. Where the AOF is to be on disk first (appendfsync always), the stretches
 * wait with their buffer until it is; later turns queue up behind them.
 *
 * Where the system lets it, the stretches go out by one system call for many (host/send-ring.ts); what a socket does
 * not take of its own is left to its connection, as is everything of one that has more than a stretch to get.
 */
export interface Durability {
  /** A reply to a write can turn out to be untrue: appendfsync always. */
  readonly mayRefuse: boolean;
  /** Writes what the turn has recorded. */
  flushTurn(): FlushResult;
  /** As `flushTurn`, and it is on disk, or has failed to get there, when this returns. */
  flushNow(): FlushResult;
  /** Calls back when it is on disk (null) or has failed to get there. */
  whenDurable(done: (failure: unknown) => void): void;
  /** Milliseconds that the turn's end may wait for more clients to share its fsync; 0: there is none on this thread. */
  readonly patience: number;
  /** The error that writes are answered with when they could not be made durable. */
  readonly refusal: string | null;
}

/** Stretches of one buffer, whose arrays serve one turn after the other. */
class Held {
  private readonly owners: (Connection | null)[] = [];
  private bounds = new Int32Array(128);
  count = 0;
  /** Replies that stand in buffers of their own, by the index of their stretch. */
  apart: Map<number, Apart> | null = null;

  add(owner: Connection, start: number, end: number): void {
    const at = 2 * this.count;
    if (at === this.bounds.length) {
      const larger = new Int32Array(at * 2);
      larger.set(this.bounds);
      this.bounds = larger;
    }
    this.owners[this.count++] = owner;
    this.bounds[at] = start;
    this.bounds[at + 1] = end;
  }

  addApart(owner: Connection, reply: Apart): void {
    this.apart ??= new Map();
    this.apart.set(this.count, reply);
    this.add(owner, 0, reply.bytes.length);
  }

  start(index: number): number {
    return this.bounds[2 * index]!;
  }

  end(index: number): number {
    return this.bounds[2 * index + 1]!;
  }

  owner(index: number): Connection {
    return this.owners[index]!;
  }

  /** Takes the owner out: nothing is held for it any longer. */
  release(index: number): Connection {
    const owner = this.owners[index]!;
    this.owners[index] = null;
    return owner;
  }

  clear(): void {
    this.count = 0;
    this.apart = null;
  }
}

interface Apart {
  readonly bytes: Uint8Array;
  /** It answers a write. */
  readonly wrote: boolean;
}

/** A turn that waits for the disk. */
interface Waiting {
  readonly held: Held;
  readonly buf: Uint8Array;
  /** Where replies to writes begin and end. */
  readonly writes: Int32Array;
  /** The disk has answered. */
  settled: boolean;
  failed: boolean;
}

const NO_WRITES = new Int32Array(0);

export class Turn {
  private held = new Held();
  /** An empty one, for when the one in use is being sent. */
  private spare = new Held();
  /** Turns whose replies wait for the disk, oldest first. */
  private readonly waiting: Waiting[] = [];
  /** Connections with output of their own to send, or to be ended. */
  private readonly others = new Set<Connection>();
  private readonly gathering = new Gathering();
  private scheduled = false;
  /** Start and end of replies to writes in the writer, while `tracking`. */
  private writes = new Int32Array(512);
  private writeCount = 0;

  constructor(
    private readonly writer: ReplyWriter,
    private readonly durability: () => Durability,
    /** When all replies of a turn are on their way: what comes behind them. */
    private readonly afterwards: () => void = () => {},
    /** When everything is with the kernel, or waits for it. */
    private readonly settled: () => void = () => {},
    /** What sends to many sockets at once, if there is such a thing. */
    private readonly ring: () => SendRing | null = () => null,
    /** Calls back when what has arrived has been read. */
    private readonly afterReading: (callback: () => void) => void = setImmediate,
  ) {}

  /** Whether `noteWrite` is to be called. */
  get tracking(): boolean {
    return this.durability().mayRefuse;
  }

  /** What stands in the writer from `start` to its end answers a write, and becomes an error if that fails. */
  noteWrite(start: number): void {
    if (this.writeCount + 2 > this.writes.length) {
      const larger = new Int32Array(this.writes.length * 2);
      larger.set(this.writes);
      this.writes = larger;
    }
    this.writes[this.writeCount++] = start;
    this.writes[this.writeCount++] = this.writer.pos;
  }

  /** What stood in the writer from here on has been taken back. */
  forgetWrites(start: number): void {
    while (this.writeCount > 0 && this.writes[this.writeCount - 1]! > start) this.writeCount -= 2;
  }

  /** The connection's replies stand in the writer from `start` to its end. */
  hold(connection: Connection, start: number): void {
    this.held.add(connection, start, this.writer.pos);
    connection.holding++;
    this.schedule();
  }

  /** As `hold`, for a reply that was made outside of its connection's own commands. */
  holdApart(connection: Connection, bytes: Uint8Array, wrote: boolean): void {
    this.held.addApart(connection, { bytes, wrote });
    connection.holding++;
    this.schedule();
  }

  /** The connection has something to send besides. */
  later(connection: Connection): void {
    this.others.add(connection);
    this.schedule();
  }

  forget(connection: Connection): void {
    this.others.delete(connection);
  }

  /** Sends what is held so far, made durable first; what stands in the writer behind it stays. */
  sendHeld(): void {
    if (this.held.count === 0 && this.waiting.length === 0) return;
    // What older turns wait for is on disk then as well: they are sent first, by their callbacks.
    const result = this.durability().flushNow();
    const { writer } = this;
    this.send(
      this.swap(),
      writer.buf,
      result === "failed" ? this.writes.subarray(0, this.writeCount) : null,
      false,
    );
  }

  /** Sends everything, or sees that it is sent when it may be; the writer is empty afterwards. */
  readonly end = (): void => {
    this.scheduled = false;
    const result = this.durability().flushTurn();
    const { writer } = this;
    if (this.held.count > 0) {
      const held = this.swap();
      if (result === "pending" || this.waiting.length > 0) {
        const writes = this.writeCount === 0 ? NO_WRITES : this.writes.slice(0, this.writeCount);
        this.wait({ held, buf: writer.take(), writes, settled: false, failed: false });
      } else {
        const refused = result === "failed" ? this.writes.subarray(0, this.writeCount) : null;
        if (this.send(held, writer.buf, refused, true)) writer.surrender();
      }
    }
    this.writeCount = 0;
    writer.clear();
    this.drainOthers();
  };

  private drainOthers(): void {
    const ring = this.others.size > 1 ? this.ring() : null;
    const together: Connection[] = [];
    for (const connection of this.others) {
      this.others.delete(connection);
      if (connection.holding > 0) continue;
      if (ring === null || !connection.offer(ring)) connection.drain();
      else if (together.push(connection) === ring.capacity) this.drainTogether(ring, together);
    }
    if (ring !== null && together.length > 0) this.drainTogether(ring, together);
  }

  private drainTogether(ring: SendRing, connections: Connection[]): void {
    ring.submit();
    for (const [place, connection] of connections.entries()) connection.drain(ring.sent(place));
    connections.length = 0;
  }

  /** Takes out what is held; what comes from now on is held apart from it. */
  private swap(): Held {
    const { held } = this;
    this.held = this.spare.count === 0 ? this.spare : new Held();
    this.spare = held;
    return held;
  }

  private wait(turn: Waiting): void {
    this.waiting.push(turn);
    this.durability().whenDurable((failure) => {
      turn.settled = true;
      turn.failed = failure !== null;
      while (this.waiting[0]?.settled) {
        const { held, buf, writes, failed } = this.waiting.shift()!;
        this.send(held, buf, failed ? writes : null, true);
      }
    });
  }

  /**
   * `refused`: the writes have failed, here are their replies; null: they have not. `mayKeep`: the last connection
   * may keep the buffer; returns whether it did.
   */
  private send(held: Held, buf: Uint8Array, refused: Int32Array | null, mayKeep: boolean): boolean {
    const { apart } = held;
    const last = held.count - 1;
    const ring = last > 0 && refused === null && apart === null ? this.ring() : null;
    let kept = false;
    for (let i = 0; i <= last; i++) {
      if (ring !== null && i % ring.capacity === 0) sendTogether(ring, held, i, buf);
      const owner = held.release(i);
      owner.holding--;
      const own = apart === null ? undefined : apart.get(i);
      if (refused !== null) {
        const bytes =
          own === undefined
            ? this.withErrors(buf, held.start(i), held.end(i), refused)
            : own.wrote
              ? this.error()
              : own.bytes;
        owner.sendFrom(bytes, 0, bytes.length, true);
      } else if (own !== undefined) owner.sendFrom(own.bytes, 0, own.bytes.length, true);
      else {
        const sent = ring === null ? 0 : ring.sent(i % ring.capacity);
        kept = owner.sendFrom(buf, held.start(i), held.end(i), mayKeep && i === last, sent);
      }
    }
    held.clear();
    return kept;
  }

  /** A copy of the stretch in which replies to writes have become errors. */
  private withErrors(buf: Uint8Array, start: number, end: number, refused: Int32Array): Uint8Array {
    const parts: Uint8Array[] = [];
    let at = start;
    for (let i = 0; i < refused.length; i += 2) {
      if (refused[i]! < at || refused[i + 1]! > end) continue;
      parts.push(buf.subarray(at, refused[i]!), this.error());
      at = refused[i + 1]!;
    }
    parts.push(buf.subarray(at, end));
    return Buffer.concat(parts);
  }

  private error(): Uint8Array {
    return latin1Bytes(`-${this.durability().refusal ?? "ERR write failed"}\r\n`);
  }

  /** Sees that the turn is ended. */
  schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.afterReading(this.finish);
  }

  /** Stretches that this turn holds so far. */
  get clients(): number {
    return this.held.count;
  }

  private readonly finish = (): void => {
    const clients = this.held.count;
    if (this.writeCount > 0) {
      if (this.gathering.waits(clients, this.durability().patience)) {
        setImmediate(this.finish);
        return;
      }
      this.gathering.ended(clients);
    }
    this.end();
    this.afterwards();
    if (this.others.size > 0) this.end();
    this.settled();
  };
}

/** Sends the stretches from this one on, as many as the ring holds, so far as the sockets take them. */
function sendTogether(ring: SendRing, held: Held, first: number, buf: Uint8Array): void {
  const end = Math.min(held.count, first + ring.capacity);
  for (let i = first; i < end; i++) {
    const owner = held.owner(i);
    // Of two stretches for one socket, the second must not go where the first did not.
    if (owner.holding === 1 && owner.ready) ring.add(owner.fd, buf, held.start(i), held.end(i));
    else ring.skip();
  }
  ring.submit();
}
