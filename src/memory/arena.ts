/**
 * The arena: cells of bytes for small records, so that a million keys are no JavaScript objects at all.
 *
 *   position (uint32):  page number (17 bits) | unit (15 bits), one unit = 8 bytes, a page = 256 KiB
 *
 *   page:   [ cell ][ cell ][ cell ] ... [ never used ]      all cells of a page have one size (its class)
 *             |                            ^ bump
 *             free cells are chained: word 0 = unit of the next free cell, word 1 = FREE_MARK
 *
 * Classes: every 8 bytes up to 256, then eight steps a doubling up to 32 KiB (at most 12.5 % of a cell is
 * slack). Each class keeps a list of pages with room; a page whose last cell is freed leaves the arena at
 * once, but for two that any class may have next. Sparse pages can be emptied by moving their cells (see
 * `sparsestPage`, `setAside` and `nextCell`): the owner of the cells updates what points to them. Position 0 is never handed out.
 */

const PAGE_BITS = 15;
export const PAGE_UNITS = 1 << PAGE_BITS;
export const PAGE_BYTES = PAGE_UNITS * 8;
const UNIT_MASK = PAGE_UNITS - 1;
const MAX_PAGES = 1 << 17;
export const MAX_CELL = 32768;
const FREE_MARK = -1;
const NONE = -1;
const KEPT_PAGES = 2;

/** Bytes of a cell, by class. */
const classBytes: number[] = [];
for (let size = 8; size <= 256; size += 8) classBytes.push(size);
for (let base = 256; base < MAX_CELL; base *= 2)
  for (let step = 1; step <= 8; step++) classBytes.push(base + (base / 8) * step);

/** The class for a size in bytes, 1 to MAX_CELL. */
export function classOf(bytes: number): number {
  if (bytes <= 256) return ((bytes + 7) >>> 3) - 1;
  const shift = 31 - Math.clz32(bytes - 1);
  const step = (bytes - 1 - (1 << shift)) >>> (shift - 3);
  return 32 + (shift - 8) * 8 + step;
}

/** The bytes a cell of this size really takes. */
export function roundUp(bytes: number): number {
  return classBytes[classOf(bytes)]!;
}

interface PageMeta {
  class: number;
  /** First free cell's unit, or NONE. */
  free: number;
  /** First unit never used. */
  bump: number;
  /** Cells in use. */
  used: number;
  /** Index in its class's list of pages with room, or NONE. */
  listed: number;
  /** Being emptied: freed cells are not handed out again. */
  aside: boolean;
}

export class Arena {
  /** Byte and word views of each page, by page number. */
  readonly pages: Uint8Array[] = [];
  readonly words: Int32Array[] = [];
  private readonly meta: (PageMeta | null)[] = [];
  private readonly room: number[][] = classBytes.map(() => []);
  private readonly spare: number[] = [];
  /** Empty pages that are kept for the next class that needs one. */
  private readonly idle: number[] = [];
  /** Bytes in cells that are in use. */
  usedBytes = 0;
  /** Pages with cells in use. */
  pageCount = 0;

  /**
   * A cell of at least `bytes` (1 to MAX_CELL), contents undefined. Returns its position as an int32.
   * Throws RangeError when the arena is full (32 GiB).
   */
  alloc(bytes: number): number {
    const cls = classOf(bytes);
    const room = this.room[cls]!;
    const page = room.length > 0 ? room[room.length - 1]! : this.addPage(cls);
    const meta = this.meta[page]!;
    const size = classBytes[cls]! >>> 3;
    let unit = meta.free;
    if (unit !== NONE) {
      meta.free = this.words[page]![unit * 2]!;
    } else {
      unit = meta.bump;
      meta.bump = unit + size;
    }
    meta.used++;
    if (meta.free === NONE && meta.bump + size > PAGE_UNITS) {
      room.pop();
      meta.listed = NONE;
    }
    this.usedBytes += size << 3;
    return (page << PAGE_BITS) | unit;
  }

  free(position: number): void {
    const page = position >>> PAGE_BITS;
    const unit = position & UNIT_MASK;
    const meta = this.meta[page]!;
    const words = this.words[page]!;
    words[unit * 2] = meta.free;
    words[unit * 2 + 1] = FREE_MARK;
    meta.free = unit;
    meta.used--;
    this.usedBytes -= classBytes[meta.class]!;
    if (meta.used === 0) this.dropPage(page, meta);
    else if (meta.listed === NONE && !meta.aside) {
      const room = this.room[meta.class]!;
      meta.listed = room.length;
      room.push(page);
    }
  }

  /** Bytes of the pages held. */
  get heldBytes(): number {
    return (this.pageCount + this.idle.length) * PAGE_BYTES;
  }

  /** Bytes of the cell at this position. */
  cellBytes(position: number): number {
    return classBytes[this.meta[position >>> PAGE_BITS]!.class]!;
  }

