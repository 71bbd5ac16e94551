/** MIGRATE between two servers, and to and from a real redis-server; who waits meanwhile; what goes wrong. */
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { describeWithOracle, startOracle } from "../oracle.ts";
import { fieldsOf, ReplyError, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

// Many starts of a server, on machines that may be busy.
setDefaultTimeout(30_000);

let source: TestServer;
let target: TestServer;
let here: RespClient;
let there: RespClient;
const opened: RespClient[] = [];
const silent: Bun.TCPSocketListener[] = [];

beforeAll(async () => {
  source = await startServer(["--appendonly", "yes", "--enable-debug-command", "yes"]);
  target = await startServer();
  here = await RespClient.open(source.port);
  there = await RespClient.open(target.port);
});

afterEach(async () => {
  for (const client of opened.splice(0)) client.close();
  for (const listener of silent.splice(0)) listener.stop(true);
  for (const client of [here, there]) await client.call("FLUSHALL");
});

afterAll(async () => {
  await source.stop();
  await target.stop();
});

async function client(port: number): Promise<RespClient> {
  const opening = await RespClient.open(port);
  opened.push(opening);
  return opening;
}

function migrate(...rest: string[]): string[] {
  return ["MIGRATE", "127.0.0.1", String(target.port), ...rest];
}

/** A target that answers as it is told to: `reply` is called with what has been received so far. */
function pretend(reply: (socket: Bun.Socket, received: string) => void): number {
  const received = new WeakMap<object, string>();
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data: (socket, chunk) => {
        const all = (received.get(socket) ?? "") + chunk.toString("latin1");
        received.set(socket, all);
        reply(socket, all);
      },
    },
  });
  silent.push(listener);
  return listener.port;
}

/** Answers SELECT, and RESTORE when `release` is called. */
function pretendSlow(): { port: number; asked: Promise<void>; release: () => void } {
  let tell: () => void;
  let release = (): void => {};
  const asked = new Promise<void>((resolve) => {
    tell = resolve;
  });
  let selected = false;
  const port = pretend((socket, all) => {
    if (all.includes("SELECT") && !selected) {
      selected = true;
      socket.write("+OK\r\n");
    }
    if (!all.includes("RESTORE")) return;
    release = () => socket.write("+OK\r\n");
    tell();
  });
  return { port, asked, release: () => release() };
}

function error(reply: unknown): string {
  expect(reply).toBeInstanceOf(ReplyError);
  return (reply as ReplyError).message;
}

