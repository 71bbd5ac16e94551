import type { HashTable } from "../encodings/hash-table.ts";
import { LpItem, lpFirst, lpGet, lpNext } from "../encodings/listpack.ts";
import type { Quicklist } from "../encodings/quicklist.ts";
import type { SortedSetIndex } from "../encodings/sorted-set-index.ts";
import type { Database } from "../keyspace/database.ts";
import {
  ENC_BLOCK,
  ENC_INT,
  ENC_INTSET,
  ENC_INTSET_BLOCK,
  ENC_OBJECT,
  inBlock,
  TYPE_ARRAY,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_NAMES,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_VECTOR_SET,
  TYPE_ZSET,
} from "../keyspace/record.ts";
import type { ByteStore } from "../memory/byte-store.ts";
import type { BigValue } from "../memory/objects.ts";
import type { SparseArray } from "../types/sparse-array.ts";
import type { Stream } from "../types/stream.ts";
import type { VectorSet } from "../types/vector-set.ts";
import { ArrayWriting } from "./array.ts";
import { NODE_PACKED, RDB_VERSION, type RdbVersion, TYPE } from "./format.ts";
import { countEntries, ReadOnlyBytes } from "./validate.ts";
import { VectorSetWriting } from "./vector-set.ts";
import { ListWriting, TableWriting, ZsetWriting } from "./write-collections.ts";
import { StreamWriting } from "./write-stream.ts";
import type { RdbWriter } from "./writer.ts";
import { BIG_STRING, type ObjectWriting, StringWriting } from "./writing.ts";

/**
 * Values as Redis 7.2 writes them:
 *
 *   STRING               string
 *   LIST_QUICKLIST_2     nodes, for each: kind (1: one element, 2: listpack), string
 *   SET_INTSET, SET_LISTPACK, ZSET_LISTPACK, HASH_LISTPACK       string: the bytes as they are in the record
 *   SET                  members, for each: string
 *   ZSET_2               members, for each: string, score (8 bytes); from the greatest score down
 *   HASH                 fields, for each: string, string
 *   HASH_METADATA        a moment (8 bytes) before which none expires; fields, for each: length (0: it does not
 *                        expire; else 1 and the milliseconds from that moment on), string, string
 *   STREAM_LISTPACKS_3   see write-stream.ts; where only newer servers know what is in it, STREAM_LISTPACKS_5 of Redis 8.8
 *   ARRAY                see array.ts
 *   MODULE_2             a vector set, see vector-set.ts
 *
 * What is bytes in a record is written at once. An object is written in steps of some elements, between which it may
 * change if it is watched (writing.ts).
 */

/** The RDB type of a record's value; version 10 is what Redis 7.0 reads. */
export function rdbTypeOf(db: Database, position: number, version: RdbVersion = RDB_VERSION): number {
  const { records } = db;
  const encoding = records.encoding(position);
  const big = encoding === ENC_OBJECT;
  switch (records.type(position)) {
    case TYPE_STRING:
      return TYPE.STRING;
    case TYPE_LIST:
      return TYPE.LIST_QUICKLIST_2;
    case TYPE_SET:
      if (big) return TYPE.SET;
      if (encoding === ENC_INTSET || encoding === ENC_INTSET_BLOCK) return TYPE.SET_INTSET;
      return version < 11 ? TYPE.SET : TYPE.SET_LISTPACK;
    case TYPE_ZSET:
      return big ? TYPE.ZSET_2 : TYPE.ZSET_LISTPACK;
    case TYPE_HASH:
      if (!big) return TYPE.HASH_LISTPACK;
      return expires(records.objects.get(records.payloadLow(position))) ? TYPE.HASH_METADATA : TYPE.HASH;
    case TYPE_STREAM:
      if ((records.objects.get(records.payloadLow(position)) as Stream).isNewer)
        return TYPE.STREAM_LISTPACKS_5;
      return version < 11 ? TYPE.STREAM_LISTPACKS_2 : TYPE.STREAM_LISTPACKS_3;
    case TYPE_ARRAY:
      return TYPE.ARRAY;
    case TYPE_VECTOR_SET:
      return TYPE.MODULE_2;
    default:
      throw new Error(`cannot save a ${TYPE_NAMES[records.type(position)]}`);
  }
}

/** Whether fields of a big hash expire. */
function expires(table: BigValue): boolean {
  return (table as HashTable).expiring > 0;
}

/**
 * Writes a record's value as this RDB type, which is not written: at once (null), or what is to be stepped until all
 * is written, and then closed. `watched`: the value may change in the meantime.
 */
export function beginValue(
  writer: RdbWriter,
  db: Database,
  position: number,
  rdbType: number,
  watched: boolean,
): ObjectWriting | null {
  const { records } = db;
  const encoding = records.encoding(position);
  if (watched && isBigString(db, position)) {
    const { blocks } = records;
    return new StringWriting(
      writer,
      blocks,
      blocks.get(records.payloadLow(position)),
      records.valueLength(position),
    );
  }
  if (encoding === ENC_OBJECT)
    return beginObject(writer, rdbType, records.objects.get(records.payloadLow(position)), watched);
  if (encoding === ENC_INT) {
    writer.integerText(records.payloadLow(position), records.payloadHigh(position));
    return null;
  }
  if (rdbType === TYPE.LIST_QUICKLIST_2) {
    writer.length(1);
    writer.length(NODE_PACKED);
  }
  const blocked = inBlock(encoding);
  const bytes = blocked ? records.blocks.get(records.payloadLow(position)) : records.bytes(position);
  const start = blocked ? 0 : records.valueOffset(position);
  const end = start + records.valueLength(position);
  if (rdbType === TYPE.SET) writeMembers(writer, members.of(bytes, start, end));
  else writer.string(bytes, start, end);
  return null;
}

/** Whether the value is a string that is to be written in pieces. */
export function isBigString({ records }: Database, position: number): boolean {
  return records.encoding(position) === ENC_BLOCK && records.valueLength(position) > BIG_STRING;
}

/** A listpack's entries one by one. */
function writeMembers(writer: RdbWriter, listpack: ByteStore): void {
  writer.length(countEntries(listpack));
  for (let at = lpFirst(listpack); at !== 0; at = lpNext(listpack, at)) {
    const { buf, start, end } = lpGet(listpack, at, item).text();
    writer.string(buf, start, end);
  }
}

const members = new ReadOnlyBytes();
const item = new LpItem();

function beginObject(writer: RdbWriter, rdbType: number, object: BigValue, watched: boolean): ObjectWriting {
  switch (rdbType) {
    case TYPE.LIST_QUICKLIST_2:
      return new ListWriting(writer, object as Quicklist, watched);
    case TYPE.ZSET_2:
      return new ZsetWriting(writer, object as SortedSetIndex, watched);
    case TYPE.SET:
    case TYPE.HASH:
    case TYPE.HASH_METADATA:
      return new TableWriting(writer, object as HashTable, watched);
    case TYPE.MODULE_2:
      return new VectorSetWriting(writer, object as VectorSet, watched);
    case TYPE.ARRAY:
      return new ArrayWriting(writer, object as SparseArray, watched);
    default:
      return new StreamWriting(writer, object as Stream, rdbType, watched);
  }
}
