import { below, HashTable, TableCursor } from "../encodings/hash-table.ts";
import { NO_EXPIRY } from "../encodings/hash-table-segment.ts";
import {
  LP_MAX_BYTES,
  LpItem,
  lpAppend,
  lpCreate,
  lpDelete,
  lpFind,
  lpFirst,
  lpGet,
  lpLength,
  lpNext,
  lpReplace,
  lpSeek,
} from "../encodings/listpack.ts";
import { FORM_LISTPACK, FORM_OBJECT, type HashSeeds, type ValueHome } from "./home.ts";

/**
 * The hash type: a listpack of fields and values in turn while there are few and short ones, and beyond
 * hash-max-listpack-entries fields, or with a field or value longer than hash-max-listpack-value, a hash
 * table. Removing fields converts nothing back.
 *
 * A hash with a field that expires is a table as well. Fields that have expired and are still there can be
 * hidden: then they are not found and come up in no iteration, but count in `size`.
 */

/** Live configuration: what is changed holds from the next operation on. */
export interface HashLimits {
  readonly hashMaxListpackEntries: number;
  readonly hashMaxListpackValue: number;
}

/** Reading a hash, whatever its encoding. */
export interface HashStore {
  /** Number of fields, hidden ones included. */
  readonly size: number;
  /** Reads a field's value; false if there is no such field. */
  get(field: Uint8Array, start: number, end: number, value: LpItem): boolean;
  /** Begins an iteration over all fields, each of which comes once; the hash must not change meanwhile. */
  rewind(): void;
  /** Reads the next field and its value; false at the end. */
  next(field: LpItem, value: LpItem): boolean;
}

/** What `expiryOf` says of a field that does not exist. */
export const NO_FIELD = -2;

/** A hash in its home. One instance stands for many hashes in turn: `bind` first. */
export class HashValue implements HashStore {
  home!: ValueHome;
  private seeds!: HashSeeds;
  private at = 0;
  private readonly cursor = new TableCursor();
  /** The time by which expired fields are hidden, 0: none is. */
  private hiddenBy = 0;

  constructor(private readonly limits: HashLimits) {}

  bind(home: ValueHome, seeds: HashSeeds): this {
    this.home = home;
    this.seeds = seeds;
    this.hiddenBy = 0;
    return this;
  }

  /** Hides fields that have expired by now, until the next `bind`. */
  hideExpired(now: number): void {
    this.hiddenBy = this.home.form === FORM_OBJECT && this.table.soonest < now ? now : 0;
  }

  /** Whether fields may be hidden. */
  get hidesFields(): boolean {
    return this.hiddenBy !== 0;
  }

  /** Whether the table's current entry is hidden. */
  private isHidden(): boolean {
    return this.hiddenBy !== 0 && this.table.isDue(this.hiddenBy);
  }

  /** Makes the home an empty hash. */
  create(): void {
    this.home.setForm(FORM_LISTPACK);
    lpCreate(this.home);
  }

  /**
   * Converts a hash if the limits ask for it, given what is about to be set: so many fields, the longest of
   * fields and values, and the sum of their bytes.
   */
  expect(fields: number, longest: number, bytes: number): void {
    const { home, limits } = this;
    if (home.form === FORM_OBJECT) return;
    if (
      fields > limits.hashMaxListpackEntries ||
      longest > limits.hashMaxListpackValue ||
      home.end - home.start + bytes >= LP_MAX_BYTES
    )
      this.toTable(fields);
  }

  /** The table of FORM_OBJECT. */
  get table(): HashTable {
    return this.home.object as HashTable;
  }

  get isTable(): boolean {
    return this.home.form === FORM_OBJECT;
  }

  get size(): number {
    return this.home.form === FORM_OBJECT ? this.table.count : lpLength(this.home) >>> 1;
  }

  has(field: Uint8Array, start: number, end: number): boolean {
    if (this.home.form === FORM_OBJECT) return this.table.find(field, start, end) && !this.isHidden();
    return this.seek(field, start, end) !== 0;
  }

  get(field: Uint8Array, start: number, end: number, value: LpItem): boolean {
    const { home } = this;
    if (home.form === FORM_OBJECT) {
      const { table } = this;
      if (!table.find(field, start, end) || this.isHidden()) return false;
      value.isInt = false;
      table.readValue(value);
      return true;
    }
    const at = this.seek(field, start, end);
    if (at === 0) return false;
    lpGet(home, lpNext(home, at), value);
    return true;
  }

  private seek(field: Uint8Array, start: number, end: number): number {
    return lpFind(this.home, lpFirst(this.home), field, start, end, 1);
  }

