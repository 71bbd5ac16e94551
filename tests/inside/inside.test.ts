/**
 * The server inside a test: several in this very process, which shows nothing of them, with the clients people use.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RedisClient } from "bun";
import { Redis } from "ioredis";
import { type Directives, type RedbunServer, startRedbun } from "redbun";
import { createClient } from "redis";
import { ReplyError, RespClient } from "../resp-client.ts";
import { startServer } from "../server.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function start(directives?: Directives): Promise<RedbunServer> {
  const server = await startRedbun(directives);
  open.push(server);
  return server;
}

async function raw(server: RedbunServer): Promise<RespClient> {
  const client = await RespClient.open(server.port);
  open.push(client);
  return client;
}

/** Temporary folders of servers of this process. */
function folders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`redbun-${process.pid}-`));
}

describe("several at once", () => {
  test("each client sees its own server's data alone", async () => {
    const [one, two, three] = await Promise.all([start(), start(), start({ requirepass: "pass word" })]);
    const bun = new RedisClient(one.url);
    const io = new Redis(two.url);
    const node = await createClient({ url: three.url }).connect();
    open.push(bun, { close: () => io.disconnect() }, { close: () => node.destroy() });
    await bun.set("whose", "bun's");
    await io.set("whose", "ioredis's");
    await node.set("whose", "node-redis's");
    expect([await bun.get("whose"), await io.get("whose"), await node.get("whose")]).toEqual([
      "bun's",
      "ioredis's",
      "node-redis's",
    ]);
    await two.flush();
    expect([await bun.get("whose"), await io.get("whose"), await node.get("whose")]).toEqual([
      "bun's",
      null,
      "node-redis's",
    ]);
    expect(await io.config("GET", "port")).toEqual(["port", String(two.port)]);
  });

  test("messages, scripts, settings and commands renamed stay where they are", async () => {
    const [one, two] = [await start({ "rename-command": "GET fetch" }), await start()];
    const [a, b] = [await raw(one), await raw(two)];
    await b.call("SUBSCRIBE", "news");
    expect(await a.call("PUBLISH", "news", "x")).toBe(0);
    const c = await raw(two);
    expect(await a.call("CONFIG", "SET", "maxmemory", "10mb")).toBe("OK");
    expect(await c.call("CONFIG", "GET", "maxmemory")).toEqual(["maxmemory", "0"]);
    expect(await a.call("SCRIPT", "LOAD", "return 1")).toBe("e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
    expect(await c.call("SCRIPT", "EXISTS", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db")).toEqual([0]);
    expect(await a.call("GET", "x")).toBeInstanceOf(ReplyError);
    expect(await a.call("FETCH", "x")).toBeNull();
    expect(await c.call("GET", "x")).toBeNull();
  });

  test("one follows the other", async () => {
    const master = await start();
    const one = await raw(master);
    await one.call("SET", "before", "1");
    const replica = await start({ replicaof: `127.0.0.1 ${master.port}`, "repl-diskless-load": "swapdb" });
    await one.call("CONFIG", "SET", "repl-diskless-sync-delay", "0");
    await one.call("SET", "after", "1");
    expect(await one.call("WAIT", "1", "10000")).toBe(1);
    const two = await raw(replica);
    expect(await two.call("MGET", "before", "after")).toEqual(["1", "1"]);
  });

  test("port 0 is a free one where there is nothing else", async () => {
    const server = await start({ port: 0 });
    expect(server.port).toBeGreaterThan(0);
    expect(await (await raw(server)).call("PING")).toBe("PONG");
  });

  test("a Unix socket beside the port, or instead of it", async () => {
    const server = await start({ port: 0, unixsocket: true });
    expect([server.port, server.url]).toEqual([0, `redis+unix://${server.socket}`]);
    const client = new RedisClient(server.url);
    const io = new Redis(server.socket);
    open.push(client, { close: () => io.disconnect() });
    await client.set("a", "1");
    expect(await io.get("a")).toBe("1");
    await server.close();
    expect(existsSync(server.socket)).toBe(false);
  });
});

describe("flush", () => {
  test("empties all databases, and who watches hears of it", async () => {
    const server = await start({ "notify-keyspace-events": "KEA" });
    const [client, other] = [await raw(server), await raw(server)];
    await client.call("SET", "a", "1");
    await client.call("SELECT", "5");
    await client.call("SET", "b", "1");
    await other.call("SELECT", "5");
    await other.call("WATCH", "b");
    await server.flush();
    expect(await client.call("DBSIZE")).toBe(0);
    await other.call("MULTI");
    await other.call("PING");
    expect(await other.call("EXEC")).toBeNull();
  });

  test("works whatever FLUSHALL is called, and for whom it is allowed", async () => {
    const server = await start({
      "rename-command": 'FLUSHALL ""',
      user: "default on nopass ~* +set +dbsize",
    });
    const client = await raw(server);
    await client.call("SET", "a", "1");
    await server.flush();
    expect(await client.call("DBSIZE")).toBe(0);
  });
});

describe("the clock", () => {
  test("keys and hash fields are gone when their time has come, to the millisecond", async () => {
    const server = await start();
    const client = await raw(server);
    await client.call("SET", "long", "1", "PX", "86400000");
    await client.call("HSET", "hash", "stays", "1", "goes", "1");
    await client.call("HPEXPIRE", "hash", "3600000", "FIELDS", "1", "goes");
    await client.call("HSET", "fleeting", "field", "1");
    await client.call("HPEXPIRE", "fleeting", "3600000", "FIELDS", "1", "field");
    await server.clock.advance(3_600_001);
    expect(await client.call("DBSIZE")).toBe(2);
    expect(await client.call("HGETALL", "hash")).toEqual(["stays", "1"]);
    expect(await client.call("EXISTS", "long")).toBe(1);
    await server.clock.advance(86_400_000);
    expect(await client.call("KEYS", "*")).toEqual(["hash"]);
    await client.call("SET", "forever", "1", "EX", String(100 * 365 * 86400));
    await server.clock.advance(100 * 365 * 86_400_000 + 1000);
    expect(await client.call("DBSIZE")).toBe(1);
  });

  test("whoever listens hears of what has expired, without anybody asking for it", async () => {
    const server = await start({ "notify-keyspace-events": "Ex" });
    const [client, listener] = [await raw(server), await raw(server)];
    await listener.call("SUBSCRIBE", "__keyevent@0__:expired");
    await client.call("SET", "a", "1", "EX", "1000");
    await server.clock.advance(1_000_001);
    expect(await listener.next()).toEqual(["message", "__keyevent@0__:expired", "a"]);
    // At once, not only when the wheel of expiries comes round.
    for (let i = 0; i < 20; i++) {
      await client.call("SET", `key:${i}`, "1", "PX", "5000");
      await client.call("HSET", `hash:${i}`, "f", "1");
      await client.call("HPEXPIRE", `hash:${i}`, "5000", "FIELDS", "1", "f");
      await server.clock.advance(5001);
      expect(await client.call("DBSIZE")).toBe(0);
    }
  });

  test("who waits long enough is answered, others wait on", async () => {
    const server = await start();
    const [short, long, client] = [await raw(server), await raw(server), await raw(server)];
    short.send("BLPOP", "list", "60");
    long.send("BLPOP", "list", "3600");
    while (!(await client.text("INFO", "clients")).includes("blocked_clients:2"));
    await server.clock.advance(60_000);
    expect(await short.next()).toBeNull();
    await client.call("RPUSH", "list", "x");
    expect(await long.next()).toEqual(["list", "x"]);
    client.send("BLPOP", "list", "0.05");
    expect(await client.next()).toBeNull(); // without any help
  });

  test("time is told as moved: TIME, stream entries, idle time, pauses", async () => {
    const server = await start();
    const client = await raw(server);
    const seconds = async () => Number(((await client.call("TIME")) as string[])[0]);
    const before = await seconds();
    await client.call("SET", "a", "1");
    await client.call("CLIENT", "PAUSE", "3000000", "WRITE");
    const other = await raw(server);
    other.send("XADD", "stream", "*", "f", "v");
    await server.clock.advance(3_000_000);
    const id = Number(((await other.next()) as string).split("-")[0]);
    expect(id).toBeGreaterThanOrEqual((before + 3000) * 1000);
    expect(await seconds()).toBeGreaterThanOrEqual(before + 3000);
    expect(await client.call("OBJECT", "IDLETIME", "a")).toBeGreaterThanOrEqual(2999);
    await expect(server.clock.advance(-1)).rejects.toThrow(RangeError);
    await expect(server.clock.advance(0.5)).rejects.toThrow(RangeError);
  });
});

describe("files", () => {
  test("none without being asked for one; a save makes a folder, which goes with the server", async () => {
    const server = await start();
    const client = await raw(server);
    await client.call("SET", "a", "1");
    expect(folders()).toEqual([]);
    expect(await client.call("SAVE")).toBe("OK");
    expect(folders()).toHaveLength(1);
    expect(await client.call("DEBUG", "RELOAD")).toBeInstanceOf(ReplyError); // protected, as by default
    await server.close();
    expect(folders()).toEqual([]);
  });

  test("appendonly in the temporary folder", async () => {
    const here = process.cwd();
    const server = await start({ appendonly: true, "enable-debug-command": "yes" });
    const client = await raw(server);
    await client.call("SET", "a", "1");
    expect(await client.call("DEBUG", "LOADAOF")).toBe("OK");
    expect(await client.call("GET", "a")).toBe("1");
    expect(await client.call("BGREWRITEAOF")).toBe("Background append only file rewriting started");
    await server.close();
    expect(folders()).toEqual([]);
    expect(process.cwd()).toBe(here);
  });

  test("a folder that is given stays, and what is in it is loaded", async () => {
    const dir = mkdtempSync(join(tmpdir(), "redbun-inside-"));
    open.push({ close: () => rmSync(dir, { recursive: true }) });
    const one = await start({ dir, save: "3600 1" });
    await (await raw(one)).call("SET", "a", "1");
    await one.close();
    expect(readdirSync(dir)).toEqual(["dump.rdb"]);
    const two = await start({ dir });
    const client = await raw(two);
    expect(await client.call("GET", "a")).toBe("1");
    expect(await client.call("CONFIG", "GET", "dir")).toEqual(["dir", dir]);
  });
});

describe("the end", () => {
  test("close may be called again; afterwards nothing else may", async () => {
    const server = await start();
    const client = await raw(server);
    await Promise.all([server.close(), server.close()]);
    await server.close();
    await server.closed;
    expect(await client.nextOrEnd()).toBeUndefined();
    await expect(server.flush()).rejects.toThrow("closed");
    await expect(server.clock.advance(1)).rejects.toThrow("closed");
    await expect(RespClient.open(server.port)).rejects.toThrow();
  });

  test("SHUTDOWN ends the server, and not the process", async () => {
    const server = await start();
    const client = await raw(server);
    client.send("SHUTDOWN");
    await server.closed;
    expect(await client.nextOrEnd()).toBeUndefined();
    await server.close();
  });

  test("the process is as it was: listeners, directory, title", async () => {
    const state = () => ({
      directory: process.cwd(),
      title: process.title,
      listeners: Object.fromEntries(process.eventNames().map((name) => [name, process.listenerCount(name)])),
    });
    const before = state();
    const server = await start({ "crash-log-enabled": true });
    expect(state()).toEqual(before);
    await server.close();
    expect(state()).toEqual(before);
  });

  test("nothing stays open: the program ends by itself and has said nothing", async () => {
    const child = Bun.spawn([process.execPath, join(import.meta.dir, "leftovers.ts")], {
      stdout: "pipe",
      stderr: "pipe",
      timeout: 30_000,
      killSignal: "SIGKILL",
    });
    const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    expect([out, err, await child.exited]).toEqual(["left open: nothing\n", "", 0]);
  });
});

describe("a start that fails", () => {
  test.each([
    [{ maxmemroy: "1mb" }, "maxmemroy 1mb: Bad directive or wrong number of arguments"],
    [{ maxmemory: "much" }, "argument must be a memory value"],
    [{ user: "alice on nonsense" }, "Error in user declaration 'nonsense'"],
    [{ dir: "/no/such/folder" }, "No such file or directory"],
    [{ bind: "203.0.113.1" }, "Cannot assign requested address"],
    [{ "cluster-enabled": "yes" }, "a process of its own"],
  ] as [Directives, string][])("says why: %p", async (directives, why) => {
    await expect(startRedbun(directives)).rejects.toThrow(why);
    expect(folders()).toEqual([]);
  });

  test("a port that is taken", async () => {
    const server = await start();
    await expect(startRedbun({ port: server.port })).rejects.toThrow("Address already in use");
  });

  test("a file that cannot be loaded", async () => {
    const dir = mkdtempSync(join(tmpdir(), "redbun-inside-"));
    open.push({ close: () => rmSync(dir, { recursive: true }) });
    await Bun.write(join(dir, "dump.rdb"), "REDIS0010 this is none");
    await expect(startRedbun({ dir })).rejects.toThrow("Fatal error loading the DB");
  });
});

test("await using closes it", async () => {
  let port: number;
  {
    await using server = await startRedbun();
    port = server.port;
    const client = await RespClient.open(port);
    expect(await client.call("PING")).toBe("PONG");
  }
  await expect(RespClient.open(port)).rejects.toThrow();
});

test("TLS", async () => {
  const dir = mkdtempSync(join(tmpdir(), "redbun-inside-"));
  open.push({ close: () => rmSync(dir, { recursive: true }) });
  const [cert, key] = [join(dir, "cert.pem"), join(dir, "key.pem")];
  const made = Bun.spawnSync([
    ..."openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost".split(" "),
    ...["-keyout", key, "-out", cert],
  ]);
  expect(made.exitCode).toBe(0);
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const port = probe.port;
  probe.stop(true);
  const server = await start({
    port: 0,
    "tls-port": port,
    "tls-cert-file": cert,
    "tls-key-file": key,
    "tls-auth-clients": false,
  });
  expect(server.url).toBe(`rediss://127.0.0.1:${port}`);
  const client = new Redis(server.url, { tls: { rejectUnauthorized: false } });
  open.push({ close: () => client.disconnect() });
  await once(client, "ready");
  expect(await client.ping()).toBe("PONG");
});

test("MIGRATE in a transaction starts a process that sends the keys", async () => {
  const target = await startServer();
  open.push({ close: () => target.stop() });
  const client = await raw(await start());
  const there = await RespClient.open(target.port);
  open.push(there);
  await client.call("SET", "key", "value");
  await client.call("MULTI");
  await client.call("MIGRATE", "127.0.0.1", String(target.port), "key", "0", "10000");
  expect(await client.call("EXEC")).toEqual(["OK"]);
  expect([await client.call("EXISTS", "key"), await there.call("GET", "key")]).toEqual([0, "value"]);
});
