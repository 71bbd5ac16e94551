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
    for (const [diskless, load] of [
      ["yes", "disabled"],
      ["no", "disabled"],
      ["yes", "swapdb"],
      ["no", "on-empty-db"],
    ] as const)
      test(`${name}, diskless ${diskless}, diskless load ${load}`, async () => {
        const master = await run(startMaster, "--repl-diskless-sync", diskless);
        const replica = await run(startReplica, "--repl-diskless-load", load);
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

  test("redbun trims as redis-server's stream says, which names a LIMIT beside an exact length", async () => {
    const master = await run(startOracle);
    const replica = await run(startServer);
    await replica.node.follow(master.server);
    await replica.node.linked();
    for (let i = 0; i < 200; i++) {
      await master.node.call("XADD", "s", "MAXLEN", "~", "50", "LIMIT", "1000", "*", "n", String(i));
      await master.node.call("XTRIM", "t", "MINID", "~", "5-0", "LIMIT", "10");
    }
    await replica.node.caughtUpWith(master.node);
    expect(await replica.node.call("XLEN", "s")).toBe(await master.node.call("XLEN", "s"));
    expect(await replica.node.digest()).toEqual(await master.node.digest());
  });

  test("redis-server follows what it does not know: commands of Redis 8 arrive as their effects", async () => {
    const master = await run(startServer, "--stream-node-max-entries", "3");
    const replica = await run(startOracle, "--stream-node-max-entries", "3");
    await replica.node.follow(master.server);
    await replica.node.linked();
    const id = () => `1-${1 + random.below(60)}`;
    const policy = () => random.pick(["KEEPREF", "DELREF", "ACKED"]);
    const group = () => random.pick(["g", "h"]);
    const lines = ["XGROUP CREATE s g 0 MKSTREAM", "XGROUP CREATE s h 0", "ZADD z 1 a 2 b", "SADD t b c"];
    for (let i = 1; i <= 300; i++) {
      const trim = random.pick([
        `MAXLEN ${random.below(9)}`,
        `MINID ~ ${id()}`,
        `MAXLEN ~ ${random.below(9)}`,
      ]);
      lines.push(
        random.pick([
          `XADD s ${policy()} ${trim} 1-${i} n ${i}`,
          `XADD s 1-${i} n ${i}`,
          `XTRIM s ${trim} ${policy()}`,
          `XDELEX s ${policy()} IDS 2 ${id()} ${id()}`,
          `XACKDEL s ${group()} ${policy()} IDS 2 ${id()} ${id()}`,
          `XREADGROUP GROUP ${group()} c COUNT 3 STREAMS s >`,
          `XREADGROUP GROUP ${group()} d CLAIM 1 COUNT 3 STREAMS s >`,
          `SET k ${random.below(5)} ${random.pick(["IFEQ", "IFNE"])} ${random.below(5)}`,
          `SET k ${random.below(5)} IFNE ${random.below(5)} EX 1000`,
          `MSETEX 2 k ${random.below(5)} l x ${random.pick(["EX 1000", "KEEPTTL", "NX", "PX 99999"])}`,
          `DELEX k ${random.pick(["IFEQ", "IFNE"])} ${random.below(5)}`,
          `DELIFEQ k ${random.below(5)}`,
          `INCREX n BYINT ${random.below(50) - 20} UBOUND 60 LBOUND -60 EX 1000 ENX`,
          `INCREX f BYFLOAT 0.1 UBOUND 2 SATURATE ${random.pick(["PERSIST", "EX 500"])}`,
          `BITOP ${random.pick(["DIFF", "DIFF1", "ANDOR", "ONE"])} bits k n f`,
          "ZUNIONSTORE u 2 z t AGGREGATE COUNT WEIGHTS 1 0.5",
        ]),
      );
    }
    await apply(
      master.wire,
      lines.map((line) => line.split(" ")),
    );
    await replica.node.caughtUpWith(master.node);
    expect(await replica.node.digest()).toEqual(await master.node.digest());
    for (const line of [
      "XPENDING s g - + 1000",
      "XPENDING s h - + 1000",
      "XRANGE s - +",
      "MGET k l n f bits",
    ]) {
      const [ours, theirs] = [master, replica].map(({ node }) => node.call(...line.split(" ")));
      // How long ago an entry was delivered goes on meanwhile.
      const told = (reply: unknown) => JSON.stringify(reply).replace(/,\d+,(\d+)\]/g, ",$1]");
      expect([line, told(await theirs!)]).toEqual([line, told(await ours!)]);
    }
    const [ours, theirs] = [
      await master.node.call("XINFO", "STREAM", "s"),
      await replica.node.call("XINFO", "STREAM", "s"),
    ];
    const index = (ours as string[]).indexOf("max-deleted-entry-id");
    expect((theirs as string[])[index + 1]).toEqual((ours as string[])[index + 1]!);
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
