import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { adopt, freePort, temporaryDirectory } from "../../scripts/lib/launch.ts";
import { Wire } from "../../scripts/lib/wire.ts";
import { serverCommand } from "../server.ts";
import { RawClient } from "./raw-client.ts";

/** From the command line to a server that is ready, and to its end. */

const LINE = /^\d+:[CM] \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}\.\d{3} [.\-*#] /;
const READY = "Ready to accept connections";

interface Run {
  process: Bun.Subprocess<"pipe" | "ignore", "pipe", "pipe">;
  dir: string;
  output(): string;
  /** The exit code, once everything that was printed has been read. */
  ended: Promise<number>;
  /** Waits for a text on stdout or stderr. */
  shows(text: string): Promise<void>;
}

function run(args: string[], options: { input?: string; dir?: string } = {}): Run {
  const dir = options.dir ?? temporaryDirectory();
  const child = Bun.spawn([...serverCommand(), ...args], {
    cwd: dir,
    stdin: options.input === undefined ? "ignore" : new TextEncoder().encode(options.input),
    stdout: "pipe",
    stderr: "pipe",
  }) as Run["process"];
  adopt(child);
  let output = "";
  const looks = new Set<() => void>();
  const follow = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    for await (const chunk of stream) {
      output += new TextDecoder().decode(chunk);
      for (const look of looks) look();
    }
  };
  const streams = Promise.all([follow(child.stdout), follow(child.stderr)]);
  const ended = streams.then(() => child.exited);
  return {
    process: child,
    dir,
    output: () => output,
    ended,
    shows: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (output.includes(text)) resolve();
        };
        looks.add(look);
        look();
        ended.then((code) => reject(new Error(`ended with code ${code} before "${text}" came:\n${output}`)));
      }),
  };
}

function end(server: Run, signal?: NodeJS.Signals): Promise<number> {
  if (signal !== undefined) server.process.kill(signal);
  return server.ended;
}

function file(dir: string, name: string, lines: string[]): string {
  writeFileSync(join(dir, name), `${lines.join("\n")}\n`);
  return join(dir, name);
}

async function ask(port: number, ...args: string[]): Promise<unknown> {
  const wire = await Wire.connect(port);
  const reply = await wire.command(...args);
  wire.close();
  return reply;
}

async function untilExists(path: string): Promise<void> {
  for (
    const deadline = Date.now() + 20_000;
    !existsSync(path) || statSync(path).size === 0;
    await Bun.sleep(5)
  )
    if (Date.now() > deadline) throw new Error(`${path} was not written`);
}

async function untilConnects(port: number): Promise<void> {
  for (const deadline = Date.now() + 20_000; ; await Bun.sleep(5)) {
    const answer = await ask(port, "PING").catch((error: Error) => error);
    if (answer === "PONG") return;
    if (Date.now() > deadline) throw new Error(`nobody answers on port ${port}: ${answer}`);
  }
}

test("--version and --help print and end", async () => {
  for (const flag of ["--version", "-v"]) {
    const server = run([flag]);
    expect(await end(server)).toBe(0);
    expect(server.output()).toMatch(/^Redis server v=7\.2\.\d+ sha=\S+ malloc=\S+ bits=64 build=\S+\n$/);
  }
  for (const flag of ["--help", "-h"]) {
    const server = run([flag]);
    expect(await end(server)).toBe(0);
    expect(server.output()).toContain("redis.conf");
  }
});

test("the log has Redis's lines, those that tools wait for among them", async () => {
  const port = freePort();
  const server = run(["--port", String(port), "--loglevel", "verbose"]);
  await server.shows(READY);
  expect(await end(server, "SIGTERM")).toBe(0);
  const lines = server.output().trimEnd().split("\n");
  for (const line of lines) expect(line).toMatch(LINE);
  const texts = lines.map((line) => line.replace(LINE, ""));
  expect(texts[0]).toBe("oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo");
  expect(texts).toContain("Configuration loaded");
  expect(texts).toContain(`Running mode=standalone, port=${port}.`);
  expect(texts.indexOf("Server initialized")).toBeGreaterThan(0);
  expect(texts.indexOf("Ready to accept connections tcp")).toBeGreaterThan(
    texts.indexOf("Server initialized"),
  );
  expect(texts).toContain("Received SIGTERM scheduling shutdown...");
  expect(texts).toContain("User requested shutdown...");
  expect(texts.at(-1)).toBe("Redis is now ready to exit, bye bye...");
  expect(lines.every((line) => line.startsWith(`${server.process.pid}:`))).toBe(true);
});

