/**
 * node-redis against the server: what its users do first, in RESP2 and RESP3.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createClient, ErrorReply, RESP_TYPES } from "redis";
import { startServer, type TestServer } from "../server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server.stop();
});

/** A client given by URL, which makes it send CLIENT MAINT_NOTIFICATIONS when it speaks RESP3. */
async function connect(
  RESP: 2 | 3,
  options: { port?: number; path?: string; auth?: string; name?: string } = {},
) {
  const { port = server.port, path = "", auth = "", name } = options;
  const client = createClient({
    url: `redis://${auth}127.0.0.1:${port}${path}`,
    RESP,
    ...(name && { name }),
    socket: { reconnectStrategy: (_, cause) => (cause instanceof ErrorReply ? cause : 50) },
  });
  client.on("error", () => {}); // or a lost connection ends the process
  await client.connect();
  return client;
}

for (const RESP of [2, 3] as const) {
  describe(`RESP${RESP}`, () => {
    test("strings, numbers, nulls", async () => {
      const client = await connect(RESP);
      await client.flushDb();
      expect(await client.ping()).toBe("PONG");
      expect(await client.set("greeting", "grüß dich")).toBe("OK");
      expect(await client.get("greeting")).toBe("grüß dich");
      expect(await client.get("missing")).toBeNull();
      expect(await client.set("greeting", "other", { condition: "NX" })).toBeNull();
      expect(await client.set("greeting", "new", { GET: true })).toBe("grüß dich");
      expect(await client.incrBy("counter", 41)).toBe(41);
      expect(await client.incr("counter")).toBe(42);
      expect(await client.incrByFloat("counter", 0.5)).toBe("42.5");
      expect(await client.mSet({ a: "1", b: "2" })).toBe("OK");
      expect(await client.mGet(["a", "missing", "b"])).toEqual(["1", null, "2"]);
      expect(await client.append("a", "23")).toBe(3);
      expect(await client.getRange("a", 1, -1)).toBe("23");
      expect(await client.del(["a", "b", "missing"])).toBe(2);
      await client.close();
    });

    test("binary and large values", async () => {
      const client = await connect(RESP);
      const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
      const value = Buffer.from(Uint8Array.from({ length: 256 }, (_, i) => i));
      await client.set("binary", value);
      expect(await bytes.get("binary")).toEqual(value);
      const large = "0123456789abcdef".repeat(256 * 1024); // 4 MiB: cut into many chunks
      await client.set("large", large);
      expect((await client.get("large")) === large).toBe(true);
      expect(await client.strLen("large")).toBe(large.length);
      await client.close();
    });

    test("expiry", async () => {
      const client = await connect(RESP);
      await client.set("short", "v", { expiration: { type: "PX", value: 30 } });
      await client.setEx("long", 1000, "v");
      expect(await client.ttl("long")).toBe(1000);
      expect(await client.expire("long", 10, "GT")).toBe(0);
      expect(await client.persist("long")).toBe(1);
      expect(await client.ttl("long")).toBe(-1);
      await Bun.sleep(50);
      expect(await client.exists("short")).toBe(0);
      expect(await client.ttl("short")).toBe(-2);
      await client.close();
    });

    test("commands of one tick are one pipeline, answered in order", async () => {
      const client = await connect(RESP);
      const numbers = Array.from({ length: 2000 }, (_, i) => i);
      const set = numbers.map((i) => client.set(`pipe:${i}`, String(i)));
      const got = numbers.map((i) => client.get(`pipe:${i}`));
      expect(new Set(await Promise.all(set))).toEqual(new Set(["OK"]));
      expect(await Promise.all(got)).toEqual(numbers.map(String));
      await client.close();
    });

    test("an error belongs to its command alone", async () => {
      const client = await connect(RESP);
      await client.set("text", "abc");
      const results = await Promise.allSettled([
        client.get("text"),
        client.incr("text"),
        client.sendCommand(["NOSUCHCOMMAND", "x"]),
        client.sendCommand(["GET"]),
        client.ping(),
      ]);
      expect(results.map((each) => (each.status === "fulfilled" ? each.value : each.reason.message))).toEqual(
        [
          "abc",
          "ERR value is not an integer or out of range",
          "ERR unknown command 'NOSUCHCOMMAND', with args beginning with: 'x' ",
          "ERR wrong number of arguments for 'get' command",
          "PONG",
        ],
      );
      await client.close();
    });

    test("scanIterator finds every key", async () => {
      const client = await connect(RESP, { path: "/3" });
      const keys = Array.from({ length: 500 }, (_, i) => `scan:${i}`);
      await Promise.all(keys.map((key) => client.set(key, "v")));
      const found = new Set<string>();
      for await (const batch of client.scanIterator({ MATCH: "scan:*", COUNT: 50 })) {
        for (const key of batch) found.add(key);
      }
      expect([...found].sort()).toEqual([...keys].sort());
      await client.close();
    });

    test("the database of the URL, SELECT, and the name", async () => {
      const client = await connect(RESP, { path: "/5", name: "interop" });
      await client.set("here", "5");
      expect(await client.clientGetName()).toBe("interop");
      expect((await client.clientInfo()).db).toBe(5);
      await client.select(6);
      expect(await client.get("here")).toBeNull();
      await client.close();
    });

    test("the library's name and version arrive", async () => {
      const client = await connect(RESP);
      const info = String(await client.sendCommand(["CLIENT", "INFO"]));
      expect(info).toMatch(/ lib-name=node-redis lib-ver=\d+\.\d+\.\d+/);
      expect(info).toContain(` resp=${RESP}`);
      await client.close();
    });

    test("password: refused without, with a wrong one, accepted with the right one", async () => {
      const guarded = await startServer(["--requirepass", "secret"]);
      const { port } = guarded;
      const client = await connect(RESP, { port, auth: ":secret@" });
      expect(await client.ping()).toBe("PONG");
      await client.close();
      await expect(connect(RESP, { port, auth: ":wrong@" })).rejects.toThrow(
        "WRONGPASS invalid username-password pair or user is disabled.",
      );
      const stranger = await connect(2, { port });
      await expect(stranger.get("x")).rejects.toThrow("NOAUTH Authentication required.");
      stranger.destroy();
      await guarded.stop();
    });

    test("reconnects after the server came back, with database and name", async () => {
      const first = await startServer();
      const client = await connect(RESP, { port: first.port, path: "/2", name: "faithful" });
      await client.set("before", "1");
      const back = new Promise((resolve) => client.once("ready", resolve));
      await first.stop("SIGKILL");
      const queued = client.set("after", "2");
      const second = await startServer([], { port: first.port });
      await back;
      expect(await queued).toBe("OK");
      expect(await client.get("before")).toBeNull(); // nothing was saved
      expect(await client.get("after")).toBe("2");
      expect(await client.clientGetName()).toBe("faithful");
      expect((await client.clientInfo()).db).toBe(2);
      await client.close();
      await second.stop();
    });
  });
}

test("CLIENT MAINT_NOTIFICATIONS is refused with an error reply, and the connection goes on", async () => {
  const client = await connect(3);
  const handshake = ["CLIENT", "MAINT_NOTIFICATIONS", "ON", "moving-endpoint-type", "none"];
  await expect(client.sendCommand(handshake)).rejects.toThrow(
    "ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.",
  );
  expect(await client.ping()).toBe("PONG");
  await client.close();
});

test("a client with a host but no URL, with the defaults of the library", async () => {
  const client = createClient({ socket: { host: "127.0.0.1", port: server.port } });
  client.on("error", () => {});
  await client.connect();
  expect(await client.set("plain", "1")).toBe("OK");
  expect(await client.info("server")).toContain("redis_version:7.");
  await client.close();
});
