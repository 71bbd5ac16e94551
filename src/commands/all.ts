import type { Registry } from "../call/registry.ts";
import type { CommandSpec } from "../call/spec.ts";
import type { Config } from "../config/config.ts";
import type { AclCommandDeps } from "./acl/handlers.ts";
import { aclCommands } from "./acl.ts";
import { arrayCommands } from "./arrays.ts";
import { bitmapCommands } from "./bitmaps.ts";
import type { ClientDeps } from "./client/deps.ts";
import { clientCommands } from "./client.ts";
import type { ClusterCommandDeps } from "./cluster/deps.ts";
import { clusterCommands } from "./cluster.ts";
import { commandCommands } from "./command.ts";
import { commandlogCommands } from "./commandlog.ts";
import type { ConfigDeps } from "./config.ts";
import { configCommands } from "./config.ts";
import type { ConnectionDeps } from "./connection.ts";
import { connectionCommands } from "./connection.ts";
import type { DatabaseDeps } from "./databases.ts";
import { databaseCommands } from "./databases.ts";
import type { DebugDeps } from "./debug/deps.ts";
import { debugCommands } from "./debug.ts";
import type { DumpDeps } from "./dump.ts";
import { dumpCommands } from "./dump.ts";
import { expireCommands } from "./expire.ts";
import { genericCommands } from "./generic.ts";
import { geoCommands } from "./geo.ts";
import type { HashDeps } from "./hashes.ts";
import { hashCommands } from "./hashes.ts";
import type { HotKeysDeps } from "./hotkeys.ts";
import { hotkeysCommands } from "./hotkeys.ts";
import type { HyperLogLogDeps } from "./hyperloglog/values.ts";
import { hyperloglogCommands } from "./hyperloglog.ts";
import type { LatencyDeps } from "./latency.ts";
import { latencyCommands } from "./latency.ts";
import type { ListDeps } from "./lists/deps.ts";
import { listCommands } from "./lists.ts";
import type { MemoryDeps } from "./memory.ts";
import { memoryCommands } from "./memory.ts";
import type { MigrateDeps } from "./migrate.ts";
import { migrateCommands } from "./migrate.ts";
import type { ModuleDeps } from "./module.ts";
import { moduleCommands } from "./module.ts";
import { objectCommands } from "./object.ts";
import type { PersistenceDeps } from "./persistence.ts";
import { persistenceCommands } from "./persistence.ts";
import type { PubsubDeps } from "./pubsub.ts";
import { pubsubCommands } from "./pubsub.ts";
import type { ReplicationCommandDeps } from "./replication.ts";
import { replicationCommands } from "./replication.ts";
import type { ScriptingDeps } from "./scripting/deps.ts";
import { scriptingCommands } from "./scripting.ts";
import type { ServerDeps } from "./server.ts";
import { serverCommands } from "./server.ts";
import type { SetDeps } from "./sets.ts";
import { setCommands } from "./sets.ts";
import type { ShutdownDeps } from "./shutdown.ts";
import { shutdownCommands } from "./shutdown.ts";
import type { SlowlogDeps } from "./slowlog.ts";
import { slowlogCommands } from "./slowlog.ts";
import type { SortDeps } from "./sort.ts";
import { sortCommands } from "./sort.ts";
import type { StreamDeps } from "./streams/common.ts";
import { streamCommands } from "./streams.ts";
import { stringCommands } from "./strings.ts";
import type { TransactionCommandDeps } from "./transactions.ts";
import { transactionCommands } from "./transactions.ts";
import { vectorCommands } from "./vectors.ts";
import type { ZsetDeps } from "./zsets/key.ts";
import { zsetCommands } from "./zsets.ts";

/** Every command of the server, family by family, each given just what it needs. */
export type CommandHost = AclCommandDeps &
  ClientDeps &
  ConfigDeps &
  ServerDeps &
  SlowlogDeps &
  HotKeysDeps &
  LatencyDeps &
  MemoryDeps &
  DebugDeps &
  ModuleDeps &
  ConnectionDeps &
  PersistenceDeps &
  DatabaseDeps &
  PubsubDeps &
  ReplicationCommandDeps &
  TransactionCommandDeps &
  HyperLogLogDeps &
  SetDeps &
  HashDeps &
  ListDeps &
  ScriptingDeps &
  SortDeps &
  StreamDeps &
  ZsetDeps &
  ShutdownDeps &
  DumpDeps &
  ClusterCommandDeps &
  MigrateDeps & {
    readonly config: Config;
    readonly registry: Registry;
    readonly readerLimits: { readonly protoMaxBulkLen: number };
  };

export function allCommands(host: CommandHost): CommandSpec[] {
  return [
    ...connectionCommands(host),
    ...aclCommands(host),
    ...clientCommands(host),
    ...clusterCommands(host),
    ...configCommands(host),
    ...serverCommands(host),
    ...slowlogCommands(host),
    ...commandlogCommands(host),
    ...hotkeysCommands(host),
    ...latencyCommands(host),
    ...memoryCommands(host),
    ...debugCommands(host),
    ...moduleCommands(host),
    ...commandCommands({ registry: () => host.registry }),
    ...databaseCommands(host),
    ...genericCommands(host),
    ...dumpCommands(host),
    ...migrateCommands(host),
    ...expireCommands(),
    ...objectCommands(),
    ...persistenceCommands(host),
    ...pubsubCommands(host),
    ...replicationCommands(host),
    ...scriptingCommands(host),
    ...shutdownCommands(host),
    ...transactionCommands(host),
    ...stringCommands(host.readerLimits),
    ...bitmapCommands(host.readerLimits),
    ...zsetCommands(host),
    ...geoCommands(host),
    ...hyperloglogCommands(host),
    ...setCommands(host),
    ...hashCommands(host),
    ...listCommands(host),
    ...sortCommands(host),
    ...streamCommands(host),
    ...arrayCommands(),
    ...vectorCommands(),
  ];
}
