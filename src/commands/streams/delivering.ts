import { timeoutMilliseconds } from "../../blocking/blocking.ts";
import { latin1Bytes } from "../../bytes/ascii.ts";
import { parseInt64Rounded } from "../../bytes/int64.ts";
import type { Call } from "../../call/call.ts";
import type { Session } from "../../call/session.ts";
import { NOTIFY } from "../../config/special.ts";
import { Counter, StreamId } from "../../encodings/stream-id.ts";
import { Place } from "../../encodings/stream-index.ts";
import { HARMLESS } from "../../keyspace/key-events.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { Stream } from "../../types/stream.ts";
import { type Consumer, type ConsumerGroup, PendingEntry } from "../../types/stream-groups.ts";
import { StreamIterator } from "../../types/stream-iterator.ts";
import { claimable, oldestDelivery } from "./claimable.ts";
import {
  groupAt,
  isChar,
  NO_LIMIT,
  nowOf,
  readStrictId,
  replyId,
  type StreamDeps,
  streamAt,
  streamAtForUse,
  whole,
} from "./common.ts";
import { replyEntry, replyOne, replyRange } from "./entries.ts";
import {
  propagateClaim,
  propagateEffectsOnly,
  propagateGroupId,
  propagateNewConsumer,
} from "./propagating.ts";

/**
 * XREAD and XREADGROUP. Both answer with what lies behind an ID in each of several streams, and wait where there
 * is nothing. `$`, the end of a stream, is where it was when the command came: a session that waits keeps these
 * IDs, since its command is executed again when a stream has changed.
 */

const BLOCK = latin1Bytes("block");
const COUNT = latin1Bytes("count");
const STREAMS = latin1Bytes("streams");
const GROUP = latin1Bytes("group");
const NOACK = latin1Bytes("noack");
const CLAIM = latin1Bytes("claim");
const DOLLAR = 36;
const PLUS = 43;
const GREATER = 62;
const DOLLAR_IN_GROUP =
  "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by " +
  "specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.";

const LAST_ID = new StreamId().setMax();

/** The options of a call. */
class ReadOptions {
  /** Milliseconds, 0: for ever, -1: not at all. */
  timeout = -1;
  count = NO_LIMIT;
  noAck = false;
  /** CLAIM: pending entries left alone for so many milliseconds are served first; -1: none are. */
  minIdle = -1;
  /** Where the group's name stands, before the consumer's; 0 without a group. */
  groupAt = 0;
  /** Where the first key stands, and how many there are. */
  keysAt = 0;
  keys = 0;

  parse(call: Call, inGroup: boolean): void {
    this.timeout = this.minIdle = -1;
    this.count = NO_LIMIT;
    this.noAck = false;
    this.groupAt = this.keysAt = 0;
    for (let i = 1; i < call.argc && this.keysAt === 0; i++) {
      const more = call.argc - i - 1;
      if (more > 0 && call.is(i, BLOCK)) {
        if (call.session.scripted)
          throw new CommandError(
            `ERR ${call.quoted(0)} command is not allowed with BLOCK option from scripts`,
          );
        this.timeout = readTimeout(call, ++i);
      } else if (more > 0 && call.is(i, COUNT)) {
        const count = call.int(++i);
        this.count = count <= 0 ? NO_LIMIT : count;
      } else if (more > 0 && call.is(i, STREAMS)) {
        this.keysAt = i + 1;
        this.keys = more >> 1;
        if (more % 2 !== 0) throw new CommandError(unbalanced(inGroup));
      } else if (more > 1 && call.is(i, GROUP)) {
        if (!inGroup) throw new CommandError(groupOnly("GROUP"));
        this.groupAt = i + 1;
        i += 2;
      } else if (more > 0 && call.is(i, CLAIM)) {
        if (!inGroup) throw new CommandError(groupOnly("CLAIM"));
        this.minIdle = readMinIdle(call, ++i);
      } else if (call.is(i, NOACK)) {
        if (!inGroup) throw new CommandError(groupOnly("NOACK"));
        this.noAck = true;
      } else throw new CommandError(errors.syntax);
    }
    if (this.keysAt === 0) throw new CommandError(errors.syntax);
    if (inGroup && this.groupAt === 0) throw new CommandError("ERR Missing GROUP option for XREADGROUP");
  }
}

function unbalanced(inGroup: boolean): string {
  const [name, symbol] = inGroup ? ["xreadgroup", ">"] : ["xread", "$"];
  return `ERR Unbalanced '${name}' list of streams: for each stream key an ID or '${symbol}' must be specified.`;
}

function groupOnly(option: string): string {
  return `ERR The ${option} option is only supported by XREADGROUP. You called XREAD instead.`;
}

