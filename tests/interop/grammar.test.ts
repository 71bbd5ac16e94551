/**
 * Calls drawn from the oracle's grammar, for what they leave behind: whatever a command does, a replica and the files
 * come to the same data set. REDBUN_SEED repeats a run, REDBUN_ROUNDS makes it longer.
 */
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Caller, contents, readGrammar } from "../differential/lib/grammar.ts";
import { showCommand, Wire } from "../differential/lib/wire.ts";
import { describeWithOracle, startOracle } from "../oracle.ts";
import { Node, until } from "../replication.ts";
import { startServer, type TestServer } from "../server.ts";
import { seeded } from "../unit/bytes/random.ts";

const ROUNDS = Number(process.env.REDBUN_ROUNDS ?? 6);
const COMMANDS = 500;

/** Of LSET's index Redis keeps 32 bits; what a range by text takes where scores differ is nobody's promise. */
const NOT_THE_SAME = /^(LSET|Z\w*LEX\w*)$/;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

type Start = (args: string[]) => Promise<TestServer>;

interface Running {
  server: TestServer;
  node: Node;
  wire: Wire;
}

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), "redbun-grammar-"));
  cleanups.push(() => rmSync(dir, { recursive: true }));
  return dir;
}

function run(start: Start, ...args: string[]): Promise<Running> {
  return runIn(folder(), start, ...args);
}

async function runIn(dir: string, start: Start, ...args: string[]): Promise<Running> {
  const server = await start([
    ...["--dir", dir, "--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0"],
    ...args,
  ]);
  const [node, wire] = [await Node.of(server), await Wire.open(server.port)];
  cleanups.push(async () => {
    wire.close();
    node.close();
    await server.stop("SIGKILL");
  });
  return { server, node, wire };
}

/**
 * For each key what stands under it, as text to be compared. (DEBUG DIGEST counts keys that are due and not yet gone,
 * which SET with EXAT leaves behind.)
 */
async function state(node: Node): Promise<string> {
  const lines: string[] = [];
  const databases = Object.keys(await node.info("keyspace"));
  for (const database of databases) {
    await node.call("SELECT", database.slice(2));
    for (const key of ((await node.call("KEYS", "*")) as string[]).sort()) {
      const type = await node.call("TYPE", key);
      const value = type === "zset" ? await scores(node, key) : await node.call("DEBUG", "DIGEST-VALUE", key);
      const expires = await node.call("PEXPIRETIME", key);
      lines.push(`${JSON.stringify(key)} ${database} ${type} ${value} ${expires}`);
    }
  }
  await node.call("SELECT", "0");
  return lines.join("\n");
}

/** A sorted set; 7.0 and 7.2 have different texts for one number, in digests too. */
async function scores(node: Node, key: string): Promise<string> {
  const flat = (await node.call("ZRANGE", key, "0", "-1", "WITHSCORES")) as string[];
  return flat
    .map((text, i) => (i % 2 === 0 ? JSON.stringify(text) : Number(text.replace("inf", "Infinity"))))
    .join();
}

/** Calls in pipelines; what they answer does not matter here. */
async function scatter(wire: Wire, caller: Caller, big: boolean): Promise<string[][]> {
  const done: string[][] = [];
  await wire.send([["FLUSHALL"], ...contents(big)]);
  for (let left = COMMANDS; left > 0; left -= 50) {
    const calls = Array.from({ length: 50 }, () => caller.call());
    // Some as transactions: their effects belong together.
    const batch = left % 200 === 0 ? [["MULTI"], ...calls, ["EXEC"]] : calls;
    await wire.send(batch);
    done.push(...batch);
  }
  return done;
}

/** Fails where the two differ, with the keys that do and what was last done to them. */
function expectSame(what: string, theirs: string, ours: string, done: readonly string[][]): void {
  if (theirs === ours) return;
  const lines = new Set(theirs.split("\n"));
  const different = ours.split("\n").filter((line) => !lines.has(line) && line.startsWith('"'));
  const keys = different.map((line) => JSON.parse(/^"(?:[^"\\]|\\.)*"/.exec(line)![0]) as string);
  const history = done
    .filter((command) => command.slice(1).some((word) => keys.includes(word)))
    .slice(-40)
    .map((command) => `  ${showCommand(command)}`);
  throw new Error(`${what}\nfirst:\n${theirs}\nthen:\n${ours}\ndone to what differs:\n${history.join("\n")}`);
}

describeWithOracle("random calls leave the same behind", () => {
  const sides: [string, Start, Start][] = [
    ["in redis-server as a replica", startServer, startOracle],
    ["in redbun as a replica of redis-server", startOracle, startServer],
    ["in redbun as a replica of redbun", startServer, startServer],
  ];
  for (const [name, startMaster, startReplica] of sides)
    test(name, async () => {
      // The smaller of the two grammars: a redis-server has nothing to tell of newer commands.
      const docs = await run(startMaster === startReplica ? startServer : startOracle);
      const caller = new Caller(seeded(`effects ${name}`), await readGrammar(docs.wire, NOT_THE_SAME));
      const master = await run(startMaster);
      const replica = await run(startReplica);
      await replica.node.follow(master.server);
      await replica.node.linked();
      for (let round = 0; round < ROUNDS; round++) {
        const done = await scatter(master.wire, caller, round % 2 === 1);
        await replica.node.caughtUpWith(master.node);
        expectSame(`round ${round}`, await state(master.node), await state(replica.node), done);
        if (round % 6 !== 5) continue;
        // The same by way of a snapshot.
        await replica.node.call("REPLICAOF", "NO", "ONE");
        await replica.node.call("FLUSHALL");
        await replica.node.follow(master.server);
        await replica.node.caughtUpWith(master.node);
        expectSame(
          `snapshot after round ${round}`,
          await state(master.node),
          await state(replica.node),
          done,
        );
      }
    }, 120_000);

  test("in redbun's own files", async () => {
    const docs = await run(startServer);
    const caller = new Caller(seeded("effects in files"), await readGrammar(docs.wire, NOT_THE_SAME));
    const { wire, node } = await run(startServer, "--appendonly", "yes");
    for (let round = 0; round < ROUNDS; round++) {
      const done = await scatter(wire, caller, round % 2 === 1);
      const before = await state(node);
      for (const reload of ["LOADAOF", "RELOAD"]) {
        expect(await node.call("DEBUG", reload)).toBe("OK");
        expectSame(`round ${round}, after ${reload}`, before, await state(node), done);
      }
    }
  }, 120_000);

  const successors: [string, Start, Start][] = [
    ["in redis-server from redbun's append-only file", startServer, startOracle],
    ["in redbun from redis-server's append-only file", startOracle, startServer],
  ];
  for (const [name, startFirst, startSecond] of successors)
    test(name, async () => {
      const docs = await run(startOracle);
      const caller = new Caller(seeded("effects in folders"), await readGrammar(docs.wire, NOT_THE_SAME));
      for (let round = 0; round < Math.ceil(ROUNDS / 3); round++) {
        const dir = folder();
        const first = await runIn(dir, startFirst, "--appendonly", "yes");
        const done = await scatter(first.wire, caller, round % 2 === 1);
        const before = await state(first.node);
        await first.server.stop("SIGTERM");
        const second = await runIn(dir, startSecond, "--appendonly", "yes");
        await until(async () => (await second.node.info("persistence")).loading === "0");
        expectSame(`round ${round}`, before, await state(second.node), done);
        await second.server.stop("SIGTERM");
      }
    }, 120_000);
});
