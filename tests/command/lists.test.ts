/** Lists over a socket: what waits and is served, in which order, and what a list holds when commands fail. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { ReplyError, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

let server: TestServer;
let client: RespClient;
const others: RespClient[] = [];

beforeAll(async () => {
  server = await startServer(["--enable-debug-command", "yes"]);
  client = await RespClient.open(server.port);
});

beforeEach(async () => {
  for (const other of others.splice(0)) other.close();
  await free(0);
  await client.call("FLUSHALL");
});

afterAll(async () => {
  for (const other of others) other.close();
  client.close();
  await server.stop();
});

/** A client that has sent this command and waits. */
async function waiting(...args: string[]): Promise<RespClient> {
  const other = await RespClient.open(server.port);
  others.push(other);
  const before = await blocked();
  other.send(...args);
  while ((await blocked()) === before);
  return other;
}

async function blocked(): Promise<number> {
  return Number(/blocked_clients:(\d+)/.exec(await client.text("INFO", "clients"))![1]);
}

async function free(count: number): Promise<void> {
  while ((await blocked()) !== count);
}

const LONG = "x".repeat(70);

test("every command with its replies", async () => {
  expect(await client.call("RPUSH", "l", "a", "1", LONG)).toBe(3);
  expect(await client.call("LPUSH", "l", "z")).toBe(4);
  expect(await client.call("LRANGE", "l", "0", "-1")).toEqual(["z", "a", "1", LONG]);
  expect(await client.call("LPUSHX", "nothing", "z")).toBe(0);
  expect(await client.call("RPUSHX", "l", "end")).toBe(5);
  expect(await client.call("LLEN", "l")).toBe(5);
  expect(await client.call("LINDEX", "l", "2")).toBe("1");
  expect(await client.call("LINDEX", "l", "9")).toBeNull();
  expect(await client.call("LSET", "l", "-1", "last")).toBe("OK");
  expect(await client.call("LINSERT", "l", "BEFORE", "a", "b")).toBe(6);
  expect(await client.call("LPOS", "l", "last")).toBe(5);
  expect(await client.call("LPOS", "l", "a", "COUNT", "0")).toEqual([2]);
  expect(await client.call("LREM", "l", "0", "b")).toBe(1);
  expect(await client.call("LMOVE", "l", "m", "LEFT", "RIGHT")).toBe("z");
  expect(await client.call("RPOPLPUSH", "l", "m")).toBe("last");
  expect(await client.call("LMPOP", "2", "nothing", "m", "LEFT", "COUNT", "5")).toEqual(["m", ["last", "z"]]);
  expect(await client.call("LTRIM", "l", "0", "1")).toBe("OK");
  expect(await client.call("LPOP", "l")).toBe("a");
  expect(await client.call("RPOP", "l", "3")).toEqual(["1"]);
  expect(await client.call("EXISTS", "l", "m")).toBe(0);
  expect(await client.call("BLPOP", "l", "m", "0.01")).toBeNull();
  expect(await client.call("BLMOVE", "l", "m", "LEFT", "LEFT", "0.01")).toBeNull();
  await client.call("RPUSH", "l", "3", "1", "2");
  expect(await client.call("SORT", "l", "DESC")).toEqual(["3", "2", "1"]);
  expect(await client.call("SORT_RO", "l", "LIMIT", "0", "1")).toEqual(["1"]);
});

test("a command that fails leaves the list as it is", async () => {
  await client.call("RPUSH", "l", "a", "b");
  await client.call("SET", "s", "text");
  const failing: [string[], string][] = [
    [["LSET", "l", "5", "x"], "ERR index out of range"],
    [["LSET", "l", "x", "x"], "ERR value is not an integer or out of range"],
    [["LSET", "nothing", "0", "x"], "ERR no such key"],
    [["LINSERT", "l", "beside", "a", "x"], "ERR syntax error"],
    [["LPOP", "l", "-1"], "ERR value is out of range, must be positive"],
    [
      ["LMOVE", "l", "s", "LEFT", "LEFT"],
      "WRONGTYPE Operation against a key holding the wrong kind of value",
    ],
    [["LMPOP", "0", "l", "LEFT"], "ERR numkeys should be greater than 0"],
    [["LMPOP", "1", "l", "LEFT", "COUNT", "0"], "ERR count should be greater than 0"],
    [["BLPOP", "l", "-1"], "ERR timeout is negative"],
    [["BLPOP", "l", "x"], "ERR timeout is not a float or out of range"],
    [["SORT", "l"], "ERR One or more scores can't be converted into double"],
    [["SORT", "l", "STORE", "l"], "ERR One or more scores can't be converted into double"],
    [["SORT", "l", "BY", "w_*", "LIMIT", "0"], "ERR syntax error"],
  ];
  for (const [args, message] of failing) {
    const reply = await client.call(...args);
    expect(reply).toBeInstanceOf(ReplyError);
    expect((reply as ReplyError).message).toBe(message);
    expect(await client.call("LRANGE", "l", "0", "-1")).toEqual(["a", "b"]);
  }
  await client.call("RPUSH", "w", "1e999");
  expect(await client.call("SORT", "w")).toBeInstanceOf(ReplyError);
});

test("those who wait are served in the order in which they came, one element each", async () => {
  const first = await waiting("BLPOP", "l", "0");
  const second = await waiting("BRPOP", "m", "l", "0");
  const third = await waiting("BLMPOP", "0", "1", "l", "LEFT", "COUNT", "5");
  expect(await client.call("RPUSH", "l", "a", "b", "c", "d")).toBe(4);
  expect(await first.next()).toEqual(["l", "a"]);
  expect(await second.next()).toEqual(["l", "d"]);
  expect(await third.next()).toEqual(["l", ["b", "c"]]);
  expect(await client.call("EXISTS", "l")).toBe(0);
});

