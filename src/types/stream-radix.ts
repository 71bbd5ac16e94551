import { type IdTable, Place } from "../encodings/stream-index.ts";

/**
 * How many nodes Redis's radix tree would have for these keys (XINFO's radix-tree-nodes). Keys are IDs, 16 bytes,
 * high bytes first. Such a tree has a node for each key's end, one where keys part, and one for each run of bytes
 * in between, however long:
 *
 *   "aaxx" "aayy" "abzz":    a - (a|b) - (x|y) - x - end          8 nodes
 *                             |           '-- y - end
 *                             '-- zz - end
 *
 * Going through the keys in order, the depths at which neighbours part tell all this; depths at which keys still
 * to come may part are on a stack. Large tables are looked at in part, and the rest estimated.
 */
const KEY_BYTES = 16;
const LOOKED_AT = 4096;

const place = new Place();
const open = new Int32Array(KEY_BYTES + 1);

export function radixTreeNodes(table: IdTable): number {
  if (!table.first(place)) return 1;
  let depth = 0;
  /** Nodes for runs of bytes and for places where keys part. */
  let nodes = 0;
  let keys = 1;
  let lower = KEY_BYTES;
  let { rows, at } = place;
  // `lower`: the depth of the highest node known below which the path to the last key goes on.
  for (; keys < LOOKED_AT && table.next(place); keys++) {
    const parted = commonBytes(rows, at, place.rows, place.at);
    ({ rows, at } = place);
    lower = KEY_BYTES;
    while (depth > 0 && open[depth - 1]! > parted) {
      nodes += 1 + run(open[depth - 1]!, lower);
      lower = open[--depth]!;
    }
    nodes += run(parted, lower);
    if (depth === 0 || open[depth - 1] !== parted) open[depth++] = parted;
  }
  lower = KEY_BYTES;
  while (depth > 0) {
    nodes += 1 + run(open[depth - 1]!, lower);
    lower = open[--depth]!;
  }
  nodes += lower > 0 ? 1 : 0;
  const total = nodes + keys;
  return keys < table.size ? Math.round((total / keys) * table.size) : total;
}

/** A node for the bytes between one where keys part and the node below it, if there are any. */
function run(upper: number, lower: number): number {
  return lower > upper + 1 ? 1 : 0;
}

/** The bytes that two keys begin with in common. */
function commonBytes(a: Uint32Array, i: number, b: Uint32Array, j: number): number {
  for (let column = 0; column < 4; column++) {
    const difference = a[i + column]! ^ b[j + column]!;
    if (difference !== 0) return column * 4 + (Math.clz32(difference) >>> 3);
  }
  return KEY_BYTES;
}
