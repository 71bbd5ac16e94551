import { latin1Bytes, utf8 } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { NO_EXPIRY } from "../../encodings/hash-table-segment.ts";
import { LpItem } from "../../encodings/listpack.ts";
import { CommandError, wrongArity } from "../../resp/errors.ts";
import { replyItem } from "../sets/values.ts";
import {
  DELETED,
  expireField,
  FieldArguments,
  FieldChanges,
  fieldErrors,
  fieldExpiry,
  fieldsFrom,
  HPERSIST,
  HPEXPIREAT,
  isFields,
  type TimeForm,
  unknownArgument,
} from "./expiring.ts";
import { expectArguments } from "./fields.ts";
import type { Hashes } from "./values.ts";

/** HGETEX, HSETEX and HGETDEL, of Redis 8.0: values and expiry of hash fields in one command. */

const PERSIST = latin1Bytes("persist");
const KEEPTTL = latin1Bytes("keepttl");
const FNX = latin1Bytes("fnx");
const FXX = latin1Bytes("fxx");
const HDEL = latin1Bytes("HDEL");
const PXAT = latin1Bytes("PXAT");

/** Words that introduce a time. */
const TIMES: readonly (readonly [Uint8Array, TimeForm])[] = [
  [latin1Bytes("ex"), { seconds: true, relative: true }],
  [latin1Bytes("px"), { seconds: false, relative: true }],
  [latin1Bytes("exat"), { seconds: true, relative: false }],
  [latin1Bytes("pxat"), { seconds: false, relative: false }],
];

const value = new LpItem();
const changes = new FieldChanges();

function timeForm(call: Call, i: number): TimeForm | null {
  for (const [word, form] of TIMES) if (call.is(i, word)) return form;
  return null;
}

export function hgetdel(call: Call, hashes: Hashes): void {
  const { buf, start, end, reply, argc } = call;
  const hash = hashes.write(call);
  const first = fieldsFrom(call, 2);
  if (hash !== null) hashes.settle(call, hash, first);
  const found: Uint8Array[] = [];
  const before = call.dirty;
  const fields = call.fieldsWanted();
  reply.array(argc - first);
  for (let i = first; i < argc; i++) {
    if (!hash?.get(buf, start[i]!, end[i]!, value)) {
      reply.nil();
      continue;
    }
    replyItem(reply, value);
    hash.remove(buf, start[i]!, end[i]!);
    call.dirty++;
    fields?.push(call.bytes(i));
    if (call.recording) found.push(call.bytes(i));
  }
  if (call.dirty > before) call.fieldsEvent(NOTIFY.hash, "hdel", fields);
  if (hash !== null) hashes.dropIfEmpty(call, hash);
  if (found.length > 0) call.propagate(HDEL, call.bytes(1), ...found);
}

/** The options of HGETEX and HSETEX, which stand before or behind FIELDS; filled anew for each command. */
class FieldOptions {
  readonly fields = new FieldArguments();
  fnx = false;
  fxx = false;
  keepTtl = false;
  persist = false;
  /** The word that introduces the time, or 0. */
  timeAt = 0;
  at = NO_EXPIRY;

  /** `sets`: HSETEX, whose fields have values behind them. */
  parse(call: Call, sets: boolean): void {
    const { fields } = this;
    fields.clear();
    this.fnx = this.fxx = this.keepTtl = this.persist = false;
    this.timeAt = 0;
    this.at = NO_EXPIRY;
    const command = sets ? "hsetex" : "hgetex";
    for (let i = 2; i < call.argc; i++) {
      const form = timeForm(call, i);
      if (isFields(call, i)) {
        if (i + 1 >= call.argc && fields.first === 0) throw new CommandError(wrongArity(command));
        i = fields.read(call, i, sets ? 2 : 1, fieldErrors.invalid);
      } else if (form !== null) {
        this.checkSingle(sets);
        if (i + 1 >= call.argc) throw new CommandError("ERR missing expire time");
        this.timeAt = i;
        this.at = fieldExpiry(call, ++i, form, command);
      } else if (sets && call.is(i, KEEPTTL)) {
        this.checkSingle(sets);
        this.keepTtl = true;
      } else if (!sets && call.is(i, PERSIST)) {
        this.checkSingle(sets);
        this.persist = true;
      } else if (sets && (call.is(i, FNX) || call.is(i, FXX))) {
        if (this.fnx || this.fxx)
          throw new CommandError("ERR Only one of FXX or FNX arguments can be specified");
        this.fnx = call.is(i, FNX);
        this.fxx = !this.fnx;
      } else throw unknownArgument(call, i);
    }
    fields.check();
  }

