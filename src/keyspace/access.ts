import type { Clock } from "../host/clock.ts";
import type { Random } from "../host/random.ts";

/**
 * The 24-bit access clock of a record.
 *
 *   LRU:  seconds modulo 2^24 of the last access
 *   LRM:  the same of the last change, which who changes a key sets (server/modification-clock.ts)
 *   LFU:  minutes modulo 2^16 of the last decrement (16 bits) | logarithmic counter (8 bits)
 *
 * The counter grows with probability 1 / ((counter - 5) * factor + 1) and loses one for each `decayMinutes`
 * without access. Which of these is meant follows from maxmemory-policy.
 */
const LFU_START = 5;

export class AccessClock {
  /** Lookups ask what an access makes of the clock: for LFU, and for LRM, where it makes nothing of it. */
  lfu = false;
  /** LRM. */
  byChange = false;
  /** The record that a command has just given a clock of its own (RESTORE with IDLETIME); 0: none. */
  given = 0;
  logFactor = 10;
  decayMinutes = 1;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** The clock is that of LFU. */
  get countsUse(): boolean {
    return this.lfu && !this.byChange;
  }

  /** The clock of a new record. */
  fresh(): number {
    return this.countsUse ? (this.minutes() << 8) | LFU_START : this.clock.lruClock;
  }

  /** The clock after one more access. */
  touched(old: number): number {
    if (this.byChange) return old;
    if (!this.lfu) return this.clock.lruClock;
    const counter = this.frequency(old);
    return (this.minutes() << 8) | this.increment(counter);
  }

  /** Seconds since the last access. */
  idleSeconds(clock: number): number {
    const now = this.clock.lruClock;
    return now >= clock ? now - clock : now + (0xffffff - clock);
  }

  /** The counter, less what the time since its last change has taken from it. */
  frequency(clock: number): number {
    const counter = clock & 0xff;
    const now = this.minutes();
    const then = clock >>> 8;
    const elapsed = now >= then ? now - then : 65535 - then + now;
    const lost = this.decayMinutes > 0 ? Math.floor(elapsed / this.decayMinutes) : 0;
    return Math.max(0, counter - lost);
  }

  private increment(counter: number): number {
    if (counter === 255) return 255;
    const base = Math.max(0, counter - LFU_START);
    return this.random.unit() < 1 / (base * this.logFactor + 1) ? counter + 1 : counter;
  }

  private minutes(): number {
    return Math.floor(this.clock.now / 60000) & 0xffff;
  }
}
