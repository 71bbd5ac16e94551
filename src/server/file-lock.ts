import { dlopen } from "bun:ffi";

/**
 * Locks on whole files (flock), which neither Bun nor Node gives: called in the C library. They belong to the open file,
 * so they end with the process, whatever ends it. Where there is no such call (Windows), files are not locked.
 */
const EXCLUSIVE = 2;
const NON_BLOCKING = 4;

const LIBRARIES: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ["libc.so.6", "libc.so"],
  darwin: ["libSystem.B.dylib"],
};

type Flock = (fd: number, operation: number) => number;

function findFlock(): Flock | null {
  for (const name of LIBRARIES[process.platform] ?? []) {
    try {
      return dlopen(name, { flock: { args: ["int", "int"], returns: "int" } }).symbols.flock;
    } catch {
      // Another name, or none.
    }
  }
  return null;
}

let flock: Flock | null | undefined;

/** Takes the lock of an open file; "taken": another process has it. */
export function lockFile(fd: number): "locked" | "taken" {
  flock ??= findFlock();
  return flock === null || flock(fd, EXCLUSIVE | NON_BLOCKING) === 0 ? "locked" : "taken";
}
