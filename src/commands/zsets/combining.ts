import { latin1Bytes } from "../../bytes/ascii.ts";
import { doubleText } from "../../bytes/double.ts";
import { parseInt64Rounded } from "../../bytes/int64.ts";
import type { Call } from "../../call/call.ts";
import type { SortedSetIndex } from "../../encodings/sorted-set-index.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import {
  type Aggregate,
  intersect,
  intersectionSize,
  subtract,
  unite,
  type Weighted,
} from "../../types/zset-combine.ts";
import { doubleAt } from "./adding.ts";
import type { ZsetKey } from "./key.ts";
import { replyEntries } from "./ranges.ts";
import { sourceAt } from "./sources.ts";

/** ZUNION, ZINTER and ZDIFF, the forms of them that store, and ZINTERCARD. */

const WEIGHTS = latin1Bytes("weights");
const AGGREGATE = latin1Bytes("aggregate");
const WITHSCORES = latin1Bytes("withscores");
const LIMIT = latin1Bytes("limit");
const SUM = latin1Bytes("sum");
const MIN = latin1Bytes("min");
const MAX = latin1Bytes("max");
const COUNT = latin1Bytes("count");
const DEL = latin1Bytes("DEL");
const ZADD = latin1Bytes("ZADD");
/** Members of one ZADD where a whole sorted set is propagated. */
const MEMBERS_AT_ONCE = 1000;

type Operation = "union" | "inter" | "diff" | "intercard";

interface Query {
  inputs: Weighted[];
  aggregate: Aggregate;
  withScores: boolean;
  limit: number;
}

export function zunion(call: Call, key: ZsetKey): void {
  reply(call, key, "union");
}

export function zinter(call: Call, key: ZsetKey): void {
  reply(call, key, "inter");
}

export function zdiff(call: Call, key: ZsetKey): void {
  reply(call, key, "diff");
}

export function zunionstore(call: Call, key: ZsetKey): void {
  store(call, key, "union");
}

export function zinterstore(call: Call, key: ZsetKey): void {
  store(call, key, "inter");
}

export function zdiffstore(call: Call, key: ZsetKey): void {
  store(call, key, "diff");
}

export function zintercard(call: Call): void {
  const query = read(call, 1, "intercard", false);
  call.reply.int(intersectionSize(query.inputs, query.limit));
}

function reply(call: Call, key: ZsetKey, operation: Operation): void {
  const query = read(call, 1, operation, false);
  const result = compute(query, operation, key.zset.newIndex());
  replyEntries(call.reply, result, 0, result.size, false, query.withScores);
  result.dispose();
}

function store(call: Call, key: ZsetKey, operation: Operation): void {
  const query = read(call, 2, operation, true);
  const result = compute(query, operation, key.zset.newIndex());
  const { size } = result;
  if (call.recording && query.aggregate === "count" && size > 0) propagateWhole(call, result);
  if (key.store(call, 1, result, commandName(operation, true))) call.dirty++;
  call.reply.int(size);
}

/** Older servers do not know AGGREGATE COUNT: what came of it is handed on. */
function propagateWhole(call: Call, result: SortedSetIndex): void {
  const key = call.bytes(1);
  call.propagate(DEL, key);
  let pairs: Uint8Array[] = [];
  for (let rank = 0; rank < result.size; rank++) {
    if (rank === 0) result.seek(0);
    else result.forward();
    pairs.push(latin1Bytes(doubleText(result.score)), result.buf.slice(result.start, result.end));
    if (pairs.length < 2 * MEMBERS_AT_ONCE && rank < result.size - 1) continue;
    call.propagate(ZADD, key, ...pairs);
    pairs = [];
  }
}

function compute(query: Query, operation: Operation, result: SortedSetIndex): SortedSetIndex {
  if (operation === "union") unite(query.inputs, query.aggregate, result);
  else if (operation === "inter") intersect(query.inputs, query.aggregate, result);
  else subtract(query.inputs, result);
  return result;
}

/** numkeys key... and options, numkeys in argument `at`. */
function read(call: Call, at: number, operation: Operation, stores: boolean): Query {
  const count = call.int(at);
  if (count < 1)
    throw new CommandError(
      `ERR at least 1 input key is needed for '${commandName(operation, stores)}' command`,
    );
  if (count > call.argc - at - 1) throw new CommandError(errors.syntax);
  const inputs: Weighted[] = [];
  for (let i = at + 1; i <= at + count; i++) inputs.push({ source: sourceAt(call, i), weight: 1 });
  const query: Query = { inputs, aggregate: "sum", withScores: false, limit: 0 };
  const scored = operation === "union" || operation === "inter";
  for (let i = at + 1 + count; i < call.argc; i++) {
    const left = call.argc - i;
    if (scored && left > count && call.is(i, WEIGHTS)) {
      for (const input of inputs) input.weight = doubleAt(call, ++i, "ERR weight value is not a float");
    } else if (scored && left >= 2 && call.is(i, AGGREGATE)) query.aggregate = aggregateAt(call, ++i);
    else if (!stores && operation !== "intercard" && call.is(i, WITHSCORES)) query.withScores = true;
    else if (operation === "intercard" && left >= 2 && call.is(i, LIMIT)) query.limit = limitAt(call, ++i);
    else throw new CommandError(errors.syntax);
  }
  return query;
}

function commandName(operation: Operation, stores: boolean): string {
  return `z${operation}${stores ? "store" : ""}`;
}

function aggregateAt(call: Call, i: number): Aggregate {
  if (call.is(i, SUM)) return "sum";
  if (call.is(i, MIN)) return "min";
  if (call.is(i, MAX)) return "max";
  if (call.is(i, COUNT)) return "count";
  throw new CommandError(errors.syntax);
}

function limitAt(call: Call, i: number): number {
  const limit = parseInt64Rounded(call.buf, call.start[i]!, call.end[i]!);
  if (!(limit >= 0)) throw new CommandError("ERR LIMIT can't be negative");
  return limit;
}
