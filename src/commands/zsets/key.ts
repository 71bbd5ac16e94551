import type { Blocking } from "../../blocking/blocking.ts";
import { copyBytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import type { SortedSet } from "../../encodings/sorted-set.ts";
import type { SortedSetIndex } from "../../encodings/sorted-set-index.ts";
import { ListpackSortedSet } from "../../encodings/sorted-set-listpack.ts";
import type { Database } from "../../keyspace/database.ts";
import { ENC_LISTPACK, ENC_OBJECT, TYPE_ZSET } from "../../keyspace/record.ts";
import { addObject, objectOf, replaceWithObject, ValueBytes } from "../../keyspace/value-bytes.ts";
import { OwnBytes } from "../../memory/byte-store.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { Zset, type ZsetLimits } from "../../types/zset.ts";

/** Sorted sets in the key space: found for reading, opened for a change, stored. */

export interface ZsetDeps {
  readonly config: { readonly values: ZsetLimits };
  readonly random: { readonly int32: () => number; below(bound: number): number };
  readonly blocking: Blocking;
}

const shared = { bytes: new ValueBytes(), listpack: new ListpackSortedSet() };

/** The record under argument i, for reading, or 0; throws WRONGTYPE. */
function positionAt(call: Call, i: number): number {
  const position = call.lookup(i);
  if (position !== 0 && call.db.records.type(position) !== TYPE_ZSET)
    throw new CommandError(errors.wrongType);
  return position;
}

/** The sorted set under argument i for reading, or null; throws WRONGTYPE. One at a time. */
export function zsetAt(call: Call, i: number): SortedSet | null {
  const position = positionAt(call, i);
  if (position === 0) return null;
  const { db } = call;
  if (db.records.encoding(position) === ENC_OBJECT) return objectOf(db, position) as SortedSetIndex;
  return shared.listpack.bind(shared.bytes.bind(db, position));
}

/** As `zsetAt`, as an index where it is one; else null, with a listpack under the key. */
export function indexOf(set: SortedSet): SortedSetIndex | null {
  return set === shared.listpack ? null : (set as SortedSetIndex);
}

/** The sorted set of a record, one of several in use. */
export function zsetOf(db: Database, position: number): SortedSet {
  if (db.records.encoding(position) === ENC_OBJECT) return objectOf(db, position) as SortedSetIndex;
  return new ListpackSortedSet().bind(new ValueBytes().bind(db, position));
}

/**
 * A sorted set opened for a change. `open` or `create`, change `zset`, then `commit`, which puts an index in
 * place of the listpack or removes the key, as the change has made it necessary. One at a time.
 */
export class ZsetKey {
  readonly zset: Zset;
  private readonly bytes = new ValueBytes();
  private readonly result = new OwnBytes();
  private db!: Database;
  private position = 0;
  /** The record holds an index, and stays where it is. */
  private big = false;

  constructor(deps: Omit<ZsetDeps, "blocking">) {
    this.zset = new Zset(deps.config.values, deps.random.int32);
  }

  /** Opens what is under argument i; false if there is nothing. Throws WRONGTYPE. */
  open(call: Call, i: number): boolean {
    const { db } = call;
    const position = call.lookupWrite(i);
    if (position === 0) return false;
    if (db.records.type(position) !== TYPE_ZSET) throw new CommandError(errors.wrongType);
    this.db = db;
    this.position = position;
    this.big = db.records.encoding(position) === ENC_OBJECT;
    if (this.big) this.zset.bindIndex(objectOf(db, position) as SortedSetIndex);
    else this.zset.bindListpack(this.bytes.bind(db, position));
    return true;
  }

  /** Makes a set under argument i, where there is none, for so many members, the first one so long. */
  create(call: Call, i: number, members: number, length: number): void {
    const { db, buf, start, end } = call;
    const { zset } = this;
    this.db = db;
    this.big = zset.startsAsIndex(members, length);
    if (this.big) {
      const index = zset.newIndex();
      this.position = addObject(db, TYPE_ZSET, buf, start[i]!, end[i]!, index);
      zset.bindIndex(index);
    } else zset.create(this.bytes.create(db, TYPE_ZSET, ENC_LISTPACK, buf, start[i]!, end[i]!));
  }

  commit(): void {
    const { zset } = this;
    if (zset.size === 0) this.drop();
    else if (zset.converted !== null) replaceWithObject(this.db, this.bytes.position, zset.converted);
  }

  /** Removes the key with all that is in the set. */
  drop(): void {
    this.db.remove(this.big ? this.position : this.bytes.position);
  }

  /** Makes `zset` an empty set outside of the key space, for so many members. */
  createResult(members: number): void {
    const { zset } = this;
    if (zset.startsAsIndex(members, 0)) zset.bindIndex(zset.newIndex());
    else zset.create(this.result);
  }

  /** Puts the set made by `createResult` under argument i; see `store`. */
  storeResult(call: Call, i: number, event: string): boolean {
    const { db, buf, start, end } = call;
    const { result, zset } = this;
    const replaced = removeKey(call, i, zset.size > 0);
    if (zset.size === 0) return replaced;
    if (zset.index !== null) addObject(db, TYPE_ZSET, buf, start[i]!, end[i]!, zset.index);
    else {
      this.bytes.create(db, TYPE_ZSET, ENC_LISTPACK, buf, start[i]!, end[i]!);
      this.bytes.resize(result.end - result.start);
      copyBytes(this.bytes.buf, this.bytes.start, result.buf, result.start, result.end);
    }
    call.event(NOTIFY.zset, event, i);
    return true;
  }

  /**
   * Puts what a command has computed under argument i, in place of what is there; nothing remains there if the
   * result is empty. Returns whether something has changed; `event` is what is told of it.
   */
  store(call: Call, i: number, result: SortedSetIndex, event: string): boolean {
    const { db, buf, start, end } = call;
    const replaced = removeKey(call, i, result.size > 0);
    if (result.size === 0) return replaced;
    if (this.zset.fitsListpack(result)) {
      this.bytes.create(db, TYPE_ZSET, ENC_LISTPACK, buf, start[i]!, end[i]!);
      this.zset.copyToListpack(result, this.bytes);
    } else addObject(db, TYPE_ZSET, buf, start[i]!, end[i]!, result);
    call.event(NOTIFY.zset, event, i);
    return true;
  }
}

/** Removes the key in argument i, to be replaced or not; false if there is none. */
function removeKey(call: Call, i: number, replaced: boolean): boolean {
  const position = call.db.find(call.buf, call.start[i]!, call.end[i]!);
  if (position === 0) return false;
  if (replaced) call.db.removeReplaced(position);
  else {
    call.db.remove(position);
    call.event(NOTIFY.generic, "del", i);
  }
  return true;
}
