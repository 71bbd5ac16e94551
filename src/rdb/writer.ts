import { copyBytes } from "../bytes/ascii.ts";
import { Crc64 } from "../bytes/crc64.ts";
import { parseSafeInt, writeInt64 } from "../bytes/int64.ts";
import { lzfCompress } from "../bytes/lzf.ts";
import {
  LENGTH_14,
  LENGTH_32,
  LENGTH_64,
  MAX_INTEGER_TEXT,
  MIN_COMPRESSED,
  MIN_SAVED,
  STRING_INT8,
  STRING_INT16,
  STRING_INT32,
  STRING_LZF,
} from "./format.ts";

/**
 * Puts RDB together in a buffer. With a sink, the buffer is handed out whenever it is full, and a long string goes
 * past it; without one (DUMP) it grows.
 *
 *   buf   [ counted in the CRC | not yet ................ | room ]
 *         0                 counted                     pos      chunk
 */

/** Gets `buf[start, end)`, which is valid until it returns. */
export type RdbSink = (buf: Uint8Array, start: number, end: number) => void;

export interface WriterOptions {
  /** rdbcompression: long strings as LZF. */
  readonly compress: boolean;
  /** Longer strings are not compressed: it takes 3 to 20 ms a MiB. */
  readonly compressUpTo?: number;
  /** rdbchecksum: whether `finish` writes a checksum or zeros. */
  readonly checksum: boolean;
}

export const CHUNK_BYTES = 64 * 1024;
/** Bytes that a buffer without a sink may keep. */
const KEPT_BYTES = 1 << 20;
const MAX_SCRATCH = 1 << 20;

export class RdbWriter {
  buf: Uint8Array;
  pos = 0;
  /** Bytes written before those in the buffer. */
  private before = 0;
  private counted = 0;
  private readonly crc = new Crc64();
  private scratch = new Uint8Array(0);

  /** The options may change while it writes. */
  constructor(
    private readonly options: WriterOptions,
    private readonly sink: RdbSink | null = null,
    private readonly chunk = sink === null ? 1024 : CHUNK_BYTES,
  ) {
    this.buf = new Uint8Array(chunk);
  }

  /** Bytes written in all. */
  get bytes(): number {
    return this.before + this.pos;
  }

  /** Begins anew. */
  clear(): void {
    this.pos = this.before = this.counted = 0;
    this.crc.reset();
    if (this.buf.length > KEPT_BYTES) this.buf = new Uint8Array(this.chunk);
  }

  /** Makes room for so many bytes, less than a chunk. */
  private reserve(bytes: number): void {
    if (this.pos + bytes <= this.buf.length) return;
    if (this.sink !== null) return this.flush();
    const larger = new Uint8Array(Math.max(this.buf.length * 2, this.pos + bytes));
    copyBytes(larger, 0, this.buf, 0, this.pos);
    this.buf = larger;
  }

  /** Hands out what is in the buffer. */
  flush(): void {
    if (this.sink === null || this.pos === 0) return;
    this.count();
    const { pos } = this;
    this.before += pos;
    this.pos = this.counted = 0;
    this.sink(this.buf, 0, pos);
  }

  private count(): void {
    if (this.options.checksum) this.crc.update(this.buf, this.counted, this.pos);
    this.counted = this.pos;
  }

  /** The checksum of all before it (zeros without `checksum`). */
  writeChecksum(): void {
    this.reserve(8);
    this.count();
    if (this.options.checksum) this.crc.writeTo(this.buf, this.pos);
    else this.buf.fill(0, this.pos, this.pos + 8);
    this.pos += 8;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buf[this.pos++] = value;
  }

  raw(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const length = end - start;
    if (this.sink !== null && length >= this.chunk) {
      this.flush();
      if (this.options.checksum) this.crc.update(bytes, start, end);
      this.before += length;
      return this.sink(bytes, start, end);
    }
    this.reserve(length);
    copyBytes(this.buf, this.pos, bytes, start, end);
    this.pos += length;
  }