  /** Gives every page back; all positions become invalid. */
  clear(): void {
    for (const page of this.pages) if (page !== EMPTY_BYTES) release(page);
    this.pages.length = 0;
    this.words.length = 0;
    this.meta.length = 0;
    this.spare.length = 0;
    this.idle.length = 0;
    for (const room of this.room) room.length = 0;
    this.usedBytes = 0;
    this.pageCount = 0;
  }

  /** Gives up to `count` pages back without keeping books: for an arena that nobody uses any more. */
  dismantle(count: number): boolean {
    while (count-- > 0) {
      const page = this.pages.pop();
      if (page === undefined) return true;
      this.words.pop();
      if (page === EMPTY_BYTES) continue;
      release(page);
      this.pageCount--;
    }
    return this.pages.length === 0;
  }

  /**
   * The page of a class that would be cheapest to empty, or -1: less than half full, while the class's
   * other pages have room for all of its cells.
   */
  sparsestPage(): number {
    for (let cls = 0; cls < classBytes.length; cls++) {
      const room = this.room[cls]!;
      if (room.length < 2) continue;
      const size = classBytes[cls]! >>> 3;
      const capacity = Math.floor(PAGE_UNITS / size);
      let free = 0;
      let best = NONE;
      let bestUsed = capacity / 2;
      for (const page of room) {
        const { used } = this.meta[page]!;
        free += (page === 0 ? Math.floor((PAGE_UNITS - 1) / size) : capacity) - used;
        if (used < bestUsed) {
          bestUsed = used;
          best = page;
        }
      }
      // Page 0 may hold one cell less than this takes it to: then it is kept, which costs nothing.
      if (best !== NONE && free - (capacity - bestUsed) >= bestUsed) return best;
    }
    return NONE;
  }

  /** Takes the page out of its class's list, so that cells moved out of it do not land in it again. */
  setAside(page: number): void {
    const meta = this.meta[page]!;
    meta.aside = true;
    if (meta.listed !== NONE) this.unlist(page, meta);
    // One that was kept though empty has no last cell whose end it could leave with.
    if (meta.used === 0) this.dropPage(page, meta);
  }

  /** Whether the page is held (it leaves by itself when its last cell is freed). */
  holds(page: number): boolean {
    return this.meta[page] != null;
  }

  /** The position of the next used cell of a page at or after `unit`, or 0 at its end. */
  nextCell(page: number, unit: number): number {
    const meta = this.meta[page];
    if (meta == null) return 0;
    const size = classBytes[meta.class]! >>> 3;
    const first = page === 0 ? 1 : 0;
    let at = unit <= first ? first : first + Math.ceil((unit - first) / size) * size;
    const words = this.words[page]!;
    for (; at < meta.bump; at += size) if (words[at * 2 + 1] !== FREE_MARK) return (page << PAGE_BITS) | at;
    return 0;
  }

  private addPage(cls: number): number {
    const page = this.idle.pop() ?? this.newPage();
    const room = this.room[cls]!;
    // Page 0 starts one unit late: position 0 means "nothing".
    this.meta[page] = {
      class: cls,
      free: NONE,
      bump: page === 0 ? 1 : 0,
      used: 0,
      listed: room.length,
      aside: false,
    };
    room.push(page);
    this.pageCount++;
    return page;
  }

  private newPage(): number {
    const page = this.spare.pop() ?? this.pages.length;
    if (page >= MAX_PAGES) throw new RangeError("arena is full");
    const bytes = new Uint8Array(PAGE_BYTES);
    this.pages[page] = bytes;
    this.words[page] = new Int32Array(bytes.buffer);
    return page;
  }

  private dropPage(page: number, meta: PageMeta): void {
    if (meta.listed !== NONE) this.unlist(page, meta);
    this.meta[page] = null;
    this.pageCount--;
    // Some are kept, so that a key set and deleted in turn, or a value that grows, does not allocate a page each time.
    if (this.idle.length < KEPT_PAGES) {
      this.idle.push(page);
      return;
    }
    release(this.pages[page]!);
    this.pages[page] = EMPTY_BYTES;
    this.words[page] = EMPTY_WORDS;
    this.spare.push(page);
  }

  private unlist(page: number, meta: PageMeta): void {
    const room = this.room[meta.class]!;
    const last = room.pop()!;
    if (last !== page) {
      room[meta.listed] = last;
      this.meta[last]!.listed = meta.listed;
    }
    meta.listed = NONE;
  }
}

const EMPTY_BYTES = new Uint8Array(0);
const EMPTY_WORDS = new Int32Array(0);

/** Returns the memory of a buffer now instead of at some later collection. */
export function release(bytes: Uint8Array): void {
  (bytes.buffer as ArrayBuffer).transfer(0);
}

const RELEASE_STEP = 4 << 20;

/** Returns the memory of many buffers, a part of it now: to give gigabytes back takes the system tens of milliseconds. */
export function releaseInSteps(buffers: Uint8Array[]): void {
  let bytes = 0;
  while (buffers.length > 0 && bytes < RELEASE_STEP) {
    const buffer = buffers.pop()!;
    bytes += buffer.length;
    release(buffer);
  }
  if (buffers.length > 0) setTimeout(() => releaseInSteps(buffers), 0);
}
