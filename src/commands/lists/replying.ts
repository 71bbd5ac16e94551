import { copyBytes } from "../../bytes/ascii.ts";
import { writeInt, writeInt64 } from "../../bytes/int64.ts";
import type { LpItem } from "../../encodings/listpack.ts";
import { lpNext } from "../../encodings/listpack.ts";
import { ListCursor } from "../../encodings/quicklist-cursor.ts";
import { LpItem as Item } from "../../encodings/listpack.ts";
import type { ReplyWriter } from "../../resp/reply-writer.ts";
import type { ListStore } from "../../types/list.ts";

/** Replies made of list elements: written from the listpacks' bytes straight into the reply. */

const item = new Item();
const cursor = new ListCursor();

/** One value as a bulk string. */
export function replyItem(reply: ReplyWriter, value: LpItem): void {
  if (value.isInt) reply.bulkInt64(value.low, value.high);
  else reply.bulk(value.buf, value.start, value.end);
}

/** `count` elements (there are so many) from this index on, without an array header. */
export function replyElements(
  reply: ReplyWriter,
  store: ListStore,
  index: number,
  count: number,
  backwards: boolean,
): void {
  store.seek(cursor, index, backwards);
  if (backwards) {
    for (; count > 0; count--) {
      replyItem(reply, cursor.get(item));
      cursor.advance();
    }
    return;
  }
  while (count > 0) {
    if (cursor.plain) {
      replyItem(reply, cursor.get(item));
      count--;
    } else {
      count = replyEntries(reply, cursor.bytes.buf, cursor.bytes.start + cursor.at, count);
    }
    if (count > 0) cursor.advanceNode();
  }
}

const END = 0xff;
/** Room for the frame of any bulk string, and for the digits of any integer. */
const FRAME = 48;

/** Entries of a listpack from offset `i` of `buf` on, at most `count`; returns how many are still wanted. */
function replyEntries(reply: ReplyWriter, buf: Uint8Array, i: number, count: number): number {
  let out = reply.buf;
  let at = reply.pos;
  let room = out.length - FRAME;
  for (; count > 0; count--) {
    const head = buf[i]!;
    if (head >= 0x80 && head < 0xc0) {
      // The most frequent case, short strings, in line.
      const length = head & 0x3f;
      if (at + length > room) {
        reply.pos = at;
        reply.reserve(length + FRAME);
        out = reply.buf;
        room = out.length - FRAME;
      }
      out[at] = 36;
      if (length < 10) out[at + 1] = 48 + length;
      else {
        const tens = (length / 10) | 0;
        out[++at] = 48 + tens;
        out[at + 1] = 48 + length - tens * 10;
      }
      out[at + 2] = 13;
      out[at + 3] = 10;
      at += 4;
      const stop = i + 1 + length;
      if (length < 24) for (i++; i < stop; i++) out[at++] = buf[i]!;
      else {
        copyBytes(out, at, buf, i + 1, stop);
        at += length;
        i = stop;
      }
      out[at] = 13;
      out[at + 1] = 10;
      at += 2;
      i++;
      continue;
    }
    if (head === END) break;
    reply.pos = at;
    i = replyEntry(reply, buf, i);
    out = reply.buf;
    room = out.length - FRAME;
    at = reply.pos;
  }
  reply.pos = at;
  return count;
}
