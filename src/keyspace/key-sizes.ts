import type { HashTable } from "../encodings/hash-table.ts";
import { intsetLength } from "../encodings/intset.ts";
import { lpLength } from "../encodings/listpack.ts";
import type { Quicklist } from "../encodings/quicklist.ts";
import type { SortedSetIndex } from "../encodings/sorted-set-index.ts";
import type { Database } from "./database.ts";
import {
  ENC_INTSET,
  ENC_INTSET_BLOCK,
  ENC_OBJECT,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STRING,
  TYPE_ZSET,
} from "./record.ts";
import { stringLength } from "./strings.ts";
import { objectOf, ValueBytes } from "./value-bytes.ts";

/**
 * How long a database's strings are and how many elements its collections have, in powers of two, for INFO keysizes.
 *
 *   bin 0   empty (only strings can be)        bin n   2^(n-1) to 2^n - 1
 *
 * Nothing is kept account of while keys change, which would cost every write; keys are walked when somebody asks.
 * Their elements are not: every value knows how many it has. A walk may be cut into slices, between which keys come,
 * go and grow: each that is there all along is counted once, as it is when the walk comes by.
 */
export const SIZE_BINS = 60;
/** Types that are counted; streams are not, as in Redis. */
export const SIZED_TYPES = [TYPE_STRING, TYPE_LIST, TYPE_SET, TYPE_ZSET, TYPE_HASH];
const KEYS = 64;

export class KeySizes {
  /** Keys by type and bin: index `type * SIZE_BINS + bin`. */
  readonly counts = new Float64Array(SIZED_TYPES.length * SIZE_BINS);
  private cursor = 0;
  private ended = false;

  constructor(private readonly db: Database) {}

  /** Goes on until `outOfTime`; returns whether the walk has ended. */
  step(outOfTime: () => boolean): boolean {
    while (!this.ended) {
      this.cursor = this.db.index.scan(this.cursor, KEYS, this.count);
      this.ended = this.cursor === 0;
      if (outOfTime()) break;
    }
    return this.ended;
  }

  private readonly count = (position: number): void => {
    const type = this.db.records.type(position);
    if (!SIZED_TYPES.includes(type)) return;
    this.counts[type * SIZE_BINS + binOf(sizeOf(this.db, position, type))]!++;
  };
}

function binOf(size: number): number {
  return 32 - Math.clz32(size);
}

/** Bytes of a string, elements of a collection. */
function sizeOf(db: Database, position: number, type: number): number {
  if (type === TYPE_STRING) return stringLength(db, position);
  const encoding = db.records.encoding(position);
  if (encoding === ENC_OBJECT) {
    const object = objectOf(db, position);
    if (type === TYPE_LIST) return (object as Quicklist).length;
    return type === TYPE_ZSET ? (object as SortedSetIndex).size : (object as HashTable).count;
  }
  bytes.bind(db, position);
  if (encoding === ENC_INTSET || encoding === ENC_INTSET_BLOCK) return intsetLength(bytes);
  const entries = lpLength(bytes);
  return type === TYPE_ZSET || type === TYPE_HASH ? entries >>> 1 : entries;
}

const bytes = new ValueBytes();
