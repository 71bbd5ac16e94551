import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { Counter, StreamId } from "../../encodings/stream-id.ts";
import { Place } from "../../encodings/stream-index.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { type ConsumerGroup, PendingEntry } from "../../types/stream-groups.ts";
import {
  groupAt,
  neededGroup,
  nowOf,
  readStart,
  readStop,
  readStrictId,
  replyId,
  streamAt,
  streamAtForUse,
} from "./common.ts";

/** XACK and XPENDING: what a group's consumers have been given and not yet acknowledged. */

const IDLE = latin1Bytes("idle");
/** Of an entry that was given back. */
export const NO_NAME = new Uint8Array(0);

const id = new StreamId();
const from = new StreamId();
const to = new StreamId();
const place = new Place();
const entry = new PendingEntry();
const deliveries = new Counter();

export function xack(call: Call): void {
  const stream = streamAtForUse(call, 1);
  const group = stream === null ? null : groupAt(call, stream, 2);
  if (group === null) return call.reply.int(0);
  for (let i = 3; i < call.argc; i++) readStrictId(call, i, id);
  let acknowledged = 0;
  for (let i = 3; i < call.argc; i++) if (group.acknowledge(readStrictId(call, i, id))) acknowledged++;
  call.dirty += acknowledged;
  call.besideContents = true;
  call.reply.int(acknowledged);
}

export function xpending(call: Call): void {
  const { argc } = call;
  if (argc !== 3 && (argc < 6 || argc > 9)) throw new CommandError(errors.syntax);
  if (argc === 3) return summary(call, neededGroup(call, streamAt(call, 1)));
  let minIdle = 0;
  let at = 3;
  if (call.is(3, IDLE)) {
    minIdle = call.int(4);
    if (argc < 8) throw new CommandError(errors.syntax);
    at = 5;
  }
  const count = call.int(at + 2);
  readStart(call, at, from);
  readStop(call, at + 1, to);
  const group = neededGroup(call, streamAt(call, 1));
  const consumerAt = at + 3 < argc ? at + 3 : 0;
  replyPending(call, group, count, minIdle, consumerAt);
}

function summary(call: Call, group: ConsumerGroup): void {
  const { reply } = call;
  const { pending } = group;
  reply.array(4);
  reply.int(pending.size);
  if (pending.size === 0) {
    reply.nil();
    reply.nil();
    reply.nilArray();
    return;
  }
  pending.first(place);
  replyId(reply, id.read(place.rows, place.at));
  pending.last(place);
  replyId(reply, id.read(place.rows, place.at));
  const busy = group.consumers.filter((consumer) => consumer.pending.size > 0);
  reply.array(busy.length);
  for (const consumer of busy) {
    reply.array(2);
    reply.bulk(consumer.name);
    reply.bulkInt(consumer.pending.size);
  }
}

/** The entries from `from` to `to`, all of them or one consumer's. */
function replyPending(
  call: Call,
  group: ConsumerGroup,
  count: number,
  minIdle: number,
  consumerAt: number,
): void {
  const { reply, buf, start, end } = call;
  const consumer = consumerAt > 0 ? group.consumer(buf, start[consumerAt]!, end[consumerAt]!) : null;
  if (consumerAt > 0 && consumer === null) return reply.array(0);
  const table = consumer?.pending ?? group.pending;
  const now = nowOf(call);
  const mark = reply.deferred();
  let found = 0;
  for (let more = table.ceiling(from, place); more && found < count; more = table.next(place)) {
    id.read(place.rows, place.at);
    if (id.compare(to) > 0) break;
    group.pending.find(id, entry);
    const idle = now - entry.time;
    const owner = group.ownerOf(entry);
    if (owner !== null && minIdle !== 0 && idle < minIdle) continue;
    found++;
    reply.array(4);
    replyId(reply, id);
    reply.bulk(owner === null ? NO_NAME : owner.name);
    reply.int(owner === null ? -1 : Math.max(0, idle));
    entry.deliveries(deliveries);
    reply.int64(deliveries.low, deliveries.high);
  }
  reply.endDeferred(mark, "array", found);
}
