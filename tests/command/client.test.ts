import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { fieldsOf, ReplyError, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server.stop();
});

const FIELDS =
  "id addr laddr fd name age idle flags db sub psub ssub multi qbuf qbuf-free argv-mem multi-mem rbs rbp obl oll " +
  "omem tot-mem events cmd user redir resp lib-name lib-ver";

describe("CLIENT LIST and INFO", () => {
  test("a line has Redis 7.2's fields in their order", async () => {
    const client = await RespClient.open(server.port);
    await client.call("CLIENT", "SETNAME", "me");
    await client.call("CLIENT", "SETINFO", "lib-name", "tests");
    await client.call("CLIENT", "SETINFO", "lib-ver", "1.2");
    await client.call("SELECT", "3");
    const line = await client.text("CLIENT", "INFO");
    const fields = fieldsOf(line);
    expect(Object.keys(fields).join(" ")).toBe(FIELDS);
    expect(fields).toMatchObject({
      id: String(await client.call("CLIENT", "ID")),
      name: "me",
      db: "3",
      flags: "N",
      multi: "-1",
      qbuf: "26",
      "argv-mem": "10",
      events: "r",
      cmd: "client|info",
      user: "default",
      redir: "-1",
      resp: "2",
      "lib-name": "tests",
      "lib-ver": "1.2",
    });
    expect(line.endsWith("\n")).toBe(true);
    client.close();
  });

  test("flags of the session, RESP3, and choosing by id", async () => {
    const client = await RespClient.open(server.port);
    const other = await RespClient.open(server.port);
    await client.call("HELLO", "3");
    await client.call("CLIENT", "NO-EVICT", "ON");
    await client.call("CLIENT", "NO-TOUCH", "ON");
    expect(fieldsOf(await client.text("CLIENT", "INFO"))).toMatchObject({ flags: "eT", resp: "3" });
    const id = String(await other.call("CLIENT", "ID"));
    const lines = (await client.text("CLIENT", "LIST", "ID", "999999", id)).trim().split("\n");
    expect(lines.map((line) => fieldsOf(line).id)).toEqual([id]);
    expect(await client.call("CLIENT", "LIST", "TYPE", "pubsub")).toBe("");
    client.close();
    other.close();
  });
});

test("CLIENT LIST shows a transaction", async () => {
  const [client, other] = [await RespClient.open(server.port), await RespClient.open(server.port)];
  const id = String(await other.call("CLIENT", "ID"));
  await other.call("MULTI");
  await other.call("SET", "a", "b");
  const fields = fieldsOf(await client.text("CLIENT", "LIST", "ID", id));
  expect(fields).toMatchObject({ flags: "x", multi: "1" });
  expect(Number(fields["multi-mem"])).toBeGreaterThan(5);
  await other.call("DISCARD");
  expect(fieldsOf(await client.text("CLIENT", "LIST", "ID", id))).toMatchObject({ flags: "N", multi: "-1" });
  client.close();
  other.close();
});

describe("CLIENT KILL", () => {
  test("by id closes another client at once", async () => {
    const [killer, victim] = [await RespClient.open(server.port), await RespClient.open(server.port)];
    const id = String(await victim.call("CLIENT", "ID"));
    expect(await killer.call("CLIENT", "KILL", "ID", id)).toBe(1);
    expect(await victim.nextOrEnd()).toBeUndefined();
    expect(await killer.call("CLIENT", "KILL", "ID", id)).toBe(0);
    killer.close();
  });

  test("of oneself replies first and then closes", async () => {
    const client = await RespClient.open(server.port);
    const { addr } = fieldsOf(await client.text("CLIENT", "INFO"));
    expect(await client.call("CLIENT", "KILL", addr!)).toBe("OK");
    expect(await client.nextOrEnd()).toBeUndefined();
  });

  test("filters hold together, and the caller is spared unless SKIPME no", async () => {
    const client = await RespClient.open(server.port);
    const { addr, laddr } = fieldsOf(await client.text("CLIENT", "INFO"));
    expect(await client.call("CLIENT", "KILL", "ADDR", addr!, "LADDR", laddr!)).toBe(0);
    expect(await client.call("CLIENT", "KILL", "ADDR", addr!, "TYPE", "pubsub", "SKIPME", "no")).toBe(0);
    expect(await client.call("CLIENT", "KILL", "ADDR", addr!, "USER", "default", "SKIPME", "no")).toBe(1);
    expect(await client.nextOrEnd()).toBeUndefined();
  });
});

