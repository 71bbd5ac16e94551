import {
  HEADER_BYTES,
  LENGTH_14,
  LENGTH_32,
  LENGTH_64,
  OP,
  STRING_INT8,
  STRING_INT16,
  STRING_INT32,
  STRING_LZF,
  TYPE,
} from "./format.ts";

/**
 * Finds out how far an RDB that comes in pieces has arrived, so that it can be loaded while it comes: the loader
 * cannot stop in the middle of a key (the reader hands out what it has read, not what it lacks), so it is let on only
 * up to a `boundary` between two parts.
 *
 *   what is to come    a stack of frames, each a row of items and how often the row is repeated
 *   an item            a string, a length, so many bytes, a length with a row to be repeated so often (behind
 *                      another row, if need be), a length that says which of several rows follows, or such lengths with
 *                      their rows up to one that is 0
 *
 * Only heads of items, 19 bytes at the most, have to lie in one piece; the bytes of strings are counted, not looked at.
 */
type Item =
  | "string"
  | "length"
  | "text-double"
  | number
  | { readonly each: readonly Item[]; readonly after?: readonly Item[] }
  | { readonly oneOf: readonly Row[] }
  | { readonly untilZero: readonly Row[] };
type Row = readonly Item[];

const each = (...row: Item[]): Item => ({ each: row });

const STRING: Row = ["string"];
type StreamVersion = 1 | 2 | 3 | 4 | 5;
/** Name, last ID, in later versions entries read; pending entries; consumers with theirs; what is nobody's. */
const groups = (version: StreamVersion): Item =>
  each(
    "string",
    ...Array<Item>(version === 1 ? 2 : 3).fill("length"),
    each(16, 8, "length"),
    each("string", version >= 3 ? 16 : 8, each(16)),
    ...(version >= 5 ? [each(16)] : []),
  );
const PRODUCERS: Row = [
  "length",
  "length",
  each("string", each("string", "length", "length")),
  "length",
  "length",
];
const stream = (version: StreamVersion): Row => [
  each("string", "string"),
  ...Array<Item>(version === 1 ? 3 : 8).fill("length"),
  groups(version),
  ...(version >= 4 ? PRODUCERS : []),
];

/** Its elements follow what was inserted last; their number stands before that. */
const ARRAY: Row = [{ each: ["length", { oneOf: [STRING, [8], [8], STRING] }], after: [each("length")] }];

/** A module's value: its id, and parts of these kinds. */
const MODULE: Row = ["length", { untilZero: [[], ["length"], ["length"], [4], [8], STRING] }];

const VALUES = new Map<number, Row>([
  [TYPE.STRING, STRING],
  [TYPE.LIST, [each("string")]],
  [TYPE.SET, [each("string")]],
  [TYPE.ZSET, [each("string", "text-double")]],
  [TYPE.HASH, [each("string", "string")]],
  [TYPE.ZSET_2, [each("string", 8)]],
  [TYPE.HASH_ZIPMAP, STRING],
  [TYPE.LIST_ZIPLIST, STRING],
  [TYPE.SET_INTSET, STRING],
  [TYPE.ZSET_ZIPLIST, STRING],
  [TYPE.HASH_ZIPLIST, STRING],
  [TYPE.LIST_QUICKLIST, [each("string")]],
  [TYPE.STREAM_LISTPACKS, stream(1)],
  [TYPE.HASH_LISTPACK, STRING],
  [TYPE.ZSET_LISTPACK, STRING],
  [TYPE.LIST_QUICKLIST_2, [each("length", "string")]],
  [TYPE.STREAM_LISTPACKS_2, stream(2)],
  [TYPE.SET_LISTPACK, STRING],
  [TYPE.STREAM_LISTPACKS_3, stream(3)],
  [TYPE.HASH_METADATA_PRE_GA, [each("length", "string", "string")]],
  [TYPE.HASH_LISTPACK_EX_PRE_GA, STRING],
  [TYPE.HASH_METADATA, [8, each("length", "string", "string")]],
  [TYPE.HASH_LISTPACK_EX, [8, "string"]],
  [TYPE.STREAM_LISTPACKS_4, stream(4)],
  [TYPE.STREAM_LISTPACKS_5, stream(5)],
  [TYPE.ARRAY, ARRAY],
  [TYPE.MODULE_2, MODULE],
]);

/** What follows these bytes; a part ends with it, but for those that say something of the key that is to come. */
const OPERATIONS = new Map<number, Row>([
  [OP.AUX, ["string", "string"]],
  [OP.SELECTDB, ["length"]],
  [OP.RESIZEDB, ["length", "length"]],
  [OP.SLOT_INFO, ["length", "length", "length"]],
  [OP.FUNCTION2, STRING],
  [OP.EOF, [8]],
  [OP.EXPIRETIME, [4]],
  [OP.EXPIRETIME_MS, [8]],
  [OP.FREQ, [1]],
  [OP.IDLE, ["length"]],
]);
const OF_A_KEY: ReadonlySet<number> = new Set([OP.EXPIRETIME, OP.EXPIRETIME_MS, OP.FREQ, OP.IDLE]);

