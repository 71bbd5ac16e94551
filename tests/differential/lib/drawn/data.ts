/** SCAN and its kin, what streams tell of their groups, SORT, and what goes from one database to another. */
import type { Random } from "../../../unit/bytes/random.ts";
import { type Call, type Family, spoilt } from "../drawn.ts";
import { contents } from "../grammar.ts";
import { sorted } from "../pair.ts";

const PATTERNS = ["*", "a*", "m1?", "[a-m]*", "none", "", "*1", "[^a]*", "\\*", "h2"];
const TYPES = ["string", "list", "SET", "zset", "hash", "stream", "none", ""];
const IDS = [
  "0",
  "1-1",
  "1-2",
  "2-1",
  "2-2",
  "5-5",
  "9-9",
  "-",
  "+",
  "(1-1",
  "x",
  "1",
  "(x",
  "0-0",
  "18446744073709551615-18446744073709551615",
];
const CONSUMERS = ["c", "c", "d", "e", ""];
const GROUPS = ["a", "a", "a", "g", "none"];
const SOURCES = ["l", "l2", "set", "set2", "z", "z2", "n", "s", "none", "h"];

function scan(random: Random): string[] {
  // All at once: where a cursor points to is each server's own. None out of range: Redis remembers that (errno), and
  // the next SORT says that a score cannot be converted.
  const options = [["COUNT", "100000"]];
  for (let i = random.below(3); i > 0; i--)
    options.push(
      random.pick([
        ["MATCH", random.pick(PATTERNS)],
        ["match", random.pick(PATTERNS)],
      ]),
    );
  if (random.below(8) === 0)
    options.push(random.pick([["COUNT", "0"], ["COUNT", "x"], ["COUNT"], ["x"], ["MATCH"], ["COUNT", "-1"]]));
  const cursor = random.below(10) === 0 ? random.pick(["x", "", " 0", "0 ", "0x0", "1.0", "00"]) : "0";
  if (random.below(3) === 0) {
    if (random.below(2) === 0) options.push(random.pick([["TYPE", random.pick(TYPES)], ["TYPE"]]));
    return ["SCAN", cursor, ...options.flat()];
  }
  const [command, keys] = random.pick([
    ["HSCAN", ["h", "h2"]],
    ["SSCAN", ["set", "set2"]],
    ["ZSCAN", ["z", "z2"]],
  ] as const);
  return [command, random.pick([...keys, ...keys, "none", "s"]), cursor, ...options.flat()];
}

function stream(random: Random): string[] {
  const key = random.pick(["x", "x", "x", "x2", "none", "s"]);
  const group = random.pick(GROUPS);
  const consumer = () => random.pick(CONSUMERS);
  const id = () => random.pick(IDS);
  const count = () => random.pick(["0", "1", "2", "100", "-1", "x"]);
  const idle = () => random.pick(["0", "0", "5000", "100000", "-1", "x"]);
  switch (random.below(9)) {
    case 0:
      return [
        "XREADGROUP",
        "GROUP",
        group,
        consumer(),
        ...random.pick([[], ["COUNT", count()], ["NOACK"]]),
        "STREAMS",
        key,
        random.pick([">", ">", id()]),
      ];
    case 1:
      return [
        "XPENDING",
        key,
        group,
        ...random.pick([
          [],
          [id(), id(), count()],
          ["-", "+", "10"],
          ["-", "+", "10", consumer()],
          ["IDLE", idle(), "-", "+", "10"],
          ["IDLE", idle(), id(), id(), count(), consumer()],
        ]),
      ];
    case 2:
    case 3: {
      const options = Array.from({ length: random.below(4) }, () =>
        random.pick([
          ["IDLE", random.pick(["10000", "0", "-5", "x"])],
          ["TIME", random.pick(["1", "1700000000000", "x"])],
          ["RETRYCOUNT", count()],
          ["FORCE"],
          ["JUSTID"],
          ["LASTID", id()],
          ["x"],
          ["IDLE"],
        ]),
      );
      return [
        "XCLAIM",
        key,
        group,
        consumer(),
        random.pick(["0", "0", "5000", "x"]),
        ...Array.from({ length: 1 + random.below(3) }, id),
        ...options.flat(),
      ];
    }
    case 4:
    case 5:
      return [
        "XAUTOCLAIM",
        key,
        group,
        consumer(),
        random.pick(["0", "0", "5000", "-1", "x"]),
        id(),
        ...random.pick([[], ["COUNT", count()], ["JUSTID"], ["COUNT", "1", "JUSTID"], ["x"]]),
      ];
    case 6:
      return random.pick([
        ["XINFO", "STREAM", key],
        ["XINFO", "STREAM", key, "FULL"],
        ["XINFO", "STREAM", key, "FULL", "COUNT", count()],
        ["XINFO", "GROUPS", key],
        ["XINFO", "CONSUMERS", key, group],
      ]);
    case 7:
      return random.pick([
        ["XACK", key, group, id(), id()],
        ["XDEL", key, id()],
        ["XADD", key, random.pick(["2-1", "2-2", "7-*", "9-9"]), "f", "v"],
        ["XGROUP", "SETID", key, group, id()],
      ]);
    default:
      return random.pick([
        ["XGROUP", "CREATECONSUMER", key, group, consumer()],
        ["XGROUP", "DELCONSUMER", key, group, consumer()],
        ["XGROUP", "CREATE", key, "g", id(), "ENTRIESREAD", count()],
        ["XGROUP", "DESTROY", key, group],
        ["XTRIM", key, "MAXLEN", count()],
        ["XSETID", key, id()],
      ]);
  }
}

