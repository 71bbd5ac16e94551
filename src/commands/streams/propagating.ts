import { latin1Bytes, utf8 } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { Counter } from "../../encodings/stream-id.ts";
import type { Consumer, ConsumerGroup, PendingEntry } from "../../types/stream-groups.ts";

/**
 * What deliveries to a group's consumers are to the AOF and replicas: the state they lead to, entry by entry, in
 * the form of XCLAIM commands that can be repeated without harm.
 */

const XACK = latin1Bytes("XACK");
const XCLAIM = latin1Bytes("XCLAIM");
const XGROUP = latin1Bytes("XGROUP");
const SETID = latin1Bytes("SETID");
const CREATECONSUMER = latin1Bytes("CREATECONSUMER");
const ENTRIESREAD = latin1Bytes("ENTRIESREAD");
const TIME = latin1Bytes("TIME");
const RETRYCOUNT = latin1Bytes("RETRYCOUNT");
const FORCE = latin1Bytes("FORCE");
const JUSTID = latin1Bytes("JUSTID");
const LASTID = latin1Bytes("LASTID");
const ZERO = latin1Bytes("0");

const deliveries = new Counter();

/** The command itself is not propagated, whatever else is. */
export function propagateEffectsOnly(call: Call): void {
  if (call.recording) call.effects ??= [];
}

/**
 * The pending entry as it is now: whose, since when, how often delivered; and how far the group has come. Its ID
 * is written as in argument `idAt`, or in full where that is 0.
 */
export function propagateClaim(
  call: Call,
  key: number,
  group: ConsumerGroup,
  entry: PendingEntry,
  idAt = 0,
): void {
  if (!call.recording) return;
  call.propagate(
    XCLAIM,
    call.bytes(key),
    group.name,
    group.ownerOf(entry)!.name,
    ZERO,
    idAt > 0 ? call.bytes(idAt) : entry.readId().bytes(),
    TIME,
    utf8(String(entry.time)),
    RETRYCOUNT,
    counterText(entry.deliveries(deliveries)),
    FORCE,
    JUSTID,
    LASTID,
    group.lastId.bytes(),
  );
}

/** An entry that was nobody's is off the list. */
export function propagateAck(call: Call, key: number, group: ConsumerGroup, id: Uint8Array): void {
  if (call.recording) call.propagate(XACK, call.bytes(key), group.name, id);
}

/** How far the group has come, where no pending entry tells. */
export function propagateGroupId(call: Call, key: number, group: ConsumerGroup): void {
  if (!call.recording) return;
  call.propagate(
    XGROUP,
    SETID,
    call.bytes(key),
    group.name,
    group.lastId.bytes(),
    ENTRIESREAD,
    counterText(group.entriesRead),
  );
}

export function propagateNewConsumer(
  call: Call,
  key: number,
  group: ConsumerGroup,
  { name }: Consumer,
): void {
  if (call.recording) call.propagate(XGROUP, CREATECONSUMER, call.bytes(key), group.name, name);
}

function counterText(counter: Counter): Uint8Array {
  return utf8(((BigInt(counter.high) << 32n) | BigInt(counter.low)).toString());
}
