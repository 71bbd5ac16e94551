import type { Blocking } from "../blocking/blocking.ts";
import { Call } from "../call/call.ts";
import type { Executor } from "../call/execute.ts";
import type { Command, Registry } from "../call/registry.ts";
import type { Session } from "../call/session.ts";
import { FLAGS } from "../call/spec.ts";
import { isRedirection } from "../cluster/router.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { Outbox } from "../push/outbox.ts";
import type { Tracking } from "../push/tracking.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { Request } from "../resp/request.ts";
import { EMPTY_COMMAND, NEED_MORE, PROTOCOL_ERROR, READY } from "../resp/request-reader.ts";
import type { Counters } from "../stats/counters.ts";
import type { Transactions } from "../transactions/transactions.ts";
import { type AdmissionDeps, looksLikeHttp, refuse, unknownCommand } from "./admission.ts";
import type { Connection } from "./connection.ts";
import { LOOKAHEAD, type Lookahead } from "./lookahead.ts";
import type { OutputLimits } from "./output-limits.ts";
import type { Pause } from "./pause.ts";
import type { Turn } from "./turn.ts";

/**
 * From a connection's bytes to executed commands: reads one command after the other, admits it, executes it,
 * and leaves the replies in the one writer for the end of the turn.
 */
export interface DispatcherDeps extends AdmissionDeps {
  registry: Registry;
  keyspace: Keyspace;
  executor: Executor;
  counters: Counters;
  writer: ReplyWriter;
  pause: Pause;
  turn: Turn;
  lookahead: Lookahead;
  blocking: Blocking;
  transactions: Transactions;
  outbox: Outbox;
  tracking: Pick<Tracking, "active" | "enforceLimit" | "refused">;
  outputLimits: OutputLimits;
  /** Whether a gate that concerns plain commands may be closed. */
  guarded(): boolean;
  protocolError(connection: Connection, what: string): void;
  httpAttack(connection: Connection): void;
  suspended(connection: Connection): void;
  /** A replica's command was answered, which it cannot tell from the stream. */
  replicaReplied(connection: Connection): void;
}

/**
 * Replies of a turn are written early when they have grown beyond this: less than what the writer's buffer keeps,
 * or every turn of long replies would make a larger one anew, in memory that the system first has to clear.
 */
const EARLY_FLUSH = 256 * 1024;

/**
 * The lane for simple commands: open while there is nothing but the command to look at, so that gates and observers are
 * asked once for as many of them as follow one another, and not for each.
 */
const UNKNOWN = 0;
const OPEN = 1;
const CLOSED = 2;

export class Dispatcher {
  readonly call = new Call();
  /** Commands read and not yet executed, and where each begins. */
  private readonly batch: Request[] = [];
  private readonly starts: number[] = [];
  private count = 0;
  /** Where the connection's replies begin in the writer. */
  private mark = 0;
  /** Bytes of replies that the connection may have waiting. */
  private room = Number.POSITIVE_INFINITY;
  private lane = UNKNOWN;
  /** The client is no longer logged in (RESET): what was read ahead is to be read under other limits. */
  private loggedOut = false;
  /** Which replies answer writes is to be noted. */
  private tracking = false;

  constructor(private readonly deps: DispatcherDeps) {
    this.call.reply = deps.writer;
  }

  /** Executes what the connection's reader holds, as far as it goes; the replies are held for the turn's end. */
  run(connection: Connection): void {
    const { deps } = this;
    const { session, reader } = connection;
    const { writer } = deps;
    this.mark = writer.pos;
    this.tracking = deps.turn.tracking;
    writer.resp = session.resp;
    deps.outbox.executing = session;
    this.limit(connection);
    deps.executor.beginEvent();
    while (!session.closing && !connection.suspended) {
      const state = this.readAhead(connection);
      if (!this.runBatch(connection)) break;
      if (this.loggedOut) continue;
      if (state === NEED_MORE) break;
      if (state === EMPTY_COMMAND) {
        if (session.replyMode === "skip") session.replyMode = "on";
        if (!session.inTransaction) session.asking = false;
      } else if (state === PROTOCOL_ERROR) {
        if (session.replyMode === "on") writer.error(`ERR Protocol error: ${reader.error}`);
        deps.counters.countError("ERR");
        deps.protocolError(connection, reader.error);
        connection.close("after-replies");
        break;
      }
    }
    deps.executor.settle();
    deps.outbox.executing = null;
    writer.limit = Number.POSITIVE_INFINITY;
    if (session.overflowed || writer.pos - this.mark >= this.room) {
      writer.pos = this.mark;
      deps.turn.forgetWrites(this.mark);
      deps.outputLimits.exceeded(connection);
      // What it has grown to is of use to nobody else.
      if (this.mark === 0) writer.surrender();
    } else if (writer.pos > this.mark) {
      if (session.role === "replica") {
        writer.pos = this.mark;
        deps.turn.forgetWrites(this.mark);
        deps.replicaReplied(connection);
      } else deps.turn.hold(connection, this.mark);
    }
    reader.finish();
  }

