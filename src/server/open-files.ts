import { readFileSync } from "node:fs";

/** File descriptors that are not for clients. */
export const RESERVED_FDS = 32;

/** How many files the process may open: Infinity where there is no limit, or none is known of. */
export function openFilesLimit(): number {
  let limits: string;
  try {
    limits = readFileSync("/proc/self/limits", "latin1");
  } catch {
    return Number.POSITIVE_INFINITY; // Not a Linux system.
  }
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}
