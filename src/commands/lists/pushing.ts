import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { ListCursor, Needle } from "../../encodings/quicklist-cursor.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { Lists } from "./deps.ts";
import { argumentBytes } from "./values.ts";

/** LPUSH and its kin, LINSERT and LSET: what puts elements into a list. */

const AFTER = latin1Bytes("after");
const BEFORE = latin1Bytes("before");
const cursor = new ListCursor();
const needle = new Needle();

export function push(call: Call, { list }: Lists, atHead: boolean, onlyExisting: boolean): void {
  const { buf, start, end } = call;
  const count = call.argc - 2;
  const bytes = argumentBytes(call, 2);
  if (list.write(call, 1)) list.grow(bytes, count);
  else if (onlyExisting) return call.reply.int(0);
  else list.create(buf, start[1]!, end[1]!, bytes, count);
  const { store } = list;
  for (let i = 2; i < call.argc; i++) store.push(atHead, buf, start[i]!, end[i]!);
  call.dirty += count;
  call.event(NOTIFY.list, atHead ? "lpush" : "rpush", 1);
  call.reply.int(store.length);
}

export function linsert(call: Call, { list }: Lists): void {
  const { buf, start, end } = call;
  const after = call.is(2, AFTER);
  if (!after && !call.is(2, BEFORE)) throw new CommandError(errors.syntax);
  if (!list.write(call, 1)) return call.reply.int(0);
  // As in Redis the form changes for an element that then may find no place.
  list.grow(call.length(4), 1);
  const { store } = list;
  store.seek(cursor, 0, false);
  if (!needle.set(buf, start[3]!, end[3]!).find(cursor)) return call.reply.int(-1);
  store.insert(cursor, after, buf, start[4]!, end[4]!);
  call.dirty++;
  call.event(NOTIFY.list, "linsert", 1);
  call.reply.int(store.length);
}

export function lset(call: Call, { list }: Lists): void {
  if (!list.write(call, 1)) throw new CommandError(errors.noSuchKey);
  let index = call.int(2);
  list.grow(call.length(3), 1);
  const { store } = list;
  const { length } = store;
  if (index < 0) index += length;
  if (index < 0 || index >= length) throw new CommandError(errors.indexOutOfRange);
  store.seek(cursor, index, false);
  store.replace(cursor, call.buf, call.start[3]!, call.end[3]!);
  list.shrink();
  call.dirty++;
  call.event(NOTIFY.list, "lset", 1);
  call.reply.ok();
}
