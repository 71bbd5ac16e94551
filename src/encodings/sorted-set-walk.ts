import { parseInt64Rounded } from "../bytes/int64.ts";
import type { ByteStore } from "../memory/byte-store.ts";
import { LP_HEADER, LpItem, lpGet } from "./listpack.ts";

/**
 * Walks over a listpack of pairs (member, score), entry by entry on its bytes: what every command on a small
 * sorted set begins with. Where the members stand is noted in `walked.places`, one array for all listpacks, valid
 * until the next walk. The sizes of entries are those of listpack.ts:
 *
 *   0xxxxxxx  2 bytes          110xxxxx  3 bytes          11110001 to 11110011  4 to 6 bytes
 *   10llllll  2 + l bytes      1110llll  2 + l + 1 or 2   11110100  10 bytes
 *   (all with their back length, which is one byte as long as the rest is below 128)
 */

export const walked = {
  places: new Int32Array(128),
  count: 0,
  /** Who may rely on the places as those of a set unchanged since. */
  by: null as object | null,
};

const END = 0xff;
const probe = new LpItem();

/** Notes where the members stand; returns how many there are. */
export function walk(store: ByteStore): number {
  const { buf, start } = store;
  let count = 0;
  walked.by = null;
  for (let at = start + LP_HEADER; buf[at] !== END; at = after(buf, after(buf, at))) {
    if (count === walked.places.length) widen();
    walked.places[count++] = at - start;
  }
  walked.count = count;
  return count;
}

/** The number of the pair with this member, or -1: then all places are noted, else those up to it. */
export function findMember(store: ByteStore, member: Uint8Array, from: number, to: number): number {
  const length = to - from;
  const integer = length > 20 ? Number.NaN : parseInt64Rounded(member, from, to);
  if (length > 63 || !Number.isNaN(integer)) return findOther(store, member, from, to, integer);
  const { buf, start } = store;
  const head = 0x80 | length;
  let count = 0;
  walked.by = null;
  for (let at = start + LP_HEADER; buf[at] !== END; at = after(buf, after(buf, at))) {
    if (count === walked.places.length) widen();
    walked.places[count] = at - start;
    if (buf[at] === head) {
      let i = from;
      for (let j = at + 1; i < to && buf[j] === member[i]; i++) j++;
      if (i === to) return count;
    }
    count++;
  }
  walked.count = count;
  return -1;
}

/** As `findMember` for an integer's text (its value, rounded beyond 2^53, or NaN) or for a long one. */
function findOther(store: ByteStore, member: Uint8Array, from: number, to: number, integer: number): number {
  const count = walk(store);
  const exact = Number.isSafeInteger(integer);
  for (let rank = 0; rank < count; rank++) {
    lpGet(store, walked.places[rank]!, probe);
    if (probe.isInt === Number.isNaN(integer)) continue;
    if (exact ? probe.number() === integer : probe.equals(member, from, to)) return rank;
  }
  return -1;
}

/** Where the entry behind the one at `i` begins. */
function after(buf: Uint8Array, i: number): number {
  const head = buf[i]!;
  if (head < 0x80) return i + 2;
  if (head < 0xc0) return i + (head & 0x3f) + 2;
  if (head < 0xe0) return i + 3;
  if (head < 0xf0) {
    const body = 2 + (((head & 0x0f) << 8) | buf[i + 1]!);
    return i + body + (body < 128 ? 1 : 2);
  }
  if (head === 0xf4) return i + 10;
  if (head !== 0xf0) return i + head - 0xf1 + 4;
  const body = 5 + (buf[i + 1]! | (buf[i + 2]! << 8) | (buf[i + 3]! << 16) | (buf[i + 4]! << 24));
  return i + body + (body < 16383 ? 2 : body < 2097151 ? 3 : body < 268435455 ? 4 : 5);
}

function widen(): void {
  const larger = new Int32Array(walked.places.length * 2);
  larger.set(walked.places);
  walked.places = larger;
}
