/** SAVE, BGSAVE, BGREWRITEAOF and what a restart, also after kill -9, finds again. */
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Reply, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

const folders: string[] = [];
const running: TestServer[] = [];

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "redbun-persistence-"));
  folders.push(folder);
  return folder;
}

async function start(folder: string, ...args: string[]): Promise<{ server: TestServer; client: RespClient }> {
  const server = await startServer(["--dir", folder, "--enable-debug-command", "yes", ...args]);
  running.push(server);
  return { server, client: await RespClient.open(server.port) };
}

/** Some of every type, with and without an expiry, in two databases. */
async function fill(client: RespClient): Promise<void> {
  for (const line of [
    "SET text hello",
    "SET number 12345 PXAT 4102444800000",
    `APPEND long ${"x".repeat(50_000)}`,
    "RPUSH list a b c 1 2 3",
    "SADD ints 1 2 3",
    "SADD set a b c",
    "HSET hash f v g w",
    "ZADD zset 1 a 2.5 b inf c",
    "XADD stream 1-1 f v",
    "XGROUP CREATE stream group 0",
    "XREADGROUP GROUP group me STREAMS stream >",
    "SELECT 3",
    "SET other database",
    "SELECT 0",
  ])
    await client.call(...line.split(" "));
  for (let i = 0; i < 2000; i += 10) {
    const members = Array.from({ length: 10 }, (_, j) => `member:${i + j}`);
    await client.call("SADD", "big-set", ...members);
    await client.call("RPUSH", "big-list", ...members);
    await client.call("HSET", "big-hash", ...members.flatMap((m) => [m, m]));
    await client.call("ZADD", "big-zset", ...members.flatMap((m, j) => [String(i + j), m]));
  }
}

/** Calls `ask` until its reply satisfies. */
async function until(ask: () => Promise<Reply>, satisfied: (reply: Reply) => boolean): Promise<void> {
  while (!satisfied(await ask()));
}

const infoSays = (client: RespClient, field: string) =>
  until(
    () => client.call("INFO", "persistence"),
    (info) => String(info).includes(`${field}\r\n`),
  );

test("SAVE, and the restart finds it all; LASTSAVE moves", async () => {
  const folder = newFolder();
  const { server, client } = await start(folder);
  await fill(client);
  const digest = await client.call("DEBUG", "DIGEST");
  const before = Number(await client.call("LASTSAVE"));
  expect(await client.call("SAVE")).toBe("OK");
  expect(Number(await client.call("LASTSAVE"))).toBeGreaterThanOrEqual(before);
  server.process.kill("SIGKILL");
  await server.process.exited;
  const again = await start(folder);
  expect(await again.client.call("DEBUG", "DIGEST")).toBe(digest);
});

test("BGSAVE is the data set of its moment; what comes later is not in it", async () => {
  const folder = newFolder();
  const { server, client } = await start(folder, "--save", "");
  await fill(client);
  const digest = await client.call("DEBUG", "DIGEST");
  client.send("BGSAVE");
  for (const line of [
    "SET text changed",
    "DEL big-set",
    "LPUSH list new",
    "SET later 1",
    "HDEL big-hash member:5",
  ])
    client.send(...line.split(" "));
  expect(await client.next()).toBe("Background saving started");
  for (let i = 0; i < 5; i++) await client.next();
  await infoSays(client, "rdb_bgsave_in_progress:0");
  server.process.kill("SIGKILL");
  await server.process.exited;
  const again = await start(folder);
  expect(await again.client.call("DEBUG", "DIGEST")).toBe(digest);
});

for (const policy of ["always", "everysec"])
  test(`AOF with ${policy}: what was acknowledged survives kill -9`, async () => {
    const folder = newFolder();
    const args = ["--appendonly", "yes", "--appendfsync", policy, "--save", ""];
    const { server, client } = await start(folder, ...args);
    await fill(client);
    const digest = await client.call("DEBUG", "DIGEST");
    server.process.kill("SIGKILL");
    await server.process.exited;
    const again = await start(folder, ...args);
    expect(await again.client.call("DEBUG", "DIGEST")).toBe(digest);
  });

test("BGREWRITEAOF keeps what comes while it runs, with and without RDB preamble", async () => {
  for (const preamble of ["yes", "no"]) {
    const folder = newFolder();
    const args = ["--appendonly", "yes", "--save", "", "--aof-use-rdb-preamble", preamble];
    const { server, client } = await start(folder, ...args);
    await fill(client);
    client.send("BGREWRITEAOF");
    client.send("SET", "during", "the rewrite");
    client.send("LPOP", "big-list");
    expect(await client.next()).toBe("Background append only file rewriting started");
    await client.next();
    await client.next();
    await infoSays(client, "aof_rewrite_in_progress:0");
    const digest = await client.call("DEBUG", "DIGEST");
    server.process.kill("SIGKILL");
    await server.process.exited;
    const again = await start(folder, ...args);
    expect([preamble, await again.client.call("DEBUG", "DIGEST")]).toEqual([preamble, digest]);
  }
});

test("UNWATCH lets a transaction through; EXEC's effects load whole", async () => {
  const folder = newFolder();
  const args = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];
  const { server, client } = await start(folder, ...args);
  await client.call("WATCH", "k");
  await client.call("SET", "k", "touched");
  expect(await client.call("UNWATCH")).toBe("OK");
  await client.call("MULTI");
  await client.call("INCR", "a");
  await client.call("INCR", "b");
  expect(await client.call("EXEC")).toEqual([1, 1]);
  server.process.kill("SIGKILL");
  await server.process.exited;
  const again = await start(folder, ...args);
  expect(await again.client.call("MGET", "a", "b", "k")).toEqual(["1", "1", "touched"]);
});
