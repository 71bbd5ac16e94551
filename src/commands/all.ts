import type { Registry } from "../call/registry.ts";
import type { CommandSpec } from "../call/spec.ts";
import type { Config } from "../config/config.ts";
import { bitmapCommands } from "./bitmaps.ts";
import type { ClientDeps } from "./client/handlers.ts";
import { clientCommands } from "./client.ts";
import { commandCommands } from "./command.ts";
import type { ConfigDeps } from "./config.ts";
import { configCommands } from "./config.ts";
import type { ConnectionDeps } from "./connection.ts";
import { connectionCommands } from "./connection.ts";
import { databaseCommands } from "./databases.ts";
import { expireCommands } from "./expire.ts";
import { genericCommands } from "./generic.ts";
import type { HyperLogLogDeps } from "./hyperloglog/values.ts";
import { hyperloglogCommands } from "./hyperloglog.ts";
import { objectCommands } from "./object.ts";
import type { ReplicationDeps } from "./replication.ts";
import { replicationCommands } from "./replication.ts";
import type { ServerDeps } from "./server.ts";
import { serverCommands } from "./server.ts";
import type { ShutdownDeps } from "./shutdown.ts";
import { shutdownCommands } from "./shutdown.ts";
import { stringCommands } from "./strings.ts";

/** Every command of the server, family by family, each given just what it needs. */
export type CommandHost = ClientDeps &
  ConfigDeps &
  ServerDeps &
  ConnectionDeps &
  ReplicationDeps &
  HyperLogLogDeps &
  ShutdownDeps & {
    readonly config: Config;
    readonly registry: Registry;
    readonly readerLimits: { readonly protoMaxBulkLen: number };
  };

export function allCommands(host: CommandHost): CommandSpec[] {
  return [
    ...connectionCommands(host),
    ...clientCommands(host),
    ...configCommands(host),
    ...serverCommands(host),
    ...commandCommands({ registry: () => host.registry }),
    ...databaseCommands(host),
    ...genericCommands(host),
    ...expireCommands(),
    ...objectCommands(),
    ...replicationCommands(host),
    ...shutdownCommands(host),
    ...stringCommands(host.readerLimits),
    ...bitmapCommands(host.readerLimits),
    ...hyperloglogCommands(host),
  ];
}
