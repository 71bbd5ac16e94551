/**
 * The RDB format: a whole data set in a file, or one value in a DUMP payload.
 *
 *   file      "REDIS" version(4 digits)  part part ...  EOF  crc64(8, little-endian; 0: not computed)
 *
 *   part      AUX string string                      a fact about the file: redis-ver, ctime, ...
 *             FUNCTION2 string                       the source of a function library
 *             SELECTDB length                        the keys that follow belong to this database
 *             RESIZEDB length length                 how many keys it has, and how many of them expire
 *             [EXPIRETIME_MS i64] [IDLE length | FREQ u8] type string value       one key
 *
 *   payload   type value  version(u16)  crc64 of all before it                    of DUMP
 *
 *   length    00xxxxxx                               6 bits
 *             01xxxxxx x8                            14 bits
 *             10000000 x32                           32 bits, big-endian
 *             10000001 x64                           64 bits, big-endian
 *             11eeeeee                               no length: a string in the encoding e
 *
 *   string    length bytes
 *             11000000 i8 | 11000001 i16 | 11000010 i32           the text of an integer, little-endian
 *             11000011 length length bytes           LZF: compressed length, raw length, compressed bytes
 *
 *   value     by type, see TYPE below: write-value.ts has what is written, read-value.ts what is read
 *
 * Written is version 11, as by Redis 7.2 (or 10, for 7.0), 12 where fields of a hash expire, and 14 where there is what
 * only Redis 8.8 knows; read are versions 1 to 14 (up to Redis 8.8).
 */

export type RdbVersion = 10 | 11 | 12 | 14;
export const RDB_VERSION: RdbVersion = 11;
/** The first version with hash fields that expire. */
export const FIELD_EXPIRY_VERSION: RdbVersion = 12;
/** The version of Redis 8.8: arrays, and of streams idempotent producers and entries that were given back. */
export const NEWEST_VERSION: RdbVersion = 14;
/** Newest version that is read. */
export const RDB_MAX_VERSION = NEWEST_VERSION;
export const MAGIC = "REDIS";
/** Bytes of "REDIS0011". */
export const HEADER_BYTES = 9;
/** Files have a checksum from this version on. */
export const CHECKSUM_SINCE = 5;

export const OP = {
  SLOT_INFO: 244,
  FUNCTION2: 245,
  FUNCTION_PRE_GA: 246,
  MODULE_AUX: 247,
  IDLE: 248,
  FREQ: 249,
  AUX: 250,
  RESIZEDB: 251,
  EXPIRETIME_MS: 252,
  EXPIRETIME: 253,
  SELECTDB: 254,
  EOF: 255,
} as const;

export const TYPE = {
  STRING: 0,
  LIST: 1,
  SET: 2,
  ZSET: 3,
  HASH: 4,
  ZSET_2: 5,
  MODULE_PRE_GA: 6,
  MODULE_2: 7,
  HASH_ZIPMAP: 9,
  LIST_ZIPLIST: 10,
  SET_INTSET: 11,
  ZSET_ZIPLIST: 12,
  HASH_ZIPLIST: 13,
  LIST_QUICKLIST: 14,
  STREAM_LISTPACKS: 15,
  HASH_LISTPACK: 16,
  ZSET_LISTPACK: 17,
  LIST_QUICKLIST_2: 18,
  STREAM_LISTPACKS_2: 19,
  SET_LISTPACK: 20,
  STREAM_LISTPACKS_3: 21,
  HASH_METADATA_PRE_GA: 22,
  HASH_LISTPACK_EX_PRE_GA: 23,
  HASH_METADATA: 24,
  HASH_LISTPACK_EX: 25,
  STREAM_LISTPACKS_4: 26,
  STREAM_LISTPACKS_5: 27,
  ARRAY: 28,
} as const;

/** Names of the types, as redis-check-rdb prints them. */
export const TYPE_TEXTS: readonly string[] = [
  "string",
  "list-linked",
  "set-hashtable",
  "zset-v1",
  "hash-hashtable",
  "zset-v2",
  "module-pre-release",
  "module-value",
  "",
  "hash-zipmap",
  "list-ziplist",
  "set-intset",
  "zset-ziplist",
  "hash-ziplist",
  "quicklist",
  "stream",
  "hash-listpack",
  "zset-listpack",
  "quicklist-v2",
  "stream-v2",
  "set-listpack",
  "stream-v3",
  "hash-hashtable-md-pre-release",
  "hash-listpack-md-pre-release",
  "hash-hashtable-md",
  "hash-listpack-md",
  "stream-v4",
  "stream-v5",
  "array",
];

export function isObjectType(type: number): boolean {
  return (type >= 0 && type <= 7) || (type >= 9 && type <= 28);
}

/** First bytes of lengths and of encoded strings. */
export const LENGTH_14 = 0x40;
export const LENGTH_32 = 0x80;
export const LENGTH_64 = 0x81;
export const STRING_INT8 = 0xc0;
export const STRING_INT16 = 0xc1;
export const STRING_INT32 = 0xc2;
export const STRING_LZF = 0xc3;

/** Kinds of quicklist nodes: one element by itself, or a listpack. */
export const NODE_PLAIN = 1;
export const NODE_PACKED = 2;

/** First bytes of old doubles that are no numbers' texts. */
export const DOUBLE_NAN = 253;
export const DOUBLE_INF = 254;
export const DOUBLE_NEG_INF = 255;

/** The last moment at which a hash field can expire, by Redis: 48 bits. */
export const FIELD_EXPIRY_MAX = 2 ** 48 - 1;

/**
 * A fact of our own in front of a stream in a file of version 10, which has no place for them: when each consumer last
 * got something, in the order in which they follow, joined by commas. Redis skips facts that it does not know.
 */
export const ACTIVE_TIMES = "redbun-active-times";

/** Parts of a module's value. */
export const MODULE_PART = { EOF: 0, SINT: 1, UINT: 2, FLOAT: 3, DOUBLE: 4, STRING: 5 } as const;

/** Strings this short are tried as integers, longer ones than the second figure compressed. */
export const MAX_INTEGER_TEXT = 11;
export const MIN_COMPRESSED = 20;
/** What compression must save at least. */
export const MIN_SAVED = 4;

/**
 * What is read is no RDB, or not whole. "empty": a collection without elements, which files of old versions may
 * hold by mistake: such a key is left out.
 */
export class RdbError extends Error {
  constructor(
    message: string,
    readonly kind: "corrupt" | "short" | "empty" = "corrupt",
  ) {
    super(message);
  }
}

export function corrupt(message: string): never {
  throw new RdbError(message);
}
