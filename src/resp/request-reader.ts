import { copyBytes } from "../bytes/ascii.ts";
import { parseInt64Rounded } from "../bytes/int64.ts";
import { splitWords } from "./inline.ts";
import { Request } from "./request.ts";

/**
 * The request reader: cuts a connection's bytes into commands.
 *
 *   *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n      multibulk: offsets into the chunk, nothing copied
 *   SET k v\r\n                                    inline: words are unquoted into a buffer of their own
 *
 * A command cut off by the end of its chunk is carried over: its bytes so far move to a buffer of the
 * connection, and parsing goes on where it stopped, so that no byte is looked at twice. Of the next chunk only as
 * much is copied behind them as the command needs; then reading crosses over to the chunk itself:
 *
 *   carry   [*3 .. $5 he][llo..]                  chunk   [llo..][*3 $3 SET ..] ...
 *                         copied                                ^ goes on here
 *
 * When a bulk's length is known the buffer is made large enough for it, but no larger than some times what has come: a
 * client that announces 512 MB and sends nothing costs nothing, and a long bulk in small pieces is hardly copied twice.
 */

export const READY = 1;
export const NEED_MORE = 0;
/** A command without any words: it is not answered, but `CLIENT REPLY SKIP` and ASKING are over with it. */
export const EMPTY_COMMAND = 2;
export const PROTOCOL_ERROR = -1;

/** A line without an end may be so long, as Redis counts. */
const INLINE_MAX = 64 * 1024;
/** One with an end too, but for what Redis may have read with the end. */
const LINE_MAX = INLINE_MAX + 16 * 1024;
const MULTIBULK_MAX = 0x7fffffff;
const UNAUTHENTICATED_ARGS = 10;
const UNAUTHENTICATED_BULK = 16384;
/** Room behind a long bulk, so that what follows it in the last chunk does not force another copy. */
const SLACK = 64 * 1024;
/** What is announced has room up to here, or up to so many times of what has come. */
const ADVANCE = 1 << 20;
const ADVANCE_FACTOR = 8;
/** A carry buffer up to this size is kept as it is, however little is left in it. */
const KEEP = 128 * 1024;
/** Bytes of a length line that are looked at one by one: more than any number has. */
const LENGTH_DIGITS = 24;
/** Bytes of a chunk that are first copied behind what is carried; where they do not do, twice as many. */
const PULL = 64;
const CR = 13;
const LF = 10;

/** Limits that the reader enforces; one object for all connections. */
export interface ReaderLimits {
  protoMaxBulkLen: number;
}

export class RequestReader {
  /** The last command read. */
  request: Request;
  /** What is wrong, after PROTOCOL_ERROR: the sentence of the reply. */
  error = "";
  /** False while the client still has to authenticate: small limits apply. */
  authenticated = true;

  private buf: Uint8Array = EMPTY;
  private pos = 0;
  private end = 0;
  /** Where the last command read begins, for `rewind`: an offset in the chunk, or in carried bytes the complement of one. */
  commandStart = 0;
  /** The offset where it does. */
  private begin = 0;
  private multibulkLeft = 0;
  private bulkLength = -1;
  private carried = false;
  /** The chunk that follows the carried bytes, and how much of it has been copied to them. */
  private behind: Uint8Array | null = null;
  private behindAt = 0;
  private pull = PULL;
  /** The command that was read last from carried bytes, while its chunk is worked on; for `rewind`. */
  private crossed: Uint8Array = EMPTY;
  private crossedEnd = 0;
  /** Where the chunk goes on behind it. */
  private crossedTo = 0;
  /** `request` belongs to this reader: it holds a command that came in several chunks. */
  private own = false;
  /** The last carry buffer, kept for the next cut command: a client that sends large ones sends more. */
  private spare: Uint8Array = EMPTY;
  /** Most bytes held since the last `trim`. */
  private peak = 0;

  /** `shared` is the request used for commands that lie whole in one chunk, the same for all readers. */
  constructor(
    private readonly limits: ReaderLimits,
    private readonly shared: Request,
  ) {
    this.request = shared;
  }

  /** Takes the next chunk; it is read, and must stay unchanged, until `finish`. */
  feed(chunk: Uint8Array): void {
    if (this.carried) {
      this.behind = chunk;
      this.behindAt = 0;
      this.pull = PULL;
    } else {
      this.buf = chunk;
      this.pos = 0;
      this.end = chunk.length;
    }
    if (this.held > this.peak) this.peak = this.held;
  }

