/**
 * Starting a Redis-speaking server (redbun or a real redis-server) as a child process: on a free port, in a
 * temporary directory of its own, ready when its log says so. Whatever is still running or lying about when
 * this process ends is removed then, also on SIGINT.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * On Linux the kernel is asked to end the server with its parent, since `bun test` gives no exit event and
 * nothing is told of SIGKILL. setpriv becomes the server, so the process id is the server's.
 */
const TIED = process.platform === "linux" && Bun.which("setpriv") ? ["setpriv", "--pdeathsig", "KILL"] : [];
const READY = "Ready to accept connections";
const PORT_TAKEN = /Address (already )?in use|EADDRINUSE/i;
/** How much of the log is kept for error messages, in characters. */
const LOG_KEPT = 64 * 1024;

export type ServerProcess = Bun.Subprocess<"ignore", "pipe", "pipe">;

export interface LaunchOptions {
  /** The program and its first arguments, as from `splitCommand`. */
  command: string[];
  /** Directives that come after `--port`, `--dir`, `--save ""` and `--appendonly no`, so they win. */
  args?: string[];
  /** A port to insist on; without it a free one is found, and another if somebody takes it meanwhile. */
  port?: number;
  /** What its log says when it is ready. */
  ready?: string;
  /** Milliseconds until a silent server counts as failed. */
  readyTimeout?: number;
  env?: Record<string, string>;
}

export interface Launched {
  port: number;
  /** The temporary directory that is the server's working directory. */
  dir: string;
  process: ServerProcess;
  /** The last part of what the server wrote to stdout and stderr. */
  log(): string;
  /** Resolves as soon as `text` has appeared in the log. */
  logged(text: string, timeout?: number): Promise<void>;
  /** Sends the signal, waits for the end (SIGKILL after 10 s), removes the directory. Gives the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number>;
}

/** What the cleanup needs to know of a child process. */
type Child = Pick<Bun.Subprocess, "kill" | "exited">;

const running = new Set<Child>();
const directories = new Set<string>();
let cleanupInstalled = false;

/** Kills what was started here and removes the temporary directories. */
export function cleanUp(): void {
  for (const child of running) child.kill("SIGKILL");
  for (const dir of directories) rmSync(dir, { recursive: true, force: true });
  running.clear();
  directories.clear();
}

function installCleanup(): void {
  if (cleanupInstalled) return;
  cleanupInstalled = true;
  process.on("exit", cleanUp);
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.on(signal, () => process.exit(code));
  }
}

/** A temporary directory that disappears with this process. */
export function temporaryDirectory(prefix = "redbun-"): string {
  installCleanup();
  const dir = mkdtempSync(join(tmpdir(), prefix));
  directories.add(dir);
  return dir;
}

/** Takes a helper process into the cleanup. */
export function adopt(child: Child): void {
  installCleanup();
  running.add(child);
  child.exited.then(() => running.delete(child));
}

/** A port that was free a moment ago. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

/** Splits a command line at blanks; single and double quotes keep an argument together. */
export function splitCommand(line: string): string[] {
  const words = line.match(/"[^"]*"|'[^']*'|[^\s"']+/g) ?? [];
  return words.map((word) => (/^["']/.test(word) ? word.slice(1, -1) : word));
}

export async function launch(options: LaunchOptions): Promise<Launched> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? freePort();
    try {
      return await launchAt(port, options);
    } catch (error) {
      const taken = error instanceof Error && PORT_TAKEN.test(error.message);
      if (!taken || options.port !== undefined || attempt === 5) throw error;
    }
  }
}

async function launchAt(port: number, options: LaunchOptions): Promise<Launched> {
  const dir = temporaryDirectory();
  const settings = ["--port", String(port), "--dir", dir, "--save", "", "--appendonly", "no"];
  const child: ServerProcess = Bun.spawn(
    [...TIED, ...options.command, ...settings, ...(options.args ?? [])],
    {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      env: { ...process.env, ...options.env },
    },
  );
  adopt(child);
  const log = new Log();
  log.follow(child.stdout);
  log.follow(child.stderr);

  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<number> => {
    child.kill(signal);
    const killer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    const code = await child.exited;
    clearTimeout(killer);
    rmSync(dir, { recursive: true, force: true });
    directories.delete(dir);
    return code;
  };

  const ended = child.exited.then((code) => {
    throw new Error(`${options.command.join(" ")} ended with code ${code} before it was ready:\n${log.text}`);
  });
  try {
    await Promise.race([log.wait(options.ready ?? READY, options.readyTimeout ?? 30_000), ended]);
  } catch (error) {
    await stop("SIGKILL");
    throw error;
  }
  ended.catch(() => {}); // from here on an end is the caller's business
  return {
    port,
    dir,
    process: child,
    log: () => log.text,
    logged: (text, timeout) => log.wait(text, timeout ?? 10_000),
    stop,
  };
}

/** The tail of a child's output, and a way to wait for a text in it. */
class Log {
  text = "";
  private readonly waiting = new Set<() => void>();

  async follow(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.text = (this.text + decoder.decode(chunk, { stream: true })).slice(-LOG_KEPT);
      for (const look of this.waiting) look();
    }
  }

  wait(text: string, timeout: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const done = () => {
      this.waiting.delete(look);
      clearTimeout(timer);
    };
    const look = () => {
      if (!this.text.includes(text)) return;
      done();
      resolve();
    };
    const timer = setTimeout(() => {
      done();
      reject(new Error(`no "${text}" in the log within ${timeout} ms:\n${this.text}`));
    }, timeout);
    this.waiting.add(look);
    look();
    return promise;
  }
}
