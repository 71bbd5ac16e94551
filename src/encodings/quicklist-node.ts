import { copyBytes } from "../bytes/ascii.ts";
import { lzfCompress, lzfDecompress } from "../bytes/lzf.ts";
import { release } from "../memory/arena.ts";
import { type FrontStore, lpCreate } from "./listpack.ts";

/**
 * A node of a quicklist: a listpack, or one big element by itself.
 *
 *   buf   [ room ][ listpack ..................... ][ room ]        packed, raw
 *                 start                          end
 *   buf   [ LZF of the listpack, or of the element ]                compressed; its raw length is in `rawSize`
 *   buf   [ element ]                                               plain
 *
 * Room on both sides makes pushing and popping cost the same at either end: a listpack's header moves with its
 * first entry, so nothing else has to move. A node that is no longer at an end of its list gives its room back.
 *
 * Sizes and offsets are kept as int32 (`| 0` behind what Math.min gives): one that is a double in the engine makes
 * every loop over the node's bytes that starts from it several times slower.
 */

/** Bytes of a node by a negative list-max-listpack-size: -1 to -5. */
const SIZE_LEVELS = [4096, 8192, 16384, 32768, 65536];
/** Bytes that a node of several entries may have where entries are counted. */
const SAFE_SIZE = 8192;
export const NO_LIMIT = 0x7fffffff;
const MAX_FILL = (1 << 15) - 1;
const MAX_DEPTH = (1 << 16) - 1;
/** What an entry may take beyond its bytes, as estimated for the limit. */
const ENTRY_OVERHEAD = 8;
const MIN_COMPRESS = 48;
const MIN_GAIN = 8;
/** Bytes of a node object, its links and its buffer's header. */
export const NODE_OVERHEAD = 120;
const FIRST_CAPACITY = 256;
/** Smaller buffers lie in the collector's own heap. */
const WORTH_RELEASING = 1000;

export function clampFill(fill: number): number {
  return Math.max(-5, Math.min(MAX_FILL, fill));
}

export function clampDepth(depth: number): number {
  return Math.max(0, Math.min(MAX_DEPTH, depth));
}

/** Bytes that a listpack may have under this list-max-listpack-size; NO_LIMIT where entries are counted. */
export function sizeLimit(fill: number): number {
  return fill >= 0 ? NO_LIMIT : SIZE_LEVELS[Math.min(-fill, SIZE_LEVELS.length) - 1]!;
}

/** Entries that a listpack may have; NO_LIMIT where bytes are counted. */
export function countLimit(fill: number): number {
  return fill >= 0 ? Math.max(1, fill) : NO_LIMIT;
}

/** Whether a listpack of this size would be too large for this list-max-listpack-size. */
export function exceedsLimit(fill: number, bytes: number, count: number): boolean {
  return fill < 0 ? bytes > sizeLimit(fill) : bytes > SAFE_SIZE || count > countLimit(fill);
}

/** What nodes of one list share: how much they hold, and how large they may grow. */
export interface NodeOwner {
  heldBytes: number;
  /** Bytes and entries that a node of several may have. */
  readonly nodeBytes: number;
  readonly nodeEntries: number;
}

export class QuicklistNode implements FrontStore {
  prev: QuicklistNode | null = null;
  next: QuicklistNode | null = null;
  buf: Uint8Array;
  start = 0;
  end = 0;
  /** Elements. */
  count = 0;
  /** One element by itself, not in a listpack. */
  plain = false;
  compressed = false;
  /** Who watches the list wants to know before this changes or goes. */
  awaited = false;
  private rawSize = 0;

  constructor(
    private readonly owner: NodeOwner,
    buf: Uint8Array,
  ) {
    this.buf = buf;
    owner.heldBytes += buf.length + NODE_OVERHEAD;
  }

  /** An empty listpack in a buffer of this capacity, with its room in front or behind. */
  static empty(owner: NodeOwner, capacity: number, roomInFront: boolean): QuicklistNode {
    const node = new QuicklistNode(owner, new Uint8Array(capacity));
    if (roomInFront) node.start = capacity - 7;
    lpCreate(node);
    return node;
  }

  /** The listpack `buf[start, end)`, which then belongs to the node. */
  static ofListpack(
    owner: NodeOwner,
    buf: Uint8Array,
    start: number,
    end: number,
    count: number,
  ): QuicklistNode {
    const node = new QuicklistNode(owner, buf);
    node.start = start;
    node.end = end;
    node.count = count;
    return node;
  }

  static ofPlain(owner: NodeOwner, buf: Uint8Array, start: number, end: number): QuicklistNode {
    const node = new QuicklistNode(owner, buf.slice(start, end));
    node.end = end - start;
    node.count = 1;
    node.plain = true;
    return node;
  }

