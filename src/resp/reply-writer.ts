import { copyBytes, textBytes, utf8 } from "../bytes/ascii.ts";
import { MAX_DOUBLE_TEXT, writeDouble } from "../bytes/double.ts";
import { writeInt, writeInt64 } from "../bytes/int64.ts";

/**
 * The reply writer: appends replies in RESP2 or RESP3 to one growing buffer that is written to the socket
 * once per event. What RESP2 lacks is written as the nearest RESP2 form, as Redis does: a map as a flat
 * array, a set or push as an array, a double, big number or verbatim string as a bulk string, a null as the
 * null bulk or null array, a boolean as an integer, an attribute not at all.
 */
export const FIRST_CAPACITY = 64 * 1024;
/** What a buffer may keep between events. */
const KEEP_CAPACITY = 1024 * 1024;

const OK = utf8("+OK\r\n");
const NULL_BULK = utf8("$-1\r\n");
const NULL_ARRAY = utf8("*-1\r\n");
const NULL3 = utf8("_\r\n");
const QUEUED = utf8("+QUEUED\r\n");
const PONG = utf8("+PONG\r\n");

const STAR = 42;
const DOLLAR = 36;
const COLON = 58;
const PLUS = 43;
const MINUS = 45;
const CR = 13;
const LF = 10;

/** A reply has grown beyond what its client may have waiting. */
export class ReplyTooLarge extends Error {}

export class ReplyWriter {
  buf: Uint8Array;
  pos = 0;
  /** Where the replies under way may end at the most; looked at when the buffer has to grow. */
  limit = Number.POSITIVE_INFINITY;
  /** Protocol version of the client being answered. */
  resp: 2 | 3 = 2;
  /** Error replies written, for statistics of the command under way; the last one's text. */
  errorCount = 0;
  /** How many of them have been counted against a command. */
  countedErrors = 0;
  lastError = "";
  /** It has been counted in the server's statistics already: a script passes a command's error on. */
  lastErrorCounted = false;

  constructor(private readonly firstCapacity = FIRST_CAPACITY) {
    this.buf = new Uint8Array(firstCapacity);
  }

  /** Makes room for `bytes` more. */
  reserve(bytes: number): void {
    if (this.pos + bytes <= this.buf.length) return;
    if (this.pos + bytes > this.limit) throw new ReplyTooLarge();
    const larger = new Uint8Array(Math.max(this.buf.length * 2, this.pos + bytes));
    copyBytes(larger, 0, this.buf, 0, this.pos);
    this.buf = larger;
  }

  /** Empties the buffer; one that has grown large is given back. */
  clear(): void {
    this.pos = 0;
    if (this.buf.length > KEEP_CAPACITY) this.buf = new Uint8Array(this.firstCapacity);
  }

  /** Hands the buffer over to the caller, who keeps it, and goes on with a new one, as large: much may follow. */
  surrender(): Uint8Array {
    const { buf } = this;
    this.buf = new Uint8Array(Math.min(buf.length, KEEP_CAPACITY));
    this.pos = 0;
    return buf;
  }

  /** Takes out what is written, for later; with the buffer only where that is not mostly empty. */
  take(): Uint8Array {
    if (this.pos > this.buf.length >> 3) return this.surrender();
    const bytes = this.buf.slice(0, this.pos);
    this.pos = 0;
    return bytes;
  }

  /** Appends bytes that are already in protocol form. */
  raw(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.reserve(end - start);
    copyBytes(this.buf, this.pos, bytes, start, end);
    this.pos += end - start;
  }

  ok(): void {
    this.raw(OK);
  }

  queued(): void {
    this.raw(QUEUED);
  }

  pong(): void {
    this.raw(PONG);
  }

  /** A status reply; the text must not contain CR or LF. */
  simple(text: string): void {
    this.line(PLUS, text);
  }

  /** An error reply: a code, a space, a sentence. Line breaks at either end go, others become spaces. */
  error(text: string): void {
    this.errorCount++;
    this.lastError = text;
    this.lastErrorCounted = false;
    this.line(MINUS, text.replace(/^[\r\n]+|[\r\n]+$/g, "").replace(/[\r\n]/g, " "));
  }

  /** An integer in the safe range. */
  int(value: number): void {
    this.reserve(24);
    this.buf[this.pos] = COLON;
    this.pos = writeInt(this.buf, this.pos + 1, value);
    this.crlf();
  }

  /** The 64-bit integer (low, high). */
  int64(low: number, high: number): void {
    this.reserve(24);
    this.buf[this.pos] = COLON;
    this.pos = writeInt64(this.buf, this.pos + 1, low, high);
    this.crlf();
  }

  bigint(value: bigint): void {
    this.line(COLON, value.toString());
  }

  bool(value: boolean): void {
    if (this.resp === 3) this.line(35, value ? "t" : "f");
    else this.int(value ? 1 : 0);
  }

