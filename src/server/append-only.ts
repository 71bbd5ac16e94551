import { Aof } from "../aof/aof.ts";
import type { AofLoad } from "../aof/load.ts";
import type { BaseJob, BaseSink } from "../aof/rewrite.ts";
import { utf8 } from "../bytes/ascii.ts";
import { Call } from "../call/call.ts";
import { Session, type SessionLink } from "../call/session.ts";
import type { Database } from "../keyspace/database.ts";
import { writePayload } from "../rdb/dump.ts";
import { RdbRecords, RdbSave } from "../rdb/save.ts";
import { RdbWriter } from "../rdb/writer.ts";
import { ReplyWriter } from "../resp/reply-writer.ts";
import type { Request } from "../resp/request.ts";
import type { Server } from "./server.ts";
import { type JobRecords, SnapshotJob } from "./snapshot-job.ts";

/**
 * The AOF in the server: what it needs of the other rooms, and how its commands are executed when it is loaded.
 * The AOF itself is in aof/.
 */
const NO_LINK: SessionLink = {
  fd: -1,
  suspended: false,
  address: "",
  localAddress: "",
  unixSocket: true,
  queryBytes: 0,
  queryCapacity: 0,
  outputBytes: 0,
  outputPieces: 0,
  send() {},
  stream() {},
  suspend() {},
  close() {},
};

export class AppendOnly {
  readonly aof: Aof;
  commandsLoaded = 0;
  private readonly call = new Call();
  private readonly session: Session;

  constructor(private readonly server: Server) {
    const { config, clock, log, latency, debugSettings } = server;
    this.session = new Session(0, NO_LINK, clock.now);
    this.session.denyBlocking = true;
    this.call.reply = new ReplyWriter(1024);
    this.call.session = this.session;
    this.aof = new Aof({
      settings: config.values,
      names: { dirname: config.values.appenddirname, filename: config.values.appendfilename },
      clock,
      log,
      latency: (event, milliseconds) => latency.note(event, milliseconds),
      flushSleep: () => debugSettings.aofFlushSleep,
      snapshotActive: () => server.snapshots.active && server.persistence.job !== null,
      inTransaction: () => server.transactions.running,
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
      loadRdb: (source) => this.server.persistence.load(source, false, true),
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
    const write = (buf: Uint8Array, start: number, end: number): void => sink.write(buf.subarray(start, end));
    return new SnapshotJob(
      server.snapshots,
      [...server.keyspace.all()],
      (databases, bytes) =>
        asRdb
          ? new RdbRecords(databases, bytes, server.persistence.options(true), true)
          : new RestoreRecords(bytes),
      { write, done: () => sink.done(), failed: (error) => sink.failed(error) },
      () => server.config.values.rdbKeySaveDelay,
    );
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

const SELECT = "*2\r\n$6\r\nSELECT\r\n";
const RESTORE = "$7\r\nRESTORE\r\n";
const OPTIONS = "$7\r\nREPLACE\r\n$6\r\nABSTTL\r\n";

/** A base without RDB preamble: one RESTORE a key, which any Redis reads as the command it is. */
class RestoreRecords implements JobRecords {
  private readonly payload = new RdbWriter({ compress: true, checksum: true });
  private selected = -1;

  constructor(private readonly bytes: (buf: Uint8Array, start: number, end: number) => void) {}

  begin(): void {}

  record(db: Database, id: number, position: number): boolean {
    if (id !== this.selected) {
      this.selected = id;
      this.text(`${SELECT}$${String(id).length}\r\n${id}\r\n`);
    }
    const { records } = db;
    const start = records.keyStart(position);
    const ttl = String(Math.max(0, records.expireAt(position)));
    writePayload(this.payload, db, position, 10);
    this.text(`*6\r\n${RESTORE}`);
    this.bulk(records.keyBytes(position), start, start + records.keyLength(position));
    this.text(`$${ttl.length}\r\n${ttl}\r\n`);
    this.bulk(this.payload.buf, 0, this.payload.pos);
    this.text(OPTIONS);
    return true;
  }

  step(): boolean {
    return true;
  }

  abandon(): void {}

  end(): void {}

  private bulk(buf: Uint8Array, start: number, end: number): void {
    this.text(`$${end - start}\r\n`);
    this.bytes(buf, start, end);
    this.text("\r\n");
  }

  private text(text: string): void {
    const bytes = utf8(text);
    this.bytes(bytes, 0, bytes.length);
  }
}
