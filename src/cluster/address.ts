import { clientPort } from "./describe.ts";
import type { ClusterNode } from "./node.ts";

/** How clients are told of a node (cluster-preferred-endpoint-type). */
export type EndpointType = "ip" | "hostname" | "unknown-endpoint";

/** For the log. */
export function describeAddress(node: ClusterNode, tls: boolean): string {
  return `${node.ip}:${clientPort(node, tls)}`;
}

/** The host of redirections; "": the client is to use the one that it asked. */
export function preferredEndpoint(node: ClusterNode, type: EndpointType): string {
  if (type === "ip") return node.ip;
  if (type === "unknown-endpoint") return "";
  return node.hostname === "" ? "?" : node.hostname;
}
