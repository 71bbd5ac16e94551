/** Users over real sockets: what becomes of their clients, the log, files, start and replication. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { adopt, freePort, temporaryDirectory } from "../../scripts/lib/launch.ts";
import { Node, until } from "../replication.ts";
import { fieldsOf, type Reply, ReplyError, RespClient } from "../resp-client.ts";
import { serverCommand, startServer, type TestServer } from "../server.ts";

let server: TestServer;
let admin: RespClient;
beforeAll(async () => {
  server = await startServer();
  admin = await RespClient.open(server.port);
});
afterAll(async () => {
  await server.stop();
});

const error = (text: string) => new ReplyError(text);

/** A client logged in as a user with these rules. */
async function as(name: string, ...rules: string[]): Promise<RespClient> {
  expect(await admin.call("ACL", "SETUSER", name, "reset", "on", ">pw", ...rules)).toBe("OK");
  const client = await RespClient.open(server.port);
  expect(await client.call("AUTH", name, "pw")).toBe("OK");
  return client;
}

test("ACL DELUSER ends the user's clients, the caller with its reply", async () => {
  const other = await as("gone", "+@all", "~*");
  const self = await as("gone", "+@all", "~*");
  expect(await self.call("ACL", "WHOAMI")).toBe("gone");
  expect(await self.call("ACL", "DELUSER", "gone", "nobody")).toBe(1);
  expect(await self.nextOrEnd()).toBeUndefined();
  expect(await other.nextOrEnd()).toBeUndefined();
  expect(await admin.call("ACL", "USERS")).toEqual(["default"]);
});

test("subscribers that lose a channel are disconnected, others are not", async () => {
  const stays = await as("listener", "+@all", "&a*", "&b");
  const leaves = await RespClient.open(server.port);
  await leaves.call("AUTH", "listener", "pw");
  const pattern = await RespClient.open(server.port);
  await pattern.call("AUTH", "listener", "pw");
  const shard = await RespClient.open(server.port);
  await shard.call("AUTH", "listener", "pw");
  await stays.call("SUBSCRIBE", "a1");
  await leaves.call("SUBSCRIBE", "b");
  expect(await pattern.call("PSUBSCRIBE", "a?")).toEqual(error("NOPERM No permissions to access a channel"));
  await pattern.call("PSUBSCRIBE", "a*");
  await shard.call("SSUBSCRIBE", "b");
  expect(await admin.call("ACL", "SETUSER", "listener", "&c")).toBe("OK");
  expect(await admin.call("PUBLISH", "b", "1")).toBe(1);
  expect(await leaves.next()).toEqual(["message", "b", "1"]);
  expect(await admin.call("ACL", "SETUSER", "listener", "resetchannels", "&a*")).toBe("OK");
  expect(await leaves.nextOrEnd()).toBeUndefined();
  expect(await shard.nextOrEnd()).toBeUndefined();
  expect(await admin.call("PUBLISH", "a1", "x")).toBe(2);
  expect(await stays.next()).toEqual(["message", "a1", "x"]);
  expect(await admin.call("ACL", "DELUSER", "listener")).toBe(1);
});

test("rules count for sessions that are there, in both directions", async () => {
  const client = await as("changing", "+@all", "~*", "&*");
  expect(await client.call("SET", "k", "v")).toBe("OK");
  await admin.call("ACL", "SETUSER", "changing", "-set");
  expect(await client.call("SET", "k", "v")).toEqual(
    error("NOPERM User changing has no permissions to run the 'set' command"),
  );
  expect(await client.call("GET", "k")).toBe("v");
  await admin.call("ACL", "SETUSER", "changing", "resetkeys");
  expect(await client.call("GET", "k")).toEqual(error("NOPERM No permissions to access a key"));
  await admin.call("ACL", "SETUSER", "changing", "+@all", "allkeys");
  expect(await client.call("SET", "k", "w")).toBe("OK");
  expect(await admin.text("CLIENT", "LIST")).toMatch(/ user=changing /);
  expect(await admin.call("CLIENT", "KILL", "USER", "changing")).toBe(1);
  expect(await client.nextOrEnd()).toBeUndefined();
});

