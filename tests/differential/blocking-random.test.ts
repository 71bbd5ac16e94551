/**
 * Clients that wait for lists, sorted sets and streams, and others that fill them, at random: who is served, with what
 * and in which order, must be the same in both servers. Each step is awaited until both have settled: as many clients
 * wait as have no reply. Keys keep to their type: who waits at a key of another type stays there in Redis when a whole
 * new value replaces it, in redbun it is served. Needs an oracle of 7.2: before, commands were not tried again as a
 * whole. REDBUN_SEED repeats a run, REDBUN_ROUNDS makes it longer.
 */
import { afterAll, expect, test } from "bun:test";
import { describeWithOracle, findOracle } from "../oracle.ts";
import { type Random, seeded } from "../unit/bytes/random.ts";
import { oracleIsOlder, Pair } from "./lib/pair.ts";
import { show, showCommand, Wire } from "./lib/wire.ts";

const ROUNDS = Number(process.env.REDBUN_ROUNDS ?? 8);
const STEPS = 60;
const WAITERS = 6;
const PATIENCE_MS = 10_000;

const pair = findOracle() === null || oracleIsOlder ? null : await Pair.start();

const LISTS = ["l", "m", "n"];
const ZSETS = ["y", "z"];
const STREAMS = ["s", "t"];
const ANY = [...LISTS, ...ZSETS, ...STREAMS];

class Calls {
  private id = 0;

  constructor(private readonly random: Random) {}

  private some(keys: readonly string[]): string[] {
    return Array.from({ length: 1 + this.random.below(3) }, () => this.random.pick(keys));
  }

  waiting(): string[] {
    const { random } = this;
    const [side, other] = [random.pick(["LEFT", "RIGHT"]), random.pick(["LEFT", "RIGHT"])];
    const end = random.pick(["MIN", "MAX"]);
    const [lists, zsets, streams] = [this.some(LISTS), this.some(ZSETS), this.some(STREAMS)];
    const count = ["COUNT", String(1 + random.below(3))];
    return random.pick([
      [random.pick(["BLPOP", "BRPOP"]), ...lists, "0"],
      [random.pick(["BLPOP", "BRPOP"]), ...this.some(ANY), "0"],
      ["BLMOVE", random.pick(LISTS), random.pick(LISTS), side, other, "0"],
      ["BRPOPLPUSH", random.pick(LISTS), random.pick(LISTS), "0"],
      ["BLMPOP", "0", String(lists.length), ...lists, side, ...count],
      [random.pick(["BZPOPMIN", "BZPOPMAX"]), ...zsets, "0"],
      ["BZMPOP", "0", String(zsets.length), ...zsets, end, ...count],
      ["XREAD", ...count, "BLOCK", "0", "STREAMS", ...streams, ...streams.map(() => "$")],
      ["XREADGROUP", "GROUP", "g", "c", ...count, "BLOCK", "0", "STREAMS", random.pick(STREAMS), ">"],
    ]);
  }

  filling(): string[][] {
    const { random } = this;
    if (random.below(6) > 0) return [this.one()];
    const several = Array.from({ length: 2 + random.below(3) }, () => this.one());
    return [["MULTI"], ...several, ["EXEC"]];
  }

  private one(): string[] {
    const { random } = this;
    const values = Array.from({ length: 1 + random.below(3) }, () => `v${this.id++}`);
    const list = random.pick(LISTS);
    const alike = random.pick([LISTS, ZSETS, STREAMS]);
    const call = random.pick([
      [random.pick(["LPUSH", "RPUSH"]), list, ...values],
      [random.pick(["LPUSH", "RPUSH"]), list, ...values],
      ["ZADD", random.pick(ZSETS), ...values.flatMap((value) => [String(random.below(5)), value])],
      ["XADD", random.pick(STREAMS), `${++this.id}-1`, "f", values[0]!],
      ["RENAME", random.pick(alike), random.pick(alike)],
      ["COPY", random.pick(alike), random.pick(alike), "REPLACE"],
      ["LMOVE", random.pick(LISTS), list, "LEFT", "RIGHT"],
      ["SORT", random.pick([...LISTS, ...ZSETS]), "ALPHA", "STORE", list],
      ["ZUNIONSTORE", random.pick(ZSETS), "2", ...ZSETS],
      ["ZRANGESTORE", random.pick(ZSETS), random.pick(ZSETS), "0", "1"],
      ["DEL", ...this.some(ANY)],
      ["LINSERT", list, "BEFORE", "v1", "w"],
      ["XGROUP", "CREATE", random.pick(STREAMS), "g", "$", "MKSTREAM"],
      ["XGROUP", "DESTROY", random.pick(STREAMS), "g"],
      ["XDEL", random.pick(STREAMS), `${this.id}-1`],
    ]);
    return random.below(8) === 0 ? ["EVAL", "return redis.pcall(unpack(ARGV))", "0", ...call] : call;
  }
}

