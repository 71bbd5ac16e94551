import type { Quicklist } from "../../encodings/quicklist.ts";

/** What DEBUG OBJECT adds for a quicklist: how many nodes, how full, and their size as if none were compressed. */
export function quicklistFigures(list: Quicklist): string {
  let size = 0;
  for (let node = list.head; node !== null; node = node.next) size += node.size;
  const average = twoDigits(list.length / list.nodes);
  return (
    ` ql_nodes:${list.nodes} ql_avg_node:${average} ql_listpack_max:${list.fill}` +
    ` ql_compressed:${list.depth === 0 ? 0 : 1} ql_uncompressed_size:${size}`
  );
}

/** As C prints it: an exact half, which only odd eighths are, goes to the even digit. */
function twoDigits(value: number): string {
  if ((value * 8) % 2 !== 1) return value.toFixed(2);
  const floor = Math.floor(value * 100);
  return ((floor + (floor & 1)) / 100).toFixed(2);
}
