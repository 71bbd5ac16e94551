import { copyBytes } from "../bytes/ascii.ts";
import { highHalf, lowHalf, parseInt64, parseSafeInt } from "../bytes/int64.ts";
import { NOTIFY } from "../config/special.ts";
import type { KeyspaceContext } from "./context.ts";
import { ExpiryWheel, WHEEL_ENTRY_BYTES } from "./expiry-wheel.ts";
import { FieldExpiry } from "./field-expiry.ts";
import { Index } from "./index.ts";
import { NewerStreams } from "./newer-streams.ts";
import {
  blockForm,
  ENC_BLOCK,
  ENC_EMBSTR,
  ENC_INT,
  ENC_OBJECT,
  ENC_RAW,
  inBlock,
  Records,
  TYPE_STRING,
} from "./record.ts";

/**
 * One database: records, the index over their keys and the wheel of their expiries.
 *
 * Keys come as ranges of a buffer, records go by their position (0: no such key). A position stays valid
 * until the record is written to; what moves a record returns its new position.
 */

/** For `expireAt` parameters: no expiry, or the one the key has. */
export const NO_EXPIRY = -1;
export const KEEP_EXPIRY = -2;
/** Longest value that SET keeps as embstr, as in Redis. */
export const EMBSTR_LIMIT = 44;

export class Database {
  readonly records = new Records();
  readonly index: Index;
  readonly wheel: ExpiryWheel;
  readonly fields = new FieldExpiry(this);
  readonly newerStreams = new NewerStreams(this);
  /** Snapshots that still walk it: flushed, it must not be taken apart meanwhile. */
  holds = 0;
  /** Keys with an expiry. */
  expires = 0;
  /** Sum of the expiries, relative to `base`: for the average TTL. */
  private expirySum = 0;
  private readonly base: number;
  /**
   * Wheel entries that the last compaction could not drop. A key set and deleted in turn with one and the same
   * expiry leaves many that all seem to stand; without this, compaction would start again at once, for ever.
   */
  private entriesKept = 0;
  /** The key that is added next takes the place of another: no "new" event. */
  private replacing = false;

  constructor(
    public id: number,
    readonly context: KeyspaceContext,
  ) {
    this.index = new Index(this.records, context.seed0, context.seed1);
    if (context.slots === true) this.index.trackSlots();
    this.wheel = new ExpiryWheel(context.clock.now);
    this.base = context.clock.now;
  }

  get size(): number {
    return this.index.count;
  }

  // ------------------------------------------------------------------ looking up

  /** The key's hash, from `context.hint` where it has been computed ahead. */
  private hash(buf: Uint8Array, start: number, end: number): number {
    const { hint } = this.context;
    return hint.start === start && hint.buf === buf ? hint.hash : this.index.hash(buf, start, end);
  }

  /** The key's record, or 0; a key found due is removed first. Neither statistics nor clocks change. */
  find(buf: Uint8Array, start: number, end: number): number {
    const hash = this.hash(buf, start, end);
    const position = this.index.find(hash, buf, start, end);
    if (position === 0 || !this.records.hasExpiry(position) || !this.isDue(position)) return position;
    return this.gone(hash, position, buf, start, end);
  }

  /** The key was found due. Whether it can be removed or not: for who asked, there is none. */
  private gone(hash: number, position: number, buf: Uint8Array, start: number, end: number): number {
    this.expire(hash, position);
    // Who adds the key next does so where the last `find` ended.
    this.index.find(hash, buf, start, end);
    return 0;
  }

  /** The key's record, or 0 also where it has fallen due; nothing is removed. */
  findLive(buf: Uint8Array, start: number, end: number): number {
    const position = this.index.find(this.index.hash(buf, start, end), buf, start, end);
    return position !== 0 && this.isDue(position) ? 0 : position;
  }

  /** As `find`, counted as a hit or miss, and the record's access clock is set. */
  lookup(buf: Uint8Array, start: number, end: number, touch = true): number {
    const position = this.visit(buf, start, end, touch);
    if (position === 0) this.missed(buf, start, end);
    else this.context.stats.hits++;
    return position;
  }

