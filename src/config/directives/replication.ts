// Replication and cluster.

import { checkHostname, checkNodeName } from "../checks.ts";
import { bool, choice, integer, memory, string } from "../kinds.ts";
import { INT_MAX, LONG_MAX, ULONG_MAX } from "../numbers.ts";
import { masterAddress } from "../special.ts";

const UNSET = { emptyIsUnset: true } as const;
const FIXED = { immutable: true } as const;

export const replicationDirectives = [
  masterAddress("replicaof", { alias: "slaveof" }),
  string("masteruser", "", { sensitive: true, emptyIsUnset: true }),
  string("masterauth", "", { sensitive: true, emptyIsUnset: true, binary: true }),
  string("replica-announce-ip", "", { alias: "slave-announce-ip", emptyIsUnset: true }),
  integer("replica-announce-port", 0, 0, 65535, { alias: "slave-announce-port" }),
  bool("replica-announced", true),
  integer("replica-priority", 100, 0, INT_MAX, { alias: "slave-priority" }),
  bool("replica-lazy-flush", false, { alias: "slave-lazy-flush" }),
  bool("replica-serve-stale-data", true, { alias: "slave-serve-stale-data" }),
  bool("replica-read-only", true, { alias: "slave-read-only" }),
  bool("replica-ignore-maxmemory", true, { alias: "slave-ignore-maxmemory" }),
  bool("replica-ignore-disk-write-errors", false),
  integer("min-replicas-to-write", 0, 0, INT_MAX, { alias: "min-slaves-to-write" }),
  integer("min-replicas-max-lag", 10, 0, INT_MAX, { alias: "min-slaves-max-lag" }),
  memory("repl-backlog-size", 1024 * 1024, 1, LONG_MAX, { atLeast: 16 * 1024 }),
  integer("repl-backlog-ttl", 3600, 0, LONG_MAX),
  integer("repl-timeout", 60, 1, INT_MAX),
  integer("repl-ping-replica-period", 10, 1, INT_MAX, { alias: "repl-ping-slave-period" }),
  bool("repl-disable-tcp-nodelay", false),
  bool("repl-diskless-sync", true),
  integer("repl-diskless-sync-delay", 5, 0, INT_MAX),
  integer("repl-diskless-sync-max-replicas", 0, 0, INT_MAX),
  choice("repl-diskless-load", "disabled", ["disabled", "on-empty-db", "swapdb"], { denyLoading: true }),
  choice("propagation-error-behavior", "ignore", ["ignore", "panic", "panic-on-replicas"]),

  bool("cluster-enabled", false, FIXED),
  string("cluster-config-file", "nodes.conf", FIXED),
  integer("cluster-node-timeout", 15_000, 0, LONG_MAX),
  integer("cluster-ping-interval", 0, 0, LONG_MAX, { hidden: true }),
  integer("cluster-port", 0, 0, 65535, FIXED),
  integer("cluster-replica-validity-factor", 10, 0, INT_MAX, { alias: "cluster-slave-validity-factor" }),
  bool("cluster-replica-no-failover", false, { alias: "cluster-slave-no-failover" }),
  integer("cluster-migration-barrier", 1, 0, INT_MAX),
  bool("cluster-allow-replica-migration", true),
  bool("cluster-require-full-coverage", true),
  bool("cluster-allow-reads-when-down", false),
  bool("cluster-allow-pubsubshard-when-down", true),
  memory("cluster-link-sendbuf-limit", 0, 0, ULONG_MAX),
  string("cluster-announce-ip", "", UNSET),
  integer("cluster-announce-port", 0, 0, 65535),
  integer("cluster-announce-tls-port", 0, 0, 65535),
  integer("cluster-announce-bus-port", 0, 0, 65535),
  string("cluster-announce-hostname", "", { emptyIsUnset: true, check: checkHostname }),
  string("cluster-announce-human-nodename", "", { emptyIsUnset: true, check: checkNodeName }),
  choice("cluster-preferred-endpoint-type", "ip", ["ip", "hostname", "unknown-endpoint"]),
] as const;
