import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type Reply, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";
import { seeded } from "../unit/bytes/random.ts";

/**
 * Commands that arrive in one chunk are read and executed together (server/dispatcher.ts): whatever changes between
 * two of them has to count for the second.
 */
let server: TestServer;
let client: RespClient;
let other: RespClient;
beforeAll(async () => {
  server = await startServer(["--enable-debug-command", "yes"]);
  client = await RespClient.open(server.port);
  other = await RespClient.open(server.port);
});
beforeEach(async () => {
  await client.call("FLUSHALL");
});
afterAll(async () => {
  client.close();
  other.close();
  await server.stop();
});

const inline = (...lines: string[]) => lines.map((line) => `${line}\r\n`).join("");

/** Sends all lines in one write; gives as many replies. */
async function pipeline(lines: string[], replies = lines.length): Promise<Reply[]> {
  client.write(inline(...lines));
  const all: Reply[] = [];
  for (let i = 0; i < replies; i++) all.push(await client.next());
  return all;
}

const message = (reply: Reply | undefined) => (reply as { message: string }).message;

test("a database selected in between counts for what follows", async () => {
  const replies = await pipeline(["SET k zero", "SELECT 1", "SET k one", "GET k", "SELECT 0", "GET k"]);
  expect(replies).toEqual(["OK", "OK", "OK", "one", "OK", "zero"]);
});

test("SWAPDB in between", async () => {
  expect(await pipeline(["SET k zero", "SWAPDB 0 1", "GET k", "SET k new", "SWAPDB 0 1", "GET k"])).toEqual([
    "OK",
    "OK",
    null,
    "OK",
    "OK",
    "zero",
  ]);
});

test("MULTI in between queues what follows, EXEC ends that", async () => {
  expect(await pipeline(["SET k 1", "MULTI", "INCR k", "INCR k", "EXEC", "INCR k"])).toEqual([
    "OK",
    "OK",
    "QUEUED",
    "QUEUED",
    [2, 3],
    4,
  ]);
});

test("CLIENT REPLY in between", async () => {
  expect(await pipeline(["SET k 1", "CLIENT REPLY OFF", "INCR k", "CLIENT REPLY ON", "GET k"], 3)).toEqual([
    "OK",
    "OK",
    "2",
  ]);
  expect(await pipeline(["CLIENT REPLY SKIP", "INCR k", "INCR k"], 1)).toEqual([4]);
});

test("HELLO in between changes the protocol of what follows", async () => {
  expect(await pipeline(["HSET h f v", "HGETALL h", "HELLO 3", "HGETALL h", "HELLO 2"])).toEqual([
    1,
    ["f", "v"],
    expect.anything(),
    { f: "v" },
    expect.anything(),
  ]);
});

test("a user with fewer rights in between", async () => {
  await client.call("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+get", "+auth");
  const replies = await pipeline(["SET k 1", "AUTH reader pw", "GET k", "SET k 2"]);
  expect(replies.slice(0, 3)).toEqual(["OK", "OK", "1"]);
  expect(message(replies[3])).toMatch(/^NOPERM /);
  await client.call("AUTH", "default", "");
  expect(await client.call("GET", "k")).toBe("1");
});

test("maxmemory in between", async () => {
  const replies = await pipeline([
    "SET k 1",
    "CONFIG SET maxmemory 1",
    "SET k 2",
    "GET k",
    "CONFIG SET maxmemory 0",
  ]);
  expect(replies.slice(0, 2)).toEqual(["OK", "OK"]);
  expect(message(replies[2])).toMatch(/^OOM /);
  expect(replies.slice(3)).toEqual(["1", "OK"]);
});

test("a client that waits is served by the middle of a pipeline", async () => {
  other.send("BLPOP", "list", "0");
  while (!/blocked_clients:1/.test(await client.text("INFO", "clients")));
  expect(await pipeline(["SET k 1", "RPUSH list a b", "LPOP list", "LPOP list"])).toEqual([
    "OK",
    2,
    "b",
    null,
  ]);
  expect(await other.next()).toEqual(["list", "a"]);
});

