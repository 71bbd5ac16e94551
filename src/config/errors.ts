// The errors of this room, and the one function that turns a failed start into Redis's text on stderr.
//
//   InvalidValue     a directive refuses its arguments; the message is Redis's bare reason
//   ConfigError      CONFIG SET is refused; `prefix message` is the error reply
//   ConfigFileError  a line of redis.conf or of the command line is refused
//   ConfigOpenError  a configuration file cannot be read at all

export class InvalidValue extends Error {
  override readonly name = "InvalidValue";
}

export class ConfigError extends Error {
  override readonly name = "ConfigError";

  constructor(
    message: string,
    readonly prefix: "ERR" | "LOADING" = "ERR",
  ) {
    super(message);
  }
}

/** `line` is 0 where the whole configuration, not one line of it, is at fault. */
export class ConfigFileError extends Error {
  override readonly name = "ConfigFileError";

  constructor(
    readonly file: string,
    readonly line: number,
    readonly text: string,
    readonly reason: string,
  ) {
    super(line === 0 ? reason : `${file}:${line}: ${reason}`);
  }
}

export class ConfigOpenError extends Error {
  override readonly name = "ConfigOpenError";

  constructor(
    readonly file: string,
    readonly reason: string,
  ) {
    super(`Fatal error, can't open config file '${file}': ${reason}`);
  }
}

/** What Redis prints on stderr before it gives up; the file is added, since includes may nest. */
export function formatConfigFileError(error: ConfigFileError, version: string): string {
  const where =
    error.line === 0
      ? ""
      : `Reading the configuration file, at line ${error.line} of ${error.file}\n>>> '${error.text}'\n`;
  return `\n*** FATAL CONFIG FILE ERROR (Redis ${version}) ***\n${where}${error.reason}\n`;
}

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  EACCES: "Permission denied",
  EADDRINUSE: "Address already in use",
  EADDRNOTAVAIL: "Cannot assign requested address",
  EBUSY: "Device or resource busy",
  EEXIST: "File exists",
  EINVAL: "Invalid argument",
  EIO: "Input/output error",
  EISDIR: "Is a directory",
  ELOOP: "Too many levels of symbolic links",
  EMFILE: "Too many open files",
  ENAMETOOLONG: "File name too long",
  ENOENT: "No such file or directory",
  ENOSPC: "No space left on device",
  ENOTDIR: "Not a directory",
  EPERM: "Operation not permitted",
  EROFS: "Read-only file system",
};

/** The C library's sentence for a failed system call, which Redis puts into its replies. */
export function systemErrorText(error: unknown): string {
  if (error instanceof Error) {
    const code = "code" in error && typeof error.code === "string" ? error.code : "";
    return SYSTEM_ERRORS[code] ?? error.message;
  }
  return String(error);
}
