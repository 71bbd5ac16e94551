/** The slow log: the commands that took longest, newest first, arguments cut short. */

export interface SlowEntry {
  id: number;
  /** Seconds since 1970. */
  time: number;
  microseconds: number;
  args: Uint8Array[];
  address: string;
  clientName: string;
}

export class Slowlog {
  private entries: SlowEntry[] = [];
  private nextId = 0;

  add(entry: Omit<SlowEntry, "id">, maxLength: number): void {
    this.entries.unshift({ id: this.nextId++, ...entry });
    this.trim(maxLength);
  }

  trim(maxLength: number): void {
    if (this.entries.length > maxLength) this.entries.length = maxLength;
  }

  /** The newest `count` entries. */
  newest(count: number): readonly SlowEntry[] {
    return this.entries.slice(0, count);
  }

  get length(): number {
    return this.entries.length;
  }

  clear(): void {
    this.entries = [];
  }
}
