import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { TYPE_STRING } from "../../keyspace/record.ts";
import { CommandError, wrongArity } from "../../resp/errors.ts";
import { compares, comparisonOf, digestOf, hasValue } from "./comparing.ts";
import { stringAt, stringAtForWrite } from "./reading.ts";

/** DELEX of Redis 8.4, DELIFEQ of Valkey 9.0: what deletes a string by comparing it; and DIGEST, which they need. */

const DEL = latin1Bytes("DEL");

function remove(call: Call, position: number): void {
  call.db.remove(position);
  call.dirty++;
  call.event(NOTIFY.generic, "del", 1);
  if (call.recording) call.propagate(DEL, call.bytes(1));
  call.reply.int(1);
}

export function delex(call: Call): void {
  if (call.argc === 2) {
    const any = call.db.find(call.buf, call.start[1]!, call.end[1]!);
    return any === 0 ? call.reply.int(0) : remove(call, any);
  }
  if (call.argc !== 4) throw new CommandError(wrongArity("delex"));
  const position = call.lookup(1);
  if (position === 0) return call.reply.int(0);
  if (call.db.records.type(position) !== TYPE_STRING)
    throw new CommandError("ERR Key should be of string type if conditions are specified");
  const kind = comparisonOf(call, 2);
  if (kind < 0) throw new CommandError("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");
  if (compares(call, position, kind, 3)) remove(call, position);
  else call.reply.int(0);
}

export function delifeq(call: Call): void {
  const position = stringAtForWrite(call, 1);
  if (position !== 0 && hasValue(call, position, 2)) remove(call, position);
  else call.reply.int(0);
}

export function digest(call: Call): void {
  const position = stringAt(call, 1);
  if (position === 0) call.reply.nil();
  else call.reply.bulkText(digestOf(call, position));
}
