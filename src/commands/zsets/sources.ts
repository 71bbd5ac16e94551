import type { Call } from "../../call/call.ts";
import { LpItem } from "../../encodings/listpack.ts";
import { TYPE_SET, TYPE_ZSET } from "../../keyspace/record.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { SetLimits, SetStore } from "../../types/set.ts";
import { EMPTY_SOURCE, SortedSetSource, type Source } from "../../types/zset-combine.ts";
import { StoredSet } from "../sets/values.ts";
import { zsetOf } from "./key.ts";

/** The sorted set or set under argument i as an input of ZUNION and its kin; throws WRONGTYPE. */
export function sourceAt(call: Call, i: number): Source {
  const { db } = call;
  const position = call.lookup(i);
  if (position === 0) return EMPTY_SOURCE;
  const type = db.records.type(position);
  if (type === TYPE_ZSET) return new SortedSetSource(position, zsetOf(db, position));
  if (type !== TYPE_SET) throw new CommandError(errors.wrongType);
  return new SetSource(position, new StoredSet(READ_ONLY).open(db, position));
}

/** Limits matter only to a set that grows. */
const READ_ONLY: SetLimits = {
  setMaxIntsetEntries: 0,
  setMaxListpackEntries: 0,
  setMaxListpackValue: 0,
};

/** A set: each member has score 1. */
class SetSource implements Source {
  readonly score = 1;
  private readonly item = new LpItem();

  constructor(
    readonly key: number,
    private readonly set: SetStore,
  ) {}

  get size(): number {
    return this.set.size;
  }

  get buf(): Uint8Array {
    return this.item.buf;
  }

  get start(): number {
    return this.item.start;
  }

  get end(): number {
    return this.item.end;
  }

  rewind(): void {
    this.set.rewind();
  }

  next(): boolean {
    if (!this.set.next(this.item)) return false;
    this.item.text();
    return true;
  }

  scoreOf(buf: Uint8Array, start: number, end: number): number {
    return this.set.has(buf, start, end) ? 1 : Number.NaN;
  }
}