  /** A length, below 2^53. */
  length(value: number): void {
    this.reserve(9);
    const { buf } = this;
    if (value < 64) buf[this.pos++] = value;
    else if (value < 16384) {
      buf[this.pos++] = LENGTH_14 | (value >> 8);
      buf[this.pos++] = value & 255;
    } else if (value <= 0xffffffff) {
      buf[this.pos++] = LENGTH_32;
      this.bigEndian(value);
    } else {
      buf[this.pos++] = LENGTH_64;
      this.bigEndian(Math.floor(value / 4294967296));
      this.bigEndian(value);
    }
  }

  /** The unsigned 64-bit number (low, high) as a length. */
  length64(low: number, high: number): void {
    if (high === 0) return this.length(low >>> 0);
    this.reserve(9);
    this.buf[this.pos++] = LENGTH_64;
    this.bigEndian(high);
    this.bigEndian(low);
  }

  private bigEndian(value: number): void {
    for (let shift = 24; shift >= 0; shift -= 8) this.buf[this.pos++] = (value >>> shift) & 255;
  }

  private littleEndian(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.buf[this.pos++] = (value >>> shift) & 255;
  }

  /** 64 bits, little-endian; times. */
  int64(low: number, high: number): void {
    this.reserve(8);
    this.littleEndian(low);
    this.littleEndian(high);
  }

  /** A moment in milliseconds since 1970. */
  time(at: number): void {
    this.int64(at | 0, Math.floor(at / 4294967296) | 0);
  }

  double(value: number): void {
    view.setFloat64(0, value, true);
    this.int64(view.getInt32(0, true), view.getInt32(4, true));
  }

  /** A string: as an integer, compressed, or as it is. */
  string(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const length = end - start;
    if (length <= MAX_INTEGER_TEXT && length > 0 && bytes[start]! <= 57) {
      const value = parseSafeInt(bytes, start, end);
      if (value === (value | 0)) return this.integer(value);
    }
    if (length > MIN_COMPRESSED && this.options.compress && this.compressed(bytes, start, end)) return;
    this.length(length);
    this.raw(bytes, start, end);
  }

  /** The text of the 64-bit integer (low, high) as a string. */
  integerText(low: number, high: number): void {
    if (high === low >> 31) return this.integer(low);
    const end = writeInt64(digits, 0, low, high);
    this.length(end);
    this.raw(digits, 0, end);
  }

  private integer(value: number): void {
    this.reserve(5);
    const { buf } = this;
    if (value === (value << 24) >> 24) {
      buf[this.pos++] = STRING_INT8;
      buf[this.pos++] = value & 255;
    } else if (value === (value << 16) >> 16) {
      buf[this.pos++] = STRING_INT16;
      buf[this.pos++] = value & 255;
      buf[this.pos++] = (value >> 8) & 255;
    } else {
      buf[this.pos++] = STRING_INT32;
      this.littleEndian(value);
    }
  }

  private compressed(bytes: Uint8Array, start: number, end: number): boolean {
    const { compressUpTo } = this.options;
    if (compressUpTo !== undefined && end - start > compressUpTo) return false;
    const room = end - start - MIN_SAVED;
    if (this.scratch.length < room) this.scratch = new Uint8Array(Math.max(room, 1024));
    const length = lzfCompress(bytes, start, end, this.scratch, 0, room);
    if (length > 0) this.lzf(end - start, this.scratch, 0, length);
    if (this.scratch.length > MAX_SCRATCH) this.scratch = new Uint8Array(0);
    return length > 0;
  }

  /** A string that is compressed already. */
  lzf(rawLength: number, bytes: Uint8Array, start: number, end: number): void {
    this.byte(STRING_LZF);
    this.length(end - start);
    this.length(rawLength);
    this.raw(bytes, start, end);
  }
}

const digits = new Uint8Array(24);
const view = new DataView(new ArrayBuffer(8));
