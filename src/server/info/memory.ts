import os from "node:os";
import { clientMemory } from "../../call/client-info.ts";
import { humanBytes } from "../../stats/memory-figures.ts";
import type { Server } from "../server.ts";
import type { Field } from "./info.ts";

/** INFO's section memory. */

export function memorySection(server: Server): Field[] {
  const { values } = server.config;
  const { keyspace } = server;
  const figures = server.memory.figures();
  const total = os.totalmem();
  const backlog = server.replication.stream.backlog?.capacity ?? 0;
  const replicas = { all: 0, output: 0 };
  for (const { session } of server.replication.primary.all()) {
    replicas.all += clientMemory(session);
    replicas.output += session.link.outputBytes + session.heldOutput;
  }
  const { scripts, functions } = server.scripting;
  const lua = { eval: scripts.luaMemory, functions: functions.luaMemory };
  const ratio = (value: number) => value.toFixed(2);
  return [
    ["used_memory", figures.used],
    ["used_memory_human", humanBytes(figures.used)],
    ["used_memory_rss", figures.rss],
    ["used_memory_rss_human", humanBytes(figures.rss)],
    ["used_memory_peak", figures.peak],
    ["used_memory_peak_human", humanBytes(figures.peak)],
    ["used_memory_peak_perc", `${ratio(figures.peakPercentage)}%`],
    ["used_memory_overhead", figures.overhead],
    ["used_memory_startup", figures.startup],
    ["used_memory_dataset", figures.dataset],
    ["used_memory_dataset_perc", `${ratio(figures.datasetPercentage)}%`],
    ["allocator_allocated", figures.used],
    ["allocator_active", figures.allocatorActive],
    ["allocator_resident", figures.allocatorActive],
    ["total_system_memory", total],
    ["total_system_memory_human", humanBytes(total)],
    ["used_memory_lua", lua.eval],
    ["used_memory_vm_eval", lua.eval],
    ["used_memory_lua_human", humanBytes(lua.eval)],
    ["used_memory_scripts_eval", scripts.cacheMemory],
    ["number_of_cached_scripts", scripts.count],
    ["number_of_functions", functions.current.functionCount],
    ["number_of_libraries", functions.current.libraries.size],
    ["used_memory_vm_functions", lua.functions],
    ["used_memory_vm_total", lua.eval + lua.functions],
    ["used_memory_vm_total_human", humanBytes(lua.eval + lua.functions)],
    ["used_memory_functions", functions.sourceBytes],
    ["used_memory_scripts", scripts.cacheMemory + functions.sourceBytes],
    ["used_memory_scripts_human", humanBytes(scripts.cacheMemory + functions.sourceBytes)],
    ["maxmemory", values.maxmemory],
    ["maxmemory_human", humanBytes(values.maxmemory)],
    ["maxmemory_policy", values.maxmemoryPolicy],
    ["allocator_frag_ratio", ratio(figures.fragmentationRatio)],
    ["allocator_frag_bytes", figures.fragmentationBytes],
    ["allocator_rss_ratio", ratio(1)],
    ["allocator_rss_bytes", 0],
    ["rss_overhead_ratio", ratio(figures.rssOverheadRatio)],
    ["rss_overhead_bytes", figures.rssOverheadBytes],
    ["mem_fragmentation_ratio", ratio(figures.totalRatio)],
    ["mem_fragmentation_bytes", figures.totalBytes],
    ["mem_not_counted_for_evict", server.memory.uncounted],
    ["mem_replication_backlog", backlog],
    ["mem_total_replication_buffers", backlog + replicas.output],
    ["mem_clients_slaves", replicas.all],
    ["mem_clients_normal", figures.clients - replicas.all],
    ["mem_cluster_links", server.clustering.cluster?.bus.memoryUse ?? 0],
    ["mem_aof_buffer", server.appendOnly.aof.enabled ? server.appendOnly.aof.writer.bufferCapacity : 0],
    ["mem_allocator", "arena"],
    ["active_defrag_running", 0],
    ["lazyfree_pending_objects", keyspace.pendingKeys],
    ["lazyfreed_objects", keyspace.freedKeys],
  ];
}
