import { Call } from "../call/call.ts";
import type { Execute } from "../call/execute.ts";
import type { Registry } from "../call/registry.ts";
import type { Session } from "../call/session.ts";
import type { Database } from "../keyspace/database.ts";
import { ReplyWriter } from "../resp/reply-writer.ts";
import { Request } from "../resp/request.ts";
import { PROTOCOL_ERROR, READY, type ReaderLimits, RequestReader } from "../resp/request-reader.ts";
import type { Transactions } from "../transactions/transactions.ts";

/**
 * Executes the master's stream. Its bytes count as processed command by command, a transaction's only with its EXEC:
 * so what is passed on to own replicas, and what would be asked for after a broken connection, never ends in the
 * middle of one.
 */
export interface ApplierDeps {
  readonly registry: Registry;
  readonly transactions: Transactions;
  readonly limits: ReaderLimits;
  readonly keyspace: { select(id: number): Database };
  execute(): Execute;
  /** The stream has to wait: a script pauses in the midst of its work, or CLIENT PAUSE is in force. */
  held(): boolean;
  /** Brackets the execution of some commands. */
  begin(): void;
  end(): void;
  /** These bytes of the stream are processed. */
  processed(bytes: Uint8Array, start: number, end: number): void;
  /** The stream is not what it should be. */
  broken(why: string): void;
  /** A command was answered with an error. */
  failed(command: string, error: string): void;
}

export class Applier {
  private readonly call = new Call();
  private readonly reader: RequestReader;
  /** Chunks with bytes not yet processed, and how many of the first one's are. */
  private readonly chunks: Uint8Array[] = [];
  private done = 0;
  private held = 0;
  private stopped = false;
  /** What has come while it was held back. */
  private late: Uint8Array[] = [];

  constructor(
    readonly session: Session,
    private readonly deps: ApplierDeps,
  ) {
    this.reader = new RequestReader(deps.limits, new Request());
    this.call.reply = new ReplyWriter(1024);
    this.call.session = session;
  }

  /** Takes a chunk of the stream, which must not change any more. */
  take(chunk: Uint8Array): void {
    if (this.stopped || chunk.length === 0) return;
    if (this.deps.held()) {
      this.late.push(chunk);
      return;
    }
    this.chunks.push(chunk);
    this.held += chunk.length;
    this.reader.feed(chunk);
    this.deps.begin();
    try {
      for (;;) {
        const state = this.reader.next();
        if (state === READY) this.apply();
        else {
          if (state === PROTOCOL_ERROR) this.deps.broken(`Protocol error from master: ${this.reader.error}`);
          break;
        }
        if (this.stopped) break;
      }
    } finally {
      this.deps.end();
    }
    this.reader.finish();
    if (!this.session.inTransaction) this.advance(this.reader.rest);
  }

  /** Bytes of the stream that have come and are not processed. */
  get waiting(): number {
    let bytes = this.held;
    for (const chunk of this.late) bytes += chunk.length;
    return bytes;
  }

  /** Takes what was held back. */
  release(): void {
    const { late } = this;
    this.late = [];
    for (const chunk of late) this.take(chunk);
  }

  /** No more of this stream is to be executed. */
  stop(): void {
    this.stopped = true;
    this.deps.transactions.forget(this.session);
  }

  private apply(): void {
    const { call, deps, session, reader } = this;
    const { request } = reader;
    call.load(request);
    call.db = deps.keyspace.select(session.dbIndex);
    const command = deps.registry.lookup(call);
    if (command === null || !command.acceptsArgs(call.argc)) {
      deps.failed(call.quoted(0), "unknown command or wrong number of arguments");
      return;
    }
    // A command that asks where the stream stands must find it where the command begins.
    if (command.spec.immediate !== true && session.inTransaction) deps.transactions.queue(call, command);
    else {
      session.lastCommand = command;
      const errors = call.reply.errorCount;
      deps.execute()(call, command);
      if (call.reply.errorCount > errors) deps.failed(command.fullName, call.reply.lastError);
      if (!session.inTransaction) this.advance(reader.rest);
    }
    call.reply.clear();
  }

  /** All bytes are processed but the last `unread` ones. */
  private advance(unread: number): void {
    let count = this.held - unread;
    this.held = unread;
    while (count > 0) {
      const chunk = this.chunks[0]!;
      const piece = Math.min(count, chunk.length - this.done);
      this.deps.processed(chunk, this.done, this.done + piece);
      this.done += piece;
      count -= piece;
      if (this.done < chunk.length) return;
      this.chunks.shift();
      this.done = 0;
    }
  }
}
