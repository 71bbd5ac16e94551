import { copyBytes } from "../bytes/ascii.ts";
import { release } from "./arena.ts";

/**
 * Blocks: byte buffers of their own for values too big for an arena cell. A record holds a block's number;
 * the block's capacity may exceed the value's length (APPEND and SETRANGE grow by doubling, as sds does).
 */
const MAX_SLACK = 1 << 20;

export class Blocks {
  private readonly table: (Uint8Array | null)[] = [null];
  private readonly spare: number[] = [];
  usedBytes = 0;
  /** Who may still read blocks that are freed: these are then left to the garbage collector. */
  readers = 0;

  /** Allocates `capacity` zeroed bytes and returns the block's number, never 0. */
  alloc(capacity: number): number {
    return this.adopt(new Uint8Array(capacity));
  }

  /** Takes over a buffer that nobody else keeps. */
  adopt(bytes: Uint8Array): number {
    const id = this.spare.pop() ?? this.table.length;
    this.table[id] = bytes;
    this.usedBytes += bytes.length;
    return id;
  }

  get(id: number): Uint8Array {
    return this.table[id]!;
  }

  /** Makes room for `needed` bytes, keeping the first `length`. Grows by doubling, by 1 MiB beyond 1 MiB. */
  grow(id: number, length: number, needed: number): Uint8Array {
    const old = this.table[id]!;
    if (old.length >= needed) return old;
    const capacity = needed < MAX_SLACK ? needed * 2 : needed + MAX_SLACK;
    const bytes = new Uint8Array(capacity);
    copyBytes(bytes, 0, old, 0, length);
    this.usedBytes += capacity - old.length;
    this.table[id] = bytes;
    if (this.readers === 0) release(old);
    return bytes;
  }

  free(id: number): void {
    const bytes = this.table[id]!;
    this.usedBytes -= bytes.length;
    this.table[id] = null;
    this.spare.push(id);
    if (this.readers === 0) release(bytes);
  }

  clear(): void {
    for (const bytes of this.table) if (bytes !== null) release(bytes);
    this.table.length = 1;
    this.spare.length = 0;
    this.usedBytes = 0;
  }

  /** Gives up to `count` blocks back without keeping books: for blocks that nobody uses any more. */
  dismantle(count: number): boolean {
    while (count-- > 0) {
      const bytes = this.table.pop();
      if (bytes === undefined) return true;
      if (bytes === null) continue;
      this.usedBytes -= bytes.length;
      release(bytes);
    }
    return this.table.length === 0;
  }

  /** Number of blocks held. */
  get count(): number {
    return this.table.length - 1 - this.spare.length;
  }
}
