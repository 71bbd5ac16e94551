import type { Call } from "../../call/call.ts";
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
    if (this.isTable && this.table.expiring > 0) this.hideExpired(db.context.clock.now);
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

  /** The hash under argument 1 for reading, or null; throws WRONGTYPE. */
  read(call: Call): StoredHash | null {
    return this.open(call, call.lookup(1));
  }

  /** As `read`, for a command that goes on to change fields: `settle` is to follow. */
  write(call: Call): StoredHash | null {
    return this.open(call, call.lookupWrite(1));
  }

  private open(call: Call, position: number): StoredHash | null {
    if (position === 0) return null;
    const { db } = call;
    if (db.records.type(position) !== TYPE_HASH) throw new CommandError(errors.wrongType);
    const hash = this.opened.open(db, position);
    if (!hash.hidesFields || !db.fields.isDue(hash.table)) return hash;
    return db.fields.settle(position, hash.table) ? hash.open(db, position) : null;
  }

  /**
   * Removes those fields in the arguments `first`, `first + step`, ... that have expired; afterwards the hash
   * may be empty. Where nothing may expire by itself (a replica), what a command names is there.
   */
  settle(call: Call, hash: StoredHash, first: number, step = 1): void {
    if (!hash.hidesFields) return;
    const { db, buf, start, end, argc } = call;
    if (db.context.keepExpired) return hash.hideExpired(0);
    for (let i = first; i < argc; i += step)
      if (hash.removeHidden(buf, start[i]!, end[i]!)) db.fields.tell(hash.position, [call.bytes(i)]);
  }

  /** As `write` and `settle`, but a key that does not exist gets an empty hash, to be stored with `finish`. */
  writeOrCreate(call: Call, first: number, step: number): HashValue {
    const stored = this.write(call);
    this.isNew = stored === null;
    if (stored !== null) {
      this.settle(call, stored, first, step);
      return stored;
    }
    const hash = this.created.bind(this.own.clear(), call.db.context);
    hash.create();
    return hash;
  }

  /** Removes the key of a hash in which nothing is left. */
  dropIfEmpty(call: Call, hash: StoredHash): void {
    if (hash.size === 0) call.db.remove(hash.position);
  }

  /** After fields of a stored hash were given an expiry or removed by one. */
  finishExpiry(call: Call, hash: StoredHash): void {
    if (hash.size === 0) call.db.remove(hash.position);
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
    if (!this.isNew) db.remove(this.opened.position);
    return 0;
  }
}
