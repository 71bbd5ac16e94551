import { copyBytes } from "../bytes/ascii.ts";
import { Crc64 } from "../bytes/crc64.ts";
import { parseDouble } from "../bytes/double.ts";
import { joinHalves, writeInt } from "../bytes/int64.ts";
import { lzfDecompress } from "../bytes/lzf.ts";
import {
  corrupt,
  DOUBLE_INF,
  DOUBLE_NAN,
  DOUBLE_NEG_INF,
  LENGTH_32,
  LENGTH_64,
  RdbError,
  STRING_INT8,
  STRING_INT16,
  STRING_INT32,
  STRING_LZF,
} from "./format.ts";

/**
 * Reads RDB from a window that a source fills again and again, or from a range of a buffer (RESTORE):
 *
 *   buf   [ done ....................... | to be read ........... | room ]
 *         0       counted in the CRC    pos                    limit
 *
 * No length is believed: before bytes are read or allocated it is compared with what is left. A string is read as
 * `data[start, end)`, which lies in the window wherever it can, and is valid until the next read.
 */

export interface RdbSource {
  /** Bytes not yet read; Infinity where that is not known (a pipe). */
  readonly left: number;
  /** Reads at most `length` bytes to `target` at `offset`; returns how many, 0 at the end. */
  read(target: Uint8Array, offset: number, length: number): number;
}

export const WINDOW_BYTES = 1 << 20;
/** What is allocated in advance of bytes that may never come. */
const PIECE_BYTES = 1 << 20;
const SCRATCH_BYTES = 64 * 1024;
/** Bytes that one byte of LZF can stand for: 264 by three. */
const LZF_RATIO = 88;
const EOF_TEXT = "Unexpected EOF reading RDB file";

const NO_SOURCE: RdbSource = { left: 0, read: () => 0 };

export class RdbReader {
  private buf: Uint8Array = EMPTY;
  private pos = 0;
  private limit = 0;
  private source: RdbSource = NO_SOURCE;
  /** Offset of `buf[0]` in what is read. */
  private base = 0;
  private counted = 0;
  private readonly crc = new Crc64();
  /** Where strings are decompressed to. */
  private scratch = EMPTY;
  /** The last string read. */
  data: Uint8Array = EMPTY;
  start = 0;
  end = 0;
  /** Whether `data` is a buffer of the string's own, which nobody else will use again. */
  owned = false;
  /** The last 64-bit number read. */
  low = 0;
  high = 0;

  /** `checksum`: whether to compute one; a range of a buffer is checked as a whole, beforehand. */
  constructor(private readonly checksum: boolean) {}

  /** Reads from this source from now on. */
  open(source: RdbSource, window = WINDOW_BYTES): this {
    this.use(new Uint8Array(window), 0, 0);
    this.source = source;
    return this;
  }

  /** Reads this range from now on. */
  use(buf: Uint8Array, start: number, end: number): this {
    this.buf = buf;
    this.pos = this.counted = start;
    this.limit = end;
    this.base = -start;
    this.source = NO_SOURCE;
    this.crc.reset();
    return this;
  }

  /** Lets go of what was read. */
  release(): void {
    this.use(EMPTY, 0, 0);
    this.data = EMPTY;
  }

  /** Lets go of the window; `offset` stays. */
  close(): void {
    this.base = this.offset;
    this.buf = this.data = EMPTY;
    this.pos = this.limit = this.counted = 0;
    this.source = NO_SOURCE;
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.base + this.pos;
  }

  /** Bytes to be read; Infinity where that is not known. */
  get left(): number {
    return this.limit - this.pos + this.source.left;
  }

  // ------------------------------------------------------------------ the window

  /** Makes so many bytes, at most a window, stand at `pos`. */
  private need(bytes: number): void {
    while (this.limit - this.pos < bytes) this.fill(bytes);
  }

  private fill(bytes: number): void {
    const { buf, source } = this;
    if (source === NO_SOURCE) throw new RdbError(EOF_TEXT, "short");
    if (this.pos + bytes > buf.length) {
      this.count();
      buf.copyWithin(0, this.pos, this.limit);
      this.base += this.pos;
      this.limit -= this.pos;
      this.pos = this.counted = 0;
    }
    const read = source.read(buf, this.limit, buf.length - this.limit);
    if (read <= 0) throw new RdbError(EOF_TEXT, "short");
    this.limit += read;
  }

  private count(): void {
    if (this.checksum) this.crc.update(this.buf, this.counted, this.pos);
    this.counted = this.pos;
  }

  /** Whether the next 8 bytes are the checksum of all before; "none" if they are zeros. */
  readChecksum(): "right" | "wrong" | "none" {
    this.need(8);
    this.count();
    const { buf, pos } = this;
    this.pos = this.counted = pos + 8;
    if (buf.subarray(pos, pos + 8).every((byte) => byte === 0)) return "none";
    return !this.checksum || this.crc.equalsAt(buf, pos) ? "right" : "wrong";
  }

  // ------------------------------------------------------------------ numbers

  byte(): number {
    if (this.pos === this.limit) this.need(1);
    return this.buf[this.pos++]!;
  }

  /** 32 bits, little-endian, signed. */
  int32(): number {
    this.need(4);
    const { buf, pos } = this;
    this.pos += 4;
    return buf[pos]! | (buf[pos + 1]! << 8) | (buf[pos + 2]! << 16) | (buf[pos + 3]! << 24);
  }

  /** 64 bits, little-endian; the number as far as a double holds it, exactly in `low` and `high`. */
  int64(): number {
    this.low = this.int32();
    this.high = this.int32();
    return joinHalves(this.low, this.high);
  }

