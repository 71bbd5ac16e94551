import type { Call } from "../call/call.ts";
import type { Command } from "../call/registry.ts";
import type { Session } from "../call/session.ts";
import { FLAGS } from "../call/spec.ts";
import type { Clock } from "../host/clock.ts";

/** Milliseconds that setTimeout can count; a longer pause is ended by the cron. */
const LONGEST_TIMER = 0x7fffffff;

/** CLIENT PAUSE: until when commands of which kind wait. */
export type PauseMode = "off" | "write" | "all";

export class Pause {
  mode: PauseMode = "off";
  /** Milliseconds since 1970. */
  until = 0;

  /** Something else that holds commands back: keys on their way to another server, the end of the server. */
  gate: ((call: Call, command: Command) => boolean) | null = null;

  private timer: ReturnType<typeof setTimeout> | null = null;

  /** `changed` is told when a pause begins and ends: keys do not expire meanwhile. */
  constructor(
    private readonly clock: Pick<Clock, "time">,
    private readonly resume: () => void,
    private readonly changed: (paused: boolean) => void,
    /** Flags of what the session's transaction will execute. */
    private readonly queuedFlags: (session: Session) => number,
  ) {}

  /** A pause never ends earlier, nor gets milder, because of another. */
  start(mode: "write" | "all", until: number, now: number): void {
    const running = this.mode !== "off" && this.until > now;
    this.until = running ? Math.max(this.until, until) : until;
    this.mode = running && this.mode === "all" ? "all" : mode;
    this.changed(true);
    if (this.timer !== null) clearTimeout(this.timer);
    const left = Math.min(this.until - now, LONGEST_TIMER);
    this.timer = setTimeout(() => this.check(this.clock.time()), left);
  }

  stop(): void {
    if (this.mode === "off") return;
    this.mode = "off";
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.changed(false);
    this.resume();
  }

  /** Ends the pause when its time is over. */
  check(now: number): void {
    if (this.mode !== "off" && now >= this.until) this.stop();
  }

  /** Whether any command may be delayed. */
  get active(): boolean {
    return this.gate !== null || this.mode !== "off";
  }

  delays(call: Call, command: Command): boolean {
    if (this.gate?.(call, command)) return true;
    if (this.mode === "off") return false;
    if (command.spec.endsPause === true) return false;
    if (this.mode === "all") return true;
    const flags =
      command.spec.endsTransaction === true ? this.queuedFlags(call.session) : command.flagsOf(call);
    return (flags & (FLAGS.write | FLAGS.may_replicate)) !== 0;
  }
}
