import { noLink, Session } from "../call/session.ts";
import { decodeBytes } from "../config/text.ts";
import { Keyspace } from "../keyspace/keyspace.ts";
import { RdbRecords } from "../rdb/save.ts";
import type { FileSource } from "../rdb/sources.ts";
import type { SnapshotSink } from "../replication/full-sync.ts";
import type { MasterLink } from "../replication/link.ts";
import { FileReceiver, type SnapshotReceiver } from "../replication/receiver.ts";
import { Replication } from "../replication/replication.ts";
import { StreamedSnapshot } from "../replication/streamed-snapshot.ts";
import { LibrarySet } from "../scripting/functions.ts";
import { clientTls } from "./listeners.ts";
import { Loading } from "./loading.ts";
import type { Server } from "./server.ts";
import { SnapshotJob } from "./snapshot-job.ts";

/**
 * Replication in the server: what it needs of the other rooms, and what a change of role means for them. Replication
 * itself is in replication/.
 */
const SLICE_MS = 10;
const UNBLOCKED =
  "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)";

export class Replicating {
  readonly replication: Replication;

  constructor(private readonly server: Server) {
    const { config, clock, log, counters, blocking, persistence } = server;
    const { writer } = server.appendOnly.aof;
    this.replication = new Replication({
      settings: config.values,
      clock,
      log,
      counters,
      blocking,
      aof: writer,
      aofComplete: () => server.appendOnly.aof.rewrite.state === "on",
      mayConnect: () => server.loading === null,
      tls: () => clientTls(config.values),
      snapshotActive: () =>
        server.snapshots.active || persistence.saving || server.appendOnly.aof.rewrite.inProgress,
      snapshotTo: (sink, functionsOnly) => this.snapshotTo(sink, functionsOnly),
      saveFile: (done) => persistence.saveForReplicas(done),
      // With save points it is of use nevertheless.
      fileNotNeeded: () => {
        if (server.config.values.save.length === 0) persistence.abort();
      },
      rdbPath: () => persistence.path,
      filePath: (name) => config.path(name),
      checkOutput: (session) => {
        const connection = server.clients.get(session.id);
        if (connection !== undefined) server.outputLimits.check(connection);
      },
      applying: () => ({
        registry: server.registry,
        transactions: server.transactions,
        limits: { protoMaxBulkLen: Number.MAX_SAFE_INTEGER },
        keyspace: server.keyspace,
        execute: () => server.executor.execute,
        // A paused replica takes its master's stream in, and executes it afterwards.
        held: () => server.scripting.runs.busy || server.pause.mode !== "off",
        begin: () => {
          clock.update();
          // The master's commands mean keys that it has not said to be gone.
          server.keyspace.context.ignoreExpiry = true;
          server.executor.begin();
        },
        end: () => {
          server.executor.settle();
          server.keyspace.context.ignoreExpiry = false;
          if (blocking.hasReady) blocking.serve();
        },
        failed: (command, error) => {
          log.warning(
            `== CRITICAL == This replica is sending an error to its master: '${error}' after processing the command '${command}'`,
          );
          counters.unexpectedErrors++;
        },
      }),
      loadsStreamed: () => this.loadsStreamed(),
      masterSession: (link, close) => this.masterSession(link, close),
      masterGone: (session) => server.clients.removeMaster(session),
      loadSnapshot: (receiver, sameHistory, loaded) => void this.load(receiver, sameHistory).then(loaded),
      resting: () => server.clustering.writesRest,
      writesPaused: () => server.holdBack.refresh(),
      roleChanged: () => this.roleChanged(),
    });
  }

  /** REPLICAOF: null stands for NO ONE. Returns what the reply's OK is followed by. */
  replicaOf(master: { host: string; port: number } | null, by: string): string {
    const { replication } = this;
    const { config, log } = this.server;
    const user = `id=${by}`;
    if (master === null) {
      if (replication.isReplica) {
        replication.promote();
        config.assign("replicaof", null);
        log.notice(`MASTER MODE enabled (user request from '${user}')`);
      }
      return "";
    }
    const { link } = replication;
    if (link !== null && link.host.toLowerCase() === master.host.toLowerCase() && link.port === master.port) {
      log.notice(
        "REPLICAOF would result into synchronization with the master we are already connected with. No operation " +
          "performed.",
      );
      return " Already connected to specified master";
    }
    config.assign("replicaof", master);
    replication.follow(master.host, master.port);
    log.notice(`REPLICAOF ${master.host}:${master.port} enabled (user request from '${user}')`);
    return "";
  }

  /** At start: the role that the configuration gives. */
  start(): void {
    const { replicaof } = this.server.config.values;
    if (replicaof !== null) this.replication.follow(replicaof.host, replicaof.port, "later");
  }

  private roleChanged(): void {
    const { server, replication } = this;
    server.log.role = replication.isReplica ? "S" : "M";
    server.refreshExpiry();
    server.oomScore.apply(server.config.values);
    if (!replication.isReplica) return;
    const redirection = server.conditions.redirection();
    if (redirection !== null)
      server.blocking.refuseWhere((session) => (session.followsRedirects ? redirection : null));
    server.blocking.unblockAll(UNBLOCKED);
  }

