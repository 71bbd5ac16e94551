import { textBytes } from "../bytes/ascii.ts";
import { globMatch } from "../bytes/glob.ts";
import { Call } from "../call/call.ts";
import { KEY_FLAGS, keyFlagBits } from "../call/key-specs.ts";
import { type KeyList, keyErrors } from "../call/keys.ts";
import { CATEGORIES, type Command, type CommandTable, type Registry } from "../call/registry.ts";
import { type CommandSpec, FLAGS, type KeySpec } from "../call/spec.ts";
import { type Argument, parseSyntax } from "../call/syntax.ts";
import { CommandError, errors } from "../resp/errors.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";

/**
 * COMMAND: what the server's commands are, told from their rows. The replies have Redis 7.2's shapes field by
 * field (https://redis.io/docs/latest/commands/command/), because clients build their key extraction and
 * their completion from them; names of flags and categories are status replies, everything else is bulk.
 */

/** Of FLAGS, what COMMAND INFO shows, in its order; the others are the server's own. */
const SHOWN_FLAGS = [
  "write",
  "readonly",
  "denyoom",
  "module",
  "admin",
  "pubsub",
  "noscript",
  "blocking",
  "loading",
  "stale",
  "skip_monitor",
  "skip_slowlog",
  "asking",
  "fast",
  "no_auth",
  "no_mandatory_keys",
  "no_async_loading",
  "no_multi",
  "movablekeys",
  "allow_busy",
] as const;

const FLAG_NAMES: [string, number][] = SHOWN_FLAGS.map((name) => [name, FLAGS[name]]);
const CATEGORY_NAMES: [string, number][] = Object.entries(CATEGORIES).map(([name, bit]) => [`@${name}`, bit]);
const KEY_FLAG_NAMES: [string, number][] = Object.entries(KEY_FLAGS);

/** Those of the names whose bits are set, as a set of status replies. */
function replyNames(reply: ReplyWriter, names: [string, number][], bits: number): void {
  const shown = names.filter(([, bit]) => (bits & bit) !== 0);
  reply.set(shown.length);
  for (const [name] of shown) reply.simple(name);
}

/** A map of what is not undefined: texts, numbers, or functions that write the value. */
type Field = [name: string, value: string | number | (() => void) | undefined];

function replyFields(reply: ReplyWriter, fields: Field[]): void {
  const present = fields.filter(([, value]) => value !== undefined);
  reply.map(present.length);
  for (const [name, value] of present) {
    reply.bulkText(name);
    if (typeof value === "number") reply.int(value);
    else if (typeof value === "string") reply.bulkText(value);
    else if (value !== undefined) value();
  }
}

/** The two halves of a key spec have a type and a map of numbers (and the keyword). */
function replyHalf(reply: ReplyWriter, type: string, spec: Field[]): void {
  replyFields(reply, [
    ["type", type],
    ["spec", () => replyFields(reply, spec)],
  ]);
}

function replyBegin(reply: ReplyWriter, begin: KeySpec["begin"]): void {
  if (begin === "unknown") replyHalf(reply, "unknown", []);
  else if ("index" in begin) replyHalf(reply, "index", [["index", begin.index]]);
  else {
    replyHalf(reply, "keyword", [
      ["keyword", begin.keyword],
      ["startfrom", begin.startFrom],
    ]);
  }
}

function replyFind(reply: ReplyWriter, find: KeySpec["find"]): void {
  if (find === "unknown") replyHalf(reply, "unknown", []);
  else if ("lastKey" in find) {
    replyHalf(reply, "range", [
      ["lastkey", find.lastKey],
      ["keystep", find.step],
      ["limit", find.limit],
    ]);
  } else {
    replyHalf(reply, "keynum", [
      ["keynumidx", find.keyNumIndex],
      ["firstkey", find.firstKey],
      ["keystep", find.step],
    ]);
  }
}

function replyKeySpec(reply: ReplyWriter, spec: KeySpec): void {
  replyFields(reply, [
    ["notes", spec.notes],
    ["flags", () => replyNames(reply, KEY_FLAG_NAMES, keyFlagBits(spec.flags))],
    ["begin_search", () => replyBegin(reply, spec.begin)],
    ["find_keys", () => replyFind(reply, spec.find)],
  ]);
}

function replyInfo(reply: ReplyWriter, command: Command): void {
  const { spec, legacyRange, subcommands } = command;
  const { tips = [], keys = [] } = spec;
  reply.array(10);
  reply.bulkText(command.fullName);
  reply.int(spec.arity);
  replyNames(reply, FLAG_NAMES, command.flags);
  reply.int(legacyRange.first);
  reply.int(legacyRange.last);
  reply.int(legacyRange.step);
  replyNames(reply, CATEGORY_NAMES, command.categories);
  reply.set(tips.length);
  for (const tip of tips) reply.bulkText(tip);
  reply.set(keys.length);
  for (const key of keys) replyKeySpec(reply, key);
  if (subcommands === null) reply.set(0);
  else replyInfos(reply, subcommands);
}

