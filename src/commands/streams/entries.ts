import { LpItem } from "../../encodings/listpack.ts";
import type { StreamId } from "../../encodings/stream-id.ts";
import type { ReplyWriter } from "../../resp/reply-writer.ts";
import type { Stream } from "../../types/stream.ts";
import { StreamIterator } from "../../types/stream-iterator.ts";
import { replyId } from "./common.ts";

/** Entries as replies: an array of ID and an array of fields and values each. */

const field = new LpItem();
const value = new LpItem();
const entries = new StreamIterator();

/** The entry that the iterator is at. */
export function replyEntry(reply: ReplyWriter, iterator: StreamIterator): void {
  reply.array(2);
  replyId(reply, iterator.id);
  const { fieldCount } = iterator;
  reply.array(fieldCount * 2);
  for (let i = 0; i < fieldCount; i++) {
    iterator.readField(field, value);
    field.text();
    reply.bulk(field.buf, field.start, field.end);
    value.text();
    reply.bulk(value.buf, value.start, value.end);
  }
}

/** An array of the entries between two IDs, at most `count`; returns how many there are. */
export function replyRange(
  reply: ReplyWriter,
  stream: Stream,
  from: StreamId,
  to: StreamId,
  count: number,
  reverse: boolean,
): number {
  entries.start(stream, from, to, reverse);
  const mark = reply.deferred();
  let found = 0;
  for (; found < count && entries.next(); found++) replyEntry(reply, entries);
  reply.endDeferred(mark, "array", found);
  return found;
}

/** The first entry between two IDs without an array around it; false, and no reply, if there is none. */
export function replyOne(
  reply: ReplyWriter,
  stream: Stream,
  from: StreamId,
  to: StreamId,
  reverse = false,
): boolean {
  if (!entries.start(stream, from, to, reverse).next()) return false;
  replyEntry(reply, entries);
  return true;
}
