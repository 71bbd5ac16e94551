/**
 * Clients that share an fsync. Where each write has to be on disk before it is answered, and the fsync is done on the
 * main thread, the turn that ends first would take it for a few clients alone, while the others' requests are on
 * their way already: so a turn waits for as many clients as the last one had.
 *
 *   clients     1 . . 9 . 20 . . . 41 . 50 | fsync | replies
 *   iterations  ^   ^   ^   ^   ^   ^   ^
 *
 * At most as long as the fsync that is saved would take, and only while they keep coming: those of one busy process
 * follow each other within some tens of microseconds, and behind a longer gap there are seldom any.
 */
const GAP_MS = 0.05;
/** So many are not waited for any longer: the fsync is less for each of them than the request itself. */
const ENOUGH = 16;

export class Gathering {
  /** Clients of the turn that ended last, and those that the one under way has had so far. */
  private expected = 0;
  private seen = 0;
  private since = 0;
  private lastCame = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Whether the turn, which has so many clients by now, is to wait for more. `patience`: milliseconds of an fsync. */
  waits(clients: number, patience: number): boolean {
    if (clients >= this.expected || patience === 0) return false;
    const now = this.now();
    if (this.seen === 0) this.since = now;
    if (clients > this.seen) {
      this.seen = clients;
      this.lastCame = now;
    }
    return now - this.lastCame < GAP_MS && now - this.since < patience;
  }

  /** The turn has ended with so many clients. */
  ended(clients: number): void {
    this.expected = Math.min(clients, ENOUGH);
    this.seen = 0;
  }
}
