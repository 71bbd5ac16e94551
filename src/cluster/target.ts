import { latin1Text } from "../bytes/ascii.ts";

/**
 * A connection to another server, to which MIGRATE sends keys. It sends requests and hands out the replies line
 * by line: those that MIGRATE gets are all single lines. What happens is told to whoever uses it at the time.
 */

/** Why the connection has ended; Redis's errors name what was being done. */
export type Failure = "connecting" | "writing" | "reading";

export interface TargetUser {
  connected(): void;
  line(text: string): void;
  /** All that was to be sent has been taken by the kernel. */
  drained(): void;
  failed(what: Failure, timedOut: boolean): void;
}

const LF = 10;
const CR = 13;
/** No reply line is longer than this; what is, comes from no Redis. */
const LONGEST_LINE = 64 * 1024;

export class Target {
  /** The database it is known to have selected; -1: unknown. */
  database = -1;
  /** Milliseconds since 1970. */
  lastUse = 0;
  closed = false;
  user: TargetUser | null = null;
  private socket: Bun.Socket<undefined> | null = null;
  private unsent: Uint8Array[] = [];
  private rest: Uint8Array = new Uint8Array(0);
  private timer: ReturnType<typeof setTimeout> | null = null;
  private timeout = 0;

  /** `name`: address and credentials, see Targets. */
  constructor(
    readonly name: string,
    host: string,
    port: number,
    tls: Bun.TLSOptions | undefined,
  ) {
    const connecting = Bun.connect<undefined>({
      hostname: host,
      port,
      ...(tls === undefined ? {} : { tls }),
      socket: {
        binaryType: "uint8array",
        // Over TLS it is the handshake that counts.
        open: (socket) => (tls === undefined ? this.opened(socket) : undefined),
        handshake: (socket, success) => (success ? this.opened(socket) : this.fail(false)),
        data: (_socket, chunk) => this.received(chunk),
        drain: () => this.flush(),
        end: () => this.fail(false),
        close: () => this.fail(false),
        error: () => this.fail(false),
        connectError: () => this.fail(false),
      },
    });
    connecting.catch(() => this.fail(false));
  }

  get connected(): boolean {
    return this.socket !== null && !this.closed;
  }

  /** From now on `user` hears of what happens, and `timeoutMs` without any progress is a failure. */
  take(user: TargetUser, timeoutMs: number): void {
    this.user = user;
    this.timeout = timeoutMs;
    this.progress();
  }

  /** The user is done with it. */
  leave(now: number): void {
    this.user = null;
    this.lastUse = now;
    this.stopTimer();
  }

  get drained(): boolean {
    return this.unsent.length === 0;
  }

  send(bytes: Uint8Array): void {
    this.unsent.push(bytes);
    if (this.unsent.length === 1) this.flush();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.stopTimer();
    this.unsent = [];
    this.socket?.terminate();
  }

  private opened(socket: Bun.Socket<undefined>): void {
    if (this.closed) return void socket.terminate();
    this.socket = socket;
    this.progress();
    this.user?.connected();
  }

  private flush(): void {
    const { socket } = this;
    if (socket === null || this.closed || this.unsent.length === 0) return;
    while (this.unsent.length > 0) {
      const bytes = this.unsent[0]!;
      const sent = Math.max(0, socket.write(bytes));
      if (sent > 0) this.progress();
      if (sent < bytes.length) {
        this.unsent[0] = bytes.subarray(sent);
        return;
      }
      this.unsent.shift();
    }
    this.user?.drained();
  }

  private received(chunk: Uint8Array): void {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    this.progress();
    let start = 0;
    for (let end = bytes.indexOf(LF); end >= 0 && !this.closed; end = bytes.indexOf(LF, start)) {
      const text = latin1Text(bytes, start, end > start && bytes[end - 1] === CR ? end - 1 : end);
      start = end + 1;
      this.user?.line(text);
    }
    this.rest = bytes.slice(start);
    if (this.rest.length > LONGEST_LINE) this.fail(false);
  }

  private progress(): void {
    if (this.user === null) return;
    this.stopTimer();
    this.timer = setTimeout(() => this.fail(true), this.timeout);
  }

  private stopTimer(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private fail(timedOut: boolean): void {
    if (this.closed) return;
    const what = this.socket === null ? "connecting" : this.drained ? "reading" : "writing";
    this.close();
    const { user } = this;
    this.user = null;
    user?.failed(what, timedOut);
  }
}
