/** Pieces of the RDB format, put together by hand. */
import { Crc64 } from "../../../src/bytes/crc64.ts";
import { lpAppend, lpCreate } from "../../../src/encodings/listpack.ts";
import { OwnBytes } from "../../../src/memory/byte-store.ts";

export type Arg = string | Uint8Array;

export function latin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

export function join(...parts: (Arg | number)[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    Buffer.concat(
      parts.map((part) =>
        typeof part === "number" ? Buffer.of(part) : Buffer.from(part as string, "latin1"),
      ),
    ),
  );
}

/** A payload of this body. */
export function payload(body: Uint8Array, version = 11): Uint8Array {
  const bytes = join(body, version & 255, version >> 8, new Uint8Array(8));
  const end = bytes.length - 8;
  new Crc64().update(bytes, 0, end).writeTo(bytes, end);
  return bytes;
}

/** A file of these parts, with a checksum where the version has one. */
export function file(version: number, ...parts: (Arg | number)[]): Uint8Array {
  const bytes = join(`REDIS${String(version).padStart(4, "0")}`, ...parts, 255);
  if (version < 5) return bytes;
  const sum = new Uint8Array(8);
  new Crc64().update(bytes, 0, bytes.length).writeTo(sum, 0);
  return join(bytes, sum);
}

/** A string of less than 64 bytes, or with a length of 32 bits. */
export function string(value: Arg): Uint8Array {
  const bytes = typeof value === "string" ? latin1(value) : value;
  if (bytes.length < 64) return join(bytes.length, bytes);
  const head = new Uint8Array(5);
  head[0] = 0x80;
  new DataView(head.buffer).setUint32(1, bytes.length);
  return join(head, bytes);
}

/** A ziplist entry's encoding and value: a text, or an integer in the smallest form. */
function ziplistValue(value: string | number | bigint): Uint8Array {
  if (typeof value === "string") {
    const bytes = latin1(value);
    if (bytes.length < 64) return join(bytes.length, bytes);
    if (bytes.length < 16384) return join(0x40 | (bytes.length >> 8), bytes.length & 255, bytes);
    const head = new Uint8Array(5);
    head[0] = 0x80;
    new DataView(head.buffer).setUint32(1, bytes.length);
    return join(head, bytes);
  }
  const number = Number(value);
  if (number >= 0 && number <= 12) return Uint8Array.of(0xf1 + number);
  const sizes: [number, number][] = [
    [1, 0xfe],
    [2, 0xc0],
    [3, 0xf0],
    [4, 0xd0],
    [8, 0xe0],
  ];
  const [size, code] = sizes.find(([n]) => Math.abs(number + 0.5) < 2 ** (8 * n - 1))!;
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
  return join(code, bytes.subarray(0, size));
}

export function ziplist(...values: (string | number | bigint)[]): Uint8Array {
  let entries = new Uint8Array(0);
  let before = 0;
  let tail = 10;
  for (const value of values) {
    const length = new Uint8Array(before < 254 ? 1 : 5);
    if (before < 254) length[0] = before;
    else {
      length[0] = 254;
      new DataView(length.buffer).setUint32(1, before, true);
    }
    const entry = join(length, ziplistValue(value));
    tail = 10 + entries.length;
    before = entry.length;
    entries = join(entries, entry);
  }
  const head = new Uint8Array(10);
  const view = new DataView(head.buffer);
  view.setUint32(0, entries.length + 11, true);
  view.setUint32(4, tail, true);
  view.setUint16(8, values.length, true);
  return join(head, entries, 255);
}

export function zipmap(...pairs: [string, string][]): Uint8Array {
  const length = (text: string): Uint8Array => {
    if (text.length < 254) return Uint8Array.of(text.length);
    const bytes = new Uint8Array(5);
    bytes[0] = 254;
    new DataView(bytes.buffer).setUint32(1, text.length, true);
    return bytes;
  };
  const fields = pairs.map(([name, value]) => join(length(name), name, length(value), 2, value, "??"));
  return join(Math.min(254, pairs.length), ...fields, 255);
}

/** A listpack of these elements; integers where they are texts of integers. */
export function listpack(...values: string[]): Uint8Array {
  const store = new OwnBytes();
  lpCreate(store);
  for (const value of values) lpAppend(store, latin1(value), 0, value.length);
  return store.buf.slice(0, store.end);
}

export function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
