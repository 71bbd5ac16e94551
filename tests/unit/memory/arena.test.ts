import { expect, test } from "bun:test";
import { Arena, classOf, MAX_CELL, PAGE_BYTES, PAGE_UNITS, roundUp } from "../../../src/memory/arena.ts";
import { seeded } from "../bytes/random.ts";

/** A cell of the model: what it is filled with, so that any overlap shows as a wrong byte. */
interface Cell {
  position: number;
  bytes: number;
  fill: number;
}

const offsetOf = (position: number) => (position & (PAGE_UNITS - 1)) * 8;
const pageOf = (position: number) => position >>> 15;

function fill(arena: Arena, cell: Cell): void {
  const start = offsetOf(cell.position);
  arena.pages[pageOf(cell.position)]!.fill(cell.fill, start, start + cell.bytes);
}

function intact(arena: Arena, cell: Cell): boolean {
  const start = offsetOf(cell.position);
  const page = arena.pages[pageOf(cell.position)]!;
  for (let i = start; i < start + cell.bytes; i++) if (page[i] !== cell.fill) return false;
  return true;
}

test("every size has the smallest class that holds it", () => {
  const sizes = new Set<number>();
  for (let size = 8; size <= 256; size += 8) sizes.add(size);
  for (let base = 256; base < MAX_CELL; base *= 2)
    for (let step = 1; step <= 8; step++) sizes.add(base + (base / 8) * step);
  const sorted = [...sizes].sort((a, b) => a - b);
  let at = 0;
  for (let bytes = 1; bytes <= MAX_CELL; bytes++) {
    if (bytes > sorted[at]!) at++;
    if (roundUp(bytes) !== sorted[at] || classOf(bytes) !== at)
      throw new Error(`${bytes}: class ${classOf(bytes)} of ${roundUp(bytes)} bytes, expected ${sorted[at]}`);
  }
});

test("cells never overlap, and memory follows what is used", () => {
  const random = seeded("arena");
  const arena = new Arena();
  const live: Cell[] = [];
  let used = 0;
  const size = (): number =>
    random.below(10) === 0 ? 1 + random.below(MAX_CELL) : 8 + random.below(random.below(2) ? 64 : 2000);
  for (let round = 0; round < 40; round++) {
    const growing = random.below(3) > 0;
    for (let i = 0; i < 600; i++) {
      if (growing || live.length === 0 || random.below(4) === 0) {
        const wanted = size();
        const position = arena.alloc(wanted);
        expect(position).not.toBe(0);
        expect(arena.cellBytes(position)).toBe(roundUp(wanted));
        const cell = { position, bytes: roundUp(wanted), fill: 1 + random.below(254) };
        fill(arena, cell);
        live.push(cell);
        used += cell.bytes;
      } else {
        const at = random.below(live.length);
        const cell = live[at]!;
        if (!intact(arena, cell)) throw new Error(`a cell of ${cell.bytes} bytes was overwritten`);
        live[at] = live[live.length - 1]!;
        live.pop();
        arena.free(cell.position);
        used -= cell.bytes;
      }
    }
    expect(arena.usedBytes).toBe(used);
    for (const cell of live) if (!intact(arena, cell)) throw new Error("a cell was overwritten");
  }
  for (const cell of live) arena.free(cell.position);
  expect(arena.usedBytes).toBe(0);
  const classes = new Set(live.map((cell) => cell.bytes)).size;
  expect(arena.pageCount).toBeLessThanOrEqual(Math.max(classes, 132));
});

test("an emptied page leaves at once, its number is used again", () => {
  const arena = new Arena();
  const perPage = PAGE_BYTES / 1024;
  const positions = Array.from({ length: perPage * 10 }, () => arena.alloc(1024));
  const pages = arena.pageCount;
  expect(pages).toBe(11); // position 0 is not handed out, so page 0 holds one less
  for (const position of positions) arena.free(position);
  expect(arena.pageCount).toBe(0);
  expect(arena.heldBytes).toBe(2 * PAGE_BYTES);
  for (let i = 0; i < positions.length; i++) expect(pageOf(arena.alloc(1024))).toBeLessThan(pages);
  expect(arena.pageCount).toBeLessThanOrEqual(pages);
});

test("set and delete in turn, and a value that grows through the classes, use the same pages again", () => {
  const arena = new Arena();
  for (let i = 0; i < 1000; i++) arena.free(arena.alloc(64));
  expect(arena.heldBytes).toBe(PAGE_BYTES);
  for (let bytes = 8, last = arena.alloc(8); bytes <= MAX_CELL; bytes += 8) {
    const next = arena.alloc(bytes);
    arena.free(last);
    last = next;
  }
  expect(arena.pageCount).toBe(1);
  expect(arena.heldBytes).toBe(2 * PAGE_BYTES);
});

