import type { Log } from "../host/log.ts";
import { type ClusterNode, FLAG } from "./node.ts";
import { type ClusterState, DUE } from "./state.ts";

/**
 * What works: which nodes have failed, and whether the cluster as a whole can be used.
 *
 *   no answer for cluster-node-timeout -> PFAIL, this node's opinion, told to others by gossip
 *   most masters say so                -> FAIL, told to all at once
 *   heard of again                     -> neither
 */
export interface HealthSettings {
  readonly clusterNodeTimeout: number;
  readonly clusterRequireFullCoverage: boolean;
}

export interface HealthDeps {
  readonly settings: HealthSettings;
  readonly log: Log;
  /** Tells all nodes that this one has failed. */
  sendFail(node: ClusterNode): void;
  /** The cluster works now, or no longer. */
  changed(): void;
}

/** A master that has just started does not serve before others could tell it what has changed, milliseconds. */
const WRITABLE_DELAY = 2000;
/** Nor one that was with the minority, for cluster-node-timeout within these limits. */
const MIN_REJOIN_DELAY = 500;
const MAX_REJOIN_DELAY = 5000;
/** In units of cluster-node-timeout: how long a report counts, and after which time a failed master may come back. */
const REPORT_VALIDITY = 2;
const UNDO_TIME = 2;

export class Health {
  private firstLook = 0;
  private minoritySince = 0;

  constructor(
    private readonly state: ClusterState,
    private readonly deps: HealthDeps,
  ) {}

  /** Votes needed for a decision. */
  get quorum(): number {
    return Math.floor(this.state.size / 2) + 1;
  }

  failReports(node: ClusterNode): number {
    return node.countFailReports(Date.now(), this.deps.settings.clusterNodeTimeout * REPORT_VALIDITY);
  }

  /** Whether most masters agree that the node cannot be reached; then it has failed. */
  markFailing(node: ClusterNode): void {
    const { state, deps } = this;
    if (!node.has(FLAG.pfail) || node.failed) return;
    const failures = this.failReports(node) + (state.myself.isMaster ? 1 : 0);
    if (failures < this.quorum) return;
    deps.log.notice(`Marking node ${node.name} (${node.humanName}) as failing (quorum reached).`);
    node.clear(FLAG.pfail);
    node.set(FLAG.fail);
    node.failTime = Date.now();
    deps.sendFail(node);
    state.later(DUE.updateState | DUE.save);
  }

  /** A node that has failed can be reached again. */
  clearFailure(node: ClusterNode): void {
    const { state, deps } = this;
    const who = `Clear FAIL state for node ${node.name} (${node.humanName}):`;
    if (node.isReplica || node.slotCount === 0)
      deps.log.notice(`${who} ${node.isReplica ? "replica" : "master without slots"} is reachable again.`);
    else if (Date.now() - node.failTime > deps.settings.clusterNodeTimeout * UNDO_TIME)
      // With time nobody has taken its slots over.
      deps.log.notice(`${who} is reachable again and nobody is serving its slots after some time.`);
    else return;
    node.clear(FLAG.fail);
    state.later(DUE.updateState | DUE.save);
  }

  /** Decides anew whether the cluster works. */
  update(): void {
    const { state, deps } = this;
    const now = Date.now();
    state.due &= ~DUE.updateState;
    this.firstLook ||= now;
    if (state.myself.isMaster && !state.ok && now - this.firstLook < WRITABLE_DELAY) return;
    let ok = !deps.settings.clusterRequireFullCoverage || this.covered();
    let reachable = 0;
    state.size = 0;
    for (const node of state.nodes.values()) {
      if (!node.isMaster || node.slotCount === 0) continue;
      state.size++;
      if (!node.has(FLAG.fail | FLAG.pfail)) reachable++;
    }
    if (reachable < this.quorum) {
      ok = false;
      this.minoritySince = now;
    }
    if (ok === state.ok) return;
    const delay = Math.min(MAX_REJOIN_DELAY, Math.max(MIN_REJOIN_DELAY, deps.settings.clusterNodeTimeout));
    if (ok && state.myself.isMaster && now - this.minoritySince < delay) return;
    if (ok) deps.log.notice("Cluster state changed: ok");
    else deps.log.warning("Cluster state changed: fail");
    state.ok = ok;
    deps.changed();
  }

  /** Whether every slot is served by somebody who has not failed. */
  private covered(): boolean {
    for (const owner of this.state.slots.owner) if (owner === null || owner.failed) return false;
    return true;
  }
}
