// Reading redis.conf. The sources are read in the order of precedence, the last line of a directive wins:
//
//   the file  ->  standard input (if "-" was given)  ->  the command line, as lines of text
//
//   line := blank | "#" anything | directive argument*        (quoting: text.ts)
//
// A line is carried out as soon as it is parsed, since `dir` moves the process and so the meaning of a later
// `include`. Lines that are not a value of the table (include, rename-command, user, loadmodule) are kept for
// the rooms concerned, which may check them at once through LoadHandlers.

import type { Config } from "./config.ts";
import { ConfigFileError, InvalidValue } from "./errors.ts";
import { expandPath, readConfigFile, tryAppend } from "./files.ts";
import { findEntry } from "./table.ts";
import { splitArguments, trimBlanks } from "./text.ts";

export interface ConfigLine {
  readonly file: string;
  readonly line: number;
  /** The line as written, without the blanks around it. */
  readonly text: string;
  /** In lower case. */
  readonly name: string;
  readonly args: readonly string[];
}

export interface ConfigSources {
  /** Path of the configuration file; may contain wildcards, as Redis allows. */
  readonly file?: string | null;
  /** What was read from standard input. */
  readonly input?: string | null;
  /** CommandLine.directivesText. */
  readonly options?: string;
}

/** Each returns the reason for which the line is refused, or null. */
export interface LoadHandlers {
  renameCommand?(from: string, to: string): string | null;
  /** `args` as after the word "user": the name, then the rules. */
  user?(args: readonly string[]): string | null;
  loadModule?(path: string, args: readonly string[]): string | null;
  warn?(message: string): void;
}

/** What the configuration says besides values. */
export interface LoadedLines {
  readonly renames: { readonly from: string; readonly to: string }[];
  readonly users: (readonly string[])[];
  readonly modules: { readonly path: string; readonly args: readonly string[] }[];
  /** Settings of modules ("name.setting"), the last one of a name. */
  readonly moduleSettings: Map<string, string>;
}

const BAD_DIRECTIVE = "Bad directive or wrong number of arguments";
/** Accepted with one argument and ignored, as Redis does for files of old versions. */
const RETIRED = new Set(["list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands"]);
const INCLUDE_DEPTH = 100;

/** The directives of a text, one by one; throws ConfigFileError at a line with unbalanced quotes. */
export function* parseConfig(text: string, file: string): Generator<ConfigLine> {
  let line = 0;
  for (const raw of text.split("\n")) {
    line++;
    const trimmed = trimBlanks(raw);
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const words = splitArguments(trimmed);
    if (words === null) {
      throw new ConfigFileError(file, line, trimmed, "Unbalanced quotes in configuration line");
    }
    const [name, ...args] = words;
    if (name !== undefined) yield { file, line, text: trimmed, name: name.toLowerCase(), args };
  }
}

/** Reads all sources into `config`; throws ConfigFileError or ConfigOpenError. Hooks do not run. */
export function loadConfig(config: Config, sources: ConfigSources, handlers: LoadHandlers = {}): LoadedLines {
  const loader = new Loader(config, handlers);
  if (sources.file != null) loader.readFiles(sources.file);
  if (sources.input != null) loader.read(sources.input, "the standard input");
  if (sources.options !== undefined) loader.read(sources.options, "the command line");
  checkWhole(config, handlers);
  return loader.lines;
}

class Loader {
  readonly lines: LoadedLines = { renames: [], users: [], modules: [], moduleSettings: new Map() };
  #depth = 0;

  constructor(
    readonly config: Config,
    readonly handlers: LoadHandlers,
  ) {}

  readFiles(pattern: string): void {
    for (const path of expandPath(pattern)) this.read(readConfigFile(path), path);
  }

  read(text: string, file: string): void {
    for (const line of parseConfig(text, file)) {
      const reason = this.#carryOut(line);
      if (reason !== null) throw new ConfigFileError(line.file, line.line, line.text, reason);
    }
  }

  /** The reason for which the line is refused, or null. */
  #carryOut({ name, args }: ConfigLine): string | null {
    const entry = findEntry(name);
    if (entry !== undefined) {
      const { multi } = entry.directive;
      if (!multi && args.length !== 1) return "wrong number of arguments";
      // One quoted argument may hold them all: --shutdown-on-sigterm "nosave force".
      const words = multi && args.length === 1 && args[0] !== "" ? (splitArguments(args[0]!) ?? []) : args;
      try {
        this.config.load(entry, words);
      } catch (error) {
        if (error instanceof InvalidValue) return error.message;
        throw error;
      }
      return null;
    }
    if (RETIRED.has(name) && args.length === 1) return null;
    return this.#other(name, args);
  }

  #other(name: string, args: readonly string[]): string | null {
    const [first, second] = args;
    if (name === "include" && args.length === 1) return this.#include(first!);
    if (name === "rename-command" && args.length === 2) {
      this.lines.renames.push({ from: first!, to: second! });
      return this.handlers.renameCommand?.(first!, second!) ?? null;
    }
    if (name === "user" && args.length >= 1) {
      this.lines.users.push(args);
      return this.handlers.user?.(args) ?? null;
    }
    if (name === "loadmodule" && args.length >= 1) {
      this.lines.modules.push({ path: first!, args: args.slice(1) });
      return this.handlers.loadModule?.(first!, args.slice(1)) ?? null;
    }
    if (name.includes(".")) {
      if (args.length === 0) return "Module config specified without value";
      this.lines.moduleSettings.set(name, args.join(" "));
      return null;
    }
    if (name === "sentinel")
      return args.length === 0 ? null : "sentinel directive while not in sentinel mode";
    return BAD_DIRECTIVE;
  }

  #include(pattern: string): string | null {
    if (this.#depth === INCLUDE_DEPTH) return "Too many levels of include, a file probably includes itself";
    this.#depth++;
    this.readFiles(pattern);
    this.#depth--;
    return null;
  }
}

/** What no single line shows. */
function checkWhole(config: Config, handlers: LoadHandlers): void {
  const { logfile, clusterEnabled, replicaof, databases } = config.values;
  const wrong = (reason: string) => new ConfigFileError("", 0, "", reason);
  if (logfile !== "") {
    const reason = tryAppend(logfile);
    if (reason !== null) throw wrong(`Can't open the log file: ${reason}`);
  }
  if (!clusterEnabled) return;
  if (replicaof !== null) throw wrong("replicaof directive not allowed in cluster mode");
  if (databases > 1) {
    handlers.warn?.(`WARNING: Changing databases number from ${databases} to 1 since we are in cluster mode`);
    config.assign("databases", 1);
  }
}
