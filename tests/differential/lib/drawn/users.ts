/** Rules of users, what ACL says of them, and what such a user may then run. */
import type { Random } from "../../../unit/bytes/random.ts";
import type { Call, Family } from "../drawn.ts";
import { contents } from "../grammar.ts";
import { sorted } from "../pair.ts";

const words = (text: string): string[] => text.trim().split(/\s+/);
const lines = (text: string): string[][] =>
  text
    .trim()
    .split(/\s*\n\s*/)
    .map(words);

const CATEGORIES =
  words(`keyspace read write set sortedset list hash string bitmap hyperloglog geo stream pubsub admin
  fast slow blocking dangerous connection transaction scripting all ALL Read none`);
const COMMANDS =
  words(`get set del GET config client|id client|kill CLIENT|List config|get config|set acl|whoami object|encoding
  script|load function|list xgroup|create publish subscribe psubscribe spublish eval fcall sort copy rename zunionstore
  multi exec ping echo select select|0 get|x config|none none memory|usage xread getex bitfield migrate command command|info`);
const KEYS = words(
  "~* ~a* ~k ~s ~l ~h ~? ~[a-m] %R~* %W~* %RW~s %R~s %W~s %R~l %W~l %WR~x %~s %X~s %R %RR~z ~ %R~",
);
const CHANNELS = words("&* &c &c* &news.? & &[a-c]");
const WHOLE =
  words(`allkeys resetkeys allchannels resetchannels allcommands nocommands +@all -@all clearselectors on reset
  sanitize-payload skip-sanitize-payload`);
const OWN = words(`on off nopass resetpass >pw >other <pw <none ># !abc #abc ON >
  #c3ab8ff13720e8ad9047dd39466b3c8974e592c2fa383d4a3960714caef0c4f2
  !c3ab8ff13720e8ad9047dd39466b3c8974e592c2fa383d4a3960714caef0c4f2`);
/** Not "%", which Redis takes and then falls over. */
const ODD = [
  "",
  "foo",
  "+",
  "-",
  "+@",
  "-@",
  "~",
  "(",
  ")",
  "()",
  "(+get",
  "+get)",
  "(+foo)",
  "(~* (+get))",
  "a b",
  "(on)",
  "(>pw)",
];

const CALLS = lines(`
  GET s
  GET a
  SET s v
  SET s v GET
  GETEX s
  GETEX s PERSIST
  DEL s l
  MGET s l h
  MSET s 1 a 2
  COPY s a
  COPY l a DB 1
  RENAME s a
  SORT l
  SORT l BY nosort
  SORT l BY w_* GET # ALPHA
  SORT l STORE a ALPHA
  SORT_RO l ALPHA
  LMOVE l l2 LEFT RIGHT
  LMPOP 2 l l2 LEFT
  BLPOP none 0.01
  ZUNIONSTORE a 2 z z2
  ZRANGESTORE a z 0 -1
  ZINTER 2 z z2
  SINTERSTORE set3 set set2
  GEORADIUS geo 0 0 1 km
  GEORADIUS geo 0 0 1 km STORE a
  GEOSEARCHSTORE a geo FROMMEMBER a BYRADIUS 1 km
  XREAD COUNT 1 STREAMS x x2 0 0
  XREADGROUP GROUP a c STREAMS x >
  XGROUP CREATE x g 0
  XADD x * a b
  BITFIELD s GET u8 0
  BITFIELD s SET u8 0 1
  BITOP AND a s t
  PFCOUNT pf
  PFMERGE pf pf2
  EVAL return#1 1 s
  EVAL return#1 0
  EVALSHA none 1 s
  FCALL f 1 s
  PUBLISH c m
  PUBLISH d m
  SPUBLISH c m
  PUBSUB CHANNELS
  OBJECT ENCODING s
  MEMORY USAGE s
  CONFIG GET maxmemory
  CONFIG SET maxmemory 0
  CONFIG RESETSTAT
  CLIENT ID
  CLIENT LIST ID 999999
  CLIENT GETNAME
  ACL WHOAMI
  ACL LIST
  COMMAND COUNT
  COMMAND INFO get
  SCRIPT EXISTS x
  FUNCTION LIST
  PING
  ECHO x
  SELECT 0
  KEYS none
  SCAN 999
  EXISTS s a
  DUMP none
  SWAPDB 0 0
  FLUSHDB x
  LATENCY RESET
  TOUCH s
  TYPE s
  EXPIRE s 10000
  MIGRATE h 1 s 0 1 COPY
  NOPE
  GET
  CONFIG
  CONFIG NOPE
`).map((call) => call.map((word) => word.replace("#1", " 1")));
/** What waits for a subscription, or does not answer, only asked about. */
const ASKED = lines(`
  SUBSCRIBE c
  SUBSCRIBE c d
  PSUBSCRIBE c*
  PSUBSCRIBE *
  SSUBSCRIBE c
  UNSUBSCRIBE
  MONITOR
  SHUTDOWN
  MULTI
  EXEC
  AUTH x
  RESET
  QUIT
`);

