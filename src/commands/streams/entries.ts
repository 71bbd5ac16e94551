import { LpItem, lpGet } from "../../encodings/listpack.ts";
import type { StreamId } from "../../encodings/stream-id.ts";
import { shortText } from "../../encodings/stream-node.ts";
import type { ByteStore } from "../../memory/byte-store.ts";
import type { ReplyWriter } from "../../resp/reply-writer.ts";
import type { Stream } from "../../types/stream.ts";
import { StreamIterator } from "../../types/stream-iterator.ts";
import { replyId } from "./common.ts";

/** Entries as replies: an array of ID and an array of fields and values each. */

const item = new LpItem();
const entries = new StreamIterator();

/** The entry that the iterator is at; with more `parts` than two, the caller writes those behind. */
export function replyEntry(reply: ReplyWriter, iterator: StreamIterator, parts = 2): void {
  reply.array(parts);
  replyId(reply, iterator.id);
  const { fieldCount, bytes } = iterator;
  reply.array(fieldCount * 2);
  for (let i = 0; i < fieldCount; i++) {
    replyText(reply, bytes, iterator.toField());
    replyText(reply, bytes, iterator.toValue());
  }
}

function replyText(reply: ReplyWriter, node: ByteStore, at: number): void {
  const length = shortText(node, at);
  const start = node.start + at + 1;
  if (length >= 0) return reply.bulk(node.buf, start, start + length);
  lpGet(node, at, item).text();
  reply.bulk(item.buf, item.start, item.end);
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
