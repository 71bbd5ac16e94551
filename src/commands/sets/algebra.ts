import { latin1Bytes } from "../../bytes/ascii.ts";
import { parseInt64Rounded } from "../../bytes/int64.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { parseMember } from "../../encodings/intset.ts";
import { LpItem } from "../../encodings/listpack.ts";
import { TYPE_SET } from "../../keyspace/record.ts";
import { addValue } from "../../keyspace/value-home.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { FORM_INTSET, FORM_LISTPACK } from "../../types/home.ts";
import type { SetValue } from "../../types/set.ts";
import { replyItem, type Sets, type StoredSet } from "./values.ts";

/**
 * Intersection, union and difference, replied or stored.
 *
 *   intersection   goes through the smallest set and asks the others: O(N * M)
 *   union          adds everything to one set: O(N)
 *   difference     goes through the first set and asks the others, largest first; or adds the first set to a
 *                  new one and removes all others' members, where that is less work
 *
 * A result that is stored gets its encoding by the same steps as in Redis, so OBJECT ENCODING agrees.
 */

const LIMIT = latin1Bytes("limit");
const item = new LpItem();

/** The sets under `count` arguments from `first` on; null where there is none. Throws WRONGTYPE. */
function open(call: Call, sets: Sets, first: number, count: number): (StoredSet | null)[] {
  const opened: (StoredSet | null)[] = [];
  for (let i = 0; i < count; i++) opened.push(sets.read(call, first + i, i));
  return opened;
}

function sizeOf(set: StoredSet | null): number {
  return set === null ? 0 : set.size;
}

/** Whether all sets from the second on have the member. */
function inAllOthers(opened: readonly StoredSet[], member: LpItem): boolean {
  for (let j = 1; j < opened.length; j++) if (!opened[j]!.hasItem(member)) return false;
  return true;
}

function inAnyOther(opened: readonly (StoredSet | null)[], member: LpItem): boolean {
  for (let j = 1; j < opened.length; j++) if (opened[j]?.hasItem(member)) return true;
  return false;
}

/** The sets to be intersected, smallest first; null: one of them is empty, and so is the result. */
function openForIntersection(call: Call, sets: Sets, first: number, count: number): StoredSet[] | null {
  const opened = open(call, sets, first, count);
  const present = opened.filter((set) => set !== null);
  return present.length < opened.length ? null : present.sort((a, b) => a.size - b.size);
}

export function sinter(call: Call, sets: Sets): void {
  const { reply } = call;
  const opened = openForIntersection(call, sets, 1, call.argc - 1);
  if (opened === null) return reply.set(0);
  const smallest = opened[0]!;
  const mark = reply.deferred();
  let count = 0;
  for (smallest.rewind(); smallest.next(item); ) {
    if (!inAllOthers(opened, item)) continue;
    replyItem(reply, item);
    count++;
  }
  reply.endDeferred(mark, "set", count);
}

export function sintercard(call: Call, sets: Sets): void {
  const keys = countArgument(call, 1, 1, "ERR numkeys should be greater than 0");
  if (keys > call.argc - 2) throw new CommandError("ERR Number of keys can't be greater than number of args");
  let limit = 0;
  for (let i = 2 + keys; i < call.argc; i++) {
    if (!call.is(i, LIMIT) || i + 1 >= call.argc) throw new CommandError(errors.syntax);
    limit = countArgument(call, ++i, 0, "ERR LIMIT can't be negative");
  }
  const opened = openForIntersection(call, sets, 2, keys);
  let count = 0;
  if (opened !== null) {
    const smallest = opened[0]!;
    for (smallest.rewind(); (limit === 0 || count < limit) && smallest.next(item); )
      if (inAllOthers(opened, item)) count++;
  }
  call.reply.int(count);
}

function countArgument(call: Call, i: number, least: number, message: string): number {
  const value = parseInt64Rounded(call.buf, call.start[i]!, call.end[i]!);
  if (!(value >= least)) throw new CommandError(message);
  return value;
}

