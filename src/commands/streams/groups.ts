import { latin1Bytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { NOTIFY } from "../../config/special.ts";
import { Counter, StreamId } from "../../encodings/stream-id.ts";
import { HARMLESS } from "../../keyspace/key-events.ts";
import { CommandError, subcommandSyntax } from "../../resp/errors.ts";
import type { Stream } from "../../types/stream.ts";
import type { ConsumerGroup } from "../../types/stream-groups.ts";
import { replyHelp } from "../help.ts";
import { newStream } from "./adding.ts";
import {
  groupAt,
  isChar,
  nowOf,
  readCounter,
  readId,
  readStrictId,
  streamAtForWrite,
  whole,
} from "./common.ts";

/** XGROUP: groups and consumers come and go. */

const MKSTREAM = latin1Bytes("mkstream");
const ENTRIESREAD = latin1Bytes("entriesread");
const DOLLAR = 36;
const NO_KEY =
  "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM " +
  "option to create an empty stream automatically.";

const HELP = [
  "CREATE <key> <group> <id|$> [MKSTREAM] [ENTRIESREAD <number>]",
  "    Give the stream at <key> a group that begins behind <id>. MKSTREAM creates the stream,",
  "    ENTRIESREAD says how many of its entries count as read.",
  "CREATECONSUMER <key> <group> <consumer>",
  "    Add a consumer to a group.",
  "DELCONSUMER <key> <group> <consumer>",
  "    Take a consumer out of a group, with all it has pending.",
  "DESTROY <key> <group>",
  "    Remove a group.",
  "SETID <key> <group> <id|$> [ENTRIESREAD <number>]",
  "    Let a group go on behind <id>.",
];

const id = new StreamId();
const entriesRead = new Counter();
let makeStream = false;

/** Options behind the ID of CREATE and SETID. */
function parseOptions(call: Call, creating: boolean): void {
  makeStream = false;
  entriesRead.set(-1);
  for (let i = 5; i < call.argc; i++) {
    if (creating && call.is(i, MKSTREAM)) makeStream = true;
    else if (i + 1 < call.argc && call.is(i, ENTRIESREAD)) {
      readCounter(call, ++i, entriesRead);
      if (entriesRead.high < 0 && (entriesRead.high & entriesRead.low) !== -1)
        throw new CommandError("ERR value for ENTRIESREAD must be positive or -1");
    } else malformed(call);
  }
}

function malformed(call: Call): never {
  throw new CommandError(subcommandSyntax(call.quoted(1), call.text(0)));
}

/** The stream in argument 2; throws where there is none. */
function neededStream(call: Call): Stream {
  const stream = streamAtForWrite(call, 2);
  if (stream === null) throw new CommandError(NO_KEY);
  return stream;
}

/** The group in argument 3; throws where there is none. */
export function groupOf(call: Call, stream: Stream): ConsumerGroup {
  const group = groupAt(call, stream, 3);
  if (group === null)
    throw new CommandError(
      `NOGROUP No such consumer group '${whole(call, 3)}' for key name '${whole(call, 2)}'`,
    );
  return group;
}

export function xgroupCreate(call: Call): void {
  parseOptions(call, true);
  let stream = streamAtForWrite(call, 2);
  if (stream === null && !makeStream) throw new CommandError(NO_KEY);
  if (call.argc > 8) malformed(call);
  if (!isChar(call, 4, DOLLAR)) readStrictId(call, 4, id);
  else if (stream === null) id.clear();
  else id.copy(stream.lastId);
  call.besideContents = stream !== null;
  stream ??= newStream(call, 2);
  if (stream.addGroup(call.bytes(3), id, entriesRead) === null)
    throw new CommandError("BUSYGROUP Consumer Group name already exists");
  call.dirty++;
  call.event(NOTIFY.stream | HARMLESS, "xgroup-create", 2);
  call.reply.ok();
}

export function xgroupSetid(call: Call): void {
  parseOptions(call, false);
  const stream = neededStream(call);
  const group = groupOf(call, stream);
  if (call.argc !== 5 && call.argc !== 7) malformed(call);
  if (isChar(call, 4, DOLLAR)) id.copy(stream.lastId);
  else readId(call, 4, id);
  group.lastId.copy(id);
  group.entriesRead.copy(entriesRead);
  call.dirty++;
  call.besideContents = true;
  call.event(NOTIFY.stream | HARMLESS, "xgroup-setid", 2);
  call.reply.ok();
}

export function xgroupDestroy(call: Call): void {
  const stream = neededStream(call);
  const group = groupAt(call, stream, 3);
  if (group === null) return call.reply.int(0);
  stream.removeGroup(group);
  call.dirty++;
  call.besideContents = true;
  call.event(NOTIFY.stream | HARMLESS, "xgroup-destroy", 2);
  call.reply.int(1);
}

export function xgroupCreateconsumer(call: Call): void {
  const group = groupOf(call, neededStream(call));
  if (group.consumer(call.buf, call.start[4]!, call.end[4]!) !== null) return call.reply.int(0);
  group.addConsumer(call.bytes(4), nowOf(call));
  call.dirty++;
  call.besideContents = true;
  call.event(NOTIFY.stream | HARMLESS, "xgroup-createconsumer", 2);
  call.reply.int(1);
}

export function xgroupDelconsumer(call: Call): void {
  const group = groupOf(call, neededStream(call));
  const consumer = group.consumer(call.buf, call.start[4]!, call.end[4]!);
  if (consumer === null) return call.reply.int(0);
  const pending = consumer.pending.size;
  group.removeConsumer(consumer);
  call.dirty++;
  call.besideContents = true;
  call.event(NOTIFY.stream | HARMLESS, "xgroup-delconsumer", 2);
  call.reply.int(pending);
}

export function xgroupHelp(call: Call): void {
  replyHelp(call, "xgroup", HELP);
}
