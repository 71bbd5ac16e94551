/**
 * A replica whose master is none: what it replies to the handshake and what it sends for a snapshot is wrong. The
 * replica must say in its log what was wrong, keep serving, and try again until the master comes to its senses.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Socket } from "bun";
import { Node, until } from "../replication.ts";
import { startServer, type TestServer } from "../server.ts";

const ID = "0123456789abcdef0123456789abcdef01234567";
const MARK = "#".repeat(40);

/** What a master says to each command of the handshake; "hang up" ends the connection. */
interface Script {
  PING?: string;
  REPLCONF?: string;
  PSYNC?: string;
  SYNC?: string;
}

const HANG_UP = "hang up";

/** A master that says what it is told to. */
class FalseMaster {
  script: Script = {};
  /** Connections so far. */
  tries = 0;

  /** What it sends where it is told nothing else. */
  constructor(private readonly rdb: () => string) {}

  private readonly listener = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: () => {
        this.tries++;
      },
      data: (socket, chunk) => this.answer(socket, chunk.toString("latin1")),
    },
  });

  get port(): number {
    return this.listener.port;
  }

  stop(): void {
    this.listener.stop(true);
  }

  private answer(socket: Socket<undefined>, text: string): void {
    const word = (/^\*\d+\r\n\$\d+\r\n(\w+)/.exec(text) ?? /^(\w+)/.exec(text))?.[1];
    const replies: Script = {
      PING: "+PONG\r\n",
      REPLCONF: text.includes("ACK") ? "" : "+OK\r\n",
      PSYNC: full(this.rdb()),
      SYNC: "-ERR unknown command\r\n",
      ...this.script,
    };
    const reply = replies[word as keyof Script] ?? "";
    socket.write(Buffer.from(reply.replace(HANG_UP, ""), "latin1"));
    if (reply.endsWith(HANG_UP)) socket.end();
  }
}

function full(payload: string): string {
  return `+FULLRESYNC ${ID} 100\r\n$${payload.length}\r\n${payload}`;
}

interface Replica {
  server: TestServer;
  node: Node;
}

/** A replica waits for a second before it tries again: several do so at a time. */
const REPLICAS = 6;
let replicas: Replica[];
/** A snapshot of a few keys. */
let rdb: string;

beforeAll(async () => {
  replicas = await Promise.all(
    Array.from({ length: REPLICAS }, async () => {
      const server = await startServer();
      return { server, node: await Node.of(server) };
    }),
  );
  const [{ node, server }] = replicas as [Replica];
  for (let i = 0; i < 50; i++) await node.call("SET", `key:${i}`, "v".repeat(i));
  await node.call("SAVE");
  rdb = Buffer.from(await Bun.file(`${server.dir}/dump.rdb`).bytes()).toString("latin1");
});
afterAll(async () => {
  for (const { node } of replicas) node.close();
  await Promise.all(replicas.map(({ server }) => server.stop("SIGKILL")));
});

