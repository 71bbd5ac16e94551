/**
 * kill -9 at random moments under load, restart, compare with what had been acknowledged.
 *
 * Each client appends 1, 2, 3 ... to a list of its own and now and then increments two counters in a transaction,
 * while BGREWRITEAOF runs at random. After a restart each list must be 1 .. m without a gap, the two counters must
 * be equal, and m is at least what the policy promises: with `always` (and `no`, since the system lives on) all
 * that was acknowledged, with `everysec` what was acknowledged two seconds before the end.
 *
 * REDBUN_CRASH_ROUNDS sets the number of kills (the proof of 200 is REDBUN_CRASH_ROUNDS=200).
 */
import { expect, test } from "bun:test";
import { temporaryDirectory } from "../../scripts/lib/launch.ts";
import { RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";
import { seeded } from "../unit/bytes/random.ts";

const ROUNDS = Number(process.env.REDBUN_CRASH_ROUNDS ?? 6);
const CLIENTS = 8;
const PROMISE_MS = 2000;
const PADDING = "x".repeat(200);

interface Worker {
  /** The last number known to be in the list after the last restart. */
  base: number;
  sent: number;
  acknowledged: number;
  /** When each number since `base` was acknowledged. */
  times: number[];
  counters: number;
}

async function work(port: number, id: number, worker: Worker, pipeline: number): Promise<void> {
  const client = await RespClient.open(port);
  while (!client.closed) {
    const first = worker.sent + 1;
    const transaction = worker.sent % 5 === 0;
    for (let i = 0; i < pipeline; i++) client.send("RPUSH", `list:${id}`, String(++worker.sent));
    if (transaction)
      for (const command of [
        ["MULTI"],
        ["INCR", `a:${id}`],
        ["SET", `padding:${id}`, PADDING],
        ["INCR", `b:${id}`],
        ["EXEC"],
      ])
        client.send(...command);
    for (let i = 0; i < pipeline; i++) {
      const reply = await client.nextOrEnd();
      if (reply === undefined) return;
      if (reply !== first + i) throw new Error(`RPUSH ${first + i} answered ${JSON.stringify(reply)}`);
      worker.acknowledged = first + i;
      worker.times.push(performance.now());
    }
    if (!transaction) continue;
    for (let i = 0; i < 5; i++) if ((await client.nextOrEnd()) === undefined) return;
    worker.counters++;
  }
}

async function check(server: TestServer, workers: Worker[], leastOf: (worker: Worker) => number) {
  const client = await RespClient.open(server.port);
  for (const [id, worker] of workers.entries()) {
    const list = (await client.call("LRANGE", `list:${id}`, "0", "-1")) as string[];
    const wrong = list.findIndex((value, i) => Number(value) !== i + 1);
    expect(wrong).toBe(-1);
    expect(list.length).toBeGreaterThanOrEqual(leastOf(worker));
    expect(list.length).toBeLessThanOrEqual(worker.sent);
    const [a, b] = (await client.call("MGET", `a:${id}`, `b:${id}`)) as [string | null, string | null];
    expect(a).toBe(b);
    worker.base = worker.sent = worker.acknowledged = list.length;
    worker.times = [];
  }
  await client.call("PING");
}

for (const policy of ["always", "everysec", "no"]) {
  test(
    `appendfsync ${policy}: nothing promised is lost, nothing is half`,
    async () => {
      const random = seeded(`crash ${policy}`);
      const dir = temporaryDirectory("redbun-crash-");
      const args = ["--dir", dir, "--appendonly", "yes", "--appendfsync", policy];
      args.push("--auto-aof-rewrite-min-size", "200kb", "--aof-load-truncated", "yes");
      const workers: Worker[] = Array.from({ length: CLIENTS }, () => ({
        base: 0,
        sent: 0,
        acknowledged: 0,
        times: [],
        counters: 0,
      }));
      let killedAt = 0;
      const promised = (worker: Worker) =>
        policy === "everysec"
          ? worker.base + worker.times.filter((time) => time < killedAt - PROMISE_MS).length
          : worker.acknowledged;
      let acknowledged = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const server = await startServer([...args, "--aof-use-rdb-preamble", random.pick(["yes", "no"])]);
        await check(server, workers, promised);
        const working = workers.map((worker, id) => work(server.port, id, worker, random.pick([1, 1, 16])));
        const life = random.below(random.below(4) === 0 ? 2500 : 400);
        if (random.below(2) === 0) {
          await Bun.sleep(random.below(life + 1));
          const client = await RespClient.open(server.port);
          client.send("BGREWRITEAOF");
        }
        await Bun.sleep(life);
        killedAt = performance.now();
        const before = workers.map((worker) => worker.acknowledged);
        await server.stop("SIGKILL");
        await Promise.all(working);
        // What arrives after the signal had been sent before it.
        for (const [id, worker] of workers.entries()) {
          acknowledged += worker.acknowledged - worker.base;
          expect(worker.acknowledged).toBeGreaterThanOrEqual(before[id]!);
        }
      }
      const server = await startServer(args);
      await check(server, workers, promised);
      await server.stop();
      console.log(`appendfsync ${policy}: ${ROUNDS} kills, ${acknowledged} acknowledged writes`);
    },
    ROUNDS * 20_000 + 60_000,
  );
}
