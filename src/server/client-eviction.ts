import { chargedMemory, clientInfo } from "../call/client-info.ts";
import type { Session } from "../call/session.ts";
import type { ConfigValues } from "../config/table.ts";
import type { Clock } from "../host/clock.ts";
import type { Log } from "../host/log.ts";
import type { Counters } from "../stats/counters.ts";
import type { Connection } from "./connection.ts";

/**
 * maxmemory-clients: when the clients together take more, the largest are disconnected until they fit again
 * (https://redis.io/docs/latest/develop/reference/clients/#client-eviction).
 *
 * A running total is kept of what each connection took when it was last looked at: when something arrived from it,
 * when its commands had been executed, when output began to wait for it. Only when that total is too large are all
 * connections looked at anew. Without a limit nothing is added up.
 *
 * Replicas and the master are not counted; CLIENT NO-EVICT spares a client, but what it takes counts.
 */
export interface ClientEvictionDeps {
  readonly clients: { connections(): Iterable<Connection> };
  readonly config: { readonly values: Readonly<ConfigValues> };
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
}

export class ClientEviction {
  /** There is a limit. */
  active = false;
  private limit = 0;
  private total = 0;

  constructor(private readonly deps: ClientEvictionDeps) {}

  /** maxmemory-clients or maxmemory, of which it may be a percentage, has been set. */
  apply(): void {
    const { maxmemory, maxmemoryClients } = this.deps.config.values;
    this.limit = maxmemoryClients < 0 ? Math.floor((maxmemory / 100) * -maxmemoryClients) : maxmemoryClients;
    this.active = this.limit > 0;
    this.total = 0;
    if (!this.active) return;
    for (const connection of this.deps.clients.connections()) connection.accounted = 0;
    this.recount();
  }

  /** The connection takes more or less than before. */
  note(connection: Connection): void {
    if (connection.closed) return;
    const bytes = counts(connection.session) ? chargedMemory(connection.session) : 0;
    this.total += bytes - connection.accounted;
    connection.accounted = bytes;
  }

  forget(connection: Connection): void {
    this.total -= connection.accounted;
    connection.accounted = 0;
  }

  /** As `enforce`, after looking at every connection: for the cron. */
  tick(): void {
    if (!this.active) return;
    this.recount();
    this.enforce();
  }

  /** Disconnects the largest clients until the rest fit. */
  enforce(): void {
    if (!this.active || this.total <= this.limit) return;
    // Where output has drained since, less is taken than was noted.
    this.recount();
    if (this.total <= this.limit) return;
    const candidates = [...this.deps.clients.connections()]
      .filter(({ session }) => counts(session) && !session.noEvict)
      .sort((a, b) => b.accounted - a.accounted);
    for (const connection of candidates) {
      if (this.total <= this.limit) return;
      this.evict(connection);
    }
  }

  private recount(): void {
    for (const connection of this.deps.clients.connections()) this.note(connection);
  }

  private evict(connection: Connection): void {
    const { clock, counters, log } = this.deps;
    log.notice(`Evicting client: ${clientInfo(connection.session, clock.now)}`);
    counters.evictedClients++;
    connection.close("now");
  }
}

function counts(session: Session): boolean {
  return session.role === "normal";
}
