import type { Call } from "../../call/call.ts";
import type { Server } from "../server.ts";
import { clientsSection, serverSection } from "./basics.ts";
import { clusterSection, keyspaceSection, persistenceSection, replicationSection } from "./data.ts";
import { KeySizesWalks } from "./key-sizes.ts";
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
  /** In INFO without arguments; "all": only on request; "named": only by its own name. */
  readonly shown: "default" | "all" | "named";
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
  // Redis shows it by default; here it costs a walk.
  {
    name: "keysizes",
    title: "Keysizes",
    shown: "named",
    fields: ({ info }) => info.keySizes.fields(),
  },
  { name: "debug", title: "Debug", shown: "named", fields: debugSection },
];

export class Info {
  readonly keySizes: KeySizesWalks;

  constructor(private readonly server: Server) {
    this.keySizes = new KeySizesWalks(server);
  }

  /** Whether the command is executed again later, when what it asks for is known. */
  holds(call: Call, names: readonly string[]): boolean {
    return names.some((name) => name.toLowerCase() === "keysizes") && this.keySizes.holds(call);
  }

  /** The text for INFO's arguments, in any case: section names, "default", "all", "everything". */
  report(names: readonly string[]): string {
    const wanted = new Set(names.map((name) => name.toLowerCase()));
    const all = wanted.has("all") || wanted.has("everything");
    const byDefault = wanted.size === 0 || wanted.has("default");
    const chosen = SECTIONS.filter(
      ({ name, shown }) =>
        wanted.has(name) ||
        (name === "modules" && wanted.has("module_list")) ||
        (all && shown !== "named") ||
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
