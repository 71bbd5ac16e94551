import type { Server } from "../server.ts";
import type { Field } from "./info.ts";

/** INFO's sections on the data set: persistence, replication, cluster and keyspace. */

export function persistenceSection(server: Server): Field[] {
  const { persistence, counters, loading } = server;
  const { job } = persistence;
  const { aof, baseJob, lastCopied } = server.appendOnly;
  const { done, total } = (job ?? (aof.rewrite.inProgress ? baseJob : null))?.progress ?? {
    done: 0,
    total: 0,
  };
  const copied = server.snapshots.active ? server.snapshots.copied : 0;
  const now = Date.now();
  const aofInfo = aof.info(lastCopied);
  const aofFields = aofInfo.slice(0, 10);
  const aofSizes = aofInfo.slice(10);
  return [
    ["loading", loading === null || loading.serving ? 0 : 1],
    ["async_loading", loading?.serving === true ? 1 : 0],
    ["current_cow_peak", copied],
    ["current_cow_size", copied],
    ["current_cow_size_age", 0],
    ["current_fork_perc", total === 0 ? "0.00" : ((done / total) * 100).toFixed(2)],
    ["current_save_keys_processed", done],
    ["current_save_keys_total", total],
    ["rdb_changes_since_last_save", counters.changes],
    ["rdb_bgsave_in_progress", persistence.inProgress ? 1 : 0],
    ["rdb_last_save_time", Math.floor(persistence.lastSave / 1000)],
    ["rdb_last_bgsave_status", persistence.lastOk ? "ok" : "err"],
    ["rdb_last_bgsave_time_sec", persistence.lastSeconds],
    ["rdb_current_bgsave_time_sec", job === null ? -1 : Math.floor((now - job.startedAt) / 1000)],
    ["rdb_saves", persistence.saves],
    ["rdb_last_cow_size", persistence.lastCopied],
    ["rdb_last_load_keys_expired", persistence.keysExpired],
    ["rdb_last_load_keys_loaded", persistence.keysLoaded],
    ...aofFields,
    ["module_fork_in_progress", 0],
    ["module_fork_last_cow_size", 0],
    ...aofSizes,
    ...(loading === null ? [] : loading.info(now)),
  ];
}

export function replicationSection(server: Server): Field[] {
  const { minReplicasToWrite, minReplicasMaxLag, replBacklogSize } = server.config.values;
  const { replication, clock } = server;
  const { history, primary, stream } = replication;
  const replicas = [...primary.all()];
  const fields: Field[] = [["role", replication.isReplica ? "slave" : "master"]];
  fields.push(...masterFields(server));
  fields.push(["connected_slaves", replicas.length]);
  if (minReplicasToWrite > 0 && minReplicasMaxLag > 0)
    fields.push(["min_slaves_good_slaves", primary.goodCount]);
  replicas.forEach((replica, i) => {
    const { ip, port, shownState: state, acknowledged } = replica;
    const lag = replica.lag(clock.now);
    fields.push([`slave${i}`, `ip=${ip},port=${port},state=${state},offset=${acknowledged},lag=${lag}`]);
  });
  const { backlog } = stream;
  return [
    ...fields,
    ["master_failover_state", replication.failover.state],
    ["master_replid", history.id],
    ["master_replid2", history.secondId],
    ["master_repl_offset", stream.offset],
    ["second_repl_offset", history.secondOffset],
    ["repl_backlog_active", backlog === null ? 0 : 1],
    ["repl_backlog_size", replBacklogSize],
    ["repl_backlog_first_byte_offset", backlog?.first ?? 0],
    ["repl_backlog_histlen", backlog?.length ?? 0],
  ];
}

/** What a replica says of its master. */
function masterFields({ replication, clock, config }: Server): Field[] {
  const { link, history } = replication;
  if (link === null) return [];
  const { values } = config;
  const connected = link.state === "connected";
  const ago = (since: number) => Math.max(0, Math.floor((clock.now - since) / 1000));
  const fields: Field[] = [
    ["master_host", link.host],
    ["master_port", link.port],
    ["master_link_status", connected ? "up" : "down"],
    ["master_last_io_seconds_ago", connected ? ago(link.lastIo) : -1],
    ["master_sync_in_progress", link.receiver === null ? 0 : 1],
    ["slave_read_repl_offset", replication.readOffset],
    ["slave_repl_offset", history.offset],
  ];
  if (link.receiver !== null) {
    const { total, received } = link.receiver;
    fields.push(
      ["master_sync_total_bytes", total],
      ["master_sync_read_bytes", received],
      ["master_sync_left_bytes", total - received],
      ["master_sync_perc", (total === 0 ? 0 : (received / total) * 100).toFixed(2)],
      ["master_sync_last_io_seconds_ago", ago(link.lastIo)],
    );
  }
  if (!connected) fields.push(["master_link_down_since_seconds", ago(link.downSince)]);
  return [
    ...fields,
    ["slave_priority", values.replicaPriority],
    ["slave_read_only", values.replicaReadOnly ? 1 : 0],
    ["replica_announced", values.replicaAnnounced ? 1 : 0],
  ];
}

export function clusterSection(server: Server): Field[] {
  return [["cluster_enabled", server.config.values.clusterEnabled ? 1 : 0]];
}

export function keyspaceSection(server: Server): Field[] {
  return [...server.keyspace.all()]
    .filter(({ size }) => size > 0)
    .sort((a, b) => a.id - b.id)
    .map(({ id, size, expires, averageTtl }) => [
      `db${id}`,
      `keys=${size},expires=${expires},avg_ttl=${averageTtl}`,
    ]);
}
