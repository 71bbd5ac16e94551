import { below, HashTable, TableCursor } from "../encodings/hash-table.ts";
import {
  intsetAdd,
  intsetCreate,
  intsetGet,
  intsetHas,
  intsetLength,
  intsetRemove,
  intsetRemoveAt,
  parsed,
  parseMember,
} from "../encodings/intset.ts";
import {
  LP_MAX_BYTES,
  LpItem,
  lpAppend,
  lpCreate,
  lpDelete,
  lpFind,
  lpFirst,
  lpGet,
  lpInsertInt,
  lpLength,
  lpNext,
  lpSeek,
} from "../encodings/listpack.ts";
import { FORM_INTSET, FORM_LISTPACK, FORM_OBJECT, type HashSeeds, OwnHome, type ValueHome } from "./home.ts";

/**
 * The set type: an intset while all members are integers, a listpack while there are few and short ones, and
 * beyond that a hash table.
 *
 *   intset     to listpack with the first other member, if the listpack's limits allow; else to a table, as
 *              with more than set-max-intset-entries members
 *   listpack   to a table with more than set-max-listpack-entries members, or one that is longer than
 *              set-max-listpack-value
 *
 * Removing members converts nothing back.
 */

/** Live configuration: what is changed holds from the next operation on. */
export interface SetLimits {
  readonly setMaxIntsetEntries: number;
  readonly setMaxListpackEntries: number;
  readonly setMaxListpackValue: number;
}

/** Reading a set, whatever its encoding. */
export interface SetStore {
  /** Number of members. */
  readonly size: number;
  has(buf: Uint8Array, start: number, end: number): boolean;
  /** As `has`; the item may be an integer. */
  hasItem(member: LpItem): boolean;
  /** Begins an iteration over all members, each of which comes once; the set must not change meanwhile. */
  rewind(): void;
  /** Reads the next member into `member`; false at the end. */
  next(member: LpItem): boolean;
}

/** Longest intset, as Redis limits it whatever the directive says. */
const INTSET_LIMIT = 2 ** 30;
const NOT_FOUND = -1;

/** A set in its home. One instance stands for many sets in turn: `bind` first. */
export class SetValue implements SetStore {
  home!: ValueHome;
  private seeds!: HashSeeds;
  private at = 0;
  private readonly cursor = new TableCursor();

  constructor(private readonly limits: SetLimits) {}

  bind(home: ValueHome, seeds: HashSeeds): this {
    this.home = home;
    this.seeds = seeds;
    return this;
  }

  /** Makes the home an empty set fit for about `expected` members of which this is the first. */
  create(buf: Uint8Array, start: number, end: number, expected: number): void {
    const { limits } = this;
    if (expected <= limits.setMaxIntsetEntries && parseMember(buf, start, end)) this.createEmpty(FORM_INTSET);
    else if (expected <= limits.setMaxListpackEntries) this.createEmpty(FORM_LISTPACK);
    else this.home.setObject(this.newTable(expected));
  }

  /** Makes the home an empty set of this form (FORM_INTSET, FORM_LISTPACK). */
  createEmpty(form: number): void {
    this.home.setForm(form);
    if (form === FORM_INTSET) intsetCreate(this.home);
    else lpCreate(this.home);
  }

  /** Converts a set to which so many members are about to be added, if the limits ask for it. */
  expect(added: number): void {
    const { form } = this.home;
    const { limits } = this;
    if (
      (form === FORM_LISTPACK && added > limits.setMaxListpackEntries) ||
      (form === FORM_INTSET && added > limits.setMaxIntsetEntries)
    )
      this.toTable(added);
  }

  /** The table of FORM_OBJECT. */
  private get table(): HashTable {
    return this.home.object as HashTable;
  }

  get size(): number {
    const { home } = this;
    if (home.form === FORM_OBJECT) return this.table.count;
    return home.form === FORM_INTSET ? intsetLength(home) : lpLength(home);
  }

  has(buf: Uint8Array, start: number, end: number): boolean {
    const { home } = this;
    if (home.form === FORM_OBJECT) return this.table.find(buf, start, end);
    if (home.form === FORM_INTSET)
      return parseMember(buf, start, end) && intsetHas(home, parsed.low, parsed.high);
    return lpFind(home, lpFirst(home), buf, start, end, 0) !== 0;
  }

  hasItem(member: LpItem): boolean {
    if (member.isInt && this.home.form === FORM_INTSET) return intsetHas(this.home, member.low, member.high);
    member.text();
    return this.has(member.buf, member.start, member.end);
  }

  /** Adds a member, which must not lie in the set itself; false if it is there already. */
  add(buf: Uint8Array, start: number, end: number): boolean {
    const { home } = this;
    if (home.form === FORM_OBJECT) return this.table.add(buf, start, end);
    if (home.form === FORM_INTSET) {
      if (parseMember(buf, start, end)) return this.addInt(parsed.low, parsed.high);
      if (this.fitsListpack(end - start)) this.toListpack();
      else this.toTable(1);
      return this.add(buf, start, end);
    }
    if (lpFind(home, lpFirst(home), buf, start, end, 0) !== 0) return false;
    const { limits } = this;
    if (
      lpLength(home) < limits.setMaxListpackEntries &&
      end - start <= limits.setMaxListpackValue &&
      home.end - home.start + end - start < LP_MAX_BYTES
    ) {
      lpAppend(home, buf, start, end);
      return true;
    }
    this.toTable(1);
    return this.table.add(buf, start, end);
  }

  addItem(member: LpItem): boolean {
    if (member.isInt && this.home.form === FORM_INTSET) return this.addInt(member.low, member.high);
    member.text();
    return this.add(member.buf, member.start, member.end);
  }

