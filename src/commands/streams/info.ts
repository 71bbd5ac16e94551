import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { Counter, StreamId } from "../../encodings/stream-id.ts";
import { Place } from "../../encodings/stream-index.ts";
import { CommandError, errors, subcommandSyntax } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/reply-writer.ts";
import type { Stream } from "../../types/stream.ts";
import { type Consumer, type ConsumerGroup, PendingEntry } from "../../types/stream-groups.ts";
import type { Producers } from "../../types/stream-producers.ts";
import { radixTreeNodes } from "../../types/stream-radix.ts";
import { replyHelp } from "../help.ts";
import { NO_LIMIT, nowOf, replyId, streamAt } from "./common.ts";
import { replyOne, replyRange } from "./entries.ts";
import { groupOf } from "./groups.ts";
import { NO_NAME } from "./pending.ts";

/** XINFO: what there is to know of a stream, its groups and their consumers. */

const FULL = latin1Bytes("full");
const COUNT = latin1Bytes("count");
const USUAL_COUNT = 10;

const HELP = [
  "CONSUMERS <key> <group>",
  "    The consumers of a group.",
  "GROUPS <key>",
  "    The groups of a stream.",
  "STREAM <key> [FULL [COUNT <count>]]",
  "    Facts about a stream; with FULL also its first entries, its groups and their consumers.",
];

const FIRST_ID = new StreamId();
const LAST_ID = new StreamId().setMax();
const counter = new Counter();
const id = new StreamId();
const place = new Place();
const entry = new PendingEntry();

function subject(call: Call): Stream {
  const stream = streamAt(call, 2);
  if (stream === null) throw new CommandError(errors.noSuchKey);
  stream.producers?.prune(nowOf(call));
  return stream;
}

function replyCounter(reply: ReplyWriter, value: Counter): void {
  reply.int64(value.low, value.high);
}

export function xinfoHelp(call: Call): void {
  replyHelp(call, "xinfo", HELP);
}

// -------------------------------------------------------------------------------- STREAM

export function xinfoStream(call: Call): void {
  const stream = subject(call);
  const { reply, argc } = call;
  if (argc > 3) return fullStream(call, stream);
  reply.map(10 + producerFacts(stream));
  replyFacts(reply, stream);
  reply.bulkText("groups");
  reply.int(stream.groups.length);
  reply.bulkText("first-entry");
  if (!replyOne(reply, stream, FIRST_ID, LAST_ID)) reply.nil();
  reply.bulkText("last-entry");
  if (!replyOne(reply, stream, FIRST_ID, LAST_ID, true)) reply.nil();
}

/** The seven facts that both forms begin with. */
function replyFacts(reply: ReplyWriter, stream: Stream): void {
  reply.bulkText("length");
  reply.int(stream.length);
  reply.bulkText("radix-tree-keys");
  reply.int(stream.nodes.size);
  reply.bulkText("radix-tree-nodes");
  reply.int(radixTreeNodes(stream.nodes));
  reply.bulkText("last-generated-id");
  replyId(reply, stream.lastId);
  reply.bulkText("max-deleted-entry-id");
  replyId(reply, stream.maxDeletedId);
  reply.bulkText("entries-added");
  replyCounter(reply, stream.entriesAdded);
  reply.bulkText("recorded-first-entry-id");
  replyId(reply, stream.firstId);
  if (stream.producers !== null) replyProducers(reply, stream.producers);
}

/** How many facts there are about idempotent producers. Redis 8.6 has them always. */
function producerFacts({ producers }: Stream): number {
  return producers === null ? 0 : 6;
}

function replyProducers(reply: ReplyWriter, producers: Producers): void {
  const facts: [string, number][] = [
    ["idmp-duration", producers.duration],
    ["idmp-maxsize", producers.maxSize],
    ["pids-tracked", producers.byName.size],
    ["iids-tracked", producers.count],
    ["iids-added", producers.added],
    ["iids-duplicates", producers.duplicates],
  ];
  for (const [name, value] of facts) {
    reply.bulkText(name);
    reply.int(value);
  }
}