  private masterSession(link: MasterLink, close: () => void): Session {
    const { clients, clock } = this.server;
    const session = new Session(
      clients.nextId(),
      noLink({ address: link.address, localAddress: link.localAddress, close }),
      clock.now,
    );
    session.role = "master";
    session.denyBlocking = true;
    clients.addMaster(session);
    return session;
  }

  // ------------------------------------------------------------------ snapshots

  private snapshotTo(sink: SnapshotSink, functionsOnly: boolean): { abort(): void } {
    const { server } = this;
    return new SnapshotJob(
      server.counters,
      server.snapshots,
      functionsOnly ? [] : [...server.keyspace.all()],
      (databases, bytes) => new RdbRecords(databases, bytes, server.persistence.options(false), true),
      sink,
      () => server.config.values.rdbKeySaveDelay,
    );
  }

  /** With repl-diskless-load a snapshot is loaded as it comes: in place of no data, or beside the old ones. */
  private loadsStreamed(): boolean {
    const { config, keyspace } = this.server;
    const how = config.values.replDisklessLoad;
    return how === "swapdb" || (how === "on-empty-db" && keyspace.size === 0);
  }

  /**
   * Replaces the data set by the snapshot received, or being received; returns what went wrong, or null. With
   * repl-diskless-load swapdb the old data stay until the new ones are whole, and are served meanwhile where both are
   * of the same history.
   */
  private async load(receiver: SnapshotReceiver, sameHistory: boolean): Promise<string | null> {
    const { server } = this;
    const { log, persistence, keyspace, appendOnly, config } = server;
    persistence.abort();
    const streamed = receiver instanceof StreamedSnapshot;
    try {
      if (receiver instanceof FileReceiver) receiver.finish(persistence.path);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return `Failed trying to rename the temp DB into ${decodeBytes(config.values.dbfilename)} in MASTER <-> REPLICA synchronization: ${text}`;
    }
    appendOnly.aof.turnOff();
    const keep = streamed && config.values.replDisklessLoad === "swapdb";
    if (!keep) {
      log.notice("MASTER <-> REPLICA sync: Flushing old data");
      keyspace.flushAll();
      server.keyWatchers.allChanged();
    }
    log.notice("MASTER <-> REPLICA sync: Loading DB in memory");
    const target = keep ? new Keyspace(keyspace.context, keyspace.count) : keyspace;
    const libraries = new LibrarySet();
    const loaded = await this.loadInto(target, libraries, receiver, keep && sameHistory);
    if (loaded || !keep) server.scripting.functions.adopt(loaded ? libraries : new LibrarySet());
    if (keep) {
      log.notice(
        `MASTER <-> REPLICA sync: ${loaded ? "Swapping active DB with loaded DB" : "Discarding temporary DB in background"}`,
      );
      if (loaded) keyspace.adopt(target);
      server.keyWatchers.allChanged();
    } else if (!loaded) keyspace.flushAll();
    if (config.values.appendonly && !appendOnly.aof.turnOn())
      log.warning("Failed enabling the AOF after successful master synchronization!");
    if (loaded) return null;
    return `Failed trying to load the MASTER synchronization DB from ${streamed ? "socket" : "disk"}, check server logs.`;
  }

  /** Whether it could be loaded; the load has logged what it met with. */
  private async loadInto(
    target: Keyspace,
    libraries: LibrarySet,
    receiver: SnapshotReceiver,
    serving: boolean,
  ): Promise<boolean> {
    const { server } = this;
    const { persistence } = server;
    const delay = () => Math.max(0, server.config.values.keyLoadDelay) / 1000;
    const streamed = receiver instanceof StreamedSnapshot ? receiver : null;
    let file: FileSource | null = null;
    try {
      file = streamed === null ? persistence.open() : null;
      const load = persistence.load(
        streamed ?? file!,
        { skipExpired: false, ...(streamed && { arrived: () => streamed.arrived }) },
        target,
        libraries,
      );
      server.loading = new Loading(
        streamed === null ? receiver.received : receiver.total,
        () => load.consumed,
        serving,
      );
      for (;;) {
        const end = performance.now() + SLICE_MS;
        const before = load.keysLoaded;
        const whole = load.step(() => delay() > 0 || performance.now() >= end);
        if (whole) break;
        if (load.starved) await streamed?.more();
        const pause = delay() * (load.keysLoaded - before);
        await new Promise<void>((resolve) =>
          pause > 0 ? setTimeout(resolve, pause) : setImmediate(resolve),
        );
      }
      // The mark at its end may still be to come.
      while (streamed !== null && !streamed.complete) {
        await streamed.more();
        if (streamed.failed) return false;
      }
      persistence.loaded(load);
      return true;
    } catch {
      return false;
    } finally {
      file?.close();
      server.loading = null;
    }
  }
}
