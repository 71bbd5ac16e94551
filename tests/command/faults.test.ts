/**
 * Files that vanish, cannot be read, do not fit the disk, while the server runs and when it starts: it says so, keeps
 * what it had, and goes on as soon as it can.
 */
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../scripts/lib/launch.ts";
import { fieldsOf, type Reply, ReplyError, RespClient } from "../resp-client.ts";
import { serverCommand, startServer } from "../server.ts";
import { canMount, mountTmpfs, unmount } from "../tmpfs.ts";

// Many starts of a server, on machines that may be busy.
setDefaultTimeout(30_000);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(dir: string, ...args: string[]) {
  const server = await startServer(["--dir", dir, ...args]);
  cleanups.push(() => server.stop("SIGKILL"));
  const client = await RespClient.open(server.port);
  const call = (line: string): Promise<Reply> => client.call(...line.split(" "));
  const persistence = async (): Promise<Record<string, string>> =>
    fieldsOf(await client.text("INFO", "persistence"));
  return { server, client, call, persistence };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let n = 0; !(await condition()); n++) {
    if (n > 2000) throw new Error("waited in vain");
    await Bun.sleep(5);
  }
}

/** Starts a server that must not start; gives its report. */
async function refused(dir: string, ...args: string[]): Promise<string> {
  const failure = await startServer(["--dir", dir, ...args]).then(
    async (server) => {
      await server.stop();
      return "";
    },
    (error: Error) => error.message,
  );
  expect(failure).toContain("ended with code 1");
  return failure;
}

function message(reply: Reply): string {
  expect(reply).toBeInstanceOf(ReplyError);
  return (reply as ReplyError).message;
}

/** Fills the disk to its last byte; gives the file that does. */
function fillDisk(dir: string): string {
  const ballast = join(dir, "ballast");
  for (const size of [65536, 4096])
    try {
      for (;;) writeFileSync(ballast, Buffer.alloc(size), { flag: "a" });
    } catch {
      // Full.
    }
  return ballast;
}

const MISCONF = "MISCONF Redis is configured to save RDB snapshots";
const AOF = "appendonly.aof";

test("a file in the place of another cannot be read: the server does not start", async () => {
  const dir = temporaryDirectory();
  const { call, server } = await start(dir, "--appendonly", "yes");
  await call("SET a 1");
  await server.stop();
  const folder = join(dir, "appendonlydir");
  for (const name of [`${AOF}.1.incr.aof`, `${AOF}.1.base.rdb`, `${AOF}.manifest`]) {
    const path = join(folder, name);
    renameSync(path, `${path}.away`);
    mkdirSync(path);
    const report = await refused(dir, "--appendonly", "yes");
    expect(report).toMatch(/EISDIR|directory|Fatal error/i);
    rmSync(path, { recursive: true });
    renameSync(`${path}.away`, path);
  }
  const { call: again } = await start(dir, "--appendonly", "yes");
  expect(await again("GET a")).toBe("1");
});

test("a dump that is a folder, cut short or damaged: the server does not start, and the file stays", async () => {
  const dir = temporaryDirectory();
  const { call, server } = await start(dir);
  for (let i = 0; i < 100; i++) await call(`SET key:${i} value`);
  await call("SAVE");
  await server.stop();
  const path = join(dir, "dump.rdb");
  const good = readFileSync(path);
  const damages: [string, (content: Buffer) => Buffer][] = [
    ["Short read or OOM loading DB", (content) => content.subarray(0, content.length - 20)],
    ["Wrong signature", () => Buffer.from("not an RDB file at all")],
    [
      "RDB CRC error",
      (content) => {
        const bytes = Buffer.from(content);
        bytes[content.indexOf("value") + 1]! ^= 1;
        return bytes;
      },
    ],
  ];
  for (const [why, damage] of damages) {
    const bad = damage(good);
    writeFileSync(path, bad);
    expect(await refused(dir)).toContain(why);
    expect(readFileSync(path).equals(bad)).toBe(true);
  }
  rmSync(path);
  mkdirSync(path);
  expect(await refused(dir)).toContain("Fatal error loading the DB");
});

test("the AOF's folder is removed under a running server: a rewrite makes it anew", async () => {
  const dir = temporaryDirectory();
  const { call, server, persistence } = await start(dir, "--appendonly", "yes", "--appendfsync", "always");
  await call("SET a 1");
  rmSync(join(dir, "appendonlydir"), { recursive: true });
  expect(await call("SET b 2")).toBe("OK");
  expect(await call("BGREWRITEAOF")).toBe("Background append only file rewriting started");
  await until(async () => (await persistence()).aof_rewrite_in_progress === "0");
  expect((await persistence()).aof_last_bgrewrite_status).toBe("ok");
  await call("SET c 3");
  await server.stop("SIGKILL");
  const { call: again } = await start(dir, "--appendonly", "yes");
  expect(await again("MGET a b c")).toEqual(["1", "2", "3"]);
});

