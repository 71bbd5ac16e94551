import { latin1Bytes, utf8 } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { NO_EXPIRY } from "../../keyspace/database.ts";
import { CommandError, invalidExpire } from "../../resp/errors.ts";
import { momentAt } from "./moment.ts";

/** EXPIRE in its four forms, TTL in its four, PERSIST. Times are kept as milliseconds since 1970. */

const NX = latin1Bytes("nx");
const XX = latin1Bytes("xx");
const GT = latin1Bytes("gt");
const LT = latin1Bytes("lt");
const DEL = latin1Bytes("DEL");
const PEXPIREAT = latin1Bytes("PEXPIREAT");

export function expire(call: Call): void {
  setExpiry(call, true, call.db.context.clock.now, "expire");
}

export function pexpire(call: Call): void {
  setExpiry(call, false, call.db.context.clock.now, "pexpire");
}

export function expireat(call: Call): void {
  setExpiry(call, true, 0, "expireat");
}

export function pexpireat(call: Call): void {
  setExpiry(call, false, 0, "pexpireat");
}

interface Condition {
  nx: boolean;
  xx: boolean;
  gt: boolean;
  lt: boolean;
}

function condition(call: Call): Condition | null {
  if (call.argc === 3) return null;
  const found: Condition = { nx: false, xx: false, gt: false, lt: false };
  for (let i = 3; i < call.argc; i++) {
    if (call.is(i, NX)) found.nx = true;
    else if (call.is(i, XX)) found.xx = true;
    else if (call.is(i, GT)) found.gt = true;
    else if (call.is(i, LT)) found.lt = true;
    else throw new CommandError(`ERR Unsupported option ${call.quoted(i, Number.POSITIVE_INFINITY)}`);
  }
  if (found.nx && (found.xx || found.gt || found.lt))
    throw new CommandError("ERR NX and XX, GT or LT options at the same time are not compatible");
  if (found.gt && found.lt)
    throw new CommandError("ERR GT and LT options at the same time are not compatible");
  return found;
}

/** Whether a key that expires at `current` (-1: never) may be given `at`. */
function holds({ nx, xx, gt, lt }: Condition, current: number, at: number): boolean {
  if (nx && current >= 0) return false;
  if (xx && current < 0) return false;
  if (gt && (current < 0 || at <= current)) return false;
  return !(lt && current >= 0 && at >= current);
}

function setExpiry(call: Call, seconds: boolean, base: number, command: string): void {
  const when = condition(call);
  const at = momentAt(call, 2, seconds, base);
  if (Number.isNaN(at)) throw new CommandError(invalidExpire(command));
  const { db } = call;
  const position = call.lookupWrite(1);
  if (position === 0) return call.reply.int(0);
  if (when !== null && !holds(when, db.records.expireAt(position), at)) return call.reply.int(0);
  if (at <= db.context.clock.now && !db.context.ignoreExpiry) {
    db.remove(position);
    call.event(NOTIFY.generic, "del", 1);
    if (call.recording) call.propagate(DEL, call.bytes(1));
  } else {
    db.setExpiry(position, at);
    call.event(NOTIFY.generic, "expire", 1);
    if (call.recording) call.propagate(PEXPIREAT, call.bytes(1), utf8(String(at)));
  }
  call.dirty++;
  call.reply.int(1);
}

export function persist(call: Call): void {
  const position = call.lookupWrite(1);
  if (position === 0 || !call.db.records.hasExpiry(position)) return call.reply.int(0);
  call.db.setExpiry(position, NO_EXPIRY);
  call.event(NOTIFY.generic, "persist", 1);
  call.dirty++;
  call.reply.int(1);
}

export function ttl(call: Call): void {
  replyTime(call, true, true);
}

export function pttl(call: Call): void {
  replyTime(call, false, true);
}

export function expiretime(call: Call): void {
  replyTime(call, true, false);
}

export function pexpiretime(call: Call): void {
  replyTime(call, false, false);
}

/** -2: no such key, -1: no expiry, else the time, seconds rounded to the nearest. */
function replyTime(call: Call, seconds: boolean, relative: boolean): void {
  const { buf, start, end, db } = call;
  const position = db.lookup(buf, start[1]!, end[1]!, false);
  if (position === 0) return call.reply.int(-2);
  const at = db.records.expireAt(position);
  if (at < 0) return call.reply.int(-1);
  const time = relative ? Math.max(0, at - db.context.clock.now) : at;
  call.reply.int(seconds ? Math.floor((time + 500) / 1000) : time);
}
