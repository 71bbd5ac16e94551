/** Lists: replies, errors, encodings and their conversions. Keys begin with "list", see differences.ts. */
import type { Scripts } from "../lib/suite.ts";

const lines = (items: readonly string[], line: (item: string) => string) => items.map(line).join("\n");

const INTEGERS = [
  "0",
  "-0",
  "1",
  "-1",
  "2",
  "-3",
  "100",
  "-100",
  "01",
  "+1",
  "' 1'",
  "1.0",
  "x",
  "''",
  "9223372036854775807",
  "-9223372036854775808",
  "-9223372036854775807",
  "9223372036854775808",
];

// LSET's index is cut to 32 bits in Redis, so it gets no larger ones here.

/** What a listpack keeps as an integer, and what it does not. */
const VALUES =
  "0 1 127 128 -1 -4096 4095 4096 -4097 32767 -32768 32768 8388607 -8388608 8388608 2147483647 -2147483648 " +
  "2147483648 9007199254740993 9223372036854775807 -9223372036854775808 9223372036854775808 01 -0 +1 1.5 '' x " +
  `"\\x00\\xff" "a\\r\\nb" ${"y".repeat(63)} ${"y".repeat(64)} ${"z".repeat(4095)} ${"z".repeat(4096)}`;

const COMMANDS_OF_LISTS = [
  "LPUSH k v",
  "RPUSH k v",
  "LPUSHX k v",
  "RPUSHX k v",
  "LINSERT k BEFORE a b",
  "LLEN k",
  "LINDEX k 0",
  "LINDEX k x",
  "LSET k 0 v",
  "LSET k x v",
  "LPOP k",
  "RPOP k",
  "LPOP k 0",
  "LPOP k 2",
  "LRANGE k 0 -1",
  "LTRIM k 0 -1",
  "LPOS k v",
  "LPOS k v COUNT 0",
  "LREM k 0 v",
  "LMOVE k list1 LEFT LEFT",
  "LMOVE list1 k LEFT LEFT",
  "LMOVE missing k LEFT LEFT",
  "RPOPLPUSH k list1",
  "RPOPLPUSH list1 k",
  "LMPOP 1 k LEFT",
  "LMPOP 2 missing k LEFT",
  "BLPOP k 1",
  "BRPOP missing k 1",
  "BLMPOP 1 2 missing k RIGHT",
  "BLMOVE k list1 LEFT LEFT 1",
  "BLMOVE list1 k LEFT LEFT 1",
  "BRPOPLPUSH k list1 1",
  "SORT k",
];

const TIMEOUTS = ["-1", "x", "''", "1e400", "nan", "' 1'", "'1 '", "1e20", "0x1", "9223372036854775807"];

