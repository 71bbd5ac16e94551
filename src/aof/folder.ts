import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlink,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { systemErrorText } from "../config/errors.ts";
import { decodeBytes } from "../config/text.ts";
import { Manifest, ManifestError } from "./manifest.ts";

/**
 * The folder of the AOF on disk: paths, the manifest's file, deletion of history. Names come from the
 * configuration as byte strings; relative paths follow the process's directory, as `dir` sets it.
 */

/** The part of host/log.ts that this room needs. */
export interface AofLog {
  verbose(message: string): void;
  notice(message: string): void;
  warning(message: string): void;
}

export interface FolderNames {
  /** appenddirname */
  readonly dirname: string;
  /** appendfilename */
  readonly filename: string;
  /** The directory that holds the folder; "" is the process's own. */
  readonly root?: string;
}

export class AofFolder {
  readonly manifestName: string;
  private readonly temporaryManifestName: string;
  /** Collects what changes while AOF files are in use; replaced as a whole, when its file has been. */
  manifest = new Manifest();

  constructor(
    readonly names: FolderNames,
    private readonly log: AofLog,
  ) {
    this.manifestName = `${names.filename}.manifest`;
    this.temporaryManifestName = `temp-${names.filename}.manifest`;
  }

  get filename(): string {
    return this.names.filename;
  }

  /** Where incremental data goes while the first rewrite after CONFIG SET appendonly yes is under way. */
  get temporaryIncrName(): string {
    return `temp-${this.filename}.incr`;
  }

  /** The path of a file of the folder. */
  path(name: string): string {
    return join(this.directory, decodeBytes(name));
  }

  get directory(): string {
    return join(this.names.root ?? "", decodeBytes(this.names.dirname));
  }

  /** The path of a single-file AOF of older versions, beside the folder. */
  get oldPath(): string {
    return join(this.names.root ?? "", decodeBytes(this.filename));
  }

  /** Creates the folder where it is missing; false: it cannot be, and the log says why. */
  create(): boolean {
    try {
      mkdirSync(this.directory, { mode: 0o755 });
    } catch (error) {
      if (statSync(this.directory, { throwIfNoEntry: false })?.isDirectory()) return true;
      this.log.warning(
        `Can't open or create append-only dir ${this.names.dirname}: ${systemErrorText(error)}`,
      );
      return false;
    }
    return true;
  }

  // ------------------------------------------------------------------ manifest

  /** Reads the manifest, where there is one; false: it cannot be used, and the log says why. */
  load(): boolean {
    this.manifest = new Manifest();
    const path = this.path(this.manifestName);
    if (!existsSync(path)) return true;
    const manifest = readManifest(path, this.log);
    if (manifest === null) return false;
    this.manifest = manifest;
    return true;
  }

  /**
   * Makes `manifest` the one in force: written beside the file, synced, renamed over it, the folder synced.
   * False: the old one still is, and the log says why.
   */
  persist(manifest: Manifest): boolean {
    if (manifest.dirty) {
      if (!this.replaceManifest(manifest.format())) return false;
      manifest.dirty = false;
    }
    this.manifest = manifest;
    return true;
  }

