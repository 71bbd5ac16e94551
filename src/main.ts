import { parseCommandLine } from "./config/command-line.ts";
import { Config } from "./config/config.ts";
import { loadConfig } from "./config/load.ts";
import { Log } from "./host/log.ts";
import { Server } from "./server/server.ts";

const line = parseCommandLine(process.argv.slice(2));
if (line.mode !== "run") throw new Error(line.mode);
const config = new Config();
loadConfig(config, { options: line.directivesText });
const log = new Log(false);
const server = new Server(config, log);
server.listeners.start(config.values);
server.cron.start();
log.role = "M";
log.notice("Ready to accept connections tcp");
