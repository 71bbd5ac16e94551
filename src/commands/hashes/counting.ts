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
  writeInt64,
} from "../../bytes/int64.ts";
import { incrByFloat, parseLongDouble } from "../../bytes/long-double.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { parsed, parseMember } from "../../encodings/intset.ts";
import { LpItem } from "../../encodings/listpack.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { HashValue } from "../../types/hash.ts";
import type { Hashes } from "./values.ts";

/** HINCRBY, exact in 64 bits, and HINCRBYFLOAT, which propagates its result as HSET; the field keeps its expiry. */

const HSET = latin1Bytes("HSET");
const HSETEX = latin1Bytes("HSETEX");
const KEEPTTL = latin1Bytes("KEEPTTL");
const FIELDS = latin1Bytes("FIELDS");
const NOT_INTEGER = "ERR hash value is not an integer";
const NOT_FLOAT = "ERR hash value is not a float";
const INFINITE = "ERR value is NaN or Infinity";

const value = new LpItem();
const sum = { low: 0, high: 0 };
const digits = new Uint8Array(24);

export function hincrby(call: Call, hashes: Hashes): void {
  const { buf, start, end } = call;
  if (!parseMember(buf, start[3]!, end[3]!)) throw new CommandError(errors.notInteger);
  const { low, high } = parsed;
  const hash = hashes.writeOrCreate(call, 2);
  addTo(call, hash, low, high);
  const length = writeInt64(digits, 0, sum.low, sum.high);
  hash.set(buf, start[2]!, end[2]!, digits, 0, length, true);
  hashes.finish(call);
  call.dirty++;
  call.fieldsEvent(NOTIFY.hash, "hincrby", call.fieldsFrom(2, 3, 1));
  call.reply.int64(sum.low, sum.high);
}

/** Sets `sum` to the field's integer plus (low, high). */
function addTo(call: Call, hash: HashValue, low: number, high: number): void {
  let oldLow = 0;
  let oldHigh = 0;
  if (hash.get(call.buf, call.start[2]!, call.end[2]!, value)) {
    if (value.isInt) {
      oldLow = value.low;
      oldHigh = value.high;
    } else {
      if (!parseMember(value.buf, value.start, value.end)) throw new CommandError(NOT_INTEGER);
      oldLow = parsed.low;
      oldHigh = parsed.high;
    }
  }
  if (halvesAreSafe(oldHigh) && halvesAreSafe(high)) {
    const total = joinHalves(oldLow, oldHigh) + joinHalves(low, high);
    if (total <= MAX_SAFE && total >= -MAX_SAFE) {
      sum.low = lowHalf(total);
      sum.high = highHalf(total);
      return;
    }
  }
  const total = joinBig(oldLow, oldHigh) + joinBig(low, high);
  if (total > INT64_MAX || total < INT64_MIN) throw new CommandError(errors.overflow);
  sum.low = Number(BigInt.asIntN(32, total));
  sum.high = Number(total >> 32n);
}

export function hincrbyfloat(call: Call, hashes: Hashes): void {
  const { buf, start, end } = call;
  const by = call.text(3);
  const increment = parseLongDouble(by);
  if (increment === null) throw new CommandError(errors.notFloat);
  if (!Number.isFinite(increment.exponent)) throw new CommandError(INFINITE);
  const hash = hashes.writeOrCreate(call, 2);
  const old = hash.get(buf, start[2]!, end[2]!, value) ? textOf(value) : "0";
  const total = incrByFloat(old, by);
  if (!total.ok) throw new CommandError(total.error === "not-float" ? NOT_FLOAT : errors.nanOrInfinity);
  const text = latin1Bytes(total.text);
  const expires = hash.expiryOf(buf, start[2]!, end[2]!) >= 0;
  hash.set(buf, start[2]!, end[2]!, text, 0, text.length, true);
  hashes.finish(call);
  call.dirty++;
  call.fieldsEvent(NOTIFY.hash, "hincrbyfloat", call.fieldsFrom(2, 3, 1));
  if (call.recording) {
    if (expires)
      call.propagate(HSETEX, call.bytes(1), KEEPTTL, FIELDS, latin1Bytes("1"), call.bytes(2), text);
    else call.propagate(HSET, call.bytes(1), call.bytes(2), text);
  }
  call.reply.bulk(text);
}

function textOf(item: LpItem): string {
  item.text();
  return latin1Text(item.buf, item.start, item.end);
}
