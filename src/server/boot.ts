import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { DeclaredUsers } from "../acl/declared.ts";
import { parseCommandLine } from "../config/command-line.ts";
import { Config } from "../config/config.ts";
import { ConfigFileError, ConfigOpenError, formatConfigFileError } from "../config/errors.ts";
import { type LoadedLines, loadConfig } from "../config/load.ts";
import { Log } from "../host/log.ts";
import { REDBUN_VERSION, REDIS_VERSION } from "../host/version.ts";
import { banner } from "./banner.ts";
import { compiled, programCommand } from "./compiled.ts";
import { openFilesLimit, RESERVED_FDS } from "./open-files.ts";
import { ProcessTitle } from "./process-title.ts";
import type { Server } from "./server.ts";
import { build, listen, load, StartError } from "./start.ts";

/**
 * From the command line to a server that accepts connections, in Redis's order and with the log lines that
 * tools wait for. Whatever is wrong before the sockets listen ends the process with status 1.
 */

/**
 * Set in the process that --daemonize starts, so that it does not start another, to the configuration that
 * the first one read from standard input.
 */
const DAEMON_MARK = "REDBUN_DAEMONIZED";
const DEFAULT_PIDFILE = "/var/run/redis.pid";

export interface BootResult {
  /** Not run: what to print instead. */
  print?: "help" | "version";
  server?: Server;
}

export function boot(argv: string[]): BootResult {
  const line = parseCommandLine(argv);
  if (line.mode === "refused") return die(line.reason);
  if (line.mode !== "run") return { print: line.mode };

  const terminal = process.stdout.isTTY === true;
  const log = new Log(terminal);
  const config = new Config({ warn: (message) => log.warning(message) });
  config.configFile = line.configFile;
  const daemonInput = process.env[DAEMON_MARK];
  const directory = process.cwd();
  const users = new DeclaredUsers(config.values);
  let loaded: LoadedLines;
  let input: string | null = null;
  try {
    if (line.readsInput) input = daemonInput ?? readFileSync(0, "latin1");
    const sources = { file: line.configFile, input, options: line.directivesText };
    loaded = loadConfig(config, sources, { user: (args) => users.add(args) });
  } catch (error) {
    if (error instanceof ConfigFileError) return die(formatConfigFileError(error, REDIS_VERSION));
    if (error instanceof ConfigOpenError) return die(error.message);
    throw error;
  }
  const { values } = config;
  if (values.daemonize && daemonInput === undefined) return daemonize(directory, input ?? "");

  try {
    log.level = values.loglevel;
    log.open(values.logfile);
  } catch (error) {
    return die(`Can't open the log file: ${(error as Error).message}`);
  }
  log.notice("oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo");
  log.notice(
    `Redis version=${REDIS_VERSION}, bits=64, commit=00000000, modified=0, pid=${process.pid}, just started ` +
      `(redbun ${REDBUN_VERSION}, Bun ${Bun.version})`,
  );
  if (argv.length === 0)
    log.warning(
      "Warning: no config file specified, using the default config. In order to specify a config file use redbun /path/to/redis.conf",
    );
  else log.notice("Configuration loaded");
  fitMaxClients(config, log);

  let server: Server;
  try {
    server = build(config, log, { loaded, users }, (code) => {
      if (values.pidfile !== "") removePidFile(values.pidfile, log);
      process.exit(code);
    });
    listen(server);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    if (error.misconfigured) die(error.message);
    for (const reason of error.lines) log.warning(reason);
    process.exit(1);
  }
  log.role = "M";
  server.clustering.cluster?.start();
  showTitle(config);
  if (values.daemonize && values.pidfile === "") config.assign("pidfile", DEFAULT_PIDFILE);
  if (values.pidfile !== "") writePidFile(values.pidfile, log);
  if (values.alwaysShowLogo || terminal) banner(config, log, terminal);
  else log.notice(`Running mode=${values.clusterEnabled ? "cluster" : "standalone"}, port=${values.port}.`);
  // Before the log says that it runs: who reads that may send a signal.
  obeyProcess(server);
  server.cron.start();
  log.notice("Server initialized");
  void load(server).then((loaded) => {
    if (!loaded) process.exit(1);
    announceReady(server);
  });
  return { server };
}

/** What the process is told by others is for this server; and it goes on after what nobody has caught. */
function obeyProcess(server: Server): void {
  const { shutdown, config, crash, counters, log } = server;
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, () => {
      if (shutdown.signalled(signal) === "insists") process.exit(1);
    });
  if (config.values.crashLogEnabled) crash.listen();
  process.on("uncaughtException", (error) => {
    counters.unexpectedErrors++;
    log.warning(`Uncaught exception: ${error instanceof Error ? error.stack : String(error)}`);
  });
}

/** The title that `ps` shows, now and whenever what it tells changes. */
function showTitle(config: Config): void {
  const title = new ProcessTitle(compiled() ? process.argv0 : "redbun");
  const show = (): null => {
    title.set(config.values, config.configFile ?? "");
    return null;
  };
  show();
  for (const name of ["proc-title-template", "port", "tls-port", "bind"] as const) config.onApply(name, show);
}

function announceReady({ listeners, log, config }: Server): void {
  for (const { kind } of listeners.endpoints.filter(firstOfItsKind))
    if (kind === "unix")
      log.notice(`The server is now ready to accept connections at ${config.values.unixsocket}`);
    else log.notice(`Ready to accept connections ${kind}`);
  if (listeners.endpoints.every(({ kind }) => kind === "unix"))
    log.notice("Ready to accept connections unix");
}

function firstOfItsKind<T extends { kind: string }>(item: T, i: number, all: T[]): boolean {
  return all.findIndex(({ kind }) => kind === item.kind) === i;
}

function die(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** Lowers maxclients to what the limit on open files allows. */
function fitMaxClients(config: Config, log: Log): void {
  const wanted = config.values.maxclients;
  const limit = openFilesLimit();
  if (limit >= wanted + RESERVED_FDS) return;
  if (limit <= RESERVED_FDS)
    die(`Your current 'ulimit -n' of ${limit} is not enough for the server to start. Exiting.`);
  log.warning(
    `You requested maxclients of ${wanted} requiring at least ${wanted + RESERVED_FDS} max file descriptors.`,
  );
  log.warning(
    `Current maximum open files is ${limit}. maxclients has been reduced to ${limit - RESERVED_FDS} to compensate for ` +
      "low ulimit. If you need higher maxclients increase 'ulimit -n'.",
  );
  config.assign("maxclients", limit - RESERVED_FDS);
}

function writePidFile(path: string, log: Log): void {
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch (error) {
    log.warning(`Failed to write PID file: ${(error as Error).message}`);
  }
}

function removePidFile(path: string, log: Log): void {
  log.notice("Removing the pid file.");
  rmSync(path, { force: true });
}

/** Starts the same command in the same directory in the background, without a terminal, and ends this process. */
function daemonize(directory: string, input: string): never {
  const child = Bun.spawn([...programCommand(), ...process.argv.slice(2)], {
    cwd: directory,
    stdio: ["ignore", "ignore", "ignore"],
    env: { ...process.env, [DAEMON_MARK]: input },
    detached: true,
  });
  child.unref();
  process.exit(0);
}
