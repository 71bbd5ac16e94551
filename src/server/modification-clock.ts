import { type KeyWatcher, keyOf } from "../call/key-watchers.ts";
import type { Server } from "./server.ts";

/**
 * maxmemory-policy *-lrm (Redis 8.6): the key that was changed longest ago goes first. A record's access clock is then
 * set by what changes it, and by nothing else; only under that policy does anybody look at changed keys for it.
 */
export class ModificationClock implements KeyWatcher {
  constructor(private readonly server: Server) {}

  get watching(): boolean {
    return this.server.access.byChange;
  }

  keyChanged(name: string): void {
    const { keyspace, clock, access } = this.server;
    const { database, key } = keyOf(name);
    const db = keyspace.select(database);
    const position = db.findLive(key, 0, key.length);
    if (position !== 0 && position !== access.given) db.records.setClock(position, clock.lruClock);
    access.given = 0;
  }

  keyExpired(): void {
    // Nothing of it is left.
  }

  anyChanged(): void {
    // Keys that come with the data set have the clock of that moment.
  }
}
