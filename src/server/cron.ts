import type { Clock } from "../host/clock.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { Counters } from "../stats/counters.ts";
import type { LatencyMonitor } from "../stats/latency-monitor.ts";

/**
 * What the server does by itself: `hz` times a second the periodic tasks, and in between, as long as there is
 * work left over, slices of about a millisecond that leave the loop to the clients in turn.
 */
const SLICE_MS = 1;

export interface CronDeps {
  clock: Clock;
  keyspace: Keyspace;
  counters: Counters;
  latency: LatencyMonitor;
  hz(): number;
  /** Tasks of each tick, called with the number of the tick. */
  tasks: ((tick: number) => void)[];
  /** DEBUG SET-ACTIVE-EXPIRE. */
  activeExpire: boolean;
  /** DEBUG PAUSE-CRON. */
  paused: boolean;
}

export class Cron {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private slicing = false;
  private running = false;
  private ended = false;
  private ticks = 0;

  constructor(private readonly deps: CronDeps) {}

  start(): void {
    if (this.ended) return;
    this.running = true;
    this.timer = setTimeout(this.tick, 1000 / this.deps.hz());
  }

  /** Takes effect at once, even within a tick: nothing of it changes the data set any more. */
  stop(): void {
    this.running = false;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  /** Stops for good, whoever means to start it again. */
  end(): void {
    this.ended = true;
    this.stop();
  }

  private readonly tick = (): void => {
    const { deps } = this;
    this.timer = setTimeout(this.tick, 1000 / deps.hz());
    if (deps.paused) return;
    deps.clock.update();
    const started = deps.clock.monotonic();
    const tick = ++this.ticks;
    for (const task of deps.tasks) if (this.running) task(tick);
    if (!this.slicing) this.slice();
    const microseconds = (deps.clock.monotonic() - started) / 1000;
    deps.counters.cronUs += microseconds;
    deps.counters.countCycle(microseconds, 0);
  };

  /** One slice of background work; goes on after the next turn of the loop while there is more. */
  private readonly slice = (): void => {
    const { deps } = this;
    this.slicing = this.running;
    if (!this.running) return;
    deps.clock.update();
    const end = performance.now() + SLICE_MS;
    const outOfTime = (): boolean => performance.now() >= end;
    const started = performance.now();
    let more = false;
    if (deps.activeExpire) {
      more = deps.keyspace.expireDue(outOfTime);
      const elapsed = performance.now() - started;
      deps.counters.expireCycleMs += elapsed;
      deps.latency.note("expire-cycle", elapsed);
      if (more) deps.counters.expireTimeCapReached++;
    }
    if (deps.keyspace.reap()) more = true;
    if (!more && deps.keyspace.tidy(outOfTime)) more = true;
    if (more) setTimeout(this.slice, 1);
    else this.slicing = false;
  };
}
