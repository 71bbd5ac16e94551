import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";
import { latin1Text } from "../bytes/ascii.ts";
import { systemErrorText } from "../config/errors.ts";
import { RdbError } from "../rdb/format.ts";
import { Request } from "../resp/request.ts";
import { type AofFolder, type AofLog, isMissing } from "./folder.ts";
import type { AofFile } from "./manifest.ts";
import { AofReader, AT_END, BAD, COMMAND, EXEC, isNamed, MULTI, TORN } from "./reader.ts";

/**
 * Loading: the base, then the incremental files in order, in slices between which the server can answer.
 *
 * A transaction takes effect as a whole or not at all: its commands are read up to EXEC first, then from MULTI
 * once more to be executed. A file that ends before that, in the middle of a command or of an annotation, is
 * torn. The last file may be: it is cut where the last whole command or transaction ends, and loading succeeds
 * (aof-load-truncated). Anything else that does not read is damage, and nobody but the user can mend that.
 */

/** An RDB being loaded; `step` throws where it is not in order. */
export interface RdbLoading {
  /** Works until it is out of time; true: all is loaded. */
  step(outOfTime: () => boolean): boolean;
  /** Bytes of the source that the RDB took, its checksum included. */
  readonly consumed: number;
}

/** Where an RDB comes from: matches rdb/reader.ts's RdbSource. */
export interface RdbBytes {
  readonly left: number;
  read(target: Uint8Array, offset: number, length: number): number;
}

export interface LoadDeps {
  readonly folder: AofFolder;
  readonly log: AofLog;
  readonly settings: { readonly aofLoadTruncated: boolean };
  /** A file begins: commands are for database 0 until they say otherwise. */
  fileBegins(): void;
  /** Executes a command, whatever it replies; false: there is none of this name. */
  execute(request: Request): boolean;
  loadRdb(source: RdbBytes): RdbLoading;
}

/** "missing": there is no AOF; "empty": its files have no bytes; "failed": see the log, the server must end. */
export type LoadState = "more" | "loaded" | "empty" | "missing" | "failed";

/** Commands between two looks at the clock. */
const BURST = 32;

export class AofLoad {
  /** Bytes of all files. */
  totalBytes = 0;
  /** The name of the file being loaded. */
  fileName = "";
  /** Bytes of the base file. */
  baseBytes = 0;
  /** A file was cut: what is written to it next must go to its new end. */
  truncated = false;
  private doneBytes = 0;
  /** The last file with anything in it: what a crash tore can only be that one. */
  private lastFilled = 0;
  private readonly files: readonly AofFile[];
  private index = -1;
  private current: FileLoad | null = null;
  private state: LoadState = "more";
  private started = 0;
  private readonly begun = performance.now();
  private announced = false;

  /** Takes over a file of older versions, and looks at what there is to load. */
  constructor(private readonly deps: LoadDeps) {
    const { folder } = deps;
    if (!folder.adoptOldFile()) this.state = "failed";
    this.files = folder.manifest.files;
    if (this.state === "more") this.state = this.measure();
  }

  get loadedBytes(): number {
    return this.doneBytes + (this.current?.offset ?? 0);
  }

  private measure(): LoadState {
    if (this.files.length === 0) return "missing";
    for (const [index, { name, type }] of this.files.entries()) {
      const size = this.deps.folder.size(name);
      if (typeof size !== "number") return "failed";
      if (size > 0) this.lastFilled = index;
      this.totalBytes += size;
      if (type === "b") this.baseBytes = size;
    }
    return this.totalBytes === 0 ? "empty" : "more";
  }

  step(outOfTime: () => boolean): LoadState {
    while (this.state === "more") {
      if (this.current === null && !this.open()) break;
      const outcome = this.current!.step(outOfTime);
      if (outcome === "more") return "more";
      this.closeCurrent(outcome);
    }
    if (this.state === "loaded" || this.state === "empty") this.announce();
    return this.state;
  }

  /** Stops in the middle. */
  abort(): void {
    this.current?.close();
    this.current = null;
    this.state = "failed";
  }

  private announce(): void {
    if (this.announced) return;
    this.announced = true;
    this.deps.log.notice(`DB loaded from append only file: ${seconds(this.begun)} seconds`);
  }

