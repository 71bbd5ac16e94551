/** SAVE, BGSAVE, BGREWRITEAOF and what a restart, also after kill -9, finds again. */
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveDatabases } from "../../src/rdb/save.ts";
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
    await client.call(..."HSET fields f 1 g 2 h 3".split(" "));
    await client.call(..."HPEXPIREAT fields 4102444800000 FIELDS 1 f".split(" "));
    await client.call(..."HPEXPIREAT fields 4102444800007 FIELDS 1 h".split(" "));
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
    expect(await again.client.call(..."HPEXPIRETIME fields FIELDS 3 f g h".split(" "))).toEqual([
      4102444800000, -1, 4102444800007,
    ]);
  }
});

test("functions of an RDB file stay in it: SAVE, BGSAVE, FLUSHALL, the base of an AOF", async () => {
  const folder = newFolder();
  const library = "#!lua name=mylib\nredis.register_function('f', function() return 1 end)";
  const pieces: Uint8Array[] = [];
  saveDatabases([], (buf, start, end) => pieces.push(buf.slice(start, end)), {
    compress: false,
    checksum: true,
    usage: "none",
    aux: [],
    functions: [new TextEncoder().encode(library)],
  });
  const path = join(folder, "dump.rdb");
  writeFileSync(path, Buffer.concat(pieces));
  const { server, client } = await start(folder, "--rdbcompression", "no");
  const holds = (file: string) => readFileSync(file, "latin1").split(library).length - 1;
  for (const line of ["SAVE", "BGSAVE", "FLUSHALL", "SAVE", "DEBUG RELOAD"]) {
    rmSync(path, { force: true });
    if (line === "DEBUG RELOAD") await client.call("SAVE");
    await client.call(...line.split(" "));
    await infoSays(client, "rdb_bgsave_in_progress:0");
    if (line === "FLUSHALL") await client.call("SAVE");
    expect([line, holds(path)]).toEqual([line, 1]);
  }
  await client.call("CONFIG", "SET", "appendonly", "yes");
  await infoSays(client, "aof_rewrite_in_progress:0");
  const base = (n: number) => join(folder, "appendonlydir", `appendonly.aof.${n}.base.rdb`);
  expect(holds(base(1))).toBe(1);
  server.process.kill("SIGKILL");
  await server.process.exited;
  const again = await start(folder, "--appendonly", "yes", "--rdbcompression", "no");
  await again.client.call("BGREWRITEAOF");
  await infoSays(again.client, "aof_rewrite_in_progress:0");
  expect(holds(base(2))).toBe(1);
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
