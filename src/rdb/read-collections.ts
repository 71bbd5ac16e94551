import { copyBytes } from "../bytes/ascii.ts";
import type { HashTable } from "../encodings/hash-table.ts";
import {
  LP_MAX_BYTES,
  LpItem,
  lpAppend,
  lpBytes,
  lpCreate,
  lpFirst,
  lpGet,
  lpNext,
} from "../encodings/listpack.ts";
import { Quicklist } from "../encodings/quicklist.ts";
import type { SortedSetIndex } from "../encodings/sorted-set-index.ts";
import { ENC_INTSET, ENC_LISTPACK, TYPE_HASH, TYPE_LIST, TYPE_SET, TYPE_ZSET } from "../keyspace/record.ts";
import { type ByteStore, OwnBytes } from "../memory/byte-store.ts";
import { FORM_INTSET, FORM_OBJECT, OwnHome } from "../types/home.ts";
import { becomesSmall } from "../types/list.ts";
import { SetValue } from "../types/set.ts";
import { Zset } from "../types/zset.ts";
import {
  addTo,
  expireField,
  hashTableOf,
  insertMember,
  newSortedSet,
  newTable,
  setField,
} from "./convert.ts";
import { corrupt, FIELD_EXPIRY_MAX, NODE_PACKED, NODE_PLAIN, RdbError, TYPE } from "./format.ts";
import type { Reading, ValueReader } from "./read-value.ts";
import { countEntries, hasDuplicates, isListpack, ReadOnlyBytes } from "./validate.ts";
import { fromZiplist } from "./ziplist.ts";

/**
 * Collections that are read element by element. Each begins with a count, which says how often to go on and is never
 * allocated for: what is built grows with what is really there.
 */

/** The number of elements, or of quicklist nodes; throws where there are none. */
function countOf({ reader }: ValueReader, bytesEach: number): number {
  const count = reader.countOf(bytesEach);
  if (count === 0) throw new RdbError("Empty collection", "empty");
  return count;
}

const listpack = new ReadOnlyBytes();
const item = new LpItem();

// -------------------------------------------------------------------------------- lists

abstract class ListBuilding {
  protected readonly list: Quicklist;

  constructor(protected readonly to: ValueReader) {
    this.list = new Quicklist(to.context.limits);
  }

  /** Hands the list over, in the form that its size asks for. */
  protected finish(): true {
    const { list, to } = this;
    if (list.length === 0) throw new RdbError("Empty collection", "empty");
    const small = becomesSmall(list, false, to.context.limits);
    if (small === null) to.setObject(TYPE_LIST, list);
    else {
      to.setBytes(TYPE_LIST, ENC_LISTPACK, new OwnBytes(small.buf.slice(small.start, small.end)));
      list.dispose();
    }
    return true;
  }

  abandon(): void {
    this.list.dispose();
  }
}

/** LIST: elements one by one. */
export class ListReading extends ListBuilding implements Reading {
  private left = countOf(this.to, 1);

  step(elements: number): boolean {
    const { reader } = this.to;
    for (; this.left > 0 && elements > 0; this.left--, elements--) {
      reader.string();
      this.list.push(false, reader.data, reader.start, reader.end);
    }
    return this.left === 0 && this.finish();
  }
}

/** LIST_QUICKLIST, LIST_QUICKLIST_2: ziplists, or listpacks and big elements. */
export class QuicklistReading extends ListBuilding implements Reading {
  private left: number;

  constructor(
    to: ValueReader,
    private readonly withKinds: boolean,
  ) {
    super(to);
    this.left = countOf(to, withKinds ? 2 : 1);
  }

  step(elements: number): boolean {
    const { list } = this;
    for (; this.left > 0 && elements > 0; this.left--) {
      const before = list.length;
      this.readNode();
      elements -= list.length - before + 1;
    }
    return this.left === 0 && this.finish();
  }

