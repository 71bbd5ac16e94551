import { timeoutSeconds } from "../../blocking/blocking.ts";
import { latin1Bytes, utf8 } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { LpItem } from "../../encodings/listpack.ts";
import { CommandError, errors, wrongArity } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/reply-writer.ts";
import { atLeast, isLeft, type Lists, LPOP, RPOP } from "./deps.ts";
import { replyElements, replyItem } from "./replying.ts";
import type { ListValue } from "./values.ts";

/** LPOP, RPOP, LMPOP and the forms that wait: what takes elements off the ends of lists. */

const COUNT = latin1Bytes("count");
const item = new LpItem();

export function pop(call: Call, { list }: Lists, atHead: boolean): void {
  if (call.argc === 2) {
    if (!list.write(call, 1)) return call.reply.nil();
    return popOne(call, list, 1, atHead);
  }
  if (call.argc > 3) throw new CommandError(wrongArity(atHead ? "lpop" : "rpop"));
  const count = atLeast(call, 2, 0, errors.positive);
  if (!list.write(call, 1)) return call.reply.nilArray();
  if (count === 0) return call.reply.array(0);
  popSome(call, list, 1, atHead, count);
}

/** Pops one off the list of argument i. */
function popOne(call: Call, list: ListValue, i: number, atHead: boolean): void {
  const { store } = list;
  replyItem(call.reply, store.peek(atHead, item));
  store.drop(atHead, 1);
  popped(call, list, i, atHead);
  call.dirty++;
}

/** After elements were popped off the list of argument i. */
export function popped(call: Call, list: ListValue, i: number, atHead: boolean): void {
  call.event(NOTIFY.list, atHead ? "lpop" : "rpop", i);
  if (list.store.length === 0) call.event(NOTIFY.generic, "del", i);
  list.shrink();
}

/** Pops at most `count` off the list of argument i, with an array of them as the reply; returns how many there were. */
function popSome(call: Call, list: ListValue, i: number, atHead: boolean, count: number): number {
  const { store } = list;
  const { length } = store;
  const taken = Math.min(count, length) | 0;
  call.reply.array(taken);
  replyElements(call.reply, store, atHead ? 0 : length - 1, taken, !atHead);
  store.drop(atHead, taken);
  popped(call, list, i, atHead);
  call.dirty += taken;
  return taken;
}

// -------------------------------------------------------------------------------- several keys

/** The first of the keys in arguments first .. last that is a list, or 0; throws for one of another type. */
function firstList(call: Call, list: ListValue, first: number, last: number): number {
  for (let i = first; i <= last; i++) if (list.write(call, i)) return i;
  return 0;
}

function replyKey(call: Call, i: number): void {
  call.reply.array(2);
  call.reply.bulk(call.buf, call.start[i]!, call.end[i]!);
}

/** The arguments of LMPOP from the number of keys on. */
class PopOptions {
  first = 0;
  last = 0;
  atHead = false;
  count = 1;

  parse(call: Call, numKeys: number): void {
    const keys = atLeast(call, numKeys, 1, "ERR numkeys should be greater than 0");
    this.first = numKeys + 1;
    this.last = numKeys + keys;
    const where = this.last + 1;
    if (where >= call.argc) throw new CommandError(errors.syntax);
    this.atHead = isLeft(call, where);
    this.count = 0;
    for (let i = where + 1; i < call.argc; i += 2) {
      if (this.count !== 0 || i + 1 >= call.argc || !call.is(i, COUNT)) throw new CommandError(errors.syntax);
      this.count = atLeast(call, i + 1, 1, "ERR count should be greater than 0");
    }
    this.count ||= 1;
  }
}

const options = new PopOptions();

function popFrom(call: Call, list: ListValue, i: number): void {
  const { atHead, count } = options;
  replyKey(call, i);
  const popped = popSome(call, list, i, atHead, count);
  call.changedKey = i;
  if (call.recording) call.propagate(atHead ? LPOP : RPOP, call.bytes(i), utf8(String(popped)));
}

export function lmpop(call: Call, { list }: Lists): void {
  options.parse(call, 1);
  const i = firstList(call, list, options.first, options.last);
  if (i === 0) call.reply.nilArray();
  else popFrom(call, list, i);
}

// -------------------------------------------------------------------------------- waiting

const nilArray = (reply: ReplyWriter): void => reply.nilArray();

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

export function blmpop(call: Call, { list, blocking }: Lists): void {
  options.parse(call, 2);
  const timeout = timeoutSeconds(call, 1);
  const { first, last } = options;
  const i = firstList(call, list, first, last);
  if (i === 0) blocking.onKeys(call, range(first, last), timeout, "list", nilArray);
  else popFrom(call, list, i);
}

export function blockingPop(call: Call, { list, blocking }: Lists, atHead: boolean): void {
  const last = call.argc - 2;
  const timeout = timeoutSeconds(call, last + 1);
  const i = firstList(call, list, 1, last);
  if (i === 0) return blocking.onKeys(call, range(1, last), timeout, "list", nilArray);
  replyKey(call, i);
  popOne(call, list, i, atHead);
  call.changedKey = i;
  if (call.recording) call.propagate(atHead ? LPOP : RPOP, call.bytes(i));
}
