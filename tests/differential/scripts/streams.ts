/** Streams: IDs at the ends of their ranges, options in every order, nodes of every size. */
import type { Scripts } from "../lib/suite.ts";

export const lines = (items: readonly string[], line: (item: string) => string) => items.map(line).join("\n");

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

export const NUMBERS = [
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
      ${id === "+" ? "" : `XREAD COUNT 3 STREAMS s ${id}`}
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
