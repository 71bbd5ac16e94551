import { copyBytes } from "../bytes/ascii.ts";
import type { ByteStore } from "../memory/byte-store.ts";
import { OwnBytes } from "../memory/byte-store.ts";
import {
  LP_HEADER,
  LpItem,
  lpAppend,
  lpBytes,
  lpCreate,
  lpFirst,
  lpGet,
  lpInsertInt,
  lpLast,
  lpNext,
  lpPrev,
  lpReplaceInt,
  lpValidate,
} from "./listpack.ts";
import { StreamId } from "./stream-id.ts";

/**
 * A stream node: entries in one listpack, element for element as in Redis's RDB files.
 *
 *   node:    entries | deleted | fields | field ... | 0 |  entry  entry ...
 *            '----------------- master entry ----------'
 *   entry:   flags | ms | seq | fields | field | value | ... | elements          fields of its own
 *            flags | ms | seq | value | ...                  | elements          the fields of the master entry
 *
 *     flags      bit 0: deleted, bit 1: has the master entry's fields
 *     ms, seq    the entry's ID less the node's, which is that of its first entry (64 bits, wrapping)
 *     elements   how many elements come before this one in the entry, so that a node can be walked from its
 *                end; the 0 behind the master entry stops such a walk
 *
 * The master entry has the fields of the first entry, which thus needs none of its own. `entries` counts those
 * that are not deleted; a deleted entry stays where it is until its node goes.
 */

export const ENTRY_DELETED = 1;
export const ENTRY_SAME_FIELDS = 2;

/** The number of elements in a listpack's header where they are too many for it. */
const COUNT_UNKNOWN = 65535;
const LP_END = 0xff;
/** A text shorter than this has one byte before it, which is this and its length. */
const SHORT_TEXT = 64;
const TEXT_HEAD = 0x80;
/** Texts that begin with this or less and are no longer may be integers. */
const NINE = 57;
const MAX_DIGITS = 20;
/** Elements of an entry before its fields or values, without the number of fields. */
const FIXED = 3;

const item = new LpItem();
/** The elements of the entry being put together, without a listpack around them. */
const draft = new OwnBytes();
/** A listpack that elements are made in. */
const spare = new OwnBytes();
const KEPT_DRAFT = 1 << 20;

/** Field and value texts: ranges of a buffer, alternating, from index `first` of `start` and `end` on. */
export interface FieldSource {
  buf: Uint8Array;
  start: Int32Array;
  end: Int32Array;
  first: number;
  /** Pairs of field and value. */
  count: number;
}

function intAt(store: ByteStore, at: number): number {
  const byte = store.buf[store.start + at]!;
  return byte < 128 ? byte : lpGet(store, at, item).number();
}

/** The element behind another one, which is not the last. */
function behind(store: ByteStore, at: number): number {
  const head = store.buf[store.start + at]!;
  if (head < TEXT_HEAD) return at + 2;
  return head < TEXT_HEAD + SHORT_TEXT ? at + head - TEXT_HEAD + 2 : lpNext(store, at);
}

function setInt(store: ByteStore, at: number, value: number): void {
  if (value < 128 && store.buf[store.start + at]! < 128) store.buf[store.start + at] = value;
  else lpReplaceInt(store, at, value, 0);
}

/** Entries that are not deleted. */
export function nodeEntries(store: ByteStore): number {
  return intAt(store, LP_HEADER);
}

export function nodeDeleted(store: ByteStore): number {
  return intAt(store, behind(store, LP_HEADER));
}

/** Adds to the numbers of entries that are not deleted, and that are. */
function count(store: ByteStore, entries: number, deleted: number): void {
  setInt(store, LP_HEADER, nodeEntries(store) + entries);
  if (deleted === 0) return;
  const at = behind(store, LP_HEADER);
  setInt(store, at, intAt(store, at) + deleted);
}

/** The listpack of a node with a master entry of these fields, and no entries yet; good until the next call. */
export function newNode(fields: FieldSource): ByteStore {
  const node = clear(spare);
  lpInsertInt(node, 0, 0, 0);
  lpInsertInt(node, 0, 0, 0);
  lpInsertInt(node, 0, fields.count, 0);
  for (let i = 0; i < fields.count; i++) {
    const text = fields.first + i * 2;
    lpAppend(node, fields.buf, fields.start[text]!, fields.end[text]!);
  }
  lpInsertInt(node, 0, 0, 0);
  return node;
}

function clear(listpack: OwnBytes): OwnBytes {
  if (listpack.buf.length > KEPT_DRAFT) listpack.buf = new Uint8Array(0);
  listpack.end = 0;
  lpCreate(listpack);
  return listpack;
}

