/** The AOF of a running server: restarts, rewrites, switching at run time, a disk that fills up, Redis reading it. */
import { afterEach, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../scripts/lib/launch.ts";
import { oracleVersion, startOracle } from "../oracle.ts";
import { type Reply, ReplyError, RespClient } from "../resp-client.ts";
import { startServer } from "../server.ts";
import { canMount, mountTmpfs, unmount } from "../tmpfs.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(dir: string, args: string[] = []) {
  const server = await startServer(["--dir", dir, "--appendonly", "yes", ...args]);
  const client = await RespClient.open(server.port);
  const stop = () => server.stop();
  cleanups.push(stop);
  const call = (line: string) => client.call(...line.split(" "));
  return { server, client, call, stop };
}

const manifest = (dir: string) =>
  readFileSync(join(dir, "appendonlydir", "appendonly.aof.manifest"), "latin1");

async function info(call: (line: string) => Promise<Reply>, field: string): Promise<string> {
  const text = (await call("INFO persistence")) as string;
  return new RegExp(`^${field}:(.*)\r$`, "m").exec(text)![1]!;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let n = 0; !(await condition()); n++) {
    if (n > 2000) throw new Error("waited in vain");
    await Bun.sleep(5);
  }
}

async function rewrite(call: (line: string) => Promise<Reply>): Promise<void> {
  expect(await call("BGREWRITEAOF")).toBe("Background append only file rewriting started");
  await until(async () => (await info(call, "aof_rewrite_in_progress")) === "0");
  expect(await info(call, "aof_last_bgrewrite_status")).toBe("ok");
}

/** Some of everything, in two databases, with transactions and expiry. */
const DATA = [
  "SET s value",
  "INCRBYFLOAT f 1.5",
  "SETRANGE r 5 x",
  "RPUSH l a b c",
  "LPOP l",
  "SADD set a b c",
  "SPOP set",
  "HSET h f1 v1 f2 v2",
  "HINCRBY h n 5",
  "ZADD z 1 a 2 b 3 c",
  "ZPOPMIN z",
  "SETBIT bits 100 1",
  "PFADD hll a b c",
  "SELECT 3",
  "SET other 1",
  "PEXPIRE other 1000000",
  "MULTI",
  "SET t1 1",
  "SELECT 0",
  "SET t2 2",
  "EXEC",
  "MOVE t2 5",
  "COPY s s2",
  "RENAME s2 s3",
];

async function fill(call: (line: string) => Promise<Reply>): Promise<void> {
  for (const line of DATA) expect(await call(line)).not.toBeInstanceOf(ReplyError);
}

for (const preamble of ["yes", "no"]) {
  test(`a restart, a rewrite and another restart keep everything (preamble ${preamble})`, async () => {
    const dir = temporaryDirectory();
    const args = ["--aof-use-rdb-preamble", preamble, "--enable-debug-command", "yes"];
    const first = await start(dir, args);
    await fill(first.call);
    const digest = await first.call("DEBUG DIGEST");
    await first.stop();
    const second = await start(dir, args);
    expect(await second.call("DEBUG DIGEST")).toBe(digest);
    await rewrite(second.call);
    const suffix = preamble === "yes" ? "rdb" : "aof";
    expect(manifest(dir)).toBe(
      `file appendonly.aof.2.base.${suffix} seq 2 type b\nfile appendonly.aof.2.incr.aof seq 2 type i\n`,
    );
    await second.call("SET after 1");
    const later = await second.call("DEBUG DIGEST");
    expect(await second.call("DEBUG LOADAOF")).toBe("OK");
    expect(await second.call("DEBUG DIGEST")).toBe(later);
    await second.stop();
    const third = await start(dir, args);
    expect(await third.call("DEBUG DIGEST")).toBe(later);
    expect(await third.call("PTTL other")).toBe(-2);
    await third.call("SELECT 3");
    expect(await third.call("PTTL other")).toBeGreaterThan(900_000);
  });
}

const both = "Redis 7 reads what is written here, and the other way round [needs redis-server]";
const [major] = oracleVersion() ?? [0];
test.skipIf(major < 7)(both, async () => {
  const dir = temporaryDirectory();
  const args = ["--enable-debug-command", "yes"];
  const ours = await start(dir, args);
  await fill(ours.call);
  await rewrite(ours.call);
  await fill(ours.call);
  const digest = await ours.call("DEBUG DIGEST");
  await ours.stop();

  const redis = await startOracle(["--dir", dir, "--appendonly", "yes", ...args]);
  cleanups.push(() => redis.stop());
  const client = await RespClient.open(redis.port);
  expect(await client.call("DEBUG", "DIGEST")).toBe(digest);
  for (const line of DATA) await client.call(...line.split(" "));
  await client.call("BGREWRITEAOF");
  await until(async () =>
    ((await client.call("INFO", "persistence")) as string).includes("aof_rewrite_in_progress:0"),
  );
  await client.call("SET", "by", "redis");
  const theirs = await client.call("DEBUG", "DIGEST");
  await redis.stop();

  const again = await start(dir, args);
  expect(await again.call("DEBUG DIGEST")).toBe(theirs);
});

test("CONFIG SET appendonly no and yes", async () => {
  const dir = temporaryDirectory();
  const { call, stop } = await start(dir);
  await call("SET a 1");
  expect(await call("CONFIG SET appendonly no")).toBe("OK");
  expect(await info(call, "aof_enabled")).toBe("0");
  await call("SET b 2");
  expect(await call("CONFIG SET appendonly yes")).toBe("OK");
  await call("SET c 3");
  await until(async () => (await info(call, "aof_rewrite_in_progress")) === "0");
  await call("SET d 4");
  await stop();
  const again = await start(dir);
  expect(await again.call("MGET a b c d")).toEqual(["1", "2", "3", "4"]);
});

