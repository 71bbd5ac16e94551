import { parseDouble } from "../bytes/double.ts";
import { HashTable } from "../encodings/hash-table.ts";
import { intsetGet, intsetLength } from "../encodings/intset.ts";
import { LpItem, lpAppend, lpCreate, lpFirst, lpGet, lpNext } from "../encodings/listpack.ts";
import { SortedSetIndex } from "../encodings/sorted-set-index.ts";
import { type ByteStore, OwnBytes } from "../memory/byte-store.ts";
import { corrupt, RdbError } from "./format.ts";
import type { ReadContext } from "./read-value.ts";
import { countEntries } from "./validate.ts";

/**
 * Listpacks and intsets that have more entries than this server's limits allow, as objects. An object never holds a
 * member twice, so here that is refused however little is validated.
 */

const item = new LpItem();
const second = new LpItem();

/** Number of entries; throws for a collection without any, which no key can hold. */
export function entriesOf(listpack: ByteStore): number {
  const count = countEntries(listpack);
  if (count === 0) throw new RdbError("Empty collection", "empty");
  return count;
}

/** Bytes of the longest entry. */
export function longestEntry(listpack: ByteStore): number {
  let longest = 0;
  for (let at = lpFirst(listpack); at !== 0; at = lpNext(listpack, at)) {
    lpGet(listpack, at, item).text();
    longest = Math.max(longest, item.end - item.start);
  }
  return longest;
}

export function newTable(hasValues: boolean, expected: number, { seeds }: ReadContext): HashTable {
  return new HashTable(seeds.seed0, seeds.seed1, hasValues, expected);
}

/** A set of an intset's or a listpack's members. */
export function setTableOf(bytes: ByteStore, isIntset: boolean, context: ReadContext): HashTable {
  const count = isIntset ? intsetLength(bytes) >>> 0 : countEntries(bytes);
  const table = newTable(false, count, context);
  let at = isIntset ? 0 : lpFirst(bytes);
  for (let i = 0; i < count; i++) {
    if (isIntset) intsetGet(bytes, i, item).text();
    else {
      lpGet(bytes, at, item).text();
      at = lpNext(bytes, at);
    }
    addTo(table, item.buf, item.start, item.end);
  }
  return table;
}

/** Adds a member to a set being read. */
export function addTo(table: HashTable, buf: Uint8Array, start: number, end: number): void {
  if (!table.add(buf, start, end)) corrupt("Duplicate set members detected");
}

/** A hash of a listpack's fields and values. */
export function hashTableOf(listpack: ByteStore, context: ReadContext): HashTable {
  const table = newTable(true, countEntries(listpack) / 2, context);
  for (let at = lpFirst(listpack); at !== 0; ) {
    const field = lpGet(listpack, at, item).text();
    at = lpNext(listpack, at);
    const value = lpGet(listpack, at, second).text();
    at = lpNext(listpack, at);
    setField(table, field.buf, field.start, field.end, value.buf, value.start, value.end);
  }
  return table;
}

/** Adds a field to a hash being read. */
export function setField(
  table: HashTable,
  field: Uint8Array,
  fieldStart: number,
  fieldEnd: number,
  value: Uint8Array,
  start: number,
  end: number,
): void {
  if (table.find(field, fieldStart, fieldEnd))
    corrupt("Duplicate hash fields detected: hash or listpack with dup elements");
  table.insert(field, fieldStart, fieldEnd, value, start, end);
}

/** A sorted set of a listpack's members and scores. */
export function sortedSetOf(listpack: ByteStore, context: ReadContext): SortedSetIndex {
  const set = newSortedSet(context);
  for (let at = lpFirst(listpack); at !== 0; ) {
    const member = lpGet(listpack, at, item).text();
    at = lpNext(listpack, at);
    lpGet(listpack, at, second);
    at = lpNext(listpack, at);
    const score = second.isInt ? second.number() : parseDouble(second.buf, second.start, second.end);
    insertMember(set, score, member.buf, member.start, member.end);
  }
  return set;
}

export function newSortedSet({ random }: ReadContext): SortedSetIndex {
  return new SortedSetIndex(random(), random());
}

/** Adds a member to a sorted set being read. */
export function insertMember(
  set: SortedSetIndex,
  score: number,
  buf: Uint8Array,
  start: number,
  end: number,
): void {
  if (!Number.isNaN(set.scoreOf(buf, start, end))) corrupt("Duplicate zset fields detected");
  set.insert(score, buf, start, end);
}

/** The table of a hash's listpack of Redis 7.4: a field, a value and the moment at which the field expires in turn. */
export function expiringTableOf(listpack: ByteStore, context: ReadContext): HashTable {
  const table = newTable(true, countEntries(listpack) / 3, context);
  for (let at = lpFirst(listpack); at !== 0; at = lpNext(listpack, at)) {
    const field = lpGet(listpack, at, item).text();
    at = lpNext(listpack, at);
    const value = lpGet(listpack, at, second).text();
    setField(table, field.buf, field.start, field.end, value.buf, value.start, value.end);
    at = lpNext(listpack, at);
    expireField(table, field.buf, field.start, field.end, lpGet(listpack, at, second).number());
  }
  return table;
}

/** Sets the expiry of a field that has just been read; 0: none. */
export function expireField(table: HashTable, buf: Uint8Array, start: number, end: number, at: number): void {
  if (at === 0) return;
  table.find(buf, start, end);
  table.setExpiry(at);
}

/** The same listpack without the moments, where all are 0: no field expires. */
export function withoutTimes(listpack: ByteStore): OwnBytes {
  const target = new OwnBytes();
  target.resize(listpack.end - listpack.start + 16);
  lpCreate(target);
  for (let at = lpFirst(listpack); at !== 0; ) {
    for (let i = 0; i < 2; i++) {
      const { buf, start, end } = lpGet(listpack, at, item).text();
      lpAppend(target, buf, start, end);
      at = lpNext(listpack, at);
    }
    at = lpNext(listpack, at);
  }
  return target;
}
