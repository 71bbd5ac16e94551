/** SCRIPT DEBUG: the Lua debugger, as redis-cli --ldb speaks to it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Node, until } from "../replication.ts";
import { type Reply, type ReplyError, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

const SCRIPT = `local a = 1.5
local t = {1, "two", {x = 3}}
redis.call('set', KEYS[1], ARGV[1])
redis.debug("here", a, t)
local function f(n)
  return n + 1
end
local b = f(a)
redis.breakpoint()
local c = redis.call('get', KEYS[1])
return {c, b}
`;

let server: TestServer;
let other: RespClient;
beforeAll(async () => {
  server = await startServer(["--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0"]);
  other = await RespClient.open(server.port);
});
afterAll(async () => {
  other.close();
  await server.stop();
});

/** A session that stands at the first line. */
async function begin(mode: string, script: string, ...args: string[]): Promise<RespClient> {
  const client = await RespClient.open(server.port);
  expect(await client.call("SCRIPT", "DEBUG", mode)).toBe("OK");
  const first = await client.call("EVAL", script, ...args);
  expect((first as Reply[])[0]).toBe("* Stopped at 1, stop reason = step over");
  return client;
}

/** Each command with what the debugger has to answer. */
async function converse(client: RespClient, lines: readonly [string, ...string[]][]): Promise<void> {
  for (const [command, ...answer] of lines) {
    const shown = (await client.call(...command.split(" "))) as string[];
    expect([command, ...shown.map((line) => line.replace(/0x[0-9a-f]+/, "0x..."))]).toEqual([
      command,
      ...answer,
    ]);
  }
}

/** The script's reply; then the connection is closed. */
async function ending(client: RespClient): Promise<Reply> {
  const reply = await client.next();
  expect(await client.nextOrEnd()).toBeUndefined();
  return reply;
}

test("a session from the first line to the last", async () => {
  const client = await begin("sync", SCRIPT, "1", "debugged", "v1");
  await converse(client, [
    ["list 1 1", "-> 1   local a = 1.5", '   2   local t = {1, "two", {x = 3}}'],
    ["n", "* Stopped at 2, stop reason = step over", '-> 2   local t = {1, "two", {x = 3}}'],
    ["n", "* Stopped at 3, stop reason = step over", "-> 3   redis.call('set', KEYS[1], ARGV[1])"],
    ["p", "<value> a = 1.5", '<value> t = {1; "two"; {["x"]=3}}'],
    ["print t", '<value> {1; "two"; {["x"]=3}}'],
    ["print KEYS", '<value> {"debugged"}'],
    ["print nope", "No such variable."],
    [
      "s",
      "<redis> set debugged v1",
      '<reply> "+OK"',
      "* Stopped at 4, stop reason = step over",
      '-> 4   redis.debug("here", a, t)',
    ],
    [
      "step",
      '<debug> line 4: "here", 1.5, {1; "two"; {["x"]=3}}',
      "* Stopped at 7, stop reason = step over",
      "-> 7   end",
    ],
    ["b", "No breakpoints set. Use 'b <line>' to add one."],
    ["b 6", "   5   local function f(n)", "  #6     return n + 1", "-> 7   end"],
    ["b 99 x", "Wrong line number.", "Invalid argument:'x'"],
    ["c", "* Stopped at 6, stop reason = break point", "->#6     return n + 1"],
    ["trace", "In f:", "->#6     return n + 1", "From top level:", "   8   local b = f(a)"],
    ["print n", "<value> 1.5"],
    ["print a", "<value> 1.5"],
    ["b", "1 breakpoints set:", "->#6     return n + 1"],
    ["b -6 -6", "Breakpoint removed.", "No breakpoint in the specified line."],
    ["b 0", "All breakpoints removed."],
    ["eval 1+1", "<retval> 2"],
    ["eval x =", "<error> ldb_eval:1: unexpected symbol near '<eof>'"],
    ["redis ping", "<redis> ping", '<reply> "+PONG"'],
    ["redis nonsense x", "<redis> nonsense x", "<error> Unknown Redis command called from script"],
    [
      "redis incr debugged",
      "<redis> incr debugged",
      "<error> -ERR value is not an integer or out of range",
      '<reply> "-ERR value is not an integer or out of range"',
    ],
    [
      "c",
      "* Stopped at 10, stop reason = redis.breakpoint() called",
      "-> 10  local c = redis.call('get', KEYS[1])",
    ],
    ["nonsense", "<error> Unknown Redis Lua debugger command or wrong number of arguments."],
    ["r", "<error> Unknown Redis Lua debugger command or wrong number of arguments."],
    ["c", "<endsession>"],
  ]);
  expect(await ending(client)).toEqual(["v1", 2]);
  expect(await other.call("GET", "debugged")).toBe("v1");
});

test("what is long is trimmed, as maxlen says; help and whole", async () => {
  const client = await begin("sync", `local s = string.rep('x', 300)\nreturn #s`, "0");
  await client.call("n");
  await converse(client, [
    [
      "p s",
      `<value> "${"x".repeat(247)} ...`,
      "<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.",
    ],
    ["m 5", "<value> replies are truncated at 60 bytes."],
    ["p s", `<value> "${"x".repeat(51)} ...`],
    ["maxlen 0", "<value> replies are unlimited."],
    ["p s", `<value> "${"x".repeat(300)}"`],
    ["w", "   1   local s = string.rep('x', 300)", "-> 2   return #s"],
  ]);
  expect(((await client.call("help")) as string[])[0]).toBe("Redis Lua debugger help:");
  expect(await client.call("c")).toEqual(["<endsession>"]);
  expect(await ending(client)).toBe(300);
});

