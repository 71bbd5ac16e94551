/**
 * The server's time. `now` stands still while one event is handled, so that all keys of one command see the
 * same moment; whoever starts an event calls `update`.
 */
export class Clock {
  /** Milliseconds since 1970, as of the last update. */
  now = Date.now();
  /** Redis's LRU clock: seconds modulo 2^24, as of the last update. */
  lruClock = 0;
  /** Milliseconds by which this clock is ahead of the system's: a test has moved it (inside/). */
  private ahead = 0;
  /** While frozen (a script, a transaction), `update` changes nothing. */
  private frozen = 0;
  private frozenMicroseconds = 0;

  constructor() {
    this.update();
  }

  update(): void {
    if (this.frozen > 0) return;
    const now = this.time();
    if (now === this.now) return;
    this.now = now;
    this.lruClock = Math.floor(now / 1000) & 0xffffff;
  }

  /** Milliseconds since 1970, at this very moment: for what waits, whatever event is being handled. */
  time(): number {
    return Date.now() + this.ahead;
  }

  /** Moves the time that is told, by whole milliseconds and only forward; `monotonic` goes on as it did. */
  advance(milliseconds: number): void {
    this.ahead += milliseconds;
    this.update();
  }

  freeze(): void {
    if (this.frozen === 0) this.frozenMicroseconds = 0;
    this.frozen++;
  }

  thaw(): void {
    this.frozen--;
  }

  /** Microseconds since 1970, as TIME tells them: while frozen, always the same. */
  commandMicroseconds(): number {
    if (this.frozen === 0) return this.microseconds();
    return (this.frozenMicroseconds ||= this.microseconds());
  }

  /** Microseconds since 1970, at this very moment. */
  microseconds(): number {
    // The fine clock counts from the process's start and misses that the system's clock was set: it is good
    // for the part of a millisecond only.
    const fine = (performance.timeOrigin + performance.now()) * 1000;
    return this.time() * 1000 + Math.floor(fine % 1000);
  }

  /** Nanoseconds since some fixed moment, never going back. */
  monotonic(): number {
    return Bun.nanoseconds();
  }
}
