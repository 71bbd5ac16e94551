import type { Call } from "../../call/call.ts";
import { KEEP_EXPIRY } from "../../keyspace/database.ts";
import { ENC_RAW } from "../../keyspace/record.ts";
import { growString, StringView } from "../../keyspace/strings.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { isHyperLogLog } from "../../types/hyperloglog.ts";
import { stringAt, stringAtForWrite } from "../strings/reading.ts";

/**
 * HyperLogLogs in the key space: ordinary strings with a certain content. They are edited where they stand; an
 * editor that needs another length hands back another array, which then takes the value's place.
 */

export interface HyperLogLogDeps {
  readonly config: { readonly values: { readonly hllSparseMaxBytes: number } };
}

const view = new StringView();

/** The HyperLogLog under argument i for reading, or null; throws where the value is none. */
export function hllAt(call: Call, i: number): Uint8Array | null {
  return read(call, stringAt(call, i));
}

/** As `hllAt`, to be changed in place: the value becomes a raw string. */
export function hllAtForWrite(call: Call, i: number): Uint8Array | null {
  return writable(call, stringAtForWrite(call, i));
}

/** The record that `stringAt` or its like has found, or null for 0. */
function read(call: Call, position: number): Uint8Array | null {
  if (position === 0) return null;
  view.read(call.db, position);
  const value = view.buf.subarray(view.start, view.end);
  if (!isHyperLogLog(value)) throw new CommandError(errors.hllInvalid);
  return value;
}

/** As `read`, for a change in place. */
export function writable(call: Call, position: number): Uint8Array | null {
  const value = read(call, position);
  if (value === null) return null;
  growString(call.db, position, value.length, view);
  return view.buf.subarray(view.start, view.end);
}

/** Gives the key in argument i this value; its expiry stays. */
export function store(call: Call, i: number, value: Uint8Array): void {
  call.db.setBytes(call.buf, call.start[i]!, call.end[i]!, ENC_RAW, value, 0, value.length, KEEP_EXPIRY);
}
