import { latin1Bytes, latin1Text } from "../bytes/ascii.ts";
import { SLOT_COUNT } from "../bytes/crc16.ts";
import { NAME_LENGTH } from "./node.ts";

/**
 * Messages of the cluster bus, in Redis's binary form, version 1. Numbers are big-endian; names and addresses are padded
 * with NULs.
 *
 *      0  "RCmb"                            2168  address of the sender (46), if it announces one
 *      4  length of the whole, 32 bits      2214  number of extensions, 16
 *      8  version, 16                       2216  (30 unused)
 *     10  client port, 16                   2246  client port of the other kind (TLS or not), 16
 *     12  type, 16                          2248  bus port, 16
 *     14  number of gossip entries, 16      2250  flags of the sender (node.ts), 16
 *     16  current epoch, 64                 2252  1: the cluster does not work for the sender
 *     24  configuration epoch, 64           2253  flags of the message (3)
 *     32  replication offset, 64            2256  body
 *     40  sender (40)
 *     80  slots (2048): a bit a slot
 *   2128  its master (40)
 *
 *   PING, PONG, MEET   gossip entries, then extensions:
 *                        name (40)  ping sent, 32  pong received, 32 (seconds)  address (46)  port, 16  bus port, 16
 *                        flags, 16  other port, 16  (2 unused)
 *                        length, 32  type, 16  (2 unused)  data, padded to a multiple of 8
 *   FAIL               name (40)
 *   PUBLISH[SHARD]     length of channel, 32, and of message, 32, channel, message
 *   UPDATE             configuration epoch, 64, name (40), slots (2048)
 *   others             nothing
 */
export const TYPE = {
  ping: 0,
  pong: 1,
  meet: 2,
  fail: 3,
  publish: 4,
  authRequest: 5,
  authAck: 6,
  update: 7,
  mfstart: 8,
  module: 9,
  publishShard: 10,
} as const;

/** As CLUSTER INFO counts them. */
export const TYPE_NAMES = [
  "ping",
  "pong",
  "meet",
  "fail",
  "publish",
  "auth-req",
  "auth-ack",
  "update",
  "mfstart",
  "module",
  "publishshard",
] as const;

export const EXTENSION = { hostname: 0, humanName: 1, forgottenNode: 2, shardId: 3 } as const;

/** Flags of a message. */
export const MESSAGE_FLAG = { paused: 1, forceAck: 2, extensions: 4 } as const;

export const SIGNATURE = latin1Bytes("RCmb");
const VERSION = 1;
const IP_LENGTH = 46;
export const SLOT_BYTES = SLOT_COUNT / 8;
export const HEADER_LENGTH = 2256;
const GOSSIP_LENGTH = 104;
const EXTENSION_HEADER = 8;
const FORGOTTEN_LENGTH = NAME_LENGTH + 8;

export interface Header {
  type: number;
  /** The client port, and the one of the other kind. */
  port: number;
  otherPort: number;
  busPort: number;
  currentEpoch: number;
  configEpoch: number;
  offset: number;
  sender: string;
  slots: Uint8Array;
  /** "": it has none. */
  master: string;
  ip: string;
  flags: number;
  ok: boolean;
  messageFlags: number;
}

export interface GossipEntry {
  name: string;
  /** Seconds since 1970. */
  pingSent: number;
  pongReceived: number;
  ip: string;
  port: number;
  otherPort: number;
  busPort: number;
  flags: number;
}

export type Extension =
  | { type: "hostname" | "humanName" | "shardId"; text: string }
  | { type: "forgottenNode"; name: string; seconds: number }
  | { type: "unknown"; number: number };

export type Body =
  | { kind: "presence"; gossip: GossipEntry[]; extensions: Extension[] }
  | { kind: "fail"; name: string }
  | { kind: "publish"; channel: Uint8Array; message: Uint8Array }
  | { kind: "update"; configEpoch: number; name: string; slots: Uint8Array }
  | { kind: "nothing" };

export interface Message {
  header: Header;
  body: Body;
}

// ------------------------------------------------------------------ writing

/** A message of this header, with room for its body behind it. */
function begin(header: Header, bodyLength: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(HEADER_LENGTH + bodyLength);
  const view = new DataView(bytes.buffer);
  bytes.set(SIGNATURE, 0);
  view.setUint32(4, bytes.length);
  view.setUint16(8, VERSION);
  view.setUint16(10, header.port);
  view.setUint16(12, header.type);
  view.setBigUint64(16, BigInt(header.currentEpoch));
  view.setBigUint64(24, BigInt(header.configEpoch));
  view.setBigUint64(32, BigInt(Math.max(0, header.offset)));
  putText(bytes, 40, header.sender, NAME_LENGTH);
  bytes.set(header.slots, 80);
  putText(bytes, 2128, header.master, NAME_LENGTH);
  putText(bytes, 2168, header.ip, IP_LENGTH - 1);
  view.setUint16(2246, header.otherPort);
  view.setUint16(2248, header.busPort);
  view.setUint16(2250, header.flags);
  bytes[2252] = header.ok ? 0 : 1;
  bytes[2253] = header.messageFlags;
  return { bytes, view };
}