  /** A command wanted to read this key, and there is none. */
  missed(buf: Uint8Array, start: number, end: number): void {
    this.context.stats.misses++;
    this.event(NOTIFY.keyMiss, "keymiss", buf, start, end);
  }

  /** Tells of an event of this class (NOTIFY) at a key. */
  event(kind: number, name: string, buf: Uint8Array, start: number, end: number): void {
    const { events } = this.context;
    if ((events.classes & kind) !== 0) events.emit(kind, name, this.id, buf, start, end);
  }

  /** As `event`, at the key of this record. */
  eventAt(kind: number, name: string, position: number): void {
    const { records } = this;
    if ((this.context.events.classes & kind) === 0) return;
    const start = records.keyStart(position);
    this.event(kind, name, records.keyBytes(position), start, start + records.keyLength(position));
  }

  /** As `find` for a command that will write: sets the access clock, counts nothing. */
  lookupWrite(buf: Uint8Array, start: number, end: number): number {
    return this.visit(buf, start, end, true);
  }

  /** As `find`, and sets the access clock where told to. */
  private visit(buf: Uint8Array, start: number, end: number, touch: boolean): number {
    const { records, context } = this;
    if (context.access.lfu || !touch) {
      const position = this.find(buf, start, end);
      if (position !== 0 && touch) this.touch(position);
      return position;
    }
    const { index } = this;
    const { hint } = context;
    const hinted = hint.start === start && hint.buf === buf;
    if (hinted && hint.foundIn === index.serial && index.foundStands) {
      // The command before was for the same key: it has been found, and stamped, just now.
      const position = index.found;
      if (position !== 0 && !records.hasExpiry(position)) return position;
    }
    const hash = hinted ? hint.hash : index.hash(buf, start, end);
    const position = index.find(hash, buf, start, end);
    if (hinted) {
      hint.foundIn = index.serial;
      index.foundStands = true;
    }
    if (position === 0 || !records.stamp(position, context.clock.lruClock) || !this.isDue(position))
      return position;
    return this.gone(hash, position, buf, start, end);
  }

  touch(position: number): void {
    const { access } = this.context;
    this.records.setClock(position, access.touched(access.lfu ? this.records.clock(position) : 0));
  }

  isDue(position: number): boolean {
    const at = this.records.expireAt(position);
    return at >= 0 && this.context.clock.now > at && !this.context.ignoreExpiry;
  }

  // ------------------------------------------------------------------ strings

  /**
   * Sets the key to a string value, whatever it held; `expireAt` in milliseconds since 1970, NO_EXPIRY or
   * KEEP_EXPIRY. Integers in canonical form are kept as integers.
   */
  setString(
    buf: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    start: number,
    end: number,
    expireAt: number,
  ): number {
    const length = end - start;
    if (length <= 20 && length > 0 && value[start]! <= 57) {
      const number = parseSafeInt(value, start, end);
      if (!Number.isNaN(number))
        return this.setHalves(buf, keyStart, keyEnd, lowHalf(number), highHalf(number), expireAt);
      if (length > 15) {
        const big = parseInt64(value, start, end);
        if (big !== null)
          return this.setHalves(
            buf,
            keyStart,
            keyEnd,
            Number(BigInt.asIntN(32, big)),
            Number(big >> 32n),
            expireAt,
          );
      }
    }
    const encoding = length <= EMBSTR_LIMIT ? ENC_EMBSTR : ENC_RAW;
    return this.setBytes(buf, keyStart, keyEnd, encoding, value, start, end, expireAt);
  }

  /** As `setString`, in the inline encoding given: bytes that look like an integer stay bytes. */
  setBytes(
    buf: Uint8Array,
    keyStart: number,
    keyEnd: number,
    encoding: number,
    value: Uint8Array,
    start: number,
    end: number,
    expireAt: number,
  ): number {
    const position = this.prepareString(buf, keyStart, keyEnd, encoding, end - start, expireAt);
    if (this.records.encoding(position) === ENC_BLOCK)
      copyBytes(this.records.blocks.get(this.records.payloadLow(position)), 0, value, start, end);
    else copyBytes(this.records.bytes(position), this.records.valueOffset(position), value, start, end);
    return position;
  }

