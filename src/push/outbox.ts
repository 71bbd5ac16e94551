import type { Session } from "../call/session.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";

/**
 * Pushes: what a client gets without having asked (messages, invalidations). Normally they go straight to its
 * connection; but a push to the client whose command is being executed has to come behind that command's reply,
 * which is still being written. It waits here until the command has ended.
 */
export class Outbox {
  /** Whose commands are being executed in this event; null between events. */
  executing: Session | null = null;
  /** Whether something waits for the command's end. */
  pending = false;
  private waiting: Uint8Array[] = [];

  /** `bytes` must not change any more. */
  push(session: Session, bytes: Uint8Array): void {
    if (session !== this.executing) return session.link.send(bytes);
    this.waiting.push(bytes);
    this.pending = true;
  }

  /** The command has ended: what waited comes behind its reply. */
  flush(reply: ReplyWriter): void {
    this.pending = false;
    for (const bytes of this.waiting) reply.raw(bytes);
    this.waiting.length = 0;
  }

  /**
   * Executes a command of a session that waited, perhaps in the middle of another's. `execute` returns whether there
   * is a reply, in `reply`, for its pushes to follow.
   */
  within(session: Session, reply: ReplyWriter, execute: () => boolean): void {
    const { executing, pending, waiting } = this;
    this.executing = session;
    this.pending = false;
    this.waiting = [];
    let answered = false;
    try {
      answered = execute();
    } finally {
      const pushes = this.waiting;
      this.executing = executing;
      this.pending = pending;
      this.waiting = waiting;
      for (const bytes of pushes)
        if (answered) reply.raw(bytes);
        else this.push(session, bytes);
    }
  }
}
