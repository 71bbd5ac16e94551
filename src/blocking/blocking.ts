import type { Session } from "../call/session.ts";
import { CommandError } from "../resp/errors.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";

/**
 * Clients that wait for something: their connection reads no further commands until they are answered, by
 * what they wait for, by their timeout, or by CLIENT UNBLOCK.
 */

/** Longest timeout that a timer takes (2^31 - 1 ms, 24 days); a longer one is waited for in pieces. */
const LONGEST_TIMER = 0x7fffffff;

interface Waiting {
  /** Milliseconds since 1970, or 0: for ever. */
  until: number;
  timer: ReturnType<typeof setTimeout> | null;
  onTimeout(reply: ReplyWriter): void;
}

/** Writes to a session's connection outside of any command, and lets it read on. */
export type Answer = (session: Session, write: (reply: ReplyWriter) => void) => void;

export class Blocking {
  private readonly waiting = new Map<Session, Waiting>();

  constructor(private readonly answer: Answer) {}

  /** Clients that wait. */
  get count(): number {
    return this.waiting.size;
  }

  has(session: Session): boolean {
    return this.waiting.has(session);
  }

  /** The command under way gets no reply now; after `timeoutMs` (0: never) it gets that of `onTimeout`. */
  block(session: Session, timeoutMs: number, onTimeout: (reply: ReplyWriter) => void): void {
    const until = timeoutMs === 0 ? 0 : Date.now() + timeoutMs;
    const entry: Waiting = { until, timer: null, onTimeout };
    this.waiting.set(session, entry);
    session.link.suspend();
    this.arm(session, entry);
  }

  /** Answers a waiting client now; false if it does not wait. */
  release(session: Session, write: (reply: ReplyWriter) => void): boolean {
    if (!this.forget(session)) return false;
    this.answer(session, write);
    return true;
  }

  /** CLIENT UNBLOCK. */
  unblock(session: Session, how: "timeout" | "error"): boolean {
    const entry = this.waiting.get(session);
    if (entry === undefined) return false;
    return this.release(session, (reply) => {
      if (how === "error") reply.error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
      else entry.onTimeout(reply);
    });
  }

  /** The client is gone, or is being answered. */
  forget(session: Session): boolean {
    const entry = this.waiting.get(session);
    if (entry === undefined) return false;
    if (entry.timer !== null) clearTimeout(entry.timer);
    return this.waiting.delete(session);
  }

  private arm(session: Session, entry: Waiting): void {
    if (entry.until === 0) return;
    const left = Math.max(0, entry.until - Date.now());
    entry.timer = setTimeout(
      () => {
        if (entry.until > Date.now()) this.arm(session, entry);
        else this.release(session, entry.onTimeout);
      },
      Math.min(left, LONGEST_TIMER),
    );
  }
}

/** A timeout argument in milliseconds as WAIT takes it; throws Redis's sentences. */
export function checkTimeout(milliseconds: number): number {
  if (Number.isNaN(milliseconds)) throw new CommandError("ERR timeout is not an integer or out of range");
  if (milliseconds < 0) throw new CommandError("ERR timeout is negative");
  return milliseconds;
}