function rule(random: Random, own: boolean): string {
  const sign = random.pick(["+", "+", "-"]);
  switch (random.below(own ? 12 : 9)) {
    case 0:
    case 1:
      return sign + random.pick(COMMANDS);
    case 2:
    case 3:
      return `${sign}@${random.pick(CATEGORIES)}`;
    case 4:
      return random.pick(KEYS);
    case 5:
      return random.pick(CHANNELS);
    case 6:
      return random.pick(WHOLE.slice(0, own ? undefined : 8));
    case 7:
      return random.below(3) === 0 ? random.pick(ODD) : random.pick(KEYS.slice(0, 12));
    case 8:
      return `(${Array.from({ length: 1 + random.below(3) }, () => random.pick([sign + random.pick(COMMANDS), `${sign}@${random.pick(CATEGORIES)}`, random.pick(KEYS.slice(0, 12)), random.pick(CHANNELS)])).join(" ")})`;
    case 9:
      return random.pick(ODD);
    default:
      return random.pick(OWN);
  }
}

function rules(random: Random, own: boolean): string[] {
  return Array.from({ length: random.below(6) }, () => rule(random, own));
}

function draw(random: Random): Call[] {
  const user = random.pick(["u", "u", "v"]);
  switch (random.below(9)) {
    case 0:
    case 1:
    case 2:
      return [
        {
          args: ["ACL", "SETUSER", user, ...(random.below(3) === 0 ? ["reset"] : []), ...rules(random, true)],
        },
        { args: ["ACL", "GETUSER", user] },
        { args: ["ACL", "LIST"], normal: sorted },
      ];
    case 3:
    case 4:
    case 5:
      return Array.from({ length: 3 }, () => ({
        args: ["ACL", "DRYRUN", user, ...random.pick([...CALLS, ...ASKED])],
      }));
    case 6:
      return [
        {
          args: random.pick([
            ["ACL", "DELUSER", "v", "none"],
            ["ACL", "DELUSER", "default"],
            ["ACL", "CAT", "none", "none"],
            ["ACL", "USERS"],
            ["ACL", "WHOAMI"],
            ["ACL", "GETUSER", "none"],
            ["ACL", "DRYRUN", "none", "get", "s"],
            ["ACL", "LOG", "RESET", "x"],
            ["ACL", "GENPASS", random.pick(["x", "0", "-1", "5000"])],
            ["ACL", "LOG", random.pick(["RESET", "0", "x", "-1"])],
            ["ACL", "SETUSER"],
            ["ACL", "DELUSER"],
            ["ACL", "SETUSER", "a b", "on"],
          ]),
          normal: sorted,
        },
      ];
    default: {
      // Whatever of it is refused, the user can log in.
      const given = ["ACL", "SETUSER", "w", "reset", "on", "nopass", ...rules(random, false)];
      const asked = Array.from({ length: 6 }, () => random.pick(CALLS));
      return [
        { args: ["ACL", "SETUSER", "w", "reset", "on", "nopass"] },
        { args: given },
        { args: ["AUTH", "w", "x"] },
        ...asked.map((args) => ({ args, normal: shape })),
        { args: ["AUTH", "default", "x"] },
        { args: ["ACL", "LOG"], normal: withoutTimes },
        ...contents(false).map((args) => ({ args, normal: () => "" })),
      ];
    }
  }
}

/** Refusals to the letter; of other replies, which are tested elsewhere, what kind they are. */
function shape(reply: Buffer): Buffer {
  return reply[0] === 45 ? reply : reply.subarray(0, 1);
}

function withoutTimes(reply: Buffer): string {
  return reply
    .toString("latin1")
    .replace(/(age-seconds\r\n)(\$\d+\r\n[\d.e+-]+|,[\d.e+-]+)/g, "$1")
    .replace(/((entry-id|timestamp-created|timestamp-last-updated)\r\n):\d+/g, "$1")
    .replace(/\$\d+\r\nid=\d+ [^\n]*\n/g, "");
}

export const USERS: Family = {
  name: "users",
  contents: () => [
    ["ACL", "DELUSER", "u", "v", "w"],
    ["ACL", "LOG", "RESET"],
    ["ACL", "SETUSER", "u"],
    ["ACL", "SETUSER", "v"],
    ...contents(false),
  ],
  draw,
};