export function encodePresence(
  header: Header,
  gossip: readonly GossipEntry[],
  extensions: readonly Extension[],
): Uint8Array {
  const known = extensions.filter(({ type }) => type !== "unknown");
  const length = known.reduce(
    (sum, extension) => sum + extensionLength(extension),
    gossip.length * GOSSIP_LENGTH,
  );
  const { bytes, view } = begin(header, length);
  view.setUint16(14, gossip.length);
  view.setUint16(2214, known.length);
  if (known.length > 0) bytes[2253] = bytes[2253]! | MESSAGE_FLAG.extensions;
  let at = HEADER_LENGTH;
  for (const entry of gossip) {
    putText(bytes, at, entry.name, NAME_LENGTH);
    view.setUint32(at + 40, entry.pingSent);
    view.setUint32(at + 44, entry.pongReceived);
    putText(bytes, at + 48, entry.ip, IP_LENGTH - 1);
    view.setUint16(at + 94, entry.port);
    view.setUint16(at + 96, entry.busPort);
    view.setUint16(at + 98, entry.flags);
    view.setUint16(at + 100, entry.otherPort);
    at += GOSSIP_LENGTH;
  }
  for (const extension of known) {
    putExtension(bytes, view, at, extension);
    at += extensionLength(extension);
  }
  return bytes;
}

function dataLength(extension: Extension): number {
  if (extension.type === "forgottenNode") return FORGOTTEN_LENGTH;
  if (extension.type === "unknown") return 0;
  // Texts but for the shard's ID end with a NUL.
  return extension.type === "shardId" ? NAME_LENGTH : extension.text.length + 1;
}

function extensionLength(extension: Extension): number {
  return EXTENSION_HEADER + Math.ceil(dataLength(extension) / 8) * 8;
}

function putExtension(bytes: Uint8Array, view: DataView, at: number, extension: Extension): void {
  if (extension.type === "unknown") return;
  view.setUint32(at, extensionLength(extension));
  view.setUint16(at + 4, EXTENSION[extension.type]);
  const data = at + EXTENSION_HEADER;
  if (extension.type === "forgottenNode") {
    putText(bytes, data, extension.name, NAME_LENGTH);
    view.setBigUint64(data + NAME_LENGTH, BigInt(extension.seconds));
  } else putText(bytes, data, extension.text, extension.text.length);
}

export function encodeFail(header: Header, name: string): Uint8Array {
  const { bytes } = begin(header, NAME_LENGTH);
  putText(bytes, HEADER_LENGTH, name, NAME_LENGTH);
  return bytes;
}

export function encodePublish(header: Header, channel: Uint8Array, message: Uint8Array): Uint8Array {
  const { bytes, view } = begin(header, 8 + channel.length + message.length);
  view.setUint32(HEADER_LENGTH, channel.length);
  view.setUint32(HEADER_LENGTH + 4, message.length);
  bytes.set(channel, HEADER_LENGTH + 8);
  bytes.set(message, HEADER_LENGTH + 8 + channel.length);
  return bytes;
}

export function encodeUpdate(
  header: Header,
  node: { readonly configEpoch: number; readonly name: string; readonly slots: Uint8Array },
): Uint8Array {
  const { bytes, view } = begin(header, 8 + NAME_LENGTH + SLOT_BYTES);
  view.setBigUint64(HEADER_LENGTH, BigInt(node.configEpoch));
  putText(bytes, HEADER_LENGTH + 8, node.name, NAME_LENGTH);
  bytes.set(node.slots, HEADER_LENGTH + 8 + NAME_LENGTH);
  return bytes;
}

/** A message that says no more than its header. */
export function encodePlain(header: Header): Uint8Array {
  return begin(header, 0).bytes;
}

function putText(bytes: Uint8Array, at: number, text: string, most: number): void {
  const length = Math.min(text.length, most);
  for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
}

// ------------------------------------------------------------------ reading

