/**
 * Hostile bytes on the wire: the same pieces of the same streams go to redbun and to a real redis-server, and behind
 * each piece both must have answered the same bytes and hung up, or not. REDBUN_SEED repeats a run, REDBUN_ROUNDS
 * makes it longer. Needs an oracle of 7.2: an older one has other sentences and counts otherwise.
 */
import { afterAll, expect, test } from "bun:test";
import { describeWithOracle, findOracle, startOracle } from "../oracle.ts";
import { startServer } from "../server.ts";
import { seeded } from "../unit/bytes/random.ts";
import { compare, RawSocket, showStream, shrink, Watched } from "./lib/hostile-pair.ts";
import { type HostileStream, hostileStream, PASSWORD } from "./lib/hostile-streams.ts";
import { oracleIsOlder } from "./lib/pair.ts";

const ROUNDS = Number(process.env.REDBUN_ROUNDS ?? 250);
const LARGE_BULK = 536_870_912;

/** Found by the random test below, or beside it. */
const FOUND: readonly { pieces: string[]; locked?: boolean }[] = [
  // Nobody looks for the end of a line behind a NUL.
  { pieces: ["PING\0\r\n", "PING\r\n"] },
  {
    pieces: [
      "\0PING\r\n",
      "x\n".repeat(8000),
      "x\n".repeat(8000),
      "x\n".repeat(8000),
      "x\n".repeat(8000),
      "x\n".repeat(8000),
    ],
  },
  { pieces: ["*1\0\r\n$4\r\nPING\r\n"] },
  { pieces: ["*1\r\n$4\0\r\nPING\r\n"] },
  // A line may be too long where its end has come with what is too much of it.
  { pieces: [...Array(4).fill("x".repeat(16_000)), `${"x".repeat(1500)}`, "x".repeat(100), "x\nPING\n"] },
  { pieces: [...Array(4).fill("x".repeat(16_000)), "x".repeat(1537), "\nPING\n"] },
  // An empty word in front of a key that is not read any more: the key was looked for with the hash of the empty one.
  { pieces: ['SET b x\nDEL "" b\nGET b\n'] },
  { pieces: ['SET b x\nMGET "" b\n'] },
  // CLIENT REPLY
  { pieces: ["CLIENT REPLY OFF\n*x\r\n", "PING\n"] },
  { pieces: ["PING\nCLIENT REPLY SKIP\nPING 'x\n"] },
  { pieces: ["CLIENT REPLY SKIP\n", "\n", "PING\n"] },
  { pieces: ["CLIENT REPLY SKIP\n*0\r\nPING\n"] },
  { pieces: ["CLIENT REPLY SKIP\nSUBSCRIBE\nPING\n"] },
  { pieces: ["CLIENT REPLY SKIP\nUNSUBSCRIBE x\nPING\n"] },
  { pieces: ["CLIENT REPLY SKIP\nRESET\nPING\n"] },
  { pieces: ["MULTI\nPING 1\nCLIENT REPLY OFF\nPING 2\nEXEC\nPING 3\nCLIENT REPLY ON\nPING\n"] },
  { pieces: ["MULTI\nPING 1\nCLIENT REPLY SKIP\nPING 2\nEXEC\nPING 3\nPING\n"] },
  { pieces: ["MULTI\nPING 1\nCLIENT REPLY SKIP\nCLIENT REPLY OFF\nPING 2\nEXEC\nPING 3\n"] },
  { pieces: ["MULTI\nPING 1\nCLIENT REPLY OFF\nSUBSCRIBE a\nPING 2\nUNSUBSCRIBE\nEXEC\nPING 3\n"] },
  { pieces: ["MULTI\nPING 1\nUNSUBSCRIBE\nCLIENT REPLY ON\nPING 2\nCLIENT REPLY OFF\n", "EXEC\nPING\n"] },
  // In a transaction nobody subscribes to shard channels.
  { pieces: ["HELLO 3\nMULTI\nSUBSCRIBE a\nSSUBSCRIBE a\nSUNSUBSCRIBE a\nEXEC\n"] },
  // What EXEC runs last is counted as what it is; OBJECT counts hits and misses.
  { pieces: ["MULTI\nSET a b\nEXEC\n"] },
  { pieces: ["SET a 1\nOBJECT ENCODING a\nOBJECT ENCODING b\n"] },
  // Names end at a NUL for who looks at them.
  { pieces: ['CLIENT SETNAME "a\\x00 b"\nCLIENT GETNAME\nCLIENT SETNAME "a b"\n'] },
  { pieces: ['HELLO 3 SETNAME "\\x00"\n'] },
  // Limits of those who are logged out, in the midst of a pipeline.
  { pieces: [`AUTH ${PASSWORD}\nRESET\n*3\r\n$48576\r\n`], locked: true },
  { pieces: [`AUTH ${PASSWORD}\nPING\nRESET\nPING\n*11\r\n`], locked: true },
  { pieces: [`AUTH ${PASSWORD}\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$16385\r\nx`], locked: true },
  { pieces: ["*10\r\n", "*11\r\n"], locked: true },
  { pieces: ["*2\r\n$4\r\nECHO\r\n$16385\r\n"], locked: true },
];

