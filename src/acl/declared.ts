import type { Log } from "../host/log.ts";
import { type Acl, type AclSettings, userContext } from "./acl.ts";
import { hasBlanks, mergeSelectors, RuleError, ruleErrors } from "./rules.ts";
import { NO_COMMANDS } from "./selector.ts";
import { User } from "./user.ts";

/**
 * Users that redis.conf declares, "user alice on >secret ~* +get". A line is checked when it is read, so that the
 * error can name it, though the commands that it speaks of are known only later; the users are made at start.
 */
export class DeclaredUsers {
  readonly users: { readonly name: string; readonly rules: readonly string[] }[] = [];

  constructor(private readonly settings: Pick<AclSettings, "aclPubsubDefault">) {}

  /** `args`: the name, then the rules. Returns why they are refused, or null. */
  add(args: readonly string[]): string | null {
    const [name = "", ...words] = args;
    const wrong = (word: string, why: string) => `Error in user declaration '${word}': ${why}`;
    if (this.users.some((user) => user.name === name)) return wrong(name, ruleErrors.duplicateUser);
    const { rules, unmatched } = mergeSelectors(words);
    if (unmatched >= 0) return wrong(words[unmatched]!, "Unmatched parenthesis");
    const trial = new User(name, userContext(NO_COMMANDS, this.settings));
    for (const rule of rules) {
      try {
        trial.apply(rule);
      } catch (error) {
        if (!(error instanceof RuleError)) throw error;
        if (!error.unknownName) return wrong(rule, error.message);
      }
    }
    this.users.push({ name, rules });
    return null;
  }

  /** Makes the users; returns why the server cannot start with them, or null. */
  start(acl: Acl, log: Log): string | null {
    for (const { name, rules } of this.users) {
      if (hasBlanks(name)) return "Spaces not allowed in ACL usernames";
      const user = acl.declare(name);
      for (const rule of rules) {
        try {
          user.apply(rule);
        } catch (error) {
          if (!(error instanceof RuleError)) throw error;
          return `Error loading ACL rule '${rule}' for the user named '${name}': ${error.message}`;
        }
      }
      if (!user.enabled)
        log.notice(
          `The user '${name}' is disabled (there is no 'on' modifier in the user description). Make sure this is not ` +
            "a configuration error.",
        );
    }
    return null;
  }
}
