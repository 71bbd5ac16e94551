import type { Call } from "../../call/call.ts";
import { LpItem } from "../../encodings/listpack.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { Sampler } from "./sampler.ts";
import { replyItem, type Sets, type StoredSet } from "./values.ts";

/** SRANDMEMBER: random members, which stay. */

/** As in Redis: up to a third of a set is picked at random, more is sampled going through all of it. */
export const PICK_FACTOR = 3;
/** Elements of one reply at most; more would not fit into a buffer anyway. */
const MOST = 2 ** 28;

const COUNT_RANGE =
  "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";

const item = new LpItem();
const sampler = new Sampler();

export function srandmember(call: Call, sets: Sets): void {
  if (call.argc > 3) throw new CommandError(errors.syntax);
  const { random } = call.db.context;
  if (call.argc === 3) return randomMembers(call, sets, randomCount(call, 2));
  const set = sets.read(call, 1);
  if (set === null) return call.reply.nil();
  set.random(random, item);
  replyItem(call.reply, item);
}

/** A count, whose sign says whether elements may repeat; not the least integer, whose opposite is none. */
export function randomCount(call: Call, i: number): number {
  const count = call.int(i);
  if (count <= -(2 ** 63)) {
    const exact = call.bigint(i);
    if (exact === -(2n ** 63n)) throw new CommandError(COUNT_RANGE);
  }
  return count;
}

/**
 * Refuses a count of repeated elements whose reply could not be held. Where the client's output is limited, the limit
 * ends the reply.
 */
export function checkRepeats({ reply }: Call, count: number): void {
  if (count > MOST && reply.limit === Number.POSITIVE_INFINITY) throw new CommandError(errors.outOfRange);
}

function randomMembers(call: Call, sets: Sets, count: number): void {
  const { reply } = call;
  const { random } = call.db.context;
  const set = sets.read(call, 1);
  if (set === null || count === 0) return reply.array(0);
  if (count < 0) {
    checkRepeats(call, -count);
    reply.array(-count);
    for (; count < 0; count++) {
      set.random(random, item);
      replyItem(reply, item);
    }
    return;
  }
  const { size } = set;
  if (set.isTable && count * PICK_FACTOR <= size) return pick(call, set, count);
  const chosen = Math.min(count, size);
  reply.array(chosen);
  sampler.begin(size, chosen);
  for (set.rewind(); sampler.wanted > 0 && set.next(item); ) if (sampler.take(random)) replyItem(reply, item);
}

function pick(call: Call, set: StoredSet, count: number): void {
  const picked = new Set<number>();
  call.reply.array(count);
  while (picked.size < count) {
    set.random(call.db.context.random, item);
    const before = picked.size;
    if (picked.add(set.entry).size > before) replyItem(call.reply, item);
  }
}
