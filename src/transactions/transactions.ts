import { Call } from "../call/call.ts";
import type { Execute } from "../call/execute.ts";
import { type KeyWatcher, keyName } from "../call/key-watchers.ts";
import type { Command } from "../call/registry.ts";
import type { Session } from "../call/session.ts";
import { WatchedKeys } from "../call/watched-keys.ts";
import type { Database } from "../keyspace/database.ts";
import { CommandError } from "../resp/errors.ts";
import { Request } from "../resp/request.ts";

/**
 * MULTI and WATCH. A transaction is a queue of copied commands on its session; EXEC runs them through the
 * same `Execute` as everything else, with the clock standing still and nobody able to block.
 *
 * A watched key remembers whether it was there. It counts as touched when a command that may write it has
 * changed something and the key was or is there; what fell due meanwhile counts as well. One touched key is
 * enough for EXEC to do nothing.
 */
export class Transaction {
  readonly commands: { command: Command; request: Request }[] = [];
  /** Flags of all queued commands together, and those that one of them lacks. */
  flags = 0;
  lacking = 0;
  /** A command was refused while queueing: EXEC will refuse as a whole. */
  refused = false;
  /** Bytes of the queued arguments, for CLIENT LIST and limits. */
  bytes = 0;
}

/** What a watched key takes apart from its name, measured over 200,000. */
const WATCHED_BYTES = 450;

interface WatchedKey {
  name: string;
  database: number;
  key: Uint8Array;
  existed: boolean;
}

interface Watching {
  keys: WatchedKey[];
}

export interface TransactionDeps {
  readonly keyspace: { select(id: number): Database };
  readonly clock: { freeze(): void; thaw(): void };
  execute(): Execute;
  /** Why a queued command may no longer be executed, or null. */
  refusal(call: Call, command: Command): string | null;
  /** Somebody begins or ends to watch a key. */
  watchingChanged(): void;
  /** Brackets the effects of the transaction for the AOF and replicas. */
  readonly effects: { begin(): void; end(): void };
}

export class Transactions implements KeyWatcher {
  readonly contentsOnly = true;
  private readonly open = new Map<Session, Transaction>();
  private readonly watchers = new Map<Session, Watching>();
  private readonly byKey = new WatchedKeys<Set<Session>>();
  private readonly inner = new Call();
  /** EXEC is under way. */
  running = false;

  constructor(private readonly deps: TransactionDeps) {}

  // ------------------------------------------------------------------ MULTI

  of(session: Session): Transaction | undefined {
    return this.open.get(session);
  }

  begin(session: Session): void {
    if (this.open.has(session)) throw new CommandError("ERR MULTI calls can not be nested");
    this.open.set(session, new Transaction());
    session.inTransaction = true;
  }

  /** Queues the call's command; its arguments are copied. */
  queue(call: Call, command: Command): void {
    const transaction = this.open.get(call.session)!;
    const args = Array.from({ length: call.argc }, (_, i) => call.bytes(i));
    for (const arg of args) transaction.bytes += arg.length + 32;
    const flags = command.flagsOf(call);
    transaction.flags |= flags;
    transaction.lacking |= ~flags;
    transaction.commands.push({ command, request: Request.of(args) });
    call.session.queuedCommands = transaction.commands.length;
    call.session.queuedBytes = transaction.bytes;
    call.reply.queued();
  }

  /** A command was refused while queueing. */
  refuse(session: Session): void {
    const transaction = this.open.get(session);
    if (transaction !== undefined) transaction.refused = true;
  }

  /** Flags of what the session has queued; 0 outside of a transaction. */
  queuedFlags(session: Session): number {
    return this.open.get(session)?.flags ?? 0;
  }

  /** Whether the session has queued a command for which this is true; the call is one of its own. */
  anyQueued(session: Session, test: (call: Call, command: Command) => boolean): boolean {
    const { inner } = this;
    inner.session = session;
    for (const { command, request } of this.open.get(session)?.commands ?? []) {
      inner.load(request);
      if (test(inner, command)) return true;
    }
    return false;
  }

  /** Flags that one of the queued commands does not have. */
  queuedLacking(session: Session): number {
    return this.open.get(session)?.lacking ?? 0;
  }

  discard(session: Session): void {
    this.close(session);
    this.unwatch(session);
  }

  exec(call: Call): void {
    const { session, reply } = call;
    const transaction = this.open.get(session)!;
    const touched = this.touched(session);
    this.discard(session);
    if (transaction.refused)
      throw new CommandError("EXECABORT Transaction discarded because of previous errors.");
    if (touched) return reply.nilArray();
    reply.array(transaction.commands.length);
    if (reply.pos > session.mutedFrom) reply.pos = session.mutedFrom;
    this.runAll(call, transaction);
  }

