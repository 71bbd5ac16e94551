/**
 * Which clients may have which keys in their own cache: from a key (one character a byte, whatever its database) to
 * the IDs of the clients that have read it. The entries also stand in an array, so that a random one can be dropped
 * when there are too many.
 */
interface Entry {
  readonly key: string;
  readonly clients: Set<number>;
  /** Where it stands in the array. */
  at: number;
}

export class TrackingTable {
  private readonly byKey = new Map<string, Entry>();
  private readonly entries: Entry[] = [];
  /** Clients of all keys together. */
  itemCount = 0;

  get keyCount(): number {
    return this.entries.length;
  }

  add(key: string, client: number): void {
    let entry = this.byKey.get(key);
    if (entry === undefined) {
      entry = { key, clients: new Set(), at: this.entries.length };
      this.entries.push(entry);
      this.byKey.set(key, entry);
    }
    if (entry.clients.has(client)) return;
    entry.clients.add(client);
    this.itemCount++;
  }

  /** Forgets the key; the clients that have it, or null. */
  take(key: string): Set<number> | null {
    const entry = this.byKey.get(key);
    if (entry === undefined) return null;
    this.byKey.delete(key);
    const last = this.entries.pop()!;
    if (last !== entry) {
      this.entries[entry.at] = last;
      last.at = entry.at;
    }
    this.itemCount -= entry.clients.size;
    return entry.clients;
  }

  /** One of the keys; there has to be one. `random`: from 0 to below the bound. */
  anyKey(random: (bound: number) => number): string {
    return this.entries[random(this.entries.length)]!.key;
  }

  clear(): void {
    this.byKey.clear();
    this.entries.length = 0;
    this.itemCount = 0;
  }
}
