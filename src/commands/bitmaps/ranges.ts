import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { NO_EXPIRY } from "../../keyspace/database.ts";
import { ENC_RAW } from "../../keyspace/record.ts";
import { StringView } from "../../keyspace/strings.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import {
  type BitOperation,
  bitCountRange,
  bitOperation,
  bitPosition,
  type Index,
  popcount,
} from "../../types/bitmap.ts";
import { stringAt } from "../strings/reading.ts";

/** BITCOUNT, BITPOS and BITOP: what goes over a range of bits, or over whole strings. */

const BIT = latin1Bytes("bit");
const BYTE = latin1Bytes("byte");
const OPERATIONS: readonly [Uint8Array, BitOperation][] = (
  ["and", "or", "xor", "not", "diff", "diff1", "andor", "one"] as const
).map((name) => [latin1Bytes(name), name]);
const SET = latin1Bytes("SET");
const DEL = latin1Bytes("DEL");
const EMPTY = new Uint8Array(0);

const view = new StringView();

/** A whole string as an array of its own, in place where it stands. */
function bytesOf(call: Call, position: number, into: StringView): Uint8Array {
  into.read(call.db, position);
  return into.buf.subarray(into.start, into.end);
}

/** An index of up to 64 bits, exact. */
function indexAt(call: Call, i: number): Index {
  const index = call.safeInt(i);
  return Number.isNaN(index) ? call.bigint(i) : index;
}

/** Whether argument i says BIT rather than BYTE. */
function unitAt(call: Call, i: number): boolean {
  if (call.is(i, BIT)) return true;
  if (call.is(i, BYTE)) return false;
  throw new CommandError(errors.syntax);
}

// In both commands what a missing key or an early result leaves unread is not checked either, as in Redis.

export function bitcount(call: Call): void {
  const position = stringAt(call, 1);
  if (position === 0) return call.reply.int(0);
  if (call.argc === 2) {
    view.read(call.db, position);
    return call.reply.int(popcount(view.buf, view.start, view.end));
  }
  if (call.argc !== 4 && call.argc !== 5) throw new CommandError(errors.syntax);
  const start = indexAt(call, 2);
  const end = indexAt(call, 3);
  if (start < 0 && end < 0 && start > end) return call.reply.int(0);
  const inBits = call.argc === 5 && unitAt(call, 4);
  call.reply.int(bitCountRange(bytesOf(call, position, view), start, end, inBits));
}

export function bitpos(call: Call): void {
  const bit = call.int(2);
  if (bit !== 0 && bit !== 1) throw new CommandError(errors.bitArgument);
  const position = stringAt(call, 1);
  if (position === 0) return call.reply.int(bit === 1 ? -1 : 0);
  if (call.argc > 6) throw new CommandError(errors.syntax);
  const start = call.argc > 3 ? indexAt(call, 3) : 0;
  const inBits = call.argc === 6 && unitAt(call, 5);
  const end = call.argc > 4 ? indexAt(call, 4) : undefined;
  call.reply.int(bitPosition(bytesOf(call, position, view), bit, start, end, inBits));
}

export function bitop(call: Call): void {
  const operation = OPERATIONS.find(([word]) => call.is(1, word))?.[1];
  if (operation === undefined) throw new CommandError(errors.syntax);
  if (operation === "not" && call.argc !== 4)
    throw new CommandError("ERR BITOP NOT must be called with a single source key.");
  if (setsApart(operation) && call.argc < 5)
    throw new CommandError(
      `ERR BITOP ${operation.toUpperCase()} must be called with at least two source keys.`,
    );
  const sources: Uint8Array[] = [];
  for (let i = 3; i < call.argc; i++) {
    const position = stringAt(call, i);
    sources.push(position === 0 ? EMPTY : bytesOf(call, position, new StringView()));
  }
  const result = bitOperation(operation, sources);
  storeResult(call, result);
  if (call.recording && call.dirty > 0 && (operation === "one" || setsApart(operation))) {
    // Older servers do not know these.
    if (result.length > 0) call.propagate(SET, call.bytes(2), result);
    else call.propagate(DEL, call.bytes(2));
  }
  call.reply.int(result.length);
}

/** Whether the first source is set against the others. */
function setsApart(operation: BitOperation): boolean {
  return operation === "diff" || operation === "diff1" || operation === "andor";
}

/** Puts the result under the key in argument 2; an empty one removes it. */
function storeResult(call: Call, result: Uint8Array): void {
  const { db, buf, start, end } = call;
  if (result.length > 0) {
    db.setBytes(buf, start[2]!, end[2]!, ENC_RAW, result, 0, result.length, NO_EXPIRY);
    call.event(NOTIFY.string, "set", 2);
  } else {
    const old = db.find(buf, start[2]!, end[2]!);
    if (old === 0) return;
    db.remove(old);
    call.event(NOTIFY.generic, "del", 2);
  }
  call.dirty++;
}