test("commands of a transaction are checked when they are queued, and when they are executed", async () => {
  const client = await as("transaction", "+@all", "~*", "&*");
  await client.call("MULTI");
  for (const args of [["SET", "a", "1"], ["GET", "a"], ["PUBLISH", "c", "x"], ["PING"]])
    expect(await client.call(...args)).toBe("QUEUED");
  await admin.call("ACL", "SETUSER", "transaction", "-set", "resetkeys", "resetchannels");
  const changed = (reason: string) =>
    error(
      "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is " +
        `no longer allowed for the following reason: ${reason}`,
    );
  expect(await client.call("EXEC")).toEqual([
    changed("no permission to execute the command or subcommand"),
    changed("no permission to touch the specified keys"),
    changed("no permission to access one of the channels used as arguments"),
    "PONG",
  ]);
  await client.call("MULTI");
  expect(await client.call("GET", "a")).toEqual(error("NOPERM No permissions to access a key"));
  expect(await client.call("EXEC")).toEqual(
    error("EXECABORT Transaction discarded because of previous errors."),
  );
  client.close();
});

test("a waiting command is checked again when it could be served", async () => {
  const client = await as("waiting", "+@all", "~*");
  client.send("BLPOP", "list", "0");
  await until(async () => fieldsOf(await admin.text("INFO", "clients")).blocked_clients === "1");
  await admin.call("ACL", "SETUSER", "waiting", "resetkeys");
  expect(await admin.call("RPUSH", "list", "a")).toBe(1);
  expect(await client.next()).toEqual(error("NOPERM No permissions to access a key"));
  expect(await client.call("PING")).toBe("PONG");
  expect(await admin.call("LPOP", "list")).toBe("a");
});

test("ACL LOG tells what, who, where and when; INFO counts it", async () => {
  await admin.call("ACL", "LOG", "RESET");
  const before = fieldsOf(await admin.text("INFO", "stats"));
  const client = await as("denied", "+@all", "-config", "~a", "&a");
  await client.call("CLIENT", "SETNAME", "curious");
  await client.call("GET", "b");
  await client.call("GET", "b");
  await client.call("PUBLISH", "b", "x");
  await client.call("CONFIG", "GET", "x");
  await client.call("MULTI");
  await client.call("GET", "b");
  await client.call("DISCARD");
  await client.call("AUTH", "denied", "wrong");
  const log = (await admin.call("ACL", "LOG")) as Reply[][];
  const entries = log.map((entry) =>
    Object.fromEntries(entry.map((word, i) => [String(word), entry[i + 1]])),
  );
  expect(
    entries.map(({ reason, context, object, username, count }) => [reason, context, object, username, count]),
  ).toEqual([
    ["auth", "toplevel", "AUTH", "denied", 1],
    ["key", "multi", "b", "denied", 1],
    ["command", "toplevel", "config|get", "denied", 1],
    ["channel", "toplevel", "b", "denied", 1],
    ["key", "toplevel", "b", "denied", 2],
  ]);
  expect(entries[2]!["client-info"]).toMatch(/ name=curious .* cmd=config\|get user=denied /);
  expect(entries[0]!["entry-id"]).toBe(Number(entries[1]!["entry-id"]) + 1);
  expect(await admin.call("ACL", "LOG", "2")).toHaveLength(2);
  const after = fieldsOf(await admin.text("INFO", "stats"));
  const added = (name: string) =>
    Number(after[`acl_access_denied_${name}`]) - Number(before[`acl_access_denied_${name}`]);
  expect(["auth", "cmd", "key", "channel"].map(added)).toEqual([1, 1, 3, 1]);
  await admin.call("CONFIG", "SET", "acllog-max-len", "2");
  await client.call("GET", "c");
  expect(await admin.call("ACL", "LOG")).toHaveLength(2);
  await admin.call("CONFIG", "SET", "acllog-max-len", "128");
  client.close();
});