  private runAll({ session, reply }: Call, transaction: Transaction): void {
    const { deps, inner } = this;
    const execute = deps.execute();
    inner.reply = reply;
    session.denyBlocking = true;
    session.executingCommands = transaction.commands.length;
    deps.clock.freeze();
    deps.effects.begin();
    this.running = true;
    try {
      for (const { command, request } of transaction.commands) {
        inner.load(request);
        inner.session = session;
        inner.db = deps.keyspace.select(session.dbIndex);
        const refusal = deps.refusal(inner, command);
        const errors = reply.errorCount;
        if (refusal === null) execute(inner, command);
        else reply.error(refusal);
        if (session.mutedFrom > reply.pos) continue;
        // CLIENT REPLY OFF: no reply is kept, but for what is a push.
        if (command.spec.answersByPush === true && reply.errorCount === errors) session.mutedFrom = reply.pos;
        else reply.pos = session.mutedFrom;
      }
    } finally {
      this.running = false;
      deps.effects.end();
      deps.clock.thaw();
      session.denyBlocking = false;
      session.executingCommands = 0;
    }
  }

  private close(session: Session): void {
    this.open.delete(session);
    session.inTransaction = false;
    session.queuedCommands = session.queuedBytes = 0;
  }

  // ------------------------------------------------------------------ WATCH

  watch(call: Call, argument: number): void {
    const { session, buf, start, end } = call;
    const name = keyName(session.dbIndex, buf, start[argument]!, end[argument]!);
    let watching = this.watchers.get(session);
    if (watching === undefined) this.watchers.set(session, (watching = { keys: [] }));
    if (watching.keys.some((watched) => watched.name === name)) return;
    const existed = call.db.find(buf, start[argument]!, end[argument]!) !== 0;
    watching.keys.push({ name, database: session.dbIndex, key: call.bytes(argument), existed });
    session.watchedBytes += WATCHED_BYTES + 2 * name.length;
    const sessions = this.byKey.get(name);
    if (sessions === undefined) this.byKey.set(name, new Set([session]));
    else sessions.add(session);
    this.deps.watchingChanged();
  }

  unwatch(session: Session): void {
    const watching = this.watchers.get(session);
    if (watching === undefined) return;
    this.watchers.delete(session);
    session.watchedBytes = 0;
    session.watchedTouched = false;
    for (const { name } of watching.keys) {
      const sessions = this.byKey.get(name)!;
      sessions.delete(session);
      if (sessions.size === 0) this.byKey.delete(name);
    }
    this.deps.watchingChanged();
  }

  /** Clients that watch keys, and keys that somebody watches. */
  get clientCount(): number {
    return this.watchers.size;
  }

  get keyCount(): number {
    return this.byKey.size;
  }

  /** Keys that the session watches. */
  watchedCount(session: Session): number {
    return this.watchers.get(session)?.keys.length ?? 0;
  }

  /** The client is gone. */
  forget(session: Session): void {
    this.discard(session);
  }

  private touched(session: Session): boolean {
    const watching = this.watchers.get(session);
    if (watching === undefined) return false;
    return (
      session.watchedTouched || watching.keys.some((watched) => watched.existed && !this.exists(watched))
    );
  }

  private exists({ database, key }: WatchedKey): boolean {
    const db = this.deps.keyspace.select(database);
    return db.find(key, 0, key.length) !== 0;
  }

  // ------------------------------------------------------------------ KeyWatcher

  get watching(): boolean {
    return this.byKey.size > 0;
  }

  mayWatch(buf: Uint8Array, start: number, end: number): boolean {
    return this.byKey.mayHave(buf, start, end);
  }

  keyChanged(name: string): void {
    const sessions = this.byKey.get(name);
    if (sessions === undefined) return;
    for (const session of sessions) {
      const watching = this.watchers.get(session)!;
      const watched = watching.keys.find((candidate) => candidate.name === name)!;
      if (watched.existed || this.exists(watched)) session.watchedTouched = true;
    }
  }

  keyExpired(name: string): void {
    for (const session of this.byKey.get(name) ?? []) {
      const watching = this.watchers.get(session)!;
      if (watching.keys.some((watched) => watched.name === name && watched.existed))
        session.watchedTouched = true;
    }
  }

  anyChanged(): void {
    for (const name of this.byKey.keys()) this.keyChanged(name);
  }
}