  private readNode(): void {
    const { list, to } = this;
    const { reader } = to;
    const kind = this.withKinds ? reader.length() : NODE_PACKED;
    if (kind !== NODE_PACKED && kind !== NODE_PLAIN) corrupt("Quicklist integrity check failed.");
    reader.string();
    const { data, start, end } = reader;
    if (start === end) corrupt("Quicklist integrity check failed.");
    if (kind === NODE_PLAIN) return list.appendPlain(data, start, end);
    if (!this.withKinds) {
      const converted = fromZiplist(data, start, end);
      if (converted === null) corrupt("Ziplist integrity check failed.");
      converted.fit();
      return this.append(converted, true);
    }
    if (to.deep) to.sanitized++;
    listpack.of(data, start, end);
    if (!isListpack(listpack)) corrupt("Listpack integrity check failed.");
    this.append(listpack, reader.owned);
  }

  private append({ buf, start, end }: ByteStore, owned: boolean): void {
    const count = countEntries(listpack.of(buf, start, end));
    // Empty nodes are left out, as Redis does.
    if (count === 0) return;
    if (owned) this.list.appendListpack(buf, start, end, count);
    else this.list.appendListpack(buf.slice(start, end), 0, end - start, count);
  }
}

/** LIST_ZIPLIST: one ziplist with all elements. */
export class ZiplistReading extends ListBuilding implements Reading {
  private readonly elements: OwnBytes;
  private at: number;

  constructor(to: ValueReader) {
    super(to);
    const { reader } = to;
    reader.string();
    const elements = fromZiplist(reader.data, reader.start, reader.end);
    if (elements === null) corrupt("List ziplist integrity check failed.");
    this.elements = elements;
    this.at = lpFirst(elements);
  }

  step(count: number): boolean {
    for (; this.at !== 0 && count > 0; count--) {
      const { buf, start, end } = lpGet(this.elements, this.at, item).text();
      this.list.push(false, buf, start, end);
      this.at = lpNext(this.elements, this.at);
    }
    return this.at === 0 && this.finish();
  }
}

// -------------------------------------------------------------------------------- sets

/** SET: members one by one. */
export class SetReading implements Reading {
  private left: number;
  private readonly home = new OwnHome();
  private readonly set: SetValue;
  private table: HashTable | null = null;

  constructor(private readonly to: ValueReader) {
    const { context } = to;
    this.left = countOf(to, 1);
    this.set = new SetValue(context.limits).bind(this.home, context.seeds);
    if (this.left > context.limits.setMaxIntsetEntries) this.table = newTable(false, this.left, context);
    else this.set.createEmpty(FORM_INTSET);
  }

  step(elements: number): boolean {
    const { reader } = this.to;
    for (; this.left > 0 && elements > 0; this.left--, elements--) {
      reader.string();
      if (this.table !== null) addTo(this.table, reader.data, reader.start, reader.end);
      else if (!this.set.add(reader.data, reader.start, reader.end))
        corrupt("Duplicate set members detected");
      else if (this.home.form === FORM_OBJECT) this.table = this.home.object as HashTable;
    }
    return this.left === 0 && this.finish();
  }

  private finish(): true {
    if (this.table !== null) this.to.setObject(TYPE_SET, this.table);
    else this.to.setBytes(TYPE_SET, this.home.form === FORM_INTSET ? ENC_INTSET : ENC_LISTPACK, this.home);
    return true;
  }

  abandon(): void {
    this.table?.dispose();
  }
}

// -------------------------------------------------------------------------------- sorted sets

/** ZSET, ZSET_2: members and scores, as texts or binary. */
export class ZsetReading implements Reading {
  private left: number;
  private readonly set: SortedSetIndex;
  private readonly member = new OwnBytes();

  constructor(
    private readonly to: ValueReader,
    private readonly binary: boolean,
  ) {
    this.left = countOf(to, binary ? 9 : 2);
    this.set = newSortedSet(to.context);
  }

