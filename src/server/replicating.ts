import { Session, type SessionLink } from "../call/session.ts";
import { decodeBytes } from "../config/text.ts";
import { RdbRecords } from "../rdb/save.ts";
import { FileSource } from "../rdb/sources.ts";
import type { SnapshotSink } from "../replication/full-sync.ts";
import type { MasterLink } from "../replication/link.ts";
import type { SnapshotReceiver } from "../replication/receiver.ts";
import { Replication } from "../replication/replication.ts";
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
      mayConnect: () => server.loading === null,
      tls: () => clientTls(config.values),
      snapshotActive: () => server.snapshots.active || persistence.job !== null,
      snapshotTo: (sink, functionsOnly) => this.snapshotTo(sink, functionsOnly),
      saveFile: (done) => persistence.saveForReplicas(done),
      rdbPath: () => persistence.path,
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
      masterSession: (link, close) => this.masterSession(link, close),
      masterGone: (session) => server.clients.removeMaster(session),
      loadSnapshot: (receiver, loaded) => void this.load(receiver).then(loaded),
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
    if (replication.isReplica) server.blocking.unblockAll(UNBLOCKED);
  }

  private masterSession(link: MasterLink, close: () => void): Session {
    const { clients, clock } = this.server;
    const session = new Session(clients.nextId(), linkOf(link, close), clock.now);
    session.role = "master";
    session.denyBlocking = true;
    clients.addMaster(session);
    return session;
  }

  // ------------------------------------------------------------------ snapshots

  private snapshotTo(sink: SnapshotSink, functionsOnly: boolean): { abort(): void } {
    const { server } = this;
    return new SnapshotJob(
      server.snapshots,
      functionsOnly ? [] : [...server.keyspace.all()],
      (databases, bytes) => new RdbRecords(databases, bytes, server.persistence.options(false), true),
      sink,
      () => server.config.values.rdbKeySaveDelay,
    );
  }

  /** Replaces the data set by the snapshot received; returns what went wrong, or null. */
  private async load(receiver: SnapshotReceiver): Promise<string | null> {
    const { server } = this;
    const { log, persistence, keyspace, appendOnly, config } = server;
    const failed = "Failed trying to load the MASTER synchronization DB from disk, check server logs.";
    persistence.abort();
    try {
      receiver.finish(persistence.path);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return `Failed trying to rename the temp DB into ${decodeBytes(config.values.dbfilename)} in MASTER <-> REPLICA synchronization: ${text}`;
    }
    log.notice("MASTER <-> REPLICA sync: Flushing old data");
    appendOnly.aof.turnOff();
    keyspace.flushAll();
    server.keyWatchers.allChanged();
    log.notice("MASTER <-> REPLICA sync: Loading DB in memory");
    try {
      const load = persistence.load(FileSource.open(persistence.path), false);
      server.loading = new Loading(receiver.received, () => load.consumed);
      for (;;) {
        const end = performance.now() + SLICE_MS;
        if (load.step(() => performance.now() >= end)) break;
        await new Promise((resolve) => setImmediate(resolve));
      }
      persistence.loaded(load);
    } catch {
      // The load has logged what it met with.
      keyspace.flushAll();
      return failed;
    } finally {
      server.loading = null;
    }
    if (config.values.appendonly && !appendOnly.aof.turnOn())
      log.warning("Failed enabling the AOF after successful master synchronization!");
    return null;
  }
}

function linkOf(link: MasterLink, close: () => void): SessionLink {
  return {
    fd: -1,
    suspended: false,
    address: link.address,
    localAddress: link.localAddress,
    unixSocket: false,
    queryBytes: 0,
    queryCapacity: 0,
    outputBytes: 0,
    outputPieces: 0,
    send() {},
    stream() {},
    suspend() {},
    close,
  };
}