test("configuration files: quotes, include, several values, rename-command; the command line wins", async () => {
  const dir = temporaryDirectory();
  const port = freePort();
  file(dir, "more.conf", ["maxclients 123", "timeout 77"]);
  const main = file(dir, "redis.conf", [
    "# a comment",
    "port 1",
    `include ${dir}/more.conf`,
    'requirepass "two \\x77ords"',
    "save 900 1",
    "save 300 10",
    "rename-command FLUSHALL ''",
    'rename-command "CONFIG" "MYCONFIG"',
    "timeout 99",
  ]);
  const server = run([main, "--port", String(port), "--dir", dir, "--maxclients", "50"]);
  await server.shows(READY);
  const wire = await Wire.connect(port);
  expect(await wire.command("AUTH", "two words")).toBe("OK");
  expect(await wire.command("MYCONFIG", "GET", "timeout")).toEqual(["timeout", "99"]);
  expect(await wire.command("MYCONFIG", "GET", "maxclients")).toEqual(["maxclients", "50"]);
  expect(await wire.command("MYCONFIG", "GET", "save")).toEqual(["save", "900 1 300 10"]);
  for (const gone of ["CONFIG", "FLUSHALL"])
    expect(await wire.command(gone, "x").catch(String)).toContain(`unknown command '${gone}'`);
  wire.close();
  expect(await end(server, "SIGINT")).toBe(0);
});

test("a directive that does not exist is refused with file, line and text", async () => {
  const dir = temporaryDirectory();
  const inner = file(dir, "inner.conf", ["", "", "no-such-directive 1"]);
  const main = file(dir, "redis.conf", ["port 0", `include ${inner}`]);
  for (const [path, line, text] of [
    [main, 3, "no-such-directive 1"],
    [file(dir, "value.conf", ["maxclients many"]), 1, "maxclients many"],
    [file(dir, "quotes.conf", ["port 0", 'requirepass "half']), 2, 'requirepass "half'],
  ] as const) {
    const server = run([path]);
    expect(await end(server)).toBe(1);
    expect(server.output()).toContain("*** FATAL CONFIG FILE ERROR (Redis 7.2");
    expect(server.output()).toContain(`Reading the configuration file, at line ${line}`);
    expect(server.output()).toContain(`>>> '${text}'`);
  }
  // Which file it is, too, where files include each other.
  const server = run([main]);
  await end(server);
  expect(server.output()).toContain(inner);
  const missing = run([join(dir, "nothing.conf")]);
  expect(await end(missing)).toBe(1);
  expect(missing.output()).toContain("can't open config file");
  const option = run(["--no-such-option", "1"]);
  expect(await end(option)).toBe(1);
  expect(option.output()).toContain(">>> 'no-such-option \"1\"'");
});

test("configuration from standard input", async () => {
  const [port, other] = [freePort(), freePort()];
  const server = run(["-"], { input: `port ${port}\nmaxclients 33\n` });
  await server.shows(READY);
  expect(await ask(port, "CONFIG", "GET", "maxclients")).toEqual(["maxclients", "33"]);
  expect(await end(server, "SIGTERM")).toBe(0);
  // Behind a file, in front of the options.
  const dir = temporaryDirectory();
  const conf = file(dir, "redis.conf", ["port 1", "timeout 5", "hz 20"]);
  const both = run([conf, "--hz", "30", "-"], { input: `port ${other}\ntimeout 6\nhz 25\n` });
  await both.shows(READY);
  expect(await ask(other, "CONFIG", "GET", "timeout")).toEqual(["timeout", "6"]);
  expect(await ask(other, "CONFIG", "GET", "hz")).toEqual(["hz", "30"]);
  await end(both, "SIGTERM");
});

