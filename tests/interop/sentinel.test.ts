/** Real Sentinels watch redbun servers: they find the replicas, and when the master dies one of these takes its place. */
import { afterEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { launch, temporaryDirectory } from "../../scripts/lib/launch.ts";
import { describeWithOracle, findOracle } from "../oracle.ts";
import { Node, until } from "../replication.ts";
import { RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function redbun(...args: string[]): Promise<{ server: TestServer; node: Node }> {
  const server = await startServer(["--repl-diskless-sync-delay", "0", ...args]);
  const node = await Node.of(server);
  cleanups.push(async () => {
    node.close();
    await server.stop("SIGKILL");
  });
  return { server, node };
}

/** A Sentinel that has been told of the master, and of nothing else. */
async function sentinel(master: TestServer): Promise<RespClient> {
  const file = join(temporaryDirectory("redbun-sentinel-"), "sentinel.conf");
  writeFileSync(
    file,
    [
      `sentinel monitor mymaster 127.0.0.1 ${master.port} 1`,
      "sentinel down-after-milliseconds mymaster 1000",
      "sentinel failover-timeout mymaster 10000",
      "",
    ].join("\n"),
  );
  const server = await launch({ command: [findOracle()!, file, "--sentinel"], ready: "+monitor master" });
  const client = await RespClient.open(server.port);
  cleanups.push(async () => {
    client.close();
    await server.stop("SIGKILL");
  });
  return client;
}

/** Asks over a connection of its own: Sentinel has the clients of a server that changes its role disconnected. */
async function ask<T>(server: TestServer, question: (node: Node) => Promise<T>): Promise<T> {
  for (;;) {
    const node = await Node.of(server);
    try {
      return await question(node);
    } catch (error) {
      if (!(error instanceof Error && error.message === "the server closed the connection")) throw error;
    } finally {
      node.close();
    }
  }
}

async function masterPort(client: RespClient): Promise<number> {
  const address = await client.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster");
  return Number((address as string[])[1]);
}

describeWithOracle("sentinel", () => {
  test("fails over to a redbun replica, and takes the old master back as a replica", async () => {
    const [master, first, second] = [await redbun(), await redbun(), await redbun()];
    await master.node.call("SET", "k", "before");
    for (const replica of [first, second]) {
      await replica.node.follow(master.server);
      await replica.node.linked();
    }
    const watcher = await sentinel(master.server);
    await until(async () => {
      const replicas = await watcher.call("SENTINEL", "REPLICAS", "mymaster");
      return Array.isArray(replicas) && replicas.length === 2;
    });
    const old = master.server.port;
    await master.server.stop("SIGKILL");
    await until(async () => (await masterPort(watcher)) !== old);
    const port = await masterPort(watcher);
    const [chosen, other] = port === first.server.port ? [first, second] : [second, first];
    expect(await ask(chosen.server, (node) => node.call("GET", "k"))).toBe("before");
    await until(async () => (await ask(chosen.server, (node) => node.info())).role === "master");
    await ask(chosen.server, (node) => node.call("SET", "k", "after"));
    await until(async () => (await ask(other.server, (node) => node.call("GET", "k"))) === "after");
    // The old master comes back, and is made a replica.
    const again = await startServer(["--repl-diskless-sync-delay", "0"], { port: old });
    cleanups.push(() => again.stop("SIGKILL"));
    await until(async () => (await ask(again, (node) => node.info())).role === "slave");
    await until(async () => (await ask(again, (node) => node.call("GET", "k"))) === "after");
  });
});
