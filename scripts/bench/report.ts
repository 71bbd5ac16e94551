/**
 * The table of the figures, printed as they come, and the JSON file with everything.
 */
import { mkdirSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { dirname } from "node:path";
import type { Measure } from "./contestants.ts";
import type { Options } from "./options.ts";

const NAME_WIDTH = 48;
const UNIT_WIDTH = 14;
const NUMBER_WIDTH = 11;

export function printHeader(): void {
  const columns = ["Redis", "redbun", "ratio"].map((title) => title.padStart(NUMBER_WIDTH)).join(" ");
  const title = `${"".padEnd(NAME_WIDTH)} ${"".padEnd(UNIT_WIDTH)} ${columns}  goal`;
  console.log(`\n${title}`);
}

export function printSection(title: string): void {
  console.log(title);
}

export function printMeasure(measure: Measure): void {
  const ratio = ratioOf(measure);
  const cells = [
    figure(measure.redis),
    figure(measure.redbun),
    ratio === null ? "-" : `${ratio.toFixed(2)}x`,
  ];
  const numbers = cells.map((cell) => cell.padStart(NUMBER_WIDTH)).join(" ");
  const tail = [goalText(measure), measure.note && `(${measure.note})`].filter(Boolean).join("  ");
  console.log(
    `${`  ${measure.name}`.padEnd(NAME_WIDTH)} ${measure.unit.padEnd(UNIT_WIDTH)} ${numbers}  ${tail}`.trimEnd(),
  );
}

export function ratioOf({ redis, redbun }: Measure): number | null {
  return redis === null || redbun === null || redis === 0 ? null : redbun / redis;
}

/** Whether the goal is reached; null where there is none or no figure. */
export function goalMet(measure: Measure): boolean | null {
  const value = measure.goal?.kind === "ratio" ? ratioOf(measure) : measure.redbun;
  if (!measure.goal || value === null) return null;
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = measure.goal;
  return value >= atLeast && value <= atMost;
}

function goalText(measure: Measure): string {
  const met = goalMet(measure);
  if (!measure.goal || met === null) return "";
  const { kind, atLeast, atMost } = measure.goal;
  const limit = atLeast === undefined ? `<= ${atMost}` : `>= ${atLeast}`;
  return `${met ? "ok  " : "MISS"} ${limit}${kind === "ratio" ? "x" : ` ${measure.unit}`}`;
}

/** Three significant digits, or whole numbers with separators. */
function figure(value: number | null): string {
  if (value === null) return "-";
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  return Math.abs(value) >= 100
    ? value.toFixed(0)
    : Math.abs(value) >= 10
      ? value.toFixed(1)
      : value.toFixed(2);
}

export interface Versions {
  redis: string;
  redbun: string;
  benchmark: string;
}

export async function writeJson(
  options: Options,
  versions: Versions,
  started: Date,
  measures: Measure[],
): Promise<void> {
  mkdirSync(dirname(options.json), { recursive: true });
  const content = {
    date: started.toISOString(),
    seconds: Math.round((Date.now() - started.getTime()) / 1000),
    versions: { ...versions, bun: Bun.version },
    machine: {
      platform: process.platform,
      arch: process.arch,
      cpu: cpus()[0]?.model ?? "unknown",
      cores: cpus().length,
      memory: totalmem(),
    },
    options,
    measures: measures.map((measure) => ({ ...measure, ratio: ratioOf(measure), goalMet: goalMet(measure) })),
  };
  await Bun.write(options.json, `${JSON.stringify(content, null, 2)}\n`);
}
