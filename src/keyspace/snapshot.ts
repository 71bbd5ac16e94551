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
 * A big value is taken in steps of some elements, while it, and everything else, may change: who takes it sees to
 * that, and lets other records wait. The walk goes on when it is done.
 *
 * A snapshot given up has to finish its walk without handing anything on, for the next one to begin with all
 * records in the same epoch.
 */
export interface SnapshotSink {
  /** Takes a record of database `id`; false: something is under way now, which `step` has to finish. */
  record(database: Database, id: number, position: number): boolean;
  /** A record that it has taken may be about to change. Of big values but strings it hears by itself. */
  beforeChange(database: Database, position: number): void;
  /** Takes about so many elements more of what is under way; true when there is nothing any more. */
  step(elements: number): boolean;
  /** Nothing more will come; what is under way is of no use. */
  abandon(): void;
}

const KEYS = 16;
const ELEMENTS = 128;

export class Snapshot {
  private at = 0;
  private cursor = 0;
  private abandoned = false;
  /** Hashes of keys that the walk has come by while a big value was under way. */
  private readonly deferred: number[] = [];
  private underWay = false;
  /** Records handed on so far. */
  seen = 0;
  /** Records there were at the moment of the snapshot. */
  readonly total: number;
  /** The databases' numbers at that moment: SWAPDB may change them. */
  private readonly ids = new Map<Database, number>();

  constructor(
    private readonly databases: readonly Database[],
    private readonly sink: SnapshotSink,
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
    if (!this.ids.has(database)) return;
    if (!database.records.isSeen(position)) this.take(database, position);
    if (!this.abandoned) this.sink.beforeChange(database, position);
  }

  /** Goes on until `outOfTime`; returns whether the walk has ended. */
  step(outOfTime: () => boolean): boolean {
    while (this.at < this.databases.length) {
      this.advance(this.databases[this.at]!);
      if (outOfTime()) return this.at >= this.databases.length;
    }
    return true;
  }

  private advance(database: Database): void {
    if (this.underWay && !this.abandoned && !this.sink.step(ELEMENTS)) return;
    this.underWay = false;
    const { records, index } = database;
    if (this.deferred.length > 0) {
      const hash = this.deferred.pop()!;
      index.forHash(hash, (position) => {
        if (!records.isSeen(position)) this.take(database, position);
      });
      return;
    }
    if (this.cursor === DONE) {
      database.holds--;
      this.at++;
      this.cursor = 0;
      return;
    }
    const next = index.scan(this.cursor, KEYS, (position) => {
      if (records.isSeen(position)) return;
      if (this.underWay) this.deferred.push(database.hashOf(position));
      else this.take(database, position);
    });
    this.cursor = next === 0 ? DONE : next;
  }

  /** Hands nothing on any more; `step` must still be called until it returns true. */
  abandon(): void {
    if (this.abandoned) return;
    this.abandoned = true;
    this.sink.abandon();
  }

  private take(database: Database, position: number): void {
    database.records.markSeen(position);
    this.seen++;
    if (!this.abandoned) this.underWay = !this.sink.record(database, this.ids.get(database)!, position);
  }
}

const DONE = -1;
