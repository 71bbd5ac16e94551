import { SLOT_COUNT } from "../bytes/crc16.ts";
import { systemErrorText } from "../config/errors.ts";
import type { Log } from "../host/log.ts";
import type { EndpointType } from "./address.ts";
import { announcedPorts, Bus, type BusDeps, type BusSettings } from "./bus.ts";
import { ConfigFile, CorruptConfig } from "./config-file.ts";
import { Failover, type FailoverSettings } from "./failover.ts";
import { Health, type HealthSettings } from "./health.ts";
import { ClusterNode, FLAG } from "./node.ts";
import { Receiver } from "./receive.ts";
import { SlotUpdates } from "./slot-updates.ts";
import { ClusterState, DUE } from "./state.ts";
import { Ticker } from "./ticker.ts";
import { Voting } from "./voting.ts";

/**
 * A node of a cluster, put together:
 *
 *   bus.ts, link.ts, message.ts     what goes over the wire
 *   receive.ts, presence.ts         what comes over it          -> state.ts, slots.ts, node.ts   what is known
 *   ticker.ts                       what is done by the clock   -> config-file.ts                 the same on disk
 *   health.ts, voting.ts, failover.ts, slot-updates.ts          what follows from it
 *   router.ts                       which commands are for this node
 */
export interface ClusterSettings extends BusSettings, FailoverSettings, HealthSettings {
  readonly clusterConfigFile: string;
  readonly clusterPingInterval: number;
  readonly clusterMigrationBarrier: number;
  readonly clusterAllowReplicaMigration: boolean;
  readonly clusterAnnounceHostname: string;
  readonly clusterAnnounceHumanNodename: string;
  readonly clusterPreferredEndpointType: EndpointType;
  readonly tlsReplication: boolean;
  readonly bind: readonly string[];
}

/** What the cluster needs of the server. */
export interface ClusterHost extends Pick<BusDeps, "clientTls" | "listen"> {
  readonly settings: ClusterSettings;
  readonly log: Log;
  lock(fd: number): "locked" | "taken";
  readonly keys: {
    readonly total: number;
    count(slot: number): number;
    /** The slot's keys go, here and at replicas. */
    remove(slot: number): void;
    /** All data go. */
    clear(): void;
  };
  readonly replication: {
    readonly following: boolean;
    /** Bytes written to the stream, or of a replica processed of it. */
    offset(): number;
    dataAge(): number;
    /** Connects at once, or with the next tick. */
    follow(host: string, port: number, when: "now" | "later"): void;
    promote(): void;
  };
  pauseWrites(until: number): void;
  deliver(channel: Uint8Array, message: Uint8Array, sharded: boolean): void;
  /** Slots have changed hands: their shard channels go, and clients that wait for their keys are told. */
  slotsLost(slots: Uint8Array): void;
  /** The cluster no longer works. */
  stateChanged(ok: boolean): void;
  exit(): never;
}

const TICK_MS = 100;
const HIGHEST_PORT = 65535;
const BUS_PORT_OFFSET = 10_000;

export class Cluster {
  readonly state: ClusterState;
  readonly health: Health;
  readonly bus: Bus;
  readonly failover: Failover;
  readonly receiver: Receiver;
  private readonly file: ConfigFile;
  private readonly ticker: Ticker;
  private lastTick = 0;
  /** The data set was loaded at start: the node takes part from then on. */
  private loaded = false;
  /** What cluster-announce-ip said last. */
  private announcedIp = "";