  private addInt(low: number, high: number): boolean {
    const { home } = this;
    if (!intsetAdd(home, low, high)) return false;
    if (intsetLength(home) > this.intsetLimit) this.toTable(0);
    return true;
  }

  private get intsetLimit(): number {
    return Math.min(this.limits.setMaxIntsetEntries, INTSET_LIMIT);
  }

  /** Whether an intset with one more member of this length may be a listpack. */
  private fitsListpack(length: number): boolean {
    const { home, limits } = this;
    const count = intsetLength(home);
    if (count >= limits.setMaxListpackEntries || length > limits.setMaxListpackValue) return false;
    if (count === 0) return true;
    return (
      digits(intsetGet(home, 0, scratch)) <= limits.setMaxListpackValue &&
      digits(intsetGet(home, count - 1, scratch)) <= limits.setMaxListpackValue
    );
  }

  remove(buf: Uint8Array, start: number, end: number): boolean {
    const { home } = this;
    if (home.form === FORM_OBJECT) {
      if (!this.table.find(buf, start, end)) return false;
      this.table.remove();
      return true;
    }
    if (home.form === FORM_INTSET)
      return parseMember(buf, start, end) && intsetRemove(home, parsed.low, parsed.high);
    const at = lpFind(home, lpFirst(home), buf, start, end, 0);
    if (at === 0) return false;
    lpDelete(home, at);
    return true;
  }

  removeItem(member: LpItem): boolean {
    member.text();
    return this.remove(member.buf, member.start, member.end);
  }

  // ------------------------------------------------------------------ iterating and sampling

  rewind(): void {
    this.cursor.rewind();
    this.at = this.home.form === FORM_LISTPACK ? lpFirst(this.home) : 0;
  }

  next(member: LpItem): boolean {
    const { home } = this;
    if (home.form === FORM_OBJECT) {
      const { table } = this;
      if (!table.advance(this.cursor)) return false;
      member.isInt = false;
      table.readField(member);
      return true;
    }
    if (home.form === FORM_INTSET) {
      if (this.at >= intsetLength(home)) return false;
      intsetGet(home, this.at++, member);
      return true;
    }
    if (this.at === 0) return false;
    lpGet(home, this.at, member);
    this.at = lpNext(home, this.at);
    return true;
  }

  /** Reads a random member; every one has the same chance. The set must not be empty. */
  random(random: () => number, member: LpItem): void {
    const { home } = this;
    if (home.form === FORM_OBJECT) {
      this.table.random(random);
      member.isInt = false;
      this.table.readField(member);
      return;
    }
    this.at = below(random, this.size);
    if (home.form === FORM_INTSET) intsetGet(home, this.at, member);
    else {
      this.at = lpSeek(home, this.at);
      lpGet(home, this.at, member);
    }
  }

  /** Removes the member that `random` has just read. */
  removeRandom(): void {
    const { home } = this;
    if (home.form === FORM_OBJECT) this.table.remove();
    else if (home.form === FORM_INTSET) intsetRemoveAt(home, this.at);
    else lpDelete(home, this.at);
  }

  /** Members are found by their number as well: sampling without repetition is cheap then. */
  get isTable(): boolean {
    return this.home.form === FORM_OBJECT;
  }

  /** The number of the member that `random` has just read, in a table that does not change meanwhile. */
  get entry(): number {
    return this.home.form === FORM_OBJECT ? this.table.entry : NOT_FOUND;
  }

  /** Reads the member of this number (see `scan`, `entry`). */
  read(entry: number, member: LpItem): void {
    this.table.select(entry);
    member.isInt = false;
    this.table.readField(member);
  }

  /** Of a table: adds the numbers of about `count` members to `found`; see HashTable.scan. */
  scan(cursor: number, count: number, found: number[]): number {
    return this.table.scan(cursor, count, found);
  }

  // ------------------------------------------------------------------ converting

  private newTable(expected: number): HashTable {
    return new HashTable(this.seeds.seed0, this.seeds.seed1, false, expected);
  }

  private toTable(added: number): void {
    const table = this.newTable(this.size + added);
    for (this.rewind(); this.next(scratch); ) {
      scratch.text();
      table.add(scratch.buf, scratch.start, scratch.end);
    }
    this.home.setObject(table);
  }

  /** An intset becomes a listpack, in the order of its integers. */
  private toListpack(): void {
    const fresh = converted.clear();
    lpCreate(fresh);
    for (this.rewind(); this.next(scratch); ) lpInsertInt(fresh, 0, scratch.low, scratch.high);
    this.replaceBytes(FORM_LISTPACK);
  }

  /** A set of integers only becomes an intset, unless it has too many; as SINTERSTORE ends. */
  toIntset(): void {
    if (this.home.form === FORM_INTSET || this.size > this.intsetLimit) return;
    const fresh = converted.clear();
    intsetCreate(fresh);
    for (this.rewind(); this.next(scratch); ) {
      if (!scratch.isInt) {
        parseMember(scratch.buf, scratch.start, scratch.end);
        intsetAdd(fresh, parsed.low, parsed.high);
      } else intsetAdd(fresh, scratch.low, scratch.high);
    }
    this.replaceBytes(FORM_INTSET);
  }

  private replaceBytes(form: number): void {
    const { home } = this;
    home.setForm(form);
    home.resize(converted.end);
    home.buf.set(converted.buf.subarray(0, converted.end), home.start);
  }
}

/** The bytes of a form under construction. */
const converted = new OwnHome();
const scratch = new LpItem();

/** Characters of an integer's text. */
function digits(item: LpItem): number {
  item.text();
  return item.end - item.start;
}
