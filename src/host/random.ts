/** Random numbers: a fast generator for sampling, and bytes that nobody can guess for identifiers. */

/** xorshift128 (Marsaglia), seeded from the system: for RANDOMKEY, sampling and the like. */
export class Random {
  private x: number;
  private y: number;
  private z: number;
  private w: number;

  constructor(seed?: number) {
    const words = new Int32Array(4);
    if (seed === undefined) crypto.getRandomValues(words);
    else words.fill(seed);
    this.x = words[0]! | 1;
    this.y = words[1]!;
    this.z = words[2]!;
    this.w = words[3]! ^ 88675123;
  }

  /** A 32-bit integer. */
  readonly int32 = (): number => {
    const t = this.x ^ (this.x << 11);
    this.x = this.y;
    this.y = this.z;
    this.z = this.w;
    this.w = this.w ^ (this.w >>> 19) ^ t ^ (t >>> 8);
    return this.w;
  };

  /** A number in [0, 1). */
  unit(): number {
    return (this.int32() >>> 0) / 4294967296;
  }

  /** An integer in [0, bound), bound at most 2^32. */
  below(bound: number): number {
    return Math.floor(this.unit() * bound);
  }
}

/** `length` hexadecimal digits, as Redis's run and replication IDs. */
export function randomHex(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array((length + 1) >> 1));
  return Buffer.from(bytes).toString("hex").slice(0, length);
}
