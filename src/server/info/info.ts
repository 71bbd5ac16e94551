import type { Server } from "../server.ts";
import { clientsSection, serverSection } from "./basics.ts";
import { clusterSection, keyspaceSection, persistenceSection, replicationSection } from "./data.ts";
import { memorySection } from "./memory.ts";
import {
  commandStatsSection,
  cpuSection,
  debugSection,
  errorStatsSection,
  latencyStatsSection,
  statsSection,
} from "./statistics.ts";

/**
 * INFO: sections in Redis's order, each with all of Redis 7.2's fields in their order
 * (https://redis.io/docs/latest/commands/info/). A section is a list of fields; what is not a fixed field
 * ("cmdstat_get", "db0") is one like the others.
 */
export type Field = readonly [name: string, value: string | number];

interface Section {
  readonly name: string;
  readonly title: string;
  /** In INFO without arguments; "all": only on request; "debug": only by its own name. */
  readonly shown: "default" | "all" | "debug";
  fields(server: Server): Field[];
}

const SECTIONS: readonly Section[] = [
  { name: "server", title: "Server", shown: "default", fields: serverSection },
  { name: "clients", title: "Clients", shown: "default", fields: clientsSection },
  { name: "memory", title: "Memory", shown: "default", fields: memorySection },
  { name: "persistence", title: "Persistence", shown: "default", fields: persistenceSection },
  { name: "stats", title: "Stats", shown: "default", fields: statsSection },
  { name: "replication", title: "Replication", shown: "default", fields: replicationSection },
  { name: "cpu", title: "CPU", shown: "default", fields: cpuSection },
  { name: "modules", title: "Modules", shown: "default", fields: () => [] },
  { name: "commandstats", title: "Commandstats", shown: "all", fields: commandStatsSection },
  { name: "errorstats", title: "Errorstats", shown: "default", fields: errorStatsSection },
  { name: "latencystats", title: "Latencystats", shown: "all", fields: latencyStatsSection },
  { name: "cluster", title: "Cluster", shown: "default", fields: clusterSection },
  { name: "keyspace", title: "Keyspace", shown: "default", fields: keyspaceSection },
  { name: "debug", title: "Debug", shown: "debug", fields: debugSection },
];

export class Info {
  constructor(private readonly server: Server) {}

  /** The text for INFO's arguments, in any case: section names, "default", "all", "everything". */
  report(names: readonly string[]): string {
    const wanted = new Set(names.map((name) => name.toLowerCase()));
    const all = wanted.has("all") || wanted.has("everything");
    const byDefault = wanted.size === 0 || wanted.has("default");
    const chosen = SECTIONS.filter(
      ({ name, shown }) =>
        wanted.has(name) ||
        (name === "modules" && wanted.has("module_list")) ||
        (all && shown !== "debug") ||
        (byDefault && shown === "default"),
    );
    return chosen.map((section) => this.section(section)).join("\r\n");
  }

  private section({ title, fields }: Section): string {
    let text = `# ${title}\r\n`;
    for (const [name, value] of fields(this.server)) text += `${name}:${value}\r\n`;
    return text;
  }
}
