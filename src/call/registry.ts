import { latin1Bytes, lower } from "../bytes/ascii.ts";
import type { Call } from "./call.ts";
import { KeyFinder, type LegacyRange, legacyRange } from "./keys.ts";
import { type AclCategory, type CommandSpec, FLAGS } from "./spec.ts";

/**
 * Commands at run time: `Command` is a row with what follows from it, `Registry` finds it by name.
 *
 * A name is looked up for every command executed, so it is never made a string: its bytes in lower case are
 * hashed into a table of ints (open addressing, at most half full) and compared with the candidate's name.
 * The top level has one such table, each container has one of its subcommands.
 */

/** ACL categories as bits, in the order of ACL CAT and COMMAND INFO. */
export const CATEGORIES: Record<AclCategory, number> = {
  keyspace: 1 << 0,
  read: 1 << 1,
  write: 1 << 2,
  set: 1 << 3,
  sortedset: 1 << 4,
  list: 1 << 5,
  hash: 1 << 6,
  string: 1 << 7,
  bitmap: 1 << 8,
  hyperloglog: 1 << 9,
  geo: 1 << 10,
  stream: 1 << 11,
  pubsub: 1 << 12,
  admin: 1 << 13,
  fast: 1 << 14,
  slow: 1 << 15,
  blocking: 1 << 16,
  dangerous: 1 << 17,
  connection: 1 << 18,
  transaction: 1 << 19,
  scripting: 1 << 20,
  array: 1 << 21,
};

/** A command line as the reader leaves it: argument i is `buf[start[i], end[i])`. */
export interface CommandLine {
  readonly buf: Uint8Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly argc: number;
}

/** The categories that follow from a command's flags, together with those its row names. */
function categoriesOf(row: CommandSpec, flags: number): number {
  const C = CATEGORIES;
  let bits = row.categories.reduce((sum, category) => sum | C[category], 0);
  if (flags & FLAGS.write) bits |= C.write;
  // Scripts that only read are not plain reads.
  if (flags & FLAGS.readonly && !(bits & C.scripting)) bits |= C.read;
  if (flags & FLAGS.admin) bits |= C.admin | C.dangerous;
  if (flags & FLAGS.pubsub) bits |= C.pubsub;
  if (flags & FLAGS.fast) bits |= C.fast;
  if (flags & FLAGS.blocking) bits |= C.blocking;
  return bits & C.fast ? bits : bits | C.slow;
}

function noHandler(): never {
  throw new Error("a container without a handler was executed");
}

export class Command {
  /** "config|get"; stays what it is when the command is renamed. */
  readonly fullName: string;
  /** FLAGS, with movablekeys where the key specs imply it. */
  readonly flags: number;
  readonly categories: number;
  /** Arguments with the name (and the subcommand's): exactly so many, or at least. */
  readonly minArgs: number;
  readonly exactArgs: boolean;
  readonly keys: KeyFinder;
  /** In a cluster its keys, or those of the commands that it ends, say which node it is for. */
  readonly routed: boolean;
  readonly legacyRange: LegacyRange;
  readonly subcommands: CommandTable | null;
  readonly run: (call: Call) => void;
  /** Constant time and a few hundred nanoseconds: see Executor.settle. */
  readonly cheap: boolean;
  /** No gate but arity and authentication concerns it. */
  readonly plain: boolean;
  /**
   * Plain, cheap, and does nothing but work on keys: whatever it does, the next command's client, gates and
   * observers are the same (see Executor.executeSimple).
   */
  readonly simple: boolean;

  /** Consecutive numbers of all commands and subcommands, for sets of them (acl/selector.ts). */
  id = 0;

  calls = 0;
  usec = 0;
  rejected = 0;
  failed = 0;
  latency: Int32Array | null = null;

  constructor(
    readonly spec: CommandSpec,
    readonly parent: Command | null = null,
  ) {
    this.fullName = parent === null ? spec.name : `${parent.fullName}|${spec.name}`;
    this.legacyRange = legacyRange(spec.keys);
    const flags = spec.flags.reduce((bits, flag) => bits | FLAGS[flag], 0);
    this.flags = this.legacyRange.movable ? flags | FLAGS.movablekeys : flags;
    this.categories = categoriesOf(spec, this.flags);
    this.minArgs = Math.abs(spec.arity);
    this.exactArgs = spec.arity > 0;
    this.keys = new KeyFinder(spec);
    this.routed = (spec.keys?.length ?? 0) > 0 || this.keys.some || spec.endsTransaction === true;
    this.run = spec.run ?? noHandler;
    this.cheap = spec.cheap === true || (this.flags & FLAGS.fast) !== 0;
    this.plain = spec.subcommands === undefined && (this.flags & FLAGS.protected) === 0;
    const elsewhere =
      CATEGORIES.transaction | CATEGORIES.connection | CATEGORIES.blocking | CATEGORIES.pubsub;
    this.simple =
      this.plain &&
      this.cheap &&
      this.legacyRange.first > 0 &&
      (this.categories & (elsewhere | CATEGORIES.admin)) === 0;
    this.subcommands = spec.subcommands === undefined ? null : new CommandTable(spec.subcommands, this);
  }

  acceptsArgs(argc: number): boolean {
    return this.exactArgs ? argc === this.minArgs : argc >= this.minArgs;
  }

  /** The flags that count for this call. */
  flagsOf(call: Call): number {
    const { flagsOf } = this.spec;
    return flagsOf === undefined ? this.flags : flagsOf(call, this.flags);
  }

  has(flag: keyof typeof FLAGS): boolean {
    return (this.flags & FLAGS[flag]) !== 0;
  }

