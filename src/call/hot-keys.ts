import type { Clock } from "../host/clock.ts";
import type { Random } from "../host/random.ts";
import { TopKeys } from "../stats/top-keys.ts";
import type { Call } from "./call.ts";
import type { KeyList } from "./keys.ts";
import type { Command } from "./registry.ts";

/**
 * HOTKEYS (Redis 8.6): which keys take most of the time, and which most of the network. While somebody looks, every
 * command is timed by itself and its keys are found; otherwise this costs nothing but the question whether it is on.
 *
 * A command with several keys counts for each of them by an equal part. Of a script the call counts, not the commands
 * in it; of a transaction each command does.
 */
export interface HotKeyOptions {
  cpu: boolean;
  net: boolean;
  /** How many keys are shown. */
  count: number;
  /** Milliseconds, 0: until it is stopped. */
  duration: number;
  /** One command in so many is looked at. */
  sample: number;
}

/** More places than keys shown, so that what is shown is right (see TopKeys). */
const PLACES_A_KEY = 100;

/** What is collected, also after it has been stopped. */
export class HotKeySession {
  readonly cpu: TopKeys | null;
  readonly net: TopKeys | null;
  readonly start: number;
  /** Milliseconds that it took; -1 while it goes on. */
  stoppedAfter = -1;
  /** Of all commands with keys, also those not sampled. */
  microseconds = 0;
  bytes = 0;
  private readonly cpuAtStart = process.cpuUsage();

  constructor(
    readonly options: HotKeyOptions,
    now: number,
  ) {
    this.start = now;
    this.cpu = options.cpu ? new TopKeys(options.count * PLACES_A_KEY) : null;
    this.net = options.net ? new TopKeys(options.count * PLACES_A_KEY) : null;
  }

  /** The process's time since the start, in microseconds. */
  cpuTime(): { user: number; system: number } {
    return process.cpuUsage(this.cpuAtStart);
  }
}

export class HotKeys {
  session: HotKeySession | null = null;
  private readonly keys: KeyList = [];

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    /** Lets the executor tell of commands, or no more. */
    private readonly listen: (feed: HotKeys | null) => void,
  ) {}

  /** Whether something is being collected now. */
  get active(): boolean {
    this.endIfDue();
    return this.session !== null && this.session.stoppedAfter < 0;
  }

  begin(options: HotKeyOptions): void {
    this.session = new HotKeySession(options, this.clock.now);
    this.listen(this);
  }

  stop(): void {
    if (this.session !== null) this.end(this.clock.now - this.session.start);
  }

  reset(): void {
    this.session = null;
  }

  private end(duration: number): void {
    this.session!.stoppedAfter = duration;
    this.listen(null);
  }

  private endIfDue(): void {
    const { session } = this;
    if (session === null || session.stoppedAfter >= 0 || session.options.duration === 0) return;
    if (this.clock.now - session.start >= session.options.duration) this.end(session.options.duration);
  }

  /** A command has been executed in this time, and was answered with so many bytes. */
  executed(call: Call, command: Command, microseconds: number, replied: number): void {
    if (!this.active || call.session.scripted) return;
    const { keys } = this;
    const found = command.keys.find(call, keys);
    if (found === 0) return;
    const session = this.session!;
    const bytes = requestBytes(call) + replied;
    session.microseconds += microseconds;
    session.bytes += bytes;
    if (session.options.sample > 1 && this.random.below(session.options.sample) !== 0) return;
    for (let i = 0; i < keys.length; i += 2) {
      const key = call.text(keys[i]!);
      session.cpu?.add(key, microseconds / found);
      session.net?.add(key, bytes / found);
    }
  }
}

/** Bytes of the command on the wire, as an array of bulk strings. */
function requestBytes(call: Call): number {
  let bytes = headBytes(call.argc);
  for (let i = 0; i < call.argc; i++) bytes += headBytes(call.length(i)) + call.length(i) + 2;
  return bytes;
}

/** A type, a number, a line end. */
function headBytes(length: number): number {
  return 3 + String(length).length;
}
