import { libc } from "../host/libc.ts";

/**
 * Locks on whole files (flock), which neither Bun nor Node gives: called in the C library. They belong to the open file,
 * so they end with the process, whatever ends it. Where there is no such call (Windows), files are not locked.
 */
const EXCLUSIVE = 2;
const NON_BLOCKING = 4;

type Flock = (fd: number, operation: number) => number;

let flock: Flock | null | undefined;

/** Takes the lock of an open file; "taken": another process has it. */
export function lockFile(fd: number): "locked" | "taken" {
  flock ??= libc({ flock: { args: ["int", "int"], returns: "int" } })?.flock ?? null;
  return flock === null || flock(fd, EXCLUSIVE | NON_BLOCKING) === 0 ? "locked" : "taken";
}
