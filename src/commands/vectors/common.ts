import { latin1Bytes } from "../../bytes/ascii.ts";
import { parseDouble } from "../../bytes/double.ts";
import { parseSafeInt } from "../../bytes/int64.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { QUERY } from "../../encodings/vector-store.ts";
import { TYPE_VECTOR_SET } from "../../keyspace/record.ts";
import { objectOf } from "../../keyspace/value-bytes.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/reply-writer.ts";
import { MOST_COMPONENTS, type VectorSet } from "../../types/vector-set.ts";

/** What vector commands share: finding vector sets, reading vectors, replying with elements. */

/** Of EF. */
const MOST_EFFORT = 1_000_000;

function setIn(call: Call, position: number): VectorSet | null {
  if (position === 0) return null;
  if (call.db.records.type(position) !== TYPE_VECTOR_SET) throw new CommandError(errors.wrongType);
  return objectOf(call.db, position) as VectorSet;
}

/** The vector set at the key in argument 1 for reading, or null; throws for another type. */
export function vectorSetAt(call: Call): VectorSet | null {
  return setIn(call, call.lookup(1));
}

export function vectorSetForWrite(call: Call): VectorSet | null {
  return setIn(call, call.lookupWrite(1));
}

/** The node of the element in argument i; QUERY: there is none, or no set. */
export function nodeAt(call: Call, set: VectorSet | null, i: number): number {
  return set === null ? QUERY : set.find(call.buf, call.start[i]!, call.end[i]!);
}

/** The key goes with its last element. */
export function dropIfEmpty(call: Call, set: VectorSet): void {
  if (set.size > 0) return;
  call.db.remove(call.db.find(call.buf, call.start[1]!, call.end[1]!));
  call.event(NOTIFY.generic, "del", 1);
}

export interface GivenVector {
  readonly vector: Float32Array;
  /** Components that are to be kept of it; 0: all. */
  readonly reduced: number;
  /** The argument behind it. */
  readonly next: number;
}

/** [REDUCE dim] FP32 blob | VALUES count value ..., from argument i on. */
export function readVector(call: Call, i: number, mayReduce: boolean): GivenVector {
  let reduced = 0;
  if (mayReduce && call.argc > i + 2 && call.is(i, REDUCE)) {
    reduced = integer(call, i + 1);
    if (!(reduced > 0)) refuse();
    i += 2;
  }
  if (i + 1 >= call.argc) refuse();
  const { vector, next } = call.is(i, FP32) ? readBlob(call, i + 1) : readValues(call, i);
  // What is no number, or too large a one, would be near to nothing, or to everything.
  if (reduced > vector.length || !vector.every(Number.isFinite)) refuse();
  return { vector, reduced, next };
}

function readBlob(call: Call, i: number): { vector: Float32Array; next: number } {
  const bytes = call.bytes(i);
  if (bytes.length % 4 !== 0 || bytes.length === 0 || bytes.length / 4 > MOST_COMPONENTS) refuse();
  return { vector: new Float32Array(bytes.buffer as ArrayBuffer, 0, bytes.length / 4), next: i + 1 };
}

function readValues(call: Call, i: number): { vector: Float32Array; next: number } {
  if (!call.is(i, VALUES)) refuse();
  const count = integer(call, i + 1);
  const first = i + 2;
  if (!(count >= 1 && count <= MOST_COMPONENTS && first + count <= call.argc)) refuse();
  const vector = new Float32Array(count);
  for (let at = 0; at < count; at++)
    vector[at] = parseDouble(call.buf, call.start[first + at]!, call.end[first + at]!);
  return { vector, next: first + count };
}

function refuse(): never {
  throw new CommandError("ERR invalid vector specification");
}

export function dimensionMismatch(given: number, dimension: number): CommandError {
  return new CommandError(`ERR Vector dimension mismatch - got ${given} but set has ${dimension}`);
}

export function inputMismatch(given: number, inputDimension: number): CommandError {
  return new CommandError(
    `ERR Input dimension mismatch for projection - got ${given} but projection expects ${inputDimension}`,
  );
}

/** Argument i as an integer, NaN if it is none. */
export function integer(call: Call, i: number): number {
  return parseSafeInt(call.buf, call.start[i]!, call.end[i]!);
}

/** Argument i as the number of nodes that a search keeps. */
export function effortAt(call: Call, i: number): number {
  const effort = integer(call, i);
  if (!(effort > 0 && effort <= MOST_EFFORT)) throw new CommandError("ERR invalid EF");
  return effort;
}

export function replyName(reply: ReplyWriter, set: VectorSet, node: number): void {
  set.readName(node);
  reply.bulk(set.buf, set.start, set.end);
}

/** From 0, the opposite direction, to 1, the same one. */
export function similarity(distance: number): number {
  return 1 - distance / 2;
}

const REDUCE = latin1Bytes("reduce");
const FP32 = latin1Bytes("fp32");
const VALUES = latin1Bytes("values");
