import type { Call } from "../../call/call.ts";
import { ENC_BLOCK, ENC_INT, TYPE_STRING } from "../../keyspace/record.ts";
import { StringView, stringLength } from "../../keyspace/strings.ts";
import { CommandError, errors } from "../../resp/errors.ts";

/** GET and its kin: what reads a string, and what reads and then removes or re-dates it. */

const view = new StringView();

/** The string record under argument i for reading, or 0; throws WRONGTYPE for another type. */
export function stringAt(call: Call, i: number): number {
  return checkString(call, call.lookup(i));
}

export function stringAtForWrite(call: Call, i: number): number {
  return checkString(call, call.lookupWrite(i));
}

function checkString(call: Call, position: number): number {
  if (position !== 0 && call.db.records.type(position) !== TYPE_STRING)
    throw new CommandError(errors.wrongType);
  return position;
}

/** Replies with a string record's value as a bulk string. */
export function replyValue(call: Call, position: number): void {
  const { records } = call.db;
  const encoding = records.encoding(position);
  if (encoding === ENC_INT) {
    call.reply.bulkInt64(records.payloadLow(position), records.payloadHigh(position));
  } else if (encoding === ENC_BLOCK) {
    call.reply.bulk(records.blocks.get(records.payloadLow(position)), 0, records.valueLength(position));
  } else {
    const offset = records.valueOffset(position);
    call.reply.bulk(records.bytes(position), offset, offset + records.valueLength(position));
  }
}

export function get(call: Call): void {
  const position = stringAt(call, 1);
  if (position === 0) call.reply.nil();
  else replyValue(call, position);
}

export function mget(call: Call): void {
  call.reply.array(call.argc - 1);
  for (let i = 1; i < call.argc; i++) {
    const position = call.lookup(i);
    if (position === 0 || call.db.records.type(position) !== TYPE_STRING) call.reply.nil();
    else replyValue(call, position);
  }
}

export function strlen(call: Call): void {
  const position = stringAt(call, 1);
  call.reply.int(position === 0 ? 0 : stringLength(call.db, position));
}

export function getrange(call: Call): void {
  let start = call.int(2);
  let end = call.int(3);
  const position = stringAt(call, 1);
  const length = position === 0 ? 0 : stringLength(call.db, position);
  if (start < 0 && end < 0 && start > end) return call.reply.bulk(EMPTY);
  start = Math.max(0, start < 0 ? length + start : start);
  end = Math.min(length - 1, Math.max(0, end < 0 ? length + end : end));
  if (length === 0 || start > end) return call.reply.bulk(EMPTY);
  view.read(call.db, position);
  call.reply.bulk(view.buf, view.start + start, view.start + end + 1);
}

const EMPTY = new Uint8Array(0);