function replyInfos(reply: ReplyWriter, commands: CommandTable): void {
  reply.array(commands.size);
  for (const command of commands) replyInfo(reply, command);
}

function replyArguments(reply: ReplyWriter, list: Argument[]): void {
  reply.array(list.length);
  for (const argument of list) {
    const flags: string[] = [];
    if (argument.optional) flags.push("optional");
    if (argument.multiple) flags.push("multiple");
    if (argument.multipleToken) flags.push("multiple_token");
    const nested = argument.arguments;
    replyFields(reply, [
      ["name", argument.name],
      ["type", argument.type],
      ["display_text", nested ? undefined : (argument.displayText ?? argument.name)],
      ["key_spec_index", argument.keySpecIndex],
      ["token", argument.token],
      ["since", argument.since],
      ["deprecated_since", argument.deprecatedSince],
      ["flags", flags.length > 0 ? () => replyStatuses(reply, flags) : undefined],
      ["arguments", nested && (() => replyArguments(reply, nested))],
    ]);
  }
}

function replyStatuses(reply: ReplyWriter, texts: string[]): void {
  reply.set(texts.length);
  for (const text of texts) reply.simple(text);
}

function replyHistory(reply: ReplyWriter, history: [string, string][]): void {
  reply.set(history.length);
  for (const [version, change] of history) {
    reply.array(2);
    reply.bulkText(version);
    reply.bulkText(change);
  }
}

function replyDocs(reply: ReplyWriter, command: Command): void {
  const { spec, subcommands } = command;
  const { args, history } = spec;
  replyFields(reply, [
    ["summary", spec.summary],
    ["since", spec.since],
    ["group", spec.group],
    ["complexity", spec.complexity],
    ["doc_flags", spec.deprecatedSince && (() => replyStatuses(reply, ["deprecated"]))],
    ["deprecated_since", spec.deprecatedSince],
    ["replaced_by", spec.replacedBy],
    ["history", history && (() => replyHistory(reply, history))],
    ["arguments", args && (() => replyArguments(reply, parseSyntax(args)))],
    ["subcommands", subcommands ? () => replyNamedDocs(reply, [...subcommands]) : undefined],
  ]);
}

function replyNamedDocs(reply: ReplyWriter, commands: Command[]): void {
  reply.map(commands.length);
  for (const command of commands) {
    reply.bulkText(command.fullName);
    replyDocs(reply, command);
  }
}

/** COMMAND LIST's filter over all commands, subcommands too. */
function listFilter(call: Call): (command: Command) => boolean {
  if (call.argc === 2) return () => true;
  if (call.argc !== 5 || call.text(2).toLowerCase() !== "filterby") throw new CommandError(errors.syntax);
  switch (call.text(3).toLowerCase()) {
    case "module":
      return () => false;
    case "aclcat": {
      const wanted = call.text(4).toLowerCase();
      const bit = Object.entries(CATEGORIES).find(([name]) => name === wanted)?.[1] ?? 0;
      return (command) => (command.categories & bit) !== 0;
    }
    case "pattern": {
      const pattern = call.bytes(4);
      return (command) => globMatch(pattern, textBytes(command.fullName), true);
    }
    default:
      throw new CommandError(errors.syntax);
  }
}

/** The command line in the arguments from 2 on, as a call of its own. */
function innerCall(call: Call): Call {
  const inner = new Call();
  inner.buf = call.buf;
  inner.start = call.start.subarray(2);
  inner.end = call.end.subarray(2);
  inner.argc = call.argc - 2;
  return inner;
}

/** Keys of the inner call as pairs of argument index and flags. */
function innerKeys(inner: Call, registry: Registry): KeyList {
  const command = registry.lookup(inner);
  if (command === null || (command.subcommands !== null && inner.argc > 1)) {
    throw new CommandError(keyErrors.unknownCommand);
  }
  if (!command.keys.some) throw new CommandError(keyErrors.noKeys);
  if (!command.acceptsArgs(inner.argc)) throw new CommandError(keyErrors.arity);
  const keys: KeyList = [];
  if (command.keys.find(inner, keys) === 0 && !command.has("no_mandatory_keys")) {
    throw new CommandError(keyErrors.arguments);
  }
  return keys;
}

function replyKeys(call: Call, registry: Registry, withFlags: boolean): void {
  const inner = innerCall(call);
  const keys = innerKeys(inner, registry);
  call.reply.array(keys.length / 2);
  for (let i = 0; i < keys.length; i += 2) {
    const index = keys[i]!;
    if (withFlags) call.reply.array(2);
    call.reply.bulk(inner.buf, inner.start[index]!, inner.end[index]!);
    if (withFlags) replyNames(call.reply, KEY_FLAG_NAMES, keys[i + 1]!);
  }
}

