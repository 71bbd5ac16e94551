/**
 * Two connections that subscribe, unsubscribe and publish to each other, in either version of the protocol. What each
 * of them hears is compared in order: one command at a time is sent, and after it a mark is published on a channel that
 * both listen to, so that everything before it has come.
 */
import type { Random } from "../../../unit/bytes/random.ts";
import { encode, replyEnd, show, showCommand } from "../wire.ts";

const MARK = "the mark";
const CHANNELS = ["a", "b", "ab", "a.b", "", "\xff"];
const PATTERNS = ["a*", "*", "[ab]", "?", "a", ""];

/** A connection that keeps all that comes. */
class Ear {
  private received: Buffer = Buffer.alloc(0);
  private until: (() => boolean) | null = null;
  private resolve: () => void = () => {};
  private socket!: Bun.Socket<undefined>;

  static async open(port: number): Promise<Ear> {
    const ear = new Ear();
    ear.socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: { data: (_socket, chunk) => ear.take(chunk) },
    });
    return ear;
  }

  send(args: readonly string[]): void {
    this.socket.write(encode(args));
  }

  /** All that has come until then, the replies one by one. */
  async heard(isAll: (replies: readonly string[]) => boolean): Promise<string[]> {
    const complete = () => isAll(this.replies());
    if (!complete()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.until = complete;
      this.resolve = resolve;
      await promise;
    }
    const replies = this.replies();
    this.received = Buffer.alloc(0);
    return replies;
  }

  close(): void {
    this.socket.end();
  }

  private replies(): string[] {
    const found: string[] = [];
    for (let at = 0; at < this.received.length; ) {
      const end = replyEnd(this.received, at);
      if (end < 0) return [];
      found.push(this.received.toString("latin1", at, end));
      at = end;
    }
    return found;
  }

  private take(chunk: Uint8Array): void {
    this.received = Buffer.concat([this.received, chunk]);
    if (this.until?.()) {
      this.until = null;
      this.resolve();
    }
  }
}

function draw(random: Random): string[] {
  const some = (from: readonly string[]) => Array.from({ length: random.below(4) }, () => random.pick(from));
  const message = () => random.pick(["m", "", "two\r\nlines", "y".repeat(40)]);
  switch (random.below(12)) {
    case 0:
    case 1:
      return ["SUBSCRIBE", ...some(CHANNELS)];
    case 2:
    case 3:
      return ["PSUBSCRIBE", ...some(PATTERNS)];
    case 4:
      return ["SSUBSCRIBE", ...some(CHANNELS)];
    case 5:
      return ["UNSUBSCRIBE", random.pick(CHANNELS), ...some(CHANNELS)];
    case 6:
      return random.pick([
        ["PUNSUBSCRIBE", ...some(PATTERNS)],
        ["SUNSUBSCRIBE", ...some(CHANNELS)],
      ]);
    case 7:
    case 8:
      return [random.pick(["PUBLISH", "PUBLISH", "SPUBLISH"]), random.pick(CHANNELS), message()];
    case 9:
      return [
        "PUBSUB",
        ...random.pick([
          ["NUMSUB", ...some(CHANNELS)],
          ["NUMPAT"],
          ["SHARDNUMSUB", ...some(CHANNELS)],
          ["CHANNELS", "b"],
          ["SHARDCHANNELS", "b"],
          ["x"],
        ]),
      ];
    case 10:
      return random.pick([
        ["PING"],
        ["PING", "x"],
        ["GET", "none"],
        ["EXEC"],
        ["ECHO", "x"],
        ["PUBLISH", "a"],
        ["NOPE"],
      ]);
    default:
      return [
        "EVAL",
        "return redis.call(ARGV[1], ARGV[2], ARGV[3])",
        "0",
        random.pick(["PUBLISH", "SPUBLISH"]),
        random.pick(CHANNELS),
        message(),
      ];
  }
}

interface Side {
  ears: Ear[];
  publisher: Ear;
}

async function open(port: number, versions: readonly string[]): Promise<Side> {
  const ears = await Promise.all(versions.map(() => Ear.open(port)));
  for (const [i, ear] of ears.entries()) {
    ear.send(["HELLO", versions[i]!]);
    await ear.heard((replies) => replies.length > 0);
    ear.send(["SUBSCRIBE", MARK]);
    await ear.heard((replies) => replies.length > 0);
  }
  return { ears, publisher: await Ear.open(port) };
}

/** One of the ears sends a command; what either hears of it. */
async function step({ ears, publisher }: Side, who: number, command: readonly string[]): Promise<string[][]> {
  ears[who]!.send(command);
  // Behind its own replies on the same connection: then the command is done.
  ears[who]!.send(["SUBSCRIBE", MARK]);
  const own = await ears[who]!.heard((replies) => replies.some((reply) => reply.includes(MARK)));
  publisher.send(["PUBLISH", MARK, "x"]);
  await publisher.heard((replies) => replies.length > 0);
  const marked = (replies: readonly string[]) =>
    replies.some((reply) => reply.includes(MARK) && reply.includes("\r\nmessage\r\n"));
  const rest = await Promise.all(ears.map((ear) => ear.heard(marked)));
  rest[who] = [...own, ...rest[who]!];
  return rest;
}

/**
 * What patterns bring comes in the order of a hash table, and so does what a client is rid of that names nothing: runs
 * of the former are sorted, of the latter only the number is kept that stands behind each name.
 */
function normal(heard: readonly string[], command: readonly string[]): string {
  const ordered: string[] = [];
  let run: string[] = [];
  for (const reply of [...heard, ""]) {
    if (reply.includes("\r\npmessage\r\n")) run.push(reply);
    else {
      ordered.push(
        ...run.sort(),
        command.length > 1 ? reply : reply.replace(/(unsubscribe\r\n)\$\d+\r\n.*\r\n/, "$1"),
      );
      run = [];
    }
  }
  return ordered.join("");
}

/** A round of so many commands; how the first one that is heard differently differs, or null. */
export async function subscribers(
  ports: readonly [number, number],
  random: Random,
  count: number,
): Promise<string | null> {
  const versions = [random.pick(["2", "3"]), random.pick(["2", "3"])];
  const sides = await Promise.all(ports.map((port) => open(port, versions)));
  const done: string[] = [];
  try {
    for (let i = 0; i < count; i++) {
      const who = random.below(2);
      const command = draw(random);
      const [theirs, ours] = await Promise.all(sides.map((side) => step(side, who, command)));
      done.push(`${who} (RESP${versions[who]}): ${showCommand(command)}`);
      for (const ear of [0, 1]) {
        const [expected, actual] = [theirs, ours].map((heard) => normal(heard![ear]!, command));
        if (expected === actual) continue;
        const [redis, redbun] = [expected, actual].map((text) => show(Buffer.from(text!, "latin1")));
        return `heard by ${ear} (RESP${versions[ear]})\n    redis  ${redis}\n    redbun ${redbun}\n    ${done.slice(-10).join("\n    ")}`;
      }
    }
    return null;
  } finally {
    for (const { ears, publisher } of sides) for (const ear of [...ears, publisher]) ear.close();
  }
}