test("nextCell walks exactly the used cells of a page", () => {
  const random = seeded("nextCell");
  for (const bytes of [8, 24, 64, 288, 5120, MAX_CELL]) {
    const arena = new Arena();
    const live = new Set<number>();
    const count = Math.floor(PAGE_BYTES / bytes) + 3;
    for (let i = 0; i < count; i++) {
      const position = arena.alloc(bytes);
      arena.words[pageOf(position)]!.fill(7, offsetOf(position) / 4, offsetOf(position) / 4 + 2);
      live.add(position);
    }
    for (const position of [...live])
      if (random.below(3) > 0) {
        arena.free(position);
        live.delete(position);
      }
    const seen: number[] = [];
    for (let page = 0; page < arena.pages.length; page++)
      for (let at = arena.nextCell(page, 0); at !== 0; ) {
        seen.push(at);
        at = arena.nextCell(page, (at & (PAGE_UNITS - 1)) + 1);
      }
    expect(seen.sort((a, b) => a - b)).toEqual([...live].sort((a, b) => a - b));
  }
});

/** Moves all cells of a page elsewhere, as the keyspace does with records. */
function empty(arena: Arena, page: number, cells: Map<number, number>): void {
  arena.setAside(page);
  for (let at = arena.nextCell(page, 0); at !== 0; ) {
    const next = arena.nextCell(page, (at & (PAGE_UNITS - 1)) + 1);
    const bytes = arena.cellBytes(at);
    const fresh = arena.alloc(bytes);
    expect(pageOf(fresh)).not.toBe(page);
    const tag = cells.get(at)!;
    cells.delete(at);
    cells.set(fresh, tag);
    mark(arena, fresh, tag);
    arena.free(at);
    at = next;
  }
}

function mark(arena: Arena, position: number, tag: number): void {
  arena.words[pageOf(position)]!.fill(tag, offsetOf(position) / 4, offsetOf(position) / 4 + 2);
}

test("emptying sparse pages ends, gives memory back and needs no new page", () => {
  const random = seeded("sparse pages");
  for (const bytes of [24, 64, 1024, 32768]) {
    const arena = new Arena();
    const cells = new Map<number, number>();
    const perPage = Math.floor(PAGE_BYTES / bytes);
    for (let i = 0; i < perPage * 24; i++) {
      const position = arena.alloc(bytes);
      cells.set(position, i + 1);
      mark(arena, position, i + 1);
    }
    for (const position of [...cells.keys()])
      if (random.below(10) > 0) {
        cells.delete(position);
        arena.free(position);
      }
    for (let moves = 0; ; moves++) {
      expect(moves).toBeLessThan(100);
      const page = arena.sparsestPage();
      if (page < 0) break;
      const before = arena.pageCount;
      empty(arena, page, cells);
      expect(arena.holds(page)).toBe(false);
      expect(arena.pageCount).toBe(before - 1);
    }
    expect(arena.usedBytes).toBe(cells.size * bytes);
    expect(arena.pageCount).toBeLessThanOrEqual(Math.ceil((cells.size * bytes * 2) / PAGE_BYTES) + 2);
    for (const [position, tag] of cells)
      if (arena.words[pageOf(position)]![offsetOf(position) / 4] !== tag) throw new Error("a cell was lost");
  }
});

test("kept pages count as memory held, and end with the arena", () => {
  const arena = new Arena();
  const perPage = PAGE_BYTES / 1024;
  const cells = Array.from({ length: perPage * 5 }, () => arena.alloc(1024));
  for (const cell of cells.slice(1)) arena.free(cell);
  expect([arena.pageCount, arena.heldBytes]).toEqual([1, 3 * PAGE_BYTES]);
  expect(arena.sparsestPage()).toBe(-1);
  arena.clear();
  expect([arena.pageCount, arena.heldBytes, arena.usedBytes]).toEqual([0, 0, 0]);
  expect(pageOf(arena.alloc(8))).toBe(0);
});

test("cells freed on a page set aside are not handed out again", () => {
  const arena = new Arena();
  const perPage = PAGE_BYTES / 1024;
  const cells = Array.from({ length: perPage * 3 - 1 }, () => arena.alloc(1024));
  const page = pageOf(cells.at(-1)!);
  arena.setAside(page);
  const inside = cells.filter((position) => pageOf(position) === page);
  for (const position of inside.slice(1)) arena.free(position);
  for (let i = 0; i < perPage; i++) expect(pageOf(arena.alloc(1024))).not.toBe(page);
  arena.free(inside[0]!);
  expect(arena.holds(page)).toBe(false);
});

test("clear and dismantle give all memory back", () => {
  const arena = new Arena();
  for (let i = 0; i < 5000; i++) arena.alloc(1024);
  const views = [...arena.pages];
  arena.clear();
  expect(views.every((view) => view.buffer.byteLength === 0)).toBe(true);
  expect([arena.usedBytes, arena.pageCount]).toEqual([0, 0]);
  const again = Array.from({ length: 5000 }, () => arena.alloc(1024));
  expect(new Set(again).size).toBe(5000);
  const held = [...arena.pages];
  let steps = 1;
  while (!arena.dismantle(4)) steps++;
  expect(held.every((view) => view.buffer.byteLength === 0)).toBe(true);
  expect(steps).toBeGreaterThanOrEqual(Math.floor(held.length / 4));
});
