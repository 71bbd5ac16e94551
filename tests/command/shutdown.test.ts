/** SHUTDOWN, SIGTERM and SIGINT: what they save, what stops them, and who takes them back. */
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adopt } from "../../scripts/lib/launch.ts";
import { fieldsOf, ReplyError, RespClient } from "../resp-client.ts";
import { serverCommand, startServer, type TestServer } from "../server.ts";

// Many starts of a server, on machines that may be busy.
setDefaultTimeout(30_000);

const folders: string[] = [];
const running: TestServer[] = [];

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop("SIGKILL");
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function start(...args: string[]): Promise<{ folder: string; server: TestServer; client: RespClient }> {
  const folder = mkdtempSync(join(tmpdir(), "redbun-shutdown-"));
  folders.push(folder);
  return { folder, ...(await startIn(folder, ...args)) };
}

async function startIn(
  folder: string,
  ...args: string[]
): Promise<{ server: TestServer; client: RespClient }> {
  const server = await startServer(["--dir", folder, "--enable-debug-command", "yes", ...args]);
  running.push(server);
  return { server, client: await RespClient.open(server.port) };
}

function error(reply: unknown): string {
  expect(reply).toBeInstanceOf(ReplyError);
  return (reply as ReplyError).message;
}

/** Keys whose saving takes so long that something can happen meanwhile: 20 of 50 ms. */
async function slowToSave(client: RespClient): Promise<void> {
  for (let i = 0; i < 20; i++) await client.call("SET", `key:${i}`, "value");
  await client.call("CONFIG", "SET", "rdb-key-save-delay", "50000");
}

async function untilExists(path: string): Promise<void> {
  while (!existsSync(path)) await Bun.sleep(1);
}

test("options: Redis's sentences", async () => {
  const { client } = await start();
  expect(error(await client.call("SHUTDOWN", "NOPE"))).toBe("ERR syntax error");
  expect(error(await client.call("SHUTDOWN", "SAVE", "NOSAVE"))).toBe("ERR syntax error");
  expect(error(await client.call("SHUTDOWN", "ABORT", "NOW"))).toBe("ERR syntax error");
  expect(error(await client.call("SHUTDOWN", "ABORT"))).toBe("ERR No shutdown in progress.");
});

test("with save points the data set is saved, with NOSAVE not, with SAVE always", async () => {
  for (const [save, option, saved] of [
    ["900 100", null, true],
    ["900 100", "NOSAVE", false],
    ["", null, false],
    ["", "SAVE", true],
  ] as const) {
    const { folder, server, client } = await start("--save", save);
    await client.call("SET", "key", "value");
    client.send("SHUTDOWN", ...(option === null ? [] : [option]));
    expect(await client.nextOrEnd()).toBeUndefined();
    expect(await server.process.exited).toBe(0);
    expect(existsSync(join(folder, "dump.rdb"))).toBe(saved);
    if (!saved) continue;
    const { client: again } = await startIn(folder);
    expect(await again.call("GET", "key")).toBe("value");
  }
});

test("a signal is obeyed by the cron, and SHUTDOWN ABORT takes it back", async () => {
  const { server, client } = await start("--save", "900 100");
  await client.call("DEBUG", "PAUSE-CRON", "1");
  server.process.kill("SIGTERM");
  await server.logged("Received SIGTERM scheduling shutdown");
  expect(await client.call("SHUTDOWN", "ABORT")).toBe("OK");
  await server.logged("Shutdown manually aborted");
  await client.call("DEBUG", "PAUSE-CRON", "0");
  expect(error(await client.call("SHUTDOWN", "ABORT"))).toBe("ERR No shutdown in progress.");
});

test("shutdown-on-sigterm and shutdown-on-sigint", async () => {
  for (const [signal, directive, words, saved] of [
    ["SIGTERM", "shutdown-on-sigterm", "nosave now", false],
    ["SIGTERM", "shutdown-on-sigint", "nosave", true],
    ["SIGINT", "shutdown-on-sigint", "nosave", false],
  ] as const) {
    const { folder, server, client } = await start("--save", "900 100");
    await client.call("SET", "key", "value");
    await client.call("CONFIG", "SET", directive, words);
    server.process.kill(signal);
    expect(await server.process.exited).toBe(0);
    expect(existsSync(join(folder, "dump.rdb"))).toBe(saved);
  }
});