/** How the replica tells what was wrong, to each wrong thing a master may say. */
const WRONG: readonly [what: string, script: Script, log: string | RegExp][] = [
  // The first one: later the replica has a history, and asks for what is missing of it.
  [
    "CONTINUE, where nothing was asked to go on",
    { PSYNC: `+CONTINUE ${ID}\r\n` },
    "Master replied +CONTINUE, though it was asked for everything.",
  ],
  ["hangs up at once", { PING: HANG_UP }, "Connection with master lost."],
  [
    "no Redis at all",
    { PING: "HTTP/1.1 400 Bad Request\r\n\r\n" },
    "Error reply to PING from master: 'HTTP/1.1 400",
  ],
  ["a bulk for PING", { PING: "$4\r\nPONG\r\n" }, "Error reply to PING from master: '$4'"],
  ["an error for PING", { PING: "-ERR no\r\n" }, "Error reply to PING from master: '-ERR no'"],
  ["hangs up in the midst of a line", { PING: `+PO${HANG_UP}` }, "Connection with master lost."],
  ["a line without an end", { PING: `+${"x".repeat(200_000)}` }, "too long a line"],
  ["NULs", { PING: "\0\0\0\r\n" }, "Error reply to PING from master: "],
  ["hangs up at REPLCONF", { REPLCONF: HANG_UP }, "Connection with master lost."],
  ["no ID", { PSYNC: "+FULLRESYNC\r\n" }, "wrong +FULLRESYNC syntax"],
  ["a short ID", { PSYNC: "+FULLRESYNC abc 1\r\n" }, "wrong +FULLRESYNC syntax"],
  ["no offset", { PSYNC: `+FULLRESYNC ${ID}\r\n` }, "wrong +FULLRESYNC syntax"],
  ["no number for an offset", { PSYNC: `+FULLRESYNC ${ID} x\r\n` }, "wrong +FULLRESYNC syntax"],
  ["an offset below zero", { PSYNC: `+FULLRESYNC ${ID} -5\r\n` }, "wrong +FULLRESYNC syntax"],
  ["an empty offset", { PSYNC: `+FULLRESYNC ${ID} \r\n` }, "wrong +FULLRESYNC syntax"],
  ["LOADING", { PSYNC: "-LOADING later\r\n" }, "Master is currently unable to PSYNC"],
  ["another type for PSYNC", { PSYNC: "*1\r\n" }, "Unexpected reply to PSYNC from master: *1"],
  [
    "neither PSYNC nor SYNC",
    { PSYNC: "-ERR no\r\n" },
    "MASTER aborted replication with an error: ERR unknown command",
  ],
  [
    "an error for a snapshot",
    { PSYNC: snapshot("-ERR disk full\r\n") },
    "MASTER aborted replication with an error: ERR disk full",
  ],
  ["no snapshot", { PSYNC: snapshot("+OK\r\n") }, "the first byte is not '$' (we received '+OK')"],
  ["no length", { PSYNC: snapshot("$x\r\n") }, "no length in '$x'"],
  ["an empty length", { PSYNC: snapshot("$\r\n") }, "no length in '$'"],
  ["a length below zero", { PSYNC: snapshot("$-1\r\n") }, "no length in '$-1'"],
  ["a length in another form", { PSYNC: snapshot("$0x10\r\n") }, "no length in '$0x10'"],
  ["a broken length", { PSYNC: snapshot("$1.5\r\n") }, "no length in '$1.5'"],
  [
    "a length that is no number any more",
    { PSYNC: snapshot("$99999999999999999999\r\n") },
    "no length in '$9999",
  ],
  ["an infinite length", { PSYNC: snapshot("$Infinity\r\n") }, "no length in '$Infinity'"],
  ["a short mark", { PSYNC: snapshot("$EOF:abc\r\n") }, "no length in '$EOF:abc'"],
  ["a length line without an end", { PSYNC: snapshot(`$${"1".repeat(5000)}`) }, "too long a line"],
  [
    "a snapshot of nothing",
    { PSYNC: snapshot("$0\r\n") },
    "Failed trying to load the MASTER synchronization DB",
  ],
  [
    "a snapshot that is none",
    { PSYNC: snapshot("$9\r\nNOT REDIS") },
    "Failed trying to load the MASTER synchronization DB",
  ],
  ["an end too early", { PSYNC: snapshot(`$1000\r\nREDIS0011${HANG_UP}`) }, "Connection with master lost."],
  [
    "a mark that does not come",
    { PSYNC: snapshot(`$EOF:${MARK}\r\nREDIS0011${HANG_UP}`) },
    "Connection with master lost.",
  ],
  [
    "a mark too early",
    { PSYNC: snapshot(`$EOF:${MARK}\r\nREDIS0011${MARK}`) },
    "Failed trying to load the MASTER synchronization DB",
  ],
];

function snapshot(payload: string): string {
  return `+FULLRESYNC ${ID} 100\r\n${payload}`;
}

async function meet({ server, node }: Replica, script: Script, expected: string | RegExp): Promise<void> {
  const master = new FalseMaster(() => rdb);
  const from = server.log().length;
  master.script = script;
  try {
    await node.call("REPLICAOF", "127.0.0.1", String(master.port));
    await until(async () => {
      const log = server.log().slice(from);
      return typeof expected === "string" ? log.includes(expected) : expected.test(log);
    });
    expect(await node.call("PING")).toBe("PONG");
    expect((await node.info()).master_link_status).toBe("down");
    master.script = {};
    await node.linked();
    expect(master.tries).toBeGreaterThan(1);
    expect(await node.call("GET", "key:7")).toBe("vvvvvvv");
  } finally {
    await node.call("REPLICAOF", "NO", "ONE");
    master.stop();
  }
}

test("what is wrong with a master is told, and it is tried again", async () => {
  const left = [...WRONG];
  const problems: string[] = [];
  const work = async (replica: Replica): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [what, script, log] = next;
      try {
        await meet(replica, script, log);
      } catch (error) {
        problems.push(`${what}: ${error}\n${replica.server.log().slice(-1500)}`);
      }
    }
  };
  await Promise.all(replicas.map(work));
  expect(problems.join("\n\n")).toBe("");
});
