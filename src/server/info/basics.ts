import os from "node:os";
import { decodeBytes } from "../../config/text.ts";
import { receiveRingState } from "../../host/receive-ring.ts";
import { REDBUN_VERSION, REDIS_VERSION } from "../../host/version.ts";
import type { Endpoint } from "../listeners.ts";
import type { Server } from "../server.ts";
import type { Field } from "./info.ts";

/** INFO's sections server and clients. */

const MULTIPLEXING: Partial<Record<NodeJS.Platform, string>> = {
  linux: "epoll",
  darwin: "kqueue",
  win32: "libuv",
};
const DAY = 24 * 3600;

export function serverSection(server: Server): Field[] {
  const { config, clock } = server;
  const { values } = config;
  const now = clock.microseconds();
  const uptime = Math.floor(now / 1_000_000) - Math.floor(server.startedAt / 1000);
  const fields: Field[] = [
    ["redis_version", REDIS_VERSION],
    ["redis_git_sha1", "00000000"],
    ["redis_git_dirty", 0],
    ["redis_build_id", buildId()],
    ["redis_mode", values.clusterEnabled ? "cluster" : "standalone"],
    ["os", `${os.type()} ${os.release()} ${os.machine()}`],
    ["arch_bits", 64],
    ["monotonic_clock", "POSIX clock_gettime"],
    ["multiplexing_api", MULTIPLEXING[process.platform] ?? "unknown"],
    ["atomicvar_api", "none"],
    ["gcc_version", "0.0.0"],
    ["process_id", process.pid],
    ["process_supervised", "no"],
    ["run_id", server.runId],
    ["tcp_port", values.port === 0 ? values.tlsPort : values.port],
    ["server_time_usec", now],
    ["uptime_in_seconds", uptime],
    ["uptime_in_days", Math.floor(uptime / DAY)],
    ["hz", values.hz],
    ["configured_hz", values.hz],
    ["lru_clock", clock.lruClock],
    ["executable", process.execPath],
    ["config_file", decodeBytes(config.configFile ?? "")],
    ["io_threads_active", 0],
  ];
  return [
    ...fields,
    ...listeners(server.listeners.endpoints, values.bind),
    ...shutdown(server),
    ["redbun_version", REDBUN_VERSION],
    ["bun_version", Bun.version],
    ["io_uring", values.ioUring ? receiveRingState() : "off"],
  ];
}

/** The same for equal versions of redbun and Bun. */
function buildId(): string {
  return Bun.hash(`redbun ${REDBUN_VERSION} Bun ${Bun.version} ${Bun.revision}`)
    .toString(16)
    .padStart(16, "0");
}

/** Replicas are being waited for. */
function shutdown({ shutdown }: Server): Field[] {
  const { waitsUntil } = shutdown;
  return waitsUntil === 0 ? [] : [["shutdown_in_milliseconds", waitsUntil - Date.now()]];
}

/** "listener0:name=tcp,bind=*,bind=-::*,port=6379": addresses as they are configured. */
function listeners(endpoints: readonly Endpoint[], bind: readonly string[]): Field[] {
  const fields: Field[] = [];
  for (const kind of ["tcp", "unix", "tls"] as const) {
    const open = endpoints.filter((each) => each.kind === kind);
    const [first] = open;
    if (first === undefined) continue;
    const addresses = kind === "unix" ? [first.address] : bind;
    const port = kind === "unix" ? "" : `,port=${first.port}`;
    const text = `name=${kind}${addresses.map((address) => `,bind=${address}`).join("")}${port}`;
    fields.push([`listener${fields.length}`, text]);
  }
  return fields;
}

export function clientsSection(server: Server): Field[] {
  const { clients, config, blocking, recentBuffers, replication, transactions } = server;
  const pubsub = [...clients.sessions()].filter(({ subscribed }) => subscribed).length;
  return [
    ["connected_clients", clients.count - replication.primary.count],
    ["cluster_connections", server.clustering.cluster?.bus.connectionCount ?? 0],
    ["maxclients", config.values.maxclients],
    ["client_recent_max_input_buffer", recentBuffers.maxInput],
    ["client_recent_max_output_buffer", recentBuffers.maxOutput],
    ["blocked_clients", blocking.count + server.sockets.waiting],
    ["tracking_clients", server.tracking.clientCount],
    ["clients_in_timeout_table", blocking.count],
    ["total_blocking_keys", blocking.keyCount],
    ["total_blocking_keys_on_nokey", blocking.removalKeyCount],
    // Of Redis 7.4.
    ["pubsub_clients", pubsub],
    ["watching_clients", transactions.clientCount],
    ["total_watched_keys", transactions.keyCount],
  ];
}
