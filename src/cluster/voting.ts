import type { Log } from "../host/log.ts";
import type { Bus } from "./bus.ts";
import { type Header, MESSAGE_FLAG } from "./message.ts";
import { type ClusterNode, testBit } from "./node.ts";
import { type ClusterState, DUE } from "./state.ts";

/**
 * A replica asks to take its failed master's place, and this node, if it is a master with slots, has a vote: one for
 * each epoch, one for each failed master in twice cluster-node-timeout, and only for somebody who knows what we know of
 * the slots. The vote is on disk before it is given, so that a restart cannot give it again.
 */
export interface VotingDeps {
  readonly state: ClusterState;
  readonly bus: Bus;
  readonly settings: { readonly clusterNodeTimeout: number };
  readonly log: Log;
  saveNow(): void;
}

export class Voting {
  constructor(private readonly deps: VotingDeps) {}

  requested(candidate: ClusterNode, request: Header): void {
    const { state, bus, log } = this.deps;
    const { myself } = state;
    if (myself.isReplica || myself.slotCount === 0) return;
    const refusal = this.refusal(candidate, request);
    if (refusal !== null) {
      log.warning(`Failover auth denied to ${candidate.name} (${candidate.humanName}): ${refusal}`);
      return;
    }
    state.lastVoteEpoch = state.currentEpoch;
    candidate.master!.votedTime = Date.now();
    state.later(DUE.save | DUE.fsync);
    this.deps.saveNow();
    bus.vote(candidate);
    log.notice(
      `Failover auth granted to ${candidate.name} (${candidate.humanName}) for epoch ${state.currentEpoch}`,
    );
  }

  private refusal(candidate: ClusterNode, request: Header): string | null {
    const { state, settings } = this.deps;
    const { currentEpoch } = state;
    if (request.currentEpoch < currentEpoch)
      return `reqEpoch (${request.currentEpoch}) < curEpoch(${currentEpoch})`;
    if (state.lastVoteEpoch === currentEpoch) return `already voted for epoch ${currentEpoch}`;
    const { master } = candidate;
    if (candidate.isMaster) return "it is a master node";
    if (master === null) return "I don't know its master";
    if (!master.failed && (request.messageFlags & MESSAGE_FLAG.forceAck) === 0) return "its master is up";
    const wait = settings.clusterNodeTimeout * 2 - (Date.now() - master.votedTime);
    if (wait > 0) return `can't vote about this master before ${wait} milliseconds`;
    const { owner } = state.slots;
    for (let slot = 0; slot < owner.length; slot++) {
      if (!testBit(request.slots, slot) || state.slots.isUnclaimed(slot)) continue;
      const { configEpoch } = owner[slot]!;
      if (configEpoch > request.configEpoch)
        return `slot ${slot} epoch (${configEpoch}) > reqEpoch (${request.configEpoch})`;
    }
    return null;
  }
}
