import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import type { HashTable } from "../../encodings/hash-table.ts";
import type { Quicklist } from "../../encodings/quicklist.ts";
import type { Database } from "../../keyspace/database.ts";
import { ENC_INT, ENC_OBJECT, TYPE_HASH, TYPE_LIST, TYPE_SET, TYPE_STRING } from "../../keyspace/record.ts";
import { StringView } from "../../keyspace/strings.ts";
import { objectOf } from "../../keyspace/value-bytes.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { encodingName } from "../object/encoding.ts";
import type { DebugDeps, SubcommandTable } from "./deps.ts";
import { Digester } from "./digest.ts";
import { quicklistFigures } from "./quicklist.ts";
import { serializedStringLength } from "./serialized-length.ts";

/** DEBUG's subcommands that look at the data: keys that are due but not removed yet are there for them. */

const view = new StringView();
const NO_HASH_TABLE = "ERR The value stored at the specified key is not represented using an hash table";

/** The key's record, due or not, its access clock untouched; 0: there is none. */
function rawFind(call: Call, i: number): number {
  const { index } = call.db;
  const start = call.start[i]!;
  const end = call.end[i]!;
  return index.find(index.hash(call.buf, start, end), call.buf, start, end);
}

function existing(call: Call): number {
  const position = rawFind(call, 2);
  if (position === 0) throw new CommandError(errors.noSuchKey);
  return position;
}

/** In the place of Redis's address stands the record's position in the arena. */
function object(call: Call, { config }: DebugDeps): void {
  const { db } = call;
  const position = existing(call);
  const { records } = db;
  let length = records.memoryUse(position);
  if (records.type(position) === TYPE_STRING)
    length = serializedStringLength(view.read(db, position).copy(), config.values.rdbcompression);
  const clock = records.clock(position);
  const isQuicklist = records.type(position) === TYPE_LIST && records.encoding(position) === ENC_OBJECT;
  call.reply.simple(
    `Value at:0x${(position >>> 0).toString(16)} refcount:1 encoding:${encodingName(db, position)} ` +
      `serializedlength:${length} lru:${clock} lru_seconds_idle:${db.context.access.idleSeconds(clock)}` +
      (isQuicklist ? quicklistFigures(objectOf(db, position) as Quicklist) : ""),
  );
}

/** Key and value lie in one cell; its room beyond the value counts as the value's. */
function sdslen(call: Call): void {
  const { records } = call.db;
  const position = existing(call);
  if (records.type(position) !== TYPE_STRING || records.encoding(position) === ENC_INT)
    throw new CommandError("ERR Not an sds encoded string.");
  const key = records.keyLength(position);
  const length = records.valueLength(position);
  const bytes = records.memoryUse(position);
  const inline = records.encoding(position) < 8;
  const room = inline
    ? records.inlineRoom(position)
    : records.blocks.get(records.payloadLow(position)).length;
  call.reply.simple(
    `key_sds_len:${key}, key_sds_avail:0, key_zmalloc: ${bytes - room}, ` +
      `val_sds_len:${length}, val_sds_avail:${room - length}, val_zmalloc: ${room}`,
  );
}

function digestAll(call: Call, { config, keyspace }: DebugDeps): void {
  call.reply.simple(new Digester({ ...config.values, packedThreshold: 0 }).all(keyspace.all()));
}

function digestValues(call: Call, { config }: DebugDeps): void {
  const digester = new Digester({ ...config.values, packedThreshold: 0 });
  call.reply.array(call.argc - 2);
  for (let i = 2; i < call.argc; i++) call.reply.simple(digester.value(call.db, rawFind(call, i)));
}

function indexFigures({ index, wheel, expires }: Database): string {
  const { count, segmentCount, memoryUse } = index;
  return (
    `[Dictionary HT]\nIndex of ${segmentCount} segments:\n table size: ${segmentCount * 1020}\n` +
    ` number of elements: ${count}\n bytes: ${memoryUse}\n` +
    `[Expires HT]\nExpiry wheel:\n table size: ${wheel.entries}\n number of elements: ${expires}\n` +
    ` bytes: ${wheel.memoryUse}\n`
  );
}

function htstats(call: Call, { keyspace }: DebugDeps): void {
  const id = call.int(2);
  if (id < 0 || id >= keyspace.count) throw new CommandError("ERR Out of range database");
  call.reply.verbatim("txt", indexFigures(keyspace.select(id)));
}

/** Chains are runs of slots here: how far entries lie behind the slot where they belong. */
function htstatsKey(call: Call): void {
  const { records } = call.db;
  const position = existing(call);
  const type = records.type(position);
  if (records.encoding(position) !== ENC_OBJECT || (type !== TYPE_SET && type !== TYPE_HASH))
    throw new CommandError(NO_HASH_TABLE);
  const table = objectOf(call.db, position) as HashTable;
  const lengths = table.probeLengths();
  const slots = table.segments.reduce((sum, { capacity }) => sum + capacity, 0);
  call.reply.verbatim(
    "txt",
    `Hash table of ${table.segments.length} segments:\n table size: ${slots}\n` +
      ` number of elements: ${table.count}\n different slots: ${lengths[0] ?? 0}\n` +
      ` max chain length: ${lengths.length}\n bytes: ${table.memoryUse}\n`,
  );
}

function populate(call: Call): void {
  const count = positive(call, 2);
  const prefix = call.argc > 3 ? call.text(3) : "key";
  const size = call.argc > 4 ? positive(call, 4) : 0;
  const { db } = call;
  for (let i = 0; i < count; i++) {
    const key = latin1Bytes(`${prefix}:${i}`);
    if (db.find(key, 0, key.length) !== 0) continue;
    const text = latin1Bytes(`value:${i}`);
    const value = size === 0 ? text : new Uint8Array(size);
    if (size > 0) value.set(text.subarray(0, size));
    db.setString(key, 0, key.length, value, 0, value.length, -1);
  }
  call.reply.ok();
}

function positive(call: Call, i: number): number {
  const value = call.safeInt(i);
  if (!(value >= 0)) throw new CommandError(errors.positive);
  return value;
}

const MANY = Number.POSITIVE_INFINITY;

export const inspecting: SubcommandTable = [
  ["object", { min: 3, max: 3, run: object }],
  ["sdslen", { min: 3, max: 3, run: sdslen }],
  ["digest", { min: 2, max: 2, run: digestAll }],
  ["digest-value", { min: 2, max: MANY, run: digestValues }],
  ["htstats", { min: 3, max: MANY, run: htstats }],
  [
    "htstats-key",
    {
      min: 3,
      max: MANY,
      run: htstatsKey,
    },
  ],
  ["populate", { min: 3, max: 5, run: populate }],
];