const HELP = [
  "(no subcommand)",
  "    Facts about all commands.",
  "COUNT",
  "    The number of commands.",
  "LIST",
  "    The names of all commands.",
  "INFO [<command-name> ...]",
  "    Facts about the given commands, or about all.",
  "DOCS [<command-name> ...]",
  "    Descriptions of the given commands, or of all.",
  "GETKEYS <full-command>",
  "    The keys in a command with its arguments.",
  "GETKEYSANDFLAGS <full-command>",
  "    The same, and how each key is used.",
  "HELP",
  "    This text.",
];

export function commandCommands(deps: { registry: () => Registry }): CommandSpec[] {
  function command({ reply }: Call): void {
    replyInfos(reply, deps.registry().commands);
  }

  function commandCount({ reply }: Call): void {
    reply.int(deps.registry().commands.size);
  }

  function commandInfo(call: Call): void {
    const { reply, argc } = call;
    const registry = deps.registry();
    if (argc === 2) replyInfos(reply, registry.commands);
    else reply.array(argc - 2);
    for (let i = 2; i < argc; i++) {
      const found = registry.get(call.text(i));
      if (found === null) reply.nil();
      else replyInfo(reply, found);
    }
  }

  function commandDocs(call: Call): void {
    const registry = deps.registry();
    const found: Command[] = call.argc === 2 ? [...registry.commands] : [];
    for (let i = 2; i < call.argc; i++) {
      const each = registry.get(call.text(i));
      if (each !== null) found.push(each);
    }
    replyNamedDocs(call.reply, found);
  }

  function commandList(call: Call): void {
    const names = [...deps.registry().all()].filter(listFilter(call));
    call.reply.array(names.length);
    for (const each of names) call.reply.bulkText(each.fullName);
  }

  function commandGetkeys(call: Call): void {
    replyKeys(call, deps.registry(), false);
  }

  function commandGetkeysandflags(call: Call): void {
    replyKeys(call, deps.registry(), true);
  }

  function commandHelp(call: Call): void {
    const name = call.text(0).toUpperCase();
    call.reply.array(HELP.length + 1);
    call.reply.simple(`${name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`);
    for (const line of HELP) call.reply.simple(line);
  }

  return [
    {
      name: "command",
      arity: -1,
      flags: ["loading", "stale"],
      categories: ["connection"],
      since: "2.8.13",
      group: "server",
      summary: "Facts about all commands.",
      complexity: "O(N), N commands",
      tips: ["nondeterministic_output_order"],
      run: command,
      subcommands: [
        {
          name: "count",
          arity: 2,
          flags: ["loading", "stale"],
          categories: ["connection"],
          since: "2.8.13",
          group: "server",
          summary: "The number of commands.",
          complexity: "O(1)",
          run: commandCount,
        },
        {
          name: "docs",
          arity: -2,
          flags: ["loading", "stale"],
          categories: ["connection"],
          since: "7.0.0",
          group: "server",
          summary: "Descriptions of commands and their arguments.",
          complexity: "O(N), N commands asked for",
          args: "[command-name...]",
          tips: ["nondeterministic_output_order"],
          run: commandDocs,
        },
        {
          name: "getkeys",
          arity: -3,
          flags: ["loading", "stale"],
          categories: ["connection"],
          since: "2.8.13",
          group: "server",
          summary: "The keys among the arguments of a command.",
          complexity: "O(N), N arguments",
          args: "command [arg...]",
          run: commandGetkeys,
        },
        {
          name: "getkeysandflags",
          arity: -3,
          flags: ["loading", "stale"],
          categories: ["connection"],
          since: "7.0.0",
          group: "server",
          summary: "The keys among the arguments of a command, and how they are used.",
          complexity: "O(N), N arguments",
          args: "command [arg...]",
          run: commandGetkeysandflags,
        },
        {
          name: "help",
          arity: 2,
          flags: ["loading", "stale"],
          categories: ["connection"],
          since: "5.0.0",
          group: "server",
          summary: "Describes the subcommands.",
          complexity: "O(1)",
          run: commandHelp,
        },
        {
          name: "info",
          arity: -2,
          flags: ["loading", "stale"],
          categories: ["connection"],
          since: "2.8.13",
          group: "server",
          summary: "Facts about the given commands, or about all.",
          complexity: "O(N), N commands asked for",
          args: "[command-name...]",
          tips: ["nondeterministic_output_order"],
          history: [["7.0.0", "Without arguments, tells about all commands."]],
          run: commandInfo,
        },
        {
          name: "list",
          arity: -2,
          flags: ["loading", "stale"],
          categories: ["connection"],
          since: "7.0.0",
          group: "server",
          summary: "The names of all commands, or of some.",
          complexity: "O(N), N commands",
          args: "[FILTERBY filterby=(MODULE module-name|ACLCAT category|PATTERN pattern:pattern)]",
          tips: ["nondeterministic_output_order"],
          run: commandList,
        },
      ],
    },
  ];
}
