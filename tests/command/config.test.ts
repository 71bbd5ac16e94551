import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { launch, temporaryDirectory } from "../../scripts/lib/launch.ts";
import { fieldsOf, ReplyError, RespClient } from "../resp-client.ts";
import { serverCommand, startServer, type TestServer } from "../server.ts";

let server: TestServer;
let client: RespClient;
beforeAll(async () => {
  server = await startServer();
  client = await RespClient.open(server.port);
});
afterAll(async () => {
  client.close();
  await server.stop();
});

const set = (...args: string[]) => client.call("CONFIG", "SET", ...args);

test("GET answers with pairs, in RESP3 with a map", async () => {
  expect(await client.call("CONFIG", "GET", "hz", "timeout")).toEqual(["hz", "10", "timeout", "0"]);
  const third = await RespClient.open(server.port);
  await third.call("HELLO", "3");
  expect(await third.call("CONFIG", "GET", "hz", "timeout")).toEqual({ hz: "10", timeout: "0" });
  third.close();
});

test("SET is all or nothing", async () => {
  expect(await set("timeout", "5", "maxmemory-clients", "200%")).toEqual(
    new ReplyError(
      "ERR CONFIG SET failed (possibly related to argument 'maxmemory-clients') - percentage argument must be less or equal to 100",
    ),
  );
  expect(await client.call("CONFIG", "GET", "timeout")).toEqual(["timeout", "0"]);
});

describe("what takes effect at run time", () => {
  test("proto-max-bulk-len", async () => {
    await set("proto-max-bulk-len", "1mb");
    const other = await RespClient.open(server.port);
    other.write("*1\r\n$2000000\r\n");
    expect(await other.next()).toEqual(new ReplyError("ERR Protocol error: invalid bulk length"));
    await set("proto-max-bulk-len", "512mb");
  });

  test("requirepass: who is connected stays so, newcomers must authenticate", async () => {
    await set("requirepass", "secret");
    const other = await RespClient.open(server.port);
    expect(await other.call("PING")).toEqual(new ReplyError("NOAUTH Authentication required."));
    expect(await client.call("PING")).toBe("PONG");
    await set("requirepass", "");
    expect(await other.call("PING")).toBe("PONG");
    other.close();
  });

  test("maxclients, and no more than the system allows", async () => {
    const { connected_clients } = fieldsOf(await client.text("INFO", "clients"));
    await set("maxclients", connected_clients!);
    const other = await RespClient.open(server.port);
    expect(await other.next()).toEqual(new ReplyError("ERR max number of clients reached"));
    expect(await set("maxclients", "4000000000")).toBeInstanceOf(ReplyError);
    await set("maxclients", "10000");
  });

  test("an LFU policy", async () => {
    await set("maxmemory-policy", "allkeys-lfu");
    await client.call("SET", "lfu", "x");
    expect(await client.call("OBJECT", "FREQ", "lfu")).toBe(5);
    await set("maxmemory-policy", "noeviction");
    expect(await client.call("OBJECT", "FREQ", "lfu")).toBeInstanceOf(ReplyError);
  });

  test("maxmemory", async () => {
    await set("maxmemory", "1");
    expect(await client.call("SET", "a", "b")).toEqual(
      new ReplyError("OOM command not allowed when used memory > 'maxmemory'."),
    );
    await set("maxmemory", "0");
    expect(await client.call("SET", "a", "b")).toBe("OK");
  });

  test("loglevel", async () => {
    await set("loglevel", "verbose");
    const other = await RespClient.open(server.port);
    other.write("*x\r\n");
    await server.logged("Protocol error");
    await set("loglevel", "notice");
  });

  test("port: clients stay, the new one is listened on; a used one is refused", async () => {
    const taken = Bun.listen({ hostname: "0.0.0.0", port: 0, socket: { data() {} } });
    expect(await set("port", String(taken.port))).toEqual(
      new ReplyError(
        "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs.",
      ),
    );
    (await RespClient.open(server.port)).close();
    const { port } = taken;
    taken.stop(true);
    expect(await set("port", String(port))).toBe("OK");
    const other = await RespClient.open(port);
    expect(await other.call("PING")).toBe("PONG");
    other.close();
    expect(await set("port", String(server.port))).toBe("OK");
  });

  test("bind: an empty one listens nowhere", async () => {
    await set("bind", "");
    await expect(RespClient.open(server.port)).rejects.toThrow();
    expect(await set("bind", "999.999.999.999")).toBeInstanceOf(ReplyError);
    expect(await set("bind", "127.0.0.1")).toBe("OK");
    (await RespClient.open(server.port)).close();
  });
});

test("RESETSTAT sets the counters back, itself excepted", async () => {
  await client.call("NOSUCH");
  await client.call("GET", "a");
  await client.call("CONFIG", "RESETSTAT");
  const stats = fieldsOf(await client.text("INFO", "stats", "commandstats", "errorstats"));
  expect(stats).toMatchObject({
    total_commands_processed: "1",
    total_error_replies: "0",
    keyspace_hits: "0",
  });
  expect(Object.keys(stats).filter((name) => /^cmdstat|^errorstat/.test(name))).toEqual([
    "cmdstat_config|resetstat",
  ]);
});

test("REWRITE keeps the file's lines and adds what was changed", async () => {
  expect(await client.call("CONFIG", "REWRITE")).toEqual(
    new ReplyError("ERR The server is running without a config file"),
  );
  const path = join(temporaryDirectory(), "redis.conf");
  writeFileSync(path, "# a comment\nhz 20\ntimeout 7\n");
  const other = await launch({ command: [...serverCommand(), path] });
  const there = await RespClient.open(other.port);
  await there.call("CONFIG", "SET", "hz", "50", "maxmemory", "10mb");
  expect(await there.call("CONFIG", "REWRITE")).toBe("OK");
  const lines = readFileSync(path, "utf8").split("\n");
  expect(lines.slice(0, 3)).toEqual(["# a comment", "hz 50", "timeout 7"]);
  expect(lines).toContain("maxmemory 10mb");
  there.close();
  await other.stop();
});

test("while a data set is loaded, directives that concern it cannot be changed", async () => {
  const dir = temporaryDirectory();
  const first = await startServer(["--dir", dir, "--enable-debug-command", "yes"]);
  const client = await RespClient.open(first.port);
  await client.call("DEBUG", "POPULATE", "10000", "key", "10");
  await client.call("SAVE");
  client.close();
  await first.stop();
  const second = await launch({
    command: serverCommand(),
    args: ["--dir", dir, "--key-load-delay", "10000", "--enable-protected-configs", "yes"],
    ready: "Server initialized",
  });
  const loading = await RespClient.open(second.port);
  expect(await loading.call("GET", "x")).toMatchObject({ message: expect.stringMatching(/^LOADING/) });
  for (const [name, value] of [
    ["dir", "/"],
    ["appendonly", "yes"],
    ["repl-diskless-load", "swapdb"],
  ] as const)
    expect(await loading.call("CONFIG", "SET", name, value)).toMatchObject({
      message: expect.stringMatching(/^LOADING/),
    });
  expect(await loading.call("CONFIG", "SET", "loglevel", "warning")).toBe("OK");
  loading.close();
  await second.stop("SIGKILL");
});
