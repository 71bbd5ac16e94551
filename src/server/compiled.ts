/** Whether this is the compiled binary, not the source run by Bun. */
export function compiled(): boolean {
  return Bun.main.startsWith("/$bunfs/") || /^[A-Z]:[\\/]~BUN/.test(Bun.main);
}
