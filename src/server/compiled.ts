import { join } from "node:path";

const MAIN = join(import.meta.dir, "..", "main.ts");

/** Whether this is the compiled binary, not the source run by Bun. */
export function compiled(): boolean {
  return Bun.main.startsWith("/$bunfs/") || /^[A-Z]:[\\/]~BUN/.test(Bun.main);
}

/**
 * What starts this program anew, without its arguments: the binary, or Bun with the script's path. Where the server
 * runs inside somebody else's program, that program's own options are not handed on.
 */
export function programCommand(): string[] {
  if (compiled()) return [process.execPath, ...process.execArgv];
  return [process.execPath, ...(Bun.main === MAIN ? process.execArgv : []), MAIN];
}
