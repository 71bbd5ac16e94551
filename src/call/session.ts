import type { Request } from "../resp/request.ts";
import type { Command } from "./registry.ts";
import type { TrackingState } from "./tracking-state.ts";

/**
 * A client as commands see it: who it is, which protocol and database it speaks to, what it may do. The
 * socket is the connection's matter (server/connection.ts), reached through `link`.
 */

/** CLIENT REPLY: "skip" leaves out the next command's reply, which "skip-next" announces. */
export type ReplyMode = "on" | "off" | "skip-next" | "skip";

/** What a session can ask of its connection. */
export interface SessionLink {
  /** "id=... addr=..." facts that only the connection knows. */
  readonly address: string;
  readonly localAddress: string;
  readonly unixSocket: boolean;
  readonly tls: boolean;
  /** The socket's file descriptor, -1 where the platform does not tell. */
  readonly fd: number;
  /** Its commands are held back (CLIENT PAUSE). */
  readonly suspended: boolean;
  /** Bytes of requests not yet read, of arguments read of a command that is not complete, and of their buffer. */
  readonly queryBytes: number;
  readonly argumentBytes: number;
  readonly queryCapacity: number;
  /** Bytes beyond those that will be taken for what the client has announced. */
  readonly announcedBytes: number;
  /** Bytes of replies the kernel has not taken yet, and how many pieces they are in. */
  readonly outputBytes: number;
  readonly outputPieces: number;
  /** Appends bytes outside of a reply (push, MONITOR). */
  send(bytes: Uint8Array): void;
  /** Sends bytes that are nobody's reply at once; what the kernel does not take is copied. */
  stream(bytes: Uint8Array, start: number, end: number): void;
  /** Reads no further commands until the server lets it go on. */
  suspend(): void;
  /** While suspended, hands the next request over instead of executing it; null when the connection has ended. */
  nextRequest(take: (request: Request | null) => void): void;
  /** Ends the connection: after what is to be written, or at once. */
  close(how: "after-replies" | "now"): void;
}

/** SCRIPT DEBUG: the next script is debugged, and what it changes stays ("sync") or is taken back. */
export type ScriptDebugging = "off" | "sync" | "undone";

/** For a session without a connection of its own: what is loaded, what a script does. Nothing gets anywhere. */
export function noLink(where: Partial<SessionLink> = {}): SessionLink {
  return {
    address: "",
    localAddress: "",
    unixSocket: false,
    tls: false,
    fd: -1,
    suspended: false,
    queryBytes: 0,
    argumentBytes: 0,
    queryCapacity: 0,
    announcedBytes: 0,
    outputBytes: 0,
    outputPieces: 0,
    send() {},
    stream() {},
    suspend() {},
    nextRequest() {},
    close() {},
    ...where,
  };
}

/** What the client is: one like others, a replica of this server, or this server's master. */
export type SessionRole = "normal" | "replica" | "master";

/** Whom a client is logged in as (acl/user.ts). */
export interface Identity {
  readonly name: string;
  /** May do everything: commands need not be checked. */
  readonly unrestricted: boolean;
  /** What it restores is trusted (sanitize-dump-payload clients). */
  readonly skipSanitize: boolean;
}