/** Appends an entry; `master` is the node's ID. */
export function appendEntry(node: ByteStore, master: StreamId, id: StreamId, fields: FieldSource): void {
  const same = hasFields(node, fields);
  const { first } = fields;
  draft.end = 0;
  draftInt(same ? ENTRY_SAME_FIELDS : 0, 0);
  draftDifference(id.msHigh, id.msLow, master.msHigh, master.msLow);
  draftDifference(id.seqHigh, id.seqLow, master.seqHigh, master.seqLow);
  if (!same) draftInt(fields.count, 0);
  for (let i = 0; i < fields.count * 2; i++) {
    if (same && (i & 1) === 0) continue;
    draftText(fields.buf, fields.start[first + i]!, fields.end[first + i]!);
  }
  const elements = same ? FIXED + fields.count : FIXED + 1 + fields.count * 2;
  draftInt(elements, 0);
  count(node, 1, 0);
  appendDraft(node, elements + 1);
  if (draft.buf.length > KEPT_DRAFT) draft.buf = new Uint8Array(0);
}

function draftDifference(highA: number, lowA: number, highB: number, lowB: number): void {
  draftInt((lowA - lowB) | 0, (highA - highB - (lowA < lowB ? 1 : 0)) | 0);
}

/** Adds an integer to the draft. Of the listpack's forms only the shortest is written here. */
function draftInt(low: number, high: number): void {
  if (high !== 0 || low < 0 || low > 127) {
    lpInsertInt(clear(spare), 0, low, high);
    return draftSpare();
  }
  const { end } = draft;
  draft.resize(end + 2);
  draft.buf[end] = low;
  draft.buf[end + 1] = 1;
}

/** Adds a text to the draft. Only short ones that cannot be integers are written here. */
function draftText(buf: Uint8Array, start: number, end: number): void {
  const length = end - start;
  if (length >= SHORT_TEXT || (length > 0 && length <= MAX_DIGITS && buf[start]! <= NINE)) {
    lpAppend(clear(spare), buf, start, end);
    return draftSpare();
  }
  const at = draft.end;
  draft.resize(at + length + 2);
  draft.buf[at] = TEXT_HEAD | length;
  copyBytes(draft.buf, at + 1, buf, start, end);
  draft.buf[at + 1 + length] = length + 1;
}

/** Adds the elements of the spare listpack to the draft. */
function draftSpare(): void {
  const at = draft.end;
  const last = spare.end - 1;
  draft.resize(at + last - LP_HEADER);
  copyBytes(draft.buf, at, spare.buf, LP_HEADER, last);
}

/** Appends the draft. The node's elements are never counted: there may be more than the header can tell. */
function appendDraft(node: ByteStore, elements: number): void {
  const total = lpBytes(node);
  const length = total + draft.end;
  node.resize(length);
  const { buf, start } = node;
  copyBytes(buf, start + total - 1, draft.buf, 0, draft.end);
  buf[start + length - 1] = LP_END;
  buf[start] = length & 255;
  buf[start + 1] = (length >>> 8) & 255;
  buf[start + 2] = (length >>> 16) & 255;
  buf[start + 3] = length >>> 24;
  const known = buf[start + 4]! | (buf[start + 5]! << 8);
  const elementCount = Math.min(COUNT_UNKNOWN, known + elements);
  buf[start + 4] = elementCount & 255;
  buf[start + 5] = elementCount >> 8;
}

/** Whether the fields are those of the master entry. */
function hasFields(node: ByteStore, fields: FieldSource): boolean {
  let at = behind(node, behind(node, LP_HEADER));
  if (intAt(node, at) !== fields.count) return false;
  for (let i = 0; i < fields.count; i++) {
    at = behind(node, at);
    const text = fields.first + i * 2;
    if (!isText(node, at, fields.buf, fields.start[text]!, fields.end[text]!)) return false;
  }
  return true;
}

function isText(node: ByteStore, at: number, buf: Uint8Array, start: number, end: number): boolean {
  let i = node.start + at;
  const head = node.buf[i++]!;
  if (head < TEXT_HEAD || head >= TEXT_HEAD + SHORT_TEXT)
    return lpGet(node, at, item).equals(buf, start, end);
  if (head - TEXT_HEAD !== end - start) return false;
  for (; start < end; start++) if (node.buf[i++] !== buf[start]) return false;
  return true;
}

/** Bytes of the element where it is a short text, whose bytes begin behind its first one; else -1. */
export function shortText(node: ByteStore, at: number): number {
  const head = node.buf[node.start + at]!;
  return head >= TEXT_HEAD && head < TEXT_HEAD + SHORT_TEXT ? head - TEXT_HEAD : -1;
}

/** Goes through the entries of a node, in both directions. */
export class EntryCursor {
  readonly id = new StreamId();
  flags = 0;
  /** Pairs of field and value in the entry. */
  fieldCount = 0;
  private node: ByteStore = draft;
  private readonly master = new StreamId();
  private masterFields = 0;
  /** The count of fields in the master entry. */
  private masterAt = 0;
  /** The entry's first element, its next one to be read, and how many of its elements are left to read. */
  private flagsAt = 0;
  private at = 0;
  private left = 0;
  /** The next field of the master entry. */
  private fieldAt = 0;

