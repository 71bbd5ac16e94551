/** The quicklist beside a plain array, under all kinds of limits, and what must hold of its nodes. */
import { describe, expect, spyOn, test } from "bun:test";
import { LpItem, lpLength, lpValidate } from "../../../src/encodings/listpack.ts";
import { Quicklist } from "../../../src/encodings/quicklist.ts";
import { ListCursor, Needle } from "../../../src/encodings/quicklist-cursor.ts";
import {
  exceedsLimit,
  NO_LIMIT,
  NODE_OVERHEAD,
  type QuicklistNode,
  sizeLimit,
} from "../../../src/encodings/quicklist-node.ts";
import { OwnBytes } from "../../../src/memory/byte-store.ts";
import { bytesOf, type Random, seeded } from "../bytes/random.ts";

interface Limits {
  listMaxListpackSize: number;
  listCompressDepth: number;
  packedThreshold: number;
}

const item = new LpItem();
const cursor = new ListCursor();

function latin1(value: LpItem): string {
  return Buffer.from(value.copy()).toString("latin1");
}

export function contents(list: Quicklist, backwards = false): string[] {
  const found: string[] = [];
  if (list.length > 0) list.seek(cursor, backwards ? list.length - 1 : 0, backwards);
  while (found.length < list.length) {
    found.push(latin1(cursor.get(item)));
    const more = cursor.advance();
    expect(more).toBe(found.length < list.length);
  }
  return backwards ? found.reverse() : found;
}

function nodesOf(list: Quicklist): QuicklistNode[] {
  const nodes: QuicklistNode[] = [];
  for (let node = list.head; node !== null; node = node.next) {
    expect(node.prev).toBe(nodes.at(-1) ?? null);
    nodes.push(node);
  }
  expect(list.tail).toBe(nodes.at(-1) ?? null);
  return nodes;
}

/** Links, counts, sizes, sums, and which nodes are compressed. */
function check(list: Quicklist): void {
  const nodes = nodesOf(list);
  expect(list.nodes).toBe(nodes.length);
  expect(list.length).toBe(nodes.reduce((sum, node) => sum + node.count, 0));
  expect(list.heldBytes).toBe(nodes.reduce((sum, node) => sum + node.buf.length + NODE_OVERHEAD, 0));
  nodes.forEach((node, i) => {
    const nearEnd = i < list.depth || i >= nodes.length - list.depth;
    if (nearEnd || list.depth === 0) expect(node.compressed).toBe(false);
    expect(node.count).toBeGreaterThan(0);
    if (node.plain) {
      expect(node.count).toBe(1);
      return;
    }
    const raw = new OwnBytes(new Uint8Array(node.size));
    if (node.compressed) node.decompressTo(raw.buf);
    else raw.buf.set(node.buf.subarray(node.start, node.end));
    expect(lpValidate(raw)).toBe(true);
    expect(lpLength(raw)).toBe(node.count);
    if (list.fill > 0) expect(node.count).toBeLessThanOrEqual(list.fill);
  });
}

function add(list: Quicklist, atHead: boolean, value: string): void {
  list.push(atHead, bytesOf(value), 0, value.length);
}

function filled(limits: Limits, count: number, value = (i: number) => `value:${i}`): Quicklist {
  const list = new Quicklist(limits);
  for (let i = 0; i < count; i++) add(list, false, value(i));
  return list;
}

const DEFAULTS: Limits = { listMaxListpackSize: -2, listCompressDepth: 0, packedThreshold: 0 };

const VARIANTS: Limits[] = [
  DEFAULTS,
  { ...DEFAULTS, listMaxListpackSize: -1 },
  { ...DEFAULTS, listMaxListpackSize: -5 },
  { ...DEFAULTS, listMaxListpackSize: 1 },
  { ...DEFAULTS, listMaxListpackSize: 4 },
  { ...DEFAULTS, listMaxListpackSize: 100 },
  { listMaxListpackSize: 5, listCompressDepth: 1, packedThreshold: 0 },
  { listMaxListpackSize: 16, listCompressDepth: 2, packedThreshold: 30 },
  { listMaxListpackSize: -1, listCompressDepth: 1, packedThreshold: 100 },
  { listMaxListpackSize: 1, listCompressDepth: 3, packedThreshold: 5 },
];