test("passwords do not show in SLOWLOG", async () => {
  await admin.call("CONFIG", "SET", "slowlog-log-slower-than", "0");
  await admin.call("ACL", "SETUSER", "secret", ">hidden");
  await admin.call("ACL", "DELUSER", "secret");
  await admin.call("CONFIG", "SET", "slowlog-log-slower-than", "10000");
  const log = JSON.stringify(await admin.call("SLOWLOG", "GET"));
  expect(log).toContain('["ACL","SETUSER","(redacted)","(redacted)"]');
  expect(log).toContain('["ACL","DELUSER","secret"]');
});

test("who is not logged in may do what nobody needs to be for, and is let in by an open default user", async () => {
  const locked = await startServer(["--requirepass", "sesame"]);
  const client = await RespClient.open(locked.port);
  expect(await client.call("GET", "k")).toEqual(error("NOAUTH Authentication required."));
  const owner = await RespClient.open(locked.port);
  expect(await owner.call("AUTH", "sesame")).toBe("OK");
  expect(await owner.call("ACL", "DRYRUN", "default", "GET", "k")).toBe("OK");
  await owner.call("ACL", "SETUSER", "default", "nopass");
  expect(await client.call("GET", "k")).toBeNull();
  await owner.call("ACL", "SETUSER", "default", "off");
  expect(await client.call("GET", "k")).toEqual(error("NOAUTH Authentication required."));
  expect(await owner.call("GET", "k")).toBeNull();
  await locked.stop();
});

test("ACL SAVE and ACL LOAD", async () => {
  const dir = temporaryDirectory();
  const path = join(dir, "users.acl");
  writeFileSync(path, "user alice on >pw ~a* +@all\n\nuser default on nopass ~* &* +@all\n");
  const own = await startServer(["--aclfile", path]);
  const client = await RespClient.open(own.port);
  expect(await client.call("ACL", "USERS")).toEqual(["alice", "default"]);
  expect(await client.call("ACL", "SETUSER", "bob", "+get", "(+set ~b)")).toBe("OK");
  expect(await client.call("ACL", "SAVE")).toBe("OK");
  const lines = readFileSync(path, "utf8").trim().split("\n");
  const list = (await client.call("ACL", "LIST")) as string[];
  expect(lines).toEqual(list);
  expect(list[1]).toBe(
    "user bob off sanitize-payload resetchannels -@all +get (~b resetchannels -@all +set)",
  );

  const alice = await RespClient.open(own.port);
  await alice.call("AUTH", "alice", "pw");
  writeFileSync(path, "user alice on\nfoo\nuser alice\nuser carol +nothing foo bar\nuser dave (+get\n");
  expect(await client.call("ACL", "LOAD")).toEqual(
    error(
      `ERR ${path}:2 should start with user keyword followed by the username. WARNING: Duplicate user 'alice' found on ` +
        `line 3. ${path}:4: Error in applying operation '+nothing': Unknown command or category name in ACL. ${path}:4: ` +
        `Syntax error. ${path}:5: Unmatched parenthesis in selector definition.WARNING: ACL errors detected, no change ` +
        "to the previously active ACL rules was performed",
    ),
  );
  expect(await client.call("ACL", "LIST")).toEqual(list);
  expect(await alice.call("ACL", "WHOAMI")).toBe("alice");
  writeFileSync(path, "user alice on nopass ~* +ping\r\n");
  expect(await client.call("ACL", "LOAD")).toBe("OK");
  expect(await alice.nextOrEnd()).toBeUndefined();
  expect(await client.call("ACL", "LIST")).toEqual([
    "user alice on nopass sanitize-payload ~* resetchannels -@all +ping",
    "user default on nopass sanitize-payload ~* &* +@all",
  ]);
  await own.stop();
});