describe("moving", () => {
  test("a key goes with its value and expiry, and is gone here", async () => {
    await here.call("RPUSH", "list", "a", "b", "c");
    await here.call("PEXPIRE", "list", "100000");
    expect(await here.call(...migrate("list", "9", "5000"))).toBe("OK");
    expect(await here.call("EXISTS", "list")).toBe(0);
    expect(await there.call("EXISTS", "list")).toBe(0);
    await there.call("SELECT", "9");
    expect(await there.call("LRANGE", "list", "0", "-1")).toEqual(["a", "b", "c"]);
    const ttl = (await there.call("PTTL", "list")) as number;
    expect(ttl).toBeGreaterThan(90_000);
    expect(ttl).toBeLessThanOrEqual(100_000);
    await there.call("SELECT", "0");
  });

  test("several keys, those that exist", async () => {
    await here.call("MSET", "a", "1", "b", "2", "c", "3");
    expect(await here.call(...migrate("", "0", "5000", "KEYS", "x", "y"))).toBe("NOKEY");
    expect(await here.call(...migrate("", "0", "5000", "KEYS", "x", "a", "y", "b", "c"))).toBe("OK");
    expect(await here.call("DBSIZE")).toBe(0);
    expect(await there.call("MGET", "a", "b", "c")).toEqual(["1", "2", "3"]);
  });

  test("more than a socket takes at once", async () => {
    const elements = Array.from({ length: 10_000 }, (_, i) => `element number ${i}`);
    for (let i = 0; i < 40; i++) await here.call("RPUSH", "big", ...elements);
    for (let i = 0; i < 2000; i++) await here.call("SET", `small:${i}`, "x".repeat(100));
    const digest = await here.call("DEBUG", "DIGEST-VALUE", "big");
    const keys = ["big", ...Array.from({ length: 2000 }, (_, i) => `small:${i}`)];
    expect(await here.call(...migrate("", "0", "20000", "KEYS", ...keys))).toBe("OK");
    expect(await here.call("DBSIZE")).toBe(0);
    expect(await there.call("DBSIZE")).toBe(2001);
    expect(await there.call("LLEN", "big")).toBe(400_000);
    // And back, to compare.
    const back = ["MIGRATE", "127.0.0.1", String(source.port), "big", "0", "20000"];
    expect(await there.call(...back)).toBe("OK");
    expect(await here.call("DEBUG", "DIGEST-VALUE", "big")).toEqual(digest);
  }, 30_000);

  test("COPY leaves it, REPLACE overwrites, and without it the target's error comes back", async () => {
    await here.call("SET", "key", "new");
    await there.call("SET", "key", "old");
    expect(error(await here.call(...migrate("key", "0", "5000", "COPY")))).toBe(
      "ERR Target instance replied with error: BUSYKEY Target key name already exists.",
    );
    expect(await there.call("GET", "key")).toBe("old");
    expect(await here.call(...migrate("key", "0", "5000", "COPY", "REPLACE"))).toBe("OK");
    expect(await here.call("GET", "key")).toBe("new");
    expect(await there.call("GET", "key")).toBe("new");
  });

  test("of many, those that the target refuses stay", async () => {
    await here.call("MSET", "a", "1", "b", "2", "c", "3", "d", "4");
    await there.call("MSET", "b", "_", "d", "_");
    const reply = await here.call(...migrate("", "0", "5000", "KEYS", "a", "b", "c", "d"));
    expect(error(reply)).toContain("BUSYKEY");
    expect(await here.call("MGET", "a", "b", "c", "d")).toEqual([null, "2", null, "4"]);
    expect(await there.call("MGET", "a", "b", "c", "d")).toEqual(["1", "_", "3", "_"]);
  });

  test("a database that the target does not have: nothing is moved, nor put elsewhere", async () => {
    await here.call("SET", "key", "value");
    expect(error(await here.call(...migrate("key", "99", "5000")))).toBe(
      "ERR Target instance replied with error: ERR DB index is out of range",
    );
    expect(await here.call("GET", "key")).toBe("value");
    expect(await there.call("DBSIZE")).toBe(0);
  });

  test("AUTH and AUTH2", async () => {
    const guarded = await startServer(["--requirepass", "secret"]);
    try {
      const to = (...rest: string[]): string[] => ["MIGRATE", "127.0.0.1", String(guarded.port), ...rest];
      await here.call("MSET", "a", "1", "b", "2");
      expect(error(await here.call(...to("a", "0", "5000")))).toContain("NOAUTH");
      expect(error(await here.call(...to("a", "0", "5000", "AUTH", "wrong")))).toContain("WRONGPASS");
      expect(await here.call(...to("a", "0", "5000", "AUTH", "secret"))).toBe("OK");
      // The connection that has logged in does not serve who has not.
      expect(error(await here.call(...to("b", "0", "5000")))).toContain("NOAUTH");
      expect(await here.call(...to("b", "0", "5000", "AUTH2", "default", "secret"))).toBe("OK");
    } finally {
      await guarded.stop();
    }
  });

  test("the AOF has the deletion, and nothing of MIGRATE", async () => {
    await here.call("MSET", "a", "1", "b", "2");
    expect(await here.call(...migrate("", "0", "5000", "KEYS", "a", "b"))).toBe("OK");
    expect(await here.call("DEBUG", "LOADAOF")).toBe("OK");
    expect(await here.call("DBSIZE")).toBe(0);
    const statistics = fieldsOf(await here.text("INFO", "commandstats"));
    expect(statistics.cmdstat_migrate).toStartWith("calls=");
  });
});

