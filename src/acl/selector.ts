import { latin1Bytes } from "../bytes/ascii.ts";
import { globMatchAt } from "../bytes/glob.ts";
import type { Command } from "../call/registry.ts";
import { CATEGORIES } from "../call/registry.ts";
import type { AclCategory } from "../call/spec.ts";
import { hasBlanks, RuleError, ruleErrors, unknownName } from "./rules.ts";

/**
 * A selector: commands, key patterns and channel patterns that are allowed together. Each user has one at the root,
 * and maybe more in parentheses; a call is allowed when one selector allows all of it.
 *
 *   bits       one bit a command, by Command.id: what the rules given so far come to
 *   firstArgs  for a command whose bit is not set: first arguments with which it is allowed all the same
 *   rules      the command rules in the order given, those left out that a later one overrides; played back onto
 *              +@all or -@all they give the bits again, which is how users are shown and saved
 *
 * Rules go by the names that commands have in their rows, whatever rename-command did.
 */

/** The commands that rules may name. */
export interface Catalog {
  /** By its row's name: "get", "config", "config|get"; null where there is none. */
  original(name: string): Command | null;
  /** All commands and subcommands, renamed and removed ones too. */
  originals(): Iterable<Command>;
}

/** Before the commands are known: each name is unknown. */
export const NO_COMMANDS: Catalog = { original: () => null, originals: () => [] };

/** What a key pattern allows. */
export const READ = 1;
export const WRITE = 2;
const READ_WRITE = READ | WRITE;

export interface KeyPattern {
  readonly text: string;
  readonly bytes: Uint8Array;
  /** READ, WRITE, or both. */
  readonly access: number;
}

export interface ChannelPattern {
  readonly text: string;
  readonly bytes: Uint8Array;
}

interface CommandRule {
  readonly allow: boolean;
  /** "get", "config|get", "select|0", "@read". */
  readonly name: string;
}

const PREFIX: Record<number, string> = { [READ]: "%R~", [WRITE]: "%W~", [READ_WRITE]: "~" };

/** The category's bit, or 0; "all" is none. */
export function categoryBit(name: string): number {
  const wanted = name.toLowerCase();
  return Object.hasOwn(CATEGORIES, wanted) ? CATEGORIES[wanted as AclCategory] : 0;
}

export class Selector {
  allKeys = false;
  /** Every command is allowed, and nothing has been taken away since. */
  allCommands = false;
  /** Where the rules start from: +@all rather than -@all. */
  fromAll = false;
  keys: KeyPattern[] = [];
  channels: ChannelPattern[] = [];
  private bits: number[] = [];
  private firstArgs: Map<number, string[]> | null = null;
  private rules: CommandRule[] = [];

  constructor(
    private readonly catalog: Catalog,
    public allChannels: boolean,
  ) {}

  copy(): Selector {
    const copy = new Selector(this.catalog, this.allChannels);
    const { allKeys, allCommands, fromAll, keys, channels, bits, firstArgs, rules } = this;
    Object.assign(copy, { allKeys, allCommands, fromAll });
    copy.keys = [...keys];
    copy.channels = [...channels];
    copy.bits = [...bits];
    copy.rules = [...rules];
    if (firstArgs !== null)
      copy.firstArgs = new Map([...firstArgs].map(([id, words]) => [id, [...words]] as const));
    return copy;
  }

  // ------------------------------------------------------------------ asking

  allows(command: Command): boolean {
    return this.allCommands || ((this.bits[command.id >>> 5] ?? 0) & (1 << (command.id & 31))) !== 0;
  }

  /** First arguments, in lower case, with which a command that is not allowed is so nevertheless. */
  firstArgsOf(command: Command): readonly string[] | undefined {
    return this.firstArgs?.get(command.id);
  }

  /** Whether the key `buf[start, end)` may be used in these ways (READ, WRITE). */
  allowsKey(buf: Uint8Array, start: number, end: number, access: number): boolean {
    if (this.allKeys) return true;
    for (const { bytes, access: given } of this.keys)
      if ((given & access) === access && globMatchAt(bytes, 0, bytes.length, buf, start, end, false))
        return true;
    return false;
  }

  /** Whether any key may be used in these ways. */
  allowsEveryKey(access: number): boolean {
    return (
      this.allKeys || this.keys.some(({ text, access: given }) => text === "*" && (given & access) === access)
    );
  }

  /** A pattern to be listened to is no name that could match: it must have been allowed word for word. */
  allowsChannel(buf: Uint8Array, start: number, end: number, isPattern: boolean): boolean {
    if (this.allChannels) return true;
    for (const { bytes } of this.channels) {
      if (
        isPattern
          ? sameBytes(bytes, buf, start, end)
          : globMatchAt(bytes, 0, bytes.length, buf, start, end, false)
      )
        return true;
    }
    return false;
  }

  // ------------------------------------------------------------------ rules

  /** Throws RuleError. */
  apply(rule: string): void {
    const word = rule.toLowerCase();
    if (word === "allkeys" || word === "~*") this.resetKeys(true);
    else if (word === "resetkeys") this.resetKeys(false);
    else if (word === "allchannels" || word === "&*") this.resetChannels(true);
    else if (word === "resetchannels") this.resetChannels(false);
    else if (word === "allcommands" || word === "+@all") this.resetCommands(true);
    else if (word === "nocommands" || word === "-@all") this.resetCommands(false);
    else if (rule.startsWith("~")) this.addKeys(rule.slice(1), READ_WRITE);
    else if (rule.startsWith("%")) this.addKeysFor(rule);
    else if (rule.startsWith("&")) this.addChannels(rule.slice(1));
    else if (rule.startsWith("+@") || rule.startsWith("-@")) this.category(word.slice(1), rule[0] === "+");
    else if (rule.startsWith("+")) this.allow(word.slice(1));
    else if (rule.startsWith("-")) this.deny(word.slice(1));
    else throw new RuleError(ruleErrors.syntax);
  }

