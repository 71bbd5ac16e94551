/** A folder of its own, a log that remembers, a clock that is set by hand, and a data set that is a list of commands. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Aof, type AofDeps } from "../../../src/aof/aof.ts";
import type { Disk } from "../../../src/aof/append-file.ts";
import { AofFolder } from "../../../src/aof/folder.ts";
import { AofLoad, type LoadState, type RdbBytes, type RdbLoading } from "../../../src/aof/load.ts";
import type { BaseSink } from "../../../src/aof/rewrite.ts";
import { AofWriter, type Durable } from "../../../src/aof/writer.ts";
import { latin1Text } from "../../../src/bytes/ascii.ts";
import type { Request } from "../../../src/resp/request.ts";
import { multibulk } from "../resp/support.ts";

export class TestLog {
  readonly lines: string[] = [];
  verbose(message: string): void {
    this.lines.push(`- ${message}`);
  }
  notice(message: string): void {
    this.lines.push(`* ${message}`);
  }
  warning(message: string): void {
    this.lines.push(`# ${message}`);
  }
  has(text: string): boolean {
    return this.lines.some((line) => line.includes(text));
  }
}

/** An fsync that succeeds, fails or waits as the test wants. */
export class TestDisk implements Disk {
  /** fsyncs under way, to be ended by `finish`. */
  readonly pending: ((error: Error | null) => void)[] = [];
  syncs = 0;
  nowError: Error | null = null;
  /** How long a synchronous one takes. */
  nowMilliseconds = 0;

  fdatasync(_fd: number, done: (error: Error | null) => void): void {
    this.syncs++;
    this.pending.push(done);
  }

  fdatasyncSync(): void {
    this.syncs++;
    if (this.nowMilliseconds > 0) Bun.sleepSync(this.nowMilliseconds);
    if (this.nowError !== null) throw this.nowError;
  }

  finish(error: Error | null = null): void {
    this.pending.shift()!(error);
  }
}

export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

export interface MutableSettings {
  appendfsync: "always" | "everysec" | "no";
  noAppendfsyncOnRewrite: boolean;
  aofTimestampEnabled: boolean;
  aofUseRdbPreamble: boolean;
  aofRewriteIncrementalFsync: boolean;
  aofDisableAutoGc: boolean;
  autoAofRewritePercentage: number;
  autoAofRewriteMinSize: number;
  aofLoadTruncated: boolean;
}

export class World {
  readonly root = mkdtempSync(join(tmpdir(), "redbun-aof-"));
  readonly log = new TestLog();
  readonly clock = { now: 1_700_000_000_000 };
  readonly settings: MutableSettings = {
    appendfsync: "everysec",
    noAppendfsyncOnRewrite: false,
    aofTimestampEnabled: false,
    aofUseRdbPreamble: false,
    aofRewriteIncrementalFsync: true,
    aofDisableAutoGc: false,
    autoAofRewritePercentage: 0,
    autoAofRewriteMinSize: 0,
    aofLoadTruncated: true,
  };
  readonly names = { root: this.root, dirname: "appendonlydir", filename: "appendonly.aof" };
  readonly folder = new AofFolder(this.names, this.log);
  /** What has been executed by loading. */
  executed: string[] = [];
  /** Bases being written. */
  sinks: BaseSink[] = [];
  aborted = 0;
  snapshotActive = false;
  inTransaction = false;
  saving = false;

  path(name: string): string {
    return join(this.root, "appendonlydir", name);
  }

  write(name: string, content: string): void {
    this.folder.create();
    writeFileSync(this.path(name), content, "latin1");
  }

  read(name: string): string {
    return readFileSync(this.path(name), "latin1");
  }

  manifest(content: string): void {
    this.write("appendonly.aof.manifest", content);
  }

  get manifestText(): string {
    return this.read("appendonly.aof.manifest");
  }

  writer(disk?: Disk): AofWriter {
    return new AofWriter({
      settings: this.settings,
      clock: this.clock,
      log: this.log,
      latency: () => {},
      flushSleep: () => 0,
      saving: () => this.saving,
      disk,
    });
  }

  aof(disk?: Disk, more: Partial<AofDeps> = {}): Aof {
    return new Aof({
      settings: this.settings,
      names: this.names,
      clock: this.clock,
      log: this.log,
      latency: () => {},
      flushSleep: () => 0,
      snapshotActive: () => this.snapshotActive,
      inTransaction: () => this.inTransaction,
      startBase: (sink) => {
        this.sinks.push(sink);
        return { abort: () => this.aborted++ };
      },
      emptyRdb: () => Buffer.from("REDIS0011-empty"),
      disk,
      ...more,
    });
  }

  readonly parts = {
    fileBegins: () => {
      this.executed.push("-- file");
    },
    execute: (request: Request): boolean => {
      const words = Array.from({ length: request.argc }, (_, i) =>
        latin1Text(request.buf, request.start[i], request.end[i]),
      );
      if (words[0]!.toLowerCase() === "bla") return false;
      this.executed.push(words.join(" "));
      return true;
    },
    loadRdb: fakeRdb,
  };

  /** Loads what is in the folder, `burst` slices at a time, and returns how it ended. */
  load(outOfTime: () => boolean = () => false): { state: LoadState; load: AofLoad; executed: string[] } {
    this.executed = [];
    if (!this.folder.load()) throw new Error("the manifest cannot be used");
    const load = new AofLoad({
      folder: this.folder,
      log: this.log,
      settings: this.settings,
      ...this.parts,
    });
    let state = load.step(outOfTime);
    for (let i = 0; state === "more"; i++) {
      if (i > 1e6) throw new Error("loading does not end");
      state = load.step(outOfTime);
    }
    return { state, load, executed: this.executed.filter((line) => line !== "-- file") };
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** "REDIS0011" up to the first "!" is an RDB; "corrupt" in it is not in order. */
function fakeRdb(source: RdbBytes): RdbLoading {
  const bytes = new Uint8Array(source.left);
  source.read(bytes, 0, bytes.length);
  const text = latin1Text(bytes);
  const end = text.indexOf("!");
  return {
    step: () => {
      if (text.includes("corrupt")) throw new Error("Wrong RDB checksum");
      return true;
    },
    consumed: end < 0 ? text.length : end + 1,
  };
}

/** A line of words as a multibulk. */
export function command(line: string): string {
  return multibulk(line.split(" "));
}

export function commands(...lines: string[]): string {
  return lines.map(command).join("");
}

export function args(line: string): Uint8Array[] {
  return line.split(" ").map((word) => new Uint8Array(Buffer.from(word, "latin1")));
}

/** Remembers how it was answered: null durable, else the failure. */
export function waiter(): { done: Durable; answers: unknown[] } {
  const answers: unknown[] = [];
  return { done: (failure) => answers.push(failure), answers };
}