describe("arguments", () => {
  test("Redis's sentences", async () => {
    const to = (...rest: string[]): string[] => ["MIGRATE", "127.0.0.1", "1", ...rest];
    expect(error(await here.call(...to("k", "0", "10", "KEYS", "a")))).toBe(
      "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
    );
    expect(error(await here.call(...to("k", "0", "10", "AUTH")))).toBe("ERR syntax error");
    expect(error(await here.call(...to("k", "0", "10", "AUTH2", "a")))).toBe("ERR syntax error");
    expect(error(await here.call(...to("k", "0", "x")))).toBe("ERR value is not an integer or out of range");
    expect(await here.call(...to("k", "0", "10"))).toBe("NOKEY");
    expect(await here.call(...to("", "0", "10", "KEYS"))).toBe("NOKEY");
  });

  test("in a transaction and in a script it happens at once, and nothing else meanwhile", async () => {
    await here.call("SET", "key", "value", "PX", "1000000");
    await here.call("RPUSH", "list", ...Array.from({ length: 5000 }, (_, i) => `element ${i}`));
    const other = await client(source.port);
    await here.call("MULTI");
    await here.call("APPEND", "key", "!");
    await here.call(...migrate("", "3", "10000", "KEYS", "key", "list", "nosuch"));
    await here.call("EXISTS", "key", "list");
    here.send("EXEC");
    const after = other.call("SET", "key", "another one");
    expect(await here.next()).toEqual([6, "OK", 0]);
    expect(await after).toBe("OK");
    await there.call("SELECT", "3");
    expect(await there.call("GET", "key")).toBe("value!");
    expect(Number(await there.call("PTTL", "key"))).toBeGreaterThan(900_000);
    expect(await there.call("LLEN", "list")).toBe(5000);
    const script = "return redis.call('MIGRATE', ARGV[1], ARGV[2], KEYS[1], '3', '10000', 'REPLACE')";
    expect(await here.call("EVAL", script, "1", "key", "127.0.0.1", String(target.port))).toBe("OK");
    expect(await there.call("GET", "key")).toBe("another one");
    await there.call("SELECT", "0");
    expect(await here.call("DEBUG", "LOADAOF")).toBe("OK");
    expect(await here.call("DBSIZE")).toBe(0);
  });

  test("what goes wrong in a transaction is said in it, and the key stays", async () => {
    const inTransaction = async (...args: string[]): Promise<unknown> => {
      await here.call("MULTI");
      await here.call(...args);
      return ((await here.call("EXEC")) as unknown[])[0];
    };
    await here.call("MSET", "key", "value", "second", "2");
    await there.call("SET", "key", "there already");
    expect(error(await inTransaction(...migrate("", "0", "1000", "KEYS", "key", "second")))).toBe(
      "ERR Target instance replied with error: BUSYKEY Target key name already exists.",
    );
    expect([await here.call("EXISTS", "key"), await here.call("EXISTS", "second")]).toEqual([1, 0]);
    expect(error(await inTransaction(...migrate("key", "77", "1000", "REPLACE")))).toBe(
      "ERR Target instance replied with error: ERR DB index is out of range",
    );
    expect(error(await inTransaction(...migrate("key", "0", "1000", "REPLACE", "AUTH", "nosuch")))).toContain(
      "ERR Target instance replied with error: ERR AUTH <password> called without any password",
    );
    const closed = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const { port } = closed;
    closed.stop(true);
    expect(error(await inTransaction("MIGRATE", "127.0.0.1", String(port), "key", "0", "1000"))).toBe(
      "IOERR error or timeout connecting to the client",
    );
    expect(await inTransaction(...migrate("nosuch", "0", "1000"))).toBe("NOKEY");
    expect(await inTransaction(...migrate("key", "0", "1000", "COPY", "REPLACE"))).toBe("OK");
    expect(await here.call("GET", "key")).toBe("value");
    expect(await there.call("GET", "key")).toBe("value");
  });
});

