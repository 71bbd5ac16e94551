/**
 * Calls made from the oracle's own grammar: COMMAND DOCS tells of each command what arguments it takes, and calls
 * are drawn from that, some of them then spoilt. So every command and option is tried in combinations that nobody
 * has thought of, without a list that could forget one.
 */
import type { Random } from "../../unit/bytes/random.ts";
import { elements, type Wire } from "./wire.ts";

interface Argument {
  name: string;
  type: string;
  token: string | null;
  flags: string[];
  /** Of a block or a choice. */
  parts: Argument[];
}

interface Grammar {
  /** The words of its name. */
  words: string[];
  group: string;
  args: Argument[];
}

/** Keys by what stands under them at the start of a round; `none` is empty. */
export const KEYS: Record<string, string[]> = {
  string: ["s", "t"],
  bitmap: ["s", "bits"],
  hyperloglog: ["pf", "pf2"],
  list: ["l", "l2"],
  set: ["set", "set2"],
  "sorted-set": ["z", "z2"],
  geo: ["geo", "geo2"],
  hash: ["h", "h2"],
  stream: ["x", "x2"],
  /** Of a type that only redbun's own grammar tells of. */
  array: ["ar", "ar2"],
  module: ["v", "v2"],
  none: ["none"],
};
export const ALL_KEYS = [...new Set(Object.values(KEYS).flat())];
/** Fields, members, values. */
const TEXTS = ["a", "b", "c", "12", "-3", "1.5", "", "hello world", "y".repeat(70), "\x00\xff"];
const INTEGERS = ["0", "1", "2", "3", "-1", "-2", "10", "100"];
const ODD_INTEGERS = [
  "9223372036854775807",
  "-9223372036854775808",
  "9223372036854775808",
  "abc",
  "",
  " 1",
  "01",
  "1.5",
];
const DOUBLES = ["0", "1", "-1", "2.5", "1e3", "100", "0.1", "(1", "-inf", "+inf"];
const ODD_DOUBLES = ["nan", "abc", "", "1e400", " 1"];
const PATTERNS = ["*", "a*", "?", "[a-c]", "h*d", "x"];
/** Spans in which nothing falls due while a round lasts; seldom the same, or GT and LT would depend on the clock. */
const FAR = 100_000;
const NOT_IN_TIME = ["0", "-1", "9223372036854775807", "abc"];
const UNIX_SECONDS = ["99999999999", "1", "-1", "abc", "9223372036854775807"];
/** No moment beyond 2^53, which redbun rounds. */
const UNIX_MILLISECONDS = ["9999999999999", "9007199254740991", "1", "-1", "abc", "9223372036854775808"];
const STREAM_IDS = ["0", "0-0", "1-1", "1-2", "2", "5-5", "-", "+", "$", ">", "(1-1", "9-*", "abc", "3-"];
const BITFIELD_TYPES = ["u8", "i5", "u1", "i64", "u63", "u64", "i0", "x"];

/** Not drawn: what waits or takes long. */
const NEVER = /^(B[LRZ]\w+|WAIT\w*|MIGRATE|PFSELFTEST|PFDEBUG)$/;
/**
 * Not drawn where replies are compared: what depends on chance or the clock, what has an order or numbers of its own in
 * each server, ranges by text, which mean nothing where scores differ, and LSET, of whose index Redis keeps 32 bits; all
 * of it has tests of its own.
 */
export const NOT_COMPARABLE =
  /^(SPOP|\w*RAND\w*|RANDOMKEY|\w*SCAN|DUMP|RESTORE\S*|TOUCH|Z\w*LEX\w*|LSET|SORT\w*|XCLAIM|XAUTOCLAIM|XPENDING|XINFO \S+|OBJECT (IDLETIME|FREQ|REFCOUNT|HELP)|\S+ HELP)$/;
/** Spoilt, these could let a key fall due while a round lasts. */
const TIMED = /^(SET|P?SETEX|GETEX|P?EXPIRE(AT)?)$/;
/** Words that are dropped: they wait; mean nothing where scores differ. */
const UNWANTED = /^(block|bylex)$/i;
const GROUPS = [
  "string",
  "bitmap",
  "hyperloglog",
  "list",
  "set",
  "sorted-set",
  "geo",
  "hash",
  "stream",
  "array",
  "module",
  "generic",
];

/** What stands under the keys at the start: small and big forms, so that both are met. */
export function contents(big: boolean): string[][] {
  const many = Array.from({ length: 150 }, (_, i) => `m${i}`);
  const more = big ? many : [];
  const numbered = more.flatMap((member, i) => [String(i), member]);
  return [
    ["SET", "s", "hello"],
    ["SET", "t", "12"],
    ["SETBIT", "bits", "77", "1"],
    ["PFADD", "pf", "a", "b", ...more],
    ["PFADD", "pf2", "b", "c"],
    ["RPUSH", "l", "a", "b", "12", ...more],
    ["RPUSH", "l2", "c"],
    ["SADD", "set", "a", "b", "12", ...more],
    ["SADD", "set2", "1", "2", "3"],
    ["ZADD", "z", "1", "a", "2.5", "b", ...numbered],
    ["ZADD", "z2", "1", "a", "1", "c"],
    ["GEOADD", "geo", "13.361389", "38.115556", "a", "15.087269", "37.502669", "b"],
    ["GEOADD", "geo2", "2.35", "48.85", "c"],
    ["HSET", "h", "a", "1", "b", "x", ...numbered],
    ["HSET", "h2", "c", "3.5"],
    ["XADD", "x", "1-1", "a", "b"],
    ["XADD", "x", "1-2", "a", "b"],
    ["XGROUP", "CREATE", "x", "a", "0"],
    ["XADD", "x2", "5-5", "c", "d"],
  ];
}

