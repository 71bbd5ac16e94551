import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { infoField, Wire } from "../../scripts/lib/wire.ts";
import { startServer, type TestServer } from "../server.ts";
import { RawClient } from "./raw-client.ts";

/** What a client may take of the server, and what happens to the one that takes more. */

const MB = 1 << 20;

let server: TestServer;
let admin: Wire;

async function begin(args: string[]): Promise<void> {
  server = await startServer(args);
  admin = await Wire.connect(server.port);
}

async function finish(): Promise<void> {
  admin.close();
  await server.stop();
}

const info = async (field: string): Promise<number> => Number(infoField(await admin.command("INFO"), field));

/** Asks until the field has the value: the server notices some ends of connections only a moment later. */
async function untilInfo(field: string, value: number): Promise<void> {
  for (const deadline = Date.now() + 20_000; (await info(field)) !== value; )
    if (Date.now() > deadline) throw new Error(`${field} is ${await info(field)}, not ${value}`);
}

test("a reply of a client whose output is limited may be asked for without a bound", async () => {
  await begin(["--client-output-buffer-limit", "normal 1000000 0 0"]);
  await admin.command("HSET", "hash", "a", "b");
  await admin.command("SADD", "set", "a");
  for (const [command, key] of [
    ["HRANDFIELD", "hash"],
    ["SRANDMEMBER", "set"],
  ]) {
    const client = await RawClient.open(server.port);
    client.send(`${command} ${key} -999999999\r\n`);
    expect(await client.rest()).toBe("");
  }
  await admin.command("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0");
  expect(admin.command("HRANDFIELD", "hash", "-999999999")).rejects.toThrow("out of range");
  await finish();
});

describe("buffers", () => {
  beforeAll(() => begin([]));
  afterAll(finish);

  test("client-query-buffer-limit ends a client that sends too much at once, and no other", async () => {
    await admin.command("CONFIG", "SET", "client-query-buffer-limit", "1mb");
    const client = await RawClient.open(server.port);
    client.send(`*2\r\n$3\r\nGET\r\n$${4 * MB}\r\n`);
    client.send(Buffer.alloc(4 * MB, "x"));
    expect(await client.rest()).toBe("");
    await server.logged("Closing client that reached max query buffer length");
    // Less than that, or much in small commands, is no offence.
    const modest = await RawClient.open(server.port);
    await modest.send(`*2\r\n$4\r\nECHO\r\n$${MB / 2}\r\n${"x".repeat(MB / 2)}\r\n`);
    await modest.untilCount(MB / 2);
    modest.takeText();
    await modest.send("PING\r\n".repeat(MB / 2));
    await modest.untilCount((MB / 2) * 7);
    modest.end();
    await admin.command("CONFIG", "SET", "client-query-buffer-limit", "1gb");
  });

  test("proto-max-bulk-len can be changed while clients are connected", async () => {
    const client = await RawClient.open(server.port);
    await admin.command("CONFIG", "SET", "proto-max-bulk-len", "1mb");
    client.send(`*2\r\n$4\r\nECHO\r\n$${MB + 1}\r\n`);
    expect(await client.rest()).toBe("-ERR Protocol error: invalid bulk length\r\n");
    await admin.command("CONFIG", "SET", "proto-max-bulk-len", "512mb");
  });

  test("the hard output limit ends a client that never reads, at once", async () => {
    await admin.command("CONFIG", "SET", "client-output-buffer-limit", "normal 20mb 0 0");
    await admin.command("SET", "big", "x".repeat(MB));
    const client = await RawClient.open(server.port);
    await client.send("PING\r\n");
    await client.expect("+PONG\r\n");
    client.pause();
    client.send("GET big\r\n".repeat(100));
    await untilInfo("connected_clients", 1);
    await server.logged("scheduled to be closed ASAP for overcoming of output buffer limits");
    client.resume();
    await client.rest();
    expect(client.count).toBeLessThan(100 * MB);
  });

  test("a client that reads gets more than the hard limit altogether", async () => {
    const client = await RawClient.open(server.port);
    client.keep = false;
    let asked = 0;
    for (; asked < 60; asked++) {
      client.send("GET big\r\n");
      await client.untilCount((asked + 1) * (MB + 12));
    }
    expect(client.count).toBe(60 * (MB + 12));
    client.end();
  });

  test("the soft output limit ends a client that stays above it", async () => {
    await admin.command("CONFIG", "SET", "client-output-buffer-limit", "normal 0 10mb 1");
    const [slow, quick] = await Promise.all([RawClient.open(server.port), RawClient.open(server.port)]);
    slow.pause();
    quick.pause();
    quick.keep = false;
    slow.send("GET big\r\n".repeat(40));
    quick.send("GET big\r\n".repeat(40));
    await untilInfo("connected_clients", 3);
    // The one reads on before the second is over.
    quick.resume();
    await quick.untilCount(40 * (MB + 12));
    await untilInfo("connected_clients", 2);
    expect(quick.isClosed).toBe(false);
    quick.send("PING\r\n");
    await quick.untilCount(40 * (MB + 12) + 7);
    slow.resume();
    await slow.rest();
    quick.end();
    await admin.command("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0");
  });

  test("MONITOR lines that nobody reads count too", async () => {
    await admin.command("CONFIG", "SET", "client-output-buffer-limit", "normal 10mb 0 0");
    const watcher = await RawClient.open(server.port);
    await watcher.send("MONITOR\r\n");
    await watcher.expect("+OK\r\n");
    watcher.pause();
    for (let i = 0; i < 200 && (await info("connected_clients")) > 1; i++)
      await admin.raw(["ECHO", "x".repeat(MB / 2)]);
    expect(await info("connected_clients")).toBe(1);
    watcher.terminate();
    await admin.command("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0");
  });
});

