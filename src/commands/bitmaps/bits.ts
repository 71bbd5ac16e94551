import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { ENC_BLOCK, ENC_RAW } from "../../keyspace/record.ts";
import { growString, StringView } from "../../keyspace/strings.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { parseBitOffset } from "../../types/bitfield.ts";
import { stringAt, stringAtForWrite } from "../strings/reading.ts";
import { longestString, type StringLimits, writableString } from "../strings/setting.ts";

/** SETBIT and GETBIT. Neither allocates anything where the string is long enough already. */

const view = new StringView();

/** The bit offset in argument i; throws where no string may be so long. */
function bitOffset(call: Call, i: number, limits: StringLimits): number {
  const offset = parseBitOffset(call.buf, call.start[i]!, call.end[i]!, 0, longestString(call, limits));
  if (offset < 0) throw new CommandError(errors.bitOffset);
  return offset;
}

export function setbit(call: Call, limits: StringLimits): void {
  const offset = bitOffset(call, 2, limits);
  const bit = call.safeInt(3);
  if (bit !== 0 && bit !== 1) throw new CommandError(errors.bitValue);
  const position = stringAtForWrite(call, 1);
  const index = Math.floor(offset / 8);
  const grown = openBytes(call, position, index + 1);
  const at = view.start + index;
  const shift = 7 - (offset & 7);
  const byte = view.buf[at]!;
  const old = (byte >>> shift) & 1;
  if (grown || old !== bit) {
    view.buf[at] = (byte & ~(1 << shift)) | (bit << shift);
    call.dirty++;
    call.event(NOTIFY.string, "setbit", 1);
  }
  call.reply.int(old);
}

/** Points the view at the string, made raw and at least `length` bytes long; whether it became longer. */
function openBytes(call: Call, position: number, length: number): boolean {
  if (position === 0) {
    writableString(call, 1, 0, length, view);
    return true;
  }
  const encoding = call.db.records.encoding(position);
  const old = view.read(call.db, position).length;
  if (old < length) growString(call.db, position, length, view);
  else if (encoding !== ENC_RAW && encoding !== ENC_BLOCK) growString(call.db, position, old, view);
  return old < length;
}

export function getbit(call: Call, limits: StringLimits): void {
  const offset = bitOffset(call, 2, limits);
  const position = stringAt(call, 1);
  if (position === 0) return call.reply.int(0);
  const at = view.read(call.db, position).start + Math.floor(offset / 8);
  call.reply.int(at < view.end ? (view.buf[at]! >>> (7 - (offset & 7))) & 1 : 0);
}
