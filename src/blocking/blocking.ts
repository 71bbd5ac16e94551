import { latin1Text } from "../bytes/ascii.ts";
import { parseInt64Rounded } from "../bytes/int64.ts";
import { parseLongDouble } from "../bytes/long-double.ts";
import { Call } from "../call/call.ts";
import type { Execute } from "../call/execute.ts";
import { type KeyWatcher, keyName, keyOf } from "../call/key-watchers.ts";
import type { Command } from "../call/registry.ts";
import type { Session } from "../call/session.ts";
import { WatchedKeys } from "../call/watched-keys.ts";
import type { Clock } from "../host/clock.ts";
import type { Database } from "../keyspace/database.ts";
import { TYPE_LIST, TYPE_STREAM, TYPE_ZSET } from "../keyspace/record.ts";
import type { Outbox } from "../push/outbox.ts";
import { CommandError, errors } from "../resp/errors.ts";
import { ReplyWriter } from "../resp/reply-writer.ts";
import { Request } from "../resp/request.ts";

/**
 * Clients that wait for something: their connection reads no further commands until they are answered, by
 * what they wait for, by their timeout, or by CLIENT UNBLOCK.
 *
 * A command that finds its keys empty calls `onKeys`. Its arguments are kept, and the client stands in a
 * queue for each key. When a command has changed such a key, the waiting commands are executed again, in the
 * order in which they came, after the command (or the whole transaction) that changed it: one that is served
 * leaves its queues, one that is not keeps its place. Commands served may change further keys (BLMOVE), so
 * this goes on until no key is ready.
 */

/** What must be at a key for a waiting command to be tried: "group" also if it is gone or of another type. */
export type BlockKind = "list" | "zset" | "stream" | "group";

/** Longest timeout that a timer takes (2^31 - 1 ms, 24 days); a longer one is waited for in pieces. */
const LONGEST_TIMER = 0x7fffffff;

interface Waiting {
  /** Milliseconds since 1970, or 0: for ever. */
  until: number;
  timer: ReturnType<typeof setTimeout> | null;
  /** Tries the command again at a moment of its own, milliseconds since 1970. */
  retryAt: number;
  retryTimer: ReturnType<typeof setTimeout> | null;
  onTimeout(reply: ReplyWriter): void;
  keys: string[];
  kind: BlockKind;
  /** The command to be tried again; null where only time is waited for. */
  retry: { request: Request; command: Command } | null;
  /** CLIENT UNBLOCK does not reach it: what it waits for is under way and ends by itself. */
  held: boolean;
}

/** Who waits for a key, in the order in which they came. */
interface Queue {
  readonly sessions: Set<Session>;
  /** How many of them must hear of its removal: there may be nothing at the key, and they are tried all the same. */
  groups: number;
}

/** A command that waits for `resume`. */
export interface Hold {
  readonly session: Session;
  readonly request: Request;
  readonly command: Command;
}

export interface BlockingDeps {
  readonly keyspace: { select(id: number): Database };
  /** The command of this call, for commands that wait. */
  commandOf(session: Session): Command;
  execute(): Execute;
  /** The error where the session's user may no longer make the call, or null. */
  refusal(call: Call, command: Command): string | null;
  /** Sends a reply outside of any command and lets the connection read on; `wrote`: it answers a write. */
  answer(session: Session, reply: Uint8Array, wrote: boolean): void;
  countError(text: string): void;
  /** A waiting command has been answered without having been served: count it. */
  answered(session: Session, failed: boolean): void;
  /** Time is to be counted from here: an event begins that is not a client's. */
  eventBegins(): void;
  readonly clock: Pick<Clock, "time" | "update">;
  /** A command is executed again, which is nothing new to who watches (MONITOR). */
  retrying(begins: boolean): void;
  readonly outbox: Outbox;
  /** Somebody begins or ends to wait for a key. */
  watchingChanged(): void;
}

export class Blocking implements KeyWatcher {
  private readonly waiting = new Map<Session, Waiting>();
  private readonly queues = new WatchedKeys<Queue>();
  private readonly ready = new Set<string>();
  private readonly call = new Call();
  private readonly writer = new ReplyWriter(256);
  /** Something is in the midst of changing data: nobody is served. */
  paused = false;
  private serving = false;
  /** The session whose command is being tried again, and whether it asked to wait on. */
  private retrying: Session | null = null;
  private waitsOn = false;

