import type { Call } from "../../call/call.ts";
import { compareRanges } from "../../encodings/sorted-set-cells.ts";
import { CommandError, wrongArity } from "../../resp/errors.ts";
import type { VectorSet } from "../../types/vector-set.ts";
import { integer, replyName, vectorSetAt } from "./common.ts";

/** VRANDMEMBER and VRANGE: elements by chance, and in the order of their names. */

/** Up to this part of a set, random elements are drawn until there are enough different ones. */
const SMALL_PART = 0.2;

export function vrandmember(call: Call): void {
  if (call.argc > 3) throw new CommandError(wrongArity("vrandmember"));
  const { reply } = call;
  const counted = call.argc === 3;
  const count = counted ? integer(call, 2) : 1;
  if (Number.isNaN(count)) throw new CommandError("ERR COUNT value is not an integer");
  const set = count === 0 ? null : vectorSetAt(call);
  if (set === null) {
    if (counted) reply.array(0);
    else reply.nil();
    return;
  }
  const { random } = call.db.context;
  if (!counted) {
    replyName(reply, set, set.random(random));
    return;
  }
  const nodes = count < 0 ? null : differentOnes(set, Math.min(count, set.size), random);
  reply.array(nodes === null ? -count : nodes.length);
  if (nodes !== null) for (const node of nodes) replyName(reply, set, node);
  else for (let i = 0; i < -count; i++) replyName(reply, set, set.random(random));
}

/** So many different nodes, each set of them as likely as any other. */
function differentOnes(set: VectorSet, count: number, random: () => number): number[] {
  const nodes = new Set<number>();
  if (count <= set.size * SMALL_PART) {
    while (nodes.size < count) nodes.add(set.random(random));
    return [...nodes];
  }
  let left = set.size;
  set.inOrder(null, (node) => {
    if ((random() >>> 0) / 2 ** 32 < (count - nodes.size) / left--) nodes.add(node);
    return nodes.size < count;
  });
  return [...nodes];
}

interface Bound {
  /** Null: before or behind all names. */
  readonly name: Uint8Array | null;
  readonly inclusive: boolean;
}

export function vrange(call: Call): void {
  if (call.argc > 5) throw new CommandError(wrongArity("vrange"));
  const most = call.argc === 5 ? integer(call, 4) : -1;
  if (Number.isNaN(most)) throw new CommandError("ERR invalid COUNT value");
  const from = boundAt(call, 2, "start");
  const to = boundAt(call, 3, "end");
  if (from === LAST || to === FIRST)
    throw new CommandError("ERR '-' can only be used as first argument, '+' only as second");
  const { reply } = call;
  const set = vectorSetAt(call);
  const mark = reply.deferred();
  let count = 0;
  set?.inOrder(from.name, (node) => {
    if (count === most) return false;
    set.readName(node);
    const { buf, start, end } = set;
    if (!from.inclusive && from.name !== null && compare(from.name, buf, start, end) === 0) return true;
    if (to.name !== null) {
      const order = compare(to.name, buf, start, end);
      if (order < 0 || (order === 0 && !to.inclusive)) return false;
    }
    reply.bulk(buf, start, end);
    count++;
    return true;
  });
  reply.endDeferred(mark, "array", count);
}

function compare(name: Uint8Array, buf: Uint8Array, start: number, end: number): number {
  return compareRanges(name, 0, name.length, buf, start, end);
}

const FIRST: Bound = { name: null, inclusive: true };
const LAST: Bound = { name: null, inclusive: true };

/** "-", "+", "[name" or "(name". */
function boundAt(call: Call, i: number, which: string): Bound {
  const bytes = call.bytes(i);
  const sign = String.fromCharCode(bytes[0] ?? 0);
  if (bytes.length === 1 && sign === "-") return FIRST;
  if (bytes.length === 1 && sign === "+") return LAST;
  if (bytes.length < 2 || (sign !== "[" && sign !== "("))
    throw new CommandError(`ERR invalid ${which} range format`);
  return { name: bytes.subarray(1), inclusive: sign === "[" };
}
