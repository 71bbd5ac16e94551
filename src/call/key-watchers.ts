import { latin1Bytes, latin1Text } from "../bytes/ascii.ts";
import type { Call } from "./call.ts";
import { KEY_FLAGS } from "./key-specs.ts";
import type { KeyList } from "./keys.ts";
import type { Command } from "./registry.ts";

/**
 * Who wants to know of changed keys: clients that wait for one (blocking/), transactions that watch one
 * (transactions/). Which keys a command may have changed follows from its row, so no handler signals
 * anything; while nobody watches (`active` is false), a command that changed something costs no more.
 */
export interface KeyWatcher {
  /** Whether anybody watches. */
  readonly watching: boolean;
  /** It does not want to know of what stands beside a key's contents (see `Call.besideContents`). */
  readonly contentsOnly?: boolean;
  /** Whether a key may be one that it wants to know of, in some database; all are where this is missing. */
  mayWatch?(buf: Uint8Array, start: number, end: number): boolean;
  /** A command may have changed this key (see `keyName`). */
  keyChanged(name: string): void;
  /** A key fell due and is being removed. */
  keyExpired(name: string): void;
  /** Keys not named by the command may have changed: look at all that are watched. */
  anyChanged(): void;
}

/** A key together with its database, for use in maps. */
export function keyName(database: number, buf: Uint8Array, start: number, end: number): string {
  return `${database}:${latin1Text(buf, start, end)}`;
}

/** The database and the key that a name (see `keyName`) is of. */
export function keyOf(name: string): { database: number; key: Uint8Array } {
  const colon = name.indexOf(":");
  return { database: Number(name.slice(0, colon)), key: latin1Bytes(name.slice(colon + 1)) };
}

const WRITES = KEY_FLAGS.RW | KEY_FLAGS.OW | KEY_FLAGS.RM;

export class KeyWatchers {
  private readonly keys: KeyList = [];
  private readonly watchers: KeyWatcher[] = [];
  /** Whether anybody watches; watchers call `refresh` when they begin and end to. */
  active = false;

  add(watcher: KeyWatcher): void {
    this.watchers.push(watcher);
  }

  readonly refresh = (): void => {
    this.active = this.watchers.some((watcher) => watcher.watching);
  };

  /** After a command that changed something. */
  changed(call: Call, command: Command): void {
    for (const watcher of this.watchers)
      if (watcher.watching && !(call.besideContents && watcher.contentsOnly === true))
        this.tell(watcher, call, command);
  }

  /** All data may have changed. */
  allChanged(): void {
    for (const watcher of this.watchers) if (watcher.watching) watcher.anyChanged();
  }

  /** A key was removed because it fell due. */
  expired(database: number, buf: Uint8Array, start: number, end: number): void {
    for (const watcher of this.watchers)
      if (watcher.watching) watcher.keyExpired(keyName(database, buf, start, end));
  }

  private tell(watcher: KeyWatcher, call: Call, command: Command): void {
    if (command.keys.findSome(call, this.keys) === 0) {
      watcher.anyChanged();
      return;
    }
    if (command.spec.reachesDatabases === true) {
      const { arrivedIn, arrivedAt, buf, start, end } = call;
      watcher.keyChanged(keyName(arrivedIn, buf, start[arrivedAt]!, end[arrivedAt]!));
    }
    for (let i = 0; i < this.keys.length; i += 2) {
      if ((this.keys[i + 1]! & WRITES) === 0) continue;
      const argument = this.keys[i]!;
      if (call.changedKey !== 0 && argument !== call.changedKey) continue;
      const { buf } = call;
      const start = call.start[argument]!;
      const end = call.end[argument]!;
      if (watcher.mayWatch?.(buf, start, end) !== false)
        watcher.keyChanged(keyName(call.session.dbIndex, buf, start, end));
    }
  }
}
