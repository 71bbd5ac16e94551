import type { Log } from "../host/log.ts";
import type { Bus } from "./bus.ts";
import type { Failover } from "./failover.ts";
import type { Health } from "./health.ts";
import { TYPE } from "./message.ts";
import { type ClusterNode, FLAG } from "./node.ts";
import type { ClusterState } from "./state.ts";

/**
 * What a node does ten times a second: connects to those it has no connection to, pings who has not been heard of for
 * long (and once a second somebody by chance), notices who does not answer, and, as a replica, carries a failover on or
 * moves to a master that has lost its replicas.
 */
export interface TickerDeps {
  readonly state: ClusterState;
  readonly health: Health;
  readonly bus: Bus;
  readonly failover: Failover;
  readonly settings: {
    readonly clusterNodeTimeout: number;
    readonly clusterPingInterval: number;
    readonly clusterMigrationBarrier: number;
    readonly clusterAllowReplicaMigration: boolean;
  };
  readonly log: Log;
  /** We are a replica, but replication does not follow anybody yet. */
  followMaster(): void;
  replicate(master: ClusterNode): void;
}

const LEAST_HANDSHAKE = 1000;
/** Every so many ticks the one of these many nodes that was heard of longest ago is pinged. */
const RANDOM_PING_TICKS = 10;
const RANDOM_PING_TRIES = 5;
/** A master without replicas waits so long for one of another master's, milliseconds. */
const MIGRATION_DELAY = 5000;

/** What a replica sees of masters and their replicas. */
interface Census {
  /** Masters that had replicas and have none that works. */
  orphans: number;
  mostReplicas: number;
  ourMasters: number;
}

export class Ticker {
  private ticks = 0;

  constructor(private readonly deps: TickerDeps) {}

  tick(): void {
    const { state, health, failover } = this.deps;
    const { myself } = state;
    this.ticks++;
    this.connect();
    if (this.ticks % RANDOM_PING_TICKS === 0) this.pingSomebody();
    const census: Census = { orphans: 0, mostReplicas: 0, ourMasters: 0 };
    let changed = false;
    for (const node of [...state.nodes.values()]) {
      if (node.has(FLAG.myself | FLAG.noaddr | FLAG.handshake)) continue;
      if (myself.isReplica) this.count(node, census);
      if (this.check(node)) changed = true;
    }
    if (myself.isReplica && myself.master !== null && !myself.master.has(FLAG.noaddr))
      this.deps.followMaster();
    failover.checkManualTimeout();
    if (myself.isReplica) {
      failover.handleManual();
      failover.handle();
      this.migrate(census);
    }
    if (changed || !state.ok) health.update();
  }

  private connect(): void {
    const { state, settings, bus } = this.deps;
    const now = Date.now();
    const patience = Math.max(LEAST_HANDSHAKE, settings.clusterNodeTimeout);
    state.pfailNodes = 0;
    for (const node of [...state.nodes.values()]) {
      bus.enforceLimit(node);
      if (node.has(FLAG.myself | FLAG.noaddr)) continue;
      if (node.has(FLAG.pfail)) state.pfailNodes++;
      if (node.has(FLAG.handshake) && now - node.createdAt > patience) state.remove(node);
      else if (node.link === null) bus.connect(node);
    }
  }

  private pingSomebody(): void {
    const { state, bus } = this.deps;
    let oldest: ClusterNode | null = null;
    for (let i = 0; i < RANDOM_PING_TRIES; i++) {
      const node = state.randomNode();
      if (node.link === null || node.pingSent !== 0 || node.has(FLAG.myself | FLAG.handshake)) continue;
      if (oldest === null || node.pongReceived < oldest.pongReceived) oldest = node;
    }
    if (oldest?.link) bus.presence(oldest.link, TYPE.ping);
  }

  private count(node: ClusterNode, census: Census): void {
    if (!node.isMaster || node.failed) return;
    const working = node.workingReplicas;
    if (working === 0 && node.slotCount > 0 && node.has(FLAG.migrateTo)) census.orphans++;
    census.mostReplicas = Math.max(census.mostReplicas, working);
    if (this.deps.state.myself.master === node) census.ourMasters = working;
  }

  /** Pings it if need be; true where it has just become unreachable. */
  private check(node: ClusterNode): boolean {
    const { state, settings, bus, failover, health, log } = this.deps;
    const timeout = settings.clusterNodeTimeout;
    const now = Date.now();
    const sincePing = now - node.pingSent;
    const sinceData = now - node.dataReceived;
    const overdue = node.pingSent !== 0 && sincePing > timeout / 2 && sinceData > timeout / 2;
    // The connection may be what is broken: another one is tried before the node is given up.
    if (node.link !== null && now - node.link.createdAt > timeout && overdue) node.link.close();
    const interval = settings.clusterPingInterval || timeout / 2;
    if (node.link !== null && node.pingSent === 0 && now - node.pongReceived > interval) {
      bus.presence(node.link, TYPE.ping);
      return false;
    }
    if (failover.manual && state.myself.isMaster && failover.manualSuccessor === node && node.link !== null) {
      // It waits to hear of our offset.
      bus.presence(node.link, TYPE.ping);
      return false;
    }
    if (node.pingSent === 0 || Math.min(sincePing, sinceData) <= timeout) return false;
    if (node.has(FLAG.pfail | FLAG.fail)) return false;
    node.set(FLAG.pfail);
    // A single master needs nobody's consent.
    if (state.myself.isMaster && state.size === 1) health.markFailing(node);
    else log.debug(`*** NODE ${node.name} possibly failing`);
    return true;
  }

  // ------------------------------------------------------------------ replica migration

  private migrate({ orphans, mostReplicas, ourMasters }: Census): void {
    const { settings } = this.deps;
    if (!settings.clusterAllowReplicaMigration) return;
    if (orphans > 0 && mostReplicas >= 2 && ourMasters === mostReplicas) this.moveToOrphan(mostReplicas);
  }

  /** Of the masters with most replicas, the replica with the smallest name goes. */
  private moveToOrphan(mostReplicas: number): void {
    const { state, settings, log } = this.deps;
    const { myself } = state;
    const { master } = myself;
    if (!state.ok || master === null) return;
    const working = master.replicas.filter((replica) => !replica.has(FLAG.fail | FLAG.pfail)).length;
    if (working <= settings.clusterMigrationBarrier) return;
    const now = Date.now();
    let target: ClusterNode | null = null;
    let candidate = myself;
    for (const node of state.nodes.values()) {
      const replicas = node.isMaster ? node.workingReplicas : 0;
      if (node.isMaster && !node.failed && node.has(FLAG.migrateTo) && replicas === 0) {
        if (node.slotCount > 0) target ??= node;
        node.orphanedTime ||= now;
      } else node.orphanedTime = 0;
      if (replicas !== mostReplicas) continue;
      for (const replica of node.replicas) if (replica.name < candidate.name) candidate = replica;
    }
    if (target === null || candidate !== myself || now - target.orphanedTime <= MIGRATION_DELAY) return;
    log.notice(`Migrating to orphaned master ${target.name}`);
    this.deps.replicate(target);
  }
}
