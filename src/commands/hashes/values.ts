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

  /** Stands for the hash of this record from now on. */
  open(db: Database, position: number): this {
    this.bind(this.record.bind(db, position), db.context);
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

  write(call: Call): StoredHash | null {
    return this.open(call, call.lookupWrite(1));
  }

  private open(call: Call, position: number): StoredHash | null {
    if (position === 0) return null;
    if (call.db.records.type(position) !== TYPE_HASH) throw new CommandError(errors.wrongType);
    return this.opened.open(call.db, position);
  }

  /** As `write`, but a key that does not exist gets an empty hash, to be stored with `finish`. */
  writeOrCreate(call: Call): HashValue {
    const stored = this.write(call);
    this.isNew = stored === null;
    if (stored !== null) return stored;
    const hash = this.created.bind(this.own.clear(), call.db.context);
    hash.create();
    return hash;
  }

  /** Puts a hash that `writeOrCreate` has made under its key. */
  finish(call: Call): void {
    if (!this.isNew) return;
    addValue(call.db, TYPE_HASH, call.buf, call.start[1]!, call.end[1]!, this.own);
    this.isNew = false;
  }
}