test("one element serves one of them, the others wait on", async () => {
  const first = await waiting("BLPOP", "l", "0");
  const second = await waiting("BLPOP", "l", "0");
  await client.call("LPUSH", "l", "only");
  expect(await first.next()).toEqual(["l", "only"]);
  await free(1);
  await client.call("LPUSH", "l", "next");
  expect(await second.next()).toEqual(["l", "next"]);
});

test("moved elements serve those who wait for the target", async () => {
  const taker = await waiting("BLPOP", "target", "0");
  const mover = await waiting("BLMOVE", "source", "target", "LEFT", "RIGHT", "0");
  await client.call("RPUSH", "source", "x");
  expect(await mover.next()).toBe("x");
  expect(await taker.next()).toEqual(["target", "x"]);
  const chain = await waiting("BRPOPLPUSH", "a", "b", "0");
  const end = await waiting("BRPOPLPUSH", "b", "c", "0");
  await client.call("LPUSH", "a", "through");
  expect(await chain.next()).toBe("through");
  expect(await end.next()).toBe("through");
  expect(await client.call("LRANGE", "c", "0", "-1")).toEqual(["through"]);
});

test("the keys are tried in the order in which they are named", async () => {
  const other = await waiting("BLPOP", "a", "b", "0");
  await client.call("MULTI");
  await client.call("LPUSH", "b", "1");
  await client.call("LPUSH", "a", "2");
  await client.call("EXEC");
  expect(await other.next()).toEqual(["a", "2"]);
  expect(await client.call("LRANGE", "b", "0", "-1")).toEqual(["1"]);
});

test("whatever makes a list appear serves them", async () => {
  const makers: string[][][] = [
    [["RPUSH", "l", "x"]],
    [
      ["RPUSH", "other", "x"],
      ["RENAME", "other", "l"],
    ],
    [
      ["RPUSH", "other", "x"],
      ["COPY", "other", "l"],
    ],
    [
      ["RPUSH", "other", "x"],
      ["LMOVE", "other", "l", "LEFT", "LEFT"],
    ],
    [
      ["RPUSH", "other", "1"],
      ["SORT", "other", "STORE", "l"],
    ],
  ];
  for (const commands of makers) {
    const other = await waiting("BLPOP", "l", "0");
    for (const args of commands) await client.call(...args);
    expect(await other.next()).toEqual(["l", expect.any(String)]);
    await client.call("FLUSHALL");
  }
});

test("a list of another database, a string, a list made and emptied at once serve nobody", async () => {
  const other = await waiting("BLPOP", "l", "0");
  await client.call("SELECT", "1");
  await client.call("RPUSH", "l", "x");
  await client.call("SELECT", "0");
  await client.call("SET", "l", "text");
  await client.call("DEL", "l");
  await client.call("MULTI");
  await client.call("RPUSH", "l", "x");
  await client.call("DEL", "l");
  await client.call("EXEC");
  expect(await blocked()).toBe(1);
  await client.call("RPUSH", "l", "at last");
  expect(await other.next()).toEqual(["l", "at last"]);
});

test("the target of a waiting BLMOVE has become a string", async () => {
  const other = await waiting("BLMOVE", "l", "target", "LEFT", "LEFT", "0");
  await client.call("SET", "target", "text");
  await client.call("RPUSH", "l", "stays");
  const reply = await other.next();
  expect((reply as ReplyError).message).toStartWith("WRONGTYPE");
  expect(await client.call("LRANGE", "l", "0", "-1")).toEqual(["stays"]);
});

test("timeouts, and CLIENT UNBLOCK", async () => {
  const other = await RespClient.open(server.port);
  others.push(other);
  const id = String(await other.call("CLIENT", "ID"));
  const start = performance.now();
  expect(await other.call("BLPOP", "l", "0.05")).toBeNull();
  expect(performance.now() - start).toBeGreaterThanOrEqual(49);
  other.send("BLMPOP", "0", "1", "l", "LEFT");
  await free(1);
  expect(await client.call("CLIENT", "UNBLOCK", id)).toBe(1);
  expect(await other.next()).toBeNull();
  other.send("BLMOVE", "l", "m", "LEFT", "LEFT", "0");
  await free(1);
  expect(await client.call("CLIENT", "UNBLOCK", id, "ERROR")).toBe(1);
  expect((await other.next()) as ReplyError).toBeInstanceOf(ReplyError);
  expect(await other.call("LPUSH", "l", "goes on")).toBe(1);
});

test("nobody waits in a transaction", async () => {
  await client.call("MULTI");
  await client.call("BLPOP", "l", "0");
  await client.call("BLMOVE", "l", "m", "LEFT", "LEFT", "0");
  await client.call("BLMPOP", "0", "1", "l", "LEFT");
  expect(await client.call("EXEC")).toEqual([null, null, null]);
});

test("a list of 100,000 elements goes and comes back as it was", async () => {
  const values = Array.from({ length: 100_000 }, (_, i) => (i % 3 === 0 ? String(i * 7919) : `element:${i}`));
  for (let i = 0; i < values.length; i += 1000) client.send("RPUSH", "l", ...values.slice(i, i + 1000));
  for (let i = 0; i < values.length; i += 1000) await client.next();
  expect(await client.call("LRANGE", "l", "0", "-1")).toEqual(values);
  expect(await client.call("LINDEX", "l", "50000")).toBe(values[50_000]!);
  expect(await client.call("LPOP", "l", "100000")).toEqual(values);
  expect(await client.call("EXISTS", "l")).toBe(0);
});
