/** What a connection says of itself and can be told: CLIENT, HELLO, AUTH, SELECT, RESET, ECHO, in and outside of MULTI. */
import type { Random } from "../../../unit/bytes/random.ts";
import { type Call, type Family, spoilt } from "../drawn.ts";

const NAMES = ["me", "a b", "", "\n", "\x7f", "!~", "\xff", "x".repeat(60)];
const NUMBERS = [
  "0",
  "1",
  "15",
  "16",
  "-1",
  "x",
  "",
  "1.5",
  "9223372036854775807",
  "9223372036854775808",
  "999999",
];
/** Of no client. */
const IDS = ["0", "-1", "x", "", "999999", "9223372036854775807", "9223372036854775808"];
const TRACKING = [
  ["BCAST"],
  ["OPTIN"],
  ["OPTOUT"],
  ["NOLOOP"],
  ["PREFIX", "a"],
  ["PREFIX", "ab"],
  ["PREFIX", "b"],
  ["PREFIX", ""],
  ["REDIRECT", "999999"],
  ["REDIRECT", "0"],
  ["REDIRECT", "x"],
  ["PREFIX"],
  ["bcast"],
  ["x"],
];
const KILL = [
  ["ID", "999999"],
  ["ID", "0"],
  ["ID", "x"],
  ["ID", "-1"],
  ["TYPE", "normal"],
  ["TYPE", "pubsub"],
  ["TYPE", "replica"],
  ["TYPE", "slave"],
  ["TYPE", "master"],
  ["TYPE", "x"],
  ["ADDR", "1.2.3.4:5"],
  ["ADDR", ""],
  ["LADDR", "1.2.3.4:5"],
  ["USER", "default"],
  ["USER", "none"],
  ["SKIPME", "yes"],
  ["SKIPME", "YES"],
  ["SKIPME", "x"],
  ["x", "y"],
  ["ID"],
];

/** What is not the same on both, or on a pipeline's way through them, is masked. */
function normal(reply: Buffer): string {
  return reply
    .toString("latin1")
    .replace(
      /\b(id|fd|age|idle|qbuf|qbuf-free|argv-mem|multi-mem|rbs|rbp|obl|oll|omem|tot-mem)=-?\d+/g,
      "$1=",
    )
    .replace(/\b(l?addr)=\S+/g, "$1=")
    .replace(/([$=])\d+\r\n((txt:)?id=)/g, "$1$2")
    .replace(/(\r\nid\r\n):\d+/g, "$1");
}

function options(random: Random, from: readonly string[][]): string[] {
  return Array.from({ length: random.below(4) }, () => random.pick(from)).flat();
}

function client(random: Random): string[] {
  switch (random.below(17)) {
    case 0:
    case 1:
    case 2:
      return [
        "CLIENT",
        "TRACKING",
        random.pick(["on", "on", "ON", "off", "x"]),
        ...options(random, TRACKING),
      ];
    case 3:
    case 4:
      return ["CLIENT", "TRACKINGINFO"];
    case 5:
      return ["CLIENT", "CACHING", random.pick(["yes", "no", "YES", "x"])];
    case 6:
      return ["CLIENT", "GETREDIR"];
    case 7:
      return ["CLIENT", "KILL", ...options(random, KILL)];
    case 8:
      return [
        "CLIENT",
        "LIST",
        ...random.pick([
          [],
          ["TYPE", "normal"],
          ["TYPE", random.pick(["pubsub", "master", "replica", "x"])],
          ["ID", random.pick(IDS)],
          ["ID", random.pick(IDS), random.pick(IDS)],
        ]),
      ];
    case 9:
    case 10:
      return ["CLIENT", "INFO"];
    case 11:
      return [
        "CLIENT",
        random.pick(["NO-EVICT", "NO-TOUCH", "no-touch"]),
        random.pick(["on", "off", "ON", "x", ""]),
      ];
    case 12:
      return ["CLIENT", random.pick(["SETNAME", "setname"]), random.pick(NAMES)];
    case 13:
      return [
        "CLIENT",
        "SETINFO",
        random.pick(["lib-name", "LIB-VER", "Lib-Name", "x", ""]),
        random.pick(NAMES),
      ];
    case 14:
      return [
        "CLIENT",
        "UNBLOCK",
        random.pick(IDS),
        ...random.pick([[], ["TIMEOUT"], ["error"], ["x"], ["TIMEOUT", "x"]]),
      ];
    case 15:
      return [
        "CLIENT",
        "PAUSE",
        random.pick(["0", "1", "-1", "x", "", "9223372036854775807", "9223372036854775808", "1.5"]),
        ...random.pick([[], ["WRITE"], ["all"], ["x"], ["ALL", "x"]]),
      ];
    default:
      return random.pick([
        ["CLIENT", "GETNAME"],
        ["CLIENT", "UNPAUSE"],
        ["CLIENT", "REPLY", "x"],
        ["CLIENT", "REPLY", "on"],
        ["CLIENT"],
        ["CLIENT", "x"],
        ["CLIENT", "NO-TOUCH"],
      ]);
  }
}

function other(random: Random): string[] {
  switch (random.below(8)) {
    case 0:
    case 1:
      return [
        "HELLO",
        ...random.pick([[], ["2"], ["3"], ["3"], ["1"], ["4"], ["x"], [""], ["9223372036854775808"]]),
        ...options(random, [
          ["AUTH", "default", "x"],
          ["SETNAME", random.pick(NAMES)],
          ["auth", "default", ""],
          ["SETNAME"],
          ["AUTH", "default"],
          ["x"],
        ]),
      ];
    case 2:
      return ["SELECT", random.pick(NUMBERS)];
    case 3:
      return random.pick([["ECHO", "x"], ["ECHO"], ["PING"], ["PING", "x"], ["PING", "x", "y"]]);
    case 4:
      return ["RESET", ...(random.below(3) === 0 ? ["x"] : [])];
    case 5:
      return ["AUTH", ...random.pick([["x"], ["default", "x"], ["default", ""], ["default", "x", "y"], []])];
    case 6:
      return random.pick([
        ["MULTI"],
        ["EXEC"],
        ["DISCARD"],
        ["WATCH", "s"],
        ["UNWATCH"],
        ["WATCH"],
        ["MULTI", "x"],
      ]);
    default:
      return random.pick([
        ["SWAPDB", random.pick(NUMBERS), random.pick(NUMBERS)],
        ["READONLY"],
        ["READWRITE"],
        ["ASKING"],
        ["LASTSAVE", "x"],
        ["TIME", "x"],
        ["ROLE"],
        ["DBSIZE"],
        ["FLUSHDB", "x"],
        ["FLUSHALL", "SYNC", "x"],
        ["MOVE", "none", random.pick(NUMBERS)],
        ["COPY", "none", "b", "DB", random.pick(NUMBERS)],
        ["COPY", "none", "none", "REPLACE"],
      ]);
  }
}

function draw(random: Random): Call[] {
  return [{ args: spoiltButFor(random, random.below(3) > 0 ? client(random) : other(random)), normal }];
}

function spoiltButFor(random: Random, args: string[]): string[] {
  // Spoilt, these would take a word that only later versions know, close the connection, not be answered at all, or
  // change keys, which a client that tracks them is told.
  if (/^CLIENT (LIST|KILL|REPLY)|AUTH|FLUSH|COPY|MOVE/i.test(args.join(" "))) return args;
  const changed = spoilt(random, args);
  return changed[1] === "LIST" ? args : changed;
}

export const SESSIONS: Family = { name: "sessions", contents: () => [["SET", "s", "1"]], draw };
