import { expect, test } from "bun:test";
import { ClusterNode, FLAG, isNodeName } from "../../../src/cluster/node.ts";
import { SlotUpdates, type SlotUpdatesDeps } from "../../../src/cluster/slot-updates.ts";
import { Slots } from "../../../src/cluster/slots.ts";
import { ClusterState } from "../../../src/cluster/state.ts";
import { Log } from "../../../src/host/log.ts";

/** The map of slots, and what becomes of it when a master claims some. */

const log = new Log(false);
log.level = "nothing";

const master = (): ClusterNode => ClusterNode.fresh(FLAG.master, 0);

test("a slot has one owner, whose bitmap says so", () => {
  const slots = new Slots(() => false);
  const [a, b] = [master(), master()];
  expect([slots.add(a, 5), slots.add(b, 5)]).toEqual([true, false]);
  for (const slot of [6, 7, 9, 16383]) slots.add(a, slot);
  expect([a.slotCount, a.hasSlot(5), b.hasSlot(5)]).toEqual([5, true, false]);
  expect(slots.rangesOf(a)).toEqual([5, 7, 9, 9, 16383, 16383]);
  expect([slots.remove(6), slots.remove(6)]).toEqual([true, false]);
  expect(slots.rangesOf(a)).toEqual([5, 5, 7, 7, 9, 9, 16383, 16383]);
  slots.removeAllOf(a);
  expect([a.slotCount, slots.rangesOf(a)]).toEqual([0, []]);
});

test("slots that changed hands are told once", () => {
  const slots = new Slots(() => false);
  const a = master();
  slots.add(a, 8);
  expect(slots.takeLost()).toBeNull();
  slots.remove(8);
  expect(slots.takeLost()![1]).toBe(1);
  expect(slots.takeLost()).toBeNull();
});

test("a forgotten node takes nothing with it but its slots", () => {
  const slots = new Slots(() => false);
  const [a, b] = [master(), master()];
  slots.add(a, 1);
  slots.add(b, 2);
  slots.migrating[2] = slots.importing[3] = a;
  slots.forget(a);
  expect([slots.owner[1], slots.owner[2], slots.migrating[2], slots.importing[3]]).toEqual([
    null,
    b,
    null,
    null,
  ]);
});

test("names", () => {
  expect(isNodeName(master().name)).toBe(true);
  for (const bad of ["", "A".repeat(40), "a".repeat(39), `${"a".repeat(40)}\n`])
    expect(isNodeName(bad)).toBe(false);
});

// ------------------------------------------------------------------ claims

interface World {
  state: ClusterState;
  updates: SlotUpdates;
  deleted: number[];
  replicated: ClusterNode[];
}

function world(settings = { clusterAllowReplicaMigration: true }): World {
  const state = new ClusterState({ log, scheduled() {} });
  state.myself = ClusterNode.fresh(FLAG.myself | FLAG.master, 0);
  state.add(state.myself);
  const deleted: number[] = [];
  const replicated: ClusterNode[] = [];
  const deps: SlotUpdatesDeps = {
    state,
    settings,
    log,
    countKeys: () => 1,
    deleteKeys: (slot) => void deleted.push(slot),
    replicate: (node) => {
      replicated.push(node);
      state.setMyMaster(node);
    },
  };
  return { state, updates: new SlotUpdates(deps), deleted, replicated };
}

function bits(...slots: number[]): Uint8Array {
  const bytes = new Uint8Array(2048);
  for (const slot of slots) bytes[slot >> 3]! |= 1 << (slot & 7);
  return bytes;
}

function stranger({ state }: World, epoch: number): ClusterNode {
  const node = master();
  node.configEpoch = epoch;
  state.add(node);
  return node;
}

test("the greater epoch wins, and keys that are another's now are deleted", () => {
  const w = world();
  const { myself, slots } = w.state;
  myself.configEpoch = 2;
  for (const slot of [1, 2, 3]) slots.add(myself, slot);
  const older = stranger(w, 1);
  w.updates.claimed(older, 1, bits(1, 100));
  expect([slots.owner[1], slots.owner[100], w.deleted]).toEqual([myself, older, []]);
  const newer = stranger(w, 3);
  w.updates.claimed(newer, 3, bits(1, 2));
  expect([slots.owner[1], slots.owner[2], slots.owner[3]]).toEqual([newer, newer, myself]);
  expect([w.deleted, w.replicated]).toEqual([[1, 2], []]);
});

test("who loses its last slot becomes the winner's replica and keeps its keys for the moment", () => {
  const w = world();
  const { myself, slots } = w.state;
  slots.add(myself, 1);
  const winner = stranger(w, 3);
  w.updates.claimed(winner, 3, bits(1, 2));
  expect([w.replicated, w.deleted, myself.isReplica]).toEqual([[winner], [], true]);
});

test("without cluster-allow-replica-migration only where the winner has just these slots", () => {
  for (const [claimed, follows] of [
    [[1, 2], false],
    [[1], true],
  ] as const) {
    const w = world({ clusterAllowReplicaMigration: false });
    w.state.slots.add(w.state.myself, 1);
    w.updates.claimed(stranger(w, 3), 3, bits(...claimed));
    expect(w.replicated.length === 1).toBe(follows);
  }
});

test("a slot that is imported by hand is left alone, one that its owner gave up is free", () => {
  const w = world();
  const { slots } = w.state;
  const [old, other] = [stranger(w, 9), stranger(w, 1)];
  for (const slot of [5, 6]) slots.add(old, slot);
  slots.importing[6] = old;
  w.updates.claimed(other, 1, bits(5));
  expect(slots.owner[5]).toBe(old);
  w.updates.claimed(old, 9, bits());
  w.updates.claimed(other, 1, bits(5, 6));
  expect([slots.owner[5], slots.owner[6]]).toEqual([other, old]);
});

test("a replica of a replica goes on to its master", () => {
  const w = world();
  const [middle, top] = [stranger(w, 1), stranger(w, 2)];
  w.state.setMyMaster(middle);
  middle.clear(FLAG.master);
  middle.set(FLAG.replica);
  middle.master = top;
  w.updates.claimed(top, 2, bits(1));
  expect(w.replicated).toEqual([top]);
});
