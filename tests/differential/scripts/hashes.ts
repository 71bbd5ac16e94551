/** Hashes: replies, encodings and their conversions. */
import type { Scripts } from "../lib/suite.ts";

const pairs = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `f${from + i} ${from + i}`).join(" ");

export const HASHES: Scripts = {
  "fields one by one": `
    %probe h
    HSET h a 1
    HSET h a 2 b x c ""
    HSET h "" empty
    HMSET h d 1 e 2
    HSETNX h a 3
    HSETNX h new 3
    HSETNX fresh f v
    HGET h a
    HGET h ""
    HGET h c
    HGET h missing
    HGET missing a
    HMGET h a b missing "" d
    HMGET missing a b
    HGETALL h
    HKEYS h
    HVALS h
    HGETALL missing
    HKEYS missing
    HVALS missing
    HLEN h
    HLEN missing
    HSTRLEN h b
    HSTRLEN h missing
    HSTRLEN missing b
    HEXISTS h a
    HEXISTS h missing
    HEXISTS missing a
    HSET h n 123456 m -7 big 9223372036854775807 small -9223372036854775808 over 9223372036854775808 z 007
    HSTRLEN h n
    HSTRLEN h m
    HSTRLEN h small
    HGETALL h
    HSET h 1 one 2 two 01 other
    HGET h 1
    HGET h 01
    HDEL h 1 1 missing
    HDEL missing a
    HGETALL h
    HDEL h a b c d e "" new n m big small over z 2 01 more
    EXISTS h
    HSET h "\\x00\\xff" "a\\r\\nb"
    HGETALL h
  `,
  "wrong types and numbers of arguments": `
    SET str v
    HSET str f v
    HMSET str f v
    HSETNX str f v
    HGET str f
    HMGET str f
    HGETALL str
    HKEYS str
    HVALS str
    HLEN str
    HSTRLEN str f
    HEXISTS str f
    HDEL str f
    HINCRBY str f 1
    HINCRBY str f x
    HINCRBYFLOAT str f 1
    HINCRBYFLOAT str f x
    HRANDFIELD str
    HRANDFIELD str 1
    HSCAN str 0
    HSET h
    HSET h a
    HSET h a 1 b
    HMSET h a 1 b
    hmset h a
    HSETNX h a
    HGET h
    HMGET h
    HDEL h
    HINCRBY h f
    HINCRBYFLOAT h f
    HLEN
    HGETALL h x
    HRANDFIELD h 1 WITHVALUES x
    EXISTS h
    HSET h f v
    SADD h x
    GET h
  `,
  HINCRBY: `
    %probe h
    HINCRBY h n 5
    HINCRBY h n -15
    HINCRBY h n 0
    HINCRBY h n 9223372036854775807
    HINCRBY h n 9223372036854775807
    HINCRBY h n x
    HINCRBY h n 1.5
    HINCRBY h n 9223372036854775808
    HINCRBY h n " 1"
    HGET h n
    HSET h a text b "" c 01 d " 1" e 9223372036854775807 f -9223372036854775808 g 9007199254740991
    HINCRBY h a 1
    HINCRBY h b 1
    HINCRBY h c 1
    HINCRBY h d 1
    HINCRBY h e 1
    HINCRBY h e -1
    HINCRBY h f -1
    HINCRBY h f 1
    HINCRBY h f 9223372036854775807
    HINCRBY h g 1
    HINCRBY h g 1
    HINCRBY h g -3
    HGETALL h
    HINCRBY h ${"x".repeat(65)} 1
    HINCRBY h n 1
  `,
  HINCRBYFLOAT: `
    %probe h
    HINCRBYFLOAT h n 1.5
    HINCRBYFLOAT h n -1.5
    HINCRBYFLOAT h n 0.1
    HINCRBYFLOAT h n 0.2
    HINCRBYFLOAT h n 1e20
    HINCRBYFLOAT h n 5e-3
    HINCRBYFLOAT h n inf
    HINCRBYFLOAT h n -inf
    HINCRBYFLOAT h n nan
    HINCRBYFLOAT h n x
    HINCRBYFLOAT h n ""
    HINCRBYFLOAT h n " 1"
    HINCRBYFLOAT h n 0x10
    HSET h a text b "" c " 1" d 10 e inf f 1e4931 g -0 i 3.0
    HINCRBYFLOAT h a 1
    HINCRBYFLOAT h b 1
    HINCRBYFLOAT h c 1
    HINCRBYFLOAT h d 1
    HINCRBYFLOAT h e 1
    HINCRBYFLOAT h f 1e4932
    HINCRBYFLOAT h g 0
    HINCRBYFLOAT h i 1.25
    sorted HGETALL h
    HINCRBYFLOAT h ${"x".repeat(65)} 1
  `,
  HRANDFIELD: `
    HSET h a 1
    HRANDFIELD h
    HRANDFIELD h 1
    HRANDFIELD h 5 WITHVALUES
    HRANDFIELD h -3
    HRANDFIELD h -3 withvalues
    HRANDFIELD h 0
    HRANDFIELD h 0 WITHVALUES
    HRANDFIELD h x
    HRANDFIELD h 1 FOO
    HRANDFIELD h x FOO
    HRANDFIELD h -9223372036854775808
    HRANDFIELD h -9223372036854775808 FOO
    HRANDFIELD h -4611686018427387905 WITHVALUES
    HRANDFIELD h 9223372036854775807 WITHVALUES
    HRANDFIELD h 9223372036854775807
    HRANDFIELD missing
    HRANDFIELD missing 3
    HRANDFIELD missing -3 WITHVALUES
    HSET h b 2 c 3
    ? HRANDFIELD h 2
    ? HRANDFIELD h 2 WITHVALUES
    ? HRANDFIELD h -5 WITHVALUES
    sorted HRANDFIELD h 3
    sorted HRANDFIELD h 10 WITHVALUES
    HSET t ${pairs(1, 600)}
    ? HRANDFIELD t 10 WITHVALUES
    ? HRANDFIELD t 550 WITHVALUES
    ? HRANDFIELD t -7 WITHVALUES
    ? HRANDFIELD t
    sorted HRANDFIELD t 600
    sorted HRANDFIELD t 601 WITHVALUES
  `,
  encodings: `
    %probe h1 h2 h3 h4 h5
    HSET h1 ${pairs(1, 512)}
    HSET h1 f1 again
    HSET h1 f513 1
    HDEL h1 f513 f512 f511
    HSET h2 ${pairs(1, 513)}
    HSET h3 a ${"v".repeat(64)} ${"f".repeat(64)} b
    HSET h3 a ${"v".repeat(65)}
    HSET h4 ${"f".repeat(65)} v
    HSETNX h5 a b
    HSETNX h5 a ${"v".repeat(65)}
    HSETNX h5 b ${"v".repeat(65)}
    sorted HGETALL h1
    sorted HGETALL h2
    sorted HGETALL h4
    sorted HKEYS h2
    sorted HVALS h2
    HLEN h2
    HMGET h2 f1 f512 f513 f514
    HSTRLEN h4 ${"f".repeat(65)}
  `,
  "encodings when limits change at run time": `
    CONFIG SET hash-max-listpack-entries 4 hash-max-ziplist-value 5
    sorted CONFIG GET hash-max-*
    %probe h1 h2 h3
    HSET h1 a 1 b 2 c 3 d 4
    HSET h1 d 5
    HSET h1 e 5
    HSET h2 a 12345
    HSET h2 a 123456
    HSET h3 a 99999
    HINCRBY h3 a 1
    HINCRBYFLOAT h3 b 1.25
    CONFIG SET hash-max-ziplist-entries 0
    HSET h4 a 1
    OBJECT ENCODING h4
    CONFIG SET hash-max-listpack-entries 512 hash-max-listpack-value 64
  `,
  HSCAN: `
    HSET h a 1 b 2 ab 3
    HSCAN h 0
    HSCAN h 7
    HSCAN h 0 COUNT 1
    HSCAN h 0 MATCH a*
    HSCAN h 0 MATCH 1
    HSCAN h 0 COUNT 0
    HSCAN h 0 COUNT x
    HSCAN h 0 FOO
    HSCAN h x
    HSCAN missing 0
    HSCAN missing x
    HSCAN missing 0 FOO
    HSET t ${pairs(1, 600)}
    sorted HSCAN t 0 COUNT 5000
    sorted HSCAN t 0 COUNT 5000 MATCH f1?
  `,
  "copies, moves and long values": `
    HSET h1 a 1 b 2
    HSET h2 ${pairs(1, 600)}
    COPY h1 c1
    COPY h2 c2
    HSET c1 a changed
    HSET c2 f1 changed
    HGET h1 a
    HGET h2 f1
    RENAME c2 c3
    HGET c3 f1
    MOVE c3 1
    SELECT 1
    HLEN c3
    DEL c3
    SELECT 0
    PEXPIREAT h1 4102444800123
    HSET h1 long ${"x".repeat(20000)} c ${"y".repeat(300)}
    PEXPIRETIME h1
    HSTRLEN h1 long
    HSET h1 long short
    sorted HGETALL h1
    HSET h1 long ${"z".repeat(40000)} ${"f".repeat(17000)} v
    COPY h1 c4
    HDEL h1 long ${"f".repeat(17000)}
    sorted HGETALL c4
    sorted HGETALL h1
    HSET grows a 1
    %repeat 700 HSET grows field:# #
    HLEN grows
    sorted HGETALL grows
    %repeat 700 HDEL grows field:#
    HGETALL grows
  `,
};
