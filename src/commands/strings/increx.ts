import { latin1Bytes, latin1Text, utf8 } from "../../bytes/ascii.ts";
import { INT64_MAX, INT64_MIN, parseInt64 } from "../../bytes/int64.ts";
import {
  addLongDouble,
  compareLongDouble,
  formatLongDouble,
  LARGEST,
  type LongDouble,
  negated,
  parseLongDouble,
  ZERO,
} from "../../bytes/long-double.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { EMBSTR_LIMIT, KEEP_EXPIRY, NO_EXPIRY } from "../../keyspace/database.ts";
import { ENC_EMBSTR, ENC_RAW } from "../../keyspace/record.ts";
import { StringView } from "../../keyspace/strings.ts";
import { CommandError, errors, fail } from "../../resp/errors.ts";
import { expiryArgument } from "./options.ts";
import { stringAtForWrite } from "./reading.ts";

/**
 * INCREX of Redis 8.8: a counter with bounds and an expiry, as rate limiters need it
 * (https://redis.io/docs/latest/commands/increx/).
 *
 * A sum beyond a bound (or beyond what the type of number holds) changes nothing, and the reply is the old value and 0;
 * with SATURATE it becomes that bound. The reply is the value and what was added to it. Handed on as SET, with the
 * moment of expiry or KEEPTTL: older servers do not know INCREX, and floats are not added twice.
 *
 * The two kinds of numbers are one algorithm over `Numbers`: int64 as bigint, and the 80-bit long double.
 */
const BYINT = latin1Bytes("byint");
const BYFLOAT = latin1Bytes("byfloat");
const LBOUND = latin1Bytes("lbound");
const UBOUND = latin1Bytes("ubound");
const SATURATE = latin1Bytes("saturate");
const ENX = latin1Bytes("enx");
const PERSIST = latin1Bytes("persist");
const UNITS = ["ex", "px", "exat", "pxat"].map(latin1Bytes);
const SET = latin1Bytes("SET");
const DEL = latin1Bytes("DEL");
const PXAT = latin1Bytes("PXAT");
const KEEPTTL = latin1Bytes("KEEPTTL");

const view = new StringView();

/** A kind of number; `null`: what is no such number, or does not fit. */
interface Numbers<N> {
  parse(text: string): N | null;
  readonly lowest: N;
  readonly highest: N;
  readonly zero: N;
  /** "an integer or out of range", as error sentences say it. */
  readonly called: string;
  readonly notOne: string;
  readonly deltaTooLarge: string;
  readonly event: string;
  add(a: N, b: N): N | null;
  negate(a: N): N;
  less(a: N, b: N): boolean;
  text(a: N): string;
  /** Refuses an operand that can be read but not be added to. */
  check(operand: N, sentence: string): void;
  reply(call: Call, value: N): void;
}

const integers: Numbers<bigint> = {
  parse: (text) => {
    const bytes = latin1Bytes(text);
    return parseInt64(bytes, 0, bytes.length);
  },
  lowest: INT64_MIN,
  highest: INT64_MAX,
  zero: 0n,
  called: "an integer or out of range",
  notOne: errors.notInteger,
  deltaTooLarge: "ERR applied increment would overflow",
  event: "incrby",
  add: (a, b) => (a + b > INT64_MAX || a + b < INT64_MIN ? null : a + b),
  negate: (a) => -a,
  less: (a, b) => a < b,
  text: String,
  check: () => {},
  reply: (call, value) => call.reply.bigint(value),
};

const isNumber = (value: LongDouble): boolean => Number.isFinite(value.exponent);

const floats: Numbers<LongDouble> = {
  parse: parseLongDouble,
  lowest: negated(LARGEST),
  highest: LARGEST,
  zero: ZERO,
  called: "a valid float",
  notOne: errors.notFloat,
  deltaTooLarge: "ERR applied increment would be Infinity",
  event: "incrbyfloat",
  add: (a, b) => {
    const sum = addLongDouble(a, b);
    return sum !== null && isNumber(sum) ? sum : null;
  },
  negate: negated,
  less: (a, b) => compareLongDouble(a, b) < 0,
  text: formatLongDouble,
  check: (operand, sentence) => {
    if (!isNumber(operand)) throw new CommandError(sentence);
  },
  reply: (call, value) => call.reply.doubleText(formatLongDouble(value)),
};

interface Options {
  float: boolean;
  /** Arguments with a number, 0: not given. */
  by: number;
  lower: number;
  upper: number;
  unitAt: number;
  saturate: boolean;
  enx: boolean;
  persist: boolean;
}

function parse(call: Call): Options {
  const found: Options = {
    float: false,
    by: 0,
    lower: 0,
    upper: 0,
    unitAt: 0,
    saturate: false,
    enx: false,
    persist: false,
  };
  for (let i = 2; i < call.argc; i++) {
    const more = i + 1 < call.argc;
    const dated = found.persist || found.unitAt > 0;
    if (more && found.by === 0 && (call.is(i, BYINT) || call.is(i, BYFLOAT))) {
      found.float = call.is(i, BYFLOAT);
      found.by = ++i;
      // Checked where it stands: what follows may be wrong too, but this is told first.
      if (found.float) increment(call, floats, found);
      else increment(call, integers, found);
    } else if (more && found.lower === 0 && call.is(i, LBOUND)) found.lower = ++i;
    else if (more && found.upper === 0 && call.is(i, UBOUND)) found.upper = ++i;
    else if (!found.saturate && call.is(i, SATURATE)) found.saturate = true;
    else if (!found.enx && !found.persist && call.is(i, ENX)) found.enx = true;
    else if (!dated && !found.enx && call.is(i, PERSIST)) found.persist = true;
    else if (more && !dated && UNITS.some((unit) => call.is(i, unit))) found.unitAt = i++;
    else throw new CommandError(errors.syntax);
  }
  return found;
}

