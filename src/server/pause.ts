import type { Command } from "../call/registry.ts";
import { FLAGS } from "../call/spec.ts";

/** CLIENT PAUSE: until when commands of which kind wait. */
export type PauseMode = "off" | "write" | "all";

export class Pause {
  mode: PauseMode = "off";
  /** Milliseconds since 1970. */
  until = 0;

  constructor(private readonly resume: () => void) {}

  /** A pause never ends earlier, nor gets milder, because of another. */
  start(mode: "write" | "all", until: number, now: number): void {
    const running = this.mode !== "off" && this.until > now;
    this.until = running ? Math.max(this.until, until) : until;
    this.mode = running && this.mode === "all" ? "all" : mode;
  }

  stop(): void {
    if (this.mode === "off") return;
    this.mode = "off";
    this.resume();
  }

  /** Ends the pause when its time is over. */
  check(now: number): void {
    if (this.mode !== "off" && now >= this.until) this.stop();
  }

  delays(command: Command): boolean {
    if (this.mode === "off") return false;
    if (command.fullName === "client|unpause") return false;
    return this.mode === "all" || (command.flags & (FLAGS.write | FLAGS.may_replicate)) !== 0;
  }
}