  constructor(private readonly deps: BlockingDeps) {}

  /** Clients that wait. */
  get count(): number {
    return this.waiting.size;
  }

  /** Keys that somebody waits for. */
  get keyCount(): number {
    return this.queues.size;
  }

  /** Of those, the keys waited for by somebody who must hear of their removal. */
  get removalKeyCount(): number {
    let count = 0;
    for (const { groups } of this.queues.values()) if (groups > 0) count++;
    return count;
  }

  has(session: Session): boolean {
    return this.waiting.has(session);
  }

  /** The command under way gets no reply now; after `timeoutMs` (0: never) it gets that of `onTimeout`. */
  block(call: Call, timeoutMs: number, onTimeout: (reply: ReplyWriter) => void): void {
    if (call.session.denyBlocking) return onTimeout(call.reply);
    this.suspend(call, timeoutMs, onTimeout, [], "list", null, false);
  }

  /**
   * The command under way is executed again on `resume`, which is bound to come: for what is done outside of the
   * loop's turn. It is not to be called where `denyBlocking` holds.
   */
  hold(call: Call): Hold {
    const { session } = call;
    const retry = { request: copyOf(call), command: this.deps.commandOf(session) };
    this.suspend(call, 0, () => {}, [], "list", retry, true);
    return { session, ...retry };
  }

  /** Executes a held command again, and answers its client unless that has gone meanwhile. */
  resume({ session, request, command }: Hold): void {
    this.deps.clock.update();
    this.deps.eventBegins();
    this.execute(session, request, command);
    if (this.forget(session)) this.answer(session);
    if (this.hasReady) this.serve();
  }

  /** As `block`, and the command is tried again whenever one of the keys (argument indexes) has changed. */
  onKeys(
    call: Call,
    keyArgs: readonly number[],
    timeoutMs: number,
    kind: BlockKind,
    onTimeout: (reply: ReplyWriter) => void,
  ): void {
    const { session } = call;
    if (session.denyBlocking) return onTimeout(call.reply);
    if (this.retrying === session) {
      this.waitsOn = true;
      call.blocked = true;
      return;
    }
    const names = keyArgs.map((i) => keyName(session.dbIndex, call.buf, call.start[i]!, call.end[i]!));
    const keys = [...new Set(names)];
    const retry = { request: copyOf(call), command: this.deps.commandOf(session) };
    this.suspend(call, timeoutMs, onTimeout, keys, kind, retry, false);
    for (const name of keys) {
      let queue = this.queues.get(name);
      if (queue === undefined) {
        queue = { sessions: new Set(), groups: 0 };
        this.queues.set(name, queue);
      }
      queue.sessions.add(session);
      if (kind === "group") queue.groups++;
    }
    this.deps.watchingChanged();
  }

  /** The command that waits for keys is tried again at this moment too (milliseconds since 1970), once. */
  alsoAt(session: Session, moment: number): void {
    const entry = this.waiting.get(session);
    if (entry === undefined) return;
    if (entry.retryTimer !== null) clearTimeout(entry.retryTimer);
    entry.retryAt = moment;
    const left = Math.max(0, moment - this.deps.clock.time());
    // A moment too far for a timer is come to in steps: the command then asks again.
    entry.retryTimer = setTimeout(() => this.comeRound(entry), Math.min(left, LONGEST_TIMER));
  }

  private comeRound(entry: Waiting): void {
    entry.retryTimer = null;
    for (const name of entry.keys) this.ready.add(name);
    this.deps.eventBegins();
    if (this.hasReady) this.serve();
  }

  private suspend(
    call: Call,
    timeoutMs: number,
    onTimeout: (reply: ReplyWriter) => void,
    keys: string[],
    kind: BlockKind,
    retry: Waiting["retry"],
    held: boolean,
  ): void {
    const { session } = call;
    const until = timeoutMs === 0 ? 0 : this.deps.clock.time() + timeoutMs;
    const entry: Waiting = {
      until,
      timer: null,
      retryAt: 0,
      retryTimer: null,
      onTimeout,
      keys,
      kind,
      retry,
      held,
    };
    this.waiting.set(session, entry);
    call.blocked = true;
    session.link.suspend();
    this.arm(session, entry);
  }