test("a file stands where the AOF's folder belongs: a rewrite fails, and the server goes on", async () => {
  const dir = temporaryDirectory();
  const { call, persistence } = await start(dir, "--appendonly", "yes");
  await call("SET a 1");
  const folder = join(dir, "appendonlydir");
  renameSync(folder, `${folder}.away`);
  writeFileSync(folder, "");
  expect(message(await call("BGREWRITEAOF"))).toStartWith("ERR Can't execute an AOF background rewriting.");
  expect((await persistence()).aof_last_bgrewrite_status).toBe("err");
  expect(await call("SET b 2")).toBe("OK");
  rmSync(folder);
  renameSync(`${folder}.away`, folder);
  expect(await call("BGREWRITEAOF")).toBe("Background append only file rewriting started");
  await until(async () => (await persistence()).aof_rewrite_in_progress === "0");
  expect((await persistence()).aof_last_bgrewrite_status).toBe("ok");
});

test("the working directory is removed: saving fails, writes are refused until it works again", async () => {
  const dir = join(temporaryDirectory(), "data");
  mkdirSync(dir);
  const { call, persistence } = await start(dir, "--save", "3600 1", "--enable-protected-configs", "yes");
  await call("SET a 1");
  rmSync(dir, { recursive: true });
  expect(message(await call("SAVE"))).toBe("ERR");
  await call("BGSAVE");
  await until(async () => (await persistence()).rdb_last_bgsave_status === "err");
  expect(message(await call("SET b 2"))).toStartWith(MISCONF);
  expect(message(await call("PING"))).toStartWith(MISCONF);
  expect(await call("GET a")).toBe("1");
  mkdirSync(dir);
  expect(await call(`CONFIG SET dir ${dir}`)).toBe("OK");
  await call("BGSAVE");
  await until(async () => (await persistence()).rdb_last_bgsave_status === "ok");
  expect(await call("SET b 2")).toBe("OK");
});

test.skipIf(!canMount)("a full disk: BGSAVE leaves the old dump and nothing else [needs mount]", async () => {
  const dir = temporaryDirectory();
  expect(mountTmpfs(dir, "4m")).toBe(true);
  cleanups.push(() => unmount(dir));
  const { call, server, persistence } = await start(dir, "--save", "3600 1");
  await call("SET a 1");
  await call("SAVE");
  const path = join(dir, "dump.rdb");
  const before = readFileSync(path);
  const ballast = fillDisk(dir);
  await call("CONFIG SET rdbcompression no");
  await call(`SET big ${"x".repeat(500_000)}`);
  await call("BGSAVE");
  await until(async () => (await persistence()).rdb_last_bgsave_status === "err");
  expect(message(await call("SET b 2"))).toStartWith(MISCONF);
  expect(message(await call("SAVE"))).toBe("ERR");
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(readdirSync(dir).sort()).toEqual(["ballast", "dump.rdb"]);
  await call("CONFIG SET stop-writes-on-bgsave-error no");
  expect(await call("SET b 2")).toBe("OK");
  rmSync(ballast);
  await call("BGSAVE");
  await until(async () => (await persistence()).rdb_last_bgsave_status === "ok");
  await server.stop("SIGKILL");
  const { call: again } = await start(dir);
  expect(await again("MGET a b")).toEqual(["1", "2"]);
});

test.skipIf(!canMount)("a full disk: a rewrite leaves the AOF as it was [needs mount]", async () => {
  const dir = temporaryDirectory();
  expect(mountTmpfs(dir, "4m")).toBe(true);
  cleanups.push(() => unmount(dir));
  const { call, server, persistence } = await start(dir, "--appendonly", "yes", "--rdbcompression", "no");
  await call(`SET big ${"x".repeat(1_000_000)}`);
  await call("SET a 1");
  // With everysec a write may wait for an fsync under way.
  await until(async () => (await persistence()).aof_buffer_length === "0");
  const ballast = fillDisk(dir);
  await call("BGREWRITEAOF");
  await until(async () => (await persistence()).aof_rewrite_in_progress === "0");
  expect((await persistence()).aof_last_bgrewrite_status).toBe("err");
  // Files are removed on another thread.
  const temporary = () => readdirSync(join(dir, "appendonlydir")).filter((name) => name.startsWith("temp"));
  await until(async () => temporary().length === 0);
  expect(await call("GET a")).toBe("1");
  rmSync(ballast);
  await until(async () => (await persistence()).aof_last_write_status === "ok");
  expect(await call("SET b 2")).toBe("OK");
  await call("BGREWRITEAOF");
  await until(async () => (await persistence()).aof_rewrite_in_progress === "0");
  expect((await persistence()).aof_last_bgrewrite_status).toBe("ok");
  await server.stop();
  const { call: again } = await start(dir, "--appendonly", "yes");
  expect(await again("MGET a b")).toEqual(["1", "2"]);
  expect(await again("STRLEN big")).toBe(1_000_000);
});

