/** The bitmap commands. */
import type { Scripts } from "../lib/suite.ts";

const lines = (items: readonly string[], line: (item: string) => string) => items.map(line).join("\n");

const OFFSETS = [
  "0",
  "7",
  "8",
  "100",
  "-1",
  "x",
  "''",
  "1.5",
  "#1",
  "01",
  "+1",
  "4294967295",
  "4294967296",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
];
const RANGES = [
  "0 -1",
  "0 0",
  "1 1",
  "-1 -1",
  "-2 -1",
  "5 3",
  "-1 -2",
  "0 100",
  "100 200",
  "-100 1",
  "-100 -50",
  "9223372036854775807 9223372036854775807",
  "-9223372036854775808 -9223372036854775807",
  "-9223372036854775807 -9223372036854775808",
  "0 -9223372036854775808",
  "x 1",
  "1 x",
  "'' ''",
  "9223372036854775808 0",
];
const UNITS = ["", "BYTE", "BIT", "bit", "FOO", "BIT BIT"];
const VALUES = [
  '""',
  '"\\x00"',
  '"\\xff"',
  '"\\x00\\xff\\x00"',
  '"\\xff\\xf0\\x00"',
  "foobar",
  '"\\xff\\xff\\xff"',
  "12345",
  '"\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x01"',
];
const TYPES = [
  "u1",
  "u2",
  "i1",
  "i2",
  "u8",
  "i8",
  "u16",
  "i32",
  "u32",
  "i53",
  "u53",
  "u54",
  "i54",
  "u63",
  "i64",
  "u64",
  "i65",
  "i0",
  "u0",
  "x8",
  "8",
  "u",
  "i",
  "u-1",
  "u+1",
  "u01",
  "U8",
  "I8",
  "''",
  '"u8\\x00"',
  '"u8\\x00x"',
  "u1.5",
  "u 8",
];
const WIDE = [
  "0",
  "1",
  "-1",
  "127",
  "128",
  "255",
  "256",
  "-128",
  "-129",
  "65535",
  "9007199254740991",
  "9007199254740992",
  "-9007199254740993",
  "4611686018427387904",
  "9223372036854775807",
  "-9223372036854775808",
  "9223372036854775808",
  "x",
];