  constructor(readonly host: ClusterHost) {
    const { settings, log, replication } = host;
    const state = new ClusterState({ log, scheduled: () => queueMicrotask(() => this.settle()) });
    this.state = state;
    const saveNow = (): void => this.saveOrDie(true);
    const health = new Health(state, {
      settings,
      log,
      sendFail: (node) => bus.fail(node),
      changed: () => host.stateChanged(state.ok),
    });
    const bus: Bus = new Bus(state, {
      settings,
      log,
      clientTls: () => host.clientTls(),
      listen: (handlers) => host.listen(handlers),
      offset: () => replication.offset(),
      paused: () => failover.manual,
      forced: () => failover.manual,
      accepting: () => this.loaded,
      received: (link, bytes) => receiver.receive(link, bytes),
    });
    const failover: Failover = new Failover({
      state,
      health,
      bus,
      settings,
      log,
      offset: () => replication.offset(),
      dataAge: () => replication.dataAge(),
      promote: () => replication.promote(),
      pauseWrites: (until) => host.pauseWrites(until),
      saveNow,
    });
    const replicate = (master: ClusterNode): void => this.replicate(master);
    const updates = new SlotUpdates({
      state,
      settings,
      log,
      countKeys: (slot) => host.keys.count(slot),
      deleteKeys: (slot) => host.keys.remove(slot),
      replicate,
    });
    const receiver: Receiver = new Receiver({
      state,
      health,
      bus,
      failover,
      voting: new Voting({ state, bus, settings, log, saveNow }),
      updates,
      settings,
      log,
      masterMoved: () => this.followMaster(),
      deliver: (channel, message, sharded) => host.deliver(channel, message, sharded),
    });
    this.health = health;
    this.bus = bus;
    this.failover = failover;
    this.receiver = receiver;
    this.file = new ConfigFile(settings.clusterConfigFile, state, {
      log,
      tlsCluster: settings.tlsCluster,
      lock: (fd) => host.lock(fd),
    });
    this.ticker = new Ticker({
      state,
      health,
      bus,
      failover,
      settings,
      log,
      followMaster: () => {
        if (!replication.following) this.followMaster();
      },
      replicate,
    });
  }

  // ------------------------------------------------------------------ start

  /** Reads what was known, and opens the bus. Ends the process where that cannot be. */
  start(): void {
    const { settings, log, exit } = this.host;
    const give = (why: string): never => {
      log.warning(why);
      return exit();
    };
    const refusal = this.file.acquire();
    if (refusal !== null) give(refusal);
    this.load(give);
    const port = settings.tlsCluster ? settings.tlsPort : settings.port;
    if (settings.clusterPort === 0 && port > HIGHEST_PORT - BUS_PORT_OFFSET)
      give(
        "Redis port number too high. Cluster communication port is 10,000 port numbers higher than your Redis port. " +
          "Your Redis port number must be 55535 or less.",
      );
    if (settings.bind.length === 0)
      give("No bind address is configured, but it is required for the Cluster bus.");
    this.applySettings();
    try {
      this.bus.listen();
    } catch (error) {
      log.warning(`Could not create server TCP listening socket ${(error as Error).message}`);
      give(`Failed listening on port ${announcedPorts(settings).bus} (cluster), aborting.`);
    }
    // Known before the data are loaded: a replica keeps keys that are due until its master says that they are gone.
    this.followMaster("later");
  }

  private load(give: (why: string) => never): void {
    const { log, settings } = this.host;
    const { state } = this;
    try {
      if (this.file.load()) {
        log.notice(`Node configuration loaded, I'm ${state.myself.name}`);
        return;
      }
    } catch (error) {
      if (error instanceof CorruptConfig)
        give(`Unrecoverable error: corrupted cluster config file "${error.message}".`);
      give(`Loading the cluster node config from ${settings.clusterConfigFile}: ${systemErrorText(error)}`);
    }
    state.myself = ClusterNode.fresh(FLAG.myself | FLAG.master, Date.now());
    state.add(state.myself);
    state.joinShard(state.myself, state.myself.shardId);
    log.notice(`No cluster configuration found, I'm ${state.myself.name}`);
    this.saveOrDie(true);
  }

  /** What the directives say of this node itself. */
  applySettings(): void {
    const { settings } = this.host;
    const { state } = this;
    const { myself } = state;
    if (myself === undefined) return;
    const ports = announcedPorts(settings);
    myself.tcpPort = ports.tcp;
    myself.tlsPort = ports.tls;
    myself.busPort = ports.bus;
    if (settings.clusterAnnounceIp !== this.announcedIp) {
      this.announcedIp = settings.clusterAnnounceIp;
      myself.ip = settings.clusterAnnounceIp;
    }
    const { flags, hostname, humanName } = myself;
    myself.hostname = settings.clusterAnnounceHostname;
    myself.humanName = settings.clusterAnnounceHumanNodename;
    myself.clear(FLAG.nofailover);
    if (settings.clusterReplicaNoFailover) myself.set(FLAG.nofailover);
    if (myself.flags !== flags) state.later(DUE.save | DUE.updateState);
    if (myself.hostname !== hostname || myself.humanName !== humanName) state.later(DUE.save);
  }