  /**
   * To be called about once a second, between chunks. Gives memory back: all that holds no bytes where the
   * client is idle, else a spare buffer more than twice as large as what was held since the last call.
   */
  trim(idle: boolean): void {
    if (idle) {
      this.spare = EMPTY;
      if (this.carried && this.buf.length > this.end) {
        this.buf = this.buf.slice(0, this.end);
        if (this.multibulkLeft > 0) this.request.buf = this.buf;
      }
    } else if (this.spare.length > this.peak * 2) this.spare = new Uint8Array(this.peak);
    this.peak = this.end;
  }

  /** Reads the next command into `request`: READY, NEED_MORE or PROTOCOL_ERROR (then the rest is void). */
  next(): number {
    let state = this.step();
    while (state === EMPTY_COMMAND) state = this.step();
    return state;
  }

  /** As `next`, but tells of empty commands too. */
  step(): number {
    for (;;) {
      const state = this.read();
      if (!this.carried) {
        this.commandStart = this.begin;
        return state;
      }
      const { behind } = this;
      if (state === NEED_MORE && behind !== null) {
        this.pullMore(behind, Math.max(this.missing, this.pull));
        this.pull *= 2;
        continue;
      }
      this.commandStart = ~this.begin;
      // Where several commands were carried, those behind this one are read first.
      if (state === READY && behind !== null && this.end - this.pos <= this.behindAt) this.cross(behind);
      return state;
    }
  }

  /** Bytes of the bulk under way that are not there yet. */
  private get missing(): number {
    return this.bulkLength < 0 ? 0 : this.pos + this.bulkLength + 2 - this.end;
  }

  /** Copies so many bytes of the chunk, or what there is, behind the carried ones. */
  private pullMore(chunk: Uint8Array, bytes: number): void {
    const stop = Math.min(chunk.length, this.behindAt + bytes);
    const needed = this.end + stop - this.behindAt;
    if (needed > this.buf.length) {
      const whole = this.end + this.missing;
      this.grow(
        whole > needed ? advance(whole, needed) : needed < 1 << 20 ? needed * 2 : needed + (needed >> 2),
      );
    }
    copyBytes(this.buf, this.end, chunk, this.behindAt, stop);
    this.end = needed;
    this.behindAt = stop;
    if (stop === chunk.length) this.behind = null;
  }

  /** The carried command is read: what follows it is read from the chunk itself. */
  private cross(chunk: Uint8Array): void {
    this.crossed = this.buf;
    this.crossedEnd = this.pos;
    this.crossedTo = this.behindAt - (this.end - this.pos);
    this.buf = chunk;
    this.pos = this.crossedTo;
    this.end = chunk.length;
    this.carried = false;
    this.behind = null;
  }

  private read(): number {
    const { buf, end } = this;
    if (this.multibulkLeft === 0) {
      if (this.pos >= end) return NEED_MORE;
      this.begin = this.pos;
      if (buf[this.pos] !== 42) return this.readInline();
      const digit = this.pos + 3 < end && buf[this.pos + 2] === CR ? buf[this.pos + 1]! - 48 : -1;
      let count = digit;
      if (digit > 0 && digit <= 9) this.pos += 4;
      else count = this.readLength("mbulk", MULTIBULK_MAX);
      if (count === INCOMPLETE) return NEED_MORE;
      if (count === BAD) return this.fail("invalid multibulk length");
      if (count > UNAUTHENTICATED_ARGS && !this.authenticated)
        return this.fail("unauthenticated multibulk length");
      if (count === TOO_LONG) return PROTOCOL_ERROR;
      if (count <= 0) return EMPTY_COMMAND;
      this.multibulkLeft = count;
      this.request.argc = 0;
      this.request.buf = buf;
    }
    return this.readArguments();
  }

  /** The next command is to be read into this request, unless one is in the middle of being read. */
  use(request: Request): void {
    if (this.multibulkLeft > 0) return;
    request.trim();
    this.request = request;
    this.own = false;
  }

  /** Takes commands back: `next` will read again from the one that begins at `start`. */
  rewind(start: number): void {
    this.multibulkLeft = 0;
    this.bulkLength = -1;
    if (start >= 0 || this.carried) {
      this.pos = start < 0 ? ~start : start;
      return;
    }
    const { buf: chunk, crossed, crossedEnd, crossedTo } = this;
    const length = crossedEnd - ~start;
    this.buf = new Uint8Array(length + chunk.length - crossedTo);
    copyBytes(this.buf, 0, crossed, ~start, crossedEnd);
    copyBytes(this.buf, length, chunk, crossedTo, chunk.length);
    this.pos = 0;
    this.end = this.buf.length;
    this.carried = true;
  }

