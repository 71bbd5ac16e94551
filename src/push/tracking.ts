import { latin1Bytes, latin1Text } from "../bytes/ascii.ts";
import type { Call } from "../call/call.ts";
import type { KeyList } from "../call/keys.ts";
import type { Command } from "../call/registry.ts";
import type { Session } from "../call/session.ts";
import { FLAGS } from "../call/spec.ts";
import type { TrackingOptions, TrackingState } from "../call/tracking-state.ts";
import { CommandError } from "../resp/errors.ts";
import { ReplyWriter } from "../resp/reply-writer.ts";
import type { Outbox } from "./outbox.ts";
import { TrackingTable } from "./tracking-table.ts";

/**
 * Client-side caching (https://redis.io/docs/latest/develop/reference/client-side-caching/): clients are told when
 * what they have read is no longer true.
 *
 *   a read        its keys are noted for the client (tracking-table.ts)
 *   a change      those who have read the key are told, and the key is forgotten until somebody reads it again
 *   broadcasting  a client is told of all keys with its prefixes, once a turn of the event loop
 *
 * Reads follow from a command's row, changes from the events of keys. The message is a push in RESP3; in RESP2
 * another client that listens to __redis__:invalidate can be told instead.
 */
export interface TrackingDeps {
  readonly outbox: Outbox;
  client(id: number): Session | undefined;
  /** tracking-table-max-keys. */
  limit(): number;
  /** A random integer from 0 to below the bound. */
  random(bound: number): number;
  /** Changed keys are to be told of, or no longer. */
  activeChanged(active: boolean): void;
  /** `broadcast` is to be called when the turn ends. */
  broadcastLater(): void;
}

/** Clients with a prefix, and the keys with it that were changed in this turn, with who changed each last. */
interface Prefix {
  readonly clients: Set<Session>;
  readonly changed: Map<string, Session | null>;
}

const INVALIDATE = latin1Bytes("invalidate");
const MESSAGE = latin1Bytes("message");
const CHANNEL = latin1Bytes("__redis__:invalidate");
const BROKEN = latin1Bytes("tracking-redir-broken");
const NIL = { 2: latin1Bytes("$-1\r\n"), 3: latin1Bytes("_\r\n") };
/** Keys that are dropped at once, at most, when there are too many; the more the longer that lasts. */
const EFFORT = 100;
/** What a prefix takes in the sets that know it, apart from its name. */
const PREFIX_BYTES = 160;

export class Tracking {
  readonly table = new TrackingTable();
  private readonly sessions = new Set<Session>();
  private readonly prefixes = new Map<string, Prefix>();
  private readonly writer = new ReplyWriter(512);
  private readonly keys: KeyList = [];
  private roundsOverLimit = 0;
  private broadcastPending = false;
  /** Whether any client tracks. */
  active = false;

  constructor(private readonly deps: TrackingDeps) {}

  get clientCount(): number {
    return this.sessions.size;
  }

  get prefixCount(): number {
    return this.prefixes.size;
  }

  // ------------------------------------------------------------------ on and off

  /** Throws where the options do not go with what the client has. */
  enable(session: Session, options: TrackingOptions, prefixes: readonly string[]): void {
    const old = session.tracking;
    check(old, options, prefixes);
    const state: TrackingState = {
      ...options,
      caching: old?.caching ?? false,
      brokenRedirect: false,
      prefixes: old?.prefixes ?? new Set(),
      prefixBytes: old?.prefixBytes ?? 0,
    };
    session.tracking = state;
    this.sessions.add(session);
    if (options.broadcast)
      for (const prefix of prefixes.length === 0 ? [""] : prefixes) this.join(session, prefix);
    this.refresh();
  }

  /** CLIENT TRACKING OFF; the client begins anew, or is gone. */
  disable(session: Session): void {
    if (session.tracking === null) return;
    for (const name of session.tracking.prefixes) {
      const prefix = this.prefixes.get(name)!;
      prefix.clients.delete(session);
      if (prefix.clients.size === 0) this.prefixes.delete(name);
    }
    session.tracking = null;
    this.sessions.delete(session);
    this.refresh();
  }