  open(node: ByteStore, rows: Uint32Array, at: number): void {
    this.node = node;
    this.master.read(rows, at);
    this.masterAt = behind(node, behind(node, LP_HEADER));
    this.masterFields = intAt(node, this.masterAt);
  }

  get deleted(): boolean {
    return (this.flags & ENTRY_DELETED) !== 0;
  }

  toFirst(): boolean {
    let at = this.masterAt;
    for (let i = 0; i <= this.masterFields; i++) at = behind(this.node, at);
    return this.enter(lpNext(this.node, at));
  }

  toLast(): boolean {
    return this.enterBackwards(lpLast(this.node));
  }

  next(): boolean {
    for (; this.left > 0; this.left--) this.at = behind(this.node, this.at);
    return this.enter(lpNext(this.node, this.at));
  }

  previous(): boolean {
    return this.enterBackwards(lpPrev(this.node, this.flagsAt));
  }

  private enterBackwards(at: number): boolean {
    const elements = intAt(this.node, at);
    if (elements === 0) return false;
    for (let i = 0; i < elements; i++) at = lpPrev(this.node, at);
    return this.enter(at);
  }

  /** Reads what comes before the fields; 0 is the end of the node. */
  private enter(at: number): boolean {
    if (at === 0) return false;
    const { node, id, master } = this;
    this.flagsAt = at;
    this.flags = intAt(node, at);
    at = behind(node, at);
    lpGet(node, at, item);
    id.msLow = (master.msLow + item.low) >>> 0;
    id.msHigh = (master.msHigh + item.high + (id.msLow < item.low >>> 0 ? 1 : 0)) >>> 0;
    at = behind(node, at);
    lpGet(node, at, item);
    id.seqLow = (master.seqLow + item.low) >>> 0;
    id.seqHigh = (master.seqHigh + item.high + (id.seqLow < item.low >>> 0 ? 1 : 0)) >>> 0;
    at = behind(node, at);
    if ((this.flags & ENTRY_SAME_FIELDS) !== 0) {
      this.fieldCount = this.left = this.masterFields;
      this.fieldAt = this.masterAt;
    } else {
      this.fieldCount = intAt(node, at);
      this.left = this.fieldCount * 2;
      at = behind(node, at);
    }
    this.at = at;
    return true;
  }

  /** Reads the next pair of field and value; to be called at most `fieldCount` times an entry. */
  readField(field: LpItem, value: LpItem): void {
    lpGet(this.node, this.toField(), field);
    lpGet(this.node, this.toValue(), value);
  }

  /** Goes to the next field, then with `toValue` to its value; returns where it is. */
  toField(): number {
    if ((this.flags & ENTRY_SAME_FIELDS) !== 0) {
      this.fieldAt = behind(this.node, this.fieldAt);
      return this.fieldAt;
    }
    return this.toValue();
  }

  toValue(): number {
    const { at } = this;
    this.at = behind(this.node, at);
    this.left--;
    return at;
  }

  /** Marks the entry as deleted; the cursor is still at it. */
  markDeleted(): void {
    const before = lpBytes(this.node);
    setInt(this.node, this.flagsAt, this.flags | ENTRY_DELETED);
    this.flags |= ENTRY_DELETED;
    this.at += lpBytes(this.node) - before;
    const counted = lpBytes(this.node);
    count(this.node, -1, 1);
    const moved = lpBytes(this.node) - counted;
    this.masterAt += moved;
    this.fieldAt += moved;
    this.flagsAt += moved;
    this.at += moved;
  }
}

/** Whether bytes from outside are a node: a listpack whose elements make up entries as above. */
export function nodeIsValid(node: ByteStore): boolean {
  if (!lpValidate(node)) return false;
  let at = lpFirst(node);
  const int = (): number => {
    if (at === 0 || !lpGet(node, at, item).isInt) return Number.NaN;
    const value = item.number();
    at = lpNext(node, at);
    return value;
  };
  const skip = (elements: number): boolean => {
    for (; elements > 0 && at !== 0; elements--) at = lpNext(node, at);
    return elements === 0;
  };
  const total = int() + int();
  const masterFields = int();
  if (!(total >= 0 && masterFields >= 0) || !skip(masterFields) || int() !== 0) return false;
  for (let i = 0; i < total; i++) {
    const flags = int();
    int();
    if (Number.isNaN(flags) || Number.isNaN(int())) return false;
    const same = (flags & ENTRY_SAME_FIELDS) !== 0;
    const fields = same ? masterFields : int();
    if (!(fields >= 0) || !skip(same ? fields : fields * 2)) return false;
    if (int() !== (same ? FIXED + fields : FIXED + 1 + fields * 2)) return false;
  }
  return at === 0;
}