  /** Sets the key to the 64-bit integer (low, high). */
  setHalves(
    buf: Uint8Array,
    keyStart: number,
    keyEnd: number,
    low: number,
    high: number,
    expireAt: number,
  ): number {
    const position = this.prepareString(buf, keyStart, keyEnd, ENC_INT, 8, expireAt);
    this.records.setPayload(position, low, high);
    return position;
  }

  /** A record for the key with room for a string of this encoding and length, in place of what it held. */
  private prepareString(
    buf: Uint8Array,
    keyStart: number,
    keyEnd: number,
    encoding: number,
    length: number,
    expireAt: number,
  ): number {
    const { records, index } = this;
    const hash = this.hash(buf, keyStart, keyEnd);
    let old = index.find(hash, buf, keyStart, keyEnd);
    if (old !== 0 && records.hasExpiry(old) && this.isDue(old)) {
      this.expire(hash, old);
      old = index.find(hash, buf, keyStart, keyEnd);
    }
    if (expireAt === KEEP_EXPIRY) expireAt = old === 0 ? NO_EXPIRY : records.expireAt(old);
    const hadExpiry = old !== 0 && records.hasExpiry(old);
    if (old !== 0 && hadExpiry === expireAt >= 0 && records.type(old) === TYPE_STRING) {
      if (this.reuseString(old, encoding, length)) {
        if (hadExpiry) this.moveExpiry(hash, old, expireAt);
        this.touch(old);
        return old;
      }
    }
    const inline = encoding < 8 && records.fitsInline(keyEnd - keyStart, length);
    const kept = encoding >= 8 || inline ? encoding : ENC_BLOCK;
    const clock = old === 0 ? this.context.access.fresh() : records.clock(old);
    const position = records.create(TYPE_STRING, kept, buf, keyStart, keyEnd, length, expireAt, clock);
    if (kept === ENC_BLOCK) records.setPayload(position, records.blocks.alloc(length), 0);
    if (old === 0) {
      index.insertFound(hash, position);
      this.event(NOTIFY.new, "new", buf, keyStart, keyEnd);
    } else {
      records.setWheelTick(position, records.wheelTick(old));
      if (hadExpiry) this.forgetExpiry(records.expireAt(old));
      index.replaceFound(position);
      this.touch(position);
      records.free(old);
    }
    if (expireAt >= 0) this.noteExpiry(hash, position, expireAt);
    return position;
  }

  /** Whether the old record can take the new string where it stands; if so, it is made ready for it. */
  private reuseString(position: number, encoding: number, length: number): boolean {
    const { records } = this;
    const old = records.encoding(position);
    if (old >= 8 || encoding >= 8) return old === ENC_INT && encoding === ENC_INT;
    const slack = records.inlineRoom(position) - length;
    if (slack < 0 || (slack >= 16 && slack > records.arena.cellBytes(position) >> 2)) return false;
    // In the largest cell there has to be room for an expiry, should the key get one.
    if (length > 16384 && !records.fitsInline(records.keyLength(position), length)) return false;
    records.setEncoding(position, TYPE_STRING, encoding);
    records.setValueLength(position, length);
    return true;
  }

  // ------------------------------------------------------------------ expiry

  /**
   * Gives the record an expiry, or takes it (NO_EXPIRY); returns its position, which may be a new one.
   * The key must be the record's own.
   */
  setExpiry(position: number, at: number): number {
    const { records } = this;
    const hash = this.hashOf(position);
    const had = records.hasExpiry(position);
    if (had && at >= 0) {
      this.moveExpiry(hash, position, at);
      return position;
    }
    if (!had && at < 0) return position;
    if (had) this.forgetExpiry(records.expireAt(position));
    const fresh = records.reshape(position, at);
    this.index.replace(hash, position, fresh);
    if (at >= 0) this.noteExpiry(hash, fresh, at);
    return fresh;
  }

  private moveExpiry(hash: number, position: number, at: number): void {
    this.forgetExpiry(this.records.expireAt(position));
    this.records.writeExpiry(position, at);
    this.noteExpiry(hash, position, at);
  }

  private noteExpiry(hash: number, position: number, at: number): void {
    this.expires++;
    this.expirySum += at - this.base;
    const { context } = this;
    if (context.localWrites && !context.ignoreExpiry) context.listener.localExpiry(this, hash);
    this.file(hash, position, at);
  }

