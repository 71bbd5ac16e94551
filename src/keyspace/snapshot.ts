import type { Database } from "./database.ts";

/**
 * A snapshot without fork: all records of some databases as they were at one moment, while commands go on.
 *
 * Beginning one turns each database's epoch: every record now counts as "not seen". The walk goes over the
 * index in slices and hands each such record on; a record about to change is handed on just before (the
 * executor asks for the keys of every write command, see `beforeChange`), and a record made later carries
 * the new epoch and is left out. So each record of the moment is handed on exactly once, in the state of
 * that moment, and nothing is copied but what changes meanwhile. Keys that fall due while the walk goes on
 * may be missing: they would be dropped when the snapshot is loaded.
 *
 * A snapshot given up has to finish its walk without handing anything on, for the next one to begin with all
 * records in the same epoch.
 */
export class Snapshot {
  private at = 0;
  private cursor = 0;
  private abandoned = false;
  /** Records handed on so far. */
  seen = 0;
  /** Records there were at the moment of the snapshot. */
  readonly total: number;
  /** The databases' numbers at that moment: SWAPDB may change them. */
  private readonly ids = new Map<Database, number>();

  constructor(
    private readonly databases: readonly Database[],
    private readonly save: (database: Database, id: number, position: number) => void,
  ) {
    let total = 0;
    for (const database of databases) {
      total += database.size;
      this.ids.set(database, database.id);
      database.holds++;
      database.records.turnEpoch();
    }
    this.total = total;
  }

  /** The record at this position is about to change or to be removed. */
  beforeChange(database: Database, position: number): void {
    if (this.ids.has(database) && !database.records.isSeen(position)) this.take(database, position);
  }

  /** Goes on until `outOfTime`; returns whether the walk has ended. */
  step(outOfTime: () => boolean): boolean {
    while (this.at < this.databases.length) {
      const database = this.databases[this.at]!;
      const { records } = database;
      this.cursor = database.index.scan(this.cursor, 16, (position) => {
        if (!records.isSeen(position)) this.take(database, position);
      });
      if (this.cursor === 0) {
        database.holds--;
        this.at++;
      }
      if (outOfTime()) return this.at >= this.databases.length;
    }
    return true;
  }

  /** Hands nothing on any more; `step` must still be called until it returns true. */
  abandon(): void {
    this.abandoned = true;
  }

  private take(database: Database, position: number): void {
    database.records.markSeen(position);
    this.seen++;
    if (!this.abandoned) this.save(database, this.ids.get(database)!, position);
  }
}
