/** The string commands: every option, every error, and what each write leaves behind. */
import type { Scripts } from "../lib/suite.ts";

const INTEGERS = [
  "0",
  "-0",
  "+1",
  "01",
  "-01",
  "' 1'",
  "'1 '",
  "''",
  "1.0",
  "1e3",
  "0x10",
  "abc",
  "-",
  "+",
  "--1",
  '"1\\x00"',
  "9223372036854775807",
  "-9223372036854775808",
  "9223372036854775808",
  "-9223372036854775809",
  "18446744073709551615",
  "99999999999999999999999",
  "9007199254740991",
  "9007199254740992",
  "9007199254740993",
  "-9007199254740993",
  "4294967296",
  "2147483647",
  "-2147483648",
  "9999",
  "10000",
];

const FLOATS = [
  "0",
  "-0",
  "1",
  "1.5",
  "-1.5",
  ".5",
  "5.",
  "+3",
  "1e2",
  "1E-2",
  "1e400",
  "-1e400",
  "inf",
  "-inf",
  "+inf",
  "Infinity",
  "nan",
  "0x1p3",
  "0x1A",
  "' 1'",
  "'1 '",
  "''",
  "abc",
  "1.5abc",
  '"1\\x002"',
  "3.0e3",
  "0.1",
  "0.30000000000000004",
  "1e17",
  "1e-17",
  "1e20",
  "12345678901234567890",
  "1.7976931348623157e308",
  "1e4000",
  "1e-5000",
  "3.14159265358979323846264338327950288",
  "1e",
  "e5",
  "1_000",
];

const RANGES = [
  "0 -1",
  "0 0",
  "-1 -1",
  "-3 -1",
  "1 3",
  "3 1",
  "-1 -3",
  "0 100",
  "5 100",
  "100 200",
  "-100 2",
  "-100 -50",
  "-100 100",
  "0 -100",
  "9223372036854775807 -1",
  "-9223372036854775808 9223372036854775807",
  "0 9223372036854775807",
  "x 1",
  "1 x",
  "9223372036854775808 1",
  "'' 1",
  "1.5 2",
]; // prettier-ignore

const EXPIRIES = [
  "100",
  "0",
  "-1",
  "x",
  "''",
  "1.5",
  "9223372036854775807",
  "9223372036854775",
  "9223372036854776",
  "-9223372036854775808",
  "9223372036854775808",
  "+5",
  "05",
  "' 5'",
];

const lines = (items: readonly string[], line: (item: string) => string) => items.map(line).join("\n");

