import type { Blocking } from "../blocking/blocking.ts";
import { latin1Bytes } from "../bytes/ascii.ts";
import type { Call } from "../call/call.ts";
import type { Session } from "../call/session.ts";
import { errors } from "../resp/errors.ts";
import { Applier, type ApplierDeps } from "./applier.ts";
import { Failover } from "./failover.ts";
import { History } from "./history.ts";
import { type LinkDeps, MasterLink, UNKNOWN_HISTORY } from "./link.ts";
import { Primary, type PrimaryDeps } from "./primary.ts";
import type { SnapshotReceiver } from "./receiver.ts";
import { ReplicationStream, type StreamDeps } from "./stream.ts";
import { Waiters } from "./waiters.ts";

/**
 * Replication: this server's role, and what belongs to it.
 *
 *   master    effects -> stream -> backlog, replicas            (primary.ts)
 *   replica   master -> link -> applier -> data set             (link.ts, applier.ts)
 *                                  \-> stream -> backlog, own replicas
 *
 * A server has one history (history.ts) whichever role it plays, so roles can change and only what is missing has to
 * be sent.
 */

/** How far the append-only file is, in bytes of its own. */
export interface AofProgress {
  readonly appended: number;
  readonly synced: number;
  readonly active: boolean;
}

export interface ReplicationDeps
  extends Omit<PrimaryDeps, "isReplica" | "acknowledged" | "counters" | "failingOver">,
    Omit<
      LinkDeps,
      | "settings"
      | "history"
      | "canContinue"
      | "demanding"
      | "psyncAnswered"
      | "fullSync"
      | "load"
      | "continued"
      | "streaming"
      | "stream"
      | "lost"
    > {
  readonly settings: PrimaryDeps["settings"] &
    LinkDeps["settings"] &
    StreamDeps["settings"] & { readonly appendonly: boolean };
  readonly clock: LinkDeps["clock"];
  readonly counters: PrimaryDeps["counters"] & LinkDeps["counters"];
  readonly blocking: Blocking;
  readonly aof: AofProgress;
  /** The AOF holds the whole data set: not so until it has been rewritten for the first time. */
  aofComplete(): boolean;
  applying(): Omit<ApplierDeps, "processed" | "broken">;
  /** A session for the master, seen by CLIENT LIST; `close` ends the link. */
  masterSession(link: MasterLink, close: () => void): Session;
  masterGone(session: Session): void;
  /** Replaces the data set; tells what went wrong, or null. */
  loadSnapshot(
    receiver: SnapshotReceiver,
    sameHistory: boolean,
    loaded: (failure: string | null) => void,
  ): void;
  /** Nothing is to be written to the stream: a replica in a cluster is about to take over. */
  resting(): boolean;
  /** FAILOVER holds writes back, or no longer. */
  writesPaused(paused: boolean): void;
  /** The role has changed: keys expire otherwise, waiting clients get an error. */
  roleChanged(): void;
}

const SECOND = 1000;
const DEL = latin1Bytes("DEL");

export class Replication {
  readonly history = new History();
  readonly stream: ReplicationStream;
  readonly primary: Primary;
  readonly waiters: Waiters;
  readonly failover: Failover;
  link: MasterLink | null = null;
  private applier: Applier | null = null;
  /** The data are those of `history`, as far as it goes: a master may be asked for the rest. */
  private known = false;
  /** The database that the master's stream has selected. */
  private database = 0;
  /** The snapshot under way is of this history. */
  private coming = { id: "", offset: 0 };
  private lastAck = 0;
  /** The stream's bytes up to `syncedOffset` are on disk; those up to `pending.offset` with the AOF's byte `pending.at`. */
  private syncedOffset = 0;
  private pending: { at: number; offset: number } | null = null;

