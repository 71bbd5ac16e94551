/**
 * The two servers of a comparison, started with the same settings, and the form of what is measured.
 */
import { type Launched, launch } from "../lib/launch.ts";
import { infoField, Wire } from "../lib/wire.ts";
import type { Options } from "./options.ts";

export const SIDES = ["redis", "redbun"] as const;
export type Side = (typeof SIDES)[number];

/** One line of the table. A figure is null where it could not be had; `note` says why. */
export interface Measure {
  section: string;
  name: string;
  unit: string;
  redis: number | null;
  redbun: number | null;
  /** What redbun aims at: a ratio to Redis, or a figure of its own. */
  goal?: { kind: "ratio" | "value"; atLeast?: number; atMost?: number };
  note?: string;
  /** Single runs, and whatever else belongs into the JSON file. */
  details?: unknown;
}

export type Report = (measure: Measure) => void;

export interface Contestant extends Launched {
  side: Side;
  wire: Wire;
}

export async function startContestant(
  side: Side,
  options: Options,
  args: string[] = [],
): Promise<Contestant> {
  const server = await launch({ command: options[side], args, readyTimeout: 60_000 });
  const wire = await Wire.connect(server.port);
  return { ...server, side, wire };
}

/** Ends a server that has served its purpose; its data is of no interest. */
export async function endContestant(contestant: Contestant): Promise<void> {
  contestant.wire.close();
  await contestant.stop("SIGKILL");
}

/** Starts one server after the other and measures the same on both. */
export async function inTurn<T>(
  options: Options,
  args: string[],
  measure: (contestant: Contestant) => Promise<T>,
): Promise<Record<Side, T>> {
  const results: Partial<Record<Side, T>> = {};
  for (const side of SIDES) {
    const contestant = await startContestant(side, options, args);
    try {
      results[side] = await measure(contestant);
    } catch (error) {
      const log = contestant.log().trimEnd().split("\n").slice(-5).join("\n");
      throw new Error(`${side}: ${error instanceof Error ? error.message : error}\n${log}`);
    } finally {
      await endContestant(contestant);
    }
  }
  return results as Record<Side, T>;
}

/** What the server calls itself: redis_version, and redbun_version where it has one. */
export async function versionOf(side: Side, options: Options): Promise<string> {
  const contestant = await startContestant(side, options);
  try {
    const info = await contestant.wire.command("INFO", "server");
    const own = /^redbun_version:(.*)$/m.exec(String(info))?.[1]?.trim();
    const version = infoField(info, "redis_version");
    return own ? `${own} (as Redis ${version})` : version;
  } finally {
    await endContestant(contestant);
  }
}

/** True if the server has the command. */
export async function knows(contestant: Contestant, command: string): Promise<boolean> {
  const reply = await contestant.wire.raw(["COMMAND", "INFO", command]);
  return Array.isArray(reply) && Array.isArray(reply[0]);
}
