/** Arrays (Redis 8.8) in files, copies, replicas and under maxmemory; what commands answer is in transcripts/arrays.txt. */
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Wire } from "../differential/lib/wire.ts";
import { Node } from "../replication.ts";
import { fieldsOf, RespClient } from "../resp-client.ts";
import { keptOverRestarts } from "../restarts.ts";
import { startServer, type TestServer } from "../server.ts";

setDefaultTimeout(30_000);

const LAST = "18446744073709551614";
const folders: string[] = [];
const running: TestServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "redbun-arrays-"));
  folders.push(folder);
  return folder;
}

async function start(...args: string[]): Promise<{ server: TestServer; client: RespClient }> {
  const server = await startServer(["--enable-debug-command", "yes", ...args]);
  running.push(server);
  return { server, client: await RespClient.open(server.port) };
}

async function fill(client: RespClient): Promise<void> {
  for (let i = 0; i < 20_000; i += 100) {
    const values = Array.from({ length: 100 }, (_, n) => (n % 3 === 0 ? String(i + n) : `value ${i + n}`));
    await client.call("ARSET", "big", String(i * 2), ...values);
  }
  await client.call("ARSET", "small", LAST, "last");
  await client.call("ARRING", "ring", "3", "a", "b", "c", "d");
  await client.call("ARSEEK", "small", "7");
  await client.call("PEXPIREAT", "ring", "4102444800000");
}

async function look(client: RespClient): Promise<unknown> {
  return {
    digest: await client.call("DEBUG", "DIGEST"),
    small: await client.call("ARMGET", "small", "0", LAST),
    next: [await client.call("ARNEXT", "small"), await client.call("ARNEXT", "ring")],
    ring: await client.call("ARLASTITEMS", "ring", "3"),
    expiry: await client.call("PEXPIRETIME", "ring"),
    big: await client.call("ARCOUNT", "big"),
  };
}

test("a file of either kind, and an append-only file, keep them over a restart", () =>
  keptOverRestarts(start, newFolder, fill, look, {
    small: [null, "last"],
    next: [7, 1],
    ring: ["b", "c", "d"],
    expiry: 4102444800000,
    big: 20_000,
  }));

test("a file is of an older version where there is none", async () => {
  const folder = newFolder();
  const { client } = await start("--dir", folder, "--save", "");
  const version = async () => {
    await client.call("SAVE");
    return readFileSync(join(folder, "dump.rdb")).toString("latin1", 0, 9);
  };
  await client.call("SET", "k", "v");
  expect(await version()).toBe("REDIS0010");
  await client.call("ARSET", "a", "0", "x");
  await client.call("COPY", "a", "b");
  await client.call("RENAME", "a", "c");
  await client.call("MOVE", "b", "1");
  expect(await version()).toBe("REDIS0014");
  await client.call("ARDEL", "c", "0");
  expect(await version()).toBe("REDIS0014");
  await client.call("SELECT", "1");
  await client.call("SET", "b", "no array");
  expect(await version()).toBe("REDIS0010");
});

test("a replica has them from the snapshot and from the stream", async () => {
  const master = await start();
  const replica = await start();
  const [a, b] = [await Node.of(master.server), await Node.of(replica.server)];
  await fill(master.client);
  await b.follow(master.server);
  await b.linked();
  for (const line of [
    "ARSET small 0 x y z",
    "ARMSET small 5 a 1000000 b",
    "ARINSERT small c d",
    "ARRING ring 2 e f g",
    "ARDEL small 1",
    "ARDELRANGE big 100 5000 39000 39999",
    "ARSEEK small 3",
    "COPY small copy",
  ])
    await master.client.call(...line.split(" "));
  await b.caughtUpWith(a);
  expect(await look(replica.client)).toEqual(await look(master.client));
  a.close();
  b.close();
});

test("memory counts them, eviction takes them, SCAN finds them by their type", async () => {
  const { client } = await start("--save", "");
  const used = async () => Number(fieldsOf(await client.text("INFO", "memory")).used_memory);
  const empty = await used();
  await fill(client);
  const usage = Number(await client.call("MEMORY", "USAGE", "big"));
  expect(usage).toBeWithin(200_000, 1_000_000);
  expect((await used()) - empty).toBeGreaterThan(usage * 0.8);
  await client.call("SET", "text", "no array");
  const [, found] = (await client.call("SCAN", "0", "TYPE", "array", "COUNT", "100")) as [string, string[]];
  expect(found.sort()).toEqual(["big", "ring", "small"]);
  expect(await client.call("OBJECT", "ENCODING", "small")).toBe("sliced-array");
  await client.call("CONFIG", "SET", "maxmemory-policy", "allkeys-random", "maxmemory", String(empty));
  expect(await client.call("DBSIZE")).toBe(0);
  await client.call("CONFIG", "SET", "maxmemory", "0");
  expect(await client.call("ARSET", "a", "0", "x")).toBe(1);
});

test("there is a category of commands for them", async () => {
  const { client } = await start();
  expect(await client.call("ACL", "CAT")).toContain("array");
  expect(await client.call("ACL", "CAT", "array")).toHaveLength(18);
});

test("ARINFO tells of nodes of 64 places", async () => {
  const { client } = await start();
  await client.call("ARMSET", "a", "0", "x", "1", "y", "100", "z");
  expect(await client.call("ARINFO", "a")).toEqual(
    "count 3 len 101 next-insert-index 0 slices 2 directory-size 2 super-dir-entries 0 slice-size 64"
      .split(" ")
      .map((word) => (/^\d+$/.test(word) ? Number(word) : word)),
  );
  expect(await client.call("ARINFO", "a", "FULL")).toHaveLength(24);
});

test("a payload of Redis 8.8 is restored", async () => {
  const { server, client } = await start();
  const payload =
    "1c0e01404c000303696e73030101000000000000000401fbffffffffffffff050200000000000004400603036162630700176c6f6e6720" +
    "737472696e672068657265206265796f6e640803000902000000000000f03f0a0304302e33300b01141a99be1c0000000c001339323233" +
    "3337323033363835343737353830370d03033165330e00c3094064017878e0570001787881fffffffffffffffe03046c6173740e00c749" +
    "7df38094e3d0";
  const wire = await Wire.open(server.port);
  const [reply] = await wire.send([["RESTORE", "a", "0", Buffer.from(payload, "hex")]]);
  expect(String(reply)).toBe("+OK\r\n");
  wire.close();
  expect(await client.call("ARGETRANGE", "a", "0", "14")).toEqual([
    ...[
      "ins",
      null,
      null,
      "1",
      "-5",
      "2.5",
      "abc",
      "long string here beyond",
      "",
      "1.0",
      "0.30",
      "123456789012",
    ],
    ...["9223372036854775807", "1e3", "x".repeat(100)],
  ]);
  expect(await client.call("ARGET", "a", LAST)).toBe("last");
  expect(await client.call("ARNEXT", "a")).toBe(77);
});
