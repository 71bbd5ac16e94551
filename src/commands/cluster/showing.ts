import { SLOT_COUNT } from "../../bytes/crc16.ts";
import type { Call } from "../../call/call.ts";
import { preferredEndpoint } from "../../cluster/address.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { clientPort, describeNode, describeNodes } from "../../cluster/describe.ts";
import type { BusLink } from "../../cluster/link.ts";
import { TYPE_NAMES } from "../../cluster/message.ts";
import { type ClusterNode, FLAG } from "../../cluster/node.ts";
import { CommandError } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/reply-writer.ts";
import { type ClusterCommandDeps, clusterOf, knownNodeAt } from "./deps.ts";

/** CLUSTER's subcommands that show what is known. */

export function nodes(call: Call, deps: ClusterCommandDeps): void {
  const { state } = clusterOf(deps);
  call.reply.verbatim("txt", describeNodes(state, 0, { tls: call.session.link.tls }));
}

/** REPLICAS, SLAVES. */
export function replicas(call: Call, deps: ClusterCommandDeps): void {
  const cluster = clusterOf(deps);
  const node = knownNodeAt(call, 2, cluster);
  if (node.isReplica) throw new CommandError("ERR The specified node is not a master");
  call.reply.array(node.replicas.length);
  for (const replica of node.replicas)
    call.reply.bulkText(describeNode(cluster.state, replica, { tls: call.session.link.tls }));
}

export function info(call: Call, deps: ClusterCommandDeps): void {
  const { state, bus } = clusterOf(deps);
  const { myself } = state;
  let [assigned, ok, pfail, failed] = [0, 0, 0, 0];
  for (const owner of state.slots.owner) {
    if (owner === null) continue;
    assigned++;
    if (owner.failed) failed++;
    else if (owner.has(FLAG.pfail)) pfail++;
    else ok++;
  }
  const epoch = myself.isReplica && myself.master !== null ? myself.master.configEpoch : myself.configEpoch;
  const lines: [string, string | number][] = [
    ["cluster_state", state.ok ? "ok" : "fail"],
    ["cluster_slots_assigned", assigned],
    ["cluster_slots_ok", ok],
    ["cluster_slots_pfail", pfail],
    ["cluster_slots_fail", failed],
    ["cluster_known_nodes", state.nodes.size],
    ["cluster_size", state.size],
    ["cluster_current_epoch", state.currentEpoch],
    ["cluster_my_epoch", epoch],
    ...messageCounts("sent", bus.sent),
    ...messageCounts("received", bus.receivedCounts),
    ["total_cluster_links_buffer_limit_exceeded", bus.limitExceeded],
  ];
  call.reply.verbatim("txt", lines.map(([name, value]) => `${name}:${value}\r\n`).join(""));
}

/** Those that there were, and their sum. */
function messageCounts(way: "sent" | "received", counts: Float64Array): [string, number][] {
  const fields: [string, number][] = [];
  let sum = 0;
  for (const [type, count] of counts.entries()) {
    if (count === 0) continue;
    sum += count;
    fields.push([`cluster_stats_messages_${TYPE_NAMES[type]}_${way}`, count]);
  }
  return [...fields, [`cluster_stats_messages_${way}`, sum]];
}

export function links(call: Call, deps: ClusterCommandDeps): void {
  const { state } = clusterOf(deps);
  const all: [ClusterNode, BusLink][] = [];
  for (const node of state.nodes.values())
    for (const link of [node.link, node.inbound]) if (link !== null) all.push([node, link]);
  const { reply } = call;
  reply.array(all.length);
  for (const [node, link] of all) {
    reply.map(6);
    reply.bulkText("direction");
    reply.bulkText(link.inbound ? "from" : "to");
    reply.bulkText("node");
    reply.bulkText(node.name);
    reply.bulkText("create-time");
    reply.int(link.createdAt);
    reply.bulkText("events");
    reply.bulkText(link.events);
    reply.bulkText("send-buffer-allocated");
    reply.int(link.queuedBytes);
    reply.bulkText("send-buffer-used");
    reply.int(link.queuedBytes);
  }
}

// ------------------------------------------------------------------ SLOTS

export function slots(call: Call, deps: ClusterCommandDeps): void {
  const cluster = clusterOf(deps);
  const { owner } = cluster.state.slots;
  const { reply } = call;
  const mark = reply.deferred();
  let count = 0;
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const node = owner[slot]!;
    if (node === null) continue;
    const first = slot;
    while (slot + 1 < SLOT_COUNT && owner[slot + 1] === node) slot++;
    replyRange(call, cluster, node, first, slot);
    count++;
  }
  reply.endDeferred(mark, "array", count);
}

function replyRange(call: Call, cluster: Cluster, node: ClusterNode, first: number, last: number): void {
  const { reply } = call;
  const usable = node.replicas.filter((replica) => !replica.failed && offsetOf(cluster, replica) !== 0);
  reply.array(3 + usable.length);
  reply.int(first);
  reply.int(last);
  for (const each of [node, ...usable]) replyEndpoint(call, cluster, each);
}

/** Endpoint, port, name, and what else is known of where it is. */
function replyEndpoint(call: Call, { host }: Cluster, node: ClusterNode): void {
  const { reply, session } = call;
  const type = host.settings.clusterPreferredEndpointType;
  reply.array(4);
  if (type === "unknown-endpoint") reply.nil();
  else reply.bulkText(preferredEndpoint(node, type));
  reply.int(clientPort(node, session.link.tls));
  reply.bulkText(node.name);
  const more: [string, string][] = [];
  if (type !== "ip") more.push(["ip", node.ip]);
  if (type !== "hostname" && node.hostname !== "") more.push(["hostname", node.hostname]);
  reply.map(more.length);
  for (const [name, value] of more) {
    reply.bulkText(name);
    reply.bulkText(value);
  }
}

function offsetOf({ state, host }: Cluster, node: ClusterNode): number {
  return node === state.myself ? host.replication.offset() : node.replOffset;
}

// ------------------------------------------------------------------ SHARDS

export function shards(call: Call, deps: ClusterCommandDeps): void {
  const cluster = clusterOf(deps);
  const { reply } = call;
  const { state } = cluster;
  reply.array(state.shards.size);
  for (const members of state.shards.values()) {
    reply.map(2);
    reply.bulkText("slots");
    const ranges = state.slots.rangesOf(members[0]!.topMaster);
    reply.array(ranges.length);
    for (const slot of ranges) reply.int(slot);
    reply.bulkText("nodes");
    reply.array(members.length);
    for (const node of members) replyMember(reply, cluster, node);
  }
}

function replyMember(reply: ReplyWriter, cluster: Cluster, node: ClusterNode): void {
  const offset = offsetOf(cluster, node);
  const fields: [string, string | number][] = [["id", node.name]];
  if (node.tcpPort > 0) fields.push(["port", node.tcpPort]);
  if (node.tlsPort > 0) fields.push(["tls-port", node.tlsPort]);
  fields.push(["ip", node.ip]);
  fields.push(["endpoint", preferredEndpoint(node, cluster.host.settings.clusterPreferredEndpointType)]);
  if (node.hostname !== "") fields.push(["hostname", node.hostname]);
  fields.push(["role", node.isReplica ? "replica" : "master"]);
  fields.push(["replication-offset", offset]);
  fields.push(["health", node.failed ? "fail" : node.isReplica && offset === 0 ? "loading" : "online"]);
  reply.map(fields.length);
  for (const [name, value] of fields) {
    reply.bulkText(name);
    if (typeof value === "number") reply.int(value);
    else reply.bulkText(value);
  }
}
