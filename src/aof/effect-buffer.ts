import { copyBytes, latin1Bytes } from "../bytes/ascii.ts";
import { digitsOf, writeInt } from "../bytes/int64.ts";
import type { Call } from "../call/call.ts";
import type { EffectSink } from "../call/execute.ts";

/**
 * Effects as bytes: each becomes a multibulk in one growing buffer, copied straight from where its arguments lie.
 *
 *   #TS:1700000000\r\n                              where aof-timestamp-enabled, once a second
 *   *1\r\n$5\r\nMULTI\r\n                           in front of what belongs together, where it is more than one
 *   *2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n               where the database is another one than before
 *   *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n
 *   *1\r\n$4\r\nEXEC\r\n
 *
 * Whether a group needs MULTI is known with its second command: the first one then moves to make room.
 */

export interface Stamps {
  readonly settings: { readonly aofTimestampEnabled: boolean };
  readonly clock: { readonly now: number };
}

const SMALLEST = 64 * 1024;
/** A buffer larger than this is given back after use. */
const KEEP = 1024 * 1024;
/** Room for a length line and the line ends of a bulk. */
const HEADER = 32;
/** Bytes up to which a loop copies faster than a call. */
const SHORT = 48;

const MULTI = latin1Bytes("*1\r\n$5\r\nMULTI\r\n");
const EXEC = latin1Bytes("*1\r\n$4\r\nEXEC\r\n");
const SELECT = latin1Bytes("*2\r\n$6\r\nSELECT\r\n");
const TIMESTAMP = latin1Bytes("#TS:");

export class EffectBuffer implements EffectSink {
  active = false;
  protected buf = new Uint8Array(SMALLEST);
  protected pos = 0;
  /** begin() calls without their end(); what they bracket starts at `groupStart`, `groupCount` commands. */
  protected depth = 0;
  private groupStart = 0;
  private groupCount = 0;
  private selected = -1;
  private timestamp = 0;

  constructor(private readonly stamps: Stamps) {}

  record(call: Call): void {
    const { effects } = call;
    if (effects === null) return this.wholeCall(call);
    this.begin();
    for (const args of effects) this.command(call.session.dbIndex, args);
    this.end();
  }

  private wholeCall(call: Call): void {
    const { buf, start, end, argc } = call;
    // The session's, not the database's own number: SWAPDB has just changed that.
    this.beforeCommand(call.session.dbIndex);
    this.reserve(HEADER);
    this.header(42, argc);
    for (let i = 0; i < argc; i++) this.bulk(buf, start[i]!, end[i]!);
  }

  /** Records one command that no call made: an expired or evicted key. */
  command(database: number, args: readonly Uint8Array[]): void {
    this.beforeCommand(database);
    this.reserve(HEADER);
    this.header(42, args.length);
    for (const arg of args) this.bulk(arg, 0, arg.length);
  }

  begin(): void {
    if (this.depth++ > 0) return;
    this.groupStart = this.pos;
    this.groupCount = 0;
  }

  end(): void {
    // A group that was open when the AOF was turned off is none any more.
    if (this.depth === 0 || --this.depth > 0 || this.groupCount < 2) return;
    this.reserve(EXEC.length);
    this.literal(EXEC);
  }

  /** The database that the next command needs no SELECT for; 0 where there is none. */
  get database(): number {
    return Math.max(0, this.selected);
  }

  /** A command is being recorded. */
  protected recorded(): void {}

  /** A command outside of any database and group. */
  protected literalCommand(args: readonly Uint8Array[]): void {
    this.reserve(HEADER);
    this.header(42, args.length);
    for (const arg of args) this.bulk(arg, 0, arg.length);
  }

  /** What stands in front of a command: annotation, MULTI once there is a second one, SELECT. */
  private beforeCommand(database: number): void {
    this.recorded();
    if (this.depth > 0) this.groupCount++;
    if (this.groupCount < 2 || this.depth === 0) this.annotate();
    else if (this.groupCount === 2) this.insertMulti();
    if (this.selected === database) return;
    this.selected = database;
    this.reserve(SELECT.length + 16);
    this.literal(SELECT);
    this.header(36, digitsOf(database));
    this.pos = writeInt(this.buf, this.pos, database);
    this.crlf();
  }

  private insertMulti(): void {
    this.reserve(MULTI.length);
    this.buf.copyWithin(this.groupStart + MULTI.length, this.groupStart, this.pos);
    this.buf.set(MULTI, this.groupStart);
    this.pos += MULTI.length;
  }

  private annotate(): void {
    if (!this.stamps.settings.aofTimestampEnabled) return;
    const seconds = Math.floor(this.stamps.clock.now / 1000);
    if (seconds <= this.timestamp) return;
    this.timestamp = seconds;
    this.reserve(32);
    this.literal(TIMESTAMP);
    this.pos = writeInt(this.buf, this.pos, seconds);
    this.crlf();
    if (this.depth > 0) this.groupStart = this.pos;
  }

  private header(mark: number, value: number): void {
    this.buf[this.pos++] = mark;
    if (value < 10) this.buf[this.pos++] = 48 + value;
    else this.pos = writeInt(this.buf, this.pos, value);
    this.crlf();
  }

  private bulk(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (this.buf.length - this.pos < length + HEADER) this.reserve(length + HEADER);
    const { buf } = this;
    let { pos } = this;
    buf[pos++] = 36;
    if (length < 10) buf[pos++] = 48 + length;
    else if (length < 100) {
      const tens = (length / 10) | 0;
      buf[pos++] = 48 + tens;
      buf[pos++] = 48 + length - tens * 10;
    } else pos = writeInt(buf, pos, length);
    buf[pos++] = 13;
    buf[pos++] = 10;
    if (length < SHORT) for (let i = start; i < end; i++) buf[pos++] = source[i]!;
    else {
      copyBytes(buf, pos, source, start, end);
      pos += length;
    }
    buf[pos++] = 13;
    buf[pos++] = 10;
    this.pos = pos;
  }

  private literal(bytes: Uint8Array): void {
    this.buf.set(bytes, this.pos);
    this.pos += bytes.length;
  }

  private crlf(): void {
    this.buf[this.pos] = 13;
    this.buf[this.pos + 1] = 10;
    this.pos += 2;
  }

  private reserve(length: number): void {
    const needed = this.pos + length;
    if (needed <= this.buf.length) return;
    const larger = new Uint8Array(Math.max(needed, this.buf.length * 2));
    copyBytes(larger, 0, this.buf, 0, this.pos);
    this.buf = larger;
  }

  // ------------------------------------------------------------------ for who takes the bytes away

  /** The next command begins with SELECT: what it follows may not be there. */
  protected forgetDatabase(): void {
    this.selected = -1;
  }

  /** The bytes have been taken. */
  protected clear(): void {
    this.pos = 0;
    if (this.buf.length > KEEP) this.buf = new Uint8Array(SMALLEST);
  }

  /** The first bytes have been taken. */
  protected drop(count: number): void {
    this.buf.copyWithin(0, count, this.pos);
    this.pos -= count;
  }

  /** Leaves out a group that is not complete. */
  protected dropGroup(): void {
    if (this.depth > 0) this.pos = this.groupStart;
    this.depth = 0;
    this.groupCount = 0;
  }
}
