import type { Config } from "../config/config.ts";
import type { Log } from "../host/log.ts";
import { REDBUN_VERSION, REDIS_VERSION } from "../host/version.ts";

/** What is shown at start on a terminal, or where always-show-logo asks for it: name, version, port, PID. */
export function banner(config: Config, log: Log, terminal: boolean): void {
  const { values } = config;
  const where = values.port > 0 ? `Port: ${values.port}` : `Socket: ${values.unixsocket}`;
  const lines = [
    "",
    "      ___",
    `    .'   '.      redbun ${REDBUN_VERSION} (speaks Redis ${REDIS_VERSION}) 64 bit`,
    "   /  o o  \\",
    `  |    ^    |    Running in ${values.clusterEnabled ? "cluster" : "standalone"} mode`,
    `  |  '---'  |    ${where}`,
    `   \\_______/     PID: ${process.pid}`,
    "",
  ];
  // One raw block, not log lines: it is a picture. Below the level "notice" it is not shown, as in Redis.
  if (!log.enabled("notice")) return;
  log.raw(`${lines.join("\n")}\n`, terminal);
}