interface Servers {
  oracle: Watched;
  subject: Watched;
  stop(): Promise<unknown>;
}

async function start(password: string | null): Promise<Servers> {
  const args = ["--enable-debug-command", "yes", ...(password === null ? [] : ["--requirepass", password])];
  const launched = await Promise.all([startOracle(args), startServer(args)]);
  const [oracle, subject] = await Promise.all([
    Watched.open(launched[0].port, password),
    Watched.open(launched[1].port, password),
  ]);
  return {
    oracle,
    subject,
    stop: () => {
      oracle.close();
      subject.close();
      return Promise.all(launched.map((server) => server.stop("SIGKILL")));
    },
  };
}

const servers =
  findOracle() === null || oracleIsOlder ? null : await Promise.all([start(null), start(PASSWORD)]);

describeWithOracle("hostile bytes", () => {
  afterAll(() => Promise.all((servers ?? []).map((pair) => pair.stop())));

  test.skipIf(oracleIsOlder)(
    "streams that were once dealt with otherwise [needs redis-server 7.2]",
    async () => {
      for (const { pieces, locked = false } of FOUND) {
        const { oracle, subject } = servers![locked ? 1 : 0]!;
        const stream: HostileStream = { pieces, end: "half-close" };
        const problem = await compare(oracle, subject, stream, []);
        expect(problem === null ? "" : `${showStream(stream)}\n${problem}`).toBe("");
      }
    },
  );

  for (const locked of [false, true])
    test.skipIf(oracleIsOlder)(
      `${ROUNDS} streams to ${locked ? "servers with a password" : "open servers"} [needs redis-server 7.2]`,
      async () => {
        const { oracle, subject } = servers![locked ? 1 : 0]!;
        const random = seeded(`hostile bytes${locked ? ", locked" : ""}`);
        for (let i = 0; i < ROUNDS; i++) {
          const stream = hostileStream(random, locked);
          const longest = String(random.pick([LARGE_BULK, 1 << 20]));
          const setup = [["CONFIG", "SET", "proto-max-bulk-len", longest]];
          const differs = (each: HostileStream): Promise<string | null> =>
            compare(oracle, subject, each, setup);
          // On a busy machine the end of a connection may be heard of late: once is no difference.
          if ((await differs(stream)) === null) continue;
          const problem = await differs(stream);
          if (problem === null) continue;
          const least = await shrink(stream, async (less) => (await differs(less)) !== null);
          const why = (await differs(least)) ?? problem;
          expect(`stream ${i}, bulks up to ${longest}:\n${showStream(least)}\n${why}`).toBe("");
        }
      },
      600_000,
    );

  test.skipIf(oracleIsOlder)(
    "what is announced takes no memory before it comes [needs redis-server 7.2]",
    async () => {
      const { subject } = servers![0]!;
      await subject.reset([["CONFIG", "SET", "proto-max-bulk-len", String(LARGE_BULK)]]);
      const before = await subject.usedMemory();
      const clients: RawSocket[] = [];
      for (const head of [`*1\r\n$${LARGE_BULK}\r\nx`, "*2147483647\r\n$1\r\nx\r\n", `$${"1".repeat(1000)}`])
        for (let i = 0; i < 20; i++) {
          const client = await RawSocket.open(subject.port);
          clients.push(client);
          // In two pieces: what is known of the rest then counts.
          await client.send(head.slice(0, -1));
          await subject.settle();
          await client.send(head.slice(-1));
          await subject.settle();
        }
      const taken = (await subject.usedMemory()) - before;
      for (const client of clients) client.end();
      await subject.settle();
      // Redis makes room for the whole of each.
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThan(100 << 20);
    },
  );
});