  private join(session: Session, name: string): void {
    let prefix = this.prefixes.get(name);
    if (prefix === undefined) this.prefixes.set(name, (prefix = { clients: new Set(), changed: new Map() }));
    prefix.clients.add(session);
    const { tracking } = session;
    if (tracking!.prefixes.has(name)) return;
    tracking!.prefixes.add(name);
    tracking!.prefixBytes += PREFIX_BYTES + name.length;
  }

  private refresh(): void {
    const active = this.sessions.size > 0;
    if (active === this.active) return;
    this.active = active;
    // What it knows would no longer be kept true.
    if (!active) this.table.clear();
    this.deps.activeChanged(active);
  }

  // ------------------------------------------------------------------ reading

  /** A command has been executed: what it has read is noted for the client on whose behalf it was. */
  executed(call: Call, command: Command): void {
    const session = this.deps.outbox.executing ?? call.session;
    const { tracking } = session;
    if (tracking === null) return;
    if (!tracking.broadcast && (command.flags & FLAGS.readonly) !== 0)
      this.note(session, tracking, call, command);
    // CLIENT CACHING holds for one command, or for a whole transaction.
    if (tracking.caching && !session.inTransaction && !session.denyBlocking)
      tracking.caching = keepsCaching(command);
  }

  /** A command has been refused before it was executed: that was the one for which CLIENT CACHING held. */
  refused(session: Session, command: Command | null): void {
    const { tracking } = session;
    if (tracking === null || !tracking.caching || session.inTransaction) return;
    // A container alone, or with a subcommand that does not exist, is not CLIENT.
    tracking.caching = command !== null && command.parent !== null && keepsCaching(command);
  }

  private note(session: Session, tracking: TrackingState, call: Call, command: Command): void {
    if (tracking.optIn && !tracking.caching) return;
    if (tracking.optOut && tracking.caching) return;
    // Of a script only what its commands read counts.
    if (command.spec.flagsOf !== undefined) return;
    if ((command.flags & FLAGS.pubsub) !== 0 || command.keys.find(call, this.keys) === 0) return;
    for (let i = 0; i < this.keys.length; i += 2) {
      const argument = this.keys[i]!;
      this.table.add(latin1Text(call.buf, call.start[argument]!, call.end[argument]!), session.id);
    }
  }

  /** Before each command, and by the cron: with tracking-table-max-keys random keys are given up, as if changed. */
  enforceLimit(): void {
    const limit = this.deps.limit();
    const { table } = this;
    if (limit === 0 || table.keyCount <= limit) {
      this.roundsOverLimit = 0;
      return;
    }
    for (let left = EFFORT * (this.roundsOverLimit + 1); left > 0 && table.keyCount > limit; left--)
      this.invalidate(table.anyKey(this.deps.random), null);
    this.roundsOverLimit = table.keyCount > limit ? this.roundsOverLimit + 1 : 0;
  }

  // ------------------------------------------------------------------ changes

  /** This key has changed, or is gone. */
  changed(buf: Uint8Array, start: number, end: number): void {
    const key = latin1Text(buf, start, end);
    for (const [prefix, { changed }] of this.prefixes) {
      if (!key.startsWith(prefix)) continue;
      // The last one who changed it counts.
      changed.set(key, this.deps.outbox.executing);
      if (!this.broadcastPending) {
        this.broadcastPending = true;
        this.deps.broadcastLater();
      }
    }
    if (this.table.keyCount > 0) this.invalidate(key, this.deps.outbox.executing);
  }

  /** `changer`: who has changed it, null if nobody. */
  private invalidate(key: string, changer: Session | null): void {
    const ids = this.table.take(key);
    if (ids === null) return;
    for (const id of ids) {
      const session = this.deps.client(id);
      if (session === undefined) continue;
      const { tracking } = session;
      // It may have begun to broadcast since.
      if (tracking === null || tracking.broadcast) continue;
      if (tracking.noLoop && session === changer) continue;
      this.tell(session, tracking, [key]);
    }
  }

  /** A database has been emptied: all keys count as changed. */
  flushed(): void {
    for (const session of this.sessions) this.tell(session, session.tracking!, null);
    this.table.clear();
  }

