import { closeSync, openSync, writeSync } from "node:fs";
import { type ConsolaInstance, createConsola, LogLevels } from "consola";

/**
 * The server's log, through consola. To a file or a pipe each line has Redis's form, which tools wait for:
 *
 *   1234:M 21 Nov 2026 09:40:11.123 * Ready to accept connections tcp
 *   PID:role                        level: . debug  - verbose  * notice  # warning
 *
 * On a terminal consola's own reporter makes it pretty. Lines are written at once, so that none is lost when
 * the process ends.
 */

export type LogLevel = "debug" | "verbose" | "notice" | "warning" | "nothing";

const RANK: Record<LogLevel, number> = { debug: 0, verbose: 1, notice: 2, warning: 3, nothing: 4 };
const MARK = { debug: ".", verbose: "-", notice: "*", warning: "#" } as const;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export class Log {
  level: LogLevel = "notice";
  /** M: master, S: replica, C: child or before start, X: sentinel. */
  role: "M" | "S" | "C" | "X" = "C";
  /** Hears of every line, whatever the level. */
  listener: ((level: keyof typeof MARK, message: string) => void) | null = null;
  private fd = 1;
  private file = "";
  private readonly pretty: ConsolaInstance | null;

  /** `terminal`: whether standard output is one. */
  constructor(terminal: boolean) {
    this.pretty = terminal
      ? createConsola({ level: LogLevels.verbose, formatOptions: { date: true } })
      : null;
  }

  /** Sends lines to a file ("" means standard output). Throws what opening it throws. */
  open(file: string): void {
    const fd = file === "" ? 1 : openSync(file, "a", 0o644);
    if (this.fd !== 1) closeSync(this.fd);
    this.fd = fd;
    this.file = file;
  }

  debug(message: string): void {
    this.write("debug", message);
  }

  verbose(message: string): void {
    this.write("verbose", message);
  }

  notice(message: string): void {
    this.write("notice", message);
  }

  warning(message: string): void {
    this.write("warning", message);
  }

  /** Text as it is, without a line's head. */
  raw(text: string, terminal: boolean): void {
    try {
      writeSync(terminal && this.file === "" ? 1 : this.fd, text);
    } catch {
      // As in `write`.
    }
  }

  enabled(level: LogLevel): boolean {
    return RANK[level] >= RANK[this.level];
  }

  private write(level: keyof typeof MARK, message: string): void {
    this.listener?.(level, message);
    if (!this.enabled(level)) return;
    if (this.pretty !== null && this.file === "") {
      if (level === "warning") this.pretty.warn(message);
      else if (level === "notice") this.pretty.info(message);
      else if (level === "verbose") this.pretty.verbose(message);
      else this.pretty.debug(message);
      return;
    }
    const line = `${process.pid}:${this.role} ${timestamp(new Date())} ${MARK[level]} ${message}\n`;
    try {
      writeSync(this.fd, line);
    } catch {
      // A log that cannot be written (closed pipe, full disk) must not stop the server.
    }
  }
}

/** "21 Nov 2026 09:40:11.123", local time. */
export function timestamp(date: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${two(date.getDate())} ${MONTHS[date.getMonth()]} ${date.getFullYear()}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
