/** HELP of every container: status replies, the first of which names the container. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { RespClient } from "../resp-client.ts";
import { startServer, type TestServer } from "../server.ts";

let server: TestServer;
let client: RespClient;
beforeAll(async () => {
  server = await startServer(["--enable-debug-command", "yes"]);
  client = await RespClient.open(server.port);
});
afterAll(async () => {
  client.close();
  await server.stop();
});

for (const line of [
  "CLIENT HELP",
  "COMMAND HELP",
  "CONFIG HELP",
  "DEBUG HELP",
  "FUNCTION HELP",
  "HOTKEYS HELP",
  "LATENCY HELP",
  "MEMORY HELP",
  "OBJECT HELP",
  "SCRIPT HELP",
  "SLOWLOG HELP",
  "XGROUP HELP",
  "XINFO HELP",
])
  test(line, async () => {
    const [container, help] = line.split(" ") as [string, string];
    const lines = (await client.call(container, help)) as string[];
    expect(lines[0]).toBe(`${container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`);
    expect(lines.at(-2)).toBe("HELP");
    expect(lines.length).toBeGreaterThan(4);
  });
