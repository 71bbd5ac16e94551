import { latin1Bytes } from "../../bytes/ascii.ts";
import { SLOT_COUNT } from "../../bytes/crc16.ts";
import type { Call } from "../../call/call.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { CommandError, errors, subcommandSyntax } from "../../resp/errors.ts";
import { type ClusterCommandDeps, clusterOf, slotAt } from "./deps.ts";

/**
 * CLUSTER SLOT-STATS (Redis 8.2): the keys in each slot of this node's shard. Redis's other figures (time, bytes) need
 * cluster-slot-stats-enabled, which is off by default and not there: they would have to be measured with each command.
 */
const SLOTSRANGE = latin1Bytes("slotsrange");
const ORDERBY = latin1Bytes("orderby");
const KEY_COUNT = latin1Bytes("key-count");
const LIMIT = latin1Bytes("limit");
const ASC = latin1Bytes("asc");
const DESC = latin1Bytes("desc");

export function slotStats(call: Call, deps: ClusterCommandDeps): void {
  const cluster = clusterOf(deps);
  if (call.argc === 5 && call.is(2, SLOTSRANGE)) return inRange(call, cluster);
  if (call.is(2, ORDERBY)) return inOrder(call, cluster);
  throw new CommandError(subcommandSyntax(call.quoted(1), call.text(0)));
}

/** The slots of this node, or of its master. */
function ownSlots({ state }: Cluster, first: number, last: number): number[] {
  const owner = state.myself.master ?? state.myself;
  const slots: number[] = [];
  for (let slot = first; slot <= last; slot++) if (state.slots.owner[slot] === owner) slots.push(slot);
  return slots;
}

function inRange(call: Call, cluster: Cluster): void {
  const [first, last] = [slotAt(call, 3), slotAt(call, 4)];
  if (first > last)
    throw new CommandError(`ERR Start slot number ${first} is greater than end slot number ${last}`);
  reply(call, cluster, ownSlots(cluster, first, last));
}

function inOrder(call: Call, cluster: Cluster): void {
  if (!call.is(3, KEY_COUNT)) throw new CommandError("ERR Unrecognized sort metric for ORDERBY.");
  let limit = 0;
  let order: "asc" | "desc" | null = null;
  for (let i = 4; i < call.argc; i++) {
    let again = false;
    if (call.is(i, LIMIT) && i + 1 < call.argc) {
      again = limit > 0;
      limit = call.safeInt(++i);
      if (!(limit >= 1 && limit <= SLOT_COUNT))
        throw new CommandError("ERR Limit has to lie in between 1 and 16384 (maximum number of slots).");
    } else if (call.is(i, ASC) || call.is(i, DESC)) {
      again = order !== null;
      order = call.is(i, ASC) ? "asc" : "desc";
    } else throw new CommandError(errors.syntax);
    if (again) throw new CommandError("ERR Multiple filters of the same type are disallowed.");
  }
  const { keys } = cluster.host;
  const sign = order === "asc" ? 1 : -1;
  const slots = ownSlots(cluster, 0, SLOT_COUNT - 1);
  slots.sort((a, b) => sign * (keys.count(a) - keys.count(b)) || a - b);
  reply(call, cluster, limit > 0 ? slots.slice(0, limit) : slots);
}

function reply(call: Call, { host }: Cluster, slots: readonly number[]): void {
  const { reply } = call;
  reply.array(slots.length);
  for (const slot of slots) {
    reply.array(2);
    reply.int(slot);
    reply.map(1);
    reply.bulkText("key-count");
    reply.int(host.keys.count(slot));
  }
}
