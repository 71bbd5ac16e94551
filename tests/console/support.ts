/** Servers with a console, in this process, and requests to it. */
import { afterEach } from "bun:test";
import { type Directives, type RedbunServer, startRedbun } from "redbun";
import { freePort } from "../../scripts/lib/launch.ts";
import { RespClient } from "../resp-client.ts";

export interface Site {
  readonly server: RedbunServer;
  readonly port: number;
  readonly url: string;
}

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

/** To be closed at the end of the test. */
export function adopt<T extends { close(): unknown }>(each: T): T {
  open.push(each);
  return each;
}

export async function startSite(directives: Directives = {}): Promise<Site> {
  for (let attempt = 1; ; attempt++) {
    const port = freePort();
    try {
      const server = adopt(await startRedbun({ "console-port": port, ...directives }));
      return { server, port, url: `http://127.0.0.1:${port}` };
    } catch (error) {
      // Somebody may have taken it meanwhile.
      if (attempt === 5 || !String(error).includes("Address already in use")) throw error;
    }
  }
}

export async function raw({ server }: Site): Promise<RespClient> {
  return adopt(await RespClient.open(server.port));
}

export function basic(user: string, password: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}
