import { parseDouble } from "../bytes/double.ts";
import { halfSipHash } from "../bytes/siphash.ts";
import { LpItem, lpFirst, lpGet, lpNext, lpValidate } from "../encodings/listpack.ts";
import type { ByteStore } from "../memory/byte-store.ts";
import { FIELD_EXPIRY_MAX } from "./format.ts";

/**
 * Whether listpacks from outside hold what their type asks for. Their form is checked always: bytes that lie in the
 * arena among others must not lead anywhere else. "Deep" adds what sanitize-dump-payload is about: no member or
 * field twice, and sorted sets in order.
 */

/** A range of a buffer that is only read. */
export class ReadOnlyBytes implements ByteStore {
  buf: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;

  of(buf: Uint8Array, start: number, end: number): this {
    this.buf = buf;
    this.start = start;
    this.end = end;
    return this;
  }

  resize(): never {
    throw new Error("these bytes are only read");
  }
}

const COUNT_UNKNOWN = 65535;
const item = new LpItem();
const other = new LpItem();

/** Number of a sound listpack's entries; unlike lpLength it leaves the header as it is. */
export function countEntries(store: ByteStore): number {
  const { buf, start } = store;
  let count = buf[start + 4]! | (buf[start + 5]! << 8);
  if (count !== COUNT_UNKNOWN) return count;
  count = 0;
  for (let at = lpFirst(store); at !== 0; at = lpNext(store, at)) count++;
  return count;
}

export function isListpack(store: ByteStore): boolean {
  return lpValidate(store);
}

/** A set's listpack. */
export function isSetListpack(store: ByteStore, deep: boolean): boolean {
  return lpValidate(store) && !(deep && hasDuplicates(store, 1));
}

/** A hash's listpack: fields and values in turn. */
export function isHashListpack(store: ByteStore, deep: boolean): boolean {
  return lpValidate(store) && countEntries(store) % 2 === 0 && !(deep && hasDuplicates(store, 2));
}

/**
 * A hash's listpack of Redis 7.4: fields, values and the moments at which fields expire (0: never) in turn. Whether
 * any does is noted in `fieldsExpire`.
 */
export function isExpiringHashListpack(store: ByteStore, deep: boolean): boolean {
  fieldsExpire = false;
  if (!lpValidate(store) || countEntries(store) % 3 !== 0) return false;
  for (let at = lpFirst(store); at !== 0; at = lpNext(store, at)) {
    at = lpNext(store, lpNext(store, at));
    if (!lpGet(store, at, item).isInt) return false;
    const moment = item.number();
    if (moment < 0 || moment > FIELD_EXPIRY_MAX) return false;
    if (moment > 0) fieldsExpire = true;
  }
  return !(deep && hasDuplicates(store, 3));
}

export let fieldsExpire = false;

/** A sorted set's listpack: members and scores in turn. */
export function isZsetListpack(store: ByteStore, deep: boolean): boolean {
  if (!lpValidate(store) || countEntries(store) % 2 !== 0) return false;
  let before = 0;
  let score = Number.NEGATIVE_INFINITY;
  for (let at = lpFirst(store); at !== 0; ) {
    const scoreAt = lpNext(store, at);
    lpGet(store, scoreAt, item);
    const next = item.isInt ? item.number() : parseDouble(item.buf, item.start, item.end);
    if (Number.isNaN(next)) return false;
    if (deep && (next < score || (next === score && before !== 0 && compareEntries(store, before, at) >= 0)))
      return false;
    score = next;
    before = at;
    at = lpNext(store, scoreAt);
  }
  return !(deep && hasDuplicates(store, 2));
}

function compareEntries(store: ByteStore, a: number, b: number): number {
  const left = lpGet(store, a, item).text();
  const right = lpGet(store, b, other).text();
  const n = Math.min(left.end - left.start, right.end - right.start);
  for (let i = 0; i < n; i++) {
    const difference = left.buf[left.start + i]! - right.buf[right.start + i]!;
    if (difference !== 0) return difference;
  }
  return left.end - left.start - (right.end - right.start);
}

/** Places of entries by hash, for finding equal ones. */
let slots = new Int32Array(1024);
const seed0 = (Math.random() * 2 ** 32) | 0;
const seed1 = (Math.random() * 2 ** 32) | 0;
const KEPT_SLOTS = 65536;

/** Whether two of a sound listpack's entries are equal, looking at every `every`-th one. */
export function hasDuplicates(store: ByteStore, every: 1 | 2 | 3): boolean {
  const count = countEntries(store) / every;
  let size = 16;
  while (size < count * 2) size *= 2;
  if (size > slots.length) slots = new Int32Array(size);
  else slots.fill(0, 0, size);
  const found = findEqual(store, every, size - 1);
  if (slots.length > KEPT_SLOTS) slots = new Int32Array(1024);
  return found;
}

function findEqual(store: ByteStore, every: 1 | 2 | 3, mask: number): boolean {
  for (let at = lpFirst(store); at !== 0; at = lpNext(store, at)) {
    const { buf, start, end } = lpGet(store, at, item).text();
    let slot = halfSipHash(seed0, seed1, buf, start, end) & mask;
    for (; slots[slot] !== 0; slot = (slot + 1) & mask)
      if (lpGet(store, slots[slot]!, other).equals(buf, start, end)) return true;
    slots[slot] = at;
    for (let i = 1; i < every; i++) at = lpNext(store, at);
  }
  return false;
}