  resetStats(): void {
    this.calls = this.usec = this.rejected = this.failed = 0;
    this.latency = null;
  }
}

function hash(buf: Uint8Array, start: number, end: number): number {
  let h = end - start;
  // `| 32` lowers letters; what else it makes equal is told apart by the comparison.
  for (let i = start; i < end; i++) h = Math.imul(h, 31) + (buf[i]! | 32);
  return h ^ (h >>> 7);
}

/** Commands by name, in any case, in the order in which they were added. */
export class CommandTable {
  private commands: Command[] = [];
  private names: Uint8Array[] = [];
  /** Index + 1 in `commands`, or 0; at most half of them are used. */
  private slots = new Int32Array(16);
  /** Index of the command found last, or -1. */
  private last = -1;

  constructor(rows: readonly CommandSpec[] = [], parent: Command | null = null) {
    for (const row of rows) this.add(row.name, new Command(row, parent));
  }

  get size(): number {
    return this.commands.length;
  }

  [Symbol.iterator](): Iterator<Command> {
    return this.commands[Symbol.iterator]();
  }

  /** The command whose name is `buf[start, end)`, or null. In a pipeline it often is the one that was found last. */
  find(buf: Uint8Array, start: number, end: number): Command | null {
    const { slots, names, last } = this;
    if (last >= 0 && sameName(names[last]!, buf, start, end)) return this.commands[last]!;
    const mask = slots.length - 1;
    for (let slot = hash(buf, start, end) & mask; ; slot = (slot + 1) & mask) {
      const found = slots[slot]! - 1;
      if (found < 0) return null;
      if (sameName(names[found]!, buf, start, end)) {
        this.last = found;
        return this.commands[found]!;
      }
    }
  }

  get(name: string): Command | null {
    const bytes = latin1Bytes(name);
    return this.find(bytes, 0, bytes.length);
  }

  add(name: string, command: Command): void {
    if (this.get(name) !== null) throw new Error(`the command ${command.fullName} is declared twice`);
    this.commands.push(command);
    this.names.push(latin1Bytes(name.toLowerCase()));
    if (this.commands.length * 2 > this.slots.length) this.rebuild(this.slots.length * 2);
    else this.place(this.commands.length - 1);
  }

  delete(command: Command): void {
    const index = this.commands.indexOf(command);
    if (index < 0) return;
    this.last = -1;
    this.commands.splice(index, 1);
    this.names.splice(index, 1);
    this.rebuild(this.slots.length);
  }

  private rebuild(capacity: number): void {
    this.slots = new Int32Array(capacity);
    for (let i = 0; i < this.commands.length; i++) this.place(i);
  }

  private place(index: number): void {
    const name = this.names[index]!;
    const mask = this.slots.length - 1;
    let slot = hash(name, 0, name.length) & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = index + 1;
  }
}

function sameName(name: Uint8Array, buf: Uint8Array, start: number, end: number): boolean {
  const { length } = name;
  if (length !== end - start) return false;
  for (let i = 0; i < length; i++) if (name[i] !== lower(buf[start + i]!)) return false;
  return true;
}

export class Registry {
  /** The top level, under the names of now. */
  readonly commands: CommandTable;
  /** The top level under the rows' names, whatever rename-command did. */
  private readonly byRow: CommandTable;

  constructor(rows: readonly CommandSpec[]) {
    this.commands = new CommandTable(rows);
    this.byRow = new CommandTable();
    for (const command of this.commands) this.byRow.add(command.spec.name, command);
    let id = 0;
    for (const command of this.originals()) command.id = id++;
  }

  /**
   * The command that a command line calls, its subcommand where it is a container; null where there is no
   * such command. A container comes back itself when it stands alone or its subcommand is unknown: the
   * latter is `command.subcommands !== null && argc > 1`.
   */
  lookup(line: CommandLine): Command | null {
    const { buf, start, end } = line;
    const command = this.commands.find(buf, start[0]!, end[0]!);
    if (command === null || command.subcommands === null || line.argc === 1) return command;
    return command.subcommands.find(buf, start[1]!, end[1]!) ?? command;
  }

  /** By its name of now: "get", "config" (the container), "config|get"; in any case. */
  get(name: string): Command | null {
    return resolve(this.commands, name);
  }

  /** By its row's name: for what the server itself writes (AOF, replication). */
  original(name: string): Command | null {
    return resolve(this.byRow, name);
  }

  /** Every command and, behind each container, its subcommands. */
  all(): Generator<Command> {
    return withSubcommands(this.commands);
  }

  /** As `all`, whatever rename-command did: what it removed is among them. */
  originals(): Generator<Command> {
    return withSubcommands(this.byRow);
  }

  /** rename-command; an empty new name removes. Returns Redis's sentence where it cannot be done, or null. */
  rename(oldName: string, newName: string): string | null {
    const command = this.commands.get(oldName);
    if (command === null) return "No such command in rename-command";
    this.commands.delete(command);
    if (newName === "") return null;
    if (this.commands.get(newName) !== null) return "Target command name already exists";
    this.commands.add(newName, command);
    return null;
  }
}

function* withSubcommands(table: CommandTable): Generator<Command> {
  for (const command of table) {
    yield command;
    if (command.subcommands !== null) yield* command.subcommands;
  }
}

function resolve(table: CommandTable, name: string): Command | null {
  const [first, second, ...more] = name.split("|");
  const command = table.get(first ?? "");
  if (second === undefined || command === null) return command;
  return more.length > 0 ? null : (command.subcommands?.get(second) ?? null);
}