  private open(): boolean {
    if (++this.index === this.files.length) {
      this.state = "loaded";
      return false;
    }
    const { name } = this.files[this.index]!;
    this.fileName = name;
    this.started = performance.now();
    this.deps.fileBegins();
    this.current = FileLoad.open(name, this.index >= this.lastFilled, this.deps);
    if (this.current === null) this.state = "failed";
    return this.current !== null;
  }

  private closeCurrent(outcome: "loaded" | "truncated" | "failed"): void {
    const { deps, current } = this;
    const { name, type } = this.files[this.index]!;
    current!.close();
    this.doneBytes += current!.offset;
    this.current = null;
    if (outcome === "failed") this.state = "failed";
    else if (current!.size > 0)
      deps.log.notice(
        `DB loaded from ${type === "b" ? "base" : "incr"} file ${name}: ${seconds(this.started)} seconds`,
      );
    if (outcome === "truncated") this.truncated = true;
  }
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(3);
}

class FileLoad {
  private readonly request = new Request();
  private reader: AofReader | null = null;
  private rdb: RdbLoading | null = null;
  /** Where the file is good up to: what lies behind is cut off, if it is torn. */
  private validUpTo = 0;
  /** In a transaction: looking for its EXEC, or executing it. */
  private transaction: "none" | "reading" | "executing" = "none";

  private constructor(
    private readonly name: string,
    private readonly fd: number,
    readonly size: number,
    private readonly last: boolean,
    private readonly deps: LoadDeps,
  ) {
    if (size === 0) return;
    if (startsAsRdb(fd)) {
      const old = name === deps.folder.filename;
      deps.log.notice(
        old ? "Reading RDB preamble from AOF file..." : "Reading RDB base file on AOF loading...",
      );
      this.rdb = deps.loadRdb(sourceOf(fd, size));
    } else this.reader = new AofReader(fd);
  }

  static open(name: string, last: boolean, deps: LoadDeps): FileLoad | null {
    const path = deps.folder.path(name);
    try {
      const fd = openForRepair(path);
      return new FileLoad(name, fd, fstatSync(fd).size, last, deps);
    } catch (error) {
      deps.log.warning(
        isMissing(error)
          ? `The append log file ${name} doesn't exist: ${systemErrorText(error)}`
          : `Fatal error: can't open the append log file ${name} for reading: ${systemErrorText(error)}`,
      );
      return null;
    }
  }

  close(): void {
    closeSync(this.fd);
  }

  get offset(): number {
    return this.rdb?.consumed ?? this.reader?.offset ?? 0;
  }

  step(outOfTime: () => boolean): "more" | "loaded" | "truncated" | "failed" {
    try {
      if (this.rdb !== null && !this.stepRdb(this.rdb, outOfTime)) return "more";
    } catch (error) {
      const what = this.isOld ? "the RDB preamble of the AOF file" : "the RDB base file";
      // What is wrong inside of an RDB has been logged where it was found.
      if (!(error instanceof RdbError)) this.deps.log.warning(systemErrorText(error));
      this.deps.log.warning(`Error reading ${what} ${this.name}, AOF loading aborted`);
      return "failed";
    }
    if (this.reader === null) return "loaded";
    try {
      return this.stepCommands(this.reader, outOfTime);
    } catch (error) {
      this.deps.log.warning(
        `Unrecoverable error reading the append only file ${this.name}: ${systemErrorText(error)}`,
      );
      return "failed";
    }
  }

  private get isOld(): boolean {
    return this.name === this.deps.folder.filename;
  }

  private stepRdb(rdb: RdbLoading, outOfTime: () => boolean): boolean {
    if (!rdb.step(outOfTime)) return false;
    if (this.isOld) this.deps.log.notice("Reading the remaining AOF tail...");
    this.reader = new AofReader(this.fd, rdb.consumed);
    this.validUpTo = rdb.consumed;
    this.rdb = null;
    return true;
  }

