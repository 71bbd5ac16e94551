import type { Call } from "../call/call.ts";
import { upToNul } from "../call/client-info.ts";
import type { ExecuteDeps } from "../call/execute.ts";
import type { Command } from "../call/registry.ts";
import { FLAGS } from "../call/spec.ts";
import type { ConfigValues } from "../config/table.ts";
import { type CommandLog, type CommandLogs, logArguments } from "../stats/command-log.ts";
import type { LatencyMonitor } from "../stats/latency-monitor.ts";

/**
 * Commands that took long, or that came or were answered with much. The executor tells of each beyond the lower of two
 * thresholds (slow log, latency monitor) or beyond one of bytes, and this room decides which log it concerns.
 */

/** Below this, or while latencies are watched, cheap commands are timed one by one too. */
const TIME_EACH_BELOW_US = 1000;

export class CostlyCommands {
  constructor(
    private readonly logs: CommandLogs,
    private readonly latency: LatencyMonitor,
    private readonly values: Readonly<ConfigValues>,
  ) {}

  /** Takes the directives' values over. */
  apply(executor: Pick<ExecuteDeps, "slowThreshold" | "timeEach" | "largeRequest" | "largeReply">): void {
    const { logs, values } = this;
    const { slowlogLogSlowerThan, latencyMonitorThreshold } = values;
    const forLog = orNever(slowlogLogSlowerThan);
    const forMonitor =
      latencyMonitorThreshold === 0 ? Number.POSITIVE_INFINITY : latencyMonitorThreshold * 1000;
    this.latency.threshold = latencyMonitorThreshold;
    logs.slow.maxLength = values.slowlogMaxLen;
    logs["large-request"].maxLength = values.commandlogLargeRequestMaxLen;
    logs["large-reply"].maxLength = values.commandlogLargeReplyMaxLen;
    executor.slowThreshold = Math.min(forLog, forMonitor);
    executor.timeEach = executor.slowThreshold < TIME_EACH_BELOW_US || latencyMonitorThreshold > 0;
    executor.largeRequest = orNever(values.commandlogRequestLargerThan);
    executor.largeReply = orNever(values.commandlogReplyLargerThan);
  }

  tookLong(call: Call, command: Command, microseconds: number): void {
    this.latency.note(command.has("fast") ? "fast-command" : "command", microseconds / 1000);
    const { slowlogLogSlowerThan } = this.values;
    if (slowlogLogSlowerThan < 0 || microseconds < slowlogLogSlowerThan) return;
    this.add(this.logs.slow, call, command, Math.floor(microseconds));
  }

  wasLarge(call: Call, command: Command, requestBytes: number, replyBytes: number): void {
    const { commandlogRequestLargerThan, commandlogReplyLargerThan } = this.values;
    if (requestBytes >= orNever(commandlogRequestLargerThan))
      this.add(this.logs["large-request"], call, command, requestBytes);
    if (replyBytes >= orNever(commandlogReplyLargerThan))
      this.add(this.logs["large-reply"], call, command, replyBytes);
  }

  private add(log: CommandLog, call: Call, command: Command, amount: number): void {
    // What a script calls is part of the script.
    if ((command.flags & FLAGS.skip_slowlog) !== 0 || call.session.scripted) return;
    log.add({
      time: Math.floor(Date.now() / 1000),
      amount,
      args: logArguments(call, (i) => call.isRedacted(i) || (i > 0 && command.has("sensitive"))),
      address: call.session.link.address,
      clientName: upToNul(call.session.name),
    });
  }
}

/** A threshold below zero is one that nothing reaches. */
function orNever(threshold: number): number {
  return threshold < 0 ? Number.POSITIVE_INFINITY : threshold;
}