  /** The data set is loaded: where it holds keys of slots that are not ours, something is put in order. */
  dataLoaded(): void {
    const { state, host } = this;
    this.loaded = true;
    const { slots, myself } = state;
    if (myself.isReplica) return;
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      if (host.keys.count(slot) === 0) continue;
      const owner = slots.owner[slot]!;
      if (owner === myself || slots.importing[slot] !== null) continue;
      if (owner === null) {
        host.log.notice(`I have keys for unassigned slot ${slot}. Taking responsibility for it.`);
        slots.add(myself, slot);
      } else {
        host.log.notice(
          `I have keys for slot ${slot}, but the slot is assigned to another node. Setting it to importing state.`,
        );
        slots.importing[slot] = owner;
      }
      state.later(DUE.save | DUE.fsync);
    }
  }

  // ------------------------------------------------------------------ in the course of things

  /** With each tick of the cron. */
  tick(): void {
    const now = Date.now();
    if (!this.loaded || now - this.lastTick < TICK_MS - 1) return;
    this.lastTick = now;
    this.ticker.tick();
  }

  /** The event under way has ended: what it has changed. */
  private settle(): void {
    const { state, failover, health, host } = this;
    const { due } = state;
    state.due = 0;
    if ((due & DUE.manualFailover) !== 0 && state.myself.isReplica) {
      failover.handleManual();
      failover.handle();
    } else if ((due & DUE.failover) !== 0) failover.handle();
    if ((due & DUE.updateState) !== 0) health.update();
    const lost = state.slots.takeLost();
    if (lost !== null) host.slotsLost(lost);
    if ((due & DUE.save) !== 0) this.saveOrDie((due & DUE.fsync) !== 0);
  }

  /** CLUSTER SAVECONFIG; throws what writing throws. */
  save(): void {
    this.file.save(true);
  }

  private saveOrDie(durable: boolean): void {
    try {
      this.file.save(durable);
    } catch (error) {
      this.host.log.warning(`Could not write the cluster config file: ${systemErrorText(error)}`);
      this.host.log.warning("Fatal: can't update cluster config file.");
      this.host.exit();
    }
  }

  // ------------------------------------------------------------------ roles

  /** This node, without slots, becomes a replica of that one. */
  replicate(master: ClusterNode): void {
    this.state.setMyMaster(master);
    this.followMaster();
    this.failover.resetManual();
    this.failover.resetElection();
  }

  private followMaster(when: "now" | "later" = "now"): void {
    const { master } = this.state.myself;
    const { settings, replication } = this.host;
    if (master === null || master.has(FLAG.noaddr) || master.ip === "") return;
    replication.follow(master.ip, settings.tlsReplication ? master.tlsPort : master.tcpPort, when);
  }

  /** CLUSTER RESET. */
  reset(hard: boolean): void {
    const { state, host } = this;
    if (state.myself.isReplica) {
      state.setAsMaster(state.myself);
      host.replication.promote();
      host.keys.clear();
    }
    this.failover.resetManual();
    state.reset(hard);
  }

  // ------------------------------------------------------------------ CLUSTER MEET

  /** False where the address is none. Somebody we shake hands with already is not bothered again. */
  meet(ip: string, port: number, busPort: number): boolean {
    const valid = (number: number): boolean => number > 0 && number <= HIGHEST_PORT;
    // Fetched when it is needed: loading it would take a tenth of the server's start.
    const version = process.getBuiltinModule("node:net").isIP(ip);
    if (version === 0 || !valid(port) || !valid(busPort)) return false;
    // One of the ways in which an address may be written.
    if (version === 6 && !ip.includes("%")) ip = new URL(`http://[${ip}]`).hostname.slice(1, -1);
    const { state, host } = this;
    const { tlsCluster } = host.settings;
    for (const node of state.nodes.values()) {
      const known = (tlsCluster ? node.tlsPort : node.tcpPort) === port && node.busPort === busPort;
      if (node.has(FLAG.handshake) && known && node.ip.toLowerCase() === ip.toLowerCase()) return true;
    }
    const node = ClusterNode.fresh(FLAG.handshake | FLAG.meet, Date.now());
    node.ip = ip;
    if (tlsCluster) node.tlsPort = port;
    else node.tcpPort = port;
    node.busPort = busPort;
    state.add(node);
    return true;
  }
}