function sort(random: Random): string[] {
  const pattern = () =>
    random.pick([
      "w_*",
      "w_*",
      "h_*->f",
      "h_*->none",
      "none_*",
      "nosort",
      "x",
      "*",
      "h_*->",
      "w_*->f",
      "*->f",
      "s",
      "#",
      "",
    ]);
  const options = Array.from({ length: random.below(4) }, () =>
    random.pick([
      ["BY", pattern()],
      ["BY", pattern()],
      ["GET", pattern()],
      ["GET", "#"],
      ["LIMIT", random.pick(["0", "1", "-1", "100", "x"]), random.pick(["0", "2", "-1", "100", "x"])],
      ["ASC"],
      ["DESC"],
      ["ALPHA"],
      ["alpha"],
      ["STORE", random.pick(["to", "l2", "s"])],
      ["x"],
      ["LIMIT", "1"],
      ["BY"],
    ]),
  );
  // Which of two elements of the same weight comes first is free where there are many, and the order of a set too.
  const tied = options.flat().includes("BY");
  const source = random.pick(tied ? ["l2", "set2", "n", "none"] : SOURCES);
  return [random.pick(["SORT", "SORT", "SORT_RO"]), source, ...options.flat()];
}

function other(random: Random): string[] {
  const key = () => random.pick(["s", "l", "set2", "z2", "h2", "x2", "none", "to"]);
  const db = () => random.pick(["0", "1", "2", "15", "16", "-1", "x", "9223372036854775807"]);
  return random.pick([
    ["MOVE", key(), db()],
    [
      "COPY",
      key(),
      key(),
      ...random.pick([[], ["DB", db()], ["REPLACE"], ["DB", db(), "REPLACE"], ["x"], ["DB"]]),
    ],
    ["SWAPDB", random.pick(["0", "1", "2"]), db()],
    ["SELECT", random.pick(["0", "0", "1", "2"])],
    ["MEMORY", "USAGE", key(), "SAMPLES", random.pick(["x", "-1"])],
    ["MEMORY", "USAGE", "nokey", ...random.pick([[], ["SAMPLES", "0"], ["x"], ["SAMPLES"], ["x", "1"]])],
    // Not of sorted sets: SORT makes a skiplist of them in Redis.
    ["OBJECT", random.pick(["ENCODING", "FREQ", "x"]), random.pick(["s", "l", "set2", "h2", "none"])],
    ["OBJECT", "ENCODING"],
    ["SLOWLOG", random.pick(["RESET", "LEN", "x"]), ...random.pick([["x"], ["1", "2"]])],
    ["SLOWLOG", "GET", random.pick(["x", "-2", "1.5"])],
    ["LATENCY", random.pick(["LATEST", "RESET", "HISTORY", "GRAPH", "DOCTOR", "HISTOGRAM"]), "none", "none2"],
    ["LATENCY", random.pick(["RESET", "HISTORY", "GRAPH", "HISTOGRAM"]), "none"],
    ["FLUSHDB", ...random.pick([["x"], ["SYNC", "x"], ["ASYNC", "SYNC"]])],
    [
      "COMMAND",
      "GETKEYS",
      ...random.pick([
        sort(random),
        stream(random),
        ["EVAL", "x", random.pick(["1", "2", "x", "0", "-1"]), "k"],
        ["NOPE", "x"],
        ["PING"],
        ["MSET", "a", "b", "c"],
        ["ZUNIONSTORE", "d", random.pick(["2", "9", "x", "0"]), "a", "b"],
        ["MIGRATE", "h", "1", random.pick(["", "k"]), "0", "1", "KEYS", "a", "b"],
        ["SET", "k"],
        ["GEORADIUS", "k", "0", "0", "1", "km", "STORE", "d"],
        ["LMPOP", "2", "a", "b", "LEFT"],
        ["XREAD", "STREAMS", "a", "b", "0"],
        ["OBJECT", "ENCODING", "k"],
        ["XGROUP", "CREATE", "k", "g", "0"],
      ]),
    ],
    [
      "COMMAND",
      "GETKEYSANDFLAGS",
      ...random.pick([
        sort(random),
        ["SET", "k", "v", "GET"],
        ["GETEX", "k", "PERSIST"],
        ["COPY", "a", "b"],
        ["BITFIELD", "k", "GET", "u8", "0"],
        ["BITFIELD", "k", "SET", "u8", "0", "1"],
        ["XREADGROUP", "GROUP", "g", "c", "STREAMS", "a", "b", "1", "2"],
        ["EVALSHA", "x", "1", "k"],
        ["SORT_RO", "k"],
        ["LMOVE", "a", "b", "LEFT", "LEFT"],
        ["PING"],
      ]),
    ],
    [
      "COMMAND",
      "LIST",
      "FILTERBY",
      ...random.pick([
        ["MODULE", "none"],
        ["ACLCAT", "none"],
        ["PATTERN", "g*t"],
        ["x", "y"],
        ["ACLCAT"],
        ["PATTERN", "none", "x"],
      ]),
    ],
    [
      "COMMAND",
      "INFO",
      random.pick([
        "get",
        "GET",
        "none",
        "config|get",
        "config|none",
        "xgroup|create",
        "client|reply",
        "eval",
        "get|x",
        "memory|usage",
      ]),
    ],
    ["COMMAND", "DOCS", random.pick(["none", "config|none", ""])],
    [
      "PUBSUB",
      ...random.pick([
        ["CHANNELS"],
        ["CHANNELS", "a*"],
        ["NUMSUB"],
        ["NUMSUB", "a", "b"],
        ["NUMPAT"],
        ["NUMPAT", "x"],
        ["SHARDCHANNELS"],
        ["SHARDNUMSUB", "a"],
        ["x"],
        ["CHANNELS", "a", "b"],
      ]),
    ],
  ]);
}