function readTimeout(call: Call, i: number): number {
  const timeout = timeoutMilliseconds(call, i);
  if (timeout > 0 && timeout > 2 ** 63 - nowOf(call)) throw new CommandError("ERR timeout is out of range");
  return timeout;
}

function readMinIdle(call: Call, i: number): number {
  const minIdle = parseInt64Rounded(call.buf, call.start[i]!, call.end[i]!);
  if (Number.isNaN(minIdle)) throw new CommandError("ERR min-idle-time is not an integer or out of range");
  if (minIdle < 0) throw new CommandError("ERR min-idle-time must be a positive integer");
  return minIdle;
}

const options = new ReadOptions();
/** By stream of the call: the ID behind which to read. */
const ids: StreamId[] = [];
const entries = new StreamIterator();
const from = new StreamId();
const place = new Place();
const pending = new PendingEntry();
const deliveries = new Counter();

/** Sessions that wait, with the IDs that their commands began with. */
const waitingIds = new WeakMap<Session, StreamId[]>();

function idFor(stream: number): StreamId {
  while (ids.length <= stream) ids.push(new StreamId());
  return ids[stream]!;
}

// -------------------------------------------------------------------------------- XREAD

export function xread(call: Call, deps: StreamDeps): void {
  options.parse(call, false);
  const { keysAt, keys, count } = options;
  const begun = deps.blocking.has(call.session) ? waitingIds.get(call.session) : undefined;
  for (let i = 0; i < keys; i++) {
    const stream = streamAt(call, keysAt + i);
    const at = keysAt + keys + i;
    // `+` means the last entry there is when there is one, `$` the last there was when the command came.
    if (begun === undefined || isChar(call, at, PLUS)) readPlace(call, at, stream, idFor(i));
    else idFor(i).copy(begun[i]!);
  }
  let served = 0;
  let mark = 0;
  for (let i = 0; i < keys; i++) {
    const stream = streamAt(call, keysAt + i);
    if (stream === null || !stream.hasBehind(ids[i]!)) continue;
    if (served++ === 0) mark = call.reply.deferred();
    replyKey(call, keysAt + i);
    from.copy(ids[i]!).increment();
    replyRange(call.reply, stream, from, LAST_ID, count, false);
  }
  finish(call, deps, served, mark);
}

/** Reads an ID, `$` for the end of the stream, or `+` (Redis 7.4) for what is before its last entry. */
function readPlace(call: Call, i: number, stream: Stream | null, into: StreamId): void {
  if (isChar(call, i, DOLLAR)) {
    if (stream === null) into.clear();
    else into.copy(stream.lastId);
  } else if (isChar(call, i, PLUS)) {
    if (stream === null || stream.length === 0) into.clear();
    else stream.edgeId(false, true, into).decrement();
  } else if (isChar(call, i, GREATER))
    throw new CommandError(
      "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
    );
  else readStrictId(call, i, into);
}

/** The beginning of one stream's reply: a pair in RESP2, an entry of a map in RESP3. */
function replyKey(call: Call, i: number): void {
  if (call.reply.resp === 2) call.reply.array(2);
  call.reply.bulk(call.buf, call.start[i]!, call.end[i]!);
}

/** Ends the reply, or waits, or answers that there is nothing. */
function finish(call: Call, deps: StreamDeps, served: number, mark: number): void {
  const { reply, session } = call;
  const { timeout, keysAt, keys, groupAt } = options;
  if (served > 0) {
    reply.endDeferred(mark, reply.resp === 2 ? "array" : "map", served);
    return;
  }
  if (timeout < 0) return reply.nilArray();
  if (groupAt === 0 && !deps.blocking.has(session))
    waitingIds.set(
      session,
      ids.slice(0, keys).map((id) => new StreamId().copy(id)),
    );
  const keyArgs = Array.from({ length: keys }, (_, i) => keysAt + i);
  deps.blocking.onKeys(call, keyArgs, timeout, groupAt > 0 ? "group" : "stream", (late) => late.nilArray());
}

// -------------------------------------------------------------------------------- XREADGROUP