  /** Bytes not yet read, carried over to the next chunk. */
  get pending(): number {
    return this.carried ? this.end - this.pos : 0;
  }

  /** Bytes behind the last whole command read, while a chunk is worked on; and those that are carried over. */
  get rest(): number {
    return this.held - (this.multibulkLeft > 0 ? this.begin : this.pos);
  }

  /** Bytes held: of the chunk being worked on with what was carried over, or of what is carried. */
  get held(): number {
    return this.behind === null ? this.end : this.end + this.behind.length - this.behindAt;
  }

  /** Bytes read of a command that is not complete. */
  get argumentBytes(): number {
    return this.carried && this.multibulkLeft > 0 ? this.pos - this.begin : 0;
  }

  /** Bytes of the buffer that holds them, or is kept for more. */
  get capacity(): number {
    return this.buf.length + this.spare.length;
  }

  /** Bytes that the buffer will have beyond those when all that has been announced is there. */
  get announced(): number {
    const { missing } = this;
    return missing > 0 ? Math.max(0, roomFor(this.end + missing) - this.buf.length) : 0;
  }

  /** Ends the work on a chunk: what is left of a cut command moves to the carry buffer. */
  finish(): void {
    if (this.behind !== null) this.pullMore(this.behind, this.behind.length);
    if (this.crossed !== EMPTY) {
      this.spare = this.crossed;
      this.crossed = EMPTY;
    }
    const from = this.multibulkLeft > 0 ? this.begin : this.pos;
    const left = this.end - from;
    if (left === 0) {
      if (!this.own) this.request.trim();
      this.request = this.shared;
      this.own = false;
      if (this.carried) this.spare = this.buf;
      this.buf = EMPTY;
      this.pos = this.end = 0;
      this.carried = false;
      return;
    }
    if (this.multibulkLeft > 0 && !this.own) this.ownRequest();
    const needed = this.bulkLength >= 0 ? this.pos - from + this.bulkLength + 2 : 0;
    if (this.carried && (this.buf.length <= KEEP || Math.max(needed, left) * 4 >= this.buf.length)) {
      if (from > 0) {
        this.buf.copyWithin(0, from, this.end);
        this.rebase(from);
      }
      return;
    }
    const old = this.buf;
    const capacity = needed > left ? advance(needed, left) : Math.max(left * 2, 64);
    this.buf = this.spare.length >= capacity ? this.spare : new Uint8Array(capacity);
    this.spare = EMPTY;
    copyBytes(this.buf, 0, old, from, this.end);
    this.carried = true;
    this.rebase(from);
  }

  private rebase(from: number): void {
    this.pos -= from;
    this.end -= from;
    this.begin -= from;
    if (this.multibulkLeft > 0) {
      this.request.shift(-from);
      this.request.buf = this.buf;
    }
  }

  private readArguments(): number {
    const { buf, end, request } = this;
    let pos = this.pos;
    let left = this.multibulkLeft;
    let length = this.bulkLength;
    let { argc, start, end: ends } = request;
    this.bulkLength = -1;
    while (left > 0) {
      if (length < 0) {
        // The common form, "$" and one or two digits, without a call.
        const c1 = pos + 4 < end && buf[pos] === 36 ? buf[pos + 1]! - 48 : -1;
        if (c1 >= 0 && c1 <= 9 && buf[pos + 2] === CR) {
          length = c1;
          pos += 4;
        } else if (c1 > 0 && c1 <= 9 && buf[pos + 3] === CR && buf[pos + 2]! >= 48 && buf[pos + 2]! <= 57) {
          length = c1 * 10 + buf[pos + 2]! - 48;
          pos += 5;
        } else {
          this.pos = pos;
          this.multibulkLeft = left;
          // The length that an earlier call left behind belongs to an argument that is read by now.
          this.bulkLength = -1;
          if (pos >= end) return NEED_MORE;
          length = this.readLength("bulk", this.limits.protoMaxBulkLen);
          if (length === INCOMPLETE) return NEED_MORE;
          if (length === TOO_LONG) return PROTOCOL_ERROR;
          if (buf[pos] !== 36) return this.fail(`expected '$', got '${String.fromCharCode(buf[pos]!)}'`);
          if (length < 0) return this.fail("invalid bulk length");
          if (length > UNAUTHENTICATED_BULK && !this.authenticated)
            return this.fail("unauthenticated bulk length");
          pos = this.pos;
        }
      }
      const stop = pos + length;
      if (stop + 2 > end) {
        this.pos = pos;
        this.multibulkLeft = left;
        this.bulkLength = length;
        return NEED_MORE;
      }
      if (argc === start.length) {
        request.grow(argc * 2);
        ({ start, end: ends } = request);
      }
      start[argc] = pos;
      ends[argc++] = stop;
      request.argc = argc;
      pos = stop + 2;
      length = -1;
      left--;
    }
    this.pos = pos;
    this.multibulkLeft = 0;
    this.bulkLength = -1;
    return READY;
  }

