/** The sorted set commands, on listpacks and on indexes. */
import type { Scripts } from "../lib/suite.ts";

const lines = (items: readonly string[], line: (item: string) => string) => items.map(line).join("\n");

const SCORES = [
  "0",
  "-0",
  "1",
  "1.5",
  "-1.5",
  "3.0",
  "1e3",
  "0.1",
  "0.30000000000000004",
  "1e21",
  "1e-7",
  "1.7976931348623157e308",
  "5e-324",
  "inf",
  "-inf",
  "+inf",
  "infinity",
  "nan",
  "x",
  "''",
  "' 1'",
  "'1 '",
  "1e999",
  "0x10",
  "4611686018427387904",
  "4611686018427387905",
  "-4611686018427387904",
  "9007199254740993",
  "9223372036854775807",
  "12345678901234567890",
  "1.0000000000000002",
];

const BOUNDS = [
  "-inf",
  "+inf",
  "inf",
  "0",
  "(0",
  "1",
  "(1",
  "2.5",
  "(2.5",
  "3",
  "(3",
  "-1",
  "(-inf",
  "(+inf",
  "''",
  "(",
  "((1",
  "x",
  "(x",
  "nan",
  "1e999",
  "' 1'",
];

const LEX_BOUNDS = [
  "-",
  "+",
  "[a",
  "(a",
  "[c",
  "(c",
  "[",
  "(",
  "[zz",
  "(bb",
  "a",
  "''",
  "--",
  "+x",
  '"+\\x00x"',
  "5",
  "[\\xff",
];

const INDEXES = [
  "0",
  "1",
  "2",
  "-1",
  "-2",
  "5",
  "-5",
  "100",
  "-100",
  "x",
  "1.5",
  "9223372036854775807",
  "-9223372036854775808",
  "9223372036854775808",
];

const pairs = (items: readonly string[], line: (a: string, b: string) => string) =>
  items.map((a) => items.map((b) => line(a, b)).join("\n")).join("\n");

/** The same script with sorted sets that are listpacks, and with such that are not. */
function both(script: string): string {
  return `
    CONFIG SET zset-max-listpack-entries 128
    ${script}
    FLUSHALL
    CONFIG SET zset-max-listpack-entries 0
    ${script}
    CONFIG SET zset-max-listpack-entries 128
  `;
}

const PROBE = `
    ZRANGE z 0 -1 WITHSCORES
    OBJECT ENCODING z
`;