describe("meanwhile", () => {
  test("who would change the key waits, others and readers do not", async () => {
    const slow = pretendSlow();
    const writer = await client(source.port);
    const other = await client(source.port);
    await here.call("MSET", "key", "value", "untouched", "1");
    const id = String(await here.call("CLIENT", "ID"));
    here.send("MIGRATE", "127.0.0.1", String(slow.port), "key", "0", "10000");
    await slow.asked;
    writer.send("APPEND", "key", "!");
    expect(await other.call("INCR", "untouched")).toBe(2);
    expect(await other.call("GET", "key")).toBe("value");
    await other.call("MULTI");
    await other.call("INCR", "untouched");
    await other.call("EXEC");
    const all = await client(source.port);
    all.send("FLUSHALL");
    // The two that are held back, and MIGRATE's own client, which nobody can free.
    while (fieldsOf(await other.text("INFO", "clients")).blocked_clients !== "3");
    expect(await other.call("CLIENT", "UNBLOCK", id)).toBe(0);
    slow.release();
    expect(await here.next()).toBe("OK");
    // The key was gone when the write's turn came.
    expect([1, 0]).toContain((await writer.next()) as number);
    expect(await all.next()).toBe("OK");
  });

  test("a transaction that would change the key waits as a whole", async () => {
    const slow = pretendSlow();
    const writer = await client(source.port);
    await here.call("MSET", "key", "value");
    here.send("MIGRATE", "127.0.0.1", String(slow.port), "key", "0", "10000");
    await slow.asked;
    await writer.call("MULTI");
    await writer.call("SET", "before", "1");
    await writer.call("APPEND", "key", "!");
    writer.send("EXEC");
    const other = await client(source.port);
    expect(await other.call("EXISTS", "before")).toBe(0);
    slow.release();
    expect(await here.next()).toBe("OK");
    expect(await writer.next()).toEqual(["OK", 1]);
  });

  test("a key changed all the same stays", async () => {
    const slow = pretendSlow();
    const waiter = await client(source.port);
    const pusher = await client(source.port);
    await here.call("RPUSH", "key", "a");
    waiter.send("BLMOVE", "from", "key", "LEFT", "RIGHT", "0");
    // Its own reply says that it waits.
    while (fieldsOf(await pusher.text("INFO", "clients")).blocked_clients !== "1");
    here.send("MIGRATE", "127.0.0.1", String(slow.port), "key", "0", "10000");
    await slow.asked;
    await pusher.call("RPUSH", "from", "b");
    expect(await waiter.next()).toBe("b");
    slow.release();
    expect(error(await here.next())).toContain("changed while it migrated");
    expect(await here.call("LRANGE", "key", "0", "-1")).toEqual(["a", "b"]);
  });

  test("CLIENT PAUSE holds the deletion back", async () => {
    const slow = pretendSlow();
    const other = await client(source.port);
    await here.call("SET", "key", "value");
    here.send("MIGRATE", "127.0.0.1", String(slow.port), "key", "0", "10000");
    await slow.asked;
    await other.call("CLIENT", "PAUSE", "100000", "WRITE");
    slow.release();
    // The target's answer has been read when this one's is: both wait in the same loop.
    for (let i = 0; i < 20; i++) expect(await other.call("EXISTS", "key")).toBe(1);
    await other.call("CLIENT", "UNPAUSE");
    expect(await here.next()).toBe("OK");
    expect(await other.call("EXISTS", "key")).toBe(0);
  });

  test("a client that leaves does not stop it", async () => {
    const slow = pretendSlow();
    const leaving = await client(source.port);
    await here.call("SET", "key", "value");
    leaving.send("MIGRATE", "127.0.0.1", String(slow.port), "key", "0", "10000");
    await slow.asked;
    leaving.close();
    while (fieldsOf(await here.text("INFO", "clients")).blocked_clients !== "0");
    expect(await here.call("EXISTS", "key")).toBe(1);
    slow.release();
    while ((await here.call("EXISTS", "key")) !== 0);
  });
});

