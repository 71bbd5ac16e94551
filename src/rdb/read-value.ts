import { copyBytes } from "../bytes/ascii.ts";
import { intsetLength, intsetValidate } from "../encodings/intset.ts";
import type { Database } from "../keyspace/database.ts";
import { NO_EXPIRY } from "../keyspace/database.ts";
import {
  blockForm,
  ENC_BLOCK,
  ENC_INTSET,
  ENC_LISTPACK,
  ENC_OBJECT,
  ENC_RAW,
  inBlock,
  TYPE_HASH,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_ZSET,
} from "../keyspace/record.ts";
import { addObject } from "../keyspace/value-bytes.ts";
import type { ByteStore, OwnBytes } from "../memory/byte-store.ts";
import type { BigValue } from "../memory/objects.ts";
import type { HashLimits } from "../types/hash.ts";
import type { HashSeeds } from "../types/home.ts";
import type { ListLimits } from "../types/list.ts";
import type { SetLimits } from "../types/set.ts";
import type { ZsetLimits } from "../types/zset.ts";
import { ArrayReading } from "./array.ts";
import {
  entriesOf,
  expiringTableOf,
  hashTableOf,
  longestEntry,
  setTableOf,
  sortedSetOf,
  withoutTimes,
} from "./convert.ts";
import { corrupt, RdbError, TYPE } from "./format.ts";
import { MODULE_VERSION, moduleName, skipModuleValue } from "./module.ts";
import {
  HashReading,
  ListReading,
  QuicklistReading,
  SetReading,
  ZiplistReading,
  ZsetReading,
} from "./read-collections.ts";
import { StreamReading } from "./read-stream.ts";
import type { RdbReader } from "./reader.ts";
import {
  fieldsExpire,
  isExpiringHashListpack,
  isHashListpack,
  isSetListpack,
  isZsetListpack,
  ReadOnlyBytes,
} from "./validate.ts";
import { VECTOR_SET, VectorSetReading } from "./vector-set.ts";
import { fromZiplist, fromZipmap } from "./ziplist.ts";

/**
 * Reads a value of any type and version, and keeps it until it is stored under a key or given up:
 *
 *   begin(type)   reads what is one string (a string, a listpack, an intset, old encodings) and is done, or
 *   step(n)       reads about n elements more of a collection, until it returns true
 *
 *   the value     bytes `data[start, end)` in an inline encoding (valid until the next read), or an object
 *
 * As Redis does, a listpack or intset with more entries than the limits allow becomes an object here.
 */

export type ValueLimits = ListLimits & SetLimits & HashLimits & ZsetLimits;

/** What values need that is not in the payload. */
export interface ReadContext {
  /** Live values of the configuration. */
  readonly limits: ValueLimits;
  readonly seeds: HashSeeds;
  /** 32-bit random integers. */
  readonly random: () => number;
}

/** A collection being read. */
export interface Reading {
  /** Reads about so many elements; true when it has all and has handed them over. */
  step(elements: number): boolean;
  /** Frees what has been read. */
  abandon(): void;
}

export class ValueReader {
  /** Looks for members that are there twice as well (sanitize-dump-payload). */
  deep = false;
  /** Reads over values of modules, which otherwise are refused. */
  skipModules = false;
  /** Encoded values checked deeply so far. */
  sanitized = 0;

  type = TYPE_STRING;
  encoding = ENC_RAW;
  data: Uint8Array = EMPTY;
  start = 0;
  end = 0;
  object: BigValue | null = null;
  private owned = false;
  private reading: Reading | null = null;
  private readonly bytes = new ReadOnlyBytes();

  constructor(
    readonly reader: RdbReader,
    readonly context: ReadContext,
  ) {}

  /** Begins to read a value; true if it is read already. Throws RdbError. */
  begin(rdbType: number): boolean {
    this.reading = this.open(rdbType);
    return this.reading === null;
  }

  step(elements: number): boolean {
    if (this.reading === null) return true;
    if (!this.reading.step(elements)) return false;
    this.reading = null;
    return true;
  }

  /** Forgets the value, or what has been read of it. */
  abandon(): void {
    this.reading?.abandon();
    this.reading = null;
    this.object?.dispose();
    this.object = null;
    this.data = EMPTY;
  }

