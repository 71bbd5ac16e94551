// The data set in memory: limits and eviction, expiry, encodings, lazy freeing, defragmentation, events.

import { bool, choice, integer, memory } from "../kinds.ts";
import { INT_MAX, INT_MIN, LONG_MAX, ULONG_MAX } from "../numbers.ts";
import { eventClasses } from "../special.ts";

const POLICIES = [
  "volatile-lru",
  "volatile-lfu",
  "volatile-random",
  "volatile-ttl",
  "volatile-lrm",
  "allkeys-lru",
  "allkeys-lfu",
  "allkeys-random",
  "allkeys-lrm",
  "noeviction",
] as const;

export const dataDirectives = [
  memory("maxmemory", 0, 0, ULONG_MAX),
  choice("maxmemory-policy", "noeviction", POLICIES),
  integer("maxmemory-samples", 5, 1, INT_MAX),
  integer("maxmemory-eviction-tenacity", 10, 0, 100),
  integer("lfu-log-factor", 10, 0, INT_MAX),
  integer("lfu-decay-time", 1, 0, INT_MAX),
  integer("active-expire-effort", 1, 1, 10),
  bool("activerehashing", true),

  bool("lazyfree-lazy-eviction", false),
  bool("lazyfree-lazy-expire", false),
  bool("lazyfree-lazy-server-del", false),
  bool("lazyfree-lazy-user-del", false),
  bool("lazyfree-lazy-user-flush", false),

  integer("hash-max-listpack-entries", 512, 0, LONG_MAX, { alias: "hash-max-ziplist-entries" }),
  memory("hash-max-listpack-value", 64, 0, LONG_MAX, { alias: "hash-max-ziplist-value" }),
  integer("list-max-listpack-size", -2, INT_MIN, INT_MAX, { alias: "list-max-ziplist-size" }),
  integer("list-compress-depth", 0, 0, INT_MAX),
  integer("set-max-intset-entries", 512, 0, LONG_MAX),
  integer("set-max-listpack-entries", 128, 0, LONG_MAX),
  integer("set-max-listpack-value", 64, 0, LONG_MAX),
  integer("zset-max-listpack-entries", 128, 0, LONG_MAX, { alias: "zset-max-ziplist-entries" }),
  memory("zset-max-listpack-value", 64, 0, LONG_MAX, { alias: "zset-max-ziplist-value" }),
  memory("stream-node-max-bytes", 4096, 0, LONG_MAX),
  integer("stream-node-max-entries", 100, 0, LONG_MAX),
  integer("stream-idmp-duration", 100, 1, 86400),
  integer("stream-idmp-maxsize", 100, 1, 10000),
  memory("hll-sparse-max-bytes", 3000, 0, LONG_MAX),
  choice("sanitize-dump-payload", "no", ["no", "yes", "clients"]),
  eventClasses("notify-keyspace-events"),

  bool("activedefrag", false),
  memory("active-defrag-ignore-bytes", 100 * 1024 * 1024, 1, LONG_MAX),
  integer("active-defrag-cycle-min", 1, 1, 99),
  integer("active-defrag-cycle-max", 25, 1, 99),
  integer("active-defrag-threshold-lower", 10, 0, 1000),
  integer("active-defrag-threshold-upper", 100, 0, 1000),
  integer("active-defrag-max-scan-fields", 1000, 1, LONG_MAX),
] as const;
