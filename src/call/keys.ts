import { latin1Bytes } from "../bytes/ascii.ts";
import { parseSafeInt } from "../bytes/int64.ts";
import type { Call } from "./call.ts";
import { KEY_FLAGS, keyFlagBits } from "./key-specs.ts";
import type { CommandSpec, KeySpec } from "./spec.ts";

/**
 * Which arguments of a call are keys, and how they are used: for COMMAND GETKEYS, ACL and cluster.
 *
 * Keys come out as pairs in one array that the caller keeps and passes again: argument index, flag bits
 * (KEY_FLAGS). A command's key specs are asked first; where one of them cannot tell (unknown, incomplete,
 * numbers that do not fit the call) or where the flags depend on options (variable_flags), the row's own
 * `getKeys` answers for the whole command. A call whose keys cannot be told has none: the command itself
 * then refuses its arguments.
 */

/** index, flags, index, flags, ... */
export type KeyList = number[];

/** Why COMMAND GETKEYS has no answer. */
export const keyErrors = {
  unknownCommand: "ERR Invalid command specified",
  noKeys: "ERR The command has no key arguments",
  arity: "ERR Invalid number of arguments specified for command",
  arguments: "ERR Invalid arguments specified for command",
} as const;

/** A key spec in the form in which it is searched with. */
interface Finder {
  flags: number;
  /** Index of the first argument, or where the search for the keyword begins. */
  begin: number;
  keyword: Uint8Array | null;
  /** Neither where the keys begin nor which they are can be told. */
  unknown: boolean;
  /** For a number of keys: where it stands behind `begin`; else -1. */
  keyNumIndex: number;
  firstKey: number;
  lastKey: number;
  step: number;
  limit: number;
}

function finder(spec: KeySpec): Finder {
  const { begin, find } = spec;
  const unknown = begin === "unknown" || find === "unknown";
  const range = find !== "unknown" && "lastKey" in find ? find : { lastKey: 0, step: 1, limit: 0 };
  const count = find !== "unknown" && "keyNumIndex" in find ? find : null;
  const keyword = begin !== "unknown" && "keyword" in begin ? begin : null;
  return {
    flags: keyFlagBits(spec.flags),
    begin: keyword?.startFrom ?? (begin !== "unknown" && "index" in begin ? begin.index : 0),
    keyword: keyword && latin1Bytes(keyword.keyword.toLowerCase()),
    unknown,
    keyNumIndex: count?.keyNumIndex ?? -1,
    firstKey: count?.firstKey ?? 0,
    lastKey: range.lastKey,
    step: count?.step ?? range.step,
    limit: range.limit,
  };
}

/** Index of the argument behind the keyword, or 0. A negative start counts from the end and goes backwards. */
function behindKeyword(call: Call, keyword: Uint8Array, startFrom: number): number {
  const forward = startFrom > 0;
  let i = forward ? startFrom : call.argc + startFrom;
  const stop = forward ? call.argc - 1 : 1;
  const by = i <= stop ? 1 : -1;
  for (; i !== stop && i >= 1 && i < call.argc; i += by) if (call.is(i, keyword)) return i + 1;
  return 0;
}

/** Adds the keys of one spec; false where it cannot tell. */
function addKeys(spec: Finder, call: Call, out: KeyList): boolean {
  if (spec.unknown) return false;
  const { argc } = call;
  let first = spec.begin;
  if (spec.keyword !== null) {
    first = behindKeyword(call, spec.keyword, spec.begin);
    if (first === 0) return true;
  }
  let last: number;
  if (spec.keyNumIndex >= 0) {
    const at = first + spec.keyNumIndex;
    if (at >= argc) return false;
    const count = parseSafeInt(call.buf, call.start[at]!, call.end[at]!);
    if (!(count >= 0)) return false;
    first += spec.firstKey;
    last = first + (count - 1) * spec.step;
  } else if (spec.lastKey >= 0) {
    last = first + spec.lastKey;
  } else if (spec.limit === 0) {
    last = argc + spec.lastKey;
  } else {
    last = first + Math.trunc((argc - first) / spec.limit) + spec.lastKey;
  }
  if (last >= argc || last < first || first >= argc) return false;
  for (let i = first; i <= last; i += spec.step) out.push(i, spec.flags);
  return (spec.flags & KEY_FLAGS.incomplete) === 0;
}

/** Finds the keys of one command. */
export class KeyFinder {
  /** The command may have keys. */
  readonly some: boolean;
  private readonly specs: Finder[];
  private readonly useSpecs: boolean;
  private readonly getKeys: CommandSpec["getKeys"];

  constructor(row: CommandSpec) {
    this.specs = (row.keys ?? []).map(finder);
    this.getKeys = row.getKeys;
    const real = this.specs.some((spec) => (spec.flags & KEY_FLAGS.not_key) === 0);
    this.useSpecs = real && !this.specs.some((spec) => (spec.flags & KEY_FLAGS.variable_flags) !== 0);
    this.some = real || row.getKeys !== undefined;
  }

  /** Replaces what is in `out` by this call's keys; returns how many. */
  find(call: Call, out: KeyList): number {
    out.length = 0;
    if (this.useSpecs && this.findBySpecs(call, out)) return out.length >> 1;
    out.length = 0;
    if (this.getKeys !== undefined) this.getKeys(call, out);
    return out.length >> 1;
  }

