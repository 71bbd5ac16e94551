/** Keyspace notifications: what no differential test sees, since time or a newer Redis decides on it. */
import { afterEach, expect, test } from "bun:test";
import { Node } from "../replication.ts";
import { RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Running {
  server: TestServer;
  client: RespClient;
  /** The next thing that is heard, as "event key"; both channels say the same. */
  heard(): Promise<string>;
  /** All that was heard up to a message that is published now. */
  all(): Promise<string[]>;
}

async function run(classes: string, ...args: string[]): Promise<Running> {
  const server = await startServer(["--notify-keyspace-events", classes, ...args]);
  const client = await RespClient.open(server.port);
  const listener = await RespClient.open(server.port);
  cleanups.push(async () => {
    client.close();
    listener.close();
    await server.stop("SIGKILL");
  });
  await listener.call("PSUBSCRIBE", "*");
  const heard = async (): Promise<string> => {
    const [, , channel, message] = (await listener.next()) as string[];
    if (channel === "done") return channel;
    const [, kind, , name] = /^__key(space|event)@(\d+)__:(.*)$/.exec(channel!)!;
    return kind === "event" ? `${name} ${message}` : `${message} ${name}`;
  };
  const all = async (): Promise<string[]> => {
    await client.call("PUBLISH", "done", "");
    const events: string[] = [];
    for (let event = await heard(); event !== "done"; event = await heard()) events.push(event);
    return events;
  };
  return { server, client, heard, all };
}

test("K and E choose the channel, and without either there is nothing", async () => {
  const { client, all } = await run("g$");
  await client.call("SET", "k", "v");
  expect(await all()).toEqual([]);
  await client.call("CONFIG", "SET", "notify-keyspace-events", "K$");
  await client.call("SET", "k", "v", "EX", "100");
  expect(await all()).toEqual(["set k"]);
  await client.call("CONFIG", "SET", "notify-keyspace-events", "KEg$");
  await client.call("SET", "k", "v", "EX", "100");
  expect(await all()).toEqual(["set k", "set k", "expire k", "expire k"]);
});

test("a key that falls due is told of, whether a command or the clock finds it", async () => {
  const { client, heard, all } = await run("Ex", "--enable-debug-command", "yes");
  await client.call("SET", "active", "v", "PX", "1");
  expect(await heard()).toBe("expired active");
  await client.call("DEBUG", "SET-ACTIVE-EXPIRE", "0");
  await client.call("SET", "lazy", "v", "PX", "1");
  while ((await client.call("EXISTS", "lazy")) !== 0);
  expect(await all()).toEqual(["expired lazy"]);
});

test("evicted keys", async () => {
  const { client, all } = await run("Ee", "--maxmemory-policy", "allkeys-random");
  for (let i = 0; i < 10; i++) await client.call("SET", `k${i}`, "v".repeat(1000));
  await client.call("CONFIG", "SET", "maxmemory", "1");
  expect(await client.call("SET", "more", "v")).toMatchObject({ message: expect.stringMatching(/^OOM/) });
  await client.call("CONFIG", "SET", "maxmemory", "0");
  expect((await all()).sort()).toEqual(Array.from({ length: 10 }, (_, i) => `evicted k${i}`));
});

test("fields of hashes that expire", async () => {
  const { client, heard, all } = await run("Ehg");
  const check = async (line: string, ...events: string[]) => {
    await client.call(...line.split(" "));
    expect([line, ...(await all())]).toEqual([line, ...events]);
  };
  await check("HSET h a 1 b 2 c 3 d 4", "hset h");
  await check("HEXPIRE h 100 FIELDS 2 a b", "hexpire h");
  await check("HEXPIRE h 100 NX FIELDS 1 a");
  await check("HPERSIST h FIELDS 2 a c", "hpersist h");
  await check("HPERSIST h FIELDS 1 a");
  await check("HEXPIRE h 0 FIELDS 1 a", "hdel h");
  await check("HGETEX h EX 100 FIELDS 1 c", "hexpire h");
  await check("HGETEX h PERSIST FIELDS 1 c", "hpersist h");
  await check("HGETEX h FIELDS 1 c");
  await check("HSETEX h EX 100 FIELDS 1 e 5", "hset h", "hexpire h");
  await check("HGETDEL h FIELDS 2 e x", "hdel h");
  await check("HPEXPIREAT h 1 FIELDS 3 b c d", "hdel h", "del h");
  await client.call("HSET", "h", "a", "1", "b", "2");
  await client.call("HPEXPIRE", "h", "1", "FIELDS", "1", "a");
  expect([await heard(), await heard(), await heard()]).toEqual(["hset h", "hexpire h", "hexpired h"]);
  await client.call("HPEXPIRE", "h", "1", "FIELDS", "1", "b");
  expect([await heard(), await heard(), await heard()]).toEqual(["hexpire h", "hexpired h", "del h"]);
});

test("a command that waited tells when it is served", async () => {
  const { server, client, all } = await run("Eglz");
  const waiting = await RespClient.open(server.port);
  cleanups.push(() => waiting.close());
  waiting.send("BLMOVE", "a", "b", "LEFT", "RIGHT", "0");
  while (!(await client.text("INFO", "clients")).includes("blocked_clients:1"));
  await client.call("RPUSH", "a", "x");
  expect(await waiting.next()).toBe("x");
  expect(await all()).toEqual(["rpush a", "rpush b", "lpop a", "del a"]);
});

test("a replica tells of what its master's stream does, but not of what it loads", async () => {
  const master = await run("", "--repl-diskless-sync-delay", "0");
  const replica = await run("EAn");
  const [upper, lower] = [await Node.of(master.server), await Node.of(replica.server)];
  cleanups.push(() => upper.close());
  cleanups.push(() => lower.close());
  await master.client.call("SET", "loaded", "v");
  await lower.follow(master.server);
  await lower.linked();
  await master.client.call("RPUSH", "l", "a");
  await master.client.call("LPOP", "l");
  await lower.caughtUpWith(upper);
  expect(await replica.all()).toEqual(["new l", "rpush l", "lpop l", "del l"]);
});

test("fields that expire are named where that is wanted", async () => {
  const server = await startServer(["--notify-keyspace-events", "hSV"]);
  const client = await RespClient.open(server.port);
  const listener = await RespClient.open(server.port);
  cleanups.push(async () => {
    client.close();
    listener.close();
    await server.stop("SIGKILL");
  });
  await client.call("HSET", "h", "a", "1", "b", "2", "c", "3");
  await listener.call("PSUBSCRIBE", "__sub*");
  await client.call("HPEXPIRE", "h", "1", "FIELDS", "2", "a", "c");
  const heard: string[] = [];
  while (heard.length < 4) {
    const [, , channel, message] = (await listener.next()) as string[];
    const [event, fields] = message!.includes("|") ? message!.split("|") : ["", message];
    heard.push(`${channel} ${event}: ${fields!.split(",").sort().join()}`);
  }
  expect(heard).toEqual([
    "__subkeyspace@0__:h hexpire: 1:a,1:c",
    "__subkeyspaceevent@0__:hexpire|h : 1:a,1:c",
    "__subkeyspace@0__:h hexpired: 1:a,1:c",
    "__subkeyspaceevent@0__:hexpired|h : 1:a,1:c",
  ]);
});
