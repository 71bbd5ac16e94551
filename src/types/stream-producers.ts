import { joinHalves } from "../bytes/int64.ts";
import { StreamId } from "../encodings/stream-id.ts";

/**
 * Idempotent producers (Redis 8.6): what each producer has added of late, by the name it gave to the addition, so that
 * the same one asked for again is answered with the entry's ID and adds nothing.
 *
 *   producer -> name of an addition -> ID of its entry          in the order in which they were added
 *
 * An addition is remembered for `duration` seconds from its ID's time on, and a producer's last `maxSize` ones. What is
 * too old goes when its producer is asked for, and now and then (keyspace/newer-streams.ts).
 */

/** XCFGSET's limits and defaults. */
export const DURATION = { least: 1, most: 86400, usual: 100 } as const;
export const MAX_SIZE = { least: 1, most: 10000, usual: 100 } as const;
/** Bytes of the objects for a producer and for an addition, about. */
const PRODUCER_BYTES = 250;
const ADDITION_BYTES = 150;

type Additions = Map<string, StreamId>;

export class Producers {
  /** Names are text, one character a byte. */
  readonly byName = new Map<string, Additions>();
  /** XCFGSET has given it settings of its own. */
  configured = false;
  /** Additions ever noted, and those asked for again. */
  added = 0;
  duplicates = 0;
  private nameBytes = 0;

  constructor(
    /** Seconds. */
    public duration: number,
    public maxSize: number,
  ) {}

  /** Whether a file has to hold it: statistics alone are not worth a newer format. */
  get needsSaving(): boolean {
    return this.configured || this.byName.size > 0;
  }

  get memoryUse(): number {
    return this.nameBytes + this.byName.size * PRODUCER_BYTES + this.count * ADDITION_BYTES;
  }

  /** Additions remembered. */
  get count(): number {
    let count = 0;
    for (const additions of this.byName.values()) count += additions.size;
    return count;
  }

  find(producer: string, name: string, now: number): StreamId | null {
    const additions = this.byName.get(producer);
    if (additions === undefined) return null;
    this.forgetOld(producer, additions, now);
    return additions.get(name) ?? null;
  }

  /** Notes an addition that is not known. */
  add(producer: string, name: string, id: StreamId): void {
    this.added++;
    this.restore(producer, name, id);
  }

  /** As `add`, of one that was counted before; false where there is one of that name. */
  restore(producer: string, name: string, id: StreamId): boolean {
    let additions = this.byName.get(producer);
    if (additions === undefined) {
      additions = new Map();
      this.byName.set(producer, additions);
      this.nameBytes += producer.length;
    } else if (additions.has(name)) return false;
    additions.set(name, new StreamId().copy(id));
    this.nameBytes += name.length;
    if (additions.size > this.maxSize) this.forgetFirst(additions);
    return true;
  }

  /** Forgets all that is too old. */
  prune(now: number): void {
    for (const [producer, additions] of this.byName) this.forgetOld(producer, additions, now);
  }

  /** Settings that differ from those there are make it forget everything; whether they did. */
  configure(duration: number, maxSize: number): boolean {
    if (duration === this.duration && maxSize === this.maxSize) return false;
    this.duration = duration;
    this.maxSize = maxSize;
    this.configured = true;
    this.byName.clear();
    this.nameBytes = 0;
    return true;
  }

  clone(): Producers {
    const copy = new Producers(this.duration, this.maxSize);
    copy.configured = this.configured;
    for (const [producer, additions] of this.byName) copy.byName.set(producer, new Map(additions));
    copy.added = this.added;
    copy.duplicates = this.duplicates;
    copy.nameBytes = this.nameBytes;
    return copy;
  }

  isOld({ msLow, msHigh }: StreamId, now: number): boolean {
    return joinHalves(msLow, msHigh) <= now - this.duration * 1000;
  }

  private forgetOld(producer: string, additions: Additions, now: number): void {
    for (const id of additions.values()) {
      if (!this.isOld(id, now)) return;
      this.forgetFirst(additions);
    }
    this.byName.delete(producer);
    this.nameBytes -= producer.length;
  }

  private forgetFirst(additions: Additions): void {
    for (const name of additions.keys()) {
      additions.delete(name);
      this.nameBytes -= name.length;
      return;
    }
  }
}