/** Scripts that every Redis from 7.0 on answers alike. */
export const ZSETS: Scripts = {
  "ZADD: options": both(`
    ZADD z 1 a 2 b 3 c
    ${PROBE}
    ZADD z 1 a
    ZADD z 2 a 5 d
    ZADD z CH 3 a 5 d 6 e
    ZADD z NX 9 a 9 f
    ZADD z NX CH 9 a 9 g
    ZADD z XX 4 a 9 h
    ZADD z XX CH 5 a 9 h
    ZADD z GT 4 a 20 b
    ZADD z GT CH 6 a 19 b 1 new
    ZADD z LT 7 a 1 b
    ZADD z LT CH 5 a 2 b 1 newer
    ZADD z XX GT 100 a 100 nobody
    ZADD z XX LT CH 50 a 1 nobody
    ZADD z INCR 2 a
    ZADD z INCR XX 2 a
    ZADD z INCR XX 2 nobody
    ZADD z INCR NX 2 a
    ZADD z INCR NX 2 fresh
    ZADD z INCR GT 2 a
    ZADD z INCR GT -2 a
    ZADD z INCR LT -2 a
    ZADD z INCR LT 2 a
    ZADD z INCR GT 0 a
    ZADD z GT INCR 1 another
    ZADD z incr ch 1 a
    ${PROBE}
    ZADD z NX XX 1 a
    ZADD z NX GT 1 a
    ZADD z NX LT 1 a
    ZADD z GT LT 1 a
    ZADD z GT LT NX 1 a
    ZADD z INCR 1 a 2 b
    ZADD z 1
    ZADD z 1 a 2
    ZADD z XX
    ZADD z XX 1
    ZADD z CH CH CH
    ZADD z NX XX GT
    ZADD z FOO 1 a
    ZADD z 1 a NX 2
    ZADD z nx 1 nx
    ZADD z 1 a x b
    ZADD z x a 1 b
    ZADD none XX 1 a
    ZADD none XX CH 1 a
    ZADD none XX INCR 1 a
    EXISTS none
    ZADD dup 1 a 2 a 3 a
    ZADD dup CH 1 a 2 a 3 a
    ZADD dup NX CH 1 x 2 x 3 x
    ZRANGE dup 0 -1 WITHSCORES
    ZADD z 1 ""
    ZADD z 2 "\\x00\\xff" 2 12 2 0012 2 -5 2 9223372036854775807
    ${PROBE}
    SET s x
    ZADD s 1 a
    ZADD s x a
    ZINCRBY s 1 a
  `),

  "ranges of indexes": both(`
    ZADD z 1 a 2 b 3 c 3 d 4.5 e
    ${pairs(INDEXES, (a, b) => `ZRANGE z ${a} ${b}\nZREVRANGE z ${a} ${b} WITHSCORES\nZRANGE z ${a} ${b} REV`)}
    ZRANGE none 0 -1
    ZRANGE none x -1
    ZRANGE z 0 -1 WITHSCORES WITHSCORES
    ZRANGE z 0 -1 REV REV
    ZRANGE z 0 -1 LIMIT 0 1
    ZRANGE z 0 -1 LIMIT 0 -1
    ZRANGE z 0 -1 LIMIT 5 -1
    ZRANGE z 0 -1 LIMIT x 1
    ZRANGE z 0 -1 LIMIT 0
    ZRANGE z 0 -1 FOO
    ZREVRANGE z 0 -1 REV
    ZREVRANGE z 0 -1 BYSCORE
    ZREVRANGE z 0 -1 LIMIT 0 1
    ZREVRANGE z 0 -1 LIMIT 0 -1
  `),

  "ranges of scores": both(`
    ZADD z -1 m 0 a 1 b 2.5 c 3 d 3 e inf z -inf y
    ${pairs(BOUNDS, (a, b) => `ZRANGEBYSCORE z ${a} ${b} WITHSCORES\nZREVRANGEBYSCORE z ${a} ${b}\nZCOUNT z ${a} ${b}\nZRANGE z ${a} ${b} BYSCORE`)}
    ZRANGE z 3 0 BYSCORE REV WITHSCORES
    ZRANGE z 0 3 BYSCORE REV
    ZRANGEBYSCORE z -inf +inf LIMIT 0 2
    ZRANGEBYSCORE z -inf +inf LIMIT 2 3 WITHSCORES
    ZRANGEBYSCORE z -inf +inf WITHSCORES LIMIT 2 -1
    ZRANGEBYSCORE z -inf +inf LIMIT 2 -5
    ZRANGEBYSCORE z -inf +inf LIMIT -1 2
    ZRANGEBYSCORE z -inf +inf LIMIT 7 2
    ZRANGEBYSCORE z -inf +inf LIMIT 8 2
    ZRANGEBYSCORE z -inf +inf LIMIT 100 2
    ZRANGEBYSCORE z -inf +inf LIMIT 0 0
    ZRANGEBYSCORE z 0 3 LIMIT 1 9223372036854775807
    ZRANGEBYSCORE z 0 3 LIMIT 9223372036854775807 9223372036854775807
    ZREVRANGEBYSCORE z +inf -inf LIMIT 0 2
    ZREVRANGEBYSCORE z +inf -inf LIMIT 1 2 WITHSCORES
    ZREVRANGEBYSCORE z 3 0 LIMIT 1 2
    ZREVRANGEBYSCORE z 3 0 LIMIT 4 2
    ZREVRANGEBYSCORE z 3 0 LIMIT 5 2
    ZREVRANGEBYSCORE z 3 0 LIMIT -1 2
    ZREVRANGEBYSCORE z 3 0 LIMIT 1 -1
    ZREVRANGEBYSCORE z 3 0 LIMIT 1
    ZREVRANGEBYSCORE z 3 0 LIMIT a b
    ZRANGEBYSCORE z 3 0 REV
    ZRANGEBYSCORE z 0 3 BYSCORE
    ZRANGE z 0 3 BYSCORE BYLEX
    ZRANGE z 0 3 BYSCORE BYSCORE
    ZRANGE z (0 (3 BYSCORE LIMIT 0 1 LIMIT 1 1
    ZRANGEBYSCORE none 0 1
    ZRANGEBYSCORE none x 1
    ZRANGEBYSCORE z 0 1 FOO
    SET s x
    ZRANGEBYSCORE s 0 1
    ZREMRANGEBYSCORE s 0 1
  `),

  "ranges of members": both(`
    ZADD z 0 a 0 aa 0 b 0 bb 0 c 0 "" 0 12 0 zz 0 "\\xff"
    ${pairs(LEX_BOUNDS, (a, b) => `ZRANGEBYLEX z ${a} ${b}\nZREVRANGEBYLEX z ${a} ${b}\nZLEXCOUNT z ${a} ${b}\nZRANGE z ${a} ${b} BYLEX`)}
    ZRANGE z [c [a BYLEX REV
    ZRANGE z [a [c BYLEX REV
    ZRANGE z - + BYLEX WITHSCORES
    ZRANGEBYLEX z - + WITHSCORES
    ZRANGEBYLEX z - + LIMIT 1 3
    ZRANGEBYLEX z - + LIMIT 1 -1
    ZRANGEBYLEX z - + LIMIT -1 1
    ZRANGEBYLEX z - + LIMIT 9 1
    ZREVRANGEBYLEX z + - LIMIT 1 3
    ZREVRANGEBYLEX z [c [a LIMIT 1 100
    ZLEXCOUNT none - +
    ZLEXCOUNT none a +
    ZRANGEBYLEX none - +
    ZRANGEBYLEX z - + REV
  `),

  ZRANGESTORE: both(`
    ZADD z 1 a 2 b 3 c 4 d
    ZRANGESTORE d z 0 -1
    ZRANGE d 0 -1 WITHSCORES
    ZRANGESTORE d z 1 2
    ZRANGESTORE d z 2 4 BYSCORE
    ZRANGE d 0 -1 WITHSCORES
    ZRANGESTORE d z 4 2 BYSCORE REV LIMIT 0 2
    ZRANGE d 0 -1 WITHSCORES
    ZRANGESTORE d z 0 1 REV
    ZRANGE d 0 -1 WITHSCORES
    ZRANGESTORE d z [a [c BYLEX
    ZRANGESTORE d z 5 6
    EXISTS d
    ZRANGESTORE d z 5 6
    SET d x
    ZRANGESTORE d none 0 -1
    EXISTS d
    ZRANGESTORE d none 0 -1
    SET s x
    ZRANGESTORE s z 0 0
    TYPE s
    ZRANGESTORE z z 1 2
    ZRANGE z 0 -1 WITHSCORES
    ZRANGESTORE d z 0 -1 WITHSCORES
    ZRANGESTORE d z 0 -1 LIMIT 1 2
    ZRANGESTORE d z x 1
    ZRANGESTORE d z x 1 BYSCORE
    SET s x
    ZRANGESTORE d s 0 -1
    ZRANGESTORE d z -inf inf BYSCORE LIMIT 0 -1
    OBJECT ENCODING d
  `),

  removing: both(`
    ZADD z 1 a 2 b 3 c 4 d 5 e
    ZREM z a x e
    ZREM z x
    ZREM none x
    ZREM z b b c
    ZREM z d
    EXISTS z
    ZADD z 1 a 2 b 3 c 4 d 5 e
    ZREM z e d c b a z y
    EXISTS z
    ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g 8 h 9 i
    ZREMRANGEBYRANK z 0 0
    ZREMRANGEBYRANK z -1 -1
    ZREMRANGEBYRANK z 2 3
    ZREMRANGEBYRANK z 5 3
    ZREMRANGEBYRANK z 100 200
    ${PROBE}
    ZREMRANGEBYSCORE z 0 1
    ZREMRANGEBYSCORE z (2 3
    ZREMRANGEBYSCORE z 100 2
    ${PROBE}
    ZREMRANGEBYLEX z [f (g
    ZREMRANGEBYLEX z - (a
    ${PROBE}
    ZREMRANGEBYLEX z - +
    EXISTS z
    ZADD z 1 a
    ZREMRANGEBYRANK z 0 -1
    EXISTS z
    ZADD z 1 a
    ZREMRANGEBYSCORE z -inf inf
    EXISTS z
    ZREMRANGEBYRANK none 0 -1
    ZREMRANGEBYRANK none x -1
    ZREMRANGEBYSCORE none 0 x
    ZREMRANGEBYLEX none 0 x
    ZADD z 1 a
    ZREMRANGEBYRANK z x 1
    ZREMRANGEBYRANK z 1 1.5
    SET s x
    ZREM s a
    ZREMRANGEBYRANK s 0 1
    ZREMRANGEBYLEX s - +
  `),

  popping: both(`
    ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g
    ZPOPMIN z
    ZPOPMAX z
    ZPOPMIN z 2
    ZPOPMAX z 1
    ZPOPMIN z 0
    ZPOPMIN z -1
    ZPOPMIN z x
    ZPOPMIN z 1 2
    ZPOPMIN none
    ZPOPMAX none 3
    ZPOPMIN none -1
    ZPOPMAX z 100
    EXISTS z
    ZADD z 1 a
    ZPOPMIN z
    EXISTS z
    SET s x
    ZPOPMIN s
    ZPOPMIN s 0
    ZPOPMIN s 1
    ZADD z 1 a 2 b 3 c 4 d 5 e
    ZADD y 1 x 2 y
    ZMPOP 1 z MIN
    ZMPOP 2 none z MAX COUNT 2
    ZMPOP 3 none y z MIN COUNT 10
    ZMPOP 2 none y MIN
    ZMPOP 1 s MIN
    ZMPOP 2 none s MIN
    ZMPOP 2 z s MIN
    ZMPOP 0 z MIN
    ZMPOP -1 z MIN
    ZMPOP x z MIN
    ZMPOP 1 z
    ZMPOP 5 z MIN
    ZMPOP 9223372036854775807 z MIN
    ZMPOP 9223372036854775808 z MIN
    ZMPOP 1 z FOO
    ZMPOP 1 z MIN COUNT
    ZMPOP 1 z MIN COUNT 0
    ZMPOP 1 z MIN COUNT -1
    ZMPOP 1 z MIN COUNT x
    ZMPOP 1 z MIN COUNT 1 COUNT 1
    ZMPOP 1 z MIN FOO 1
    ZMPOP 1 z min count 100
    BZPOPMIN z y 0.01
    ZADD z 1 a 2 b
    BZPOPMIN y z 0.01
    BZPOPMAX y z 0.01
    EXISTS z
    BZPOPMIN s 0.01
    BZPOPMIN none s 0.01
    BZPOPMAX z x
    BZPOPMAX z -1
    BZPOPMAX z nan
    BZPOPMAX z 0.001
    ZADD z 1 a 2 b 3 c
    BZMPOP 0.01 1 z MIN
    BZMPOP 0.01 2 y z MAX COUNT 10
    BZMPOP 0.001 2 y z MAX COUNT 10
    BZMPOP 1 0 z MIN
    BZMPOP x 1 z MIN
    BZMPOP -1 1 z MIN
    BZMPOP 0.01 1 z FOO
    BZMPOP 0.01 1 z MIN COUNT 0
    BZMPOP x 1 z MIN COUNT 0
  `),

  "ZUNION, ZINTER, ZDIFF": both(`
    ZADD a 1 x 2 y 3 z 4.5 w
    ZADD b 10 y 20 z -30 v
    ZADD c inf x -inf y 0 z
    ZADD d -inf x inf y 5 q
    ${lines(
      [
        "1 a",
        "2 a b",
        "3 a b c",
        "2 c d",
        "2 a none",
        "2 none a",
        "1 none",
        "2 a a",
        "3 a b a",
        "2 none none",
        "4 a b c d",
        "3 b none a",
      ],
      (keys) => `
    ZUNION ${keys}
    ZUNION ${keys} WITHSCORES
    ZUNION ${keys} AGGREGATE MIN WITHSCORES
    ZUNION ${keys} AGGREGATE MAX WITHSCORES
    ZINTER ${keys} WITHSCORES
    ZINTER ${keys} AGGREGATE MIN WITHSCORES
    ZINTER ${keys} AGGREGATE MAX WITHSCORES
    ZDIFF ${keys}
    ZDIFF ${keys} WITHSCORES
    ZINTERCARD ${keys}
    ZINTERCARD ${keys} LIMIT 1
    ZINTERCARD ${keys} LIMIT 0
    ZUNIONSTORE out ${keys}
    ZRANGE out 0 -1 WITHSCORES
    ZINTERSTORE out ${keys}
    ZRANGE out 0 -1 WITHSCORES
    ZDIFFSTORE out ${keys}
    ZRANGE out 0 -1 WITHSCORES
    OBJECT ENCODING out
    ZINTERSTORE out ${keys} AGGREGATE SUM
    EXISTS out
  `,
    )}
    ZUNION 2 a b WEIGHTS 2 3 WITHSCORES
    ZUNION 2 a b WITHSCORES WEIGHTS -1 0.5 AGGREGATE MAX
    ZUNION 2 a c WEIGHTS 1 0 WITHSCORES
    ZUNION 2 c d WEIGHTS inf -inf WITHSCORES
    ZINTER 2 c d WEIGHTS inf -inf WITHSCORES
    ZINTER 2 c a WEIGHTS 0 0 WITHSCORES
    ZINTER 2 a c WEIGHTS 0 0 AGGREGATE MIN WITHSCORES
    ZINTER 2 a c WEIGHTS 0 0 AGGREGATE MAX WITHSCORES
    ZADD larger inf x -inf y inf z inf w -inf v
    ZINTER 2 a larger WEIGHTS 1 0 AGGREGATE MIN WITHSCORES
    ZINTER 2 a larger WEIGHTS 1 0 AGGREGATE MAX WITHSCORES
    ZINTER 2 a larger WEIGHTS 1 0 WITHSCORES
    ZUNION 2 a larger WEIGHTS 1 0 AGGREGATE MIN WITHSCORES
    ZUNION 2 a larger WEIGHTS -1 0 AGGREGATE MAX WITHSCORES
    ZINTER 3 a larger a WEIGHTS 1 0 1 WITHSCORES
    ZADD zero 0 x 0 y
    ZUNION 2 zero zero WEIGHTS -1 1 AGGREGATE MIN WITHSCORES
    ZUNION 2 zero zero WEIGHTS 1 -1 AGGREGATE MIN WITHSCORES
    ZUNION 2 zero zero WEIGHTS -1 1 AGGREGATE MAX WITHSCORES
    ZUNION 2 a b WEIGHTS 2
    ZUNION 2 a b WEIGHTS 2 3 4
    ZUNION 2 a b WEIGHTS x 3
    ZUNION 2 a b WEIGHTS
    ZUNION 2 a b AGGREGATE
    ZUNION 2 a b AGGREGATE FOO
    ZUNION 2 a b AGGREGATE sum AGGREGATE min WITHSCORES
    ZUNION 2 a b FOO
    ZUNION 2 a b LIMIT 1
    ZINTER 2 a b LIMIT 1
    ZUNION 0 a
    ZUNION -1 a
    ZUNION x a
    ZUNION 3 a b
    ZUNIONSTORE out 0 a
    ZUNIONSTORE out 3 a b
    ZUNIONSTORE out x a
    ZUNIONSTORE out 1 a WITHSCORES
    ZINTER 0 a
    ZINTERSTORE out 0 a
    ZDIFF 0 a
    ZDIFFSTORE out 0 a
    ZINTERCARD 0 a
    ZINTERCARD x a
    ZINTERCARD 3 a b
    ZINTERCARD 1 a LIMIT
    ZINTERCARD 1 a LIMIT -1
    ZINTERCARD 1 a LIMIT x
    ZINTERCARD 1 a LIMIT 2 LIMIT 1
    ZINTERCARD 1 a WITHSCORES
    ZINTERCARD 1 a WEIGHTS 1
    ZDIFF 2 a b WEIGHTS 1 1
    ZDIFF 2 a b AGGREGATE SUM
    ZDIFFSTORE out 2 a b WITHSCORES
    SET s x
    ZUNION 1 s
    ZUNION 2 a s
    ZUNION 2 a s FOO
    ZUNIONSTORE s 1 a
    TYPE s
    ZUNIONSTORE a 2 a b
    ZRANGE a 0 -1 WITHSCORES
    SET out x
    ZINTERSTORE out 2 a none
    EXISTS out
  `),

  "needs SADD: ZUNION and its kin on sets": both(`
    ZADD z 1 a 2 b 3 1 4 77
    SADD ints 1 2 3 77
    SADD texts a b q
    SADD mixed 1 a
    %repeat 600 SADD big #
    %repeat 600 SADD hash x#
    ${lines(
      [
        "2 z ints",
        "2 texts z",
        "3 z mixed texts",
        "2 ints big",
        "2 big z",
        "1 ints",
        "2 ints ints",
        "2 hash z",
      ],
      (keys) => `
    sorted ZUNION ${keys} WEIGHTS ${keys
      .split(" ")
      .slice(1)
      .map((_, i) => i + 2)
      .join(" ")}
    ZUNIONSTORE out ${keys}
    ZRANGE out 0 10 WITHSCORES
    ZINTER ${keys} WITHSCORES
    ZDIFF ${keys} WITHSCORES
    ZINTERCARD ${keys}
  `,
    )}
  `),

  ZRANDMEMBER: both(`
    ZADD one 1.5 a
    ZRANDMEMBER one
    ZRANDMEMBER one 1
    ZRANDMEMBER one 5 WITHSCORES
    ZRANDMEMBER one -3
    ZRANDMEMBER one -3 WITHSCORES
    ZRANDMEMBER one 0
    ZRANDMEMBER none
    ZRANDMEMBER none 5
    ZRANDMEMBER none -5 WITHSCORES
    ZRANDMEMBER one x
    ZRANDMEMBER one 1 FOO
    ZRANDMEMBER one 1 WITHSCORES x
    ZRANDMEMBER one -9223372036854775808
    ZRANDMEMBER none -9223372036854775807
    ZRANDMEMBER none 9223372036854775808
    ZRANDMEMBER one -9223372036854775807 WITHSCORES
    ZRANDMEMBER one 9223372036854775807 WITHSCORES
    ZRANDMEMBER one 9223372036854775807
    ZADD z 1 a 2 b 3 c 4 d
    sorted ZRANDMEMBER z 4
    sorted ZRANDMEMBER z 10
    ? ZRANDMEMBER z 2 WITHSCORES
    ? ZRANDMEMBER z 1 WITHSCORES
    ? ZRANDMEMBER z -9 WITHSCORES
    ? ZRANDMEMBER z
  `),

  infinities: both(`
    ZADD z inf a
    ZINCRBY z -inf a
    ZADD z INCR -inf a
    ZSCORE z a
    ZADD z -inf b
    ZINCRBY z +inf b
    ZINCRBY z inf fresh
    ZINCRBY z inf fresh
    ${PROBE}
  `),

  conversions: `
    CONFIG SET zset-max-listpack-entries 4
    CONFIG SET zset-max-listpack-value 8
    ZADD z 1 a 2 b 3 c 4 d
    OBJECT ENCODING z
    ZADD z 1 a
    OBJECT ENCODING z
    ZADD z 5 e
    OBJECT ENCODING z
    ZREM z e d c b
    OBJECT ENCODING z
    DEL z
    ZADD z 1 12345678
    OBJECT ENCODING z
    ZADD z 1 123456789
    OBJECT ENCODING z
    ZADD long 1 123456789
    OBJECT ENCODING long
    ZADD short 1 a 1 123456789
    OBJECT ENCODING short
    ZADD xx 1 a
    ZADD xx XX 2 123456789
    OBJECT ENCODING xx
    ZADD xx INCR 2 123456789
    OBJECT ENCODING xx
    ZADD u1 1 a 2 b 3 c
    ZADD u2 1 c 2 d
    ZUNIONSTORE u 2 u1 u2
    OBJECT ENCODING u
    ZADD u2 9 e
    ZUNIONSTORE u 2 u1 u2
    OBJECT ENCODING u
    ZINTERSTORE u 2 u1 u2
    OBJECT ENCODING u
    ZADD u1 1 123456789
    ZUNIONSTORE u 1 u1
    OBJECT ENCODING u
    ZRANGESTORE u u1 0 0
    OBJECT ENCODING u
    ZRANGESTORE u u1 0 -1
    OBJECT ENCODING u
    ZDIFFSTORE u 2 u1 u2
    OBJECT ENCODING u
    CONFIG SET zset-max-listpack-entries 128
    CONFIG SET zset-max-listpack-value 64
    %repeat 128 ZADD big # m#
    OBJECT ENCODING big
    ZADD big 64.5 m200
    OBJECT ENCODING big
    ZRANGE big 60 70 WITHSCORES
    ZRANK big m128
    ZREVRANK big m128 
    COPY big copy
    OBJECT ENCODING copy
    ZADD copy 1 x
    ZCARD big
    RENAME copy big
    ZCARD big
    ZRANGE big 0 5 WITHSCORES
    EXPIRE big 1000
    ZADD big 5 five
    TTL big
    ZRANGESTORE big big 0 3
    TTL big
    ZRANGE big 0 -1
  `,

  reading: both(`
    ZADD z 1 a 2 b 2 bb 3 c inf z
    ZCARD z
    ZCARD none
    ZSCORE z a
    ZSCORE z x
    ZSCORE none a
    ZMSCORE z a x z
    ZMSCORE none a b
    ZRANK z a
    ZRANK z bb
    ZRANK z x
    ZRANK none x
    ZREVRANK z a
    ZREVRANK z bb
    ZREVRANK z x
    ZCOUNT none 0 1
    SET s x
    ZCARD s
    ZSCORE s a
    ZMSCORE s a
    ZRANK s a
    ZCOUNT s 0 1
    ZLEXCOUNT s - +
    ZRANGE s 0 -1
    ZSCAN s 0
    ZRANDMEMBER s
  `),
};