  /**
   * Sets a field, neither it nor the value lying in the hash itself; returns whether it is new. Unless
   * `keepExpiry`, it loses the expiry it has.
   */
  set(
    field: Uint8Array,
    fieldStart: number,
    fieldEnd: number,
    value: Uint8Array,
    start: number,
    end: number,
    keepExpiry = false,
  ): boolean {
    const { home, limits } = this;
    if (home.form !== FORM_OBJECT) {
      const longest = limits.hashMaxListpackValue;
      if (fieldEnd - fieldStart > longest || end - start > longest) this.toTable(1);
      else return this.setInListpack(field, fieldStart, fieldEnd, value, start, end);
    }
    return this.table.set(field, fieldStart, fieldEnd, value, start, end, keepExpiry);
  }

  private setInListpack(
    field: Uint8Array,
    fieldStart: number,
    fieldEnd: number,
    value: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const { home } = this;
    const at = this.seek(field, fieldStart, fieldEnd);
    if (at !== 0) {
      lpReplace(home, lpNext(home, at), value, start, end);
      return false;
    }
    lpAppend(home, field, fieldStart, fieldEnd);
    lpAppend(home, value, start, end);
    if (this.size > this.limits.hashMaxListpackEntries) this.toTable(0);
    return true;
  }

  remove(field: Uint8Array, start: number, end: number): boolean {
    if (this.home.form === FORM_OBJECT) {
      if (!this.table.find(field, start, end)) return false;
      this.table.remove();
      return true;
    }
    const at = this.seek(field, start, end);
    if (at === 0) return false;
    lpDelete(this.home, at, 2);
    return true;
  }

  // ------------------------------------------------------------------ expiry

  /** When a field expires, in milliseconds since 1970; NO_EXPIRY, or NO_FIELD. */
  expiryOf(field: Uint8Array, start: number, end: number): number {
    if (!this.has(field, start, end)) return NO_FIELD;
    return this.home.form === FORM_OBJECT ? this.table.expiry : NO_EXPIRY;
  }

  /** Sets or takes (NO_EXPIRY) the expiry of a field that exists. */
  setExpiry(field: Uint8Array, start: number, end: number, at: number): void {
    if (this.home.form !== FORM_OBJECT) {
      if (at === NO_EXPIRY) return;
      this.toTable(0);
    }
    this.table.find(field, start, end);
    this.table.setExpiry(at);
  }

  /** Removes a field if it is hidden. */
  removeHidden(field: Uint8Array, start: number, end: number): boolean {
    if (this.hiddenBy === 0 || !this.table.find(field, start, end) || !this.isHidden()) return false;
    this.table.remove();
    return true;
  }

  // ------------------------------------------------------------------ iterating and sampling

  rewind(): void {
    this.cursor.rewind();
    this.at = this.home.form === FORM_LISTPACK ? lpFirst(this.home) : 0;
  }

  next(field: LpItem, value: LpItem): boolean {
    const { home } = this;
    if (home.form === FORM_OBJECT) {
      do if (!this.table.advance(this.cursor)) return false;
      while (this.isHidden());
      this.readCurrent(field, value);
      return true;
    }
    if (this.at === 0) return false;
    this.readPair(field, value);
    return true;
  }

  private readCurrent(field: LpItem, value: LpItem): void {
    field.isInt = value.isInt = false;
    this.table.readField(field);
    this.table.readValue(value);
  }

  private readPair(field: LpItem, value: LpItem): void {
    const { home } = this;
    lpGet(home, this.at, field);
    const at = lpNext(home, this.at);
    lpGet(home, at, value);
    this.at = lpNext(home, at);
  }

  /**
   * Reads a random field and its value; every one has the same chance, hidden ones as well. The hash must not
   * be empty.
   */
  random(random: () => number, field: LpItem, value: LpItem): void {
    if (this.home.form === FORM_OBJECT) {
      this.table.random(random);
      this.readCurrent(field, value);
    } else {
      this.at = lpSeek(this.home, below(random, this.size) * 2);
      this.readPair(field, value);
    }
  }

  /** The number of the field that `random` has just read, in a table that does not change meanwhile. */
  get entry(): number {
    return this.table.entry;
  }

  /** Reads the field of this number (see `scan`, `entry`); false if it is hidden. */
  read(entry: number, field: LpItem, value: LpItem): boolean {
    this.table.select(entry);
    if (this.isHidden()) return false;
    this.readCurrent(field, value);
    return true;
  }

  /** Of a table: adds the numbers of about `count` fields to `found`; see HashTable.scan. */
  scan(cursor: number, count: number, found: number[]): number {
    return this.table.scan(cursor, count, found);
  }

  // ------------------------------------------------------------------ converting

  private toTable(added: number): void {
    const table = new HashTable(this.seeds.seed0, this.seeds.seed1, true, this.size + added);
    for (this.rewind(); this.next(fieldScratch, valueScratch); ) {
      const field = fieldScratch.text();
      const value = valueScratch.text();
      table.set(field.buf, field.start, field.end, value.buf, value.start, value.end);
    }
    this.home.setObject(table);
  }
}

const fieldScratch = new LpItem();
const valueScratch = new LpItem();
