import type { Registry } from "../call/registry.ts";
import type { CommandSpec } from "../call/spec.ts";
import { commandCommands } from "./command.ts";
import type { ConnectionDeps } from "./connection.ts";
import { connectionCommands } from "./connection.ts";
import { databaseCommands } from "./databases.ts";
import { expireCommands } from "./expire.ts";
import { genericCommands } from "./generic.ts";
import { objectCommands } from "./object.ts";
import type { ShutdownDeps } from "./shutdown.ts";
import { shutdownCommands } from "./shutdown.ts";
import { stringCommands } from "./strings.ts";

/** Every command of the server, family by family, each given just what it needs. */
export interface CommandHost extends ConnectionDeps, ShutdownDeps {
  readonly registry: Registry;
  readonly readerLimits: { readonly protoMaxBulkLen: number };
}

export function allCommands(host: CommandHost): CommandSpec[] {
  return [
    ...connectionCommands(host),
    ...commandCommands({ registry: () => host.registry }),
    ...databaseCommands(host),
    ...genericCommands(host),
    ...expireCommands(),
    ...objectCommands(),
    ...shutdownCommands(host),
    ...stringCommands(host.readerLimits),
  ];
}
