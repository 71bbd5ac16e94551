import type { Counters } from "./counters.ts";

/**
 * The figures "per second" of INFO: each is the mean of the last 16 samples, one every 100 ms or so, so that
 * they follow the last second and a half.
 */
const SAMPLES = 16;
export const SAMPLE_EVERY_MS = 100;

export class Rate {
  private readonly samples = new Float64Array(SAMPLES);
  private next = 0;
  private lastValue = 0;
  private lastBase = 0;

  /** `value` and `base` only grow; a sample is how much the one grew for `factor` of the other. */
  track(value: number, base: number, factor: number): void {
    if (this.lastBase > 0) {
      const grown = base - this.lastBase;
      this.samples[this.next] = grown > 0 ? Math.floor(((value - this.lastValue) * factor) / grown) : 0;
      this.next = (this.next + 1) % SAMPLES;
    }
    this.lastValue = value;
    this.lastBase = base;
  }

  get mean(): number {
    let sum = 0;
    for (const sample of this.samples) sum += sample;
    return sum / SAMPLES;
  }
}

export class Rates {
  commands = new Rate();
  netInput = new Rate();
  netOutput = new Rate();
  cycles = new Rate();
  /** Microseconds a cycle of the event loop. */
  cycleUs = new Rate();
  private sampledAt = 0;

  /** Takes a sample if it is time to; `microseconds` from a clock that never goes back. */
  sample(counters: Counters, microseconds: number): void {
    if (microseconds - this.sampledAt < (SAMPLE_EVERY_MS - 1) * 1000) return;
    this.sampledAt = microseconds;
    this.commands.track(counters.commands, microseconds, 1_000_000);
    this.netInput.track(counters.netInput, microseconds, 1_000_000);
    this.netOutput.track(counters.netOutput, microseconds, 1_000_000);
    this.cycles.track(counters.eventLoopCycles, microseconds, 1_000_000);
    this.cycleUs.track(counters.eventLoopUs, counters.eventLoopCycles, 1);
  }

  /** The counters were set back to zero. */
  reset(): void {
    Object.assign(this, new Rates());
  }
}