  step(elements: number): boolean {
    const { member, set } = this;
    const { reader } = this.to;
    for (; this.left > 0 && elements > 0; this.left--, elements--) {
      reader.string();
      keep(member, reader.data, reader.start, reader.end);
      const score = this.binary ? reader.double() : reader.textDouble();
      if (Number.isNaN(score)) corrupt("Zset with NAN score detected");
      insertMember(set, score, member.buf, 0, member.end);
    }
    return this.left === 0 && this.finish();
  }

  private finish(): true {
    const { set, to } = this;
    const zset = new Zset(to.context.limits, to.context.random);
    if (zset.fitsListpack(set)) {
      const small = new OwnBytes();
      zset.copyToListpack(set, small);
      set.dispose();
      to.setBytes(TYPE_ZSET, ENC_LISTPACK, small);
    } else to.setObject(TYPE_ZSET, set);
    return true;
  }

  abandon(): void {
    this.set.dispose();
  }
}

/** Copies a string that has to outlast the next read. */
function keep(target: OwnBytes, data: Uint8Array, start: number, end: number): void {
  target.resize(end - start);
  copyBytes(target.buf, 0, data, start, end);
}

// -------------------------------------------------------------------------------- hashes

/**
 * HASH: fields and values. HASH_METADATA of Redis 7.4: a moment before all, and with each field, in front, when it
 * expires, from that moment on and one more (0: never). Before its release the moment was missing, and times absolute.
 */
export class HashReading implements Reading {
  private left: number;
  private readonly small = new OwnBytes();
  private table: HashTable | null = null;
  private readonly field = new OwnBytes();
  private readonly withTimes: boolean;
  /** What the times count from. */
  private base = 0;

  constructor(
    private readonly to: ValueReader,
    rdbType: number,
  ) {
    this.withTimes = rdbType !== TYPE.HASH;
    if (rdbType === TYPE.HASH_METADATA) this.base = to.reader.int64() - 1;
    this.left = countOf(to, this.withTimes ? 3 : 2);
    lpCreate(this.small);
    if (this.left > to.context.limits.hashMaxListpackEntries)
      this.table = newTable(true, this.left, to.context);
  }

  step(elements: number): boolean {
    const { field } = this;
    const { reader } = this.to;
    for (; this.left > 0 && elements > 0; this.left--, elements--) {
      const time = this.withTimes ? reader.length() : 0;
      const at = time === 0 ? 0 : this.base + time;
      if (at < 0 || at > FIELD_EXPIRY_MAX) corrupt(`invalid expireAt time: ${at}`);
      reader.string();
      keep(field, reader.data, reader.start, reader.end);
      reader.string();
      this.add(reader.data, reader.start, reader.end, at);
    }
    return this.left === 0 && this.finish();
  }

  private add(value: Uint8Array, start: number, end: number, expireAt: number): void {
    const { field, small, to } = this;
    if (this.table === null) {
      const longest = to.context.limits.hashMaxListpackValue;
      const bytes = field.end + (end - start);
      const fits = field.end <= longest && end - start <= longest && lpBytes(small) + bytes < LP_MAX_BYTES;
      if (fits && expireAt === 0) {
        lpAppend(small, field.buf, 0, field.end);
        lpAppend(small, value, start, end);
        return;
      }
      this.table = hashTableOf(small, to.context);
    }
    setField(this.table, field.buf, 0, field.end, value, start, end);
    expireField(this.table, field.buf, 0, field.end, expireAt);
  }

  private finish(): true {
    if (this.table !== null) this.to.setObject(TYPE_HASH, this.table);
    else {
      if (hasDuplicates(this.small, 2)) corrupt("Hash with dup elements");
      this.to.setBytes(TYPE_HASH, ENC_LISTPACK, this.small);
    }
    return true;
  }

  abandon(): void {
    this.table?.dispose();
  }
}