function increment<N>(call: Call, numbers: Numbers<N>, { by }: Options): N {
  const value = numbers.parse(call.text(by)) ?? fail(`ERR Increment is not ${numbers.called}`);
  numbers.check(value, "ERR BYFLOAT increment cannot be Infinity");
  return value;
}

function bound<N>(call: Call, numbers: Numbers<N>, at: number, name: string, otherwise: N): N {
  if (at === 0) return otherwise;
  return numbers.parse(call.text(at)) ?? fail(`ERR ${name} is not ${numbers.called}`);
}

export function increx(call: Call): void {
  const options = parse(call);
  if (options.float) step(call, floats, options, increment(call, floats, options));
  else step(call, integers, options, options.by === 0 ? 1n : increment(call, integers, options));
}

function step<N>(call: Call, numbers: Numbers<N>, options: Options, by: N): void {
  const lower = bound(call, numbers, options.lower, "LBOUND", numbers.lowest);
  const upper = bound(call, numbers, options.upper, "UBOUND", numbers.highest);
  if (numbers.less(upper, lower)) throw new CommandError("ERR LBOUND can't be greater than UBOUND");
  const expireAt = moment(call, options);
  const position = stringAtForWrite(call, 1);
  const old = position === 0 ? numbers.zero : stored(call, numbers, position);
  let sum = numbers.add(old, by);
  if (sum === null || numbers.less(upper, sum) || numbers.less(sum, lower)) {
    if (!options.saturate) return answer(call, numbers, old, numbers.zero);
    // The bound that was passed: where the sum does not fit, the one it was on its way to.
    const tooLarge = sum === null ? !numbers.less(by, numbers.zero) : numbers.less(upper, sum);
    sum = tooLarge ? upper : lower;
  }
  const delta = numbers.add(sum, numbers.negate(old)) ?? fail(numbers.deltaTooLarge);
  const redated = expireAt >= 0 && !(options.enx && position !== 0 && call.db.records.hasExpiry(position));
  answer(call, numbers, sum, delta);
  const { context } = call.db;
  if (redated && expireAt <= context.clock.now && !context.ignoreExpiry) return expired(call, position);
  const hadExpiry = position !== 0 && call.db.records.hasExpiry(position);
  const expiry = options.persist ? NO_EXPIRY : redated ? expireAt : KEEP_EXPIRY;
  write(call, utf8(numbers.text(sum)), options.float, expiry);
  call.event(NOTIFY.string, numbers.event, 1);
  if (options.persist && hadExpiry) call.event(NOTIFY.generic, "persist", 1);
  if (redated) call.event(NOTIFY.generic, "expire", 1);
}

/** When the key is to expire, or -1. */
function moment(call: Call, { unitAt, enx }: Options): number {
  if (enx && unitAt === 0) throw new CommandError("ERR ENX flag requires an expiration");
  if (unitAt === 0) return -1;
  const unit = UNITS.findIndex((word) => call.is(unitAt, word));
  const base = unit < 2 ? call.db.context.clock.now : 0;
  return expiryArgument(call, unitAt + 1, unit % 2 === 0, base, "increx");
}

function stored<N>(call: Call, numbers: Numbers<N>, position: number): N {
  view.read(call.db, position);
  const value = numbers.parse(latin1Text(view.buf, view.start, view.end)) ?? fail(numbers.notOne);
  numbers.check(value, "ERR value cannot be Infinity");
  return value;
}

function answer<N>(call: Call, numbers: Numbers<N>, value: N, delta: N): void {
  call.reply.array(2);
  numbers.reply(call, value);
  numbers.reply(call, delta);
}

/** What would have expired already is gone at once. */
function expired(call: Call, position: number): void {
  if (position === 0) return;
  call.db.remove(position);
  call.dirty++;
  call.event(NOTIFY.generic, "del", 1);
  if (call.recording) call.propagate(DEL, call.bytes(1));
}

function write(call: Call, text: Uint8Array, float: boolean, expiry: number): void {
  const { db, buf, start, end } = call;
  const encoding = text.length <= EMBSTR_LIMIT ? ENC_EMBSTR : ENC_RAW;
  if (float) db.setBytes(buf, start[1]!, end[1]!, encoding, text, 0, text.length, expiry);
  else db.setString(buf, start[1]!, end[1]!, text, 0, text.length, expiry);
  call.dirty++;
  if (!call.recording) return;
  const dated = expiry === KEEP_EXPIRY ? [KEEPTTL] : expiry === NO_EXPIRY ? [] : [PXAT, utf8(String(expiry))];
  call.propagate(SET, call.bytes(1), text, ...dated);
}
