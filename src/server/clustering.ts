import type { SocketHandler, TCPSocketListener } from "bun";
import { latin1Bytes, latin1Text } from "../bytes/ascii.ts";
import { keySlot } from "../bytes/crc16.ts";
import { busPortOf } from "../cluster/bus.ts";
import { Cluster, type ClusterHost } from "../cluster/cluster.ts";
import type { BusLink } from "../cluster/link.ts";
import { testBit } from "../cluster/node.ts";
import { Router } from "../cluster/router.ts";
import { NOTIFY } from "../config/special.ts";
import type { Database } from "../keyspace/database.ts";
import { lockFile } from "./file-lock.ts";
import { clientTls, listenOn, tlsOptions } from "./listeners.ts";
import type { Server } from "./server.ts";

/**
 * The cluster in the server: what it needs of the other rooms, and what its changes mean for them. The cluster itself
 * is in cluster/. Without cluster-enabled there is none, and nothing of it costs anything.
 */
const DEL = latin1Bytes("DEL");

export class Clustering {
  readonly cluster: Cluster | null;
  readonly router: Router | null;
  private listeners: TCPSocketListener<BusLink>[] = [];
  /** Until when writes rest for a manual failover, milliseconds since 1970. */
  private restUntil = 0;
  private restTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly server: Server) {
    const { values } = server.config;
    if (!values.clusterEnabled) {
      this.cluster = this.router = null;
      return;
    }
    this.cluster = new Cluster(this.host());
    this.router = new Router({
      state: this.cluster.state,
      settings: values,
      database: () => this.database,
      queuedFlags: (session) => server.transactions.queuedFlags(session),
      anyQueued: (session, test) => server.transactions.anyQueued(session, test),
    });
  }

  private get database(): Database {
    return this.server.keyspace.select(0);
  }

  /** A replica is about to take over: nothing is written meanwhile, not even that a key has expired. */
  get writesRest(): boolean {
    return this.restUntil > 0;
  }

  stop(): void {
    this.cluster?.bus.closeAll();
    for (const listener of this.listeners) listener.stop(true);
    this.listeners = [];
  }

  // ------------------------------------------------------------------ what the cluster asks for

  private host(): ClusterHost {
    const { server } = this;
    const { values } = server.config;
    return {
      settings: values,
      log: server.log,
      lock: lockFile,
      clientTls: () => (values.tlsCluster ? clientTls(values) : undefined),
      listen: (handlers) => this.listen(handlers),
      keys: {
        get total() {
          return server.keyspace.size;
        },
        count: (slot) => this.countKeys(slot),
        remove: (slot) => this.removeKeys(slot),
        clear: () => {
          server.keyspace.flushAll();
          server.keyWatchers.allChanged();
        },
      },
      replication: {
        get following() {
          return server.replication.isReplica;
        },
        offset: () => server.replication.offset,
        dataAge: () => this.dataAge(),
        follow: (host, port, when) => {
          server.config.assign("replicaof", { host, port });
          server.replication.follow(host, port, when);
        },
        promote: () => {
          server.replication.promote();
          server.config.assign("replicaof", null);
        },
      },
      pauseWrites: (until) => this.rest(until),
      deliver: (channel, message, sharded) => {
        const { subscriptions } = server;
        const name = latin1Text(channel);
        if (sharded) subscriptions.publishToShard(name, message, 0, message.length);
        else subscriptions.publish(name, message, 0, message.length);
      },
      slotsLost: (slots) => this.slotsLost(slots),
      stateChanged: () => this.redirectWaiting(),
      exit: () => {
        server.exit(1);
        throw new Error("A cluster node that cannot keep its configuration has been given up");
      },
    };
  }

  private listen(handlers: SocketHandler<BusLink>): void {
    const { values } = this.server.config;
    const tls = values.tlsCluster ? tlsOptions(values) : undefined;
    this.listeners = listenOn(values.bind, busPortOf(values), (where) =>
      Bun.listen<BusLink>({ ...where, socket: handlers, ...(tls !== undefined && { tls }) }),
    );
  }

  /** Milliseconds since the master was last heard of; without end where it never was. */
  private dataAge(): number {
    const { link } = this.server.replication;
    if (link === null || !link.wasUp) return Number.POSITIVE_INFINITY;
    return Date.now() - (link.state === "connected" ? link.lastIo : link.downSince);
  }

  private rest(until: number): void {
    if (this.restTimer !== null) clearTimeout(this.restTimer);
    this.restTimer = until === 0 ? null : setTimeout(() => this.rest(0), until - Date.now());
    this.restUntil = until;
    this.server.refreshExpiry();
    this.server.holdBack.refresh();
  }

  // ------------------------------------------------------------------ slots

  private countKeys(slot: number): number {
    return this.database.index.slots?.count(slot) ?? 0;
  }

  /** The keys of a slot, at most so many. */
  keysIn(slot: number, most: number): Uint8Array[] {
    const { index, records } = this.database;
    return index.positionsInSlot(slot, most).map((position) => {
      const start = records.keyStart(position);
      return records.keyBytes(position).slice(start, start + records.keyLength(position));
    });
  }

  private removeKeys(slot: number): void {
    const { server, database } = this;
    for (const position of database.index.positionsInSlot(slot, Number.POSITIVE_INFINITY)) {
      const { records } = database;
      const start = records.keyStart(position);
      const key = records.keyBytes(position).slice(start, start + records.keyLength(position));
      server.snapshots.snapshot?.beforeChange(database, position);
      server.keyWatchers.expired(database.id, key, 0, key.length);
      database.remove(position);
      server.counters.changes++;
      database.event(NOTIFY.generic, "del", key, 0, key.length);
      if (server.effects.active) server.effects.command(database.id, [DEL, key]);
    }
  }

  /** Who listens to shard channels of these slots, or waits for their keys, has to go elsewhere. */
  private slotsLost(slots: Uint8Array): void {
    const { subscriptions } = this.server;
    if (subscriptions.shardCount > 0)
      subscriptions.dropShards((channel) => {
        const name = latin1Bytes(channel);
        return testBit(slots, keySlot(name, 0, name.length));
      });
    this.redirectWaiting();
  }

  private redirectWaiting(): void {
    const { router, server } = this;
    if (router === null || server.blocking.count === 0) return;
    server.blocking.refuseWhere((session, command, key) => router.forBlocked(session, command, key));
  }
}