test("a second SIGINT ends at once and leaves nothing half written", async () => {
  const { folder, server, client } = await start("--save", "900 100");
  await slowToSave(client);
  const temporary = join(folder, `temp-${server.process.pid}.rdb`);
  server.process.kill("SIGINT");
  await untilExists(temporary);
  server.process.kill("SIGINT");
  expect(await server.process.exited).toBe(1);
  expect(server.log()).toContain("You insist... exiting now.");
  expect(existsSync(temporary)).toBe(false);
  expect(existsSync(join(folder, "dump.rdb"))).toBe(false);
});

test("nothing is acknowledged while the final file is written", async () => {
  const { folder, server, client } = await start("--save", "900 100");
  await slowToSave(client);
  const writer = await RespClient.open(server.port);
  client.send("SHUTDOWN");
  await untilExists(join(folder, `temp-${server.process.pid}.rdb`));
  writer.send("SET", "late", "1");
  expect(await writer.nextOrEnd()).toBeUndefined();
  expect(await server.process.exited).toBe(0);
  const { client: again } = await startIn(folder);
  expect(await again.call("DBSIZE")).toBe(20);
});

test("a running BGSAVE is given up and leaves no file", async () => {
  const { folder, server, client } = await start();
  await slowToSave(client);
  await client.call("BGSAVE");
  const temporary = join(folder, `temp-${server.process.pid}.rdb`);
  await untilExists(temporary);
  client.send("SHUTDOWN", "NOSAVE");
  expect(await server.process.exited).toBe(0);
  expect(existsSync(temporary)).toBe(false);
});

test("where saving fails the server lives on, and FORCE ends it", async () => {
  const { folder, server, client } = await start("--save", "900 100");
  mkdirSync(join(folder, "dump.rdb"));
  await slowToSave(client);
  client.send("SHUTDOWN");
  const other = await RespClient.open(server.port);
  await untilExists(join(folder, `temp-${server.process.pid}.rdb`));
  // It waits while the file is written, and is served when that has failed.
  expect(await other.call("GET", "key:0")).toBe("value");
  expect(error(await client.next())).toBe("ERR Errors trying to SHUTDOWN. Check logs.");
  await client.call("CONFIG", "SET", "rdb-key-save-delay", "0");
  expect(error(await client.call("SHUTDOWN"))).toBe("ERR Errors trying to SHUTDOWN. Check logs.");
  server.process.kill("SIGTERM");
  await server.logged("Error trying to save the DB, can't exit.");
  expect(await client.call("PING")).toBe("PONG");
  expect(fieldsOf(await client.text("INFO", "persistence")).rdb_last_bgsave_status).toBe("ok");
  client.send("SHUTDOWN", "FORCE");
  expect(await client.nextOrEnd()).toBeUndefined();
  expect(await server.process.exited).toBe(0);
  expect(server.log()).toContain("Error trying to save the DB. Exit anyway.");
});

test("the first AOF is being written: not before it is there, but for FORCE", async () => {
  const { server, client } = await start();
  await slowToSave(client);
  await client.call("CONFIG", "SET", "appendonly", "yes");
  server.process.kill("SIGTERM");
  await server.logged("Writing initial AOF, can't exit");
  expect(error(await client.call("SHUTDOWN"))).toBe("ERR Errors trying to SHUTDOWN. Check logs.");
  await client.call("CONFIG", "SET", "shutdown-on-sigterm", "force");
  server.process.kill("SIGTERM");
  expect(await server.process.exited).toBe(0);
});

