import { readFileSync, writeFileSync } from "node:fs";
import { systemErrorText } from "../config/errors.ts";
import type { ConfigValues } from "../config/table.ts";
import type { Log } from "../host/log.ts";

/**
 * oom-score-adj: tells the Linux kernel which process to kill first when memory runs out. The value that the
 * process had before is put back when the directive is turned off.
 */
const FILE = "/proc/self/oom_score_adj";
const FAILED = "Failed to set current oom_score_adj. Check server logs.";

export class OomScore {
  /** What the process had before redbun changed it; null: it has not. */
  private original: number | null = null;

  constructor(
    private readonly log: Log,
    private readonly isReplica: () => boolean,
  ) {}

  /** Returns the reason for which it cannot be done, or null. */
  apply({ oomScoreAdj, oomScoreAdjValues }: Readonly<ConfigValues>): string | null {
    if (oomScoreAdj === "no" && this.original === null) return null;
    try {
      const base = this.original ?? Number.parseInt(readFileSync(FILE, "latin1"), 10);
      let score = base;
      // The first value is that of a master, the second that of a replica; there are no child processes.
      const value = oomScoreAdjValues[this.isReplica() ? 1 : 0]!;
      if (oomScoreAdj !== "no") score = (oomScoreAdj === "yes" ? base : 0) + value;
      this.original = oomScoreAdj === "no" ? null : base;
      writeFileSync(FILE, `${Math.max(-1000, Math.min(1000, score))}\n`);
      return null;
    } catch (error) {
      this.log.warning(`Unable to write oom_score_adj: ${systemErrorText(error)}`);
      return FAILED;
    }
  }
}
