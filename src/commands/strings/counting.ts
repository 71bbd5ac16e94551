import { latin1Bytes, latin1Text } from "../../bytes/ascii.ts";
import {
  halvesAreSafe,
  highHalf,
  INT64_MAX,
  INT64_MIN,
  joinBig,
  joinHalves,
  lowHalf,
  MAX_SAFE,
  parseInt64,
  parseSafeInt,
} from "../../bytes/int64.ts";
import { incrByFloat } from "../../bytes/long-double.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { EMBSTR_LIMIT, KEEP_EXPIRY } from "../../keyspace/database.ts";
import { ENC_EMBSTR, ENC_INT, ENC_RAW } from "../../keyspace/record.ts";
import { StringView } from "../../keyspace/strings.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { stringAtForWrite } from "./reading.ts";

/** INCR and its kin: exact in 64 bits; sums within 2^53 take the fast way with plain numbers. */

const view = new StringView();
const SET = latin1Bytes("SET");
const KEEPTTL = latin1Bytes("KEEPTTL");

export function incr(call: Call): void {
  add(call, 1);
}

export function decr(call: Call): void {
  add(call, -1);
}

export function incrby(call: Call): void {
  const by = call.safeInt(2);
  if (!Number.isNaN(by)) return add(call, by);
  // The number first: where it is none, that is the error, whatever the key holds.
  const big = call.bigint(2);
  addBig(call, stringAtForWrite(call, 1), big);
}

export function decrby(call: Call): void {
  const by = call.safeInt(2);
  if (!Number.isNaN(by)) return add(call, -by);
  const big = call.bigint(2);
  if (big === INT64_MIN) throw new CommandError("ERR decrement would overflow");
  addBig(call, stringAtForWrite(call, 1), -big);
}

function add(call: Call, by: number): void {
  const { db } = call;
  const position = stringAtForWrite(call, 1);
  let old = 0;
  if (position !== 0) {
    if (db.records.encoding(position) === ENC_INT) {
      const high = db.records.payloadHigh(position);
      if (!halvesAreSafe(high)) return addBig(call, position, BigInt(by));
      old = joinHalves(db.records.payloadLow(position), high);
    } else {
      view.read(db, position);
      old = parseSafeInt(view.buf, view.start, view.end);
      if (Number.isNaN(old)) return addBig(call, position, BigInt(by));
    }
  }
  const sum = old + by;
  if (sum > MAX_SAFE || sum < -MAX_SAFE) return addBig(call, position, BigInt(by));
  finish(call, position, lowHalf(sum), highHalf(sum));
}

function addBig(call: Call, position: number, by: bigint): void {
  const { records } = call.db;
  let old: bigint | null = 0n;
  if (position !== 0) {
    if (records.encoding(position) === ENC_INT)
      old = joinBig(records.payloadLow(position), records.payloadHigh(position));
    else {
      view.read(call.db, position);
      old = parseInt64(view.buf, view.start, view.end);
    }
  }
  if (old === null) throw new CommandError(errors.notInteger);
  const sum = old + by;
  if (sum > INT64_MAX || sum < INT64_MIN) throw new CommandError(errors.overflow);
  finish(call, position, Number(BigInt.asIntN(32, sum)), Number(sum >> 32n));
}

function finish(call: Call, position: number, low: number, high: number): void {
  const { db, buf, start, end } = call;
  if (position !== 0 && db.records.encoding(position) === ENC_INT) db.records.setPayload(position, low, high);
  else db.setHalves(buf, start[1]!, end[1]!, low, high, KEEP_EXPIRY);
  call.dirty++;
  call.event(NOTIFY.string, "incrby", 1);
  call.reply.int64(low, high);
}

export function incrbyfloat(call: Call): void {
  const position = stringAtForWrite(call, 1);
  const old = position === 0 ? "0" : textOf(call, position);
  const sum = incrByFloat(old, call.text(2));
  if (!sum.ok) throw new CommandError(sum.error === "not-float" ? errors.notFloat : errors.nanOrInfinity);
  const text = latin1Bytes(sum.text);
  const encoding = text.length <= EMBSTR_LIMIT ? ENC_EMBSTR : ENC_RAW;
  call.db.setBytes(call.buf, call.start[1]!, call.end[1]!, encoding, text, 0, text.length, KEEP_EXPIRY);
  call.dirty++;
  call.event(NOTIFY.string, "incrbyfloat", 1);
  if (call.recording) call.propagate(SET, call.bytes(1), text, KEEPTTL);
  call.reply.bulk(text);
}

function textOf(call: Call, position: number): string {
  view.read(call.db, position);
  return latin1Text(view.buf, view.start, view.end);
}
