import type { DeclaredUsers } from "../acl/declared.ts";
import { loadAclFile } from "../acl/file.ts";
import type { Config } from "../config/config.ts";
import type { LoadedLines } from "../config/load.ts";
import type { Log } from "../host/log.ts";
import { TlsError } from "./listeners.ts";
import { loadAtStart } from "./loading.ts";
import { Server } from "./server.ts";

/**
 * The part of a start that concerns one server, whether it is all that its process is there for (boot.ts) or one of
 * several inside somebody's program (inside/). What concerns the process is the caller's: signals, its end, its title.
 *
 *   build -> listen -> run -> load
 */

/** The server cannot start. `lines`: what the log is to say, in Redis's words. */
export class StartError extends Error {
  /** `misconfigured`: a directive is wrong, which Redis tells before there is a log. */
  constructor(
    readonly lines: readonly string[],
    readonly misconfigured = false,
  ) {
    super(lines.join("\n"));
  }
}

/** What the configuration says, values aside. */
export interface Declared {
  readonly loaded: LoadedLines;
  readonly users: DeclaredUsers;
}

/** A server that does nothing yet; throws StartError. */
export function build(
  config: Config,
  log: Log,
  { loaded, users }: Declared,
  exit: (code: number) => void,
): Server {
  const server = new Server(config, log, exit);
  for (const { from, to } of loaded.renames) {
    const refusal = server.registry.rename(from, to);
    if (refusal !== null) throw new StartError([`rename-command ${from} ${to}: ${refusal}`], true);
  }
  startAcl(server, users);
  return server;
}

/** Users from redis.conf, or from the ACL file. */
function startAcl({ acl, log, config }: Server, users: DeclaredUsers): void {
  const { aclfile } = config.values;
  if (aclfile !== "" && users.users.length > 0)
    throw new StartError([
      "Configuring Redis with users defined in redis.conf and at the same setting an ACL file path is invalid. This " +
        "setup is very likely to lead to configuration errors and security holes, please define either an ACL file or " +
        "declare users directly in your redis.conf, but not both.",
    ]);
  const refusal = users.start(acl, log);
  if (refusal !== null) throw new StartError([refusal, "Critical error while loading ACLs. Exiting."]);
  const errors = aclfile === "" ? null : loadAclFile(acl, aclfile, null);
  if (errors !== null) throw new StartError([`Aborting Redis startup because of ACL errors: ${errors}`]);
}

/** Opens the sockets; throws StartError. `anyPort`: port 0 stands for a free one, which the configuration then has. */
export function listen({ listeners, config }: Server, anyPort = false): void {
  const { values } = config;
  try {
    const port = listeners.start(values, anyPort);
    if (port !== values.port) config.assign("port", port);
  } catch (error) {
    if (error instanceof TlsError) throw new StartError([`Failed to configure TLS: ${error.message}`]);
    throw new StartError([
      `Warning: Could not create server TCP listening socket ${(error as Error).message}`,
      `Failed listening on port ${values.port} (tcp), aborting.`,
    ]);
  }
  if (listeners.endpoints.length === 0) throw new StartError(["Configured to not listen anywhere, exiting."]);
}

/** Begins the periodic work, then loads what is on disk; false: it cannot be loaded, and the log says why. */
export async function load(server: Server): Promise<boolean> {
  server.replicating.start();
  const loaded = await loadAtStart(server);
  if (loaded) server.clustering.cluster?.dataLoaded();
  return loaded;
}
