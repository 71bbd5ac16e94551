import { Aof } from "../aof/aof.ts";
import type { AofLoad } from "../aof/load.ts";
import { RestoreRecords } from "../aof/restore-records.ts";
import type { BaseJob, BaseSink } from "../aof/rewrite.ts";
import { Call } from "../call/call.ts";
import { noLink, Session } from "../call/session.ts";
import { RdbRecords, RdbSave } from "../rdb/save.ts";
import { ReplyWriter } from "../resp/reply-writer.ts";
import type { Request } from "../resp/request.ts";
import type { Server } from "./server.ts";
import { SnapshotJob } from "./snapshot-job.ts";

/**
 * The AOF in the server: what it needs of the other rooms, and how its commands are executed when it is loaded.
 * The AOF itself is in aof/.
 */
const NO_LINK = noLink({ unixSocket: true });

export class AppendOnly {
  readonly aof: Aof;
  commandsLoaded = 0;
  /** What writes the base of a rewrite; the last one, when none is under way. */
  baseJob: SnapshotJob | null = null;
  /** As in Persistence, of the last rewrite. */
  lastCopied = 0;
  private readonly call = new Call();
  private readonly session: Session;

  constructor(private readonly server: Server) {
    const { config, clock, log, latency, debugSettings } = server;
    this.session = new Session(0, NO_LINK, clock.now);
    this.session.denyBlocking = this.session.fromFile = true;
    this.call.reply = new ReplyWriter(1024);
    this.call.session = this.session;
    this.aof = new Aof({
      settings: config.values,
      names: {
        dirname: config.values.appenddirname,
        filename: config.values.appendfilename,
        get root() {
          return config.root;
        },
      },
      clock,
      log,
      latency: (event, milliseconds) => latency.note(event, milliseconds),
      flushSleep: () => debugSettings.aofFlushSleep,
      // One that was given up ends its walk before another one may begin.
      snapshotActive: () =>
        server.persistence.inProgress || (server.snapshots.active && !this.aof.rewrite.inProgress),
      inTransaction: () => server.transactions.running || server.scripting.runs.current !== null,
      startBase: (sink, format) => this.startBase(sink, format === "rdb"),
      emptyRdb: () => this.emptyRdb(),
    });
  }

  // ------------------------------------------------------------------ loading

  /** A load of all files, to be stepped. */
  load(): AofLoad {
    return this.aof.load({
      execute: (request) => this.execute(request),
      fileBegins: () => {
        this.session.dbIndex = 0;
      },
      loadRdb: (source) =>
        this.server.persistence.load(source, { skipExpired: false, allowDuplicates: true }),
    });
  }

  private execute(request: Request): boolean {
    const { call, session, server } = this;
    call.load(request);
    const command = server.registry.lookup(call);
    if (command === null) return false;
    this.commandsLoaded++;
    session.lastCommand = command;
    call.db = server.keyspace.select(session.dbIndex);
    server.executor.execute(call, command);
    call.reply.clear();
    return true;
  }

  /** DEBUG LOADAOF; the error to reply with, or null. */
  reload(): string | null {
    const { aof, server } = this;
    const failed = "ERR Error trying to load the AOF files, check server logs.";
    if (!aof.beforeReload()) return failed;
    server.persistence.clear();
    const { context } = server.keyspace;
    context.ignoreExpiry = true;
    const load = this.load();
    try {
      for (;;) {
        const state = load.step(() => false);
        if (state === "failed") return failed;
        if (state !== "more") break;
      }
    } finally {
      context.ignoreExpiry = false;
    }
    if (!aof.afterReload(load)) return failed;
    server.log.warning("Append Only File loaded by DEBUG LOADAOF");
    return null;
  }

  // ------------------------------------------------------------------ the base of a rewrite

  private startBase(sink: BaseSink, asRdb: boolean): BaseJob {
    const { server } = this;
    const done = (): void => {
      this.lastCopied = server.snapshots.copied;
      sink.done();
    };
    const write = (buf: Uint8Array, start: number, end: number): void => sink.write(buf.subarray(start, end));
    this.baseJob = new SnapshotJob(
      server.counters,
      server.snapshots,
      [...server.keyspace.all()],
      (databases, bytes) =>
        asRdb
          ? new RdbRecords(databases, bytes, server.persistence.options(true), true)
          : new RestoreRecords(bytes, [...server.scripting.functions.sources()]),
      { write, done, failed: (error) => sink.failed(error) },
      () => server.config.values.rdbKeySaveDelay,
    );
    return this.baseJob;
  }

  private emptyRdb(): Uint8Array {
    const parts: Uint8Array[] = [];
    const save = new RdbSave(
      [],
      (buf, start, end) => parts.push(buf.slice(start, end)),
      this.server.persistence.options(true),
    );
    while (!save.step(() => false));
    return Buffer.concat(parts);
  }
}