  /** At the end of a turn: tells of what was changed in it. */
  broadcast(): void {
    if (!this.broadcastPending) return;
    this.broadcastPending = false;
    for (const name of [...this.prefixes.keys()].sort()) {
      const { clients, changed } = this.prefixes.get(name)!;
      if (changed.size === 0) continue;
      const keys = [...changed.keys()].sort();
      for (const session of clients) {
        const tracking = session.tracking!;
        const told = tracking.noLoop ? keys.filter((key) => changed.get(key) !== session) : keys;
        if (told.length > 0) this.tell(session, tracking, told);
      }
      changed.clear();
    }
  }

  // ------------------------------------------------------------------ messages

  /** Tells the client, or the one that stands in for it, of these keys; null: of all. */
  private tell(session: Session, tracking: TrackingState, keys: readonly string[] | null): void {
    const { writer, deps } = this;
    let target = session;
    if (tracking.redirect !== 0) {
      const other = deps.client(tracking.redirect);
      if (other === undefined) return this.tellBroken(session, tracking);
      target = other;
    }
    writer.clear();
    writer.resp = target.resp;
    if (target.resp === 3) {
      writer.push(2);
      writer.bulk(INVALIDATE);
    } else if (tracking.redirect !== 0 && target.subscribed) {
      writer.array(3);
      writer.bulk(MESSAGE);
      writer.bulk(CHANNEL);
    } else return;
    if (keys === null) writer.raw(NIL[session.resp]);
    else {
      writer.array(keys.length);
      for (const key of keys) writer.bulkText(key);
    }
    deps.outbox.push(target, writer.buf.slice(0, writer.pos));
  }

  private tellBroken(session: Session, tracking: TrackingState): void {
    tracking.brokenRedirect = true;
    if (session.resp !== 3) return;
    const { writer } = this;
    writer.clear();
    writer.resp = 3;
    writer.push(2);
    writer.bulk(BROKEN);
    writer.int(tracking.redirect);
    this.deps.outbox.push(session, writer.buf.slice(0, writer.pos));
  }
}

/** Throws Redis's sentences where the options do not go with each other or with what is on already. */
function check(old: TrackingState | null, options: TrackingOptions, prefixes: readonly string[]): void {
  const { broadcast, optIn, optOut } = options;
  if (!broadcast && prefixes.length > 0)
    throw new CommandError("ERR PREFIX option requires BCAST mode to be enabled");
  if (old !== null && old.broadcast !== broadcast) throw new CommandError(cannotSwitch("BCAST mode on/off"));
  if (broadcast && (optIn || optOut))
    throw new CommandError("ERR OPTIN and OPTOUT are not compatible with BCAST");
  if (optIn && optOut) throw new CommandError("ERR You can't specify both OPTIN mode and OPTOUT mode");
  if (old !== null && ((optIn && old.optOut) || (optOut && old.optIn)))
    throw new CommandError(cannotSwitch("OPTIN/OPTOUT mode"));
  if (broadcast) checkPrefixes([...(old?.prefixes ?? [])].sort(), prefixes);
}

function cannotSwitch(what: string): string {
  return (
    `ERR You can't switch ${what} before disabling tracking for this client, and then re-enabling it with ` +
    "a different mode."
  );
}

function checkPrefixes(existing: readonly string[], given: readonly string[]): void {
  const overlap = (a: string, b: string) => a.startsWith(b) || b.startsWith(a);
  const refuse = (prefix: string, what: string) =>
    new CommandError(
      `ERR Prefix '${prefix}' overlaps with ${what}. Prefixes for a single client must not overlap.`,
    );
  given.forEach((prefix, i) => {
    for (const other of existing)
      if (overlap(other, prefix)) throw refuse(prefix, `an existing prefix '${other}'`);
    for (const other of given.slice(i + 1))
      if (overlap(other, prefix)) throw refuse(prefix, `another provided prefix '${other}'`);
  });
}

function keepsCaching({ spec, parent }: Command): boolean {
  return (spec.keepsCaching ?? parent?.spec.keepsCaching) === true;
}
