import { copyBytes } from "../../bytes/ascii.ts";
import { digitsOf, writeInt } from "../../bytes/int64.ts";
import { LP_HEADER, LpItem, lpBackLength, lpGet } from "../../encodings/listpack.ts";
import { ListCursor } from "../../encodings/quicklist-cursor.ts";
import { OwnBytes } from "../../memory/byte-store.ts";
import type { ReplyWriter } from "../../resp/reply-writer.ts";
import type { ListStore } from "../../types/list.ts";

/** Replies made of list elements: written from the listpacks' bytes straight into the reply. */

const item = new LpItem();
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
/** Room for the frame of a bulk string, or an integer of 32 bits with it. */
const FRAME = 48;

/** Entries of a listpack from offset `i` of `buf` on, at most `count`; returns how many are still wanted. */
function replyEntries(reply: ReplyWriter, buf: Uint8Array, i: number, count: number): number {
  reply.reserve(FRAME);
  let out = reply.buf;
  let at = reply.pos;
  let room = out.length - FRAME;
  for (; count > 0; count--) {
    const head = buf[i]!;
    if (head >= 0x80 && head < 0xc0) {
      const length = head & 0x3f;
      if (at + length > room) {
        reply.pos = at;
        reply.reserve(length + FRAME);
        out = reply.buf;
        room = out.length - FRAME;
      }
      // As `frame`, written out: called here, it would cost as much as all the rest.
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
      const stop = ++i + length;
      if (length < 24) while (i < stop) out[at++] = buf[i++]!;
      else {
        copyBytes(out, at, buf, i, stop);
        at += length;
        i = stop;
      }
      out[at] = 13;
      out[at + 1] = 10;
      at += 2;
      i++;
    } else if (head < 0xe0 || (head > 0xf0 && head < 0xf4)) {
      if (at > room) {
        reply.pos = at;
        reply.reserve(FRAME);
        out = reply.buf;
        room = out.length - FRAME;
      }
      const value = smallInt(buf, i, head);
      const digits = value < 0 ? digitsOf(-value) + 1 : digitsOf(value);
      at = writeInt(out, frame(out, at, digits), value);
      out[at] = 13;
      out[at + 1] = 10;
      at += 2;
      i += head < 0x80 ? 2 : head < 0xe0 ? 3 : head - 0xf1 + 4;
    } else if (head === END) break;
    else {
      reply.pos = at;
      i = replyLongEntry(reply, buf, i, head);
      reply.reserve(FRAME);
      out = reply.buf;
      room = out.length - FRAME;
      at = reply.pos;
    }
  }
  reply.pos = at;
  return count;
}

/** "$" and a length below 100; returns what is behind it. */
function frame(out: Uint8Array, at: number, length: number): number {
  out[at++] = 36;
  if (length >= 10) {
    const tens = (length / 10) | 0;
    out[at++] = 48 + tens;
    length -= tens * 10;
  }
  out[at] = 48 + length;
  out[at + 1] = 13;
  out[at + 2] = 10;
  return at + 3;
}

/** The integer of an entry of up to 32 bits. */
function smallInt(buf: Uint8Array, i: number, head: number): number {
  if (head < 0x80) return head;
  if (head < 0xe0) return ((((head & 0x1f) << 8) | buf[i + 1]!) << 19) >> 19;
  let value = buf[i + 1]! | (buf[i + 2]! << 8);
  if (head === 0xf1) return (value << 16) >> 16;
  value |= buf[i + 3]! << 16;
  return head === 0xf2 ? (value << 8) >> 8 : value | (buf[i + 4]! << 24);
}

/** A string of 64 bytes or more, or an integer of 64 bits; returns the offset of the next entry. */
function replyLongEntry(reply: ReplyWriter, buf: Uint8Array, i: number, head: number): number {
  whole.buf = buf;
  whole.start = i - LP_HEADER;
  replyItem(reply, lpGet(whole, LP_HEADER, item));
  // As in lpNext, but behind the last entry as well.
  const body = item.isInt ? 9 : item.end - item.start + (head < 0xf0 ? 2 : 5);
  return i + body + lpBackLength(body);
}

const whole = new OwnBytes();
