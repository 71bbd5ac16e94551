/** maxmemory-policy over a socket: memory stays under the limit, the right keys go, replicas and the AOF hear of it. */
import { afterEach, expect, test } from "bun:test";
import { Wire } from "../differential/lib/wire.ts";
import { fieldsOf, RespClient } from "../resp-client.ts";
import { startServer } from "../server.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

let port = 0;

async function open(...args: string[]): Promise<RespClient> {
  const server = await startServer(args);
  ({ port } = server);
  const client = await RespClient.open(server.port);
  cleanups.push(async () => {
    client.close();
    await server.stop("SIGKILL");
  });
  return client;
}

/** What is compared with maxmemory. */
async function countedMemory(client: RespClient): Promise<number> {
  const memory = fieldsOf(await client.text("INFO", "memory"));
  return Number(memory.used_memory) - Number(memory.mem_not_counted_for_evict);
}

for (const policy of [
  "allkeys-lru",
  "allkeys-lfu",
  "allkeys-random",
  "allkeys-lrm",
  "volatile-lrm",
  "volatile-lru",
  "volatile-random",
  "volatile-ttl",
])
  test(`${policy}: writes go on and memory stays within the limit`, async () => {
    const client = await open("--maxmemory-policy", policy);
    const limit = (await countedMemory(client)) + 1024 * 1024;
    await client.call("CONFIG", "SET", "maxmemory", String(limit));
    const value = "x".repeat(200);
    for (let i = 0; i < 20_000; i += 50) {
      for (let j = i; j < i + 50; j++) client.send("SET", `key:${j}`, value, "EX", "1000");
      for (let j = i; j < i + 50; j++) expect(await client.next()).toBe("OK");
    }
    expect(await countedMemory(client)).toBeLessThan(limit + 16 * 1024);
    const keys = Number(await client.call("DBSIZE"));
    expect(keys).toBeGreaterThan(1000);
    expect(Number(fieldsOf(await client.text("INFO", "stats")).evicted_keys)).toBe(20_000 - keys);
  });

test("volatile policies spare keys without an expiry, and refuse when only these are left", async () => {
  const client = await open("--maxmemory-policy", "volatile-lru");
  for (let i = 0; i < 1000; i++) await client.call("SET", `plain:${i}`, "x".repeat(100));
  const limit = (await countedMemory(client)) + 256 * 1024;
  await client.call("CONFIG", "SET", "maxmemory", String(limit));
  for (let i = 0; i < 5000; i++) await client.call("SET", `v:${i}`, "x".repeat(100), "EX", "1000");
  let refused = false;
  for (let i = 0; i < 20_000 && !refused; i++)
    refused = String(
      ((await client.call("SET", `more:${i}`, "x".repeat(500))) as { message?: string })?.message ?? "",
    ).startsWith("OOM ");
  expect(refused).toBe(true);
  for (let i = 0; i < 1000; i += 100) expect(await client.call("EXISTS", `plain:${i}`)).toBe(1);
  expect(await client.call("GET", "plain:0")).toBe("x".repeat(100));
});

test("lowering the limit evicts without any command; big collections count", async () => {
  const client = await open("--maxmemory-policy", "allkeys-lru");
  for (let i = 0; i < 50; i++)
    await client.call(
      "RPUSH",
      `list:${i}`,
      ...Array.from({ length: 500 }, (_, j) => `element ${j} of ${i}, long enough`),
    );
  const limit = Math.floor((await countedMemory(client)) / 2);
  await client.call("CONFIG", "SET", "maxmemory", String(limit));
  while ((await countedMemory(client)) > limit);
  expect(Number(await client.call("DBSIZE"))).toBeLessThan(50);
});

test("what is evicted is gone from the AOF too", async () => {
  const client = await open(
    "--maxmemory-policy",
    "allkeys-random",
    "--appendonly",
    "yes",
    "--enable-debug-command",
    "yes",
  );
  const limit = (await countedMemory(client)) + 512 * 1024;
  await client.call("CONFIG", "SET", "maxmemory", String(limit));
  for (let i = 0; i < 10_000; i++) client.send("SET", `key:${i}`, "x".repeat(100));
  for (let i = 0; i < 10_000; i++) await client.next();
  await client.call("CONFIG", "SET", "maxmemory", "0");
  const keys = await client.call("DBSIZE");
  expect(await client.call("DEBUG", "LOADAOF")).toBe("OK");
  expect(await client.call("DBSIZE")).toBe(keys);
});

test("*-lrm: a key's age is that of its last change, as Redis 8.8 has it", async () => {
  const client = await open("--maxmemory-policy", "allkeys-lrm");
  for (const line of ["SET text v", "HSET hash f v"]) await client.call(...line.split(" "));
  const wire = await Wire.open(port);
  cleanups.push(() => wire.close());
  /** Makes the key one that was changed a thousand seconds ago. */
  const age = async (key: string) => {
    const [dump] = await wire.send([["DUMP", key]]);
    const payload = dump!.subarray(dump!.indexOf("\r\n") + 2, -2);
    const [reply] = await wire.send([["RESTORE", key, "0", payload, "REPLACE", "IDLETIME", "1000"]]);
    expect(String(reply)).toBe("+OK\r\n");
  };
  const isOld = async (key: string) => Number(await client.call("OBJECT", "IDLETIME", key)) >= 1000;
  for (const [key, line] of [
    ["text", "GET text"],
    ["text", "TOUCH text"],
    ["text", "SET text x NX"],
    ["text", "GETEX text"],
    ["hash", "HGET hash f"],
    ["hash", "HDEL hash nosuch"],
    ["hash", "HSETNX hash f x"],
  ] as const) {
    await age(key);
    await client.call(...line.split(" "));
    expect([line, await isOld(key)]).toEqual([line, true]);
  }
  for (const [key, line] of [
    ["text", "APPEND text x"],
    ["text", "EXPIRE text 1000"],
    ["hash", "HSET hash f v"],
    ["hash", "HINCRBY hash n 1"],
  ] as const) {
    await age(key);
    await client.call(...line.split(" "));
    expect([line, await isOld(key)]).toEqual([line, false]);
  }
  expect(await client.call("OBJECT", "FREQ", "text")).toMatchObject({
    message: expect.stringMatching(/LFU/),
  });
});