interface Frame {
  readonly row: Row;
  at: number;
  left: number;
}

const MORE = -1;
const EMPTY = new Uint8Array(0);

export class RdbScanner {
  /**
   * Parts are complete up to this offset. Infinity: it has met with what it does not know, or all is there; the
   * loader finds out what is wrong.
   */
  boundary = 0;
  private readonly frames: Frame[] = [{ row: [HEADER_BYTES], at: 0, left: 1 }];
  private offset = 0;
  /** Bytes of a string that are still to come. */
  private skip = 0;
  /** The beginning of an item whose head is not complete. */
  private head: Uint8Array = EMPTY;
  /** The part begun is not complete with what follows: the key is to come. */
  private open = false;
  private done = false;
  private value = 0;

  /** The next bytes have come. */
  feed(chunk: Uint8Array): void {
    if (this.done) return;
    const buf = this.head.length === 0 ? chunk : Buffer.concat([this.head, chunk]);
    let at = 0;
    while (!this.done) {
      const skipped = Math.min(this.skip, buf.length - at);
      this.skip -= skipped;
      at += skipped;
      this.offset += skipped;
      if (this.skip > 0) break;
      const size = this.step(buf, at);
      if (size === MORE) break;
      at += size;
      this.offset += size;
    }
    this.head = this.done ? EMPTY : buf.slice(at);
  }

  /** All has come. */
  end(): void {
    this.done = true;
    this.boundary = Number.POSITIVE_INFINITY;
  }

  /** Takes one item's head; returns its size, or MORE. */
  private step(buf: Uint8Array, at: number): number {
    const { frames } = this;
    const frame = frames[frames.length - 1];
    if (frame === undefined) {
      if (!this.open) this.boundary = this.offset;
      return this.beginPart(buf, at);
    }
    if (frame.at === frame.row.length) {
      frame.at = 0;
      frame.left--;
    }
    if (frame.left <= 0) {
      frames.pop();
      return 0;
    }
    const item = frame.row[frame.at]!;
    const size = this.take(item, buf, at);
    if (size !== MORE) frame.at++;
    return size;
  }

  private beginPart(buf: Uint8Array, at: number): number {
    if (at === buf.length) return MORE;
    const code = buf[at]!;
    const operation = OPERATIONS.get(code);
    if (operation !== undefined) {
      this.open = OF_A_KEY.has(code);
      this.push(operation, 1);
      return 1;
    }
    const value = VALUES.get(code);
    if (value === undefined) {
      this.end();
      return 0;
    }
    this.open = false;
    this.push(value, 1);
    this.push(STRING, 1);
    return 1;
  }

  private push(row: Row, left: number): void {
    this.frames.push({ row, at: 0, left });
  }

  private take(item: Item, buf: Uint8Array, at: number): number {
    if (typeof item === "number") {
      this.skip = item;
      return 0;
    }
    if (item === "string") return this.takeString(buf, at);
    if (item === "text-double") {
      if (at === buf.length) return MORE;
      // 253 and above stand for values that have no text.
      this.skip = buf[at]! < 253 ? buf[at]! : 0;
      return 1;
    }
    const size = this.length(buf, at);
    if (size === MORE || item === "length") return size;
    if ("each" in item) {
      this.push(item.each, this.value);
      if (item.after !== undefined) this.push(item.after, 1);
    } else if ("untilZero" in item) {
      const row = item.untilZero[this.value];
      if (row === undefined) this.end();
      else if (this.value > 0) {
        this.frames.at(-1)!.at--;
        this.push(row, 1);
      }
    } else if (this.value < item.oneOf.length) this.push(item.oneOf[this.value]!, 1);
    else this.end();
    return size;
  }

  private takeString(buf: Uint8Array, at: number): number {
    if (at === buf.length) return MORE;
    switch (buf[at]) {
      case STRING_INT8:
        this.skip = 1;
        return 1;
      case STRING_INT16:
        this.skip = 2;
        return 1;
      case STRING_INT32:
        this.skip = 4;
        return 1;
      case STRING_LZF: {
        const first = this.length(buf, at + 1);
        if (first === MORE) return MORE;
        const compressed = this.value;
        const second = this.length(buf, at + 1 + first);
        if (second === MORE) return MORE;
        this.skip = compressed;
        return 1 + first + second;
      }
      default: {
        const size = this.length(buf, at);
        if (size !== MORE) this.skip = this.value;
        return size;
      }
    }
  }

  /** Reads a length into `value`; returns its size, or MORE. */
  private length(buf: Uint8Array, at: number): number {
    if (at >= buf.length) return MORE;
    const first = buf[at]!;
    const size = first < LENGTH_14 ? 1 : first < LENGTH_32 ? 2 : first === LENGTH_32 ? 5 : 9;
    if (first > LENGTH_64) {
      this.end();
      return 0;
    }
    if (at + size > buf.length) return MORE;
    let value = size <= 2 ? first & 0x3f : 0;
    for (let i = 1; i < size; i++) value = value * 256 + buf[at + i]!;
    this.value = value;
    return size;
  }
}
