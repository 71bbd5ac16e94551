/**
 * Selection sampling (Knuth's algorithm S): going once through `total` elements, chooses `wanted` of them so
 * that every choice is equally likely.
 */
export class Sampler {
  /** Still to be chosen. */
  wanted = 0;
  private left = 0;

  begin(total: number, wanted: number): void {
    this.left = total;
    this.wanted = wanted;
  }

  /** Whether to choose the next element; `random` gives 32-bit integers. */
  take(random: () => number): boolean {
    const chosen = ((random() >>> 0) / 4294967296) * this.left-- < this.wanted;
    if (chosen) this.wanted--;
    return chosen;
  }
}