  /** The number between the type byte at `pos` and CRLF; moves `pos` behind it. */
  private readLength(what: string, max: number): number {
    const { buf, end } = this;
    let at = this.pos;
    const near = Math.min(end, at + LENGTH_DIGITS);
    while (at < near && buf[at] !== CR && buf[at] !== 0) at++;
    if (at < end && buf[at] !== CR) at = this.lineEnd(CR);
    if (at === end) {
      if (!this.lineTooLong) return INCOMPLETE;
      this.fail(`too big ${what} count string`);
      return TOO_LONG;
    }
    if (at + 1 >= end) return INCOMPLETE;
    const value = parseInt64Rounded(buf, this.pos + 1, at);
    if (what === "bulk" && buf[this.pos] !== 36) return BAD;
    this.pos = at + 2;
    return Number.isNaN(value) || value > max ? BAD : value < 0 ? (what === "bulk" ? BAD : -1) : value;
  }

  private readInline(): number {
    const { buf, end } = this;
    const newline = this.lineEnd(LF);
    if (newline === end) return this.lineTooLong ? this.fail("too big inline request") : NEED_MORE;
    const stop = newline > this.pos && buf[newline - 1] === CR ? newline - 1 : newline;
    const words = splitWords(buf.subarray(this.pos, stop));
    if (words === null) return this.fail("unbalanced quotes in request");
    this.pos = newline + 1;
    const { request } = this;
    const whole = Request.of(words);
    request.argc = 0;
    request.buf = whole.buf;
    for (let i = 0; i < whole.argc; i++) request.push(whole.start[i]!, whole.end[i]!);
    return words.length === 0 ? EMPTY_COMMAND : READY;
  }

  /** Where the byte ends the line that begins at `pos`, or `end`. Behind a NUL nobody looks: so Redis has it. */
  private lineEnd(byte: number): number {
    const { buf, pos, end } = this;
    const limit = Math.min(end, pos + LINE_MAX);
    const at = indexWithin(buf, byte, pos, limit);
    return at === limit || indexWithin(buf, 0, pos, at) < at ? end : at;
  }

  /** Of a line whose end is not there. */
  private get lineTooLong(): boolean {
    return this.end - this.pos > INLINE_MAX && this.behind === null;
  }

  private fail(message: string): number {
    this.error = message;
    this.pos = this.end;
    this.multibulkLeft = 0;
    this.bulkLength = -1;
    return PROTOCOL_ERROR;
  }

  private grow(capacity: number): void {
    const bytes = new Uint8Array(capacity);
    copyBytes(bytes, 0, this.buf, 0, this.end);
    this.buf = bytes;
    if (this.multibulkLeft > 0) this.request.buf = bytes;
  }

  /** A command in the middle of being read keeps its offsets in a request of its own. */
  private ownRequest(): void {
    const from = this.request;
    const own = new Request();
    own.grow(Math.max(16, from.argc * 2));
    own.buf = from.buf;
    own.start.set(from.start.subarray(0, from.argc));
    own.end.set(from.end.subarray(0, from.argc));
    own.argc = from.argc;
    this.request = own;
    this.own = true;
  }
}

/** How large a buffer is made for `needed` bytes of which so many are there. */
function advance(needed: number, there: number): number {
  return Math.min(roomFor(needed), Math.max(ADVANCE, there * ADVANCE_FACTOR));
}

/** How large a buffer is once so many bytes are there, that were announced. */
function roomFor(bytes: number): number {
  return bytes + (bytes > SLACK ? SLACK : 16);
}

/** Where the byte stands in `buf[from, end)`, or `end`: what lies behind is an older chunk's. */
function indexWithin(buf: Uint8Array, byte: number, from: number, end: number): number {
  const at = buf.subarray(from, end).indexOf(byte);
  return at < 0 ? end : from + at;
}

const EMPTY = new Uint8Array(0);
const INCOMPLETE = -2;
const BAD = -3;
const TOO_LONG = -4;