  // ------------------------------------------------------------------ the value

  setBytes(type: number, encoding: number, bytes: ByteStore): void {
    this.setRange(type, encoding, bytes.buf, bytes.start, bytes.end);
  }

  private setRange(type: number, encoding: number, data: Uint8Array, start: number, end: number): void {
    this.type = type;
    this.encoding = encoding;
    this.data = data;
    this.start = start;
    this.end = end;
    this.object = null;
    this.owned = false;
  }

  setObject(type: number, object: BigValue): void {
    this.type = type;
    this.encoding = ENC_OBJECT;
    this.object = object;
    this.data = EMPTY;
  }

  /** Makes a record of the value for a key that does not exist; returns its position. */
  store(db: Database, key: Uint8Array, start: number, end: number, expireAt: number): number {
    const { type, object } = this;
    if (type === TYPE_STRING && !(this.owned && this.end - this.start === this.data.length))
      return db.setString(key, start, end, this.data, this.start, this.end, expireAt);
    let position: number;
    if (object !== null) {
      position = addObject(db, type, key, start, end, object);
      this.object = null;
      if (type === TYPE_HASH) db.fields.note(position);
      else if (type === TYPE_STREAM) db.newerStreams.note(position);
    } else position = this.storeBytes(db, key, start, end);
    return expireAt === NO_EXPIRY ? position : db.setExpiry(position, expireAt);
  }

  private storeBytes(db: Database, key: Uint8Array, start: number, end: number): number {
    const { records } = db;
    const length = this.end - this.start;
    if (this.type === TYPE_STRING) {
      const position = db.add(TYPE_STRING, ENC_BLOCK, key, start, end, length);
      records.setPayload(position, records.blocks.adopt(this.data), 0);
      return position;
    }
    const encoding = records.fitsInline(end - start, length) ? this.encoding : blockForm(this.encoding);
    const position = db.add(this.type, encoding, key, start, end, length);
    if (inBlock(encoding)) {
      const block = records.blocks.alloc(length);
      copyBytes(records.blocks.get(block), 0, this.data, this.start, this.end);
      records.setPayload(position, block, 0);
    } else copyBytes(records.bytes(position), records.valueOffset(position), this.data, this.start, this.end);
    return position;
  }

  // ------------------------------------------------------------------ types

  private open(rdbType: number): Reading | null {
    switch (rdbType) {
      case TYPE.STRING: {
        const { reader } = this;
        reader.string();
        this.setRange(TYPE_STRING, ENC_RAW, reader.data, reader.start, reader.end);
        this.owned = reader.owned;
        return null;
      }
      case TYPE.LIST:
        return new ListReading(this);
      case TYPE.LIST_QUICKLIST:
      case TYPE.LIST_QUICKLIST_2:
        return new QuicklistReading(this, rdbType === TYPE.LIST_QUICKLIST_2);
      case TYPE.SET:
        return new SetReading(this);
      case TYPE.ZSET:
      case TYPE.ZSET_2:
        return new ZsetReading(this, rdbType === TYPE.ZSET_2);
      case TYPE.HASH:
      case TYPE.HASH_METADATA:
      case TYPE.HASH_METADATA_PRE_GA:
        return new HashReading(this, rdbType);
      case TYPE.STREAM_LISTPACKS:
      case TYPE.STREAM_LISTPACKS_2:
      case TYPE.STREAM_LISTPACKS_3:
      case TYPE.STREAM_LISTPACKS_4:
      case TYPE.STREAM_LISTPACKS_5:
        return new StreamReading(this, rdbType);
      case TYPE.ARRAY:
        return new ArrayReading(this);
      case TYPE.LIST_ZIPLIST:
        return new ZiplistReading(this);
      case TYPE.MODULE_PRE_GA:
        return corrupt("Pre-release module format not supported");
      case TYPE.MODULE_2:
        return this.module();
      default:
        this.encoded(rdbType);
        return null;
    }
  }

  private module(): Reading | null {
    const { reader } = this;
    const name = moduleName(reader);
    if (name === VECTOR_SET && (reader.low & MODULE_VERSION) === 0) return new VectorSetReading(this);
    if (!this.skipModules)
      corrupt(`The RDB file contains module data I can't load: no matching module type '${name}'`);
    skipModuleValue(reader, name);
    this.setRange(TYPE_STRING, ENC_RAW, EMPTY, 0, 0);
    return null;
  }

