import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import type { Database } from "../../keyspace/database.ts";
import { TYPE_HASH } from "../../keyspace/record.ts";
import { addValue, RecordHome } from "../../keyspace/value-home.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { type HashLimits, HashValue } from "../../types/hash.ts";
import { OwnHome } from "../../types/home.ts";

/** A hash of the key space: the operations of its type on a record. */
export class StoredHash extends HashValue {
  readonly record = new RecordHome();

  /** Stands for the hash of this record from now on; fields that have expired are hidden. */
  open(db: Database, position: number): this {
    this.bind(this.record.bind(db, position), db.context);
    if (this.isTable && this.table.expiring > 0 && !db.context.ignoreExpiry)
      this.hideExpired(db.context.clock.now);
    return this;
  }

  /** Where the record is now; writing may have moved it. */
  get position(): number {
    return this.record.position;
  }
}

/** What the hash commands share: hashes to be opened, used again for each command. */
export class Hashes {
  private readonly own = new OwnHome();
  /** The hash of a key that does not exist yet. */
  private readonly created: HashValue;
  private readonly opened: StoredHash;
  private isNew = false;

  constructor(readonly limits: HashLimits) {
    this.created = new HashValue(limits);
    this.opened = new StoredHash(limits);
  }

  /**
   * The hash under argument 1 for reading, or null; throws WRONGTYPE. Fields that have expired are hidden;
   * those named by the arguments from `first` on, if given, are removed.
   */
  read(call: Call, first = 0): StoredHash | null {
    const hash = this.open(call, call.lookup(1));
    if (first === 0 || hash === null || !hash.hidesFields || !call.db.fields.mayExpire) return hash;
    this.settle(call, hash, first, call.argc);
    if (hash.size > 0) return hash;
    this.drop(call, hash.position);
    return null;
  }

  /** As `read`, for a command that goes on to change the hash and ends with `dropIfEmpty` or `finishExpiry`. */
  write(call: Call): StoredHash | null {
    return this.open(call, call.lookupWrite(1));
  }

  private open(call: Call, position: number): StoredHash | null {
    if (position === 0) return null;
    if (call.db.records.type(position) !== TYPE_HASH) throw new CommandError(errors.wrongType);
    return this.opened.open(call.db, position);
  }

  /**
   * For a writing command: removes fields in the arguments [first, end) that have expired; afterwards the hash
   * may be empty. Where nothing may expire by itself (a replica), they are there for it.
   */
  settle(call: Call, hash: StoredHash, first: number, end = call.argc, step = 1): void {
    if (!hash.hidesFields) return;
    const { db, buf } = call;
    if (!db.fields.mayExpire) return hash.hideExpired(0);
    const removed: Uint8Array[] = [];
    for (let i = first; i < end; i += step)
      if (hash.removeHidden(buf, call.start[i]!, call.end[i]!)) removed.push(call.bytes(i));
    if (removed.length > 0) db.fields.tell(hash.position, removed);
  }

  /** Removes fields that have expired (not all, if there are many); null if the hash is gone with its last one. */
  settleAny(call: Call, hash: StoredHash): StoredHash | null {
    const { db } = call;
    const { position } = hash;
    if (!hash.hidesFields || !db.fields.mayExpire) return hash;
    return db.fields.settle(position, hash.table) ? hash.open(db, position) : null;
  }

  /**
   * As `write`, but a key that does not exist gets an empty hash, to be stored with `finish`. The field in
   * argument `field`, if given, is removed where it has expired.
   */
  writeOrCreate(call: Call, field = 0): HashValue {
    const stored = this.write(call);
    this.isNew = stored === null;
    if (stored !== null) {
      if (field > 0) this.settle(call, stored, field, field + 1);
      return stored;
    }
    const hash = this.created.bind(this.own.clear(), call.db.context);
    hash.create();
    return hash;
  }

  /** As `settle`, for what `writeOrCreate` has returned. */
  settleStored(call: Call, first: number, end: number, step: number): void {
    if (!this.isNew) this.settle(call, this.opened, first, end, step);
  }

  /** Removes the key of a hash in which nothing is left. */
  dropIfEmpty(call: Call, hash: StoredHash): void {
    if (hash.size === 0) this.drop(call, hash.position);
  }

  /** Removes the key in argument 1. */
  private drop(call: Call, position: number): void {
    call.db.remove(position);
    call.event(NOTIFY.generic, "del", 1);
  }

  /** After fields of a stored hash were given an expiry or removed by one. */
  finishExpiry(call: Call, hash: StoredHash): void {
    if (hash.size === 0) this.drop(call, hash.position);
    else call.db.fields.note(hash.position);
  }

  /**
   * Ends what `writeOrCreate` began: puts a new hash under its key, removes one that is empty. Returns where
   * the record is, or 0.
   */
  finish(call: Call): number {
    const { db, buf, start, end } = call;
    const hash = this.isNew ? this.created : this.opened;
    if (hash.size > 0) {
      if (!this.isNew) return this.opened.position;
      this.isNew = false;
      return addValue(db, TYPE_HASH, buf, start[1]!, end[1]!, this.own);
    }
    if (!this.isNew) this.drop(call, this.opened.position);
    return 0;
  }
}
