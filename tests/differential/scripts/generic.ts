/** Commands on keys of any type, on whole databases, and OBJECT. */
import type { Scripts } from "../lib/suite.ts";

const lines = (items: readonly string[], line: (item: string) => string) => items.map(line).join("\n");

const PATTERNS = [
  "*",
  "?",
  "a*",
  "*a",
  "a?",
  "[ab]*",
  "[^a]*",
  "[a-c]1",
  "[c-a]1",
  "\\\\*",
  "a\\\\*",
  "''",
  "[",
  "[a",
  "[^",
  "a[",
  "\\\\",
  "**",
  "*?*",
  "h?llo",
  "h[^e]llo",
  "h\\\\?llo",
  "[\\\\]]",
  "[]]",
  "A*",
  "*\\x00*",
  "[a-]",
  "[-a]1",
]; // prettier-ignore

const DATABASES = [
  "0",
  "1",
  "15",
  "16",
  "-1",
  "x",
  "''",
  "1.5",
  "99999999999",
  "9223372036854775807",
  "9223372036854775808",
  "2147483647",
  "2147483648",
  "+1",
  "01",
  "' 1'",
];

export const GENERIC: Scripts = {
  "DEL, UNLINK, EXISTS, TOUCH, TYPE": `
    MSET a 1 b 2 c 3 "" 4
    EXISTS a
    EXISTS a a a
    EXISTS a missing b
    EXISTS ""
    TOUCH a b missing a
    TYPE a
    TYPE missing
    TYPE ""
    DEL a a missing
    UNLINK b b
    DEL missing
    UNLINK missing
    DEL ""
    DBSIZE
    DEL
    UNLINK
    EXISTS
    TOUCH
    TYPE
    TYPE a b
    DBSIZE x
  `,
  "RENAME, RENAMENX": `
    RENAME a b
    RENAMENX a b
    SET a 1
    SET b 2
    RENAMENX a b
    RENAMENX a a
    RENAME a a
    RENAME a b
    %probe a b c
    RENAME b c
    SET a x PXAT 4102444800123
    RENAME a c
    SET a y
    RENAME c a
    RENAME a c
    SET a z PXAT 4102444800124
    RENAME c a
    RENAMENX a c
    RENAMENX c ""
    RENAME "" "\\x00"
    GET "\\x00"
    APPEND b raw
    RENAME b c
    RENAME a
    RENAME a b c
    RENAMENX a
  `,
  COPY: `
    COPY a b
    SET a 1
    COPY a a
    COPY a b
    COPY a b
    COPY a b REPLACE
    COPY a b DB
    COPY a b DB x
    COPY a b FOO
    COPY a b REPLACE FOO
    COPY a b replace db 1
    COPY a a DB 1
    COPY a a DB 1 REPLACE
    COPY a a DB 0
    COPY a c DB 1 DB 2
    ${lines(DATABASES, (d) => `COPY a c DB ${d}`)}
    %probe a b c
    SET a v PXAT 4102444800123
    COPY a b REPLACE
    SET b w
    COPY b a REPLACE
    APPEND a x
    COPY a b REPLACE
    SET a aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    COPY a b REPLACE
    INCRBYFLOAT c 1
    COPY c a REPLACE
    SELECT 1
    GET a
    PEXPIRETIME a
    COPY a b
  `,
  MOVE: `
    SET a 1 PXAT 4102444800123
    ${lines(
      DATABASES.filter((d) => d !== "15"),
      (d) => `MOVE missing ${d}`,
    )}
    MOVE a 0
    MOVE a 1
    EXISTS a
    MOVE a 1
    SET a 2
    MOVE a 1
    SELECT 1
    %probe a
    MOVE a 0
    DEL a
    SELECT 0
    MOVE a 1
    MOVE a
    MOVE a 1 2
    SELECT 1
    MOVE a 1
  `,
  "SELECT, SWAPDB": `
    ${lines(DATABASES, (d) => `SELECT ${d}\nDBSIZE`)}
    SELECT
    SELECT 1 2
    SELECT 0
    SET a 0 PXAT 4102444800123
    SELECT 1
    SET a 1
    SET b 1
    SWAPDB 0 1
    %probe a b
    SELECT 0
    SELECT 1
    SWAPDB 1 1
    SWAPDB 0 9
    SELECT 9
    SELECT 0
    %probe
    ${lines(DATABASES, (d) => `SWAPDB ${d} 0`)}
    ${lines(DATABASES, (d) => `SWAPDB 0 ${d}`)}
    SWAPDB 0
    SWAPDB 0 1 2
    SWAPDB x y
  `,
  "FLUSHDB, FLUSHALL, DBSIZE": `
    MSET a 1 b 2
    SELECT 1
    MSET c 1
    FLUSHDB
    DBSIZE
    SELECT 0
    DBSIZE
    SELECT 1
    SET d 1
    SELECT 0
    FLUSHDB ASYNC
    DBSIZE
    FLUSHDB sync
    FLUSHDB FOO
    FLUSHDB SYNC ASYNC
    FLUSHALL FOO
    FLUSHALL ASYNC SYNC
    SELECT 1
    DBSIZE
    FLUSHALL ASYNC
    DBSIZE
    SET a 1
    FLUSHALL SYNC
    DBSIZE
    SET a 1
    GET a
  `,
  KEYS: `
    MSET a 1 a1 2 b1 3 c1 4 hello 5 hallo 6 "h?llo" 7 "" 8 "]" 9 "*" 10 "\\x00" 11 "a*" 12 "\\\\" 13 "-1" 14 "a-" 15
    ${lines(PATTERNS, (p) => `sorted KEYS ${p.startsWith("'") ? p : `"${p}"`}`)}
    KEYS
    KEYS a b
    SET gone 1 PX 1
    until 0 EXISTS gone
    sorted KEYS *
  `,
  SCAN: `
    SCAN 0
    SCAN -1
    SCAN +1
    MSET a 1 b 2 c 3
    ? SCAN 0 COUNT 1000
    SCAN 0 COUNT 1000 MATCH b
    SCAN 0 COUNT 1000 MATCH nothing
    SCAN 0 COUNT 1000 MATCH a TYPE string
    SCAN 0 COUNT 1000 TYPE list
    SCAN 0 COUNT 1000 TYPE STRING MATCH c
    SCAN 0 COUNT 1000 TYPE foo
    SCAN 0 COUNT 0
    SCAN 0 COUNT -1
    SCAN 0 COUNT x
    SCAN 0 COUNT 9223372036854775808
    SCAN 0 COUNT
    SCAN 0 MATCH
    SCAN 0 TYPE
    SCAN 0 FOO
    SCAN 0 FOO 1
    SCAN x
    sorted SCAN ""
    SCAN " 1"
    SCAN "1 "
    SCAN 1.5
    SCAN 99999999999999999999
    SCAN 18446744073709551616
    SCAN x COUNT x
    SCAN
    SET gone 1 PX 1
    until 0 EXISTS gone
    SCAN 0 COUNT 1000 MATCH g*
  `,
  RANDOMKEY: `
    RANDOMKEY
    SET only 1
    RANDOMKEY
    SET gone 1 PX 1
    until 0 EXISTS gone
    RANDOMKEY
    SET b 2
    ? RANDOMKEY
    RANDOMKEY x
  `,
  "needs LPUSH, SADD, HSET, ZADD: keys of other types": `
    LPUSH l a
    SADD s a
    HSET h f v
    ZADD z 1 a
    ${lines(
      ["l", "s", "h", "z"],
      (k) => `
    TYPE ${k}
    COPY ${k} copy${k}
    RENAME copy${k} moved${k}
    MOVE moved${k} 1
    SCAN 0 COUNT 1000 MATCH ${k} TYPE string
    OBJECT ENCODING ${k}
    PEXPIREAT ${k} 4102444800123
    PEXPIRETIME ${k}
    PERSIST ${k}`,
    )}
    SCAN 0 COUNT 1000 TYPE list
    SCAN 0 COUNT 1000 TYPE zset
    sorted KEYS *
    DEL l s h z
    DBSIZE
  `,
};

