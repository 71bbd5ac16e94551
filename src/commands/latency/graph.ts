import type { LatencySeries } from "../../stats/latency-monitor.ts";

/**
 * LATENCY GRAPH: a bar a sample, four lines high with three steps a line ("_", "o", "#"; "|" fills what is
 * below), and under each bar, written downwards, how long ago it was.
 *
 *        #
 *      o_|
 *     o|||
 *     ||||
 *
 *     3210
 *     ssss
 */
const COLUMNS = 80;
const LINES = 4;
const STEPS = ["_", "o", "#"];

function ago(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 24 * 3600) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / (24 * 3600))}d`;
}

interface Bar {
  /** 0 to LINES * 3 - 1. */
  height: number;
  label: string;
}

function drawBars(bars: Bar[]): string {
  const lines: string[] = [];
  for (let line = LINES - 1; line >= 0; line--) {
    const cells = bars.map(({ height }) => {
      const step = height - line * STEPS.length;
      return step < 0 ? " " : step < STEPS.length ? STEPS[step]! : "|";
    });
    lines.push(cells.join(""));
  }
  lines.push(" ".repeat(bars.length));
  const longest = Math.max(...bars.map(({ label }) => label.length));
  for (let i = 0; i < longest; i++) lines.push(bars.map(({ label }) => label[i] ?? " ").join(""));
  return lines.map((line) => `${line}\n`).join("");
}

export function graph(event: string, { samples, max }: LatencySeries): string {
  const values = samples.map(({ milliseconds }) => milliseconds);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const range = high === low ? 1 : high - low;
  const now = Math.floor(Date.now() / 1000);
  const top = LINES * STEPS.length;
  const bars = samples.map(({ time, milliseconds }) => ({
    height: Math.min(top - 1, Math.floor(((milliseconds - low) * top) / range)),
    label: ago(now - time),
  }));
  const parts: string[] = [];
  for (let i = 0; i < bars.length; i += COLUMNS) parts.push(drawBars(bars.slice(i, i + COLUMNS)));
  const title = `${event} - high ${high} ms, low ${low} ms (all time high ${max} ms)`;
  return `${title}\n${"-".repeat(COLUMNS)}\n${parts.join("\n")}`;
}