export const BITMAPS: Scripts = {
  "SETBIT, GETBIT": `
    %probe k
    ${lines(
      OFFSETS.filter((o) => o !== "4294967295"),
      (o) => `SETBIT k ${o} 1\nGETBIT k ${o}\nSETBIT k ${o} 0`,
    )}
    %probe
    GETBIT missing 0
    GETBIT missing 4294967295
    GETBIT missing x
    ${lines(["0", "1", "2", "-1", "x", "''", "9223372036854775808", "01", "1.0"], (v) => `SETBIT m 3 ${v}\nSETBIT m x ${v}`)}
    EXISTS m
    %probe k
    SET k 5 PXAT 4102444800123
    SETBIT k 6 1
    SET k 5
    SETBIT k 5 1
    SET k abc
    SETBIT k 0 0
    SET k abc
    SETBIT k 200 0
    SETBIT k 201 1
    SET k aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    SETBIT k 3 1
    SETBIT k 400000 1
    SETBIT k 399999 1
    GETBIT k 400000
    %probe
    SETBIT k 1
    SETBIT k
    GETBIT k
    GETBIT k 1 2
    SETBIT k 1 1 1
    SET n 12345
    ${lines(["0", "1", "2", "3", "38", "39", "40"], (o) => `GETBIT n ${o}`)}
  `,
  BITCOUNT: `
    BITCOUNT missing
    BITCOUNT missing x y
    BITCOUNT missing 0
    BITCOUNT missing 0 1 FOO
    BITCOUNT
    ${lines(
      VALUES,
      (v) => `
      SET k ${v}
      BITCOUNT k
      BITCOUNT k 0
      BITCOUNT k x
      BITCOUNT k BIT
      ${lines(UNITS, (u) => lines(RANGES, (r) => `BITCOUNT k ${r} ${u}`))}
    `,
    )}
    ${lines(["1 5", "5 30", "0 47", "47 47", "8 15", "7 8", "-8 -1", "-9 -8"], (r) => `SET k foobar\nBITCOUNT k ${r} BIT`)}
    SETBIT big 1000000 1
    %repeat 40 SETBIT big #7#3 1
    BITCOUNT big
    BITCOUNT big 10 -10
    BITCOUNT big 13 70001 BIT
  `,
  BITPOS: `
    BITPOS missing 0
    BITPOS missing 1
    BITPOS missing 0 x
    BITPOS missing 1 5 9 BIT
    ${lines(["2", "-1", "x", "''", "9223372036854775808", "01"], (b) => `BITPOS missing ${b}`)}
    BITPOS k
    ${lines(
      VALUES,
      (v) => `
      SET k ${v}
      ${lines(
        ["0", "1"],
        (bit) => `
        BITPOS k ${bit}
        ${lines(["0", "1", "-1", "5", "100", "-100", "x", "9223372036854775807", "-9223372036854775808"], (s) => `BITPOS k ${bit} ${s}`)}
        ${lines(UNITS, (u) => lines(RANGES, (r) => `BITPOS k ${bit} ${r} ${u}`))}
        ${lines(["1 5", "5 30", "0 23", "23 23", "8 15", "7 8", "-8 -1", "-9 -8", "8 11", "0 11"], (r) => `BITPOS k ${bit} ${r} BIT`)}
      `,
      )}
    `,
    )}
    BITPOS k 1 0 BIT
    BITPOS k 1 0 -1 BIT extra
    SETBIT big 1000003 1
    BITPOS big 1
    BITPOS big 0
    BITPOS big 1 17 -1 BIT
    BITPOS big 1 1 -2
    BITOP NOT big big
    BITPOS big 0
    BITPOS big 0 0 -2
    BITPOS big 0 0 -1
    BITPOS big 1 125000
  `,
  BITOP: `
    %probe d
    BITOP AND d missing
    BITOP NOT d missing
    SET d x
    BITOP OR d missing missing
    MSET a "\\xff\\x0f\\x00" b "\\x0f\\xff" c "" e 12345
    ${lines(
      ["AND", "OR", "XOR", "and", "Xor"],
      (op) => `
      BITOP ${op} d a
      BITOP ${op} d a b
      BITOP ${op} d b a
      BITOP ${op} d a b c
      BITOP ${op} d a missing
      BITOP ${op} d missing a
      BITOP ${op} d a e
      BITOP ${op} d e
      BITOP ${op} d c
      BITOP ${op} d a a
      SET d old PXAT 4102444800123
      BITOP ${op} d d a
    `,
    )}
    BITOP NOT d a
    BITOP NOT d d
    BITOP NOT d c
    BITOP NOT d e
    BITOP NOT d a b
    BITOP NOT d
    BITOP AND d
    BITOP FOO d a
    BITOP "" d a
    BITOP ANDX d a
    BITOP AND
    SET d old
    BITOP FOO d a
    BITOP NOT a a
    SETBIT l 40000 1
    SETBIT m 30001 1
    BITOP OR d l m a
    BITOP XOR d l m l
    BITOP AND d l m
    BITOP NOT d l
    BITCOUNT d
    APPEND d "\\x01"
    BITOP NOT d d
    BITCOUNT d
  `,
  "BITFIELD: types and offsets": `
    ${lines(TYPES, (t) => `BITFIELD k GET ${t.includes(" ") ? `"${t}"` : t} 0\nBITFIELD k SET ${t.includes(" ") ? `"${t}"` : t} 1 1\nGET k`)}
    ${lines(
      [
        ...OFFSETS.filter((o) => !o.startsWith("42")),
        "#0",
        "##1",
        "#",
        "#-1",
        "#x",
        "#4294967296",
        "#9223372036854775807",
        "# 1",
        "#576460752303423488",
        "#2305843009213693952",
        "4294967295",
        "4294967289",
      ],
      (o) => `BITFIELD m GET u8 '${o.replaceAll("'", "")}'`,
    )}
    ${lines(["x", "-1", "#x", "#4294967296", "4294967296"], (o) => `BITFIELD m SET u8 ${o} 1\nBITFIELD m GET u8 0 SET u8 ${o} 1`)}
    EXISTS m
    BITFIELD k
    BITFIELD k GET
    BITFIELD k GET u8
    BITFIELD k SET u8 0
    BITFIELD k INCRBY u8 0
    BITFIELD k FOO u8 0
    BITFIELD k FOO
    BITFIELD k OVERFLOW
    BITFIELD k OVERFLOW FOO
    BITFIELD k OVERFLOW FAIL
    BITFIELD missing OVERFLOW SAT
    BITFIELD missing
    EXISTS missing
    BITFIELD k GET u8 0 EXTRA
    BITFIELD k SET u8 0 1 GET
    BITFIELD k SET u8 0 x
    BITFIELD k SET u8 0 9223372036854775808
    BITFIELD k INCRBY u8 0 1.5
    BITFIELD
    BITFIELD_RO
    BITFIELD_RO missing
    BITFIELD_RO missing GET u8 0
    BITFIELD_RO k GET u8 0 GET i5 #1
    BITFIELD_RO k SET u8 0 1
    BITFIELD_RO k INCRBY u8 0 1
    BITFIELD_RO k OVERFLOW SAT
    BITFIELD_RO k OVERFLOW SAT GET u8 0
    BITFIELD_RO k GET u8 x
    BITFIELD_RO k SET u8 0 x
    BITFIELD_RO k FOO
  `,
  "BITFIELD: what writes leave": `
    %probe k
    BITFIELD k GET u8 0
    BITFIELD k SET u8 0 0
    DEL k
    BITFIELD k OVERFLOW FAIL SET u2 0 9
    BITFIELD k OVERFLOW FAIL SET u2 100 9
    SET k 12345
    BITFIELD k GET u8 0
    BITFIELD k GET u8 #1 GET u16 #1 GET i64 0
    BITFIELD k INCRBY u8 0 0
    SET k 12345
    BITFIELD k SET u8 100 1
    SET k v PXAT 4102444800123
    BITFIELD k SET i5 3 -7 GET i5 3 INCRBY i5 3 30 OVERFLOW SAT INCRBY i5 3 30 OVERFLOW FAIL INCRBY i5 3 1 GET u5 3
    BITFIELD k SET u63 1 9223372036854775807 GET u63 1 GET i64 0 GET u63 2
    BITFIELD k SET i64 7 -9223372036854775808 GET i64 7 INCRBY i64 7 -1 GET i64 7
    BITFIELD k set U8 0 1
    BITFIELD k get u8 0 incrby u8 0 1 overflow sat set u8 0 300
    BITFIELD k SET u54 3 9007199254740993 GET u54 3 INCRBY u54 3 1
    BITFIELD k SET u32 3 4294967295 INCRBY u32 3 1
    BITFIELD k SET u8 4000 7
    %probe
    BITFIELD k GET u8 4294967288 GET i64 100000
  `,
  "BITFIELD: overflow": lines(["WRAP", "SAT", "FAIL", "wrap"], (mode) =>
    lines(
      ["u1", "u2", "i1", "i2", "u8", "i8", "u53", "i53", "u54", "i54", "u63", "i63", "i64"],
      (type) => `
      DEL k
      ${lines(
        WIDE,
        (v) => `
        BITFIELD k OVERFLOW ${mode} SET ${type} 3 ${v} GET ${type} 3
        BITFIELD k OVERFLOW ${mode} INCRBY ${type} 3 ${v} GET ${type} 3
        BITFIELD k OVERFLOW ${mode} INCRBY ${type} 3 ${v} INCRBY ${type} #5 ${v}
      `,
      )}
      GET k`,
    ),
  ),
  "the longest string": `
    SETBIT k 4294967295 1
    STRLEN k
    GETBIT k 4294967295
    GETBIT k 4294967294
    BITCOUNT k
    BITPOS k 1
    BITPOS k 0
    BITFIELD k GET u8 4294967288 SET u8 4294967295 255
    STRLEN k
    APPEND k xx
    SETRANGE k 536870911 y
    SETRANGE k 536870912 y
    GETRANGE k -3 -1
    DEL k
    SETRANGE k 536870911 z
    STRLEN k
    DEL k
  `,
  "needs LPUSH: wrong types": `
    LPUSH l a
    SETBIT l 1 1
    SETBIT l x 1
    GETBIT l 1
    BITCOUNT l
    BITCOUNT l x
    BITPOS l 1
    BITPOS l 2
    BITPOS l 1 x
    BITOP AND d l
    BITOP AND d missing l
    BITOP AND l d
    LPUSH l a
    BITFIELD l GET u8 0
    BITFIELD l SET u8 0 1
    BITFIELD_RO l GET u8 0
    TYPE l
  `,
};
