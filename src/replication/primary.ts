import { latin1Bytes } from "../bytes/ascii.ts";
import type { Session } from "../call/session.ts";
import type { Log } from "../host/log.ts";
import { FileTransfer, type SnapshotSink, SocketTransfer } from "./full-sync.ts";
import type { History } from "./history.ts";
import { Replica } from "./replica.ts";
import type { ReplicationStream } from "./stream.ts";

/**
 * The master's side: replicas attach (PSYNC), get what they lack, and acknowledge.
 *
 *   PSYNC <id> <offset>   the history is shared and the backlog covers the rest -> +CONTINUE, and the rest
 *                         otherwise -> it waits for a snapshot; +FULLRESYNC <id> <offset> when that begins
 *
 * Replicas that come while a snapshot waits for its delay share it; while one is being saved to disk, a further one
 * may still join it, with a copy of what was written since.
 */

export interface PrimarySettings {
  readonly replDisklessSync: boolean;
  readonly replDisklessSyncDelay: number;
  readonly replDisklessSyncMaxReplicas: number;
  readonly replPingReplicaPeriod: number;
  readonly replTimeout: number;
  readonly replBacklogTtl: number;
  readonly replBacklogSize: number;
  readonly minReplicasToWrite: number;
  readonly minReplicasMaxLag: number;
}

export interface SyncCounters {
  syncFull: number;
  syncPartialOk: number;
  syncPartialErr: number;
}

export interface PrimaryDeps {
  readonly settings: PrimarySettings;
  readonly clock: { readonly now: number };
  readonly log: Log;
  readonly counters: SyncCounters;
  /** This server is a replica itself: its stream is its master's, pings included. */
  isReplica(): boolean;
  /** Another snapshot is under way. */
  snapshotActive(): boolean;
  /** Begins a snapshot for sockets. */
  snapshotTo(sink: SnapshotSink, functionsOnly: boolean): { abort(): void };
  /** Begins to save to the RDB file; false: it cannot be done. */
  saveFile(done: (ok: boolean) => void): boolean;
  /** No replica waits for the file any more. */
  fileNotNeeded(): void;
  rdbPath(): string;
  /** A replica's waiting output has grown. */
  checkOutput(session: Session): void;
  /** Nothing is to be written to the stream, not even a PING: a replica is to catch up. */
  failingOver(): boolean;
  /** A replica has acknowledged something, or there is one less. */
  acknowledged(): void;
}

interface Sync {
  kind: "disk" | "socket";
  offset: number;
  replicas: Set<Replica>;
  job: { abort(): void } | null;
}

const SECOND = 1000;

export class Primary {
  private readonly replicas = new Map<Session, Replica>();
  private readonly transfers = new Map<Replica, FileTransfer>();
  private sync: Sync | null = null;
  private lastPing = 0;
  private lastSecond = 0;
  private aloneSince = 0;

  constructor(
    private readonly history: History,
    private readonly stream: ReplicationStream,
    private readonly deps: PrimaryDeps,
  ) {
    // As in Redis, whoever comes in the first seconds is not pinged at once.
    this.lastPing = deps.clock.now;
  }

  // ------------------------------------------------------------------ who there is

  /** Those that replicate, in the order in which they came. */
  *all(): Iterable<Replica> {
    for (const replica of this.replicas.values()) if (replica.state !== "attached") yield replica;
  }

  get count(): number {
    let count = 0;
    for (const _ of this.all()) count++;
    return count;
  }

  /** Those that are online and were heard of within min-replicas-max-lag. */
  get goodCount(): number {
    const { minReplicasMaxLag } = this.deps.settings;
    let count = 0;
    for (const replica of this.all())
      if (replica.state === "online" && replica.lag(this.deps.clock.now) <= minReplicasMaxLag) count++;
    return count;
  }

  /** How many have processed (or have on disk) the stream up to this offset. */
  countReached(offset: number, what: "acknowledged" | "synced"): number {
    let count = 0;
    for (const replica of this.all()) if (replica.state === "online" && replica[what] >= offset) count++;
    return count;
  }

  /** What the session says of itself (REPLCONF) is kept here. */
  attach(session: Session): Replica {
    let replica = this.replicas.get(session);
    if (replica === undefined) {
      replica = new Replica(session, this.deps.checkOutput);
      this.replicas.set(session, replica);
    }
    return replica;
  }

