/**
 * What the databases of a keyspace share with each other, and with whom they speak.
 */
import type { Clock } from "../host/clock.ts";
import type { AccessClock } from "./access.ts";
import type { Database } from "./database.ts";
import type { KeyEvents } from "./key-events.ts";

/** What the databases share: time, hash key, counters, and who is told of changes. */
export interface KeyspaceContext {
  readonly clock: Clock;
  readonly access: AccessClock;
  /** 32-bit random integers. */
  readonly random: () => number;
  readonly seed0: number;
  readonly seed1: number;
  readonly stats: KeyspaceStats;
  readonly listener: KeyspaceListener;
  readonly events: KeyEvents;
  /** Databases keep account of the keys in each hash slot. */
  readonly slots?: boolean;
  /** Hash of the key at `start` of `buf`, while the command that was given it runs; start -1: none. */
  readonly hint: KeyHint;
  /** No lazy or active expiry (a replica, loading, DEBUG): due keys are hidden but stay. */
  keepExpired: boolean;
  /** A client writes to a replica: keys that it finds due are gone for it, and then for good. */
  localWrites: boolean;
  /** Due keys count as live: while an AOF is loaded, whose commands meant them so. */
  ignoreExpiry: boolean;
}

export interface KeyHint {
  buf: Uint8Array;
  start: number;
  hash: number;
  /** Serial number of the index in which the key was looked for by the command before, which had the same; or 0. */
  foundIn: number;
}

export interface KeyspaceStats {
  hits: number;
  misses: number;
  expired: number;
}

export interface KeyspaceListener {
  /** A key with this hash was given an expiry while due keys are to stay, by somebody else than the master. */
  localExpiry(database: Database, hash: number): void;
  /** A key fell due and is about to be removed. */
  expired(database: Database, buf: Uint8Array, start: number, end: number): void;
  /** Databases have been emptied. */
  flushed(): void;
  /** Fields of a hash fell due and have been removed; where these were the last ones, the key is about to be. */
  fieldsExpired(
    database: Database,
    buf: Uint8Array,
    start: number,
    end: number,
    fields: readonly Uint8Array[],
  ): void;
}
