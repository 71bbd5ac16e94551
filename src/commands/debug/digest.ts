import { utf8 } from "../../bytes/ascii.ts";
import type { Database } from "../../keyspace/database.ts";
import { TYPE_NAMES, TYPE_STRING } from "../../keyspace/record.ts";
import { StringView } from "../../keyspace/strings.ts";

/**
 * DEBUG DIGEST: a signature of the data set that is Redis's for equal data, whatever the order of keys.
 *
 *   xor(d, x)   d ^= SHA1(x)                where order must not matter
 *   mix(d, x)   d = SHA1(d ^ SHA1(x))       where it must
 *
 *   value    d = 0; mix type (4 bytes, big-endian); mix the string; xor "!!expire!!" if there is an expiry
 *   key      d = 0; mix the key; then the value, on top of that
 *   all      d = 0; for each database with keys: mix its number (4 bytes, big-endian); xor the digest of each key
 */
const BYTES = 20;
const EXPIRES = utf8("!!expire!!");
const view = new StringView();

function sha1(bytes: Uint8Array): Uint8Array {
  const hash = new Uint8Array(BYTES);
  Bun.SHA1.hash(bytes, hash);
  return hash;
}

function xor(digest: Uint8Array, bytes: Uint8Array): void {
  const hash = sha1(bytes);
  for (let i = 0; i < BYTES; i++) digest[i]! ^= hash[i]!;
}

function mix(digest: Uint8Array, bytes: Uint8Array): void {
  xor(digest, bytes);
  digest.set(sha1(digest));
}

function bigEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** Adds a value to the digest, as a pure function of the value and of whether it expires. */
function addValue(digest: Uint8Array, db: Database, position: number): void {
  const { records } = db;
  const type = records.type(position);
  mix(digest, bigEndian(type));
  if (type !== TYPE_STRING) throw new Error(`DEBUG DIGEST cannot digest a ${TYPE_NAMES[type]}`);
  view.read(db, position);
  mix(digest, view.buf.subarray(view.start, view.end));
  if (records.hasExpiry(position)) xor(digest, EXPIRES);
}

function hex(digest: Uint8Array): string {
  return Buffer.from(digest).toString("hex");
}

/** The digest of one value; forty zeros where there is none (position 0). */
export function digestValue(db: Database, position: number): string {
  const digest = new Uint8Array(BYTES);
  if (position !== 0) addValue(digest, db, position);
  return hex(digest);
}

export function digestAll(databases: Iterable<Database>): string {
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
        addValue(one, db, position);
        xor(digest, one);
      });
    } while (cursor !== 0);
  }
  return hex(digest);
}
