import { join } from "node:path";
import { DeclaredUsers } from "../acl/declared.ts";
import { Config } from "../config/config.ts";
import { ConfigFileError } from "../config/errors.ts";
import { type LoadedLines, loadConfig } from "../config/load.ts";
import { decodeBytes } from "../config/text.ts";
import { Console } from "../console/console.ts";
import { Log } from "../host/log.ts";
import type { Server } from "../server/server.ts";
import { build, listen, load, StartError } from "../server/start.ts";
import { configText } from "./directives.ts";
import { Folder } from "./folder.ts";
import { flushAll, moveClock } from "./intervene.ts";
import type { Directives, RedbunServer, ServerClock } from "./redbun.d.ts";

/**
 * A server inside a program, in the program's own process and thread. It has all that the executable has but for what
 * belongs to a process: signals, the working directory, the end of the process, its title. All state is in the Server
 * object, so several of them do not know of each other; a cluster node alone must have a process of its own.
 */
export async function startRedbun(directives: Directives = {}): Promise<RedbunServer> {
  const folder = new Folder();
  const complaints: string[] = [];
  const log = new Log(false);
  log.listener = (level, message) => {
    if (level === "warning") complaints.push(message);
  };
  const config = new Config({
    changeDirectory: (path) => folder.changeDirectory(path),
    currentDirectory: () => folder.currentDirectory(),
    root: () => folder.root(),
    warn: (message) => log.warning(message),
  });
  const users = new DeclaredUsers(config.values);
  const socketWanted = directives.unixsocket === true;
  const wanted = socketWanted
    ? { ...directives, unixsocket: join(folder.temporary, "redbun.sock") }
    : directives;
  const loaded = readDirectives(config, users, wanted);
  const { values } = config;
  if (values.clusterEnabled)
    throw new Error("A cluster node needs a process of its own: start redbun --cluster-enabled yes");
  if (socketWanted || (!folder.given && (values.appendonly || values.save.length > 0))) folder.make();
  const inside = { ended: Promise.withResolvers<void>(), server: null as Server | null };
  try {
    log.level = values.loglevel;
    log.open(values.logfile);
    log.role = "M";
    const server = build(config, log, { loaded, users }, () => {
      server.appendOnly.aof.turnOff();
      log.open("");
      folder.remove();
      inside.ended.resolve();
    });
    inside.server = server;
    // Port 0 alone cannot mean that nobody is to listen.
    const elsewhere = values.unixsocket !== "" || values.tlsPort > 0;
    listen(server, directives.port === undefined || !elsewhere);
    const closed = new Console(server).start();
    if (closed !== null) throw new StartError([`Could not open the console: ${closed}`]);
    server.cron.start();
    if (!(await load(server))) throw new StartError(["The data set cannot be loaded"]);
    folder.looking = false;
    log.listener = null;
    return new InsideServer(server, folder, inside.ended.promise);
  } catch (error) {
    if (inside.server?.listeners.endpoints.length) inside.server.shutdown.end(AT_ONCE);
    else log.open("");
    folder.remove();
    if (!(error instanceof StartError)) throw error;
    throw new Error(`redbun cannot start: ${[...complaints, ...error.lines].join("\n")}`);
  }
}

const AT_ONCE = { save: "nosave", now: true, force: true } as const;

function readDirectives(config: Config, users: DeclaredUsers, directives: Directives): LoadedLines {
  try {
    return loadConfig(config, { options: configText(directives) }, { user: (args) => users.add(args) });
  } catch (error) {
    if (!(error instanceof ConfigFileError)) throw error;
    throw new Error(`redbun cannot start: ${error.text}: ${error.reason}`);
  }
}

class InsideServer implements RedbunServer {
  readonly port: number;
  readonly socket: string;
  readonly url: string;
  readonly clock: ServerClock;
  private closing: Promise<void> | null = null;
  private over = false;

  constructor(
    private readonly server: Server,
    private readonly folder: Folder,
    readonly closed: Promise<void>,
  ) {
    const { values } = server.config;
    this.port = values.port;
    this.socket = decodeBytes(values.unixsocket);
    this.url = urlOf(values);
    this.clock = {
      advance: async (milliseconds) => {
        this.check();
        moveClock(server, milliseconds);
        await turnEnd();
      },
    };
    void closed.then(() => {
      this.over = true;
    });
  }

  async flush(): Promise<void> {
    this.check();
    flushAll(this.server);
    await turnEnd();
  }

  close(): Promise<void> {
    if (this.closing === null) {
      this.closing = this.closed;
      // In the temporary folder nobody would find it.
      if (!this.over)
        this.server.shutdown.end({ ...AT_ONCE, save: this.folder.given ? "default" : "nosave" });
    }
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private check(): void {
    if (this.over || this.closing !== null) throw new Error("This redbun server is closed");
  }
}

/** What a turn had to say is with the kernel. */
function turnEnd(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function urlOf(values: Config["values"]): string {
  const login = values.requirepass === "" ? "" : `:${encodeURIComponent(decodeBytes(values.requirepass))}@`;
  const host = hostFor(values.bind[0]);
  if (values.port > 0) return `redis://${login}${host}:${values.port}`;
  if (values.tlsPort > 0) return `rediss://${login}${host}:${values.tlsPort}`;
  // Clients take no password in such a URL.
  return `redis+unix://${decodeBytes(values.unixsocket)}`;
}

function hostFor(address = "127.0.0.1"): string {
  const plain = address.replace(/^-/, "");
  if (plain === "*" || plain === "0.0.0.0") return "127.0.0.1";
  if (plain === "::*" || plain === "::") return "[::1]";
  return plain.includes(":") ? `[${plain}]` : plain;
}
