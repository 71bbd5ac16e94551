/**
 * CPU time of a server whose many clients say nothing.
 */
import { join } from "node:path";
import { adopt } from "../lib/launch.ts";
import { infoField } from "../lib/wire.ts";
import { type Contestant, inTurn, type Report } from "./contestants.ts";
import type { Options } from "./options.ts";
import { cpuMicroseconds, residentBytes } from "./process.ts";

/** Files a server opens beside its clients' connections, and then some. */
const SPARE_FILES = 200;
const SETTLE_MS = 1000;

export async function idle(options: Options, report: Report): Promise<void> {
  const connections = options.idleConnections;
  const files = connections + SPARE_FILES;
  const name = `${connections} idle connections`;
  const blank = { section: "idle", name, unit: "% cpu", redis: null, redbun: null };
  if (Bun.spawnSync(withFiles(files, ["true"])).exitCode !== 0) {
    report({ ...blank, note: `not possible here: ulimit -n ${files} is refused` });
    return;
  }
  const raised: Options = {
    ...options,
    redis: withFiles(files, options.redis),
    redbun: withFiles(files, options.redbun),
  };
  const results = await inTurn(raised, ["--maxclients", String(connections + 100)], (contestant) =>
    measure(contestant, connections, options.idleSeconds),
  );
  report({
    ...blank,
    redis: results.redis.percent,
    redbun: results.redbun.percent,
    goal: { kind: "value", atMost: 2 },
    details: { connections, seconds: options.idleSeconds, results },
  });
  report({
    ...blank,
    name: "memory of a connection",
    unit: "bytes",
    redis: results.redis.bytesEach,
    redbun: results.redbun.bytesEach,
  });
}

/** The command with the limit of open files raised; `exec` keeps the process id. */
function withFiles(files: number, command: string[]): string[] {
  return ["sh", "-c", `ulimit -n ${files} && exec "$@"`, "sh", ...command];
}

async function measure({ port, wire, process: server }: Contestant, connections: number, seconds: number) {
  const before = residentBytes(server.pid);
  const holder = await hold(port, connections);
  try {
    const clients = Number(infoField(await wire.command("INFO", "clients"), "connected_clients"));
    if (clients <= connections)
      throw new Error(`only ${clients - 1} of ${connections} connections were accepted`);
    await Bun.sleep(SETTLE_MS);
    const bytesEach = (residentBytes(server.pid) - before) / connections;
    const start = performance.now();
    const cpu = cpuMicroseconds(server.pid);
    await Bun.sleep(seconds * 1000);
    const used = cpuMicroseconds(server.pid) - cpu;
    return { percent: used / (performance.now() - start) / 10, bytesEach };
  } finally {
    holder.kill();
    await holder.exited;
  }
}

/** A process that holds the connections; resolves when all are open. */
async function hold(port: number, connections: number): Promise<Bun.Subprocess> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const script = [process.execPath, join(import.meta.dir, "holder.ts"), String(port), String(connections)];
  const child = Bun.spawn(withFiles(connections + SPARE_FILES, script), {
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
    ipc: () => resolve(),
  });
  adopt(child);
  child.exited.then((code) => reject(new Error(`the connections could not be opened, code ${code}`)));
  await promise;
  return child;
}
