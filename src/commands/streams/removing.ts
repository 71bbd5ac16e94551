import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { StreamId } from "../../encodings/stream-id.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { groupAt, readStrictId, streamAt, streamAtForWrite } from "./common.ts";
import { policyAt, type ReferencePolicy, Removal } from "./references.ts";

/** XDELEX and XACKDEL (Redis 8.2): entries deleted with regard to consumer groups, and what became of each. */

const IDS = latin1Bytes("ids");
const NO_ID = -1;
const DELETED = 1;
const STILL_REFERENCED = 2;

const id = new StreamId();

interface IdOptions {
  policy: ReferencePolicy;
  /** The first ID's argument, and how many there are. */
  idsAt: number;
  count: number;
}

function parse(call: Call, from: number): IdOptions {
  let policy: ReferencePolicy | null = null;
  let idsAt = 0;
  let count = 0;
  for (let i = from; i < call.argc; ) {
    const named: ReferencePolicy | null = policy === null ? policyAt(call, i) : null;
    if (named !== null) {
      policy = named;
      i++;
    } else if (i + 1 < call.argc && call.is(i, IDS)) {
      count = call.safeInt(i + 1);
      if (!(count >= 1)) throw new CommandError("ERR Number of IDs must be a positive integer");
      idsAt = i + 2;
      if (count > call.argc - idsAt)
        throw new CommandError("ERR The `numids` parameter must match the number of arguments");
      i = idsAt + count;
    } else throw new CommandError(errors.syntax);
  }
  if (idsAt === 0) throw new CommandError("ERR IDS option is required");
  return { policy: policy ?? "keep", idsAt, count };
}

function replyMissing(call: Call, count: number): void {
  call.reply.array(count);
  for (let i = 0; i < count; i++) call.reply.int(NO_ID);
}

/** All IDs are read before anything is done: with one that is none, nothing is. */
function checkIds(call: Call, { idsAt, count }: IdOptions): void {
  for (let i = idsAt; i < idsAt + count; i++) readStrictId(call, i, id);
}

export function xdelex(call: Call): void {
  const stream = streamAtForWrite(call, 1);
  const options = parse(call, 2);
  const { policy, idsAt, count } = options;
  if (stream === null) return replyMissing(call, count);
  checkIds(call, options);
  const removal = new Removal(call, stream, policy);
  call.reply.array(count);
  for (let i = idsAt; i < idsAt + count; i++) {
    readStrictId(call, i, id);
    if (!removal.mayDelete(id)) call.reply.int(STILL_REFERENCED);
    else call.reply.int(removal.delete(id) ? DELETED : NO_ID);
  }
  removal.finish();
}

export function xackdel(call: Call): void {
  const found = streamAt(call, 1);
  const options = parse(call, 3);
  const { policy, idsAt, count } = options;
  const group = found === null ? null : groupAt(call, found, 2);
  if (found === null || group === null) return replyMissing(call, count);
  checkIds(call, options);
  const removal = new Removal(call, found, policy);
  call.reply.array(count);
  for (let i = idsAt; i < idsAt + count; i++) {
    readStrictId(call, i, id);
    if (!removal.acknowledge(group, id)) call.reply.int(NO_ID);
    else if (!removal.mayDelete(id)) call.reply.int(STILL_REFERENCED);
    else {
      // A message that was deleted before counts as deleted too.
      removal.delete(id);
      call.reply.int(DELETED);
    }
  }
  removal.finish();
}
