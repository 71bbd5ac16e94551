/** CLIENT CAPA REDIRECT, of Valkey: outside of a cluster a replica sends such clients to its master. */
import { afterEach, expect, test } from "bun:test";
import { Node, until } from "../replication.ts";
import { type Reply, ReplyError, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

const running: TestServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop("SIGKILL");
});

async function run(): Promise<{ server: TestServer; node: Node }> {
  const server = await startServer(["--repl-diskless-sync-delay", "0"]);
  running.push(server);
  return { server, node: await Node.of(server) };
}

const sentence = (reply: Reply | undefined) => (reply instanceof ReplyError ? reply.message : String(reply));

test("who follows redirections is sent to the master, others read and are refused", async () => {
  const master = await run();
  const replica = await run();
  const elsewhere = `REDIRECT 127.0.0.1:${master.server.port}`;
  const client = await RespClient.open(replica.server.port);
  const waiting = await RespClient.open(replica.server.port);
  const ask = async (...args: string[]) => sentence(await client.call(...args));
  expect(await ask("CLIENT", "CAPA", "nosuch", "REDIRECT")).toBe("OK");
  expect(await ask("CLIENT", "CAPA")).toContain("wrong number of arguments for 'client|capa'");
  // As long as it is a master, nothing is different.
  expect([await ask("SET", "foo", "bar"), await ask("GET", "foo")]).toEqual(["OK", "bar"]);
  await ask("MULTI");
  expect(await ask("SET", "foo", "bar")).toBe("QUEUED");
  await waiting.call("CLIENT", "CAPA", "redirect");
  waiting.send("BLPOP", "list", "0");
  await until(async () => (await replica.node.info("clients")).blocked_clients === "1");
  await replica.node.follow(master.server);
  expect(sentence(await waiting.next())).toBe(elsewhere);
  await replica.node.linked();
  expect(await ask("EXEC")).toBe(elsewhere);
  await ask("MULTI");
  expect(await ask("SET", "foo", "bar")).toBe(elsewhere);
  expect(await ask("EXEC")).toContain("EXECABORT");
  expect([await ask("SET", "foo", "bar"), await ask("GET", "foo"), await ask("PING")]).toEqual([
    elsewhere,
    elsewhere,
    "PONG",
  ]);
  expect([await ask("READONLY"), await ask("GET", "foo"), await ask("DEL", "foo")]).toEqual([
    "OK",
    "null",
    elsewhere,
  ]);
  expect([await ask("READWRITE"), await ask("GET", "foo")]).toEqual(["OK", elsewhere]);
  expect([await ask("RESET"), await ask("GET", "foo")]).toEqual(["RESET", "null"]);
  expect(sentence(await replica.node.call("SET", "foo", "bar"))).toContain("READONLY");
  expect(sentence(await replica.node.call("READONLY"))).toContain("cluster support disabled");
  client.close();
  waiting.close();
});