  /** As `find`, and where that has no answer, those keys that the specs can tell of: PFMERGE without sources. */
  findSome(call: Call, out: KeyList): number {
    if (this.find(call, out) > 0 || !this.useSpecs) return out.length >> 1;
    for (const spec of this.specs) if ((spec.flags & KEY_FLAGS.not_key) === 0) addKeys(spec, call, out);
    return out.length >> 1;
  }

  /** As `find`, for routing in a cluster: with the shard channels, which go to a slot as keys do. */
  findRouted(call: Call, out: KeyList): number {
    const found = this.find(call, out);
    if (found > 0) return found;
    for (const spec of this.specs) if ((spec.flags & KEY_FLAGS.not_key) !== 0) addKeys(spec, call, out);
    return out.length >> 1;
  }

  private findBySpecs(call: Call, out: KeyList): boolean {
    for (const spec of this.specs) {
      if ((spec.flags & KEY_FLAGS.not_key) === 0 && !addKeys(spec, call, out)) return false;
    }
    return true;
  }
}

/** First key, last key (negative: from the end) and step, as clients knew them before key specs. */
export interface LegacyRange {
  first: number;
  last: number;
  step: number;
  /** These three do not cover all keys: the command has the flag movablekeys. */
  movable: boolean;
}

export function legacyRange(keys: readonly KeySpec[] = []): LegacyRange {
  const range = { first: 0, last: 0, step: 0, movable: false };
  let previous = 0;
  for (const { flags, begin, find } of keys) {
    const plain = begin !== "unknown" && "index" in begin && find !== "unknown" && "lastKey" in find;
    const adjoining = plain && (previous === 0 || previous === begin.index - 1);
    if (!plain || !adjoining || (keys.length > 1 && find.step !== 1)) {
      range.movable = true;
      continue;
    }
    if (flags.includes("incomplete")) range.movable = true;
    const last = find.lastKey < 0 ? find.lastKey : begin.index + find.lastKey;
    range.first ||= begin.index;
    // From the end is further than any index.
    range.last = range.last < 0 ? range.last : last < 0 ? last : Math.max(last, range.last);
    range.step = find.step;
    previous = range.last;
  }
  return range;
}

const word = (text: string): Uint8Array => latin1Bytes(text);
const GET = word("get");
const OVERFLOW = word("overflow");
const STORE = word("store");
const LIMIT = word("limit");
const BY = word("by");
const KEYS = word("keys");
const AUTH = word("auth");
const AUTH2 = word("auth2");
const READ = keyFlagBits(["RO", "access"]);
const OVERWRITE = keyFlagBits(["OW", "update"]);
const READ_AND_UPDATE = keyFlagBits(["RW", "access", "update"]);
const UPDATE = keyFlagBits(["RW", "update"]);
const DELETE = keyFlagBits(["RM", "delete"]);
const READ_AND_DELETE = keyFlagBits(["RW", "delete"]);
const COMPARISONS = ["ifeq", "ifne", "ifdeq", "ifdne"].map(latin1Bytes);
const TAKE_AWAY = keyFlagBits(["RW", "access", "delete"]);

/** SET: with GET the old value is read, and with a comparison the new one depends on it. */
export function setKeys(call: Call, out: KeyList): void {
  let flags = OVERWRITE;
  for (let i = 3; i < call.argc; i++) {
    if (call.is(i, GET)) flags = READ_AND_UPDATE;
    else if (flags === OVERWRITE && comparesAt(call, i)) flags = UPDATE;
  }
  out.push(1, flags);
}

/** DELEX: with a comparison, whether it deletes depends on the value. */
export function delexKeys(call: Call, out: KeyList): void {
  let flags = DELETE;
  for (let i = 2; i < call.argc; i++) if (comparesAt(call, i)) flags = READ_AND_DELETE;
  out.push(1, flags);
}

function comparesAt(call: Call, i: number): boolean {
  return COMPARISONS.some((word) => call.is(i, word));
}

/** BITFIELD: with nothing but GET it only reads. */
export function bitfieldKeys(call: Call, out: KeyList): void {
  let i = 2;
  while (i < call.argc) {
    const left = call.argc - i - 1;
    if (call.is(i, GET) && left >= 2) i += 3;
    else if (call.is(i, OVERFLOW) && left >= 1) i += 2;
    else break;
  }
  out.push(1, i < call.argc ? READ_AND_UPDATE : READ);
}

/** SORT_RO: what BY and GET reach is in no argument. */
export function sortRoKeys(_call: Call, out: KeyList): void {
  out.push(1, READ);
}

/** SORT: the last STORE counts, as in the command. */
export function sortKeys(call: Call, out: KeyList): void {
  let store = 0;
  for (let i = 2; i < call.argc; i++) {
    if (call.is(i, LIMIT)) i += 2;
    else if (call.is(i, GET) || call.is(i, BY)) i++;
    else if (call.is(i, STORE) && i + 1 < call.argc) store = i + 1;
  }
  out.push(1, READ);
  if (store > 0) out.push(store, OVERWRITE);
}

/** MIGRATE: one key in argument 3, or, where that is empty, all behind KEYS. */
export function migrateKeys(call: Call, out: KeyList): void {
  for (let i = 6; i < call.argc; i++) {
    if (call.is(i, KEYS)) {
      if (call.length(3) > 0) return;
      for (let j = i + 1; j < call.argc; j++) out.push(j, TAKE_AWAY);
      return;
    }
    if (call.is(i, AUTH)) i++;
    else if (call.is(i, AUTH2)) i += 2;
  }
  out.push(3, TAKE_AWAY);
}
