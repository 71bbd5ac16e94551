import { latin1Bytes } from "../bytes/ascii.ts";
import { REDIS_VERSION } from "../host/version.ts";
import type { Database } from "../keyspace/database.ts";
import { ENC_BLOCK, ENC_OBJECT } from "../keyspace/record.ts";
import { objectOf } from "../keyspace/value-bytes.ts";
import type { Stream } from "../types/stream.ts";
import { Aside } from "./aside.ts";
import {
  ACTIVE_TIMES,
  FIELD_EXPIRY_VERSION,
  MAGIC,
  NEWEST_VERSION,
  OP,
  type RdbVersion,
  TYPE,
} from "./format.ts";
import { activeTimes } from "./write-stream.ts";
import { beginValue, isBigString, rdbTypeOf } from "./write-value.ts";
import { CHUNK_BYTES, type RdbSink, RdbWriter, type WriterOptions } from "./writer.ts";
import { BIG_STRING, MOST_BYTES, type ObjectWriting, StringWriting } from "./writing.ts";

/**
 * Writing a file. `RdbRecords` writes what it is told to, record by record in any order: the database is selected
 * whenever it is another one than before, so a snapshot can hand on a record just before it changes. A big value is
 * written in steps. What comes meanwhile waits in memory, as bytes: a small record whole, a big value with what changes
 * of it, until its own turn has come. `RdbSave` walks over databases that do not change meanwhile.
 *
 *   header  aux ...  function ...  [SELECTDB [RESIZEDB] record ...] ...  EOF  checksum
 */

export interface SaveOptions extends WriterOptions {
  /** What each key has been used: as the policy in force counts it. */
  readonly usage: Usage;
  readonly aux: readonly AuxField[];
  /** Sources of function libraries. */
  readonly functions: readonly Uint8Array[];
  /** Without it, the oldest one that can hold the data. */
  readonly version?: RdbVersion;
}

/**
 * The oldest version that can hold these databases, so that as many servers as possible can read the file: 10 of
 * Redis 7.0, 12 of Redis 7.4 where fields of hashes expire, or 14 where only Redis 8.8 knows what is there.
 */
export function oldestVersion(databases: Iterable<Database>): RdbVersion {
  let version: RdbVersion = 10;
  for (const { fields, newerStreams, records } of databases) {
    if (newerStreams.inUse || records.objects.newest > 0) return NEWEST_VERSION;
    if (fields.inUse) version = FIELD_EXPIRY_VERSION;
  }
  return version;
}

export type AuxField = readonly [name: string, value: string];

export type Usage = "idle" | "frequency" | "none";

/** What is saved of keys' use under this maxmemory-policy. */
export function usageOf(policy: string): Usage {
  if (policy.endsWith("lru")) return "idle";
  return policy.endsWith("lfu") ? "frequency" : "none";
}

export interface SaveFacts {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly usedMemory: number;
  /** The file is the base of an AOF. */
  readonly aofBase: boolean;
  /** Of a master. */
  readonly replication?:
    | undefined
    | { readonly id: string; readonly offset: number; readonly database: number };
}

/** The facts that Redis 7.2 puts in front. */
export function auxFields({ now, usedMemory, aofBase, replication }: SaveFacts): AuxField[] {
  const fields: AuxField[] = [
    ["redis-ver", REDIS_VERSION],
    ["redis-bits", "64"],
    ["ctime", String(Math.floor(now / 1000))],
    ["used-mem", String(Math.floor(usedMemory))],
  ];
  if (replication !== undefined)
    fields.push(
      ["repl-stream-db", String(replication.database)],
      ["repl-id", replication.id],
      ["repl-offset", String(replication.offset)],
    );
  fields.push(["aof-base", aofBase ? "1" : "0"]);
  return fields;
}

/** A big value being written: to the file, or, while another one is, aside. */
interface Writing {
  /** Its database. */
  readonly id: number;
  readonly writing: ObjectWriting;
  /** What was written while it had to wait; null: nothing. */
  aside: Aside | null;
}

/** A value that holds no more is written at once. */
const BIG_BYTES = 64 * 1024;
/** Of the buffer of a value that waits. */
const WAITING_CHUNK = 4096;

export class RdbRecords {
  private readonly writer: RdbWriter;
  private readonly options: SaveOptions;
  private readonly version: RdbVersion;
  private readonly sizes = new Map<number, readonly [keys: number, expires: number]>();
  private selected = -1;
  /** The big value under way, and those that have begun and wait for it. */
  private current: Writing | null = null;
  private readonly waiting: Writing[] = [];
  /** Records that wait for the value under way, and the database that is selected there. */
  private aside: Aside | null = null;
  private selectedAside = -1;
  private abandoned = false;
  /** Long strings under way or waiting. */
  private readonly strings = new Set<StringWriting>();
  /** Records begun. */
  count = 0;

