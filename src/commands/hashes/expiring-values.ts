import { latin1Bytes, utf8 } from "../../bytes/ascii.ts";
import { parseInt64Rounded } from "../../bytes/int64.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { NO_EXPIRY } from "../../encodings/hash-table-segment.ts";
import { LpItem } from "../../encodings/listpack.ts";
import { CommandError, wrongArity } from "../../resp/errors.ts";
import { replyItem } from "../sets/values.ts";
import {
  DELETED,
  expireField,
  FieldChanges,
  fieldExpiry,
  fieldsFrom,
  HPERSIST,
  HPEXPIREAT,
  type TimeForm,
} from "./expiring.ts";
import { expectArguments } from "./fields.ts";
import type { Hashes } from "./values.ts";

/** HGETEX, HSETEX and HGETDEL, of Redis 8.0: values and expiry of hash fields in one command. */

const FIELDS = latin1Bytes("fields");
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
  reply.array(argc - first);
  for (let i = first; i < argc; i++) {
    if (!hash?.get(buf, start[i]!, end[i]!, value)) {
      reply.nil();
      continue;
    }
    replyItem(reply, value);
    hash.remove(buf, start[i]!, end[i]!);
    call.dirty++;
    if (call.recording) found.push(call.bytes(i));
  }
  if (call.dirty > before) call.event(NOTIFY.hash, "hdel", 1);
  if (hash !== null) hashes.dropIfEmpty(call, hash);
  if (found.length > 0) call.propagate(HDEL, call.bytes(1), ...found);
}

export function hgetex(call: Call, hashes: Hashes): void {
  const { buf, start, end, reply, argc } = call;
  const hash = hashes.write(call);
  const form = timeForm(call, 2);
  const persist = call.is(2, PERSIST);
  const at = form === null ? NO_EXPIRY : fieldExpiry(call, 3, form, "hgetex");
  const first = fieldsFrom(call, form !== null ? 4 : persist ? 3 : 2);
  if (hash !== null) hashes.settle(call, hash, first);
  changes.begin(call);
  reply.array(argc - first);
  for (let i = first; i < argc; i++) {
    if (!hash?.get(buf, start[i]!, end[i]!, value)) {
      reply.nil();
      continue;
    }
    replyItem(reply, value);
    if (form !== null) {
      if (expireField(call, hash, i, at) === DELETED) changes.delete(i);
      else changes.update(i);
    } else if (persist && hash.expiryOf(buf, start[i]!, end[i]!) >= 0) {
      hash.setExpiry(buf, start[i]!, end[i]!, NO_EXPIRY);
      changes.update(i);
    }
  }
  changes.event(persist ? "hpersist" : "hexpire");
  if (hash !== null) hashes.finishExpiry(call, hash);
  if (persist) changes.propagate(HPERSIST, call.bytes(1));
  else changes.propagate(HPEXPIREAT, call.bytes(1), utf8(String(at)));
}

/** The options of HSETEX; filled anew for each command. */
class SetOptions {
  fnx = false;
  fxx = false;
  keepTtl = false;
  /** The word that introduces the time, or 0. */
  timeAt = 0;
  at = NO_EXPIRY;

  /** Returns the argument of the first field. */
  parse(call: Call): number {
    this.fnx = this.fxx = this.keepTtl = false;
    this.timeAt = 0;
    this.at = NO_EXPIRY;
    for (let i = 2; i < call.argc; i++) {
      if (call.is(i, FIELDS)) return this.pairsFrom(call, i);
      const form = timeForm(call, i);
      if (form !== null || call.is(i, KEEPTTL)) {
        if (this.timeAt > 0 || this.keepTtl)
          throw new CommandError("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
        if (form === null) {
          this.keepTtl = true;
          continue;
        }
        if (i + 1 >= call.argc) throw new CommandError("ERR missing expire time");
        this.timeAt = i;
        this.at = fieldExpiry(call, ++i, form, "hsetex");
      } else if (call.is(i, FNX) || call.is(i, FXX)) {
        if (this.fnx || this.fxx)
          throw new CommandError("ERR Only one of FXX or FNX arguments can be specified");
        this.fnx = call.is(i, FNX);
        this.fxx = !this.fnx;
      } else throw new CommandError(`ERR unknown argument: ${call.quoted(i)}`);
    }
    throw new CommandError(wrongArity("hsetex"));
  }

  private pairsFrom(call: Call, i: number): number {
    const rest = call.argc - i - 2;
    if (rest < 2) throw new CommandError(wrongArity("hsetex"));
    const count = parseInt64Rounded(call.buf, call.start[i + 1]!, call.end[i + 1]!);
    if (!(count >= 1 && count <= 0x7fffffff)) throw new CommandError("ERR invalid number of fields");
    if (count * 2 !== rest) throw new CommandError(wrongArity("hsetex"));
    return i + 2;
  }
}

const options = new SetOptions();

export function hsetex(call: Call, hashes: Hashes): void {
  const { buf, start, end, argc, db } = call;
  const first = options.parse(call);
  const { fnx, fxx, at, timeAt } = options;
  const hash = hashes.writeOrCreate(call);
  if (fnx || fxx) {
    hashes.settleStored(call, first, 2);
    for (let i = first; i < argc; i += 2) {
      if (hash.has(buf, start[i]!, end[i]!) === fxx) continue;
      hashes.finish(call);
      return call.reply.int(0);
    }
  }
  call.reply.int(1);
  call.dirty += (argc - first) / 2;
  const expired = timeAt > 0 && at <= db.context.clock.now && db.fields.mayExpire;
  if (!expired) expectArguments(call, hash, first, argc);
  for (let i = first; i < argc; i += 2) {
    if (expired) hash.remove(buf, start[i]!, end[i]!);
    else hash.set(buf, start[i]!, end[i]!, buf, start[i + 1]!, end[i + 1]!, timeAt > 0 || options.keepTtl);
    if (expired && call.recording) call.propagate(HDEL, call.bytes(1), call.bytes(i));
    if (!expired && timeAt > 0) hash.setExpiry(buf, start[i]!, end[i]!, at);
  }
  call.event(NOTIFY.hash, "hset", 1);
  if (timeAt > 0) call.event(NOTIFY.hash, expired ? "hdel" : "hexpire", 1);
  const position = hashes.finish(call);
  if (position !== 0 && timeAt > 0) db.fields.note(position);
  if (timeAt > 0 && !expired && call.recording) {
    const args = Array.from({ length: argc }, (_, i) => call.bytes(i));
    args[timeAt] = PXAT;
    args[timeAt + 1] = utf8(String(at));
    call.propagate(...args);
  }
}
