import { latin1Bytes, latin1Text } from "../bytes/ascii.ts";
import type { Log } from "../host/log.ts";
import type { History } from "./history.ts";
import { FileReceiver, type SnapshotReceiver } from "./receiver.ts";
import { StreamedSnapshot } from "./streamed-snapshot.ts";

/**
 * The replica's connection to its master.
 *
 *   connect -> connecting -> handshake -> transfer -> loading -> connected
 *      ^            |            |   \--- +CONTINUE ---------------^ |
 *      \------------+------------+-----------+----------------------/
 *
 *   handshake   PING, AUTH, REPLCONF ..., PSYNC <id> <offset>, each after the reply to the one before
 *   transfer    the snapshot comes (receiver.ts)
 *   loading     it replaces the data; the connection rests
 *   connected   the stream comes (applier.ts)
 */
export type LinkState = "connect" | "connecting" | "handshake" | "transfer" | "loading" | "connected";

export interface LinkSettings {
  readonly masteruser: string;
  readonly masterauth: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly tlsReplication: boolean;
  readonly replicaAnnounceIp: string;
  readonly replicaAnnouncePort: number;
  readonly replTimeout: number;
  readonly bindSourceAddr: string;
}

export interface LinkDeps {
  readonly settings: LinkSettings;
  readonly clock: { now: number; update(): void };
  readonly log: Log;
  readonly history: History;
  readonly counters: { netReplInput: number };
  /** Not while data are being loaded. */
  mayConnect(): boolean;
  /** The path of a file of the data directory. */
  filePath(name: string): string;
  /** For tls-replication. */
  tls(): Bun.TLSOptions;
  /** The data are those of the master's ID and offset, or were: PSYNC may ask for what is missing. */
  canContinue(): boolean;
  /** The master is to become one only now, by our PSYNC (FAILOVER). */
  demanding(): boolean;
  /** The reply to PSYNC: whether the master goes along. */
  psyncAnswered(accepted: boolean): void;
  /** A snapshot of this history is about to come. */
  fullSync(id: string, offset: number): void;
  /** A snapshot is loaded while it comes, not from a file (repl-diskless-load). */
  loadsStreamed(): boolean;
  /**
   * The snapshot has come whole, or begins to come if it is loaded while it does; calls `loaded` when it is the data
   * set, with what went wrong or null.
   */
  load(receiver: SnapshotReceiver, loaded: (failure: string | null) => void): void;
  /** The master goes on where we are; a new ID where its has changed. */
  continued(id: string | null): void;
  /** The stream begins. */
  streaming(): void;
  /** A chunk of the stream. */
  stream(chunk: Uint8Array): void;
  /** The connection is gone; it will be tried again. */
  lost(wasConnected: boolean): void;
}

/** In place of a replication ID, after SYNC: the master has not told its own. */
export const UNKNOWN_HISTORY = "?".padEnd(40, "0");
const RETRY_MS = 1000;
/** More than any reply to the handshake has. */
const LONGEST_LINE = 1024;
const LF = 10;

/** Steps of the handshake: what is sent, and what its reply may be. */
interface Step {
  send: string[];
  /** Null: go on; otherwise why the handshake is given up. */
  reply(line: string): string | null;
}

export class MasterLink {
  state: LinkState = "connect";
  /** When bytes last came, milliseconds since 1970. */
  lastIo = 0;
  /** There has been a connection to this master. */
  wasUp = false;
  /** Since when there has been no connection to the master. */
  downSince: number;
  receiver: SnapshotReceiver | null = null;
  private socket: Bun.Socket | null = null;
  private steps: Step[] = [];
  private line = "";
  private lastTry = 0;
  /** Chunks that came while the snapshot was being loaded. */
  private early: Uint8Array[] = [];
  private unsent: Uint8Array[] = [];
  private usedSync = false;
  /** PSYNC has asked for what is missing. */
  private mayContinue = false;
  private ended = false;
  /** The connection ended while the snapshot was being loaded. */
  private brokenEarly = false;

