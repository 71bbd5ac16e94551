/**
 * Byte streams that no decent client sends: pipelines of valid commands in which lengths, line ends and types are
 * wrong, with things in between that are no commands, cut anywhere.
 */
import type { Random } from "../../unit/bytes/random.ts";

export interface HostileStream {
  /** The pieces that it is sent in, one character a byte. */
  pieces: string[];
  /** The client shuts its side down behind the last piece: at once, or when that has been dealt with. */
  end: "open" | "half-close" | "half-close at once";
}

export const PASSWORD = "secret";
/** Below what redis-server reads at once, so that both servers see the same pieces. */
const MAX_PIECE = 16_000;
const LINE_MAX = 64 * 1024;

const KEYS = ["a", "b", "list", "hash", "zset", "set", "stream", ""];
const VALUES = ["", "1", "x", "hello world", "-7", "a\r\nb", "\0", "\xff\xfe", '"', "*1\r\n$4\r\nPING\r\n"];

type Shape = readonly string[];

/** Replies depend on nothing but what was sent before. K, V, N stand for a key, a value, a small number. */
const COMMANDS: readonly Shape[] = [
  ["PING"],
  ["PING", "V"],
  ["ECHO", "V"],
  ["ECHO"],
  ["SET", "K", "V"],
  ["SET", "K", "V", "GET"],
  ["SET", "K", "V", "NX", "XX"],
  ["GET", "K"],
  ["get", "K"],
  ["GETDEL", "K"],
  ["INCR", "K"],
  ["INCRBY", "K", "V"],
  ["APPEND", "K", "V"],
  ["STRLEN", "K"],
  ["GETRANGE", "K", "N", "N"],
  ["MSET", "K", "V", "K", "V"],
  ["MGET", "K", "K", "K"],
  ["DEL", "K", "K"],
  ["EXISTS", "K", "K"],
  ["TYPE", "K"],
  ["RPUSH", "list", "V", "V"],
  ["LRANGE", "list", "0", "N"],
  ["LPOP", "list"],
  ["BLPOP", "list", "0"],
  ["BLPOP", "nothing", "0"],
  ["HSET", "hash", "V", "V"],
  ["HGET", "hash", "V"],
  ["HGETALL", "hash"],
  ["SADD", "set", "V"],
  ["SCARD", "set"],
  ["SISMEMBER", "set", "V"],
  ["ZADD", "zset", "N", "V"],
  ["ZRANGE", "zset", "0", "-1", "WITHSCORES"],
  ["XADD", "stream", "N-N", "V", "V"],
  ["XRANGE", "stream", "-", "+"],
  ["XREAD", "STREAMS", "stream", "0"],
  ["OBJECT", "ENCODING", "K"],
  ["OBJECT", "V"],
  ["SELECT", "N"],
  ["EVAL", "return redis.call('GET', KEYS[1])", "1", "K"],
  ["EVAL", "return {1, 2, {3, 'x'}}", "0"],
  ["EVAL", "return redis.error_reply('OWN error')", "0"],
  ["PUBLISH", "channel", "V"],
  ["CLIENT", "GETNAME"],
  ["CLIENT", "SETNAME", "V"],
  ["CLIENT", "V"],
  ["CLIENT"],
  ["WAIT", "0", "0"],
  ["NOSUCH", "V", "V"],
  ["V", "V"],
  ["DBSIZE"],
];

/** What changes how later commands are read or answered. */
const TURNS: readonly Shape[] = [
  ["HELLO", "3"],
  ["HELLO", "2"],
  ["HELLO"],
  ["HELLO", "V"],
  ["HELLO", "3", "SETNAME", "V"],
  ["HELLO", "3", "AUTH", "default", PASSWORD],
  ["HELLO", "2", "AUTH", "default", "wrong"],
  ["RESET"],
  ["QUIT"],
  ["AUTH", PASSWORD],
  ["AUTH", "default", PASSWORD],
  ["AUTH", "wrong"],
  ["CLIENT", "REPLY", "OFF"],
  ["CLIENT", "REPLY", "ON"],
  ["CLIENT", "REPLY", "SKIP"],
  ["CLIENT", "REPLY", "V"],
  ["MULTI"],
  ["MULTI"],
  ["EXEC"],
  ["EXEC"],
  ["DISCARD"],
  ["WATCH", "K"],
  ["UNWATCH"],
  ["SUBSCRIBE", "channel", "V"],
  ["SUBSCRIBE", "channel"],
  ["PSUBSCRIBE", "chan*"],
  ["SSUBSCRIBE", "channel"],
  ["UNSUBSCRIBE"],
  ["UNSUBSCRIBE", "channel"],
  ["PUNSUBSCRIBE"],
  ["SUNSUBSCRIBE"],
];