  private forgetExpiry(at: number): void {
    this.expires--;
    this.expirySum -= at - this.base;
  }

  private file(hash: number, position: number, at: number): void {
    const tick = this.wheel.tickOf(at);
    const filed = this.records.wheelTick(position);
    if (filed !== 0 && filed <= tick) return;
    this.wheel.add(hash, tick);
    this.records.setWheelTick(position, tick);
  }

  /** Removes a key that has fallen due, unless due keys are to stay. */
  private expire(hash: number, position: number): void {
    if (this.context.keepExpired && !this.context.localWrites) return;
    this.context.stats.expired++;
    const { records } = this;
    const bytes = records.keyBytes(position);
    const start = records.keyStart(position);
    this.context.listener.expired(this, bytes, start, start + records.keyLength(position));
    this.discard(hash, position);
  }

  /** Removes keys of this hash that have fallen due, even while due keys are to stay; whether one with an expiry is left. */
  expireLocally(hash: number): boolean {
    const { context } = this;
    let left = false;
    context.localWrites = true;
    this.index.forHash(hash, (position) => {
      if (!this.records.hasExpiry(position)) return;
      if (this.isDue(position)) this.expire(hash, position);
      else left = true;
    });
    context.localWrites = false;
    return left;
  }

  /**
   * Removes keys that have fallen due until `outOfTime`; returns whether some are left. Nothing is done
   * while due keys are to stay.
   */
  expireDue(outOfTime: () => boolean): boolean {
    if (this.context.keepExpired || this.context.ignoreExpiry) return false;
    const more = this.wheel.advance(this.context.clock.now, this.onDue, outOfTime);
    return more || this.fields.advance(outOfTime);
  }

  private readonly onDue = (hash: number, tick: number): void => {
    this.index.forHash(hash, (position) => {
      if (this.records.wheelTick(position) !== tick) return;
      this.records.setWheelTick(position, 0);
      const at = this.records.expireAt(position);
      if (at < 0) return;
      if (this.context.clock.now > at) this.expire(hash, position);
      else this.file(hash, position, at);
    });
  };

  /** Whether far more wheel entries are held than there are keys with an expiry, and than the last compaction left. */
  get wheelIsStale(): boolean {
    return this.wheel.entries > Math.max(this.expires, this.entriesKept) * 2 + 100_000;
  }

  /** Drops wheel entries of keys long gone; returns whether it is done. */
  compactWheel(outOfTime: () => boolean): boolean {
    const done = this.wheel.compact((hash, tick) => {
      let stands = false;
      this.index.forHash(hash, (position) => {
        if (this.records.wheelTick(position) === tick) stands = true;
      });
      return stands;
    }, outOfTime);
    if (done) this.entriesKept = this.wheel.entries;
    return done;
  }

  /** Average milliseconds to live of the keys with an expiry. */
  get averageTtl(): number {
    if (this.expires === 0) return 0;
    return Math.max(0, Math.floor(this.expirySum / this.expires + this.base - this.context.clock.now));
  }

  // ------------------------------------------------------------------ removing and moving

  /** Removes the record and frees its memory. */
  remove(position: number): void {
    this.discard(this.hashOf(position), position);
  }

  /** As `remove`, and a record for the same key is added next. */
  removeReplaced(position: number): void {
    this.remove(position);
    this.replacing = true;
  }

  private discard(hash: number, position: number): void {
    const at = this.records.expireAt(position);
    if (at >= 0) this.forgetExpiry(at);
    this.index.remove(hash, position);
    this.records.free(position);
  }

  /** A record for a key that does not exist, without expiry; the caller writes its value. */
  add(
    type: number,
    encoding: number,
    buf: Uint8Array,
    start: number,
    end: number,
    valueLength: number,
  ): number {
    const hash = this.index.hash(buf, start, end);
    const position = this.records.create(
      type,
      encoding,
      buf,
      start,
      end,
      valueLength,
      NO_EXPIRY,
      this.context.access.fresh(),
    );
    this.index.insert(hash, position);
    if (this.replacing) this.replacing = false;
    else this.event(NOTIFY.new, "new", buf, start, end);
    return position;
  }

