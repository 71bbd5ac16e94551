import { systemErrorText } from "../config/errors.ts";
import type { RdbLoad } from "../rdb/load.ts";
import type { FileSource } from "../rdb/sources.ts";
import type { Server } from "./server.ts";

/**
 * Loading the data set: when the server starts, in slices between which clients are told that it loads; on
 * DEBUG RELOAD at one go.
 */
const SLICE_MS = 10;

/** A load under way, for INFO. */
export class Loading {
  readonly startedAt = Date.now();

  constructor(
    readonly totalBytes: number,
    private readonly loadedBytes: () => number,
    /** The old data set is served meanwhile. */
    readonly serving = false,
  ) {}

  info(now: number): [string, string | number][] {
    const loaded = this.loadedBytes();
    const elapsed = Math.max(0, (now - this.startedAt) / 1000);
    const share = this.totalBytes === 0 ? 0 : loaded / this.totalBytes;
    const eta = share > 0 ? Math.floor(elapsed / share - elapsed) : 1;
    return [
      ["loading_start_time", Math.floor(this.startedAt / 1000)],
      ["loading_total_bytes", this.totalBytes],
      ["loading_rdb_used_mem", 0],
      ["loading_loaded_bytes", loaded],
      ["loading_loaded_perc", (share * 100).toFixed(2)],
      ["loading_eta_seconds", eta],
    ];
  }
}

export class Reloading {
  constructor(private readonly server: Server) {}

  /** DEBUG LOADAOF; the error to reply with, or null. */
  loadAof(): string | null {
    return this.server.appendOnly.reload();
  }

  /** DEBUG RELOAD; the error to reply with, or null. */
  reload({ save, flush, merge }: { save: boolean; flush: boolean; merge: boolean }): string | null {
    const { persistence, log } = this.server;
    if (save) {
      persistence.abort();
      if (!persistence.save()) return "ERR Error trying to save the DB, check server logs.";
    }
    if (flush) persistence.clear();
    let file: FileSource | null = null;
    try {
      file = persistence.open();
      const load = persistence.load(file, { allowDuplicates: merge });
      while (!load.step(() => false));
    } catch (error) {
      log.warning(`Error trying to load the RDB dump: ${systemErrorText(error)}`);
      return "ERR Error trying to load the RDB dump, check server logs.";
    } finally {
      file?.close();
    }
    log.warning("DB reloaded by DEBUG RELOAD");
    return null;
  }
}

/**
 * Loads the AOF where it is in force, else the RDB file if there is one. False where what is there cannot be loaded:
 * the server must not go on, and the log says why.
 */
export async function loadAtStart(server: Server): Promise<boolean> {
  const { aof } = server.appendOnly;
  if (!aof.readManifest()) return false;
  const loaded = server.config.values.appendonly ? await loadAof(server) : await loadRdbFile(server);
  server.loading = null;
  return loaded;
}

async function loadAof(server: Server): Promise<boolean> {
  const { appendOnly, keyspace } = server;
  const load = appendOnly.load();
  server.loading = new Loading(load.totalBytes, () => load.loadedBytes);
  keyspace.context.ignoreExpiry = true;
  for (;;) {
    const pace = new Pace(server, () => appendOnly.commandsLoaded);
    const state = load.step(pace.over);
    if (state === "failed") return false;
    if (state !== "more") break;
    await pace.pause();
  }
  keyspace.context.ignoreExpiry = false;
  return appendOnly.aof.open(load);
}

async function loadRdbFile(server: Server): Promise<boolean> {
  const { persistence, log } = server;
  if (!persistence.fileExists) return true;
  const startedAt = performance.now();
  let load: RdbLoad;
  let file: FileSource | null = null;
  try {
    file = persistence.open();
    load = persistence.load(file, {
      // A replica keeps what is due: its master will say when it is gone.
      skipExpired: !server.replication.isReplica,
      onExpired: (database, key) => {
        restoreHistory(server, load);
        server.replication.lostAtStart(database, key);
      },
    });
    server.loading = new Loading(Bun.file(persistence.path).size, () => load.consumed);
    const slice = (): Pace => new Pace(server, () => load.keysLoaded);
    for (let pace = slice(); !load.step(pace.over); pace = slice()) await pace.pause();
  } catch (error) {
    log.warning(`Fatal error loading the DB, check server logs. Exiting. (${systemErrorText(error)})`);
    log.warning("Terminating server after rdb file reading failure.");
    return false;
  } finally {
    file?.close();
  }
  persistence.loaded(load);
  restoreHistory(server, load);
  log.notice(`DB loaded from disk: ${((performance.now() - startedAt) / 1000).toFixed(3)} seconds`);
  return true;
}

/** Takes over the history that the file's facts, which stand in front, tell of; once. */
function restoreHistory({ replication }: Server, { aux }: RdbLoad): void {
  const [id, offset] = [aux.get("repl-id"), Number(aux.get("repl-offset"))];
  if (id === undefined || !(offset >= 0) || replication.stream.backlog !== null) return;
  replication.restored(id, offset, Number(aux.get("repl-stream-db") ?? 0));
}

/** A slice of loading; with key-load-delay (microseconds a key) it is short, and followed by that much idleness. */
class Pace {
  private readonly end = performance.now() + SLICE_MS;
  private readonly delay: number;
  private readonly before: number;

  /** `loaded`: keys, or commands of an AOF, so far. */
  constructor(
    { config }: Server,
    private readonly loaded: () => number,
  ) {
    this.delay = Math.max(0, config.values.keyLoadDelay) / 1000;
    this.before = loaded();
  }

  readonly over = (): boolean => this.delay > 0 || performance.now() >= this.end;

  async pause(): Promise<void> {
    const delay = this.delay * (this.loaded() - this.before);
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    else await new Promise((resolve) => setImmediate(resolve));
  }
}
