import type { Call } from "./call.ts";

/**
 * A command's row: all that is known about it, its handler included. Dispatch, COMMAND, ACL and MULTI derive
 * from rows; there is no second list of commands. Subcommands are rows of their own inside their container.
 */

/** Command flags, by the names that COMMAND INFO prints; the last ones are redbun's own policy. */
export const FLAGS = {
  write: 1 << 0,
  readonly: 1 << 1,
  denyoom: 1 << 2,
  module: 1 << 3,
  admin: 1 << 4,
  pubsub: 1 << 5,
  noscript: 1 << 6,
  blocking: 1 << 7,
  loading: 1 << 8,
  stale: 1 << 9,
  skip_monitor: 1 << 10,
  skip_slowlog: 1 << 11,
  asking: 1 << 12,
  fast: 1 << 13,
  no_auth: 1 << 14,
  may_replicate: 1 << 15,
  no_async_loading: 1 << 16,
  no_multi: 1 << 17,
  movablekeys: 1 << 18,
  allow_busy: 1 << 19,
  no_mandatory_keys: 1 << 20,
  /** Refused unless the matching enable-*-command directive allows it. */
  protected: 1 << 21,
  /** Arguments carry secrets: never shown in MONITOR or SLOWLOG. */
  sensitive: 1 << 22,
} as const;

export type Flag = keyof typeof FLAGS;

export type AclCategory =
  | "keyspace"
  | "read"
  | "write"
  | "set"
  | "sortedset"
  | "list"
  | "hash"
  | "string"
  | "array"
  | "bitmap"
  | "hyperloglog"
  | "geo"
  | "stream"
  | "pubsub"
  | "admin"
  | "fast"
  | "slow"
  | "blocking"
  | "dangerous"
  | "connection"
  | "transaction"
  | "scripting";

export type Group =
  | "array"
  | "bitmap"
  | "cluster"
  | "connection"
  | "generic"
  | "geo"
  | "hash"
  | "hyperloglog"
  | "list"
  | "module"
  | "pubsub"
  | "scripting"
  | "sentinel"
  | "server"
  | "set"
  | "sorted-set"
  | "stream"
  | "string"
  | "transactions";

export type KeyFlag =
  | "RO"
  | "RW"
  | "OW"
  | "RM"
  | "access"
  | "update"
  | "insert"
  | "delete"
  | "not_key"
  | "incomplete"
  | "variable_flags";

/** Where keys stand among the arguments (https://redis.io/docs/latest/develop/reference/key-specs/). */
export interface KeySpec {
  flags: KeyFlag[];
  notes?: string;
  begin: { index: number } | { keyword: string; startFrom: number } | "unknown";
  find:
    | { lastKey: number; step: number; limit: number }
    | { keyNumIndex: number; firstKey: number; step: number }
    | "unknown";
}

export interface CommandSpec {
  /** Lower case; a subcommand's own word only ("get" of "config|get"). */
  name: string;
  /** Number of arguments with the command name (and subcommand); negative: at least so many. */
  arity: number;
  flags: Flag[];
  /** Beyond those that follow from the flags (read, write, admin, dangerous, pubsub, fast, slow, blocking). */
  categories: AclCategory[];
  keys?: KeySpec[];
  /**
   * Channels that a user must be allowed to use: argument 1, or all arguments from there on; `patterns`: patterns of
   * channels.
   */
  channels?: { several: boolean; patterns: boolean };
  since: string;
  group: Group;
  summary: string;
  complexity?: string;
  /** Arguments in the notation of syntax.ts, for COMMAND DOCS. */
  args?: string;
  /** Command tips (request and response policies, nondeterminism). */
  tips?: string[];
  /** [version, what changed], for COMMAND DOCS. */
  history?: [string, string][];
  deprecatedSince?: string;
  replacedBy?: string;
  /** As cheap as a command flagged "fast", though Redis does not flag it so. */
  cheap?: boolean;
  /** Answers with the error while what is written cannot be saved, though it writes nothing itself. */
  tellsDiskErrors?: boolean;
  /** Allowed to a client that listens in RESP2, where every reply could be taken for a message. */
  whileSubscribed?: boolean;
  /** What it answers with are pushes, which CLIENT REPLY does not hold back. */
  answersByPush?: boolean;
  /** What CLIENT CACHING has said holds beyond it; a container says it for those of its subcommands that do not. */
  keepsCaching?: boolean;
  /** ASKING still holds behind it. */
  keepsAsking?: boolean;
  /** Carries keys from one node of a cluster to another: served wherever its slot is on its way. */
  movesSlots?: boolean;
  /** Executed inside MULTI instead of being queued. */
  immediate?: boolean;
  /** Executed during CLIENT PAUSE: it ends the pause. */
  endsPause?: boolean;
  /** Ends the transaction even where it is refused itself. */
  endsTransaction?: boolean;
  /** Puts a key into a database that its arguments name: see `Call.arrivedAt`. */
  reachesDatabases?: boolean;
  /** Sub-commands, for a container; a container without a handler of its own has no `run`. */
  subcommands?: CommandSpec[];
  run?(call: Call): void;
  /** The flags of this one call, where they follow from its arguments (a script says what it will do). */
  flagsOf?(call: Call, flags: number): number;
  /** For commands whose keys no key spec can describe: adds argument indexes of keys to `out`. */
  getKeys?(call: Call, out: number[]): void;
}
