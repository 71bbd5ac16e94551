import type { Config } from "../config/config.ts";
import type { DirectiveName } from "../config/table.ts";
import { openFilesLimit, RESERVED_FDS } from "./open-files.ts";
import type { Server } from "./server.ts";

/**
 * What directives do to rooms that keep a copy of their value, or have to act on a change: once at boot and
 * with each CONFIG SET. Directives not named here are read where they are used, from `config.values`.
 */

const PORT_TAKEN = "Unable to listen on this port. Check server logs.";
const BIND_FAILED = "Failed to bind to specified addresses.";
const TLS_FAILED = "Unable to update TLS configuration. Check server logs.";

const TLS: readonly DirectiveName[] = [
  "tls-cert-file",
  "tls-key-file",
  "tls-key-file-pass",
  "tls-ca-cert-file",
  "tls-ca-cert-dir",
  "tls-dh-params-file",
  "tls-auth-clients",
  "tls-protocols",
  "tls-ciphers",
  "tls-ciphersuites",
  "tls-prefer-server-ciphers",
];

/** What a cluster node tells others of itself. */
const CLUSTER: readonly DirectiveName[] = [
  "cluster-replica-no-failover",
  "cluster-announce-ip",
  "cluster-announce-port",
  "cluster-announce-tls-port",
  "cluster-announce-bus-port",
  "cluster-announce-hostname",
  "cluster-announce-human-nodename",
  "port",
  "tls-port",
];

/** Registers the hooks, and carries out those that also count at boot. */
export function applyConfig(server: Server): void {
  const { config } = server;
  boundToValues(server, config);
  listening(server, config);
  clients(server, config);
  config.onApply("appendonly", (values) => {
    const { aof } = server.appendOnly;
    if (!values.appendonly) aof.turnOff();
    else if (!aof.turnOn()) return "Unable to turn on AOF. Check server logs.";
    return null;
  });
  config.onApply("aof-disable-auto-gc", () => {
    server.appendOnly.aof.collectGarbage();
    return null;
  });
  const { oomScore } = server;
  config.onApply(["oom-score-adj", "oom-score-adj-values"], (values) => oomScore.apply(values));
  oomScore.apply(config.values);
}

const COSTLY: readonly DirectiveName[] = [
  "slowlog-log-slower-than",
  "slowlog-max-len",
  "latency-monitor-threshold",
  "commandlog-request-larger-than",
  "commandlog-reply-larger-than",
  "commandlog-large-request-max-len",
  "commandlog-large-reply-max-len",
];

/** Rooms that keep copies, for the sake of speed or because they may not see the configuration. */
function boundToValues(server: Server, config: Config): void {
  const copy = (names: DirectiveName | readonly DirectiveName[], carryOver: () => void) => {
    config.onApply(names, () => {
      carryOver();
      return null;
    });
    carryOver();
  };
  const { values } = config;
  copy("loglevel", () => {
    server.log.level = values.loglevel;
  });
  copy("proto-max-bulk-len", () => {
    server.readerLimits.protoMaxBulkLen = values.protoMaxBulkLen;
  });
  copy(COSTLY, () => server.costlyCommands.apply(server.executeDeps));
  copy("notify-keyspace-events", () => {
    server.notifications.apply(values.notifyKeyspaceEvents);
  });
  copy("repl-backlog-size", () => server.replication.stream.backlog?.resize(values.replBacklogSize));
  copy(CLUSTER, () => server.clustering.cluster?.applySettings());
  copy("latency-tracking", () => {
    server.executeDeps.trackLatency = values.latencyTracking;
  });
  copy(["maxmemory-clients"], () => server.clientEviction.apply());
  copy(["maxmemory-policy", "lfu-log-factor", "lfu-decay-time"], () => {
    server.eviction.apply();
    const { maxmemoryPolicy } = values;
    server.access.byChange = maxmemoryPolicy.endsWith("-lrm");
    server.access.lfu = server.access.byChange || maxmemoryPolicy.endsWith("-lfu");
    server.keyWatchers.refresh();
    server.access.logFactor = values.lfuLogFactor;
    server.access.decayMinutes = values.lfuDecayTime;
  });
}

/** Ports and addresses: the sockets are opened anew; what cannot be opened leaves the old ones in place. */
function listening(server: Server, config: Config): void {
  const relisten = (names: DirectiveName | readonly DirectiveName[], refusal: string) => {
    config.onApply(names, (values, previous) => {
      const reason = server.listeners.restart(values, previous);
      if (reason === null) return null;
      server.log.warning(`Could not listen as configured: ${reason}`);
      return refusal;
    });
  };
  relisten("port", PORT_TAKEN);
  relisten("tls-port", PORT_TAKEN);
  relisten("bind", BIND_FAILED);
  config.onApply(TLS, (values, previous) => {
    if (values.tlsPort === 0) return null;
    const reason = server.listeners.restart(values, previous);
    if (reason === null) return null;
    server.log.warning(`Failed to configure TLS: ${reason}`);
    return TLS_FAILED;
  });
}

function clients(server: Server, config: Config): void {
  config.onApply("maxclients", ({ maxclients }) => {
    const most = openFilesLimit() - RESERVED_FDS;
    if (maxclients <= most) return null;
    return `The operating system is not able to handle the specified number of clients, try with ${most}`;
  });
  config.onApply("requirepass", ({ requirepass }) => {
    server.acl.setDefaultPassword(requirepass);
    return null;
  });
  config.onApply("maxmemory", ({ maxmemory }) => {
    const { used } = server.memory;
    server.clientEviction.apply();
    if (maxmemory > 0 && maxmemory < used)
      server.log.warning(
        `WARNING: the new maxmemory value set via CONFIG SET (${maxmemory}) is smaller than the current memory ` +
          `usage (${used}). This will result in key eviction and/or the inability to accept new write commands ` +
          "depending on the maxmemory-policy.",
      );
    return null;
  });
}
