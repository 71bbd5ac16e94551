// Files of the configuration: reading with wildcards, and replacing one file at once.

import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { ConfigOpenError, systemErrorText } from "./errors.ts";
import { decodeBytes } from "./text.ts";

/** The bytes of a configuration file as a byte string. */
export function readConfigFile(path: string): string {
  try {
    return readFileSync(decodeBytes(path), "latin1");
  } catch (error) {
    throw new ConfigOpenError(path, systemErrorText(error));
  }
}

/** The paths an `include` names: the path itself, or all that a wildcard pattern matches, sorted, maybe none. */
export function expandPath(pattern: string): string[] {
  if (!/[*?[]/.test(pattern)) return [pattern];
  let found = [pattern.startsWith("/") ? "/" : ""];
  for (const part of pattern.split("/").filter((each) => each !== "")) {
    const matches = partMatcher(part);
    found = found.flatMap((base) =>
      matches === null
        ? [join(base, part)].filter(exists)
        : list(base)
            .filter((name) => matches.test(name) && (part.startsWith(".") || !name.startsWith(".")))
            .map((name) => join(base, name)),
    );
  }
  return found.sort();
}

const join = (base: string, name: string) =>
  base === "" || base.endsWith("/") ? base + name : `${base}/${name}`;

function exists(path: string): boolean {
  return statSync(decodeBytes(path), { throwIfNoEntry: false }) !== undefined;
}

function list(directory: string): string[] {
  try {
    const names = readdirSync(decodeBytes(directory === "" ? "." : directory), { encoding: "buffer" });
    return names.map((name) => Buffer.from(name).toString("latin1"));
  } catch {
    return [];
  }
}

/** A path component as a regular expression: * ? [abc] [a-z] [!a] and backslash; null without wildcards. */
function partMatcher(part: string): RegExp | null {
  if (!/[*?[]/.test(part)) return null;
  let source = "";
  for (let at = 0; at < part.length; at++) {
    const character = part[at]!;
    const end = character === "[" ? part.indexOf("]", at + (/[!^]/.test(part[at + 1] ?? "") ? 3 : 2)) : -1;
    if (character === "*") source += ".*";
    else if (character === "?") source += ".";
    else if (end !== -1) {
      const negated = /[!^]/.test(part[at + 1]!);
      const members = part.slice(at + (negated ? 2 : 1), end).replace(/[\\\]^[]/g, "\\$&");
      source += `[${negated ? "^" : ""}${members}]`;
      at = end;
    } else {
      const literal = character === "\\" && at + 1 < part.length ? part[++at]! : character;
      source += literal.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
    }
  }
  return new RegExp(`^${source}$`, "s");
}

/** True where the log file can be written, which Redis proves before it starts; the reason otherwise. */
export function tryAppend(path: string): string | null {
  try {
    closeSync(openSync(decodeBytes(path), "a"));
    return null;
  } catch (error) {
    return systemErrorText(error);
  }
}

/**
 * Replaces a file so that a crash leaves the old one or the new one, never half of either: written beside it,
 * synced, renamed over it, the directory synced. Throws the system's error, the old file then being untouched.
 */
export function replaceFile(path: string, content: string): void {
  const name = decodeBytes(path);
  const temporary = `${name}.${process.pid}.${Math.random().toString(36).slice(2, 8)}`;
  const bytes = Buffer.from(content, "latin1");
  const descriptor = openSync(temporary, "wx", 0o600);
  try {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
      fsyncSync(descriptor);
      fchmodSync(descriptor, 0o644 & ~process.umask());
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, name);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  }
  syncDirectory(dirname(name));
}

/** Some systems cannot open a directory; there the rename is durable when the file system says so. */
function syncDirectory(path: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch {
    return;
  }
  try {
    fsyncSync(descriptor);
  } catch {
    // EINVAL or EPERM: this file system does not sync directories.
  } finally {
    closeSync(descriptor);
  }
}