export function sinterstore(call: Call, sets: Sets): void {
  const opened = openForIntersection(call, sets, 2, call.argc - 2);
  const result = sets.fresh(call);
  if (opened === null) result.createEmpty(FORM_INTSET);
  else intersect(opened, result);
  store(call, sets, result, "sinterstore");
}

function intersect(opened: readonly StoredSet[], result: SetValue): void {
  const smallest = opened[0]!;
  result.createEmpty(smallest.home.form === FORM_INTSET ? FORM_INTSET : FORM_LISTPACK);
  let onlyIntegers = true;
  for (smallest.rewind(); smallest.next(item); ) {
    if (!inAllOthers(opened, item)) continue;
    if (onlyIntegers && !item.isInt)
      onlyIntegers = smallest.isTable && parseMember(item.buf, item.start, item.end);
    result.addItem(item);
  }
  if (onlyIntegers && result.size > 0) result.toIntset();
}

export function sunion(call: Call, sets: Sets): void {
  replySet(call, unite(call, sets, 1, call.argc - 1));
}

export function sunionstore(call: Call, sets: Sets): void {
  store(call, sets, unite(call, sets, 2, call.argc - 2), "sunionstore");
}

function unite(call: Call, sets: Sets, first: number, count: number): SetValue {
  const opened = open(call, sets, first, count);
  const result = sets.fresh(call);
  result.createEmpty(FORM_INTSET);
  for (const set of opened) {
    if (set === null) continue;
    for (set.rewind(); set.next(item); ) result.addItem(item);
  }
  return result;
}

export function sdiff(call: Call, sets: Sets): void {
  replySet(call, subtract(call, sets, 1, call.argc - 1));
}

export function sdiffstore(call: Call, sets: Sets): void {
  store(call, sets, subtract(call, sets, 2, call.argc - 2), "sdiffstore");
}

function subtract(call: Call, sets: Sets, first: number, count: number): SetValue {
  const opened = open(call, sets, first, count);
  const result = sets.fresh(call);
  result.createEmpty(FORM_INTSET);
  const minuend = opened[0] ?? null;
  if (minuend === null) return result;
  const others = opened.slice(1);
  if (others.some((set) => set?.position === minuend.position)) return result;
  const present = others.filter((set) => set !== null);
  const asking = (minuend.size * (present.length + 1)) / 2;
  const removing = present.reduce((sum, set) => sum + set.size, minuend.size);
  if (Math.floor(asking) <= removing) {
    others.sort((a, b) => sizeOf(b) - sizeOf(a));
    const ordered = [minuend, ...others];
    for (minuend.rewind(); minuend.next(item); ) if (!inAnyOther(ordered, item)) result.addItem(item);
    return result;
  }
  for (minuend.rewind(); minuend.next(item); ) result.addItem(item);
  for (const set of present) {
    for (set.rewind(); result.size > 0 && set.next(item); ) result.removeItem(item);
  }
  return result;
}

function replySet(call: Call, set: SetValue): void {
  call.reply.set(set.size);
  for (set.rewind(); set.next(item); ) replyItem(call.reply, item);
}

/** Puts the result under the key in argument 1, whatever that held; an empty one deletes it. */
function store(call: Call, sets: Sets, result: SetValue, event: string): void {
  const { db, buf, start, end, reply } = call;
  const { size } = result;
  const old = call.lookupWrite(1);
  if (size > 0) {
    if (old !== 0) db.removeReplaced(old);
    addValue(db, TYPE_SET, buf, start[1]!, end[1]!, sets.own);
    call.event(NOTIFY.set, event, 1);
  } else if (old !== 0) {
    db.remove(old);
    call.event(NOTIFY.generic, "del", 1);
  }
  if (old !== 0 || size > 0) call.dirty++;
  reply.int(size);
}
