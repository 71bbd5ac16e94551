import { clientMemory } from "../call/client-info.ts";
import type { Session } from "../call/session.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { HEADER } from "../keyspace/record.ts";
import { FIRST_CAPACITY } from "../resp/reply-writer.ts";
import { deriveFigures, type MemoryFigures } from "../stats/memory-figures.ts";

/**
 * How much memory the server uses: data, buffers and clients. What flushed databases still hold is free already, and
 * on its way to the system: it counts as fragmentation, as what an allocator keeps does in Redis. The
 * JavaScript engine's own memory is in the resident set alone, since maxmemory cannot be met by evicting it.
 */
export interface MemoryWatchDeps {
  readonly keyspace: Keyspace;
  readonly writer: { readonly buf: Uint8Array };
  readonly clients: { sessions(): Iterable<Session> };
  readonly counters: { readonly netInput: number };
}

/** Bytes of requests that leave enough garbage to be worth a collection, and so many a second are silence. */
const WORTH_COLLECTING = 4 * 1024 * 1024;
const SILENCE = 64 * 1024;

export class MemoryWatch {
  private clientBytes = 0;
  /** Of these, what waits for replicas: evicting would only make it more. */
  private replicaBytes = 0;
  /** Bytes of big values, as of the last `sample`: adding them up takes longer than a command may. */
  private objectBytes = 0;
  private peak = 0;
  /** Bytes of requests as of the last call, and of the last collection, of `collectInSilence`. */
  private heard = 0;
  private collectedAt = 0;
  private readonly startup: number;

  constructor(private readonly deps: MemoryWatchDeps) {
    this.startup = this.used;
  }

  /** Bytes used; cheap enough to ask for each command. Clients count as of the last `sample`. */
  get used(): number {
    const { keyspace, writer } = this.deps;
    return keyspace.memoryUse + writer.buf.length + this.clientBytes + this.objectBytes;
  }

  /** What maxmemory is compared with: not what evicting keys would not give back. */
  get counted(): number {
    return this.used - this.uncounted;
  }

  /** Big values of so many bytes are gone. */
  freed(bytes: number): void {
    this.objectBytes = Math.max(0, this.objectBytes - bytes);
  }

  /** Bytes that do not count for maxmemory: what waits for replicas, and what the reply buffer has grown by. */
  get uncounted(): number {
    return this.replicaBytes + Math.max(0, this.deps.writer.buf.length - FIRST_CAPACITY);
  }

  /** To be called now and then: adds the clients up and keeps the peak. */
  sample(): number {
    this.objectBytes = this.deps.keyspace.objectBytes;
    this.clientBytes = this.replicaBytes = 0;
    for (const session of this.deps.clients.sessions()) {
      const bytes = clientMemory(session);
      this.clientBytes += bytes;
      if (session.role === "replica") this.replicaBytes += bytes;
    }
    const { used } = this;
    this.peak = Math.max(this.peak, used);
    return used;
  }

  /**
   * To be called once a second. What requests came in is garbage afterwards, which the engine collects when there is
   * as much again as data; where the traffic has ended it would stay for good. Silence is the time to collect it.
   */
  collectInSilence(): void {
    const { netInput } = this.deps.counters;
    const silent = netInput - this.heard < SILENCE;
    this.heard = netInput;
    if (!silent || netInput - this.collectedAt < WORTH_COLLECTING) return;
    this.collectedAt = netInput;
    Bun.gc(false);
  }

  figures(): MemoryFigures {
    const { keyspace } = this.deps;
    const used = this.sample();
    const databases = [...keyspace.all()]
      .filter(({ size }) => size > 0)
      .map(({ id, size, index, wheel }) => ({
        id,
        keys: size,
        main: index.memoryUse + size * HEADER,
        expires: wheel.memoryUse,
        slots: index.slots?.memoryUse ?? 0,
      }));
    return deriveFigures({
      used,
      peak: this.peak,
      startup: this.startup,
      allocatorActive: used + keyspace.freeRoom + keyspace.pendingBytes,
      rss: process.memoryUsage.rss(),
      clients: this.clientBytes,
      databases,
    });
  }

  /** MEMORY PURGE: what can be given back to the system is. */
  purge(): void {
    while (this.deps.keyspace.reap()) {
      // Each turn frees some pages.
    }
    while (this.deps.keyspace.tidy(() => false)) {
      // Each turn empties one sparse page.
    }
    Bun.gc(true);
  }
}
