/**
 * Random commands over few keys and values, so that they meet each other. No command depends on the clock: expiries
 * are absolute, far away or long past.
 */

import type { Random } from "../../unit/bytes/random.ts";

const KEYS = ["a", "b", "c", "d", "e", "", "\x00\xff k", "k".repeat(300)];
/** Keys for LCS, whose values stay short: it takes time and space of the product of the lengths. */
const SHORT_KEYS = ["x", "y"];
const HLL_KEYS = ["h", "i", "j"];
export const DATABASES = 3;

const INTEGERS = [
  "0",
  "1",
  "-1",
  "7",
  "10",
  "-128",
  "255",
  "1000",
  "9999",
  "10000",
  "65536",
  "2147483647",
  "-2147483648",
  "4294967296",
  "9007199254740991",
  "9007199254740993",
  "-9007199254740994",
  "9223372036854775807",
  "-9223372036854775808",
  "9223372036854775806",
]; // prettier-ignore
const NO_INTEGERS = ["", " 1", "1 ", "+1", "01", "1.0", "abc", "9223372036854775808", "-", "1\x00", "-0"];
const FLOATS = [
  "0.1",
  "-0.1",
  "1e3",
  "3.14159",
  "-2.5",
  "1e17",
  "1e-5",
  "0",
  "5",
  "1e300",
  "12345678.12345678",
  "inf",
  "nan",
  "x",
];
const TEXTS = [
  "",
  "v",
  "hello world",
  "\x00\x01\xfe\xff",
  "x".repeat(44),
  "x".repeat(45),
  "y".repeat(200),
  "\r\n",
];
const MOMENTS = ["4102444800123", "5102444800123", "4102444800124", "9007199254740991"];
const PAST = ["1", "0", "-1", "1000000000000"];
const BAD_MOMENTS = ["x", "", "9223372036854775808", "-9223372036854775809"];
const FIELD_TYPES = [
  "u1",
  "i1",
  "u5",
  "i7",
  "u8",
  "i8",
  "u16",
  "i32",
  "u33",
  "i53",
  "u54",
  "u63",
  "i64",
  "u64",
  "x",
];

export class Generator {
  constructor(private readonly random: Random) {}

  below(bound: number): number {
    return this.random.below(bound);
  }

  chance(probability: number): boolean {
    return this.random.below(1_000_000) < probability * 1_000_000;
  }

  pick<T>(items: readonly T[]): T {
    return this.random.pick(items);
  }

  key(): string {
    return this.chance(0.02) ? this.pick(HLL_KEYS) : this.pick(KEYS);
  }

  keys(most: number): string[] {
    return Array.from({ length: 1 + this.below(most) }, () => this.key());
  }

  integer(): string {
    if (this.chance(0.1)) return this.pick(NO_INTEGERS);
    return this.chance(0.5) ? this.pick(INTEGERS) : String(this.below(2001) - 1000);
  }

  value(): string {
    return this.chance(0.5) ? this.integer() : this.chance(0.2) ? this.pick(FLOATS) : this.pick(TEXTS);
  }

  /** An index into a string: mostly near its ends, sometimes far away. */
  index(): string {
    if (this.chance(0.05)) return this.integer();
    return String(this.chance(0.1) ? this.below(40_000) : this.below(60) - 20);
  }

  offset(): string {
    if (this.chance(0.05)) return this.integer().replace("2147483647", "99").replace("4294967296", "-5");
    return String(this.chance(0.03) ? this.below(40_000) : this.below(80));
  }

  bitOffset(): string {
    const prefix = this.chance(0.1) ? "#" : "";
    return prefix + (this.chance(0.03) ? this.below(300_000) : this.below(100));
  }

  /** A moment for commands that remove a key at once if it is past. */
  moment(): string {
    return this.chance(0.1) ? this.pick(PAST) : this.future();
  }

  /** A moment for SET, which keeps a key whose time is past, and DBSIZE counts it until it is met again. */
  future(): string {
    return this.pick(this.chance(0.05) ? BAD_MOMENTS : MOMENTS);
  }

  database(): string {
    return this.chance(0.05) ? this.pick(["16", "-1", "x", ""]) : String(this.below(DATABASES));
  }

  options(names: readonly string[], probability = 0.5): string[] {
    const chosen: string[] = [];
    while (this.chance(probability)) chosen.push(this.pick(names));
    return chosen;
  }

  /** The next command; now and then with an argument missing, doubled or too much. */
  command(): string[] {
    const maker = this.pick(MAKERS);
    const args = maker(this);
    if (this.chance(0.5)) args[0] = args[0]!.toLowerCase();
    if (this.chance(0.02)) args.splice(1 + this.below(args.length), 1);
    const extra = this.chance(0.02);
    if (extra) args.push(this.pick([...TEXTS, ...args]));
    return args;
  }

  bitfieldOperation(readOnly: boolean): string[] {
    const field = [this.pick(FIELD_TYPES), this.bitOffset()];
    if (readOnly || this.chance(0.4)) return ["GET", ...field];
    if (this.chance(0.3)) return ["OVERFLOW", this.pick(["WRAP", "SAT", "FAIL", "fail", "foo"])];
    return [this.pick(["SET", "INCRBY"]), ...field, this.integer()];
  }
}

type Maker = (g: Generator) => string[];

