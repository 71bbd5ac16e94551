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

  test("WRITE holds back a transaction that would write, not one that only reads", async () => {
    const [client, writer, reader] = [
      await RespClient.open(server.port),
      await RespClient.open(server.port),
      await RespClient.open(server.port),
    ];
    await writer.call("MULTI");
    await writer.call("SET", "paused", "2");
    await reader.call("MULTI");
    await reader.call("GET", "paused");
    await client.call("CLIENT", "PAUSE", "60000", "WRITE");
    writer.send("EXEC");
    expect(await reader.call("EXEC")).toEqual(["1"]);
    expect(fieldsOf(await client.text("INFO", "clients")).blocked_clients).toBe("1");
    await client.call("CLIENT", "UNPAUSE");
    expect(await writer.next()).toEqual(["OK"]);
    for (const each of [client, writer, reader]) each.close();
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

describe("filters of CLIENT LIST and CLIENT KILL (Redis 7.4, Valkey 8.1 and 9.0)", () => {
  test("each filter and its negation, several at once", async () => {
    const me = await RespClient.open(server.port);
    const first = await RespClient.open(server.port);
    const second = await RespClient.open(server.port);
    await first.call("CLIENT", "SETNAME", "first");
    await first.call("CLIENT", "SETINFO", "LIB-NAME", "lib");
    await first.call("CLIENT", "SETINFO", "LIB-VER", "1.0");
    await first.call("SELECT", "3");
    await first.call("CLIENT", "NO-EVICT", "ON");
    await second.call("CLIENT", "SETNAME", "second");
    await second.call("SUBSCRIBE", "news");
    const [mine, one] = [String(await me.call("CLIENT", "ID")), String(await first.call("CLIENT", "ID"))];
    const names = async (line: string) => {
      const text = await me.text("CLIENT", "LIST", ...line.split(" ").filter((word) => word !== ""));
      const lines = text.split("\n").filter((each) => each !== "");
      return lines
        .map((each) => fieldsOf(each))
        .map(({ id, name }) => (id === mine ? "me" : name))
        .sort();
    };
    const { addr, laddr } = fieldsOf(await first.text("CLIENT", "INFO"));
    const all = ["first", "me", "second"];
    expect(await names("")).toEqual(all);
    const table: [string, string[]][] = [
      [`ID ${one} ${mine} TYPE normal`, ["first", "me"]],
      [`ID ${one} ${mine} NAME first`, ["first"]],
      [`NOT-ID ${one} ${mine}`, ["second"]],
      ["NOT-TYPE pubsub", ["first", "me"]],
      ["TYPE pubsub NOT-NAME first", ["second"]],
      ["NAME second", ["second"]],
      ["NOT-NAME second", ["first", "me"]],
      ["NAME first NAME second", ["second"]],
      ["SKIPME yes", ["first", "second"]],
      ["SKIPME no", all],
      ["USER default SKIPME yes", ["first", "second"]],
      ["NOT-USER default", []],
      [`ADDR ${addr}`, ["first"]],
      [`NOT-ADDR ${addr}`, ["me", "second"]],
      [`LADDR ${laddr}`, all],
      [`NOT-LADDR ${laddr}`, []],
      ["LIB-NAME lib", ["first"]],
      ["NOT-LIB-NAME lib", ["me", "second"]],
      ["LIB-VER 1.0", ["first"]],
      ["NOT-LIB-VER 1.0 NOT-TYPE pubsub", ["me"]],
      ["DB 3", ["first"]],
      ["NOT-DB 3", ["me", "second"]],
      ["FLAGS e", ["first"]],
      ["FLAGS P", ["second"]],
      ["FLAGS eP", []],
      ["FLAGS N", ["me"]],
      ["NOT-FLAGS N", ["first", "second"]],
      ["IP 127.0.0.1", all],
      ["IP 127.0.0.2", []],
      ["NOT-IP 127.0.0.1", []],
      ["MAXAGE 100000", []],
      ["IDLE 100000", []],
    ];
    for (const [line, expected] of table) expect([line, await names(line)]).toEqual([line, expected]);
    while ((await names("MAXAGE 1")).length < 3);
    expect(await me.call("CLIENT", "KILL", "NAME", "nobody")).toBe(0);
    expect(await me.call("CLIENT", "KILL", "MAXAGE", "1", "NOT-NAME", "first")).toBe(1);
    expect(await second.nextOrEnd()).toBeUndefined();
    expect(await me.call("CLIENT", "KILL", "ID", one, "999999")).toBe(1);
    expect(await names("")).toEqual(["me"]);
    me.close();
  });

  test("what is refused", async () => {
    const client = await RespClient.open(server.port);
    const table: Record<string, string> = {
      "CLIENT LIST MAXAGE x": "ERR maxage is not an integer or out of range",
      "CLIENT LIST MAXAGE 0": "ERR maxage should be greater than 0",
      "CLIENT KILL IDLE -1": "ERR idle should be greater than 0",
      "CLIENT KILL IDLE x": "ERR idle is not an integer or out of range",
      "CLIENT LIST USER nobody": "ERR No such user 'nobody'",
      "CLIENT LIST NOT-TYPE foo": "ERR Unknown client type 'foo'",
      "CLIENT LIST FLAGS Nz": "ERR Unknown flags found in the provided filter: Nz",
      "CLIENT LIST NOT-FLAGS z": "ERR Unknown flags found in the NOT-FLAGS filter: z",
      "CLIENT LIST DB 16": "ERR DB number should be between 0 and 15",
      "CLIENT LIST NOT-DB x": "ERR NOT-DB is not an integer or out of range",
      "CLIENT LIST SKIPME maybe": "ERR syntax error",
      "CLIENT LIST NOT-SKIPME yes": "ERR syntax error",
      "CLIENT LIST NOT-MAXAGE 5": "ERR syntax error",
      "CLIENT LIST NAME": "ERR syntax error",
      "CLIENT LIST ID": "ERR syntax error",
      "CLIENT LIST ID x": "ERR Invalid client ID",
      "CLIENT LIST ID x TYPE normal": "ERR client-id should be greater than 0",
      "CLIENT KILL ID x": "ERR client-id should be greater than 0",
      "CLIENT KILL ID 1 x": "ERR syntax error",
      "CLIENT KILL NOT-ID 0": "ERR client-id should be greater than 0",
    };
    for (const [line, sentence] of Object.entries(table))
      expect([line, await client.call(...line.split(" "))]).toEqual([line, new ReplyError(sentence)]);
    client.close();
  });
});
