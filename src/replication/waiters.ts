import type { Blocking } from "../blocking/blocking.ts";
import type { Call } from "../call/call.ts";
import type { Session } from "../call/session.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";

/**
 * Clients in WAIT and WAITAOF: each waits until enough replicas have what it wrote, and perhaps until that is on disk
 * here and there.
 */

/** How many replicas have acknowledged, and whether the own disk has. */
interface Reached {
  replicas: number;
  local: number;
}

interface Waiter {
  needed: Reached;
  reached(): Reached;
  /** Why it can never be reached; null: it may. */
  hopeless(): string | null;
  reply(writer: ReplyWriter, reached: Reached): void;
}

export class Waiters {
  private readonly waiting = new Map<Session, Waiter>();

  constructor(
    private readonly blocking: Blocking,
    /** Replicas are to acknowledge what they have. */
    private readonly askForAcks: () => void,
  ) {}

  get count(): number {
    return this.waiting.size;
  }

  /** Replies when `needed` is reached, or after the timeout (milliseconds; 0: never) with what is reached then. */
  wait(call: Call, timeout: number, waiter: Waiter): void {
    const { session } = call;
    const reached = waiter.reached();
    if (isEnough(reached, waiter.needed) || session.denyBlocking) return waiter.reply(call.reply, reached);
    this.waiting.set(session, waiter);
    this.blocking.block(call, timeout, (reply) => {
      this.waiting.delete(session);
      waiter.reply(reply, waiter.reached());
    });
    if (waiter.needed.replicas > 0) this.askForAcks();
  }

  /** Something was acknowledged. */
  check(): void {
    for (const [session, waiter] of this.waiting) {
      const error = waiter.hopeless();
      if (error !== null) {
        this.waiting.delete(session);
        this.blocking.fulfil(session, (reply) => reply.error(error));
        continue;
      }
      const reached = waiter.reached();
      if (!isEnough(reached, waiter.needed)) continue;
      this.waiting.delete(session);
      this.blocking.fulfil(session, (reply) => waiter.reply(reply, reached));
    }
  }

  forget(session: Session): void {
    this.waiting.delete(session);
  }
}

function isEnough(reached: Reached, needed: Reached): boolean {
  return reached.replicas >= needed.replicas && reached.local >= needed.local;
}
