import type { Database } from "../../keyspace/database.ts";
import {
  ENC_EMBSTR,
  ENC_INT,
  ENC_INTSET,
  ENC_INTSET_BLOCK,
  ENC_LISTPACK,
  ENC_LISTPACK_BLOCK,
  ENC_OBJECT,
  TYPE_ARRAY,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_VECTOR_SET,
  TYPE_ZSET,
} from "../../keyspace/record.ts";

const OBJECT_NAMES: Record<number, string> = {
  [TYPE_LIST]: "quicklist",
  [TYPE_SET]: "hashtable",
  [TYPE_ZSET]: "skiplist",
  [TYPE_HASH]: "hashtable",
  [TYPE_STREAM]: "stream",
  [TYPE_ARRAY]: "sliced-array",
  // As of all modules' values.
  [TYPE_VECTOR_SET]: "raw",
};

/** The name that OBJECT ENCODING gives to a record's encoding. */
export function encodingName(db: Database, position: number): string {
  const encoding = db.records.encoding(position);
  switch (encoding) {
    case ENC_INT:
      return "int";
    case ENC_EMBSTR:
      return "embstr";
    case ENC_LISTPACK:
    case ENC_LISTPACK_BLOCK:
      return "listpack";
    case ENC_INTSET:
    case ENC_INTSET_BLOCK:
      return "intset";
    case ENC_OBJECT:
      return OBJECT_NAMES[db.records.type(position)]!;
    default:
      return "raw";
  }
}
