/**
 * Starts prober.ts beside a measurement and gets its figures.
 */
import { join } from "node:path";
import { adopt } from "../lib/launch.ts";
import type { ProbeResult } from "./prober.ts";

export interface Probe {
  /** Ends the pinging; waits for the last reply. */
  stop(): Promise<ProbeResult>;
}

/** Resolves when the pings have begun. `pid`: the server, whose waits for a processor are then taken off. */
export async function startProbe(port: number, pid: number): Promise<Probe> {
  const ready = Promise.withResolvers<void>();
  const result = Promise.withResolvers<ProbeResult>();
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "prober.ts"), String(port), String(pid)], {
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
    ipc(message: "ready" | ProbeResult) {
      if (message === "ready") ready.resolve();
      else result.resolve(message);
    },
  });
  adopt(child);
  const ended = child.exited.then((code) => {
    throw new Error(`the prober ended with code ${code}: did the server close its connection?`);
  });
  ended.catch(() => {});
  await Promise.race([ready.promise, ended]);
  return {
    async stop() {
      child.send("stop");
      const figures = await Promise.race([result.promise, ended]);
      child.kill();
      await child.exited;
      return figures;
    },
  };
}
