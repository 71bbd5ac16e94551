import type { Reply } from "./reply.ts";

/**
 * Metrics in Prometheus's text format (version 0.0.4), under the names that redis_exporter gives them, so that dashboards
 * and alerts made for it go on working:
 *
 *   INFO's field            used_memory:1048576
 *   becomes                 # HELP redis_memory_used_bytes used_memory of INFO
 *                           # TYPE redis_memory_used_bytes gauge
 *                           redis_memory_used_bytes 1048576
 *
 * All is taken from replies that the asking user has got, so INFO and the metrics cannot disagree; what the user may not
 * ask for (SLOWLOG, LATENCY) is left out.
 */
export const QUESTIONS: readonly (readonly string[])[] = [
  ["INFO", "everything"],
  ["SLOWLOG", "LEN"],
  ["SLOWLOG", "GET", "1"],
  ["LATENCY", "LATEST"],
];

/** With more databases than this, those without keys are not named. */
const MOST_EMPTY = 64;

type Kind = "gauge" | "counter" | "summary";

const GAUGES: Readonly<Record<string, string>> = {
  uptime_in_seconds: "uptime_in_seconds",
  process_id: "process_id",
  hz: "hz",
  configured_hz: "configured_hz",
  connected_clients: "connected_clients",
  blocked_clients: "blocked_clients",
  tracking_clients: "tracking_clients",
  clients_in_timeout_table: "clients_in_timeout_table",
  pubsub_clients: "pubsub_clients",
  watching_clients: "watching_clients",
  total_watched_keys: "total_watched_keys",
  total_blocking_keys: "total_blocking_keys",
  total_blocking_keys_on_nokey: "total_blocking_keys_on_nokey",
  maxclients: "max_clients",
  cluster_connections: "cluster_connections",
  cluster_enabled: "cluster_enabled",
  client_recent_max_output_buffer: "client_recent_max_output_buffer_bytes",
  client_recent_max_input_buffer: "client_recent_max_input_buffer_bytes",
  allocator_active: "allocator_active_bytes",
  allocator_allocated: "allocator_allocated_bytes",
  allocator_resident: "allocator_resident_bytes",
  allocator_frag_ratio: "allocator_frag_ratio",
  allocator_frag_bytes: "allocator_frag_bytes",
  allocator_rss_ratio: "allocator_rss_ratio",
  allocator_rss_bytes: "allocator_rss_bytes",
  rss_overhead_ratio: "rss_overhead_ratio",
  rss_overhead_bytes: "rss_overhead_bytes",
  used_memory: "memory_used_bytes",
  used_memory_rss: "memory_used_rss_bytes",
  used_memory_peak: "memory_used_peak_bytes",
  used_memory_lua: "memory_used_lua_bytes",
  used_memory_vm_eval: "memory_used_vm_eval_bytes",
  used_memory_vm_functions: "memory_used_vm_functions_bytes",
  used_memory_vm_total: "memory_used_vm_total_bytes",
  used_memory_functions: "memory_used_functions_bytes",
  used_memory_scripts: "memory_used_scripts_bytes",
  used_memory_scripts_eval: "memory_used_scripts_eval_bytes",
  used_memory_overhead: "memory_used_overhead_bytes",
  used_memory_startup: "memory_used_startup_bytes",
  used_memory_dataset: "memory_used_dataset_bytes",
  number_of_cached_scripts: "number_of_cached_scripts",
  number_of_functions: "number_of_functions",
  number_of_libraries: "number_of_libraries",
  maxmemory: "memory_max_bytes",
  mem_fragmentation_ratio: "mem_fragmentation_ratio",
  mem_fragmentation_bytes: "mem_fragmentation_bytes",
  mem_clients_slaves: "mem_clients_slaves",
  mem_clients_normal: "mem_clients_normal",
  mem_cluster_links: "mem_cluster_links_bytes",
  mem_aof_buffer: "mem_aof_buffer_bytes",
  mem_replication_backlog: "mem_replication_backlog_bytes",
  mem_total_replication_buffers: "mem_total_replication_buffers_bytes",
  mem_not_counted_for_evict: "mem_not_counted_for_eviction_bytes",
  expired_stale_perc: "expired_stale_percentage",
  expired_time_cap_reached_count: "expired_time_cap_reached_total",
  lazyfree_pending_objects: "lazyfree_pending_objects",
  lazyfreed_objects: "lazyfreed_objects",
  active_defrag_running: "active_defrag_running",
  active_defrag_hits: "defrag_hits",
  active_defrag_misses: "defrag_misses",
  active_defrag_key_hits: "defrag_key_hits",
  active_defrag_key_misses: "defrag_key_misses",
  migrate_cached_sockets: "migrate_cached_sockets_total",
  loading: "loading_dump_file",
  async_loading: "async_loading",
  rdb_changes_since_last_save: "rdb_changes_since_last_save",
  rdb_bgsave_in_progress: "rdb_bgsave_in_progress",
  rdb_last_save_time: "rdb_last_save_timestamp_seconds",
  rdb_last_bgsave_status: "rdb_last_bgsave_status",
  rdb_last_bgsave_time_sec: "rdb_last_bgsave_duration_sec",
  rdb_current_bgsave_time_sec: "rdb_current_bgsave_duration_sec",
  rdb_last_cow_size: "rdb_last_cow_size_bytes",
  rdb_saves: "rdb_saves_total",
  aof_enabled: "aof_enabled",
  aof_rewrite_in_progress: "aof_rewrite_in_progress",
  aof_rewrite_scheduled: "aof_rewrite_scheduled",
  aof_last_rewrite_time_sec: "aof_last_rewrite_duration_sec",
  aof_current_rewrite_time_sec: "aof_current_rewrite_duration_sec",
  aof_last_cow_size: "aof_last_cow_size_bytes",
  aof_current_size: "aof_current_size_bytes",
  aof_base_size: "aof_base_size_bytes",
  aof_pending_rewrite: "aof_pending_rewrite",
  aof_buffer_length: "aof_buffer_length",
  aof_pending_bio_fsync: "aof_pending_bio_fsync",
  aof_delayed_fsync: "aof_delayed_fsync",
  aof_last_bgrewrite_status: "aof_last_bgrewrite_status",
  aof_last_write_status: "aof_last_write_status",
  module_fork_in_progress: "module_fork_in_progress",
  module_fork_last_cow_size: "module_fork_last_cow_size",
  instantaneous_ops_per_sec: "instantaneous_ops_per_sec",
  instantaneous_input_kbps: "instantaneous_input_kbps",
  instantaneous_output_kbps: "instantaneous_output_kbps",
  pubsub_channels: "pubsub_channels",
  pubsub_patterns: "pubsub_patterns",
  pubsubshard_channels: "pubsubshard_channels",
  connected_slaves: "connected_slaves",
  repl_backlog_size: "replication_backlog_bytes",
  repl_backlog_active: "repl_backlog_is_active",
  repl_backlog_first_byte_offset: "repl_backlog_first_byte_offset",
  repl_backlog_histlen: "repl_backlog_history_bytes",
  master_repl_offset: "master_repl_offset",
  second_repl_offset: "second_repl_offset",
  slave_expires_tracked_keys: "slave_expires_tracked_keys",
  slave_priority: "slave_priority",
  sync_full: "replica_resyncs_full",
  sync_partial_ok: "replica_partial_resync_accepted",
  sync_partial_err: "replica_partial_resync_denied",
  min_slaves_good_slaves: "min_slaves_good_slaves",
};

