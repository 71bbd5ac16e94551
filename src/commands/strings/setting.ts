import { latin1Bytes, utf8 } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { KEEP_EXPIRY, NO_EXPIRY } from "../../keyspace/database.ts";
import { TYPE_STRING } from "../../keyspace/record.ts";
import { growString, StringView, stringLength } from "../../keyspace/strings.ts";
import { CommandError, errors, wrongArity } from "../../resp/errors.ts";
import { compares, comparisonOf, wantsDifference } from "./comparing.ts";
import { expiryArgument, FOR_GETEX, FOR_MSETEX, FOR_SET, StringOptions } from "./options.ts";
import { replyValue, stringAt, stringAtForWrite } from "./reading.ts";

/** SET and its kin: what gives a key a string value, or changes part of one. */

const options = new StringOptions();
const view = new StringView();

const SET = latin1Bytes("SET");
const DEL = latin1Bytes("DEL");
const PXAT = latin1Bytes("PXAT");
const KEEPTTL = latin1Bytes("KEEPTTL");
const PEXPIREAT = latin1Bytes("PEXPIREAT");
const PERSIST = latin1Bytes("PERSIST");
const MSET = latin1Bytes("MSET");

function storeValue(call: Call, key: number, value: number, expireAt: number): void {
  const { buf, start, end } = call;
  call.db.setString(buf, start[key]!, end[key]!, buf, start[value]!, end[value]!, expireAt);
  call.dirty++;
}

function store(call: Call, key: number, value: number, expireAt: number): void {
  storeValue(call, key, value, expireAt);
  call.event(NOTIFY.string, "set", key);
}

export function set(call: Call): void {
  if (call.argc === 3) {
    store(call, 1, 2, NO_EXPIRY);
    return call.reply.ok();
  }
  const { now } = call.db.context.clock;
  options.parse(call, 3, FOR_SET);
  const { nx, xx, get, keepTtl, comparisonAt } = options;
  const expireAt = options.expireAt(call, now, "set");
  const old = get ? stringAt(call, 1) : nx || xx || comparisonAt > 0 ? call.lookupWrite(1) : 0;
  const refused = (nx && old !== 0) || (xx && old === 0) || (comparisonAt > 0 && !comparisonHolds(call, old));
  if (get) {
    if (old === 0) call.reply.nil();
    else replyValue(call, old);
  }
  if (refused) {
    if (!get) call.reply.nil();
    return;
  }
  store(call, 1, 2, keepTtl ? KEEP_EXPIRY : expireAt);
  if (expireAt >= 0) call.event(NOTIFY.generic, "expire", 1);
  if (call.recording && expireAt >= 0) {
    if (options.givesMoment(call) && !get && comparisonAt === 0 && now <= expireAt) return call.reply.ok();
    call.propagate(SET, call.bytes(1), call.bytes(2), PXAT, utf8(String(expireAt)));
    if (now > expireAt) call.propagate(DEL, call.bytes(1));
  } else if (call.recording && (get || comparisonAt > 0)) {
    call.propagate(SET, call.bytes(1), call.bytes(2), ...(keepTtl ? [KEEPTTL] : []));
  }
  if (!get) call.reply.ok();
}

/** Whether the comparison that SET was given holds for the key's record; none holds with a key of another type. */
function comparisonHolds(call: Call, old: number): boolean {
  const at = options.comparisonAt;
  const kind = comparisonOf(call, at);
  if (old === 0) return wantsDifference(kind);
  if (!isString(call, old)) throw new CommandError(errors.wrongType);
  return compares(call, old, kind, at + 1);
}

export function setnx(call: Call): void {
  if (call.lookupWrite(1) !== 0) return call.reply.int(0);
  store(call, 1, 2, NO_EXPIRY);
  call.reply.int(1);
}

export function setex(call: Call): void {
  setWithTtl(call, true, "setex");
}

export function psetex(call: Call): void {
  setWithTtl(call, false, "psetex");
}

function setWithTtl(call: Call, seconds: boolean, command: string): void {
  const at = expiryArgument(call, 2, seconds, call.db.context.clock.now, command);
  store(call, 1, 3, at);
  call.event(NOTIFY.generic, "expire", 1);
  if (call.recording) call.propagate(SET, call.bytes(1), call.bytes(3), PXAT, utf8(String(at)));
  call.reply.ok();
}

export function getset(call: Call): void {
  const old = stringAt(call, 1);
  if (old === 0) call.reply.nil();
  else replyValue(call, old);
  store(call, 1, 2, NO_EXPIRY);
  if (call.recording) call.propagate(SET, call.bytes(1), call.bytes(2));
}

export function getdel(call: Call): void {
  const position = stringAt(call, 1);
  if (position === 0) return call.reply.nil();
  replyValue(call, position);
  call.db.remove(position);
  call.dirty++;
  call.event(NOTIFY.generic, "del", 1);
  if (call.recording) call.propagate(DEL, call.bytes(1));
}

export function getex(call: Call): void {
  const { now } = call.db.context.clock;
  options.parse(call, 2, FOR_GETEX);
  const { persist } = options;
  const position = stringAt(call, 1);
  if (position === 0) return call.reply.nil();
  const expireAt = options.expireAt(call, now, "getex");
  replyValue(call, position);
  if (expireAt >= 0 && now > expireAt) {
    call.db.remove(position);
    call.dirty++;
    call.event(NOTIFY.generic, "del", 1);
    if (call.recording) call.propagate(DEL, call.bytes(1));
  } else if (expireAt >= 0) {
    call.db.setExpiry(position, expireAt);
    call.dirty++;
    call.event(NOTIFY.generic, "expire", 1);
    if (call.recording) call.propagate(PEXPIREAT, call.bytes(1), utf8(String(expireAt)));
  } else if (persist && call.db.records.hasExpiry(position)) {
    call.db.setExpiry(position, NO_EXPIRY);
    call.dirty++;
    call.event(NOTIFY.generic, "persist", 1);
    if (call.recording) call.propagate(PERSIST, call.bytes(1));
  }
}