  private resetKeys(all: boolean): void {
    this.allKeys = all;
    this.keys = [];
  }

  private resetChannels(all: boolean): void {
    this.allChannels = all;
    this.channels = [];
  }

  private resetCommands(all: boolean): void {
    this.allCommands = this.fromAll = all;
    this.bits = [];
    this.firstArgs = null;
    this.rules = [];
    if (all) for (const { id } of this.catalog.originals()) this.setBit(id, true);
  }

  private addKeysFor(rule: string): void {
    if (this.allKeys) throw new RuleError(ruleErrors.keysAfterAll);
    const prefix = /^%(R|W|RW|WR)(~|$)/i.exec(rule);
    if (prefix === null) throw new RuleError(ruleErrors.syntax);
    const letters = prefix[1]!.toUpperCase();
    const access = (letters.includes("R") ? READ : 0) | (letters.includes("W") ? WRITE : 0);
    this.addKeys(rule.slice(prefix[0].length), access);
  }

  private addKeys(text: string, access: number): void {
    if (this.allKeys) throw new RuleError(ruleErrors.keysAfterAll);
    if (hasBlanks(text)) throw new RuleError(ruleErrors.syntax);
    const known = this.keys.findIndex((pattern) => pattern.text === text);
    if (known < 0) this.keys.push({ text, bytes: latin1Bytes(text), access });
    else this.keys[known] = { ...this.keys[known]!, access: this.keys[known]!.access | access };
  }

  private addChannels(text: string): void {
    if (this.allChannels) throw new RuleError(ruleErrors.channelsAfterAll);
    if (hasBlanks(text)) throw new RuleError(ruleErrors.syntax);
    if (!this.channels.some((pattern) => pattern.text === text))
      this.channels.push({ text, bytes: latin1Bytes(text) });
  }

  private category(name: string, allow: boolean): void {
    const bit = categoryBit(name.slice(1));
    if (bit === 0) throw unknownName();
    this.note(name, allow);
    for (const command of this.catalog.originals())
      if ((command.categories & bit) !== 0) this.set(command, allow);
  }

  private allow(name: string): void {
    const bar = name.lastIndexOf("|");
    if (bar < 0) {
      const command = this.find(name);
      this.set(command, true);
      this.note(command.fullName, true);
      return;
    }
    const command = this.find(name.slice(0, bar));
    if (command.parent !== null) throw new RuleError(ruleErrors.firstArgOfSubcommand);
    const word = name.slice(bar + 1);
    if (word === "") throw new RuleError(ruleErrors.syntax);
    if (command.subcommands !== null) this.set(this.find(name), true);
    else this.allowFirstArg(command, word);
    this.note(name, true);
  }

  private deny(name: string): void {
    const command = this.find(name);
    this.set(command, false);
    this.note(command.fullName, false);
  }

  private find(name: string): Command {
    const command = this.catalog.original(name);
    if (command === null) throw unknownName();
    return command;
  }

  private allowFirstArg(command: Command, word: string): void {
    this.firstArgs ??= new Map();
    const words = this.firstArgs.get(command.id);
    if (words === undefined) this.firstArgs.set(command.id, [word]);
    else if (!words.includes(word)) words.push(word);
  }

  /** A command with its subcommands. */
  private set(command: Command, allow: boolean): void {
    this.setBit(command.id, allow);
    this.firstArgs?.delete(command.id);
    for (const { id } of command.subcommands ?? []) this.setBit(id, allow);
  }

  private setBit(id: number, on: boolean): void {
    const word = id >>> 5;
    const bit = 1 << (id & 31);
    while (this.bits.length <= word) this.bits.push(0);
    if (on) this.bits[word]! |= bit;
    else {
      this.bits[word]! &= ~bit;
      this.allCommands = false;
    }
  }

  /** Notes a command rule in place of those that it overrides: of the same name, or of its subcommands. */
  private note(name: string, allow: boolean): void {
    this.rules = this.rules.filter((rule) => rule.name !== name && !rule.name.startsWith(`${name}|`));
    this.rules.push({ allow, name });
  }

  // ------------------------------------------------------------------ describing

  /** "+@all -debug", "-@all +get +@hash". */
  describeCommands(): string {
    const rules = this.rules.map(({ allow, name }) => ` ${allow ? "+" : "-"}${name}`);
    return (this.fromAll ? "+@all" : "-@all") + rules.join("");
  }

  describeKeys(): string {
    return this.allKeys ? "~*" : this.keys.map(({ text, access }) => PREFIX[access] + text).join(" ");
  }

  describeChannels(): string {
    return this.allChannels ? "&*" : this.channels.map(({ text }) => `&${text}`).join(" ");
  }

  /** All of it in rules: keys, channels, commands. */
  describe(): string {
    const channels = this.allChannels ? "&*" : `resetchannels ${this.describeChannels()}`;
    return [this.describeKeys(), channels.trim(), this.describeCommands()]
      .filter((part) => part !== "")
      .join(" ");
  }
}

function sameBytes(a: Uint8Array, buf: Uint8Array, start: number, end: number): boolean {
  if (a.length !== end - start) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== buf[start + i]) return false;
  return true;
}
