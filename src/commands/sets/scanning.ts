import { latin1Bytes } from "../../bytes/ascii.ts";
import { globMatchAt } from "../../bytes/glob.ts";
import type { Call } from "../../call/call.ts";
import { TABLE_CURSOR_END } from "../../encodings/hash-table-scan.ts";
import { LpItem } from "../../encodings/listpack.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import { replyItem, type Sets } from "./values.ts";

/** SSCAN, and what it shares with HSCAN: the cursor and the options of a scan through one key. */

const MATCH = latin1Bytes("match");
const COUNT = latin1Bytes("count");
const NOVALUES = latin1Bytes("novalues");
const DEFAULT_COUNT = 10;
const STAR = 42;

const item = new LpItem();
const found: number[] = [];

/**
 * A cursor in argument i: what C's strtoul reads as 64 bits. One that no scan has returned begins anew.
 */
export function cursorAt(call: Call, i: number, limit = TABLE_CURSOR_END): number {
  const text = call.text(i);
  const cursor = Number(text);
  if (!/^([+-]?[0-9]+)?$/.test(text) || (Math.abs(cursor) >= 2 ** 64 && exceeds64Bits(text)))
    throw new CommandError("ERR invalid cursor");
  return cursor >= 0 && cursor < limit ? cursor : 0;
}

/** For what rounds to 2^64: whether it is really beyond 64 bits. */
function exceeds64Bits(text: string): boolean {
  return BigInt(text.replace(/^[+-]/, "")) >= 2n ** 64n;
}

/** The options of SSCAN, HSCAN and ZSCAN. One instance is filled anew for each command. */
export class ScanOptions {
  count = DEFAULT_COUNT;
  /** HSCAN: fields alone are returned (Redis 7.4). */
  noValues = false;
  /** The argument with the pattern, or 0. */
  private pattern = 0;
  private call!: Call;

  parse(call: Call, from: number, withValues = false): this {
    this.call = call;
    this.noValues = false;
    this.count = DEFAULT_COUNT;
    this.pattern = 0;
    for (let i = from; i < call.argc; i++) {
      const more = i + 1 < call.argc;
      if (more && call.is(i, COUNT)) {
        this.count = call.int(++i);
        if (this.count < 1) throw new CommandError(errors.syntax);
      } else if (more && call.is(i, MATCH)) {
        const at = ++i;
        this.pattern = call.length(at) === 1 && call.buf[call.start[at]!] === STAR ? 0 : at;
      } else if (withValues && call.is(i, NOVALUES)) this.noValues = true;
      else throw new CommandError(errors.syntax);
    }
    return this;
  }

  /** Whether an element is to be returned; afterwards the item has its text. */
  matches(element: LpItem): boolean {
    if (this.pattern === 0) return true;
    const { buf, start, end } = this.call;
    element.text();
    return globMatchAt(
      buf,
      start[this.pattern]!,
      end[this.pattern]!,
      element.buf,
      element.start,
      element.end,
      false,
    );
  }
}

const options = new ScanOptions();

export function sscan(call: Call, sets: Sets): void {
  const { reply } = call;
  const cursor = cursorAt(call, 2);
  const set = sets.read(call, 1);
  reply.array(2);
  if (set === null) {
    reply.bulkInt(0);
    return reply.array(0);
  }
  options.parse(call, 3);
  let count = 0;
  if (!set.isTable) {
    reply.bulkInt(0);
    const mark = reply.deferred();
    for (set.rewind(); set.next(item); ) {
      if (!options.matches(item)) continue;
      replyItem(reply, item);
      count++;
    }
    return reply.endDeferred(mark, "array", count);
  }
  found.length = 0;
  reply.bulkInt(set.scan(cursor, options.count, found));
  const mark = reply.deferred();
  for (const entry of found) {
    set.read(entry, item);
    if (!options.matches(item)) continue;
    replyItem(reply, item);
    count++;
  }
  reply.endDeferred(mark, "array", count);
}