describe("CLIENT REPLY", () => {
  test("OFF silences until ON, SKIP one command", async () => {
    const client = await RespClient.open(server.port);
    client.send("CLIENT", "REPLY", "OFF");
    client.send("ECHO", "unheard");
    client.send("NOSUCH");
    expect(await client.call("CLIENT", "REPLY", "ON")).toBe("OK");
    client.send("CLIENT", "REPLY", "SKIP");
    client.send("ECHO", "unheard");
    expect(await client.call("ECHO", "heard")).toBe("heard");
    client.close();
  });
});

describe("CLIENT PAUSE", () => {
  test("WRITE holds writes back and lets reads pass; UNPAUSE ends it", async () => {
    const [client, writer] = [await RespClient.open(server.port), await RespClient.open(server.port)];
    await client.call("CLIENT", "PAUSE", "60000", "WRITE");
    writer.send("SET", "paused", "1");
    expect(await client.call("GET", "paused")).toBeNull();
    expect(fieldsOf(await client.text("INFO", "clients")).blocked_clients).toBe("1");
    expect(await client.text("CLIENT", "LIST")).toContain(" flags=b ");
    expect(await client.call("CLIENT", "UNPAUSE")).toBe("OK");
    expect(await writer.next()).toBe("OK");
    expect(await client.call("GET", "paused")).toBe("1");
    client.close();
    writer.close();
  });

  test("ALL ends by itself, and a milder pause does not shorten it", async () => {
    const client = await RespClient.open(server.port);
    const started = Date.now();
    client.send("CLIENT", "PAUSE", "200", "ALL");
    client.send("CLIENT", "PAUSE", "10", "WRITE");
    expect(await client.next()).toBe("OK");
    expect(await client.next()).toBe("OK");
    expect(Date.now() - started).toBeGreaterThanOrEqual(195);
    client.close();
  });

  test("keys do not expire meanwhile, but are not seen either", async () => {
    const client = await RespClient.open(server.port);
    await client.call("FLUSHALL");
    await client.call("SET", "k", "v", "PX", "20");
    await client.call("CLIENT", "PAUSE", "60000", "WRITE");
    await Bun.sleep(150);
    expect(await client.call("GET", "k")).toBeNull();
    expect(await client.call("DBSIZE")).toBe(1);
    await client.call("CLIENT", "UNPAUSE");
    await Bun.sleep(300);
    expect(await client.call("DBSIZE")).toBe(0);
    client.close();
  });
});

test("CLIENT UNBLOCK wakes a client that waits, with a timeout's reply or an error", async () => {
  const [client, waiter] = [await RespClient.open(server.port), await RespClient.open(server.port)];
  const id = String(await waiter.call("CLIENT", "ID"));
  expect(await client.call("CLIENT", "UNBLOCK", id)).toBe(0);
  for (const [how, reply] of [
    ["TIMEOUT", 0],
    ["ERROR", new ReplyError("UNBLOCKED client unblocked via CLIENT UNBLOCK")],
  ] as const) {
    waiter.send("WAIT", "1", "0");
    await Bun.sleep(30);
    expect(await client.call("CLIENT", "UNBLOCK", id, how)).toBe(1);
    expect(await waiter.next()).toEqual(reply);
  }
  client.close();
  waiter.close();
});
