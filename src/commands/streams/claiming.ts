import { latin1Bytes } from "../../bytes/ascii.ts";
import { parseInt64Rounded } from "../../bytes/int64.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { Counter, StreamId } from "../../encodings/stream-id.ts";
import { HARMLESS } from "../../keyspace/key-events.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { Stream } from "../../types/stream.ts";
import { type Consumer, type ConsumerGroup, PendingEntry } from "../../types/stream-groups.ts";
import { forgetClaimable } from "./claimable.ts";
import { neededGroup, nowOf, readStart, readStrictId, replyId, streamAtForUse, whole } from "./common.ts";
import { replyOne } from "./entries.ts";
import { propagateAck, propagateClaim, propagateEffectsOnly, propagateGroupId } from "./propagating.ts";

/** XCLAIM and XAUTOCLAIM: pending entries change hands. Those of deleted messages are dropped on the way. */

const IDLE = latin1Bytes("idle");
const TIME = latin1Bytes("time");
const RETRYCOUNT = latin1Bytes("retrycount");
const FORCE = latin1Bytes("force");
const JUSTID = latin1Bytes("justid");
const LASTID = latin1Bytes("lastid");
const COUNT = latin1Bytes("count");
/** Pending entries looked at for each that may be claimed. */
const ATTEMPTS = 10;
const USUAL_COUNT = 100;
const MOST_COUNT = 2 ** 59;

const id = new StreamId();
const entry = new PendingEntry();

function milliseconds(call: Call, i: number, what: string, command: string): number {
  const value = parseInt64Rounded(call.buf, call.start[i]!, call.end[i]!);
  if (Number.isNaN(value)) throw new CommandError(`ERR Invalid ${what} argument for ${command}`);
  return value;
}

/** The consumer in argument 3, which is created where there is none. */
function claimant(call: Call, group: ConsumerGroup): Consumer {
  const { buf, start, end } = call;
  const now = nowOf(call);
  let consumer = group.consumer(buf, start[3]!, end[3]!);
  if (consumer === null) {
    consumer = group.addConsumer(call.bytes(3), now);
    call.dirty++;
    call.event(NOTIFY.stream | HARMLESS, "xgroup-createconsumer", 1);
  }
  consumer.seenTime = now;
  return consumer;
}

// -------------------------------------------------------------------------------- XCLAIM

class ClaimOptions {
  minIdle = 0;
  /** The IDs are the arguments from 5 up to here. */
  idsEnd = 0;
  deliveryTime = -1;
  retryCountGiven = false;
  readonly retryCount = new Counter();
  force = false;
  justId = false;
  readonly lastId = new StreamId();

  parse(call: Call): void {
    const now = nowOf(call);
    this.minIdle = Math.max(0, milliseconds(call, 4, "min-idle-time", "XCLAIM"));
    this.deliveryTime = -1;
    this.retryCountGiven = this.force = this.justId = false;
    this.lastId.clear();
    let i = 5;
    while (i < call.argc && id.parse(call.buf, call.start[i]!, call.end[i]!, true) !== 0) i++;
    this.idsEnd = i;
    for (; i < call.argc; i++) {
      const more = i + 1 < call.argc;
      if (call.is(i, FORCE)) this.force = true;
      else if (call.is(i, JUSTID)) this.justId = true;
      else if (more && call.is(i, IDLE))
        this.deliveryTime = now - milliseconds(call, ++i, "IDLE option", "XCLAIM");
      else if (more && call.is(i, TIME)) this.deliveryTime = milliseconds(call, ++i, "TIME option", "XCLAIM");
      else if (more && call.is(i, RETRYCOUNT)) {
        milliseconds(call, ++i, "RETRYCOUNT option", "XCLAIM");
        this.retryCount.setBig(call.bigint(i));
        this.retryCountGiven = this.retryCount.high >= 0;
      } else if (more && call.is(i, LASTID)) readStrictId(call, ++i, this.lastId);
      else throw new CommandError(`ERR Unrecognized XCLAIM option '${whole(call, i)}'`);
    }
    if (this.deliveryTime < 0 || this.deliveryTime > now) this.deliveryTime = now;
  }
}

const options = new ClaimOptions();

