/** Sets: replies, encodings and their conversions. Keys begin with "set", see differences.ts. */
import type { Scripts } from "../lib/suite.ts";

const range = (from: number, to: number, prefix = "") =>
  Array.from({ length: to - from + 1 }, (_, i) => prefix + (from + i)).join(" ");

export const SETS: Scripts = {
  "members one by one": `
    %probe set1
    SADD set1 3 1 2
    SADD set1 1
    SADD set1 -5 40000
    SADD set1 9223372036854775807 -9223372036854775808
    SMEMBERS set1
    SADD set1 01 +1 -0 " 1" 9223372036854775808
    sorted SMEMBERS set1
    SISMEMBER set1 01
    SISMEMBER set1 3
    SISMEMBER set1 4
    SISMEMBER missing 4
    SMISMEMBER set1 1 2 x 01 40000
    SMISMEMBER missing 1 2
    SCARD set1
    SCARD missing
    SREM set1 nothing
    SREM set1 1 1 2
    SREM missing 1
    SREM set1 3 -5 40000 9223372036854775807 -9223372036854775808 01 +1 -0 " 1" 9223372036854775808 more
    EXISTS set1
    SADD set1 ""
    SISMEMBER set1 ""
    SMEMBERS set1
    SADD set1 "\\x00\\xff" "a\\r\\nb"
    sorted SMEMBERS set1
    SPOP missing
    SPOP missing 3
    SRANDMEMBER missing
    SRANDMEMBER missing 3
    SRANDMEMBER missing -3
    SMEMBERS missing
  `,
  "wrong types and numbers of arguments": `
    SET str v
    SADD set1 a b c
    SADD str a
    SREM str a
    SISMEMBER str a
    SMISMEMBER str a
    SCARD str
    SMEMBERS str
    SPOP str
    SPOP str 2
    SRANDMEMBER str
    SRANDMEMBER str 2
    SMOVE str set1 a
    SMOVE set1 str a
    SMOVE missing str a
    SMOVE str str a
    SINTER str
    SINTER set1 str
    SINTER missing str
    SINTERSTORE set2 set1 str
    SINTERCARD 2 set1 str
    SUNION set1 str
    SUNION missing str
    SUNIONSTORE set2 str
    SDIFF set1 str
    SDIFF missing str
    SDIFFSTORE set2 missing str
    SSCAN str 0
    SADD set1
    SREM set1
    SPOP set1 1 2
    SRANDMEMBER set1 1 2
    SPOP set1 -1
    SPOP set1 x
    SPOP missing -1
    SPOP str -1
    SPOP set1 9223372036854775808
    SPOP set1 0
    SRANDMEMBER set1 x
    SRANDMEMBER set1 0
    SRANDMEMBER set1 -9223372036854775808
    SRANDMEMBER set1 -9223372036854775809
    SRANDMEMBER missing -9223372036854775808
    SMOVE set1 set2
    SINTER
    SINTERSTORE set1
    SUNION
    SDIFF
    SMEMBERS
    SMEMBERS set1 x
    SCARD
    SISMEMBER set1
    SMISMEMBER set1
    SSCAN set1
    HGET set1 f
    sorted SMEMBERS set1
  `,
  "SPOP and SRANDMEMBER of everything": `
    SADD set1 a b c 1 2
    sorted SRANDMEMBER set1 5
    sorted SRANDMEMBER set1 6
    sorted SRANDMEMBER set1 9223372036854775807
    ? SRANDMEMBER set1 3
    ? SRANDMEMBER set1 -8
    ? SRANDMEMBER set1
    sorted SPOP set1 5
    EXISTS set1
    SADD set1 a
    SRANDMEMBER set1
    SRANDMEMBER set1 -3
    SRANDMEMBER set1 1
    SPOP set1
    EXISTS set1
    SADD set1 a
    SPOP set1 10
    SADD set1 17
    SPOP set1
    ? SPOP set1 2
    PEXPIREAT set1 4102444800123
  `,
  "SPOP with a count keeps the encoding, or makes a small set of what stays": `
    %probe set1 set2 set3 set4
    SADD set1 ${range(1, 100)}
    ? SPOP set1 3
    ? SPOP set1 94
    SCARD set1
    SADD set2 ${range(1, 100, "m")}
    ? SPOP set2 3
    ? SPOP set2 94
    SCARD set2
    SADD set3 ${range(1, 200, "m")}
    PEXPIREAT set3 4102444800123
    ? SPOP set3
    ? SPOP set3 100
    ? SPOP set3 90
    SCARD set3
    SADD set4 ${range(1, 2000)} x
    ? SPOP set4 1700
    SCARD set4
  `,
  "encodings of new sets": `
    %probe set1 set2 set3 set4 set5 set6 set7
    SADD set1 ${range(1, 512)}
    SADD set2 ${range(1, 513)}
    SADD set3 ${range(1, 128, "m")}
    SADD set4 ${range(1, 129, "m")}
    SADD set5 x ${"y".repeat(64)}
    SADD set6 x ${"y".repeat(65)}
    SADD set7 1 2 3 x
    SADD set1 513
    SREM set1 513 512 511
    SREM set2 ${range(10, 513)}
    SADD set3 m129
    SADD set5 ${"z".repeat(65)}
    SREM set5 ${"z".repeat(65)}
  `,
  "an intset gets a member that is no integer": `
    %probe set1 set2 set3 set4
    SADD set1 ${range(1, 127)}
    SADD set1 x
    SADD set2 ${range(1, 128)}
    SADD set2 x
    SADD set3 1 2 3
    SADD set3 ${"y".repeat(64)}
    SADD set4 1 2 3
    SADD set4 ${"y".repeat(65)}
    sorted SMEMBERS set1
    SADD set1 y
    sorted SMEMBERS set4
  `,
  "encodings when limits change at run time": `
    CONFIG SET set-max-intset-entries 4
    CONFIG SET set-max-listpack-entries 6
    CONFIG SET set-max-listpack-value 5
    %probe set1 set2 set3 set4 set5 set6
    SADD set1 1 2 3
    SADD set1 4
    SADD set1 5
    SADD set2 a b c d e f
    SADD set2 f
    SADD set2 g
    SADD set3 12345 a
    SADD set3 123456
    SADD set4 123456
    SADD set4 a
    SADD set5 1 2 3
    SADD set5 1 2 3 1 2
    SADD set6 1 2 3 4
    CONFIG SET set-max-intset-entries 2
    SADD set6 1
    SADD set6 1 2 3
    SADD set6 5
    CONFIG SET set-max-intset-entries 0
    SADD set7 1
    OBJECT ENCODING set7
    CONFIG SET set-max-listpack-entries 0
    SADD set8 1
    OBJECT ENCODING set8
    SADD set9 a
    OBJECT ENCODING set9
    CONFIG SET set-max-intset-entries 512
    CONFIG SET set-max-listpack-entries 128
    CONFIG SET set-max-listpack-value 64
  `,
  SMOVE: `
    %probe set1 set2
    SADD set1 a b 1
    SMOVE set1 set2 a
    SMOVE set1 set2 a
    SMOVE set1 set1 b
    SMOVE set1 set1 c
    SADD set2 b
    SMOVE set1 set2 b
    SMOVE set1 set2 1
    SMOVE set1 set2 1
    SMOVE missing set2 1
    sorted SMEMBERS set2
    SADD set1 7
    SMOVE set2 set1 1
    SMOVE set2 set1 b
    SMOVE set1 set3 7
    OBJECT ENCODING set3
  `,
  "intersection, union, difference": `
    SADD set1 a b c d 1 2 3
    SADD set2 c d e 3 4
    SADD set3 d 3 x
    SADD seti 1 2 3 4 5
    SADD setj 3 4 99999
    SADD setb ${range(1, 300, "m")} d 3 4
    SADD setn ${range(1, 700)}
    sorted SINTER set1
    sorted SINTER set1 set2
    sorted SINTER set1 set2 set3
    sorted SINTER set1 set1
    sorted SINTER set1 missing
    sorted SINTER missing
    SINTER seti setj
    sorted SINTER setb set1
    sorted SINTER setb setn seti
    sorted SUNION set1 set2
    sorted SUNION set1 missing set3
    sorted SUNION missing missing
    SUNION seti setj
    sorted SUNION setb set1 setn
    sorted SDIFF set1 set2
    sorted SDIFF set1 set2 set3
    sorted SDIFF set1 missing
    sorted SDIFF missing set1
    SDIFF set1 set1
    SDIFF set1 set2 set1
    SDIFF seti setj
    sorted SDIFF setb set1
    sorted SDIFF setn seti setb
    sorted SDIFF seti setn
    sorted SDIFF setb setn setb
    %probe seto
    SINTERSTORE seto set1 set2
    SINTERSTORE seto seti setj
    SINTERSTORE seto seti set1
    SINTERSTORE seto set1 seti
    SINTERSTORE seto setb setn
    SINTERSTORE seto setn setn
    SINTERSTORE seto setb setb
    SINTERSTORE seto setb
    SINTERSTORE seto set1 missing
    SINTERSTORE seto set1 missing
    SINTERSTORE seto set1 seti
    SINTERSTORE seto seti set1 seto
    SUNIONSTORE seto seti setj
    SUNIONSTORE seto seti set1
    SUNIONSTORE seto set1 seti
    SUNIONSTORE seto setb
    SUNIONSTORE seto setn
    SUNIONSTORE seto missing
    SUNIONSTORE seto seto set1
    SUNIONSTORE seto seto set2
    SDIFFSTORE seto set1 set2
    SDIFFSTORE seto seti setj
    SDIFFSTORE seto setn seti
    SDIFFSTORE seto setb set1 set2 set3
    SDIFFSTORE seto seto seto
    SDIFFSTORE seto seto
    SET seto string
    SDIFFSTORE seto seti setj
    SET seto string
    SINTERSTORE seto missing
    PEXPIREAT set1 4102444800123
    SUNIONSTORE seto set1
    PEXPIREAT seto 4102444800123
    SUNIONSTORE seto set2
    sorted SMEMBERS seto
  `,
  SINTERCARD: `
    SADD set1 a b c d 1 2 3
    SADD set2 c d e 3 4
    SINTERCARD 1 set1
    SINTERCARD 2 set1 set2
    SINTERCARD 2 set1 missing
    SINTERCARD 2 set1 set2 LIMIT 0
    SINTERCARD 2 set1 set2 limit 2
    SINTERCARD 2 set1 set2 LIMIT 10
    SINTERCARD 2 set1 set2 LIMIT 2 LIMIT 1
    SINTERCARD 2 set1 set2 LIMIT -1
    SINTERCARD 2 set1 set2 LIMIT x
    SINTERCARD 2 set1 set2 LIMIT
    SINTERCARD 2 set1 set2 FOO 1
    SINTERCARD 2 set1 set2 set2
    SINTERCARD 0 set1
    SINTERCARD -1 set1
    SINTERCARD x set1
    SINTERCARD 3 set1 set2
    SINTERCARD 9223372036854775807 set1
    SINTERCARD 9223372036854775808 set1
    SINTERCARD 1
  `,
  SSCAN: `
    SADD set1 1 2 3
    SSCAN set1 0
    SSCAN set1 5
    SSCAN set1 0 COUNT 1
    SSCAN set1 0 MATCH *
    SSCAN set1 0 MATCH 2
    SSCAN set1 0 match 2 count 5 match 3
    SSCAN set1 0 COUNT 0
    SSCAN set1 0 COUNT x
    SSCAN set1 0 COUNT
    SSCAN set1 0 FOO
    SSCAN set1 0 TYPE set
    SSCAN set1 x
    SSCAN set1 18446744073709551615
    SSCAN set1 18446744073709551616
    SSCAN missing 0
    SSCAN missing x
    SSCAN missing 0 FOO
    SSCAN missing 17 COUNT 0
    SADD set1 a ab b
    sorted SSCAN set1 0 MATCH a*
    SADD set2 ${range(1, 200, "m")}
    sorted SSCAN set2 0 COUNT 5000
    sorted SSCAN set2 0 COUNT 5000 MATCH m1?
  `,
  "copies, moves and sizes": `
    SADD set1 1 2 3
    SADD set2 a b c
    SADD set3 ${range(1, 300, "m")}
    COPY set1 seta
    COPY set2 setb
    COPY set3 setc
    %probe seta setb setc
    SADD seta 4
    SADD setb d
    SADD setc d
    SCARD set1
    SCARD set2
    SCARD set3
    RENAME setc setd
    SCARD setd
    MOVE setd 1
    SELECT 1
    SCARD setd
    SADD setd x
    SREM setd x
    DEL setd
    SELECT 0
    PEXPIREAT set3 4102444800123
    SADD set3 more
    PEXPIRETIME set3
    PEXPIREAT set1 4102444800123
    SADD set1 ${range(1, 600)}
    PEXPIRETIME set1
    SADD set2 ${"x".repeat(20000)} ${"y".repeat(100)} ${"z".repeat(300)}
    SISMEMBER set2 ${"x".repeat(20000)}
    SISMEMBER set2 ${"x".repeat(19999)}
    COPY set2 sete
    SREM set2 ${"x".repeat(20000)}
    SISMEMBER sete ${"x".repeat(20000)}
    sorted SMEMBERS sete
    sorted SMEMBERS set2
  `,
};
