import { NOTIFY } from "../config/special.ts";
import type { HashTable } from "../encodings/hash-table.ts";
import type { Database } from "./database.ts";
import { ExpiryWheel } from "./expiry-wheel.ts";
import { ENC_OBJECT, TYPE_HASH } from "./record.ts";

/**
 * The expiry of hash fields in one database. A hash with such fields is a hash table, whose entries have their
 * expiry and which knows before when none is due (`soonest`); a wheel of its own tells which hashes to look
 * at, as the wheel of the keys does with keys (expiry-wheel.ts): it is a hint, and each table remembers the
 * tick under which it is known there.
 *
 * Fields are removed lazily, when a command names them or wants random ones, and actively, in slices. What is
 * due but not removed yet is hidden from reading (types/hash.ts). A hash whose last field goes is removed.
 */

/** Finer than that of the keys, which are removed to the millisecond when they are looked up. */
const TICK_MS = 16;
/** Fields removed before the clock is looked at again. */
const SLICE = 200;
/** Fields removed by one command. */
const LAZY = 1000;
/** Entries of the wheel looked at for one that stands. */
const WORTH_LOOKING = 10_000;

export class FieldExpiry {
  private wheel: ExpiryWheel | null = null;
  /** Pairs of hash and tick that the wheel has let go, still to be worked off. */
  private readonly due: number[] = [];
  private readonly removed: Uint8Array[] = [];

  constructor(private readonly db: Database) {}

  /** Whether commands may remove fields that are due, as keys. */
  get mayExpire(): boolean {
    return !this.db.context.keepExpired && !this.db.context.ignoreExpiry;
  }

  /**
   * Whether there are fields with an expiry. Of hashes that are gone the wheel still knows; where there are more of
   * them than are worth looking at, it is assumed that there are.
   */
  get inUse(): boolean {
    const { db, wheel, due } = this;
    if (wheel === null) return false;
    let looks = WORTH_LOOKING;
    let found = false;
    const look = (position: number): void => {
      if ((this.tableAt(position)?.expiring ?? 0) > 0) found = true;
    };
    for (let i = 0; i < due.length && !found && looks > 0; i += 2, looks--) db.index.forHash(due[i]!, look);
    if (found || looks === 0) return true;
    for (const hash of wheel.hashes()) {
      db.index.forHash(hash, look);
      if (found || --looks <= 0) return true;
    }
    return false;
  }

  /** The hash at this position has got a field with an expiry, or has come under another key. */
  note(position: number, moved = false): void {
    const table = this.tableAt(position);
    if (table === null) return;
    if (moved) table.wheelTick = 0;
    if (table.expiring === 0) return;
    this.wheel ??= new ExpiryWheel(this.db.context.clock.now, TICK_MS);
    const tick = this.wheel.tickOf(table.soonest);
    if (table.wheelTick !== 0 && table.wheelTick <= tick) return;
    this.wheel.add(this.db.hashOf(position), tick);
    table.wheelTick = tick;
  }

  /** Removes fields that are due (not all, if there are many); false if the hash is gone with its last one. */
  settle(position: number, table: HashTable): boolean {
    return this.remove(position, table, LAZY);
  }

  /** Removes what is due until `outOfTime`; returns whether some is left. */
  advance(outOfTime: () => boolean): boolean {
    const { wheel, due, db } = this;
    if (wheel === null || !this.mayExpire) return false;
    const more = wheel.advance(db.context.clock.now, this.onDue, outOfTime);
    while (due.length > 0) {
      const tick = due.at(-1)!;
      const hash = due.at(-2)!;
      let done = true;
      db.index.forHash(hash, (position) => {
        const table = this.tableAt(position);
        if (table === null || table.wheelTick !== tick) return;
        if (!this.remove(position, table, SLICE)) return;
        if (table.soonest < db.context.clock.now) done = false;
        else this.note(position, true);
      });
      if (done) due.length -= 2;
      if (outOfTime()) return true;
    }
    return more;
  }

  /** Removes all that is due by now, to the millisecond: looks at every hash whose fields expire. */
  settleAll(): void {
    const { wheel, due, db } = this;
    if (wheel === null || !this.mayExpire) return;
    for (const hash of new Set([...wheel.hashes(), ...due.filter((_, i) => i % 2 === 0)]))
      db.index.forHash(hash, (position) => {
        const table = this.tableAt(position);
        if (table === null || table.expiring === 0 || table.soonest >= db.context.clock.now) return;
        if (this.remove(position, table, Number.POSITIVE_INFINITY)) this.note(position, true);
      });
  }

  private readonly onDue = (hash: number, tick: number): void => {
    this.due.push(hash, tick);
  };

  private remove(position: number, table: HashTable, most: number): boolean {
    const { db, removed } = this;
    removed.length = 0;
    table.removeDue(db.context.clock.now, most, removed);
    if (removed.length > 0) this.tell(position, removed);
    if (table.count > 0) return true;
    db.eventAt(NOTIFY.generic, "del", position);
    db.remove(position);
    return false;
  }

  /** Tells the listener of fields of this hash that have expired. */
  tell(position: number, fields: readonly Uint8Array[]): void {
    const { records, context } = this.db;
    const start = records.keyStart(position);
    const key = records.keyBytes(position);
    context.listener.fieldsExpired(this.db, key, start, start + records.keyLength(position), fields);
  }

  private tableAt(position: number): HashTable | null {
    const { records } = this.db;
    if (records.type(position) !== TYPE_HASH || records.encoding(position) !== ENC_OBJECT) return null;
    return records.objects.get(records.payloadLow(position)) as HashTable;
  }

  get memoryUse(): number {
    return this.wheel?.memoryUse ?? 0;
  }
}