/** Where 7.2 differs: shorter texts of doubles, WITHSCORE, sets made large at once for a long command. */
export const ZSETS_7_2: Scripts = {
  "ZADD and ZINCRBY: scores": both(
    lines(
      SCORES,
      (score) => `
    ZADD z ${score} a
    ZSCORE z a
    ZADD z INCR ${score} a
    ZINCRBY z ${score} b
    ZSCORE z b
    ZINCRBY z ${score} b
    ZMSCORE z a b c
    ${PROBE}
    ZADD z 0 a 0 b
    ZINCRBY z ${score} a
    ZADD y ${score} 'm${score.replaceAll("'", "")}'
    ZRANGE y 0 -1 WITHSCORES
    ZRANGEBYSCORE y -inf +inf WITHSCORES
    ZREVRANGE y 0 -1 WITHSCORES
    ZRANK y 'm${score.replaceAll("'", "")}'
    ZCOUNT y ${score} ${score}
    ZCOUNT y '(${score.replaceAll("'", "")}' ${score}
  `,
    ),
  ),

  ZSCAN: both(`
    ZADD z 1 a 0.1 b 1e17 c 1e16 d inf e -inf f -1.5e-5 g 123456789012345678 h 1e300 i 0.0001 j 3 k
    sorted ZSCAN z 0 COUNT 100
    sorted ZSCAN z 0 MATCH a COUNT 100
    sorted ZSCAN z 0 MATCH * COUNT 100
    sorted ZSCAN z 0 MATCH x* COUNT 100
    ZSCAN none 0
    ZSCAN none x
    ZSCAN none 0 FOO
    ZSCAN z x
    ZSCAN z 0 FOO
    ZSCAN z 0 MATCH
    ZSCAN z 0 COUNT 0
    ZSCAN z 0 COUNT x
    ZSCAN z 0 TYPE zset
  `),

  WITHSCORE: both(`
    ZADD z 1 a 2 b 2 bb 3 c inf z
    ZRANK z bb WITHSCORE
    ZREVRANK z bb withscore
    ZRANK z z WITHSCORE
    ZRANK z x WITHSCORE
    ZRANK none x WITHSCORE
    ZRANK z bb WITHSCORES
    ZRANK z bb WITHSCORE x
    ZREVRANK z bb WITHSCORE x
    SET s x
    ZREVRANK s a WITHSCORE
  `),

  "many members at once": `
    CONFIG SET zset-max-listpack-entries 4
    ZADD many 1 a 1 a 1 a 1 a 1 a
    OBJECT ENCODING many
    ZADD few 1 a
    ZADD few 2 a 2 a 2 a 2 a 2 a
    OBJECT ENCODING few
    CONFIG SET zset-max-listpack-entries 128
  `,

  timeouts: `
    BZPOPMAX none 1e40
    BZMPOP 1e40 1 none MIN
  `,
};
