import { type ClusterNode, FLAG, FLAG_NAMES } from "./node.ts";
import type { ClusterState } from "./state.ts";

/**
 * A node in a line of text, for CLUSTER NODES and for the configuration file:
 *
 *   <name> <ip>:<port>@<bus port>[,hostname] <flags> <master or -> <ping sent> <pong received> <epoch> <link> <slots> ...
 *
 * In the file `,hostname` is always there, if empty, and behind it come fields `,name=value`. Slots are numbers and
 * ranges `0-99`; of this node also those on their way, `[93->-<node>]` out and `[77-<-<node>]` in.
 */

/** The port of a node for clients with or without TLS; 0: it has none. */
export function clientPort(node: ClusterNode, tls: boolean): number {
  return tls ? node.tlsPort : node.tcpPort;
}

export function flagText(flags: number): string {
  const names = FLAG_NAMES.filter(([, bit]) => (flags & bit) !== 0).map(([name]) => name);
  return names.length === 0 ? "noflags" : names.join(",");
}

/** The fields behind the host name in the file, whose address has the port without TLS. */
function auxiliary(node: ClusterNode): string {
  const name = node.humanName === "" ? "" : `,nodename=${node.humanName}`;
  return `${node.hostname === "" ? "," : ""},tls-port=${node.tlsPort}${name},shard-id=${node.shardId}`;
}

export function describeNode(
  state: ClusterState,
  node: ClusterNode,
  how: "for-file" | { readonly tls: boolean },
): string {
  const forFile = how === "for-file";
  let line = `${node.name} ${node.ip}:${clientPort(node, !forFile && how.tls)}@${node.busPort}`;
  if (node.hostname !== "") line += `,${node.hostname}`;
  if (forFile) line += auxiliary(node);
  const epoch = node.isReplica && node.master !== null ? node.master.configEpoch : node.configEpoch;
  const connected = node.link !== null || node.has(FLAG.myself);
  line += ` ${flagText(node.flags)} ${node.master?.name ?? "-"} ${node.pingSent} ${node.pongReceived} ${epoch}`;
  line += connected ? " connected" : " disconnected";
  const ranges = state.slots.rangesOf(node);
  for (let i = 0; i < ranges.length; i += 2)
    line += ranges[i] === ranges[i + 1] ? ` ${ranges[i]}` : ` ${ranges[i]}-${ranges[i + 1]}`;
  return node === state.myself ? line + movingSlots(state) : line;
}

function movingSlots({ slots }: ClusterState): string {
  let text = "";
  for (let slot = 0; slot < slots.owner.length; slot++) {
    const [to, from] = [slots.migrating[slot], slots.importing[slot]];
    if (to) text += ` [${slot}->-${to.name}]`;
    else if (from) text += ` [${slot}-<-${from.name}]`;
  }
  return text;
}

/** The nodes but for those with these flags, a line each. */
export function describeNodes(
  state: ClusterState,
  without: number,
  how: "for-file" | { readonly tls: boolean },
): string {
  let text = "";
  for (const node of state.nodes.values())
    if (!node.has(without)) text += `${describeNode(state, node, how)}\n`;
  return text;
}
