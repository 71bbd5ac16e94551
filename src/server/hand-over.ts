import { readFileSync, writeSync } from "node:fs";
import { type HandedOver, type HandOver, sendKeys } from "../cluster/hand-over.ts";
import { Config } from "../config/config.ts";
import type { ConfigValues } from "../config/table.ts";
import { programCommand } from "./compiled.ts";
import { clientTls } from "./listeners.ts";

/**
 * A process that sends keys to another server while this one stands still: the program itself, started with a word of
 * its own. It reads its order from standard input and prints what came of it.
 *
 *   input    {"host": ..., "opening": bytes, "restores": bytes, ...}\n   opening   restores
 *   output   {"replies": [...], "failure": ...}
 */
const WORD = "hand-over";
const LF = 10;
/** For what the target replies. */
const MOST_OUTPUT = 256 * 1024 * 1024;

/** Waits until it is done: nothing else happens in this process. */
export function handOver(order: HandOver, values: Readonly<ConfigValues>): HandedOver {
  const { opening, restores, ...rest } = order;
  const tls = values.tlsCluster
    ? Object.fromEntries(Object.entries(values).filter(([name]) => name.startsWith("tls")))
    : null;
  const head = { ...rest, tls, opening: opening.length, restores: restores.length };
  const child = Bun.spawnSync([...programCommand(), WORD], {
    stdin: Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), opening, restores]),
    stdout: "pipe",
    stderr: "ignore",
    maxBuffer: MOST_OUTPUT,
  });
  try {
    return JSON.parse(child.stdout.toString("latin1")) as HandedOver;
  } catch {
    return { replies: [], failure: "connecting" };
  }
}

/** Does it, if that is what the program was started for; false if not. */
export async function runHandOver([word]: readonly string[]): Promise<boolean> {
  if (word !== WORD) return false;
  const input = readFileSync(0);
  const end = input.indexOf(LF);
  const { tls, opening, restores, ...rest } = JSON.parse(input.toString("utf8", 0, end)) as Omit<
    HandOver,
    "opening" | "restores"
  > & { tls: Partial<ConfigValues> | null; opening: number; restores: number };
  const bytes = input.subarray(end + 1);
  const order: HandOver = {
    ...rest,
    opening: bytes.subarray(0, opening),
    restores: bytes.subarray(opening, opening + restores),
  };
  const config = new Config();
  Object.assign(config.values, tls ?? {});
  const outcome = await sendKeys(order, tls === null ? undefined : clientTls(config.values));
  writeSync(1, Buffer.from(JSON.stringify(outcome), "latin1"));
  return true;
}
