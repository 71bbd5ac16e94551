/** Keyspace notifications: what the scripts of the families leave out. */
import type { Scripts } from "../lib/suite.ts";

export const NOTIFICATIONS: Scripts = {
  strings: `
    SET k v
    SET k v EX 100
    SET k v KEEPTTL
    SET k v NX
    SET k v XX GET
    SET new v PXAT 33177117420000
    SETNX n v
    SETNX n v
    SETEX k 10 v
    PSETEX p 10000 v
    GETSET k w
    GETSET g w
    GETDEL g
    GETDEL g
    GETEX k
    GETEX k EX 100
    GETEX k PERSIST
    GETEX k PERSIST
    GETEX k PXAT 1
    MSET a 1 b 2 a 3
    MSETNX c 1 c 2 d 3
    MSETNX c 1 e 2
    APPEND a x
    APPEND z x
    SETRANGE r 3 x
    SETRANGE r 0 y
    SETRANGE r 0 ""
    INCR i
    DECRBY i 4
    INCRBYFLOAT i 1.5
    INCRBYFLOAT i2 1.5
    SETBIT bit 3 1
    SETBIT bit 3 1
    BITFIELD bit SET u8 0 255 GET u8 0
    BITFIELD bit GET u8 0
    BITOP AND bit2 bit bit
    BITOP AND bit2 missing
    BITOP AND bit2 missing
    PFADD h a b
    PFADD h a
    PFMERGE h2 h
    PFCOUNT h
    PFCOUNT h missing
    GET missing
    MGET missing k missing2
    STRLEN missing
    LCS missing k
  `,
  generic: `
    SET k v
    DEL k missing
    MSET a 1 b 2
    UNLINK a missing b
    SET a 1
    SET b 2 EX 100
    RENAME a b
    RENAME b b
    RENAMENX b c
    SET d x
    RENAMENX c d
    COPY c e
    COPY c e REPLACE
    COPY c e DB 2
    MOVE c 1
    MOVE c 1
    EXPIRE d 100
    PEXPIRE d 100000 NX
    PERSIST d
    PERSIST d
    EXPIRE d -1
    EXPIREAT d 1
    TTL missing
    TYPE missing
    EXISTS missing missing
    TOUCH missing
    DUMP missing
    OBJECT ENCODING missing
    MEMORY USAGE missing
    RENAME missing x
    COPY missing x
    SORT missing
    RPUSH l 3 1 2
    SORT l STORE s
    SORT l STORE s
    SORT missing STORE s
    SORT missing STORE s
    SORT l BY w_* GET #
    SORT l ALPHA STORE l
    FLUSHALL
    SWAPDB 0 1
  `,
  collections: `
    RPUSH l a b c
    LPUSHX l d
    LPUSHX missing d
    LINSERT l BEFORE a x
    LINSERT l BEFORE nothing x
    LSET l 0 y
    LREM l 1 a
    LREM l 1 nothing
    LTRIM l 0 -1
    LTRIM l 1 -1
    LMOVE l l LEFT RIGHT
    LMOVE l m RIGHT LEFT
    RPOPLPUSH l m
    LMPOP 2 missing l LEFT COUNT 5
    RPOP m 1
    LPOP m
    RPUSH l a
    LTRIM l 5 6
    BLPOP l 0.01
    RPUSH l a b
    BRPOP l m 0.01
    BLMOVE l m LEFT LEFT 0
    BLMPOP 0 1 m LEFT
    SADD s a b c
    SADD s a
    SREM s a nothing
    SMOVE s t b
    SMOVE s t nothing
    SADD t c
    SMOVE s t c
    SPOP t
    SPOP t 5
    SPOP t
    SADD s 1 2 3
    SADD t 2 3 4
    SINTERSTORE u s t
    SUNIONSTORE u s t
    SDIFFSTORE u s s
    SDIFFSTORE u s s
    HSET h f v g w
    HSETNX h f v
    HSETNX h i v
    HMSET h f v
    HINCRBY h n 1
    HINCRBYFLOAT h n 1.5
    HDEL h f nothing
    HDEL h g i n
    ZADD z 1 a 2 b 3 c 4 d
    ZADD z 1 a
    ZADD z CH 2 a
    ZADD z INCR 2 a
    ZADD z XX GT 0 a
    ZADD missing XX 1 a
    ZINCRBY z 1 a
    ZREM z a nothing
    ZREMRANGEBYRANK z 0 0
    ZREMRANGEBYSCORE z 0 3
    ZREMRANGEBYLEX z - +
    ZADD z 1 a 2 b 3 c
    ZPOPMIN z
    ZMPOP 1 z MAX
    BZPOPMAX z 0
    ZADD z 1 a 2 b 3 c
    BZMPOP 0 1 z MIN COUNT 5
    ZADD z 1 a 2 b 3 c
    ZUNIONSTORE y 2 z z
    ZINTERSTORE y 2 z missing
    ZDIFFSTORE y 1 z
    ZRANGESTORE y z 0 1
    ZRANGESTORE y z 7 8
    GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
    GEOSEARCHSTORE gs g FROMLONLAT 15 37 BYRADIUS 200 km
    GEORADIUS g 15 37 200 km STORE gr
    GEORADIUSBYMEMBER g Palermo 1 m STORE gr
    GEOSEARCHSTORE gs missing FROMLONLAT 15 37 BYRADIUS 200 km
  `,
  "consumers and streams": `
    XADD s 1-1 f v
    XADD s MAXLEN 1 2-1 f v
    XADD s NOMKSTREAM MAXLEN 5 3-1 f v
    XADD missing NOMKSTREAM 3-1 f v
    XTRIM s MAXLEN 1
    XTRIM s MAXLEN 1
    XADD s 4-1 f v
    XDEL s 4-1 9-9
    XSETID s 9-9
    XGROUP CREATE s g 0
    XGROUP CREATE n g $ MKSTREAM
    XGROUP CREATECONSUMER s g c
    XGROUP CREATECONSUMER s g c
    XGROUP SETID s g 0
    XREADGROUP GROUP g d COUNT 1 STREAMS s >
    XREADGROUP GROUP g d NOACK STREAMS s >
    XCLAIM s g e 0 3-1
    XAUTOCLAIM s g f 0 0
    XACK s g 3-1
    XGROUP DELCONSUMER s g d
    XGROUP DESTROY s g
    XREAD STREAMS missing 0
    XREADGROUP GROUP g d STREAMS missing >
    XLEN missing
    XINFO STREAM missing
  `,
  "inside a script": `
    EVAL "redis.call('set', KEYS[1], 'v') return redis.call('del', KEYS[1])" 1 k
    EVAL "redis.call('rpush', KEYS[1], 'v') return redis.pcall('get', KEYS[1])" 1 k
    EVAL_RO "return redis.call('get', KEYS[1])" 1 missing
  `,
  "inside a transaction": `
    MULTI
    SET k v
    LPUSH l a
    LPOP l
    EXEC
  `,
};
