/**
 * Memory that WebAssembly reaches, for vectors (encodings/vector-kernels.ts): cells of up to 256 KiB, by their address.
 * What is freed is kept for the next cell of its size; when nothing is in use any more, all of it is let go. There are
 * 4 GiB at the most.
 *
 * When the memory grows, all arrays over it are detached: `bytes` and its kin are to be asked for each time.
 */
const SMALLEST = 1024;
export const LARGEST = 256 * 1024;
const SYSTEM_PAGE = 64 * 1024;
const MOST_PAGES = 65536;
/** At the beginning there are two cells of the largest size for vectors that are kept somewhere else. */
export const ASIDE = [0, LARGEST] as const;

export class VectorArena {
  memory!: WebAssembly.Memory;
  bytes!: Uint8Array;
  floats!: Float32Array;
  integers!: Int8Array;
  words!: Int32Array;
  /** Freed cells, by their size. */
  private readonly free = new Map<number, number[]>();
  private end = 0;
  private used = 0;
  /** Is told of a new memory. */
  onMemory: ((memory: WebAssembly.Memory) => void) | null = null;

  /** `most`: pages of 64 KiB that it may have. */
  constructor(private readonly most = MOST_PAGES) {
    this.reset();
  }

  private reset(): void {
    this.free.clear();
    this.end = 2 * LARGEST;
    this.memory = new WebAssembly.Memory({ initial: this.end / SYSTEM_PAGE, maximum: this.most });
    this.view();
    this.onMemory?.(this.memory);
  }

  private view(): void {
    const { buffer } = this.memory;
    this.bytes = new Uint8Array(buffer);
    this.floats = new Float32Array(buffer);
    this.integers = new Int8Array(buffer);
    this.words = new Int32Array(buffer);
  }

  /** The size of the cell that so many bytes get, at most LARGEST: in steps of a quarter of a power of two. */
  sizeOf(bytes: number): number {
    if (bytes <= SMALLEST) return SMALLEST;
    const step = 1 << (29 - Math.clz32(bytes - 1));
    return (bytes + step - 1) & ~(step - 1);
  }

  /** The address of a cell of zeros of this size (see `sizeOf`); -1: there is no room. */
  alloc(size: number): number {
    const freed = this.free.get(size)?.pop();
    if (freed === undefined && this.end + size > this.bytes.length && !this.grow(size)) return -1;
    this.used += size;
    if (freed !== undefined) {
      this.bytes.fill(0, freed, freed + size);
      return freed;
    }
    const address = this.end;
    this.end += size;
    return address;
  }

  private grow(bytes: number): boolean {
    const held = this.bytes.length / SYSTEM_PAGE;
    const needed = Math.ceil(bytes / SYSTEM_PAGE);
    if (held + needed > this.most) return false;
    try {
      // By an eighth at least: all arrays are made anew.
      this.memory.grow(Math.min(Math.max(needed, held >> 3), this.most - held));
    } catch {
      return false;
    }
    this.view();
    return true;
  }

  release(address: number, size: number): void {
    this.used -= size;
    if (this.used === 0) {
      this.reset();
      return;
    }
    const cells = this.free.get(size);
    if (cells === undefined) this.free.set(size, [address]);
    else cells.push(address);
  }
}
