import { lzfCompress } from "../../bytes/lzf.ts";

/**
 * How long a string is in an RDB file: as an integer where it is one of up to 32 bits, compressed where that is
 * shorter (and rdbcompression is on), else as it is. https://rdb.fnordig.de/file_format.html#string-encoding
 */
const INTEGER = /^(0|-?[1-9]\d{0,9})$/;
const WORTH_COMPRESSING = 20;

/** Bytes of a length in front of something. */
function lengthBytes(length: number): number {
  return length < 1 << 6 ? 1 : length < 1 << 14 ? 2 : 5;
}

export function serializedStringLength(bytes: Uint8Array, compress: boolean): number {
  if (bytes.length <= 11) {
    const text = Buffer.from(bytes).toString("latin1");
    const value = INTEGER.test(text) ? Number(text) : Number.NaN;
    if (value >= -128 && value <= 127) return 2;
    if (value >= -32768 && value <= 32767) return 3;
    if (value >= -2147483648 && value <= 2147483647) return 5;
  }
  if (compress && bytes.length > WORTH_COMPRESSING) {
    const compressed = compressedLength(bytes);
    if (compressed > 0) return 1 + lengthBytes(compressed) + lengthBytes(bytes.length) + compressed;
  }
  return lengthBytes(bytes.length) + bytes.length;
}

/** 0 where it would not get at least four bytes shorter. */
function compressedLength(bytes: Uint8Array): number {
  const out = new Uint8Array(bytes.length - 4);
  return lzfCompress(bytes, 0, bytes.length, out, 0, out.length);
}
