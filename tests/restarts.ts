import { expect } from "bun:test";
import type { RespClient } from "./resp-client.ts";
import type { TestServer } from "./server.ts";

type Start = (...args: string[]) => Promise<{ server: TestServer; client: RespClient }>;

/** With a file, and with an append-only file that begins with one or not. */
const KINDS = [
  ["--save", "3600 1"],
  ["--appendonly", "yes", "--aof-use-rdb-preamble", "yes"],
  ["--appendonly", "yes", "--aof-use-rdb-preamble", "no"],
];

/**
 * What `fill` makes is the same to who looks, over a restart from files of each kind, and when it is written and loaded
 * once more. `expected`: some of it; `afterwards`: what else is to be seen in the end.
 */
export async function keptOverRestarts(
  start: Start,
  newFolder: () => string,
  fill: (client: RespClient) => Promise<void>,
  look: (client: RespClient) => Promise<unknown>,
  expected: object,
  afterwards: (client: RespClient) => Promise<void> = async () => {},
): Promise<void> {
  for (const args of KINDS) {
    const folder = newFolder();
    const first = await start("--dir", folder, ...args);
    await fill(first.client);
    const before = await look(first.client);
    expect(before).toMatchObject(expected);
    await first.server.stop();
    const second = await start("--dir", folder, ...args);
    expect(await look(second.client)).toEqual(before);
    if (args[0] === "--appendonly") {
      await second.client.call("BGREWRITEAOF");
      await second.client.call("DEBUG", "LOADAOF");
    } else await second.client.call("DEBUG", "RELOAD");
    expect(await look(second.client)).toEqual(before);
    await afterwards(second.client);
  }
}