const COUNTERS: Readonly<Record<string, string>> = {
  total_connections_received: "connections_received_total",
  total_commands_processed: "commands_processed_total",
  rejected_connections: "rejected_connections_total",
  total_net_input_bytes: "net_input_bytes_total",
  total_net_output_bytes: "net_output_bytes_total",
  total_net_repl_input_bytes: "net_repl_input_bytes_total",
  total_net_repl_output_bytes: "net_repl_output_bytes_total",
  expired_keys: "expired_keys_total",
  expired_subkeys: "expired_subkeys_total",
  evicted_keys: "evicted_keys_total",
  evicted_clients: "evicted_clients_total",
  total_eviction_exceeded_time: "eviction_exceeded_time_total",
  keyspace_hits: "keyspace_hits_total",
  keyspace_misses: "keyspace_misses_total",
  used_cpu_sys: "cpu_sys_seconds_total",
  used_cpu_user: "cpu_user_seconds_total",
  used_cpu_sys_children: "cpu_sys_children_seconds_total",
  used_cpu_user_children: "cpu_user_children_seconds_total",
  used_cpu_sys_main_thread: "cpu_sys_main_thread_seconds_total",
  used_cpu_user_main_thread: "cpu_user_main_thread_seconds_total",
  unexpected_error_replies: "unexpected_error_replies",
  total_error_replies: "total_error_replies",
  dump_payload_sanitizations: "dump_payload_sanitizations",
  total_reads_processed: "total_reads_processed",
  total_writes_processed: "total_writes_processed",
  acl_access_denied_auth: "acl_access_denied_auth_total",
  acl_access_denied_cmd: "acl_access_denied_cmd_total",
  acl_access_denied_key: "acl_access_denied_key_total",
  acl_access_denied_channel: "acl_access_denied_channel_total",
};

