/** Helpers of the cluster tests: nodes, redbun's or real ones, and what they say of the cluster. */
import { freePort } from "../scripts/lib/launch.ts";
import { startOracle } from "./oracle.ts";
import { Node, until } from "./replication.ts";
import { ReplyError } from "./resp-client.ts";
import { startServer, type TestServer } from "./server.ts";

export interface Member {
  readonly server: TestServer;
  readonly node: Node;
  /** The bus's port. */
  readonly bus: number;
  /** Its name in the cluster. */
  readonly id: string;
}

/** Starts a node that knows nobody; `real`: of redis-server. */
export async function startMember(args: string[] = [], real = false): Promise<Member> {
  const bus = freePort();
  const start = real ? startOracle : startServer;
  const server = await start([
    "--cluster-enabled",
    "yes",
    "--cluster-port",
    String(bus),
    "--cluster-node-timeout",
    "2000",
    "--repl-diskless-sync-delay",
    "0",
    ...args,
  ]);
  const node = await Node.of(server);
  return { server, node, bus, id: String(await node.call("CLUSTER", "MYID")) };
}

export async function stopMember({ node, server }: Member): Promise<void> {
  node.close();
  await server.stop("SIGKILL");
}

/** A field of CLUSTER INFO. */
export async function clusterField({ node }: Member, name: string): Promise<string> {
  const text = await node.client.text("CLUSTER", "INFO");
  return new RegExp(`^${name}:(.*)\r$`, "m").exec(text)?.[1] ?? "";
}

/** Waits until all say that the cluster works. */
export async function working(members: readonly Member[]): Promise<void> {
  for (const member of members)
    await until(async () => (await clusterField(member, "cluster_state")) === "ok");
}

/** The line that a node has of another one (or of itself), in words. */
export async function lineOf({ node }: Member, id: string): Promise<string[]> {
  const text = await node.client.text("CLUSTER", "NODES");
  return (
    text
      .split("\n")
      .find((line) => line.startsWith(id))
      ?.split(" ") ?? []
  );
}

/** Makes the members a cluster: the first know all, and these have all slots, in equal parts. */
export async function join(members: readonly Member[], masters = members.length): Promise<void> {
  const [first, ...others] = members;
  for (const [i, { node }] of members.entries())
    await ok(node.call("CLUSTER", "SET-CONFIG-EPOCH", String(i + 1)));
  for (const { server, bus } of others)
    await ok(first!.node.call("CLUSTER", "MEET", "127.0.0.1", String(server.port), String(bus)));
  for (let i = 0; i < masters; i++) {
    const [from, to] = [Math.ceil((16384 * i) / masters), Math.ceil((16384 * (i + 1)) / masters) - 1];
    await ok(members[i]!.node.call("CLUSTER", "ADDSLOTSRANGE", String(from), String(to)));
  }
  for (const member of members)
    await until(async () => (await clusterField(member, "cluster_known_nodes")) === String(members.length));
  await working(members);
}

/** Makes `replica` replicate `master`, and waits until it has its data. */
export async function attach(replica: Member, master: Member): Promise<void> {
  await until(async () => (await lineOf(replica, master.id)).length > 0);
  await ok(replica.node.call("CLUSTER", "REPLICATE", master.id));
  await replica.node.linked();
}

export async function ok(reply: Promise<unknown>): Promise<void> {
  const value = await reply;
  if (value !== "OK") throw new Error(value instanceof ReplyError ? value.message : JSON.stringify(value));
}

/** The text of an error reply. */
export async function errorOf(reply: Promise<unknown>): Promise<string> {
  const value = await reply;
  return value instanceof ReplyError ? value.message : `no error but ${JSON.stringify(value)}`;
}
