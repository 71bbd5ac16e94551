import type { Database } from "../keyspace/database.ts";
import { NO_EXPIRY } from "../keyspace/database.ts";
import { TYPE_STREAM } from "../keyspace/record.ts";
import type { Stream } from "../types/stream.ts";
import { ACTIVE_TIMES, corrupt, RdbError } from "./format.ts";
import { RdbParts } from "./parts.ts";
import { type ReadContext, ValueReader } from "./read-value.ts";
import { RdbReader, type RdbSource } from "./reader.ts";
import { clockOf } from "./usage.ts";
import { setActiveTimes } from "./write-stream.ts";

/**
 * Loading a file into databases, in slices between which the server can answer. What went wrong is thrown as
 * RdbError; what was loaded until then stays.
 */

export interface LoadTarget {
  /** Number of databases. */
  readonly count: number;
  select(id: number): Database;
}

export interface LoadLog {
  debug(message: string): void;
  notice(message: string): void;
  warning(message: string): void;
}

export interface LoadOptions {
  readonly context: ReadContext;
  readonly log: LoadLog;
  /** Compare the checksum (rdbchecksum). */
  readonly checksum: boolean;
  /** sanitize-dump-payload yes: look for what Redis does not expect as well. */
  readonly deep: boolean;
  /** Leave out keys that are due; not on a replica, nor for the base of an AOF. */
  readonly skipExpired: boolean;
  /** Told of each key left out as due; its bytes are good only during the call. */
  readonly onExpired?: (database: number, key: Uint8Array) => void;
  /** A key that is there already is replaced; without it, it is an error. */
  readonly allowDuplicates?: boolean;
  /** The offset up to which whole parts can be read; for a source whose end has not come yet. */
  readonly arrived?: () => number;
  /** Gets the source of each function library. */
  readonly onFunction?: (source: Uint8Array) => void;
}

/** Keys between two looks at the clock, and elements of a collection. */
const BURST = 16;
const BURST_BYTES = 128 * 1024;
const ELEMENTS = 128;
/** Empty keys that are named in the log. */
const NAMED_EMPTY_KEYS = 10;
/** The last moment that the 64 bits of an expiry can hold when it comes from a number. */
const FARTHEST = 2 ** 63 - 1024;

export class RdbLoad {
  /** Keys loaded, left out as due, and left out as empty. */
  keysLoaded = 0;
  keysExpired = 0;
  keysEmpty = 0;
  /** All facts about the file, by name. */
  readonly aux = new Map<string, string>();
  private readonly reader: RdbReader;
  private readonly values: ValueReader;
  private readonly parts: RdbParts;
  private db: Database;
  /** Those of the stream that is to come; "": none. */
  private activeTimes = "";
  private state: "start" | "parts" | "value" | "done" = "start";
  /** `step` has ended because more has to arrive. */
  starved = false;

  constructor(
    source: RdbSource,
    private readonly target: LoadTarget,
    private readonly options: LoadOptions,
  ) {
    this.reader = new RdbReader(options.checksum).open(source);
    this.parts = new RdbParts(this.reader);
    this.values = new ValueReader(this.reader, options.context);
    this.values.deep = options.deep;
    this.db = target.select(0);
  }

  /** Bytes read; when all is loaded, those of the RDB, its checksum included. */
  get consumed(): number {
    return this.reader.offset;
  }

  /** The version that the file says it has; 0 before it is read. */
  get version(): number {
    return this.parts.version;
  }

  /** Goes on until `outOfTime`; true when all is loaded. */
  step(outOfTime: () => boolean): boolean {
    // What is loaded is not news.
    const { events } = this.db.context;
    const { classes } = events;
    const { arrived } = this.options;
    events.classes = 0;
    this.starved = false;
    try {
      for (;;) {
        const enough = this.reader.offset + BURST_BYTES;
        for (let i = 0; i < BURST && this.reader.offset < enough; i++) {
          this.starved = arrived !== undefined && this.reader.offset >= arrived();
          if (this.starved) return false;
          if (this.advance()) return true;
        }
        if (outOfTime()) return false;
      }
    } catch (error) {
      this.values.abandon();
      if (error instanceof RdbError) this.report(error);
      throw error;
    } finally {
      events.classes = classes;
    }
  }

  private report({ message, kind }: RdbError): void {
    const { log } = this.options;
    if (kind === "short") log.warning("Short read or OOM loading DB. Unrecoverable error, aborting now.");
    log.warning(`Internal error in RDB reading offset ${this.reader.offset} -> ${message}`);
  }

  /** Reads a part, or some elements; true at the end. */
  private advance(): boolean {
    switch (this.state) {
      case "start":
        this.parts.header();
        this.state = "parts";
        return false;
      case "parts":
        return this.readPart();
      case "value":
        this.readValue(false);
        return false;
      case "done":
        return true;
    }
  }

