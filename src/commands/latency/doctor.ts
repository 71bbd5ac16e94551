import type { ConfigValues } from "../../config/table.ts";
import { analyze, type LatencyMonitor } from "../../stats/latency-monitor.ts";

/** LATENCY DOCTOR: the events that were slow, and what may be done about each. */

const DISABLED =
  "Latency monitoring is off. Turn it on with CONFIG SET latency-monitor-threshold <milliseconds>, let the server " +
  "work for a while, and ask again.\n";
const HEALTHY = "Nothing has taken longer than latency-monitor-threshold: no latency spikes to report.\n";

type Advice = (values: Readonly<ConfigValues>) => string | null;

/** What to say about the kinds of events; null where an advice does not apply. */
const ADVICE: Readonly<Record<string, readonly Advice[]>> = {
  command: [
    ({ slowlogLogSlowerThan, latencyMonitorThreshold }) =>
      slowlogLogSlowerThan < 0 || slowlogLogSlowerThan / 1000 > latencyMonitorThreshold
        ? `The slow log does not show these commands: CONFIG SET slowlog-log-slower-than ${latencyMonitorThreshold * 1000}.`
        : null,
    () =>
      "SLOWLOG GET lists the commands that took long; many of them work on large values, which can be split.",
  ],
  "fast-command": [
    () =>
      "Commands of constant time were slow: the machine may be short of CPU time, swapping, or the garbage " +
      "collector at work. Compare with redis-cli --intrinsic-latency on the same machine.",
  ],
  "expire-cycle": [
    ({ hz }) => (hz < 100 ? `Expire keys in smaller steps: CONFIG SET hz 100 (now ${hz}).` : null),
    () => "Many keys fall due at the same time; spread their expiry times.",
  ],
};

export function diagnosis(monitor: LatencyMonitor, values: Readonly<ConfigValues>): string {
  if (monitor.size === 0) return values.latencyMonitorThreshold === 0 ? DISABLED : HEALTHY;
  const findings: string[] = [];
  const advice = new Set<string>();
  for (const [event, series] of monitor.all()) {
    const { samples, average, meanDeviation, period } = analyze(series);
    findings.push(
      `${findings.length + 1}. ${event}: ${samples} latency spikes (average ${average}ms, mean deviation ` +
        `${meanDeviation}ms, period ${(period / samples).toFixed(2)} sec). Worst all time event ${series.max}ms.`,
    );
    for (const each of ADVICE[event] ?? []) {
      const text = each(values);
      if (text !== null) advice.add(`- ${text}`);
    }
  }
  return `Latency spikes were observed:\n\n${findings.join("\n")}\n\nAdvice:\n\n${[...advice].join("\n")}\n`;
}
