import { resolve } from "node:path";
import { findEntry } from "../config/table.ts";
import { encodeBytes, quoteArgument } from "../config/text.ts";
import type { Directives } from "./redbun.d.ts";

/** What a test gets that says nothing: no files, no log, nobody from outside. */
const DEFAULTS: Directives = {
  port: 0,
  bind: "127.0.0.1",
  loglevel: "nothing",
  save: "",
  appendonly: false,
};

type Value = string | number | boolean;

/** Lines of redis.conf for these directives. */
export function configText(directives: Directives): string {
  const lines: string[] = [];
  for (const [name, value] of Object.entries({ ...DEFAULTS, ...withoutGaps(directives) })) {
    if (value === undefined) continue;
    for (const each of isList(value) ? value : [value]) lines.push(line(name, each));
  }
  return lines.join("\n");
}

/** An undefined value stands for the default, not for a directive without a value. */
function withoutGaps(directives: Directives): Directives {
  return Object.fromEntries(Object.entries(directives).filter(([, value]) => value !== undefined));
}

function isList(value: Value | readonly string[]): value is readonly string[] {
  return Array.isArray(value);
}

function line(name: string, value: Value): string {
  const text = encodeBytes(typeof value === "boolean" ? (value ? "yes" : "no") : String(value));
  const entry = findEntry(name.toLowerCase());
  // Directives with several arguments, and lines that are no value of the table (user, rename-command).
  if ((entry === undefined || entry.directive.multi) && text !== "") return `${name} ${text}`;
  // The test's own directory counts, whatever `dir` says.
  if (name === "dir") return `${name} ${quoteArgument(encodeBytes(resolve(String(value))))}`;
  return `${name} ${quoteArgument(text)}`;
}
