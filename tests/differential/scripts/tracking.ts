/**
 * Client-side caching, by three clients A, B and C, who says what standing before each line; `;` stands
 * between commands sent together, `@B` for B's ID; `close` ends a connection.
 */
export const TRACKING: Record<string, string> = {
  "options and what they are answered": `
    A CLIENT TRACKING
    A CLIENT TRACKING maybe
    A CLIENT TRACKING on NONSENSE
    A CLIENT TRACKING on REDIRECT
    A CLIENT TRACKING on REDIRECT x
    A CLIENT TRACKING on REDIRECT 999999
    A CLIENT TRACKING on REDIRECT @B REDIRECT @B
    A CLIENT TRACKING on PREFIX a
    A CLIENT TRACKING on BCAST OPTIN
    A CLIENT TRACKING on BCAST OPTOUT
    A CLIENT TRACKING on OPTIN OPTOUT
    A CLIENT TRACKING on BCAST PREFIX a PREFIX ab
    A CLIENT CACHING yes
    A CLIENT GETREDIR
    A CLIENT TRACKINGINFO
    A CLIENT TRACKING on
    A CLIENT TRACKINGINFO
    A CLIENT CACHING yes
    A CLIENT CACHING no
    A CLIENT CACHING maybe
    A CLIENT TRACKING on BCAST
    A CLIENT TRACKING on OPTIN REDIRECT @B NOLOOP
    A CLIENT TRACKINGINFO
    A CLIENT CACHING no
    A CLIENT CACHING yes
    A CLIENT TRACKING on OPTOUT
    A CLIENT TRACKING off
    A CLIENT TRACKING off
    A CLIENT TRACKING on OPTOUT
    A CLIENT CACHING yes
    A CLIENT CACHING no
    A CLIENT TRACKING on OPTIN
    A CLIENT GETREDIR
    A CLIENT TRACKING off
    A CLIENT TRACKING on BCAST PREFIX foo PREFIX bar REDIRECT @B
    A CLIENT TRACKINGINFO
    A CLIENT TRACKING on BCAST PREFIX foobar
    A CLIENT TRACKING on BCAST PREFIX fo
    A CLIENT TRACKING on BCAST PREFIX zap
    A CLIENT TRACKINGINFO
    A CLIENT GETREDIR
    A HELLO 3
    A CLIENT TRACKINGINFO
    A RESET
    A CLIENT TRACKINGINFO
    A CLIENT CACHING
    A CLIENT GETREDIR x
  `,
  "what was read and has changed": `
    A HELLO 3
    A CLIENT TRACKING on
    A SET k 1
    A GET k
    B SET k 2
    B SET k 3
    A MGET k l m
    B DEL k missing
    B MSET l 1 m 2
    A SCARD s
    B SADD s a b
    A SCARD s
    B SMOVE s t a
    A EXISTS s t
    B SMOVE s t nothing
    B SMOVE s t b
    A GET k
    A SET k own
    A INCR n
    A GET n
    A INCR n
    A ZRANGE z 0 -1
    B ZADD z 1 a
    A ZRANGE z 0 -1
    B ZADD z 1 a
    A XLEN x
    B XADD x 1-1 f v
    A XLEN x
    B XGROUP CREATE x g 0
    B XREADGROUP GROUP g c STREAMS x >
    B XSETID x 5-5
    B XTRIM x MAXLEN 0
    A TTL k
    B EXPIRE k 100
    A TYPE k
    B PERSIST k
    A PFCOUNT h
    B PFADD h a
    A PFCOUNT h
    B PFADD h a
    B PFCOUNT h
    A SINTERCARD 2 s t
    B DEL t
    A GET k
    B RENAME k k2
    A GET k2
    B COPY k2 k3
    B MOVE k2 1
    A SORT l2 BY w_* GET #
    B RPUSH l2 a
    A LRANGE l2 0 -1
    B LMPOP 2 nothing l2 LEFT
    A GETRANGE k3 0 1
    B APPEND k3 x
    A BITCOUNT k3
    B SETBIT k3 1 1
    A BITCOUNT k3
    B SETBIT k3 1 1
  `,
  "transactions and databases": `
    A HELLO 3
    A CLIENT TRACKING on
    A GET k
    A MULTI ; SET k v ; GET k ; SET k w ; GET j ; EXEC
    B SET j 1
    A SELECT 1
    A GET other
    B SET other 1
    A GET other
    B SWAPDB 0 1
    A MGET other k
    B FLUSHDB
    A MULTI ; FLUSHALL ; GET x ; EXEC
    B SET x 1
  `,
  "OPTIN and OPTOUT": `
    A HELLO 3
    A CLIENT TRACKING on OPTIN
    A GET k
    B SET k 1
    A CLIENT CACHING yes
    A CLIENT TRACKINGINFO
    A PING
    A GET k
    B SET k 1
    A CLIENT CACHING yes ; MULTI ; GET k ; GET l ; EXEC
    A GET m
    B MSET k 1 l 2 m 3
    A CLIENT TRACKING off
    A CLIENT TRACKING on OPTOUT
    A MGET k l
    A CLIENT CACHING no
    A GET m
    B MSET k 1 l 2 m 3
  `,
  NOLOOP: `
    A HELLO 3
    A CLIENT TRACKING on NOLOOP
    A MGET k l
    A SET k 1
    B SET k 1
    B SET l 1
    A GET k
    A FLUSHALL
  `,
  BCAST: `
    A HELLO 3
    B HELLO 3
    A CLIENT TRACKING on BCAST PREFIX k PREFIX l
    B CLIENT TRACKING on BCAST NOLOOP
    C MSET k2 1 k1 2 l1 3 m1 4
    A SET k1 1
    B SET k1 1
    B MSET k1 1 x 2
    A MULTI ; INCR k1 ; INCR l1 ; GET k1 ; EXEC
    C FLUSHALL
    A CLIENT TRACKING off
    C SET k1 1
  `,
  redirection: `
    A CLIENT TRACKING on REDIRECT @B
    A GET k
    C SET k 1
    B SUBSCRIBE __redis__:invalidate
    A GET k
    C SET k 1
    A MGET k l
    C FLUSHALL
    A GET k
    A SET k 1
    A CLIENT TRACKING off
    A HELLO 3
    A CLIENT TRACKING on BCAST REDIRECT @B
    C MSET k 1 l 2
    B close
    C SET k 1
    A CLIENT TRACKINGINFO
    A CLIENT GETREDIR
    A CLIENT TRACKING off
    A CLIENT TRACKINGINFO
  `,
  "redirection to a client that speaks RESP3": `
    B HELLO 3
    A CLIENT TRACKING on REDIRECT @B
    A GET k
    C SET k 1
    A GET k
    C FLUSHDB
    B close
    A GET k
    C SET k 2
  `,
  "needs 7.2: what is told in another's place comes behind one's own reply": `
    B HELLO 3
    A CLIENT TRACKING on REDIRECT @B
    A GET k
    B SET k 1
  `,
  "RESP2 without redirection hears nothing": `
    A CLIENT TRACKING on
    A GET k
    B SET k 1
    A HELLO 3
    B SET k 1
    A GET k
    B SET k 1
  `,
  "CLIENT REPLY does not hold pushes back": `
    A HELLO 3
    A CLIENT TRACKING on
    A GET k
    A CLIENT REPLY SKIP ; SET k 1
    A GET k
    A CLIENT REPLY OFF ; SET k 1 ; GET k ; SET k 2 ; CLIENT REPLY ON
    A GET k
    B SET k 1
  `,
  "needs 7.2: scripts, what their commands read and change": `
    A HELLO 3
    A CLIENT TRACKING on
    A EVAL "return redis.call('get', KEYS[1])" 1 k
    B SET k 1
    A EVAL_RO "return redis.call('get', 'l')" 1 k
    B MSET k 1 l 2
    A GET k
    A EVAL "redis.call('set', KEYS[1], 'x') redis.call('set', KEYS[1], 'y') return redis.call('get', KEYS[1])" 1 k
    A EVAL "return redis.call('set', KEYS[1], 'z')" 1 k
    A CLIENT TRACKING off
    A CLIENT TRACKING on NOLOOP
    A GET k
    A EVAL "return redis.call('set', KEYS[1], 'z')" 1 k
    B EVAL "return redis.call('set', KEYS[1], 'z')" 1 k
  `,
  "more keys than the table may have": `
    A HELLO 3
    A CLIENT TRACKING on
    A GET k
    C CONFIG SET tracking-table-max-keys 1
    A GET k
    A PING
  `,
};