export function xclaim(call: Call): void {
  const stream = streamAtForUse(call, 1);
  const group = neededGroup(call, stream);
  options.parse(call);
  propagateEffectsOnly(call);
  call.besideContents = true;
  let groupMoved = options.lastId.compare(group.lastId) > 0;
  if (groupMoved) group.lastId.copy(options.lastId);
  const consumer = claimant(call, group);
  const { reply } = call;
  const mark = reply.deferred();
  let claimed = 0;
  for (let i = 5; i < options.idsEnd; i++) {
    readStrictId(call, i, id);
    const outcome = claim(call, stream!, group, consumer);
    if (outcome === "left") continue;
    if (outcome === "claimed") {
      claimed++;
      propagateClaim(call, 1, group, entry, i);
    } else if (entry.isReleased) {
      propagateAck(call, 1, group, call.bytes(i));
      group.removePending(entry);
      call.dirty++;
      continue;
    } else {
      propagateClaim(call, 1, group, entry, i);
      group.removePending(entry);
    }
    // The entry's propagation tells how far the group has come.
    groupMoved = false;
    call.dirty++;
  }
  if (groupMoved) {
    propagateGroupId(call, 1, group);
    call.dirty++;
  }
  reply.endDeferred(mark, "array", claimed);
}

/** Claims the entry of `id`, and replies with it; "gone": it is pending, but its message was deleted. */
function claim(
  call: Call,
  stream: Stream,
  group: ConsumerGroup,
  consumer: Consumer,
): "claimed" | "gone" | "left" {
  const now = nowOf(call);
  const isPending = group.pending.find(id, entry);
  if (!stream.has(id)) return isPending ? "gone" : "left";
  if (!isPending) {
    if (!options.force) return "left";
    group.addPending(id, now, entry);
  } else if (!entry.isReleased && options.minIdle > 0 && now - entry.time < options.minIdle) return "left";
  entry.time = options.deliveryTime;
  if (options.deliveryTime < now) forgetClaimable(group);
  if (options.retryCountGiven) entry.setDeliveries(options.retryCount);
  else if (!options.justId) entry.deliveredAgain();
  group.assign(entry, consumer);
  if (options.justId) replyId(call.reply, id);
  else replyOne(call.reply, stream, id, id);
  consumer.activeTime = now;
  return "claimed";
}

// -------------------------------------------------------------------------------- XAUTOCLAIM

export function xautoclaim(call: Call): void {
  const minIdle = Math.max(0, milliseconds(call, 4, "min-idle-time", "XAUTOCLAIM"));
  readStart(call, 5, id);
  let count = USUAL_COUNT;
  let justId = false;
  for (let i = 6; i < call.argc; i++) {
    if (i + 1 < call.argc && call.is(i, COUNT)) {
      i++;
      count = parseInt64Rounded(call.buf, call.start[i]!, call.end[i]!);
      if (!(count >= 1 && count < MOST_COUNT)) throw new CommandError("ERR COUNT must be > 0");
    } else if (call.is(i, JUSTID)) justId = true;
    else throw new CommandError(errors.syntax);
  }
  const stream = streamAtForUse(call, 1);
  const group = neededGroup(call, stream);
  propagateEffectsOnly(call);
  call.besideContents = true;
  const consumer = claimant(call, group);
  const { reply } = call;
  const now = nowOf(call);
  reply.array(3);
  const idMark = beginLateId(call);
  const mark = reply.deferred();
  const gone: StreamId[] = [];
  let claimed = 0;
  let attempts = count * ATTEMPTS;
  let more = group.pending.ceiling(id, entry);
  for (; more && attempts > 0 && count > 0; attempts--) {
    entry.readId();
    id.copy(entry.id);
    if (!stream!.has(id)) {
      if (entry.isReleased) propagateAck(call, 1, group, id.bytes());
      else propagateClaim(call, 1, group, entry);
      gone.push(new StreamId().copy(id));
      more = group.removePending(entry);
    } else if (!entry.isReleased && minIdle > 0 && now - entry.time < minIdle) {
      more = group.pending.next(entry);
      continue;
    } else {
      entry.time = now;
      if (!justId) entry.deliveredAgain();
      group.assign(entry, consumer);
      if (justId) replyId(reply, id);
      else replyOne(reply, stream!, id, id);
      claimed++;
      consumer.activeTime = now;
      propagateClaim(call, 1, group, entry);
      more = group.pending.next(entry);
    }
    call.dirty++;
    count--;
  }
  reply.endDeferred(mark, "array", claimed);
  if (more) id.copy(entry.readId());
  else id.clear();
  endLateId(call, idMark);
  reply.array(gone.length);
  for (const one of gone) replyId(reply, one);
}

/** Bytes of an ID as a bulk string, at most. */
const ID_BULK = 48;

/** Leaves room for an ID that is known only when what stands behind it has been written. */
function beginLateId({ reply }: Call): number {
  reply.reserve(ID_BULK);
  reply.pos += ID_BULK;
  return reply.pos - ID_BULK;
}

/** Writes `id` where room was left, and closes up. */
function endLateId({ reply }: Call, mark: number): void {
  const body = mark + ID_BULK;
  const { pos } = reply;
  reply.pos = mark;
  replyId(reply, id);
  reply.buf.copyWithin(reply.pos, body, pos);
  reply.pos += pos - body;
}