export const STRINGS: Scripts = {
  "SET and GET: values and their encodings": `
    %probe k
    ${lines(INTEGERS, (v) => `SET k ${v}`)}
    SET k ""
    SET k "\\x00\\xff\\r\\n"
    SET k 12345678901234567890123456789012345678901234
    SET k 123456789012345678901234567890123456789012345
    SET k aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    SET k aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    %probe ""
    SET "" empty-key
    SET "" ""
    DEL ""
    %probe "\\x00\\x01\\xfe k"
    SET "\\x00\\x01\\xfe k" binary
    %probe
    GET missing
    GET
    GET a b
    SET
    SET k
    get k
    GeT k
  `,
  "SET: conditions": `
    %probe k
    SET k 1 NX
    SET k 2 NX
    SET k 3 XX
    SET k 4 nx
    SET k 4 xX
    SET k 5 NX XX
    SET k 5 XX NX
    SET k 5 XX XX
    SET k 5 NX NX
    SET missing 5 XX
    SET k 6 GET
    SET k 7 XX GET
    SET k 8 NX GET
    SET k 8 GET NX
    SET k 8 GET GET
    DEL k
    SET k 9 GET
    DEL k
    SET k 9 XX GET
    SET k 9 NX GET
    SET k 10 NX GET
    SET k 1 FOO
    SET k 1 ""
    SET k 1 NX FOO
  `,
  "SET: expiry": `
    %probe k
    SET k v PXAT 4102444800123
    SET k v EXAT 4102444800
    SET k w KEEPTTL
    SET k x
    SET k w KEEPTTL
    SET k v PXAT 4102444800123 NX
    SET k v PXAT 4102444800123 XX
    SET k v PXAT 4102444800124 GET
    SET k v XX GET PXAT 4102444800125
    SET k v GET XX KEEPTTL
    SET k v KEEPTTL KEEPTTL
    SET k v PXAT 1
    SET k v PXAT 1 GET
    SET k v EXAT 1
    SET k v
    SET k v PXAT
    SET k v EX
    SET k v EX 10 PX 10
    SET k v EX 10 KEEPTTL
    SET k v KEEPTTL EX 10
    SET k v EXAT 10 PXAT 10
    SET k v PERSIST
    SET k v EX NX
    SET k v NX EX
    ${["EX", "PX", "EXAT", "PXAT"]
      .flatMap((unit) =>
        [
          "0",
          "-1",
          "x",
          "''",
          "1.5",
          "9223372036854775807",
          "9223372036854775",
          "9223372036854776",
          "-9223372036854775808",
          "9223372036854775808",
        ].map((v) => `SET n v ${unit} ${v}\nEXISTS n\nDEL n`),
      )
      .join("\n")}
    %probe
    SET k v EX 10 EX 20
    ~1 TTL k
    SET k v EX 100
    ~1 TTL k
    ~1000 PTTL k
    SET k v px 100000
    ~1000 PTTL k
    SET k v ex 100 xx get
    ~1 TTL k
    SET k v EX 0 GET
    GET k
    ~1 TTL k
    SET k v PX 1
    until 0 EXISTS k
    SET k v NX
    GET k
  `,
  "SETNX, SETEX, PSETEX": `
    %probe k
    SETNX k a
    SETNX k b
    SET k v PXAT 4102444800123
    SETNX k b
    %probe
    SETEX k 4000000000 v
    ~1 TTL k
    PSETEX k 4102444800000 w
    ~1000 PTTL k
    ${lines(EXPIRIES, (v) => `SETEX k ${v} v`)}
    ${lines(EXPIRIES, (v) => `PSETEX k ${v} v`)}
    SETEX k 100 12
    OBJECT ENCODING k
    ~1 TTL k
    PSETEX k 100000 12
    ~1000 PTTL k
    SETEX k 100
    PSETEX k 100
    SETNX k
  `,
  "GETSET, GETDEL": `
    %probe k
    GETSET k 1
    GETSET k abc
    SET k 5 PXAT 4102444800123
    GETSET k 6
    GETDEL k
    GETDEL k
    GETDEL
    GETDEL k k
    GETSET k
    GETSET k 1 2
  `,
  GETEX: `
    GETEX k
    GETEX k EX 10
    GETEX k EX 0
    GETEX k FOO
    SET k v
    %probe k
    GETEX k
    GETEX k PXAT 4102444800123
    GETEX k
    GETEX k EXAT 4102444800
    GETEX k PERSIST
    GETEX k PERSIST
    GETEX k KEEPTTL
    GETEX k NX
    GETEX k GET
    GETEX k EX
    GETEX k EX 1 PX 1
    GETEX k EX 1 PERSIST
    GETEX k PERSIST EX 1
    GETEX k PERSIST PERSIST
    GETEX k PXAT 1
    SET k v
    GETEX k EXAT 1
    %probe
    SET k v
    ${["EX", "PX", "EXAT", "PXAT"]
      .flatMap((unit) =>
        [
          "0",
          "-1",
          "x",
          "''",
          "9223372036854775807",
          "9223372036854775",
          "9223372036854776",
          "9223372036854775808",
        ].map((v) => `GETEX k ${unit} ${v}\nSET k v`),
      )
      .join("\n")}
    GETEX k EX 100
    ~1 TTL k
    GETEX k PX 100000
    ~1000 PTTL k
    GETEX
  `,
  APPEND: `
    %probe k
    APPEND k ""
    APPEND k a
    APPEND k ""
    APPEND k b
    DEL k
    APPEND k 12
    APPEND k 3
    SET k 5
    APPEND k ""
    SET k 5
    APPEND k 6
    SET k a PXAT 4102444800123
    APPEND k b
    DEL k
    APPEND k "\\x00"
    APPEND k
    APPEND k a b
    SET k aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    %repeat 20 APPEND k #bbbbbbbbbbbbbbbb
    APPEND n -
    APPEND n 9223372036854775807
    INCR n
  `,
  "STRLEN, GETRANGE, SUBSTR": `
    STRLEN k
    GETRANGE k 0 -1
    SUBSTR k 0 -1
    SET k 'Hello world'
    STRLEN k
    ${lines(RANGES, (r) => `GETRANGE k ${r}\nSUBSTR k ${r}`)}
    SET k -123456
    STRLEN k
    ${lines(RANGES, (r) => `GETRANGE k ${r}`)}
    SET k ""
    ${lines(RANGES, (r) => `GETRANGE k ${r}`)}
    GETRANGE missing x 1
    GETRANGE k 1
    GETRANGE k 1 2 3
    SUBSTR k
    STRLEN
    SET k 9223372036854775807
    STRLEN k
    SET k -9223372036854775808
    STRLEN k
    GETRANGE k 1 4
  `,
  SETRANGE: `
    %probe k
    SETRANGE k 0 ""
    SETRANGE k 10 ""
    SETRANGE k 3 abc
    SETRANGE k 0 ""
    SETRANGE k 1 XX
    SETRANGE k 5 yyyy
    SETRANGE k 100 z
    SET k 12345
    SETRANGE k 1 ""
    SETRANGE k 1 9
    SET k 12345
    SETRANGE k 10 9
    SET k a PXAT 4102444800123
    SETRANGE k 1 b
    SETRANGE k -1 a
    SETRANGE k -1 ""
    SETRANGE k x a
    SETRANGE k 536870911 aa
    SETRANGE k 536870912 a
    SETRANGE k 536870912 ""
    SETRANGE k 9223372036854775807 a
    SETRANGE k 9223372036854775808 a
    SETRANGE k 4294967296 a
    SETRANGE missing 536870912 a
    SETRANGE missing 536870912 ""
    SETRANGE missing -1 ""
    EXISTS missing
    SETRANGE k 1
    SET k aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    SETRANGE k 0 b
    SETRANGE k 43 cc
    SETRANGE k 70000 d
    SETRANGE k 40000 e
  `,
  "MGET, MSET, MSETNX": `
    %probe a b
    MSET a 1 b 2
    MGET a b c a
    MSET a 1 b
    MSET a
    MSET
    MGET
    MSETNX
    MSETNX a
    MSETNX a 1 b
    MSETNX a 9 c 9
    MSETNX c 9 d 9
    MGET a b c d
    MSET a x a y
    MSETNX e 1 e 2
    GET e
    SET a 1 PXAT 4102444800123
    MSET a 2
    MSETNX b 1 f 1
    EXISTS f
    MSET "" "" "\\x00" "\\x00"
    MGET "" "\\x00"
  `,
  "INCR, DECR, INCRBY, DECRBY": `
    %probe k
    INCR k
    INCR k
    DECR k
    DECR k
    DECR k
    SET k 9223372036854775806
    INCR k
    INCR k
    SET k -9223372036854775807
    DECR k
    DECR k
    SET k 9007199254740990
    INCR k
    INCR k
    INCR k
    DECRBY k 3
    SET k 9999
    INCR k
    SET k 5 PXAT 4102444800123
    INCRBY k 10
    %probe
    ${lines(INTEGERS, (v) => `SET k ${v}\nINCR k\nGET k\nOBJECT ENCODING k\nSET k ${v}\nDECRBY k 7\nGET k`)}
    ${lines(INTEGERS, (v) => `SET k 1\nINCRBY k ${v}\nGET k\nSET k 1\nDECRBY k ${v}\nGET k\nDEL k\nDECRBY k ${v}\nGET k`)}
    ${lines(INTEGERS, (v) => `SET k 9007199254740000\nINCRBY k ${v}\nSET k -9007199254740000\nINCRBY k ${v}\nSET k -1\nDECRBY k ${v}\nSET k -2\nINCRBY k ${v}`)}
    SETRANGE r 0 12
    INCR r
    OBJECT ENCODING r
    INCRBY k
    INCR
    INCR k 1
    DECRBY k 1 2
  `,
  INCRBYFLOAT: `
    %probe k
    INCRBYFLOAT k 1.5
    INCRBYFLOAT k 1.5
    INCRBYFLOAT k 0.1
    SET k 5 PXAT 4102444800123
    INCRBYFLOAT k 2
    INCRBYFLOAT k -7
    %probe
    ${lines(FLOATS, (v) => `SET k ${v}\nINCRBYFLOAT k 1\nGET k\nDEL k\nINCRBYFLOAT k ${v}\nGET k\nSET k 10\nINCRBYFLOAT k ${v}\nGET k\nOBJECT ENCODING k`)}
    SET k 1.7976931348623157e308
    INCRBYFLOAT k 1.7976931348623157e308
    SET k 5.0e3
    INCRBYFLOAT k 2.0e2
    SET k 3
    INCRBYFLOAT k 1.123456789012345678
    SET k 10.5
    INCRBYFLOAT k -10.5
    SET k 1e18
    INCRBYFLOAT k 1
    INCRBYFLOAT k
    INCRBYFLOAT k 1 2
  `,
  LCS: `
    LCS a b
    LCS a b LEN
    LCS a b IDX
    MSET a ohmytext b mynewtext n 12345 m 2345
    LCS a b
    LCS a b LEN
    LCS a b IDX
    LCS a b IDX WITHMATCHLEN
    LCS a b IDX MINMATCHLEN 4
    LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN
    LCS a b MINMATCHLEN 4
    LCS a b WITHMATCHLEN
    LCS a b LEN WITHMATCHLEN
    LCS a b IDX LEN
    LCS a b LEN IDX
    LCS a b IDX MINMATCHLEN
    LCS a b IDX MINMATCHLEN x
    LCS a b IDX MINMATCHLEN -5
    LCS a b IDX MINMATCHLEN 100
    LCS a b FOO
    LCS a a
    LCS a a IDX WITHMATCHLEN
    LCS a missing
    LCS a missing IDX
    LCS n m IDX WITHMATCHLEN
    LCS n m
    LCS a
    LCS a b idx withmatchlen minmatchlen 2
  `,
  "needs LPUSH, SADD, HSET, ZADD: wrong types": `
    LPUSH l a
    SADD s a
    HSET h f v
    ZADD z 1 a
    ${["l", "s", "h", "z"]
      .map(
        (k) => `
    GET ${k}
    SET ${k} v GET
    SET ${k} v XX GET
    SET ${k} v NX
    GETSET ${k} v
    GETDEL ${k}
    GETEX ${k}
    GETEX ${k} EX 0
    APPEND ${k} v
    STRLEN ${k}
    GETRANGE ${k} 0 1
    SUBSTR ${k} 0 1
    SETRANGE ${k} 0 v
    SETRANGE ${k} 0 ""
    SETRANGE ${k} -1 v
    INCR ${k}
    INCRBY ${k} x
    DECRBY ${k} 1
    INCRBYFLOAT ${k} x
    INCRBYFLOAT ${k} 1
    MGET ${k}
    LCS ${k} ${k}
    LCS ${k} missing IDX
    MSETNX ${k} 1 new 2
    SETNX ${k} 1
    TYPE ${k}
    SET ${k} v
    TYPE ${k}`,
      )
      .join("\n")}
  `,
};
