import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import type { Database } from "../../keyspace/database.ts";
import { ENC_OBJECT, TYPE_NAMES } from "../../keyspace/record.ts";
import { CommandError, errors } from "../../resp/errors.ts";

/** DEL, EXISTS, RENAME and the other commands that take keys of any type one by one. */

const REPLACE = latin1Bytes("replace");
const DB = latin1Bytes("db");

export interface GenericDeps {
  readonly config: { readonly values: { readonly clusterEnabled: boolean } };
  readonly keyspace: { readonly count: number; freedKeys: number; select(id: number): Database };
}

export function del(call: Call): void {
  let removed = 0;
  for (let i = 1; i < call.argc; i++) {
    const position = call.db.find(call.buf, call.start[i]!, call.end[i]!);
    if (position === 0) continue;
    call.db.remove(position);
    call.event(NOTIFY.generic, "del", i);
    removed++;
  }
  call.dirty += removed;
  call.reply.int(removed);
}

/** Values from this size on count as freed in the background: the garbage collector does it, on its own threads. */
const LAZY_BYTES = 16 * 1024;

/** Freeing a value never walks it, so UNLINK differs from DEL only in what it counts. */
export function unlink(call: Call, { keyspace }: GenericDeps): void {
  for (let i = 1; i < call.argc; i++) {
    const { records } = call.db;
    const position = call.db.find(call.buf, call.start[i]!, call.end[i]!);
    if (position === 0 || records.encoding(position) !== ENC_OBJECT) continue;
    if (records.memoryUse(position) >= LAZY_BYTES) keyspace.freedKeys++;
  }
  del(call);
}

export function exists(call: Call): void {
  let found = 0;
  for (let i = 1; i < call.argc; i++)
    if (call.db.lookup(call.buf, call.start[i]!, call.end[i]!, false) !== 0) found++;
  call.reply.int(found);
}

export function touch(call: Call): void {
  let found = 0;
  for (let i = 1; i < call.argc; i++)
    if (call.db.lookup(call.buf, call.start[i]!, call.end[i]!) !== 0) found++;
  call.reply.int(found);
}

export function type(call: Call): void {
  const position = call.db.lookup(call.buf, call.start[1]!, call.end[1]!, false);
  call.reply.simple(position === 0 ? "none" : TYPE_NAMES[call.db.records.type(position)]!);
}

export function rename(call: Call): void {
  if (move(call, call.db, true) === "missing") throw new CommandError(errors.noSuchKey);
  call.reply.ok();
}

export function renamenx(call: Call): void {
  const outcome = move(call, call.db, false);
  if (outcome === "missing") throw new CommandError(errors.noSuchKey);
  call.reply.int(outcome === "moved" ? 1 : 0);
}

/** Moves the key in argument 1 to the name in argument 2. */
function move(call: Call, db: Database, overwrite: boolean): "missing" | "exists" | "moved" {
  const { buf, start, end } = call;
  let from = call.lookupWrite(1);
  if (from === 0) return "missing";
  if (sameArgument(call, 1, 2)) return overwrite ? "moved" : "exists";
  const to = call.lookupWrite(2);
  if (to !== 0) {
    if (!overwrite) return "exists";
    db.remove(to);
    from = db.find(buf, start[1]!, end[1]!);
  }
  db.copyFrom(db, from, buf, start[2]!, end[2]!, true);
  call.dirty++;
  call.event(NOTIFY.generic, "rename_from", 1);
  call.event(NOTIFY.generic, "rename_to", 2);
  return "moved";
}

function sameArgument(call: Call, a: number, b: number): boolean {
  const { buf, start, end } = call;
  if (call.length(a) !== call.length(b)) return false;
  for (let i = start[a]!, j = start[b]!; i < end[a]!; i++, j++) if (buf[i] !== buf[j]) return false;
  return true;
}

/** The database that argument i names; throws Redis's two sentences. */
export function databaseAt(call: Call, i: number, { keyspace }: GenericDeps): Database {
  const id = call.int32(i);
  if (id < 0 || id >= keyspace.count) throw new CommandError(errors.dbIndex);
  return keyspace.select(id);
}

export function moveToDatabase(call: Call, deps: GenericDeps): void {
  if (deps.config.values.clusterEnabled) throw new CommandError("ERR MOVE is not allowed in cluster mode");
  const { buf, start, end, db } = call;
  const target = databaseAt(call, 2, deps);
  if (target === db) throw new CommandError(errors.sameObject);
  const from = call.lookupWrite(1);
  if (from === 0 || target.find(buf, start[1]!, end[1]!) !== 0) return call.reply.int(0);
  target.copyFrom(db, from, buf, start[1]!, end[1]!, true);
  call.arrivedAt = 1;
  call.arrivedIn = target.id;
  call.event(NOTIFY.generic, "move_from", 1);
  call.event(NOTIFY.generic, "move_to", 1, target);
  call.dirty++;
  call.reply.int(1);
}

export function copy(call: Call, deps: GenericDeps): void {
  const { buf, start, end, db } = call;
  let target = db;
  let replace = false;
  for (let i = 3; i < call.argc; i++) {
    if (call.is(i, REPLACE)) replace = true;
    else if (call.is(i, DB) && i + 1 < call.argc) target = databaseAt(call, ++i, deps);
    else throw new CommandError(errors.syntax);
  }
  if (target === db && sameArgument(call, 1, 2)) throw new CommandError(errors.sameObject);
  let from = call.lookup(1);
  if (from === 0) return call.reply.int(0);
  const to = target.find(buf, start[2]!, end[2]!);
  if (to !== 0) {
    if (!replace) return call.reply.int(0);
    target.remove(to);
    from = db.find(buf, start[1]!, end[1]!);
  }
  target.copyFrom(db, from, buf, start[2]!, end[2]!, false);
  call.arrivedAt = 2;
  call.arrivedIn = target.id;
  if (target !== db) call.changedKey = -1;
  call.event(NOTIFY.generic, "copy_to", 2, target);
  call.dirty++;
  call.reply.int(1);
}
