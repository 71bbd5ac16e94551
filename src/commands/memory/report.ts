import type { ReplyWriter } from "../../resp/reply-writer.ts";
import type { MemoryFigures } from "../../stats/memory-figures.ts";

/** MEMORY STATS (Redis 7.2's fields in their order) and MEMORY MALLOC-STATS. */

export function replyFigures(reply: ReplyWriter, figures: MemoryFigures, clusterLinks: number): void {
  const { databases } = figures;
  const int = (name: string, value: number) => {
    reply.bulkText(name);
    reply.int(Math.floor(value));
  };
  const double = (name: string, value: number) => {
    reply.bulkText(name);
    reply.double(value);
  };
  reply.map(27 + databases.length);
  int("peak.allocated", figures.peak);
  int("total.allocated", figures.used);
  int("startup.allocated", figures.startup);
  int("replication.backlog", 0);
  int("clients.slaves", 0);
  int("clients.normal", figures.clients);
  int("cluster.links", clusterLinks);
  int("aof.buffer", 0);
  int("lua.caches", 0);
  int("functions.caches", 0);
  for (const { id, main, expires, slots } of databases) {
    reply.bulkText(`db.${id}`);
    reply.map(3);
    int("overhead.hashtable.main", main);
    int("overhead.hashtable.expires", expires);
    int("overhead.hashtable.slot-to-keys", slots);
  }
  int("overhead.total", figures.overhead);
  int("keys.count", figures.keys);
  int("keys.bytes-per-key", figures.bytesPerKey);
  int("dataset.bytes", figures.dataset);
  double("dataset.percentage", figures.datasetPercentage);
  double("peak.percentage", figures.peakPercentage);
  int("allocator.allocated", figures.used);
  int("allocator.active", figures.allocatorActive);
  int("allocator.resident", figures.allocatorActive);
  double("allocator-fragmentation.ratio", figures.fragmentationRatio);
  int("allocator-fragmentation.bytes", figures.fragmentationBytes);
  double("allocator-rss.ratio", 1);
  int("allocator-rss.bytes", 0);
  double("rss-overhead.ratio", figures.rssOverheadRatio);
  int("rss-overhead.bytes", figures.rssOverheadBytes);
  double("fragmentation", figures.totalRatio);
  int("fragmentation.bytes", figures.totalBytes);
}

export function mallocStatistics(figures: MemoryFigures): string {
  const { used, allocatorActive, rss } = figures;
  const heap = process.memoryUsage();
  return (
    "Allocator: arena (pages of 256 KiB with size classes; larger values in blocks of their own)\n" +
    `used:                 ${used}\n` +
    `held:                 ${allocatorActive}\n` +
    `free room in pages:   ${allocatorActive - used}\n` +
    `resident set:         ${rss}\n` +
    `JavaScript heap used: ${heap.heapUsed}\n` +
    `JavaScript heap held: ${heap.heapTotal}\n`
  );
}
