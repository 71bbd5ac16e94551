/**
 * What may differ from the oracle, and why. redbun gives the replies of Redis 7.2.6; an oracle of 7.0 is excused
 * where 7.2 changed something, and nothing else is excused silently.
 */
import type { Arg } from "./wire.ts";

export interface Difference {
  /** What differs: the reply (if left out), or the number of changes counted. */
  what?: "changes";
  /** Matched against the command's words, joined by blanks. */
  command: RegExp;
  /** Matched against the oracle's reply, where given. */
  theirs?: RegExp;
  /** "older": only an oracle before 7.2 differs; "always": redbun differs from every Redis. */
  oracle: "older" | "always";
  reason: string;
}

export const DIFFERENCES: readonly Difference[] = [
  {
    command: /^\S+ HELP$/i,
    oracle: "always",
    reason: "help texts are redbun's own words",
  },
  {
    command: /^OBJECT REFCOUNT /i,
    oracle: "always",
    reason: "redbun shares no objects, Redis does with the integers 0 to 9999",
  },
  {
    command: /^(OBJECT ENCODING set|CONFIG SET set-max-listpack)/i,
    oracle: "older",
    reason: "sets have listpacks since 7.2",
  },
  {
    command: /^CLIENT (SETINFO|NO-TOUCH)\b/i,
    oracle: "older",
    reason: "new in 7.2",
  },
  {
    command: /^COMMAND GETKEYS(ANDFLAGS)? \S+$/i,
    oracle: "older",
    reason: "7.2 lets the command whose keys are asked for have no arguments",
  },
  {
    command: /^CLIENT PAUSE 9223372036854775807$/i,
    oracle: "older",
    reason: "7.2 refuses a pause whose end overflows",
  },
  {
    command: /^OBJECT ENCODING [ls]$/i,
    oracle: "older",
    reason: "7.2 has listpacks for small lists and sets",
  },
  {
    command: /^OBJECT ENCODING list\d$/i,
    oracle: "older",
    reason: "small lists are listpacks since 7.2",
  },
  {
    command: /^LPOS \S+ \S+ RANK -9223372036854775808$/i,
    oracle: "older",
    reason: "7.2 refuses a rank that cannot be negated",
  },
  {
    command: /^B(L|R)(POP|MOVE|POPLPUSH|MPOP) .*\b(1e400|1e20|9223372036854775807)\b/i,
    oracle: "older",
    reason: "7.2 tells a timeout that overflows from a negative one",
  },
  {
    command: /^z(rev)?rank x x x$/i,
    oracle: "older",
    reason: "WITHSCORE is new in 7.2",
  },
  {
    command: /^ACL (GETUSER|LIST)\b/,
    oracle: "older",
    reason: "7.2 shows sanitize-payload, and command rules in the order in which they were given",
  },
  {
    command: /^ACL DRYRUN u /,
    theirs: /^\$\d+\r\nThis user has no permissions/,
    oracle: "older",
    reason: "7.2 names the user",
  },
  {
    command: /./,
    theirs: /^-NOPERM this user has no permissions/,
    oracle: "older",
    reason: "7.2 words it differently, and names the user",
  },
  {
    command: /^EVAL /,
    theirs: /^-ERR The user executing the script can't /,
    oracle: "older",
    reason: "7.2 words it as outside of scripts",
  },
  {
    command: /^HELLO/,
    theirs: /otherwise the HELLO AUTH/,
    oracle: "older",
    reason: "7.2 words it differently",
  },
  {
    command: /^COMMAND INFO ACL$/,
    oracle: "older",
    reason: "7.2 has tips",
  },
  {
    command: /^XREAD .*STREAMS .*\+/i,
    theirs: /^-ERR Invalid stream ID/,
    oracle: "always",
    reason: "XREAD takes + for a stream's last entry, as Redis 7.4 does",
  },
  {
    what: "changes",
    command: /^BITFIELD .* OVERFLOW FAIL /i,
    oracle: "always",
    reason: "a string that grew though all writes were refused is a change in redbun, and propagated",
  },
];

export function differenceOf(
  args: readonly Arg[],
  oracleIsOlder: boolean,
  what: "reply" | "changes" = "reply",
  theirs = "",
): Difference | null {
  const line = args
    .map((arg) => (typeof arg === "string" ? arg : Buffer.from(arg).toString("latin1")))
    .join(" ");
  return (
    DIFFERENCES.find(
      (difference) =>
        (difference.what ?? "reply") === what &&
        (difference.oracle === "always" || oracleIsOlder) &&
        difference.command.test(line) &&
        (difference.theirs?.test(theirs) ?? true),
    ) ?? null
  );
}
