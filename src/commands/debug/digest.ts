import { latin1Bytes, latin1Text, utf8 } from "../../bytes/ascii.ts";
import { doubleText } from "../../bytes/double.ts";
import { LpItem } from "../../encodings/listpack.ts";
import { ListCursor } from "../../encodings/quicklist-cursor.ts";
import { StreamId } from "../../encodings/stream-id.ts";
import type { Database } from "../../keyspace/database.ts";
import {
  TYPE_ARRAY,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_VECTOR_SET,
  TYPE_ZSET,
} from "../../keyspace/record.ts";
import { StringView } from "../../keyspace/strings.ts";
import { objectOf } from "../../keyspace/value-bytes.ts";
import type { HashLimits } from "../../types/hash.ts";
import type { ListLimits } from "../../types/list.ts";
import type { SetLimits } from "../../types/set.ts";
import type { SparseArray } from "../../types/sparse-array.ts";
import type { Stream } from "../../types/stream.ts";
import { StreamIterator } from "../../types/stream-iterator.ts";
import type { VectorSet } from "../../types/vector-set.ts";
import { StoredHash } from "../hashes/values.ts";
import { ListValue } from "../lists/values.ts";
import { StoredSet } from "../sets/values.ts";
import { zsetOf } from "../zsets/key.ts";

/**
 * DEBUG DIGEST: a signature of the data set that is Redis's for equal data, whatever the order of keys.
 *
 *   xor(d, x)   d ^= SHA1(x)                where order must not matter
 *   mix(d, x)   d = SHA1(d ^ SHA1(x))       where it must
 *
 *   value    d = 0; mix type (4 bytes, big-endian); the elements; xor "!!expire!!" if there is an expiry
 *            string, list   mix each element
 *            set            xor each member
 *            hash, zset     for each: e = 0; mix field, value (member, score) into e; xor e
 *            stream         for each entry: mix "ms.seq", then fields and values
 *            vector set     mix the number of elements and that of components, and xor with the result; for each element the
 *                           same with its vector, its name and its attributes
 *            array          mix each element, and "(null)" for each that there is none of; of so many of these that it
 *                           would take minutes, the index behind them, which is not Redis's way
 *   key      d = 0; mix the key; then the value, on top of that
 *   all      d = 0; for each database with keys: mix its number (4 bytes, big-endian); xor the digest of each key
 */
const BYTES = 20;
const EXPIRES = utf8("!!expire!!");
const NOTHING = utf8("(null)");
const MOST_EMPTY = 1_000_000n;

type Bytes = Uint8Array;
type Limits = HashLimits & ListLimits & SetLimits;

function sha1(bytes: Bytes): Bytes {
  const hash = new Uint8Array(BYTES);
  Bun.SHA1.hash(bytes, hash);
  return hash;
}

function xor(digest: Bytes, bytes: Bytes): void {
  const hash = sha1(bytes);
  for (let i = 0; i < BYTES; i++) digest[i]! ^= hash[i]!;
}

function mix(digest: Bytes, bytes: Bytes): void {
  xor(digest, bytes);
  digest.set(sha1(digest));
}

