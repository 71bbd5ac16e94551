/**
 * Data of every type and encoding, as commands, and what a server holds, in a form that two servers can be compared
 * by: for tests of RDB files and DUMP payloads.
 */

import { sorted } from "../differential/lib/pair.ts";
import { type Arg, elements, type Wire } from "../differential/lib/wire.ts";
import type { Random } from "../unit/bytes/random.ts";

const TEXT = "abcdefghijklmnop";

/** Values whose encoding in a file is special somewhere. */
function edgeStrings(random: Random): Arg[] {
  return [
    "",
    "hello",
    "0",
    "-1",
    "127",
    "128",
    "-129",
    "32768",
    "-32769",
    "2147483647",
    "2147483648",
    "-2147483649",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "007",
    "1.5",
    "-0",
    "12345678901",
    "a".repeat(20),
    "a".repeat(21),
    "ab".repeat(40),
    "x".repeat(70_000),
    random.bytes(21),
    random.bytes(100),
    random.bytes(63, TEXT),
    random.bytes(64),
    random.bytes(16383),
    random.bytes(16384),
    random.bytes(100_000, "ab"),
  ];
}

function element(random: Random): Arg {
  switch (random.below(6)) {
    case 0:
      return String(random.below(100));
    case 1:
      return String(random.below(1 << 30) - (1 << 29));
    case 2:
      return random.bytes(random.below(40));
    case 3:
      return "field".repeat(1 + random.below(5));
    case 4:
      return String(-random.below(100000));
    default:
      return random.bytes(1 + random.below(12), TEXT);
  }
}

function score(random: Random): string {
  const scores = [
    "0",
    "-1",
    "1.5",
    "inf",
    "-inf",
    "3.14159265358979",
    "1e100",
    "1e-10",
    "123456789012",
    "-0.125",
  ];
  return random.below(2) === 0 ? random.pick(scores) : String(random.below(1000));
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

/** Small values, whose DUMP must be the same bytes. The keys are all different. */
export function smallValues(random: Random, prefix: string): Arg[][] {
  const commands: Arg[][] = edgeStrings(random).map((value, i) => ["SET", `${prefix}s${i}`, value]);
  for (let i = 0; i < 12; i++) {
    const count = 1 + random.below(20);
    commands.push(["RPUSH", `${prefix}l${i}`, ...times(count, () => element(random))]);
    commands.push(["HSET", `${prefix}h${i}`, ...times(count * 2, () => element(random))]);
    commands.push(["SADD", `${prefix}e${i}`, "not-an-integer", ...times(count, () => element(random))]);
    commands.push(["ZADD", `${prefix}z${i}`, ...times(count, () => [score(random), element(random)]).flat()]);
    const wide = random.pick(["1", "70000", "5000000000"]);
    commands.push(["SADD", `${prefix}i${i}`, wide, ...times(count, () => String(random.below(300) - 150))]);
  }
  return commands;
}

/** Values past the limits of listpacks, and long ones. */
export function bigValues(random: Random, prefix: string): Arg[][] {
  const commands: Arg[][] = [];
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 4; j++) {
      const part = times(300, () => element(random));
      commands.push(["RPUSH", `${prefix}L${i}`, ...part]);
      commands.push(["HSET", `${prefix}H${i}`, ...part]);
      commands.push(["SADD", `${prefix}E${i}`, ...part]);
      commands.push(["ZADD", `${prefix}Z${i}`, ...part.flatMap((member) => [score(random), member])]);
      commands.push(["SADD", `${prefix}I${i}`, ...times(300, () => String(random.below(100000)))]);
    }
    commands.push(["RPUSH", `${prefix}LL${i}`, "a", random.bytes(30_000), "b", "c".repeat(20_000)]);
    commands.push(["HSET", `${prefix}HH${i}`, "f", random.bytes(70_000), "g", "1"]);
    commands.push(["SADD", `${prefix}EE${i}`, random.bytes(100), "1"]);
    commands.push(["ZADD", `${prefix}ZZ${i}`, "1", random.bytes(100), "2", "b"]);
  }
  return commands;
}

