import { readFileSync } from "node:fs";
import type { Session } from "../call/session.ts";
import { systemErrorText } from "../config/errors.ts";
import { replaceFile } from "../config/files.ts";
import { decodeBytes } from "../config/text.ts";
import type { Acl } from "./acl.ts";
import { hasBlanks, mergeSelectors, RuleError } from "./rules.ts";
import type { User } from "./user.ts";

/**
 * The ACL file (directive aclfile): a line a user, "user <name> <rules>", split at single spaces and without quoting;
 * empty lines, but no comments, since ACL SAVE would lose them. It is taken as a whole or, with one error in it, not
 * at all; all that is wrong is then told in one line.
 */

/** ACL LOAD, and at start. Returns what is wrong with the file, or null. */
export function loadAclFile(acl: Acl, path: string, by: Session | null): string | null {
  let text: string;
  try {
    text = readFileSync(decodeBytes(path), "latin1");
  } catch (error) {
    return `Error loading ACLs, opening file '${path}': ${systemErrorText(error)}`;
  }
  const users = new Map<string, User>();
  let errors = "";
  for (const [i, line] of text.split("\n").entries())
    errors += readLine(acl, users, line, `${path}:${i + 1}`);
  if (errors !== "")
    return `${errors}WARNING: ACL errors detected, no change to the previously active ACL rules was performed`;
  acl.replaceAll(users, by);
  return null;
}

/** Adds the line's user; returns what is wrong with it, or nothing. `place`: the file and the line's number. */
function readLine(acl: Acl, users: Map<string, User>, line: string, place: string): string {
  const trimmed = line.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  if (trimmed === "") return "";
  const [keyword, name, ...words] = trimmed.split(" ");
  if (keyword !== "user" || name === undefined)
    return `${place} should start with user keyword followed by the username. `;
  if (hasBlanks(name)) return `'${place}: username '${name}' contains invalid characters. `;
  if (users.has(name))
    return `WARNING: Duplicate user '${name}' found on line ${place.slice(place.lastIndexOf(":") + 1)}. `;
  const user = acl.newUser(name);
  users.set(name, user);
  const { rules, unmatched } = mergeSelectors(words);
  if (unmatched >= 0) return `${place}: Unmatched parenthesis in selector definition.`;
  return applyRules(user, rules, place);
}

/** Unknown commands are all told; of other errors the first, since what follows may come of it. */
function applyRules(user: User, rules: readonly string[], place: string): string {
  let errors = "";
  let told = false;
  for (const rule of rules) {
    const word = rule.replace(/^[\t\r\n]+|[\t\r\n]+$/g, "");
    try {
      user.apply(word);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      if (error.unknownName) errors += `${place}: Error in applying operation '${word}': ${error.message}. `;
      else if (!told) errors += `${place}: ${error.message}. `;
      told ||= !error.unknownName;
    }
  }
  return errors;
}

/** ACL SAVE. Throws the system's error. */
export function saveAclFile(acl: Acl, path: string): void {
  replaceFile(
    path,
    acl
      .describeAll()
      .map((user) => `user ${user}\n`)
      .join(""),
  );
}
