import type { FlushResult } from "../aof/writer.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { Connection } from "./connection.ts";

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
 */
export interface Durability {
  /** Writes what the turn has recorded. */
  flush(): FlushResult;
  /** As `flush`, and it is on disk, or has failed to get there, when this returns. */
  flushNow(): FlushResult;
  /** Calls back when it is on disk (null) or has failed to get there. */
  whenDurable(done: (failure: unknown) => void): void;
  /** The error that writes are answered with when they could not be made durable. */
  readonly refusal: string | null;
}

/** Stretches of one buffer. */
class Held {
  readonly owners: Connection[] = [];
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  /** For each stretch, how many commands it answers, and whether any of them may have written. */
  readonly counts: number[] = [];
  readonly wrote: boolean[] = [];
}

/** A turn that waits for the disk. */
interface Waiting {
  readonly held: Held;
  readonly buf: Uint8Array;
  /** The disk has answered. */
  settled: boolean;
  failed: boolean;
}

export class Turn {
  private held = new Held();
  /** Turns whose replies wait for the disk, oldest first. */
  private readonly waiting: Waiting[] = [];
  /** Connections with output of their own to send, or to be ended. */
  private readonly others = new Set<Connection>();
  private scheduled = false;

  constructor(
    private readonly writer: ReplyWriter,
    private readonly durability: () => Durability,
  ) {}

  /** The connection's replies stand in the writer from `start` to its end. */
  hold(connection: Connection, start: number, commands: number, wrote: boolean): void {
    const { held } = this;
    held.owners.push(connection);
    held.starts.push(start);
    held.ends.push(this.writer.pos);
    held.counts.push(commands);
    held.wrote.push(wrote);
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
    if (this.held.owners.length === 0 && this.waiting.length === 0) return;
    // What older turns wait for is on disk then as well: they are sent first, by their callbacks.
    const result = this.durability().flushNow();
    const { held, writer } = this;
    this.held = new Held();
    this.send(held, writer.buf, result === "failed", false);
  }

  /** Sends everything, or sees that it is sent when it may be; the writer is empty afterwards. */
  readonly end = (): void => {
    this.scheduled = false;
    const result = this.durability().flush();
    const { held, writer } = this;
    if (held.owners.length > 0) {
      this.held = new Held();
      if (result === "pending" || this.waiting.length > 0) {
        this.wait({ held, buf: writer.surrender(), settled: false, failed: false });
      } else if (this.send(held, writer.buf, result === "failed", true)) writer.surrender();
    }
    writer.clear();
    for (const connection of this.others) {
      this.others.delete(connection);
      if (connection.holding === 0) connection.drain();
    }
  };

  private wait(turn: Waiting): void {
    this.waiting.push(turn);
    this.durability().whenDurable((failure) => {
      turn.settled = true;
      turn.failed = failure !== null;
      while (this.waiting[0]?.settled) {
        const { held, buf, failed } = this.waiting.shift()!;
        this.send(held, buf, failed, true);
      }
    });
  }

  /** `mayKeep`: the last connection may keep the buffer; returns whether it did. */
  private send(held: Held, buf: Uint8Array, failed: boolean, mayKeep: boolean): boolean {
    const { owners, starts, ends } = held;
    const last = owners.length - 1;
    let kept = false;
    for (let i = 0; i <= last; i++) {
      const owner = owners[i]!;
      owner.holding--;
      if (failed && held.wrote[i])
        owner.refuse(this.durability().refusal ?? "ERR write failed", held.counts[i]!);
      else kept = owner.sendFrom(buf, starts[i]!, ends[i]!, mayKeep && i === last);
    }
    return kept;
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.end);
  }
}