/** Streams with deleted entries, groups, consumers and pending entries. */
export function streams(random: Random, prefix: string): Arg[][] {
  const commands: Arg[][] = [];
  for (let i = 0; i < 3; i++) {
    const key = `${prefix}x${i}`;
    for (let id = 1; id <= 120 * i + 6; id++) {
      const fields: Arg[] = random.below(4) > 0 ? ["a", element(random), "b", "2"] : ["c", element(random)];
      commands.push(["XADD", key, `${1000 + id * 7}-${random.below(3)}`, ...fields]);
    }
    commands.push(["XDEL", key, "1007-0", "1007-1", "1007-2", "1028-0", "1028-1"]);
    commands.push(["XGROUP", "CREATE", key, "g1", "0"], ["XGROUP", "CREATE", key, "g2", "$"]);
    commands.push(["XGROUP", "CREATECONSUMER", key, "g2", "idle"]);
    commands.push(["XREADGROUP", "GROUP", "g1", "alice", "COUNT", "3", "STREAMS", key, ">"]);
    commands.push(["XREADGROUP", "GROUP", "g1", "bob", "COUNT", "40", "STREAMS", key, ">"]);
    commands.push(["XGROUP", "SETID", key, "g2", "1035-0", "ENTRIESREAD", "2"]);
  }
  commands.push(["XADD", `${prefix}xempty`, "5-5", "a", "b"], ["XDEL", `${prefix}xempty`, "5-5"]);
  return commands;
}

export function expiries(commands: readonly Arg[][]): Arg[][] {
  const keys = [...new Set(commands.map(([, key]) => String(key)))];
  return keys.filter((_, i) => i % 3 === 0).map((key, i) => ["PEXPIREAT", key, String(4102444800000 + i)]);
}

/** The commands that redbun has. */
export async function known(wire: Wire, commands: readonly Arg[][]): Promise<Arg[][]> {
  const [reply] = await wire.send([["COMMAND", "LIST"]]);
  const words = new Set(reply!.toString("latin1").split("\r\n"));
  return commands.filter(([name]) => words.has(String(name).toLowerCase()));
}

/** Sends commands; throws at the first error. */
export async function apply(wire: Wire, commands: readonly Arg[][]): Promise<void> {
  for (let i = 0; i < commands.length; i += 200) {
    const replies = await wire.send(commands.slice(i, i + 200));
    const at = replies.findIndex((reply) => reply[0] === 45);
    if (at >= 0) throw new Error(`${commands[i + at]!.slice(0, 3)}: ${replies[at]}`);
  }
}

const READ: Record<string, (key: string) => Arg[][]> = {
  string: (key) => [["GET", key]],
  list: (key) => [["LRANGE", key, "0", "-1"]],
  set: (key) => [["SMEMBERS", key]],
  hash: (key) => [
    ["HKEYS", key],
    ["HVALS", key],
  ],
  zset: (key) => [["ZRANGE", key, "0", "-1", "WITHSCORES"]],
  stream: (key) => [
    ["XRANGE", key, "-", "+"],
    ["XINFO", "GROUPS", key],
    ["XPENDING", key, "g1", "-", "+", "1000"],
  ],
};

/** All that a server's selected database holds: by key, what reading commands reply, and the encoding. */
export async function contents(wire: Wire, withEncoding = true): Promise<Map<string, string>> {
  const [keys] = await wire.send([["KEYS", "*"]]);
  const names = elements(keys!)
    .map((reply) => reply.subarray(reply.indexOf(10) + 1, reply.length - 2).toString("latin1"))
    .sort();
  const types = await wire.send(names.map((key) => ["TYPE", key]));
  const found = new Map<string, string>();
  for (const [i, key] of names.entries()) {
    const type = types[i]!.toString("latin1", 1, types[i]!.length - 2);
    const commands: Arg[][] = [...READ[type]!(key), ["PEXPIRETIME", key]];
    if (withEncoding) commands.push(["OBJECT", "ENCODING", key]);
    const replies = await wire.send(commands);
    const unordered = type === "set" || type === "hash";
    const texts = replies.map((reply) =>
      withoutIdle(key, unordered ? sorted(reply) : reply).toString("latin1"),
    );
    found.set(key, texts.join("\n"));
  }
  return found;
}

/** Leaves out how long entries have been pending. */
function withoutIdle(_key: string, reply: Buffer): Buffer {
  return Buffer.from(
    reply.toString("latin1").replace(/(\$\d+\r\n(?:alice|bob)\r\n):\d+\r\n/g, "$1:idle\r\n"),
    "latin1",
  );
}
