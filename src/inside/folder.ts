import { mkdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { ConfigHost } from "../config/kinds.ts";
import { decodeBytes, encodeBytes } from "../config/text.ts";
import { randomHex } from "../host/random.ts";

/**
 * The directory of a server that has no process to itself: `dir` says where relative names begin, and the process stays
 * where it is. Where nobody names one, it is a temporary folder, which exists from the moment on at which something is
 * to be written into it: a server that saves nothing leaves no trace.
 */
export class Folder implements Omit<ConfigHost, "warn"> {
  readonly temporary = join(tmpdir(), `redbun-${process.pid}-${randomHex(12)}`);
  private path = this.temporary;
  /** The server is being started: it looks for files, and writes none. */
  looking = true;
  private made = false;

  /** `dir` names one that is somebody else's. */
  get given(): boolean {
    return this.path !== this.temporary;
  }

  changeDirectory(name: string): void {
    const path = resolve(this.path, decodeBytes(name));
    // Throws what Redis would be told as well.
    if (path !== this.temporary && !statSync(path).isDirectory())
      throw Object.assign(new Error("Not a directory"), { code: "ENOTDIR" });
    this.path = path;
  }

  currentDirectory(): string {
    return encodeBytes(this.path);
  }

  root(): string {
    if (!this.looking && !this.given) this.make();
    return this.path;
  }

  make(): void {
    if (this.made) return;
    this.made = true;
    mkdirSync(this.temporary, { mode: 0o700 });
  }

  remove(): void {
    if (this.made) rmSync(this.temporary, { recursive: true, force: true });
    this.made = false;
  }
}
