/** Streams: IDs at the ends of their ranges, options in every order, groups and what is pending in them. */
import type { Scripts } from "../lib/suite.ts";

const lines = (items: readonly string[], line: (item: string) => string) => items.map(line).join("\n");

const MAX = "18446744073709551615";

const IDS = [
  "0-0",
  "0",
  "0-1",
  "1",
  "1-",
  "-1",
  "-",
  "+",
  "--",
  "1--1",
  "1-1-1",
  "1-*",
  "1-**",
  "*-1",
  "*",
  "$",
  ">",
  "(1",
  "(1-1",
  "(",
  "((1",
  "(-",
  "(+",
  "''",
  "x",
  "1-x",
  "x-1",
  "+1",
  "+1-+1",
  "01-01",
  "' 1- 1'",
  "'1 '",
  "'1- -5'",
  "1--5",
  "1--05",
  "1.0-1",
  `${MAX}`,
  `${MAX}-${MAX}`,
  `(${MAX}-${MAX}`,
  "18446744073709551616",
  "1-18446744073709551616",
  "18446744073709551614-18446744073709551615",
  "9007199254740991-9007199254740992",
  "9223372036854775807-9223372036854775808",
  "4294967295-4294967296",
  "4294967296-4294967295",
  '"1-1\\x00x"',
  "1".repeat(127),
  "1".repeat(128),
  `1-${"0".repeat(120)}1`,
  `1-${"0".repeat(125)}1`,
];

/** Those that do not depend on the clock. */
const NO_CLOCK = IDS.filter((id) => id !== "*");

const NUMBERS = [
  "0",
  "1",
  "-1",
  "x",
  "''",
  "1.5",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
  "01",
]; // prettier-ignore