  constructor(
    readonly host: string,
    readonly port: number,
    private readonly deps: LinkDeps,
  ) {
    this.downSince = deps.clock.now;
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  get localAddress(): string {
    const { socket } = this;
    return socket === null ? "" : `${socket.localAddress}:${socket.localPort}`;
  }

  // ------------------------------------------------------------------ connecting

  /** With each tick of the cron: connects, and notices silence. */
  tick(): void {
    const { clock, settings, log } = this.deps;
    const silent = clock.now - this.lastIo > settings.replTimeout * 1000;
    switch (this.state) {
      case "connect":
        if (clock.now - this.lastTry >= RETRY_MS) this.connect();
        return;
      case "connecting":
      case "handshake":
        if (!silent) return;
        log.warning("Timeout connecting to the MASTER...");
        break;
      case "transfer":
        if (!silent) return;
        log.warning(
          "Timeout receiving bulk data from MASTER... If the problem persists try to set the 'repl-timeout' " +
            "parameter in redis.conf to a larger value.",
        );
        break;
      case "loading":
        if (this.arriving && silent) {
          log.warning("Timeout receiving bulk data from MASTER while loading it");
          break;
        }
        // The master waits meanwhile; it is to see that we live.
        this.write(latin1Bytes("\n"));
        return;
      case "connected":
        if (!silent) return;
        log.warning("MASTER timeout: no data nor PING received...");
        break;
    }
    this.drop();
  }

  /** Connects at once, not only with the next tick. */
  connect(): void {
    const { deps } = this;
    if (this.state !== "connect" || this.ended || !deps.mayConnect()) return;
    this.state = "connecting";
    this.lastTry = this.lastIo = deps.clock.now;
    deps.log.notice(`Connecting to MASTER ${this.address}`);
    const mine = (socket: Bun.Socket | null): boolean => this.socket === socket && !this.ended;
    Bun.connect({
      hostname: this.host,
      port: this.port,
      ...(deps.settings.tlsReplication && { tls: deps.tls() }),
      // Bun knows it, though its types do not.
      ...(deps.settings.bindSourceAddr !== "" && { localAddress: deps.settings.bindSourceAddr }),
      socket: {
        binaryType: "uint8array",
        open: (socket) => {
          if (this.ended || this.state !== "connecting") return socket.terminate();
          this.socket = socket;
          this.connected();
        },
        data: (socket, chunk) => {
          if (mine(socket)) this.received(chunk);
        },
        drain: (socket) => {
          if (mine(socket)) this.flush();
        },
        close: (socket) => {
          if (mine(socket)) this.broke("Connection with master lost.");
        },
        end: (socket) => {
          if (mine(socket)) this.broke("Connection with master lost.");
        },
        error: (socket, error) => {
          if (mine(socket)) this.broke(`Error condition on socket for SYNC: ${error.message}`);
        },
      },
    }).catch((error: unknown) => {
      if (this.state !== "connecting" || this.socket !== null) return;
      this.drop(`Error condition on socket for SYNC: ${error instanceof Error ? error.message : error}`);
    });
    deps.log.notice("MASTER <-> REPLICA sync started");
  }

  /** The connection is gone. What is being loaded is loaded to its end, since it has replaced the old data. */
  private broke(why: string): void {
    if (this.state === "loading" && !this.arriving) this.brokenEarly = true;
    else this.drop(why);
  }

  /** What is being loaded has not come whole yet. */
  private get arriving(): boolean {
    return this.receiver instanceof StreamedSnapshot && !this.receiver.complete;
  }

  /** Ends the link for good. */
  close(): void {
    this.ended = true;
    this.release();
  }

  /** Ends this connection; another one is tried. */
  drop(why?: string): void {
    if (this.ended) return;
    if (why !== undefined) this.deps.log.warning(why);
    const wasConnected = this.state === "connected";
    if (wasConnected) this.downSince = this.deps.clock.now;
    this.release();
    this.state = "connect";
    this.deps.lost(wasConnected);
    if (wasConnected && !this.ended) {
      this.deps.log.notice(`Reconnecting to MASTER ${this.address}`);
      this.lastTry = 0;
      setImmediate(() => this.connect());
    }
  }

  private release(): void {
    const { socket } = this;
    this.socket = null;
    this.receiver?.discard();
    this.receiver = null;
    this.early = [];
    this.unsent = [];
    this.line = "";
    socket?.terminate();
  }

  // ------------------------------------------------------------------ handshake

  private connected(): void {
    this.deps.log.notice("Non blocking connect for SYNC fired the event.");
    this.state = "handshake";
    this.usedSync = false;
    this.steps = this.handshake();
    this.sendStep();
  }

  private handshake(): Step[] {
    const { settings, log } = this.deps;
    const uncritical = (what: string) => (line: string) => {
      if (line.startsWith("-"))
        log.notice(`(Non critical) Master does not understand REPLCONF ${what}: ${line}`);
      return null;
    };
    const port = settings.replicaAnnouncePort || (settings.tlsReplication ? settings.tlsPort : settings.port);
    const steps: Step[] = [
      {
        send: ["PING"],
        reply: (line) => {
          const denied = /^-(NOAUTH|NOPERM|ERR operation not permitted)/.test(line);
          if (!line.startsWith("+") && !denied) return `Error reply to PING from master: '${line}'`;
          log.notice("Master replied to PING, replication can continue...");
          return null;
        },
      },
    ];
    if (settings.masterauth !== "") {
      const user = settings.masteruser === "" ? [] : [settings.masteruser];
      steps.push({
        send: ["AUTH", ...user, settings.masterauth],
        reply: (line) => (line.startsWith("-") ? `Unable to AUTH to MASTER: ${line}` : null),
      });
    }
    steps.push({
      send: ["REPLCONF", "listening-port", String(port)],
      reply: uncritical("listening-port"),
    });
    if (settings.replicaAnnounceIp !== "")
      steps.push({
        send: ["REPLCONF", "ip-address", settings.replicaAnnounceIp],
        reply: uncritical("ip-address"),
      });
    steps.push({
      send: ["REPLCONF", "capa", "eof", "capa", "psync2"],
      reply: uncritical("capa"),
    });
    steps.push({ send: this.psync(), reply: (line) => this.answered(line) });
    return steps;
  }

  private psync(): string[] {
    const { history, canContinue, log } = this.deps;
    this.mayContinue = canContinue();
    if (!this.mayContinue) {
      log.notice("Partial resynchronization not possible (no cached master)");
      return ["PSYNC", "?", "-1"];
    }
    log.notice(`Trying a partial resynchronization (request ${history.id}:${history.offset + 1}).`);
    const demand = this.deps.demanding() ? ["FAILOVER"] : [];
    return ["PSYNC", history.id, String(history.offset + 1), ...demand];
  }

  private sendStep(): void {
    const step = this.steps[0];
    if (step !== undefined) this.send(...step.send);
  }

  /** The reply to PSYNC. */
  private answered(line: string): string | null {
    const { deps } = this;
    const [word, id, offset] = line.split(" ");
    if (word === "+FULLRESYNC") {
      if (id?.length !== 40 || !/^\d{1,15}$/.test(offset ?? ""))
        return "Master replied with wrong +FULLRESYNC syntax.";
      deps.psyncAnswered(true);
      deps.log.notice(`Full resync from master: ${id}:${offset}`);
      this.beginTransfer(id, Number(offset));
      return null;
    }
    if (word === "+CONTINUE") {
      if (!this.mayContinue) return `Master replied ${word}, though it was asked for everything.`;
      deps.psyncAnswered(true);
      deps.log.notice("Successful partial resynchronization with master.");
      const changed = id !== undefined && id.length === 40 && id !== deps.history.id ? id : null;
      if (changed !== null) deps.log.notice(`Master replication ID changed to ${id}`);
      deps.continued(changed);
      deps.log.notice("MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.");
      this.state = "connected";
      this.wasUp = true;
      deps.streaming();
      return null;
    }
    if (deps.demanding()) {
      // It remains what it was, and so do we.
      setImmediate(() => deps.psyncAnswered(false));
      return `Error reply to PSYNC FAILOVER from the replica that was to become the master: ${line}`;
    }
    if (/^-(NOMASTERLINK|LOADING)/.test(line))
      return `Master is currently unable to PSYNC but should be in the future: ${line}`;
    if (!line.startsWith("-ERR")) deps.log.warning(`Unexpected reply to PSYNC from master: ${line}`);
    else deps.log.notice(`Master does not support PSYNC or is in error state (reply: ${line})`);
    deps.log.notice("Retrying with SYNC...");
    this.usedSync = true;
    this.beginTransfer(UNKNOWN_HISTORY, 0);
    this.write(latin1Bytes("SYNC\r\n"));
    return null;
  }

  private beginTransfer(id: string, offset: number): void {
    const { deps } = this;
    deps.fullSync(id, offset);
    const { socket } = this;
    try {
      if (deps.loadsStreamed())
        this.receiver = new StreamedSnapshot((wanted) => (wanted ? socket?.resume() : socket?.pause()));
      else
        this.receiver = new FileReceiver(
          deps.filePath(`temp-${Math.floor(Date.now() / 1000)}.${process.pid}.rdb`),
        );
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return this.drop(`Opening the temp file needed for MASTER <-> REPLICA synchronization: ${text}`);
    }
    this.state = "transfer";
  }

  // ------------------------------------------------------------------ what comes

  private received(chunk: Uint8Array): void {
    const { clock } = this.deps;
    clock.update();
    this.lastIo = clock.now;
    this.deps.counters.netReplInput += chunk.length;
    let rest = chunk;
    while (rest.length > 0 && this.socket !== null) {
      switch (this.state) {
        case "handshake":
          rest = this.readLine(rest);
          break;
        case "transfer":
          rest = this.readSnapshot(rest);
          break;
        case "loading":
          if (this.arriving) {
            rest = this.readSnapshot(rest);
            break;
          }
          this.early.push(rest);
          return;
        case "connected":
          return this.deps.stream(rest);
        default:
          return;
      }
    }
  }

  private readLine(chunk: Uint8Array): Uint8Array {
    const end = chunk.indexOf(LF);
    this.line += latin1Text(chunk, 0, end < 0 ? chunk.length : end);
    if (this.line.length > LONGEST_LINE) {
      this.drop("Bad protocol from MASTER: too long a line");
      return chunk.subarray(chunk.length);
    }
    if (end < 0) return chunk.subarray(chunk.length);
    const line = this.line.replace(/\r$/, "");
    this.line = "";
    // A line feed alone says that the master is still busy with our PSYNC.
    const step = line === "" ? undefined : this.steps.shift();
    if (step !== undefined) {
      const refusal = step.reply(line);
      if (refusal !== null) this.drop(refusal);
      else if (this.state === "handshake") this.sendStep();
    }
    return chunk.subarray(end + 1);
  }

  private readSnapshot(chunk: Uint8Array): Uint8Array {
    const { log } = this.deps;
    const receiver = this.receiver!;
    const begun = receiver.begun;
    let taken: number;
    try {
      taken = receiver.take(chunk);
    } catch (error) {
      this.drop(error instanceof Error ? error.message : String(error));
      return chunk.subarray(chunk.length);
    }
    const streamed = receiver instanceof StreamedSnapshot;
    if (!begun && receiver.begun) {
      const where = streamed ? "parser" : "disk";
      log.notice(
        receiver.mark === ""
          ? `MASTER <-> REPLICA sync: receiving ${receiver.total} bytes from master to ${where}`
          : `MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF to ${where}`,
      );
      if (streamed) this.loadSnapshot(receiver);
    }
    if (taken < 0) return chunk.subarray(chunk.length);
    if (!streamed) this.loadSnapshot(receiver);
    return chunk.subarray(taken);
  }

  private loadSnapshot(receiver: SnapshotReceiver): void {
    const { deps } = this;
    const { socket } = this;
    this.state = "loading";
    this.brokenEarly = false;
    if (!this.arriving) socket?.pause();
    deps.load(receiver, (failure) => {
      if (this.socket !== socket || this.state !== "loading") return;
      this.receiver = null;
      if (failure !== null) return this.drop(failure);
      deps.clock.update();
      this.lastIo = deps.clock.now;
      this.state = "connected";
      this.wasUp = true;
      deps.streaming();
      deps.log.notice("MASTER <-> REPLICA sync: Finished with success");
      socket?.resume();
      const { early } = this;
      this.early = [];
      for (const chunk of early) if (this.state === "connected") deps.stream(chunk);
      if (this.brokenEarly) this.drop("Connection with master lost.");
    });
  }

  /** The old SYNC counts no offsets: there is nothing to acknowledge. */
  get acknowledges(): boolean {
    return this.state === "connected" && !this.usedSync;
  }

  // ------------------------------------------------------------------ what goes

  send(...args: string[]): void {
    let text = `*${args.length}\r\n`;
    for (const arg of args) text += `$${latin1Bytes(arg).length}\r\n${arg}\r\n`;
    this.write(latin1Bytes(text));
  }

  private write(bytes: Uint8Array): void {
    this.unsent.push(bytes);
    if (this.unsent.length === 1) this.flush();
  }

  private flush(): void {
    const { socket, unsent } = this;
    while (socket !== null && unsent.length > 0) {
      const bytes = unsent[0]!;
      const sent = Math.max(0, socket.write(bytes));
      if (sent < bytes.length) {
        unsent[0] = bytes.subarray(sent);
        return;
      }
      unsent.shift();
    }
  }
}
