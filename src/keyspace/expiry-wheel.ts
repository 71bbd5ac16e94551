/**
 * The expiry wheel: which keys fall due when, so that expiry costs work in proportion to what falls due and
 * not to what exists.
 *
 *   level 0   256 buckets of 1 tick (64 ms)            16 s
 *   level 1   256 buckets of 256 ticks                 70 min
 *   level 2   256 buckets of 65,536 ticks              12 days
 *   level 3   256 buckets of 16.7 M ticks               9 years; what lies beyond is filed under its end
 *
 *   bucket: entries of two integers (hash of the key, tick)
 *
 * When a coarse bucket's time begins, its entries go down into the finer level. An entry is only a hint:
 * the record has the exact time. So nothing is searched when a key is deleted or its expiry moved; an entry
 * that leads nowhere is dropped when its time comes. A record remembers the earliest tick under which it is
 * known here, and no second entry is made while that one stands; thus EXPIRE in a loop adds nothing.
 */

export const TICK_MS = 64;
export const WHEEL_ENTRY_BYTES = 8;
const SLOTS = 256;
const LEVELS = 4;
const FIRST_CAPACITY = 16;
const CHUNK_INTS = 1 << 16;
const LAST_TICK = 0xfffffff0;

class Bucket {
  /** Full chunks, then the one being filled. */
  private chunks: Int32Array[] = [];
  private tail: Int32Array | null = null;
  private used = 0;

  push(hash: number, tick: number): void {
    if (this.tail === null) this.tail = new Int32Array(FIRST_CAPACITY);
    else if (this.used === this.tail.length) {
      if (this.used === CHUNK_INTS) {
        this.chunks.push(this.tail);
        this.tail = new Int32Array(CHUNK_INTS);
        this.used = 0;
      } else {
        const larger = new Int32Array(Math.min(CHUNK_INTS, this.used * 4));
        larger.set(this.tail);
        this.tail = larger;
      }
    }
    this.tail[this.used++] = hash;
    this.tail[this.used++] = tick;
  }

  /** Takes the newest entry out: its hash; its tick is then in `poppedTick`. */
  pop(): number {
    const tail = this.tail!;
    this.poppedTick = tail[--this.used]! >>> 0;
    const hash = tail[--this.used]!;
    if (this.used === 0) {
      this.tail = this.chunks.pop() ?? null;
      if (this.tail !== null) this.used = CHUNK_INTS;
    }
    return hash;
  }

  poppedTick = 0;

  /** Entries held. */
  get count(): number {
    return (this.chunks.length * CHUNK_INTS + this.used) / 2;
  }

  /** The hash of entry `i`. */
  hashAt(i: number): number {
    const chunk = this.chunks[Math.floor((i * 2) / CHUNK_INTS)] ?? this.tail!;
    return chunk[(i * 2) % CHUNK_INTS]!;
  }

  /** The hashes held, in no order. */
  *hashes(): Iterable<number> {
    for (let i = 0; i < this.used; i += 2) yield this.tail![i]!;
    for (const chunk of this.chunks) for (let i = 0; i < CHUNK_INTS; i += 2) yield chunk[i]!;
  }

  get empty(): boolean {
    return this.tail === null || this.used === 0;
  }
}

export class ExpiryWheel {
  private readonly levels: (Bucket | undefined)[][] = Array.from({ length: LEVELS }, () => []);
  private readonly origin: number;
  /** The next tick to work off. */
  private current = 1;
  private compaction = { level: 0, index: 0, fresh: new Bucket() };
  /** Entries by level. */
  private readonly held: number[] = new Array(LEVELS).fill(0);
  /** Entries held, stale ones included. */
  entries = 0;

  /** `tickMs`: a finer grain than usual, for which the reach of the levels shrinks. */
  constructor(
    nowMs: number,
    private readonly tickMs = TICK_MS,
  ) {
    this.origin = Math.floor(nowMs / tickMs) - 1;
  }

  /** The tick under which a time is filed, 1 or later. */
  tickOf(atMs: number): number {
    const tick = Math.floor(atMs / this.tickMs) - this.origin;
    return Math.max(this.current, Math.min(LAST_TICK, tick));
  }

  add(hash: number, tick: number): void {
    // The finest level in which the tick's bucket comes up for the first time at the right moment.
    let level = 0;
    let grain = 1;
    while (Math.floor(tick / grain) - Math.floor(this.current / grain) >= SLOTS) {
      level++;
      grain *= SLOTS;
    }
    const index = Math.floor(tick / grain) % SLOTS;
    (this.levels[level]![index] ??= new Bucket()).push(hash, tick);
    this.held[level]!++;
    this.entries++;
  }

