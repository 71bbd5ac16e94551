/**
 * The server under test as a child process: redbun from source, or the command in REDBUN_TEST_SERVER (a
 * compiled binary, or a real redis-server to find out whether a test is right).
 */
import { join } from "node:path";
import { type Launched, launch, splitCommand } from "../scripts/lib/launch.ts";

const MAIN = join(import.meta.dir, "..", "src", "main.ts");

export type TestServer = Launched;

export interface StartOptions {
  /** The port to use: for a server that comes back where another one was. */
  port?: number;
  env?: Record<string, string>;
}

export function serverCommand(): string[] {
  const override = process.env.REDBUN_TEST_SERVER;
  return override ? splitCommand(override) : [process.execPath, MAIN];
}

/** Starts a server on a free port; `args` are directives such as `--maxmemory 1mb`. Stop it in `afterAll`. */
export function startServer(args: string[] = [], options: StartOptions = {}): Promise<TestServer> {
  return launch({ command: serverCommand(), args, ...options });
}

/** True when REDBUN_TEST_SERVER puts another server in redbun's place. */
export function isOtherServer(): boolean {
  return Boolean(process.env.REDBUN_TEST_SERVER);
}