function bigEndian(value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

export class Digester {
  private readonly view = new StringView();
  private readonly list: ListValue;
  private readonly set: StoredSet;
  private readonly hash: StoredHash;
  private readonly cursor = new ListCursor();
  private readonly iterator = new StreamIterator();
  private readonly first = new LpItem();
  private readonly second = new LpItem();

  constructor(limits: Limits) {
    this.list = new ListValue(limits);
    this.set = new StoredSet(limits);
    this.hash = new StoredHash(limits);
  }

  /** The digest of one value; forty zeros where there is none (position 0). */
  value(db: Database, position: number): string {
    const digest = new Uint8Array(BYTES);
    if (position !== 0) this.addValue(digest, db, position);
    return hex(digest);
  }

  all(databases: Iterable<Database>): string {
    const digest = new Uint8Array(BYTES);
    const filled = [...databases].filter(({ size }) => size > 0).sort((a, b) => a.id - b.id);
    for (const db of filled) {
      mix(digest, bigEndian(db.id));
      let cursor = 0;
      do {
        cursor = db.index.scan(cursor, 1000, (position) => {
          const { records } = db;
          const start = records.keyStart(position);
          const one = new Uint8Array(BYTES);
          mix(one, records.keyBytes(position).subarray(start, start + records.keyLength(position)));
          this.addValue(one, db, position);
          xor(digest, one);
        });
      } while (cursor !== 0);
    }
    return hex(digest);
  }

  private addValue(digest: Bytes, db: Database, position: number): void {
    const type = db.records.type(position);
    mix(digest, bigEndian(type));
    if (type === TYPE_STRING) mix(digest, this.view.read(db, position).copy());
    else if (type === TYPE_LIST) this.addList(digest, db, position);
    else if (type === TYPE_SET) this.addSet(digest, db, position);
    else if (type === TYPE_ZSET) addZset(digest, db, position);
    else if (type === TYPE_HASH) this.addHash(digest, db, position);
    else if (type === TYPE_STREAM) this.addStream(digest, db, position);
    else if (type === TYPE_ARRAY) addArray(digest, objectOf(db, position) as SparseArray);
    else if (type === TYPE_VECTOR_SET) addVectorSet(digest, objectOf(db, position) as VectorSet);
    if (db.records.hasExpiry(position)) xor(digest, EXPIRES);
  }

  private addList(digest: Bytes, db: Database, position: number): void {
    const { list, cursor, first } = this;
    list.bind(db, position);
    const { length } = list.store;
    list.store.seek(cursor, 0, false);
    for (let i = 0; i < length; i++, cursor.advance()) mix(digest, cursor.get(first).copy());
  }

  private addSet(digest: Bytes, db: Database, position: number): void {
    this.set.open(db, position).rewind();
    while (this.set.next(this.first)) xor(digest, this.first.copy());
  }

  private addHash(digest: Bytes, db: Database, position: number): void {
    this.hash.open(db, position).rewind();
    while (this.hash.next(this.first, this.second)) {
      const field = new Uint8Array(BYTES);
      mix(field, this.first.copy());
      mix(field, this.second.copy());
      xor(digest, field);
    }
  }

  private addStream(digest: Bytes, db: Database, position: number): void {
    const { iterator, first, second } = this;
    const from = new StreamId();
    const to = new StreamId();
    to.setMax();
    iterator.start(objectOf(db, position) as Stream, from, to);
    while (iterator.next()) {
      mix(digest, latin1Bytes(latin1Text(iterator.id.bytes()).replace("-", ".")));
      for (let i = 0; i < iterator.fieldCount; i++) {
        iterator.readField(first, second);
        mix(digest, first.copy());
        mix(digest, second.copy());
      }
    }
  }
}

function addArray(digest: Bytes, array: SparseArray): void {
  let next = 0n;
  for (const [index, value] of array.elements()) {
    if (index - next > MOST_EMPTY) mix(digest, latin1Bytes(`${index}`));
    else for (; next < index; next++) mix(digest, NOTHING);
    mix(digest, value);
    next = index + 1n;
  }
}

/** The order of elements, and how they are linked, do not count. */
function addVectorSet(digest: Bytes, set: VectorSet): void {
  const head = new Uint8Array(BYTES);
  mix(head, latin1Bytes(`${set.size}`));
  mix(head, latin1Bytes(`${set.dimension}`));
  xor(digest, head);
  set.inOrder(null, (node) => {
    const element = new Uint8Array(BYTES);
    mix(element, set.graph.vectors.bytes(node));
    set.readName(node);
    mix(element, set.buf.slice(set.start, set.end));
    if (set.readAttributes(node)) mix(element, set.buf.slice(set.start, set.end));
    xor(digest, element);
    return true;
  });
}

function addZset(digest: Bytes, db: Database, position: number): void {
  const set = zsetOf(db, position);
  for (let i = 0; i < set.size; i++) {
    if (i === 0) set.seek(0);
    else set.forward();
    const member = new Uint8Array(BYTES);
    mix(member, set.buf.slice(set.start, set.end));
    mix(member, latin1Bytes(doubleText(set.score)));
    xor(digest, member);
  }
}

function hex(digest: Bytes): string {
  return Buffer.from(digest).toString("hex");
}
