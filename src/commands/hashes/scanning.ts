import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { below } from "../../encodings/hash-table.ts";
import { LpItem } from "../../encodings/listpack.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { Sampler } from "../sets/sampler.ts";
import { checkRepeats, PICK_FACTOR, randomCount } from "../sets/sampling.ts";
import { cursorAt, ScanOptions } from "../sets/scanning.ts";
import { replyItem } from "../sets/values.ts";
import type { Hashes, StoredHash } from "./values.ts";

/** HSCAN and HRANDFIELD: commands that go through a hash in steps or by chance. */

const WITHVALUES = latin1Bytes("withvalues");

const field = new LpItem();
const value = new LpItem();
const options = new ScanOptions();
const sampler = new Sampler();
const found: number[] = [];

export function hscan(call: Call, hashes: Hashes): void {
  const { reply } = call;
  const cursor = cursorAt(call, 2);
  const hash = hashes.read(call);
  reply.array(2);
  if (hash === null) {
    reply.bulkInt(0);
    return reply.array(0);
  }
  options.parse(call, 3, true);
  let count = 0;
  const visit = () => {
    if (!options.matches(field)) return;
    replyItem(reply, field);
    count++;
    if (options.noValues) return;
    replyItem(reply, value);
    count++;
  };
  found.length = 0;
  reply.bulkInt(hash.isTable ? hash.scan(cursor, options.count, found) : 0);
  const mark = reply.deferred();
  if (!hash.isTable) for (hash.rewind(); hash.next(field, value); ) visit();
  for (const entry of found) if (hash.read(entry, field, value)) visit();
  reply.endDeferred(mark, "array", count);
}

export function hrandfield(call: Call, hashes: Hashes): void {
  const { argc } = call;
  if (argc >= 3) {
    const count = randomCount(call, 2);
    if (argc > 4 || (argc === 4 && !call.is(3, WITHVALUES))) throw new CommandError(errors.syntax);
    if (argc === 4 && Math.abs(count) > 2 ** 62) throw new CommandError(errors.outOfRange);
    return randomFields(call, hashes, count, argc === 4);
  }
  const hash = readSettled(call, hashes);
  if (hash === null) return call.reply.nil();
  if (hash.hidesFields) {
    const visible = visibleEntries(hash);
    if (visible.length === 0) return call.reply.nil();
    hash.read(visible[below(call.db.context.random, visible.length)]!, field, value);
  } else hash.random(call.db.context.random, field, value);
  replyItem(call.reply, field);
}

/** HRANDFIELD first removes fields that have expired. */
function readSettled(call: Call, hashes: Hashes): StoredHash | null {
  const hash = hashes.read(call);
  return hash === null ? null : hashes.settleAny(call, hash);
}

/** The numbers of all fields that are not hidden. */
function visibleEntries(hash: StoredHash): number[] {
  const visible: number[] = [];
  for (hash.rewind(); hash.next(field, value); ) visible.push(hash.entry);
  return visible;
}

/** The header of `count` fields: with values, RESP3 has pairs and RESP2 a flat array. */
function replyCount(call: Call, count: number, withValues: boolean): void {
  call.reply.array(withValues && call.reply.resp === 2 ? count * 2 : count);
}

function replyPair(call: Call, withValues: boolean): void {
  const { reply } = call;
  if (withValues && reply.resp === 3) reply.array(2);
  replyItem(reply, field);
  if (withValues) replyItem(reply, value);
}

function randomFields(call: Call, hashes: Hashes, count: number, withValues: boolean): void {
  const { random } = call.db.context;
  const hash = readSettled(call, hashes);
  if (hash === null || count === 0) return call.reply.array(0);
  if (hash.hidesFields) return randomVisible(call, hash, count, withValues);
  if (count < 0) {
    checkRepeats(call, -count);
    replyCount(call, -count, withValues);
    for (; count < 0; count++) {
      hash.random(random, field, value);
      replyPair(call, withValues);
    }
    return;
  }
  const { size } = hash;
  const chosen = Math.min(count, size);
  replyCount(call, chosen, withValues);
  if (hash.isTable && count * PICK_FACTOR <= size) return pick(call, hash, count, withValues);
  sampler.begin(size, chosen);
  for (hash.rewind(); sampler.wanted > 0 && hash.next(field, value); )
    if (sampler.take(random)) replyPair(call, withValues);
}

/** As `randomFields`, of a hash with hidden fields. */
function randomVisible(call: Call, hash: StoredHash, count: number, withValues: boolean): void {
  const { random } = call.db.context;
  const visible = visibleEntries(hash);
  if (visible.length === 0) return call.reply.array(0);
  const chosen = count < 0 ? -count : Math.min(count, visible.length);
  checkRepeats(call, chosen);
  replyCount(call, chosen, withValues);
  sampler.begin(visible.length, chosen);
  for (let i = 0; count < 0 ? i < chosen : sampler.wanted > 0; i++) {
    if (count > 0 && !sampler.take(random)) continue;
    hash.read(visible[count < 0 ? below(random, visible.length) : i]!, field, value);
    replyPair(call, withValues);
  }
}

function pick(call: Call, hash: StoredHash, count: number, withValues: boolean): void {
  const picked = new Set<number>();
  while (picked.size < count) {
    hash.random(call.db.context.random, field, value);
    const before = picked.size;
    if (picked.add(hash.entry).size > before) replyPair(call, withValues);
  }
}