  constructor(private readonly deps: ReplicationDeps) {
    this.stream = new ReplicationStream(this.history, deps);
    this.primary = new Primary(this.history, this.stream, {
      ...deps,
      isReplica: () => this.isReplica,
      acknowledged: () => {
        this.waiters.check();
        this.failover.check();
      },
      failingOver: () => this.failover.state === "waiting-for-sync" || deps.resting(),
    });
    this.failover = new Failover({
      ...deps,
      primary: this.primary,
      history: this.history,
      stream: this.stream,
      follow: (host, port) => this.follow(host, port),
      promote: () => this.promote(),
      paused: (paused) => deps.writesPaused(paused),
    });
    this.waiters = new Waiters(deps.blocking, () => this.primary.askForAcks());
  }

  get isReplica(): boolean {
    return this.link !== null;
  }

  /** Bytes written to the stream, or of a replica processed of it; 0 for a replica that has no data yet. */
  get offset(): number {
    if (!this.isReplica) return this.stream.offset;
    return this.known ? this.history.offset : 0;
  }

  /** A replica whose data may be old. */
  get isStale(): boolean {
    return this.link !== null && this.link.state !== "connected";
  }

  // ------------------------------------------------------------------ roles

  /** Becomes a replica of this master, or of another one than now; connects at once, or with the next tick. */
  follow(host: string, port: number, when: "now" | "later" = "now"): void {
    const wasMaster = !this.isReplica;
    this.dropLink();
    if (wasMaster && this.stream.backlog !== null) {
      this.deps.log.notice(
        "Before turning into a replica, using my own master parameters to synthesize a cached master: I may be able " +
          "to synchronize with the new master with just a partial transfer.",
      );
      this.stream.flush();
      this.known = true;
      this.database = 0;
    }
    this.stream.active = false;
    this.link = new MasterLink(host, port, this.linkDeps());
    this.deps.roleChanged();
    if (when === "now") this.link.connect();
  }

  /** Becomes a master. */
  promote(): void {
    if (!this.isReplica) return;
    this.dropLink();
    const { history, stream, deps } = this;
    history.shift();
    this.known = false;
    deps.log.notice(
      `Setting secondary replication ID to ${history.secondId}, valid up to offset: ${history.secondOffset}. ` +
        `New replication ID is ${history.id}`,
    );
    // Replicas have to learn of the new ID.
    this.primary.disconnectAll();
    stream.restartSelection();
    stream.active = stream.backlog !== null;
    deps.roleChanged();
  }

  /** The server ends. */
  close(): void {
    this.dropLink();
  }

  private dropLink(): void {
    this.endStream();
    this.link?.close();
    this.link = null;
  }

  private endStream(): void {
    const { applier } = this;
    this.applier = null;
    if (applier === null) return;
    applier.stop();
    this.database = applier.session.dbIndex;
    this.deps.masterGone(applier.session);
  }

  /** A file was loaded at start that says whose data it holds. */
  restored(id: string, offset: number, database: number): void {
    const { history, stream } = this;
    if (this.isReplica) {
      history.adopt(id, offset);
      this.known = true;
      this.database = database;
    } else {
      history.offset = offset;
      history.secondId = id;
      history.secondOffset = offset + 1;
    }
    stream.openBacklog();
    stream.active = !this.isReplica;
  }

  /** A key of the file loaded at start has fallen due meanwhile: replicas that go on from there still have it. */
  lostAtStart(database: number, key: Uint8Array): void {
    if (this.stream.active) this.stream.command(database, [DEL, key]);
  }

  /** What an RDB file is to say of the history; undefined where nobody could make use of it. */
  get savedHistory(): { id: string; offset: number; database: number } | undefined {
    const { history, stream } = this;
    if (stream.backlog === null) return undefined;
    const database = this.isReplica ? (this.applier?.session.dbIndex ?? this.database) : stream.database;
    return { id: history.id, offset: stream.offset, database };
  }

  // ------------------------------------------------------------------ as a replica

