import { LpItem } from "../../encodings/listpack.ts";
import { ListCursor } from "../../encodings/quicklist-cursor.ts";
import type { Database } from "../../keyspace/database.ts";
import { TYPE_HASH, TYPE_LIST, TYPE_SET, TYPE_ZSET } from "../../keyspace/record.ts";
import type { HashLimits } from "../../types/hash.ts";
import type { ListLimits } from "../../types/list.ts";
import type { SetLimits } from "../../types/set.ts";
import { StoredHash } from "../hashes/values.ts";
import { ListValue } from "../lists/values.ts";
import { StoredSet } from "../sets/values.ts";
import { zsetOf } from "../zsets/key.ts";
import type { Elements } from "./elements.ts";

/** What can be sorted, by type: how many elements a value has, and these elements in the value's own order. */
export interface SortSource {
  length(db: Database, position: number): number;
  /** Adds `count` elements (there are so many) from `index` on; backwards: from that place on to the front. */
  load(
    db: Database,
    position: number,
    index: number,
    count: number,
    backwards: boolean,
    into: Elements,
  ): void;
}

/** A value found for an element. */
export interface Found {
  buf: Uint8Array;
  start: number;
  end: number;
}

/** Looks up fields of hashes. */
export interface FieldSource {
  /** Points `found` at the field's value; false if there is none, or the record is no hash. */
  find(db: Database, position: number, field: Uint8Array, found: Found): boolean;
}

export type SortSources = ReadonlyMap<number, SortSource>;

export function sortSources(limits: ListLimits, setLimits: SetLimits): SortSources {
  return new Map([
    [TYPE_LIST, listSource(limits)],
    [TYPE_SET, setSource(setLimits)],
    [TYPE_ZSET, zsetSource()],
  ]);
}

function listSource(limits: ListLimits): SortSource {
  const list = new ListValue(limits);
  const cursor = new ListCursor();
  const item = new LpItem();
  return {
    length(db, position) {
      list.bind(db, position);
      return list.store.length;
    },
    load(db, position, index, count, backwards, into) {
      list.bind(db, position);
      list.store.seek(cursor, index, backwards);
      for (let i = 0; i < count; i++, cursor.advance()) {
        cursor.get(item).text();
        into.add(item.buf, item.start, item.end);
      }
    },
  };
}

/** A set has no order of its own: all of it, as it comes. */
function setSource(limits: SetLimits): SortSource {
  const set = new StoredSet(limits);
  const item = new LpItem();
  return {
    length: (db, position) => set.open(db, position).size,
    load(db, position, _index, _count, _backwards, into) {
      set.open(db, position).rewind();
      while (set.next(item)) {
        item.text();
        into.add(item.buf, item.start, item.end);
      }
    },
  };
}

function zsetSource(): SortSource {
  return {
    length: (db, position) => zsetOf(db, position).size,
    load(db, position, index, count, backwards, into) {
      const set = zsetOf(db, position);
      for (let i = 0; i < count; i++) {
        if (i === 0) set.seek(index);
        else if (backwards) set.back();
        else set.forward();
        into.add(set.buf, set.start, set.end);
      }
    },
  };
}

export function hashFields(limits: HashLimits): FieldSource {
  const hash = new StoredHash(limits);
  const value = new LpItem();
  return {
    find(db, position, field, found) {
      if (db.records.type(position) !== TYPE_HASH) return false;
      if (!hash.open(db, position).get(field, 0, field.length, value)) return false;
      value.text();
      found.buf = value.buf;
      found.start = value.start;
      found.end = value.end;
      return true;
    },
  };
}
