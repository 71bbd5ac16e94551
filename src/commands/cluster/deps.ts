import type { Call } from "../../call/call.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { ClusterNode } from "../../cluster/node.ts";
import { CommandError } from "../../resp/errors.ts";

export interface ClusterCommandDeps {
  readonly clustering: {
    readonly cluster: Cluster | null;
    /** The keys of a slot, at most so many. */
    keysIn(slot: number, most: number): Uint8Array[];
  };
}

/** The cluster; throws where there is none. */
export function clusterOf({ clustering }: ClusterCommandDeps): Cluster {
  if (clustering.cluster === null) throw new CommandError("ERR This instance has cluster support disabled");
  return clustering.cluster;
}

/** The slot in argument i; throws. */
export function slotAt(call: Call, i: number): number {
  const slot = call.safeInt(i);
  if (!(slot >= 0 && slot < 16384)) throw new CommandError("ERR Invalid or out of range slot");
  return slot;
}

/** The node whose name is argument i, or undefined. */
export function nodeAt(call: Call, i: number, { state }: Cluster): ClusterNode | undefined {
  return state.lookup(call.text(i));
}

/** As `nodeAt`; throws where it is not known. */
export function knownNodeAt(call: Call, i: number, cluster: Cluster): ClusterNode {
  const node = nodeAt(call, i, cluster);
  if (node === undefined) throw new CommandError(`ERR Unknown node ${call.text(i)}`);
  return node;
}
