import { readFileSync } from "node:fs";
import type { Command } from "../../call/registry.ts";
import { percentile } from "../../stats/histogram.ts";
import type { Server } from "../server.ts";
import type { Field } from "./info.ts";

/** INFO's sections of counters: stats, cpu, commandstats, errorstats, latencystats and debug. */

export function statsSection(server: Server): Field[] {
  const { counters, rates, subscriptions } = server;
  const kilobytes = (rate: number) => (Math.floor(rate) / 1024).toFixed(2);
  return [
    ["total_connections_received", counters.connections],
    ["total_commands_processed", counters.commands],
    ["instantaneous_ops_per_sec", Math.floor(rates.commands.mean)],
    ["total_net_input_bytes", counters.netInput],
    ["total_net_output_bytes", counters.netOutput],
    ["total_net_repl_input_bytes", counters.netReplInput],
    ["total_net_repl_output_bytes", counters.netReplOutput],
    ["instantaneous_input_kbps", kilobytes(rates.netInput.mean)],
    ["instantaneous_output_kbps", kilobytes(rates.netOutput.mean)],
    ["instantaneous_input_repl_kbps", "0.00"],
    ["instantaneous_output_repl_kbps", "0.00"],
    ["rejected_connections", counters.rejectedConnections],
    ["sync_full", counters.syncFull],
    ["sync_partial_ok", counters.syncPartialOk],
    ["sync_partial_err", counters.syncPartialErr],
    ["expired_keys", counters.expired],
    ["expired_stale_perc", "0.00"],
    ["expired_time_cap_reached_count", counters.expireTimeCapReached],
    ["expire_cycle_cpu_milliseconds", Math.floor(counters.expireCycleMs)],
    ["evicted_keys", counters.evictedKeys],
    ["evicted_clients", counters.evictedClients],
    ["total_eviction_exceeded_time", 0],
    ["current_eviction_exceeded_time", 0],
    ["keyspace_hits", counters.hits],
    ["keyspace_misses", counters.misses],
    ["pubsub_channels", subscriptions.channelCount],
    ["pubsub_patterns", subscriptions.patternCount],
    ["pubsubshard_channels", subscriptions.shardCount],
    ["latest_fork_usec", 0],
    // Redis forks for each snapshot; who watches how often that happens is told the same here.
    ["total_forks", counters.snapshots],
    ["migrate_cached_sockets", server.migrations.targets.count],
    ["slave_expires_tracked_keys", server.localExpiries.count],
    ["active_defrag_hits", 0],
    ["active_defrag_misses", 0],
    ["active_defrag_key_hits", 0],
    ["active_defrag_key_misses", 0],
    ["total_active_defrag_time", 0],
    ["current_active_defrag_time", 0],
    ["tracking_total_keys", server.tracking.table.keyCount],
    ["tracking_total_items", server.tracking.table.itemCount],
    ["tracking_total_prefixes", server.tracking.prefixCount],
    ["unexpected_error_replies", counters.unexpectedErrors],
    ["total_error_replies", counters.errorReplies],
    ["dump_payload_sanitizations", 0],
    ["total_reads_processed", counters.reads],
    ["total_writes_processed", counters.writes],
    ["io_threaded_reads_processed", 0],
    ["io_threaded_writes_processed", 0],
    ["reply_buffer_shrinks", 0],
    ["reply_buffer_expands", 0],
    ["eventloop_cycles", counters.eventLoopCycles],
    ["eventloop_duration_sum", Math.floor(counters.eventLoopUs)],
    ["eventloop_duration_cmd_sum", Math.floor(counters.eventLoopCommandUs)],
    ["instantaneous_eventloop_cycles_per_sec", Math.floor(rates.cycles.mean)],
    ["instantaneous_eventloop_duration_usec", Math.floor(rates.cycleUs.mean)],
    ["acl_access_denied_auth", counters.accessDenied.auth],
    ["acl_access_denied_cmd", counters.accessDenied.command],
    ["acl_access_denied_key", counters.accessDenied.key],
    ["acl_access_denied_channel", counters.accessDenied.channel],
    // Of Redis 7.4 to 8.8.
    ["expired_subkeys", counters.expiredFields],
    ["client_query_buffer_limit_disconnections", counters.queryBufferLimitDisconnections],
    ["client_output_buffer_limit_disconnections", counters.outputBufferLimitDisconnections],
  ];
}

const MICROS = 1_000_000;

function seconds(micros: number): string {
  return `${Math.floor(micros / MICROS)}.${String(Math.floor(micros % MICROS)).padStart(6, "0")}`;
}

export function cpuSection(): Field[] {
  const { system, user } = process.cpuUsage();
  const fields: Field[] = [
    ["used_cpu_sys", seconds(system)],
    ["used_cpu_user", seconds(user)],
    ["used_cpu_sys_children", seconds(0)],
    ["used_cpu_user_children", seconds(0)],
  ];
  const main = mainThread();
  if (main === null) return fields;
  return [
    ...fields,
    ["used_cpu_sys_main_thread", seconds(main.system)],
    ["used_cpu_user_main_thread", seconds(main.user)],
  ];
}

/** Microseconds of the main thread, to the hundredth of a second; null where the system does not tell. */
function mainThread(): { system: number; user: number } | null {
  try {
    const stat = readFileSync(`/proc/self/task/${process.pid}/stat`, "latin1");
    // The fields behind the name in parentheses; utime and stime are the 14th and 15th of all, in ticks.
    const words = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { user: Number(words[11]) * (MICROS / 100), system: Number(words[12]) * (MICROS / 100) };
  } catch {
    return null;
  }
}

/** The characters that would break INFO's lines. */
function safe(name: string): string {
  return name.replace(/[#:\n\r]/g, "_");
}

export function commandStatsSection({ registry }: Server): Field[] {
  const used = [...registry.all()].filter(({ calls, failed, rejected }) => calls + failed + rejected > 0);
  return used.map(({ fullName, calls, usec, rejected, failed }) => [
    `cmdstat_${safe(fullName)}`,
    `calls=${calls},usec=${Math.floor(usec)},usec_per_call=${(calls === 0 ? 0 : usec / calls).toFixed(2)},` +
      `rejected_calls=${rejected},failed_calls=${failed}`,
  ]);
}

export function errorStatsSection({ counters }: Server): Field[] {
  return [...counters.errors]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, count]) => [`errorstat_${safe(code)}`, `count=${count}`]);
}

export function latencyStatsSection({ registry, config }: Server): Field[] {
  const { latencyTracking, latencyTrackingInfoPercentiles } = config.values;
  if (!latencyTracking) return [];
  const row = ({ latency }: Command) =>
    latencyTrackingInfoPercentiles
      .map((percent) => `p${Number(percent.toFixed(6))}=${(percentile(latency!, percent) / 1000).toFixed(3)}`)
      .join(",");
  return [...registry.all()]
    .filter(({ latency }) => latency !== null)
    .map((command) => [`latency_percentiles_usec_${safe(command.fullName)}`, row(command)]);
}

export function debugSection({ counters }: Server): Field[] {
  return [
    ["eventloop_duration_aof_sum", 0],
    ["eventloop_duration_cron_sum", Math.floor(counters.cronUs)],
    ["eventloop_duration_max", Math.floor(counters.slowestEventUs)],
    ["eventloop_cmd_per_cycle_max", counters.maxCommandsPerCycle],
  ];
}