export function xreadgroup(call: Call, deps: StreamDeps): void {
  options.parse(call, true);
  propagateEffectsOnly(call);
  const { keysAt, keys } = options;
  for (let i = 0; i < keys; i++) {
    const key = keysAt + i;
    const stream = streamAtForUse(call, key);
    if (stream === null || groupAt(call, stream, options.groupAt) === null)
      throw new CommandError(
        `NOGROUP No such key '${whole(call, key)}' or consumer group '${whole(call, options.groupAt)}' ` +
          "in XREADGROUP with GROUP option",
      );
    const id = key + keys;
    if (isChar(call, id, DOLLAR)) throw new CommandError(DOLLAR_IN_GROUP);
    if (isChar(call, id, GREATER)) idFor(i).setMax();
    else readStrictId(call, id, idFor(i));
  }
  let served = 0;
  let mark = 0;
  let oldest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < keys; i++) {
    const stream = streamAtForUse(call, keysAt + i);
    const group = stream === null ? null : groupAt(call, stream, options.groupAt);
    if (stream === null || group === null) continue;
    const news = ids[i]!.isMax;
    // From the first stream on that is asked for its history, as in Redis.
    if (!news) options.minIdle = -1;
    const delivered =
      options.minIdle >= 0 ? oldestDelivery(stream, group, nowOf(call)) : Number.POSITIVE_INFINITY;
    oldest = Math.min(oldest, delivered);
    const claims = nowOf(call) - delivered >= options.minIdle;
    const serve = !news || claims || stream.hasBehind(group.lastId);
    const consumer = readerOf(call, keysAt + i, group);
    consumer.seenTime = nowOf(call);
    if (!serve) continue;
    if (served++ === 0) mark = call.reply.deferred();
    replyKey(call, keysAt + i);
    from.copy(news ? group.lastId : ids[i]!).increment();
    if (news) deliver(call, keysAt + i, stream, group, consumer);
    else replyHistory(call, stream, group, consumer);
    call.dirty++;
  }
  finish(call, deps, served, mark);
  if (call.blocked && options.minIdle >= 0) {
    const from = oldest === Number.POSITIVE_INFINITY ? nowOf(call) : Math.max(0, oldest);
    deps.blocking.alsoAt(call.session, from + options.minIdle);
  }
}

/** The consumer of the call, which is created where there is none. */
function readerOf(call: Call, key: number, group: ConsumerGroup): Consumer {
  const i = options.groupAt + 1;
  const consumer = group.consumer(call.buf, call.start[i]!, call.end[i]!);
  if (consumer !== null) return consumer;
  const fresh = group.addConsumer(call.bytes(i), nowOf(call));
  call.dirty++;
  call.event(NOTIFY.stream | HARMLESS, "xgroup-createconsumer", key);
  if (options.noAck) propagateNewConsumer(call, key, group, fresh);
  return fresh;
}

/**
 * Replies with entries from `from` on, which become the consumer's to acknowledge; with CLAIM, first with others'
 * that were left alone, and with how long and how often each had been delivered.
 */
function deliver(call: Call, key: number, stream: Stream, group: ConsumerGroup, consumer: Consumer): void {
  const { reply } = call;
  const { minIdle, count, noAck } = options;
  const now = nowOf(call);
  const mark = reply.deferred();
  let found = minIdle < 0 ? 0 : claim(call, key, stream, group, consumer);
  let advanced = false;
  entries.start(stream, from, LAST_ID);
  for (; found < count && entries.next(); found++) {
    if (stream.advance(group, entries.id)) advanced = true;
    if (minIdle < 0) replyEntry(reply, entries);
    else {
      replyEntry(reply, entries, 4);
      reply.int(0);
      reply.int(0);
    }
    if (noAck) continue;
    group.deliver(entries.id, consumer, now, pending);
    consumer.activeTime = now;
    propagateClaim(call, key, group, pending);
  }
  if (noAck && advanced) propagateGroupId(call, key, group);
  reply.endDeferred(mark, "array", found);
}

/** Makes what was left alone for long enough the consumer's, and replies with it; returns how many there are. */
function claim(call: Call, key: number, stream: Stream, group: ConsumerGroup, consumer: Consumer): number {
  const { reply } = call;
  const now = nowOf(call);
  const claimed = claimable(stream, group, now - options.minIdle, options.count, now);
  for (const id of claimed) {
    entries.start(stream, id, id).next();
    group.pending.find(id, pending);
    replyEntry(reply, entries, 4);
    reply.int(Math.max(0, now - pending.time));
    pending.deliveries(deliveries);
    reply.int64(deliveries.low, deliveries.high);
    group.assign(pending, consumer);
    pending.deliveredAgain();
    pending.time = now;
    consumer.activeTime = now;
    propagateClaim(call, key, group, pending);
  }
  return claimed.length;
}

/** Replies with what the consumer has pending from `from` on; a deleted entry has a null in place of fields. */
function replyHistory(call: Call, stream: Stream, group: ConsumerGroup, consumer: Consumer): void {
  const { reply } = call;
  const mark = reply.deferred();
  let found = 0;
  let more = consumer.pending.ceiling(from, place);
  for (; more && found < options.count; found++, more = consumer.pending.next(place)) {
    from.read(place.rows, place.at);
    if (!replyOne(reply, stream, from, from)) {
      reply.array(2);
      replyId(reply, from);
      reply.nilArray();
    } else if (group.pending.find(from, pending)) {
      pending.time = nowOf(call);
      pending.deliveredAgain();
    }
  }
  reply.endDeferred(mark, "array", found);
}
