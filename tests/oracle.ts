/**
 * The real redis-server as the judge of a reply. Where there is none the tests that need it are skipped, and
 * `[needs redis-server]` in their names lets scripts/test.ts say how many and why.
 */
import { describe } from "bun:test";
import { type Launched, launch } from "../scripts/lib/launch.ts";

/** The path of redis-server: REDBUN_ORACLE, or the first one on the PATH; null if there is none. */
export function findOracle(): string | null {
  return process.env.REDBUN_ORACLE || Bun.which("redis-server");
}

/** The oracle's version as [major, minor, patch]; null without an oracle. */
export function oracleVersion(): [number, number, number] | null {
  const path = findOracle();
  if (path === null) return null;
  const output = Bun.spawnSync([path, "--version"]).stdout.toString();
  const [, major, minor, patch] = /v=(\d+)\.(\d+)\.(\d+)/.exec(output) ?? [];
  return major === undefined ? null : [Number(major), Number(minor), Number(patch)];
}

/** Starts a real redis-server on a free port. Stop it in `afterAll`. */
export function startOracle(args: string[] = []): Promise<Launched> {
  const path = findOracle();
  if (path === null) throw new Error("no redis-server: set REDBUN_ORACLE or put one on the PATH");
  return launch({ command: [path], args });
}

/** `describe` for tests that need the oracle. */
export function describeWithOracle(name: string, body: () => void): void {
  describe.skipIf(findOracle() === null)(`${name} [needs redis-server]`, body);
}
