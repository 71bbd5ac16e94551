/**
 * Random commands on two streams and their groups, each reply compared, and at the end of a round all there is to
 * see of the streams. Times differ between two servers, so moments are blanked out of the replies, and idle times
 * are not asked for where they decide. Needs an oracle of 7.2. REDBUN_SEED repeats a run, REDBUN_ROUNDS makes it
 * longer.
 */
import { afterAll, expect, test } from "bun:test";
import { describeWithOracle, findOracle } from "../oracle.ts";
import { type Random, seeded } from "../unit/bytes/random.ts";
import { describe as describeReply, oracleIsOlder, Pair } from "./lib/pair.ts";
import { showCommand } from "./lib/wire.ts";

const ROUNDS = Number(process.env.REDBUN_ROUNDS ?? 12);
const COMMANDS = 600;
const KEYS = ["s", "s", "s", "t"];
const GROUPS = ["g", "h", "i"];
const CONSUMERS = ["a", "b", "c", "dd", ""];
const NODE_ENTRIES = ["1", "2", "5", "100"];
const NODE_BYTES = ["0", "100", "400", "4096"];

const pair = findOracle() === null || oracleIsOlder ? null : await Pair.start();

class Generator {
  /** About where IDs are at present. */
  private top = 1;

  constructor(private readonly random: Random) {}

  private key = () => this.random.pick(KEYS);
  private group = () => this.random.pick(GROUPS);
  private consumer = () => this.random.pick(CONSUMERS);

  private id(): string {
    const { random } = this;
    const ms = Math.max(0, this.top - random.below(random.pick([5, 50, 200])));
    return random.below(4) === 0 ? String(ms) : `${ms}-${random.below(4)}`;
  }

  private end(): string {
    const { random } = this;
    return random.pick(["-", "+", this.id(), this.id(), `(${this.id()}`]);
  }

  private ids(most: number): string[] {
    return Array.from({ length: 1 + this.random.below(most) }, () => this.id());
  }

  private trimming(): string[] {
    const { random } = this;
    const limit = random.below(4) === 0 ? ["LIMIT", String(random.below(60))] : [];
    const operator = limit.length > 0 ? ["~"] : random.pick([[], ["~"], ["="]]);
    const what = random.below(2) === 0 ? ["MAXLEN"] : ["MINID"];
    const threshold = what[0] === "MAXLEN" ? String(random.below(random.pick([20, 150]))) : this.id();
    return [...what, ...operator, threshold, ...limit];
  }

  private fields(): string[] {
    const { random } = this;
    const names = random.pick([["f"], ["f"], ["f", "g"], ["12", "x".repeat(70)]]);
    return names.flatMap((name) => [name, this.text()]);
  }

  private text(): string {
    const { random } = this;
    if (random.below(3) === 0) return String(random.below(100000) - 50000);
    return "v".repeat(random.below(random.pick([5, 50, 300])));
  }

