import type { Log } from "../host/log.ts";
import { randomHex } from "../host/random.ts";
import { type ClusterNode, FLAG, isNodeName, NAME_LENGTH } from "./node.ts";
import { Slots } from "./slots.ts";

/**
 * The cluster as this node sees it: the nodes, their shards, the slots, the epochs. Whatever changes here is written to
 * the configuration file, and may change whether the cluster works; both are done once for all changes of an event, by
 * whoever listens to `later`.
 */

/** What is to be done when the event under way has ended. */
export const DUE = { failover: 1, updateState: 2, save: 4, fsync: 8, manualFailover: 16 } as const;

export interface StateDeps {
  readonly log: Log;
  /** Something has been added to `due`. */
  scheduled(): void;
}

/** Seconds for which a forgotten node is not taken in again because others still know it. */
const BLACKLIST_SECONDS = 60;

export class ClusterState {
  myself!: ClusterNode;
  readonly nodes = new Map<string, ClusterNode>();
  /** Nodes by shard ID, in the order in which they were added. */
  readonly shards = new Map<string, ClusterNode[]>();
  readonly slots = new Slots(() => this.anyReplicas);
  /** Names of forgotten nodes, and until when, seconds since 1970. */
  readonly blacklist = new Map<string, number>();
  currentEpoch = 0;
  lastVoteEpoch = 0;
  ok = false;
  /** Masters that serve slots. */
  size = 0;
  /** Nodes that this one cannot reach, as of the last tick. */
  pfailNodes = 0;
  /** DUE */
  due = 0;

  constructor(private readonly deps: StateDeps) {}

  later(what: number): void {
    if (this.due === 0) this.deps.scheduled();
    this.due |= what;
  }

  // ------------------------------------------------------------------ nodes

  lookup(name: string): ClusterNode | undefined {
    return isNodeName(name) ? this.nodes.get(name) : undefined;
  }

  add(node: ClusterNode): void {
    this.nodes.set(node.name, node);
  }

  remove(node: ClusterNode): void {
    this.slots.forget(node);
    for (const other of this.nodes.values()) if (other !== node) other.removeFailReport(node);
    this.leaveShard(node);
    for (const replica of node.replicas) replica.master = null;
    node.master?.removeReplica(node);
    this.nodes.delete(node.name);
    node.link?.close();
    node.inbound?.close();
  }

  rename(node: ClusterNode, name: string): void {
    this.nodes.delete(node.name);
    node.name = name;
    this.add(node);
    this.joinShard(node, node.shardId);
  }

  private get anyReplicas(): boolean {
    for (const node of this.nodes.values()) if (!node.isReplica && node.replicas.length > 0) return true;
    return false;
  }

  /** A node of a random choice. */
  randomNode(): ClusterNode {
    let left = Math.floor(Math.random() * this.nodes.size);
    for (const node of this.nodes.values()) if (left-- === 0) return node;
    return this.myself;
  }

  // ------------------------------------------------------------------ shards

  joinShard(node: ClusterNode, id: string): void {
    const shard = this.shards.get(id);
    if (shard === undefined) this.shards.set(id, [node]);
    else if (!shard.includes(node)) shard.push(node);
  }

  leaveShard(node: ClusterNode): void {
    const shard = this.shards.get(node.shardId);
    const at = shard?.indexOf(node) ?? -1;
    if (shard === undefined || at < 0) return;
    shard.splice(at, 1);
    if (shard.length === 0) this.shards.delete(node.shardId);
  }

  /** The node is of this shard; where it is our master, we are too. */
  setShard(node: ClusterNode, id: string): void {
    const { myself } = this;
    if (node.shardId !== id) {
      this.leaveShard(node);
      node.shardId = id;
      this.joinShard(node, id);
      this.later(DUE.save);
    }
    if (node !== myself && myself.master === node && myself.shardId !== id) {
      this.leaveShard(myself);
      myself.shardId = id;
      this.joinShard(myself, id);
      this.later(DUE.save | DUE.fsync);
    }
  }

  // ------------------------------------------------------------------ roles

  setAsMaster(node: ClusterNode): void {
    if (node.isMaster) return;
    if (node.master !== null) {
      node.master.removeReplica(node);
      if (node !== this.myself) node.set(FLAG.migrateTo);
    }
    node.clear(FLAG.replica);
    node.set(FLAG.master);
    node.master = null;
    this.later(DUE.save | DUE.updateState);
  }

  /** This node replicates that one from now on; it must not serve slots. */
  setMyMaster(master: ClusterNode): void {
    const { myself, slots } = this;
    if (myself.isMaster) {
      myself.clear(FLAG.master | FLAG.migrateTo);
      myself.set(FLAG.replica);
      slots.closeAll();
    } else myself.master?.removeReplica(myself);
    myself.master = master;
    this.setShard(myself, master.shardId);
    master.addReplica(myself);
  }

  // ------------------------------------------------------------------ epochs

  get maxEpoch(): number {
    let max = this.currentEpoch;
    for (const { configEpoch } of this.nodes.values()) max = Math.max(max, configEpoch);
    return max;
  }

  /** Takes a new configuration epoch without asking anybody; false where ours is the greatest already. */
  bumpEpoch(): boolean {
    const { myself } = this;
    if (myself.configEpoch !== 0 && myself.configEpoch === this.maxEpoch) return false;
    myself.configEpoch = ++this.currentEpoch;
    this.later(DUE.save | DUE.fsync);
    this.deps.log.notice(`New configEpoch set to ${myself.configEpoch}`);
    return true;
  }

  // ------------------------------------------------------------------ forgotten nodes

  forgetForAWhile(name: string, seconds = BLACKLIST_SECONDS): void {
    this.sweepBlacklist();
    this.blacklist.set(name, Math.floor(Date.now() / 1000) + seconds);
  }

  isForgotten(name: string): boolean {
    this.sweepBlacklist();
    return this.blacklist.has(name);
  }

  sweepBlacklist(): void {
    const now = Math.floor(Date.now() / 1000);
    for (const [name, until] of this.blacklist) if (until < now) this.blacklist.delete(name);
  }

  // ------------------------------------------------------------------ CLUSTER RESET

  /** Knows nobody any more; `hard`: is somebody else. */
  reset(hard: boolean): void {
    const { myself, slots, deps } = this;
    slots.closeAll();
    for (let slot = 0; slot < slots.owner.length; slot++) slots.remove(slot);
    this.shards.clear();
    for (const node of [...this.nodes.values()]) if (node !== myself) this.remove(node);
    this.blacklist.clear();
    if (hard) {
      this.currentEpoch = this.lastVoteEpoch = myself.configEpoch = 0;
      deps.log.notice("configEpoch set to 0 via CLUSTER RESET HARD");
      this.nodes.delete(myself.name);
      myself.name = randomHex(NAME_LENGTH);
      myself.shardId = randomHex(NAME_LENGTH);
      this.add(myself);
      deps.log.notice(`Node hard reset, now I'm ${myself.name}`);
    }
    this.joinShard(myself, myself.shardId);
    this.later(DUE.save | DUE.updateState | DUE.fsync);
  }
}
