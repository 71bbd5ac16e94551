import { latin1Bytes } from "../../bytes/ascii.ts";
import { parseInt64Rounded } from "../../bytes/int64.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { LpItem } from "../../encodings/listpack.ts";
import { replaceValue } from "../../keyspace/value-home.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { FORM_LISTPACK } from "../../types/home.ts";
import { dropIfEmpty, replyMembers } from "./members.ts";
import { Sampler } from "./sampler.ts";
import { replyItem, type Sets, type StoredSet } from "./values.ts";

/** SPOP: takes random members out of a set; what it took is propagated as SREM, a whole set as DEL or UNLINK. */

const SREM = latin1Bytes("SREM");
const DEL = latin1Bytes("DEL");
const UNLINK = latin1Bytes("UNLINK");
/** Members of one SREM at most. */
const BATCH = 1024;
/** As in Redis: if less than a fifth stays for each that goes, those that stay are picked instead. */
const KEEP_FACTOR = 5;

const item = new LpItem();
const sampler = new Sampler();

export function spop(call: Call, sets: Sets): void {
  if (call.argc > 3) throw new CommandError(errors.syntax);
  if (call.argc === 3) return popMany(call, sets);
  const set = sets.write(call, 1);
  if (set === null) return call.reply.nil();
  set.random(call.db.context.random, item);
  replyItem(call.reply, item);
  if (call.recording) call.propagate(SREM, call.bytes(1), item.copy());
  set.removeRandom();
  call.event(NOTIFY.set, "spop", 1);
  dropIfEmpty(call, set);
  call.dirty++;
}

/** Effects of SPOP with a count: SREM commands of up to 1,024 members. */
class Removals {
  private readonly members: Uint8Array[] = [];
  constructor(private readonly call: Call) {}

  add(member: LpItem): void {
    if (!this.call.recording) return;
    this.members.push(member.copy());
    if (this.members.length === BATCH) this.flush();
  }

  flush(): void {
    if (this.members.length > 0) this.call.propagate(SREM, this.call.bytes(1), ...this.members.splice(0));
  }
}

function popMany(call: Call, sets: Sets): void {
  const { reply } = call;
  const count = positiveCount(call, 2);
  const set = sets.write(call, 1);
  if (set === null || count === 0) return reply.set(0);
  const { size } = set;
  call.event(NOTIFY.set, "spop", 1);
  if (count >= size) {
    replyMembers(call, set);
    call.db.remove(set.position);
    call.event(NOTIFY.generic, "del", 1);
    call.dirty += size;
    if (call.recording) call.propagate(sets.limits.lazyfreeLazyServerDel ? UNLINK : DEL, call.bytes(1));
    return;
  }
  reply.set(count);
  call.dirty += count;
  const removals = new Removals(call);
  const few = (size - count) * KEEP_FACTOR > count;
  if (!set.isTable) popSampled(call, set, count, removals);
  else if (few) popOneByOne(call, set, count, removals);
  else keepFew(call, sets, set, size - count, removals);
  removals.flush();
}

function positiveCount(call: Call, i: number): number {
  const count = parseInt64Rounded(call.buf, call.start[i]!, call.end[i]!);
  if (!(count >= 0)) throw new CommandError(errors.positive);
  return count;
}

/** Goes through a small set once, choosing `count` of its members. */
function popSampled(call: Call, set: StoredSet, count: number, removals: Removals): void {
  const chosen: Uint8Array[] = [];
  sampler.begin(set.size, count);
  for (set.rewind(); sampler.wanted > 0 && set.next(item); ) {
    if (!sampler.take(call.db.context.random)) continue;
    replyItem(call.reply, item);
    removals.add(item);
    chosen.push(item.copy());
  }
  for (const member of chosen) set.remove(member, 0, member.length);
}

function popOneByOne(call: Call, set: StoredSet, count: number, removals: Removals): void {
  const { random } = call.db.context;
  for (let i = 0; i < count; i++) {
    set.random(random, item);
    replyItem(call.reply, item);
    removals.add(item);
    set.removeRandom();
  }
}

/** Moves the few that stay to a set of their own, which takes the old one's place. */
function keepFew(call: Call, sets: Sets, set: StoredSet, keep: number, removals: Removals): void {
  const { random } = call.db.context;
  const kept = sets.fresh(call);
  kept.createEmpty(FORM_LISTPACK);
  for (let i = 0; i < keep; i++) {
    set.random(random, item);
    kept.addItem(item);
    set.removeRandom();
  }
  for (set.rewind(); set.next(item); ) {
    replyItem(call.reply, item);
    removals.add(item);
  }
  replaceValue(call.db, set.position, sets.own);
}
