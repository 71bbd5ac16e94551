import { latin1Bytes } from "../../bytes/ascii.ts";
import { parseDouble } from "../../bytes/double.ts";
import type { Call } from "../../call/call.ts";
import type { Accepts } from "../../encodings/vector-graph.ts";
import { QUERY } from "../../encodings/vector-store.ts";
import { CommandError } from "../../resp/errors.ts";
import { Filter, FilterError } from "../../types/vector-filter.ts";
import type { VectorSet } from "../../types/vector-set.ts";
import {
  dimensionMismatch,
  effortAt,
  inputMismatch,
  integer,
  nodeAt,
  readVector,
  replyName,
  similarity,
  vectorSetAt,
} from "./common.ts";

/**
 * VSIM: the elements nearest to a vector. Where Redis searches on other threads, here the server searches: NOTHREAD says
 * nothing new.
 */
const DEFAULT_COUNT = 10;
/** Nodes that a search keeps while it goes on, at least, where nobody says how many. */
const SEARCH_EFFORT = 100;
/** Nodes that a search with a filter looks at for each element asked for. */
const FILTER_EFFORT = 100;
/** As far as the opposite direction. */
const FARTHEST = 2;

interface Search {
  count: number;
  effort: number;
  /** Distances are taken from 0 to 1 here. */
  epsilon: number;
  filter: Filter | null;
  filterEffort: number;
  scores: boolean;
  attributes: boolean;
  /** All elements are compared. */
  truth: boolean;
}

export function vsim(call: Call): void {
  const set = vectorSetAt(call);
  if (set === null) {
    call.reply.array(0);
    return;
  }
  const search = searchOptions(call, ask(call, set));
  const { graph } = set;
  const effort = Math.min(Math.max(search.effort || SEARCH_EFFORT, search.count), set.size);
  const accepts = search.filter === null ? null : accepting(set, search.filter);
  if (search.truth) graph.scan(QUERY, effort, accepts);
  else graph.search(QUERY, effort, accepts, search.filterEffort || search.count * FILTER_EFFORT);
  reply(call, set, search);
}

/** Takes the vector that is searched for from the arguments; returns the one behind them. */
function ask(call: Call, set: VectorSet): number {
  if (call.is(2, ELE)) {
    const node = nodeAt(call, set, 3);
    if (node === QUERY) throw new CommandError("ERR element not found in set");
    set.ask(set.graph.vectors.read(node));
    return 4;
  }
  const { vector, next } = readVector(call, 2, false);
  const { dimension, projection, inputDimension } = set;
  const given = vector.length;
  if (given !== dimension) {
    if (projection === null) throw dimensionMismatch(given, dimension);
    if (given !== inputDimension) throw inputMismatch(given, inputDimension);
  }
  set.ask(vector);
  return next;
}

function searchOptions(call: Call, first: number): Search {
  const search: Search = {
    count: DEFAULT_COUNT,
    effort: 0,
    epsilon: FARTHEST,
    filter: null,
    filterEffort: 0,
    scores: false,
    attributes: false,
    truth: false,
  };
  for (let i = first; i < call.argc; i++) {
    const more = i + 1 < call.argc;
    if (call.is(i, WITHSCORES)) search.scores = true;
    else if (call.is(i, WITHATTRIBS)) search.attributes = true;
    else if (call.is(i, TRUTH)) search.truth = true;
    else if (call.is(i, NOTHREAD)) continue;
    else if (!more) throw new CommandError("ERR syntax error in VSIM command");
    else if (call.is(i, COUNT)) search.count = positive(call, ++i, "COUNT");
    else if (call.is(i, EPSILON)) search.epsilon = epsilonAt(call, ++i);
    else if (call.is(i, EF)) search.effort = effortAt(call, ++i);
    else if (call.is(i, FILTER_EF)) search.filterEffort = positive(call, ++i, "FILTER-EF");
    else if (call.is(i, FILTER)) search.filter = filterAt(call, ++i);
    else throw new CommandError("ERR syntax error in VSIM command");
  }
  return search;
}

function positive(call: Call, i: number, name: string): number {
  const value = integer(call, i);
  if (!(value > 0)) throw new CommandError(`ERR invalid ${name}`);
  return value;
}

function epsilonAt(call: Call, i: number): number {
  const value = parseDouble(call.buf, call.start[i]!, call.end[i]!);
  if (!(value > 0)) throw new CommandError("ERR invalid EPSILON");
  return value;
}

function filterAt(call: Call, i: number): Filter {
  const text = call.text(i);
  try {
    return Filter.compile(text);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    const { position } = error;
    const rest = position >= text.length ? text : text.slice(position);
    throw new CommandError(`ERR syntax error in FILTER expression near: ${rest}`);
  }
}

function accepting(set: VectorSet, filter: Filter): Accepts {
  return (node) => set.readAttributes(node) && filter.matches(utf8(set.buf.subarray(set.start, set.end)));
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length).toString();
}

function reply({ reply }: Call, set: VectorSet, { count, epsilon, scores, attributes }: Search): void {
  const { found, distances } = set.graph;
  let elements = 0;
  while (elements < count && elements < found.length && distances[elements]! / 2 <= epsilon) elements++;
  const resp3 = reply.resp === 3;
  const asMap = resp3 && (scores || attributes);
  if (asMap) reply.map(elements);
  else reply.array(elements * (1 + Number(scores) + Number(attributes)));
  for (let i = 0; i < elements; i++) {
    const node = found[i]!;
    replyName(reply, set, node);
    if (resp3 && scores && attributes) reply.array(2);
    if (scores) reply.double(similarity(distances[i]!));
    if (!attributes) continue;
    if (set.readAttributes(node)) reply.bulk(set.buf, set.start, set.end);
    else reply.nil();
  }
}

const ELE = latin1Bytes("ele");
const WITHSCORES = latin1Bytes("withscores");
const WITHATTRIBS = latin1Bytes("withattribs");
const TRUTH = latin1Bytes("truth");
const NOTHREAD = latin1Bytes("nothread");
const COUNT = latin1Bytes("count");
const EPSILON = latin1Bytes("epsilon");
const EF = latin1Bytes("ef");
const FILTER = latin1Bytes("filter");
const FILTER_EF = latin1Bytes("filter-ef");
