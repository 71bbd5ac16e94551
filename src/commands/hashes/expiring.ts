import { latin1Bytes, utf8 } from "../../bytes/ascii.ts";
import { parseInt64Rounded } from "../../bytes/int64.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { NO_EXPIRY } from "../../encodings/hash-table-segment.ts";
import { CommandError, invalidExpire } from "../../resp/errors.ts";
import { NO_FIELD } from "../../types/hash.ts";
import type { Hashes, StoredHash } from "./values.ts";

/**
 * Expiry of hash fields, of Redis 7.4: HEXPIRE and its kin, HTTL and its kin, HPERSIST. What was set is
 * propagated as HPEXPIREAT, what a time in the past removed as HDEL.
 */

const FIELDS = latin1Bytes("fields");
const NX = latin1Bytes("nx");
const XX = latin1Bytes("xx");
const GT = latin1Bytes("gt");
const LT = latin1Bytes("lt");
const CONDITIONS = [NX, XX, GT, LT];

const HDEL = latin1Bytes("HDEL");
export const HPEXPIREAT = latin1Bytes("HPEXPIREAT");
export const HPERSIST = latin1Bytes("HPERSIST");
export const FIELDS_WORD = latin1Bytes("FIELDS");

/** Latest moment that a field can expire at, in milliseconds since 1970. */
const LATEST = 2 ** 46 - 1;

/** Replies for a field; -2 (NO_FIELD): there is none. */
const NO_TTL = -1;
const NOT_MET = 0;
const SET = 1;
export const DELETED = 2;

export const fieldErrors = {
  missing: "ERR Mandatory argument FIELDS is missing or not at the right position",
  positive: "ERR Number of fields must be a positive integer",
  aboveZero: "ERR Parameter `numFields` should be greater than 0",
  invalid: "ERR invalid number of fields",
  absent: "ERR missing FIELDS argument",
  twice: "ERR FIELDS keyword specified multiple times",
  tooFew: "ERR wrong number of arguments",
  mismatch: "ERR The `numfields` parameter must match the number of arguments",
  negative: "ERR invalid expire time, must be >= 0",
} as const;

/** Unit of a time argument, and whether it counts from now on. */
export interface TimeForm {
  seconds: boolean;
  relative: boolean;
}

/** The time that argument i gives, in milliseconds since 1970. */
export function fieldExpiry(call: Call, i: number, { seconds, relative }: TimeForm, command: string): number {
  let at = call.int(i);
  if (at < 0) throw new CommandError(fieldErrors.negative);
  if (seconds) at *= 1000;
  if (relative) at += call.db.context.clock.now;
  if (at > LATEST) throw new CommandError(invalidExpire(command));
  return at;
}

/** Checks "FIELDS numfields field ..." from argument i to the last; returns the argument of the first field. */
export function fieldsFrom(call: Call, i: number): number {
  if (i >= call.argc || !call.is(i, FIELDS)) throw new CommandError(fieldErrors.missing);
  if (i + 1 >= call.argc) throw new CommandError(fieldErrors.positive);
  const count = parseInt64Rounded(call.buf, call.start[i + 1]!, call.end[i + 1]!);
  if (!(count >= 1)) throw new CommandError(fieldErrors.positive);
  if (count !== call.argc - i - 2) throw new CommandError(fieldErrors.mismatch);
  return i + 2;
}

/** Replies the same for each field of a key that does not exist. */
function replyNoFields(call: Call, first: number, end = call.argc): void {
  call.reply.array(end - first);
  for (let i = first; i < end; i++) call.reply.int(NO_FIELD);
}

/**
 * "FIELDS numfields field ..." where options may stand before and behind it, as Redis reads it since 8.4: the arguments
 * [first, end) are the fields. One is filled anew for each command.
 */
export class FieldArguments {
  first = 0;
  end = 0;

  clear(): void {
    this.first = this.end = 0;
  }

  /** Reads it from FIELDS in argument i on; each field has so many arguments. Returns its last argument. */
  read(call: Call, i: number, argumentsEach: number, badNumber: string): number {
    if (this.first > 0) throw new CommandError(fieldErrors.twice);
    const count = parseInt64Rounded(call.buf, call.start[i + 1]!, call.end[i + 1]!);
    if (!(count >= 1 && count <= 0x7fffffff)) throw new CommandError(badNumber);
    this.first = i + 2;
    this.end = this.first + count * argumentsEach;
    if (this.end > call.argc) throw new CommandError(fieldErrors.tooFew);
    return this.end - 1;
  }

  /** After all arguments: FIELDS must have been among them. */
  check(): void {
    if (this.first === 0) throw new CommandError(fieldErrors.absent);
  }
}

export function isFields(call: Call, i: number): boolean {
  return call.is(i, FIELDS);
}

export function unknownArgument(call: Call, i: number): CommandError {
  return new CommandError(`ERR unknown argument: ${call.quoted(i)}`);
}

/** What changes of fields' expiry have to be propagated. */
export class FieldChanges {
  private readonly updated: Uint8Array[] = [];
  private readonly deleted: Uint8Array[] = [];
  private call!: Call;
  private updates = 0;
  private deletions = 0;
  /** For who wants to know: those deleted, or else updated. */
  private told: { updated: Uint8Array[]; deleted: Uint8Array[] } | null = null;

  /** Tells of them; the key may go with its last field. */
  event(updated: string): void {
    const { call } = this;
    if (this.deletions > 0) call.fieldsEvent(NOTIFY.hash, "hdel", this.told?.deleted ?? null);
    else if (this.updates > 0) call.fieldsEvent(NOTIFY.hash, updated, this.told?.updated ?? null);
  }

