import { latin1Bytes } from "../bytes/ascii.ts";

/**
 * Logs of costly commands: those that took longest (the slow log), those that came with the most bytes, and those that were
 * answered with the most (Valkey 8.1). The newest first, arguments cut short.
 */

export interface LoggedCommand {
  id: number;
  /** Seconds since 1970. */
  time: number;
  /** Microseconds, or bytes. */
  amount: number;
  args: Uint8Array[];
  address: string;
  clientName: string;
}

/** As many arguments, and bytes of each, as an entry keeps. */
const MAX_ARGS = 32;
const MAX_BYTES = 128;
const REDACTED = latin1Bytes("(redacted)");

/** A command line as its reader leaves it: argument i is `buf[start[i], end[i])`. */
interface Line {
  readonly buf: Uint8Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly argc: number;
}

/** Copies of the arguments: secrets replaced, long ones and long lists cut, with a note of how much. */
export function logArguments(line: Line, isSecret: (i: number) => boolean): Uint8Array[] {
  const { buf, start, end, argc } = line;
  const cut = argc > MAX_ARGS;
  const args: Uint8Array[] = [];
  for (let i = 0; i < (cut ? MAX_ARGS - 1 : argc); i++) {
    const from = start[i]!;
    const length = end[i]! - from;
    if (isSecret(i)) args.push(REDACTED);
    else if (length <= MAX_BYTES) args.push(buf.slice(from, end[i]!));
    else {
      const note = latin1Bytes(`... (${length - MAX_BYTES} more bytes)`);
      const kept = new Uint8Array(MAX_BYTES + note.length);
      kept.set(buf.subarray(from, from + MAX_BYTES));
      kept.set(note, MAX_BYTES);
      args.push(kept);
    }
  }
  if (cut) args.push(latin1Bytes(`... (${argc - MAX_ARGS + 1} more arguments)`));
  return args;
}

export class CommandLog {
  private entries: LoggedCommand[] = [];
  private nextId = 0;
  private limit = 128;

  /** Entries there may be; what is too much already goes with the next entry. */
  set maxLength(length: number) {
    this.limit = length;
  }

  add(entry: Omit<LoggedCommand, "id">): void {
    this.entries.unshift({ id: this.nextId++, ...entry });
    if (this.entries.length > this.limit) this.entries.length = this.limit;
  }

  /** The newest `count` entries. */
  newest(count: number): readonly LoggedCommand[] {
    return this.entries.slice(0, count);
  }

  get length(): number {
    return this.entries.length;
  }

  clear(): void {
    this.entries = [];
  }
}

export const LOG_TYPES = ["slow", "large-request", "large-reply"] as const;
export type LogType = (typeof LOG_TYPES)[number];
export type CommandLogs = Readonly<Record<LogType, CommandLog>>;

export function newCommandLogs(): CommandLogs {
  return { slow: new CommandLog(), "large-request": new CommandLog(), "large-reply": new CommandLog() };
}
