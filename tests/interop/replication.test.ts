/** Replication with a real redis-server, as primary and as replica: every type and encoding, DEBUG DIGEST equal. */
import { afterEach, expect, test } from "bun:test";
import { Wire } from "../differential/lib/wire.ts";
import { describeWithOracle, startOracle } from "../oracle.ts";
import { Node, until } from "../replication.ts";
import { startServer, type TestServer } from "../server.ts";
import { seeded } from "../unit/bytes/random.ts";
import { apply, bigValues, expiries, smallValues, streams } from "./rdb-data.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

type Start = (args: string[]) => Promise<TestServer>;

async function run(start: Start, ...args: string[]): Promise<{ server: TestServer; node: Node; wire: Wire }> {
  const server = await start(["--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0", ...args]);
  const [node, wire] = [await Node.of(server), await Wire.open(server.port)];
  cleanups.push(async () => {
    wire.close();
    node.close();
    await server.stop("SIGKILL");
  });
  return { server, node, wire };
}

describeWithOracle("replication", () => {
  const random = seeded("replication");
  const sides: [string, Start, Start][] = [
    ["redbun follows redis-server", startOracle, startServer],
    ["redis-server follows redbun", startServer, startOracle],
  ];
  for (const [name, startMaster, startReplica] of sides)
    for (const diskless of ["yes", "no"])
      test(`${name}, diskless ${diskless}`, async () => {
        const master = await run(startMaster, "--repl-diskless-sync", diskless);
        const replica = await run(startReplica);
        const before = [...smallValues(random, "s"), ...bigValues(random, "b"), ...streams(random, "x")];
        await apply(master.wire, [...before, ...expiries(before)]);
        await replica.node.follow(master.server);
        await replica.node.linked();
        // The same again by way of the stream.
        const after = [...smallValues(random, "t"), ...bigValues(random, "c"), ...streams(random, "y")];
        await apply(master.wire, [...after, ...expiries(after)]);
        await master.node.call("MULTI");
        await master.node.call("INCR", "n");
        await master.node.call("LPUSH", "l", "a");
        await master.node.call("EXEC");
        await replica.node.caughtUpWith(master.node);
        expect(await replica.node.digest()).toEqual(await master.node.digest());
        expect(await master.node.call("WAIT", "1", "0")).toBe(1);
        // A short absence costs what was missed.
        await master.node.call("CLIENT", "KILL", "TYPE", "replica");
        await master.node.call("SET", "missed", "nothing");
        await replica.node.caughtUpWith(master.node);
        expect(await replica.node.call("GET", "missed")).toBe("nothing");
        expect((await master.node.info("stats")).sync_partial_ok).toBe("1");
      });

  test("roles change between them, and nobody needs a second snapshot", async () => {
    const [real, ours] = [await run(startOracle), await run(startServer)];
    await real.node.call("SET", "from", "real");
    await ours.node.follow(real.server);
    await ours.node.caughtUpWith(real.node);
    await ours.node.call("REPLICAOF", "NO", "ONE");
    await ours.node.call("SET", "from", "ours");
    await real.node.follow(ours.server);
    await real.node.caughtUpWith(ours.node);
    expect(await real.node.call("GET", "from")).toBe("ours");
    await until(async () => (await ours.node.info("stats")).sync_partial_ok === "1");
    expect((await ours.node.info("stats")).sync_full).toBe("0");
  });
});
