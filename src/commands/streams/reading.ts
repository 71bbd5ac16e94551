import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { StreamId } from "../../encodings/stream-id.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { NO_LIMIT, readStart, readStop, streamAt } from "./common.ts";
import { replyRange } from "./entries.ts";

/** XLEN, XRANGE, XREVRANGE. */

const COUNT = latin1Bytes("count");

const from = new StreamId();
const to = new StreamId();

export function xlen(call: Call): void {
  call.reply.int(streamAt(call, 1)?.length ?? 0);
}

export function xrange(call: Call): void {
  range(call, 2, 3, false);
}

export function xrevrange(call: Call): void {
  range(call, 3, 2, true);
}

function range(call: Call, startAt: number, stopAt: number, reverse: boolean): void {
  readStart(call, startAt, from);
  readStop(call, stopAt, to);
  let count = NO_LIMIT;
  for (let i = 4; i < call.argc; i += 2) {
    if (i + 1 >= call.argc || !call.is(i, COUNT)) throw new CommandError(errors.syntax);
    count = Math.max(0, call.int(i + 1));
  }
  const stream = streamAt(call, 1);
  if (stream === null) return call.reply.array(0);
  if (count === 0) return call.reply.nilArray();
  replyRange(call.reply, stream, from, to, count, reverse);
}
