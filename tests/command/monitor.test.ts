import { afterAll, beforeAll, expect, test } from "bun:test";
import { fieldsOf, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server.stop();
});

test("MONITOR shows other clients' commands and its own, without administration and secrets", async () => {
  const [monitor, client] = [await RespClient.open(server.port), await RespClient.open(server.port)];
  expect(await monitor.call("MONITOR")).toBe("OK");
  const { addr } = fieldsOf(await client.text("CLIENT", "INFO"));
  await client.call("SELECT", "2");
  await client.call("CONFIG", "GET", "hz");
  await client.call("AUTH", "user", "password");
  await client.call("SET", "k", 'a"\x00\r\n');
  const seen = [];
  for (let i = 0; i < 4; i++) seen.push(String(await monitor.next()));
  expect(seen[0]).toMatch(/^\d{10}\.\d{6} \[0 .*\] "CLIENT" "INFO"$/);
  expect(seen.slice(1).map((line) => line.replace(/^\S+ /, ""))).toEqual([
    `[2 ${addr}] "SELECT" "2"`,
    `[2 ${addr}] "AUTH" "(redacted)" "(redacted)"`,
    `[2 ${addr}] "SET" "k" "a\\"\\x00\\r\\n"`,
  ]);
  expect(await monitor.call("PING")).toBe("PONG");
  expect(await monitor.next()).toMatch(/"PING"$/);
  expect(await client.text("CLIENT", "LIST")).toContain(" flags=O ");
  expect(await monitor.call("RESET")).toBe("RESET");
  expect(await monitor.call("ECHO", "quiet")).toBe("quiet");
  monitor.close();
  client.close();
});

test("a command that waits is shown when it begins to, not again when it is served", async () => {
  const [monitor, client, waiter] = [
    await RespClient.open(server.port),
    await RespClient.open(server.port),
    await RespClient.open(server.port),
  ];
  await monitor.call("MONITOR");
  waiter.send("BLPOP", "queue", "0");
  expect(await monitor.next()).toMatch(/"BLPOP" "queue" "0"$/);
  await client.call("RPUSH", "queue", "1");
  expect(await waiter.next()).toEqual(["queue", "1"]);
  await client.call("ECHO", "next");
  expect(await monitor.next()).toMatch(/"RPUSH" "queue" "1"$/);
  expect(await monitor.next()).toMatch(/"ECHO" "next"$/);
  for (const each of [monitor, client, waiter]) each.close();
});
