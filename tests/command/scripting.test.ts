/** Scripts and functions over a socket: what is propagated and saved, slow scripts, EVALSHA_RO, FCALL_RO, INFO. */
import { afterEach, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Node, until } from "../replication.ts";
import { fieldsOf, type Reply, ReplyError, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Running {
  server: TestServer;
  client: RespClient;
}

async function start(...args: string[]): Promise<Running> {
  const server = await startServer(["--enable-debug-command", "yes", ...args]);
  cleanups.push(() => server.stop("SIGKILL"));
  return { server, client: await open(server) };
}

async function open(server: { port: number }): Promise<RespClient> {
  const client = await RespClient.open(server.port);
  cleanups.push(() => client.close());
  return client;
}

const evaluate = (client: RespClient, source: string, ...args: string[]): Promise<Reply> =>
  client.call("EVAL", source, "0", ...args);

function textOf(reply: Reply): string {
  return reply instanceof ReplyError ? reply.message : JSON.stringify(reply);
}

/** Starts a script that does not end by itself, and waits until others are told that it runs. */
async function runForEver(
  server: TestServer,
  source: string,
): Promise<{ script: RespClient; other: RespClient }> {
  const script = await open(server);
  const other = await open(server);
  script.send("EVAL", source, "1", "key");
  await until(async () => textOf(await other.call("PING")).startsWith("BUSY"));
  return { script, other };
}

const LIBRARY =
  "#!lua name=lib\nredis.register_function('count', function(keys) return redis.call('incr', keys[1]) end)";

/** The commands in the append-only file, as words. */
function appended(dir: string): string[] {
  const folder = join(dir, "appendonlydir");
  const name = readdirSync(folder).find((each) => each.endsWith(".incr.aof"))!;
  return readFileSync(join(folder, name), "latin1")
    .split("\r\n")
    .filter((line) => line !== "" && !/^[*$]\d+$/.test(line));
}

test("what a script changes is propagated as a transaction of its effects", async () => {
  const { server, client } = await start("--appendonly", "yes", "--appendfsync", "always");
  await evaluate(client, "redis.call('set','a',1) redis.call('incrbyfloat','a','1.5') redis.call('get','a')");
  await evaluate(client, "redis.call('select',2) redis.call('expire','none',1) redis.call('rpush','l','x')");
  await evaluate(client, "return redis.call('get','a')");
  await evaluate(client, "redis.set_repl(redis.REPL_NONE) redis.call('set','unseen',1)");
  await evaluate(
    client,
    "redis.set_repl(redis.REPL_REPLICA) redis.call('set','unseen',2) redis.set_repl(redis.REPL_ALL) redis.call('set','seen',1)",
  );
  await client.call("SCRIPT", "LOAD", "return 1");
  expect(appended(server.dir)).toEqual([
    ...["MULTI", "SELECT", "0", "set", "a", "1", "SET", "a", "2.5", "KEEPTTL", "EXEC"],
    ...["SELECT", "2", "rpush", "l", "x"],
    ...["SELECT", "0", "set", "seen", "1"],
  ]);
});

test("libraries are propagated as they come, and are loaded again from the append-only file", async () => {
  const { client } = await start("--appendonly", "yes", "--appendfsync", "always");
  expect(await client.call("FUNCTION", "LOAD", LIBRARY)).toBe("lib");
  expect(await client.call("FCALL", "count", "1", "n")).toBe(1);
  await client.call("DEBUG", "LOADAOF");
  expect(await client.call("FCALL", "count", "1", "n")).toBe(2);
  for (const preamble of ["yes", "no"]) {
    await client.call("CONFIG", "SET", "aof-use-rdb-preamble", preamble);
    await client.call("BGREWRITEAOF");
    await until(
      async () => fieldsOf(await client.text("INFO", "persistence")).aof_rewrite_in_progress === "0",
    );
    await client.call("DEBUG", "LOADAOF");
    expect(await client.call("FUNCTION", "LIST", "LIBRARYNAME", "lib")).toEqual([
      expect.arrayContaining(["library_name", "lib"]),
    ]);
  }
  expect(await client.call("FUNCTION", "DELETE", "lib")).toBe("OK");
  await client.call("DEBUG", "LOADAOF");
  expect(await client.call("FUNCTION", "LIST")).toEqual([]);
});

test("libraries are in the RDB file, survive FLUSHALL, and can be dumped and restored", async () => {
  const { client } = await start();
  await client.call("FUNCTION", "LOAD", LIBRARY);
  await client.call("FLUSHALL");
  await client.call("DEBUG", "RELOAD");
  expect(await client.call("FCALL", "count", "1", "n")).toBe(1);
  const payload = await client.text("FUNCTION", "DUMP");
  expect(textOf(await client.call("FUNCTION", "RESTORE", payload))).toBe("ERR Library lib already exists");
  expect(await client.call("FUNCTION", "RESTORE", payload, "REPLACE")).toBe("OK");
  expect(await client.call("FUNCTION", "FLUSH")).toBe("OK");
  expect(textOf(await client.call("FCALL_RO", "count", "1", "n"))).toBe("ERR Function not found");
  expect(await client.call("FUNCTION", "RESTORE", payload)).toBe("OK");
  expect(await client.call("FCALL", "count", "1", "n")).toBe(2);
  const stats = (await client.call("FUNCTION", "STATS")) as Reply[];
  expect(stats).toEqual([
    "running_script",
    null,
    "engines",
    ["LUA", ["libraries_count", 1, "functions_count", 1]],
  ]);
});

test("a replica gets effects and libraries; there scripts may only read", async () => {
  const master = await start("--repl-diskless-sync-delay", "0");
  const replica = await start();
  await master.client.call("FUNCTION", "LOAD", LIBRARY);
  const [first, second] = [await Node.of(master.server), await Node.of(replica.server)];
  cleanups.push(
    () => first.close(),
    () => second.close(),
  );
  await second.follow(master.server);
  await second.linked();
  await evaluate(
    master.client,
    "math.randomseed(7) redis.call('set','r',math.random()) redis.call('lpush','l',1,2)",
  );
  await master.client.call("FCALL", "count", "1", "n");
  await master.client.call("FUNCTION", "LOAD", LIBRARY.replaceAll("lib", "second").replace("count", "more"));
  await second.caughtUpWith(first);
  expect(await second.digest()).toEqual(await first.digest());
  expect((await second.call("FUNCTION", "LIST")) as Reply[]).toHaveLength(2);
  const refused = await evaluate(replica.client, "return redis.call('set','x',1)");
  expect(textOf(refused)).toStartWith("READONLY You can't write against a read only replica. script:");
  expect(await evaluate(replica.client, "return redis.call('get','n')")).toBe("1");
  expect(textOf(await evaluate(replica.client, "#!lua\nreturn 1"))).toBe(
    "READONLY You can't write against a read only replica.",
  );
});

test("a slow script: others hear BUSY, and it can be killed, even in the midst of a pcall", async () => {
  const { server } = await start("--busy-reply-threshold", "20");
  const endless = "while true do pcall(function() while true do redis.call('ping') end end) end";
  const { script, other } = await runForEver(server, endless);
  expect(textOf(await other.call("GET", "key"))).toBe(
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
  );
  expect(textOf(await other.call("FUNCTION", "KILL"))).toStartWith("BUSY ");
  expect(textOf(await other.call("FUNCTION", "STATS"))).toStartWith("BUSY ");
  expect(textOf(await other.call("SHUTDOWN"))).toStartWith("BUSY ");
  script.send("PING");
  expect(await other.call("SCRIPT", "KILL")).toBe("OK");
  expect(textOf(await script.next())).toStartWith("ERR Script killed by user with SCRIPT KILL... script: ");
  expect(await script.next()).toBe("PONG");
  expect(await other.call("PING")).toBe("PONG");
  expect(textOf(await other.call("SCRIPT", "KILL"))).toBe("NOTBUSY No scripts in execution right now.");
});

test("a slow script that has written cannot be killed; what it has written is seen when it is done", async () => {
  const { server } = await start("--busy-reply-threshold", "20", "--appendonly", "yes");
  const waiting = await open(server);
  waiting.send("BLPOP", "key", "0");
  const loop =
    "redis.call('rpush', KEYS[1], 'first') while true do " +
    "if string.find(redis.call('client', 'list'), 'name=enough') then break end end " +
    "redis.call('lpush', KEYS[1], 'second') return 'done'";
  const debug = await open(server);
  await debug.call("DEBUG", "SET-DISABLE-DENY-SCRIPTS", "1");
  const { script, other } = await runForEver(server, loop);
  expect(textOf(await other.call("SCRIPT", "KILL"))).toStartWith("UNKILLABLE ");
  expect(textOf(await other.call("MULTI"))).toBe('"OK"');
  expect(textOf(await other.call("SET", "x", "1"))).toStartWith("BUSY ");
  await (await open(server)).call("HELLO", "2", "SETNAME", "enough");
  expect(await script.next()).toBe("done");
  expect(await waiting.next()).toEqual(["key", "second"]);
  expect(textOf(await other.call("EXEC"))).toStartWith("EXECABORT ");
});

test("a slow function is killed by FUNCTION KILL, and FUNCTION STATS tells of it", async () => {
  const { server, client } = await start("--busy-reply-threshold", "20");
  await client.call(
    "FUNCTION",
    "LOAD",
    "#!lua name=l\nredis.register_function('slow', function() while true do end end)",
  );
  client.send("FCALL", "slow", "1", "k", "arg");
  const other = await open(server);
  await until(async () => textOf(await other.call("PING")).startsWith("BUSY"));
  const [, running] = (await other.call("FUNCTION", "STATS")) as Reply[];
  expect((running as Reply[]).slice(0, 5)).toEqual([
    "name",
    "slow",
    "command",
    ["FCALL", "slow", "1", "k", "arg"],
    "duration_ms",
  ]);
  expect(textOf(await other.call("SCRIPT", "KILL"))).toStartWith("BUSY ");
  expect(await other.call("FUNCTION", "KILL")).toBe("OK");
  expect(textOf(await client.next())).toStartWith("ERR Script killed by user");
});

test("SHUTDOWN NOSAVE ends the server in the midst of a script that has written", async () => {
  const { server } = await start("--busy-reply-threshold", "20");
  const { other } = await runForEver(server, "redis.call('set', KEYS[1], 1) while true do end");
  other.send("SHUTDOWN", "NOSAVE");
  expect(await other.nextOrEnd()).toBeUndefined();
});

test("scripts are shown to MONITOR before what they call, and their time is theirs", async () => {
  const { server, client } = await start("--slowlog-log-slower-than", "0");
  const monitor = await open(server);
  expect(await monitor.call("MONITOR")).toBe("OK");
  await client.call("SLOWLOG", "RESET");
  await client.call("EVALSHA_RO", await client.text("SCRIPT", "LOAD", "return redis.call('get','k')"), "0");
  const lines: string[] = [];
  while (!lines.at(-1)?.includes("lua]")) lines.push(String(await monitor.next()));
  expect(lines.at(-2)).toContain('"EVALSHA_RO"');
  expect(lines.at(-1)).toMatch(/ \[0 lua\] "get" "k"$/);
  const logged = ((await client.call("SLOWLOG", "GET")) as Reply[][]).map(
    (entry) => (entry[3] as string[])[0],
  );
  expect(logged).toContain("EVALSHA_RO");
  expect(logged).not.toContain("get");
});

test("INFO tells of scripts; SCRIPT FLUSH and EVAL_RO", async () => {
  const { client } = await start();
  const memory = async () => fieldsOf(await client.text("INFO", "memory"));
  expect(await memory()).toMatchObject({ number_of_cached_scripts: "0", used_memory_lua: "0" });
  await client.call("EVAL_RO", "return 1", "0");
  await client.call("FUNCTION", "LOAD", LIBRARY);
  const full = await memory();
  expect(full).toMatchObject({
    number_of_cached_scripts: "1",
    number_of_functions: "1",
    number_of_libraries: "1",
  });
  expect(Number(full.used_memory_lua)).toBeGreaterThan(10_000);
  expect(await client.call("SCRIPT", "FLUSH")).toBe("OK");
  expect(await client.call("SCRIPT", "EXISTS", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db")).toEqual([0]);
  expect(await memory()).toMatchObject({ number_of_cached_scripts: "0" });
});

test("a table in itself is a reply with an error in its depth", async () => {
  const { client } = await start();
  expect(JSON.stringify(await evaluate(client, "local t = {} t[1] = t return t"))).toContain(
    "reached lua stack limit",
  );
  expect(await client.call("PING")).toBe("PONG");
});

test("a script may do what its caller may", async () => {
  const { server, client } = await start();
  await client.call("ACL", "SETUSER", "bob", "on", "nopass", "+@scripting", "+set", "+auth", "~x*");
  const bob = await open(server);
  expect(await bob.call("AUTH", "bob", "any")).toBe("OK");
  expect(await evaluate(bob, "return redis.call('set','x1',1)")).toEqual("OK");
  expect(textOf(await evaluate(bob, "return redis.call('set','y',1)"))).toStartWith(
    "ERR ACL failure in script: No permissions to access a key script: ",
  );
  expect(textOf(await evaluate(bob, "return redis.pcall('get','x1')"))).toBe(
    "ERR ACL failure in script: User bob has no permissions to run the 'get' command",
  );
  expect(await evaluate(bob, "return redis.acl_check_cmd('set','x2','v')")).toBe(1);
  expect(await evaluate(bob, "return redis.acl_check_cmd('get','x2')")).toBeNull();
  const [entry] = (await client.call("ACL", "LOG", "1")) as Reply[][];
  expect(entry).toContain("lua");
});

test("SCRIPT SHOW gives a script's source back (Valkey)", async () => {
  const { client } = await start();
  const source = "#!lua flags=no-writes\nreturn redis.call('get', KEYS[1]) -- \xff";
  const sha = await client.text("SCRIPT", "LOAD", source);
  expect(await client.call("SCRIPT", "SHOW", sha)).toBe(source);
  expect(await client.call("SCRIPT", "SHOW", sha.toUpperCase())).toBe(source);
  const missing = new ReplyError("NOSCRIPT No matching script. Please use EVAL.");
  expect(await client.call("SCRIPT", "SHOW", "0".repeat(40))).toEqual(missing);
  expect(await client.call("SCRIPT", "SHOW", "")).toEqual(missing);
});