test("always: every reply of every client in order, while others write", async () => {
  const dir = temporaryDirectory();
  const { server, stop } = await start(dir, ["--appendfsync", "always"]);
  const work = async (id: number) => {
    const client = await RespClient.open(server.port);
    for (let i = 0; i < 30; i++) {
      client.send("INCR", `n:${id}`);
      client.send("PING", String(i));
      client.send("INCR", `n:${id}`);
      client.send("GET", `n:${id}`);
      expect(await client.next()).toBe(2 * i + 1);
      expect(await client.next()).toBe(String(i));
      expect(await client.next()).toBe(2 * i + 2);
      expect(await client.next()).toBe(String(2 * i + 2));
    }
  };
  await Promise.all(Array.from({ length: 20 }, (_, id) => work(id)));
  await server.stop("SIGKILL");
  const again = await start(dir);
  for (let id = 0; id < 20; id++) expect(await again.call(`GET n:${id}`)).toBe("60");
  await stop();
});

test("a manifest that names a missing file, or is damaged, ends the start with 1", async () => {
  const dir = temporaryDirectory();
  const { call, stop } = await start(dir);
  await call("SET a 1");
  await stop();
  const incr = join(dir, "appendonlydir", "appendonly.aof.1.incr.aof");
  const content = readFileSync(incr);
  const refused = async (why: string) => {
    const failure = await startServer(["--dir", dir, "--appendonly", "yes"]).then(
      () => null,
      (error: Error) => error.message,
    );
    expect(failure).toContain("ended with code 1");
    expect(failure).toContain(why);
  };
  rmSync(incr);
  await refused("appendonly.aof.1.incr.aof length. stat: No such file or directory");
  writeFileSync(incr, `${content.toString("latin1")}!!!`);
  await refused("Bad file format reading the append only file appendonly.aof.1.incr.aof");
  writeFileSync(incr, content);
  const path = join(dir, "appendonlydir", "appendonly.aof.manifest");
  const text = readFileSync(path, "latin1");
  writeFileSync(path, `${text}nonsense\n`);
  await refused("Invalid AOF manifest file format");
  writeFileSync(path, text);
  const { call: again } = await start(dir);
  expect(await again("GET a")).toBe("1");
});

test("temporary files are gone after a rewrite", async () => {
  const dir = temporaryDirectory();
  const { call } = await start(dir);
  await call("SET a 1");
  await rewrite(call);
  await until(async () => readdirSync(join(dir, "appendonlydir")).length === 3);
  expect(readdirSync(dir).filter((name) => name.startsWith("temp"))).toEqual([]);
});

for (const policy of ["always", "everysec"]) {
  const name = `a full disk with ${policy}: writes are refused, reads served, and it recovers [needs mount]`;
  test.skipIf(!canMount)(name, async () => {
    const dir = temporaryDirectory();
    expect(mountTmpfs(dir, "2m")).toBe(true);
    cleanups.push(() => unmount(dir));
    const { server, client, call, stop } = await start(dir, ["--appendfsync", policy]);
    await call("SET before 1");
    const ballast = join(dir, "ballast");
    try {
      for (;;) writeFileSync(ballast, Buffer.alloc(65536), { flag: "a" });
    } catch {
      writeFileSync(ballast, "", { flag: "a" });
    }
    const big = "x".repeat(600_000);
    const message = (reply: Reply | undefined) => (reply as ReplyError).message;
    // One piece, so that all of it is one turn's; of what it says only the writes become errors.
    for (const line of [
      "MULTI",
      "GET before",
      `SET big ${big}`,
      "EXEC",
      "GET before",
      "RPUSH queue x",
      "EXISTS big",
    ])
      client.send(...line.split(" "));
    const replies: Reply[] = [];
    for (let i = 0; i < 7; i++) replies.push(await client.next());
    expect(replies.slice(0, 3)).toEqual(["OK", "QUEUED", "QUEUED"]);
    expect([replies[4], replies[6]]).toEqual(["1", 1]);
    if (policy === "always") {
      expect(message(replies[3])).toStartWith("MISCONF Errors writing");
      expect(message(replies[5])).toStartWith("MISCONF Errors writing");
    }
    await until(async () => (await info(call, "aof_last_write_status")) === "err");
    const refused = (await call("SET refused 1")) as ReplyError;
    expect(refused.message).toBe("MISCONF Errors writing to the AOF file: No space left on device");
    expect(await call("GET before")).toBe("1");
    expect(await call("EXISTS refused")).toBe(0);
    rmSync(ballast);
    await until(async () => (await info(call, "aof_last_write_status")) === "ok");
    expect(await call("SET after 1")).toBe("OK");
    // With everysec a write may wait for an fsync under way: only an orderly end keeps it for certain.
    server.process.kill(policy === "always" ? "SIGKILL" : "SIGTERM");
    await server.process.exited;
    const again = await start(dir);
    expect(await again.call("MGET before after refused")).toEqual(["1", "1", null]);
    expect(await again.call("STRLEN big")).toBe(600_000);
    await again.stop();
    await stop();
  });
}

test("a file of older versions is taken over", async () => {
  const dir = temporaryDirectory();
  writeFileSync(join(dir, "appendonly.aof"), "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n");
  const { call, stop } = await start(dir);
  expect(await call("GET a")).toBe("1");
  expect(existsSync(join(dir, "appendonly.aof"))).toBe(false);
  expect(manifest(dir)).toBe(
    "file appendonly.aof seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n",
  );
  await stop();
});
