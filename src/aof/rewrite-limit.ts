import type { AofLog } from "./folder.ts";

/**
 * Holds automatic rewrites back when they keep failing, as each attempt leaves another incremental file: from
 * the third failure in a row on for 1 minute, then 2, 4 ... 60. BGREWRITEAOF is not held back.
 */
const THRESHOLD = 3;
const MAX_MINUTES = 60;

export class RewriteLimit {
  failures = 0;
  private minutes = 0;
  private until = 0;

  constructor(
    private readonly clock: { readonly now: number },
    private readonly log: AofLog,
  ) {}

  /** Whether a rewrite that is due must wait. */
  get active(): boolean {
    if (this.failures < THRESHOLD) {
      this.minutes = this.until = 0;
      return false;
    }
    if (this.until !== 0) {
      if (this.clock.now < this.until) return true;
      this.until = 0;
      return false;
    }
    this.minutes = Math.min(this.minutes === 0 ? 1 : this.minutes * 2, MAX_MINUTES);
    this.until = this.clock.now + this.minutes * 60_000;
    this.log.warning(
      "Background AOF rewrite has repeatedly failed and triggered the limit, will retry in " +
        `${this.minutes} minutes`,
    );
    return true;
  }
}
