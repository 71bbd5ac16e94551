// Files of the data set: RDB and AOF.

import { checkAppendDirectoryName, checkAppendFileName, checkDumpFileName } from "../checks.ts";
import { bool, choice, integer, memory, string } from "../kinds.ts";
import { INT_MAX, INT_MIN, LONG_MAX } from "../numbers.ts";
import { savePoints } from "../special.ts";

export const persistenceDirectives = [
  savePoints("save", [
    { seconds: 3600, changes: 1 },
    { seconds: 300, changes: 100 },
    { seconds: 60, changes: 10_000 },
  ]),
  string("dbfilename", "dump.rdb", { protected: true, check: checkDumpFileName }),
  bool("rdbchecksum", true, { immutable: true }),
  bool("rdbcompression", true),
  bool("rdb-del-sync-files", false),
  bool("rdb-save-incremental-fsync", true),
  bool("stop-writes-on-bgsave-error", true),
  integer("rdb-key-save-delay", 0, INT_MIN, INT_MAX, { hidden: true }),
  integer("key-load-delay", 0, INT_MIN, INT_MAX, { hidden: true }),
  integer("loading-process-events-interval-bytes", 2 * 1024 * 1024, 1024, INT_MAX, { hidden: true }),

  bool("appendonly", false, { denyLoading: true }),
  string("appendfilename", "appendonly.aof", { immutable: true, check: checkAppendFileName }),
  string("appenddirname", "appendonlydir", { immutable: true, check: checkAppendDirectoryName }),
  choice("appendfsync", "everysec", ["everysec", "always", "no"]),
  bool("no-appendfsync-on-rewrite", false),
  integer("auto-aof-rewrite-percentage", 100, 0, INT_MAX),
  memory("auto-aof-rewrite-min-size", 64 * 1024 * 1024, 0, LONG_MAX),
  bool("aof-load-truncated", true),
  bool("aof-use-rdb-preamble", true),
  bool("aof-timestamp-enabled", false),
  bool("aof-rewrite-incremental-fsync", true),
  bool("aof-disable-auto-gc", false, { hidden: true }),
] as const;
