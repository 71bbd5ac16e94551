import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { Needle } from "../../encodings/quicklist-cursor.ts";
import type { Lists } from "./deps.ts";

/** LREM and LTRIM. */

const needle = new Needle();

export function lrem(call: Call, { list }: Lists): void {
  const count = call.int(2);
  if (!list.write(call, 1)) return call.reply.int(0);
  const most = count === 0 ? Number.POSITIVE_INFINITY : Math.abs(count);
  needle.set(call.buf, call.start[3]!, call.end[3]!);
  const removed = list.store.removeEqual(needle, most, count < 0);
  if (removed > 0) {
    call.event(NOTIFY.list, "lrem", 1);
    if (list.store.length === 0) call.event(NOTIFY.generic, "del", 1);
    list.shrink();
  }
  call.dirty += removed;
  call.reply.int(removed);
}

export function ltrim(call: Call, { list }: Lists): void {
  let first = call.int(2);
  let last = call.int(3);
  if (!list.write(call, 1)) return call.reply.ok();
  const { store } = list;
  const { length } = store;
  first = first < 0 ? Math.max(0, length + first) : first;
  last = Math.min(length - 1, last < 0 ? length + last : last);
  if (first > last) {
    call.dirty += length;
    list.remove();
    call.event(NOTIFY.list, "ltrim", 1);
    call.event(NOTIFY.generic, "del", 1);
    return call.reply.ok();
  }
  const behind = length - 1 - last;
  store.removeRange(0, first);
  store.removeRange(length - first - behind, behind);
  list.shrink();
  call.event(NOTIFY.list, "ltrim", 1);
  call.dirty += first + behind;
  call.reply.ok();
}