  /** A snapshot is being made for replicas. */
  get syncing(): boolean {
    return this.sync !== null;
  }

  forget(session: Session): void {
    const replica = this.replicas.get(session);
    if (replica === undefined) return;
    this.replicas.delete(session);
    this.stream.remove(replica);
    this.transfers.get(replica)?.abort();
    this.transfers.delete(replica);
    this.leaveSync(replica);
    if (replica.state === "attached") return;
    this.aloneSince = this.deps.clock.now;
    this.deps.log.notice(`Connection with replica ${replica.name} lost.`);
    this.deps.acknowledged();
  }

  private leaveSync(replica: Replica): void {
    const { sync } = this;
    if (sync === null || !sync.replicas.delete(replica) || sync.replicas.size > 0) return;
    if (sync.kind === "disk") return this.deps.fileNotNeeded();
    if (sync.job === null) return;
    this.deps.log.notice("Diskless rdb transfer, last replica dropped, killing fork child.");
    sync.job.abort();
    this.sync = null;
  }

  /** All replicas have to come again: the stream they follow is none of ours any more. */
  disconnectAll(): void {
    for (const { session } of [...this.all()]) session.link.close("now");
  }

  // ------------------------------------------------------------------ PSYNC

  /** Answers PSYNC and SYNC; `id` null: SYNC. */
  request(session: Session, id: string | null, offset: number): void {
    const { deps, stream } = this;
    const replica = this.attach(session);
    if (replica.state !== "attached") return;
    deps.log.notice(`Replica ${replica.name} asks for synchronization`);
    stream.flush();
    replica.silent = id === null;
    if (id !== null && this.continue(replica, id, offset)) return;
    if (id !== null && id !== "?") deps.counters.syncPartialErr++;
    deps.counters.syncFull++;
    this.beginHistory();
    session.role = "replica";
    replica.state = "wait_bgsave";
    replica.waitingSince = deps.clock.now;
    // Until it is online, "acknowledged" tells when it was last known to be alive.
    replica.acknowledgedAt = deps.clock.now;
    if (!this.joinSync(replica)) this.startSync(true);
  }

  /** With the first replica the stream begins; nobody else can know its ID before. */
  private beginHistory(): void {
    const { stream, history, deps } = this;
    if (this.count === 0) this.lastPing = deps.clock.now;
    if (stream.backlog !== null) return;
    if (!deps.isReplica()) history.restart();
    stream.openBacklog();
    stream.active = !deps.isReplica();
    deps.log.notice(
      `Replication backlog created, my new replication IDs are '${history.id}' and '${history.secondId}'`,
    );
  }

  private continue(replica: Replica, id: string, offset: number): boolean {
    const { deps, history, stream } = this;
    const { backlog } = stream;
    if (!history.shares(id, offset)) {
      if (id === "?") deps.log.notice(`Full resync requested by replica ${replica.name}`);
      else if (id !== history.id && id !== history.secondId)
        deps.log.notice(
          "Partial resynchronization not accepted: Replication ID mismatch (Replica asked for " +
            `'${id}', my replication IDs are '${history.id}' and '${history.secondId}')`,
        );
      else
        deps.log.notice(
          `Partial resynchronization not accepted: Requested offset for second ID was ${offset}, but I can reply ` +
            `up to ${history.secondOffset}`,
        );
      return false;
    }
    if (backlog === null || !backlog.covers(offset)) {
      deps.log.notice(
        `Unable to partial resync with replica ${replica.name} for lack of backlog (Replica request was: ${offset}).`,
      );
      if (offset > history.offset)
        deps.log.warning(
          `Warning: replica ${replica.name} tried to PSYNC with an offset that is greater than the master ` +
            "replication offset.",
        );
      return false;
    }
    const rest = backlog.from(offset);
    const { session } = replica;
    session.role = "replica";
    this.tell(replica, replica.readsPsync2 ? `+CONTINUE ${history.id}\r\n` : "+CONTINUE\r\n");
    session.link.stream(rest, 0, rest.length);
    replica.online(deps.clock.now);
    replica.startFollowing();
    stream.add(replica);
    deps.counters.syncPartialOk++;
    deps.log.notice(
      `Partial resynchronization request from ${replica.name} accepted. Sending ${rest.length} bytes of backlog ` +
        `starting from offset ${offset}.`,
    );
    return true;
  }

