import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { infoField } from "../../scripts/lib/wire.ts";
import { fieldsOf, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

/** maxmemory-clients: the largest clients go until the rest fit. */

const MB = 1 << 20;

let server: TestServer;
let control: RespClient;
beforeAll(async () => {
  server = await startServer();
  control = await RespClient.open(server.port);
  await control.call("CLIENT", "NO-EVICT", "ON");
});
afterAll(async () => {
  control.close();
  await server.stop();
});
beforeEach(async () => {
  await limit("0");
  await control.call("CONFIG", "RESETSTAT");
});

async function limit(value: string): Promise<void> {
  expect(await control.call("CONFIG", "SET", "maxmemory-clients", value)).toBe("OK");
}

async function evicted(): Promise<number> {
  return Number(infoField(await control.text("INFO", "stats"), "evicted_clients"));
}

async function client(name: string): Promise<RespClient> {
  const client = await RespClient.open(server.port);
  await client.call("CLIENT", "SETNAME", name);
  return client;
}

/** What CLIENT LIST says of the client, or null where it is gone. */
async function seen(name: string): Promise<Record<string, string> | null> {
  for (const line of (await control.text("CLIENT", "LIST")).trim().split("\n")) {
    const fields = fieldsOf(line);
    if (fields.name === name) return fields;
  }
  return null;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 20_000; !(await holds()); )
    if (Date.now() > deadline) throw new Error(`not within 20 s: ${what}`);
}

/** The connection is ended by the server. */
async function gone(client: RespClient): Promise<void> {
  while ((await client.nextOrEnd()) !== undefined) {
    // What was answered before.
  }
  expect(client.closed).toBe(true);
}

/** Sends a part of a command: so many bytes of its first argument. */
function fill(client: RespClient, bytes: number): void {
  client.write(`*2\r\n$${bytes}\r\n${"v".repeat(bytes)}`);
}

describe("a client is evicted because of", () => {
  test("a command that does not come to its end", async () => {
    await limit(String(2 * MB));
    const small = await client("small");
    // Far less than the limit leaves for the other, whatever pieces its command arrives in.
    fill(small, MB / 4);
    await until("read", async () => Number((await seen("small"))?.qbuf) === MB / 4);
    const fields = (await seen("small"))!;
    expect(Number(fields["tot-mem"])).toBeGreaterThan(MB / 4);
    const large = await client("large");
    fill(large, 2 * MB);
    await gone(large);
    expect(await seen("large")).toBeNull();
    expect(await seen("small")).not.toBeNull();
    expect(await evicted()).toBe(1);
    small.close();
  });

  test("a share of maxmemory", async () => {
    await control.call("CONFIG", "SET", "maxmemory", String(100 * MB));
    await limit("1%");
    const one = await client("one");
    fill(one, MB + 1);
    await gone(one);
    await control.call("CONFIG", "SET", "maxmemory", "0");
    const other = await client("other");
    fill(other, MB + 1);
    await until("read", async () => Number((await seen("other"))?.qbuf) === MB + 1);
    other.close();
  });

  test("a command before it is executed", async () => {
    await limit(String(2 * MB));
    const one = await client("one");
    one.send("SET", "never", "v".repeat(2 * MB));
    await gone(one);
    expect(await control.call("EXISTS", "never")).toBe(0);
  });

  test("what it has queued", async () => {
    await limit(String(MB));
    const one = await client("one");
    await one.call("MULTI");
    for (let i = 0; i < 5; i++) one.send("SET", "k", "v".repeat(MB / 4));
    await gone(one);
    expect(await evicted()).toBe(1);
  });

  const attached: [string, (client: RespClient, i: number) => void][] = [
    ["keys it watches", (client, i) => client.send("WATCH", `key${i}`)],
    ["channels", (client, i) => client.send("SUBSCRIBE", `channel${i}`)],
    ["patterns", (client, i) => client.send("PSUBSCRIBE", `pattern${i}*`)],
    ["shard channels", (client, i) => client.send("SSUBSCRIBE", `shard${i}`)],
    [
      "prefixes it tracks",
      (client, i) =>
        client.send("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", `p${String(i).padStart(6, "0")}`),
    ],
  ];
  for (const [what, add] of attached)
    test(what, async () => {
      await limit("200000");
      const one = await client("one");
      await one.call("HELLO", "3");
      for (let i = 0; i < 2000; i++) add(one, i);
      await gone(one);
      expect(await evicted()).toBe(1);
    });

  test("replies that it does not read", async () => {
    await control.call("SETRANGE", "big", String(MB), "v");
    const one = await RespClient.open(server.port);
    await one.call("CLIENT", "SETNAME", "one");
    await one.call("CLIENT", "NO-EVICT", "ON");
    one.pause();
    await until("unread", async () => {
      one.send("GET", "big");
      return Number((await seen("one"))!["tot-mem"]) > 8 * MB;
    });
    await limit(String(4 * MB));
    // Spared, though it takes too much.
    expect(await seen("one")).not.toBeNull();
    expect(await evicted()).toBe(0);
    one.send("CLIENT", "NO-EVICT", "OFF");
    await until("evicted", async () => (await seen("one")) === null);
    expect(await evicted()).toBe(1);
    one.close();
  });

  test("invalidations that it does not read", async () => {
    await limit(String(4 * MB));
    const reader = await client("reader");
    await reader.call("HELLO", "3");
    await reader.call("CLIENT", "TRACKING", "ON", "BCAST");
    reader.pause();
    const key = "k".repeat(200_000);
    await until("evicted", async () => {
      await control.call("INCR", key);
      return (await seen("reader")) === null;
    });
    expect(await evicted()).toBe(1);
    reader.close();
  });
});

test("the largest go first, and no more than must", async () => {
  const clients: RespClient[] = [];
  for (const [name, bytes] of [
    ["a", MB / 8],
    ["b", MB / 8],
    ["c", MB],
    ["d", MB],
    ["e", 3 * MB],
  ] as const) {
    const each = await client(name);
    fill(each, bytes);
    await until("read", async () => Number((await seen(name))?.qbuf) === bytes);
    clients.push(each);
  }
  const left = async () => {
    const names: string[] = [];
    for (const name of "abcde") if ((await seen(name)) !== null) names.push(name);
    return names.join("");
  };
  await limit(String(3 * MB));
  expect(await left()).toBe("abcd");
  await limit(String(2 * MB));
  expect((await left()).length).toBe(3);
  await limit(String(MB));
  expect(await left()).toBe("ab");
  expect(await evicted()).toBe(3);
  for (const each of clients) each.close();
});

test("a reader that falls behind is not evicted for what it has read since", async () => {
  await control.call("SETRANGE", "big", String(MB), "v");
  await limit(String(3 * MB));
  const one = await client("one");
  for (let i = 0; i < 20; i++) expect((await one.text("GET", "big")).length).toBe(MB + 1);
  expect(await evicted()).toBe(0);
  one.close();
});

test("CLIENT LIST tells what of a cut command has been read", async () => {
  const one = await client("one");
  one.write("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$100\r\nvalue");
  await until("read", async () => (await seen("one"))?.qbuf === "5");
  const fields = (await seen("one"))!;
  expect(Number(fields["argv-mem"])).toBeGreaterThanOrEqual(6);
  expect(Number(fields["qbuf-free"])).toBeGreaterThanOrEqual(97);
  one.close();
});