function randomValue(random: Random): string {
  if (random.below(4) === 0) return String(random.below(40) - 20);
  const tail = random.below(20) === 0 ? "y".repeat(random.below(3000)) : "x".repeat(random.below(100));
  return `v${random.below(20)}${tail}`;
}

/** One random change of both; what is compared follows from it. */
function change(random: Random, list: Quicklist, model: string[], growing = false): void {
  const value = randomValue(random);
  const bytes = bytesOf(value);
  const { length } = model;
  const kind = length === 0 ? 0 : random.below(growing ? 9 : 12);
  const atHead = random.below(2) === 0;
  const index = random.below(length);
  if (kind < 4) {
    add(list, atHead, value);
    if (atHead) model.unshift(value);
    else model.push(value);
  } else if (kind === 4) {
    const count = Math.min(length, 1 + random.below(growing ? 1 : random.pick([1, 1, 40])));
    expect(latin1(list.peek(atHead, item))).toBe(model.at(atHead ? 0 : -1)!);
    list.drop(atHead, count);
    model.splice(atHead ? 0 : length - count, count);
  } else if (kind < 7) {
    list.seek(cursor, index, false);
    list.insert(cursor, atHead, bytes, 0, bytes.length);
    model.splice(atHead ? index + 1 : index, 0, value);
  } else if (kind < 9) {
    list.seek(cursor, index, true);
    expect(latin1(cursor.get(item))).toBe(model[index]!);
    list.replace(cursor, bytes, 0, bytes.length);
    model[index] = value;
  } else if (kind === 9) {
    const count = Math.min(length - index, random.below(10));
    list.removeRange(index, count);
    model.splice(index, count);
  } else {
    const wanted = random.below(3) === 0 ? value : model[index]!;
    const most = random.pick([1, 2, Number.POSITIVE_INFINITY]);
    expect(list.removeEqual(new Needle().set(bytesOf(wanted), 0, wanted.length), most, atHead)).toBe(
      removeEqual(model, wanted, most, atHead),
    );
  }
}

function removeEqual(model: string[], wanted: string, most: number, backwards: boolean): number {
  let removed = 0;
  for (let i = backwards ? model.length - 1 : 0; i >= 0 && i < model.length && removed < most; ) {
    if (model[i] === wanted) {
      model.splice(i, 1);
      removed++;
      if (backwards) i--;
    } else i += backwards ? -1 : 1;
  }
  return removed;
}

describe("random changes", () => {
  for (const limits of VARIANTS)
    test(JSON.stringify(limits), () => {
      const random = seeded(`quicklist ${JSON.stringify(limits)}`);
      const list = new Quicklist(limits);
      const model: string[] = [];
      for (let i = 0; i < 2000; i++) {
        change(random, list, model, i % 1000 < 800);
        expect(list.length).toBe(model.length);
        if (i % 50 !== 0) continue;
        check(list);
        expect(contents(list)).toEqual(model);
        expect(contents(list, true)).toEqual(model);
        if (i % 500 === 0) {
          const copy = list.clone();
          check(copy);
          change(random, copy, [...contents(copy)]);
          expect(contents(list)).toEqual(model);
        }
      }
    });
});