/** One of the clients, on one server: what it was answered last, null while it waits. */
class Client {
  reply: Buffer[] | null = [];

  constructor(readonly wire: Wire) {}

  send(commands: readonly string[][]): void {
    this.reply = null;
    this.wire.send(commands).then(
      (replies) => {
        this.reply = replies;
      },
      () => {},
    );
  }
}

/** One server with its clients. */
class Side {
  constructor(
    readonly control: Wire,
    readonly clients: readonly Client[],
  ) {}

  static async open(port: number): Promise<Side> {
    const clients = Array.from({ length: WAITERS + 1 }, async () => new Client(await Wire.open(port)));
    return new Side(await Wire.open(port), await Promise.all(clients));
  }

  /** Waits until as many clients are blocked as have no reply. */
  async settle(): Promise<void> {
    for (const end = Date.now() + PATIENCE_MS; ; ) {
      const [reply] = await this.control.send([["INFO", "clients"]]);
      const blocked = Number(/blocked_clients:(\d+)/.exec(reply!.toString())?.[1]);
      if (blocked === this.clients.filter((client) => client.reply === null).length) return;
      if (Date.now() > end) throw new Error(`${blocked} clients are blocked, and others have no reply`);
    }
  }

  close(): void {
    for (const { wire } of this.clients) wire.close();
    this.control.close();
  }
}

async function round(calls: Calls, random: Random): Promise<string | null> {
  await pair!.reset(2);
  const sides = await Promise.all([Side.open(pair!.oracle.port), Side.open(pair!.subject.port)]);
  const [theirs, ours] = sides;
  const done: string[] = [];
  try {
    for (let step = 0; step < STEPS; step++) {
      const free = theirs.clients.flatMap(({ reply }, i) => (reply !== null && i < WAITERS ? [i] : []));
      const waits = free.length > 1 && random.below(2) === 0;
      const who = waits ? random.pick(free) : WAITERS;
      const commands = waits ? [calls.waiting()] : calls.filling();
      done.push(...commands.map((command) => `    client ${who}: ${showCommand(command)}`));
      for (const side of sides) side.clients[who]!.send(commands);
      await Promise.all(sides.map((side) => side.settle()));
      for (const [i, { reply }] of theirs.clients.entries()) {
        const [a, b] = [text(reply), text(ours.clients[i]!.reply)];
        if (a !== b) return `client ${i}\n  redis  ${a}\n  redbun ${b}\n${done.slice(-25).join("\n")}`;
      }
    }
    return await compareKeys();
  } finally {
    for (const side of sides) side.close();
  }
}

function text(replies: Buffer[] | null): string {
  return replies === null ? "waits" : replies.map(show).join(" ");
}

async function compareKeys(): Promise<string | null> {
  const questions = ANY.flatMap((key) => [
    ["TYPE", key],
    ["LRANGE", key, "0", "-1"],
    ["ZRANGE", key, "0", "-1", "WITHSCORES"],
    ["XRANGE", key, "-", "+"],
  ]);
  for (const [i, [a, b]] of (await pair!.both(questions)).entries())
    if (!a.equals(b)) return `${showCommand(questions[i]!)}\n  redis  ${show(a)}\n  redbun ${show(b)}`;
  return null;
}

describeWithOracle("differential blocking", () => {
  afterAll(async () => {
    await pair?.stop();
  });

  test.skipIf(oracleIsOlder)(
    `${ROUNDS} rounds with ${WAITERS} clients [needs redis-server 7.2]`,
    async () => {
      const random = seeded("differential blocking");
      const calls = new Calls(random);
      for (let i = 0; i < ROUNDS; i++) {
        const problem = await round(calls, random);
        expect(problem === null ? "" : `round ${i}: ${problem}`).toBe("");
      }
    },
    120_000,
  );
});