  /** CLIENT UNBLOCK; false if the client does not wait, or cannot be freed. */
  unblock(session: Session, how: "timeout" | "error"): boolean {
    const entry = this.waiting.get(session);
    if (entry === undefined || entry.held) return false;
    this.release(session, (reply) => {
      if (how === "error") reply.error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
      else entry.onTimeout(reply);
    });
    return true;
  }

  /** What the client waits for has come about. */
  fulfil(session: Session, write: (reply: ReplyWriter) => void): void {
    if (this.waiting.has(session)) this.release(session, write);
  }

  /** Nobody can be served any more: all who wait for keys get an error. */
  unblockAll(error: string): void {
    for (const session of [...this.waiting.keys()]) this.release(session, (reply) => reply.error(error));
  }

  /** Those that wait for keys, and for which there is such an error, get it; the key is the first one they wait for. */
  refuseWhere(refusal: (session: Session, command: Command, key: Uint8Array) => string | null): void {
    for (const [session, { keys, retry }] of [...this.waiting]) {
      const [name] = keys;
      if (name === undefined || retry === null) continue;
      const error = refusal(session, retry.command, keyOf(name).key);
      if (error !== null) this.release(session, (reply) => reply.error(error));
    }
  }

  /** The client is gone, or is being answered. */
  forget(session: Session): boolean {
    const entry = this.waiting.get(session);
    if (entry === undefined) return false;
    if (entry.timer !== null) clearTimeout(entry.timer);
    if (entry.retryTimer !== null) clearTimeout(entry.retryTimer);
    for (const name of entry.keys) {
      const queue = this.queues.get(name);
      if (queue === undefined || !queue.sessions.delete(session)) continue;
      if (entry.kind === "group") queue.groups--;
      if (queue.sessions.size === 0) this.queues.delete(name);
    }
    this.deps.watchingChanged();
    return this.waiting.delete(session);
  }

  private release(session: Session, write: (reply: ReplyWriter) => void): void {
    this.forget(session);
    const { writer } = this;
    writer.clear();
    writer.resp = session.resp;
    const errorsBefore = writer.errorCount;
    write(writer);
    if (writer.errorCount > errorsBefore) this.deps.countError(writer.lastError);
    this.deps.answered(session, writer.errorCount > errorsBefore);
    this.deps.answer(session, writer.buf.slice(0, writer.pos), false);
  }

  private arm(session: Session, entry: Waiting): void {
    if (entry.until === 0) return;
    const left = Math.max(0, entry.until - this.deps.clock.time());
    entry.timer = setTimeout(
      () => {
        if (entry.until > this.deps.clock.time()) this.arm(session, entry);
        else this.release(session, entry.onTimeout);
      },
      Math.min(left, LONGEST_TIMER),
    );
  }

  /** The clock has been moved: whose time is over goes on now, timers count what is left of the others'. */
  clockMoved(): void {
    const now = this.deps.clock.time();
    for (const [session, entry] of [...this.waiting]) {
      if (entry.until > 0 && entry.until <= now) {
        this.release(session, entry.onTimeout);
        continue;
      }
      if (entry.timer !== null) clearTimeout(entry.timer);
      this.arm(session, entry);
      if (entry.retryTimer !== null) this.alsoAt(session, entry.retryAt);
    }
  }

  // ------------------------------------------------------------------ KeyWatcher

  get watching(): boolean {
    return this.queues.size > 0;
  }

  mayWatch(buf: Uint8Array, start: number, end: number): boolean {
    return this.queues.mayHave(buf, start, end);
  }

  keyChanged(name: string): void {
    if (this.queues.has(name)) this.ready.add(name);
  }

  keyExpired(name: string): void {
    this.keyChanged(name);
  }

  anyChanged(): void {
    for (const name of this.queues.keys()) this.ready.add(name);
  }

  // ------------------------------------------------------------------ serving

  /** Whether `serve` has something to do. */
  get hasReady(): boolean {
    return this.ready.size > 0 && !this.serving && !this.paused;
  }

  /** Tries the commands that wait for keys that have changed; call it when a command has ended. */
  serve(): void {
    if (this.serving) return;
    this.serving = true;
    this.deps.clock.update();
    try {
      for (const name of this.ready) {
        this.ready.delete(name);
        const queue = this.queues.get(name);
        if (queue !== undefined) this.serveAt(name, queue);
      }
    } finally {
      this.serving = false;
    }
  }

