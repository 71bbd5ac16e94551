import { copyBytes } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { TYPE_STRING } from "../../keyspace/record.ts";
import { StringView } from "../../keyspace/strings.ts";
import type { FieldSource, Found } from "./sources.ts";

/**
 * A pattern of BY or GET: where to find what belongs to an element.
 *
 *   #             the element itself
 *   weight_*      the string at this key, the first * replaced by the element
 *   user_*->name  a field of the hash at this key
 *   anything else belongs to no element
 */

const STAR = 0x2a;
const HASH_SIGN = 0x23;
const DASH = 0x2d;
const GREATER = 0x3e;
const EMPTY = new Uint8Array(0);

const view = new StringView();
let key = new Uint8Array(256);

export class Pattern {
  private readonly isElement: boolean;
  /** Where the * is, -1: nowhere. */
  private readonly star: number;
  /** Where the key ends: at the arrow, or with the pattern. */
  private readonly keyEnd: number;
  private readonly field: Uint8Array | null;

  constructor(private readonly bytes: Uint8Array) {
    this.isElement = bytes.length === 1 && bytes[0] === HASH_SIGN;
    this.star = bytes.indexOf(STAR);
    const arrow = this.star < 0 ? -1 : findArrow(bytes, this.star + 1);
    this.keyEnd = arrow < 0 ? bytes.length : arrow;
    this.field = arrow < 0 ? null : bytes.subarray(arrow + 2);
  }

  /** Without a *, so that BY gives all elements the same weight. */
  get isConstant(): boolean {
    return this.star < 0;
  }

  /** Points `found` at what belongs to the element `buf[start, end)`; false if there is nothing. */
  find(call: Call, fields: FieldSource, buf: Uint8Array, start: number, end: number, found: Found): boolean {
    if (this.isElement) {
      found.buf = buf;
      found.start = start;
      found.end = end;
      return true;
    }
    if (this.star < 0) return false;
    const length = this.substitute(buf, start, end);
    const { db } = call;
    const position = db.lookup(key, 0, length, !call.session.noTouch);
    if (position === 0) return false;
    if (this.field !== null) return fields.find(db, position, this.field, found);
    if (db.records.type(position) !== TYPE_STRING) return false;
    view.read(db, position);
    found.buf = view.buf;
    found.start = view.start;
    found.end = view.end;
    return true;
  }

  /** Writes the name of the element's key to `key`; returns its length. */
  private substitute(buf: Uint8Array, start: number, end: number): number {
    const { bytes, star, keyEnd } = this;
    const length = keyEnd - 1 + (end - start);
    if (key.length < length) key = new Uint8Array(length * 2);
    copyBytes(key, 0, bytes, 0, star);
    copyBytes(key, star, buf, start, end);
    copyBytes(key, star + end - start, bytes, star + 1, keyEnd);
    return length;
  }
}

/** Where "->" stands from `from` on, with something behind it; -1: nowhere. */
function findArrow(bytes: Uint8Array, from: number): number {
  for (let i = from; i + 2 < bytes.length; i++) if (bytes[i] === DASH && bytes[i + 1] === GREATER) return i;
  return -1;
}

/** What `Pattern.find` found. */
export function nothing(): Found {
  return { buf: EMPTY, start: 0, end: 0 };
}