  /**
   * Works off what is due at `nowMs`, until `outOfTime` says stop: each due entry goes to `due`. Returns
   * whether anything due is left.
   */
  advance(nowMs: number, due: (hash: number, tick: number) => void, outOfTime: () => boolean): boolean {
    const target = Math.floor(nowMs / this.tickMs) - this.origin;
    if (this.entries === 0) {
      if (target > this.current) this.current = target;
      return false;
    }
    let steps = 0;
    while (this.current < target) {
      // A coarse bucket whose time begins now is spread before its first tick is worked off.
      for (let level = LEVELS - 1, span = SLOTS ** (LEVELS - 1); level > 0; level--, span /= SLOTS) {
        if (this.current % span !== 0) continue;
        const index = (this.current / span) % SLOTS;
        const bucket = this.take(level, index);
        while (bucket !== undefined && !bucket.empty) {
          const hash = bucket.pop();
          this.held[level]!--;
          this.entries--;
          this.add(hash, Math.max(bucket.poppedTick, this.current));
          if ((++steps & 255) === 0 && outOfTime()) return true;
        }
        this.levels[level]![index] = undefined;
      }
      const index = this.current % SLOTS;
      const bucket = this.take(0, index);
      while (bucket !== undefined && !bucket.empty) {
        const hash = bucket.pop();
        this.held[0]!--;
        this.entries--;
        due(hash, bucket.poppedTick);
        if ((++steps & 63) === 0 && outOfTime()) return true;
      }
      this.levels[0]![index] = undefined;
      this.current = Math.min(target, this.nextTick());
      if (this.entries === 0) {
        this.current = target;
        return false;
      }
      if ((++steps & 255) === 0 && outOfTime()) return true;
    }
    return false;
  }

  /** The next tick at which there may be something to do: time may have jumped over years. */
  private nextTick(): number {
    let span = 1;
    for (let level = 0; level < LEVELS && this.held[level] === 0; level++) span *= SLOTS;
    return (Math.floor(this.current / span) + 1) * span;
  }

  /** The hash of some entry, which need not stand any more; null where there is none. `random`: 32-bit integers. */
  randomHash(random: () => number): number | null {
    if (this.entries === 0) return null;
    const below = (bound: number) => (random() >>> 0) % bound;
    for (let tries = 0; tries < SLOTS * LEVELS; tries++) {
      let level = 0;
      for (let left = below(this.entries); level < LEVELS - 1 && left >= this.held[level]!; level++)
        left -= this.held[level]!;
      const bucket = this.levels[level]![below(SLOTS)];
      if (bucket !== undefined && !bucket.empty) return bucket.hashAt(below(bucket.count));
    }
    return null;
  }

  /**
   * Drops entries that `keep` says no longer stand, one bucket after the other, until `outOfTime`; returns
   * whether it is done. For when far more entries are held than keys have an expiry.
   */
  compact(keep: (hash: number, tick: number) => boolean, outOfTime: () => boolean): boolean {
    let steps = 0;
    for (;;) {
      const { level, index, fresh } = this.compaction;
      const bucket = this.levels[level]![index];
      while (bucket !== undefined && !bucket.empty) {
        const hash = bucket.pop();
        if (keep(hash, bucket.poppedTick)) fresh.push(hash, bucket.poppedTick);
        else {
          this.held[level]!--;
          this.entries--;
        }
        if ((++steps & 63) === 0 && outOfTime()) return false;
      }
      this.levels[level]![index] = fresh.empty ? undefined : fresh;
      const next = index + 1 < SLOTS ? index + 1 : 0;
      const nextLevel = next === 0 ? (level + 1) % LEVELS : level;
      this.compaction = { level: nextLevel, index: next, fresh: new Bucket() };
      if (next === 0 && nextLevel === 0) return true;
    }
  }

  /** A bucket to be worked off, together with what a compaction under way has set aside from it. */
  private take(level: number, index: number): Bucket | undefined {
    const { fresh } = this.compaction;
    const bucket = this.levels[level]![index];
    if (level !== this.compaction.level || index !== this.compaction.index || fresh.empty) return bucket;
    const whole = bucket ?? new Bucket();
    while (!fresh.empty) whole.push(fresh.pop(), fresh.poppedTick);
    this.levels[level]![index] = whole;
    return whole;
  }

  /** The hashes of all entries, stale ones included, in no order. */
  *hashes(): Iterable<number> {
    yield* this.compaction.fresh.hashes();
    for (const level of this.levels)
      for (const bucket of level) if (bucket !== undefined) yield* bucket.hashes();
  }

  /** Bytes of the entries. */
  get memoryUse(): number {
    return this.entries * WHEEL_ENTRY_BYTES;
  }
}
