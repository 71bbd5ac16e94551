import type { Blocking, Hold } from "../blocking/blocking.ts";
import { latin1Text } from "../bytes/ascii.ts";
import type { Call } from "../call/call.ts";
import { KEY_FLAGS } from "../call/key-specs.ts";
import type { KeyWatcher } from "../call/key-watchers.ts";
import type { KeyList } from "../call/keys.ts";
import type { Command } from "../call/registry.ts";
import type { Session } from "../call/session.ts";
import { FLAGS } from "../call/spec.ts";
import { RdbWriter } from "../rdb/writer.ts";
import type { HandedOver, HandOver } from "./hand-over.ts";
import {
  failureText,
  Migration,
  type MigrationDeps,
  type MigrationRequest,
  openingRequests,
  restoreRequest,
} from "./migration.ts";
import { Targets } from "./targets.ts";

/**
 * The migrations under way. Redis stops until the target has answered; here others go on, and only what would
 * change a key on its way waits: commands that write it, transactions that hold such a command, and commands
 * whose keys nobody can tell (FLUSHALL). Reads see the key until it is gone. So what the target has taken and
 * what is then deleted is the same, as if it had happened at once.
 *
 * When it is over, the command is executed once more to delete what was accepted: effects, statistics, watchers
 * and snapshots see an ordinary write. It is executed even where its client has gone meanwhile.
 *
 * A change that no gate sees (a key moved by a client that was served, an eviction) is noticed: that key stays.
 */
export interface MigrationsDeps {
  readonly blocking: Pick<Blocking, "hold" | "resume">;
  readonly clock: MigrationDeps["clock"];
  readonly tls: ConstructorParameters<typeof Targets>[0];
  readonly compress: () => boolean;
  /** The data set must not change for the moment. */
  frozen(): boolean;
  /** Whether the session's queued transaction has a command for which this is true. */
  anyQueued(session: Session, test: (call: Call, command: Command) => boolean): boolean;
  /** The gate has come up or down: `delays` is to be asked, or commands that it held back may go on. */
  gateChanged(): void;
  watchingChanged(): void;
  /** Sends keys by another process, and returns when it has ended. */
  handOver(order: HandOver): HandedOver;
}

/** A migration with its client, and what it holds. */
interface UnderWay {
  readonly migration: Migration;
  readonly hold: Hold;
  readonly names: ReadonlySet<string>;
  /** Keys of it that have changed all the same. */
  readonly changed: Set<string>;
}

/** Between looks whether the data set may change again. */
const FROZEN_MS = 20;
const WRITES = KEY_FLAGS.RW | KEY_FLAGS.OW | KEY_FLAGS.RM;

export interface Outcome {
  readonly copy: boolean;
  /** Keys to be deleted here. */
  readonly accepted: readonly Uint8Array[];
  readonly error: string | null;
}

export class Migrations implements KeyWatcher {
  readonly targets: Targets;
  private readonly underWay = new Map<Migration, UnderWay>();
  private readonly keys: KeyList = [];
  private readonly migrationDeps: MigrationDeps;
  private finishing: UnderWay | null = null;

  constructor(private readonly deps: MigrationsDeps) {
    this.targets = new Targets(deps.tls);
    this.migrationDeps = {
      targets: this.targets,
      clock: deps.clock,
      writer: new RdbWriter({
        checksum: true,
        get compress() {
          return deps.compress();
        },
      }),
      over: (migration) => this.over(migration),
    };
  }

  /** Whether anything is under way. */
  get active(): boolean {
    return this.underWay.size > 0;
  }

  /** Begins; the call's client is answered when it is over, by the command executed once more. */
  begin(call: Call, request: MigrationRequest): void {
    const { deps } = this;
    const migration = new Migration(request, this.migrationDeps);
    const { id } = call.db;
    const names = new Set(request.keys.map((key) => `${id}:${latin1Text(key, 0, key.length)}`));
    this.underWay.set(migration, { migration, hold: deps.blocking.hold(call), names, changed: new Set() });
    deps.gateChanged();
    deps.watchingChanged();
    // Not before the command has ended: it might be over at once.
    queueMicrotask(() => migration.start());
  }

