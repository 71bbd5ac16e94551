import type { Call } from "../../call/call.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Config } from "../../config/config.ts";
import type { DebugSettings } from "../../config/debug-settings.ts";
import type { Log } from "../../host/log.ts";
import type { Keyspace } from "../../keyspace/keyspace.ts";

/** Ways to end the process as if something had gone wrong, with a report in the log. */
export interface Crash {
  segfault(): never;
  panic(message: string): never;
  assertionFailed(expression: string): never;
}

export interface DebugDeps {
  readonly config: Config;
  readonly log: Log;
  readonly keyspace: Keyspace;
  readonly debugSettings: DebugSettings;
  readonly crash: Crash;
  readonly reloading: {
    /** The error to reply with, or null. */
    reload(how: { save: boolean; flush: boolean; merge: boolean }): string | null;
    loadAof(): string | null;
  };
  readonly clustering: { readonly cluster: Cluster | null };
  /** The stream to replicas. */
  readonly replication: {
    readonly stream: { readonly active: boolean; control(...args: string[]): void };
  };
  readonly cronDeps: { activeExpire: boolean; paused: boolean };
}

/** `min` and `max`: arguments with "debug" and the subcommand itself. */
export interface Subcommand {
  readonly min: number;
  readonly max: number;
  run(call: Call, deps: DebugDeps): void;
}

export type SubcommandTable = readonly (readonly [name: string, subcommand: Subcommand])[];

/** As C's atoi: the number at the beginning, 0 where there is none. */
export function leadingInteger(text: string): number {
  const value = Number.parseInt(text, 10);
  return Number.isNaN(value) ? 0 : value;
}