test("a monitor sees every command of a pipeline, and a watched key is touched by it", async () => {
  await other.call("WATCH", "k");
  await pipeline(["GET k", "SET k 1", "GET k"]);
  await other.call("MULTI");
  await other.call("GET", "k");
  expect(await other.call("EXEC")).toBeNull();

  const monitor = await RespClient.open(server.port);
  await monitor.call("MONITOR");
  await pipeline(["SET k 1", "GET k", "INCR k"]);
  for (const command of ['"SET" "k" "1"', '"GET" "k"', '"INCR" "k"'])
    expect(String(await monitor.next())).toEndWith(command);
  monitor.close();
});

test("own keyspace messages come behind the reply of the command that led to them", async () => {
  await client.call("CONFIG", "SET", "notify-keyspace-events", "KEA");
  await client.call("HELLO", "3");
  await client.call("SUBSCRIBE", "__keyspace@0__:k");
  expect(await pipeline(["SET k 1", "INCR k", "GET k"], 5)).toEqual([
    "OK",
    ["message", "__keyspace@0__:k", "set"],
    2,
    ["message", "__keyspace@0__:k", "incrby"],
    "2",
  ]);
  await client.call("UNSUBSCRIBE");
  await client.call("HELLO", "2");
  await client.call("CONFIG", "SET", "notify-keyspace-events", "");
});

test("wrong arguments, wrong types and unknown names in the middle", async () => {
  const replies = await pipeline(["SET k v", "GET", "INCR k", "NOSUCH k", "GET k"]);
  expect(replies.map((reply) => (typeof reply === "object" ? message(reply) : reply))).toEqual([
    "OK",
    "ERR wrong number of arguments for 'get' command",
    "ERR value is not an integer or out of range",
    "ERR unknown command 'NOSUCH', with args beginning with: 'k' ",
    "v",
  ]);
  const stats = await client.text("INFO", "commandstats");
  expect(stats).toMatch(
    /cmdstat_get:calls=\d+,usec=\d+,usec_per_call=[\d.]+,rejected_calls=1,failed_calls=0/,
  );
});

test("the key found last is found again after it was removed, expired, renamed and made anew", async () => {
  expect(
    await pipeline([
      "SET k 1",
      "GET k",
      "DEL k",
      "GET k",
      "SET k 2",
      "RENAME k j",
      "GET k",
      "GET j",
      "SET k 3",
      "GET k",
    ]),
  ).toEqual(["OK", "1", 1, null, "OK", "OK", null, "2", "OK", "3"]);
  expect(await pipeline(["PEXPIREAT k 1", "GET k", "EXISTS k", "SET k 4", "GET k"])).toEqual([
    1,
    null,
    0,
    "OK",
    "4",
  ]);
  // Enough keys for segments of the index to split, and enough removals for them to merge.
  const keys = Array.from({ length: 5000 }, (_, i) => `key:${i}`);
  for (const key of keys) client.send("SET", key, key);
  for (const _ of keys) await client.next();
  for (const key of keys) client.send("GET", key);
  for (const key of keys) expect(await client.next()).toBe(key);
  for (const key of keys) {
    client.send("DEL", key);
    client.send("GET", key);
    client.send("GET", "k");
  }
  for (const _ of keys) {
    expect(await client.next()).toBe(1);
    expect(await client.next()).toBeNull();
    expect(await client.next()).toBe("4");
  }
});

