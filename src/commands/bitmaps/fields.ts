import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { StringView, stringLength } from "../../keyspace/strings.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import {
  BITFIELD_TYPE_ERROR,
  type BitfieldOutcome,
  type BitfieldType,
  bitfieldEnd,
  bitfieldGet,
  bitfieldIncrBy,
  bitfieldSet,
  type Int64,
  type Overflow,
  parseBitfieldType,
  parseBitOffset,
} from "../../types/bitfield.ts";
import { stringAt, stringAtForWrite } from "../strings/reading.ts";
import { longestString, type StringLimits, writableString } from "../strings/setting.ts";

/**
 * BITFIELD and BITFIELD_RO. The arguments are gone through twice: first all of them are checked and the string's
 * length is found, as nothing may happen where one is wrong; then the operations are carried out.
 */

const GET = latin1Bytes("get");
const SET = latin1Bytes("set");
const INCRBY = latin1Bytes("incrby");
const OVERFLOW = latin1Bytes("overflow");
const MODES: readonly [Uint8Array, Overflow][] = (["wrap", "sat", "fail"] as const).map((name) => [
  latin1Bytes(name),
  name,
]);
const EMPTY = new Uint8Array(0);

const view = new StringView();
const outcome: BitfieldOutcome = { reply: 0, changed: false };

/** The operation read last, filled anew by `readOperation`. */
const operation = {
  kind: "get" as "get" | "set" | "incrby" | "overflow",
  type: 0 as BitfieldType,
  offset: 0,
  value: 0 as Int64,
};
/** The mode of the writes to come, which an OVERFLOW among the arguments changes. */
let overflow: Overflow = "wrap";
/** Whether the string became longer: then each write counts as a change. */
let grown = false;

/** Reads the operation at argument i; returns the argument behind it. */
function readOperation(call: Call, i: number, limits: StringLimits): number {
  const left = call.argc - i - 1;
  if (call.is(i, OVERFLOW) && left >= 1) {
    const mode = MODES.find(([word]) => call.is(i + 1, word));
    if (mode === undefined) throw new CommandError("ERR Invalid OVERFLOW type specified");
    overflow = mode[1];
    operation.kind = "overflow";
    return i + 2;
  }
  if (call.is(i, GET) && left >= 2) operation.kind = "get";
  else if (call.is(i, SET) && left >= 3) operation.kind = "set";
  else if (call.is(i, INCRBY) && left >= 3) operation.kind = "incrby";
  else throw new CommandError(errors.syntax);
  const { buf, start, end } = call;
  operation.type = parseBitfieldType(buf, start[i + 1]!, end[i + 1]!);
  if (operation.type < 0) throw new CommandError(BITFIELD_TYPE_ERROR);
  operation.offset = parseBitOffset(
    buf,
    start[i + 2]!,
    end[i + 2]!,
    operation.type,
    longestString(call, limits),
  );
  if (operation.offset < 0) throw new CommandError(errors.bitOffset);
  if (operation.kind === "get") return i + 3;
  const value = call.safeInt(i + 3);
  operation.value = Number.isNaN(value) ? call.bigint(i + 3) : value;
  return i + 4;
}

export function bitfield(call: Call, limits: StringLimits): void {
  run(call, limits, true);
}

export function bitfieldRo(call: Call, limits: StringLimits): void {
  run(call, limits, false);
}

function run(call: Call, limits: StringLimits, mayWrite: boolean): void {
  let count = 0;
  let length = 0;
  for (let i = 2; i < call.argc; ) {
    i = readOperation(call, i, limits);
    if (operation.kind === "overflow") continue;
    count++;
    if (operation.kind !== "get") length = Math.max(length, bitfieldEnd(operation.type, operation.offset));
  }
  if (length > 0 && !mayWrite) throw new CommandError("ERR BITFIELD_RO only supports the GET subcommand");
  grown = false;
  const bytes = length > 0 ? writableBytes(call, length) : readableBytes(call);
  call.reply.array(count);
  overflow = "wrap";
  for (let i = 2; i < call.argc; ) {
    i = readOperation(call, i, limits);
    if (operation.kind !== "overflow") carryOut(call, bytes);
  }
  if (call.dirty > 0) call.event(NOTIFY.string, "setbit", 1);
  // Redis counts no change where OVERFLOW FAIL refused all writes, though the string may have grown; then the
  // replicas' and the AOF's would stay shorter.
  if (grown && call.dirty === 0) call.dirty++;
}

function readableBytes(call: Call): Uint8Array {
  const position = stringAt(call, 1);
  if (position === 0) return EMPTY;
  view.read(call.db, position);
  return view.buf.subarray(view.start, view.end);
}

/** The string, made at least `length` bytes long. */
function writableBytes(call: Call, length: number): Uint8Array {
  const position = stringAtForWrite(call, 1);
  grown = position === 0 || stringLength(call.db, position) < length;
  writableString(call, 1, position, length, view);
  return view.buf.subarray(view.start, view.end);
}

function carryOut(call: Call, bytes: Uint8Array): void {
  const { kind, type, offset, value } = operation;
  if (kind === "get") return replyInt(call, bitfieldGet(bytes, type, offset));
  if (kind === "set") bitfieldSet(bytes, type, offset, value, overflow, outcome);
  else bitfieldIncrBy(bytes, type, offset, value, overflow, outcome);
  if (outcome.changed || (grown && outcome.reply !== null)) call.dirty++;
  if (outcome.reply === null) call.reply.nil();
  else replyInt(call, outcome.reply);
}

function replyInt(call: Call, value: Int64): void {
  if (typeof value === "number") call.reply.int(value);
  else call.reply.bigint(value);
}
