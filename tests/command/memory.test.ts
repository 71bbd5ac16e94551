import { afterAll, beforeAll, expect, test } from "bun:test";
import { fieldsOf, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

let server: TestServer;
let client: RespClient;
beforeAll(async () => {
  server = await startServer();
  client = await RespClient.open(server.port);
  await client.call("HELLO", "3");
});
afterAll(async () => {
  client.close();
  await server.stop();
});

const usage = async (key: string) => Number(await client.call("MEMORY", "USAGE", key));

test("USAGE follows the value's size, and an expiry costs something", async () => {
  expect(await client.call("MEMORY", "USAGE", "nosuch")).toBeNull();
  await client.call("SET", "small", "x".repeat(32));
  await client.call("SET", "large", "x".repeat(1_000_000));
  expect(await usage("small")).toBeWithin(50, 100);
  expect(await usage("large")).toBeWithin(1_000_000, 1_010_000);
  const before = await usage("small");
  await client.call("EXPIRE", "small", "1000");
  expect(await usage("small")).toBe(before + 8);
});

test("STATS: the databases' share, and figures that agree with INFO", async () => {
  await client.call("SET", "other", "1");
  const stats = (await client.call("MEMORY", "STATS")) as Record<string, number | Record<string, number>>;
  expect(Object.keys(stats).length).toBe(28);
  expect(stats["keys.count"]).toBe(3);
  expect(Object.keys(stats["db.0"] as object)).toEqual([
    "overhead.hashtable.main",
    "overhead.hashtable.expires",
    "overhead.hashtable.slot-to-keys",
  ]);
  expect(Number(stats["total.allocated"])).toBeGreaterThan(1_000_000);
  expect(Number(stats["dataset.bytes"]) + Number(stats["overhead.total"])).toBe(
    Number(stats["total.allocated"]),
  );
});

test("PURGE gives pages back, DOCTOR and MALLOC-STATS report", async () => {
  expect(await client.text("MEMORY", "DOCTOR")).not.toBe("");
  for (let i = 0; i < 20_000; i++) client.send("SET", `k${i}`, "x".repeat(100));
  for (let i = 0; i < 20_000; i++) await client.next();
  for (let i = 0; i < 20_000; i++) if (i % 50 !== 0) client.send("DEL", `k${i}`);
  for (let i = 0; i < 20_000; i++) if (i % 50 !== 0) await client.next();
  expect(await client.call("MEMORY", "PURGE")).toBe("OK");
  const stats = (await client.call("MEMORY", "STATS")) as Record<string, number>;
  expect(stats["allocator-fragmentation.bytes"]).toBeLessThan(2_000_000);
  expect(await client.text("MEMORY", "MALLOC-STATS")).toContain("arena");
});

test("UNLINK counts the large values it leaves to the collector, DEL and small ones not", async () => {
  const freed = async (): Promise<number> =>
    Number(fieldsOf(await client.text("INFO", "memory")).lazyfreed_objects);
  await client.call("CONFIG", "RESETSTAT");
  const members = Array.from({ length: 5000 }, (_, i) => `member:${i}`);
  for (const key of ["a", "b"]) await client.call("SADD", key, ...members);
  await client.call("SADD", "small", "a");
  await client.call("SET", "string", "x".repeat(100_000));
  await client.call("DEL", "a");
  expect(await freed()).toBe(0);
  expect(await client.call("UNLINK", "b", "small", "string", "missing")).toBe(3);
  expect(await freed()).toBe(1);
});

test("what has been flushed is not used any more, though giving it back takes a while", async () => {
  const used = async () => Number(fieldsOf(await client.text("INFO", "memory")).used_memory);
  await client.call("FLUSHALL");
  const before = await used();
  const other = await RespClient.open(server.port);
  for (let at = 0; at < 200_000; at += 10_000) {
    const pairs = Array.from({ length: 10_000 }, (_, i) => [`key:${at + i}`, "x".repeat(50)]);
    expect(await other.call("MSET", ...pairs.flat())).toBe("OK");
  }
  other.close();
  expect(await used()).toBeGreaterThan(before + 15_000_000);
  await client.call("FLUSHALL");
  expect(await used()).toBeLessThan(before + 1_000_000);
});
