import { humanBytes, type MemoryFigures } from "../../stats/memory-figures.ts";

/** MEMORY DOCTOR: looks at the figures for what is out of proportion, by Redis's thresholds. */

const MB = 1024 * 1024;
const LITTLE = 5 * MB;
const NOTABLE = 10 * MB;
const CLIENT_IS_BIG = 200 * 1024;

const EMPTY = "There is next to no data in memory, so there is nothing to find out about it yet.\n";
const HEALTHY = "No memory problems were found.\n";

export function diagnosis(figures: MemoryFigures, clients: number): string {
  const { used, peak, fragmentationRatio, fragmentationBytes, rssOverheadBytes, rssOverheadRatio } = figures;
  if (used < LITTLE) return EMPTY;
  const found: string[] = [];
  if (peak / used > 1.5)
    found.push(
      `Peak: ${humanBytes(peak)} were used once, ${humanBytes(used)} are now. Freed pages are given back to the ` +
        "system by themselves; MEMORY PURGE does it at once.",
    );
  if (fragmentationRatio > 1.1 && fragmentationBytes > NOTABLE)
    found.push(
      `Free room: the arena's pages hold ${humanBytes(fragmentationBytes)} that no value uses. New values fill it; ` +
        "sparse pages are emptied in the background, or at once by MEMORY PURGE.",
    );
  if (rssOverheadRatio > 1.4 && rssOverheadBytes > 10 * NOTABLE)
    found.push(
      `Process: the resident set is ${humanBytes(rssOverheadBytes)} larger than the arena. That is the JavaScript ` +
        "engine, connection buffers, and garbage that is not collected yet.",
    );
  if (clients > 0 && figures.clients / clients > CLIENT_IS_BIG)
    found.push(
      `Clients: they take ${humanBytes(Math.floor(figures.clients / clients))} each on average. Look for clients that ` +
        "do not read their replies (omem in CLIENT LIST), or send very large commands (qbuf).",
    );
  if (found.length === 0) return HEALTHY;
  return `Memory problems were found:\n\n${found.map((text) => ` * ${text}\n\n`).join("")}`;
}