  /**
   * `databases`: how large they are is said in front of their keys. `watched`: they may change between the steps of
   * a big value.
   */
  constructor(
    databases: Iterable<Database>,
    sink: RdbSink,
    options: SaveOptions,
    private readonly watched: boolean,
  ) {
    const all = [...databases];
    this.options = watched ? { ...options, compressUpTo: BIG_STRING } : options;
    this.writer = new RdbWriter(this.options, sink);
    this.version = options.version ?? oldestVersion(all);
    for (const { id, size, expires } of all) this.sizes.set(id, [size, expires]);
  }

  /** Bytes written. */
  get bytes(): number {
    return this.writer.bytes;
  }

  /** Writes what stands before the keys. */
  begin(): void {
    const { writer, options } = this;
    writer.raw(latin1Bytes(MAGIC + String(this.version).padStart(4, "0")));
    for (const [name, value] of options.aux) writeAux(writer, name, value);
    for (const source of options.functions) {
      writer.byte(OP.FUNCTION2);
      writer.string(source);
    }
  }

  /** Takes what has waited. */
  private readonly moved: RdbSink = (buf, start, end) => this.writer.raw(buf, start, end);

  private get idle(): boolean {
    return this.current === null && this.aside === null && this.waiting.length === 0;
  }

  /**
   * Takes a record of database `id`, as it is now. False: a big value is under way, which `step` has to finish; what
   * is taken until then waits for it.
   */
  record(db: Database, id: number, position: number): boolean {
    this.count++;
    const big = isBig(db, position);
    if (this.idle) {
      this.select(id);
      const writing = this.write(this.writer, db, position, this.watched && big);
      if (writing === null) return true;
      if (big && !this.abandoned) {
        this.current = { id, writing, aside: null };
        this.watch(writing);
        return false;
      }
      finish(writing);
      return true;
    }
    if (big) {
      const aside = new Aside(this.options, WAITING_CHUNK);
      const writing = this.write(aside.writer, db, position, this.watched)!;
      this.waiting.push({ id, writing, aside });
      this.watch(writing);
      return false;
    }
    this.aside ??= new Aside(this.options, CHUNK_BYTES);
    const { writer } = this.aside;
    if (id !== this.selectedAside) this.writeSelect(writer, id);
    this.selectedAside = id;
    const writing = this.write(writer, db, position, false);
    if (writing !== null) finish(writing);
    return false;
  }

  private watch(writing: ObjectWriting): void {
    if (writing instanceof StringWriting) this.strings.add(writing);
  }

  /** A record that was taken may be about to change. */
  beforeChange({ records }: Database, position: number): void {
    if (this.strings.size === 0 || records.encoding(position) !== ENC_BLOCK) return;
    const bytes = records.blocks.get(records.payloadLow(position));
    for (const writing of this.strings) if (writing.bytes === bytes) writing.beforeChange();
  }

  /** Goes on with about so many elements of what is under way or waits; true when there is nothing any more. */
  step(elements: number): boolean {
    const { current, aside, writer } = this;
    const bytes = elements === ALL ? ALL : MOST_BYTES;
    if (current !== null) {
      if (current.aside?.drain(this.moved, bytes) === false) return false;
      current.aside = null;
      current.writing.out = writer;
      if (!current.writing.step(elements)) return false;
      current.writing.close();
      if (current.writing instanceof StringWriting) this.strings.delete(current.writing);
      this.current = null;
    } else if (aside !== null) {
      if (!aside.drain(this.moved, bytes)) return false;
      this.selected = this.selectedAside;
      this.aside = null;
      this.selectedAside = -1;
    } else if (this.waiting.length > 0) {
      this.current = this.waiting.shift()!;
      this.select(this.current.id);
    }
    return this.idle;
  }

  /** Lets go of what is under way: what is written from now on is of no use. It may come in the midst of writing. */
  abandon(): void {
    this.current?.writing.close();
    for (const { writing } of this.waiting) writing.close();
    this.current = this.aside = null;
    this.waiting.length = 0;
    this.strings.clear();
    this.abandoned = true;
  }

  /** Writes what stands behind the keys, and hands everything out. */
  end(): void {
    while (!this.step(ALL));
    this.writer.byte(OP.EOF);
    this.writer.writeChecksum();
    this.writer.flush();
  }

