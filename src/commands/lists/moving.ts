import { timeoutSeconds } from "../../blocking/blocking.ts";
import { copyBytes, latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { LpItem } from "../../encodings/listpack.ts";
import type { ReplyWriter } from "../../resp/reply-writer.ts";
import { isLeft, type Lists } from "./deps.ts";
import { popped } from "./popping.ts";

/** LMOVE, RPOPLPUSH and the forms that wait: from an end of one list to an end of another, or of the same. */

const LMOVE = latin1Bytes("LMOVE");
const RPOPLPUSH = latin1Bytes("RPOPLPUSH");
const MAX_KEPT = 1 << 16;
const item = new LpItem();
let moved = new Uint8Array(256);

/** Moves an element of `list`, which is bound to argument 1, to the list of argument 2. */
function move(call: Call, { list, target }: Lists, fromHead: boolean, toHead: boolean): void {
  const { buf, start, end } = call;
  const exists = target.write(call, 2);
  const into = exists && target.position === list.position ? list : target;
  const source = list.store;
  // Redis counts the bytes of an integer that comes out of a quicklist as none.
  const fromBig = list.isBig;
  source.peek(fromHead, item);
  const wasInt = item.isInt;
  item.text();
  const length = item.end - item.start;
  if (moved.length < length || moved.length > MAX_KEPT) moved = new Uint8Array(Math.max(256, length));
  copyBytes(moved, 0, item.buf, item.start, item.end);
  source.drop(fromHead, 1);
  const bytes = wasInt && fromBig ? 0 : length;
  if (exists) into.grow(bytes, 1);
  else into.create(buf, start[2]!, end[2]!, bytes, 1);
  into.store.push(toHead, moved, 0, length);
  call.event(NOTIFY.list, toHead ? "lpush" : "rpush", 2);
  call.reply.bulk(moved, 0, length);
  popped(call, list, 1, fromHead);
  call.dirty++;
}

export function rpoplpush(call: Call, lists: Lists): void {
  if (lists.list.write(call, 1)) move(call, lists, false, true);
  else call.reply.nil();
}

export function lmove(call: Call, lists: Lists): void {
  const fromHead = isLeft(call, 3);
  const toHead = isLeft(call, 4);
  if (lists.list.write(call, 1)) move(call, lists, fromHead, toHead);
  else call.reply.nil();
}

const nilArray = (reply: ReplyWriter): void => reply.nilArray();

/** What waits in vain gets a null array, what may not wait just a null. */
function wait(call: Call, { blocking }: Lists, timeout: number): void {
  if (call.session.denyBlocking) call.reply.nil();
  else blocking.onKeys(call, [1], timeout, "list", nilArray);
}

export function blmove(call: Call, lists: Lists): void {
  const fromHead = isLeft(call, 3);
  const toHead = isLeft(call, 4);
  const timeout = timeoutSeconds(call, 5);
  if (!lists.list.write(call, 1)) return wait(call, lists, timeout);
  move(call, lists, fromHead, toHead);
  if (call.recording) call.propagate(LMOVE, call.bytes(1), call.bytes(2), call.bytes(3), call.bytes(4));
}

export function brpoplpush(call: Call, lists: Lists): void {
  const timeout = timeoutSeconds(call, 3);
  if (!lists.list.write(call, 1)) return wait(call, lists, timeout);
  move(call, lists, false, true);
  if (call.recording) call.propagate(RPOPLPUSH, call.bytes(1), call.bytes(2));
}
