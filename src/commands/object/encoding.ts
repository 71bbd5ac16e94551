import type { Database } from "../../keyspace/database.ts";
import { ENC_EMBSTR, ENC_INT } from "../../keyspace/record.ts";

/** The name that OBJECT ENCODING gives to a record's encoding. */
export function encodingName(db: Database, position: number): string {
  const encoding = db.records.encoding(position);
  if (encoding === ENC_INT) return "int";
  return encoding === ENC_EMBSTR ? "embstr" : "raw";
}
