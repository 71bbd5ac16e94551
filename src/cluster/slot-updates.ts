import { SLOT_COUNT } from "../bytes/crc16.ts";
import type { Log } from "../host/log.ts";
import { type ClusterNode, testBit } from "./node.ts";
import { type ClusterState, DUE } from "./state.ts";

/**
 * A master claims slots. The greater configuration epoch wins: so nodes that have not heard of each other's changes
 * still come to agree. Whoever loses its last slot by it becomes a replica of the winner, which is how an old master
 * that comes back, and the replicas of one that has failed, find their new one.
 */
export interface SlotUpdatesDeps {
  readonly state: ClusterState;
  readonly settings: { readonly clusterAllowReplicaMigration: boolean };
  readonly log: Log;
  countKeys(slot: number): number;
  /** The slot is another's now: its keys go. */
  deleteKeys(slot: number): void;
  /** This node becomes a replica of that one. */
  replicate(master: ClusterNode): void;
}

export class SlotUpdates {
  constructor(private readonly deps: SlotUpdatesDeps) {}

  claimed(sender: ClusterNode, epoch: number, claimed: Uint8Array): void {
    const { state, settings, log } = this.deps;
    const { myself, slots } = state;
    if (sender === myself) return log.notice("Discarding UPDATE message about myself.");
    const master = myself.isMaster ? myself : myself.master;
    const dirty: number[] = [];
    let claimedCount = 0;
    let ours = 0;
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      const owner = slots.owner[slot]!;
      if (!testBit(claimed, slot)) {
        if (owner === sender) slots.claims(slot, false);
        continue;
      }
      claimedCount++;
      if (owner === sender) {
        slots.claims(slot, true);
        continue;
      }
      // While it is imported by hand, redis-cli decides.
      if (slots.importing[slot] !== null) continue;
      if (owner !== null && !slots.isUnclaimed(slot) && owner.configEpoch >= epoch) continue;
      if (owner === myself && this.deps.countKeys(slot) > 0) dirty.push(slot);
      if (owner !== null && owner === master) ours++;
      slots.remove(slot);
      slots.add(sender, slot);
      state.later(DUE.save | DUE.updateState | DUE.fsync);
    }
    const all = settings.clusterAllowReplicaMigration || claimedCount === ours;
    const grandmaster = myself.master?.master ?? null;
    if (ours > 0 && master !== null && master.slotCount === 0 && all)
      this.follow(
        sender,
        `Configuration change detected. Reconfiguring myself as a replica of ${sender.name} (${sender.humanName})`,
      );
    else if (grandmaster !== null && grandmaster !== myself)
      this.follow(
        grandmaster,
        `I'm a sub-replica! Reconfiguring myself as a replica of grandmaster ${grandmaster.name} (${grandmaster.humanName})`,
      );
    // A replica's keys are its master's, which has just been replaced: a synchronization brings what is right.
    else for (const slot of dirty) this.deps.deleteKeys(slot);
  }

  private follow(master: ClusterNode, why: string): void {
    this.deps.log.notice(why);
    this.deps.replicate(master);
    this.deps.state.later(DUE.save | DUE.updateState | DUE.fsync);
  }
}
