/** One cluster of redbun and real redis-server nodes, made and moved by redis-cli, used by ioredis and node-redis. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Cluster } from "ioredis";
import { createCluster } from "redis";
import {
  attach,
  clusterField,
  lineOf,
  type Member,
  ok,
  startMember,
  stopMember,
  working,
} from "../cluster.ts";
import { findOracle } from "../oracle.ts";
import { until } from "../replication.ts";
import { RespClient } from "../resp-client.ts";

setDefaultTimeout(120_000);

const CLI = Bun.which("redis-cli");

async function redisCli(...args: string[]): Promise<string> {
  const child = Bun.spawn([CLI!, "--cluster", ...args], { stdout: "pipe", stderr: "pipe" });
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  await child.exited;
  return output + errors;
}

const address = ({ server }: Member): string => `127.0.0.1:${server.port}`;

/** Waits until redis-cli finds nothing to complain of: all nodes say the same. */
const agreed = (member: Member): Promise<void> =>
  until(async () => {
    const report = await redisCli("check", address(member));
    return (
      report.includes("All nodes agree about slots configuration") &&
      report.includes("All 16384 slots covered")
    );
  });

describe.skipIf(findOracle() === null || CLI === null)("a mixed cluster [needs redis-server]", () => {
  let ours: Member[];
  let real: Member[];
  let all: Member[];
  beforeAll(async () => {
    ours = await Promise.all([startMember(), startMember(), startMember()]);
    real = await Promise.all([startMember([], true), startMember([], true), startMember([], true)]);
    all = [...ours, ...real];
  });
  afterAll(() => Promise.all(all.map(stopMember)));

  const isMaster = async (member: Member): Promise<boolean> =>
    (await lineOf(member, member.id))[2]?.includes("master") === true;
  /** It does, and all know: who does not, would not let it take over. */
  const replicates = async (replica: Member, master: Member): Promise<boolean> => {
    for (const member of all) if ((await lineOf(member, replica.id))[3] !== master.id) return false;
    return (await replica.node.info()).master_link_status === "up";
  };

  test("redis-cli makes it, and finds that all agree", async () => {
    // Masters: ours, real, ours. Then a replica each.
    const [a, b, c] = ours as [Member, Member, Member];
    const [x, y, z] = real as [Member, Member, Member];
    const addresses = [a, x, b, c, y, z].map(address);
    const report = await redisCli("create", ...addresses, "--cluster-replicas", "1", "--cluster-yes");
    expect(report).toContain("[OK] All 16384 slots covered.");
    await working(all);
    // It gives each master some replica: here a master is to have one of the other kind.
    await attach(y, a);
    await attach(c, x);
    await attach(z, b);
    await agreed(a);
    await agreed(x);
    for (const member of all) expect(await clusterField(member, "cluster_known_nodes")).toBe("6");
    await until(() => replicates(y, a));
    await until(() => replicates(c, x));
    await until(() => replicates(z, b));
  });

  test("ioredis finds its way", async () => {
    const client = new Cluster([{ host: "127.0.0.1", port: real[0]!.server.port }]);
    for (let i = 0; i < 100; i++) expect(await client.set(`io:${i}`, String(i))).toBe("OK");
    for (let i = 0; i < 100; i++) expect(await client.get(`io:${i}`)).toBe(String(i));
    expect(await client.mset("{io}a", "1", "{io}b", "2")).toBe("OK");
    const transaction = await client.multi().incr("{io}a").get("{io}b").exec();
    expect(transaction).toEqual([
      [null, 2],
      [null, "2"],
    ]);
    await client.quit();
  });

  test("node-redis finds its way, in RESP3 and from replicas too", async () => {
    for (const RESP of [2, 3] as const) {
      const client = createCluster({
        rootNodes: [{ url: `redis://${address(ours[0]!)}` }],
        useReplicas: true,
        RESP,
      });
      client.on("error", () => {});
      await client.connect();
      for (let i = 0; i < 50; i++) await client.set(`node:${i}`, String(i));
      for (const member of all) await member.node.call("WAIT", "1", "1000");
      for (let i = 0; i < 50; i++) expect(await client.get(`node:${i}`)).toBe(String(i));
      await client.close();
    }
  });

  test("messages get from either kind to the other", async () => {
    for (const [from, to] of [
      [ours[0]!, real[0]!],
      [real[0]!, ours[0]!],
    ] as const) {
      const listener = await RespClient.open(to.server.port);
      await listener.call("SUBSCRIBE", "news");
      await from.node.call("PUBLISH", "news", "hello");
      expect(await listener.next()).toEqual(["message", "news", "hello"]);
      listener.close();
    }
  });

  test("redis-cli moves slots there and back with their keys", async () => {
    const keys = async (): Promise<number> => {
      let sum = 0;
      for (const member of all) if (await isMaster(member)) sum += Number(await member.node.call("DBSIZE"));
      return sum;
    };
    const before = await keys();
    for (const [from, to] of [
      [ours[0]!, real[0]!],
      [real[0]!, ours[1]!],
      [ours[1]!, ours[0]!],
    ] as const) {
      await agreed(ours[0]!);
      const args = [
        "--cluster-from",
        from.id,
        "--cluster-to",
        to.id,
        "--cluster-slots",
        "60",
        "--cluster-yes",
      ];
      const report = await redisCli("reshard", address(ours[0]!), ...args);
      expect(report).toContain("Moving slot");
      expect(report).not.toContain("ERR");
    }
    await agreed(real[0]!);
    expect(await keys()).toBe(before);
  });

  test("CLUSTER FAILOVER: ours takes over from a real master, which takes over again", async () => {
    const [replica, master] = [ours[2]!, real[0]!];
    await ok(replica.node.call("CLUSTER", "FAILOVER"));
    await until(() => isMaster(replica));
    await until(() => replicates(master, replica));
    await agreed(ours[0]!);
    await ok(master.node.call("CLUSTER", "FAILOVER"));
    await until(() => isMaster(master));
    await until(() => replicates(replica, master));
    await agreed(ours[0]!);
  });

  test("a real master dies: our replica is elected; ours dies: a real replica is", async () => {
    for (const [dead, heir] of [
      [real[0]!, ours[2]!],
      [ours[0]!, real[1]!],
    ] as const) {
      dead.server.process.kill("SIGSTOP");
      await until(() => isMaster(heir));
      await working(all.filter((member) => member !== dead));
      dead.server.process.kill("SIGCONT");
      await until(() => replicates(dead, heir));
      await agreed(ours[1]!);
    }
  });
});
