import { latin1Bytes, latin1Text } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { StreamId } from "../../encodings/stream-id.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { Stream } from "../../types/stream.ts";
import { DURATION, MAX_SIZE, Producers } from "../../types/stream-producers.ts";
import { nowOf, readStrictId, replyId, type StreamDeps, streamAtForWrite } from "./common.ts";

/**
 * Idempotent additions (Redis 8.6): `XADD key IDMP producer name * ...`, or with IDMPAUTO, where the fields and values
 * are the name; XCFGSET for how long and how many are remembered; XIDMPRECORD, which notes one of an entry that there
 * is. An addition is propagated as an XADD that every server understands, and an XIDMPRECORD behind it.
 */
const XIDMPRECORD = latin1Bytes("XIDMPRECORD");
const DURATION_OPTION = latin1Bytes("idmp-duration");
const MAX_SIZE_OPTION = latin1Bytes("idmp-maxsize");
const HASH_BYTES = 16;

const id = new StreamId();

/** What producers have added to the stream; from the first time that it is asked for. */
function producersOf(stream: Stream, { config }: StreamDeps): Producers {
  const { streamIdmpDuration, streamIdmpMaxsize } = config.values;
  return (stream.producers ??= new Producers(streamIdmpDuration, streamIdmpMaxsize));
}

/** The producer and the name of an XADD's addition. */
export interface Addition {
  readonly producer: Uint8Array;
  readonly name: Uint8Array;
}

const text = (bytes: Uint8Array): string => latin1Text(bytes, 0, bytes.length);

/** Answers an addition that was made before; whether it was. */
export function answeredBefore(call: Call, stream: Stream, { producer, name }: Addition): boolean {
  const known = stream.producers?.find(text(producer), text(name), nowOf(call)) ?? null;
  if (known === null) return false;
  stream.producers!.duplicates++;
  replyId(call.reply, known);
  call.besideContents = true;
  return true;
}

/** Notes an addition, and tells who follows. */
export function noteAddition(
  call: Call,
  deps: StreamDeps,
  stream: Stream,
  addition: Addition,
  added: StreamId,
): void {
  const { producer, name } = addition;
  producersOf(stream, deps).add(text(producer), text(name), added);
  noteNewer(call);
}

export function propagateAddition(call: Call, { producer, name }: Addition, added: Uint8Array): void {
  if (call.recording) call.propagate(XIDMPRECORD, call.bytes(1), producer, name, added);
}

function noteNewer({ db, buf, start, end }: Call): void {
  db.newerStreams.note(db.find(buf, start[1]!, end[1]!));
}

/** A name for fields and values, from argument `first` on, whatever their order. */
export function nameOfFields(call: Call, first: number): Uint8Array {
  const sum = new Uint8Array(HASH_BYTES);
  const length = new Uint8Array(4);
  for (let i = first; i < call.argc; i += 2) {
    const hasher = new Bun.CryptoHasher("sha256");
    new DataView(length.buffer).setUint32(0, call.length(i));
    hasher
      .update(length)
      .update(call.bytes(i))
      .update(call.bytes(i + 1));
    const digest = hasher.digest();
    let carry = 0;
    for (let j = 0; j < HASH_BYTES; j++) {
      carry += sum[j]! + digest[j]!;
      sum[j] = carry & 255;
      carry >>= 8;
    }
  }
  return sum;
}

export function xidmprecord(call: Call, deps: StreamDeps): void {
  readStrictId(call, 4, id);
  if (call.length(2) === 0) throw new CommandError("ERR producer ID must be non-empty");
  if (call.length(3) === 0) throw new CommandError("ERR idempotent ID must be non-empty");
  const stream = streamAtForWrite(call, 1);
  if (stream === null) throw new CommandError(errors.noSuchKey);
  // What is propagated may name an entry that was trimmed at once.
  if (!stream.has(id) && !call.session.isObeyed) throw new CommandError("ERR No such message in stream");
  const producers = producersOf(stream, deps);
  const known = producers.find(call.text(2), call.text(3), nowOf(call));
  if (known !== null && known.compare(id) !== 0)
    throw new CommandError("ERR IID already exists for this producer with a different stream ID");
  if (known === null) {
    producers.add(call.text(2), call.text(3), id);
    noteNewer(call);
    call.dirty++;
    call.besideContents = true;
  }
  call.reply.ok();
}

export function xcfgset(call: Call, deps: StreamDeps): void {
  const stream = streamAtForWrite(call, 1);
  if (stream === null) throw new CommandError(errors.noSuchKey);
  let duration = -1;
  let maxSize = -1;
  for (let i = 2; i < call.argc; i++) {
    const more = i + 1 < call.argc;
    if (more && call.is(i, DURATION_OPTION)) {
      if (duration !== -1) throw new CommandError("ERR IDMP-DURATION specified multiple times");
      duration = call.int(++i);
      if (duration < DURATION.least || duration > DURATION.most)
        throw new CommandError(
          `ERR IDMP-DURATION must be between ${DURATION.least} and ${DURATION.most} seconds`,
        );
    } else if (more && call.is(i, MAX_SIZE_OPTION)) {
      if (maxSize !== -1) throw new CommandError("ERR IDMP-MAXSIZE specified multiple times");
      maxSize = call.int(++i);
      if (maxSize < MAX_SIZE.least || maxSize > MAX_SIZE.most)
        throw new CommandError(
          `ERR IDMP-MAXSIZE must be between ${MAX_SIZE.least} and ${MAX_SIZE.most} entries`,
        );
    } else throw new CommandError(errors.syntax);
  }
  if (duration === -1 && maxSize === -1)
    throw new CommandError("ERR At least one parameter must be specified");
  const producers = producersOf(stream, deps);
  const changed = producers.configure(
    duration === -1 ? producers.duration : duration,
    maxSize === -1 ? producers.maxSize : maxSize,
  );
  if (changed) {
    noteNewer(call);
    call.dirty++;
    call.besideContents = true;
  }
  call.reply.ok();
}
