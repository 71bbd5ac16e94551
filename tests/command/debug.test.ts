import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ReplyError, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

let server: TestServer;
let client: RespClient;
beforeAll(async () => {
  server = await startServer(["--enable-debug-command", "yes"]);
  client = await RespClient.open(server.port);
});
afterAll(async () => {
  client.close();
  await server.stop();
});

describe("the data", () => {
  test("DIGEST depends on neither order nor encoding, but on database and expiry", async () => {
    await client.call("FLUSHALL");
    expect(await client.call("DEBUG", "DIGEST")).toBe("0".repeat(40));
    for (const key of ["a", "b", "c"]) await client.call("SET", key, `1${key}`);
    const digest = await client.call("DEBUG", "DIGEST");
    await client.call("FLUSHALL");
    for (const key of ["c", "b", "a"]) {
      await client.call("SET", key, "1");
      await client.call("APPEND", key, key);
    }
    expect(await client.call("DEBUG", "DIGEST")).toBe(digest);
    await client.call("EXPIRE", "a", "1000");
    expect(await client.call("DEBUG", "DIGEST")).not.toBe(digest);
    await client.call("PERSIST", "a");
    await client.call("SWAPDB", "0", "1");
    expect(await client.call("DEBUG", "DIGEST")).not.toBe(digest);
  });

  test("OBJECT, in the form that tools parse", async () => {
    await client.call("SET", "s", "hello");
    expect(await client.call("DEBUG", "OBJECT", "s")).toMatch(
      /^Value at:0x[0-9a-f]+ refcount:1 encoding:embstr serializedlength:6 lru:\d+ lru_seconds_idle:0$/,
    );
    await client.call("SET", "s", "12345");
    expect(await client.call("DEBUG", "OBJECT", "s")).toMatch(/ encoding:int serializedlength:3 /);
    await client.call("SET", "s", "x".repeat(1000));
    expect(await client.call("DEBUG", "OBJECT", "s")).toMatch(/ encoding:raw serializedlength:\d\d /);
  });

  test("POPULATE creates what is not there", async () => {
    await client.call("FLUSHALL");
    await client.call("SET", "p:1", "mine");
    await client.call("DEBUG", "POPULATE", "1000", "p", "20");
    expect(await client.call("DBSIZE")).toBe(1000);
    expect(await client.call("GET", "p:1")).toBe("mine");
    expect(await client.call("GET", "p:999")).toBe(`value:999${"\0".repeat(11)}`);
    expect(await client.text("DEBUG", "HTSTATS", "0")).toContain(" number of elements: 1000\n");
  });
});

test("SET-ACTIVE-EXPIRE 0 leaves keys that are due until they are asked for", async () => {
  await client.call("FLUSHALL");
  await client.call("DEBUG", "SET-ACTIVE-EXPIRE", "0");
  await client.call("SET", "k", "v", "PX", "1");
  await Bun.sleep(400);
  expect(await client.call("DBSIZE")).toBe(1);
  await client.call("DEBUG", "SET-ACTIVE-EXPIRE", "1");
  await Bun.sleep(400);
  expect(await client.call("DBSIZE")).toBe(0);
});

test("SLEEP stops everybody", async () => {
  const other = await RespClient.open(server.port);
  const started = performance.now();
  client.send("DEBUG", "SLEEP", "0.2");
  await Bun.sleep(20);
  expect(await other.call("PING")).toBe("PONG");
  expect(performance.now() - started).toBeGreaterThan(195);
  expect(await client.next()).toBe("OK");
  other.close();
});

test("ERROR and LOG", async () => {
  expect(await client.call("DEBUG", "ERROR", "CODE some\r\ntext")).toEqual(new ReplyError("CODE some  text"));
  expect(await client.call("DEBUG", "LOG", "here I am")).toBe("OK");
  await server.logged("DEBUG LOG: here I am");
});

describe("crashes end with a report in the log", () => {
  for (const [name, sentence, signal] of [
    ["SEGFAULT", "crashed by signal: 11", "SIGSEGV"],
    ["PANIC", "Guru Meditation: DEBUG PANIC called", "SIGABRT"],
    ["ASSERT", "ASSERTION FAILED", "SIGABRT"],
  ] as const) {
    test(name, async () => {
      const victim = await startServer(["--enable-debug-command", "yes"]);
      const caller = await RespClient.open(victim.port);
      caller.send("DEBUG", name);
      expect(await caller.nextOrEnd()).toBeUndefined();
      await victim.process.exited;
      expect(victim.process.signalCode).toBe(signal);
      for (const text of [sentence, "BUG REPORT START", "STACK TRACE", "redis_version:7.2.6", "cmd=debug"])
        await victim.logged(text);
      await victim.stop();
    });
  }
});

test("SIGABRT from outside ends with a report too", async () => {
  const victim = await startServer();
  victim.process.kill("SIGABRT");
  await victim.process.exited;
  expect(victim.process.signalCode).toBe("SIGABRT");
  for (const text of ["crashed by signal: 6", "STACK TRACE", "redis_version:7.2.6"])
    await victim.logged(text);
  await victim.stop();
});

test("DEBUG is refused unless the configuration allows it", async () => {
  const plain = await startServer();
  const caller = await RespClient.open(plain.port);
  const reply = await caller.call("DEBUG", "SLEEP", "0");
  expect(reply).toBeInstanceOf(ReplyError);
  expect((reply as ReplyError).message).toStartWith("ERR DEBUG command not allowed.");
  caller.close();
  await plain.stop();
});
