import type { Blocking } from "../../blocking/blocking.ts";
import { parseSafeInt } from "../../bytes/int64.ts";
import type { Call } from "../../call/call.ts";
import { type Counter, ID_TEXT, type StreamId } from "../../encodings/stream-id.ts";
import { TYPE_STREAM } from "../../keyspace/record.ts";
import { objectOf } from "../../keyspace/value-bytes.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/reply-writer.ts";
import type { Stream } from "../../types/stream.ts";
import type { ConsumerGroup } from "../../types/stream-groups.ts";

/** What stream commands need, and what several of them share: finding streams and groups, reading IDs. */
export interface StreamDeps {
  readonly config: {
    readonly values: {
      readonly streamNodeMaxBytes: number;
      readonly streamNodeMaxEntries: number;
      readonly streamIdmpDuration: number;
      readonly streamIdmpMaxsize: number;
    };
  };
  readonly blocking: Blocking;
}

export const streamErrors = {
  invalidId: "ERR Invalid stream ID specified as stream command argument",
  startId: "ERR invalid start ID for the interval",
  endId: "ERR invalid end ID for the interval",
} as const;

/** More entries than there can be. */
export const NO_LIMIT = Number.POSITIVE_INFINITY;

// ------------------------------------------------------------------ streams and groups

function streamIn(call: Call, position: number): Stream | null {
  if (position === 0) return null;
  if (call.db.records.type(position) !== TYPE_STREAM) throw new CommandError(errors.wrongType);
  return objectOf(call.db, position) as Stream;
}

/** The stream at the key in argument i for reading, or null; throws for another type. */
export function streamAt(call: Call, i: number): Stream | null {
  return streamIn(call, call.lookup(i));
}

export function streamAtForWrite(call: Call, i: number): Stream | null {
  return streamIn(call, call.lookupWrite(i));
}

/** As `streamAtForWrite`, for commands that Redis counts as readers of the key: a hit or a miss. */
export function streamAtForUse(call: Call, i: number): Stream | null {
  const position = call.lookupWrite(i);
  if (position === 0) call.db.missed(call.buf, call.start[i]!, call.end[i]!);
  else call.db.context.stats.hits++;
  return streamIn(call, position);
}

/** The group named by argument i, or null. */
export function groupAt(call: Call, stream: Stream, i: number): ConsumerGroup | null {
  return stream.group(call.buf, call.start[i]!, call.end[i]!);
}

/** The group in argument 2 of the stream in argument 1; throws where there is none. */
export function neededGroup(call: Call, stream: Stream | null): ConsumerGroup {
  const group = stream === null ? null : groupAt(call, stream, 2);
  if (group === null)
    throw new CommandError(`NOGROUP No such key '${whole(call, 1)}' or consumer group '${whole(call, 2)}'`);
  return group;
}

/** Argument i for an error sentence. */
export function whole(call: Call, i: number): string {
  return call.quoted(i, Number.POSITIVE_INFINITY);
}

export function nowOf(call: Call): number {
  return call.db.context.clock.now;
}

// ------------------------------------------------------------------ arguments

/** Whether argument i is this one character. */
export function isChar(call: Call, i: number, char: number): boolean {
  return call.length(i) === 1 && call.buf[call.start[i]!] === char;
}

/** Reads argument i as an ID; "-" and "+" are none. */
export function readStrictId(call: Call, i: number, into: StreamId): StreamId {
  if (into.parse(call.buf, call.start[i]!, call.end[i]!, true) === 0)
    throw new CommandError(streamErrors.invalidId);
  return into;
}

/** Reads argument i as an ID, "-" and "+" included. */
export function readId(call: Call, i: number, into: StreamId): StreamId {
  if (into.parse(call.buf, call.start[i]!, call.end[i]!, false) === 0)
    throw new CommandError(streamErrors.invalidId);
  return into;
}

const PAREN = 40;

/** Reads argument i as the lower end of an interval; "(" before it leaves the ID itself out. */
export function readStart(call: Call, i: number, into: StreamId): void {
  if (readEnd(call, i, into, false) && !into.increment()) throw new CommandError(streamErrors.startId);
}

/** As `readStart`, the upper end. */
export function readStop(call: Call, i: number, into: StreamId): void {
  if (readEnd(call, i, into, true) && !into.decrement()) throw new CommandError(streamErrors.endId);
}

/** Whether the ID itself is left out. */
function readEnd(call: Call, i: number, into: StreamId, seqMax: boolean): boolean {
  const { buf, start, end } = call;
  const exclusive = call.length(i) > 1 && buf[start[i]!] === PAREN;
  if (into.parse(buf, start[i]! + (exclusive ? 1 : 0), end[i]!, exclusive, seqMax) === 0)
    throw new CommandError(streamErrors.invalidId);
  return exclusive;
}

/** Argument i as a 64-bit integer, exact. */
export function readCounter(call: Call, i: number, into: Counter): Counter {
  const value = parseSafeInt(call.buf, call.start[i]!, call.end[i]!);
  return Number.isNaN(value) ? into.setBig(call.bigint(i)) : into.set(value);
}

// ------------------------------------------------------------------ replies

/** Bytes before the text of an ID of ten characters or more: "$nn\r\n". */
const BULK_HEAD = 5;

export function replyId(reply: ReplyWriter, id: StreamId): void {
  reply.reserve(BULK_HEAD + ID_TEXT + 2);
  const { buf, pos } = reply;
  const end = id.writeText(buf, pos + BULK_HEAD);
  const length = end - pos - BULK_HEAD;
  if (length < 10) return reply.bulk(buf.slice(pos + BULK_HEAD, end));
  const tens = (length / 10) | 0;
  buf[pos] = 36;
  buf[pos + 1] = 48 + tens;
  buf[pos + 2] = 48 + length - tens * 10;
  buf[pos + 3] = buf[end] = 13;
  buf[pos + 4] = buf[end + 1] = 10;
  reply.pos = end + 2;
}
