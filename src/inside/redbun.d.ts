/**
 * What `import { startRedbun } from "redbun"` gives: a server inside a test. In Bun it runs in the test's own process,
 * in Node as a child process that ends with it; both are used in the same way.
 */

/**
 * Directives of redis.conf by name. A text is what stands behind the name; of an array each item is a line of its own.
 * Other than in redis.conf: without `port` a free one is taken, the server listens at 127.0.0.1 alone, logs nothing
 * (`loglevel`), and saves nothing (`save`, `appendonly`). Data files are written in a temporary folder, which `close`
 * removes, unless `dir` names one.
 */
export interface Directives {
  /** 0: none, where there is a Unix socket or tls-port; otherwise a free one. */
  readonly port?: number;
  /** A path; true: one in the temporary folder. */
  readonly unixsocket?: string | boolean;
  readonly appendonly?: boolean | "yes" | "no";
  readonly save?: string | readonly string[];
  readonly requirepass?: string;
  /** An existing folder for data files; it stays, and what is in it is loaded. */
  readonly dir?: string;
  readonly [directive: string]: string | number | boolean | readonly string[] | undefined;
}

export interface StartOptions {
  /** Node: the program and its first arguments, such as ["/usr/local/bin/redbun"]; by default what is found. */
  readonly command?: readonly string[];
}

export interface RedbunServer {
  /** The TCP port, 0 where there is none. */
  readonly port: number;
  /** For clients: redis://..., rediss://..., or redis+unix://... where there is only a Unix socket. */
  readonly url: string;
  /** The Unix socket's path, "" where there is none. */
  readonly socket: string;
  readonly clock: ServerClock;
  /** Resolves when the server has come to its end, by `close` or by SHUTDOWN. */
  readonly closed: Promise<void>;
  /** Empties all databases, as FLUSHALL does; users, functions, settings and the clock stay. */
  flush(): Promise<void>;
  /** Ends the server, disconnects its clients, and removes the temporary folder; may be called again. */
  close(): Promise<void>;
  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * The server's own time. It goes on as all time does; `advance` adds to it.
 *
 * Moved: what is written as a date or counted from one. Expiry of keys and of hash fields (those due are gone when the
 * promise resolves, and told of), timeouts of blocking commands, CLIENT PAUSE, idle times (OBJECT IDLETIME, LRU and
 * LFU, `timeout`), TIME, IDs of stream entries, replication timeouts.
 *
 * Not moved: what is measured. Durations in the slow log and of latency events and their times of day, the time that
 * scripts may take, how often the server does its periodic work, save points, uptime.
 */
export interface ServerClock {
  /** Whole milliseconds, from 0 on: time never goes back. */
  advance(milliseconds: number): Promise<void>;
}

/** Starts a server; several at once share nothing. Rejects with the reason where it cannot start. */
export declare function startRedbun(directives?: Directives, options?: StartOptions): Promise<RedbunServer>;