function fullStream(call: Call, stream: Stream): void {
  const { reply, argc } = call;
  const malformed = (argc !== 4 && argc !== 6) || !call.is(3, FULL) || (argc === 6 && !call.is(4, COUNT));
  if (malformed) throw new CommandError(subcommandSyntax(call.quoted(1), call.text(0)));
  let count = argc === 6 ? call.int(5) : USUAL_COUNT;
  if (count < 0) count = USUAL_COUNT;
  else if (count === 0) count = NO_LIMIT;
  reply.map(9 + producerFacts(stream));
  replyFacts(reply, stream);
  reply.bulkText("entries");
  replyRange(reply, stream, FIRST_ID, LAST_ID, count, false);
  reply.bulkText("groups");
  reply.array(stream.groups.length);
  for (const group of stream.groups) fullGroup(reply, stream, group, count);
}

function fullGroup(reply: ReplyWriter, stream: Stream, group: ConsumerGroup, count: number): void {
  const released = group.releasedCount;
  reply.map(released > 0 ? 8 : 7);
  reply.bulkText("name");
  reply.bulk(group.name);
  replyProgress(reply, stream, group);
  reply.bulkText("pel-count");
  reply.int(group.pending.size);
  if (released > 0) {
    // Redis 8.8 has it always.
    reply.bulkText("nacked-count");
    reply.int(released);
  }
  reply.bulkText("pending");
  reply.array(Math.min(count, group.pending.size));
  let left = count;
  for (let more = group.pending.first(entry); more && left > 0; left--) {
    reply.array(4);
    replyId(reply, entry.readId());
    reply.bulk(group.ownerOf(entry)?.name ?? NO_NAME);
    replyDelivery(reply, entry);
    more = group.pending.next(entry);
  }
  reply.bulkText("consumers");
  reply.array(group.consumers.length);
  for (const consumer of group.consumers) fullConsumer(reply, group, consumer, count);
}

function fullConsumer(reply: ReplyWriter, group: ConsumerGroup, consumer: Consumer, count: number): void {
  const { pending } = consumer;
  reply.map(5);
  reply.bulkText("name");
  reply.bulk(consumer.name);
  reply.bulkText("seen-time");
  reply.int(consumer.seenTime);
  reply.bulkText("active-time");
  reply.int(consumer.activeTime);
  reply.bulkText("pel-count");
  reply.int(pending.size);
  reply.bulkText("pending");
  reply.array(Math.min(count, pending.size));
  let left = count;
  for (let more = pending.first(place); more && left > 0; left--) {
    group.pending.find(id.read(place.rows, place.at), entry);
    reply.array(3);
    replyId(reply, id);
    replyDelivery(reply, entry);
    more = pending.next(place);
  }
}

/** When and how often an entry was delivered. */
function replyDelivery(reply: ReplyWriter, pending: PendingEntry): void {
  reply.int(pending.time);
  replyCounter(reply, pending.deliveries(counter));
}

/** How far a group has come: three pairs. */
function replyProgress(reply: ReplyWriter, stream: Stream, group: ConsumerGroup): void {
  reply.bulkText("last-delivered-id");
  replyId(reply, group.lastId);
  reply.bulkText("entries-read");
  if (group.knowsEntriesRead) replyCounter(reply, group.entriesRead);
  else reply.nil();
  reply.bulkText("lag");
  if (stream.lag(group, counter)) replyCounter(reply, counter);
  else reply.nil();
}

// -------------------------------------------------------------------------------- GROUPS, CONSUMERS

export function xinfoGroups(call: Call): void {
  const stream = subject(call);
  const { reply } = call;
  reply.array(stream.groups.length);
  for (const group of stream.groups) {
    reply.map(6);
    reply.bulkText("name");
    reply.bulk(group.name);
    reply.bulkText("consumers");
    reply.int(group.consumers.length);
    reply.bulkText("pending");
    reply.int(group.pending.size);
    replyProgress(reply, stream, group);
  }
}

export function xinfoConsumers(call: Call): void {
  const group = groupOf(call, subject(call));
  const { reply } = call;
  const now = nowOf(call);
  reply.array(group.consumers.length);
  for (const { name, pending, seenTime, activeTime } of group.consumers) {
    reply.map(4);
    reply.bulkText("name");
    reply.bulk(name);
    reply.bulkText("pending");
    reply.int(pending.size);
    reply.bulkText("idle");
    reply.int(Math.max(0, now - seenTime));
    reply.bulkText("inactive");
    reply.int(activeTime === -1 ? -1 : now - activeTime);
  }
}
