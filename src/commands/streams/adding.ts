import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { Counter, StreamId } from "../../encodings/stream-id.ts";
import type { FieldSource } from "../../encodings/stream-node.ts";
import { HARMLESS } from "../../keyspace/key-events.ts";
import { TYPE_STREAM } from "../../keyspace/record.ts";
import { addObject } from "../../keyspace/value-bytes.ts";
import { CommandError, errors, wrongArity } from "../../resp/errors.ts";
import { Stream } from "../../types/stream.ts";
import { nowOf, readCounter, readStrictId, replyId, type StreamDeps, streamAtForWrite } from "./common.ts";
import {
  type Addition,
  answeredBefore,
  nameOfFields,
  noteAddition,
  propagateAddition,
} from "./idempotent.ts";
import { propagateEffectsOnly } from "./propagating.ts";
import { Removal } from "./references.ts";
import { TrimOptions } from "./trimming.ts";

/** XADD, XTRIM, XDEL, XSETID: what changes the entries of a stream. */

const XADD = latin1Bytes("XADD");
const ENTRIESADDED = latin1Bytes("entriesadded");
const MAXDELETEDID = latin1Bytes("maxdeletedid");
const ID_TOO_LOW = "ERR The ID specified in XADD is equal or smaller than the target stream top item";
/** Bytes of fields and values that one entry may have. */
const MAX_ENTRY = 2 ** 30;

const options = new TrimOptions();
const id = new StreamId();
const maxDeleted = new StreamId();
const top = new StreamId();
const added = new Counter();
const fields: FieldSource = {
  buf: new Uint8Array(0),
  start: new Int32Array(0),
  end: new Int32Array(0),
  first: 0,
  count: 0,
};

export function newStream(call: Call, key: number): Stream {
  const stream = new Stream();
  addObject(call.db, TYPE_STREAM, call.buf, call.start[key]!, call.end[key]!, stream);
  return stream;
}

export function xadd(call: Call, deps: StreamDeps): void {
  options.parse(call, deps, true);
  const first = options.idAt + 1;
  const count = call.argc - first;
  if (count < 2 || count % 2 === 1) throw new CommandError(wrongArity("xadd"));
  if (options.idForm === "given" && options.id.isZero)
    throw new CommandError("ERR The ID specified in XADD must be greater than 0-0");
  let stream = streamAtForWrite(call, 1);
  if (stream === null && options.noCreate) return call.reply.nil();
  const addition = options.idmpAt > 0 ? additionOf(call, first) : null;
  if (addition !== null && stream !== null && answeredBefore(call, stream, addition))
    return propagateEffectsOnly(call);
  chooseId(call, stream);
  if (call.end[call.argc - 1]! - call.start[first]! > MAX_ENTRY) checkSize(call, first);
  stream ??= newStream(call, 1);
  fields.buf = call.buf;
  fields.start = call.start;
  fields.end = call.end;
  fields.first = first;
  fields.count = count >> 1;
  const { streamNodeMaxBytes, streamNodeMaxEntries } = deps.config.values;
  limits.maxBytes = streamNodeMaxBytes;
  limits.maxEntries = streamNodeMaxEntries;
  stream.append(id, fields, limits);
  if (addition !== null) noteAddition(call, deps, stream, addition, id);
  call.dirty++;
  call.event(NOTIFY.stream, "xadd", 1);
  if (options.policy !== "keep") return finishWithReferences(call, stream, addition);
  if (stream.trim(options) > 0) call.event(NOTIFY.stream, "xtrim", 1);
  replyId(call.reply, id);
  if (
    call.recording &&
    (options.approximate || options.idForm !== "given" || options.policyAt > 0 || addition !== null)
  )
    call.propagate(...options.outcome(call, stream, id));
  if (addition !== null) propagateAddition(call, addition, id.bytes());
}

/** The producer, and the name it gave or that of the fields from argument `first` on. */
function additionOf(call: Call, first: number): Addition {
  const { idmpAt, idmpArgs } = options;
  return {
    producer: call.bytes(idmpAt + 1),
    name: idmpArgs === 3 ? call.bytes(idmpAt + 2) : nameOfFields(call, first),
  };
}

/** The end of an XADD that trims with regard to groups. */
function finishWithReferences(call: Call, stream: Stream, addition: Addition | null): void {
  const added = id.bytes();
  replyId(call.reply, id);
  const removal = new Removal(call, stream, options.policy);
  if (removal.trim(options) > 0) call.event(NOTIFY.stream, "xtrim", 1);
  if (!call.recording) return;
  const args = [XADD, call.bytes(1), added];
  for (let i = options.idAt + 1; i < call.argc; i++) args.push(call.bytes(i));
  call.propagate(...args);
  if (addition !== null) propagateAddition(call, addition, added);
  removal.propagateTrim();
}