  /** What has become of the call's migration; null: this call begins one. */
  outcome(call: Call): Outcome | null {
    const { finishing } = this;
    if (finishing === null || finishing.hold.session !== call.session) return null;
    const { migration, changed } = finishing;
    const { copy, source } = migration.request;
    const unchanged = migration.accepted.filter(
      (key) => !changed.has(`${source.id}:${latin1Text(key, 0, key.length)}`),
    );
    const error =
      migration.error ??
      (!copy && unchanged.length < migration.accepted.length
        ? "ERR A key was changed while it migrated: it stays here, and the target has its earlier value"
        : null);
    return { copy, accepted: unchanged, error };
  }

  /**
   * Migrates at once, for a transaction or a script: nothing may happen between its commands, so the server stops
   * until the target has answered, as Redis does. All payloads lie in memory together.
   */
  now(request: MigrationRequest): Outcome {
    const { deps } = this;
    const { writer, clock } = this.migrationDeps;
    const opening: Uint8Array[] = [];
    const granted = openingRequests(request, true, opening);
    const restores: Uint8Array[] = [];
    const sent = request.keys.filter((key) => restoreRequest(request, key, writer, clock.now, restores) > 0);
    const { host, port, timeoutMs, copy } = request;
    const { replies, failure } = deps.handOver({
      host,
      port,
      timeoutMs,
      granted,
      keys: sent.length,
      opening: Buffer.concat(opening),
      restores: Buffer.concat(restores),
    });
    const accepted = sent.filter((_, i) => replies[granted + i]?.startsWith("-") === false);
    const refusal = replies.find((reply) => reply.startsWith("-"));
    const error =
      refusal !== undefined
        ? `ERR Target instance replied with error: ${refusal.slice(1)}`
        : failure === null
          ? null
          : failureText(failure);
    return { copy, accepted, error };
  }

  private over(migration: Migration): void {
    const entry = this.underWay.get(migration);
    if (entry === undefined) return;
    if (this.deps.frozen()) return void setTimeout(() => this.over(migration), FROZEN_MS);
    this.underWay.delete(migration);
    this.finishing = entry;
    try {
      this.deps.blocking.resume(entry.hold);
    } finally {
      this.finishing = null;
      this.deps.watchingChanged();
      this.deps.gateChanged();
    }
  }

  // ------------------------------------------------------------------ the gate

  /** Whether the command must wait for a migration to end. */
  delays(call: Call, command: Command): boolean {
    if (!this.active) return false;
    if (command.spec.endsTransaction === true) return this.deps.anyQueued(call.session, this.touches);
    return this.touches(call, command);
  }

  private readonly touches = (call: Call, command: Command): boolean => {
    if ((command.flags & FLAGS.write) === 0) return false;
    if (command.spec.reachesDatabases === true || command.keys.find(call, this.keys) === 0) return true;
    for (let i = 0; i < this.keys.length; i += 2) {
      if ((this.keys[i + 1]! & WRITES) === 0) continue;
      const argument = this.keys[i]!;
      const key = latin1Text(call.buf, call.start[argument]!, call.end[argument]!);
      const name = `${call.session.dbIndex}:${key}`;
      for (const { names } of this.underWay.values()) if (names.has(name)) return true;
    }
    return false;
  };

  // ------------------------------------------------------------------ KeyWatcher

  get watching(): boolean {
    return this.active;
  }

  keyChanged(name: string): void {
    for (const { names, changed } of this.underWay.values()) if (names.has(name)) changed.add(name);
  }

  keyExpired(): void {
    // There is nothing left to delete, and the target's copy expires at the same time.
  }

  anyChanged(): void {
    for (const { names, changed } of this.underWay.values()) for (const name of names) changed.add(name);
  }
}