describe("commands for one key whose table is so big that what they need of it is fetched ahead", () => {
  const FIELDS = 140_000;
  beforeEach(async () => {
    for (let from = 0; from < FIELDS; from += 1000) {
      const fields = Array.from({ length: 1000 }, (_, i) => `f${from + i}`);
      client.send("HSET", "h", ...fields.flatMap((field) => [field, field]));
      client.send("SADD", "s", ...fields);
    }
    for (let i = 0; i < (FIELDS / 1000) * 2; i++) expect(await client.next()).toBe(1000);
  });

  test("random commands beside a Map", async () => {
    const random = seeded("fields fetched ahead");
    const hash = new Map(Array.from({ length: FIELDS }, (_, i) => [`f${i}`, `f${i}`]));
    const set = new Set(hash.keys());
    for (let round = 0; round < 200; round++) {
      const commands: string[] = [];
      const expected: Reply[] = [];
      const add = (command: string, reply: Reply) => {
        commands.push(command);
        expected.push(reply);
      };
      const key = random.pick(["h", "s"]);
      for (let i = random.below(70); i >= 0; i--) {
        // Some twice in a batch, some that are not there.
        const field = `f${random.below(random.pick([20, 2 * FIELDS]))}`;
        const kind = random.below(4);
        if (key === "s") {
          if (kind === 0) add(`SADD s ${field}`, set.has(field) ? 0 : 1);
          else if (kind === 1) add(`SREM s ${field}`, set.has(field) ? 1 : 0);
          else add(`SISMEMBER s ${field}`, set.has(field) ? 1 : 0);
          if (kind === 0) set.add(field);
          if (kind === 1) set.delete(field);
        } else {
          if (kind === 0) add(`HSET h ${field} ${round}`, hash.has(field) ? 0 : 1);
          else if (kind === 1) add(`HDEL h ${field} nosuch`, hash.has(field) ? 1 : 0);
          else if (kind === 2) add(`HGET h ${field}`, hash.get(field) ?? null);
          else add("HLEN h", hash.size);
          if (kind === 0) hash.set(field, String(round));
          if (kind === 1) hash.delete(field);
        }
      }
      expect(await pipeline(commands)).toEqual(expected);
    }
    expect(await client.call("SCARD", "s")).toBe(set.size);
  });

  test("the key is deleted, made anew, and given to another in between", async () => {
    expect(
      await pipeline(["HGET h f7", "HSET h f7 new", "DEL h", "HGET h f7", "HSET h f7 again", "HGET h f7"]),
    ).toEqual(["f7", 0, 1, null, 1, "again"]);
    expect(
      await pipeline(["SISMEMBER s f7", "RENAME s f7", "SISMEMBER s f7", "SADD s f7", "SISMEMBER s f7"]),
    ).toEqual([1, "OK", 0, 1, 1]);
    expect(await client.call("SCARD", "f7")).toBe(FIELDS);
    expect(
      await pipeline(["SREM f7 f8", "SMOVE f7 s f9", "SISMEMBER f7 f9", "SREM f7 f9", "SCARD f7"]),
    ).toEqual([1, 1, 0, 0, FIELDS - 2]);
  });
});

test("many clients wait at one key for what is of different types: each is served once, in its turn", async () => {
  const waiting = await Promise.all(
    Array.from({ length: 120 }, async (_, i) => {
      const one = await RespClient.open(server.port);
      const zset = i % 3 === 2;
      return { one, zset, command: zset ? ["BZPOPMIN", "k", "0"] : ["BLPOP", "other", "k", "0"] };
    }),
  );
  for (const { one, command } of waiting) {
    one.send(...command);
    // One after the other, so that it is known who came first.
    const count = waiting.findIndex((entry) => entry.one === one) + 1;
    while (!new RegExp(`blocked_clients:${count}\r`).test(await client.text("INFO", "clients")));
  }
  const lists = waiting.filter(({ zset }) => !zset);
  const zsets = waiting.filter(({ zset }) => zset);
  const pushes = lists.map((_, i) => `RPUSH k v${i}`);
  expect(await pipeline(["SET k text", "DEL k", ...pushes.slice(0, 50)])).toEqual([
    "OK",
    1,
    ...Array(50).fill(1),
  ]);
  for (let i = 0; i < 50; i++) expect(await lists[i]!.one.next()).toEqual(["k", `v${i}`]);
  const adds = zsets.map((_, i) => `ZADD k ${i} m${i}`);
  expect(await pipeline(adds)).toEqual(adds.map(() => 1));
  for (const [i, { one }] of zsets.entries()) expect(await one.next()).toEqual(["k", `m${i}`, String(i)]);
  expect(
    await pipeline([
      `RPUSH k ${pushes
        .slice(50)
        .map((push) => push.slice(8))
        .join(" ")} rest`,
      "LRANGE k 0 -1",
    ]),
  ).toEqual([lists.length - 50 + 1, ["rest"]]);
  for (let i = 50; i < lists.length; i++) expect(await lists[i]!.one.next()).toEqual(["k", `v${i}`]);
  expect(await client.text("INFO", "clients")).toContain("blocked_clients:0");
  for (const { one } of waiting) one.close();
});