/**
 * MSETEX (Redis 8.4): several strings, all with the same expiry. Older servers do not know it, so it is handed on as
 * MSET where that says the same, else as one SET for each key.
 */
export function msetex(call: Call): void {
  const pairs = call.safeInt(1);
  if (!(pairs >= 1 && pairs <= 0x7fffffff)) throw new CommandError("ERR invalid numkeys value");
  const behind = 2 + 2 * pairs;
  if (behind > call.argc) throw new CommandError("ERR wrong number of key-value pairs");
  const { now } = call.db.context.clock;
  options.parse(call, behind, FOR_MSETEX);
  const { nx, xx, keepTtl } = options;
  const expireAt = options.expireAt(call, now, "msetex");
  if (nx || xx) {
    for (let i = 2; i < behind; i += 2) if ((call.lookupWrite(i) === 0) === xx) return call.reply.int(0);
  }
  const expiry = keepTtl ? KEEP_EXPIRY : expireAt;
  for (let i = 2; i < behind; i += 2) {
    storeValue(call, i, i + 1, expiry);
    // In this order in Redis 8.4, other than with SET.
    if (expireAt >= 0) call.event(NOTIFY.generic, "expire", i);
    call.event(NOTIFY.string, "set", i);
  }
  if (call.recording) propagatePairs(call, behind, expireAt, keepTtl);
  call.reply.int(1);
}

function propagatePairs(call: Call, behind: number, expireAt: number, keepTtl: boolean): void {
  if (expireAt < 0 && !keepTtl) {
    const pairs: Uint8Array[] = [];
    for (let i = 2; i < behind; i++) pairs.push(call.bytes(i));
    return call.propagate(MSET, ...pairs);
  }
  const kept = keepTtl ? [KEEPTTL] : [PXAT, utf8(String(expireAt))];
  for (let i = 2; i < behind; i += 2) call.propagate(SET, call.bytes(i), call.bytes(i + 1), ...kept);
}

export function mset(call: Call): void {
  if (call.argc % 2 === 0) throw new CommandError(wrongArity("mset"));
  for (let i = 1; i < call.argc; i += 2) store(call, i, i + 1, NO_EXPIRY);
  call.reply.ok();
}

export function msetnx(call: Call): void {
  if (call.argc % 2 === 0) throw new CommandError(wrongArity("msetnx"));
  for (let i = 1; i < call.argc; i += 2) if (call.lookupWrite(i) !== 0) return call.reply.int(0);
  for (let i = 1; i < call.argc; i += 2) store(call, i, i + 1, NO_EXPIRY);
  call.reply.int(1);
}

/** The in-place changes need the limit on a string's length. */
export interface StringLimits {
  readonly protoMaxBulkLen: number;
}

/** How long a string may become by this call. */
export function longestString({ session }: Call, limits: StringLimits): number {
  return session.isObeyed ? Number.POSITIVE_INFINITY : limits.protoMaxBulkLen;
}

/** Throws where a string may not become so long. */
function checkLength(call: Call, limits: StringLimits, length: number): void {
  if (length > longestString(call, limits)) throw new CommandError(errors.stringTooLong);
}

export function append(call: Call, limits: StringLimits): void {
  const position = stringAtForWrite(call, 1);
  const added = call.length(2);
  if (position === 0) {
    call.db.setString(
      call.buf,
      call.start[1]!,
      call.end[1]!,
      call.buf,
      call.start[2]!,
      call.end[2]!,
      NO_EXPIRY,
    );
    call.dirty++;
    call.event(NOTIFY.string, "append", 1);
    return call.reply.int(added);
  }
  const old = stringLength(call.db, position);
  checkLength(call, limits, old + added);
  growString(call.db, position, old + added, view);
  view.buf.set(call.buf.subarray(call.start[2]!, call.end[2]!), view.start + old);
  call.dirty++;
  call.event(NOTIFY.string, "append", 1);
  call.reply.int(old + added);
}

export function setrange(call: Call, limits: StringLimits): void {
  const offset = call.int(2);
  if (offset < 0) throw new CommandError(errors.offset);
  const position = stringAtForWrite(call, 1);
  const added = call.length(3);
  const old = position === 0 ? 0 : stringLength(call.db, position);
  if (added === 0) return call.reply.int(old);
  checkLength(call, limits, offset + added);
  writableString(call, 1, position, Math.max(old, offset + added), view);
  view.buf.set(call.buf.subarray(call.start[3]!, call.end[3]!), view.start + offset);
  call.dirty++;
  call.event(NOTIFY.string, "setrange", 1);
  call.reply.int(view.length);
}

/**
 * A writable view on the string under argument `key`, made `length` bytes long (never shorter than it is);
 * `position` 0 creates the key.
 */
export function writableString(
  call: Call,
  key: number,
  position: number,
  length: number,
  into: StringView,
): number {
  const { db } = call;
  if (position === 0) {
    position = db.setString(call.buf, call.start[key]!, call.end[key]!, EMPTY, 0, 0, NO_EXPIRY);
  }
  const old = stringLength(db, position);
  return growString(db, position, Math.max(old, length), into);
}

const EMPTY = new Uint8Array(0);

export function isString(call: Call, position: number): boolean {
  return call.db.records.type(position) === TYPE_STRING;
}
