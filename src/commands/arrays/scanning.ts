import { latin1Bytes } from "../../bytes/ascii.ts";
import { globMatchAt } from "../../bytes/glob.ts";
import { parseInt64 } from "../../bytes/int64.ts";
import { Regex, RegexError } from "../../bytes/regex.ts";
import { BackReference } from "../../bytes/regex-tree.ts";
import type { Call } from "../../call/call.ts";
import { CommandError, errors, wrongArity } from "../../resp/errors.ts";
import { ArrayWalk } from "../../types/sparse-array.ts";
import { arrayAt, neededIndex, replyUnsigned } from "./common.ts";

/** ARSCAN and ARGREP: the elements that there are between two indexes, in either direction. */

const LIMIT = latin1Bytes("limit");
const WITHVALUES = latin1Bytes("withvalues");
const NOCASE = latin1Bytes("nocase");
const AND = latin1Bytes("and");
const OR = latin1Bytes("or");
const MOST_PREDICATES = 250;
const MOST_PATTERN = 2048;
const MINUS = 45;
const PLUS = 43;

const walk = new ArrayWalk();

function limitAt(call: Call, i: number): bigint {
  const limit = parseInt64(call.buf, call.start[i]!, call.end[i]!);
  if (limit === null) throw new CommandError(errors.notInteger);
  if (limit <= 0n) throw new CommandError("ERR LIMIT must be positive");
  return limit;
}

export function arscan(call: Call): void {
  const from = neededIndex(call, 2);
  const to = neededIndex(call, 3);
  let limit = -1n;
  if (call.argc === 6) {
    if (!call.is(4, LIMIT)) throw new CommandError(errors.syntax);
    limit = limitAt(call, 5);
  } else if (call.argc !== 4) throw new CommandError(wrongArity("arscan"));
  const array = arrayAt(call);
  if (array === null) return call.reply.array(0);
  const { reply } = call;
  const mark = reply.deferred();
  let found = 0;
  walk.begin(array, from, to);
  for (; BigInt(found) !== limit && walk.next(); found++) {
    reply.array(2);
    replyUnsigned(reply, walk.index);
    reply.bulk(walk.buf, walk.start, walk.end);
  }
  reply.endDeferred(mark, "array", found);
}

// -------------------------------------------------------------------------------- ARGREP

type Test = (buf: Uint8Array, start: number, end: number) => boolean;
type Predicate = (pattern: Uint8Array, nocase: boolean) => Test;

const PREDICATES: readonly (readonly [word: Uint8Array, predicate: Predicate])[] = [
  [
    latin1Bytes("exact"),
    (pattern, nocase) => (buf, start, end) =>
      end - start === pattern.length && equalsAt(buf, start, pattern, nocase),
  ],
  [
    latin1Bytes("match"),
    (pattern, nocase) => (buf, start, end) => {
      for (let at = start; at + pattern.length <= end; at++)
        if (equalsAt(buf, at, pattern, nocase)) return true;
      return false;
    },
  ],
  [
    latin1Bytes("glob"),
    (pattern, nocase) => (buf, start, end) =>
      globMatchAt(pattern, 0, pattern.length, buf, start, end, nocase),
  ],
  [latin1Bytes("re"), regexTest],
];
const REGULAR = PREDICATES[3]![1];

function lowerAscii(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}

/** Whether these bytes stand there. */
function equalsAt(buf: Uint8Array, at: number, pattern: Uint8Array, nocase: boolean): boolean {
  for (let i = 0; i < pattern.length; i++) {
    const [a, b] = [buf[at + i]!, pattern[i]!];
    if (a !== b && !(nocase && lowerAscii(a) === lowerAscii(b))) return false;
  }
  return true;
}

function regexTest(pattern: Uint8Array, nocase: boolean): Test {
  if (pattern.length === 0) throw new CommandError("ERR regular expression is empty");
  try {
    const regex = new Regex(pattern, nocase);
    return (buf, start, end) => regex.test(buf, start, end);
  } catch (error) {
    if (error instanceof BackReference)
      throw new CommandError("ERR regular expression backreferences are not supported");
    if (error instanceof RegexError)
      throw new CommandError(`ERR invalid regular expression: ${error.message}`);
    throw error;
  }
}

interface Search {
  readonly tests: readonly Test[];
  readonly every: boolean;
  readonly withValues: boolean;
  readonly limit: bigint;
}

function parseSearch(call: Call): Search {
  const found: [Predicate, Uint8Array][] = [];
  let limit = -1n;
  let every = false;
  let withValues = false;
  let nocase = false;
  for (let i = 4; i < call.argc; i++) {
    const more = i + 1 < call.argc;
    const predicate = PREDICATES.find(([word]) => call.is(i, word))?.[1];
    if (predicate !== undefined) {
      if (!more) throw new CommandError(errors.syntax);
      if (found.length >= MOST_PREDICATES)
        throw new CommandError(`ERR too many predicates, maximum is ${MOST_PREDICATES}`);
      if (predicate === REGULAR && call.length(i + 1) > MOST_PATTERN)
        throw new CommandError(`ERR regular expression is too long, maximum is ${MOST_PATTERN} bytes`);
      found.push([predicate, call.bytes(++i)]);
    } else if (call.is(i, LIMIT)) {
      if (!more) throw new CommandError(errors.syntax);
      limit = limitAt(call, ++i);
    } else if (call.is(i, WITHVALUES)) withValues = true;
    else if (call.is(i, NOCASE)) nocase = true;
    else if (call.is(i, AND)) every = true;
    else if (call.is(i, OR)) every = false;
    else throw new CommandError(errors.syntax);
  }
  if (found.length === 0) throw new CommandError(errors.syntax);
  const tests = found.map(([predicate, pattern]) => predicate(pattern, nocase));
  return { tests, every, withValues, limit };
}

/** Argument i as an index, or "-" or "+" for the array's ends. */
function boundAt(call: Call, i: number): bigint | "first" | "last" {
  if (call.length(i) === 1) {
    const byte = call.buf[call.start[i]!];
    if (byte === MINUS) return "first";
    if (byte === PLUS) return "last";
  }
  return neededIndex(call, i);
}

export function argrep(call: Call): void {
  const from = boundAt(call, 2);
  const to = boundAt(call, 3);
  const { tests, every, withValues, limit } = parseSearch(call);
  const array = arrayAt(call);
  if (array === null) return call.reply.array(0);
  const last = array.length - 1n;
  const resolve = (bound: bigint | "first" | "last") =>
    bound === "first" ? 0n : bound === "last" ? last : bound;
  const { reply } = call;
  const mark = reply.deferred();
  let found = 0;
  walk.begin(array, resolve(from), resolve(to));
  while (BigInt(found) !== limit && walk.next()) {
    const { buf, start, end } = walk;
    const matches = every
      ? tests.every((test) => test(buf, start, end))
      : tests.some((test) => test(buf, start, end));
    if (!matches) continue;
    found++;
    if (withValues) reply.array(2);
    replyUnsigned(reply, walk.index);
    if (withValues) reply.bulk(buf, start, end);
  }
  reply.endDeferred(mark, "array", found);
}
