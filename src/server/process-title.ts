import { type Pointer, toArrayBuffer } from "bun:ffi";
import { readFileSync } from "node:fs";
import { latin1Bytes } from "../bytes/ascii.ts";
import { expandTitle, type TitleVariables } from "../config/checks.ts";
import type { ConfigValues } from "../config/table.ts";

/**
 * The process's title, as `ps` and /proc/PID/cmdline show it: written over the arguments that the process was
 * started with, which the kernel shows and nobody reads any more (process.title does not do that in Bun 1.4.5).
 *
 *   /proc/self/stat: ... arg_start arg_end ...        fields 48 and 49, addresses in this process
 *
 * There is just as much room as the arguments took: what lies behind is the environment, which Bun still reads. A
 * longer title is cut. Linux only; where the addresses are withheld (they read 0), nothing happens.
 */
const ARG_START = 48;
const ARG_END = 49;
/** No command line is longer; anything else is not what it seems. */
const MOST = 4 * 1024 * 1024;

/** Bytes of the arguments, or null where they cannot be had. */
function argumentArea(): Uint8Array | null {
  if (process.platform !== "linux") return null;
  const stat = readFileSync("/proc/self/stat", "latin1");
  // The name in parentheses is field 2 and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const start = Number(fields[ARG_START - 3]);
  const length = Number(fields[ARG_END - 3]) - start;
  if (!(start > 0 && length > 1 && length < MOST)) return null;
  return new Uint8Array(toArrayBuffer(start as Pointer, 0, length));
}

export class ProcessTitle {
  private area: Uint8Array | null | undefined;

  /** `name`: how the program was called. */
  constructor(private readonly name: string) {}

  set(values: Readonly<ConfigValues>, configFile: string): void {
    if (!values.setProcTitle) return;
    const title = expandTitle(values.procTitleTemplate, variables(this.name, values, configFile));
    if (title === null) return;
    try {
      this.area ??= argumentArea();
    } catch {
      this.area = null;
    }
    const { area } = this;
    if (area === null) return;
    area.fill(0);
    // The last byte stays NUL: the kernel would show what follows it otherwise.
    area.set(latin1Bytes(title).subarray(0, area.length - 1));
  }
}

function variables(title: string, values: Readonly<ConfigValues>, configFile: string): TitleVariables {
  const port = values.port === 0 ? values.tlsPort : values.port;
  return {
    title,
    "listen-addr": port === 0 ? `unixsocket:${values.unixsocket}` : `${values.bind[0] ?? "*"}:${port}`,
    "server-mode": values.clusterEnabled ? "[cluster]" : "",
    "config-file": configFile === "" ? "-" : configFile,
    port: String(values.port),
    "tls-port": String(values.tlsPort),
    unixsocket: values.unixsocket,
  };
}