const limits = { maxBytes: 0, maxEntries: 0 };
const NO_ID = new StreamId();

/** Sets `id` to that of the entry to be added; throws where there can be none. */
function chooseId(call: Call, stream: Stream | null): void {
  const last = stream === null ? NO_ID : stream.lastId;
  if (last.isMax)
    throw new CommandError("ERR The stream has exhausted the last possible ID, unable to add more items");
  if (options.idForm === "auto") {
    id.setTime(nowOf(call));
    if (id.compare(last) <= 0) id.copy(last).increment();
  } else {
    id.copy(options.id);
    if (options.idForm === "open" && id.hasTimeOf(last) && !id.copy(last).nextInTime())
      throw new CommandError(ID_TOO_LOW);
  }
  if (id.compare(last) <= 0) throw new CommandError(ID_TOO_LOW);
}

function checkSize(call: Call, first: number): void {
  let bytes = 0;
  for (let i = first; i < call.argc; i++) bytes += call.length(i);
  if (bytes > MAX_ENTRY) throw new CommandError("ERR Elements are too large to be stored");
}

export function xtrim(call: Call, deps: StreamDeps): void {
  options.parse(call, deps, false);
  const stream = streamAtForWrite(call, 1);
  if (stream === null) return call.reply.int(0);
  const removal = options.policy === "keep" ? null : new Removal(call, stream, options.policy);
  const removed = removal === null ? stream.trim(options) : removal.trim(options);
  call.dirty += removed;
  if (removed > 0) call.event(NOTIFY.stream, "xtrim", 1);
  if (removal !== null) removal.propagateTrim();
  else if (removed > 0 && (options.approximate || options.policyAt > 0) && call.recording)
    call.propagate(...options.outcome(call, stream, null));
  call.reply.int(removed);
}

export function xdel(call: Call): void {
  const stream = streamAtForWrite(call, 1);
  if (stream === null) return call.reply.int(0);
  for (let i = 2; i < call.argc; i++) readStrictId(call, i, id);
  let deleted = 0;
  let lostFirst = false;
  for (let i = 2; i < call.argc; i++) {
    readStrictId(call, i, id);
    if (!stream.delete(id)) continue;
    deleted++;
    if (id.compare(stream.firstId) === 0) lostFirst = true;
    if (id.compare(stream.maxDeletedId) > 0) stream.maxDeletedId.copy(id);
  }
  if (deleted > 0 && (lostFirst || stream.length === 0)) stream.refreshFirstId();
  call.dirty += deleted;
  if (deleted > 0) call.event(NOTIFY.stream, "xdel", 1);
  call.reply.int(deleted);
}

export function xsetid(call: Call): void {
  readStrictId(call, 2, id);
  maxDeleted.clear();
  let addedGiven = false;
  for (let i = 3; i < call.argc; i += 2) {
    const more = i + 1 < call.argc;
    if (more && call.is(i, ENTRIESADDED)) {
      readCounter(call, i + 1, added);
      addedGiven = true;
      if (added.high < 0) throw new CommandError("ERR entries_added must be positive");
    } else if (more && call.is(i, MAXDELETEDID)) {
      readStrictId(call, i + 1, maxDeleted);
      if (id.compare(maxDeleted) < 0)
        throw new CommandError(
          "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
        );
    } else throw new CommandError(errors.syntax);
  }
  const stream = streamAtForWrite(call, 1);
  if (stream === null) throw new CommandError(errors.noSuchKey);
  if (id.compare(stream.maxDeletedId) < 0)
    throw new CommandError("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id");
  if (stream.length > 0) {
    if (id.compare(stream.edgeId(false, true, top)) < 0)
      throw new CommandError("ERR The ID specified in XSETID is smaller than the target stream top item");
    if (addedGiven && stream.length > added.number())
      throw new CommandError(
        "ERR The entries_added specified in XSETID is smaller than the target stream length",
      );
  }
  stream.lastId.copy(id);
  if (addedGiven) stream.entriesAdded.copy(added);
  if (!maxDeleted.isZero) stream.maxDeletedId.copy(maxDeleted);
  call.dirty++;
  call.besideContents = true;
  call.event(NOTIFY.stream | HARMLESS, "xsetid", 1);
  call.reply.ok();
}
