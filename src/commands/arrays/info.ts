import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { NODE_PLACES } from "../../encodings/array-node.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { INDEX_END } from "../../types/sparse-array.ts";
import { arrayAt, replyUnsigned } from "./common.ts";

/**
 * ARINFO. Slices are Redis's words for what are nodes here: each has 64 places and keeps no room for those that are
 * empty, so that all of them are "sparse"; the table that finds them is the directory.
 */
const FULL = latin1Bytes("full");

export function arinfo(call: Call): void {
  const full = call.argc === 3 && call.is(2, FULL);
  if (call.argc > 2 && !full) throw new CommandError(errors.syntax);
  const array = arrayAt(call);
  if (array === null) throw new CommandError(errors.noSuchKey);
  const { reply } = call;
  const { count, cursor, nodes } = array;
  const next = cursor === null || cursor === INDEX_END - 1n ? 0n : cursor + 1n;
  reply.map(full ? 12 : 7);
  const facts: [string, bigint][] = [
    ["count", BigInt(count)],
    ["len", array.length],
    ["next-insert-index", next],
    ["slices", BigInt(nodes.size)],
    ["directory-size", BigInt(nodes.size)],
    ["super-dir-entries", 0n],
    ["slice-size", BigInt(NODE_PLACES)],
  ];
  if (full) facts.push(["dense-slices", 0n], ["sparse-slices", BigInt(nodes.size)]);
  for (const [name, value] of facts) {
    reply.bulkText(name);
    replyUnsigned(reply, value);
  }
  if (!full) return;
  const averages: [string, number][] = [
    ["avg-dense-size", 0],
    ["avg-dense-fill", 0],
    ["avg-sparse-size", count / nodes.size],
  ];
  for (const [name, value] of averages) {
    reply.bulkText(name);
    reply.double(value);
  }
}