  private tell({ session }: Replica, text: string): void {
    const bytes = latin1Bytes(text);
    session.link.stream(bytes, 0, bytes.length);
  }

  // ------------------------------------------------------------------ full synchronization

  /** A file is being saved for somebody else already: this replica can have it too. */
  private joinSync(replica: Replica): boolean {
    const { sync, deps } = this;
    if (sync === null) return false;
    const [other] = sync.replicas;
    if (sync.kind === "socket" || other === undefined || other.functionsOnly !== replica.functionsOnly) {
      deps.log.notice("Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC");
      return true;
    }
    replica.copyTail(other);
    this.admit(replica, sync);
    deps.log.notice("Waiting for end of BGSAVE for SYNC");
    return true;
  }

  /** Begins the snapshot that replicas wait for, once it may. */
  private startSync(first: boolean): void {
    const { deps, history, stream } = this;
    if (this.sync !== null) return;
    const waiting = [...this.all()].filter(({ state }) => state === "wait_bgsave");
    const [oldest] = waiting;
    if (oldest === undefined) return;
    const group = waiting.filter(
      (replica) =>
        this.kindFor(replica) === this.kindFor(oldest) && replica.functionsOnly === oldest.functionsOnly,
    );
    const kind = this.kindFor(oldest);
    if (kind === "socket" && !this.isDue(group)) {
      if (first) deps.log.notice("Delay next BGSAVE for diskless SYNC");
      return;
    }
    if (deps.snapshotActive()) {
      if (first)
        deps.log.notice(
          "No BGSAVE in progress, but another BG operation is active. BGSAVE for replication delayed",
        );
      return;
    }
    deps.log.notice(
      `Starting BGSAVE for SYNC with target: ${kind === "socket" ? "replicas sockets" : "disk"}`,
    );
    stream.restartSelection();
    const sync: Sync = { kind, offset: history.offset, replicas: new Set(), job: null };
    this.sync = sync;
    for (const replica of group) this.admit(replica, sync);
    if (kind === "disk") {
      if (!deps.saveFile((ok) => this.saved(sync, ok))) this.saved(sync, false);
      return;
    }
    const transfer = new SocketTransfer(sync.replicas, (failure) => this.streamed(sync, failure));
    sync.job = deps.snapshotTo(transfer, oldest.functionsOnly);
    deps.log.notice(`Background RDB transfer started by pid ${process.pid}`);
  }

  private kindFor(replica: Replica): "disk" | "socket" {
    return replica.readsEof && (this.deps.settings.replDisklessSync || replica.functionsOnly)
      ? "socket"
      : "disk";
  }

  private isDue(group: readonly Replica[]): boolean {
    const { replDisklessSyncDelay: delay, replDisklessSyncMaxReplicas: most } = this.deps.settings;
    const longest = Math.max(...group.map(({ waitingSince }) => this.deps.clock.now - waitingSince));
    return longest >= delay * SECOND || (most > 0 && group.length >= most);
  }

  /** From now on the replica gets this snapshot, and what is written from its moment on. */
  private admit(replica: Replica, sync: Sync): void {
    sync.replicas.add(replica);
    replica.state = "send_bulk";
    if (!replica.silent) this.tell(replica, `+FULLRESYNC ${this.history.id} ${sync.offset}\r\n`);
    if (!replica.snapshotOnly) this.stream.add(replica);
  }

  /** The file is on disk, or is not. */
  private saved(sync: Sync, ok: boolean): void {
    if (this.sync === sync) this.sync = null;
    for (const replica of sync.replicas) {
      if (!ok) {
        this.deps.log.warning("SYNC failed. BGSAVE child returned an error");
        replica.session.link.close("now");
      } else this.sendFile(replica);
    }
  }

  private sendFile(replica: Replica): void {
    const { log, rdbPath } = this.deps;
    const failed = (error: unknown): void => {
      log.warning(`Write error sending DB to replica: ${error instanceof Error ? error.message : error}`);
      replica.session.link.close("now");
    };
    try {
      const transfer = new FileTransfer(rdbPath(), replica, (failure) => {
        this.transfers.delete(replica);
        if (failure !== null) return failed(failure);
        this.putOnline(replica);
        if (!replica.snapshotOnly) replica.startFollowing();
      });
      this.transfers.set(replica, transfer);
      replica.getsFile = true;
    } catch (error) {
      failed(error);
    }
  }