  private replaceManifest(text: string): boolean {
    const temporary = this.path(this.temporaryManifestName);
    const target = this.path(this.manifestName);
    let doing = "Can't open the AOF manifest file";
    try {
      const fd = openSync(temporary, "w", 0o644);
      try {
        doing = "Error trying to write the temporary AOF manifest file";
        const bytes = Buffer.from(text, "latin1");
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
        doing = "Fail to fsync the temp AOF file";
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      doing = "Error trying to rename the temporary AOF manifest file";
      renameSync(temporary, target);
    } catch (error) {
      this.log.warning(`${doing} ${this.temporaryManifestName}: ${systemErrorText(error)}`);
      removeFile(temporary);
      return false;
    }
    try {
      syncDirectory(dirname(target));
    } catch (error) {
      this.log.warning(`Fail to fsync AOF directory ${target}: ${systemErrorText(error)}.`);
      return false;
    }
    return true;
  }

  // ------------------------------------------------------------------ files

  /** Bytes of a file; where it has none to tell, the reason, which the log has too. */
  size(name: string): number | "missing" | "unreadable" {
    try {
      return statSync(this.path(name)).size;
    } catch (error) {
      this.log.warning(`Unable to obtain the AOF file ${name} length. stat: ${systemErrorText(error)}`);
      return isMissing(error) ? "missing" : "unreadable";
    }
  }

  /** Bytes of the files of the manifest that are there. */
  totalSize(): number {
    let total = 0;
    for (const { name } of this.manifest.files)
      total += statSync(this.path(name), { throwIfNoEntry: false })?.size ?? 0;
    return total;
  }

  /** Deletes a file while the server goes on; nobody waits for it, and nothing depends on it. */
  deleteLater(name: string): void {
    unlink(this.path(name), () => {});
  }

  /** Deletes a file whose name will be used again. */
  deleteNow(name: string): void {
    rmSync(this.path(name), { force: true });
  }

  /** Whether the manifest on disk, which may not be the one in force, names this file; if unknown, it does. */
  isNamedOnDisk(name: string): boolean {
    try {
      const manifest = Manifest.parse(readFileSync(this.path(this.manifestName), "latin1"));
      return manifest.files.some((file) => file.name === name);
    } catch (error) {
      return !isMissing(error);
    }
  }

  /** Deletes what the manifest calls history, and takes it off the manifest. */
  deleteHistory(): void {
    if (this.manifest.history.length === 0) return;
    for (const { name } of this.manifest.takeHistory()) {
      this.log.notice(`Removing the history file ${name} in the background`);
      this.deleteLater(name);
    }
    this.persist(this.manifest);
  }

  // ------------------------------------------------------------------ older versions

  /**
   * Takes over a single-file AOF of older versions: it becomes the base of a new manifest and moves into the
   * folder. Interrupted anywhere, the next start goes on with it. False: impossible, the log says why.
   */
  adoptOldFile(): boolean {
    const { manifest } = this;
    if (!existsSync(this.oldPath)) return true;
    const interrupted =
      manifest.incrs.length === 0 &&
      (manifest.base === null ||
        (manifest.base.name === this.filename && !existsSync(this.path(this.filename))));
    if (existsSync(this.directory) && !interrupted) return true;
    if (!this.create()) return false;
    manifest.adoptBase(this.filename);
    if (!this.persist(manifest)) return false;
    try {
      renameSync(this.oldPath, this.path(this.filename));
      syncDirectory(this.directory);
    } catch (error) {
      this.log.warning(
        `Error trying to move the old AOF file ${this.filename} into dir ${this.names.dirname}: ` +
          systemErrorText(error),
      );
      return false;
    }
    this.log.notice(
      `Successfully migrated an old-style AOF file (${this.filename}) into the AOF directory (${this.names.dirname}).`,
    );
    return true;
  }
}

/** Removes a file of ours if it is there; what is no file stays. */
function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It had not been made.
  }
}

/** Reads and checks a manifest; null: it is no good, and `log` has Redis's report of it. */
export function readManifest(path: string, log: Pick<AofLog, "warning">): Manifest | null {
  let text: string;
  try {
    text = readFileSync(path, "latin1");
  } catch (error) {
    log.warning(
      `Fatal error: can't open the AOF manifest file ${path} for reading: ${systemErrorText(error)}`,
    );
    return null;
  }
  try {
    return Manifest.parse(text);
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    log.warning("\n*** FATAL AOF MANIFEST FILE ERROR ***\n");
    if (error.text !== null) {
      log.warning(`Reading the manifest file, at line ${error.line}\n`);
      log.warning(`>>> '${error.text}'\n`);
    }
    log.warning(`${error.message}\n`);
    return null;
  }
}

/** The directory's entries as of now survive a power cut. Where a system cannot do that, it has its own ways. */
export function syncDirectory(path: string): void {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (process.platform === "win32") return;
    throw error;
  }
  try {
    fsyncSync(fd);
  } catch (error) {
    const code = errorCode(error);
    if (code !== "EINVAL" && code !== "EBADF" && process.platform !== "win32") throw error;
  } finally {
    closeSync(fd);
  }
}

export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

export function isMissing(error: unknown): boolean {
  return errorCode(error) === "ENOENT";
}