describe("nodes", () => {
  test("limits by bytes and by entries", () => {
    for (const [fill, bytes] of [
      [-1, 4096],
      [-2, 8192],
      [-3, 16384],
      [-4, 32768],
      [-5, 65536],
      [-100, 65536],
    ] as const) {
      expect(sizeLimit(fill)).toBe(bytes);
      expect(exceedsLimit(fill, bytes, 1e6)).toBe(false);
      expect(exceedsLimit(fill, bytes + 1, 1)).toBe(true);
    }
    expect(sizeLimit(10)).toBe(NO_LIMIT);
    expect(exceedsLimit(10, 100, 10)).toBe(false);
    expect(exceedsLimit(10, 100, 11)).toBe(true);
    expect(exceedsLimit(10, 8193, 1)).toBe(true);
    expect(exceedsLimit(0, 100, 1)).toBe(false);
    expect(exceedsLimit(0, 100, 2)).toBe(true);
  });

  test("those that are full take hardly more memory than their bytes", () => {
    for (const atHead of [true, false]) {
      const list = new Quicklist(DEFAULTS);
      let bytes = 0;
      for (let i = 0; i < 100_000; i++) add(list, atHead, `value:${i}`);
      for (const node of nodesOf(list)) bytes += node.size;
      expect(list.memoryUse / bytes).toBeLessThan(1.03);
      expect(bytes / 8192 / list.nodes).toBeGreaterThan(0.98);
      check(list);
    }
  });

  test("compression saves memory, and what is read stays compressed", () => {
    const list = filled({ ...DEFAULTS, listCompressDepth: 1 }, 20_000, () => "the same text again and again");
    const plain = filled(DEFAULTS, 20_000, () => "the same text again and again");
    expect(list.memoryUse).toBeLessThan(plain.memoryUse / 10);
    const before = list.memoryUse;
    expect(contents(list)).toEqual(contents(plain));
    expect(list.memoryUse).toBe(before);
    check(list);
  });

  test("what is taken away gives its memory back", () => {
    const list = filled(DEFAULTS, 100_000);
    const before = list.memoryUse;
    list.removeEqual(new Needle().set(bytesOf("value:5"), 0, 7), 1, false);
    list.removeRange(1000, 98_000);
    expect(list.memoryUse).toBeLessThan(before / 20);
    list.drop(true, 1000);
    list.drop(false, 999);
    expect(list.length).toBe(0);
    expect(list.heldBytes).toBe(0);
    check(list);
  });

  test("a list used at both ends does not move its bytes each time", () => {
    const list = new Quicklist(DEFAULTS);
    const model: string[] = [];
    for (let i = 0; i < 3000; i++) {
      const atHead = i % 2 === 0;
      add(list, atHead, String(i));
      if (atHead) model.unshift(String(i));
      else model.push(String(i));
    }
    expect(contents(list)).toEqual(model);
    check(list);
  });

  test("elements around the packed threshold, which holds at once", () => {
    const limits = { ...DEFAULTS, packedThreshold: 10 };
    const list = new Quicklist(limits);
    for (const length of [9, 10, 11, 9]) add(list, false, "x".repeat(length));
    expect(nodesOf(list).map((node) => node.plain)).toEqual([false, true, true, false]);
    limits.packedThreshold = 0;
    add(list, false, "x".repeat(100));
    expect(list.nodes).toBe(4);
    check(list);
  });
});

describe("growth", () => {
  test("a million elements at either end: what moves for one does not grow with the list", () => {
    const list = new Quicklist(DEFAULTS);
    const value = bytesOf("element:1234");
    // Elements move by copyWithin inside of a node, and to a larger one, whose bytes count as moved.
    let moved = 0;
    const move = spyOn(Uint8Array.prototype, "copyWithin").mockImplementation(function (
      this: Uint8Array,
      target: number,
      start: number,
      end = this.length,
    ) {
      moved += end - start;
      this.set(this.slice(start, end), target);
      return this;
    });
    let most = 0;
    for (let i = 0; i < 1000; i++) {
      const before = moved + list.heldBytes;
      for (let j = 0; j < 1000; j++) list.push((j & 1) === 0, value, 0, value.length);
      most = Math.max(most, moved + list.heldBytes - before);
    }
    move.mockRestore();
    expect(list.length).toBe(1_000_000);
    // A thousand elements are 14,000 bytes, in two nodes of 8 KB that are begun at either end.
    expect(most).toBeLessThan(60_000);
    list.dispose();
    expect(list.heldBytes).toBe(0);
  });
});
