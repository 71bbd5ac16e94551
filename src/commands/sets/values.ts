import type { Call } from "../../call/call.ts";
import type { LpItem } from "../../encodings/listpack.ts";
import type { Database } from "../../keyspace/database.ts";
import { TYPE_SET } from "../../keyspace/record.ts";
import { RecordHome } from "../../keyspace/value-home.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/reply-writer.ts";
import { OwnHome } from "../../types/home.ts";
import { type SetLimits, SetValue } from "../../types/set.ts";

/** A set of the key space: the operations of its type on a record. */
export class StoredSet extends SetValue {
  readonly record = new RecordHome();

  /** Stands for the set of this record from now on. */
  open(db: Database, position: number): this {
    this.bind(this.record.bind(db, position), db.context);
    return this;
  }

  /** Where the record is now; writing may have moved it. */
  get position(): number {
    return this.record.position;
  }
}

export interface SetSettings extends SetLimits {
  /** A set that SPOP takes as a whole is propagated as UNLINK. */
  readonly lazyfreeLazyServerDel: boolean;
}

/** What the set commands share: sets to be opened, used again for each command. */
export class Sets {
  readonly own = new OwnHome();
  /** A set outside of the key space: a new key's, or a result. */
  readonly result: SetValue;
  private readonly opened: StoredSet[] = [];

  constructor(readonly limits: SetSettings) {
    this.result = new SetValue(limits);
  }

  /** The set under argument i for reading, or null; throws WRONGTYPE. `slot`: which of the sets opened. */
  read(call: Call, i: number, slot = 0): StoredSet | null {
    return this.open(call, call.lookup(i), slot);
  }

  write(call: Call, i: number, slot = 0): StoredSet | null {
    return this.open(call, call.lookupWrite(i), slot);
  }

  private open(call: Call, position: number, slot: number): StoredSet | null {
    if (position === 0) return null;
    if (call.db.records.type(position) !== TYPE_SET) throw new CommandError(errors.wrongType);
    return this.take(slot).open(call.db, position);
  }

  private take(slot: number): StoredSet {
    return (this.opened[slot] ??= new StoredSet(this.limits));
  }

  /** The set outside of the key space, with nothing in it, not even a form. */
  fresh(call: Call): SetValue {
    return this.result.bind(this.own.clear(), call.db.context);
  }
}

/** Replies with a member as a bulk string. */
export function replyItem(reply: ReplyWriter, item: LpItem): void {
  if (item.isInt) reply.bulkInt64(item.low, item.high);
  else reply.bulk(item.buf, item.start, item.end);
}
