import type { Session } from "../call/session.ts";
import type { Follower } from "./stream.ts";

/**
 * A replica as its master sees it.
 *
 *   attached     it has said things about itself (REPLCONF), but asked for nothing yet
 *   wait_bgsave  it has to get everything, and waits for a snapshot to begin
 *   send_bulk    the snapshot is on its way; what is written meanwhile gathers in `tail`
 *   online       it follows the stream; where the snapshot had no length, only after it has acknowledged its end
 */
export type ReplicaState = "attached" | "wait_bgsave" | "send_bulk" | "online";

export class Replica implements Follower {
  state: ReplicaState = "attached";
  /** A saved file is being sent to it. */
  getsFile = false;
  /** What it announced: its port, and the address where that is another than the connection's. */
  port = 0;
  announcedIp = "";
  /** It understands a snapshot without a length, and +CONTINUE with a new ID. */
  readsEof = false;
  readsPsync2 = false;
  /** The old SYNC: it will never acknowledge anything. */
  silent = false;
  /** Only wants the snapshot (REPLCONF rdb-only). */
  snapshotOnly = false;
  /** Only wants functions in it (REPLCONF rdb-filter-only functions). */
  functionsOnly = false;
  /** Bytes of the stream that it has processed, and that it has on disk. */
  acknowledged = 0;
  synced = 0;
  /** When it last acknowledged something, and since when it waits, milliseconds since 1970. */
  acknowledgedAt = 0;
  waitingSince = 0;
  private following = false;
  private tail: Uint8Array[] = [];

  constructor(
    readonly session: Session,
    private readonly outputGrew: (session: Session) => void,
  ) {}

  /** As INFO shows it: Redis's "send_bulk" is the sending of a file that has been saved. */
  get shownState(): ReplicaState {
    return this.state === "send_bulk" && !this.getsFile ? "wait_bgsave" : this.state;
  }

  get ip(): string {
    return this.announcedIp === "" ? this.session.link.address.replace(/:\d+$/, "") : this.announcedIp;
  }

  /** For the log. */
  get name(): string {
    return this.port === 0 ? this.session.link.address : `${this.ip}:${this.port}`;
  }

  follow(bytes: Uint8Array, start: number, end: number): void {
    const { session } = this;
    if (this.following) return session.link.stream(bytes, start, end);
    this.tail.push(bytes.slice(start, end));
    session.heldOutput += end - start;
    this.outputGrew(session);
  }

  /** As far behind as another one that waits for the same snapshot. */
  copyTail(other: Replica): void {
    this.tail = [...other.tail];
    this.session.heldOutput = other.session.heldOutput;
  }

  /** The snapshot has been sent whole. */
  online(now: number): void {
    this.state = "online";
    this.acknowledgedAt = now;
  }

  /** It can take the stream from here on. */
  startFollowing(): void {
    if (this.following) return;
    this.following = true;
    for (const bytes of this.tail) this.session.link.stream(bytes, 0, bytes.length);
    this.tail = [];
    this.session.heldOutput = 0;
  }

  get isFollowing(): boolean {
    return this.following;
  }

  /** Seconds since it was last heard of. */
  lag(now: number): number {
    return this.silent ? 0 : Math.max(0, Math.floor((now - this.acknowledgedAt) / 1000));
  }
}
