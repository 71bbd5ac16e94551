import { latin1Bytes } from "../bytes/ascii.ts";
import { REDIS_VERSION } from "../host/version.ts";
import type { Database } from "../keyspace/database.ts";
import { ENC_OBJECT } from "../keyspace/record.ts";
import { objectOf } from "../keyspace/value-bytes.ts";
import type { BigValue } from "../memory/objects.ts";
import type { Stream } from "../types/stream.ts";
import { ACTIVE_TIMES, FIELD_EXPIRY_VERSION, MAGIC, OP, type RdbVersion, TYPE } from "./format.ts";
import { activeTimes } from "./write-stream.ts";
import { beginValue, type ObjectWriting, rdbTypeOf } from "./write-value.ts";
import { type RdbSink, RdbWriter, type WriterOptions } from "./writer.ts";

/**
 * Writing a file. `RdbRecords` writes what it is told to, record by record in any order: the database is selected
 * whenever it is another one than before, so a snapshot can hand on a record just before it changes. `RdbSave` walks
 * over databases that do not change meanwhile.
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
 * Redis 7.0, or 12 of Redis 7.4 where fields of hashes expire.
 */
export function oldestVersion(databases: Iterable<Database>): RdbVersion {
  for (const { fields } of databases) if (fields.inUse) return FIELD_EXPIRY_VERSION;
  return 10;
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

export class RdbRecords {
  private readonly writer: RdbWriter;
  private readonly version: RdbVersion;
  private readonly sizes = new Map<number, readonly [keys: number, expires: number]>();
  private selected = -1;
  /** An object that has begun to be written. */
  private writing: ObjectWriting | null = null;
  private object: BigValue | null = null;
  /** Records begun. */
  count = 0;

  /** `databases`: how large they are is said in front of their keys. */
  constructor(
    databases: Iterable<Database>,
    sink: RdbSink,
    private readonly options: SaveOptions,
  ) {
    this.writer = new RdbWriter(options, sink);
    this.version = options.version ?? oldestVersion(databases);
    for (const { id, size, expires } of databases) this.sizes.set(id, [size, expires]);
  }

  /** Bytes written. */
  get bytes(): number {
    return this.writer.bytes;
  }

  /** Writes what stands before the keys. */
  begin(): void {
    const { writer, options } = this;
    writer.raw(latin1Bytes(MAGIC + String(this.version).padStart(4, "0")));
    for (const [name, value] of options.aux) this.aux(name, value);
    for (const source of options.functions) {
      writer.byte(OP.FUNCTION2);
      writer.string(source);
    }
  }

  /**
   * Writes a record of database `id`. False: it holds an object, which `step` has to finish; until then the object
   * must not change. (Another record finishes it as well.)
   */
  record(db: Database, id: number, position: number): boolean {
    this.finish();
    const { writer } = this;
    const { records } = db;
    if (id !== this.selected) this.select(id);
    const type = rdbTypeOf(db, position, this.version);
    if (type === TYPE.STREAM_LISTPACKS_2) {
      const times = activeTimes(objectOf(db, position) as Stream);
      if (times !== null) this.aux(ACTIVE_TIMES, times);
    }
    const expireAt = records.expireAt(position);
    if (expireAt >= 0) {
      writer.byte(OP.EXPIRETIME_MS);
      writer.time(expireAt);
    }
    this.writeUsage(db, position);
    writer.byte(type);
    const start = records.keyStart(position);
    writer.string(records.keyBytes(position), start, start + records.keyLength(position));
    this.count++;
    this.writing = beginValue(writer, db, position, type);
    if (this.writing === null) return true;
    this.object =
      records.encoding(position) === ENC_OBJECT ? records.objects.get(records.payloadLow(position)) : null;
    return false;
  }

  /** Writes about so many elements more of the object under way; true when there is none any more. */
  step(elements: number): boolean {
    if (this.writing === null) return true;
    if (!this.writing.step(elements)) return false;
    this.writing = this.object = null;
    return true;
  }

  /** Writes the rest of the object under way; where one is given, only if it is this. */
  finish(object: BigValue | null = null): void {
    if (object === null || object === this.object) while (!this.step(Number.POSITIVE_INFINITY));
  }

  /** Writes what stands behind the keys, and hands everything out. */
  end(): void {
    this.finish();
    this.writer.byte(OP.EOF);
    this.writer.writeChecksum();
    this.writer.flush();
  }

  private aux(name: string, value: string): void {
    const { writer } = this;
    writer.byte(OP.AUX);
    writer.string(latin1Bytes(name));
    writer.string(latin1Bytes(value));
  }

  private select(id: number): void {
    const { writer } = this;
    this.selected = id;
    writer.byte(OP.SELECTDB);
    writer.length(id);
    const size = this.sizes.get(id);
    if (size === undefined) return;
    this.sizes.delete(id);
    writer.byte(OP.RESIZEDB);
    writer.length(size[0]);
    writer.length(size[1]);
  }

  private writeUsage({ records, context }: Database, position: number): void {
    const { writer } = this;
    if (this.options.usage === "idle") {
      writer.byte(OP.IDLE);
      writer.length(context.access.idleSeconds(records.clock(position)));
    } else if (this.options.usage === "frequency") {
      writer.byte(OP.FREQ);
      writer.byte(context.access.frequency(records.clock(position)));
    }
  }
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
    this.records = new RdbRecords(this.databases, sink, options);
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
