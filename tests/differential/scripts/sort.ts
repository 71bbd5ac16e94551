/** SORT and SORT_RO over lists, sets and sorted sets. */
import type { Scripts } from "../lib/suite.ts";

const lines = (items: readonly string[], line: (item: string) => string) => items.map(line).join("\n");

const LIMITS = [
  "0 2",
  "1 2",
  "3 100",
  "9 1",
  "0 0",
  "-1 2",
  "2 -1",
  "0 -5",
  "-5 -5",
  "x 1",
  "1 x",
  "9223372036854775807 9223372036854775807",
];
/** None that overflows: Redis then takes all later weights for errors, as errno keeps its value. */
const WEIGHTS = [
  "1",
  "-1.5",
  "1e3",
  "0x10",
  "inf",
  "-inf",
  "Infinity",
  "''",
  "' 7'",
  '"\\t\\n 7"',
  "'7 '",
  "nan",
  "abc",
  "1x",
  "' '",
  "9223372036854775807",
  "123456789012345678901234567890",
  "3.0000000000000001",
  "+5",
  ".5",
  "5.",
];

export const SORT: Scripts = {
  "by themselves": `
    RPUSH list1 5 3 10 -1 2.5 3 1e1
    SORT list1
    SORT list1 DESC
    SORT list1 ASC DESC ASC
    SORT list1 ALPHA
    SORT list1 alpha desc
    SORT_RO list1 DESC
    ${lines(LIMITS, (limit) => `SORT list1 LIMIT ${limit}\nSORT list1 DESC LIMIT ${limit}\nSORT list1 BY nosort LIMIT ${limit}\nSORT list1 BY nosort DESC LIMIT ${limit}\nSORT list1 ALPHA LIMIT ${limit}`)}
    SORT missing
    SORT missing ALPHA LIMIT 0 1
    RPUSH list2 b a ab A "" "a\\x01" "\\xff" "\\x80" aa B
    SORT list2 ALPHA
    SORT list2 ALPHA DESC
    SORT list2
    SORT list2 ALPHA LIMIT 2 3
    LRANGE list1 0 -1
    SET text x
    SORT text
    SORT_RO text
  `,
  "syntax errors": `
    RPUSH list1 1 2
    SORT list1 FOO
    SORT list1 LIMIT
    SORT list1 LIMIT 0
    SORT list1 BY
    SORT list1 GET
    SORT list1 STORE
    SORT_RO list1 STORE list2
    SORT_RO list1 store
    SORT text STORE
    SORT missing STORE
    SORT
  `,
  "weights and their errors": `
    ${lines(WEIGHTS, (weight) => `DEL list1\nRPUSH list1 ${weight} 2\nSORT list1\nSORT list1 DESC\nSORT list1 STORE list2\nSORT list1 ALPHA\nLRANGE list2 0 -1`)}
    DEL list1
    RPUSH list1 a b
    ${lines(WEIGHTS, (weight) => `MSET w_a ${weight} w_b 2\nSORT list1 BY w_*`)}
  `,
  "BY and GET": `
    RPUSH list1 a b c d
    MSET w_a 3 w_b 1 w_c 2 n_a Anton n_b Berta n_c "" d_d 4
    SORT list1 BY w_*
    SORT list1 BY w_* DESC
    SORT list1 BY w_* LIMIT 1 2
    SORT list1 BY w_* GET n_*
    SORT list1 BY w_* GET # GET n_* GET w_* GET #
    SORT list1 BY n_* ALPHA
    SORT list1 BY n_* ALPHA DESC
    SORT list1 BY n_*
    SORT list1 BY nothing
    SORT list1 BY nothing DESC
    SORT list1 BY nothing GET n_*
    SORT list1 BY w_* GET constant
    SORT list1 BY w_* GET ""
    SORT list1 BY w_* GET ##
    SORT list1 BY w_* BY n_* ALPHA
    SORT list1 BY nothing BY w_*
    SORT list1 BY *_d
    SORT list1 BY d_* GET d_*
    SORT list1 ALPHA GET *
    SORT list1 ALPHA GET list1
    SORT list1 ALPHA GET list*
    RPUSH 1x y
    RPUSH list2 1
    SORT list2 GET *x
    SORT_RO list1 BY w_* GET n_*
    TTL list1
  `,
  "needs HSET: fields of hashes": `
    RPUSH list1 1 2 3 4
    HSET h:1 weight 30 name one
    HSET h:2 weight 10 name two
    HSET h:3 weight 20
    SET h:4 text
    SORT list1 BY h:*->weight
    SORT list1 BY h:*->weight DESC GET # GET h:*->name
    SORT list1 BY h:*->name ALPHA
    SORT list1 GET h:*->
    SORT list1 GET h:*
    SORT list1 GET h->*
    SET h:1-> arrow
    SORT list1 GET h:*->
    SORT list1 BY h:*->weight GET h:*->name STORE list2
    LRANGE list2 0 -1
    HSET x1y->f f 1
    HSET x1y f->g 7 f 9
    SORT list1 GET x*y->f->g
    SORT list1 GET x*y->f
  `,
  STORE: `
    %probe list2
    RPUSH list1 5 3 10 -1 text2
    SORT list1 STORE list2
    LREM list1 0 text2
    SORT list1 STORE list2
    LRANGE list2 0 -1
    SORT list1 STORE list1
    LRANGE list1 0 -1
    SORT list1 DESC LIMIT 0 2 STORE list2
    LRANGE list2 0 -1
    PEXPIREAT list2 4102444800123
    SORT list1 BY w_* GET w_* STORE list2
    LRANGE list2 0 -1
    SET list2 text
    SORT list1 STORE list2
    SORT missing STORE list2
    EXISTS list2
    SORT missing STORE list2
    SORT list1 LIMIT 100 1 STORE list2
    SORT list1 STORE a STORE list2
    EXISTS a
    COMMAND GETKEYS SORT list1 STORE a STORE list2
    COMMAND GETKEYS SORT list1 BY x GET y
    %probe
    %repeat 3000 RPUSH list3 #
    SORT list3 DESC STORE list4
    OBJECT ENCODING list4
    LRANGE list4 0 20
    SORT list3 BY nosort DESC LIMIT 10 10
    SORT list3 LIMIT 1000 5 STORE list4
    OBJECT ENCODING list4
  `,
  "needs SADD: sets": `
    SADD set1 5 3 10 -1
    SORT set1
    SORT set1 DESC LIMIT 1 2
    SORT set1 BY nosort STORE list2
    LRANGE list2 0 -1
    SORT set1 BY nosort DESC STORE list2
    LRANGE list2 0 -1
    SADD set2 b a c "\\xff" "" 3
    SORT set2 ALPHA
    SORT set2
    sorted SORT set2 BY nosort
    SORT set2 BY nosort STORE list2
    LRANGE list2 0 -1
    MSET w_a 3 w_b 1 w_c 2
    SORT set2 BY w_* GET # GET w_*
  `,
  "needs ZADD: sorted sets": `
    ZADD zset1 1 a 5 b 2 c 10 d 3 e
    SORT zset1 ALPHA
    SORT zset1 ALPHA DESC
    SORT zset1 BY nosort
    SORT zset1 BY nosort DESC
    ${lines(LIMITS, (limit) => `SORT zset1 BY nosort LIMIT ${limit}\nSORT zset1 BY nosort DESC LIMIT ${limit}`)}
    SORT zset1 BY nosort STORE list2
    LRANGE list2 0 -1
    ZADD zset2 1 30 2 20 3 10
    SORT zset2
    SORT zset2 DESC STORE list2
    LRANGE list2 0 -1
  `,
};
