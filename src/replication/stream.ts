import { EffectBuffer } from "../aof/effect-buffer.ts";
import { latin1Bytes } from "../bytes/ascii.ts";
import { Backlog } from "./backlog.ts";
import type { History } from "./history.ts";

/**
 * The stream of writes that replicas get. Effects gather in the buffer (aof/effect-buffer.ts) and go out when the
 * event has been handled: into the backlog, and to whoever follows. On a replica the stream is its master's, passed
 * on byte for byte (`pass`).
 */
export interface Follower {
  /** Takes bytes of the stream; they are good only during the call. */
  follow(bytes: Uint8Array, start: number, end: number): void;
}

export interface StreamDeps {
  readonly settings: { readonly replBacklogSize: number };
  readonly clock: { readonly now: number };
}

const NO_TIMESTAMPS = { aofTimestampEnabled: false };

export class ReplicationStream extends EffectBuffer {
  backlog: Backlog | null = null;
  private readonly followers = new Set<Follower>();
  private scheduled = false;

  constructor(
    private readonly history: History,
    private readonly streamDeps: StreamDeps,
  ) {
    super({ settings: NO_TIMESTAMPS, clock: streamDeps.clock });
  }

  /** The offset including what has not gone out yet. */
  get offset(): number {
    return this.history.offset + this.pos;
  }

  add(follower: Follower): void {
    this.flush();
    this.followers.add(follower);
  }

  remove(follower: Follower): void {
    this.followers.delete(follower);
  }

  /** Whoever follows from here on knows of no database: the next command begins with SELECT. */
  restartSelection(): void {
    this.flush();
    this.forgetDatabase();
  }

  openBacklog(): void {
    this.flush();
    this.backlog ??= new Backlog(this.streamDeps.settings.replBacklogSize, this.history.offset);
  }

  closeBacklog(): void {
    this.flush();
    this.backlog = null;
  }

  /** A command that concerns no database: PING, REPLCONF. */
  control(...args: string[]): void {
    if (this.depth > 0) return;
    this.literalCommand(args.map(latin1Bytes));
    this.schedule();
  }

  protected override recorded(): void {
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.onTurnEnd);
  }

  private readonly onTurnEnd = (): void => {
    this.scheduled = false;
    this.flush();
  };

  /** Sends out what has gathered; a transaction under way is left to gather on. */
  flush(): void {
    if (this.pos === 0 || this.depth > 0) return;
    this.distribute(this.buf, 0, this.pos);
    this.clear();
  }

  /** Passes bytes of the master's stream on. */
  pass(bytes: Uint8Array, start: number, end: number): void {
    this.distribute(bytes, start, end);
  }

  private distribute(bytes: Uint8Array, start: number, end: number): void {
    this.history.offset += end - start;
    this.backlog?.append(bytes, start, end);
    for (const follower of this.followers) follower.follow(bytes, start, end);
  }
}
