/**
 * Where an fsync that replies wait for is best done. Another thread leaves this one free to serve who only reads, and
 * costs two hops and a second group of clients that waits for the next fsync; on a disk that answers within a fraction
 * of a millisecond that is more than the fsync itself. So it is done here while the disk has been quick of late, which
 * the first ones, on the other thread, have to show.
 *
 *   average (moving, over about 8)   < QUICK_MS: here        > SLOW_MS: on the other thread       between: as before
 */
const QUICK_MS = 1;
const SLOW_MS = 2;
const WEIGHT = 1 / 8;

export class SyncPace {
  /** Whether fsyncs are to be done on this thread. */
  quick = false;
  /** Milliseconds of an fsync, of late. */
  average = SLOW_MS;

  /** An fsync has taken so long. */
  note(milliseconds: number): void {
    this.average += (milliseconds - this.average) * WEIGHT;
    if (this.average < QUICK_MS) this.quick = true;
    else if (this.average > SLOW_MS) this.quick = false;
  }
}
