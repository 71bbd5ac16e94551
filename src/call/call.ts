import { equalsLower, latin1Text } from "../bytes/ascii.ts";
import { parseInt64, parseInt64Rounded, parseSafeInt } from "../bytes/int64.ts";
import type { Database } from "../keyspace/database.ts";
import { CommandError, errors } from "../resp/errors.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { Request } from "../resp/request.ts";
import type { Session } from "./session.ts";

/**
 * One command being executed: a cursor over its arguments and what its handler works with.
 *
 * Argument i is `buf[start[i], end[i])`; argument 0 is the command's name (for a subcommand, argument 1 is
 * the subcommand's). One instance serves all commands of a connection event, so nothing is allocated for a
 * command; a handler must not keep it, nor `buf`, beyond its own return.
 */
export class Call {
  buf!: Uint8Array;
  start!: Int32Array;
  end!: Int32Array;
  argc = 0;
  session!: Session;
  db!: Database;
  reply!: ReplyWriter;
  /** Its flags where gates look at it (server/admission.ts): the command's, or what follows from its arguments. */
  flags = 0;
  /** Changes made to the data set by this command; 0 means there is nothing to propagate. */
  dirty = 0;
  /** Of keys that the row says may have been changed, the one argument whose key was; 0: all of them, -1: none. */
  changedKey = 0;
  /** After COPY and MOVE: the argument with the key that was changed, and in which database; for no other command. */
  arrivedAt = 0;
  arrivedIn = 0;
  /** What changed stands beside the key's contents (a stream's groups): a transaction that watches the key goes on. */
  besideContents = false;
  /** The command waits for something and has not replied (blocking/). */
  blocked = false;
  /** Whether somebody receives effects; where not, handlers need not put them together. */
  recording = false;
  /**
   * What to propagate instead of the command as it came, each an argument list; null: as it came. Where there
   * are effects, they are propagated even if nothing was dirty.
   */
  effects: Uint8Array[][] | null = null;
  /** What is propagated goes to replicas alone, not to the append-only file; the sink takes it back. */
  forReplicasOnly = false;
  /** Arguments that are secrets of this one call; see also the flag "sensitive" of a row. */
  secrets: number[] | null = null;

  load(request: Request): void {
    this.buf = request.buf;
    this.start = request.start;
    this.end = request.end;
    this.argc = request.argc;
  }

  /** Bytes of argument i. */
  length(i: number): number {
    return this.end[i]! - this.start[i]!;
  }

  /** A copy of argument i. */
  bytes(i: number): Uint8Array {
    return this.buf.slice(this.start[i]!, this.end[i]!);
  }

  /** Argument i as text, one character a byte. */
  text(i: number): string {
    return latin1Text(this.buf, this.start[i]!, this.end[i]!);
  }

  /** Argument i as error sentences quote it: at most so many bytes, and nothing from a NUL on, as C prints it. */
  quoted(i: number, most = 128): string {
    const text = latin1Text(this.buf, this.start[i]!, Math.min(this.end[i]!, this.start[i]! + most));
    const nul = text.indexOf("\0");
    return nul < 0 ? text : text.slice(0, nul);
  }

  /** Whether argument i is this word (given in lower case as bytes), in any case. */
  is(i: number, word: Uint8Array): boolean {
    return equalsLower(this.buf, this.start[i]!, this.end[i]!, word);
  }

  /** Argument i as an integer; throws "value is not an integer or out of range" beyond 64 bits. */
  int(i: number): number {
    const value = parseInt64Rounded(this.buf, this.start[i]!, this.end[i]!);
    if (Number.isNaN(value)) throw new CommandError(errors.notInteger);
    return value;
  }

  /** As `int`, of 32 bits; what exceeds them has an error sentence of its own. */
  int32(i: number): number {
    const value = this.int(i);
    if (value !== (value | 0)) throw new CommandError(errors.notInt32);
    return value;
  }

  /** As `int`, exact: NaN beyond 2^53, the caller then takes `bigint`. */
  safeInt(i: number): number {
    return parseSafeInt(this.buf, this.start[i]!, this.end[i]!);
  }

  bigint(i: number): bigint {
    const value = parseInt64(this.buf, this.start[i]!, this.end[i]!);
    if (value === null) throw new CommandError(errors.notInteger);
    return value;
  }

  /** The record under the key in argument i for reading, or 0. */
  lookup(i: number): number {
    return this.db.lookup(this.buf, this.start[i]!, this.end[i]!, !this.session.noTouch);
  }

  /** The record under the key in argument i for writing, or 0. */
  lookupWrite(i: number): number {
    return this.db.lookupWrite(this.buf, this.start[i]!, this.end[i]!);
  }

  /** Tells of an event of this class (NOTIFY) at the key in argument i. */
  event(kind: number, name: string, i: number, db = this.db): void {
    const { events } = db.context;
    if ((events.classes & kind) !== 0) events.emit(kind, name, db.id, this.buf, this.start[i]!, this.end[i]!);
  }

  /** To be filled with the fields that an event at a hash is about; null: nobody wants to know. */
  fieldsWanted(): Uint8Array[] | null {
    return this.db.context.events.wantsFields ? [] : null;
  }

  /** As `event`, at the hash in argument 1, about these fields. */
  fieldsEvent(kind: number, name: string, fields: readonly Uint8Array[] | null): void {
    this.event(kind, name, 1);
    if (fields === null || fields.length === 0) return;
    const { db, buf, start, end } = this;
    db.context.events.emitFields(kind, name, db.id, buf, start[1]!, end[1]!, fields);
  }

  /** The fields in each `step`th argument from `first` on, where somebody wants to know them. */
  fieldsFrom(first: number, end: number, step: number): Uint8Array[] | null {
    const fields = this.fieldsWanted();
    if (fields !== null) for (let i = first; i < end; i += step) fields.push(this.bytes(i));
    return fields;
  }

  /** Argument i is a secret: MONITOR and SLOWLOG show "(redacted)" in its place. */
  redact(i: number): void {
    (this.secrets ??= []).push(i);
  }

  isRedacted(i: number): boolean {
    return this.secrets?.includes(i) ?? false;
  }

  /** Propagates these arguments instead of the command as it came; may be called several times. */
  propagate(...args: Uint8Array[]): void {
    (this.effects ??= []).push(args);
  }
}