/** `replies` to QUESTIONS, the first of which is INFO's text; `databases`: how many there are. */
export function exposition(replies: readonly Reply[], databases: number): string {
  const metrics = new Metrics();
  const [info, slowlogLength, slowest, spikes] = replies;
  metrics.add("up", "gauge", "Whether the server answers", 1);
  fromInfo(metrics, String(info), databases);
  if (typeof slowlogLength === "number")
    metrics.add("slowlog_length", "gauge", "Entries of the slow log", slowlogLength);
  if (Array.isArray(slowest)) fromSlowlog(metrics, slowest);
  if (Array.isArray(spikes)) for (const spike of spikes) fromSpike(metrics, spike);
  return metrics.text();
}

function fromInfo(metrics: Metrics, info: string, databases: number): void {
  const fields = new Map<string, string>();
  for (const line of info.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0 && !line.startsWith("#")) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  for (const [name, value] of fields) field(metrics, name, value, fields);
  emptyDatabases(metrics, fields, databases);
  const get = (name: string): string => fields.get(name) ?? "";
  metrics.add("instance_info", "gauge", "What the instance is", 1, {
    role: get("role"),
    redis_version: get("redis_version"),
    redis_build_id: get("redis_build_id"),
    redis_mode: get("redis_mode"),
    os: get("os"),
    maxmemory_policy: get("maxmemory_policy"),
    tcp_port: get("tcp_port"),
    run_id: get("run_id"),
    process_id: get("process_id"),
    master_replid: get("master_replid"),
  });
  // Both of one reply: it does not jitter as the difference of the two clocks would.
  const start = Math.floor(Number(get("server_time_usec")) / 1e6) - Number(get("uptime_in_seconds"));
  metrics.add("start_time_seconds", "gauge", "When the server was started, seconds since 1970", start);
  metrics.add(
    "latest_fork_seconds",
    "gauge",
    "latest_fork_usec of INFO",
    Number(get("latest_fork_usec")) / 1e6,
  );
  metrics.add("config_maxmemory", "gauge", "The directive maxmemory", Number(get("maxmemory")));
  metrics.add("config_maxclients", "gauge", "The directive maxclients", Number(get("maxclients")));
  if (get("role") === "slave") fromMaster(metrics, get);
}

function field(metrics: Metrics, name: string, value: string, fields: ReadonlyMap<string, string>): void {
  const gauge = GAUGES[name];
  const counter = COUNTERS[name];
  if (gauge !== undefined) return metrics.add(gauge, "gauge", `${name} of INFO`, numberOf(value));
  if (counter !== undefined) return metrics.add(counter, "counter", `${name} of INFO`, numberOf(value));
  const [, kind, rest = ""] =
    /^(cmdstat_|latency_percentiles_usec_|errorstat_|db|slave)(.+)$/.exec(name) ?? [];
  const parts = partsOf(value);
  switch (kind) {
    case "cmdstat_":
      return command(metrics, rest, parts);
    case "latency_percentiles_usec_":
      return percentiles(metrics, rest, parts, partsOf(fields.get(`cmdstat_${rest}`) ?? ""));
    case "errorstat_":
      return metrics.add("errors_total", "counter", "Error replies", numberOf(parts.get("count")), {
        err: rest,
      });
    case "db":
      if (/^\d+$/.test(rest)) database(metrics, name, parts);
      return;
    case "slave":
      if (/^\d+$/.test(rest)) replica(metrics, parts);
  }
}

function command(metrics: Metrics, cmd: string, parts: ReadonlyMap<string, string>): void {
  const add = (name: string, help: string, value: number) =>
    metrics.add(name, "counter", help, value, { cmd });
  add("commands_total", "Calls of the command", numberOf(parts.get("calls")));
  add("commands_duration_seconds_total", "Time spent in the command", numberOf(parts.get("usec")) / 1e6);
  add(
    "commands_rejected_calls_total",
    "Calls refused before execution",
    numberOf(parts.get("rejected_calls")),
  );
  add("commands_failed_calls_total", "Calls that ended in an error", numberOf(parts.get("failed_calls")));
}

function percentiles(
  metrics: Metrics,
  cmd: string,
  parts: ReadonlyMap<string, string>,
  totals: ReadonlyMap<string, string>,
): void {
  const name = "latency_percentiles_usec";
  const add = (suffix: string, value: number, labels: Labels) =>
    metrics.add(name, "summary", "Latencies of the command, microseconds", value, labels, suffix);
  for (const [percentile, value] of parts) add("", numberOf(value), { cmd, quantile: percentile.slice(1) });
  add("_sum", numberOf(totals.get("usec")), { cmd });
  add("_count", numberOf(totals.get("calls")), { cmd });
}

