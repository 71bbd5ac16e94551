import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { type Reply, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

let server: TestServer;
let client: RespClient;
beforeAll(async () => {
  server = await startServer(["--enable-debug-command", "yes"]);
  client = await RespClient.open(server.port);
});
beforeEach(async () => {
  await client.call("CONFIG", "SET", "slowlog-log-slower-than", "-1", "slowlog-max-len", "128");
  await client.call("SLOWLOG", "RESET");
});
afterAll(async () => {
  client.close();
  await server.stop();
});

const logEverything = () => client.call("CONFIG", "SET", "slowlog-log-slower-than", "0");
const newest = async () => ((await client.call("SLOWLOG", "GET", "1")) as Reply[][])[0]!;

test("an entry: id, time, duration, arguments, address, name", async () => {
  await client.call("CLIENT", "SETNAME", "me");
  await client.call("CONFIG", "SET", "slowlog-log-slower-than", "20000");
  await client.call("PING");
  await client.call("DEBUG", "SLEEP", "0.03");
  expect(await client.call("SLOWLOG", "LEN")).toBe(1);
  const [id, time, micros, args, address, name] = await newest();
  expect(id).toBeNumber();
  expect(Math.abs(Number(time) - Date.now() / 1000)).toBeLessThan(3);
  expect(micros).toBeGreaterThanOrEqual(29_000);
  expect(args).toEqual(["DEBUG", "SLEEP", "0.03"]);
  expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(name).toBe("me");
});

test("with a threshold of 0 cheap commands in a pipeline are entries of their own, the newest first", async () => {
  await logEverything();
  for (let i = 0; i < 5; i++) client.send("SET", "k", String(i));
  for (let i = 0; i < 5; i++) await client.next();
  const entries = (await client.call("SLOWLOG", "GET", "5")) as Reply[][];
  expect(entries.map((entry) => (entry[3] as string[])[2])).toEqual(["4", "3", "2", "1", "0"]);
});

test("long arguments and long lists of them are cut", async () => {
  await logEverything();
  await client.call("SET", "k", "A".repeat(129));
  expect((await newest())[3]).toEqual(["SET", "k", `${"A".repeat(128)}... (1 more bytes)`]);
  await client.call("DEL", ...Array.from({ length: 32 }, (_, i) => `k${i}`));
  const args = (await newest())[3] as string[];
  expect(args.length).toBe(32);
  expect(args.at(-2)).toBe("k29");
  expect(args.at(-1)).toBe("... (2 more arguments)");
});

test("secrets are not shown", async () => {
  await logEverything();
  await client.call("AUTH", "user", "password");
  expect((await newest())[3]).toEqual(["AUTH", "(redacted)", "(redacted)"]);
  await client.call("HELLO", "2", "AUTH", "user", "password");
  expect((await newest())[3]).toEqual(["HELLO", "2", "AUTH", "(redacted)", "(redacted)"]);
  await client.call("CONFIG", "SET", "masterauth", "secret", "timeout", "0");
  expect((await newest())[3]).toEqual(["CONFIG", "SET", "masterauth", "(redacted)", "timeout", "0"]);
});

test("no more than slowlog-max-len entries are kept", async () => {
  await client.call("CONFIG", "SET", "slowlog-max-len", "3");
  await logEverything();
  for (let i = 0; i < 10; i++) await client.call("PING");
  expect(await client.call("SLOWLOG", "LEN")).toBe(3);
  expect(((await client.call("SLOWLOG", "GET", "-1")) as Reply[]).length).toBe(3);
  expect(await client.call("SLOWLOG", "GET", "0")).toEqual([]);
});

test("COMMANDLOG: large requests, large replies, slow commands, each log by itself (Valkey)", async () => {
  const lengths = async () => [
    await client.call("COMMANDLOG", "LEN", "slow"),
    await client.call("COMMANDLOG", "LEN", "LARGE-REQUEST"),
    await client.call("COMMANDLOG", "LEN", "large-reply"),
  ];
  expect(await client.call("CONFIG", "GET", "commandlog-*-larger-than")).toEqual([
    ...["commandlog-request-larger-than", "1048576", "commandlog-reply-larger-than", "1048576"],
  ]);
  await client.call(
    "CONFIG",
    "SET",
    "commandlog-request-larger-than",
    "500",
    "commandlog-reply-larger-than",
    "1000",
  );
  await client.call("SET", "k", "x".repeat(400));
  await client.call("SET", "k", "x".repeat(2000));
  await client.call("GET", "k");
  await client.call("EVAL", "return #redis.call('GET', KEYS[1])", "1", "k");
  await client.call("MULTI");
  await client.call("GET", "k");
  await client.call("EXEC");
  expect(await lengths()).toEqual([0, 1, 2]);
  const [[, , bytes, args]] = (await client.call("COMMANDLOG", "GET", "-1", "large-request")) as [Reply[]];
  expect(bytes).toBeWithin(2000, 2050);
  expect(args).toEqual(["SET", "k", `${"x".repeat(128)}... (1872 more bytes)`]);
  const replies = (await client.call("COMMANDLOG", "GET", "10", "large-reply")) as Reply[][];
  expect(replies.map(([, , size, words]) => [size, words] as Reply[])).toEqual([
    [2009, ["GET", "k"]],
    [2009, ["GET", "k"]],
  ]);
  await client.call(
    "CONFIG",
    "SET",
    "commandlog-large-reply-max-len",
    "1",
    "commandlog-request-larger-than",
    "-1",
  );
  for (let i = 0; i < 3; i++) client.send("GET", "k");
  for (let i = 0; i < 3; i++) await client.next();
  await client.call("SET", "k", "x".repeat(2000));
  expect(await lengths()).toEqual([0, 1, 1]);
  await client.call("CONFIG", "SET", "commandlog-execution-slower-than", "0");
  await client.call("PING");
  expect(await client.call("SLOWLOG", "LEN")).toBeGreaterThan(0);
  await client.call("CONFIG", "SET", "slowlog-log-slower-than", "-1");
  for (const type of ["slow", "large-request", "large-reply"])
    expect(await client.call("COMMANDLOG", "RESET", type)).toBe("OK");
  expect(await lengths()).toEqual([0, 0, 0]);
  for (const [line, sentence] of [
    ["COMMANDLOG LEN fast", "ERR type should be one of the following: slow, large-request, large-reply"],
    ["COMMANDLOG GET -2 slow", "ERR count should be greater than or equal to -1"],
    ["COMMANDLOG GET x slow", "ERR count should be greater than or equal to -1"],
    ["COMMANDLOG GET 1", "ERR wrong number of arguments for 'commandlog|get' command"],
  ] as const)
    expect(await client.call(...line.split(" "))).toMatchObject({ message: sentence });
  expect(((await client.call("COMMANDLOG", "HELP")) as string[])[0]).toStartWith("COMMANDLOG <subcommand>");
  await client.call(
    "CONFIG",
    "SET",
    "commandlog-large-reply-max-len",
    "128",
    "commandlog-reply-larger-than",
    "1048576",
  );
});
