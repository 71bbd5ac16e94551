import { copyBytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { lpCreate } from "../../encodings/listpack.ts";
import { Quicklist } from "../../encodings/quicklist.ts";
import type { Database } from "../../keyspace/database.ts";
import { ENC_LISTPACK, ENC_OBJECT, TYPE_LIST } from "../../keyspace/record.ts";
import { addObject, objectOf, replaceWithObject, ValueBytes } from "../../keyspace/value-bytes.ts";
import type { ByteStore } from "../../memory/byte-store.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import {
  becomesSmall,
  type ListLimits,
  type ListStore,
  outgrows,
  outgrowsEmpty,
  SmallList,
  toQuicklist,
} from "../../types/list.ts";

/**
 * A list under a key: the handle through which commands work on it. It finds the store of either form, and moves
 * the list from one form to the other where its size asks for it. One handle serves one list at a time.
 */
export class ListValue {
  store!: ListStore;
  private db!: Database;
  /** Of a list that is an object. */
  private record = 0;
  private readonly small = new SmallList();
  private readonly bytes = new ValueBytes();

  constructor(private readonly limits: ListLimits) {}

  /** Where the record is; of a list that exists. */
  get position(): number {
    return this.isBig ? this.record : this.bytes.position;
  }

  /** Whether the list is a quicklist. */
  get isBig(): boolean {
    return this.store !== this.small;
  }

  /** The list under the key in argument i, for reading; false where there is none. */
  read(call: Call, i: number): boolean {
    return this.bind(call.db, call.lookup(i));
  }

  /** As `read`, for writing. */
  write(call: Call, i: number): boolean {
    return this.bind(call.db, call.lookupWrite(i));
  }

  /** Stands for this record from now on (0: for none); throws WRONGTYPE for one of another type. */
  bind(db: Database, position: number): boolean {
    this.db = db;
    if (position === 0) return false;
    const { records } = db;
    if (records.type(position) !== TYPE_LIST) throw new CommandError(errors.wrongType);
    if (records.encoding(position) === ENC_OBJECT) {
      this.record = position;
      this.store = objectOf(db, position) as Quicklist;
    } else this.store = this.small.bind(this.bytes.bind(db, position));
    return true;
  }

  /** Makes an empty list under the key, which does not exist, of the form that so many bytes and elements need. */
  create(buf: Uint8Array, start: number, end: number, bytes: number, count: number): void {
    const { db } = this;
    if (outgrowsEmpty(bytes, count, this.limits)) {
      const list = new Quicklist(this.limits);
      this.record = addObject(db, TYPE_LIST, buf, start, end, list);
      this.store = list;
      return;
    }
    this.bytes.create(db, TYPE_LIST, ENC_LISTPACK, buf, start, end);
    lpCreate(this.bytes);
    this.store = this.small.bind(this.bytes);
  }

  /** Before elements are added to a list that exists: so many, of so many bytes together. */
  grow(bytes: number, count: number): void {
    if (this.isBig || !outgrows(this.bytes, bytes, count, this.limits)) return;
    const list = toQuicklist(this.bytes, this.limits);
    this.record = replaceWithObject(this.db, this.bytes.position, list);
    this.store = list;
  }

  /** After elements were removed: an empty list goes with its key, a small quicklist becomes a listpack. */
  shrink(): void {
    if (this.store.length === 0) this.remove();
    else if (this.isBig) {
      const listpack = becomesSmall(this.store as Quicklist, true, this.limits);
      if (listpack !== null) this.becomeSmall(listpack);
    }
  }

  /** Removes the key. */
  remove(): void {
    this.db.remove(this.position);
  }

  private becomeSmall(listpack: ByteStore): void {
    const { db, bytes, record } = this;
    const fresh = db.recreate(record, ENC_LISTPACK, 0);
    bytes.bind(db, fresh).resize(listpack.end - listpack.start);
    copyBytes(bytes.buf, bytes.start, listpack.buf, listpack.start, listpack.end);
    db.records.free(record);
    this.store = this.small.bind(bytes);
  }

  /** Puts a list that was built by itself under a key that does not exist, in the form that its size asks for. */
  adopt(db: Database, buf: Uint8Array, start: number, end: number, list: Quicklist): void {
    this.db = db;
    this.record = addObject(db, TYPE_LIST, buf, start, end, list);
    this.store = list;
    const listpack = becomesSmall(list, false, this.limits);
    if (listpack !== null) this.becomeSmall(listpack);
  }
}

/** Bytes of the arguments from `first` on. */
export function argumentBytes(call: Call, first: number): number {
  let bytes = 0;
  for (let i = first; i < call.argc; i++) bytes += call.end[i]! - call.start[i]!;
  return bytes;
}