describe("failing", () => {
  test("nobody listens", async () => {
    await here.call("SET", "key", "value");
    const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const { port } = listener;
    listener.stop(true);
    const reply = await here.call("MIGRATE", "127.0.0.1", String(port), "key", "0", "1000");
    expect(error(reply)).toBe("IOERR error or timeout connecting to the client");
    const nowhere = await here.call("MIGRATE", "127.0.0.1", "notaport", "key", "0", "1000");
    expect(error(nowhere)).toBe("IOERR error or timeout connecting to the client");
  });

  test("nobody answers", async () => {
    const port = pretend(() => {});
    await here.call("SET", "key", "value");
    const reply = await here.call("MIGRATE", "127.0.0.1", String(port), "key", "0", "50");
    expect(error(reply)).toBe("IOERR error or timeout reading to target instance");
    expect(await here.call("GET", "key")).toBe("value");
  });

  test("the target goes away halfway: what it took is deleted, the rest stays", async () => {
    let selected = false;
    let answered = false;
    const port = pretend((socket, all) => {
      if (all.includes("SELECT") && !selected) {
        selected = true;
        socket.write("+OK\r\n");
      }
      if (!all.includes("RESTORE") || answered) return;
      answered = true;
      socket.write("+OK\r\n");
      socket.end();
    });
    await here.call("MSET", "a", "1", "b", "2");
    const reply = await here.call("MIGRATE", "127.0.0.1", String(port), "", "0", "5000", "KEYS", "a", "b");
    expect(error(reply)).toBe("IOERR error or timeout reading to target instance");
    expect(await here.call("MGET", "a", "b")).toEqual([null, "2"]);
  });

  test("a kept connection that the target has closed is opened anew", async () => {
    const short = await startServer();
    const to = (key: string): string[] => ["MIGRATE", "127.0.0.1", String(short.port), key, "0", "5000"];
    await here.call("MSET", "a", "1", "b", "2");
    expect(await here.call(...to("a"))).toBe("OK");
    const killer = await client(short.port);
    await killer.call("CLIENT", "KILL", "SKIPME", "yes");
    expect(await here.call(...to("b"))).toBe("OK");
    await short.stop();
  });

  test("connections are kept for some seconds", async () => {
    await here.call("SET", "key", "value");
    await here.call(...migrate("key", "0", "5000"));
    const count = async (): Promise<number> =>
      Number(fieldsOf(await here.text("INFO", "stats")).migrate_cached_sockets);
    expect(await count()).toBeGreaterThan(0);
    while ((await count()) > 0) await Bun.sleep(200);
  }, 20_000);
});

describeWithOracle("MIGRATE to and from Redis", () => {
  test("every type, there and back", async () => {
    const redis = await startOracle(["--enable-debug-command", "yes"]);
    const remote = await client(redis.port);
    for (const line of [
      "SET text hello",
      "SET number 12345",
      "RPUSH list a b c 1 2 3",
      "SADD ints 1 2 3",
      "SADD set a b c",
      "HSET hash f v g w",
      "ZADD zset 1 a 2.5 b inf c",
      "XADD stream 1-1 f v",
      "XGROUP CREATE stream group 0",
      "PFADD log a b c",
    ])
      await here.call(...line.split(" "));
    for (let i = 0; i < 600; i++) {
      await here.call("RPUSH", "big-list", `element:${i}`, "x".repeat(i));
      await here.call("ZADD", "big-zset", String(i), `element:${i}`);
      await here.call("HSET", "big-hash", `element:${i}`, "v");
    }
    const keys = (await here.call("KEYS", "*")) as string[];
    const digest = await here.call("DEBUG", "DIGEST");
    const to = (port: number): string[] => ["MIGRATE", "127.0.0.1", String(port), "", "0", "9000", "KEYS"];
    // Redis 7.0 does not read the payload of 7.2.
    const reply = await here.call(...to(redis.port), ...keys);
    if (reply instanceof ReplyError) {
      expect(reply.message).toContain("DUMP payload version or checksum are wrong");
      for (const line of ["SET text hello", "RPUSH list a b c", "ZADD zset 1 a 2.5 b"])
        await remote.call(...line.split(" "));
      const back = ["MIGRATE", "127.0.0.1", String(source.port), "", "0", "9000", "REPLACE", "KEYS"];
      expect(await remote.call(...back, "text", "list", "zset")).toBe("OK");
      expect(await here.call("LRANGE", "list", "0", "-1")).toEqual(["a", "b", "c"]);
    } else {
      expect(reply).toBe("OK");
      expect(await here.call("DBSIZE")).toBe(0);
      expect(await remote.call("DEBUG", "DIGEST")).toEqual(digest);
      expect(await remote.call(...to(source.port), ...keys)).toBe("OK");
      expect(await here.call("DEBUG", "DIGEST")).toEqual(digest);
    }
    await redis.stop();
  });
});