  private select(id: number): void {
    if (id !== this.selected) this.writeSelect(this.writer, id);
    this.selected = id;
  }

  private writeSelect(writer: RdbWriter, id: number): void {
    writer.byte(OP.SELECTDB);
    writer.length(id);
    const size = this.sizes.get(id);
    if (size === undefined) return;
    this.sizes.delete(id);
    writer.byte(OP.RESIZEDB);
    writer.length(size[0]);
    writer.length(size[1]);
  }

  /** Writes a record, but for a value that is to be stepped. */
  private write(writer: RdbWriter, db: Database, position: number, watched: boolean): ObjectWriting | null {
    const { records } = db;
    const type = rdbTypeOf(db, position, this.version);
    if (type === TYPE.STREAM_LISTPACKS_2) {
      const times = activeTimes(objectOf(db, position) as Stream);
      if (times !== null) writeAux(writer, ACTIVE_TIMES, times);
    }
    const expireAt = records.expireAt(position);
    if (expireAt >= 0) {
      writer.byte(OP.EXPIRETIME_MS);
      writer.time(expireAt);
    }
    this.writeUsage(writer, db, position);
    writer.byte(type);
    const start = records.keyStart(position);
    writer.string(records.keyBytes(position), start, start + records.keyLength(position));
    return beginValue(writer, db, position, type, watched);
  }

  private writeUsage(writer: RdbWriter, { records, context }: Database, position: number): void {
    if (this.options.usage === "idle") {
      writer.byte(OP.IDLE);
      writer.length(context.access.idleSeconds(records.clock(position)));
    } else if (this.options.usage === "frequency") {
      writer.byte(OP.FREQ);
      writer.byte(context.access.frequency(records.clock(position)));
    }
  }
}

const ALL = Number.POSITIVE_INFINITY;

/** Whether a record's value is so big that it is written in steps. */
export function isBig(db: Database, position: number): boolean {
  if (db.records.encoding(position) !== ENC_OBJECT) return isBigString(db, position);
  return objectOf(db, position).memoryUse > BIG_BYTES;
}

function finish(writing: ObjectWriting): void {
  while (!writing.step(ALL));
  writing.close();
}

function writeAux(writer: RdbWriter, name: string, value: string): void {
  writer.byte(OP.AUX);
  writer.string(latin1Bytes(name));
  writer.string(latin1Bytes(value));
}

/** Keys between two looks at the clock, and elements of an object. */
const BURST = 16;
const BURST_BYTES = 128 * 1024;
const ELEMENTS = 128;

/** Writes databases that do not change until it is done. */
export class RdbSave {
  private readonly records: RdbRecords;
  private readonly databases: Database[];
  private at = 0;
  private cursor = 0;
  /** Positions of records found but not yet written. */
  private readonly found: number[] = [];
  private begun = false;

  constructor(databases: Iterable<Database>, sink: RdbSink, options: SaveOptions) {
    this.databases = [...databases].filter(({ size }) => size > 0).sort((a, b) => a.id - b.id);
    this.records = new RdbRecords(this.databases, sink, options, false);
  }

  get bytes(): number {
    return this.records.bytes;
  }

  /** Keys written. */
  get keys(): number {
    return this.records.count;
  }

  /** Goes on until `outOfTime`; true when all is written. */
  step(outOfTime: () => boolean): boolean {
    const { records, found } = this;
    if (!this.begun) records.begin();
    this.begun = true;
    for (;;) {
      if (!records.step(ELEMENTS)) {
        // More of the object is to come.
      } else if (found.length > 0) {
        const db = this.databases[this.at]!;
        const enough = records.bytes + BURST_BYTES;
        while (found.length > 0 && records.record(db, db.id, found.pop()!) && records.bytes < enough);
      } else if (!this.find()) {
        records.end();
        return true;
      }
      if (outOfTime()) return false;
    }
  }

  /** Finds some records more; false where there are none. */
  private find(): boolean {
    while (this.at < this.databases.length) {
      if (this.cursor !== DONE) {
        this.cursor = this.databases[this.at]!.index.scan(this.cursor, BURST, (position) => {
          this.found.push(position);
        });
        if (this.cursor === 0) this.cursor = DONE;
        if (this.found.length > 0) return true;
      } else {
        this.at++;
        this.cursor = 0;
      }
    }
    return false;
  }
}

const DONE = -1;

/** Writes these databases in one go. */
export function saveDatabases(databases: Iterable<Database>, sink: RdbSink, options: SaveOptions): void {
  const save = new RdbSave(databases, sink, options);
  while (!save.step(() => false));
}
