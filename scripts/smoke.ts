/**
 * Smoke test of the compiled server: `bun scripts/smoke.ts [command]`, by default dist/redbun. Asks for help
 * and version, then talks to it over a raw socket, and ends it once by SHUTDOWN and once by SIGTERM. Every
 * check is counted; the last line is `N passed, N failed`.
 */
import { join } from "node:path";
import { REDBUN_VERSION } from "../src/host/version.ts";
import { freePort, type Launched, launch, splitCommand } from "./lib/launch.ts";
import { infoField, ReplyError, Wire } from "./lib/wire.ts";

const ROOT = join(import.meta.dir, "..");
const binary = join(ROOT, "dist", process.platform === "win32" ? "redbun.exe" : "redbun");
const command = process.argv[2] ? splitCommand(process.argv[2]) : [binary];
const ours = process.argv[2] === undefined;

let passed = 0;
let failed = 0;

await check("--version", () => {
  const { exitCode, stdout } = Bun.spawnSync([...command, "--version"]);
  expect(exitCode, 0);
  expectMatch(stdout.toString(), ours ? `\\b${RegExp.escape(REDBUN_VERSION)}\\b` : "v=");
});
await check("--help", () => {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command, "--help"]);
  expect(exitCode, ours ? 0 : exitCode);
  expectMatch(stdout.toString() + stderr.toString(), "(?i:usage)");
});

if (ours)
  await check("test-server says when it is ready, and ends with its input", async () => {
    const child = Bun.spawn([...command, "test-server"], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    child.stdin.write('{"maxmemory":"10mb"}\n');
    child.stdin.end();
    expectMatch(await child.stdout.text(), '^@redbun \\{"ready":\\{"port":\\d+');
    expect(await child.exited, 0);
  });

if (ours)
  await check("the console's page and metrics lie in the executable", async () => {
    const port = freePort();
    const server = await launch({ command, args: ["--console-port", String(port)] });
    const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
    expect(await get("/healthz"), "ok\n");
    expectMatch(await get("/"), "^<!doctype html>[^]*</html>\\n$");
    expectMatch(await get("/metrics"), "\nredis_up 1\n");
    expect(await server.stop(), 0);
  });

const first = await start();
if (first) {
  await check("commands over a socket", () => talk(first));
  await check("a script, whose interpreter lies in the executable", async () => {
    const wire = await Wire.connect(first.port);
    const source = "return cjson.encode({redis.call('SET', 'script', 1).ok, #cmsgpack.pack(1)})";
    expect(await wire.command("EVAL", source, "0"), '["OK",1]');
    wire.close();
  });
  await check("a bad command is an error reply, and the connection goes on", () => badCommand(first));
  await check("SHUTDOWN ends it with code 0", async () => {
    const wire = await Wire.connect(first.port);
    wire.send(Buffer.from("SHUTDOWN NOSAVE\r\n"));
    await wire.closed;
    expect(await first.process.exited, 0);
  });
  await first.stop();
}
const second = await start();
if (second) {
  await check("SIGTERM ends it with code 0, connections are closed", async () => {
    const wire = await Wire.connect(second.port);
    expect(await wire.command("PING"), "PONG");
    expect(await second.stop("SIGTERM"), 0);
    await wire.closed;
  });
}

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

/** Starts the server; that it becomes ready is a check of its own. */
async function start(): Promise<Launched | null> {
  let server: Launched | null = null;
  const before = performance.now();
  await check("it starts and says that it is ready", async () => {
    server = await launch({ command });
  });
  if (server) console.log(`       ready after ${(performance.now() - before).toFixed(0)} ms`);
  return server;
}

async function talk(server: Launched): Promise<void> {
  const wire = await Wire.connect(server.port);
  expect(await wire.command("PING"), "PONG");
  expect(await wire.command("SET", "smoke", "a value"), "OK");
  expect(await wire.command("GET", "smoke"), "a value");
  expect(await wire.command("GET", "nothing"), null);
  expect(await wire.command("INCR", "counter"), 1);
  expect(await wire.command("INCR", "counter"), 2);
  expect(await wire.command("EXPIRE", "smoke", 100), 1);
  expect(await wire.command("TTL", "smoke"), 100);
  expect(await wire.command("PEXPIRE", "counter", 1), 1);
  await Bun.sleep(20);
  expect(await wire.command("EXISTS", "counter"), 0);
  const info = await wire.command("INFO");
  expect(infoField(info, "tcp_port"), String(server.port));
  expect(infoField(info, "process_id"), String(server.process.pid));
  const pipelined = Array.from({ length: 1000 }, (_, i) => wire.command("ECHO", i));
  expect((await Promise.all(pipelined)).join(), Array.from({ length: 1000 }, (_, i) => i).join());
  wire.close();
}

async function badCommand(server: Launched): Promise<void> {
  const wire = await Wire.connect(server.port);
  const reply = await wire.raw(["NOSUCHCOMMAND"]);
  expectMatch(reply instanceof ReplyError ? reply.message : `no error: ${reply}`, "^ERR unknown command");
  expect(await wire.command("PING"), "PONG");
  wire.close();
}

async function check(name: string, body: () => void | Promise<void>): Promise<void> {
  try {
    await Promise.race([body(), timeout()]);
    passed++;
    console.log(`(pass) ${name}`);
  } catch (error) {
    failed++;
    console.log(`(fail) ${name}: ${error instanceof Error ? error.message : error}`);
  }
}

async function timeout(): Promise<never> {
  await Bun.sleep(30_000);
  throw new Error("nothing within 30 s");
}

function expect(actual: unknown, expected: unknown): void {
  if (actual !== expected)
    throw new Error(`expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`);
}

function expectMatch(actual: string, pattern: string): void {
  if (!new RegExp(pattern).test(actual))
    throw new Error(`expected ${pattern}, got ${JSON.stringify(actual)}`);
}
