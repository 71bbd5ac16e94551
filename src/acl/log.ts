/**
 * ACL LOG: what was refused lately, newest first. The same refusal within a minute is counted in its entry rather
 * than noted anew, where that is among the last ten (https://redis.io/docs/latest/commands/acl-log/).
 */
export type DenialReason = "command" | "key" | "channel" | "auth";
/** Where the command was called. */
export type DenialContext = "toplevel" | "multi" | "lua" | "module";

export interface Denial {
  readonly reason: DenialReason;
  readonly context: DenialContext;
  /** The command, key or channel. */
  readonly object: string;
  readonly username: string;
  /** The client's line of CLIENT LIST. */
  clientInfo: string;
}

export interface LogEntry extends Denial {
  count: number;
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly created: number;
  updated: number;
}

const SAME_WITHIN_MS = 60_000;
const SEARCHED = 10;

export class AclLog {
  /** Newest first. */
  entries: LogEntry[] = [];
  private nextId = 0;

  add(denial: Denial, now: number, maxLength: number): void {
    const { entries } = this;
    const at = entries.slice(0, SEARCHED).findIndex((entry) => isSame(entry, denial, now));
    if (at >= 0) {
      const [entry] = entries.splice(at, 1);
      entry!.count++;
      entry!.updated = now;
      entry!.clientInfo = denial.clientInfo;
      entries.unshift(entry!);
      return;
    }
    entries.unshift({ ...denial, count: 1, id: this.nextId++, created: now, updated: now });
    if (entries.length > maxLength) entries.length = maxLength;
  }

  clear(): void {
    this.entries = [];
  }
}

function isSame(entry: LogEntry, denial: Denial, now: number): boolean {
  return (
    entry.reason === denial.reason &&
    entry.context === denial.context &&
    Math.abs(now - entry.updated) <= SAME_WITHIN_MS &&
    entry.object === denial.object &&
    entry.username === denial.username
  );
}
