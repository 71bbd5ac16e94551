/** CONFIG, SLOWLOG, LATENCY, MEMORY, DEBUG and the rest of the server family: replies that do not depend on time. */
import type { Scripts } from "../lib/suite.ts";

export const SERVER: Scripts = {
  "CONFIG GET and SET": `
    CONFIG GET maxmemory
    CONFIG GET MaxMemory
    CONFIG GET nosuch
    CONFIG GET key-load-delay
    CONFIG GET *-load-delay
    CONFIG GET
    CONFIG SET maxmemory
    CONFIG SET a b c
    CONFIG SET foo bar
    CONFIG SET daemonize yes
    CONFIG SET maxmemory 10 maxmemory 20
    CONFIG SET dir /tmp
    CONFIG SET hz 0
    CONFIG GET hz
    CONFIG SET hz 10
    CONFIG SET maxmemory 100mb maxmemory-policy allkeys-lru
    CONFIG GET maxmemory
    CONFIG GET maxmemory-policy
    CONFIG SET maxmemory 0 maxmemory-policy noeviction
    CONFIG SET maxmemory-clients 200%
    CONFIG SET slowlog-log-slower-than -2
    CONFIG SET bind 999.999.999.999
    CONFIG SET save foo
    CONFIG SET requirepass secret
    CONFIG GET requirepass
    PING
    CONFIG SET requirepass ""
    CONFIG REWRITE
    CONFIG RESETSTAT
    CONFIG RESETSTAT x
    CONFIG FOO
    CONFIG
  `,
  MODULE: `
    MODULE LIST
    MODULE HELP
    MODULE LIST x
    MODULE UNLOAD
    MODULE UNLOAD x
    MODULE LOAD
    MODULE LOAD x
    MODULE
    MODULE FOO
  `,
  SLOWLOG: `
    CONFIG SET slowlog-log-slower-than -1
    SLOWLOG RESET
    SLOWLOG LEN
    SLOWLOG GET
    SLOWLOG GET -2
    SLOWLOG GET x
    SLOWLOG GET 1 2
    SLOWLOG LEN x
    SLOWLOG FOO
    CONFIG SET slowlog-log-slower-than 0
    SET a b
    CONFIG SET masterauth foo
    CONFIG SET slowlog-log-slower-than -1
    SLOWLOG LEN
    ? SLOWLOG GET -1
    ? SLOWLOG GET 1
    SLOWLOG GET 0
    CONFIG SET masterauth ""
    SLOWLOG RESET
  `,
  LATENCY: `
    LATENCY RESET
    LATENCY LATEST
    LATENCY HISTORY foo
    LATENCY HISTORY
    LATENCY GRAPH foo
    LATENCY GRAPH
    LATENCY DOCTOR x
    LATENCY RESET a b
    LATENCY HISTOGRAM nosuch
    LATENCY FOO
    LATENCY
    CONFIG RESETSTAT
    SET a b
    ? LATENCY HISTOGRAM set
    CONFIG SET latency-monitor-threshold 20
    DEBUG SLEEP 0.05
    ? LATENCY LATEST
    ? LATENCY HISTORY command
    ? LATENCY GRAPH command
    ? LATENCY DOCTOR
    LATENCY RESET COMMAND nosuch
    CONFIG SET latency-monitor-threshold 0
    LATENCY LATEST
  `,
  MEMORY: `
    SET a b
    MEMORY USAGE nosuch
    ? MEMORY USAGE a
    ? MEMORY USAGE a SAMPLES 0
    MEMORY USAGE a SAMPLES
    MEMORY USAGE a SAMPLES -1
    MEMORY USAGE a SAMPLES x
    MEMORY USAGE a FOO 1
    MEMORY USAGE
    ? MEMORY STATS
    MEMORY STATS x
    ? MEMORY DOCTOR
    MEMORY FOO
    MEMORY
  `,
  "DEBUG DIGEST": `
    DEBUG DIGEST
    SET a b
    SET n 12345
    SET big 99999999999999999999999999
    SET long ${"x".repeat(300)}
    SET "" ""
    DEBUG DIGEST
    DEBUG DIGEST-VALUE a n big long "" nosuch
    EXPIRE a 1000
    DEBUG DIGEST-VALUE a
    SELECT 3
    MSET x 1 y 2 z 3
    DEBUG DIGEST
    DEBUG DIGEST-VALUE
    DEBUG POPULATE 5
    DEBUG POPULATE 3 pre 4
    DEBUG POPULATE 3 big 20
    MGET key:0 key:4 key:5 pre:0 pre:2 big:1
    DEBUG DIGEST
    DEBUG POPULATE -1
    DEBUG POPULATE x
    DEBUG POPULATE 3 pre x
    SELECT 0
  `,
  DEBUG: `
    DEBUG PROTOCOL string
    DEBUG PROTOCOL integer
    DEBUG PROTOCOL double
    DEBUG PROTOCOL bignum
    DEBUG PROTOCOL null
    DEBUG PROTOCOL array
    DEBUG PROTOCOL set
    DEBUG PROTOCOL map
    DEBUG PROTOCOL verbatim
    DEBUG PROTOCOL true
    DEBUG PROTOCOL false
    DEBUG PROTOCOL foo
    DEBUG PROTOCOL
    DEBUG OBJECT nosuch
    DEBUG SDSLEN nosuch
    SET n 5
    DEBUG SDSLEN n
    DEBUG ERROR "FOO bar\\r\\nbaz"
    DEBUG ERROR
    DEBUG LOG hello
    DEBUG SLEEP 0
    DEBUG SLEEP
    DEBUG FOO
    DEBUG SET-ACTIVE-EXPIRE 0
    DEBUG SET-ACTIVE-EXPIRE 1
    DEBUG QUICKLIST-PACKED-THRESHOLD 100b
    DEBUG QUICKLIST-PACKED-THRESHOLD 0
    DEBUG QUICKLIST-PACKED-THRESHOLD x
    DEBUG QUICKLIST-PACKED-THRESHOLD 5gb
    DEBUG REPLYBUFFER FOO 1
    DEBUG REPLYBUFFER RESIZING 1
    DEBUG HTSTATS 100
    DEBUG HTSTATS x
    DEBUG HTSTATS-KEY nosuch
    DEBUG HTSTATS-KEY n
    DEBUG PAUSE-CRON 0
    DEBUG
  `,
  "INFO, TIME, ROLE, LOLWUT": `
    INFO nosuch
    ? INFO
    ? INFO everything
    ? INFO server clients
    INFO keyspace
    INFO cluster
    INFO modules
    SET a b
    SELECT 2
    SET a b
    INFO KEYSPACE
    SELECT 0
    ? TIME
    TIME x
    ROLE
    ROLE x
    ? LOLWUT
    ? LOLWUT VERSION 5
    LOLWUT VERSION x
  `,
};