export const STREAMS: Scripts = {
  "IDs, wherever they are taken": `
    SET str x
    ${lines(NO_CLOCK, (id) => `DEL s\nXADD s ${id} a 1\nXADD s ${id} a 1\nXRANGE s - +\nXINFO STREAM s`)}
    DEL s
    %repeat 20 XADD s #-# n #
    XADD s 4294967296-4294967296 a b
    XADD s 9007199254740993-9007199254740993 a b
    XADD s 18446744073709551614-18446744073709551615 a b
    XGROUP CREATE s g 0
    ${lines(
      IDS,
      (id) => `
      XRANGE s ${id} +
      XRANGE s - ${id}
      XRANGE s ${id} ${id}
      XREVRANGE s ${id} -
      XREVRANGE s + ${id} COUNT 2
      XREAD COUNT 3 STREAMS s ${id}
      XREADGROUP GROUP g c COUNT 2 STREAMS s ${id}
      XDEL s ${id}
      XDEL s 3-3 ${id}
      XACK s g ${id} 1-1
      XPENDING s g ${id} + 0
      XCLAIM s g c 0 ${id} JUSTID
      XAUTOCLAIM s g c 100000000 ${id} JUSTID
      XTRIM s MINID ${id}
      XSETID s ${id}
      XSETID s 18446744073709551615-18446744073709551615 MAXDELETEDID ${id}
      XGROUP SETID s g ${id}
      XGROUP CREATE s g-${id.replace(/['"\\]/g, "")} ${id}
      XINFO GROUPS s
      XRANGE str ${id} ${id}
    `,
    )}
    XINFO STREAM s
  `,
  XADD: `
    XADD
    XADD s
    XADD s *
    XADD s * a
    XADD s * a b c
    XADD s 1-1 a
    XADD s MAXLEN 1 *
    XADD s NOMKSTREAM * a b
    XADD s NOMKSTREAM 1-1 a
    EXISTS s
    XADD s 1-1 a 1
    XADD s 1-1 a 1
    XADD s 0-5 a 1
    XADD s 0-* a 1
    XADD s 1-* a 1
    XADD s 1 b 2
    XADD s 2 b 2
    XADD s 2-* b 2 c 3
    XADD s nomkstream 3-* b 2 c 3
    XADD s NOMKSTREAM NOMKSTREAM 3-* "" ""
    ? XADD s * a b
    XLEN s
    XTRIM s MAXLEN 0
    XADD z 0-* a b
    XADD z 5-18446744073709551615 a b
    XADD z 5-* a b
    XADD z 6-* a b
    XADD z 18446744073709551615-18446744073709551614 a b
    XADD z * a b
    XADD z * a b
    XADD z 18446744073709551615-* a b
    XADD z 18446744073709551615-18446744073709551615 a b
    XRANGE z - +
    XREVRANGE z + -
    SET str x
    XADD str * a b
    XADD str 0-0 a b
    XADD str x a b
    XADD str 1-1 a
    DEL m
    XADD m 1-1 a 1 b 2
    XADD m 1-2 a 3 b 4
    XADD m 1-3 b 3 a 4
    XADD m 1-4 a 3
    XADD m 1-5 a 3 b 4 c 5
    XADD m 1-6 a 3 a 4
    XADD m 2-1 123 456 -5 4294967296
    XADD m 3-9 a 9223372036854775807 b -9223372036854775808
    XADD m 4-0 a 9223372036854775808 b 00012
    XADD m 1000000-9999999 a "" b "\\x00\\xff\\r\\n"
    XADD m 1000000-99999999999999 "" "" "" ""
    XADD m 9999999999999-0 a ${"x".repeat(63)} b ${"y".repeat(64)}
    XADD m 9999999999999-1 ${"k".repeat(63)} ${"x".repeat(126)} ${"k".repeat(64)} ${"y".repeat(127)}
    XADD m 9999999999999-2 ${"k".repeat(63)} ${"x".repeat(4095)} ${"k".repeat(64)} ${"y".repeat(4096)}
    XADD m 9999999999999-3 ${"k".repeat(300)} ${"x".repeat(70000)}
    XADD m 9999999999999-4 a 1 b 2
    XADD m 18446744073709551615-1 a 1 b 2
    XRANGE m - +
    XREVRANGE m + -
    XINFO STREAM m
    XRANGE m (1-2 (1-6
    XREVRANGE m 9999999999999-2 1000000 COUNT 3
    OBJECT ENCODING m
    TYPE m
  `,
  "trimming options": `
    %repeat 10 XADD s #-1 n #
    ${lines(NUMBERS, (n) => `XTRIM s MAXLEN ${n} x\nXTRIM nokey MAXLEN ${n}\nXTRIM nokey MAXLEN ~ ${n}\nXTRIM nokey MAXLEN = 1 LIMIT ${n}\nXTRIM nokey MAXLEN ~ 1 LIMIT ${n}\nXTRIM nokey MINID ${n}\nXADD nokey NOMKSTREAM MAXLEN ~ 1 LIMIT ${n} * a b\nXADD nokey NOMKSTREAM LIMIT ${n} * a b\nXADD nokey NOMKSTREAM LIMIT ${n} MAXLEN ~ 1 * a b`)}
    XTRIM s
    XTRIM s MAXLEN
    XTRIM s MAXLEN =
    XTRIM s MAXLEN ~
    XTRIM s MAXLEN = ~ 1
    XTRIM s MAXLEN == 1
    XTRIM s MINID ~
    XTRIM s FOO 1
    XTRIM s MAXLEN 5 MINID 5
    XTRIM s MINID 5 MAXLEN 5
    XTRIM s MAXLEN 5 MAXLEN 5
    XTRIM s LIMIT 5
    XTRIM s LIMIT 0
    XTRIM s NOMKSTREAM MAXLEN 5
    XTRIM s MAXLEN 8 8
    XTRIM s maxlen 9
    XTRIM s MAXLEN = 8
    XTRIM s MINID 4-1
    XTRIM s MINID = 4-2
    XTRIM s MINID 5
    XINFO STREAM s
    XTRIM s MAXLEN ~ 2
    XTRIM s MAXLEN ~ 0
    XLEN s
    XINFO STREAM s
    %repeat 10 XADD s 20-# n #
    XTRIM s MINID ~ 20-5
    XTRIM s MAXLEN ~ 0 LIMIT 5
    XTRIM s LIMIT 0 MAXLEN ~ 0
    XLEN s
    XADD s MAXLEN 3 MINID 4 * a b
    XADD s MAXLEN 3 30-1 a b
    XADD s MAXLEN 0 30-2 a b
    XADD s MAXLEN = 1 30-3 a b
    XADD s MINID 30-5 30-4 a b
    XADD s MINID = 30-5 30-5 a b
    XADD s MAXLEN
    XADD s MAXLEN 1
    XADD s MAXLEN ~ 1
    XADD s MAXLEN ~ 1 1
    XADD s MAXLEN ~ *
    XADD s MAXLEN * a b
    XINFO STREAM s
    XADD s MAXLEN 18446744073709551615 31-1 a b
    XADD MAXLEN 5 * a b
  `,
  "nodes of a hundred, of a few, of one": `
    ${["100", "3", "1", "0"]
      .map(
        (entries) => `
      DEL s
      CONFIG SET stream-node-max-entries ${entries}
      %repeat 250 XADD s #-# field value# other #
      XINFO STREAM s
      XTRIM s MAXLEN ~ 200
      XINFO STREAM s
      XTRIM s MAXLEN 190
      XINFO STREAM s
      XTRIM s MINID ~ 90
      XTRIM s MINID 95
      XINFO STREAM s
      %repeat 120 XDEL s #-# 200-200
      XINFO STREAM s
      XRANGE s - + COUNT 5
      XREVRANGE s + - COUNT 5
      XRANGE s 150 160
      XREVRANGE s 160 150
      %repeat 10 XADD s MAXLEN ~ 50 300-# x y
      XINFO STREAM s
      XADD s MAXLEN ~ 10 LIMIT 30 301-1 x y
      XADD s MAXLEN ~ 0 LIMIT 5 301-2 x y
      XADD s MAXLEN ~ 0 LIMIT 0 301-3 x y
      XINFO STREAM s
    `,
      )
      .join("\n")}
    CONFIG SET stream-node-max-entries 100
    ${["0", "1", "64", "300", "1000"]
      .map(
        (bytes) => `
      DEL s
      CONFIG SET stream-node-max-bytes ${bytes}
      %repeat 60 XADD s #-# field value# other #
      XINFO STREAM s
      XADD s 70-1 big ${"x".repeat(2000)}
      XADD s 70-2 big ${"x".repeat(20)}
      XINFO STREAM s
    `,
      )
      .join("\n")}
    CONFIG SET stream-node-max-bytes 4096
  `,
  "XRANGE, XREVRANGE, XLEN": `
    %repeat 30 XADD s #-# n #
    XRANGE
    XRANGE s
    XRANGE s -
    XRANGE s - + 5
    XRANGE s - + COUNT
    XRANGE s - + FOO 5
    XRANGE s - + COUNT 5 COUNT 2
    XRANGE s - + COUNT 2 FOO
    ${lines(NUMBERS, (n) => `XRANGE s - + COUNT ${n}\nXREVRANGE s + - COUNT ${n}\nXRANGE nokey - + COUNT ${n}`)}
    XRANGE s + -
    XREVRANGE s - +
    XRANGE s 5 5
    XRANGE s 5 6
    XRANGE s 5-6 6-5
    XRANGE s (5 (8
    XRANGE s (5-5 (8-8
    XREVRANGE s (8-8 (5-5
    XRANGE nokey - +
    XLEN
    XLEN s
    XLEN s s
    XLEN nokey
    SET str x
    XLEN str
    XRANGE str - +
    XRANGE str x +
    XREVRANGE str + - COUNT 0
    XDEL s 30-30 29-29
    XREVRANGE s + - COUNT 1
    XDEL s 1-1 2-2 2-2 99-99
    XRANGE s - + COUNT 1
    XDEL s
    XDEL nokey 1-1
    XDEL nokey x
    XDEL str 1-1
    XINFO STREAM s
  `,
  XREAD: `
    XADD a 1-1 f 1
    XADD a 1-2 f 2
    XADD b 5-1 f 3
    SET str x
    XREAD
    XREAD STREAMS
    XREAD STREAMS a
    XREAD STREAMS a b 0
    XREAD STREAMS a 0
    XREAD streams a b 0 0
    XREAD COUNT 1 STREAMS a b nokey 0 0 0
    XREAD COUNT 1 STREAMS a a 0 1-1
    XREAD STREAMS a b $ $
    XREAD STREAMS a b 1-2 5-1
    XREAD STREAMS a b 1-2 0
    XREAD STREAMS nokey 0
    XREAD STREAMS nokey $
    XREAD STREAMS str 0
    XREAD STREAMS a str 0 0
    XREAD STREAMS a str x 0
    XREAD STREAMS a >
    XREAD STREAMS a b 0 >
    XREAD STREAMS nokey >
    XREAD COUNT STREAMS a 0
    XREAD COUNT 1 a 0
    XREAD FOO STREAMS a 0
    XREAD GROUP g c STREAMS a 0
    XREAD NOACK STREAMS a 0
    XREAD BLOCK STREAMS a 0
    XREAD COUNT 0 STREAMS a 0
    XREAD COUNT 1 COUNT 2 BLOCK 5 STREAMS a 0
    ${lines(NUMBERS, (n) => `XREAD COUNT ${n} STREAMS a 0\nXREAD BLOCK ${n} STREAMS a 0`)}
    XREAD BLOCK 1 STREAMS a $
    XREAD BLOCK 1 STREAMS nokey other 0 $
    XREAD BLOCK 1 STREAMS str 0
    XDEL a 1-2
    XREAD BLOCK 1 STREAMS a 1-1
    XREAD STREAMS a 0
    XDEL a 1-1
    XREAD STREAMS a 0
    XREAD BLOCK 1 STREAMS a 0
  `,
  XGROUP: `
    XGROUP
    XGROUP FOO
    XGROUP CREATE
    XGROUP CREATE s
    XGROUP CREATE s g
    XGROUP CREATE s g $
    XGROUP CREATE s g 0 FOO
    XGROUP CREATE s g 0 ENTRIESREAD
    XGROUP CREATE s g 0 ENTRIESREAD x
    XGROUP CREATE s g 0 ENTRIESREAD -2
    XGROUP CREATE s g 0 MKSTREAM ENTRIESREAD -9223372036854775808
    XGROUP CREATE s g x MKSTREAM
    XGROUP CREATE s g - MKSTREAM
    XGROUP CREATE s g 0 MKSTREAM MKSTREAM MKSTREAM MKSTREAM
    EXISTS s
    XGROUP CREATE s g $ MKSTREAM
    XGROUP CREATE s g $ MKSTREAM
    XGROUP CREATE s g x MKSTREAM
    XGROUP CREATE s g2 5-5 MKSTREAM ENTRIESREAD 3
    XGROUP CREATE s g3 5 ENTRIESREAD -1
    XGROUP CREATE s "" 0 ENTRIESREAD 9223372036854775807
    XGROUP CREATE s "g\\x00\\xff" 0 ENTRIESREAD 0
    XINFO GROUPS s
    XINFO STREAM s
    XADD s 1-1 a b
    XADD s 7-1 a b
    XINFO GROUPS s
    XGROUP SETID s g $
    XGROUP SETID s g2 - ENTRIESREAD 1
    XGROUP SETID s g3 + ENTRIESREAD 0
    XGROUP SETID s g 1-1 FOO
    XGROUP SETID s g 1-1 MKSTREAM
    XGROUP SETID s g 1-1 ENTRIESREAD 1 ENTRIESREAD 2
    XGROUP SETID s g 1-1 ENTRIESREAD -5
    XGROUP SETID s nogroup 1-1
    XGROUP SETID s nogroup x
    XGROUP SETID s g x
    XGROUP SETID nokey g 1-1
    XINFO GROUPS s
    XGROUP CREATECONSUMER s g c
    XGROUP CREATECONSUMER s g c
    XGROUP CREATECONSUMER s g ""
    XGROUP CREATECONSUMER s nogroup c
    XGROUP CREATECONSUMER nokey g c
    XGROUP CREATECONSUMER s g
    XGROUP CREATECONSUMER s g c d
    XGROUP DELCONSUMER s g c
    XGROUP DELCONSUMER s g c
    XGROUP DELCONSUMER s nogroup c
    XGROUP DELCONSUMER nokey g c
    XGROUP DESTROY s g
    XGROUP DESTROY s g
    XGROUP DESTROY nokey g
    XGROUP DESTROY s
    XINFO GROUPS s
    SET str x
    XGROUP CREATE str g $
    XGROUP CREATE str g $ MKSTREAM
    XGROUP CREATE str g x FOO
    XGROUP SETID str g 0
    XGROUP DESTROY str g
    XGROUP CREATECONSUMER str g c
    XGROUP DELCONSUMER str g c
    XINFO GROUPS str
    XINFO STREAM str
    XINFO CONSUMERS str g
    XINFO GROUPS nokey
    XINFO STREAM nokey
    XINFO CONSUMERS nokey g
    XINFO CONSUMERS s nogroup
    XINFO CONSUMERS s
    XINFO GROUPS s g
    XINFO STREAM s FOO
    XINFO STREAM s FULL FOO
    XINFO STREAM s FULL COUNT
    XINFO STREAM s FULL COUNT x
    XINFO STREAM s FULL FOO 1
    XINFO STREAM s FULL COUNT 1 1
    XINFO STREAM s FULL COUNT 1
    XINFO STREAM s full count 0
    XINFO STREAM s FULL COUNT -5
    XINFO
    XINFO FOO
    XINFO STREAM
    XINFO HELP
    XGROUP HELP
    XGROUP HELP x
  `,
  XREADGROUP: `
    %repeat 5 XADD s #-1 n #
    XADD t 1-1 a b
    SET str x
    XGROUP CREATE s g 0
    XGROUP CREATE t g $
    XREADGROUP
    XREADGROUP GROUP g c STREAMS s
    XREADGROUP GROUP g c STREAMS s t >
    XREADGROUP COUNT 1 BLOCK 1 STREAMS s >
    XREADGROUP NOACK COUNT 1 STREAMS s >
    XREADGROUP GROUP g STREAMS s > x
    XREADGROUP GROUP g c STREAMS s $
    XREADGROUP GROUP g c STREAMS nokey $
    XREADGROUP GROUP nogroup c STREAMS s >
    XREADGROUP GROUP g c STREAMS nokey >
    XREADGROUP GROUP g c STREAMS str >
    XREADGROUP GROUP g c STREAMS s str > >
    XREADGROUP GROUP g c STREAMS s x
    XREADGROUP GROUP g c FOO STREAMS s >
    XINFO STREAM s FULL
    XREADGROUP GROUP g c COUNT 2 STREAMS s >
    XREADGROUP GROUP g c STREAMS s 0
    XREADGROUP GROUP g c COUNT 1 STREAMS s 0
    XREADGROUP GROUP g c STREAMS s 1-1
    XREADGROUP GROUP g d STREAMS s 0
    XREADGROUP GROUP g d COUNT 1 STREAMS s t > >
    XREADGROUP GROUP g d STREAMS s t > 0
    XREADGROUP GROUP g e BLOCK 1 STREAMS s t > >
    XREADGROUP GROUP g e STREAMS s t > >
    XINFO GROUPS s
    XPENDING s g
    ? XPENDING s g - + 10
    ? XPENDING s g - + 10 c
    XPENDING s g - + 10 nobody
    ? XPENDING s g 2 (4-1 10
    XDEL s 2-1
    XREADGROUP GROUP g c STREAMS s 0
    XPENDING s g
    XACK s g 1-1 1-1 2-1 99
    XACK s nogroup 1-1
    XACK s nogroup x
    XACK nokey g x
    XACK str g 1-1
    XACK s g 3-1 x
    XPENDING s g
    XADD s 6-1 a b
    XREADGROUP GROUP g n NOACK STREAMS s >
    XREADGROUP GROUP g n STREAMS s 0
    XINFO GROUPS s
    ? XINFO CONSUMERS s g
    ? XINFO STREAM s FULL
    XGROUP SETID s g 0
    XREADGROUP GROUP g d STREAMS s >
    XPENDING s g
    XGROUP DELCONSUMER s g d
    XPENDING s g
    XINFO GROUPS s
  `,
  XPENDING: `
    %repeat 5 XADD s #-1 n #
    XGROUP CREATE s g 0
    SET str x
    XPENDING
    XPENDING s
    XPENDING s g
    XPENDING s nogroup
    XPENDING nokey g
    XPENDING str g
    XPENDING nokey g - + 1
    XPENDING s g -
    XPENDING s g - +
    XPENDING s g - + x
    XPENDING s g x + 1
    XPENDING s g - x 1
    XPENDING s g x x x
    XPENDING str g x x x
    XPENDING s g IDLE x - +
    XPENDING s g IDLE 1 - +
    XPENDING s g IDLE 1 - + x
    XPENDING s g IDLE 1 - + 10 c d
    XPENDING s g - + 10 c d e
    XPENDING s g - + 10 c d e f
    XREADGROUP GROUP g c COUNT 3 STREAMS s >
    XREADGROUP GROUP g d COUNT 1 STREAMS s >
    ? XPENDING s g IDLE 0 - + 10
    XPENDING s g IDLE 100000 - + 10
    ? XPENDING s g IDLE -5 - + 10 c
    ? XPENDING s g - + 2
    XPENDING s g - + 0
    XPENDING s g - + -1
    ? XPENDING s g (1-1 + 9223372036854775807
    ? XPENDING s g - (3-1 10 c
    ? XPENDING s g + - 10
    ? XPENDING s g - + 10 d e f
    ? XPENDING s g idle 0 - + 10 d
  `,
  "XCLAIM and XAUTOCLAIM": `
    %repeat 6 XADD s #-1 n #
    XGROUP CREATE s g 0
    SET str x
    XCLAIM
    XCLAIM s g c 0
    XCLAIM s g c 0 1-1
    XCLAIM s g c x 1-1
    XCLAIM s g c -5 1-1
    XCLAIM s nogroup c x 1-1
    XCLAIM nokey g c 0 1-1
    XCLAIM str g c 0 1-1
    XCLAIM s g c 0 x
    XCLAIM s g c 0 1-1 FOO
    XCLAIM s g c 0 1-1 IDLE
    XCLAIM s g c 0 1-1 IDLE x
    XCLAIM s g c 0 1-1 TIME x
    XCLAIM s g c 0 1-1 RETRYCOUNT x
    XCLAIM s g c 0 1-1 LASTID x
    XCLAIM s g c 0 1-1 LASTID
    XCLAIM s g c 0 1-1 JUSTID 2-1
    XREADGROUP GROUP g c COUNT 3 STREAMS s >
    XCLAIM s g d 0 1-1 2-1 9-1
    XCLAIM s g d 0 1-1 TIME 1000 RETRYCOUNT 7
    XCLAIM s g e 0 2-1 IDLE 5 JUSTID
    XCLAIM s g e 1000000 3-1
    XCLAIM s g e 0 4-1
    XCLAIM s g e 1000000 4-1 FORCE
    XCLAIM s g e 0 5-1 FORCE JUSTID TIME 2000
    XCLAIM s g e 0 9-1 FORCE
    XCLAIM s g e 0 6-1 FORCE RETRYCOUNT 0 TIME 3000 LASTID 6-1
    XCLAIM s g e 0 6-1 TIME -5 RETRYCOUNT -3
    XCLAIM s g e 0 6-1 IDLE -5 RETRYCOUNT 9223372036854775807 JUSTID
    XCLAIM s g e 0 6-1
    ? XPENDING s g - + 10
    XINFO GROUPS s
    XDEL s 2-1 4-1
    XCLAIM s g f 0 2-1 4-1 1-1
    XPENDING s g
    XCLAIM s g f 0 1-1 LASTID 3-1
    XCLAIM s g f 0 99-1 LASTID 77-1
    XINFO GROUPS s
    XAUTOCLAIM
    XAUTOCLAIM s g c 0
    XAUTOCLAIM s g c x -
    XAUTOCLAIM s g c 0 x
    XAUTOCLAIM s g c 0 - COUNT
    XAUTOCLAIM s g c 0 - FOO
    ${lines(
      NUMBERS.filter((n) => n !== "9223372036854775807"),
      (n) => `XAUTOCLAIM s nogroup c 0 - COUNT ${n}`,
    )}
    XAUTOCLAIM nokey g c 0 -
    XAUTOCLAIM str g c 0 -
    XAUTOCLAIM s g c 1000000 -
    XAUTOCLAIM s g c 0 - COUNT 2
    XAUTOCLAIM s g c 0 3-1 COUNT 2 JUSTID
    XAUTOCLAIM s g c 0 (3-1 JUSTID COUNT 1
    XDEL s 1-1 5-1
    XAUTOCLAIM s g a 0 - COUNT 1
    XAUTOCLAIM s g a 0 0 COUNT 1
    XAUTOCLAIM s g a 0 - COUNT 3
    XAUTOCLAIM s g a 0 - JUSTID
    XAUTOCLAIM s g a 0 100
    XAUTOCLAIM s g a 0 +
    XPENDING s g
    DEL big
    %repeat 60 XADD big #-1 n #
    XGROUP CREATE big g 0
    XREADGROUP GROUP g c STREAMS big >
    XCLAIM big g c 0 50-1 TIME 1000
    XAUTOCLAIM big g d 1000000 - COUNT 1
    XAUTOCLAIM big g d 1000000 - COUNT 5
    XAUTOCLAIM big g d 1000000 - COUNT 4
    XGROUP DELCONSUMER big g c
    XPENDING big g
    XGROUP DESTROY big g
  `,
  "XSETID, entries read and lag": `
    XSETID s 1-1
    XADD s 1-1 a b
    SET str x
    XSETID str 1-1
    XSETID str x
    XSETID s
    XSETID s 0-1
    XSETID s x
    XSETID s - 
    XSETID s 5-1
    XSETID s 5-1 FOO
    XSETID s 5-1 ENTRIESADDED
    XSETID s 5-1 ENTRIESADDED x
    XSETID s 5-1 ENTRIESADDED -1
    XSETID s 5-1 ENTRIESADDED 0
    XSETID s 5-1 ENTRIESADDED 10 MAXDELETEDID 6-1
    XSETID s 5-1 ENTRIESADDED 10 MAXDELETEDID 4-1
    XSETID s 3-1
    XSETID s 5-1 MAXDELETEDID 0-0
    XSETID s 5-1 maxdeletedid 4-5 entriesadded 9223372036854775807
    XINFO STREAM s
    XADD s 6-1 a b
    XINFO STREAM s
    XGROUP CREATE s g 0
    XGROUP CREATE s h 1-1 ENTRIESREAD 9223372036854775806
    XINFO GROUPS s
    DEL x
    XGROUP CREATE x g $ MKSTREAM
    XINFO GROUPS x
    %repeat 5 XADD x #-0 data #
    XGROUP CREATE x g1 0
    XGROUP CREATE x g2 3-0
    XGROUP CREATE x g3 5-0
    XGROUP CREATE x g4 9-0
    XGROUP CREATE x g5 1-0
    XGROUP CREATE x g6 0 ENTRIESREAD 0
    XINFO GROUPS x
    ${lines(
      ["g", "g1", "g2", "g5", "g6"],
      (g) => `
      XREADGROUP GROUP ${g} c COUNT 1 STREAMS x >
      XINFO GROUPS x
      XREADGROUP GROUP ${g} c COUNT 2 STREAMS x >
      XINFO GROUPS x
    `,
    )}
    XDEL x 3-0
    XINFO GROUPS x
    XREADGROUP GROUP g1 c COUNT 1 STREAMS x >
    XINFO GROUPS x
    XADD x 6-0 a b
    XDEL x 1-0
    XINFO GROUPS x
    XREADGROUP GROUP g c COUNT 1 STREAMS x >
    XREADGROUP GROUP g2 c COUNT 1 STREAMS x >
    XINFO GROUPS x
    XTRIM x MINID = 5-0
    XINFO GROUPS x
    XINFO STREAM x
    XREADGROUP GROUP g5 c STREAMS x >
    XINFO GROUPS x
    XDEL x 5-0 6-0
    XINFO GROUPS x
    XINFO STREAM x
    XADD x 7-0 a b
    XINFO GROUPS x
    XTRIM x MAXLEN 0
    XINFO GROUPS x
  `,
  "copies and moves": `
    %repeat 150 XADD s #-1 n # m #
    XGROUP CREATE s g 0
    XGROUP CREATE s h 5
    XREADGROUP GROUP g c COUNT 120 STREAMS s >
    XREADGROUP GROUP g d COUNT 20 STREAMS s >
    XGROUP CREATECONSUMER s g empty
    XDEL s 3-1 150-1
    COPY s t
    XADD s 200-1 a b
    XACK s g 10-1
    XINFO STREAM t
    XINFO GROUPS t
    XPENDING t g
    XREADGROUP GROUP g d COUNT 2 STREAMS t 0
    XREADGROUP GROUP g c COUNT 3 STREAMS t 0
    XRANGE t - + COUNT 5
    XREVRANGE t + - COUNT 5
    RENAME t u
    XLEN u
    XLEN t
    EXPIRE u 1000
    XADD u 300-1 a b
    XLEN u
    MOVE u 1
    SELECT 1
    XINFO STREAM u
    XPENDING u g
    DEL u
    SELECT 0
    XINFO STREAM s
  `,
};