  /** A collection that is one string. */
  private encoded(rdbType: number): void {
    const { reader, bytes, deep } = this;
    const { limits } = this.context;
    if (rdbType === TYPE.HASH_LISTPACK_EX) reader.int64();
    reader.string();
    bytes.of(reader.data, reader.start, reader.end);
    switch (rdbType) {
      case TYPE.SET_INTSET:
        this.countSanitized();
        if (!intsetValidate(bytes)) corrupt("Intset integrity check failed.");
        if (intsetLength(bytes) >>> 0 > limits.setMaxIntsetEntries)
          this.setObject(TYPE_SET, setTableOf(bytes, true, this.context));
        else this.setBytes(TYPE_SET, ENC_INTSET, bytes);
        return;
      case TYPE.SET_LISTPACK:
        this.countSanitized();
        if (!isSetListpack(bytes, deep)) corrupt("Set listpack integrity check failed.");
        if (entriesOf(bytes) > limits.setMaxListpackEntries)
          this.setObject(TYPE_SET, setTableOf(bytes, false, this.context));
        else this.setBytes(TYPE_SET, ENC_LISTPACK, bytes);
        return;
      case TYPE.ZSET_LISTPACK:
        this.countSanitized();
        if (!isZsetListpack(bytes, deep)) corrupt("Zset listpack integrity check failed.");
        return this.zset(bytes);
      case TYPE.ZSET_ZIPLIST:
        return this.zset(this.fromZiplist((listpack) => isZsetListpack(listpack, true), "Zset"));
      case TYPE.HASH_LISTPACK:
        this.countSanitized();
        if (!isHashListpack(bytes, deep)) corrupt("Hash listpack integrity check failed.");
        return this.hash(bytes, false);
      case TYPE.HASH_ZIPLIST:
        return this.hash(
          this.fromZiplist((listpack) => isHashListpack(listpack, true), "Hash"),
          false,
        );
      case TYPE.HASH_ZIPMAP: {
        const listpack = fromZipmap(bytes.buf, bytes.start, bytes.end);
        if (listpack === null) corrupt("Zipmap integrity check failed.");
        if (!isHashListpack(listpack, true)) corrupt("Hash zipmap with dup elements, or big length");
        return this.hash(listpack, true);
      }
      case TYPE.HASH_LISTPACK_EX:
      case TYPE.HASH_LISTPACK_EX_PRE_GA:
        this.countSanitized();
        if (!isExpiringHashListpack(bytes, deep)) corrupt("Hash listpack integrity check failed.");
        entriesOf(bytes);
        if (fieldsExpire) this.setObject(TYPE_HASH, expiringTableOf(bytes, this.context));
        else this.hash(withoutTimes(bytes), true);
        return;
      default:
        throw new RdbError(`Unknown RDB encoding type ${rdbType}`);
    }
  }

  private countSanitized(): void {
    if (this.deep) this.sanitized++;
  }

  private fromZiplist(isRight: (listpack: OwnBytes) => boolean, what: string): OwnBytes {
    const { buf, start, end } = this.bytes;
    const listpack = fromZiplist(buf, start, end);
    if (listpack === null || !isRight(listpack)) corrupt(`${what} ziplist integrity check failed.`);
    return listpack;
  }

  private zset(listpack: ByteStore): void {
    if (entriesOf(listpack) / 2 > this.context.limits.zsetMaxListpackEntries)
      this.setObject(TYPE_ZSET, sortedSetOf(listpack, this.context));
    else this.setBytes(TYPE_ZSET, ENC_LISTPACK, listpack);
  }

  /** `checkLength`: whether long fields or values make it a table as well. */
  private hash(listpack: ByteStore, checkLength: boolean): void {
    const { limits } = this.context;
    if (
      entriesOf(listpack) / 2 > limits.hashMaxListpackEntries ||
      (checkLength && longestEntry(listpack) > limits.hashMaxListpackValue)
    )
      this.setObject(TYPE_HASH, hashTableOf(listpack, this.context));
    else this.setBytes(TYPE_HASH, ENC_LISTPACK, listpack);
  }
}

const EMPTY = new Uint8Array(0);
