import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { LpItem } from "../../encodings/listpack.ts";
import { ListCursor, Needle } from "../../encodings/quicklist-cursor.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { atLeast, type Lists } from "./deps.ts";
import { replyElements, replyItem } from "./replying.ts";

/** LLEN, LINDEX, LRANGE, LPOS: what leaves a list as it is. */

const RANK = latin1Bytes("rank");
const COUNT = latin1Bytes("count");
const MAXLEN = latin1Bytes("maxlen");
const cursor = new ListCursor();
const needle = new Needle();
const item = new LpItem();

export function llen(call: Call, { list }: Lists): void {
  call.reply.int(list.read(call, 1) ? list.store.length : 0);
}

export function lindex(call: Call, { list }: Lists): void {
  if (!list.read(call, 1)) return call.reply.nil();
  const { store } = list;
  const { length } = store;
  let index = call.int(2);
  if (index < 0) index += length;
  if (index < 0 || index >= length) return call.reply.nil();
  store.seek(cursor, index, false);
  replyItem(call.reply, cursor.get(item));
}

export function lrange(call: Call, { list }: Lists): void {
  let first = call.int(2);
  let last = call.int(3);
  if (!list.read(call, 1)) return call.reply.array(0);
  const { store } = list;
  const { length } = store;
  first = first < 0 ? Math.max(0, length + first) : first;
  last = Math.min(length - 1, last < 0 ? length + last : last);
  if (first > last) return call.reply.array(0);
  // Integers as the engine keeps them, after arithmetic that could have given others.
  first |= 0;
  const count = (last - first + 1) | 0;
  call.reply.array(count);
  replyElements(call.reply, store, first, count, false);
}

class PositionOptions {
  rank = 1;
  /** -1: not given. */
  count = -1;
  most = 0;

  parse(call: Call): void {
    this.rank = 1;
    this.count = -1;
    this.most = 0;
    for (let i = 3; i < call.argc; i++) {
      const more = i + 1 < call.argc;
      if (more && call.is(i, RANK)) this.rank = rankAt(call, ++i);
      else if (more && call.is(i, COUNT)) this.count = atLeast(call, ++i, 0, "ERR COUNT can't be negative");
      else if (more && call.is(i, MAXLEN)) this.most = atLeast(call, ++i, 0, "ERR MAXLEN can't be negative");
      else throw new CommandError(errors.syntax);
    }
  }
}

const options = new PositionOptions();

function rankAt(call: Call, i: number): number {
  const rank = call.int(i);
  if (rank === -(2 ** 63) && call.bigint(i) === -(2n ** 63n))
    throw new CommandError(
      "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
    );
  if (rank === 0)
    throw new CommandError(
      "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... " +
        "or use negative to start from the end of the list",
    );
  return rank;
}

export function lpos(call: Call, { list }: Lists): void {
  options.parse(call);
  const { count } = options;
  const { reply } = call;
  if (!list.read(call, 1)) {
    if (count === -1) reply.nil();
    else reply.array(0);
    return;
  }
  const mark = count === -1 ? -1 : reply.deferred();
  const found = replyPositions(call, list.store.length, list);
  if (mark >= 0) reply.endDeferred(mark, "array", found);
  else if (found === 0) reply.nil();
}

/** Replies with the indexes that are asked for; returns how many. */
function replyPositions(call: Call, length: number, { store }: Lists["list"]): number {
  const { buf, start, end } = call;
  const backwards = options.rank < 0;
  const wanted = options.count === -1 ? 1 : options.count === 0 ? length : options.count;
  const most = options.most === 0 ? length : Math.min(length, options.most);
  let skip = Math.abs(options.rank) - 1;
  let found = 0;
  needle.set(buf, start[2]!, end[2]!);
  store.seek(cursor, backwards ? length - 1 : 0, backwards);
  for (let i = 0; i < most && found < wanted; i++, cursor.advance()) {
    if (!needle.isAt(cursor)) continue;
    if (skip > 0) skip--;
    else {
      call.reply.int(backwards ? length - i - 1 : i);
      found++;
    }
  }
  return found;
}