describe("number of clients", () => {
  beforeAll(() => begin(["--maxclients", "10"]));
  afterAll(finish);

  test("beyond maxclients a connection gets an error and its end; room is used again", async () => {
    const clients: RawClient[] = [];
    for (let i = 1; i < 10; i++) {
      const client = await RawClient.open(server.port);
      await client.send("PING\r\n");
      await client.expect("+PONG\r\n");
      clients.push(client);
    }
    for (let i = 0; i < 3; i++) {
      const refused = await RawClient.open(server.port);
      expect(await refused.rest()).toBe("-ERR max number of clients reached\r\n");
    }
    expect(await info("rejected_connections")).toBe(3);
    expect(await info("connected_clients")).toBe(10);
    for (const client of clients.splice(0, 2)) client.end();
    await untilInfo("connected_clients", 8);
    for (let i = 0; i < 2; i++) {
      const client = await RawClient.open(server.port);
      await client.send("PING\r\n");
      await client.expect("+PONG\r\n");
      clients.push(client);
    }
    await admin.command("CONFIG", "SET", "maxclients", "12");
    const more = await RawClient.open(server.port);
    await more.send("PING\r\n");
    await more.expect("+PONG\r\n");
    for (const client of [...clients, more]) client.end();
  });
});

describe("idle clients", () => {
  beforeAll(() => begin([]));
  afterAll(finish);

  test("timeout ends those that say nothing, not those that do, nor one that reads a long reply", async () => {
    await admin.command("SET", "big", "x".repeat(MB));
    const idle = await RawClient.open(server.port);
    const active = await RawClient.open(server.port);
    const reader = await RawClient.open(server.port);
    reader.keep = false;
    reader.pause();
    reader.send("GET big\r\n".repeat(64));
    const started = Date.now();
    await admin.command("CONFIG", "SET", "timeout", "1");
    const ticks = setInterval(() => {
      active.send("PING\r\n");
      // About a megabyte of what waits.
      let left = MB;
      reader.onData = (chunk) => {
        left -= chunk.length;
        if (left <= 0) reader.pause();
      };
      reader.resume();
      void admin.raw(["PING"]);
    }, 100);
    await idle.closed;
    expect(Date.now() - started).toBeGreaterThanOrEqual(1000);
    // Another round of the check, with a fresh idle client for a measure.
    await (await RawClient.open(server.port)).closed;
    expect([active.isClosed, reader.isClosed]).toEqual([false, false]);
    clearInterval(ticks);
    reader.onData = () => {};
    reader.resume();
    await reader.untilCount(64 * (MB + 12));
    await admin.command("CONFIG", "SET", "timeout", "0");
    active.end();
    reader.end();
  });
});
