import type { SnapshotGuard } from "../call/snapshot-guard.ts";
import type { Database } from "../keyspace/database.ts";
import { Snapshot, type SnapshotSink } from "../keyspace/snapshot.ts";

/**
 * Writes a snapshot of all databases in slices between events: for BGSAVE, for the base of an AOF, and for
 * replicas. One at a time.
 */
const SLICE_MS = 1;
/** How long to leave a target that cannot take more alone. */
const WAIT_MS = 2;
const LONGEST_NAP_MS = 50;

/** Where the bytes go; `write` throws the system's error, `done` comes after the last byte. */
export interface SnapshotTarget {
  /** False: it cannot take more at present. */
  ready?(): boolean;
  write(buf: Uint8Array, start: number, end: number): void;
  done(): void;
  failed(error: unknown): void;
}

/** Puts records into a format and hands the bytes out. */
export interface JobRecords extends SnapshotSink {
  /** What stands before the records. */
  begin(): void;
  /** What stands behind them. */
  end(): void;
}

export type RecordsFor = (
  databases: readonly Database[],
  bytes: (buf: Uint8Array, start: number, end: number) => void,
) => JobRecords;

export class SnapshotJob {
  private readonly snapshot: Snapshot;
  private readonly records: JobRecords;
  private failure: unknown = null;
  private ended = false;
  private timer: ReturnType<typeof setTimeout>;
  readonly startedAt = Date.now();

  /**
   * There must be no other snapshot. Begins at once: what changes from now on is not in it. `keyDelay`:
   * microseconds to lose after each record (rdb-key-save-delay).
   */
  constructor(
    counters: { snapshots: number },
    private readonly guard: SnapshotGuard,
    databases: readonly Database[],
    recordsFor: RecordsFor,
    private readonly target: SnapshotTarget,
    private readonly keyDelay: () => number,
  ) {
    if (guard.active) throw new Error("a snapshot is under way already");
    counters.snapshots++;
    this.records = recordsFor(databases, (buf, start, end) => {
      if (this.failure !== null || this.ended) return;
      try {
        target.write(buf, start, end);
      } catch (error) {
        this.failure = error;
        this.snapshot.abandon();
      }
    });
    this.snapshot = new Snapshot(databases, this.records);
    guard.begin(this.snapshot);
    this.records.begin();
    this.timer = setTimeout(this.slice, 0);
  }

  /** Records written, and how many there are to be. */
  get progress(): { done: number; total: number } {
    return { done: this.snapshot.seen, total: this.snapshot.total };
  }

  /** Gives up; the target hears no more of it. */
  abort(): void {
    if (this.ended || this.guard.snapshot !== this.snapshot) return;
    this.ended = true;
    this.snapshot.abandon();
    clearTimeout(this.timer);
    this.timer = setTimeout(this.slice, 0);
  }

  /** Goes on after so many milliseconds, or when there is to be no delay any more. */
  private pause(left: number): void {
    const piece = this.keyDelay() === 0 ? 0 : Math.min(left, LONGEST_NAP_MS);
    this.timer =
      piece === left || piece === 0
        ? setTimeout(this.slice, piece)
        : setTimeout(() => this.pause(left - piece), piece);
  }

  private readonly slice = (): void => {
    if (!this.ended && this.failure === null && this.target.ready?.() === false) {
      this.timer = setTimeout(this.slice, WAIT_MS);
      return;
    }
    const end = performance.now() + SLICE_MS;
    const delay = this.ended || this.failure !== null ? 0 : this.keyDelay();
    const before = this.snapshot.seen;
    const outOfTime = delay > 0 ? () => this.snapshot.seen > before : () => performance.now() >= end;
    if (!this.snapshot.step(outOfTime)) {
      this.pause((delay * (this.snapshot.seen - before)) / 1000);
      return;
    }
    this.guard.snapshot = null;
    if (this.ended) return;
    if (this.failure === null) this.records.end();
    if (this.failure === null) this.target.done();
    else this.target.failed(this.failure);
  };
}