  private linkDeps(): LinkDeps {
    return {
      ...this.deps,
      history: this.history,
      canContinue: () => this.known,
      demanding: () => this.failover.state === "failover-in-progress",
      psyncAnswered: (accepted) => this.failover.answered(accepted),
      fullSync: (id, offset) => {
        // To the old SYNC a master answers nothing: what is here still counts until the snapshot has come.
        if (id !== UNKNOWN_HISTORY) this.known = false;
        this.coming = { id, offset };
      },
      load: (receiver, loaded) => {
        // Own replicas have nothing in common with what comes.
        this.primary.disconnectAll();
        this.stream.closeBacklog();
        this.known = false;
        const sameHistory = this.coming.id === this.history.id;
        this.deps.loadSnapshot(receiver, sameHistory, (failure) => {
          if (failure === null) {
            this.history.adopt(this.coming.id, this.coming.offset);
            this.stream.openBacklog();
            this.database = 0;
          }
          loaded(failure);
        });
      },
      continued: (id) => {
        if (id !== null) {
          this.history.shift(id);
          this.primary.disconnectAll();
        }
        this.stream.openBacklog();
      },
      streaming: () => this.beginStream(),
      stream: (chunk) => this.applier?.take(chunk),
      lost: () => {
        if (this.applier !== null) this.known = true;
        this.endStream();
      },
    };
  }

  private beginStream(): void {
    const { deps, link } = this;
    if (link === null) return;
    const session = deps.masterSession(link, () => link.drop("Connection with master closed."));
    session.dbIndex = this.database;
    this.known = true;
    this.applier = new Applier(session, {
      ...deps.applying(),
      processed: (bytes, start, end) => this.stream.pass(bytes, start, end),
      broken: (why) => link.drop(why),
    });
    this.acknowledge();
  }

  /** Executes what has come from the master while its stream was held back. */
  /** How far the stream has been read, processed or not. */
  get readOffset(): number {
    return this.history.offset + (this.applier?.waiting ?? 0);
  }

  releaseStream(): void {
    this.applier?.release();
  }

  /** Tells the master how far the stream has been processed. */
  acknowledge(): void {
    const { link, deps } = this;
    if (link === null || !link.acknowledges) return;
    this.lastAck = deps.clock.now;
    const offset = String(this.history.offset);
    if (!deps.aof.active) link.send("REPLCONF", "ACK", offset);
    else link.send("REPLCONF", "ACK", offset, "FACK", String(this.syncedUpTo()));
  }

  /** Bytes of the stream whose effects are known to be on disk. */
  private syncedUpTo(): number {
    const { aof } = this.deps;
    if (this.pending !== null && aof.synced >= this.pending.at) {
      this.syncedOffset = this.pending.offset;
      this.pending = null;
    }
    if (aof.synced >= aof.appended) this.syncedOffset = this.history.offset;
    else this.pending ??= { at: aof.appended, offset: this.history.offset };
    return this.syncedOffset;
  }

  // ------------------------------------------------------------------ WAIT

  wait(call: Call, replicas: number, timeout: number): void {
    const offset = call.session.writeOffset;
    this.waiters.wait(call, timeout, {
      needed: { replicas, local: 0 },
      reached: () => ({ replicas: this.primary.countReached(offset, "acknowledged"), local: 0 }),
      hopeless: () => null,
      reply: (writer, reached) => writer.int(reached.replicas),
    });
  }

  waitAof(call: Call, local: number, replicas: number, timeout: number): void {
    const { writeOffset, aofOffset } = call.session;
    const { deps } = this;
    const { aof, settings } = deps;
    this.waiters.wait(call, timeout, {
      needed: { replicas, local },
      reached: () => ({
        replicas: this.primary.countReached(writeOffset, "synced"),
        local: aof.active && deps.aofComplete() && aof.synced >= aofOffset ? 1 : 0,
      }),
      hopeless: () => (local > 0 && !settings.appendonly ? errors.noAof : null),
      reply(writer, reached) {
        writer.array(2);
        writer.int(reached.local);
        writer.int(reached.replicas);
      },
    });
  }

  // ------------------------------------------------------------------ periodic

  /** With each tick of the cron. */
  tick(): void {
    const { deps, link } = this;
    link?.tick();
    if (link !== null && deps.clock.now - this.lastAck >= SECOND) this.acknowledge();
    this.stream.flush();
    this.primary.tick();
    if (this.waiters.count > 0) this.waiters.check();
    this.failover.check();
  }

  /** The client is gone. */
  forget(session: Session): void {
    this.primary.forget(session);
    this.waiters.forget(session);
  }
}