/** Beginnings of a session; what comes then meets another kind of client. */
const OPENINGS: readonly (readonly Shape[])[] = [
  [],
  [],
  [["HELLO", "3"]],
  [["SUBSCRIBE", "channel"]],
  [
    ["HELLO", "3"],
    ["SUBSCRIBE", "channel"],
  ],
  [["MULTI"]],
  [["CLIENT", "REPLY", "SKIP"]],
  [["CLIENT", "REPLY", "OFF"]],
];

const LENGTHS: readonly string[] = [
  ..."0 -0 -1 -2 -5 00 01 007 +1 +0 1x x 1.0 1e1 0x1 - -- 1, 10 11 12 1024 1025 16384 16385".split(" "),
  ..."1048575 1048576 1048577 2147483646 2147483647 2147483648 -2147483648 -2147483649".split(" "),
  ..."4294967295 4294967296 4294967297 4294967299 536870911 536870912 536870913".split(" "),
  ..."9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809".split(" "),
  ..."18446744073709551615 18446744073709551616 18446744073709551617 18446744073709551619".split(" "),
  ...["", " ", " 1", "1 ", "\t1", "1\t", "1\0", "\0", "\x001", "1\n", "\n1", "\xb1", "*1", "$1"],
  ...[19, 20, 21, 22, 23, 24, 25, 32, 33, 64, 300].flatMap((digits) => [
    "1".repeat(digits),
    "0".repeat(digits),
  ]),
];

const LINE_ENDS = [
  "\n",
  "\r",
  "",
  "\n\r",
  "\r\r\n",
  "\r\n\r\n",
  "\0\r\n",
  "\r\0",
  "\r\0\n",
  " \r\n",
  "\r\nx",
];

/** What stands where a command should begin. */
const JUNK: readonly string[] = [
  ..."*0|*-1|*-5|*|*\0|*1|*2\r\n*1|*1\r\n*1\r\n$4\r\nPING|$4\r\nPING|$-1|$|:1|+OK|-ERR x|_|#t|#f|,1.5".split(
    "|",
  ),
  ...["(12345678901234567890", "!5\r\nERR x", "=7\r\ntxt:abc", "%1\r\n+a\r\n:1", "~1\r\n+a", ">1\r\n+a"],
  ...[
    "|1\r\n+a\r\n:1",
    "$?\r\n;4\r\nPING\r\n;0",
    "*?\r\n+a\r\n.",
    "@",
    "\0",
    "\0PING",
    "PING\0",
    "PING \0 x",
  ],
  ...[
    "",
    " ",
    "\t",
    "\r",
    "\n",
    "\v",
    "\f",
    "\r\r",
    "  \0  ",
    "\xff\xfb\x1f",
    "\xff\xf4\xff\xfd\x06",
    "\x04",
    "\x1b[A",
  ],
  ...[
    "PING",
    "ping",
    " PING ",
    "PING\t1",
    "PING\v1",
    "PING\f1",
    "PING \v 1",
    "pInG 'x y'",
    'PING "x\\x41\\n\\"y"',
  ],
  ...[
    "PING 'a\\'b'",
    "PING 'a\\nb'",
    'PING "\\x4"',
    'PING "\\xg1"',
    'PING "\\q"',
    'PING ""',
    "PING ''",
    "'' ''",
  ],
  ...[
    'PING "',
    "PING '",
    'PING "x"y',
    "PING 'x'y",
    'PING x"y"',
    "PING x'y",
    'PING x"y',
    'PING "a" "b',
    'PING "\\',
  ],
  ...[
    'PING "a\0b"',
    "PING '\0'",
    'PING "x"\v',
    'PING "x"\0',
    '"PING"',
    "'PING' x",
    'P"IN"G',
    '"',
    "'",
    "\\x41",
    '"\\x00"',
  ],
  ...[
    "POST / HTTP/1.1",
    "post",
    "POST",
    "POST\0 /",
    "Host: localhost",
    "Host:",
    "host:x",
    "HOST: x",
    "Host : x",
    "Hosts:",
  ],
  ...[
    "GET / HTTP/1.1\r\nHost: localhost\r\n",
    "GET / HTTP/1.0",
    "*1\r\n$4\r\nPOST",
    "*2\r\n$5\r\nhost:\r\n$1\r\nx",
  ],
  ...[
    "SET a 'it''s'",
    "SET a b c d e f g h i j k",
    "*11\r\n",
    "SUBSCRIBE channel",
    "MULTI",
    "EXEC",
    "QUIT",
    "CLIENT REPLY OFF",
  ],
];

