/**
 * The longest common subsequence of two strings, for LCS.
 *
 * How it works: the classic table holds L(i, j), the length for the first i bytes of `a` and the first j of
 * `b`. Along a row it rises by 0 or 1, so a row is kept as one bit a column (0 where it rises), and a whole
 * row is made from the one above 32 columns at a time (Hyyrö): with M the columns where `b` holds a[i],
 *
 *   row' = (row + (row & M)) | (row & ~M)          the carry of the addition runs from word to word
 *
 * L is the number of zero bits. Walking back from the corner needs no numbers either: on a mismatch the way
 * up is longer than the way left exactly where the row rises. So the memory is 1 bit a cell, not 4 bytes as
 * in Redis; its limit (4 bytes a cell within proto-max-bulk-len) is kept, because clients see it.
 *
 * Matches come from the end of the strings to their beginning, as in Redis.
 * https://redis.io/docs/latest/commands/lcs/
 */

export const LCS_TOO_LONG_ERROR = "ERR String too long for LCS";
export const LCS_MEMORY_ERROR =
  "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len";

const UINT32_MAX = 0xffffffff;
const CELL_BYTES = 4;
/** Numbers for each match in the `matches` of `lcsMatches`. */
export const MATCH_STRIDE = 5;

export interface LcsMatches {
  readonly length: number;
  /** Flat: a's first and last index, b's first and last index, length; MATCH_STRIDE numbers a match. */
  readonly matches: readonly number[];
}

/** The error Redis answers for strings of these lengths, or null. */
export function lcsLimitError(aLength: number, bLength: number, protoMaxBulkLen: number): string | null {
  if (aLength >= UINT32_MAX - 1 || bLength >= UINT32_MAX - 1) return LCS_TOO_LONG_ERROR;
  return (aLength + 1) * (bLength + 1) * CELL_BYTES > protoMaxBulkLen ? LCS_MEMORY_ERROR : null;
}

/** LCS key1 key2 LEN */
export function lcsLength(a: Uint8Array, b: Uint8Array): number {
  const words = (b.length + 31) >>> 5;
  const row = new Int32Array(words).fill(-1);
  const columns = new ColumnMasks(b, words);
  for (let i = 0; i < a.length; i++) nextRow(row, 0, row, 0, columns.of(a[i]!), words);
  return countRises(row, 0, b.length);
}

/** LCS key1 key2: the subsequence itself. */
export function lcsText(a: Uint8Array, b: Uint8Array): Uint8Array {
  const table = new Table(a, b);
  let left = table.length;
  const text = new Uint8Array(left);
  let i = a.length;
  let j = b.length;
  while (i > 0 && j > 0) {
    if (a[i - 1] === b[j - 1]) {
      text[--left] = a[--i]!;
      j--;
    } else if (table.rises(i, j)) i--;
    else j--;
  }
  return text;
}

/** LCS key1 key2 IDX MINMATCHLEN n: the runs that match, those of at least `minMatchLength` bytes. */
export function lcsMatches(a: Uint8Array, b: Uint8Array, minMatchLength: number): LcsMatches {
  const table = new Table(a, b);
  const matches: number[] = [];
  let i = a.length;
  let j = b.length;
  while (i > 0 && j > 0) {
    if (a[i - 1] !== b[j - 1]) {
      if (table.rises(i, j)) i--;
      else j--;
      continue;
    }
    const aLast = i - 1;
    const bLast = j - 1;
    do {
      i--;
      j--;
    } while (i > 0 && j > 0 && a[i - 1] === b[j - 1]);
    const run = aLast - i + 1;
    if (run >= minMatchLength) matches.push(i, aLast, j, bLast, run);
  }
  return { length: table.length, matches };
}

/** All rows, one bit a cell; row i (1 .. a.length) starts at word i * words. */
class Table {
  readonly length: number;
  private readonly words: number;
  private readonly rows: Int32Array;

  constructor(a: Uint8Array, b: Uint8Array) {
    const words = (b.length + 31) >>> 5;
    const rows = new Int32Array((a.length + 1) * words);
    rows.fill(-1, 0, words);
    const columns = new ColumnMasks(b, words);
    for (let i = 0; i < a.length; i++) {
      nextRow(rows, i * words, rows, (i + 1) * words, columns.of(a[i]!), words);
    }
    this.length = countRises(rows, a.length * words, b.length);
    this.words = words;
    this.rows = rows;
  }

  /** Whether L(i, j) = L(i, j-1) + 1. */
  rises(i: number, j: number): boolean {
    const column = j - 1;
    return (this.rows[i * this.words + (column >>> 5)]! & (1 << (column & 31))) === 0;
  }
}

/** For a byte, the columns of `b` that hold it; made when first asked for. */
class ColumnMasks {
  private readonly masks: (Int32Array | undefined)[] = new Array(256);
  private readonly b: Uint8Array;
  private readonly words: number;

  constructor(b: Uint8Array, words: number) {
    this.b = b;
    this.words = words;
  }

  of(byte: number): Int32Array {
    const known = this.masks[byte];
    if (known !== undefined) return known;
    const { b } = this;
    const mask = new Int32Array(this.words);
    for (let j = b.indexOf(byte); j >= 0; j = b.indexOf(byte, j + 1)) mask[j >>> 5]! |= 1 << (j & 31);
    this.masks[byte] = mask;
    return mask;
  }
}

function nextRow(
  from: Int32Array,
  fromAt: number,
  to: Int32Array,
  toAt: number,
  mask: Int32Array,
  words: number,
): void {
  let carry = 0;
  for (let w = 0; w < words; w++) {
    const row = from[fromAt + w]!;
    const hits = row & mask[w]!;
    const sum = (row + hits + carry) | 0;
    // The carry out of bit 31: both ones, or one of them and no one in the sum.
    carry = ((row & hits) | ((row | hits) & ~sum)) >>> 31;
    to[toAt + w] = sum | (row & ~hits);
  }
}

function countRises(rows: Int32Array, at: number, columns: number): number {
  let count = 0;
  for (let j = 0; j < columns; j++) count += (rows[at + (j >>> 5)]! & (1 << (j & 31))) === 0 ? 1 : 0;
  return count;
}