export const OBJECT: Scripts = {
  OBJECT: `
    OBJECT
    OBJECT FOO
    OBJECT FOO k
    OBJECT ENCODING
    OBJECT ENCODING missing
    OBJECT ENCODING a b
    OBJECT REFCOUNT missing
    OBJECT IDLETIME missing
    OBJECT FREQ missing
    SET a 1
    SET b 10000
    SET c abc
    SET d -1
    OBJECT REFCOUNT a
    OBJECT REFCOUNT b
    OBJECT REFCOUNT c
    OBJECT REFCOUNT d
    INCR a
    OBJECT REFCOUNT a
    ~1 OBJECT IDLETIME a
    OBJECT FREQ a
    OBJECT HELP x
    OBJECT IDLETIME
    OBJECT FREQ
    OBJECT REFCOUNT
    object encoding a
    ? OBJECT HELP
  `,
  "OBJECT ENCODING after each kind of write": `
    %probe k
    SET k 1
    APPEND k 2
    SET k 1
    SETRANGE k 0 2
    SET k 1
    SETBIT k 1 0
    SET k 1
    INCRBYFLOAT k 1
    INCR k
    INCRBYFLOAT k 0.5
    SET k abc
    SETBIT k 1 1
    SET k abc
    GETEX k PERSIST
    BITFIELD k SET u8 0 1
    SET k 12
    BITFIELD k GET u8 0
    BITFIELD k INCRBY u8 0 0
    BITOP NOT k k
    BITOP NOT k k
    INCR k
    GETSET k 5
    SET k 5 KEEPTTL
    SETNX k 6
    MSET k 7
    PFADD h a
    COPY h k REPLACE
    RENAME k l
    %probe l
    PERSIST l
    PEXPIREAT l 4102444800123
    PERSIST l
  `,
};