  private stepCommands(
    reader: AofReader,
    outOfTime: () => boolean,
  ): "more" | "loaded" | "truncated" | "failed" {
    const { request } = this;
    for (;;) {
      for (let i = 0; i < BURST; i++) {
        const state = reader.next(request);
        if (state !== COMMAND) return this.atEnd(state, reader);
        if (!this.take(reader)) return "failed";
      }
      if (outOfTime()) return "more";
    }
  }

  /** One command. False: loading fails, the log says why. */
  private take(reader: AofReader): boolean {
    const { request, deps } = this;
    const multi = isNamed(request, MULTI);
    const exec = !multi && isNamed(request, EXEC);
    if (multi && this.transaction === "none") {
      reader.pin();
      this.transaction = "reading";
      return true;
    }
    if (multi && this.transaction === "reading")
      return this.badFormat(`MULTI inside of a transaction at offset ${reader.commandStart}`);
    if (exec && this.transaction === "none")
      return this.badFormat(`EXEC without MULTI at offset ${reader.commandStart}`);
    if (exec && this.transaction === "reading") {
      reader.back();
      this.transaction = "executing";
      return true;
    }
    if (exec) {
      reader.unpin();
      this.transaction = "none";
    } else if (this.transaction !== "reading" && !multi && !deps.execute(request)) {
      const name = latin1Text(request.buf, request.start[0], request.end[0]).split("\0", 1)[0];
      deps.log.warning(`Unknown command '${name}' reading the append only file ${this.name}`);
      return false;
    }
    if (this.transaction === "none") this.validUpTo = reader.offset;
    return true;
  }

  private atEnd(state: number, reader: AofReader): "loaded" | "truncated" | "failed" {
    const { log } = this.deps;
    if (state === BAD) {
      this.badFormat(reader.error);
      return "failed";
    }
    if (this.transaction === "reading")
      log.warning(`Revert incomplete MULTI/EXEC transaction in AOF file ${this.name}`);
    else if (state === AT_END) return "loaded";
    else if (state !== TORN) throw new Error(`unexpected reader state ${state}`);
    return this.cut() ? "truncated" : "failed";
  }

  private badFormat(what: string): false {
    const { log } = this.deps;
    log.warning(`Cannot read the append only file ${this.name}: ${what}`);
    log.warning(
      `Bad file format reading the append only file ${this.name}: make a backup of your AOF file, then use ` +
        "./redis-check-aof --fix <filename.manifest>",
    );
    return false;
  }

  /** Cuts the torn end off, where that is allowed. */
  private cut(): boolean {
    const { name, deps, validUpTo } = this;
    const { log } = deps;
    if (!deps.settings.aofLoadTruncated) return this.unexpectedEnd();
    log.warning(`!!! Warning: short read while loading the AOF file ${name}!!!`);
    if (!this.last) {
      log.warning("Fatal error: the truncated file is not the last file");
      return false;
    }
    log.warning(`!!! Truncating the AOF ${name} at offset ${validUpTo} !!!`);
    try {
      ftruncateSync(this.fd, validUpTo);
    } catch (error) {
      log.warning(`Error truncating the AOF file ${name}: ${systemErrorText(error)}`);
      return this.unexpectedEnd();
    }
    log.warning(`AOF ${name} loaded anyway because aof-load-truncated is enabled`);
    return true;
  }

  private unexpectedEnd(): false {
    this.deps.log.warning(
      `Unexpected end of file reading the append only file ${this.name}. You can: 1) Make a backup of your AOF ` +
        "file, then use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you can set the " +
        "'aof-load-truncated' configuration option to yes and restart the server.",
    );
    return false;
  }
}

/** For reading, and for writing too where that is allowed: cutting needs it, loading does not. */
function openForRepair(path: string): number {
  try {
    return openSync(path, "r+");
  } catch (error) {
    if (isMissing(error)) throw error;
    return openSync(path, "r");
  }
}

export function startsAsRdb(fd: number): boolean {
  const head = new Uint8Array(5);
  return readSync(fd, head, 0, 5, 0) === 5 && latin1Text(head) === "REDIS";
}

function sourceOf(fd: number, size: number): RdbBytes {
  let at = 0;
  return {
    get left() {
      return size - at;
    },
    read(target, offset, length) {
      const count = readSync(fd, target, offset, length, at);
      at += count;
      return count;
    },
  };
}
