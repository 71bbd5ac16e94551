/**
 * Bun's own RedisClient against the server; it always speaks RESP3 and pipelines by itself.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { RedisClient, type RedisOptions } from "bun";
import { startServer, type TestServer } from "../server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server.stop();
});

async function connect(path = "", options: RedisOptions = {}): Promise<RedisClient> {
  const client = new RedisClient(`redis://127.0.0.1:${server.port}${path}`, options);
  await client.connect();
  return client;
}

test("strings, numbers, nulls", async () => {
  const client = await connect();
  expect(client.connected).toBe(true);
  expect(await client.set("greeting", "grüß dich")).toBe("OK");
  expect(await client.get("greeting")).toBe("grüß dich");
  expect(await client.get("missing")).toBeNull();
  expect(await client.set("greeting", "x", "NX")).toBeNull();
  await client.set("counter", "41");
  expect(await client.incr("counter")).toBe(42);
  expect(await client.decr("counter")).toBe(41);
  expect(await client.exists("counter")).toBe(true);
  expect(await client.del("counter")).toBe(1);
  expect(await client.exists("counter")).toBe(false);
  client.close();
});

test("binary and large values", async () => {
  const client = await connect();
  const value = Uint8Array.from({ length: 256 }, (_, i) => i);
  await client.set("binary", value);
  expect(await client.getBuffer("binary")).toEqual(value);
  const large = "0123456789abcdef".repeat(256 * 1024);
  await client.set("large", large);
  expect((await client.get("large")) === large).toBe(true);
  client.close();
});

test("expiry", async () => {
  const client = await connect();
  await client.set("short", "v", "PX", 30);
  await client.set("long", "v");
  expect(await client.expire("long", 1000)).toBe(1);
  expect(await client.ttl("long")).toBe(1000);
  await Bun.sleep(50);
  expect(await client.get("short")).toBeNull();
  expect(await client.ttl("short")).toBe(-2);
  client.close();
});

test("a pipeline's replies come in order, errors belong to their command", async () => {
  const client = await connect();
  const numbers = Array.from({ length: 2000 }, (_, i) => i);
  const set = numbers.map((i) => client.set(`pipe:${i}`, String(i)));
  const got = numbers.map((i) => client.get(`pipe:${i}`));
  await Promise.all(set);
  expect(await Promise.all(got)).toEqual(numbers.map(String));
  await client.set("text", "abc");
  const results = await Promise.allSettled([
    client.get("text"),
    client.incr("text"),
    client.send("NOSUCHCOMMAND", []),
    client.get("text"),
  ]);
  expect(
    results.map((each) => (each.status === "fulfilled" ? each.value : String(each.reason.message))),
  ).toEqual([
    "abc",
    "ERR value is not an integer or out of range",
    expect.stringContaining("ERR unknown command 'NOSUCHCOMMAND'"),
    "abc",
  ]);
  client.close();
});

test("without its automatic pipelining", async () => {
  const client = await connect("", { enableAutoPipelining: false });
  const numbers = Array.from({ length: 100 }, (_, i) => i);
  expect(await Promise.all(numbers.map((i) => client.send("INCRBY", [`one:${i}`, String(i)])))).toEqual(
    numbers,
  );
  client.close();
});

test("the RESP3 types arrive as such", async () => {
  const client = await connect();
  const hello = await client.send("HELLO", ["3"]);
  expect(hello).toMatchObject({ server: "redis", proto: 3, mode: "standalone", role: "master", modules: [] });
  expect(await client.send("COMMAND", ["INFO", "nosuchcommand"])).toEqual([null]);
  expect(await client.send("CONFIG", ["GET", "maxclients"])).toMatchObject({
    maxclients: expect.any(String),
  });
  client.close();
});

test("the database of the URL", async () => {
  const client = await connect("/7");
  await client.set("here", "7");
  expect(String(await client.send("CLIENT", ["INFO"]))).toContain(" db=7 ");
  client.close();
});

test("password", async () => {
  const guarded = await startServer(["--requirepass", "secret"]);
  const right = new RedisClient(`redis://:secret@127.0.0.1:${guarded.port}`);
  expect(await right.send("PING", [])).toBe("PONG");
  right.close();
  const wrong = new RedisClient(`redis://:wrong@127.0.0.1:${guarded.port}`, { autoReconnect: false });
  await expect(wrong.connect()).rejects.toThrow();
  wrong.close();
  await guarded.stop();
});

test("reconnects after the server came back", async () => {
  const first = await startServer();
  const client = new RedisClient(`redis://127.0.0.1:${first.port}`);
  await client.set("before", "1");
  await first.stop("SIGKILL");
  const second = await startServer([], { port: first.port });
  const deadline = Date.now() + 20_000;
  let reply: unknown = "not asked";
  while (reply !== "OK" && Date.now() < deadline) {
    reply = await client.set("after", "2").catch((error: Error) => error.message);
    if (reply !== "OK") await Bun.sleep(20); // a command that met the lost connection is rejected
  }
  expect(reply).toBe("OK");
  expect(await client.get("before")).toBeNull(); // nothing was saved
  client.close();
  await second.stop();
});
