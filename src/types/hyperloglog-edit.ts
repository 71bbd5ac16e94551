/**
 * Changing a HyperLogLog: registers only ever rise.
 *
 * Dense registers are overwritten in place. In the sparse form the opcode that covers the register is found
 * from the left and, where it covers more than this one, split; for example
 *
 *   XZERO 1000  ->  XZERO 499, VAL v 1, XZERO 500         (at most 5 bytes for 2)
 *
 * Then, from the opcode before it, up to five opcodes are looked at and neighbouring VALs of the same value
 * joined as far as four registers go. Which opcodes result thus depends on the order of additions, and is kept
 * equal to Redis's, so that the same PFADDs give the same GET. The value turns dense when a run exceeds 32 or
 * the sparse form would exceed hll-sparse-max-bytes.
 */

import {
  denseGet,
  denseSet,
  HLL_HEADER,
  HLL_REGISTERS,
  hllEncoding,
  hllInvalidateCount,
  opcodeLength,
  opcodeSpan,
  opcodeValue,
  SPARSE_MAX_VALUE,
  sparseToDense,
  valOpcode,
  writeZeros,
} from "./hyperloglog-format.ts";
import { patternLength, registerIndex } from "./hyperloglog-hash.ts";

/** What adding did; CORRUPT is answered with HLL_CORRUPT_ERROR. */
export const UNCHANGED = 0;
export const CHANGED = 1;
export const CORRUPT = -1;
export type EditResult = typeof UNCHANGED | typeof CHANGED | typeof CORRUPT;

const MERGE_SCAN = 5;
const VAL_MAX_SPAN = 4;

/** The opcodes that replace a split one. */
const sequence = new Uint8Array(5);

/**
 * Edits a valid HyperLogLog (`isHyperLogLog`). Changes that keep the size are made in `value` itself; at the
 * first one that does not, the editor goes over to a buffer of its own, which `finish` returns.
 */
export class HllEditor {
  private readonly original: Uint8Array;
  private readonly sparseMaxBytes: number;
  private bytes: Uint8Array;
  private length: number;
  private dense: boolean;

  constructor(value: Uint8Array, sparseMaxBytes: number) {
    this.original = value;
    this.sparseMaxBytes = sparseMaxBytes;
    this.bytes = value;
    this.length = value.length;
    this.dense = hllEncoding(value) === "dense";
  }

  /** Adds the element `buf[start, end)`. */
  add(buf: Uint8Array, start: number, end: number): EditResult {
    const run = patternLength(buf, start, end);
    return this.raise(registerIndex, run);
  }

  /** Raises one register to `run`, if it is lower. */
  raise(index: number, run: number): EditResult {
    if (!this.dense) return this.raiseSparse(index, run);
    if (denseGet(this.bytes, index) >= run) return UNCHANGED;
    denseSet(this.bytes, index, run);
    return CHANGED;
  }

  /** False if the value is corrupt. */
  toDense(): boolean {
    if (this.dense) return true;
    const dense = sparseToDense(this.bytes, this.length);
    if (dense === null) return false;
    this.bytes = dense;
    this.length = dense.length;
    this.dense = true;
    return true;
  }

  /**
   * The value as it is now: the array given to the constructor if that still holds it, else another (maybe a
   * view of a longer buffer), which has to be stored. With `changed` its cached count is marked out of date.
   */
  finish(changed: boolean): Uint8Array {
    if (changed) hllInvalidateCount(this.bytes);
    if (this.bytes === this.original && this.length === this.original.length) return this.original;
    return this.bytes.subarray(0, this.length);
  }

  private raiseSparse(index: number, run: number): EditResult {
    if (run > SPARSE_MAX_VALUE) return this.promote(index, run);
    const { bytes } = this;
    const end = this.length;
    let at = HLL_HEADER;
    let first = 0;
    let previous = HLL_HEADER;
    let span = 0;
    for (; at < end; first += span) {
      span = opcodeSpan(bytes, at, end);
      if (index < first + span) break;
      previous = at;
      at += opcodeLength(bytes[at]!);
    }
    if (at >= end || at + opcodeLength(bytes[at]!) > end) return CORRUPT;

    const current = opcodeValue(bytes[at]!);
    if (current >= run) return UNCHANGED;
    const before = index - first;
    const after = first + span - 1 - index;
    let count = 0;
    if (before > 0) count = writeRun(count, current, before);
    sequence[count++] = valOpcode(run, 1);
    if (after > 0) count = writeRun(count, current, after);

    const growth = count - opcodeLength(bytes[at]!);
    if (growth > 0 && this.length + growth > this.sparseMaxBytes) return this.promote(index, run);
    if (growth !== 0) this.resize(at, growth);
    for (let i = 0; i < count; i++) this.bytes[at + i] = sequence[i]!;
    this.joinValues(previous);
    hllInvalidateCount(this.bytes);
    return CHANGED;
  }

  /** Moves what lies behind `at` by `growth`, which may be negative, in a buffer of the editor's own. */
  private resize(at: number, growth: number): void {
    const length = this.length + growth;
    if (this.bytes === this.original || length > this.bytes.length) {
      const grown = new Uint8Array(length + Math.min(length, 300));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    const from = at + Math.max(0, -growth);
    this.bytes.copyWithin(from + growth, from, this.length);
    this.length = length;
  }

  private joinValues(at: number): void {
    for (let scan = MERGE_SCAN; scan > 0 && at < this.length; scan--) {
      const { bytes } = this;
      const value = opcodeValue(bytes[at]!);
      if (value !== 0 && at + 1 < this.length && opcodeValue(bytes[at + 1]!) === value) {
        const span = opcodeSpan(bytes, at, this.length) + opcodeSpan(bytes, at + 1, this.length);
        if (span <= VAL_MAX_SPAN) {
          // Stay: the joined opcode may join the one behind it too.
          this.resize(at, -1);
          this.bytes[at] = valOpcode(value, span);
          continue;
        }
      }
      at += opcodeLength(bytes[at]!);
    }
  }

  private promote(index: number, run: number): EditResult {
    if (!this.toDense()) return CORRUPT;
    denseSet(this.bytes, index, run);
    return CHANGED;
  }
}

function writeRun(at: number, value: number, span: number): number {
  if (value === 0) return writeZeros(sequence, at, span);
  sequence[at] = valOpcode(value, span);
  return at + 1;
}

/** Writes merged registers over `value`, as PFMERGE does to its destination; null if `value` is corrupt. */
export function hllRaiseAll(
  value: Uint8Array,
  registers: Uint8Array,
  dense: boolean,
  sparseMaxBytes: number,
): Uint8Array | null {
  const editor = new HllEditor(value, sparseMaxBytes);
  if (dense && !editor.toDense()) return null;
  for (let i = 0; i < HLL_REGISTERS; i++) if (registers[i] !== 0) editor.raise(i, registers[i]!);
  return editor.finish(true);
}
