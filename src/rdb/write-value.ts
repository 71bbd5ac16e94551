import type { HashTable } from "../encodings/hash-table.ts";
import { TableCursor } from "../encodings/hash-table.ts";
import { NO_EXPIRY } from "../encodings/hash-table-segment.ts";
import { LpItem, lpFirst, lpGet, lpNext } from "../encodings/listpack.ts";
import type { Quicklist } from "../encodings/quicklist.ts";
import type { QuicklistNode } from "../encodings/quicklist-node.ts";
import type { SortedSetIndex } from "../encodings/sorted-set-index.ts";
import type { Database } from "../keyspace/database.ts";
import {
  ENC_INT,
  ENC_INTSET,
  ENC_INTSET_BLOCK,
  ENC_OBJECT,
  inBlock,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_NAMES,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_ZSET,
} from "../keyspace/record.ts";
import type { ByteStore } from "../memory/byte-store.ts";
import type { BigValue } from "../memory/objects.ts";
import type { Stream } from "../types/stream.ts";
import { NODE_PACKED, NODE_PLAIN, RDB_VERSION, type RdbVersion, TYPE } from "./format.ts";
import { countEntries, ReadOnlyBytes } from "./validate.ts";
import { StreamWriting } from "./write-stream.ts";
import type { RdbWriter } from "./writer.ts";

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
 *   STREAM_LISTPACKS_3   see write-stream.ts
 *
 * What is bytes in a record is written at once. An object is written in steps of some elements; it must not change
 * from its first step to its last.
 */

/** An object being written. */
export interface ObjectWriting {
  /** Writes about so many elements more; true when all are written. */
  step(elements: number): boolean;
}

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
      return version < 11 ? TYPE.STREAM_LISTPACKS_2 : TYPE.STREAM_LISTPACKS_3;
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
 * is written.
 */
export function beginValue(
  writer: RdbWriter,
  db: Database,
  position: number,
  rdbType: number,
): ObjectWriting | null {
  const { records } = db;
  const encoding = records.encoding(position);
  if (encoding === ENC_OBJECT)
    return beginObject(writer, rdbType, records.objects.get(records.payloadLow(position)));
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

function beginObject(writer: RdbWriter, rdbType: number, object: BigValue): ObjectWriting {
  switch (rdbType) {
    case TYPE.LIST_QUICKLIST_2:
      return new ListWriting(writer, object as Quicklist);
    case TYPE.ZSET_2:
      return new ZsetWriting(writer, object as SortedSetIndex);
    case TYPE.SET:
    case TYPE.HASH:
    case TYPE.HASH_METADATA:
      return new TableWriting(writer, object as HashTable);
    default:
      return new StreamWriting(writer, object as Stream, rdbType === TYPE.STREAM_LISTPACKS_3);
  }
}

class ListWriting implements ObjectWriting {
  private node: QuicklistNode | null;

  constructor(
    private readonly writer: RdbWriter,
    list: Quicklist,
  ) {
    writer.length(list.nodes);
    this.node = list.head;
  }

  step(elements: number): boolean {
    const { writer } = this;
    let { node } = this;
    for (; node !== null && elements > 0; node = node.next) {
      writer.length(node.plain ? NODE_PLAIN : NODE_PACKED);
      if (node.compressed) writer.lzf(node.size, node.buf, node.start, node.end);
      else writer.string(node.buf, node.start, node.end);
      elements -= node.count;
    }
    this.node = node;
    return node === null;
  }
}

class TableWriting implements ObjectWriting {
  private readonly cursor = new TableCursor();
  private readonly withTimes: boolean;

  constructor(
    private readonly writer: RdbWriter,
    private readonly table: HashTable,
  ) {
    this.withTimes = expires(table);
    if (this.withTimes) writer.time(table.soonest);
    writer.length(table.count);
  }

  step(elements: number): boolean {
    const { writer, table, cursor } = this;
    for (; elements > 0; elements--) {
      if (!table.advance(cursor)) return true;
      if (this.withTimes) {
        const { expiry } = table;
        writer.length(expiry === NO_EXPIRY ? 0 : expiry - table.soonest + 1);
      }
      table.readField(range);
      writer.string(range.buf, range.start, range.end);
      if (!table.hasValues) continue;
      table.readValue(range);
      writer.string(range.buf, range.start, range.end);
    }
    return false;
  }
}

const range = { buf: new Uint8Array(0), start: 0, end: 0 };

class ZsetWriting implements ObjectWriting {
  private left: number;

  constructor(
    private readonly writer: RdbWriter,
    private readonly set: SortedSetIndex,
  ) {
    this.left = set.size;
    writer.length(set.size);
  }

  step(elements: number): boolean {
    const { writer, set } = this;
    // The set's cursor is not ours from one step to the next.
    if (this.left > 0) set.seek(this.left - 1);
    for (; this.left > 0 && elements > 0; elements--) {
      writer.string(set.buf, set.start, set.end);
      writer.double(set.score);
      if (--this.left > 0) set.back();
    }
    return this.left === 0;
  }
}
