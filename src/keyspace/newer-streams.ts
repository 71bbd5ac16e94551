import type { Stream } from "../types/stream.ts";
import type { Database } from "./database.ts";
import { ENC_OBJECT, TYPE_STREAM } from "./record.ts";

/**
 * The streams of one database that hold what only Redis 8.6 and later know: what producers have added (XADD with IDMP)
 * and entries that were given back (XNACK). There are few of them or none, so their keys' hashes are kept; a hash is a
 * hint: what is there now decides.
 */
export class NewerStreams {
  private readonly hashes = new Set<number>();

  constructor(private readonly db: Database) {}

  /** The stream at this position may have come to hold such things, or has come under another key. */
  note(position: number): void {
    if (this.streamAt(position)?.isNewer === true) this.hashes.add(this.db.hashOf(position));
  }

  get inUse(): boolean {
    this.tidy();
    return this.hashes.size > 0;
  }

  /** Forgets what is too old in them, and those that hold nothing any more. */
  tidy(): void {
    const { now } = this.db.context.clock;
    for (const hash of this.hashes) {
      let holds = false;
      this.db.index.forHash(hash, (position) => {
        const stream = this.streamAt(position);
        stream?.producers?.prune(now);
        if (stream?.isNewer === true) holds = true;
      });
      if (!holds) this.hashes.delete(hash);
    }
  }

  private streamAt(position: number): Stream | null {
    const { records } = this.db;
    if (records.type(position) !== TYPE_STREAM || records.encoding(position) !== ENC_OBJECT) return null;
    return records.objects.get(records.payloadLow(position)) as Stream;
  }
}
