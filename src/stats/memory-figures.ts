/** How memory is used, for INFO, MEMORY STATS and MEMORY DOCTOR. Bytes, where nothing else is said. */

export interface DatabaseFigures {
  id: number;
  keys: number;
  /** The index and the records' headers. */
  main: number;
  /** The expiry wheel. */
  expires: number;
  /** On a cluster node: the account of hash slots, which is in `main` as well. */
  slots: number;
}

export interface MeasuredMemory {
  /** Data, buffers and clients: what maxmemory is compared with. */
  used: number;
  peak: number;
  /** What was used before there was any data. */
  startup: number;
  /** Pages of the arena and blocks, used or free. */
  allocatorActive: number;
  /** The process's resident set, the JavaScript engine included. */
  rss: number;
  clients: number;
  databases: DatabaseFigures[];
}

export interface MemoryFigures extends MeasuredMemory {
  keys: number;
  overhead: number;
  dataset: number;
  datasetPercentage: number;
  peakPercentage: number;
  bytesPerKey: number;
  /** Free room in the pages held. */
  fragmentationRatio: number;
  fragmentationBytes: number;
  /** The process beyond its pages: engine, code, garbage not yet collected. */
  rssOverheadRatio: number;
  rssOverheadBytes: number;
  totalRatio: number;
  totalBytes: number;
}

/** What follows from the measured figures, by the formulas of Redis's getMemoryOverheadData. */
export function deriveFigures(measured: MeasuredMemory): MemoryFigures {
  const { used, peak, startup, allocatorActive, rss, clients, databases } = measured;
  const keys = databases.reduce((sum, each) => sum + each.keys, 0);
  const overhead = startup + clients + databases.reduce((sum, each) => sum + each.main + each.expires, 0);
  const net = used > startup ? used - startup : 1;
  const dataset = Math.max(0, used - overhead);
  return {
    ...measured,
    keys,
    overhead,
    dataset,
    datasetPercentage: (dataset * 100) / net,
    peakPercentage: (used * 100) / peak,
    bytesPerKey: keys === 0 ? 0 : Math.floor(net / keys),
    fragmentationRatio: allocatorActive / used,
    fragmentationBytes: allocatorActive - used,
    rssOverheadRatio: rss / allocatorActive,
    rssOverheadBytes: rss - allocatorActive,
    totalRatio: rss / used,
    totalBytes: rss - used,
  };
}

/** "1.50M", as INFO's fields that end in _human. */
export function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  let value = bytes;
  for (const unit of ["K", "M", "G", "T"]) {
    value /= 1024;
    if (value < 1024 || unit === "T") return `${value.toFixed(2)}${unit}`;
  }
  return `${bytes}B`;
}