export function hostileStream(random: Random, locked: boolean): HostileStream {
  const parts: string[] = [];
  const say = (shape: Shape, wrong: number): void => {
    parts.push(encode(random, fill(random, shape), wrong));
  };
  if (locked && random.below(3) > 0) say(["AUTH", PASSWORD], 0);
  for (const shape of random.pick(OPENINGS)) say(shape, 0);
  const count = random.below(3) > 0 ? 1 + random.below(8) : 1 + random.below(50);
  // Most streams end with their first protocol error: some should get far.
  const wrong = random.pick([0, 0.01, 0.03, 0.1, 0.3]);
  for (let i = 0; i < count; i++) {
    if (chance(random, wrong)) parts.push(junk(random));
    else say(random.pick(random.below(4) === 0 ? TURNS : COMMANDS), wrong);
  }
  let bytes = parts.join("");
  if (random.below(4) === 0) for (let n = 1 + random.below(3); n > 0; n--) bytes = flip(random, bytes);
  if (random.below(5) === 0) bytes = bytes.slice(0, random.below(bytes.length + 1));
  return { pieces: cut(random, bytes), end: random.pick(["open", "half-close", "half-close at once"]) };
}

function fill(random: Random, shape: Shape): string[] {
  return shape.map((word) =>
    word.replace(/[KVN]/g, (letter, at) =>
      // Letters stand for something where they are a word, or N twice in an ID.
      word.length > 1 && (letter !== "N" || word !== "N-N")
        ? letter
        : letter === "K"
          ? random.pick(KEYS)
          : letter === "V"
            ? value(random)
            : String(random.below(at === 0 ? 20 : 5)),
    ),
  );
}

function value(random: Random): string {
  if (random.below(60) === 0)
    return "v".repeat(random.pick([16_383, 16_384, 16_385, 32_767, 32_768, 40_000]));
  if (random.below(4) > 0) return random.pick(VALUES);
  return Buffer.from(random.bytes(random.below(40))).toString("latin1");
}

/** The command as it goes over the wire, each of its tokens wrong with the given probability. */
function encode(random: Random, words: readonly string[], wrong: number): string {
  if (random.below(8) === 0)
    return `${words.map((word) => quote(random, word)).join(" ")}${lineEnd(random, wrong)}`;
  const length = (type: string, actual: number): string => {
    if (!chance(random, wrong)) return `${type}${actual}${lineEnd(random, wrong)}`;
    const hostile = [String(actual + 1), String(actual - 1), `0${actual}`, `+${actual}`, `${actual} `];
    const text = random.below(3) === 0 ? random.pick(hostile) : random.pick(LENGTHS);
    return `${random.below(6) === 0 ? random.pick([..."*$:+-%~>_#,(!=|x \0\r\n"]) : type}${text}\r\n`;
  };
  const bulks = words.map((word) => `${length("$", word.length)}${word}${lineEnd(random, wrong)}`);
  return `${length("*", words.length)}${bulks.join("")}`;
}

function lineEnd(random: Random, wrong: number): string {
  return chance(random, wrong / 2) ? random.pick(LINE_ENDS) : "\r\n";
}

/** The word as part of an inline command. */
function quote(random: Random, word: string): string {
  if (/^[!-~]+$/.test(word) && !/["'\\]/.test(word) && random.below(3) > 0) return word;
  const escaped = word.replace(/[^ -~]|["\\]/g, (c) =>
    random.below(10) === 0 && c !== "\n"
      ? c
      : c === "\n" && random.below(2) === 0
        ? "\\n"
        : `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return `"${escaped}"`;
}

function junk(random: Random): string {
  const text = random.below(12) === 0 ? longLine(random) : random.pick(JUNK);
  return `${text}${random.pick(["\r\n", "\r\n", "\n", "", ...LINE_ENDS])}`;
}

/** Around the most that a line may have. */
function longLine(random: Random): string {
  const start = random.pick(["PING ", "*", "$", "*1\r\n$", 'ECHO "', "\0", " ", "*1\r\n$1"]);
  const filler = random.pick(["x", "1", " ", "\r", "0", '"']);
  return (
    start +
    filler.repeat(
      random.pick([LINE_MAX - start.length - 2, LINE_MAX - start.length, LINE_MAX]) + random.below(5),
    )
  );
}

function flip(random: Random, bytes: string): string {
  if (bytes.length === 0) return bytes;
  const at = random.below(bytes.length);
  const code = bytes.charCodeAt(at);
  const other = random.below(3) === 0 ? random.below(256) : code ^ (1 << random.below(8));
  return bytes.slice(0, at) + String.fromCharCode(other) + bytes.slice(at + 1);
}

/** Cuts the bytes into pieces that may be small, but not too many. */
export function cut(random: Random, bytes: string): string[] {
  const typical = random.pick([1, 3, 10, 50, 500, MAX_PIECE, MAX_PIECE]);
  const least = Math.ceil(bytes.length / 60);
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = Math.min(MAX_PIECE, least + random.below(typical * 2));
    const length = typical === MAX_PIECE ? MAX_PIECE : Math.max(1, size);
    pieces.push(bytes.slice(at, at + length));
    at += length;
  }
  return pieces;
}

function chance(random: Random, probability: number): boolean {
  return random.below(10_000) < probability * 10_000;
}
