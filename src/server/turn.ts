import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { Connection } from "./connection.ts";

/**
 * A turn of the event loop, seen from the output side. Replies to all clients whose requests were read in it
 * stay in the one writer, one stretch after the other, and are sent together at its end:
 *
 *   writer:  [replies to A][replies to B][replies to C] ...
 *
 * So a client that waits is not woken while the server still has requests to read (on a busy server that is
 * half of the kernel's work), and there is one moment, `beforeReplies`, at which everything the turn has
 * written can be made durable before anybody is told of it.
 */
export class Turn {
  private readonly owners: Connection[] = [];
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  /** Connections with output of their own to send, or to be ended. */
  private readonly others = new Set<Connection>();
  private scheduled = false;

  constructor(private readonly writer: ReplyWriter) {}

  /** The connection's replies stand in the writer from `start` to its end. */
  hold(connection: Connection, start: number): void {
    this.owners.push(connection);
    this.starts.push(start);
    this.ends.push(this.writer.pos);
    connection.holding = true;
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

  /**
   * Sends what is held so far. The writer's position stays, and what stands behind it: a command may be in the
   * middle of its reply. At the turn's end (`atEnd`) the last rest may take the writer's buffer along.
   */
  sendHeld(atEnd = false): void {
    const { owners, starts, ends, writer } = this;
    const count = owners.length;
    if (count === 0) return;
    for (let i = 0; i < count; i++) {
      const last = atEnd && i === count - 1 && ends[i] === writer.pos;
      owners[i]!.holding = false;
      owners[i]!.sendFrom(writer, starts[i]!, ends[i]!, last);
    }
    owners.length = starts.length = ends.length = 0;
  }

  /** Sends everything; the writer is empty afterwards. Not to be called while a command is executed. */
  readonly end = (): void => {
    this.scheduled = false;
    this.sendHeld(true);
    this.writer.clear();
    for (const connection of this.others) {
      this.others.delete(connection);
      connection.drain();
    }
  };

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.end);
  }
}
