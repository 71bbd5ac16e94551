/** Publish and subscribe over real sockets: what is delivered to whom, in which form and order. */
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

const open = () => RespClient.open(server.port);

for (const resp of [2, 3] as const) {
  test(`SUBSCRIBE, PSUBSCRIBE and SSUBSCRIBE get their messages in RESP${resp}`, async () => {
    const [listener, speaker] = [await open(), await open()];
    await listener.call("HELLO", String(resp));
    expect(await listener.call("SUBSCRIBE", "news", "weather")).toEqual(["subscribe", "news", 1]);
    expect(await listener.next()).toEqual(["subscribe", "weather", 2]);
    expect(await listener.call("PSUBSCRIBE", "n*")).toEqual(["psubscribe", "n*", 3]);
    expect(await listener.call("SSUBSCRIBE", "news")).toEqual(["ssubscribe", "news", 1]);
    expect(await speaker.call("PUBLISH", "news", "a\r\nb")).toBe(2);
    expect(await listener.next()).toEqual(["message", "news", "a\r\nb"]);
    expect(await listener.next()).toEqual(["pmessage", "n*", "news", "a\r\nb"]);
    expect(await speaker.call("SPUBLISH", "news", "shard")).toBe(1);
    expect(await listener.next()).toEqual(["smessage", "news", "shard"]);
    expect(await speaker.call("PUBSUB", "NUMSUB", "news", "sport")).toEqual(["news", 1, "sport", 0]);
    expect(await speaker.call("PUBSUB", "NUMPAT")).toBe(1);
    const info = fieldsOf(await speaker.text("INFO", "stats"));
    expect(info).toMatchObject({ pubsub_channels: "2", pubsub_patterns: "1", pubsubshard_channels: "1" });
    expect(await speaker.text("CLIENT", "LIST", "TYPE", "pubsub")).toMatch(
      / flags=P .* sub=2 psub=1 ssub=1 /,
    );
    expect(await listener.call("UNSUBSCRIBE", "news")).toEqual(["unsubscribe", "news", 2]);
    expect(await speaker.call("PUBLISH", "news", "x")).toBe(1);
    expect(await listener.next()).toEqual(["pmessage", "n*", "news", "x"]);
    listener.close();
    speaker.close();
  });
}

test("a listener that leaves is gone from all its channels", async () => {
  const [listener, speaker] = [await open(), await open()];
  await listener.call("SUBSCRIBE", "left");
  await listener.call("PSUBSCRIBE", "le*");
  listener.close();
  while ((await speaker.call("PUBLISH", "left", "x")) !== 0);
  expect(await speaker.call("PUBSUB", "CHANNELS", "left")).toEqual([]);
  speaker.close();
});

test("in RESP2 a listener may only listen and PING; in RESP3 it may do everything", async () => {
  const client = await open();
  await client.call("SUBSCRIBE", "c");
  expect(await client.call("GET", "k")).toMatchObject({
    message: expect.stringMatching(/^ERR Can't execute 'get': only \(P\|S\)SUBSCRIBE/),
  });
  expect(await client.call("PING", "x")).toEqual(["pong", "x"]);
  expect(await client.call("RESET")).toBe("RESET");
  expect(await client.call("GET", "k")).toBeNull();
  await client.call("HELLO", "3");
  await client.call("SUBSCRIBE", "c");
  expect(await client.call("SET", "k", "v")).toBe("OK");
  expect(await client.call("PING")).toBe("PONG");
  client.close();
});

test("what a client publishes to itself comes behind the reply, in a transaction behind EXEC's", async () => {
  const client = await open();
  await client.call("HELLO", "3");
  await client.call("SUBSCRIBE", "self");
  client.send("PUBLISH", "self", "one");
  client.send("ECHO", "after");
  expect([await client.next(), await client.next(), await client.next()]).toEqual([
    1,
    ["message", "self", "one"],
    "after",
  ]);
  client.send("MULTI");
  client.send("PUBLISH", "self", "two");
  client.send("ECHO", "inside");
  client.send("EXEC");
  expect([await client.next(), await client.next(), await client.next()]).toEqual(["OK", "QUEUED", "QUEUED"]);
  expect([await client.next(), await client.next()]).toEqual([
    [1, "inside"],
    ["message", "self", "two"],
  ]);
  client.close();
});

test("a listener that does not read is disconnected by client-output-buffer-limit pubsub", async () => {
  const speaker = await open();
  await speaker.call("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 0 0");
  const listener = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port,
    socket: { data: () => {} },
  });
  listener.write("SUBSCRIBE flood\r\n");
  while (((await speaker.call("PUBSUB", "NUMSUB", "flood")) as unknown[])[1] !== 1);
  listener.pause();
  const message = "x".repeat(100_000);
  let sent = 0;
  while ((await speaker.call("PUBLISH", "flood", message)) === 1 && sent < 1000) sent++;
  expect(sent).toBeGreaterThan(5);
  expect(sent).toBeLessThan(1000);
  listener.terminate();
  speaker.close();
});