/** Idle times and delivery times masked where they stand, in what XPENDING and XINFO tell. */
function timeless(reply: Buffer): Buffer {
  return Buffer.from(
    reply
      .toString("latin1")
      .replace(/(\*4\r\n\$\d+\r\n\d+-\d+\r\n\$\d+\r\n[^\r]*\r\n):\d+/g, "$1:time")
      .replace(/(\*3\r\n\$\d+\r\n\d+-\d+\r\n):\d+/g, "$1:time")
      .replace(/(\r\n(?:idle|inactive|seen-time|active-time)\r\n):\d+/g, "$1:time"),
    "latin1",
  );
}

/** Elements of an unordered collection in any order, also those of a pair or a cursor's. */
const FREE = /^(SCAN|[HSZ]SCAN|COMMAND|SMEMBERS)$/;

function draw(random: Random): Call[] {
  const drawn = random.pick([scan, other, stream, stream, sort, sort]);
  const args = drawn === scan || drawn === other ? drawn(random) : spoilt(random, drawn(random));
  return [{ args, normal: FREE.test(args[0]!) ? sorted : timeless }];
}

export const DATA: Family = {
  name: "data",
  contents: (random) => [
    ...contents(random.below(2) === 0),
    ["RPUSH", "n", "3", "1", "2", "10", "-1.5", "2"],
    ...["1", "2", "3", "a", "b", "10"].flatMap((each, i) => [
      ["SET", `w_${each}`, String(7 - i)],
      ["HSET", `h_${each}`, "f", String((i * 7) % 5)],
    ]),
    ["XADD", "x", "2-1", "f", "v"],
    ["XADD", "x", "2-2", "f", "v", "g", "w"],
    ["XREADGROUP", "GROUP", "a", "c", "COUNT", "2", "STREAMS", "x", ">"],
  ],
  draw,
};