  private readPart(): boolean {
    const { parts } = this;
    switch (parts.next()) {
      case "key":
        this.readValue(true);
        return false;
      case "select":
        if (parts.database >= this.target.count)
          corrupt(
            "FATAL: Data file was created with a Redis server configured to handle more than " +
              `${this.target.count} databases. Exiting`,
          );
        this.db = this.target.select(parts.database);
        return false;
      case "aux":
        if (parts.name === ACTIVE_TIMES) this.activeTimes = parts.value;
        else this.readAux(parts.name, parts.value);
        return false;
      case "function":
        this.options.onFunction?.(parts.source);
        return false;
      case "module-aux":
        return corrupt(
          `The RDB file contains AUX module data I can't load: no matching module '${parts.name}'`,
        );
      case "end":
        this.finish();
        return true;
      default:
        return false;
    }
  }

  /** Reads (a piece of) a value and stores it when it is whole; one that is empty is left out. */
  private readValue(begin: boolean): void {
    try {
      if (!(begin ? this.values.begin(this.parts.type) : this.values.step(ELEMENTS))) {
        this.state = "value";
        return;
      }
      this.store();
    } catch (error) {
      if (!(error instanceof RdbError) || error.kind !== "empty") throw error;
      this.values.abandon();
      if (this.keysEmpty++ < NAMED_EMPTY_KEYS)
        this.options.log.notice(`rdbLoadObject skipping empty key: ${this.parts.keyText}`);
    }
    this.state = "parts";
  }

  private store(): void {
    const { parts, values, db, options } = this;
    const { key } = parts;
    const { activeTimes } = this;
    this.activeTimes = "";
    if (options.skipExpired && parts.hasExpiry && parts.expireAt < db.context.clock.now) {
      values.abandon();
      this.keysExpired++;
      options.onExpired?.(db.id, key.buf.subarray(0, key.end));
      return;
    }
    const { index } = db;
    const old = index.find(index.hash(key.buf, 0, key.end), key.buf, 0, key.end);
    if (old !== 0) {
      if (options.allowDuplicates !== true)
        corrupt(`RDB has duplicated key '${parts.keyText}' in DB ${db.id}`);
      db.remove(old);
    }
    if (activeTimes !== "" && values.type === TYPE_STREAM)
      setActiveTimes(values.object as Stream, activeTimes);
    const expireAt = parts.hasExpiry ? Math.min(Math.max(parts.expireAt, 0), FARTHEST) : NO_EXPIRY;
    const position = values.store(db, key.buf, 0, key.end, expireAt);
    const clock = clockOf(db.context, parts.idle, parts.frequency);
    if (clock >= 0) db.records.setClock(position, clock);
    this.keysLoaded++;
  }

  private readAux(name: string, value: string): void {
    const { log } = this.options;
    this.aux.set(name, value);
    switch (name.toLowerCase()) {
      case "redis-ver":
        return log.notice(`Loading RDB produced by version ${value}`);
      case "ctime":
        return log.notice(
          `RDB age ${Math.max(0, Math.floor(this.db.context.clock.now / 1000) - (Number.parseInt(value, 10) || 0))} seconds`,
        );
      case "used-mem":
        return log.notice(
          `RDB memory usage when created ${((Number.parseInt(value, 10) || 0) / 1048576).toFixed(2)} Mb`,
        );
      case "aof-preamble":
        if (Number.parseInt(value, 10)) log.notice("RDB has an AOF tail");
        return;
      case "aof-base":
        if (Number.parseInt(value, 10)) log.notice("RDB is base AOF");
        return;
      case "repl-stream-db":
      case "repl-id":
      case "repl-offset":
      case "lua":
      case "redis-bits":
        return;
      default:
        if (name.startsWith("%")) log.notice(`RDB '${name}': ${value}`);
        else log.debug(`Unrecognized RDB AUX field: '${name}'`);
    }
  }

  private finish(): void {
    const { log, checksum } = this.options;
    this.state = "done";
    if (this.parts.hasChecksum) {
      const sum = this.reader.readChecksum();
      if (checksum && sum === "none")
        log.notice("RDB file was saved with checksum disabled: no check performed.");
      else if (sum === "wrong") corrupt("RDB CRC error");
    }
    const empty = this.keysEmpty > 0 ? `, empty keys skipped: ${this.keysEmpty}` : "";
    log.notice(
      `Done loading RDB, keys loaded: ${this.keysLoaded}, keys expired: ${this.keysExpired}${empty}.`,
    );
    this.reader.close();
  }
}

/** Loads a file in one go. */
export function loadRdb(source: RdbSource, target: LoadTarget, options: LoadOptions): RdbLoad {
  const load = new RdbLoad(source, target, options);
  while (!load.step(() => false));
  return load;
}
