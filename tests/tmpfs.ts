/** Small file systems, for tests of a full disk. Mounting one takes rights that not every machine gives. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Mounts a tmpfs of this size ("256k") on a folder; false where that cannot be done. */
export function mountTmpfs(folder: string, size: string): boolean {
  if (Bun.which("mount") === null) return false;
  return Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder]).exitCode === 0;
}

export function unmount(folder: string): void {
  Bun.spawnSync(["umount", "-l", folder]);
}

/** Whether this machine lets us: tests that need it are skipped, and counted, where it does not. */
export const canMount = (() => {
  const folder = mkdtempSync(join(tmpdir(), "redbun-mount-"));
  const mounted = mountTmpfs(folder, "64k");
  if (mounted) unmount(folder);
  rmSync(folder, { recursive: true, force: true });
  return mounted;
})();
