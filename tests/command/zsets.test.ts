/** Sorted sets over a socket: replies of both protocols, encodings, scans, and what waits and is served. */
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
  await client.call("HELLO", "2");
  await client.call("CONFIG", "SET", "zset-max-listpack-entries", "128");
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

const call = (line: string) => client.call(...line.split(" "));

async function failure(line: string): Promise<string> {
  const reply = await call(line);
  if (!(reply instanceof ReplyError)) throw new Error(`${line}: ${JSON.stringify(reply)}`);
  return reply.message;
}

test("every command with its replies", async () => {
  expect(await call("ZADD z 1 a 2 b 3 c")).toBe(3);
  expect(await call("ZADD z CH XX 5 a 9 nobody")).toBe(1);
  expect(await call("ZADD z INCR 1.5 b")).toBe("3.5");
  expect(await call("ZADD z NX INCR 1.5 b")).toBeNull();
  expect(await call("ZINCRBY z -1 a")).toBe("4");
  expect(await call("ZCARD z")).toBe(3);
  expect(await call("ZCOUNT z (3 4")).toBe(2);
  expect(await call("ZSCORE z b")).toBe("3.5");
  expect(await call("ZMSCORE z b nobody")).toEqual(["3.5", null]);
  expect(await call("ZRANK z b")).toBe(1);
  expect(await call("ZREVRANK z b WITHSCORE")).toEqual([1, "3.5"]);
  expect(await call("ZRANGE z 0 -1 WITHSCORES")).toEqual(["c", "3", "b", "3.5", "a", "4"]);
  expect(await call("ZREVRANGE z 0 1")).toEqual(["a", "b"]);
  expect(await call("ZRANGEBYSCORE z 3 (4 LIMIT 1 5")).toEqual(["b"]);
  expect(await call("ZREVRANGEBYSCORE z +inf 3.5")).toEqual(["a", "b"]);
  expect(await call("ZRANGE z +inf -inf BYSCORE REV LIMIT 1 1")).toEqual(["b"]);
  expect(await call("ZRANGESTORE d z 0 1 REV")).toBe(2);
  expect(await call("ZUNIONSTORE u 2 z d WEIGHTS 1 2")).toBe(3);
  expect(await call("ZINTERSTORE i 2 z d AGGREGATE MAX")).toBe(2);
  expect(await call("ZDIFFSTORE e 2 z d")).toBe(1);
  expect(await call("ZUNION 2 z d")).toEqual(["c", "b", "a"]);
  expect(await call("ZINTER 2 z d WITHSCORES")).toEqual(["b", "7", "a", "8"]);
  expect(await call("ZDIFF 2 z d")).toEqual(["c"]);
  expect(await call("ZINTERCARD 2 z d LIMIT 1")).toBe(1);
  expect(await call("ZRANDMEMBER e -2 WITHSCORES")).toEqual(["c", "3", "c", "3"]);
  expect(await call("ZSCAN z 0")).toEqual(["0", ["c", "3", "b", "3.5", "a", "4"]]);
  expect(await call("ZADD lex 0 a 0 b 0 c")).toBe(3);
  expect(await call("ZRANGEBYLEX lex [b +")).toEqual(["b", "c"]);
  expect(await call("ZREVRANGEBYLEX lex + [b")).toEqual(["c", "b"]);
  expect(await call("ZLEXCOUNT lex - (c")).toBe(2);
  expect(await call("ZREMRANGEBYLEX lex [a [b")).toBe(2);
  expect(await call("ZREM z a nobody")).toBe(1);
  expect(await call("ZREMRANGEBYRANK u 0 0")).toBe(1);
  expect(await call("ZREMRANGEBYSCORE u -inf 1000")).toBe(2);
  expect(await call("EXISTS u")).toBe(0);
  expect(await call("ZPOPMIN z")).toEqual(["c", "3"]);
  expect(await call("ZPOPMAX z 5")).toEqual(["b", "3.5"]);
  expect(await call("ZMPOP 2 z i MAX COUNT 9")).toEqual([
    "i",
    [
      ["a", "4"],
      ["b", "3.5"],
    ],
  ]);
});

test("RESP3: scores are doubles, pairs are nested", async () => {
  await call("HELLO 3");
  await call("ZADD z 1 a 2.5 b inf c");
  expect(await call("ZSCORE z b")).toBe(2.5);
  expect(await call("ZRANGE z 0 1 WITHSCORES")).toEqual([
    ["a", 1],
    ["b", 2.5],
  ]);
  expect(await call("ZRANK z b WITHSCORE")).toEqual([1, 2.5]);
  expect(await call("ZUNION 1 z WITHSCORES")).toHaveLength(3);
  expect(await call("ZPOPMIN z")).toEqual(["a", 1]);
  expect(await call("ZPOPMIN z 1")).toEqual([["b", 2.5]]);
  expect(await call("ZSCAN z 0")).toEqual(["0", ["c", "inf"]]);
  expect(await call("ZRANDMEMBER z 1 WITHSCORES")).toHaveLength(1);
  await call("ZADD z 1 a");
  expect(await call("BZPOPMIN z 0")).toEqual(["z", "a", 1]);
});

