import type { Database } from "../keyspace/database.ts";
import type { Snapshot } from "../keyspace/snapshot.ts";
import type { Call } from "./call.ts";
import type { KeyList } from "./keys.ts";
import type { Command } from "./registry.ts";

/**
 * Tells the running snapshot of records that a command is about to change. Which those are follows from the
 * command's row: all its keys, since some commands change what they declare only to read (XREADGROUP
 * changes its groups). One that reaches beyond its keys (MOVE, COPY to another database) is taken to touch keys
 * of these names in all databases.
 */
export class SnapshotGuard {
  /** The snapshot that is being walked, if there is one. */
  snapshot: Snapshot | null = null;
  /**
   * Bytes that records took which this snapshot had to hand on ahead of their turn, since they were about to change:
   * what a fork would have copied.
   */
  copied = 0;
  private readonly keys: KeyList = [];

  constructor(private readonly databases: () => Iterable<Database>) {}

  get active(): boolean {
    return this.snapshot !== null;
  }

  begin(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    this.copied = 0;
  }

  beforeCommand(call: Call, command: Command): void {
    command.keys.find(call, this.keys);
    for (let i = 0; i < this.keys.length; i += 2) {
      const argument = this.keys[i]!;
      if (command.spec.reachesDatabases !== true) this.beforeKey(call.db, call, argument);
      else for (const database of this.databases()) this.beforeKey(database, call, argument);
    }
  }

  private beforeKey(database: Database, call: Call, argument: number): void {
    const start = call.start[argument]!;
    const end = call.end[argument]!;
    const position = database.index.find(database.index.hash(call.buf, start, end), call.buf, start, end);
    if (position === 0) return;
    const snapshot = this.snapshot!;
    const { seen } = snapshot;
    snapshot.beforeChange(database, position);
    if (snapshot.seen > seen) this.copied += database.records.memoryUse(position);
  }
}
