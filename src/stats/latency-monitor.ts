/**
 * The latency monitor: what took longer than latency-monitor-threshold, by kind of event.
 *
 * An event keeps a ring of 160 samples, at most one a second (the worst of that second), and the worst of all
 * times. https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency-monitor/
 */
const RING = 160;

export type LatencyEvent =
  | "command"
  | "fast-command"
  | "expire-cycle"
  | "eviction-cycle"
  | "event-loop"
  | "aof-write"
  | "aof-write-alone"
  | "aof-write-active-child"
  | "aof-write-pending-fsync"
  | "aof-fsync-always"
  | "aof-fstat"
  | "aof-rename";

export interface LatencySample {
  /** Seconds since 1970. */
  readonly time: number;
  milliseconds: number;
}

export class LatencySeries {
  /** The oldest first. */
  readonly samples: LatencySample[] = [];
  /** The worst of all times. */
  max = 0;

  add(time: number, milliseconds: number): void {
    this.max = Math.max(this.max, milliseconds);
    const last = this.samples.at(-1);
    if (last?.time === time) {
      last.milliseconds = Math.max(last.milliseconds, milliseconds);
      return;
    }
    this.samples.push({ time, milliseconds });
    if (this.samples.length > RING) this.samples.shift();
  }

  get latest(): LatencySample {
    return this.samples.at(-1)!;
  }
}

/** What LATENCY DOCTOR says of one event; times in ms, the period in seconds. */
export interface LatencyAnalysis {
  samples: number;
  average: number;
  meanDeviation: number;
  low: number;
  high: number;
  period: number;
}

export class LatencyMonitor {
  private readonly events = new Map<string, LatencySeries>();
  /** Milliseconds from which on an event is noted; 0: none is. */
  threshold = 0;

  /** Notes an event that took so many milliseconds, if that is long enough. */
  note(event: LatencyEvent, milliseconds: number): void {
    if (this.threshold === 0 || milliseconds < this.threshold) return;
    let series = this.events.get(event);
    if (series === undefined) this.events.set(event, (series = new LatencySeries()));
    series.add(Math.floor(Date.now() / 1000), Math.floor(milliseconds));
  }

  get size(): number {
    return this.events.size;
  }

  get(event: string): LatencySeries | undefined {
    return this.events.get(event);
  }

  all(): Iterable<[string, LatencySeries]> {
    return this.events;
  }

  /** Forgets one event (in any case of letters), or all; returns how many there were. */
  reset(event?: string): number {
    const names = [...this.events.keys()].filter(
      (name) => event === undefined || name === event.toLowerCase(),
    );
    for (const name of names) this.events.delete(name);
    return names.length;
  }
}

export function analyze({ samples }: LatencySeries): LatencyAnalysis {
  const values = samples.map(({ milliseconds }) => milliseconds);
  const mean = (list: number[]) => Math.floor(list.reduce((sum, each) => sum + each, 0) / list.length);
  const average = mean(values);
  return {
    samples: values.length,
    average,
    meanDeviation: mean(values.map((value) => Math.abs(value - average))),
    low: Math.min(...values),
    high: Math.max(...values),
    period: Math.max(1, Math.floor(Date.now() / 1000) - samples[0]!.time),
  };
}
