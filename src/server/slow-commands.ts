import type { Call } from "../call/call.ts";
import { upToNul } from "../call/client-info.ts";
import type { ExecuteDeps } from "../call/execute.ts";
import type { Command } from "../call/registry.ts";
import { FLAGS } from "../call/spec.ts";
import type { ConfigValues } from "../config/table.ts";
import type { LatencyMonitor } from "../stats/latency-monitor.ts";
import { logArguments, type Slowlog } from "../stats/slowlog.ts";

/**
 * Commands that took long: the executor tells of each beyond the lower of two thresholds (slow log, latency
 * monitor), and this room decides which of the two it concerns.
 */

/** Below this, or while latencies are watched, cheap commands are timed one by one too. */
const TIME_EACH_BELOW_US = 1000;

export class SlowCommands {
  constructor(
    private readonly slowlog: Slowlog,
    private readonly latency: LatencyMonitor,
    private readonly values: Readonly<ConfigValues>,
  ) {}

  /** Takes the directives' values over. */
  apply(executor: Pick<ExecuteDeps, "slowThreshold" | "timeEach">): void {
    const { slowlogLogSlowerThan, latencyMonitorThreshold, slowlogMaxLen } = this.values;
    const forLog = slowlogLogSlowerThan < 0 ? Number.POSITIVE_INFINITY : slowlogLogSlowerThan;
    const forMonitor =
      latencyMonitorThreshold === 0 ? Number.POSITIVE_INFINITY : latencyMonitorThreshold * 1000;
    this.latency.threshold = latencyMonitorThreshold;
    this.slowlog.maxLength = slowlogMaxLen;
    executor.slowThreshold = Math.min(forLog, forMonitor);
    executor.timeEach = executor.slowThreshold < TIME_EACH_BELOW_US || latencyMonitorThreshold > 0;
  }

  note(call: Call, command: Command, microseconds: number): void {
    this.latency.note(command.has("fast") ? "fast-command" : "command", microseconds / 1000);
    const { slowlogLogSlowerThan } = this.values;
    if (slowlogLogSlowerThan < 0 || microseconds < slowlogLogSlowerThan) return;
    // What a script calls is part of the script.
    if ((command.flags & FLAGS.skip_slowlog) !== 0 || call.session.scripted) return;
    this.slowlog.add({
      time: Math.floor(Date.now() / 1000),
      microseconds: Math.floor(microseconds),
      args: logArguments(call, (i) => call.isRedacted(i) || (i > 0 && command.has("sensitive"))),
      address: call.session.link.address,
      clientName: upToNul(call.session.name),
    });
  }
}
