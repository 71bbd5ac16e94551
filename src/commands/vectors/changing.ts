import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { DEFAULT_EFFORT, VectorGraph } from "../../encodings/vector-graph.ts";
import { BIN, F32, INT8, QUERY, type Quantization } from "../../encodings/vector-store.ts";
import { TYPE_VECTOR_SET } from "../../keyspace/record.ts";
import { addObject } from "../../keyspace/value-bytes.ts";
import { CommandError, wrongArity } from "../../resp/errors.ts";
import { DEFAULT_LINKS, LEAST_LINKS, MOST_FACTORS, MOST_LINKS, VectorSet } from "../../types/vector-set.ts";
import {
  dimensionMismatch,
  dropIfEmpty,
  effortAt,
  type GivenVector,
  inputMismatch,
  integer,
  nodeAt,
  readVector,
  vectorSetForWrite,
} from "./common.ts";

/** VADD, VREM, VSETATTR. */

interface AddOptions {
  effort: number;
  links: number;
  quantization: Quantization;
  /** The argument with the attributes; 0: none are given. */
  attributes: number;
}

export function vadd(call: Call): void {
  const given = readVector(call, 2, true);
  const element = given.next;
  if (element >= call.argc) throw new CommandError(wrongArity("vadd"));
  const options = addOptions(call, element + 1);
  let set = vectorSetForWrite(call);
  if (set === null) set = newSet(call, given, options);
  else check(set, given, options);
  const { buf, start, end } = call;
  const { random } = call.db.context;
  const added = set.set(buf, start[element]!, end[element]!, given.vector, options.effort, random);
  const { attributes } = options;
  if (attributes > 0)
    set.setAttributes(nodeAt(call, set, element), buf, start[attributes]!, end[attributes]!);
  call.dirty++;
  call.reply.bool(added);
}

function addOptions(call: Call, first: number): AddOptions {
  const options: AddOptions = {
    effort: DEFAULT_EFFORT,
    links: DEFAULT_LINKS,
    quantization: INT8,
    attributes: 0,
  };
  for (let i = first; i < call.argc; i++) {
    const more = i + 1 < call.argc;
    if (call.is(i, NOQUANT)) options.quantization = F32;
    else if (call.is(i, BINARY)) options.quantization = BIN;
    else if (call.is(i, Q8)) options.quantization = INT8;
    else if (more && call.is(i, EF)) options.effort = effortAt(call, ++i);
    else if (more && call.is(i, SETATTR)) options.attributes = ++i;
    else if (more && call.is(i, M)) {
      options.links = integer(call, ++i);
      if (!(options.links >= LEAST_LINKS && options.links <= MOST_LINKS))
        throw new CommandError("ERR invalid M");
    } else if (!call.is(i, CAS)) throw new CommandError("ERR invalid option after element");
  }
  return options;
}

function newSet(call: Call, { vector, reduced }: GivenVector, options: AddOptions): VectorSet {
  if (reduced * vector.length > MOST_FACTORS)
    throw new CommandError("ERR unable to create a Vector Set: system resources issue?");
  const graph = new VectorGraph(reduced || vector.length, options.quantization, options.links);
  const set = new VectorSet(call.db.context, graph);
  if (reduced > 0) set.projectFrom(vector.length);
  addObject(call.db, TYPE_VECTOR_SET, call.buf, call.start[1]!, call.end[1]!, set);
  return set;
}

/** Whether a vector can be one of this set's; throws if not. */
function check(set: VectorSet, { vector, reduced }: GivenVector, options: AddOptions): void {
  const { dimension, projection, inputDimension } = set;
  const given = vector.length;
  if (set.graph.quantization !== options.quantization)
    throw new CommandError("ERR asked quantization mismatch with existing vector set");
  if (set.graph.m !== options.links)
    throw new CommandError("ERR asked M value mismatch with existing vector set");
  if ((projection === null ? given : reduced) !== dimension) throw dimensionMismatch(given, dimension);
  if (reduced > 0 && projection === null)
    throw new CommandError("ERR cannot add projection to existing set without projection");
  if (projection !== null && given !== inputDimension) throw inputMismatch(given, inputDimension);
}

export function vrem(call: Call): void {
  const set = vectorSetForWrite(call);
  const removed = set?.remove(call.buf, call.start[2]!, call.end[2]!) ?? false;
  if (removed) {
    dropIfEmpty(call, set!);
    call.dirty++;
  }
  call.reply.bool(removed);
}

export function vsetattr(call: Call): void {
  const set = vectorSetForWrite(call);
  const node = nodeAt(call, set, 2);
  if (node !== QUERY) {
    set!.setAttributes(node, call.buf, call.start[3]!, call.end[3]!);
    call.dirty++;
  }
  call.reply.bool(node !== QUERY);
}

const CAS = latin1Bytes("cas");
const EF = latin1Bytes("ef");
const M = latin1Bytes("m");
const SETATTR = latin1Bytes("setattr");
const NOQUANT = latin1Bytes("noquant");
const BINARY = latin1Bytes("bin");
const Q8 = latin1Bytes("q8");
