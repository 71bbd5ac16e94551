/**
 * The options of `bun run bench`, checked and with their defaults filled in.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { splitCommand } from "../lib/launch.ts";
import { ROWS } from "./rows.ts";

export const SECTIONS = [
  "throughput",
  "memory",
  "collections",
  "growth",
  "persistence",
  "stall",
  "expiry",
  "idle",
] as const;
export type Section = (typeof SECTIONS)[number];

export interface Options {
  /** The command lines of the two servers. */
  redis: string[];
  redbun: string[];
  benchmark: string;
  /** The load of the throughput section is redis-benchmark's, not that of load-client.ts. */
  redisBenchmark: boolean;
  /** What a client's command line begins with. */
  client: string[];
  sections: Section[];
  rows: string[];
  /** True when the rows were named by the user, so that an unknown command is said and not passed over. */
  rowsNamed: boolean;
  pipelines: number[];
  rounds: number;
  /** Requests of one run at pipeline 1; more at higher ones, see `requestsAt`. */
  requests: number;
  clients: number;
  keyspace: number;
  memoryKeys: number;
  stallKeys: number;
  expiryKeys: number;
  /** Items of a big collection; small ones are fewer. */
  collectionItems: number;
  /** The last of the sizes at which a command's cost is taken, and the size of what grows and is deleted under PINGs. */
  growthItems: number;
  growthStallItems: number;
  /** Keys of the files to load; BGSAVE gets twice as many. */
  persistedKeys: number;
  idleConnections: number;
  idleSeconds: number;
  json: string;
}

const ROOT = join(import.meta.dir, "..", "..");

const USAGE = `usage: bun run bench [options]

Compares redbun with a real redis-server in one run and prints the ratios.

  --redis CMD          the real server (default: redis-server on the PATH)
  --benchmark PATH     redis-benchmark (default: on the PATH)
  --redis-benchmark    have it send the requests of the throughput section too; it is slower than the servers then
  --server CMD         redbun (default: dist/redbun if it is there and newer than src/, else bun src/main.ts)
  --only SECTION,...   the sections to run (default: all):
                         throughput   requests/s and CPU time of each row below, at each pipeline
                         memory       resident bytes of a key
                         collections  resident bytes of small collections and of an element of big ones
                         growth       CPU time of a command as its one key grows, and the longest wait of another
                                      client while it grows and while DEL removes it
                         persistence  SET with an AOF; loading RDB and AOF; latency and memory during BGSAVE
                         stall        the longest wait of another client while millions of keys are loaded
                         expiry       many keys falling due at once
                         idle         many connections that say nothing
  --rows ROW,...       rows of the throughput section (default: all):
                       ${wrapped(Object.keys(ROWS))}
  --pipelines N,...    default 1,16,100
  --rounds N           runs of each measurement and server, of which the median counts (default 5)
  --requests N         requests of a run at pipeline 1 (default 200000); 8 and 15 times that at 16 and 100
  --pin                on Linux: each server with all its threads on one processor, clients on another
  --clients N          connections (default 50)
  --keyspace N         random keys (default 100000)
  --keys N             size of the data in sections other than throughput: keys in memory (default 1M), stall
                       (10M), expiry (1M); items of a collection (1M) and in growth (10M, 3M for the waits);
                       keys loaded in persistence (1M), and twice as many for BGSAVE
  --json FILE          default bench-results/DATE.json
  --quick              small sizes and one round: shows that all works, the figures mean little
`;

/** The names in lines, under one another. */
function wrapped(names: string[]): string {
  const lines = [];
  for (let i = 0; i < names.length; i += 9) lines.push(names.slice(i, i + 9).join(", "));
  return lines.join(",\n                       ");
}

export function parseOptions(argv: string[]): Options {
  const { values } = parseArgs({
    args: argv,
    options: {
      redis: { type: "string", default: "redis-server" },
      benchmark: { type: "string", default: "redis-benchmark" },
      server: { type: "string" },
      only: { type: "string" },
      rows: { type: "string" },
      pipelines: { type: "string" },
      rounds: { type: "string" },
      requests: { type: "string" },
      clients: { type: "string" },
      keyspace: { type: "string" },
      keys: { type: "string" },
      json: { type: "string" },
      pin: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      "redis-benchmark": { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const { quick, pin } = values;
  if (pin && Bun.which("taskset") === null) usageError("--pin: there is no taskset");
  const onto = (processor: number) => (pin ? ["taskset", "-c", String(processor)] : []);
  const size = (
    name: "rounds" | "requests" | "clients" | "keyspace" | "keys",
    whole: number,
    small: number,
  ) => positive(name, values[name], quick ? small : whole);
  return {
    redis: [...onto(0), ...splitCommand(values.redis)],
    redbun: [...onto(0), ...(values.server ? splitCommand(values.server) : defaultServer())],
    benchmark: values.benchmark,
    redisBenchmark: values["redis-benchmark"],
    client: onto(1),
    sections: list(values.only, SECTIONS, SECTIONS, "--only"),
    rows:
      values.rows === "all"
        ? Object.keys(ROWS)
        : list(values.rows, Object.keys(ROWS), Object.keys(ROWS), "--rows"),
    rowsNamed: values.rows !== undefined && values.rows !== "all",
    pipelines: (values.pipelines ?? "1,16,100").split(",").map((each) => positive("pipelines", each, 1)),
    rounds: size("rounds", 5, 1),
    requests: size("requests", 200_000, 10_000),
    clients: size("clients", 50, 50),
    keyspace: size("keyspace", 100_000, 100_000),
    memoryKeys: size("keys", 1_000_000, 200_000),
    stallKeys: size("keys", 10_000_000, 1_000_000),
    expiryKeys: size("keys", 1_000_000, 200_000),
    collectionItems: size("keys", 1_000_000, 100_000),
    growthItems: size("keys", 10_000_000, 1_000_000),
    growthStallItems: size("keys", 3_000_000, 500_000),
    persistedKeys: size("keys", 1_000_000, 100_000),
    idleConnections: quick ? 2000 : 10_000,
    idleSeconds: quick ? 2 : 5,
    json: values.json ?? join(ROOT, "bench-results", `${new Date().toISOString().replaceAll(":", "-")}.json`),
  };
}

/** The executable, unless the sources have changed since it was built: old figures would be worse than slow ones. */
function defaultServer(): string[] {
  const binary = join(ROOT, "dist", "redbun");
  const source = [process.execPath, join(ROOT, "src", "main.ts")];
  const built = statSync(binary, { throwIfNoEntry: false })?.mtimeMs;
  if (built === undefined) return source;
  for (const file of new Bun.Glob("**/*.ts").scanSync(join(ROOT, "src"))) {
    if (statSync(join(ROOT, "src", file)).mtimeMs <= built) continue;
    console.log(`dist/redbun is older than src/${file}: running from source (bun run build)`);
    return source;
  }
  return [binary];
}

function list<T extends string>(
  given: string | undefined,
  known: readonly T[],
  otherwise: readonly T[],
  option: string,
): T[] {
  if (given === undefined) return [...otherwise];
  return given
    .toLowerCase()
    .split(",")
    .map(
      (name) =>
        known.find((each) => each === name) ??
        usageError(`${option}: no ${name}; there are ${known.join(", ")}`),
    );
}

function positive(name: string, given: string | undefined, otherwise: number): number {
  const number = given === undefined ? otherwise : Number(given);
  return Number.isSafeInteger(number) && number > 0
    ? number
    : usageError(`--${name}: not a positive number: ${given}`);
}

function usageError(message: string): never {
  console.error(`bench: ${message}`);
  process.exit(2);
}
