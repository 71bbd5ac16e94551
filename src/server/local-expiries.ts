import type { Database } from "../keyspace/database.ts";

/**
 * Keys that clients of a writable replica gave an expiry. The master does not know them and will not say when they are
 * gone, so the replica removes them itself; keys that are the master's are not touched.
 */
export class LocalExpiries {
  private readonly hashes = new Map<Database, Set<number>>();

  /** `live`: the database has not been flushed, or replaced by what the master sent. */
  constructor(private readonly live: (database: Database) => boolean) {}

  /** Keys watched, by hash. */
  get count(): number {
    let count = 0;
    for (const [database, hashes] of this.hashes) if (this.live(database)) count += hashes.size;
    return count;
  }

  note(database: Database, hash: number): void {
    const hashes = this.hashes.get(database);
    if (hashes === undefined) this.hashes.set(database, new Set([hash]));
    else hashes.add(hash);
  }

  /** With each tick of the cron. */
  tick(): void {
    for (const [database, hashes] of this.hashes) {
      // Its memory is given back.
      if (!this.live(database)) hashes.clear();
      for (const hash of hashes) if (!database.expireLocally(hash)) hashes.delete(hash);
      if (hashes.size === 0) this.hashes.delete(database);
    }
  }

  /** The role or the data set has changed. */
  clear(): void {
    this.hashes.clear();
  }
}
