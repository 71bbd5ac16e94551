import { defineCommand, renderUsage, runCommand } from "citty";
import { Console } from "./console/console.ts";
import { REDBUN_VERSION, REDIS_VERSION } from "./host/version.ts";
import { serveTests } from "./inside/tool.ts";
import { boot } from "./server/boot.ts";
import { runCheck } from "./server/check-files.ts";
import { runHandOver } from "./server/hand-over.ts";
import type { Server } from "./server/server.ts";

/**
 * The program: redbun [/path/to/redis.conf | -] [--directive value ...]. Options follow Redis's rules (any
 * directive is a flag, several values to a flag), so citty gets the raw arguments and renders the help.
 */
const redbun = defineCommand({
  meta: {
    name: "redbun",
    version: REDBUN_VERSION,
    description:
      "A Redis-compatible server. Any directive of redis.conf is an option: --directive value ... Tools: redbun check-rdb FILE, redbun check-aof [--fix] FILE",
  },
  args: {
    config: {
      type: "positional",
      required: false,
      description: 'Path of a redis.conf; "-" reads it from standard input',
    },
    port: { type: "string", description: "TCP port (-port works too)", valueHint: "6379" },
    bind: { type: "string", description: "Addresses to listen on", valueHint: "addr ..." },
    unixsocket: { type: "string", description: "Path of a Unix socket to listen on", valueHint: "path" },
    "tls-port": { type: "string", description: "TCP port for TLS", valueHint: "port" },
    requirepass: { type: "string", description: "Password that clients must give", valueHint: "password" },
    maxmemory: { type: "string", description: "Limit on memory, such as 2gb", valueHint: "bytes" },
    loglevel: {
      type: "string",
      description: "debug, verbose, notice, warning or nothing",
      valueHint: "level",
    },
    logfile: {
      type: "string",
      description: "Where the log goes; standard output if empty",
      valueHint: "path",
    },
    dir: { type: "string", description: "Working directory", valueHint: "path" },
    daemonize: { type: "string", description: "yes: run in the background", valueHint: "yes|no" },
    version: { type: "boolean", description: "Show the version (also -v)" },
    help: { type: "boolean", description: "Show this help (also -h)" },
  },
  async run({ rawArgs }) {
    const checked = runCheck(rawArgs);
    if (checked !== null) process.exit(checked);
    if (await runHandOver(rawArgs)) process.exit(0);
    if (rawArgs[0] === "test-server") return serveTests();
    const { print, server } = boot(rawArgs);
    if (server !== undefined) openConsole(server);
    if (print === "version")
      process.stdout.write(
        `Redis server v=${REDIS_VERSION} sha=00000000:0 malloc=arena bits=64 build=redbun-${REDBUN_VERSION}\n`,
      );
    if (print === "help") process.stdout.write(`${await renderUsage(redbun)}\n`);
  },
});

/** The console is a part of the server: where it cannot listen, the server does not run either. */
function openConsole(server: Server): void {
  const reason = new Console(server).start();
  if (reason === null) return;
  server.log.warning(`Could not open the console: ${reason}`);
  server.exit(1);
}

await runCommand(redbun, { rawArgs: process.argv.slice(2) });