  private checkSingle(sets: boolean): void {
    if (this.timeAt === 0 && !this.keepTtl && !this.persist) return;
    const last = sets ? "KEEPTTL" : "PERSIST";
    throw new CommandError(`ERR Only one of EX, PX, EXAT, PXAT or ${last} arguments can be specified`);
  }
}

const options = new FieldOptions();

export function hgetex(call: Call, hashes: Hashes): void {
  const { buf, start, reply } = call;
  const hash = hashes.write(call);
  options.parse(call, false);
  const { at, persist, timeAt } = options;
  const { first, end } = options.fields;
  if (hash !== null) hashes.settle(call, hash, first, end);
  changes.begin(call);
  reply.array(end - first);
  for (let i = first; i < end; i++) {
    if (!hash?.get(buf, start[i]!, call.end[i]!, value)) {
      reply.nil();
      continue;
    }
    replyItem(reply, value);
    if (timeAt > 0) {
      if (expireField(call, hash, i, at) === DELETED) changes.delete(i);
      else changes.update(i);
    } else if (persist && hash.expiryOf(buf, start[i]!, call.end[i]!) >= 0) {
      hash.setExpiry(buf, start[i]!, call.end[i]!, NO_EXPIRY);
      changes.update(i);
    }
  }
  changes.event(persist ? "hpersist" : "hexpire");
  if (hash !== null) hashes.finishExpiry(call, hash);
  if (persist) changes.propagate(HPERSIST, call.bytes(1));
  else changes.propagate(HPEXPIREAT, call.bytes(1), utf8(String(at)));
}

export function hsetex(call: Call, hashes: Hashes): void {
  const { buf, start, argc, db } = call;
  options.parse(call, true);
  const { fnx, fxx, at, timeAt } = options;
  const { first, end } = options.fields;
  const hash = hashes.writeOrCreate(call);
  const fresh = hash.size === 0;
  if (fnx || fxx) {
    hashes.settleStored(call, first, end, 2);
    for (let i = first; i < end; i += 2) {
      if (hash.has(buf, start[i]!, call.end[i]!) === fxx) continue;
      hashes.finish(call);
      return call.reply.int(0);
    }
  }
  call.reply.int(1);
  call.dirty += (end - first) / 2;
  const expired = timeAt > 0 && at <= db.context.clock.now && db.fields.mayExpire;
  if (!expired) expectArguments(call, hash, first, end);
  for (let i = first; i < end; i += 2) {
    if (expired) hash.remove(buf, start[i]!, call.end[i]!);
    else
      hash.set(
        buf,
        start[i]!,
        call.end[i]!,
        buf,
        start[i + 1]!,
        call.end[i + 1]!,
        timeAt > 0 || options.keepTtl,
      );
    if (expired && call.recording) call.propagate(HDEL, call.bytes(1), call.bytes(i));
    if (!expired && timeAt > 0) hash.setExpiry(buf, start[i]!, call.end[i]!, at);
  }
  const fields = call.fieldsFrom(first, end, 2);
  call.fieldsEvent(NOTIFY.hash, "hset", fields);
  if (timeAt > 0) call.fieldsEvent(NOTIFY.hash, expired ? "hdel" : "hexpire", fields);
  const position = hashes.finish(call);
  // A key that was made for fields which had expired already.
  if (expired && fresh && hash.size === 0) call.event(NOTIFY.generic, "del", 1);
  if (position !== 0 && timeAt > 0) db.fields.note(position);
  if (timeAt > 0 && !expired && call.recording) {
    const args = Array.from({ length: argc }, (_, i) => call.bytes(i));
    args[timeAt] = PXAT;
    args[timeAt + 1] = utf8(String(at));
    call.propagate(...args);
  }
}