test("while it loads, a signal ends the server and leaves the file as it was", async () => {
  const { folder, server, client } = await start("--save", "900 100");
  await client.call("DEBUG", "POPULATE", "1000");
  client.send("SHUTDOWN");
  expect(await server.process.exited).toBe(0);
  const file = join(folder, "dump.rdb");
  const { size } = statSync(file);
  const args = ["--port", "0", "--unixsocket", "socket", "--dir", folder, "--save", "900 1"];
  const loading = Bun.spawn([...serverCommand(), ...args, "--key-load-delay", "100000"], { stdout: "pipe" });
  adopt(loading);
  let log = "";
  for await (const chunk of loading.stdout) {
    const before = log;
    log += Buffer.from(chunk).toString();
    if (log.includes("Server initialized") && !before.includes("Server initialized")) loading.kill("SIGTERM");
  }
  expect(await loading.exited).toBe(0);
  expect(log).toContain("Received shutdown signal during loading, scheduling shutdown.");
  expect(log).not.toContain("DB loaded from disk");
  expect(statSync(file).size).toBe(size);
});

// ---------------------------------------------------------------------- with replicas

/** A master, and a replica that follows it and then stands still. */
async function pair(...args: string[]) {
  const master = await start(...args);
  const replica = await start("--repl-diskless-sync-delay", "0");
  await master.client.call("CONFIG", "SET", "repl-diskless-sync-delay", "0");
  await replica.client.call("REPLICAOF", "127.0.0.1", String(master.server.port));
  const info = async (client: RespClient) => fieldsOf(await client.text("INFO", "replication"));
  while ((await info(replica.client)).master_link_status !== "up");
  while (!(await info(master.client)).slave0?.includes("state=online"));
  replica.server.process.kill("SIGSTOP");
  return { master, replica };
}

test("a master waits for its replica, and refuses nobody meanwhile; it is INFO that tells", async () => {
  const { master, replica } = await pair();
  const other = await RespClient.open(master.server.port);
  expect(await other.call("INCR", "k")).toBe(1);
  master.client.send("SHUTDOWN");
  while (fieldsOf(await other.text("INFO", "server")).shutdown_in_milliseconds === undefined);
  const writer = await RespClient.open(master.server.port);
  writer.send("INCR", "k");
  await other.call("MULTI");
  await other.call("INCR", "k");
  expect(await master.server.logged("Waiting for replicas before shutting down.")).toBeUndefined();
  replica.server.process.kill("SIGCONT");
  expect(await master.client.nextOrEnd()).toBeUndefined();
  expect(await master.server.process.exited).toBe(0);
  expect(master.server.log()).toContain("1 of 1 replicas are in sync when shutting down.");
  expect(master.server.log()).not.toContain("Lagging replica");
  expect(await replica.client.call("GET", "k")).toBe("1");
});

test("not longer than shutdown-timeout, and not with NOW", async () => {
  for (const [timeout, option] of [
    ["1", "NOSAVE"],
    ["1000", "NOW"],
  ] as const) {
    const { master, replica } = await pair("--shutdown-timeout", timeout);
    await master.client.call("SET", "k", "1");
    master.client.send("SHUTDOWN", option);
    expect(await master.client.nextOrEnd()).toBeUndefined();
    expect(master.server.log()).toContain("Lagging replica");
    expect(master.server.log()).toContain("0 of 1 replicas are in sync when shutting down.");
    replica.server.process.kill("SIGCONT");
  }
});

test("two wait, and are told when it is aborted; writes go on", async () => {
  const { master, replica } = await pair();
  const [second, other] = [
    await RespClient.open(master.server.port),
    await RespClient.open(master.server.port),
  ];
  await other.call("SET", "k", "1");
  master.client.send("SHUTDOWN");
  second.send("SHUTDOWN");
  while (fieldsOf(await other.text("INFO", "clients")).blocked_clients !== "2");
  const writer = await RespClient.open(master.server.port);
  writer.send("INCR", "k");
  expect(await other.call("GET", "k")).toBe("1");
  expect(await other.call("SHUTDOWN", "ABORT")).toBe("OK");
  for (const client of [master.client, second])
    expect(error(await client.next())).toBe("ERR Errors trying to SHUTDOWN. Check logs.");
  expect(await writer.next()).toBe(2);
  expect(master.server.log()).toContain("Shutdown manually aborted.");
  expect(error(await other.call("SHUTDOWN", "ABORT"))).toBe("ERR No shutdown in progress.");
  replica.server.process.kill("SIGCONT");
});