function database(metrics: Metrics, db: string, parts: ReadonlyMap<string, string>): void {
  metrics.add("db_keys", "gauge", "Keys of the database", numberOf(parts.get("keys")), { db });
  metrics.add("db_keys_expiring", "gauge", "Keys that expire", numberOf(parts.get("expires")), { db });
  const ttl = numberOf(parts.get("avg_ttl")) / 1000;
  metrics.add("db_avg_ttl_seconds", "gauge", "Mean time to live of keys that expire", ttl, { db });
}

function emptyDatabases(metrics: Metrics, fields: ReadonlyMap<string, string>, databases: number): void {
  if (databases > MOST_EMPTY) return;
  for (let i = 0; i < databases; i++) {
    const db = `db${i}`;
    if (fields.has(db)) continue;
    metrics.add("db_keys", "gauge", "Keys of the database", 0, { db });
    metrics.add("db_keys_expiring", "gauge", "Keys that expire", 0, { db });
  }
}

function replica(metrics: Metrics, parts: ReadonlyMap<string, string>): void {
  const get = (name: string): string => parts.get(name) ?? "";
  const labels = { slave_ip: get("ip"), slave_port: get("port"), slave_state: get("state") };
  const add = (name: string, help: string, value: string) =>
    metrics.add(name, "gauge", help, numberOf(value), labels);
  add("connected_slave_offset_bytes", "How far the replica has come", get("offset"));
  add("connected_slave_lag_seconds", "Since when the replica was last heard of", get("lag"));
}

function fromMaster(metrics: Metrics, get: (name: string) => string): void {
  const labels = { master_host: get("master_host"), master_port: get("master_port") };
  const add = (name: string, help: string, value: number) => metrics.add(name, "gauge", help, value, labels);
  add("master_link_up", "Whether the link to the master is up", get("master_link_status") === "up" ? 1 : 0);
  for (const name of ["master_last_io_seconds_ago", "master_sync_in_progress", "slave_repl_offset"])
    add(name, `${name} of INFO`, numberOf(get(name)));
  metrics.add("slave_info", "gauge", "What the replica is", 1, {
    ...labels,
    read_only: get("slave_read_only"),
  });
}

/** Of SLOWLOG GET 1: [id, time, microseconds, ...]. */
function fromSlowlog(metrics: Metrics, [entry]: readonly Reply[]): void {
  const [id = 0, , microseconds = 0] = Array.isArray(entry) ? entry : [];
  metrics.add("slowlog_last_id", "gauge", "Id of the newest entry of the slow log", Number(id));
  metrics.add(
    "last_slow_execution_duration_seconds",
    "gauge",
    "How long the newest entry of the slow log took",
    Number(microseconds) / 1e6,
  );
}

/** Of LATENCY LATEST: [event, time, milliseconds, worst]. */
function fromSpike(metrics: Metrics, spike: Reply): void {
  if (!Array.isArray(spike)) return;
  const [event, time, milliseconds] = spike;
  const labels = { event_name: String(event) };
  metrics.add("latency_spike_last", "gauge", "When the event was last slow", Number(time), labels);
  const seconds = Number(milliseconds) / 1000;
  metrics.add("latency_spike_duration_seconds", "gauge", "How long it then took", seconds, labels);
}

/** "calls=1,usec=2" */
function partsOf(value: string): Map<string, string> {
  const parts = new Map<string, string>();
  for (const part of value.split(",")) {
    const equals = part.indexOf("=");
    if (equals > 0) parts.set(part.slice(0, equals), part.slice(equals + 1));
  }
  return parts;
}

/** Of a figure, or of a state of which one is good. */
function numberOf(value: string | undefined): number {
  if (value === "ok") return 1;
  if (value === "err") return 0;
  return Number(value);
}

type Labels = Readonly<Record<string, string>>;

/** Families, each with its samples together, as the format demands. */
class Metrics {
  private readonly families = new Map<string, { kind: Kind; help: string; samples: string[] }>();

  /** What is no number is left out. */
  add(name: string, kind: Kind, help: string, value: number, labels: Labels = {}, suffix = ""): void {
    if (Number.isNaN(value)) return;
    const full = `redis_${name}`;
    const family = this.families.get(full) ?? { kind, help, samples: [] };
    this.families.set(full, family);
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    family.samples.push(`${full}${suffix}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`);
  }

  text(): string {
    let text = "";
    for (const [name, { kind, help, samples }] of this.families)
      text += `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${samples.join("")}`;
    return text;
  }
}

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
}
