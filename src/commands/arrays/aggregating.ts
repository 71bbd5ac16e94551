import { latin1Bytes, latin1Text } from "../../bytes/ascii.ts";
import { doubleText } from "../../bytes/double.ts";
import { INT64_MAX, INT64_MIN, parseInt64 } from "../../bytes/int64.ts";
import {
  addLongDouble,
  compareLongDouble,
  formatLongDoubleShort,
  type LongDouble,
  longDoubleOf,
  parseLongDouble,
} from "../../bytes/long-double.ts";
import type { Call } from "../../call/call.ts";
import { CommandError, wrongArity } from "../../resp/errors.ts";
import { ArrayWalk } from "../../types/sparse-array.ts";
import { arrayAt, neededIndex } from "./common.ts";

/**
 * AROP: sums, extremes, bits and counts of the elements between two indexes. What is no number is passed over; sums are
 * those of long doubles, as Redis prints them.
 */
const OPERATIONS = ["SUM", "MIN", "MAX", "AND", "OR", "XOR", "MATCH", "USED"] as const;
type Operation = (typeof OPERATIONS)[number];
const WORDS = OPERATIONS.map((name) => latin1Bytes(name.toLowerCase()));

/** Numbers that Redis keeps as doubles, but for their two lowest bits. */
const DECIMAL = /^-?(?:\d+\.\d*|\.\d+)$/;
const scratch = new DataView(new ArrayBuffer(8));
const LEAST = whole(INT64_MIN);
const MOST = whole(INT64_MAX);

const walk = new ArrayWalk();

export function arop(call: Call): void {
  const from = neededIndex(call, 2);
  const to = neededIndex(call, 3);
  const operation = OPERATIONS[WORDS.findIndex((word) => call.is(4, word))];
  if (operation === undefined) throw new CommandError("ERR unknown operation");
  if (operation === "MATCH") {
    if (call.argc !== 6) throw new CommandError("ERR MATCH requires a value argument");
  } else if (call.argc !== 5) throw new CommandError(wrongArity("arop"));
  const array = arrayAt(call);
  const counts = operation === "MATCH" || operation === "USED";
  if (array === null) return counts ? call.reply.int(0) : call.reply.nil();
  walk.begin(array, from, to);
  if (counts) call.reply.int(count(operation === "MATCH" ? call.bytes(5) : null));
  else if (operation === "AND" || operation === "OR" || operation === "XOR") replyBits(call, operation);
  else replyNumber(call, operation);
}

/** The elements that are this value, or all. */
function count(value: Uint8Array | null): number {
  let found = 0;
  while (walk.next())
    if (value === null || Buffer.compare(walk.buf.subarray(walk.start, walk.end), value) === 0) found++;
  return found;
}

function replyBits(call: Call, operation: "AND" | "OR" | "XOR"): void {
  let result: bigint | null = null;
  while (walk.next()) {
    const bits = bitsOf(walk);
    if (bits === null) continue;
    if (result === null) result = bits;
    else if (operation === "AND") result &= bits;
    else if (operation === "OR") result |= bits;
    else result ^= bits;
  }
  if (result === null) call.reply.nil();
  else call.reply.bigint(result);
}

function replyNumber(call: Call, operation: Operation): void {
  let result: LongDouble | null = null;
  let isNumber = true;
  while (walk.next()) {
    const number = numberOf(walk);
    if (number === null) continue;
    if (result === null) result = number;
    else if (operation !== "SUM") {
      const order = compareLongDouble(number, result);
      if (operation === "MIN" ? order < 0 : order > 0) result = number;
    } else if (isNumber) {
      const sum = addLongDouble(result, number);
      if (sum === null) isNumber = false;
      else result = sum;
    }
  }
  if (result === null) call.reply.nil();
  else call.reply.bulkText(isNumber ? formatLongDoubleShort(result) : "nan");
}

function whole(value: bigint): LongDouble {
  return { negative: value < 0n, mantissa: value < 0n ? -value : value, exponent: 0 };
}

function numberOf({ buf, start, end }: ArrayWalk): LongDouble | null {
  const integer = parseInt64(buf, start, end);
  if (integer !== null) return whole(integer);
  const text = latin1Text(buf, start, end);
  if (DECIMAL.test(text)) {
    scratch.setFloat64(0, Number(text));
    scratch.setUint8(7, scratch.getUint8(7) & ~3);
    const kept = scratch.getFloat64(0);
    if (Number.isFinite(kept) && decimalText(kept) === text) return longDoubleOf(kept);
  }
  return parseLongDouble(text);
}

/** A double as arrays of Redis show it. */
export function decimalText(value: number): string {
  const text = doubleText(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** A number's integer part, where it has 64 bits. */
function bitsOf(element: ArrayWalk): bigint | null {
  const integer = parseInt64(element.buf, element.start, element.end);
  if (integer !== null) return integer;
  const number = numberOf(element);
  if (number === null || compareLongDouble(number, LEAST) < 0 || compareLongDouble(number, MOST) > 0)
    return null;
  const { negative, mantissa, exponent } = number;
  const size = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa >> BigInt(-exponent);
  return BigInt.asIntN(64, negative ? -size : size);
}
