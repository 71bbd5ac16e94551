import { copyBytes } from "../../bytes/ascii.ts";

/**
 * Many byte strings without a JavaScript object for each: their bytes one behind the other, and an array of where
 * each begins. String i is `bytes[offsets[i], offsets[i + 1])`; one may be missing.
 */
export class Elements {
  bytes: Uint8Array;
  offsets: Float64Array;
  count = 0;
  private missing: Uint8Array | null = null;

  /** For so many strings, exactly. */
  constructor(capacity: number) {
    this.bytes = new Uint8Array(Math.max(64, capacity * 8));
    this.offsets = new Float64Array(capacity + 1);
  }

  add(buf: Uint8Array, start: number, end: number): void {
    const used = this.offsets[this.count]!;
    const length = end - start;
    if (used + length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.bytes.length * 2, used + length));
      copyBytes(larger, 0, this.bytes, 0, used);
      this.bytes = larger;
    }
    copyBytes(this.bytes, used, buf, start, end);
    this.offsets[++this.count] = used + length;
  }

  addMissing(): void {
    this.missing ??= new Uint8Array(this.offsets.length);
    this.missing[this.count] = 1;
    this.add(this.bytes, 0, 0);
  }

  isMissing(i: number): boolean {
    return this.missing !== null && this.missing[i] === 1;
  }

  start(i: number): number {
    return this.offsets[i]!;
  }

  end(i: number): number {
    return this.offsets[i + 1]!;
  }

  /** As memcmp, then by length; a missing one comes before all others. */
  compare(a: number, b: number): number {
    const { bytes, offsets } = this;
    if (this.missing !== null && (this.missing[a] === 1 || this.missing[b] === 1))
      return this.missing[b]! - this.missing[a]!;
    const aEnd = offsets[a + 1]!;
    const bEnd = offsets[b + 1]!;
    let i = offsets[a]!;
    let j = offsets[b]!;
    for (; i < aEnd && j < bEnd; i++, j++) if (bytes[i] !== bytes[j]) return bytes[i]! - bytes[j]!;
    return aEnd - i - (bEnd - j);
  }
}
