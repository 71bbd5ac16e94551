import type { Clock } from "../host/clock.ts";
import { CommandError } from "../resp/errors.ts";
import type { Counters } from "../stats/counters.ts";
import { newHistogram, record } from "../stats/histogram.ts";
import type { Call } from "./call.ts";
import type { Command } from "./registry.ts";

/**
 * Executes one command that has been admitted: runs its handler, turns what it throws into an error reply,
 * keeps the statistics, and hands its effects on. EXEC, scripts, AOF loading and the replication stream use
 * the same function: `Execute` is the one wire that runs upward in the house.
 */
export type Execute = (call: Call, command: Command) => void;

/** Who receives what changed the data set: the AOF, replicas, tests. Inactive, it costs one test a command. */
export interface EffectSink {
  active: boolean;
  /** `call.effects`, or the call's own arguments where that is null. */
  record(call: Call): void;
}

export interface ExecuteDeps {
  clock: Clock;
  counters: Counters;
  effects: EffectSink;
  /** Tells of an exception that is no CommandError: a bug. */
  onBug(error: unknown, call: Call, command: Command): void;
  /** Called for each command with its duration; decides on slow log and latency events. */
  onSlow(call: Call, command: Command, microseconds: number): void;
  /** Microseconds from which on `onSlow` is called; Infinity: never. */
  slowThreshold: number;
  /** latency-tracking: histograms a command. */
  trackLatency: boolean;
}

export class Executor {
  /** The moment (ns) at which the current command began: the end of the one before. */
  stamp = 0;

  constructor(private readonly deps: ExecuteDeps) {}

  /** At the start of an event, before its first command. */
  begin(): void {
    this.stamp = this.deps.clock.monotonic();
  }

  readonly execute: Execute = (call, command) => {
    const { deps } = this;
    const { reply } = call;
    const mark = reply.pos;
    const errorsBefore = reply.errorCount;
    call.dirty = 0;
    call.effects = null;
    call.recording = deps.effects.active;
    try {
      command.run(call);
    } catch (error) {
      reply.pos = mark;
      if (error instanceof CommandError) reply.error(error.message);
      else {
        deps.onBug(error, call, command);
        reply.error("ERR internal error; the server's log has the details");
      }
    }
    if (call.dirty > 0 && call.recording) deps.effects.record(call);
    if (reply.errorCount !== errorsBefore) {
      command.failed++;
      deps.counters.countError(reply.lastError);
    }
    const now = deps.clock.monotonic();
    const elapsed = now - this.stamp;
    this.stamp = now;
    command.calls++;
    command.usec += elapsed / 1000;
    if (deps.trackLatency) record((command.latency ??= newHistogram()), elapsed);
    if (elapsed >= deps.slowThreshold * 1000) deps.onSlow(call, command, elapsed / 1000);
    deps.counters.commands++;
  };
}