  double(): number {
    this.int64();
    view.setInt32(0, this.low, true);
    view.setInt32(4, this.high, true);
    return view.getFloat64(0, true);
  }

  /** A double of versions before 8: its text behind a length byte. */
  textDouble(): number {
    const length = this.byte();
    if (length === DOUBLE_NEG_INF) return Number.NEGATIVE_INFINITY;
    if (length === DOUBLE_INF) return Number.POSITIVE_INFINITY;
    if (length === DOUBLE_NAN) return Number.NaN;
    this.bytes(length);
    const value = parseDouble(this.data, this.start, this.end);
    if (Number.isNaN(value)) corrupt("Invalid double");
    return value;
  }

  private bigEndian32(): number {
    this.need(4);
    const { buf, pos } = this;
    this.pos += 4;
    return ((buf[pos]! << 24) | (buf[pos + 1]! << 16) | (buf[pos + 2]! << 8) | buf[pos + 3]!) >>> 0;
  }

  /** A length; beyond 2^53 rounded. */
  length(): number {
    return this.lengthFrom(this.byte());
  }

  private lengthFrom(first: number): number {
    if (first < 0x40) return first;
    if (first < 0x80) return ((first & 0x3f) << 8) | this.byte();
    if (first === LENGTH_32) return this.bigEndian32();
    if (first === LENGTH_64) return this.bigEndian32() * 4294967296 + this.bigEndian32();
    return corrupt(`Unknown length encoding ${first} in rdbLoadLen()`);
  }

  /** A length that is a 64-bit number: into `low` and `high`. */
  length64(): void {
    const first = this.byte();
    if (first === LENGTH_64) {
      this.high = this.bigEndian32() | 0;
      this.low = this.bigEndian32() | 0;
    } else {
      this.high = 0;
      this.low = this.lengthFrom(first) | 0;
    }
  }

  /** A number of things that take at least so many bytes each. */
  countOf(bytesEach: number): number {
    const count = this.length();
    if (count * bytesEach > this.left) throw new RdbError(EOF_TEXT, "short");
    return count;
  }

  // ------------------------------------------------------------------ strings

  /** Reads a string; see `data`. */
  string(): void {
    const first = this.byte();
    if (first < STRING_INT8) return this.bytes(this.lengthFrom(first));
    switch (first) {
      case STRING_INT8:
        return this.digits((this.byte() << 24) >> 24);
      case STRING_INT16: {
        const low = this.byte();
        return this.digits(((low | (this.byte() << 8)) << 16) >> 16);
      }
      case STRING_INT32:
        return this.digits(this.int32());
      case STRING_LZF:
        return this.lzf();
      default:
        corrupt(`Unknown RDB string encoding type ${first & 0x3f}`);
    }
  }

  /** A copy of the next string. */
  stringCopy(): Uint8Array {
    this.string();
    return this.owned ? this.data : this.data.slice(this.start, this.end);
  }

  private digits(value: number): void {
    const at = this.room(24);
    this.end = writeInt(this.data, at, value);
  }

  /** Points `data` at a scratch buffer of so many bytes, or at a new one. */
  private room(bytes: number): number {
    this.owned = bytes > SCRATCH_BYTES;
    if (this.owned) this.data = allocate(bytes);
    else {
      if (this.scratch.length === 0) this.scratch = new Uint8Array(SCRATCH_BYTES);
      this.data = this.scratch;
    }
    this.start = 0;
    this.end = bytes;
    return 0;
  }

  /** Reads so many bytes as they are. */
  bytes(length: number): void {
    if (length > this.left) throw new RdbError(EOF_TEXT, "short");
    if (length <= this.limit - this.pos || length <= this.buf.length) {
      this.need(length);
      this.data = this.buf;
      this.start = this.pos;
      this.end = this.pos += length;
      this.owned = false;
    } else this.longBytes(length);
  }

  /** Bytes that exceed the window, into a buffer of their own, which grows only as they come. */
  private longBytes(length: number): void {
    const known = this.source.left !== Number.POSITIVE_INFINITY;
    let data = allocate(known ? length : Math.min(length, PIECE_BYTES));
    const rest = this.limit - this.pos;
    let filled = rest;
    copyBytes(data, 0, this.buf, this.pos, this.limit);
    this.pos = this.limit;
    this.count();
    while (filled < length) {
      if (filled === data.length) {
        const larger = allocate(Math.min(length, data.length * 2));
        copyBytes(larger, 0, data, 0, filled);
        data = larger;
      }
      const read = this.source.read(data, filled, Math.min(data.length - filled, PIECE_BYTES));
      if (read <= 0) throw new RdbError(EOF_TEXT, "short");
      if (this.checksum) this.crc.update(data, filled, filled + read);
      filled += read;
    }
    this.base += length - rest;
    this.data = data;
    this.start = 0;
    this.end = length;
    this.owned = true;
  }

  private lzf(): void {
    const length = this.length();
    const rawLength = this.length();
    if (rawLength > length * LZF_RATIO) corrupt("Invalid LZF compressed string");
    this.bytes(length);
    const { data, start, end } = this;
    this.room(rawLength);
    if (lzfDecompress(data, start, end, this.data, 0, rawLength) !== rawLength)
      corrupt("Invalid LZF compressed string");
  }
}

const EMPTY = new Uint8Array(0);
const view = new DataView(new ArrayBuffer(8));

function allocate(bytes: number): Uint8Array {
  try {
    return new Uint8Array(bytes);
  } catch {
    return corrupt(`Failed allocating ${bytes} bytes`);
  }
}