test.skipIf(process.platform !== "linux")("the title that ps shows [needs Linux]", async () => {
  const port = freePort();
  const server = run(["--port", String(port)]);
  await server.shows("Ready to accept connections");
  const title = (): string =>
    readFileSync(`/proc/${server.process.pid}/cmdline`, "latin1").replace(/\0+$/, "");
  expect(title()).toMatch(new RegExp(`^\\S+ \\*:${port}$`));
  const set = await ask(port, "CONFIG", "SET", "proc-title-template", "T {port} {tls-port} {config-file}");
  expect(set).toBe("OK");
  expect(title()).toBe(`T ${port} 0 -`);
  const long = "x".repeat(5000);
  await ask(port, "CONFIG", "SET", "proc-title-template", long);
  // As much as there is room for, and the environment behind it is as it was.
  expect(long.startsWith(title())).toBe(true);
  const environment = readFileSync(`/proc/${server.process.pid}/environ`, "latin1");
  expect(environment).not.toContain("xxx");
  expect(await end(server, "SIGTERM")).toBe(0);
});

test("options with one dash and with two", async () => {
  for (const flag of ["-port", "--port"]) {
    const port = freePort();
    const server = run([flag, String(port)]);
    await server.shows(READY);
    expect(await ask(port, "PING")).toBe("PONG");
    expect(await end(server, "SIGTERM")).toBe(0);
  }
});

test("pidfile and logfile", async () => {
  const dir = temporaryDirectory();
  const port = freePort();
  const [pidfile, logfile] = [join(dir, "redbun.pid"), join(dir, "redbun.log")];
  const server = run(["--port", String(port), "--pidfile", pidfile, "--logfile", logfile], { dir });
  await untilConnects(port);
  expect(readFileSync(pidfile, "utf8")).toBe(`${server.process.pid}\n`);
  expect(server.output()).toBe("");
  expect(await end(server, "SIGTERM")).toBe(0);
  expect(existsSync(pidfile)).toBe(false);
  const log = readFileSync(logfile, "utf8");
  for (const line of log.trimEnd().split("\n")) expect(line).toMatch(LINE);
  for (const text of [READY, "Removing the pid file.", "bye bye"]) expect(log).toContain(text);
});

test("several addresses, and IPv6", async () => {
  const port = freePort();
  const hasIpv6 = Object.values(networkInterfaces())
    .flat()
    .some((each) => each?.address === "::1");
  const addresses = hasIpv6 ? ["127.0.0.1", "::1"] : ["127.0.0.1"];
  const server = run(["--port", String(port), "--bind", ...addresses, "-203.0.113.7"]);
  await server.shows(READY);
  for (const hostname of addresses) {
    const client = await RawClient.open({ port, hostname });
    await client.send("PING\r\nCLIENT INFO\r\n");
    const text = await client.until((all) => all.includes("laddr=") && all.endsWith("\r\n"));
    expect(text).toContain(` laddr=${hostname.includes(":") ? `[${hostname}]` : hostname}:${port} `);
    client.end();
  }
  await end(server, "SIGTERM");
  // Without the dash an address that this machine does not have is an error.
  const refused = run(["--port", String(port), "--bind", "203.0.113.7"]);
  expect(await end(refused)).toBe(1);
  expect(refused.output()).toContain("203.0.113.7");
});

test("a port in use is an error", async () => {
  const port = freePort();
  const first = run(["--port", String(port)]);
  await first.shows(READY);
  const second = run(["--port", String(port)]);
  expect(await end(second)).toBe(1);
  expect(second.output()).toContain("bind: Address already in use");
  expect(second.output()).toContain(`Failed listening on port ${port} (tcp), aborting.`);
  expect(await ask(port, "PING")).toBe("PONG");
  await end(first, "SIGTERM");
});

test("nothing to listen on is an error", async () => {
  const server = run(["--port", "0"]);
  expect(await end(server)).toBe(1);
  expect(server.output()).toContain("Configured to not listen anywhere, exiting.");
});

