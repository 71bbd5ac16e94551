import { latin1Bytes } from "../../bytes/ascii.ts";
import { keySlot, SLOT_COUNT } from "../../bytes/crc16.ts";
import type { Call } from "../../call/call.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { ClusterNode } from "../../cluster/node.ts";
import { DUE } from "../../cluster/state.ts";
import { CommandError, wrongArity } from "../../resp/errors.ts";
import { type ClusterCommandDeps, clusterOf, knownNodeAt, nodeAt, slotAt } from "./deps.ts";

/** CLUSTER's subcommands on slots: who serves them, and which keys are in them. */

const MIGRATING = latin1Bytes("migrating");
const IMPORTING = latin1Bytes("importing");
const STABLE = latin1Bytes("stable");
const NODE = latin1Bytes("node");

/** Which slots the arguments name, each once, and whether they can be added or deleted; throws. */
class Selection {
  private readonly chosen = new Uint8Array(SLOT_COUNT);

  constructor(
    private readonly cluster: Cluster,
    private readonly deletes: boolean,
  ) {}

  add(slot: number): void {
    const owner = this.cluster.state.slots.owner[slot]!;
    if (this.deletes && owner === null) throw new CommandError(`ERR Slot ${slot} is already unassigned`);
    if (!this.deletes && owner !== null) throw new CommandError(`ERR Slot ${slot} is already busy`);
    if (this.chosen[slot] === 1) throw new CommandError(`ERR Slot ${slot} specified multiple times`);
    this.chosen[slot] = 1;
  }

  carryOut(): void {
    const { state } = this.cluster;
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      if (this.chosen[slot] === 0) continue;
      state.slots.importing[slot] = null;
      if (this.deletes) state.slots.remove(slot);
      else state.slots.add(state.myself, slot);
    }
    state.later(DUE.updateState | DUE.save);
  }
}

/** ADDSLOTS, DELSLOTS. */
export function changeSlots(call: Call, deletes: boolean, deps: ClusterCommandDeps): void {
  const selection = new Selection(clusterOf(deps), deletes);
  for (let i = 2; i < call.argc; i++) slotAt(call, i);
  for (let i = 2; i < call.argc; i++) selection.add(slotAt(call, i));
  selection.carryOut();
  call.reply.ok();
}

/** ADDSLOTSRANGE, DELSLOTSRANGE. */
export function changeRanges(call: Call, deletes: boolean, deps: ClusterCommandDeps): void {
  const selection = new Selection(clusterOf(deps), deletes);
  if (call.argc % 2 === 1) throw new CommandError(wrongArity(`cluster|${call.text(1).toLowerCase()}`));
  for (let i = 2; i < call.argc; i += 2) {
    const [first, last] = [slotAt(call, i), slotAt(call, i + 1)];
    if (first > last)
      throw new CommandError(`ERR start slot number ${first} is greater than end slot number ${last}`);
    for (let slot = first; slot <= last; slot++) selection.add(slot);
  }
  selection.carryOut();
  call.reply.ok();
}

export function flushSlots(call: Call, deps: ClusterCommandDeps): void {
  const { state, host } = clusterOf(deps);
  if (host.keys.total > 0) throw new CommandError("ERR DB must be empty to perform CLUSTER FLUSHSLOTS.");
  state.slots.removeAllOf(state.myself);
  state.later(DUE.updateState | DUE.save);
  call.reply.ok();
}

// ------------------------------------------------------------------ SETSLOT

export function setSlot(call: Call, deps: ClusterCommandDeps): void {
  const cluster = clusterOf(deps);
  const { slots, myself } = cluster.state;
  if (myself.isReplica) throw new CommandError("ERR Please use SETSLOT only with masters.");
  const slot = slotAt(call, 2);
  if (call.is(3, MIGRATING) && call.argc === 5) {
    if (slots.owner[slot] !== myself) throw new CommandError(`ERR I'm not the owner of hash slot ${slot}`);
    slots.migrating[slot] = otherMaster(call, cluster);
  } else if (call.is(3, IMPORTING) && call.argc === 5) {
    if (slots.owner[slot] === myself)
      throw new CommandError(`ERR I'm already the owner of hash slot ${slot}`);
    slots.importing[slot] = otherMaster(call, cluster);
  } else if (call.is(3, STABLE) && call.argc === 4) slots.migrating[slot] = slots.importing[slot] = null;
  else if (call.is(3, NODE) && call.argc === 5) {
    const node = knownNodeAt(call, 4, cluster);
    if (node.isReplica) throw new CommandError("ERR Target node is not a master");
    assign(slot, node, cluster);
  } else
    throw new CommandError("ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP");
  cluster.state.later(DUE.save | DUE.updateState);
  call.reply.ok();
}

function otherMaster(call: Call, cluster: Cluster): ClusterNode {
  const node = nodeAt(call, 4, cluster);
  if (node === undefined) throw new CommandError(`ERR I don't know about node ${call.text(4)}`);
  if (node.isReplica) throw new CommandError("ERR Target node is not a master");
  return node;
}

/** The slot is this node's from now on, which ends its way here or away. */
function assign(slot: number, node: ClusterNode, cluster: Cluster): void {
  const { state, host, bus } = cluster;
  const { slots, myself } = state;
  const wasMine = slots.owner[slot] === myself;
  const keys = host.keys.count(slot);
  if (wasMine && node !== myself && keys > 0)
    throw new CommandError(
      `ERR Can't assign hashslot ${slot} to a different node while I still hold keys for this hash slot.`,
    );
  if (keys === 0) slots.migrating[slot] = null;
  slots.remove(slot);
  slots.add(node, slot);
  if (wasMine && node !== myself && myself.slotCount === 0 && host.settings.clusterAllowReplicaMigration) {
    host.log.notice(
      `Configuration change detected. Reconfiguring myself as a replica of ${node.name} (${node.humanName})`,
    );
    cluster.replicate(node);
    state.later(DUE.save | DUE.updateState | DUE.fsync);
  }
  if (node !== myself || slots.importing[slot] === null) return;
  // A new epoch: so the others believe us more than the old owner.
  if (state.bumpEpoch()) host.log.notice(`configEpoch updated after importing slot ${slot}`);
  slots.importing[slot] = null;
  bus.announce("all");
}

// ------------------------------------------------------------------ keys

export function keyslot(call: Call, deps: ClusterCommandDeps): void {
  clusterOf(deps);
  call.reply.int(keySlot(call.buf, call.start[2]!, call.end[2]!));
}

export function countKeysInSlot(call: Call, deps: ClusterCommandDeps): void {
  const { host } = clusterOf(deps);
  const slot = call.int(2);
  if (slot < 0 || slot >= SLOT_COUNT) throw new CommandError("ERR Invalid slot");
  call.reply.int(host.keys.count(slot));
}

export function getKeysInSlot(call: Call, deps: ClusterCommandDeps): void {
  clusterOf(deps);
  const slot = call.int(2);
  const most = call.int(3);
  if (slot < 0 || slot >= SLOT_COUNT || most < 0)
    throw new CommandError("ERR Invalid slot or number of keys");
  const keys = deps.clustering.keysIn(slot, most);
  call.reply.array(keys.length);
  for (const key of keys) call.reply.bulk(key);
}
