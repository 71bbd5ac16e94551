/** SAVE, BGSAVE, BGREWRITEAOF and what a restart, also after kill -9, finds again. */
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveDatabases } from "../../src/rdb/save.ts";
import { fieldsOf, type Reply, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

// Many starts of a server, on machines that may be busy.
setDefaultTimeout(30_000);

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

test("BGSAVE, BGREWRITEAOF and CONFIG SET appendonly behind one that has just been given up", async () => {
  const folder = newFolder();
  const { server, client } = await start(folder, "--appendonly", "yes", "--appendfsync", "always");
  await client.call("DEBUG", "POPULATE", "200");
  await client.call("SET", "count", "0");
  await client.call("CONFIG", "SET", "rdb-key-save-delay", "1000");
  const persistence = async (): Promise<Record<string, string>> =>
    fieldsOf(await client.text("INFO", "persistence"));
  const BUSY = ["rdb_bgsave_in_progress", "aof_rewrite_in_progress", "aof_rewrite_scheduled"];
  // INCR tells if anything is applied twice, or never.
  const untilIdle = async (): Promise<void> => {
    for (;;) {
      await client.call("INCR", "count");
      const fields = await persistence();
      if (BUSY.every((name) => fields[name] === "0")) return;
    }
  };
  await untilIdle();
  // One turn for each line, so that what is given up has no time to end.
  for (const lines of [
    ["BGREWRITEAOF", "CONFIG SET appendonly no", "INCR count", "CONFIG SET appendonly yes", "INCR count"],
    ["BGREWRITEAOF", "CONFIG SET appendonly no", "BGSAVE", "INCR count", "CONFIG SET appendonly yes"],
    ["BGSAVE", "BGREWRITEAOF", "INCR count", "BGSAVE SCHEDULE", "BGREWRITEAOF", "INCR count"],
    ["BGREWRITEAOF", "BGSAVE SCHEDULE", "INCR count"],
  ]) {
    client.write(`${lines.join("\r\n")}\r\n`);
    for (const _ of lines) await client.next();
    await untilIdle();
    expect((await persistence()).aof_last_bgrewrite_status).toBe("ok");
    // What is on disk now is what is in memory.
    const digest = await client.call("DEBUG", "DIGEST");
    expect(await client.call("DEBUG", "LOADAOF")).toBe("OK");
    expect(await client.call("DEBUG", "DIGEST")).toBe(digest);
  }
  const count = await client.call("GET", "count");
  await server.stop("SIGKILL");
  const { client: again } = await start(folder, "--appendonly", "yes");
  expect(await again.call("GET", "count")).toBe(count);
});

test("BGSAVE right after FLUSHALL gave one up; INFO tells what had to be saved ahead of its turn", async () => {
  const folder = newFolder();
  const { server, client } = await start(folder);
  await client.call("DEBUG", "POPULATE", "5000");
  await client.call("CONFIG", "SET", "rdb-key-save-delay", "1000");
  await client.call("BGSAVE");
  await client.call("FLUSHALL");
  client.write("SET x 1\r\nCONFIG SET rdb-key-save-delay 0\r\nBGSAVE\r\nINFO persistence\r\n");
  for (let i = 0; i < 2; i++) await client.next();
  expect(await client.next()).toBe("Background saving started");
  expect(fieldsOf((await client.next()) as string).rdb_bgsave_in_progress).toBe("1");
  const info = (): Promise<Reply> => client.text("INFO", "persistence");
  await until(info, (text) => fieldsOf(text as string).rdb_bgsave_in_progress === "0");
  expect(fieldsOf(await client.text("INFO", "persistence")).rdb_changes_since_last_save).toBe("0");
  await client.call("DEBUG", "POPULATE", "1000", "key", "500");
  await client.call("CONFIG", "SET", "rdb-key-save-delay", "1000");
  await client.call("BGSAVE");
  for (let i = 900; i < 916; i++) await client.call("SETRANGE", `key:${i}`, "0", "changed");
  const copied = Number(fieldsOf(await client.text("INFO", "persistence")).current_cow_size);
  expect(copied).toBeGreaterThan(4096);
  expect(copied).toBeLessThan(16 * 2000);
  await client.call("CONFIG", "SET", "rdb-key-save-delay", "0");
  await until(info, (text) => fieldsOf(text as string).rdb_bgsave_in_progress === "0");
  const { current_cow_size, rdb_last_cow_size } = fieldsOf(await client.text("INFO", "persistence"));
  expect([current_cow_size, Number(rdb_last_cow_size)]).toEqual(["0", copied]);
  await server.stop("SIGKILL");
  const { client: again } = await start(folder);
  expect(await again.call("GETRANGE", "key:900", "0", "6")).not.toBe("changed");
  expect(await again.call("DBSIZE")).toBe(1001);
});

test("CONFIG SET dir during a BGSAVE: the file goes where it was begun", async () => {
  const folder = newFolder();
  const elsewhere = newFolder();
  const { server, client } = await start(folder, "--enable-protected-configs", "yes");
  await client.call("DEBUG", "POPULATE", "100");
  await client.call("CONFIG", "SET", "rdb-key-save-delay", "1000");
  await client.call("BGSAVE");
  expect(await client.call("CONFIG", "SET", "dir", elsewhere)).toBe("OK");
  const info = (): Promise<Reply> => client.text("INFO", "persistence");
  await until(info, (text) => fieldsOf(text as string).rdb_bgsave_in_progress === "0");
  expect(fieldsOf(await client.text("INFO", "persistence")).rdb_last_bgsave_status).toBe("ok");
  expect(readdirSync(folder)).toEqual(["dump.rdb"]);
  await client.call("BGSAVE");
  await client.call("CONFIG", "SET", "dir", folder);
  await client.call("FLUSHALL");
  expect(readdirSync(elsewhere)).toEqual([]);
  await server.stop("SIGKILL");
});

test("BGSAVE in a transaction waits for its end", async () => {
  const folder = newFolder();
  const { server, client } = await start(folder);
  await client.call("MULTI");
  await client.call("SET", "a", "1");
  await client.call("BGSAVE");
  await client.call("SET", "b", "1");
  expect(await client.call("EXEC")).toEqual(["OK", "Background saving scheduled", "OK"]);
  const info = (): Promise<Reply> => client.text("INFO", "persistence");
  await until(info, (text) => fieldsOf(text as string).rdb_saves === "1");
  await server.stop("SIGKILL");
  const { client: again } = await start(folder);
  expect(await again.call("MGET", "a", "b")).toEqual(["1", "1"]);
});