  command(): string[] {
    const { random } = this;
    const kind = random.below(100);
    if (kind < 30) {
      this.top += random.below(3);
      const id = random.below(3) > 0 ? `${this.top}-*` : this.id();
      const options = [
        ...(random.below(8) === 0 ? this.trimming() : []),
        ...(random.below(9) ? [] : ["NOMKSTREAM"]),
      ];
      return ["XADD", this.key(), ...options, id, ...this.fields()];
    }
    if (kind < 34) return ["XDEL", this.key(), ...this.ids(3)];
    if (kind < 36) return ["XTRIM", this.key(), ...this.trimming()];
    if (kind < 40)
      return ["XRANGE", this.key(), this.end(), this.end(), "COUNT", String(1 + random.below(20))];
    if (kind < 44)
      return ["XREVRANGE", this.key(), this.end(), this.end(), "COUNT", String(1 + random.below(20))];
    if (kind < 46)
      return ["XREAD", "COUNT", String(random.below(5)), "STREAMS", "s", "t", this.id(), this.id()];
    if (kind < 49) {
      const read = random.below(2) ? [] : ["ENTRIESREAD", String(random.below(50) - 1)];
      return [
        "XGROUP",
        "CREATE",
        this.key(),
        this.group(),
        random.pick(["$", "0", this.id()]),
        "MKSTREAM",
        ...read,
      ];
    }
    if (kind < 51) return ["XGROUP", "SETID", this.key(), this.group(), random.pick(["$", "0", this.id()])];
    if (kind < 52)
      return [
        "XGROUP",
        random.pick(["CREATECONSUMER", "DELCONSUMER"]),
        this.key(),
        this.group(),
        this.consumer(),
      ];
    if (kind < 53)
      return random.below(4) ? ["XLEN", this.key()] : ["XGROUP", "DESTROY", this.key(), this.group()];
    if (kind < 66) {
      const noAck = random.below(6) === 0 ? ["NOACK"] : [];
      const id = random.below(4) > 0 ? ">" : this.id();
      const count = ["COUNT", String(1 + random.below(30))];
      return [
        "XREADGROUP",
        "GROUP",
        this.group(),
        this.consumer(),
        ...count,
        ...noAck,
        "STREAMS",
        this.key(),
        id,
      ];
    }
    if (kind < 73) return ["XACK", this.key(), this.group(), ...this.ids(8)];
    if (kind < 75) return ["XPENDING", this.key(), this.group()];
    if (kind < 78) {
      const consumer = random.below(2) ? [this.consumer()] : [];
      return [
        "XPENDING",
        this.key(),
        this.group(),
        this.end(),
        this.end(),
        String(random.below(20)),
        ...consumer,
      ];
    }
    if (kind < 84) {
      const options = [["JUSTID"], ["FORCE"], ["TIME", "1000"], ["RETRYCOUNT", "5"], ["LASTID", this.id()]];
      const some = options.filter(() => random.below(3) === 0).flat();
      return ["XCLAIM", this.key(), this.group(), this.consumer(), "0", ...this.ids(4), ...some];
    }
    if (kind < 88) {
      const justId = random.below(2) ? [] : ["JUSTID"];
      const idle = random.pick(["0", "0", "100000"]);
      const count = String(1 + random.below(10));
      return [
        "XAUTOCLAIM",
        this.key(),
        this.group(),
        this.consumer(),
        idle,
        this.end(),
        "COUNT",
        count,
        ...justId,
      ];
    }
    if (kind < 92) return ["XINFO", "GROUPS", this.key()];
    if (kind < 95) return ["XINFO", "STREAM", this.key()];
    if (kind < 96) return ["XINFO", "STREAM", this.key(), "FULL", "COUNT", String(random.below(30))];
    if (kind < 97) return ["XINFO", "CONSUMERS", this.key(), this.group()];
    if (kind < 98) return ["COPY", "s", "t", "REPLACE"];
    if (kind < 99) return ["XSETID", this.key(), this.id()];
    return random.pick([
      ["CONFIG", "SET", "stream-node-max-entries", random.pick(NODE_ENTRIES)],
      ["CONFIG", "SET", "stream-node-max-bytes", random.pick(NODE_BYTES)],
      ["DEL", "t"],
    ]);
  }
}

/** Blanks out what is a moment, or the time since one. */
function timeless(command: readonly string[], reply: Buffer): string {
  const text = reply.toString("latin1").replace(/:1[6-9]\d{11}\r/g, ":now\r");
  if (command[0] === "XPENDING") return text.replace(/:\d+\r\n(?=:\d+\r\n)/g, ":idle\r\n");
  return text.replace(/((?:idle|inactive)\r\n):\d+/g, "$1:idle");
}

async function round(random: Random, resp: 2 | 3): Promise<string | null> {
  await pair!.reset(resp);
  const generator = new Generator(random);
  const commands = Array.from({ length: COMMANDS }, () => generator.command());
  for (const key of new Set(KEYS)) {
    commands.push(
      ["XRANGE", key, "-", "+"],
      ["XREVRANGE", key, "+", "-"],
      ["XINFO", "STREAM", key, "FULL", "COUNT", "0"],
    );
    for (const group of GROUPS)
      commands.push(["XPENDING", key, group], ["XPENDING", key, group, "-", "+", "1000"]);
  }
  const replies = await pair!.both(commands);
  for (const [i, [expected, actual]] of replies.entries()) {
    if (timeless(commands[i]!, expected) === timeless(commands[i]!, actual)) continue;
    const before = commands
      .slice(0, i)
      .filter((command) => !command[0]!.startsWith("XR") || command[0] === "XREADGROUP");
    return `${describeReply(commands[i]!, expected, actual, resp)}\n${before.slice(-15).map(showCommand).join("\n")}`;
  }
  return null;
}

describeWithOracle("differential random stream commands", () => {
  afterAll(async () => {
    await pair?.stop();
  });

  test.skipIf(oracleIsOlder)(
    `${ROUNDS} rounds of ${COMMANDS} commands [needs redis-server 7.2]`,
    async () => {
      const random = seeded("differential random stream commands");
      for (let i = 0; i < ROUNDS; i++) {
        const problem = await round(random, i % 2 === 0 ? 2 : 3);
        expect(problem === null ? "" : `round ${i}\n${problem}`).toBe("");
      }
    },
    120_000,
  );
});