  /** The null of the protocol version. */
  nil(): void {
    this.raw(this.resp === 3 ? NULL3 : NULL_BULK);
  }

  nilArray(): void {
    this.raw(this.resp === 3 ? NULL3 : NULL_ARRAY);
  }

  bulk(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const length = end - start;
    this.reserve(length + 16);
    let at = this.prefix(DOLLAR, length);
    copyBytes(this.buf, at, bytes, start, end);
    at += length;
    this.buf[at] = CR;
    this.buf[at + 1] = LF;
    this.pos = at + 2;
  }

  /** The text of the 64-bit integer (low, high) as a bulk string. */
  bulkInt64(low: number, high: number): void {
    this.reserve(40);
    const body = this.pos + 6;
    const end = writeInt64(this.buf, body, low, high);
    this.bulkInPlace(body, end);
  }

  bulkInt(value: number): void {
    this.reserve(40);
    const body = this.pos + 6;
    this.bulkInPlace(body, writeInt(this.buf, body, value));
  }

  /** Turns text of up to 99 bytes that stands at `body` (6 behind `pos`) into a bulk string. */
  private bulkInPlace(body: number, end: number): void {
    const at = this.prefix(DOLLAR, end - body);
    this.buf.copyWithin(at, body, end);
    this.pos = at + (end - body);
    this.crlf();
  }

  /** A bulk string of a text (see `textBytes`). */
  bulkText(text: string): void {
    this.bulk(textBytes(text));
  }

  double(value: number): void {
    this.reserve(MAX_DOUBLE_TEXT + 16);
    if (this.resp === 3) {
      this.buf[this.pos] = 44;
      this.pos = writeDouble(this.buf, this.pos + 1, value);
      this.crlf();
      return;
    }
    const body = this.pos + 6;
    this.bulkInPlace(body, writeDouble(this.buf, body, value));
  }

  /** A double that is already text (a long double has more digits than `double` prints). */
  doubleText(text: string): void {
    if (this.resp === 3) this.line(44, text);
    else this.bulkText(text);
  }

  bigNumber(digits: string): void {
    if (this.resp === 3) this.line(40, digits);
    else this.bulkText(digits);
  }

  /** A string with a format hint of three characters ("txt", "mkd"). */
  verbatim(format: string, text: string): void {
    if (this.resp === 2) return this.bulkText(text);
    const bytes = textBytes(text);
    this.reserve(bytes.length + 24);
    this.pos = this.prefix(61, bytes.length + 4);
    this.raw(utf8(`${format}:`));
    this.raw(bytes);
    this.crlf();
  }

  array(length: number): void {
    this.header(STAR, length);
  }

  /** `length` pairs follow. */
  map(length: number): void {
    if (this.resp === 3) this.header(37, length);
    else this.header(STAR, length * 2);
  }

  set(length: number): void {
    this.header(this.resp === 3 ? 126 : STAR, length);
  }

  push(length: number): void {
    this.header(this.resp === 3 ? 62 : STAR, length);
  }

  /** `length` pairs of attributes of the reply that follows; in RESP2 the caller must leave them out. */
  attribute(length: number): void {
    this.header(124, length);
  }

  /**
   * Begins an array of a length not known yet: returns a mark for `endDeferred`. Twelve bytes are kept for
   * the header, closed up when it is known.
   */
  deferred(): number {
    this.reserve(16);
    const mark = this.pos;
    this.pos += 12;
    return mark;
  }

  endDeferred(mark: number, kind: "array" | "map" | "set", length: number): void {
    const body = mark + 12;
    const end = this.pos;
    this.pos = mark;
    this[kind](length);
    if (this.pos !== body) this.buf.copyWithin(this.pos, body, end);
    this.pos += end - body;
  }

  private header(type: number, length: number): void {
    this.reserve(16);
    this.pos = this.prefix(type, length);
  }

  /** Type byte, length and CRLF; returns the position behind it. */
  private prefix(type: number, length: number): number {
    const { buf } = this;
    let at = this.pos;
    buf[at++] = type;
    if (length < 10) buf[at++] = 48 + length;
    else at = length < 100 ? two(buf, at, length) : writeInt(buf, at, length);
    buf[at] = CR;
    buf[at + 1] = LF;
    return at + 2;
  }

  private line(type: number, text: string): void {
    const bytes = textBytes(text);
    this.reserve(bytes.length + 3);
    this.buf[this.pos++] = type;
    this.raw(bytes);
    this.crlf();
  }

  private crlf(): void {
    this.reserve(2);
    this.buf[this.pos] = CR;
    this.buf[this.pos + 1] = LF;
    this.pos += 2;
  }
}

function two(buf: Uint8Array, at: number, value: number): number {
  const tens = (value / 10) | 0;
  buf[at] = 48 + tens;
  buf[at + 1] = 48 + value - tens * 10;
  return at + 2;
}
