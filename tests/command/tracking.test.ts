/** Client-side caching: what the comparison with a real server leaves out, since time or chance has a part in it. */
import { afterEach, expect, test } from "bun:test";
import { Node } from "../replication.ts";
import { fieldsOf, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(...args: string[]): Promise<TestServer> {
  const server = await startServer(args);
  cleanups.push(() => server.stop("SIGKILL"));
  return server;
}

async function open(server: TestServer, ...tracking: string[]): Promise<RespClient> {
  const client = await RespClient.open(server.port);
  cleanups.push(() => client.close());
  if (tracking.length > 0) {
    await client.call("HELLO", "3");
    await client.call("CLIENT", "TRACKING", ...tracking);
  }
  return client;
}

test("keys that fall due, found by a command or by the clock", async () => {
  const server = await start("--enable-debug-command", "yes");
  const [reader, writer] = [await open(server, "ON"), await open(server)];
  await writer.call("SET", "k", "v", "PX", "100");
  expect(await reader.call("GET", "k")).toBe("v");
  expect(await reader.next()).toEqual(["invalidate", ["k"]]);
  await writer.call("DEBUG", "SET-ACTIVE-EXPIRE", "0");
  await writer.call("SET", "k", "v", "PX", "100");
  expect(await reader.call("GET", "k")).toBe("v");
  while ((await writer.call("EXISTS", "k")) !== 0);
  expect(await reader.next()).toEqual(["invalidate", ["k"]]);
  await writer.call("DEBUG", "SET-ACTIVE-EXPIRE", "1");
  await writer.call("HSET", "h", "f", "v");
  await writer.call("HPEXPIRE", "h", "100", "FIELDS", "1", "f");
  expect(await reader.call("HGET", "h", "f")).toBe("v");
  expect(await reader.next()).toEqual(["invalidate", ["h"]]);
});

test("evicted keys are told of before the reply", async () => {
  const server = await start("--maxmemory-policy", "allkeys-random");
  const reader = await open(server, "ON");
  await reader.call("SET", "k", "v");
  await reader.call("GET", "k");
  const writer = await open(server);
  await writer.call("CONFIG", "SET", "maxmemory-policy", "noeviction");
  await writer.call("CONFIG", "SET", "maxmemory", "1");
  await writer.call("CONFIG", "SET", "maxmemory-policy", "allkeys-random");
  reader.send("GET", "k");
  const received = [await reader.next(), await reader.next()];
  expect(received).toContainEqual(["invalidate", ["k"]]);
  expect(received.at(-1)).toBeNull();
});

test("a command that waited gets its invalidations behind its reply", async () => {
  const server = await start();
  const [waiting, writer] = [await open(server, "ON"), await open(server)];
  await waiting.call("LRANGE", "to", "0", "-1");
  waiting.send("BLMOVE", "from", "to", "LEFT", "LEFT", "0");
  while (!(await writer.text("INFO", "clients")).includes("blocked_clients:1"));
  await writer.call("RPUSH", "from", "x");
  expect(await waiting.next()).toBe("x");
  expect(await waiting.next()).toEqual(["invalidate", ["to"]]);
});

test("a turn's broadcast keys come in one message, behind the replies", async () => {
  const server = await start();
  const client = await open(server, "ON", "BCAST");
  // In one write, so that they come in one turn.
  client.write("SET b v\r\nSET a v\r\nSET b v\r\n");
  expect([await client.next(), await client.next(), await client.next()]).toEqual(["OK", "OK", "OK"]);
  expect(await client.next()).toEqual(["invalidate", ["a", "b"]]);
});

test("figures, and flags of clients", async () => {
  const server = await start();
  const [client, broadcaster, asking] = [
    await open(server, "ON"),
    await open(server, "ON", "BCAST", "PREFIX", "x", "PREFIX", "y"),
    await open(server),
  ];
  await client.call("MGET", "a", "b");
  await asking.call("HELLO", "3");
  await asking.call("CLIENT", "TRACKING", "ON", "REDIRECT", String(await client.call("CLIENT", "ID")));
  await asking.call("GET", "a");
  const figures = async () => {
    const info = fieldsOf(await asking.text("INFO"));
    return [
      info.tracking_clients,
      info.tracking_total_keys,
      info.tracking_total_items,
      info.tracking_total_prefixes,
    ];
  };
  expect(await figures()).toEqual(["3", "2", "3", "2"]);
  const list = await asking.text("CLIENT", "LIST");
  expect(list).toMatch(/ flags=t .* redir=0 /);
  expect(list).toMatch(/ flags=tB .* redir=0 /);
  expect(list).toMatch(new RegExp(` flags=t .* redir=${await client.call("CLIENT", "ID")} `));
  client.close();
  await broadcaster.call("RESET");
  while ((await asking.text("INFO", "clients")).includes("tracking_clients:2"));
  expect(await figures()).toEqual(["1", "2", "3", "0"]);
  const own = await open(server);
  await own.call("SET", "a", "1");
  expect(await asking.next()).toMatchObject([
    expect.stringMatching(/^tracking-redir-broken$/),
    expect.any(Number),
  ]);
  expect(await asking.text("CLIENT", "INFO")).toMatch(/ flags=tR /);
});

test("the table is kept within tracking-table-max-keys", async () => {
  const server = await start("--tracking-table-max-keys", "10");
  const client = await open(server, "ON");
  for (let i = 0; i < 50; i++) client.send("GET", `k${i}`);
  let told = 0;
  for (let replies = 0; replies < 50 || told < 40; ) {
    const received = await client.next();
    if (received === null) replies++;
    else if (Array.isArray(received) && received[0] === "invalidate") told++;
  }
  expect([told, fieldsOf(await client.text("INFO", "stats")).tracking_total_keys]).toEqual([40, "10"]);
});

test("a replica that loads a snapshot tells that nothing is true any more, and then what its master changes", async () => {
  const [master, replica] = [
    await start("--repl-diskless-sync-delay", "0"),
    await start("--repl-diskless-sync-delay", "0"),
  ];
  const [upper, lower] = [await Node.of(master), await Node.of(replica)];
  cleanups.push(() => upper.close());
  cleanups.push(() => lower.close());
  const reader = await open(replica, "ON");
  await reader.call("GET", "k");
  await lower.follow(master);
  await lower.linked();
  expect(await reader.next()).toEqual(["invalidate", null]);
  await reader.call("GET", "k");
  await upper.call("SET", "k", "v");
  expect(await reader.next()).toEqual(["invalidate", ["k"]]);
});
