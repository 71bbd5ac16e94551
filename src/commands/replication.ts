import { type Blocking, checkTimeout } from "../blocking/blocking.ts";
import type { Call } from "../call/call.ts";
import type { CommandSpec } from "../call/spec.ts";

/** WAIT, as far as there is no replica: none ever acknowledges a write, so it waits for its timeout. */
export interface ReplicationDeps {
  readonly blocking: Blocking;
}

function wait(call: Call, { blocking }: ReplicationDeps): void {
  const replicas = call.int(1);
  const timeout = checkTimeout(call.safeInt(2));
  if (replicas <= 0) call.reply.int(0);
  else blocking.block(call, timeout, (reply) => reply.int(0));
}

export function replicationCommands(deps: ReplicationDeps): CommandSpec[] {
  return [
    {
      name: "wait",
      arity: 3,
      flags: [],
      categories: ["connection"],
      since: "3.0.0",
      group: "generic",
      summary: "Waits until enough replicas have the connection's writes.",
      complexity: "O(1)",
      args: "numreplicas:integer timeout:integer",
      tips: ["request_policy:all_shards", "response_policy:agg_min"],
      run: (call) => wait(call, deps),
    },
  ];
}
