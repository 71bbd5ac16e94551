/** CONFIG GET with globs, CONFIG SET of several directives at once, and what stands there afterwards. */
import type { Random } from "../../../unit/bytes/random.ts";
import { type Call, type Family, spoilt } from "../drawn.ts";
import { sorted } from "../pair.ts";

const words = (text: string): string[] => text.trim().split(/\s+/);

/** All but those that would part the servers from their clients, or differ from one process to the next. */
const DIRECTIVES = words(`
  acl-pubsub-default aclfile acllog-max-len active-defrag-cycle-max active-defrag-cycle-min
  active-defrag-ignore-bytes active-defrag-max-scan-fields active-defrag-threshold-lower
  active-defrag-threshold-upper active-expire-effort activerehashing always-show-logo aof-load-truncated
  aof-rewrite-incremental-fsync aof-timestamp-enabled aof-use-rdb-preamble aof_rewrite_cpulist appenddirname
  appendfilename appendfsync auto-aof-rewrite-min-size auto-aof-rewrite-percentage bgsave_cpulist
  bind-source-addr bio_cpulist busy-reply-threshold client-query-buffer-limit cluster-allow-pubsubshard-when-down
  cluster-allow-reads-when-down cluster-allow-replica-migration cluster-announce-bus-port
  cluster-announce-hostname cluster-announce-human-nodename cluster-announce-ip cluster-announce-port
  cluster-announce-tls-port cluster-config-file cluster-enabled cluster-link-sendbuf-limit
  cluster-migration-barrier cluster-node-timeout cluster-port cluster-preferred-endpoint-type
  cluster-replica-no-failover cluster-replica-validity-factor cluster-require-full-coverage
  cluster-slave-no-failover cluster-slave-validity-factor crash-log-enabled crash-memcheck-enabled databases
  dbfilename disable-thp dynamic-hz enable-debug-command enable-module-command enable-protected-configs
  hash-max-listpack-entries hash-max-listpack-value hash-max-ziplist-entries hash-max-ziplist-value
  hll-sparse-max-bytes hz ignore-warnings latency-monitor-threshold latency-tracking
  latency-tracking-info-percentiles lazyfree-lazy-eviction lazyfree-lazy-expire lazyfree-lazy-server-del
  lazyfree-lazy-user-del lazyfree-lazy-user-flush lfu-decay-time lfu-log-factor list-compress-depth
  list-max-listpack-size list-max-ziplist-size loglevel lua-time-limit masterauth masteruser
  maxmemory-eviction-tenacity maxmemory-policy maxmemory-samples min-replicas-max-lag min-replicas-to-write
  min-slaves-max-lag min-slaves-to-write no-appendfsync-on-rewrite notify-keyspace-events proc-title-template
  propagation-error-behavior proto-max-bulk-len rdb-del-sync-files rdb-save-incremental-fsync rdbchecksum
  rdbcompression repl-backlog-size repl-backlog-ttl repl-disable-tcp-nodelay repl-diskless-load
  repl-diskless-sync repl-diskless-sync-delay repl-diskless-sync-max-replicas repl-ping-replica-period
  repl-ping-slave-period repl-timeout replica-announce-ip replica-announce-port replica-announced
  replica-ignore-disk-write-errors replica-ignore-maxmemory replica-lazy-flush replica-priority replica-read-only
  replica-serve-stale-data sanitize-dump-payload save server_cpulist set-max-intset-entries
  set-max-listpack-entries set-max-listpack-value set-proc-title shutdown-on-sigint shutdown-on-sigterm
  shutdown-timeout slave-announce-ip slave-announce-port slave-ignore-maxmemory slave-lazy-flush slave-priority
  slave-read-only slave-serve-stale-data slowlog-log-slower-than slowlog-max-len stop-writes-on-bgsave-error
  stream-node-max-bytes stream-node-max-entries supervised syslog-enabled syslog-facility syslog-ident
  tcp-backlog tcp-keepalive tracking-table-max-keys zset-max-listpack-entries zset-max-listpack-value
  zset-max-ziplist-entries zset-max-ziplist-value
`);
const VALUES = [
  ...words(
    "0 1 2 10 16 64 100 101 500 512 1000 100000 -1 -2 -5 -6 2147483647 2147483648 9223372036854775807 18446744073709551615",
  ),
  ...words(
    "1kb 1k 1mb 100mb 1gb 1GB 1b 1tb 50% 100% 101% -1% 1.5 0x10 07 yes no YES on x auto local default none",
  ),
  ...words(
    "noeviction allkeys-lru volatile-ttl everysec always no notice warning NOTICE sigterm upgrade disabled on-empty-db swapdb",
  ),
  ...words(
    "KEA gxe AKE Kn Z allchannels resetchannels ip hostname unknown-endpoint nosave save force now safe ignore panic log",
  ),
  ...[
    "",
    " ",
    " 1",
    "1 ",
    "nosave force",
    "nosave x",
    "900 1",
    "900",
    "3600 1 300 100",
    "900 x",
    "50 99 99.9",
    "101",
    "99 x",
    "{title}",
    "{x}",
    "a b",
    "\n",
  ],
];

function draw(random: Random): Call[] {
  const name = () => random.pick(DIRECTIVES);
  const spelt = (text: string) => (random.below(6) === 0 ? text.toUpperCase() : text);
  switch (random.below(8)) {
    case 0: {
      // The beginning of a name and a star, where that does not find what only later versions have.
      const glob = [1, 2].map(
        () =>
          `${random.pick(["", "*"])}${name()
            .replace(/^stream/, "repl")
            .slice(0, 6 + random.below(10))}*`,
      );
      return [{ args: ["CONFIG", "GET", ...glob.slice(random.below(2)).map(spelt)], normal: pairsOf }];
    }
    case 1:
      return [
        {
          args: spoilt(
            random,
            random.pick([
              ["CONFIG", "GET", name(), name()],
              ["CONFIG", "RESETSTAT"],
              ["CONFIG", "GET"],
              ["CONFIG", "SET", name()],
              ["CONFIG", "SET"],
              ["CONFIG", "REWRITE"],
              ["CONFIG", "GET", "none"],
            ]),
          ),
          normal: pairsOf,
        },
      ];
    default: {
      const given = Array.from({ length: random.below(3) === 0 ? 2 + random.below(3) : 1 }, () => [
        spelt(name()),
        random.pick(VALUES),
      ]);
      const names = given.map(([each]) => each!);
      if (random.below(12) === 0) given.push([random.pick(["none", "", names[0]!]), "1"]);
      const args = ["CONFIG", "SET", ...given.flat()];
      if (random.below(20) === 0) args.pop();
      return [
        { args, normal: withoutNewer },
        { args: ["CONFIG", "GET", ...names], normal: pairsOf },
      ];
    }
  }
}

/** Policies that redbun has of Redis 8.6. */
function withoutNewer(reply: Buffer): string {
  return reply.toString("latin1").replace(/(volatile|allkeys)-lrm, /g, "");
}

/** Names with their values, in order. */
function pairsOf(reply: Buffer): Buffer {
  return sorted(
    Buffer.from(
      reply.toString("latin1").replace(/(\$\d+\r\n[^\r]*\r\n)(\$\d+\r\n)/g, "*2\r\n$1$2"),
      "latin1",
    ),
  );
}

/** What is set stays set, on both servers: this family comes last. */
export const DIRECTIVES_SET: Family = { name: "directives", contents: () => [], draw };