  /** Tries the commands that wait for a key, as long as there is something that they could take. */
  private serveAt(name: string, queue: Queue): void {
    const { database, key } = keyOf(name);
    const db = this.deps.keyspace.select(database);
    let there = kindAt(db, key);
    // Whoever comes to wait meanwhile has just looked.
    let left = queue.sessions.size;
    for (const session of queue.sessions) {
      if (left-- === 0 || (there === null && queue.groups === 0)) return;
      const { kind } = this.waiting.get(session)!;
      if (kind !== there && kind !== "group") continue;
      this.retry(session);
      there = kindAt(db, key);
    }
  }

  private retry(session: Session): void {
    const { request, command } = this.waiting.get(session)!.retry!;
    this.retrying = session;
    this.waitsOn = false;
    try {
      this.load(session, request);
      const refusal = this.deps.refusal(this.call, command);
      this.deps.retrying(true);
      if (refusal === null) this.run(command);
      else this.reject(command, refusal);
    } finally {
      this.deps.retrying(false);
      this.retrying = null;
    }
    if (this.waitsOn) return;
    this.forget(session);
    this.answer(session);
  }

  /** What `execute` has left behind. */
  private answer(session: Session): void {
    const { call, writer } = this;
    this.deps.answer(session, writer.buf.slice(0, writer.pos), call.dirty > 0 || call.effects !== null);
  }

  /** The reply is in `writer` afterwards. */
  private execute(session: Session, request: Request, command: Command): void {
    this.load(session, request);
    this.run(command);
  }

  /** Executes the call; pushes to its session come behind its reply. */
  private run(command: Command): void {
    const { call, writer, deps } = this;
    deps.outbox.within(call.session, writer, () => {
      deps.execute()(call, command);
      return !call.blocked;
    });
  }

  private reject(command: Command, error: string): void {
    this.call.dirty = 0;
    this.call.effects = null;
    command.rejected++;
    this.deps.countError(error);
    this.writer.error(error);
  }

  private load(session: Session, request: Request): void {
    const { call, writer, deps } = this;
    writer.clear();
    writer.resp = session.resp;
    call.reply = writer;
    call.load(request);
    call.session = session;
    call.db = deps.keyspace.select(session.dbIndex);
  }
}

/** Who could be served by what is at a key; null: nobody. */
function kindAt(db: Database, key: Uint8Array): BlockKind | null {
  const position = db.findLive(key, 0, key.length);
  if (position === 0) return null;
  const type = db.records.type(position);
  if (type === TYPE_LIST) return "list";
  if (type === TYPE_ZSET) return "zset";
  return type === TYPE_STREAM ? "stream" : null;
}

function copyOf(call: Call): Request {
  return Request.of(Array.from({ length: call.argc }, (_, i) => call.bytes(i)));
}

/** Argument i, milliseconds as WAIT takes them; throws Redis's sentences. */
export function timeoutMilliseconds(call: Call, i: number): number {
  const milliseconds = parseInt64Rounded(call.buf, call.start[i]!, call.end[i]!);
  if (Number.isNaN(milliseconds)) throw new CommandError(errors.timeoutNotInteger);
  if (milliseconds < 0) throw new CommandError(errors.timeoutNegative);
  if (milliseconds >= 2 ** 63 - Date.now()) throw new CommandError(errors.timeoutOutOfRange);
  return milliseconds;
}

/** Argument i, seconds with decimals as BLPOP takes them, in milliseconds; throws Redis's sentences. */
export function timeoutSeconds(call: Call, i: number): number {
  const text = latin1Text(call.buf, call.start[i]!, call.end[i]!);
  if (parseLongDouble(text) === null) throw new CommandError("ERR timeout is not a float or out of range");
  const milliseconds = Math.ceil(Number(text) * 1000);
  if (Number.isNaN(milliseconds)) throw new CommandError("ERR timeout is not a float or out of range");
  if (milliseconds >= 2 ** 63 - Date.now()) throw new CommandError(errors.timeoutOutOfRange);
  if (milliseconds < 0) throw new CommandError(errors.timeoutNegative);
  return milliseconds;
}