  /** How much may be written from `mark` on. */
  private limit(connection: Connection): void {
    this.room = this.deps.outputLimits.room(connection);
    this.deps.writer.limit = this.mark + this.room;
  }

  /** Reads commands into the batch; returns what came behind them (READY: the batch is full). */
  private readAhead({ session, reader }: Connection): number {
    const { requests } = this.deps.lookahead;
    // Before authentication a command decides under which limits the next one is read.
    const most = session.authenticated ? LOOKAHEAD : 1;
    reader.authenticated = session.authenticated;
    this.loggedOut = false;
    this.count = 0;
    while (this.count < most) {
      reader.use(requests[this.count]!);
      const state = reader.step();
      if (state !== READY) return state;
      this.batch[this.count] = reader.request;
      this.starts[this.count++] = reader.commandStart;
    }
    return READY;
  }

  /** Executes the batch; false where the connection reads no further, the rest then goes back to its reader. */
  private runBatch(connection: Connection): boolean {
    const { deps, batch, starts, count } = this;
    const { session, reader } = connection;
    const { lookahead, writer } = deps;
    const ahead = count > 1;
    if (ahead) lookahead.fetch(batch, count, deps.keyspace.select(session.dbIndex));
    this.lane = UNKNOWN;
    for (let i = 0; i < count; i++) {
      if (ahead) lookahead.offer(batch[i]!, i);
      const delayed = !this.one(connection, batch[i]!);
      if (ahead) lookahead.withdraw();
      if (delayed || connection.suspended || session.closing) {
        if (delayed) reader.rewind(starts[i]!);
        else if (i + 1 < count) reader.rewind(starts[i + 1]!);
        return false;
      }
      if (this.loggedOut) {
        // Back to this very command, and over it.
        reader.rewind(starts[i]!);
        reader.use(batch[i]!);
        reader.step();
        return true;
      }
      if (writer.pos > EARLY_FLUSH) {
        deps.turn.hold(connection, this.mark);
        deps.turn.end();
        this.mark = writer.pos;
        this.limit(connection);
        this.lane = UNKNOWN;
      }
    }
    return true;
  }

  /** Executes one command, or refuses it; false where it has to wait (CLIENT PAUSE). */
  private one(connection: Connection, request: Request): boolean {
    const { deps, call } = this;
    const { session } = connection;
    call.load(request);
    const command = deps.registry.lookup(call);
    if (command === null || !command.simple) {
      // Whatever it does, the lane has to be looked at again.
      this.lane = UNKNOWN;
      return this.admit(connection, command);
    }
    if (this.lane === UNKNOWN) this.lane = this.undisturbed(session) ? OPEN : CLOSED;
    if (this.lane === CLOSED || !command.acceptsArgs(call.argc)) return this.admit(connection, command);
    // Its keys may be another node's.
    if (deps.router !== null && deps.router.refusal(call, command) !== null)
      return this.admit(connection, command);
    session.lastCommand = command;
    session.commandsProcessed++;
    deps.executor.executeSimple(call, command);
    if (deps.blocking.hasReady) {
      deps.blocking.serve();
      this.lane = UNKNOWN;
    }
    if (deps.outbox.pending) deps.outbox.flush(deps.writer);
    return true;
  }

