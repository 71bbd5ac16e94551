import { latin1Bytes } from "../../bytes/ascii.ts";
import { globMatchAt } from "../../bytes/glob.ts";
import type { Call } from "../../call/call.ts";
import { CURSOR_END } from "../../keyspace/index.ts";
import { TYPE_NAMES } from "../../keyspace/record.ts";
import { CommandError, errors } from "../../resp/errors.ts";

/** KEYS, SCAN and RANDOMKEY: commands that go through the key space. */

const MATCH = latin1Bytes("match");
const COUNT = latin1Bytes("count");
const TYPE = latin1Bytes("type");
const DEFAULT_COUNT = 10;

function replyKey(call: Call, position: number): void {
  const { records } = call.db;
  const start = records.keyStart(position);
  call.reply.bulk(records.keyBytes(position), start, start + records.keyLength(position));
}

export function keys(call: Call): void {
  const { db, reply, buf, start, end } = call;
  const { records } = db;
  const everything = call.length(1) === 1 && buf[start[1]!] === 42;
  const mark = reply.deferred();
  let found = 0;
  let cursor = 0;
  do {
    cursor = db.index.scan(cursor, 1000, (position) => {
      if (records.hasExpiry(position) && db.isDue(position)) return;
      const from = records.keyStart(position);
      const key = records.keyBytes(position);
      const to = from + records.keyLength(position);
      if (!everything && !globMatchAt(buf, start[1]!, end[1]!, key, from, to, false)) return;
      reply.bulk(key, from, to);
      found++;
    });
  } while (cursor !== 0);
  reply.endDeferred(mark, "array", found);
}

/** A cursor: what C's strtoul reads as 64 bits. What exceeds the order is no place in it: the scan begins anew. */
export function cursorAt(call: Call, i: number): number {
  const text = call.text(i);
  const cursor = Number(text);
  if (!/^([+-]?[0-9]+)?$/.test(text) || Math.abs(cursor) >= 2 ** 64)
    throw new CommandError("ERR invalid cursor");
  return cursor >= 0 && cursor < CURSOR_END ? cursor : 0;
}

export function scan(call: Call): void {
  const { db, reply, buf, start, end } = call;
  const { records } = db;
  let cursor = cursorAt(call, 1);
  let count = DEFAULT_COUNT;
  let pattern = 0;
  let wantedType: string | null = null;
  for (let i = 2; i < call.argc; i += 2) {
    if (i + 1 >= call.argc) throw new CommandError(errors.syntax);
    if (call.is(i, COUNT)) {
      count = call.int(i + 1);
      if (count < 1) throw new CommandError(errors.syntax);
    } else if (call.is(i, MATCH)) pattern = i + 1;
    else if (call.is(i, TYPE)) wantedType = call.text(i + 1).toLowerCase();
    else throw new CommandError(errors.syntax);
  }
  const found: number[] = [];
  const due: number[] = [];
  cursor = db.index.scan(cursor, count, (position) => {
    const from = records.keyStart(position);
    const to = from + records.keyLength(position);
    if (
      pattern > 0 &&
      !globMatchAt(buf, start[pattern]!, end[pattern]!, records.keyBytes(position), from, to, false)
    )
      return;
    if (records.hasExpiry(position) && db.isDue(position)) due.push(position);
    else if (wantedType === null || TYPE_NAMES[records.type(position)] === wantedType) found.push(position);
  });
  for (const position of due) {
    const from = records.keyStart(position);
    db.find(records.keyBytes(position), from, from + records.keyLength(position));
  }
  reply.array(2);
  reply.bulkInt(cursor);
  reply.array(found.length);
  for (const position of found) replyKey(call, position);
}

export function randomkey(call: Call): void {
  const { db } = call;
  // As in Redis: where nothing may be removed, give up after a while and show a key that is due.
  for (let tries = 0; db.size > 0; tries++) {
    const position = db.index.randomPosition(db.context.random);
    if (!db.records.hasExpiry(position) || !db.isDue(position) || tries >= 100)
      return replyKey(call, position);
    const from = db.records.keyStart(position);
    db.find(db.records.keyBytes(position), from, from + db.records.keyLength(position));
  }
  call.reply.nil();
}
