/**
 * A disk that fills up and empties at random moments under load, and kill -9 in between, with appendfsync always.
 *
 * Each client appends numbers that rise to a list of its own, some of them in pairs within a transaction. What is
 * refused may be there afterwards or not (the data set had it when the disk turned out to be full); what was
 * acknowledged must be; pairs are whole; and nothing is there twice or out of order. The server must never end by
 * itself, and starts on a full disk too.
 */
import { expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../scripts/lib/launch.ts";
import { ReplyError, RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";
import { canMount, mountTmpfs, unmount } from "../tmpfs.ts";
import { seeded } from "../unit/bytes/random.ts";

const ROUNDS = Number(process.env.REDBUN_CRASH_ROUNDS ?? 6);
const CLIENTS = 6;
const PADDING = "x".repeat(3000);

class Worker {
  sent = 0;
  refused = 0;
  readonly acknowledged = new Set<number>();

  constructor(readonly id: number) {}

  async run(port: number): Promise<void> {
    const client = await RespClient.open(port);
    const list = `list:${this.id}`;
    while (!client.closed) {
      const numbers = [++this.sent];
      const pair = this.sent % 4 === 0;
      if (pair) numbers.push(++this.sent);
      if (pair) client.send("MULTI");
      for (const n of numbers) client.send("RPUSH", list, String(n));
      if (pair) client.send("EXEC");
      client.send("SET", `padding:${this.id}`, PADDING);
      client.send("LLEN", list);
      const replies: unknown[] = [];
      for (let i = 0; i < (pair ? 6 : 3); i++) {
        const reply = await client.nextOrEnd();
        if (reply === undefined) return;
        replies.push(reply);
      }
      // Reads are answered whatever the disk does.
      expect(typeof replies.at(-1)).toBe("number");
      const outcome = replies.at(-3);
      if (outcome instanceof ReplyError) {
        this.refused++;
        expect(outcome.message).toMatch(/^(MISCONF|EXECABORT)/);
      } else for (const n of numbers) this.acknowledged.add(n);
    }
  }

  async check(client: RespClient): Promise<void> {
    const list = ((await client.call("LRANGE", `list:${this.id}`, "0", "-1")) as string[]).map(Number);
    const there = new Set(list);
    for (let i = 1; i < list.length; i++) expect(list[i]!).toBeGreaterThan(list[i - 1]!);
    for (const n of this.acknowledged) if (!there.has(n)) throw new Error(`list ${this.id} has lost ${n}`);
    // Pairs are (4k, 4k + 1), and are there as a whole.
    for (const n of list) {
      if (n > this.sent) throw new Error(`list ${this.id} has ${n}, which nobody sent`);
      if (n % 4 === 0 && !there.has(n + 1)) throw new Error(`list ${this.id} has half of the pair ${n}`);
    }
    this.sent += 4 - (this.sent % 4);
  }
}

/** Takes all the room there is; what cannot be written does not matter. */
function fillDisk(path: string): void {
  for (const size of [65536, 4096])
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: "a" });
    } catch {
      // Full.
    }
}

test.skipIf(!canMount)(
  "a disk full now and then: nothing acknowledged is lost, and the server lives on [needs mount]",
  async () => {
    const random = seeded("full disk");
    const dir = temporaryDirectory("redbun-full-");
    expect(mountTmpfs(dir, "4m")).toBe(true);
    const ballast = join(dir, "ballast");
    const args = ["--dir", dir, "--appendonly", "yes", "--appendfsync", "always"];
    args.push("--auto-aof-rewrite-min-size", "300kb");
    const workers = Array.from({ length: CLIENTS }, (_, id) => new Worker(id));
    let server: TestServer | null = null;
    try {
      for (let round = 0; round < ROUNDS; round++) {
        server = await startServer(args);
        const client = await RespClient.open(server.port);
        for (const worker of workers) await worker.check(client);
        const { port } = server;
        const working = workers.map((worker) => worker.run(port));
        for (let step = 0; step < 4; step++) {
          await Bun.sleep(random.below(300));
          fillDisk(ballast);
          if (random.below(3) === 0) await client.call("BGREWRITEAOF");
          await Bun.sleep(random.below(300));
          if (step < 3 || random.below(2) === 0) rmSync(ballast, { force: true });
          expect(await client.call("DBSIZE")).toBeNumber();
        }
        await server.stop("SIGKILL");
        await Promise.all(working);
      }
      rmSync(ballast, { force: true });
      server = await startServer(args);
      const client = await RespClient.open(server.port);
      for (const worker of workers) await worker.check(client);
      const acknowledged = workers.reduce((sum, worker) => sum + worker.acknowledged.size, 0);
      const refused = workers.reduce((sum, worker) => sum + worker.refused, 0);
      console.log(`full disk: ${ROUNDS} kills, ${acknowledged} acknowledged writes, ${refused} refused`);
      expect(acknowledged).toBeGreaterThan(0);
    } finally {
      await server?.stop("SIGKILL");
      unmount(dir);
    }
  },
  ROUNDS * 30_000 + 60_000,
);