  private streamed(sync: Sync, failure: unknown): void {
    const { log } = this.deps;
    if (this.sync === sync) this.sync = null;
    log.notice(`Diskless rdb transfer, done reading from pipe, ${sync.replicas.size} replicas still up.`);
    for (const replica of sync.replicas) {
      if (failure !== null) {
        log.warning(`SYNC failed. ${failure instanceof Error ? failure.message : failure}`);
        replica.session.link.close("now");
        continue;
      }
      log.notice(
        `Streamed RDB transfer with replica ${replica.name} succeeded (socket). Waiting for REPLCONF ACK from ` +
          "replica to enable streaming",
      );
      this.putOnline(replica);
    }
    this.startSync(true);
  }

  private putOnline(replica: Replica): void {
    const { log, clock } = this.deps;
    replica.online(clock.now);
    if (replica.snapshotOnly) {
      log.notice(`RDB transfer completed, rdb only replica (${replica.name}) should be disconnected asap`);
      return;
    }
    log.notice(`Synchronization with replica ${replica.name} succeeded`);
  }

  // ------------------------------------------------------------------ acknowledgements

  /** REPLCONF ACK: the replica has processed the stream up to `offset`, and perhaps has on disk up to `synced`. */
  acknowledge(session: Session, offset: number, synced: number): void {
    const replica = this.replicas.get(session);
    if (replica === undefined || replica.state === "attached") return;
    replica.acknowledged = Math.max(replica.acknowledged, offset);
    replica.synced = Math.max(replica.synced, synced);
    replica.acknowledgedAt = this.deps.clock.now;
    if (replica.state === "online" && !replica.snapshotOnly) replica.startFollowing();
    this.deps.acknowledged();
  }

  askForAcks(): void {
    this.stream.control("REPLCONF", "GETACK", "*");
  }

  // ------------------------------------------------------------------ periodic

  /** With each tick of the cron. */
  tick(): void {
    const { now } = this.deps.clock;
    this.startSync(false);
    if (now - this.lastSecond < SECOND) return;
    this.lastSecond = now;
    this.ping(now);
    this.dropSilent(now);
    this.letGo(now);
  }

  private ping(now: number): void {
    const { settings, isReplica } = this.deps;
    // Who waits for its snapshot is kept awake with line feeds, which belong to no stream.
    for (const replica of this.all())
      if (replica.state === "wait_bgsave" || (replica.state === "send_bulk" && this.sync?.kind === "disk"))
        this.tell(replica, "\n");
    if (
      isReplica() ||
      this.deps.failingOver() ||
      now - this.lastPing < settings.replPingReplicaPeriod * SECOND
    )
      return;
    this.lastPing = now;
    if (this.count > 0) this.stream.control("PING");
  }

  private dropSilent(now: number): void {
    const { settings, log } = this.deps;
    for (const replica of [...this.all()]) {
      if (replica.silent) continue;
      const quiet = now - replica.acknowledgedAt > settings.replTimeout * SECOND;
      if (replica.state === "online" && replica.isFollowing && quiet)
        log.warning(`Disconnecting timedout replica (streaming sync): ${replica.name}`);
      else if (replica.state === "send_bulk" && this.isStuck(replica, now))
        log.warning(`Disconnecting timedout replica (full sync): ${replica.name}`);
      else continue;
      replica.session.link.close("now");
    }
  }

  /** A replica that takes nothing of its snapshot. */
  private isStuck(replica: Replica, now: number): boolean {
    const { link, lastInteraction } = replica.session;
    return link.outputBytes > 0 && now - lastInteraction > this.deps.settings.replTimeout * SECOND;
  }

  /** Without replicas for long, the backlog is given back; whoever comes later needs everything anyway. */
  private letGo(now: number): void {
    const { settings, log, isReplica } = this.deps;
    const { stream, history } = this;
    if (stream.backlog === null || isReplica() || settings.replBacklogTtl === 0) return;
    if (this.count > 0) this.aloneSince = 0;
    else if (this.aloneSince === 0) this.aloneSince = now;
    else if (now - this.aloneSince > settings.replBacklogTtl * SECOND) {
      history.restart();
      stream.closeBacklog();
      stream.active = false;
      log.notice(
        `Replication backlog freed after ${settings.replBacklogTtl} seconds without connected replicas.`,
      );
    }
  }
}