const setOptions: Maker = (g) => {
  const options = g.options(["NX", "XX", "GET", "KEEPTTL"], 0.4);
  if (g.chance(0.3)) options.push("PXAT", g.future());
  return options;
};

const bitfield = (g: Generator, readOnly: boolean): string[] =>
  Array.from({ length: 1 + g.below(4) }, () => g.bitfieldOperation(readOnly)).flat();

const pairs = (g: Generator): string[] => g.keys(3).flatMap((key) => [key, g.value()]);

/** One entry a command; a command that should come more often stands here more often. */
const MAKERS: readonly Maker[] = [
  (g) => ["SET", g.key(), g.value(), ...setOptions(g)],
  (g) => ["SET", g.key(), g.value()],
  (g) => ["GET", g.key()],
  (g) => ["MGET", ...g.keys(4)],
  (g) => ["MSET", ...pairs(g)],
  (g) => ["MSETNX", ...pairs(g)],
  (g) => ["SETNX", g.key(), g.value()],
  (g) => ["GETSET", g.key(), g.value()],
  (g) => ["GETDEL", g.key()],
  (g) => ["GETEX", g.key(), ...(g.chance(0.6) ? ["PXAT", g.moment()] : g.options(["PERSIST", "GET"]))],
  (g) => ["APPEND", g.key(), g.value()],
  (g) => ["STRLEN", g.key()],
  (g) => [g.pick(["GETRANGE", "SUBSTR"]), g.key(), g.index(), g.index()],
  (g) => ["SETRANGE", g.key(), g.offset(), g.value()],
  (g) => [g.pick(["INCR", "DECR"]), g.key()],
  (g) => [g.pick(["INCRBY", "DECRBY"]), g.key(), g.integer()],
  (g) => ["INCRBYFLOAT", g.key(), g.chance(0.7) ? g.pick(FLOATS) : g.integer()],
  (g) => ["SET", g.pick(SHORT_KEYS), g.value()],
  (g) => ["LCS", g.pick(SHORT_KEYS), g.pick(SHORT_KEYS), ...g.options(["LEN", "IDX", "WITHMATCHLEN"])],
  (g) => [g.pick(["DEL", "UNLINK"]), ...g.keys(2)],
  (g) => [g.pick(["EXISTS", "TOUCH"]), ...g.keys(4)],
  (g) => ["TYPE", g.key()],
  (g) => [g.pick(["RENAME", "RENAMENX"]), g.key(), g.key()],
  (g) => [
    "COPY",
    g.key(),
    g.key(),
    ...g.options(["REPLACE"]),
    ...(g.chance(0.3) ? ["DB", g.database()] : []),
  ],
  (g) => ["MOVE", g.key(), g.database()],
  (g) => ["OBJECT", "ENCODING", g.key()],
  (g) => ["PEXPIREAT", g.key(), g.moment(), ...g.options(["NX", "XX", "GT", "LT"], 0.4)],
  (g) => ["PEXPIREAT", g.key(), g.pick(MOMENTS), g.pick(["NX", "XX", "GT", "LT"])],
  (g) => ["EXPIREAT", g.key(), g.pick(["4102444800", "0", "-5", "x", "9223372036854775807"])],
  (g) => [g.pick(["EXPIRE", "PEXPIRE"]), g.key(), g.pick(["0", "-1", "x", "9223372036854775808"])],
  (g) => [g.pick(["PEXPIRETIME", "EXPIRETIME"]), g.key()],
  (g) => ["PERSIST", g.key()],
  (g) => ["SETBIT", g.key(), g.bitOffset(), g.pick(["0", "1", "1", "2"])],
  (g) => ["GETBIT", g.key(), g.bitOffset()],
  (g) => [
    "BITCOUNT",
    g.key(),
    ...(g.chance(0.8) ? [g.index(), g.index(), ...g.options(["BIT", "BYTE"], 0.4)] : []),
  ],
  (g) => ["BITPOS", g.key(), g.pick(["0", "1"]), ...(g.chance(0.8) ? [g.index()] : [])],
  (g) => ["BITPOS", g.key(), g.pick(["0", "1"]), g.index(), g.index(), ...g.options(["BIT", "BYTE"], 0.4)],
  (g) => ["BITOP", g.pick(["AND", "OR", "XOR", "NOT"]), g.key(), ...g.keys(3)],
  (g) => ["BITOP", "NOT", g.key(), g.key()],
  (g) => ["BITFIELD", g.key(), ...bitfield(g, false)],
  (g) => ["BITFIELD_RO", g.key(), ...bitfield(g, true)],
  (g) => ["PFADD", g.pick(HLL_KEYS), ...Array.from({ length: g.below(20) }, () => String(g.below(100_000)))],
  (g) => ["PFCOUNT", ...g.keys(1).map(() => g.pick(HLL_KEYS))],
  (g) => ["PFCOUNT", g.pick(HLL_KEYS), g.chance(0.1) ? g.key() : g.pick(HLL_KEYS)],
  (g) => ["PFMERGE", g.pick(HLL_KEYS), g.chance(0.1) ? g.key() : g.pick(HLL_KEYS)],
  (g) => ["SELECT", g.chance(0.7) ? "0" : g.database()],
  (g) => (g.chance(0.1) ? ["SWAPDB", g.database(), g.database()] : ["DBSIZE"]),
  (g) => (g.chance(0.03) ? [g.pick(["FLUSHDB", "FLUSHALL"])] : ["PING", g.value()]),
];
