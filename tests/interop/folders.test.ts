/**
 * What a running redbun leaves on disk is read by redis-server, and the other way round: the RDB file, and the AOF
 * folder with a base of either kind and an incremental file, with every type and encoding. DEBUG DIGEST is equal.
 */
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { temporaryDirectory } from "../../scripts/lib/launch.ts";
import { type Arg, Wire } from "../differential/lib/wire.ts";
import { describeWithOracle, startOracle } from "../oracle.ts";
import { startServer, type TestServer } from "../server.ts";
import { seeded } from "../unit/bytes/random.ts";
import { apply, bigValues, contents, expiries, smallValues, streams } from "./rdb-data.ts";

// Each starts up to three servers after another.
setDefaultTimeout(60_000);

type Start = (args: string[]) => Promise<TestServer>;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Running {
  server: TestServer;
  wire: Wire;
}

async function open(start: Start, dir: string, args: readonly string[]): Promise<Running> {
  const server = await start(["--dir", dir, "--save", "", "--enable-debug-command", "yes", ...args]);
  const wire = await Wire.open(server.port);
  cleanups.push(async () => {
    wire.close();
    await server.stop("SIGKILL");
  });
  return { server, wire };
}

async function say(wire: Wire, ...command: Arg[]): Promise<string> {
  const [reply] = await wire.send([command]);
  return reply!.toString("latin1");
}

/** Waits for what runs in the background. */
async function settled(wire: Wire): Promise<void> {
  const running = /(bgsave|aof_rewrite)_(in_progress|scheduled):1/;
  while (running.test(await say(wire, "INFO", "persistence")));
}

describeWithOracle("what is on disk", () => {
  const random = seeded("folders");

  function data(prefix: string): Arg[][] {
    const commands = [
      ...smallValues(random, prefix),
      ...bigValues(random, prefix),
      ...streams(random, prefix),
    ];
    return [
      ...commands,
      ...expiries(commands),
      ["SELECT", "9"],
      ...smallValues(random, "o"),
      ["SELECT", "0"],
    ];
  }

  /** Without groups: what a group has read is not told by the effects of XREADGROUP, in Redis neither. */
  const later = (prefix: string) => data(prefix).filter(([name]) => !/^X(READ)?GROUP$/.test(String(name)));

  /** The second server must hold what the first one held, and is returned. */
  async function handOver(
    first: Running,
    start: Start,
    dir: string,
    args: readonly string[],
  ): Promise<Running> {
    const before = await contents(first.wire, false);
    const digest = await say(first.wire, "DEBUG", "DIGEST");
    await first.server.stop("SIGKILL");
    const second = await open(start, dir, args);
    const after = await contents(second.wire, false);
    const different = [...before.keys()].filter((key) => before.get(key) !== after.get(key));
    expect(different.map((key) => [key, before.get(key), after.get(key)]).slice(0, 2)).toEqual([]);
    expect(await say(second.wire, "DEBUG", "DIGEST")).toBe(digest);
    return second;
  }

  for (const command of ["SAVE", "BGSAVE"])
    test(`the RDB file of ${command}, from redbun to redis-server and back`, async () => {
      const dir = temporaryDirectory();
      const ours = await open(startServer, dir, []);
      await apply(ours.wire, data("k"));
      await say(ours.wire, command);
      await settled(ours.wire);
      const theirs = await handOver(ours, startOracle, dir, []);
      await apply(theirs.wire, data("t"));
      await say(theirs.wire, "SAVE");
      await handOver(theirs, startServer, dir, []);
    });

  for (const preamble of ["yes", "no"])
    test(`the AOF folder with preamble ${preamble}, from redbun to redis-server and back`, async () => {
      const dir = temporaryDirectory();
      const args = ["--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", preamble];
      const ours = await open(startServer, dir, args);
      await apply(ours.wire, data("k"));
      await say(ours.wire, "BGREWRITEAOF");
      await settled(ours.wire);
      await apply(ours.wire, later("l"));
      const theirs = await handOver(ours, startOracle, dir, args);
      await apply(theirs.wire, data("t"));
      await say(theirs.wire, "BGREWRITEAOF");
      await settled(theirs.wire);
      await apply(theirs.wire, later("u"));
      const again = await handOver(theirs, startServer, dir, args);
      await say(again.wire, "BGREWRITEAOF");
      await settled(again.wire);
      await handOver(again, startOracle, dir, args);
    });
});
