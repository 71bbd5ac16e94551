/**
 * ioredis against the server: its handshake with the ready check (INFO), pipelines, errors, reconnects.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { Redis, type RedisOptions } from "ioredis";
import { startServer, type TestServer } from "../server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server.stop();
});

function connect(options: RedisOptions = {}): Redis {
  const client = new Redis({ host: "127.0.0.1", port: server.port, retryStrategy: () => 50, ...options });
  client.on("error", () => {}); // or a lost connection is reported on the console
  return client;
}

for (const protocol of [2, 3] as const) {
  describe(`RESP${protocol}`, () => {
    test("becomes ready, strings and numbers", async () => {
      const client = connect({ protocol });
      await once(client, "ready");
      await client.flushdb();
      expect(await client.set("greeting", "grüß dich")).toBe("OK");
      expect(await client.get("greeting")).toBe("grüß dich");
      expect(await client.get("missing")).toBeNull();
      expect(await client.set("greeting", "x", "EX", 100, "NX")).toBeNull();
      expect(await client.setnx("fresh", "1")).toBe(1);
      expect(await client.incr("fresh")).toBe(2);
      expect(await client.incrby("fresh", 40)).toBe(42);
      expect(await client.mset({ a: "1", b: "2" })).toBe("OK");
      expect(await client.mget("a", "missing", "b")).toEqual(["1", null, "2"]);
      expect(await client.getdel("a")).toBe("1");
      expect(await client.exists("a", "b")).toBe(1);
      expect(await client.type("b")).toBe("string");
      expect(await client.quit()).toBe("OK");
    });

    test("binary and large values", async () => {
      const client = connect({ protocol });
      const value = Buffer.from(Uint8Array.from({ length: 256 }, (_, i) => i));
      await client.set(Buffer.from([0, 13, 10, 255]), value);
      expect(await client.getBuffer(Buffer.from([0, 13, 10, 255]))).toEqual(value);
      const large = Buffer.alloc(4 << 20, "0123456789abcdef");
      await client.set("large", large);
      expect((await client.getBuffer("large"))?.equals(large)).toBe(true);
      client.disconnect();
    });

    test("expiry", async () => {
      const client = connect({ protocol });
      await client.set("short", "v", "PX", 30);
      await client.set("long", "v", "EX", 1000);
      expect(await client.ttl("long")).toBe(1000);
      expect(await client.pexpireat("long", Date.now() + 60_000)).toBe(1);
      expect(await client.ttl("long")).toBe(60);
      expect(await client.persist("long")).toBe(1);
      await Bun.sleep(50);
      expect(await client.get("short")).toBeNull();
      client.disconnect();
    });

    test("a pipeline's replies and errors, in order", async () => {
      const client = connect({ protocol });
      const replies = await client
        .pipeline()
        .set("text", "abc")
        .incr("text")
        .get("text")
        .call("NOSUCHCOMMAND")
        .strlen("text")
        .exec();
      expect(replies?.map(([error, reply]) => error?.message ?? reply)).toEqual([
        "OK",
        "ERR value is not an integer or out of range",
        "abc",
        expect.stringContaining("ERR unknown command 'NOSUCHCOMMAND'"),
        3,
      ]);
      client.disconnect();
    });

    test("a long pipeline", async () => {
      const client = connect({ protocol });
      const pipeline = client.pipeline();
      for (let i = 0; i < 5000; i++) pipeline.set(`pipe:${i}`, i).get(`pipe:${i}`);
      const replies = (await pipeline.exec()) ?? [];
      expect(replies.map(([, reply]) => reply)).toEqual(
        Array.from({ length: 10_000 }, (_, i) => (i % 2 === 0 ? "OK" : String(i >> 1))),
      );
      client.disconnect();
    });

    test("automatic pipelining", async () => {
      const client = connect({ protocol, enableAutoPipelining: true });
      const numbers = Array.from({ length: 200 }, (_, i) => i);
      expect(await Promise.all(numbers.map((i) => client.incrby(`auto:${i}`, i)))).toEqual(numbers);
      client.disconnect();
    });

    test("an error rejects its command alone", async () => {
      const client = connect({ protocol });
      await client.set("text", "abc");
      await expect(client.incr("text")).rejects.toThrow("ERR value is not an integer or out of range");
      await expect(client.call("GET")).rejects.toThrow("ERR wrong number of arguments for 'get' command");
      await expect(client.set("text", "x", "EX", 0)).rejects.toThrow(
        "ERR invalid expire time in 'set' command",
      );
      expect(await client.get("text")).toBe("abc");
      client.disconnect();
    });

    test("scanStream finds every key", async () => {
      const client = connect({ protocol, db: 3 });
      const keys = Array.from({ length: 500 }, (_, i) => `scan:${i}`);
      await Promise.all(keys.map((key) => client.set(key, "v")));
      const found = new Set<string>();
      for await (const batch of client.scanStream({ match: "scan:*", count: 50 })) {
        for (const key of batch as string[]) found.add(key);
      }
      expect([...found].sort()).toEqual([...keys].sort());
      client.disconnect();
    });

    test("database, name and the library's own name", async () => {
      const client = connect({ protocol, db: 5, connectionName: "interop" });
      const info = String(await client.client("INFO"));
      expect(info).toContain(" name=interop ");
      expect(info).toContain(" db=5 ");
      expect(info).toMatch(/ lib-name=ioredis lib-ver=\d/);
      expect(info).toContain(` resp=${protocol}`);
      client.disconnect();
    });

    test("password", async () => {
      const guarded = await startServer(["--requirepass", "secret"]);
      const { port } = guarded;
      const right = connect({ protocol, port, password: "secret" });
      expect(await right.ping()).toBe("PONG");
      right.disconnect();
      const wrong = connect({ protocol, port, password: "wrong", retryStrategy: () => null });
      const [error] = await once(wrong, "error").catch((thrown) => [thrown]);
      expect(String(error)).toContain("WRONGPASS");
      wrong.disconnect();
      await guarded.stop();
    });

    test("reconnects after the server came back; the queue waits", async () => {
      const first = await startServer();
      const client = connect({ protocol, port: first.port, db: 2, connectionName: "faithful" });
      await client.set("before", "1");
      const lost = once(client, "close");
      await first.stop("SIGKILL");
      await lost;
      const queued = client.set("after", "2");
      const second = await startServer([], { port: first.port });
      expect(await queued).toBe("OK");
      expect(await client.get("before")).toBeNull(); // nothing was saved
      expect(await client.client("GETNAME")).toBe("faithful");
      expect(String(await client.client("INFO"))).toContain(" db=2 ");
      client.disconnect();
      await second.stop();
    });
  });
}