test("a Unix socket, alone and with permissions", async () => {
  const dir = temporaryDirectory();
  const path = join(dir, "redbun.sock");
  const server = run(["--port", "0", "--unixsocket", path, "--unixsocketperm", "750"]);
  await server.shows("The server is now ready to accept connections at");
  await untilExistsSocket(path);
  expect(statSync(path).mode & 0o777).toBe(0o750);
  const client = await RawClient.open({ unix: path });
  await client.send("PING\r\nCLIENT INFO\r\n");
  const text = await client.until((all) => all.includes("flags=") && all.endsWith("\r\n"));
  expect(text).toContain(`addr=${path}:0 `);
  expect(text).toContain(" flags=U ");
  client.end();
  expect(await end(server, "SIGTERM")).toBe(0);
  expect(existsSync(path)).toBe(false);
  // One that was left behind by a crash is taken over.
  const dead = run(["--port", "0", "--unixsocket", path]);
  await dead.shows("ready to accept connections at");
  await end(dead, "SIGKILL");
  expect(existsSync(path)).toBe(true);
  const next = run(["--port", "0", "--unixsocket", path]);
  await next.shows("ready to accept connections at");
  const again = await RawClient.open({ unix: path });
  await again.send("PING\r\n");
  await again.expect("+PONG\r\n");
  again.end();
  await end(next, "SIGTERM");
});

async function untilExistsSocket(path: string): Promise<void> {
  for (const deadline = Date.now() + 20_000; !existsSync(path); await Bun.sleep(5))
    if (Date.now() > deadline) throw new Error(`${path} was not made`);
}

test("daemonize: the command ends, the server lives on", async () => {
  const dir = temporaryDirectory();
  mkdirSync(join(dir, "data"));
  for (const withInput of [false, true]) {
    const port = freePort();
    const pidfile = join(dir, `${port}.pid`);
    const lines = [
      `port ${port}`,
      "daemonize yes",
      `pidfile ${pidfile}`,
      `dir ${join(dir, "data")}`,
      "logfile daemon.log",
    ];
    // A relative path and a `dir` that leads elsewhere: the second process must find both.
    file(dir, "daemon.conf", lines);
    const command = withInput
      ? run(["-"], { dir, input: `${lines.join("\n")}\n` })
      : run(["daemon.conf"], { dir });
    expect(await end(command)).toBe(0);
    await untilExists(pidfile);
    await untilConnects(port);
    const pid = Number(readFileSync(pidfile, "utf8"));
    expect(pid).not.toBe(command.process.pid);
    expect(readFileSync(join(dir, "data", "daemon.log"), "utf8")).toContain(`${pid}:M`);
    await ask(port, "SHUTDOWN", "NOSAVE").catch(() => {});
    for (const deadline = Date.now() + 20_000; existsSync(pidfile); await Bun.sleep(5))
      if (Date.now() > deadline) {
        process.kill(pid, "SIGKILL");
        throw new Error("the daemon does not end");
      }
  }
});

test("SHUTDOWN NOSAVE ends the server and its connections without a reply", async () => {
  const port = freePort();
  const server = run(["--port", String(port)]);
  await server.shows(READY);
  const [client, other] = await Promise.all([RawClient.open(port), RawClient.open(port)]);
  client.send("SHUTDOWN NOSAVE\r\n");
  expect(await client.rest()).toBe("");
  expect(await other.rest()).toBe("");
  expect(await end(server)).toBe(0);
  expect(server.output()).toContain("Redis is now ready to exit, bye bye...");
});

test("CONFIG SET port and bind move the sockets, connections stay", async () => {
  const [port, moved] = [freePort(), freePort()];
  const server = run(["--port", String(port)]);
  await server.shows(READY);
  const client = await RawClient.open(port);
  await client.send(`CONFIG SET port ${moved}\r\n`);
  await client.expect("+OK\r\n");
  expect(await ask(moved, "PING")).toBe("PONG");
  expect(await ask(port, "PING").catch(() => "refused")).toBe("refused");
  await client.send("PING\r\n");
  await client.expect("+PONG\r\n");
  client.end();
  await end(server, "SIGTERM");
});