export class Session {
  name = "";
  libName = "";
  libVersion = "";
  dbIndex = 0;
  /** CLIENT NO-TOUCH: reads leave the access clock alone. */
  noTouch = false;
  noEvict = false;
  monitor = false;
  replyMode: ReplyMode = "on";
  /** Where in the writer begins what CLIENT REPLY keeps from it, of the command under way. */
  mutedFrom = Number.POSITIVE_INFINITY;
  /** Between MULTI and EXEC: commands are queued (transactions/). */
  inTransaction = false;
  /** Inside EXEC or a script: commands that would wait answer at once. */
  denyBlocking = false;
  /** In a cluster: ASKING, the next command may be for a slot on its way here; READONLY, a replica may answer. */
  asking = false;
  readsReplica = false;
  /** CLIENT CAPA REDIRECT: a replica sends it to its master. */
  followsRedirects = false;
  /** It is a script's, not a client's. */
  scripted = false;
  scriptDebugging: ScriptDebugging = "off";
  /** Who receives the effects of its commands: 1 the append-only file, 2 replicas, 3 both (redis.set_repl). */
  propagate = 3;
  /** Commands queued since MULTI, and their bytes. */
  queuedCommands = 0;
  queuedBytes = 0;
  /** A key that it watches has changed. */
  watchedTouched = false;
  /** While EXEC runs them: how many they are. */
  executingCommands = 0;
  /** Bytes that its watched keys and its subscriptions take, about. */
  watchedBytes = 0;
  subscriptionBytes = 0;
  /** A reply was larger than client-output-buffer-limit allows: nothing is sent any more. */
  overflowed = false;
  /** No further commands are read. */
  closing = false;
  lastCommand: Command | null = null;
  /** Speaks for the append-only file. */
  fromFile = false;
  /** Milliseconds since 1970. */
  lastInteraction: number;
  /** Bytes of the command being executed, for CLIENT LIST. */
  argvBytes = 0;
  commandsProcessed = 0;
  /** Bytes that wait for it elsewhere than in its connection (a replica that is being synchronized). */
  heldOutput = 0;
  /** Where its last write stands in the replication stream, and in the append-only file. */
  writeOffset = 0;
  aofOffset = 0;
  /** What it listens to (push/subscriptions.ts), by kind. */
  channels = 0;
  patterns = 0;
  shardSubscriptions = 0;
  /** CLIENT TRACKING, while it is on. */
  tracking: TrackingState | null = null;
  /**
   * No gate that looks at the client holds a plain command back: it is authenticated as somebody who may do
   * everything, not in RESP2's subscribed mode, and no replica. Follows from the setters below, so that dispatching a
   * command asks one thing.
   */
  unrestricted = true;
  private identity: Identity | null = null;
  private isLoggedIn = true;
  private needsNoLogin = false;
  private currentRole: SessionRole = "normal";
  private protocol: 2 | 3 = 2;

  /** Null: the server itself, or its master; it may do everything. */
  get user(): Identity | null {
    return this.identity;
  }

  set user(value: Identity | null) {
    this.identity = value;
    this.restrict();
  }

  get loggedIn(): boolean {
    return this.isLoggedIn;
  }

  set loggedIn(value: boolean) {
    this.isLoggedIn = value;
    this.restrict();
  }

  /** At present nobody has to log in. */
  set openToAll(value: boolean) {
    this.needsNoLogin = value;
    this.restrict();
  }

  get authenticated(): boolean {
    return this.isLoggedIn || this.needsNoLogin;
  }

  get role(): SessionRole {
    return this.currentRole;
  }

  set role(value: SessionRole) {
    this.currentRole = value;
    this.restrict();
  }

  /** Its commands have been decided on elsewhere, and are not to be refused: the master's, the append-only file's. */
  get isObeyed(): boolean {
    return this.fromFile || this.currentRole === "master";
  }

  get resp(): 2 | 3 {
    return this.protocol;
  }

  set resp(value: 2 | 3) {
    this.protocol = value;
    this.restrict();
  }

  subscribe(channels: number, patterns: number, shards: number): void {
    this.channels = channels;
    this.patterns = patterns;
    this.shardSubscriptions = shards;
    this.restrict();
  }

  get subscribed(): boolean {
    return this.channels + this.patterns + this.shardSubscriptions > 0;
  }

  /** To be called when the user's rules have changed as well. */
  restrict(): void {
    this.unrestricted =
      this.authenticated &&
      (this.identity === null || this.identity.unrestricted) &&
      (this.protocol === 3 || !this.subscribed) &&
      this.currentRole !== "replica";
  }

  /** Over a Unix socket or from a loopback address. */
  get isLocal(): boolean {
    const { unixSocket, address } = this.link;
    return unixSocket || address.startsWith("127.") || address.startsWith("[::1]");
  }

  constructor(
    readonly id: number,
    readonly link: SessionLink,
    readonly createdAt: number,
  ) {
    this.lastInteraction = createdAt;
  }
}
