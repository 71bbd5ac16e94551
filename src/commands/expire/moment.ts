import { INT64_MAX, INT64_MIN } from "../../bytes/int64.ts";
import type { Call } from "../../call/call.ts";

/** The last moment that the 64 bits of an expiry can hold when it comes from a number. */
const FARTHEST = 2 ** 63 - 1024;

/**
 * Argument i, seconds or milliseconds, added to `base`: in milliseconds, or NaN where 64 bits do not hold it.
 * Throws "value is not an integer or out of range". Beyond 2^53 (the year 287,396) the moment is rounded.
 */
export function momentAt(call: Call, i: number, seconds: boolean, base: number): number {
  const value = call.safeInt(i);
  if (!Number.isNaN(value)) return (seconds ? value * 1000 : value) + base;
  const exact = call.bigint(i) * (seconds ? 1000n : 1n);
  const sum = exact + BigInt(base);
  if (exact < INT64_MIN || sum > INT64_MAX) return Number.NaN;
  return Math.min(Number(sum), FARTHEST);
}
