import type { Database } from "./database.ts";

/**
 * Which key to evict: a few keys are sampled, and the best of all that were sampled lately is taken. A pool of the 16
 * best makes up for the small samples, as in Redis: what was nearly chosen last time is a good choice now.
 *
 *   *-lru     the longest idle        *-lfu     the least used
 *   *-lrm     the longest unchanged
 *   *-ttl     the next to fall due    *-random  any
 *
 * allkeys-* looks at all keys, volatile-* at those with an expiry: these are drawn from the index too while they are
 * many among the keys, and from the expiry wheel where they are few.
 */
export interface EvictionPolicy {
  readonly volatile: boolean;
  readonly by: "idle" | "frequency" | "ttl" | "random";
}

/** "noeviction" has none. */
export function evictionPolicy(name: string): EvictionPolicy | null {
  const [keys, what] = name.split("-");
  if (what === undefined) return null;
  const by = ({ lru: "idle", lrm: "idle", lfu: "frequency", ttl: "ttl", random: "random" } as const)[what];
  return by === undefined ? null : { volatile: keys === "volatile", by };
}

interface Candidate {
  readonly db: Database;
  readonly hash: number;
  readonly score: number;
}

const POOL = 16;
/** Draws that may lead nowhere before a database is taken to have no more such keys. */
const MISSES = 64;

export class Evictor {
  /** Ascending by score; the last one is the best to evict. */
  private pool: Candidate[] = [];
  /** The database that random eviction looks at first next time. */
  private turn = 0;

  constructor(private readonly random: () => number) {}

  /** The record to evict, and its database; null where no key may be. */
  choose(
    databases: readonly Database[],
    policy: EvictionPolicy,
    samples: number,
  ): { db: Database; position: number } | null {
    const filled = databases.filter((db) => (policy.volatile ? db.expires : db.size) > 0);
    if (filled.length === 0) return null;
    if (policy.by === "random") {
      for (let i = 0; i < filled.length; i++) {
        const db = filled[this.turn++ % filled.length]!;
        const position = this.draw(db, policy.volatile);
        if (position !== 0) return { db, position };
      }
      return null;
    }
    for (let attempt = 0; attempt < 2; attempt++) {
      for (const db of filled) this.sample(db, policy, samples);
      for (let best = this.pool.pop(); best !== undefined; best = this.pool.pop()) {
        // A database that has been flushed since is no longer among them, and its memory is given back.
        if (!filled.includes(best.db)) continue;
        const position = this.find(best, policy.volatile);
        if (position !== 0) return { db: best.db, position };
      }
    }
    return null;
  }

  /** Another policy counts from now on. */
  reset(): void {
    this.pool = [];
  }

  private sample(db: Database, policy: EvictionPolicy, samples: number): void {
    for (let i = 0; i < samples; i++) {
      const position = this.draw(db, policy.volatile);
      if (position === 0) return;
      const hash = db.hashOf(position);
      const score = this.score(db, position, policy);
      if (this.pool.length === POOL && score <= this.pool[0]!.score) continue;
      if (this.pool.some((other) => other.hash === hash && other.db === db)) continue;
      let at = this.pool.length;
      while (at > 0 && this.pool[at - 1]!.score > score) at--;
      this.pool.splice(at, 0, { db, hash, score });
      if (this.pool.length > POOL) this.pool.shift();
    }
  }

  private score(db: Database, position: number, { by }: EvictionPolicy): number {
    const { access } = db.context;
    if (by === "ttl") return -db.records.expireAt(position);
    const clock = db.records.clock(position);
    return by === "idle" ? access.idleSeconds(clock) : 255 - access.frequency(clock);
  }

  /** A random record, with an expiry where that is asked for; 0: none was found. */
  private draw(db: Database, volatile: boolean): number {
    if (!volatile) return db.index.randomPosition(this.random);
    const many = db.expires * 8 >= db.size;
    // Entries of keys that are gone would be drawn more and more often. They are dropped each time they are the most.
    if (!many && db.wheel.entries > db.expires * 4 + 64) db.compactWheel(() => false);
    for (let i = 0; i < MISSES; i++) {
      const position = many ? db.index.randomPosition(this.random) : this.fromWheel(db);
      if (position !== 0 && db.records.hasExpiry(position)) return position;
    }
    return 0;
  }

  private fromWheel(db: Database): number {
    const hash = db.wheel.randomHash(this.random);
    return hash === null ? 0 : this.find({ db, hash, score: 0 }, true);
  }

  private find({ db, hash }: Candidate, volatile: boolean): number {
    let found = 0;
    db.index.forHash(hash, (position) => {
      if (!volatile || db.records.hasExpiry(position)) found = position;
    });
    return found;
  }
}
