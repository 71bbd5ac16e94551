import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { Counter, StreamId } from "../../encodings/stream-id.ts";
import { CommandError } from "../../resp/errors.ts";
import { PendingEntry } from "../../types/stream-groups.ts";
import { forgetClaimable } from "./claimable.ts";
import { neededGroup, nowOf, readStrictId, streamAtForWrite, whole } from "./common.ts";

/**
 * XNACK (Redis 8.8): consumers give pending entries back, which then are nobody's and the first to be claimed.
 *
 *   SILENT   as if it had not been delivered: one delivery less        FAIL    deliveries stay as they are
 *   FATAL    as many deliveries as can be                              RETRYCOUNT says how many, whatever the mode
 *
 * What older servers have for it is no command, so it is propagated as it came.
 */
const MODES = {
  silent: latin1Bytes("silent"),
  fail: latin1Bytes("fail"),
  fatal: latin1Bytes("fatal"),
} as const;
const IDS = latin1Bytes("ids");
const FORCE = latin1Bytes("force");
const RETRYCOUNT = latin1Bytes("retrycount");
const INT_MAX = 0x7fffffff;

type Mode = keyof typeof MODES;

interface Options {
  readonly mode: Mode;
  /** The first ID's argument, and how many there are. */
  idsAt: number;
  count: number;
  force: boolean;
  retryCount: Counter | null;
}

const id = new StreamId();
const entry = new PendingEntry();
const deliveries = new Counter();
const MOST_DELIVERIES = new Counter().setBig(2n ** 63n - 1n);

function parse(call: Call): Options {
  const mode = (Object.keys(MODES) as Mode[]).find((each) => call.is(3, MODES[each]));
  if (mode === undefined) throw new CommandError("ERR mode must be SILENT, FAIL, or FATAL");
  const options: Options = { mode, idsAt: 0, count: 0, force: false, retryCount: null };
  for (let i = 4; i < call.argc; i++) {
    const more = i + 1 < call.argc;
    if (more && call.is(i, IDS)) {
      options.count = call.safeInt(i + 1);
      if (!(options.count >= 1 && options.count <= INT_MAX))
        throw new CommandError("ERR numids must be a positive integer");
      options.idsAt = i + 2;
      if (options.count > call.argc - options.idsAt)
        throw new CommandError("ERR number of IDs doesn't match numids");
      i = options.idsAt + options.count - 1;
    } else if (call.is(i, FORCE)) options.force = true;
    else if (more && call.is(i, RETRYCOUNT)) {
      options.retryCount = new Counter().setBig(call.bigint(++i));
      if (options.retryCount.high < 0) throw new CommandError("ERR Invalid RETRYCOUNT value, must be >= 0");
    } else throw new CommandError(`ERR Unrecognized XNACK option '${whole(call, i)}'`);
  }
  if (options.idsAt === 0) throw new CommandError("ERR syntax error, expected IDS keyword");
  return options;
}

export function xnack(call: Call): void {
  const stream = streamAtForWrite(call, 1);
  const group = neededGroup(call, stream);
  const options = parse(call);
  const end = options.idsAt + options.count;
  for (let i = options.idsAt; i < end; i++) readStrictId(call, i, id);
  let released = 0;
  for (let i = options.idsAt; i < end; i++) {
    readStrictId(call, i, id);
    if (!group.pending.find(id, entry)) {
      if (!options.force || stream?.has(id) !== true) continue;
      group.addPending(id, nowOf(call), entry);
      // Nothing has been delivered.
      entry.setDeliveries(deliveries.set(0));
    }
    count(options);
    group.release(entry);
    released++;
  }
  if (released > 0) {
    forgetClaimable(group);
    call.db.newerStreams.note(call.db.find(call.buf, call.start[1]!, call.end[1]!));
  }
  call.dirty += released;
  call.besideContents = true;
  call.reply.int(released);
}

/** Sets the deliveries of `entry`. */
function count({ mode, retryCount }: Options): void {
  if (retryCount !== null) entry.setDeliveries(retryCount);
  else if (mode === "fatal") entry.setDeliveries(MOST_DELIVERIES);
  else if (mode === "silent" && !entry.deliveries(deliveries).isZero)
    entry.setDeliveries(deliveries.difference(deliveries, ONE));
}

const ONE = new Counter().set(1);
