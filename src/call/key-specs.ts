import type { KeyFlag, KeySpec } from "./spec.ts";

/**
 * Key specs in short, for rows: `keys: [oneKey("RW", "update")]`. A spec says where to begin (an argument
 * index, or behind a keyword) and which arguments from there on are keys (a range, or as many as a number
 * argument says). https://redis.io/docs/latest/develop/reference/key-specs/
 */

/** Key flags as bits, in the order in which COMMAND INFO prints them. */
export const KEY_FLAGS: Record<KeyFlag, number> = {
  RO: 1 << 0,
  RW: 1 << 1,
  OW: 1 << 2,
  RM: 1 << 3,
  access: 1 << 4,
  update: 1 << 5,
  insert: 1 << 6,
  delete: 1 << 7,
  not_key: 1 << 8,
  incomplete: 1 << 9,
  variable_flags: 1 << 10,
};

export function keyFlagBits(flags: readonly KeyFlag[]): number {
  return flags.reduce((bits, flag) => bits | KEY_FLAGS[flag], 0);
}

/** Argument 1. */
export function oneKey(...flags: KeyFlag[]): KeySpec {
  return keyAt(1, ...flags);
}

/** Argument `index`. */
export function keyAt(index: number, ...flags: KeyFlag[]): KeySpec {
  return { flags, begin: { index }, find: { lastKey: 0, step: 1, limit: 0 } };
}

/** All arguments. */
export function allKeys(...flags: KeyFlag[]): KeySpec {
  return keyRange(1, -1, 1, ...flags);
}

/** Every `step`-th argument from `first` on: up to `last` behind it, or, negative, to that one from the end. */
export function keyRange(first: number, last: number, step: number, ...flags: KeyFlag[]): KeySpec {
  return { flags, begin: { index: first }, find: { lastKey: last, step, limit: 0 } };
}

/** Argument `index` says how many keys follow it. */
export function keyNum(index: number, ...flags: KeyFlag[]): KeySpec {
  return { flags, begin: { index }, find: { keyNumIndex: 0, firstKey: 1, step: 1 } };
}

/** Argument `index` says how many pairs of a key and something else follow it. */
export function pairNum(index: number, ...flags: KeyFlag[]): KeySpec {
  return { flags, begin: { index }, find: { keyNumIndex: 0, firstKey: 1, step: 2 } };
}

/** The argument behind a keyword, looked for from `startFrom` on (negative: from the end backwards). */
export function keyAfter(keyword: string, startFrom: number, ...flags: KeyFlag[]): KeySpec {
  return { flags, begin: { keyword, startFrom }, find: { lastKey: 0, step: 1, limit: 0 } };
}

/** All arguments behind a keyword. */
export function allKeysAfter(keyword: string, startFrom: number, ...flags: KeyFlag[]): KeySpec {
  return { flags, begin: { keyword, startFrom }, find: { lastKey: -1, step: 1, limit: 0 } };
}

/** The first half of the arguments behind a keyword. */
export function halfOfKeysAfter(keyword: string, startFrom: number, ...flags: KeyFlag[]): KeySpec {
  return { flags, begin: { keyword, startFrom }, find: { lastKey: -1, step: 1, limit: 2 } };
}

/** Keys that no spec can describe; the row has `getKeys`. */
export function unknownKeys(...flags: KeyFlag[]): KeySpec {
  return { flags, begin: "unknown", find: "unknown" };
}

/** The spec with an explanation for COMMAND INFO. */
export function noted(notes: string, spec: KeySpec): KeySpec {
  return { ...spec, notes };
}