test("bad input leaves the key as it was", async () => {
  await call("ZADD z 1 a inf b");
  await call("SET s text");
  expect(await failure("ZADD z x a")).toBe("ERR value is not a valid float");
  expect(await failure("ZADD z 1 c nan d")).toBe("ERR value is not a valid float");
  expect(await failure("ZINCRBY z -inf b")).toBe("ERR resulting score is not a number (NaN)");
  expect(await failure("ZADD z NX XX 1 a")).toBe("ERR XX and NX options at the same time are not compatible");
  expect(await failure("ZADD z GT LT 1 a")).toBe(
    "ERR GT, LT, and/or NX options at the same time are not compatible",
  );
  expect(await failure("ZADD z INCR 1 a 2 b")).toBe(
    "ERR INCR option supports a single increment-element pair",
  );
  expect(await failure("ZRANGEBYSCORE z a b")).toBe("ERR min or max is not a float");
  expect(await failure("ZRANGEBYLEX z a b")).toBe("ERR min or max not valid string range item");
  expect(await failure("ZUNION 0 z")).toBe("ERR at least 1 input key is needed for 'zunion' command");
  expect(await failure("ZPOPMIN z -1")).toBe("ERR value is out of range, must be positive");
  for (const line of ["ZADD s 1 a", "ZCARD s", "ZRANGE s 0 -1", "ZREM s a", "ZPOPMIN s", "ZUNION 1 s"])
    expect(await failure(line)).toBe("WRONGTYPE Operation against a key holding the wrong kind of value");
  expect(await call("ZRANGE z 0 -1 WITHSCORES")).toEqual(["a", "1", "b", "inf"]);
  expect(await call("GET s")).toBe("text");
});

test("limits changed at run time hold from the next command on", async () => {
  const encoding = () => call("OBJECT ENCODING z");
  await call("ZADD z 1 a 2 b 3 c");
  expect(await encoding()).toBe("listpack");
  await call("CONFIG SET zset-max-listpack-entries 3");
  await call("ZADD z 4 a");
  expect(await encoding()).toBe("listpack");
  await call("ZADD z 4 d");
  expect(await encoding()).toBe("skiplist");
  await call("CONFIG SET zset-max-listpack-entries 128 zset-max-listpack-value 3");
  await call("DEL z");
  await call("ZADD z 1 abc");
  expect(await encoding()).toBe("listpack");
  await call("ZADD z 1 abcd");
  expect(await encoding()).toBe("skiplist");
  await call("CONFIG SET zset-max-listpack-value 64");
});

test("a large set in one key, scanned, sampled, copied and removed", async () => {
  const count = 20_000;
  for (let from = 0; from < count; from += 1000) {
    const pairs = Array.from({ length: 1000 }, (_, i) => [String(from + i), `member:${from + i}`]).flat();
    await client.call("ZADD", "z", ...pairs);
  }
  expect(await call("ZCARD z")).toBe(count);
  expect(await call("ZRANGE z 12345 12346")).toEqual(["member:12345", "member:12346"]);
  expect(await call("ZREVRANK z member:0")).toBe(count - 1);
  const seen = new Set<string>();
  let cursor = "0";
  let calls = 0;
  do {
    const [next, found] = (await call(`ZSCAN z ${cursor} COUNT 100`)) as [string, string[]];
    for (let i = 0; i < found.length; i += 2) {
      expect(found[i]).toBe(`member:${found[i + 1]}`);
      seen.add(found[i]!);
    }
    cursor = next;
    calls++;
  } while (cursor !== "0");
  expect(seen.size).toBe(count);
  expect(calls).toBeGreaterThan(100);
  for (const wanted of [10, 10_000]) {
    const drawn = (await call(`ZRANDMEMBER z ${wanted}`)) as string[];
    expect(new Set(drawn).size).toBe(wanted);
  }
  expect(await call("COPY z copy")).toBe(1);
  expect(await call("ZREMRANGEBYRANK z 100 -101")).toBe(count - 200);
  expect(await call("ZRANGE z 99 100")).toEqual(["member:99", `member:${count - 100}`]);
  expect(await call("ZCARD copy")).toBe(count);
  expect(await call("DEL z copy")).toBe(2);
});

test("waiting clients are served in the order in which they came", async () => {
  const first = await waiting("BZPOPMIN", "none", "z", "0");
  const second = await waiting("BZPOPMAX", "z", "0");
  const third = await waiting("BZMPOP", "0", "2", "z", "none", "MIN", "COUNT", "5");
  expect(await call("ZADD z 1 a 2 b 3 c 4 d")).toBe(4);
  expect(await first.next()).toEqual(["z", "a", "1"]);
  expect(await second.next()).toEqual(["z", "d", "4"]);
  expect(await third.next()).toEqual([
    "z",
    [
      ["b", "2"],
      ["c", "3"],
    ],
  ]);
  expect(await call("EXISTS z")).toBe(0);
});

test("what makes a sorted set wakes those who wait for it, another type does not", async () => {
  await call("ZADD src 1 a");
  for (const line of [
    "ZUNIONSTORE z 1 src",
    "ZRANGESTORE z src 0 -1",
    "ZINCRBY z 1 a",
    "COPY src z",
    "GEOADD z 0 0 a",
  ]) {
    const other = await waiting("BZPOPMIN", "z", "0");
    await call("RPUSH z list");
    await call("DEL z");
    await call(line);
    expect(await other.next()).toEqual(["z", "a", expect.any(String)]);
  }
});

test("a timeout replies with null, in MULTI at once", async () => {
  const other = await waiting("BZPOPMIN", "z", "0.05");
  expect(await other.next()).toBeNull();
  await call("MULTI");
  await call("BZPOPMAX z 0");
  await call("BZMPOP 0 1 z MIN");
  expect(await call("EXEC")).toEqual([null, null]);
  expect(await failure("BZPOPMIN z -1")).toBe("ERR timeout is negative");
  expect(await failure("BZPOPMIN z x")).toBe("ERR timeout is not a float or out of range");
});