test("abort; an error of the script", async () => {
  const aborted = await begin("sync", "redis.call('set', 'before', 1)\nreturn 1", "0");
  await aborted.call("n");
  expect(await aborted.call("a")).toEqual(["<endsession>"]);
  const error = (await ending(aborted)) as ReplyError;
  expect(error.message).toStartWith("ERR script aborted for user request script: ");
  expect(await other.call("GET", "before")).toBe("1");
  const failing = await begin("sync", "error('wrong')", "0");
  expect(await failing.call("c")).toEqual(["<endsession>"]);
  expect(((await ending(failing)) as ReplyError).message).toContain("wrong");
});

describe("meanwhile", () => {
  test("others hear BUSY and can kill the script", async () => {
    const client = await begin("sync", "return 1", "0");
    expect(((await other.call("GET", "x")) as ReplyError).message).toStartWith("BUSY ");
    expect(await other.call("SCRIPT", "KILL")).toBe("OK");
    expect(await client.next()).toEqual(["<endsession>"]);
    expect(((await ending(client)) as ReplyError).message).toContain("Script killed by user");
    expect(await other.call("PING")).toBe("PONG");
  });

  test("a client that goes lets the script run to its end", async () => {
    const client = await begin("sync", "redis.breakpoint()\nredis.call('set', 'ran', 'on')\nreturn 1", "0");
    client.close();
    await until(async () => (await other.call("GET", "ran")) === "on");
  });

  test("a loop without an end is stopped", async () => {
    await other.call("CONFIG", "SET", "busy-reply-threshold", "100");
    const client = await begin("sync", "local n = 0\nwhile true do n = n + 1 end", "0");
    const stopped = (await client.call("c")) as string[];
    expect(stopped[0]).toBe("* Stopped at 2, stop reason = timeout reached, infinite loop?");
    await client.call("a");
    await ending(client);
    const gone = await begin("sync", "while true do end", "0");
    await gone.call("c");
    gone.close();
    await until(async () => (await other.call("PING")) === "PONG");
  });
});

test("SCRIPT DEBUG YES takes back what the script has changed, and nobody hears of it", async () => {
  const listener = await RespClient.open(server.port);
  await other.call("CONFIG", "SET", "notify-keyspace-events", "KEA");
  await other.call("FLUSHALL");
  await other.call("SET", "expiring", "x", "PX", "1000000");
  await other.call("RPUSH", "list", "a", "b");
  await other.call("HSET", "hash", "f", "v");
  const replica = await startServer([
    "--replicaof",
    `127.0.0.1 ${server.port}`,
    "--enable-debug-command",
    "yes",
  ]);
  const [master, follower] = [await Node.of(server), await Node.of(replica)];
  await follower.linked();
  await follower.caughtUpWith(master);
  const expiry = await other.call("PEXPIRETIME", "expiring");
  const digest = await other.call("DEBUG", "DIGEST");
  await listener.call("PSUBSCRIBE", "__key*__:*");
  const script = [
    "redis.call('del', 'expiring', 'new')",
    "redis.call('set', 'new', 1)",
    "redis.call('rpush', 'list', 'c')",
    "redis.call('rename', 'list', 'elsewhere')",
    "redis.call('hset', 'hash', 'f', 'other')",
    "redis.set_repl(redis.REPL_ALL)",
    "redis.call('select', 3)",
    "redis.call('set', 'there', 1)",
    "local refused = redis.pcall('flushall')",
    "return {redis.call('dbsize'), refused.err, redis.pcall('publish', 'c', 'm').err}",
  ].join("\n");
  const client = await begin("YES", script, "0");
  expect(await client.call("c")).toEqual(["<endsession>"]);
  const refusal =
    "ERR Its effects could not be taken back: this command is only possible with SCRIPT DEBUG SYNC";
  expect(await ending(client)).toEqual([1, refusal, refusal]);
  expect(await other.call("DEBUG", "DIGEST")).toEqual(digest);
  expect(await other.call("PEXPIRETIME", "expiring")).toEqual(expiry);
  await other.call("SET", "last", "1");
  // The first that the listener and the replica hear of is what came afterwards.
  expect(await listener.next()).toEqual(["pmessage", "__key*__:*", "__keyspace@0__:last", "set"]);
  await follower.caughtUpWith(master);
  expect(await follower.digest()).toEqual(await master.digest());
  for (const each of [listener, master, follower]) each.close();
  await replica.stop();
});

test("only with SCRIPT DEBUG, and not inside a transaction", async () => {
  const client = await RespClient.open(server.port);
  expect(await client.call("EVAL", "return redis.breakpoint()", "0")).toBeNull();
  await client.call("SCRIPT", "DEBUG", "SYNC");
  await client.call("SCRIPT", "DEBUG", "NO");
  expect(await client.call("EVAL", "return 7", "0")).toBe(7);
  expect(((await client.call("SCRIPT", "DEBUG", "MAYBE")) as ReplyError).message).toBe(
    "ERR Use SCRIPT DEBUG YES/SYNC/NO",
  );
  await client.call("SCRIPT", "DEBUG", "YES");
  await client.call("MULTI");
  await client.call("EVAL", "return 7", "0");
  const [refusal] = (await client.call("EXEC")) as ReplyError[];
  expect(refusal!.message).toBe("ERR A script cannot be debugged inside a transaction");
  client.close();
});