  /**
   * A fresh record for the same key, type, expiry and clock, in place of `position` in the index. The old
   * cell can still be read; the caller moves the value over and then frees it.
   */
  recreate(position: number, encoding: number, valueLength: number): number {
    const { records } = this;
    const buf = records.keyBytes(position);
    const start = records.keyStart(position);
    const end = start + records.keyLength(position);
    const fresh = records.create(
      records.type(position),
      encoding,
      buf,
      start,
      end,
      valueLength,
      records.expireAt(position),
      records.clock(position),
    );
    records.setWheelTick(fresh, records.wheelTick(position));
    this.index.replace(this.index.hash(buf, start, end), position, fresh);
    return fresh;
  }

  hashOf(position: number): number {
    const start = this.records.keyStart(position);
    return this.index.hash(this.records.keyBytes(position), start, start + this.records.keyLength(position));
  }

  /**
   * Puts a copy of `source`'s record (of this or another database) under a key that must not exist here;
   * with `take`, blocks move instead of being copied and the source record is removed.
   */
  copyFrom(
    source: Database,
    from: number,
    buf: Uint8Array,
    start: number,
    end: number,
    take: boolean,
  ): number {
    const theirs = source.records;
    const encoding = theirs.encoding(from);
    const length = theirs.valueLength(from);
    const at = theirs.expireAt(from);
    const hash = this.index.hash(buf, start, end);
    const { records } = this;
    let kept = encoding;
    if (encoding < 8 && !records.fitsInline(end - start, length)) kept = blockForm(encoding);
    const clock = take ? theirs.clock(from) : this.context.access.fresh();
    const position = records.create(theirs.type(from), kept, buf, start, end, length, at, clock);
    if (encoding < 8) {
      const offset = theirs.valueOffset(from);
      const value = theirs.bytes(from);
      if (kept < 8)
        copyBytes(records.bytes(position), records.valueOffset(position), value, offset, offset + length);
      else {
        const block = records.blocks.alloc(length);
        copyBytes(records.blocks.get(block), 0, value, offset, offset + length);
        records.setPayload(position, block, 0);
      }
    } else if (inBlock(encoding)) {
      const bytes = theirs.blocks.get(theirs.payloadLow(from));
      records.setPayload(position, records.blocks.adopt(bytes.slice(0, length)), 0);
    } else if (encoding === ENC_OBJECT) {
      const id = theirs.payloadLow(from);
      const object = take ? theirs.objects.take(id) : theirs.objects.get(id).clone();
      records.setPayload(position, records.objects.put(object), 0);
    } else {
      records.setPayload(position, theirs.payloadLow(from), theirs.payloadHigh(from));
    }
    this.index.insert(hash, position);
    this.event(NOTIFY.new, "new", buf, start, end);
    if (at >= 0) this.noteExpiry(hash, position, at);
    if (encoding === ENC_OBJECT) {
      this.fields.note(position, true);
      this.newerStreams.note(position);
    }
    if (take) source.remove(from);
    return position;
  }

  /** Moves the cells of one sparse page elsewhere so that the page is given back; false if there is none. */
  emptySparsePage(): boolean {
    const { arena } = this.records;
    const page = arena.sparsestPage();
    if (page < 0) return false;
    arena.setAside(page);
    for (let position = arena.nextCell(page, 0); position !== 0; ) {
      const next = arena.nextCell(page, (position & 0x7fff) + 1);
      const hash = this.hashOf(position);
      this.index.replace(hash, position, this.records.relocate(position));
      position = next;
    }
    return true;
  }

  /** Bytes held: cells, blocks, index and wheel. */
  get memoryUse(): number {
    // Entries of the wheel that no key needs any more are room to be used again, as free cells of the arena are.
    const filed = Math.min(this.wheel.entries, this.expires) * WHEEL_ENTRY_BYTES;
    return this.dataBytes + this.index.memoryUse + filed + this.fields.memoryUse;
  }

  /** Bytes of keys and values alone, without big values (see `records.objects`). */
  get dataBytes(): number {
    return this.records.arena.usedBytes + this.records.blocks.usedBytes;
  }
}