export const LISTS: Scripts = {
  "both ends": `
    %probe list1
    LPUSH list1 a
    LPUSH list1 b c d
    RPUSH list1 e f
    LPUSHX missing a
    RPUSHX missing a b
    EXISTS missing
    LPUSHX list1 x y
    RPUSHX list1 z
    LRANGE list1 0 -1
    LLEN list1
    LLEN missing
    LPOP list1
    RPOP list1
    LPOP list1 2
    RPOP list1 2
    LPOP list1 0
    LPOP missing
    LPOP missing 1
    LPOP missing 0
    RPOP missing
    RPOP missing 0
    LPOP list1 1 2
    RPOP list1 1 2
    LPOP missing 1 2
    LRANGE list1 0 -1
    PEXPIREAT list1 4102444800123
    RPUSH list1 more
    RPOP list1 100
    EXISTS list1
    RPUSH list1 again
    PEXPIRETIME list1
    LPOP list1
    EXISTS list1
    ${lines(INTEGERS, (n) => `RPUSH list2 a b c\nLPOP list2 ${n}\nRPOP list2 ${n}\nLPOP missing ${n}`)}
    LRANGE list2 0 -1
  `,
  values: `
    %probe list1
    RPUSH list1 ${VALUES}
    LRANGE list1 0 -1
    LPUSH list2 ${VALUES}
    LRANGE list2 0 -1
    LRANGE list2 3 20
    RPOP list2 100
    RPUSH list2 ${VALUES}
    LPOP list2 100
    ${lines(VALUES.split(" "), (value) => `LPOS list1 ${value}\nLREM list1 0 ${value}`)}
    EXISTS list1
  `,
  "indexes and ranges": `
    RPUSH list1 a b c d e
    ${lines(INTEGERS, (n) => `LINDEX list1 ${n}\nLINDEX missing ${n}\nLSET list1 ${n.replace(/\d{19}/, "999")} v${n}\nLSET missing ${n} v`)}
    LRANGE list1 0 -1
    ${lines(INTEGERS, (n) => `LRANGE list1 ${n} -1\nLRANGE list1 0 ${n}\nLRANGE list1 ${n} ${n}\nLRANGE missing ${n} 1`)}
    ${lines(INTEGERS, (n) => `DEL list2\nRPUSH list2 a b c d e\nLTRIM list2 ${n} -1\nLRANGE list2 0 -1\nEXISTS list2`)}
    ${lines(INTEGERS, (n) => `DEL list2\nRPUSH list2 a b c d e\nLTRIM list2 1 ${n}\nLRANGE list2 0 -1\nEXISTS list2`)}
    LTRIM missing 0 1
    LTRIM list1 1 3
    LTRIM list1 0 -1
    LRANGE list1 0 -1
    LTRIM list1 5 9
    EXISTS list1
  `,
  "LINSERT and LREM": `
    %probe list1
    LINSERT list1 BEFORE a b
    RPUSH list1 a b c b a
    LINSERT list1 BEFORE a x
    LINSERT list1 after b y
    LINSERT list1 AFTER a z
    LINSERT list1 BEFORE nothing z
    LINSERT list1 beside a z
    LINSERT missing beside a z
    LRANGE list1 0 -1
    LREM list1 1 b
    LREM list1 -1 a
    LREM list1 0 nothing
    LREM missing 0 a
    LRANGE list1 0 -1
    RPUSH list1 a a a b b b a a a
    LREM list1 -2 a
    LREM list1 2 b
    LRANGE list1 0 -1
    ${lines(INTEGERS.slice(0, -4), (n) => `LREM list1 ${n} a\nLREM missing ${n} a`)}
    LRANGE list1 0 -1
    LREM list1 0 b
    LREM list1 0 c
    LREM list1 0 x
    LREM list1 0 y
    LREM list1 0 z
    LRANGE list1 0 -1
    EXISTS list1
  `,
  LPOS: `
    RPUSH list1 a b c 1 2 3 c c 7 1
    LPOS list1 a
    LPOS list1 c
    LPOS list1 nothing
    LPOS list1 1
    ${lines(["1", "2", "3", "4", "-1", "-2", "-3", "-4"], (rank) => `LPOS list1 c RANK ${rank}\nLPOS list1 c RANK ${rank} COUNT 0\nLPOS list1 c RANK ${rank} COUNT 2\nLPOS list1 c RANK ${rank} COUNT 0 MAXLEN 4`)}
    LPOS list1 c MAXLEN 2
    LPOS list1 c MAXLEN 3
    LPOS list1 c MAXLEN 0
    LPOS list1 c count 1 maxlen 100 rank 1
    LPOS list1 nothing COUNT 0
    LPOS missing c
    LPOS missing c COUNT 1
    LPOS list1 c RANK
    LPOS list1 c COUNT
    LPOS list1 c FOO 1
    ${lines(INTEGERS, (n) => `LPOS list1 c RANK ${n}\nLPOS list1 c COUNT ${n}\nLPOS list1 c MAXLEN ${n}`)}
  `,
  "moving elements": `
    %probe list1 list2
    RPUSH list1 a b c d 5
    LMOVE list1 list2 LEFT RIGHT
    LMOVE list1 list2 right left
    LMOVE list1 list2 LEFT UP
    LMOVE list1 list2 UP LEFT
    LMOVE missing list2 LEFT LEFT
    LMOVE missing list2 LEFT UP
    LMOVE list1 list1 LEFT RIGHT
    LMOVE list1 list1 LEFT LEFT
    LMOVE list1 list1 RIGHT LEFT
    LRANGE list1 0 -1
    RPOPLPUSH list1 list2
    RPOPLPUSH list2 list2
    RPOPLPUSH missing list2
    RPOPLPUSH list1 list2
    RPOPLPUSH list1 list2
    RPOPLPUSH list1 list2
    LRANGE list2 0 -1
    RPUSH list1 only
    RPOPLPUSH list1 list1
    LMOVE list1 list1 LEFT RIGHT
    LRANGE list1 0 -1
    PEXPIREAT list2 4102444800123
    LMOVE list1 list2 LEFT LEFT
    LMOVE list2 list1 LEFT LEFT
  `,
  LMPOP: `
    RPUSH list1 a b c d e
    RPUSH list2 v w x y z
    LMPOP 1 list1 LEFT
    LMPOP 2 missing list2 RIGHT COUNT 2
    LMPOP 2 list1 list2 left count 100
    EXISTS list1
    LMPOP 2 list1 list2 RIGHT COUNT 1
    LMPOP 1 missing LEFT
    LMPOP 1 missing LEFT COUNT 5
    LMPOP 0 list2 LEFT
    LMPOP -1 list2 LEFT
    LMPOP x list2 LEFT
    LMPOP 1 list2
    LMPOP 2 list2 LEFT
    LMPOP 1 list2 UP
    LMPOP 1 list2 LEFT COUNT
    LMPOP 1 list2 LEFT COUNT 0
    LMPOP 1 list2 LEFT COUNT -1
    LMPOP 1 list2 LEFT COUNT x
    LMPOP 1 list2 LEFT COUNT 1 COUNT 1
    LMPOP 1 list2 LEFT FOO 1
    LMPOP 9223372036854775808 list2 LEFT
    LRANGE list2 0 -1
  `,
  "waiting commands that need not wait": `
    RPUSH list1 a b c d e f g h
    BLPOP list1 0
    BRPOP missing list1 0.5
    BLMPOP 0 2 missing list1 LEFT
    BLMPOP 0 1 list1 RIGHT COUNT 2
    BLMOVE list1 list2 LEFT RIGHT 0
    BRPOPLPUSH list1 list2 0
    LRANGE list1 0 -1
    LRANGE list2 0 -1
    BLPOP list1 1e-9
    RPUSH list2 1 2
    BLMPOP x 1 list2 LEFT
    BLMPOP x 0 list2 LEFT
    BLMPOP 1 1 list2 LEFT COUNT 0
    BLMPOP 1 1 list2 LEFT COUNT
    BLMPOP 1 1 list2
    BLMOVE list2 list1 UP LEFT x
    BLMOVE list2 list1 LEFT UP x
    ${lines(TIMEOUTS, (time) => `RPUSH list2 a b c\nBLPOP list2 ${time}\nBLPOP missing ${time === "0x1" ? "x" : time}\nBLMOVE list2 list2 LEFT RIGHT ${time}\nBRPOPLPUSH list2 list2 ${time}\nBLMPOP ${time} 1 list2 LEFT`)}
    MULTI
    BLPOP missing 0
    BRPOP missing 0
    BLMOVE missing list2 LEFT LEFT 0
    BRPOPLPUSH missing list2 0
    BLMPOP 0 1 missing LEFT
    RPUSH list2 inside
    BLPOP list2 0
    ? EXEC
    alone BLPOP missing 0.01
    alone BRPOP missing also-missing 0.01
    alone BLMOVE missing list2 LEFT LEFT 0.01
    alone BRPOPLPUSH missing list2 0.01
    alone BLMPOP 0.01 1 missing LEFT COUNT 3
  `,
  "other types": `
    RPUSH list1 a b c
    SET k text
    ${lines(COMMANDS_OF_LISTS, (command) => command)}
    GET k
    LRANGE list1 0 -1
    SET list1 text
    GET list1
    RPUSH list3 a
    APPEND list3 x
    INCR list3
    GETRANGE list3 0 1
    SETBIT list3 1 1
    TYPE list3
  `,
  "keys as a whole": `
    RPUSH list1 a b c
    COPY list1 list2
    RPUSH list2 d
    LRANGE list1 0 -1
    LRANGE list2 0 -1
    RENAME list2 list3
    LRANGE list3 0 -1
    MOVE list3 1
    SELECT 1
    LRANGE list3 0 -1
    SELECT 0
    %repeat 2000 RPUSH list4 element:# #
    COPY list4 list5
    LPOP list5 10
    LRANGE list4 0 11
    LRANGE list5 0 -1
    RENAME list4 list6
    LLEN list6
    EXPIREAT list6 1
    EXISTS list6
    DEL list5
  `,
  "many elements": `
    %probe list1
    RPUSH list1 first
    %probe
    %repeat 3000 RPUSH list1 # value:# -#
    LLEN list1
    %repeat 50 LINDEX list1 #00
    %repeat 50 LINDEX list1 -#99
    LRANGE list1 0 99
    LRANGE list1 4000 4100
    LRANGE list1 -50 -1
    LPOS list1 value:2500
    LPOS list1 value:2500 RANK -1
    LPOS list1 -2999 MAXLEN 100 RANK -1
    %repeat 100 LINSERT list1 BEFORE value:#0 inserted
    LPOS list1 inserted COUNT 0
    LREM list1 -30 inserted
    LREM list1 0 inserted
    %repeat 30 LSET list1 #00 set:#
    LPOP list1 1000
    RPOP list1 1000
    LTRIM list1 2000 -2000
    LRANGE list1 0 -1
    LTRIM list1 1500 -1500
    LRANGE list1 0 -1
    LTRIM list1 0 200
    LRANGE list1 0 -1
    %probe list1
    %repeat 150 LPOP list1
    RPOP list1 100
    EXISTS list1
  `,
  "listpack to quicklist and back": `
    CONFIG SET list-max-listpack-size 4
    %probe list1 list2
    RPUSH list1 a b c d
    RPUSH list1 e
    LPOP list1
    LPOP list1
    LPOP list1
    RPUSH list1 x y z
    LTRIM list1 0 1
    RPUSH list2 a b c
    LINSERT list2 BEFORE nothing d
    LINSERT list2 BEFORE nothing e
    LINSERT list2 BEFORE a d
    LINSERT list2 BEFORE a d
    DEL list2
    RPUSH list2 a b c d
    LSET list2 9 x
    LSET list2 0 x
    LREM list2 0 b
    LREM list2 0 c
    LMOVE list2 list1 LEFT RIGHT
    LMOVE list1 list2 LEFT RIGHT
    LMOVE list1 list2 LEFT RIGHT
    LMOVE list1 list2 LEFT RIGHT
    LMOVE list2 list2 LEFT RIGHT
    RPUSH list1 1 2 3 4 5 6 7 8 9
    LMPOP 1 list1 LEFT COUNT 7
    CONFIG SET list-max-listpack-size 100
    RPUSH list1 x
    LPOP list1
    RPUSH list2 1 2 3 4 5 6 7 8 9
    CONFIG SET list-max-listpack-size -1
    DEL list1
    RPUSH list1 ${"a".repeat(4000)}
    RPUSH list1 ${"a".repeat(80)}
    RPUSH list1 ${"a".repeat(20)}
    LSET list1 0 small
    RPUSH list1 ${"a".repeat(5000)}
    LPOP list1
    RPOP list1
    LPUSH list3 ${"a".repeat(5000)}
    OBJECT ENCODING list3
    LSET list3 0 a
    OBJECT ENCODING list3
    CONFIG SET list-max-listpack-size -2
  `,
  "nodes compressed": `
    CONFIG SET list-compress-depth 1
    %repeat 3000 RPUSH list1 the-same-text-over-and-over-again:#
    LRANGE list1 0 -1
    %repeat 30 LINDEX list1 #00
    %repeat 30 LSET list1 #00 set:#
    %repeat 30 LINSERT list1 AFTER set:# inserted:#
    %repeat 30 LREM list1 0 set:#
    LPOS list1 inserted:7
    LRANGE list1 0 -1
    COPY list1 list2
    LTRIM list2 1000 -1000
    LRANGE list2 0 -1
    LPOP list1 2500
    RPOP list1 2500
    CONFIG SET list-compress-depth 0
  `,
};