  begin(call: Call): this {
    this.call = call;
    this.updates = this.deletions = 0;
    this.updated.length = 0;
    this.deleted.length = 0;
    this.told = call.db.context.events.wantsFields ? { updated: [], deleted: [] } : null;
    return this;
  }

  update(i: number): void {
    this.updates++;
    this.call.dirty++;
    this.told?.updated.push(this.call.bytes(i));
    if (this.call.recording) this.updated.push(this.call.bytes(i));
  }

  delete(i: number): void {
    this.deletions++;
    this.call.dirty++;
    this.told?.deleted.push(this.call.bytes(i));
    if (this.call.recording) this.deleted.push(this.call.bytes(i));
  }

  /** Propagates HDEL for what was deleted and, for what was updated, the command with its first arguments. */
  propagate(...command: Uint8Array[]): void {
    const { call, updated, deleted } = this;
    if (!call.recording) return;
    for (const field of deleted) call.propagate(HDEL, call.bytes(1), field);
    if (updated.length > 0)
      call.propagate(...command, FIELDS_WORD, latin1Bytes(String(updated.length)), ...updated);
  }
}

const changes = new FieldChanges();

/** Gives the field in argument i, which exists, an expiry; one in the past removes it. SET or DELETED. */
export function expireField(call: Call, hash: StoredHash, i: number, at: number): number {
  const { buf, start, end, db } = call;
  if (at <= db.context.clock.now && db.fields.mayExpire) {
    hash.remove(buf, start[i]!, end[i]!);
    return DELETED;
  }
  hash.setExpiry(buf, start[i]!, end[i]!, at);
  return SET;
}

const fields = new FieldArguments();

/** The condition and FIELDS of HEXPIRE and its kin, in any order. */
function parseCondition(call: Call): Uint8Array | null {
  let condition: Uint8Array | null = null;
  let several = false;
  fields.clear();
  for (let i = 3; i < call.argc; i++) {
    if (isFields(call, i)) {
      if (fields.first > 0) throw new CommandError(fieldErrors.twice);
      if (i + 2 >= call.argc)
        throw new CommandError("ERR FIELDS requires at least numfields and one field argument");
      i = fields.read(call, i, 1, fieldErrors.aboveZero);
      continue;
    }
    const word = CONDITIONS.find((each) => call.is(i, each));
    if (word === undefined) throw unknownArgument(call, i);
    several ||= condition !== null && condition !== word;
    condition = word;
  }
  fields.check();
  if (several) throw new CommandError("ERR Multiple condition flags specified");
  return condition;
}

/** HEXPIRE, HPEXPIRE, HEXPIREAT, HPEXPIREAT. */
export function hexpire(call: Call, hashes: Hashes, form: TimeForm, command: string): void {
  const hash = hashes.write(call);
  const at = fieldExpiry(call, 2, form, command);
  const condition = parseCondition(call);
  const { first, end } = fields;
  if (hash === null) return replyNoFields(call, first, end);
  hashes.settle(call, hash, first, end);
  changes.begin(call);
  call.reply.array(end - first);
  for (let i = first; i < end; i++) {
    const old = hash.expiryOf(call.buf, call.start[i]!, call.end[i]!);
    let result = old === NO_FIELD ? NO_FIELD : NOT_MET;
    if (old !== NO_FIELD && isMet(condition, old, at)) {
      result = expireField(call, hash, i, at);
      if (result === DELETED) changes.delete(i);
      else changes.update(i);
    }
    call.reply.int(result);
  }
  changes.event("hexpire");
  hashes.finishExpiry(call, hash);
  changes.propagate(HPEXPIREAT, call.bytes(1), utf8(String(at)));
}

/** A field without expiry counts as one that expires never. */
function isMet(condition: Uint8Array | null, old: number, at: number): boolean {
  if (condition === NX) return old === NO_EXPIRY;
  if (condition === XX) return old !== NO_EXPIRY;
  if (condition === GT) return old !== NO_EXPIRY && at > old;
  if (condition === LT) return old === NO_EXPIRY || at < old;
  return true;
}

/** HTTL, HPTTL, HEXPIRETIME, HPEXPIRETIME. */
export function httl(call: Call, hashes: Hashes, { seconds, relative }: TimeForm): void {
  const hash = hashes.read(call);
  const first = fieldsFrom(call, 2);
  if (hash === null) return replyNoFields(call, first);
  const base = relative ? call.db.context.clock.now : 0;
  call.reply.array(call.argc - first);
  for (let i = first; i < call.argc; i++) {
    const at = hash.expiryOf(call.buf, call.start[i]!, call.end[i]!);
    if (at < 0) call.reply.int(at === NO_FIELD ? NO_FIELD : NO_TTL);
    else call.reply.int(seconds ? Math.floor((at + 999 - base) / 1000) : at - base);
  }
}

export function hpersist(call: Call, hashes: Hashes): void {
  const hash = hashes.write(call);
  const first = fieldsFrom(call, 2);
  if (hash === null) return replyNoFields(call, first);
  hashes.settle(call, hash, first);
  let changed = false;
  const persisted = call.fieldsWanted();
  call.reply.array(call.argc - first);
  for (let i = first; i < call.argc; i++) {
    const { buf, start, end } = call;
    const at = hash.expiryOf(buf, start[i]!, end[i]!);
    if (at >= 0) {
      hash.setExpiry(buf, start[i]!, end[i]!, NO_EXPIRY);
      changed = true;
      persisted?.push(call.bytes(i));
    }
    call.reply.int(at >= 0 ? SET : at === NO_FIELD ? NO_FIELD : NO_TTL);
  }
  if (changed) call.fieldsEvent(NOTIFY.hash, "hpersist", persisted);
  hashes.dropIfEmpty(call, hash);
  if (changed) call.dirty++;
}
