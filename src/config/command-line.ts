// The command line, by Redis's rules:
//
//   redbun [/path/to/redis.conf] [--directive value ...] [-]
//
// Options become lines of configuration that are read after the file. An option's name goes into its line as it
// is, so that one argument "--maxmemory 700mb" is a whole line; every value is quoted. An argument that follows a
// bare name is its value even if it starts with "--" (--logfile --odd--name), except after --save, where nothing
// means "". "-" as the first or last argument asks for standard input. Ours in addition: one dash is enough in
// front of a known directive (-port 6380, -replicaof HOST PORT).

import { findEntry } from "./table.ts";
import { encodeBytes, quoteArgument, splitArguments, trimBlanks } from "./text.ts";

export type CommandLine =
  | {
      readonly mode: "run";
      /** Absolute path. */
      readonly configFile: string | null;
      /** Standard input holds configuration, to be read after the file. */
      readonly readsInput: boolean;
      /** Lines of configuration, to be read last. */
      readonly directivesText: string;
    }
  | { readonly mode: "version" | "help" }
  /** To be printed on stderr, with exit status 1. */
  | { readonly mode: "refused"; readonly reason: string };

const OTHER_DIRECTIVES = new Set(["include", "rename-command", "user", "loadmodule"]);

/** `argv` without the program's name, `directory` to resolve a relative path. */
export function parseCommandLine(argv: readonly string[], directory = process.cwd()): CommandLine {
  const words = argv.map(encodeBytes);
  const [first = ""] = words;
  if (first === "-v" || first === "--version") return { mode: "version" };
  if (first === "-h" || first === "--help") return { mode: "help" };
  if (first === "--test-memory")
    return refused("redbun has no memory test; --test-memory is redis-server's.");
  if (first === "--check-system")
    return refused("redbun has no system check; --check-system is redis-server's.");
  if (words.includes("--sentinel"))
    return refused("redbun has no Sentinel mode; run redis-sentinel beside it.");

  const hasFile = words.length > 0 && !first.startsWith("-");
  const options = hasFile ? words.slice(1) : words;
  return {
    mode: "run",
    configFile: hasFile ? absolutePath(first, encodeBytes(directory)) : null,
    readsInput: options.some((word, at) => isInput(word, at, hasFile, options.length)),
    directivesText: optionLines(options, hasFile),
  };
}

const refused = (reason: string): CommandLine => ({ mode: "refused", reason });

/** After a file, only a last "-" counts. */
function isInput(word: string, at: number, hasFile: boolean, count: number): boolean {
  return word === "-" && ((at === 0 && !hasFile) || at === count - 1);
}

function optionLines(options: readonly string[], hasFile: boolean): string {
  let text = "";
  let complete = true;
  for (const [at, word] of options.entries()) {
    if (isInput(word, at, hasFile, options.length)) continue;
    const dashes = complete ? optionDashes(word) : 0;
    if (dashes === 0) {
      text += `${quoteArgument(word)} `;
      complete = true;
      continue;
    }
    if (text !== "") text += "\n";
    text += `${word.slice(dashes)} `;
    complete = splitArguments(word)?.length !== 1;
    if (complete || word.slice(dashes).toLowerCase() !== "save") continue;
    const next = options[at + 1];
    if (next === undefined || optionDashes(next) > 0) {
      text += '""';
      complete = next !== undefined;
    }
  }
  return text;
}

/** How many dashes make this word the name of an option; 0 where it is a value. */
function optionDashes(word: string): number {
  if (word.startsWith("--")) return 2;
  if (!word.startsWith("-")) return 0;
  const name = (splitArguments(word.slice(1))?.[0] ?? "").toLowerCase();
  return findEntry(name) !== undefined || OTHER_DIRECTIVES.has(name) ? 1 : 0;
}

/** Leading "../" are taken off the directory, so that the path stays right when `dir` moves the process. */
function absolutePath(path: string, directory: string): string {
  let rest = trimBlanks(path);
  if (rest.startsWith("/")) return rest;
  let base = directory.endsWith("/") ? directory : `${directory}/`;
  while (rest.startsWith("../")) {
    rest = rest.slice(3);
    if (base.length > 1) base = base.replace(/[^/]*\/$/, "");
  }
  return base + rest;
}
