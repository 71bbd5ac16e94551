/** HOTKEYS: what it collects; its refusals are in transcripts/hotkeys.txt, as Redis 8.6 words them. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Reply, RespClient } from "../resp-client.ts";
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

const ask = (line: string) => client.call(...line.split(" "));

async function results(): Promise<Record<string, Reply>> {
  const [map] = (await ask("HOTKEYS GET")) as [Record<string, Reply>];
  return map;
}

/** Keys and numbers as they alternate in a reply. */
function pairs(reply: Reply): [string, number][] {
  const list = reply as (string | number)[];
  return Array.from({ length: list.length / 2 }, (_, i) => [String(list[2 * i]), Number(list[2 * i + 1])]);
}

test("bytes by key are exact, and what has several keys counts for each", async () => {
  await ask("HOTKEYS START METRICS 1 NET COUNT 2");
  // *3 $3 SET $1 a $3 123, answered +OK
  await ask("SET a 123");
  await ask("SET a 123");
  await ask("GET a");
  await ask("MSET b 1 c 1");
  await ask("PING");
  const set = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$3\r\n123\r\n+OK\r\n".length;
  const get = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n$3\r\n123\r\n".length;
  const mset = "*5\r\n$4\r\nMSET\r\n$1\r\nb\r\n$1\r\n1\r\n$1\r\nc\r\n$1\r\n1\r\n+OK\r\n".length;
  const found = await results();
  expect(pairs(found["by-net-bytes"]!)[0]).toEqual(["a", 2 * set + get]);
  expect(pairs(found["by-net-bytes"]!)[1]![1]).toBe(Math.floor(mset / 2));
  expect(found).toMatchObject({
    "tracking-active": 1,
    "sample-ratio": 1,
    "selected-slots": [[0, 16383]],
    "net-bytes-all-commands-all-slots": 2 * set + get + mset,
    "total-net-bytes": 2 * set + get + mset,
  });
  expect(found["by-cpu-time-us"]).toBeUndefined();
  await ask("HOTKEYS STOP");
  await ask("SET a 123");
  expect(await results()).toMatchObject({ "tracking-active": 0, "total-net-bytes": 2 * set + get + mset });
  await ask("HOTKEYS RESET");
  expect(await ask("HOTKEYS GET")).toBe(null);
});

test("time by key: the one that costs most comes first; scripts and transactions", async () => {
  await ask("HOTKEYS START METRICS 2 CPU NET");
  for (let i = 0; i < 30; i++)
    await ask(`SADD big ${Array.from({ length: 200 }, (_, n) => i * 200 + n).join(" ")}`);
  for (let i = 0; i < 10; i++) await ask("SMEMBERS big");
  await ask("SET small 1");
  await ask("EVAL redis.call('set',KEYS[1],'x');redis.call('get','unseen') 1 scripted");
  await ask("MULTI");
  await ask("SET queued 1");
  await ask("EXEC");
  const found = await results();
  const [heaviest] = pairs(found["by-cpu-time-us"]!);
  expect(heaviest![0]).toBe("big");
  expect(heaviest![1]).toBeGreaterThan(0);
  expect(Number(found["all-commands-all-slots-us"])).toBeGreaterThanOrEqual(heaviest![1]);
  const keys = pairs(found["by-net-bytes"]!).map(([key]) => key);
  expect(keys[0]).toBe("big");
  expect(keys.sort()).toEqual(["big", "queued", "scripted", "small"]);
  for (const field of ["total-cpu-time-user-ms", "total-cpu-time-sys-ms", "collection-duration-ms"])
    expect(Number(found[field])).toBeGreaterThanOrEqual(0);
  await ask("HOTKEYS STOP");
});

test("it ends by itself, and a sample is a part of the commands", async () => {
  await ask("HOTKEYS START METRICS 1 NET DURATION 1 SAMPLE 1000000000");
  for (let i = 0; i < 20; i++) await ask("SET k v");
  const found = await results();
  expect(Number(found["net-bytes-all-commands-all-slots"])).toBeGreaterThan(0);
  expect(found["total-net-bytes"]).toBe(0);
  while ((await results())["tracking-active"] === 1);
  expect((await results())["collection-duration-ms"]).toBe(1000);
  expect(await ask("HOTKEYS STOP")).toBe(null);
});

test("commands of one pipeline are seen each", async () => {
  await ask("HOTKEYS RESET");
  const encoded = (line: string) => {
    const words = line.split(" ");
    return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
  };
  const lines = [
    "SET p 1",
    "HOTKEYS START METRICS 1 NET",
    ...Array<string>(50).fill("SET p 1"),
    "HOTKEYS STOP",
    "SET p 1",
  ];
  client.write(lines.map(encoded).join(""));
  for (const _ of lines) expect(await client.next()).toBe("OK");
  expect(pairs((await results())["by-net-bytes"]!)).toEqual([
    ["p", 50 * `${encoded("SET p 1")}+OK\r\n`.length],
  ]);
});
