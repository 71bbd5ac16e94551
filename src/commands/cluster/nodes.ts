import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { DUE } from "../../cluster/state.ts";
import { systemErrorText } from "../../config/errors.ts";
import { CommandError, errors, subcommandSyntax } from "../../resp/errors.ts";
import { type ClusterCommandDeps, clusterOf, knownNodeAt, nodeAt } from "./deps.ts";

/** CLUSTER's subcommands on nodes: who there is, who replicates whom, and epochs. */

const FORCE = latin1Bytes("force");
const TAKEOVER = latin1Bytes("takeover");
const HARD = latin1Bytes("hard");
const SOFT = latin1Bytes("soft");
const BUS_PORT_OFFSET = 10_000;

function limitArguments(call: Call, most: number): void {
  if (call.argc > most) throw new CommandError(subcommandSyntax(call.text(1), call.text(0)));
}

export function meet(call: Call, deps: ClusterCommandDeps): void {
  const cluster = clusterOf(deps);
  limitArguments(call, 5);
  const port = call.safeInt(3);
  if (Number.isNaN(port)) throw new CommandError(`ERR Invalid base port specified: ${call.text(3)}`);
  const busPort = call.argc === 5 ? call.safeInt(4) : port + BUS_PORT_OFFSET;
  if (Number.isNaN(busPort)) throw new CommandError(`ERR Invalid bus port specified: ${call.text(4)}`);
  if (!cluster.meet(call.text(2), port, busPort))
    throw new CommandError(`ERR Invalid node address specified: ${call.text(2)}:${call.text(3)}`);
  call.reply.ok();
}

export function forget(call: Call, deps: ClusterCommandDeps): void {
  const cluster = clusterOf(deps);
  const { state } = cluster;
  const { myself } = state;
  const node = nodeAt(call, 2, cluster);
  if (node === undefined) {
    // Another node may have passed it on already.
    if (!state.isForgotten(call.text(2))) throw new CommandError(`ERR Unknown node ${call.text(2)}`);
    return call.reply.ok();
  }
  if (node === myself) throw new CommandError("ERR I tried hard but I can't forget myself...");
  if (myself.isReplica && myself.master === node) throw new CommandError("ERR Can't forget my master!");
  state.forgetForAWhile(node.name);
  state.remove(node);
  state.later(DUE.updateState | DUE.save);
  call.reply.ok();
}

export function replicate(call: Call, deps: ClusterCommandDeps): void {
  const cluster = clusterOf(deps);
  const { state, host } = cluster;
  const { myself } = state;
  const node = knownNodeAt(call, 2, cluster);
  if (node === myself) throw new CommandError("ERR Can't replicate myself");
  if (node.isReplica) throw new CommandError("ERR I can only replicate a master, not a replica.");
  if (myself.isMaster && (myself.slotCount > 0 || host.keys.total > 0))
    throw new CommandError("ERR To set a master the node must be empty and without assigned slots.");
  cluster.replicate(node);
  state.later(DUE.updateState | DUE.save);
  call.reply.ok();
}

export function countFailureReports(call: Call, deps: ClusterCommandDeps): void {
  const cluster = clusterOf(deps);
  call.reply.int(cluster.health.failReports(knownNodeAt(call, 2, cluster)));
}

export function failover(call: Call, deps: ClusterCommandDeps): void {
  const cluster = clusterOf(deps);
  limitArguments(call, 3);
  const how =
    call.argc === 2 ? "agreed" : call.is(2, FORCE) ? "force" : call.is(2, TAKEOVER) ? "takeover" : null;
  if (how === null) throw new CommandError(errors.syntax);
  cluster.failover.begin(how);
  call.reply.ok();
}

export function reset(call: Call, deps: ClusterCommandDeps): void {
  const cluster = clusterOf(deps);
  limitArguments(call, 3);
  if (call.argc === 3 && !call.is(2, HARD) && !call.is(2, SOFT)) throw new CommandError(errors.syntax);
  if (cluster.state.myself.isMaster && call.db.size > 0)
    throw new CommandError("ERR CLUSTER RESET can't be called with master nodes containing keys");
  cluster.reset(call.argc === 3 && call.is(2, HARD));
  call.reply.ok();
}

// ------------------------------------------------------------------ epochs and the file

export function bumpEpoch(call: Call, deps: ClusterCommandDeps): void {
  const { state } = clusterOf(deps);
  const bumped = state.bumpEpoch();
  call.reply.simple(`${bumped ? "BUMPED" : "STILL"} ${state.myself.configEpoch}`);
}

export function setConfigEpoch(call: Call, deps: ClusterCommandDeps): void {
  const { state, host } = clusterOf(deps);
  const { myself } = state;
  const epoch = call.int(2);
  if (epoch < 0) throw new CommandError(`ERR Invalid config epoch specified: ${epoch}`);
  if (state.nodes.size > 1)
    throw new CommandError(
      "ERR The user can assign a config epoch only when the node does not know any other node.",
    );
  if (myself.configEpoch !== 0) throw new CommandError("ERR Node config epoch is already non-zero");
  myself.configEpoch = epoch;
  host.log.notice(`configEpoch set to ${epoch} via CLUSTER SET-CONFIG-EPOCH`);
  state.currentEpoch = Math.max(state.currentEpoch, epoch);
  state.later(DUE.updateState | DUE.save);
  call.reply.ok();
}

export function saveConfig(call: Call, deps: ClusterCommandDeps): void {
  const cluster = clusterOf(deps);
  try {
    cluster.save();
  } catch (error) {
    throw new CommandError(`ERR error saving the cluster node config: ${systemErrorText(error)}`);
  }
  call.reply.ok();
}
