import type { Clock } from "../host/clock.ts";
import { CommandError } from "../resp/errors.ts";
import { ReplyTooLarge } from "../resp/reply-writer.ts";
import type { Counters } from "../stats/counters.ts";
import { newHistogram, record } from "../stats/histogram.ts";
import type { Call } from "./call.ts";
import type { HotKeys } from "./hot-keys.ts";
import type { KeyWatchers } from "./key-watchers.ts";
import type { Command } from "./registry.ts";
import type { SnapshotGuard } from "./snapshot-guard.ts";
import { FLAGS } from "./spec.ts";

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
  /** What is recorded between these two happens as one: a transaction, a script. */
  begin(): void;
  end(): void;
}

/** Client-side caching: sees what commands read. */
export interface ReadFeed {
  readonly active: boolean;
  executed(call: Call, command: Command): void;
}

/** MONITOR: sees every command once it has been executed, when it is known which arguments are secrets. */
export interface CommandFeed {
  readonly active: boolean;
  feed(call: Call, command: Command): void;
  /** As `feed`, for a command that is flagged skip_monitor since it is to be shown ahead of what it leads to. */
  show(call: Call, command: Command): void;
}

export interface ExecuteDeps {
  clock: Clock;
  counters: Counters;
  effects: EffectSink;
  keyWatchers: KeyWatchers;
  snapshots: SnapshotGuard;
  /** On a replica: told when a client's own write begins and ends (see KeyspaceContext). Null on a master. */
  localWrites: { localWrites: boolean } | null;
  monitors: CommandFeed;
  reads: ReadFeed;
  /** HOTKEYS, while it collects. */
  hotKeys: Pick<HotKeys, "executed"> | null;
  /** Tells of an exception that is no CommandError: a bug. */
  onBug(error: unknown, call: Call, command: Command): void;
  /** Called for each command with its duration; decides on slow log and latency events. */
  onSlow(call: Call, command: Command, microseconds: number): void;
  /** Called for each command that came or was answered with many bytes. */
  onLarge(call: Call, command: Command, requestBytes: number, replyBytes: number): void;
  /** Bytes of arguments, of a reply, from which on `onLarge` is called; Infinity: never. */
  largeRequest: number;
  largeReply: number;
  /** Microseconds from which on `onSlow` is called; Infinity: never. */
  slowThreshold: number;
  /** Time every command by itself, cheap ones too: for a very low slow log threshold. */
  timeEach: boolean;
  /** latency-tracking: histograms a command. */
  trackLatency: boolean;
}

export class Executor {
  /** The moment (ns) up to which time has been accounted for. */
  private stamp = 0;
  private eventStart = 0;
  /** A run of the same cheap command, timed as a whole. */
  private run: Command | null = null;
  private runLength = 0;

  constructor(private readonly deps: ExecuteDeps) {}

  /** At the start of an event, before its first command. */
  beginEvent(): void {
    this.begin();
    this.eventStart = this.stamp;
  }

  /** Nanoseconds from the start of the event to the last reading of the clock. */
  get eventTime(): number {
    return this.stamp - this.eventStart;
  }

  /** Time until now is none of the commands'. */
  begin(): void {
    this.stamp = this.deps.clock.monotonic();
  }

  readonly execute: Execute = (call, command) => {
    const { deps } = this;
    if (this.run !== command && this.runLength > 0) this.settle();
    call.blocked = false;
    call.recording = deps.effects.active;
    const writes = (command.flags & FLAGS.write) !== 0;
    if (writes && deps.snapshots.active) deps.snapshots.beforeCommand(call, command);
    const { localWrites } = deps;
    if (localWrites !== null) localWrites.localWrites = writes;
    const mark = call.reply.pos;
    this.perform(call, command);
    // EXEC: what it ran last is not counted yet.
    if (this.runLength > 0 && this.run !== command) this.settle();
    if (localWrites !== null) localWrites.localWrites = false;
    if (deps.reads.active) deps.reads.executed(call, command);
    if (deps.monitors.active) deps.monitors.feed(call, command);
    if (call.dirty > 0 && deps.keyWatchers.active) deps.keyWatchers.changed(call, command);
    if (call.blocked) {
      // It is counted when it is served.
      this.begin();
      return;
    }
    this.run = command;
    this.runLength++;
    if (!command.cheap || deps.timeEach || deps.hotKeys !== null) {
      const elapsed = this.settle();
      if (elapsed >= deps.slowThreshold * 1000) deps.onSlow(call, command, elapsed / 1000);
      if (deps.hotKeys !== null)
        deps.hotKeys.executed(call, command, elapsed / 1000, Math.max(0, call.reply.pos - mark));
    }
  };

