import type { Server } from "../server.ts";
import type { Field } from "./info.ts";

/** INFO's sections on the data set: persistence, replication, cluster and keyspace. */

export function persistenceSection(server: Server): Field[] {
  const { persistence, counters, loading } = server;
  const { job } = persistence;
  const { done, total } = job?.progress ?? { done: 0, total: 0 };
  const now = Date.now();
  const aofInfo = server.appendOnly.aof.info();
  const aofFields = aofInfo.slice(0, 10);
  const aofSizes = aofInfo.slice(10);
  return [
    ["loading", loading === null ? 0 : 1],
    ["async_loading", 0],
    ["current_cow_peak", 0],
    ["current_cow_size", 0],
    ["current_cow_size_age", 0],
    ["current_fork_perc", total === 0 ? "0.00" : ((done / total) * 100).toFixed(2)],
    ["current_save_keys_processed", done],
    ["current_save_keys_total", total],
    ["rdb_changes_since_last_save", counters.changes],
    ["rdb_bgsave_in_progress", job === null ? 0 : 1],
    ["rdb_last_save_time", Math.floor(persistence.lastSave / 1000)],
    ["rdb_last_bgsave_status", persistence.lastOk ? "ok" : "err"],
    ["rdb_last_bgsave_time_sec", persistence.lastSeconds],
    ["rdb_current_bgsave_time_sec", job === null ? -1 : Math.floor((now - job.startedAt) / 1000)],
    ["rdb_saves", persistence.saves],
    ["rdb_last_cow_size", 0],
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
  const fields: Field[] = [
    ["role", "master"],
    ["connected_slaves", 0],
  ];
  if (minReplicasToWrite > 0 && minReplicasMaxLag > 0) fields.push(["min_slaves_good_slaves", 0]);
  return [
    ...fields,
    ["master_failover_state", "no-failover"],
    ["master_replid", server.replicationId],
    ["master_replid2", "0".repeat(40)],
    ["master_repl_offset", 0],
    ["second_repl_offset", -1],
    ["repl_backlog_active", 0],
    ["repl_backlog_size", replBacklogSize],
    ["repl_backlog_first_byte_offset", 0],
    ["repl_backlog_histlen", 0],
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