/** Reads the grammar of all commands but some from the server's COMMAND DOCS (RESP2). */
export async function readGrammar(wire: Wire, leftOut?: RegExp): Promise<Grammar[]> {
  const [reply] = await wire.send([["COMMAND", "DOCS"]]);
  const found: Grammar[] = [];
  for (const [name, docs] of pairs(reply!)) collect([name.toUpperCase()], docs, found);
  return found.filter(({ words, group }) => {
    const name = words.join(" ");
    return GROUPS.includes(group) && !NEVER.test(name) && !leftOut?.test(name);
  });
}

function collect(words: string[], docs: Buffer, found: Grammar[]): void {
  const entries = new Map(pairs(docs));
  const subcommands = entries.get("subcommands");
  if (subcommands !== undefined) {
    for (const [name, own] of pairs(subcommands))
      collect([words[0]!, name.slice(name.indexOf("|") + 1).toUpperCase()], own, found);
    return;
  }
  const args = entries.get("arguments");
  found.push({
    words,
    group: text(entries.get("group")!),
    args: args === undefined ? [] : elements(args).map(argument),
  });
}

function argument(reply: Buffer): Argument {
  const entries = new Map(pairs(reply));
  const token = entries.get("token");
  const flags = entries.get("flags");
  const parts = entries.get("arguments");
  return {
    name: text(entries.get("name")!),
    type: text(entries.get("type")!),
    token: token === undefined ? null : text(token),
    flags: flags === undefined ? [] : elements(flags).map(text),
    parts: parts === undefined ? [] : elements(parts).map(argument),
  };
}

function pairs(reply: Buffer): [string, Buffer][] {
  const flat = elements(reply);
  return Array.from({ length: flat.length / 2 }, (_, i) => [text(flat[i * 2]!), flat[i * 2 + 1]!]);
}

/** A bulk or simple string's text. */
export function text(reply: Buffer): string {
  const start = reply[0] === 36 ? reply.indexOf(10) + 1 : 1;
  return reply.toString("latin1", start, reply.length - 2);
}

export class Caller {
  constructor(
    private readonly random: Random,
    private readonly grammars: readonly Grammar[],
  ) {}

  call(): string[] {
    const { random } = this;
    const { words, group, args } = random.pick(this.grammars);
    const drawn: string[] = [];
    for (const arg of args) this.draw(arg, group, drawn);
    if (random.below(4) === 0 && !TIMED.test(words[0]!)) this.spoil(drawn);
    const call = [...words, ...drawn.filter((word) => !UNWANTED.test(word))];
    return random.below(12) === 0 ? ["EVAL", "return redis.pcall(unpack(ARGV))", "0", ...call] : call;
  }

  private draw(arg: Argument, group: string, to: string[]): void {
    const { random } = this;
    const { flags, token, type } = arg;
    // Of places at the same distance any may be the nearest.
    if (group === "geo" && arg.name === "count-block") return;
    if (flags.includes("optional") && random.below(5) < 3) return;
    // Vectors that go together, mostly; by chance their numbers of components would seldom be right.
    if (group === "module" && arg.name === "vector" && random.below(10) > 0) {
      to.push("VALUES", "2", random.pick(DOUBLES), random.pick(DOUBLES));
      return;
    }
    const times = flags.includes("multiple") ? 1 + random.below(3) : 1;
    for (let i = 0; i < times; i++) {
      // An ID that the clock decides would differ.
      const word = token === "*" ? "9-*" : token;
      if (word !== null && word !== "" && (i === 0 || flags.includes("multiple_token"))) to.push(word);
      if (type === "oneof") this.draw(random.pick(arg.parts), group, to);
      else if (type === "block") for (const part of arg.parts) this.draw(part, group, to);
      else if (type !== "pure-token") to.push(this.value(arg, group));
    }
  }

  private value({ name, type }: Argument, group: string): string {
    const { random } = this;
    const odd = random.below(12) === 0;
    switch (type) {
      case "key":
        return random.pick(odd || group === "generic" ? ALL_KEYS : [...KEYS[group]!, "none"]);
      case "integer":
        if (/^(milli)?seconds$/.test(name))
          return odd ? random.pick(NOT_IN_TIME) : String(FAR + random.below(FAR * 100));
        return random.pick(odd ? ODD_INTEGERS : INTEGERS);
      case "double":
        return random.pick(odd ? ODD_DOUBLES : DOUBLES);
      case "unix-time":
        return random.pick(name.includes("milli") ? UNIX_MILLISECONDS : UNIX_SECONDS);
      case "pattern":
        return random.pick(PATTERNS);
      default:
        if (name === "encoding") return random.pick(BITFIELD_TYPES);
        if (group === "stream" && /id|start|end|threshold/.test(name)) return random.pick(STREAM_IDS);
        if (/score|min|max/.test(name)) return random.pick(odd ? TEXTS : [...DOUBLES, "[a", "(b", "-", "+"]);
        return random.pick(TEXTS);
    }
  }

  /** Leaves a word out, doubles or replaces one, changes places or letters. */
  private spoil(words: string[]): void {
    const { random } = this;
    if (words.length === 0) return;
    const i = random.below(words.length);
    switch (random.below(5)) {
      case 0:
        words.splice(i, 1);
        break;
      case 1:
        words.push(words[i]!);
        break;
      case 2:
        words[i] = random.pick([...TEXTS, ...INTEGERS, ...ODD_INTEGERS]);
        break;
      case 3:
        [words[i], words[0]] = [words[0]!, words[i]!];
        break;
      default:
        words[i] = words[i]!.toLowerCase();
    }
  }
}