// ---------------------------------------------------------------------- a disk that does not sync

/** Lets fsync and fdatasync fail as long as the file named in FAIL_SYNC is there. */
const SHIM = `
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
static int fails(void) { const char *flag = getenv("FAIL_SYNC"); return flag && access(flag, F_OK) == 0; }
int fdatasync(int fd) { if (fails()) { errno = EIO; return -1; } return (int)syscall(SYS_fdatasync, fd); }
int fsync(int fd) { if (fails()) { errno = EIO; return -1; } return (int)syscall(SYS_fsync, fd); }
`;

/** Compiles the shim; null where there is no C compiler, or no LD_PRELOAD. */
const shim = (() => {
  const compiler = Bun.which("cc");
  if (compiler === null || process.platform !== "linux") return null;
  const dir = temporaryDirectory("redbun-shim-");
  writeFileSync(join(dir, "shim.c"), SHIM);
  const path = join(dir, "shim.so");
  const compiled = Bun.spawnSync([compiler, "-shared", "-fPIC", "-o", path, join(dir, "shim.c")]);
  return compiled.exitCode === 0 ? path : null;
})();

/** A server whose fsync fails between `fail` and `mend`. */
async function startFailing(dir: string, ...args: string[]) {
  const flag = join(temporaryDirectory("redbun-flag-"), "flag");
  const server = await startServer(["--dir", dir, ...args], { env: { LD_PRELOAD: shim!, FAIL_SYNC: flag } });
  cleanups.push(() => server.stop("SIGKILL"));
  const client = await RespClient.open(server.port);
  return {
    server,
    call: (line: string): Promise<Reply> => client.call(...line.split(" ")),
    persistence: async () => fieldsOf(await client.text("INFO", "persistence")),
    fail: () => writeFileSync(flag, ""),
    mend: () => rmSync(flag),
  };
}

const EIO = "MISCONF Errors writing to the AOF file: Input/output error";

test.skipIf(shim === null)(
  "fsync fails with always: no write is acknowledged before a rewrite [needs cc]",
  async () => {
    const dir = temporaryDirectory();
    const always = ["--appendonly", "yes", "--appendfsync", "always"];
    const { server, call, persistence, fail, mend } = await startFailing(dir, ...always);
    expect(await call("SET before 1")).toBe("OK");
    fail();
    expect(message(await call("SET lost 1"))).toBe(EIO);
    expect(message(await call("SET refused 1"))).toBe(EIO);
    expect(await call("GET before")).toBe("1");
    expect(await call("EXISTS refused")).toBe(0);
    // The rewrite that is to mend it fails as well.
    await server.logged("Fail to fsync the temp AOF file");
    const rewrites = Number((await persistence()).aof_rewrites);
    mend();
    // An fsync now would succeed, without bringing anything back: only the rewrite counts.
    await until(async () => (await persistence()).aof_last_write_status === "ok");
    expect(Number((await persistence()).aof_rewrites)).toBeGreaterThan(rewrites);
    expect(await call("SET after 1")).toBe("OK");
    await server.stop("SIGKILL");
    const { call: again } = await start(dir, ...always);
    expect(await again("MGET before refused after")).toEqual(["1", null, "1"]);
  },
  30_000,
);

test.skipIf(shim === null)(
  "fsync fails with everysec: writes are refused from then on [needs cc]",
  async () => {
    const dir = temporaryDirectory();
    const { call, persistence, fail, mend } = await startFailing(dir, "--appendonly", "yes");
    await call("SET before 1");
    fail();
    await until(async () => {
      const reply = await call("SET during 1");
      return reply instanceof ReplyError && reply.message === EIO;
    });
    mend();
    await until(async () => (await persistence()).aof_last_write_status === "ok");
    expect(await call("SET after 1")).toBe("OK");
  },
  30_000,
);