test("users of redis.conf, and CONFIG REWRITE", async () => {
  const path = join(temporaryDirectory(), "redis.conf");
  const port = freePort();
  writeFileSync(path, `port ${port}\nuser alice on >pw (~a +get)\nuser default on nopass ~* +@all\n`);
  const start = async () => {
    const child = Bun.spawn([...serverCommand(), path], { stdout: "pipe", stderr: "inherit" });
    adopt(child);
    let output = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      output += chunk;
      if (output.includes("Ready to accept connections")) break;
    }
    return { child, client: await RespClient.open(port) };
  };
  let { child, client } = await start();
  expect(await client.call("PUBLISH", "c", "x")).toEqual(error("NOPERM No permissions to access a channel"));
  await client.call("ACL", "SETUSER", "bob", "on", "nopass", "+@read", "-get");
  const list = (await client.call("ACL", "LIST")) as string[];
  expect(await client.call("CONFIG", "REWRITE")).toBe("OK");
  expect(
    readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line.startsWith("user ")),
  ).toEqual(list);
  child.kill();
  await child.exited;
  ({ child, client } = await start());
  expect(await client.call("ACL", "LIST")).toEqual(list);
  child.kill();
  await child.exited;
});

test("ACL HELP, CAT and GENPASS", async () => {
  expect(await admin.call("ACL", "HELP")).toContain("SETUSER <username> <rule> [<rule> ...]");
  expect(await admin.call("ACL", "CAT", "pubsub")).toContain("publish");
  const [one, two] = [await admin.text("ACL", "GENPASS"), await admin.text("ACL", "GENPASS", "5")];
  expect(one).toMatch(/^[0-9a-f]{64}$/);
  expect(two).toMatch(/^[0-9a-f]{2}$/);
  expect(await admin.text("ACL", "GENPASS")).not.toBe(one);
});

test("a server does not start with users that are wrong", async () => {
  const dir = temporaryDirectory();
  const path = join(dir, "users.acl");
  writeFileSync(path, "user alice +nothing\n");
  const run = (...args: string[]) => {
    const { exitCode, stdout, stderr } = Bun.spawnSync([...serverCommand(), "--port", "0", ...args], {
      cwd: dir,
    });
    return { exitCode, output: stdout.toString() + stderr.toString() };
  };
  expect(run("--user", "foo", "--user", "foo")).toMatchObject({
    exitCode: 1,
    output: expect.stringContaining("Error in user declaration 'foo': Duplicate user found."),
  });
  expect(run("--user", "foo", "+nothing")).toMatchObject({
    exitCode: 1,
    output: expect.stringContaining(
      "Error loading ACL rule '+nothing' for the user named 'foo': Unknown command or category name in ACL",
    ),
  });
  expect(run("--aclfile", path)).toMatchObject({
    exitCode: 1,
    output: expect.stringContaining(
      `Aborting Redis startup because of ACL errors: ${path}:1: Error in applying`,
    ),
  });
  expect(run("--aclfile", path, "--user", "foo")).toMatchObject({
    exitCode: 1,
    output: expect.stringContaining("define either an ACL file or declare users directly"),
  });
});

test("a replica logs in as a user that may do no more than replicate", async () => {
  const master = await startServer(["--repl-diskless-sync-delay", "0"]);
  const node = await Node.of(master);
  await node.call("ACL", "SETUSER", "replica", "on", ">pw", "+psync", "+replconf", "+ping");
  await node.call("SET", "k", "v");
  const server = await startServer(["--masteruser", "replica", "--masterauth", "pw"]);
  const replica = await Node.of(server);
  await replica.follow(master);
  await replica.linked();
  expect(await node.client.text("CLIENT", "LIST", "TYPE", "replica")).toMatch(/ user=replica /);
  expect(await replica.call("GET", "k")).toBe("v");
  expect(await replica.client.text("CLIENT", "LIST", "TYPE", "master")).toMatch(/ user=\(superuser\) /);
  await node.call("ACL", "DELUSER", "replica");
  await until(async () => (await replica.info()).master_link_status === "down");
  node.close();
  replica.close();
  await server.stop();
  await master.stop();
});