/** Reads a whole message. A text says what is wrong with it; null: it is of another version, and not for us. */
export function decode(bytes: Uint8Array): Message | string | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint16(8) !== VERSION) return null;
  const header = readHeader(bytes, view);
  const wrong = (expected: number): string =>
    `Received invalid ${TYPE_NAMES[header.type] ?? "unknown"} packet of length ${bytes.length} but expected length ${expected}`;
  const exactly = (length: number, body: () => Body): Message | string =>
    bytes.length === HEADER_LENGTH + length ? { header, body: body() } : wrong(HEADER_LENGTH + length);
  switch (header.type) {
    case TYPE.ping:
    case TYPE.pong:
    case TYPE.meet:
      return readPresence(header, bytes, view, wrong);
    case TYPE.fail:
      return exactly(NAME_LENGTH, () => ({ kind: "fail", name: getText(bytes, HEADER_LENGTH, NAME_LENGTH) }));
    case TYPE.publish:
    case TYPE.publishShard: {
      if (bytes.length < HEADER_LENGTH + 8) return wrong(HEADER_LENGTH + 8);
      const start = HEADER_LENGTH + 8;
      const channel = view.getUint32(HEADER_LENGTH);
      const message = view.getUint32(HEADER_LENGTH + 4);
      return exactly(8 + channel + message, () => ({
        kind: "publish",
        channel: bytes.subarray(start, start + channel),
        message: bytes.subarray(start + channel),
      }));
    }
    case TYPE.update:
      return exactly(8 + NAME_LENGTH + SLOT_BYTES, () => ({
        kind: "update",
        configEpoch: Number(view.getBigUint64(HEADER_LENGTH)),
        name: getText(bytes, HEADER_LENGTH + 8, NAME_LENGTH),
        slots: bytes.subarray(HEADER_LENGTH + 8 + NAME_LENGTH),
      }));
    case TYPE.authRequest:
    case TYPE.authAck:
    case TYPE.mfstart:
      return exactly(0, () => ({ kind: "nothing" }));
    default:
      return { header, body: { kind: "nothing" } };
  }
}

function readHeader(bytes: Uint8Array, view: DataView): Header {
  return {
    type: view.getUint16(12),
    port: view.getUint16(10),
    otherPort: view.getUint16(2246),
    busPort: view.getUint16(2248),
    currentEpoch: Number(view.getBigUint64(16)),
    configEpoch: Number(view.getBigUint64(24)),
    offset: Number(view.getBigUint64(32)),
    sender: getText(bytes, 40, NAME_LENGTH),
    slots: bytes.subarray(80, 80 + SLOT_BYTES),
    master: getText(bytes, 2128, NAME_LENGTH),
    ip: getText(bytes, 2168, IP_LENGTH),
    flags: view.getUint16(2250),
    ok: bytes[2252] === 0,
    messageFlags: bytes[2253]!,
  };
}

function readPresence(
  header: Header,
  bytes: Uint8Array,
  view: DataView,
  wrong: (expected: number) => string,
): Message | string {
  const count = view.getUint16(14);
  let at = HEADER_LENGTH + count * GOSSIP_LENGTH;
  if (at > bytes.length) return wrong(at);
  const gossip = Array.from({ length: count }, (_, i) =>
    readGossip(bytes, view, HEADER_LENGTH + i * GOSSIP_LENGTH),
  );
  const extensions: Extension[] = [];
  const some = (header.messageFlags & MESSAGE_FLAG.extensions) !== 0;
  for (let left = some ? view.getUint16(2214) : 0; left > 0; left--) {
    const length = at + EXTENSION_HEADER <= bytes.length ? view.getUint32(at) : EXTENSION_HEADER;
    const name = TYPE_NAMES[header.type];
    if (length % 8 !== 0 || length < EXTENSION_HEADER)
      return `Received a ${name} packet without proper padding (${length} bytes)`;
    if (at + length > bytes.length)
      return `Received invalid ${name} packet with extension data that exceeds total packet length (${bytes.length})`;
    extensions.push(readExtension(bytes, view, at, length));
    at += length;
  }
  return at === bytes.length ? { header, body: { kind: "presence", gossip, extensions } } : wrong(at);
}

function readGossip(bytes: Uint8Array, view: DataView, at: number): GossipEntry {
  return {
    name: getText(bytes, at, NAME_LENGTH),
    pingSent: view.getUint32(at + 40),
    pongReceived: view.getUint32(at + 44),
    ip: getText(bytes, at + 48, IP_LENGTH),
    port: view.getUint16(at + 94),
    busPort: view.getUint16(at + 96),
    flags: view.getUint16(at + 98),
    otherPort: view.getUint16(at + 100),
  };
}

function readExtension(bytes: Uint8Array, view: DataView, at: number, length: number): Extension {
  const number = view.getUint16(at + 4);
  const data = at + EXTENSION_HEADER;
  const room = length - EXTENSION_HEADER;
  switch (number) {
    case EXTENSION.hostname:
      return { type: "hostname", text: getText(bytes, data, room) };
    case EXTENSION.humanName:
      return { type: "humanName", text: getText(bytes, data, room) };
    case EXTENSION.shardId:
      return { type: "shardId", text: getText(bytes, data, Math.min(room, NAME_LENGTH)) };
    case EXTENSION.forgottenNode:
      if (room < FORGOTTEN_LENGTH) break;
      return {
        type: "forgottenNode",
        name: getText(bytes, data, NAME_LENGTH),
        seconds: Number(view.getBigUint64(data + NAME_LENGTH)),
      };
  }
  return { type: "unknown", number };
}

/** Up to the first NUL. */
function getText(bytes: Uint8Array, at: number, room: number): string {
  const end = bytes.indexOf(0, at);
  return latin1Text(bytes, at, end < 0 ? at + room : Math.min(end, at + room));
}
