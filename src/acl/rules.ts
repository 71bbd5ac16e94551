/**
 * The language of ACL rules (https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/): why a rule
 * is refused, and what is common to both places where rules stand, a user and a selector.
 *
 *   on off nopass >password ...        the user's own                                  (user.ts)
 *   +get -@write ~key:* &channel       of a selector; outside of parentheses the root's (selector.ts)
 *   (+set %W~tmp:*)                    a further selector: its rules hold together, beside the root's
 *
 * Rules are byte strings, one character a byte.
 */

/** Why a rule is refused; the sentence alone, whoever reports it names the rule. */
export class RuleError extends Error {
  constructor(
    message: string,
    /** The command or category is unknown, as it may be while commands are still to come. */
    readonly unknownName = false,
  ) {
    super(message);
  }
}

export const ruleErrors = {
  syntax: "Syntax error",
  keysAfterAll:
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try " +
    "'resetkeys' to start with an empty list of patterns",
  channelsAfterAll:
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try " +
    "'resetchannels' to start with an empty list of channels",
  noSuchPassword: "The password you are trying to remove from the user does not exist",
  badHash:
    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters",
  duplicateUser: "Duplicate user found. A user can only be defined once in config files",
  firstArgOfSubcommand: "Allowing first-arg of a subcommand is not supported",
} as const;

export function unknownName(): RuleError {
  return new RuleError("Unknown command or category name in ACL", true);
}

/** Blanks as C's isspace has them, and NUL: they would not survive a line of a file. */
export function hasBlanks(text: string): boolean {
  return /[ \t-\r\0]/.test(text);
}

/**
 * A selector may be spread over several arguments, "(+get" "~k*)": puts them together. Where a parenthesis stays
 * open, `unmatched` is the index of the argument that opens it.
 */
export function mergeSelectors(args: readonly string[]): { rules: string[]; unmatched: number } {
  const rules: string[] = [];
  let open = "";
  let unmatched = -1;
  for (const [index, arg] of args.entries()) {
    if (unmatched < 0 && arg.startsWith("(") && !arg.endsWith(")")) {
      open = arg;
      unmatched = index;
    } else if (unmatched >= 0) {
      open += ` ${arg}`;
      if (!arg.endsWith(")")) continue;
      rules.push(open);
      unmatched = -1;
    } else rules.push(arg);
  }
  return { rules, unmatched };
}
