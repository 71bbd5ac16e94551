import { latin1Bytes } from "../bytes/ascii.ts";
import { NOTIFY } from "../config/special.ts";
import type { Database } from "../keyspace/database.ts";
import { type EvictionPolicy, Evictor, evictionPolicy } from "../keyspace/evict.ts";
import { ENC_OBJECT } from "../keyspace/record.ts";
import type { Server } from "./server.ts";

/**
 * maxmemory: keys are evicted until the data fit again, a little at a time: before a command that needs memory, and
 * by the cron. Where that does not suffice within the time given, the command is let through and eviction goes on.
 */
const DEL = latin1Bytes("DEL");
/** Keys between two looks at the clock. */
const BURST = 16;
/** Milliseconds for maxmemory-eviction-tenacity 10, as in Redis; each step above makes it 15 % longer. */
const USUAL_MS = 0.5;
const SLICE_MS = 2;

export class Eviction {
  private readonly evictor: Evictor;
  private policy: EvictionPolicy | null = null;
  private sampledAt = 0;

  constructor(private readonly server: Server) {
    this.evictor = new Evictor(server.random.int32);
  }

  /** maxmemory-policy has been set. */
  apply(): void {
    this.policy = evictionPolicy(this.server.config.values.maxmemoryPolicy);
    this.evictor.reset();
  }

  private get excess(): number {
    const { config, memory } = this.server;
    return config.values.maxmemory === 0 ? 0 : memory.counted - config.values.maxmemory;
  }

  private get ignored(): boolean {
    const { replication, config, loading, pause, clustering } = this.server;
    if (loading !== null || pause.mode !== "off" || clustering.writesRest) return true;
    return replication.isReplica && config.values.replicaIgnoreMaxmemory;
  }

  /** Whether a command that needs memory must be refused, after trying to make room. */
  outOfMemory(): boolean {
    if (this.excess <= 0 || this.ignored) return false;
    return !this.makeRoom(this.patience());
  }

  /** With each tick of the cron. */
  tick(): void {
    const { config, memory } = this.server;
    if (config.values.maxmemory === 0 || this.ignored) return;
    memory.sample();
    if (this.excess > 0) this.makeRoom(SLICE_MS);
  }

  private patience(): number {
    const tenacity = this.server.config.values.maxmemoryEvictionTenacity;
    if (tenacity <= 10) return (USUAL_MS * tenacity) / 10;
    return tenacity < 100 ? USUAL_MS * 1.15 ** (tenacity - 10) : Number.POSITIVE_INFINITY;
  }

  /** Evicts for so long, or finds that there is room; false where nothing can be evicted and the data do not fit. */
  private makeRoom(milliseconds: number): boolean {
    const { policy, server } = this;
    // Clients and big values count as of the last sample: nothing is to be evicted because of what is gone.
    if (server.clock.now !== this.sampledAt) {
      this.sampledAt = server.clock.now;
      server.memory.sample();
    }
    if (policy === null) return this.excess <= 0;
    const started = performance.now();
    let evicted = 0;
    const databases = [...server.keyspace.all()];
    while (this.excess > 0) {
      const victim = this.evictor.choose(databases, policy, server.config.values.maxmemorySamples);
      if (victim === null) return false;
      this.evict(victim.db, victim.position);
      if (++evicted % BURST === 0 && performance.now() - started >= milliseconds) break;
    }
    server.latency.note("eviction-cycle", performance.now() - started);
    return true;
  }

  private evict(db: Database, position: number): void {
    const { server } = this;
    const { records } = db;
    const buf = records.keyBytes(position);
    const start = records.keyStart(position);
    const key = buf.slice(start, start + records.keyLength(position));
    server.snapshots.snapshot?.beforeChange(db, position);
    if (records.encoding(position) === ENC_OBJECT)
      server.memory.freed(records.objects.get(records.payloadLow(position)).memoryUse);
    server.keyWatchers.expired(db.id, key, 0, key.length);
    db.remove(position);
    server.counters.evictedKeys++;
    db.event(NOTIFY.evicted, "evicted", key, 0, key.length);
    if (server.effects.active) server.effects.command(db.id, [DEL, key]);
  }
}