  /**
   * Whether nothing but its arguments decides what becomes of a simple command of this client: no gate may be closed,
   * nobody looks on, no transaction is open. Prepares the call for such commands.
   */
  private undisturbed(session: Session): boolean {
    const { deps, call } = this;
    call.session = session;
    call.db = deps.keyspace.select(session.dbIndex);
    return (
      session.unrestricted &&
      !session.inTransaction &&
      !session.asking &&
      session.replyMode === "on" &&
      !this.tracking &&
      !deps.tracking.active &&
      !deps.pause.active &&
      !deps.blocking.hasReady &&
      !deps.guarded() &&
      deps.executor.unobserved(call)
    );
  }

  /** Passes the command that is loaded through all gates and executes it; false where it has to wait. */
  private admit(connection: Connection, command: Command | null): boolean {
    const { deps, call } = this;
    const { session } = connection;
    const { writer } = deps;
    let wrote = false;
    call.session = session;
    call.db = deps.keyspace.select(session.dbIndex);
    if (deps.tracking.active) deps.tracking.enforceLimit();
    const error =
      command === null
        ? this.unknown(connection)
        : command.plain && session.unrestricted && !deps.guarded() && command.acceptsArgs(call.argc)
          ? (deps.router?.refusal(call, command) ?? null)
          : refuse(call, command, deps);
    // Of keys that had to make room: their invalidations come before the reply.
    if (deps.outbox.pending) deps.outbox.flush(writer);
    const mark = writer.pos;
    const muted = session.replyMode !== "on";
    if (muted) session.mutedFrom = mark;
    if (command !== null && error === null) {
      if (deps.pause.delays(call, command)) {
        connection.suspended = true;
        deps.suspended(connection);
        return false;
      }
      if (session.inTransaction && command.spec.immediate !== true) {
        if (command.has("no_multi")) {
          this.reject(command, "ERR Command not allowed inside a transaction");
          deps.transactions.refuse(session);
        } else deps.transactions.queue(call, command);
        if (muted) this.suppress(session);
        return true;
      }
      session.lastCommand = command;
      session.commandsProcessed++;
      // EXEC's own call does not tell.
      const queued = this.tracking && (deps.queuedFlags(session) & FLAGS.write) !== 0;
      const errors = writer.errorCount;
      deps.executor.execute(call, command);
      if (connection.reader.authenticated && !session.authenticated) this.loggedOut = true;
      if (muted && command.spec.answersByPush === true && writer.errorCount === errors)
        session.mutedFrom = Number.POSITIVE_INFINITY;
      wrote = call.dirty > 0 || call.effects !== null || (queued && !session.inTransaction);
    } else if (error !== null) {
      if (command?.spec.endsTransaction) {
        if (isRedirection(error)) this.reject(command, error);
        else
          this.reject(command, `EXECABORT Transaction discarded because of: ${error.replace(/^ERR /, "")}`);
        deps.transactions.discard(session);
      } else {
        this.reject(command, error);
        if (session.inTransaction) deps.transactions.refuse(session);
      }
      deps.tracking.refused(session, command);
    }
    if (session.asking && !session.inTransaction && command?.spec.keepsAsking !== true)
      session.asking = false;
    if (deps.blocking.hasReady) deps.blocking.serve();
    if (muted || session.replyMode !== "on") this.suppress(session, connection.suspended);
    if (this.tracking && wrote && writer.pos > mark) deps.turn.noteWrite(mark);
    if (deps.outbox.pending) deps.outbox.flush(writer);
    writer.resp = session.resp;
    return true;
  }

  private reject(command: Command | null, error: string): void {
    const { deps } = this;
    // A container whose subcommand does not exist has not been called.
    if (command !== null && (command.subcommands === null || this.call.argc === 1)) command.rejected++;
    deps.counters.countError(error);
    deps.writer.error(error);
  }

  private unknown(connection: Connection): string | null {
    if (looksLikeHttp(this.call)) {
      this.deps.httpAttack(connection);
      connection.close("now");
      return null;
    }
    return unknownCommand(this.call);
  }

  /** CLIENT REPLY OFF and SKIP: takes the reply back out of the writer. What a client waits for is still to come. */
  private suppress(session: Session, waits = false): void {
    const { writer } = this.deps;
    if (writer.pos > session.mutedFrom) writer.pos = session.mutedFrom;
    session.mutedFrom = Number.POSITIVE_INFINITY;
    if (session.replyMode === "skip-next") session.replyMode = "skip";
    else if (session.replyMode === "skip" && !waits) session.replyMode = "on";
  }
}