  /**
   * Prepares the call for `executeSimple`; false where somebody looks at each command. What a simple command does
   * cannot change the answer, so it holds for as many of them as follow one another.
   */
  unobserved(call: Call): boolean {
    const { deps } = this;
    call.blocked = false;
    call.recording = deps.effects.active;
    return !(
      deps.snapshots.active ||
      deps.localWrites !== null ||
      deps.reads.active ||
      deps.monitors.active ||
      deps.hotKeys !== null ||
      deps.timeEach
    );
  }

  /** As `execute`, for a command that is `simple` while nobody looks (see `unobserved`). */
  executeSimple(call: Call, command: Command): void {
    if (this.run !== command && this.runLength > 0) this.settle();
    this.perform(call, command);
    const { keyWatchers } = this.deps;
    if (call.dirty > 0 && keyWatchers.active) keyWatchers.changed(call, command);
    this.run = command;
    this.runLength++;
  }

  /** Runs the handler; counts its changes and errors and records its effects. */
  private perform(call: Call, command: Command): void {
    const { deps } = this;
    const { reply } = call;
    const mark = reply.pos;
    const errorsBefore = reply.errorCount;
    call.dirty = 0;
    call.changedKey = 0;
    call.besideContents = false;
    call.effects = null;
    call.secrets = null;
    try {
      command.run(call);
    } catch (error) {
      this.answerFailure(error, call, command, mark);
    }
    if (call.dirty > 0) deps.counters.changes += call.dirty;
    if (call.recording && (call.dirty > 0 || call.effects !== null)) deps.effects.record(call);
    if (reply.errorCount !== errorsBefore && reply.errorCount !== reply.countedErrors) {
      reply.countedErrors = reply.errorCount;
      command.failed++;
      if (!reply.lastErrorCounted) deps.counters.countError(reply.lastError);
    }
    const request = call.end[call.argc - 1]! - call.start[0]!;
    const answer = reply.pos - mark;
    if (request >= deps.largeRequest || answer >= deps.largeReply)
      deps.onLarge(call, command, request, Math.max(0, answer));
  }

  /** The command under way has executed others (a script): the time since `stamp` is its own as well. */
  rewind(stamp: number): void {
    this.settle();
    this.stamp = stamp;
  }

  /** A call that was left waiting has come to its end; counts it, with the time since the stamp. */
  served(call: Call, command: Command): void {
    if (this.runLength > 0) this.settle();
    this.run = command;
    this.runLength = 1;
    const elapsed = this.settle();
    if (elapsed >= this.deps.slowThreshold * 1000) this.deps.onSlow(call, command, elapsed / 1000);
  }

  /**
   * Accounts for the time since the last reading of the clock. A reading costs as much as a whole cheap
   * command does, so a run of the same one shares it.
   */
  settle(): number {
    const command = this.run;
    if (command === null) return 0;
    const now = this.deps.clock.monotonic();
    const elapsed = now - this.stamp;
    this.stamp = now;
    command.calls += this.runLength;
    command.usec += elapsed / 1000;
    this.deps.counters.eventLoopCommandUs += elapsed / 1000;
    if (this.deps.trackLatency)
      record((command.latency ??= newHistogram()), elapsed / this.runLength, this.runLength);
    this.deps.counters.commands += this.runLength;
    this.runLength = 0;
    this.run = null;
    return elapsed;
  }

  private answerFailure(error: unknown, call: Call, command: Command, mark: number): void {
    call.reply.pos = mark;
    // The client is lost, whatever it is told; a transaction of its is carried out nevertheless.
    if (error instanceof ReplyTooLarge) call.session.overflowed = call.session.closing = true;
    else if (error instanceof CommandError) call.reply.error(error.message);
    else {
      this.deps.onBug(error, call, command);
      call.reply.error("ERR internal error; the server's log has the details");
    }
  }
}