test.skipIf(shim === null)("fsync fails under BGSAVE and SAVE: the old dump stays [needs cc]", async () => {
  const dir = temporaryDirectory();
  const { server, call, persistence, fail, mend } = await startFailing(dir, "--save", "3600 1");
  await call("SET a 1");
  expect(await call("SAVE")).toBe("OK");
  await call("SET a 2");
  fail();
  expect(message(await call("SAVE"))).toBe("ERR");
  await call("BGSAVE");
  await until(async () => (await persistence()).rdb_last_bgsave_status === "err");
  expect(readdirSync(dir)).toEqual(["dump.rdb"]);
  expect(message(await call("SET a 3"))).toStartWith(MISCONF);
  expect(message(await call("SHUTDOWN"))).toStartWith("ERR Errors trying to SHUTDOWN.");
  mend();
  expect(await call("SAVE")).toBe("OK");
  await server.stop("SIGKILL");
  const { call: again } = await start(dir);
  expect(await again("GET a")).toBe("2");
});

test("back to a moment: check-aof cuts to a timestamp, and the server starts with what was then", async () => {
  const dir = temporaryDirectory();
  const { call, server } = await start(
    dir,
    "--appendonly",
    "yes",
    "--aof-timestamp-enabled",
    "yes",
    "--appendfsync",
    "always",
  );
  await call("SET first 1");
  const then = Math.floor(Date.now() / 1000);
  await until(async () => Math.floor(Date.now() / 1000) > then);
  await call("SET second 2");
  await server.stop("SIGKILL");
  const path = join(dir, "appendonlydir", `${AOF}.manifest`);
  const check = Bun.spawnSync([
    ...serverCommand(),
    "check-aof",
    "--truncate-to-timestamp",
    String(then),
    path,
  ]);
  expect(check.stdout.toString()).toContain("Successfully truncated AOF");
  expect(check.exitCode).toBe(0);
  const { call: again } = await start(dir, "--appendonly", "yes");
  expect(await again("MGET first second")).toEqual(["1", null]);
});

test("an AOF that has grown by its percentage is rewritten by itself", async () => {
  const dir = temporaryDirectory();
  const settings = ["--auto-aof-rewrite-percentage", "100", "--auto-aof-rewrite-min-size", "64kb"];
  const { client, server, persistence } = await start(dir, "--appendonly", "yes", ...settings);
  const value = "x".repeat(1000);
  for (let i = 0; i < 400; i++) await client.call("SET", "key", `${value}${i}`);
  await until(async () => Number((await persistence()).aof_rewrites) > 0);
  await until(async () => (await persistence()).aof_rewrite_in_progress === "0");
  const [name] = readdirSync(join(dir, "appendonlydir")).filter((file) => file.includes(".base."));
  expect(statSync(join(dir, "appendonlydir", name!)).size).toBeLessThan(10_000);
  await server.stop();
  const { call: again } = await start(dir, "--appendonly", "yes");
  expect(await again("GET key")).toBe(`${value}399`);
});

test("a tail cut inside a transaction is cut before it, and what is written then is kept", async () => {
  const dir = temporaryDirectory();
  const { call, server } = await start(dir, "--appendonly", "yes", "--appendfsync", "always");
  await call("SET before 1");
  await call("MULTI");
  await call("SET inside 1");
  await call("SET more 1");
  await call("EXEC");
  await server.stop("SIGKILL");
  const path = join(dir, "appendonlydir", `${AOF}.1.incr.aof`);
  const content = readFileSync(path);
  writeFileSync(path, content.subarray(0, content.length - 5));
  const { call: repaired, server: second } = await start(
    dir,
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
  );
  expect(await repaired("MGET before inside more")).toEqual(["1", null, null]);
  expect(await repaired("SET after 1")).toBe("OK");
  await second.stop("SIGKILL");
  const { call: again } = await start(dir, "--appendonly", "yes");
  expect(await again("MGET before inside more after")).toEqual(["1", null, null, "1"]);
});

test("lengths below nothing are refused with a message", async () => {
  const dir = temporaryDirectory();
  mkdirSync(join(dir, "appendonlydir"));
  writeFileSync(join(dir, "appendonlydir", `${AOF}.manifest`), `file ${AOF}.1.incr.aof seq 1 type i\n`);
  for (const bad of [
    "*3\r\n$3\r\nSET\r\n$-5\r\na\r\n$1\r\n1\r\n",
    "*-3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n",
  ]) {
    writeFileSync(join(dir, "appendonlydir", `${AOF}.1.incr.aof`), bad);
    expect(await refused(dir, "--appendonly", "yes")).toContain(
      "Bad file format reading the append only file",
    );
  }
});
