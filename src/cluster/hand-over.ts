import { type Failure, Target, type TargetUser } from "./target.ts";

/**
 * Sending keys to another server while nothing else may happen (MIGRATE inside a transaction): it takes a process of
 * its own, for which this one waits (server/hand-over.ts). What it is to do, and does.
 */
export interface HandOver {
  readonly host: string;
  readonly port: number;
  /** Without any progress, it gives up after so long. */
  readonly timeoutMs: number;
  /** Requests to be granted before any key is sent, and how many they are. */
  readonly opening: Uint8Array;
  readonly granted: number;
  /** A RESTORE for each key, and how many. */
  readonly restores: Uint8Array;
  readonly keys: number;
}

export interface HandedOver {
  /** Lines, those to the opening first. */
  readonly replies: readonly string[];
  readonly failure: Failure | null;
}

/** Does it; `tls`: options for the connection. */
export function sendKeys(order: HandOver, tls: Bun.TLSOptions | undefined): Promise<HandedOver> {
  const { host, port, timeoutMs, opening, granted, restores, keys } = order;
  return new Promise((resolve) => {
    const replies: string[] = [];
    const target = new Target("", host, port, tls);
    const done = (failure: Failure | null) => {
      target.close();
      resolve({ replies, failure });
    };
    const user: TargetUser = {
      connected: () => target.send(opening),
      drained: () => {},
      line(text) {
        replies.push(text);
        if (replies.length === granted) {
          if (replies.some((reply) => reply.startsWith("-")) || keys === 0) done(null);
          else target.send(restores);
        } else if (replies.length === granted + keys) done(null);
      },
      failed: (what) => done(what),
    };
    target.take(user, timeoutMs);
    if (target.connected) user.connected();
  });
}
