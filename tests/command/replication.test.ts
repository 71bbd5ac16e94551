/** Replication among redbun servers: REPLICAOF, SLAVEOF, PSYNC, REPLCONF, SYNC, ROLE, WAIT, WAITAOF. */
import { afterEach, describe, expect, test } from "bun:test";
import { Node, until } from "../replication.ts";
import { RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Running {
  server: TestServer;
  node: Node;
}

async function run(...args: string[]): Promise<Running> {
  const server = await startServer([
    "--enable-debug-command",
    "yes",
    "--repl-diskless-sync-delay",
    "0",
    ...args,
  ]);
  const node = await Node.of(server);
  cleanups.push(async () => {
    node.close();
    await server.stop("SIGKILL");
  });
  return { server, node };
}

async function fill({ node }: Running, count: number): Promise<void> {
  await node.call("DEBUG", "POPULATE", String(count), "key", "100");
  await node.call("RPUSH", "list", "a", "b", "c");
  await node.call("HSET", "hash", "f", "v");
  await node.call("ZADD", "zset", "1.5", "m");
  await node.call("XADD", "stream", "1-1", "f", "v");
  await node.call("SET", "expiring", "x", "EX", "1000");
  await node.call("SELECT", "5");
  await node.call("SET", "elsewhere", "y");
  await node.call("SELECT", "0");
}

for (const diskless of ["yes", "no"] as const)
  test(`full synchronization, then the stream; diskless ${diskless}`, async () => {
    const master = await run("--repl-diskless-sync", diskless);
    const replica = await run();
    await fill(master, 20_000);
    await replica.node.call("SET", "own", "is replaced");
    expect(await replica.node.follow(master.server)).toBe("OK");
    // What is written while the snapshot is on its way belongs to the replica too.
    for (let i = 0; i < 500; i++) await master.node.call("SET", `during:${i}`, String(i));
    await replica.node.linked();
    await master.node.call("INCR", "n");
    await replica.node.caughtUpWith(master.node);
    expect(await replica.node.digest()).toEqual(await master.node.digest());
    expect(await replica.node.call("GET", "own")).toBeNull();
    expect(await replica.node.call("ROLE")).toEqual([
      "slave",
      "127.0.0.1",
      master.server.port,
      "connected",
      Number((await master.node.info()).master_repl_offset),
    ]);
    expect(await master.node.call("ROLE")).toMatchObject([
      "master",
      expect.any(Number),
      [["127.0.0.1", String(replica.server.port), expect.any(String)]],
    ]);
    expect(await replica.node.follow(master.server)).toBe("OK Already connected to specified master");
  });

test("a replica refuses writes of its clients, not of its master", async () => {
  const [master, replica] = [await run(), await run()];
  await replica.node.call("SLAVEOF", "127.0.0.1", String(master.server.port));
  await replica.node.linked();
  expect(await replica.node.call("SET", "k", "v")).toMatchObject({
    message: "READONLY You can't write against a read only replica.",
  });
  await replica.node.call("CONFIG", "SET", "replica-read-only", "no");
  expect(await replica.node.call("SET", "k", "v")).toBe("OK");
  expect(await master.node.call("REPLICAOF", "NO", "ONE")).toBe("OK");
  expect(await master.node.call("REPLICAOF", "127.0.0.1", "99999")).toMatchObject({
    message: "ERR Invalid master port",
  });
});

test("transactions, effects and expiry arrive as what they did", async () => {
  const [master, replica] = [await run(), await run()];
  await replica.node.follow(master.server);
  await replica.node.linked();
  const { node } = master;
  await node.call("MULTI");
  await node.call("SADD", "s", "a", "b", "c", "d");
  await node.call("SPOP", "s", "2");
  await node.call("INCRBYFLOAT", "f", "0.1");
  await node.call("EXEC");
  await node.call("SET", "gone", "x", "PX", "20");
  await until(async () => (await node.call("EXISTS", "gone")) === 0);
  await node.call("HSET", "h", "f", "v", "g", "w");
  await node.call("HPEXPIRE", "h", "20", "FIELDS", "1", "f");
  await until(async () => (await node.call("HLEN", "h")) === 1);
  await replica.node.caughtUpWith(node);
  expect(await replica.node.digest()).toEqual(await node.digest());
  expect(await replica.node.call("DBSIZE")).toEqual(await node.call("DBSIZE"));
});

test("after a broken connection only what is missing is sent", async () => {
  const [master, replica] = [await run(), await run()];
  await fill(master, 1000);
  await replica.node.follow(master.server);
  await replica.node.linked();
  expect(await master.node.call("CLIENT", "KILL", "TYPE", "replica")).toBe(1);
  for (let i = 0; i < 100; i++) await master.node.call("SET", `k${i}`, "v");
  await replica.node.caughtUpWith(master.node);
  const { sync_full, sync_partial_ok } = await master.node.info("stats");
  expect([sync_full, sync_partial_ok]).toEqual(["1", "1"]);
  expect(await replica.node.digest()).toEqual(await master.node.digest());
});

test("repl-backlog-size counts at once: what does not fit any more is not there for who was away", async () => {
  const [master, replica] = [await run(), await run()];
  await replica.node.follow(master.server);
  await replica.node.linked();
  await master.node.call("CONFIG", "SET", "repl-backlog-size", "16384");
  expect((await master.node.info()).repl_backlog_size).toBe("16384");
  await master.node.call("MULTI");
  await master.node.call("CLIENT", "KILL", "TYPE", "replica");
  for (let i = 0; i < 50; i++) await master.node.call("SET", `key:${i}`, "x".repeat(1000));
  await master.node.call("EXEC");
  expect((await master.node.info()).repl_backlog_histlen).toBe("16384");
  await replica.node.caughtUpWith(master.node);
  expect((await master.node.info("stats")).sync_full).toBe("2");
});

test("a chain passes the stream on; a promoted replica is followed without a new snapshot", async () => {
  const [a, b, c] = [await run(), await run(), await run()];
  await fill(a, 1000);
  await b.node.follow(a.server);
  await b.node.linked();
  await c.node.follow(b.server);
  await c.node.linked();
  await a.node.call("SET", "through", "the chain");
  await b.node.caughtUpWith(a.node);
  await c.node.caughtUpWith(b.node);
  expect(await c.node.call("GET", "through")).toBe("the chain");
  expect((await c.node.info()).master_replid).toBe((await a.node.info()).master_replid!);
  // b becomes the master, a its replica.
  await b.node.call("REPLICAOF", "NO", "ONE");
  await b.node.call("SET", "new", "master");
  await a.node.follow(b.server);
  await a.node.caughtUpWith(b.node);
  await c.node.caughtUpWith(b.node);
  expect(await a.node.digest()).toEqual(await b.node.digest());
  expect(await c.node.digest()).toEqual(await b.node.digest());
  expect((await b.node.info("stats")).sync_full).toBe("1");
  expect(Number((await b.node.info("stats")).sync_partial_ok)).toBe(2);
});

test("a replica started anew from its file goes on where it was", async () => {
  const master = await run();
  await fill(master, 1000);
  const first = await startServer(["--replicaof", `127.0.0.1 ${master.server.port}`]);
  const node = await Node.of(first);
  await node.caughtUpWith(master.node);
  expect(await node.call("SAVE")).toBe("OK");
  const directory = `${first.dir}-kept`;
  await Bun.$`cp -r ${first.dir} ${directory}`.quiet();
  cleanups.push(() => Bun.$`rm -rf ${directory}`.quiet());
  node.close();
  await first.stop("SIGKILL");
  for (let i = 0; i < 100; i++) await master.node.call("SET", `later${i}`, "v");
  const again = await run("--replicaof", `127.0.0.1 ${master.server.port}`, "--dir", directory);
  await again.node.caughtUpWith(master.node);
  expect(await again.node.digest()).toEqual(await master.node.digest());
  expect((await master.node.info("stats")).sync_partial_ok).toBe("1");
});

test("WAIT and WAITAOF", async () => {
  const master = await run("--appendonly", "yes");
  const replica = await run("--appendonly", "yes", "--appendfsync", "always");
  const { node } = master;
  expect(await node.call("WAIT", "1", "10")).toBe(0);
  expect(await replica.node.call("WAITAOF", "2", "0", "0")).toMatchObject({
    message: "ERR value is out of range, must be between 0 and 1",
  });
  await replica.node.follow(master.server);
  await replica.node.linked();
  await until(async () => !(await replica.node.info("persistence")).aof_rewrite_in_progress?.includes("1"));
  await node.call("SET", "k", "v");
  expect(await node.call("WAIT", "1", "0")).toBe(1);
  expect(await node.call("WAITAOF", "1", "0", "0")).toEqual([1, expect.any(Number)]);
  await node.call("SET", "k", "w");
  expect(await node.call("WAITAOF", "1", "1", "0")).toEqual([1, 1]);
  expect(await replica.node.call("WAIT", "1", "10")).toMatchObject({
    message: expect.stringContaining("ERR WAIT cannot be used with replica instances"),
  });
  await node.call("CONFIG", "SET", "appendonly", "no");
  expect(await node.call("WAITAOF", "1", "0", "0")).toMatchObject({
    message: "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
  });
});

test("min-replicas-to-write and replica-serve-stale-data", async () => {
  const master = await run("--min-replicas-to-write", "1");
  const replica = await run();
  expect(await master.node.call("SET", "k", "v")).toMatchObject({
    message: "NOREPLICAS Not enough good replicas to write.",
  });
  await replica.node.follow(master.server);
  await replica.node.linked();
  await until(async () => (await master.node.call("SET", "k", "v")) === "OK");
  await replica.node.call("CONFIG", "SET", "replica-serve-stale-data", "no");
  await replica.node.call("REPLICAOF", "127.0.0.1", "1");
  expect(await replica.node.call("GET", "k")).toMatchObject({
    message: "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  });
});

test("clients that wait for a key are told when the server becomes a replica", async () => {
  const [master, other] = [await run(), await run()];
  const waiting = await RespClient.open(other.server.port);
  waiting.send("BLPOP", "list", "0");
  await until(async () => (await other.node.info("clients")).blocked_clients === "1");
  await other.node.follow(master.server);
  expect(await waiting.next()).toMatchObject({ message: expect.stringMatching(/^UNBLOCKED /) });
  waiting.close();
});

test("REPLCONF, PSYNC and SYNC by hand", async () => {
  const master = await run();
  const client = await RespClient.open(master.server.port);
  expect(await client.call("REPLCONF", "listening-port", "1234", "capa", "eof")).toBe("OK");
  expect(await client.call("REPLCONF", "nonsense", "1")).toMatchObject({
    message: "ERR Unrecognized REPLCONF option: nonsense",
  });
  expect(await client.call("REPLCONF", "listening-port")).toMatchObject({ message: "ERR syntax error" });
  expect(await client.call("PSYNC", "?", "x")).toMatchObject({ message: expect.stringContaining("integer") });
  expect(await client.call("PSYNC", "?", "-1")).toMatch(/^FULLRESYNC [0-9a-f]{40} 0$/);
  client.close();
  let received = "";
  const old = await Bun.connect({
    hostname: "127.0.0.1",
    port: master.server.port,
    socket: { data: (_socket, chunk) => void (received += chunk.toString("latin1")) },
  });
  old.write("SYNC\r\n");
  await until(async () => /^\n*\$\d+\r\nREDIS00/.test(received));
  await master.node.call("SET", "k", "v");
  const stream = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";
  await until(async () => received.endsWith(stream));
  old.end();
});

test("FAILOVER: master and replica change roles, nothing is lost, and no snapshot is needed", async () => {
  const [a, b] = [await run(), await run()];
  expect(await a.node.call("FAILOVER")).toMatchObject({
    message: "ERR FAILOVER requires connected replicas.",
  });
  expect(await a.node.call("FAILOVER", "ABORT")).toMatchObject({ message: "ERR No failover in progress." });
  await a.node.call("SET", "k", "1");
  await b.node.follow(a.server);
  await b.node.linked();
  expect(await b.node.call("FAILOVER")).toMatchObject({
    message: "ERR FAILOVER is not valid when server is a replica.",
  });
  expect(await a.node.call("FAILOVER", "TO", "127.0.0.1", "1")).toMatchObject({
    message: "ERR FAILOVER target HOST and PORT is not a replica.",
  });
  expect(await a.node.call("INCR", "k")).toBe(2);
  expect(await a.node.call("FAILOVER", "TO", "127.0.0.1", String(b.server.port))).toBe("OK");
  // A write that comes now waits, and is refused when this server is a replica.
  expect(await a.node.call("SET", "k", "late")).toMatchObject({
    message: expect.stringMatching(/^READONLY/),
  });
  await a.node.linked();
  expect((await b.node.info()).role).toBe("master");
  expect((await a.node.info()).master_failover_state).toBe("no-failover");
  expect(await b.node.call("INCR", "k")).toBe(3);
  await a.node.caughtUpWith(b.node);
  expect(await a.node.call("GET", "k")).toBe("3");
  expect((await b.node.info("stats")).sync_full).toBe("0");
});

test("FAILOVER to a replica that does not catch up ends with its timeout; writes go on", async () => {
  const [a, b] = [await run(), await run()];
  await b.node.follow(a.server);
  await b.node.linked();
  process.kill(b.server.process.pid, "SIGSTOP");
  await a.node.call("SET", "k", "1");
  expect(await a.node.call("FAILOVER", "TIMEOUT", "300")).toBe("OK");
  expect((await a.node.info()).master_failover_state).toBe("waiting-for-sync");
  expect(await a.node.call("SET", "k", "2")).toBe("OK");
  expect((await a.node.info()).role).toBe("master");
  process.kill(b.server.process.pid, "SIGCONT");
  await b.node.caughtUpWith(a.node);
  expect(await b.node.call("GET", "k")).toBe("2");
});

test("a writable replica removes what its clients gave an expiry, not its master's keys; also after a flush", async () => {
  const master = await run();
  const replica = await run("--replica-read-only", "no");
  for (let i = 0; i < 10; i++) await master.node.call("SET", `theirs:${i}`, "v", "EX", "1000");
  await replica.node.follow(master.server);
  await replica.node.linked();
  const tracked = async () => (await replica.node.info("stats")).slave_expires_tracked_keys;
  const expired = async () => Number((await replica.node.info("stats")).expired_keys);
  expect(await tracked()).toBe("0");
  await replica.node.call("SET", "own", "v", "EX", "1000");
  expect(await tracked()).toBe("1");
  await master.node.call("FLUSHALL");
  await replica.node.caughtUpWith(master.node);
  expect(await tracked()).toBe("0");
  const before = await expired();
  await replica.node.call("SET", "own", "v", "PX", "1");
  await until(async () => (await expired()) === before + 1);
  expect(await replica.node.call("DBSIZE")).toBe(0);
});

test("a paused replica reads its master's stream, and executes it when the pause is over", async () => {
  const master = await run();
  const replica = await run();
  await replica.node.follow(master.server);
  await replica.node.linked();
  await master.node.call("SET", "before", "1");
  await replica.node.caughtUpWith(master.node);
  const { slave_repl_offset: offset } = await replica.node.info();
  await replica.node.call("CLIENT", "PAUSE", "60000", "WRITE");
  await master.node.call("SET", "during", "1");
  const written = (await master.node.info()).master_repl_offset;
  await until(async () => (await replica.node.info()).slave_read_repl_offset === written);
  expect((await replica.node.info()).slave_repl_offset).toBe(offset!);
  expect(await replica.node.call("GET", "during")).toBeNull();
  await replica.node.call("CLIENT", "UNPAUSE");
  await replica.node.caughtUpWith(master.node);
  expect(await replica.node.call("GET", "during")).toBe("1");
});

test("WAITAOF waits until an AOF that was turned on holds the whole data set", async () => {
  const { node } = await run();
  await node.call("DEBUG", "POPULATE", "300", "key", "10");
  await node.call("CONFIG", "SET", "rdb-key-save-delay", "5000");
  await node.call("CONFIG", "SET", "appendonly", "yes");
  await node.call("SET", "k", "v");
  expect(await node.call("WAITAOF", "1", "0", "1")).toEqual([0, 0]);
  await node.call("CONFIG", "SET", "rdb-key-save-delay", "0");
  expect(await node.call("WAITAOF", "1", "0", "0")).toEqual([1, 0]);
  expect((await node.info("persistence")).aof_rewrite_in_progress).toBe("0");
});

test("DEBUG REPLICATE sends replicas what it is given", async () => {
  const master = await run();
  const replica = await run();
  await replica.node.follow(master.server);
  await replica.node.linked();
  await master.node.call("DEBUG", "REPLICATE", "SET", "only-there", "1");
  await until(async () => (await replica.node.call("GET", "only-there")) === "1");
  expect(await master.node.call("GET", "only-there")).toBeNull();
});

test("each snapshot counts as one of total_forks", async () => {
  const { node } = await run();
  const forks = async () => Number((await node.info("stats")).total_forks);
  expect(await forks()).toBe(0);
  await node.call("BGSAVE");
  await until(async () => (await node.info("persistence")).rdb_bgsave_in_progress === "0");
  expect(await forks()).toBe(1);
  await node.call("BGREWRITEAOF");
  await until(async () => (await node.info("persistence")).aof_rewrite_in_progress === "0");
  expect(await forks()).toBe(2);
});

describe("repl-diskless-load", () => {
  /** A master that takes so long for each key, and a replica with data of its own that has begun to load. */
  async function loadingReplica(
    how: string,
    ...args: string[]
  ): Promise<{ master: Running; replica: Running }> {
    const master = await run("--rdb-key-save-delay", "2000");
    const replica = await run("--repl-diskless-load", how, ...args);
    await master.node.call("DEBUG", "POPULATE", "2000", "key", "1000");
    return { master, replica };
  }

  const loading = async ({ node }: Running) => (await node.info("persistence")).loading === "1";

  for (const how of ["swapdb", "on-empty-db"])
    test(`${how}: what comes is loaded while it comes`, async () => {
      const { master, replica } = await loadingReplica(how);
      await replica.node.follow(master.server);
      // Something has been loaded while the rest is still to come.
      await until(async () => {
        const seen = await replica.node.info("default");
        return (
          seen.loading === "1" &&
          seen.master_sync_in_progress === "1" &&
          Number(seen.loading_loaded_bytes) > 0
        );
      });
      await master.node.call("CONFIG", "SET", "rdb-key-save-delay", "0");
      await replica.node.linked();
      await master.node.call("SET", "afterwards", "1");
      await replica.node.caughtUpWith(master.node);
      expect(await replica.node.digest()).toEqual(await master.node.digest());
      expect(replica.server.log()).toContain("with EOF to parser");
    });

  test("swapdb keeps the old data when the master is lost; on-empty-db uses a file where there are data", async () => {
    const { master, replica } = await loadingReplica("swapdb");
    await replica.node.call("SET", "own", "1");
    await replica.node.follow(master.server);
    await until(() => loading(replica));
    expect(await replica.node.call("GET", "own")).toMatchObject({
      message: expect.stringMatching(/^LOADING/),
    });
    await master.node.call("CONFIG", "SET", "repl-diskless-sync-delay", "1000");
    await master.node.call("CLIENT", "KILL", "TYPE", "replica");
    await until(async () => !(await loading(replica)));
    expect(await replica.node.call("GET", "own")).toBe("1");
    expect(await replica.node.call("DBSIZE")).toBe(1);
    expect(replica.server.log()).toContain("Internal error in RDB reading offset");
    await replica.node.call("CONFIG", "SET", "repl-diskless-load", "on-empty-db");
    await replica.node.call("REPLICAOF", "NO", "ONE");
    await master.node.call("CONFIG", "SET", "rdb-key-save-delay", "0", "repl-diskless-sync-delay", "0");
    await replica.node.follow(master.server);
    await replica.node.linked();
    expect(await replica.node.digest()).toEqual(await master.node.digest());
    expect(replica.server.log()).toContain("with EOF to disk");
  });

  test("swapdb with the same history serves the old data meanwhile", async () => {
    const master = await run();
    const replica = await run("--repl-diskless-load", "swapdb", "--replica-read-only", "no");
    await replica.node.follow(master.server);
    await replica.node.linked();
    await replica.node.call("SET", "own", "1");
    await master.node.call("DEBUG", "POPULATE", "2000", "key", "1000");
    await replica.node.caughtUpWith(master.node);
    await master.node.call("CONFIG", "SET", "rdb-key-save-delay", "2000");
    await master.node.call("CONFIG", "SET", "repl-backlog-size", "16384");
    // It misses more than the backlog holds, and needs all anew.
    await master.node.call("MULTI");
    await master.node.call("CLIENT", "KILL", "TYPE", "replica");
    for (let i = 0; i < 30; i++) await master.node.call("SET", `big:${i}`, "x".repeat(10_000));
    await master.node.call("EXEC");
    await until(async () => (await replica.node.info("persistence")).async_loading === "1");
    expect(await replica.node.call("GET", "own")).toBe("1");
    await master.node.call("CONFIG", "SET", "rdb-key-save-delay", "0");
    await until(async () => (await replica.node.info("persistence")).async_loading === "0");
    await replica.node.caughtUpWith(master.node);
    expect(await replica.node.digest()).toEqual(await master.node.digest());
  });
});

test("bind-source-addr is where the connection to the master comes from", async () => {
  const master = await run();
  const replica = await run("--bind-source-addr", "127.0.0.5");
  await replica.node.follow(master.server);
  await replica.node.linked();
  expect((await master.node.info()).slave0).toStartWith("ip=127.0.0.5,");
});

for (const diskless of ["yes", "no"])
  test(`a replica that waits for its snapshot is shown so, as Redis does; diskless ${diskless}`, async () => {
    const master = await run("--rdb-key-save-delay", "100000", "--repl-diskless-sync", diskless);
    const replica = await run();
    await master.node.call("DEBUG", "POPULATE", "100", "key", "10");
    await replica.node.follow(master.server);
    await until(async () => (await master.node.info("persistence")).rdb_bgsave_in_progress === "1");
    expect((await master.node.info()).slave0).toContain("state=wait_bgsave");
    // Nobody needs it any more.
    await replica.node.call("REPLICAOF", "NO", "ONE");
    await until(async () => (await master.node.info("persistence")).rdb_bgsave_in_progress === "0");
  });
