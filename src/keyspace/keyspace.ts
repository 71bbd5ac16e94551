import type { KeyspaceContext } from "./context.ts";
import { Database } from "./database.ts";

/** Steps of reaping when a database is flushed. */
const REAPED_AT_ONCE = 1;
const TICKS_A_TIDYING = 10;

/**
 * All databases. One is made when it is first selected; flushing puts an empty one in its place at once and
 * hands the old one to the reaper, which gives its memory back in slices.
 */
export class Keyspace {
  private readonly databases: (Database | undefined)[];
  private readonly graveyard: Database[] = [];
  /** Keys of flushed databases whose memory has been given back. */
  freedKeys = 0;

  constructor(
    readonly context: KeyspaceContext,
    readonly count: number,
  ) {
    this.databases = new Array(count);
  }

  /** The database of this number, 0 to count - 1. */
  select(id: number): Database {
    return (this.databases[id] ??= new Database(id, this.context));
  }

  /** Those that were ever selected. */
  *all(): Iterable<Database> {
    for (const database of this.databases) if (database !== undefined) yield database;
  }

  swap(a: number, b: number): void {
    const first = this.select(a);
    const second = this.select(b);
    this.databases[a] = second;
    this.databases[b] = first;
    second.id = a;
    first.id = b;
  }

  /** Empties one database; returns how many keys it had. */
  flush(id: number): number {
    const keys = this.empty(id);
    this.context.listener.flushed();
    return keys;
  }

  private empty(id: number): number {
    const database = this.databases[id];
    if (database === undefined || database.size === 0) return 0;
    this.databases[id] = new Database(id, this.context);
    this.graveyard.push(database);
    const { size } = database;
    // What is small is gone at once, so that who looks at the memory used sees what is true.
    for (let i = 0; i < REAPED_AT_ONCE && this.reap(); i++);
    return size;
  }

  /** Takes another keyspace's databases in place of its own, which are given back as flushed ones are. */
  adopt(other: Keyspace): void {
    for (let id = 0; id < this.count; id++) {
      this.empty(id);
      this.databases[id] = other.databases[id];
    }
    this.context.listener.flushed();
  }

  flushAll(): number {
    let keys = 0;
    for (let id = 0; id < this.count; id++) keys += this.empty(id);
    this.context.listener.flushed();
    return keys;
  }

  get size(): number {
    let keys = 0;
    for (const database of this.all()) keys += database.size;
    return keys;
  }

  // Asked for each write while there is a maxmemory: without an iterator, which would be garbage.
  get memoryUse(): number {
    let bytes = 0;
    for (let id = 0; id < this.count; id++) {
      const database = this.databases[id];
      if (database !== undefined) bytes += database.memoryUse;
    }
    return bytes;
  }

  /** Bytes of all big values; walks them. */
  get objectBytes(): number {
    let bytes = 0;
    for (const database of this.all()) bytes += database.records.objects.usedBytes;
    return bytes;
  }

  get dataBytes(): number {
    let bytes = 0;
    for (const database of this.all()) bytes += database.dataBytes;
    return bytes;
  }

  /** Keys of flushed databases whose memory is still held. */
  get pendingKeys(): number {
    let keys = 0;
    for (const database of this.graveyard) keys += database.size;
    return keys;
  }

  /** Bytes that they still hold. */
  get pendingBytes(): number {
    let bytes = 0;
    for (const { records, index, wheel } of this.graveyard)
      bytes += records.arena.heldBytes + records.blocks.usedBytes + index.memoryUse + wheel.memoryUse;
    return bytes;
  }

  /** Bytes of arena pages that no cell uses. */
  get freeRoom(): number {
    let bytes = 0;
    for (const { records } of this.all()) bytes += records.arena.heldBytes - records.arena.usedBytes;
    return bytes;
  }

  /** Gives back some memory of flushed databases; returns whether there is more to do. */
  reap(): boolean {
    const database = this.graveyard[0];
    if (database === undefined || database.holds > 0) return false;
    const { arena, blocks } = database.records;
    if (arena.dismantle(16) && blocks.dismantle(64)) {
      database.records.objects.clear();
      this.freedKeys += database.size;
      this.graveyard.shift();
    }
    return this.graveyard.length > 0 && this.graveyard[0]!.holds === 0;
  }

  /** Removes keys that have fallen due, in all databases, until `outOfTime`; returns whether some are left. */
  expireDue(outOfTime: () => boolean): boolean {
    let more = false;
    for (const database of this.all()) {
      if (database.expireDue(outOfTime)) more = true;
      if (outOfTime()) break;
    }
    return more;
  }

  /**
   * Removes all that is due by now, to the millisecond and whatever time it takes: for a test that has moved the clock.
   * `expireDue` leaves what falls due within the wheel's present tick for later.
   */
  expireNow(): void {
    while (this.expireDue(() => false));
    for (const database of this.all()) {
      const { records, index } = database;
      const due: Uint8Array[] = [];
      for (const hash of new Set(database.wheel.hashes()))
        index.forHash(hash, (position) => {
          if (!records.hasExpiry(position) || !database.isDue(position)) return;
          const start = records.keyStart(position);
          due.push(records.keyBytes(position).slice(start, start + records.keyLength(position)));
        });
      // Being looked for is their end.
      for (const key of due) database.find(key, 0, key.length);
      database.fields.settleAll();
    }
  }

  /** Forgets, about once a second, what idempotent producers of streams have added too long ago. */
  tidyStreams(tick: number): void {
    if (tick % TICKS_A_TIDYING === 0) for (const { newerStreams } of this.all()) newerStreams.tidy();
  }

  /** One step of tidying: an expiry wheel full of stale entries, a sparse page. Returns whether it did any. */
  tidy(outOfTime: () => boolean): boolean {
    for (const database of this.all()) {
      if (database.wheelIsStale) {
        database.compactWheel(outOfTime);
        return true;
      }
      if (database.emptySparsePage()) return true;
    }
    return false;
  }
}
