import { afterAll, beforeAll, expect, test } from "bun:test";
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

test("nothing is noted while the threshold is 0", async () => {
  await client.call("DEBUG", "SLEEP", "0.02");
  expect(await client.call("LATENCY", "LATEST")).toEqual([]);
  expect(await client.text("LATENCY", "DOCTOR")).toContain("latency-monitor-threshold");
});

test("slow commands are noted once a second, with their maximum", async () => {
  await client.call("CONFIG", "SET", "latency-monitor-threshold", "20");
  await client.call("DEBUG", "SLEEP", "0.03");
  await Bun.sleep(1000);
  await client.call("DEBUG", "SLEEP", "0.06");
  const history = (await client.call("LATENCY", "HISTORY", "command")) as number[][];
  expect(history.length).toBe(2);
  expect(history[0]![1]).toBeWithin(30, 50);
  expect(history[1]![1]).toBeWithin(60, 90);
  const [[event, time, latest, max]] = (await client.call("LATENCY", "LATEST")) as [
    [string, number, number, number],
  ];
  expect([event, time, latest]).toEqual(["command", history[1]![0]!, history[1]![1]!]);
  expect(max).toBe(latest);
});

test("GRAPH draws a bar a sample, DOCTOR tells of the event", async () => {
  const graph = await client.text("LATENCY", "GRAPH", "command");
  const lines = graph.split("\n");
  expect(lines[0]).toMatch(/^command - high \d+ ms, low \d+ ms \(all time high \d+ ms\)$/);
  expect(lines[1]).toBe("-".repeat(80));
  expect(lines.slice(2, 6)).toEqual([" #", " |", " |", "_|"]);
  expect(lines.slice(7, 9)).toEqual([expect.stringMatching(/^\d0$/), "ss"]);
  expect(await client.text("LATENCY", "DOCTOR")).toContain("1. command: 2 latency spikes (average ");
  expect(await client.call("LATENCY", "GRAPH", "nosuch")).toEqual(
    new ReplyError("ERR No samples available for event 'nosuch'"),
  );
});

test("RESET forgets, by name in any case", async () => {
  expect(await client.call("LATENCY", "RESET", "nosuch", "COMMAND")).toBe(1);
  expect(await client.call("LATENCY", "LATEST")).toEqual([]);
  await client.call("CONFIG", "SET", "latency-monitor-threshold", "0");
});

test("HISTOGRAM: cumulative, of commands and of a container's subcommands", async () => {
  await client.call("HELLO", "3");
  await client.call("CONFIG", "RESETSTAT");
  await client.call("SET", "a", "b");
  await client.call("SET", "c", "d");
  await client.call("CLIENT", "ID");
  const some = (await client.call("LATENCY", "HISTOGRAM", "set", "nosuch", "client")) as Record<
    string,
    { calls: number; histogram_usec: Record<string, number> }
  >;
  expect(Object.keys(some)).toEqual(["set", "client|id"]);
  expect(some.set!.calls).toBe(2);
  const counts = Object.values(some.set!.histogram_usec);
  expect(counts.at(-1)).toBe(2);
  expect(counts).toEqual([...counts].sort((a, b) => a - b));
  expect(Object.keys((await client.call("LATENCY", "HISTOGRAM")) as object)).toContain("config|resetstat");
});
