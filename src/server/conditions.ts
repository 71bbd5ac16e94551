import type { AdmissionDeps } from "./admission.ts";
import type { Server } from "./server.ts";

/** The state of the server as far as it decides on which commands may be executed. */
export type Conditions = Pick<
  AdmissionDeps,
  "loading" | "redirection" | "readOnly" | "stale" | "tooFewReplicas" | "diskRefusal" | "busy" | "outOfMemory"
> & {
  /** Whether a gate that concerns plain commands may be closed. */
  guarded(): boolean;
};

export function conditionsOf(server: Server): Conditions {
  const { values } = server.config;
  const conditions: Conditions = {
    guarded: () =>
      values.maxmemory > 0 ||
      server.loading !== null ||
      server.replication.isReplica ||
      values.minReplicasToWrite > 0 ||
      server.scripting.runs.busy ||
      conditions.diskRefusal() !== null,
    loading: () => (server.loading === null ? "no" : server.loading.serving ? "serving" : "yes"),
    redirection: () => {
      const { link } = server.replication;
      return link === null || values.clusterEnabled ? null : `REDIRECT ${link.host}:${link.port}`;
    },
    readOnly: () => server.replication.isReplica && values.replicaReadOnly,
    stale: () => server.replication.isStale && !values.replicaServeStaleData,
    tooFewReplicas: () =>
      !server.replication.isReplica &&
      values.minReplicasToWrite > 0 &&
      values.minReplicasMaxLag > 0 &&
      server.replication.primary.goodCount < values.minReplicasToWrite,
    diskRefusal: () => {
      const { aof } = server.appendOnly;
      return server.persistence.refusal ?? (aof.enabled ? aof.writer.refusal : null);
    },
    busy: () => (server.scripting.runs.busy ? server.scripting.runs.busyError : null),
    outOfMemory: () => server.eviction.outOfMemory(),
  };
  return conditions;
}