  /** Bytes of the listpack or element, as if it were not compressed. */
  get size(): number {
    return this.compressed ? this.rawSize : this.end - this.start;
  }

  /** Whether a value of this length may be added to the listpack. */
  allows(length: number): boolean {
    const { owner } = this;
    return (
      this.size + length + ENTRY_OVERHEAD <= owner.nodeBytes && this.count < owner.nodeEntries && !this.plain
    );
  }

  // ------------------------------------------------------------------ FrontStore

  resize(length: number): void {
    if (this.start + length > this.buf.length) this.makeRoom(0, length - (this.end - this.start));
    this.end = this.start + length;
  }

  growFront(bytes: number): void {
    if (this.start < bytes) this.makeRoom(bytes, 0);
    this.start -= bytes;
  }

  private makeRoom(front: number, back: number): void {
    const { buf, start, end } = this;
    const used = end - start;
    const needed = used + front + back;
    let capacity = buf.length;
    if (needed <= capacity) {
      // Half of what is left over goes to either side, so that a list used at both ends does not move each time.
      const left = (capacity - needed) >> 1;
      const fresh = front > 0 ? front + left : left;
      buf.copyWithin(fresh, start, end);
      this.start = fresh;
      this.end = fresh + used;
      return;
    }
    const { nodeBytes } = this.owner;
    capacity = Math.max(FIRST_CAPACITY, Math.min(needed * 2, nodeBytes)) | 0;
    if (capacity < needed) capacity = Math.max(needed, nodeBytes) | 0;
    const fresh = front > 0 ? capacity - used : 0;
    this.reallocate(capacity, fresh);
  }

  private reallocate(capacity: number, offset: number): void {
    const { buf, start, end } = this;
    const fresh = new Uint8Array(capacity);
    copyBytes(fresh, offset, buf, start, end);
    this.replace(fresh);
    if (buf.length > WORTH_RELEASING) release(buf);
    this.start = offset;
    this.end = offset + end - start;
  }

  private replace(buf: Uint8Array): void {
    this.owner.heldBytes += buf.length - this.buf.length;
    this.buf = buf;
  }

  /** Gives unused room back where it is worth it. */
  fit(): void {
    const used = this.end - this.start;
    if (!this.compressed && this.buf.length - used > Math.max(64, used >> 3)) this.reallocate(used, 0);
  }

  /** Replaces a plain node's element. */
  setPlain(buf: Uint8Array, start: number, end: number): void {
    this.replace(buf.slice(start, end));
    this.start = 0;
    this.end = end - start;
    this.compressed = false;
  }

  // ------------------------------------------------------------------ compression

  compress(): void {
    const size = this.end - this.start;
    if (this.compressed || size < MIN_COMPRESS) return;
    const length = lzfCompress(this.buf, this.start, this.end, reserve(size), 0, size - MIN_GAIN - 1);
    if (length === 0) return this.fit();
    this.replace(scratch.slice(0, length));
    this.start = 0;
    this.end = length;
    this.rawSize = size;
    this.compressed = true;
  }

  decompress(): void {
    if (!this.compressed) return;
    const raw = new Uint8Array(this.rawSize);
    lzfDecompress(this.buf, this.start, this.end, raw, 0, raw.length);
    this.replace(raw);
    this.start = 0;
    this.end = raw.length;
    this.compressed = false;
  }

  /** Writes what is compressed, raw, to `target`, which has room for it. */
  decompressTo(target: Uint8Array): void {
    lzfDecompress(this.buf, this.start, this.end, target, 0, this.rawSize);
  }

  // ------------------------------------------------------------------ the whole

  /** A copy for another list, without room. */
  cloneFor(owner: NodeOwner): QuicklistNode {
    const node = new QuicklistNode(owner, this.buf.slice(this.start, this.end));
    node.end = node.buf.length;
    node.count = this.count;
    node.plain = this.plain;
    node.compressed = this.compressed;
    node.rawSize = this.rawSize;
    return node;
  }

  /** The node has left its list: its memory goes back now, or (`keepBuffer`) with a buffer somebody has taken. */
  leave(keepBuffer = false): void {
    this.owner.heldBytes -= this.buf.length + NODE_OVERHEAD;
    if (!keepBuffer && this.buf.length > WORTH_RELEASING) release(this.buf);
    this.prev = this.next = null;
  }
}

/** Where nodes are compressed to before their length is known. */
let scratch = new Uint8Array(0);
const MAX_SCRATCH = 1 << 17;

function reserve(bytes: number): Uint8Array {
  if (bytes > MAX_SCRATCH) scratch = new Uint8Array(bytes);
  else if (scratch.length < bytes || scratch.length > MAX_SCRATCH) scratch = new Uint8Array(MAX_SCRATCH);
  return scratch;
}
