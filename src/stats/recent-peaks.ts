/** The largest buffers that a client had in the last eight seconds: INFO's client_recent_max_*. */
const SECONDS = 8;

export class RecentPeaks {
  private readonly input = new Float64Array(SECONDS);
  private readonly output = new Float64Array(SECONDS);
  private second = 0;

  /** Begins the slot of this second; what was eight seconds ago is forgotten. */
  begin(second: number): void {
    if (second === this.second) return;
    this.second = second;
    this.input[second % SECONDS] = 0;
    this.output[second % SECONDS] = 0;
  }

  note(input: number, output: number): void {
    const slot = this.second % SECONDS;
    if (input > this.input[slot]!) this.input[slot] = input;
    if (output > this.output[slot]!) this.output[slot] = output;
  }

  get maxInput(): number {
    return Math.max(...this.input);
  }

  get maxOutput(): number {
    return Math.max(...this.output);
  }
}
