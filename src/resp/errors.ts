/**
 * Error replies. A handler throws CommandError; one place (call/execute.ts) writes it as an error reply. The
 * sentences are Redis's own, to the letter: clients and tests match on them.
 */

/** The text of the error reply without the leading '-': an upper-case code, a space, a sentence. */
export class CommandError extends Error {}

export const errors = {
  syntax: "ERR syntax error",
  notInteger: "ERR value is not an integer or out of range",
  notFloat: "ERR value is not a valid float",
  nanOrInfinity: "ERR increment would produce NaN or Infinity",
  overflow: "ERR increment or decrement would overflow",
  wrongType: "WRONGTYPE Operation against a key holding the wrong kind of value",
  noSuchKey: "ERR no such key",
  indexOutOfRange: "ERR index out of range",
  outOfRange: "ERR value is out of range",
  notInt32: "ERR value is out of range, value must between -2147483648 and 2147483647",
  positive: "ERR value is out of range, must be positive",
  offset: "ERR offset is out of range",
  stringTooLong: "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
  bitOffset: "ERR bit offset is not an integer or out of range",
  bitValue: "ERR bit is not an integer or out of range",
  bitArgument: "ERR The bit argument must be 1 or 0.",
  noAuth: "NOAUTH Authentication required.",
  noProto: "NOPROTO unsupported protocol version",
  wrongPass: "WRONGPASS invalid username-password pair or user is disabled.",
  noPasswordSet:
    "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
  dbIndex: "ERR DB index is out of range",
  invalidDbIndex: "ERR invalid DB index",
  sameObject: "ERR source and destination objects are the same",
  timeoutNotInteger: "ERR timeout is not an integer or out of range",
  timeoutNegative: "ERR timeout is negative",
  timeoutOutOfRange: "ERR timeout is out of range",
  loading: "LOADING Redis is loading the dataset in memory",
  oom: "OOM command not allowed when used memory > 'maxmemory'.",
  readOnly: "READONLY You can't write against a read only replica.",
  noAof: "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
  noReplicas: "NOREPLICAS Not enough good replicas to write.",
  noScript: "NOSCRIPT No matching script. Please use EVAL.",
  busyScript: "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
  busyFunction: "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.",
  masterDown: "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  hllInvalid: "WRONGTYPE Key is not a valid HyperLogLog string value.",
  hllCorrupted: "INVALIDOBJ Corrupted HLL object detected",
  tooManyClients: "ERR max number of clients reached",
} as const;

export function wrongArity(fullName: string): string {
  return `ERR wrong number of arguments for '${fullName}' command`;
}

export function invalidExpire(command: string): string {
  return `ERR invalid expire time in '${command}' command`;
}

export function unknownSubcommand(subcommand: string, container: string): string {
  return `ERR unknown subcommand '${subcommand.slice(0, 128)}'. Try ${container.toUpperCase()} HELP.`;
}

/** A subcommand whose arguments fit none of its forms. */
export function subcommandSyntax(subcommand: string, container: string): string {
  return (
    `ERR unknown subcommand or wrong number of arguments for '${subcommand.slice(0, 128)}'. ` +
    `Try ${container.toUpperCase()} HELP.`
  );
}

/** Throws; for use in expressions. */
export function fail(message: string): never {
  throw new CommandError(message);
}
