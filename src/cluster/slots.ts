import { SLOT_COUNT } from "../bytes/crc16.ts";
import { type ClusterNode, clearBit, FLAG, setBit, testBit } from "./node.ts";

/**
 * Who serves which hash slot, and which slots are on their way from one node to another.
 *
 *   owner[slot]      what clients are redirected by; each node's own bitmap says the same from its side
 *   migrating[slot]  ours: keys that are no longer here are asked for at this node
 *   importing[slot]  not ours yet: who ASKs is served
 */
export class Slots {
  readonly owner = new Array<ClusterNode | null>(SLOT_COUNT).fill(null);
  readonly migrating = new Array<ClusterNode | null>(SLOT_COUNT).fill(null);
  readonly importing = new Array<ClusterNode | null>(SLOT_COUNT).fill(null);
  /**
   * Slots that their owner has stopped claiming: it gave them away, and the new owner is not known yet. So that
   * nobody is told that it still has them.
   */
  private readonly unclaimed = new Uint8Array(SLOT_COUNT / 8);
  /** Slots that somebody lost since `takeLost` was last called. */
  private lost: Uint8Array | null = null;

  /** `anyReplicas`: whether a master of the cluster has replicas. */
  constructor(private readonly anyReplicas: () => boolean) {}

  /** False where the slot has an owner. */
  add(node: ClusterNode, slot: number): boolean {
    if (this.owner[slot] !== null) return false;
    this.owner[slot] = node;
    if (testBit(node.slots, slot)) return true;
    setBit(node.slots, slot);
    // A master that gets its first slot in a cluster with replicas is one that replicas should migrate to.
    if (++node.slotCount === 1 && this.anyReplicas()) node.set(FLAG.migrateTo);
    return true;
  }

  /** False where the slot has no owner. */
  remove(slot: number): boolean {
    const node = this.owner[slot]!;
    if (node === null) return false;
    this.owner[slot] = null;
    if (testBit(node.slots, slot)) {
      clearBit(node.slots, slot);
      node.slotCount--;
    }
    clearBit(this.unclaimed, slot);
    setBit((this.lost ??= new Uint8Array(SLOT_COUNT / 8)), slot);
    return true;
  }

  removeAllOf(node: ClusterNode): void {
    for (let slot = 0; slot < SLOT_COUNT; slot++) if (this.owner[slot] === node) this.remove(slot);
  }

  /** The node is being forgotten. */
  forget(node: ClusterNode): void {
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      if (this.importing[slot] === node) this.importing[slot] = null;
      if (this.migrating[slot] === node) this.migrating[slot] = null;
    }
    this.removeAllOf(node);
  }

  /** No slot is on its way any more. */
  closeAll(): void {
    this.migrating.fill(null);
    this.importing.fill(null);
  }

  /** Nobody has it, or its owner no longer says so. */
  isUnclaimed(slot: number): boolean {
    return this.owner[slot] === null || testBit(this.unclaimed, slot);
  }

  claims(slot: number, claimed: boolean): void {
    if (claimed) clearBit(this.unclaimed, slot);
    else setBit(this.unclaimed, slot);
  }

  /** Bitmap of the slots that changed hands since the last call, or null: none did. */
  takeLost(): Uint8Array | null {
    const { lost } = this;
    this.lost = null;
    return lost;
  }

  /** Ranges of the slots that one node serves: start, end (inclusive), start, end, ... */
  rangesOf(node: ClusterNode): number[] {
    const ranges: number[] = [];
    if (node.slotCount === 0) return ranges;
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      if (!testBit(node.slots, slot)) continue;
      const start = slot;
      while (slot + 1 < SLOT_COUNT && testBit(node.slots, slot + 1)) slot++;
      ranges.push(start, slot);
    }
    return ranges;
  }
}
