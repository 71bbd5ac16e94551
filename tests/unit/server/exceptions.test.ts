import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { freePort, temporaryDirectory } from "../../../scripts/lib/launch.ts";
import { Command } from "../../../src/call/registry.ts";
import type { CommandSpec } from "../../../src/call/spec.ts";
import { Config } from "../../../src/config/config.ts";
import { Log } from "../../../src/host/log.ts";
import { CommandError } from "../../../src/resp/errors.ts";
import { Server } from "../../../src/server/server.ts";
import { RawClient } from "../../command/raw-client.ts";

/** An exception is the matter of the client whose command threw it, and of nobody else. */

const INTERNAL = "-ERR internal error; the server's log has the details\r\n";
const file = join(temporaryDirectory(), "redbun.log");
let server: Server;
let port: number;

function row(name: string, run: CommandSpec["run"], flags: CommandSpec["flags"] = []): CommandSpec {
  return { name, arity: -1, flags, categories: [], since: "7.2.0", group: "generic", summary: "", run };
}

const ROWS = [
  row("throwerror", () => {
    throw new Error("a bug");
  }),
  row("throwfast", (call) => call.reply.int(call.argc / (null as unknown as { length: number }).length), [
    "fast",
  ]),
  row("throwhalf", (call) => {
    call.reply.array(3);
    call.reply.bulkText("x".repeat(1_000_000));
    throw new RangeError("in the middle of the reply");
  }),
  row("throwtext", () => {
    throw "not even an error";
  }),
  row("throwcommand", (call) => {
    call.reply.ok();
    throw new CommandError("MYCODE with a sentence");
  }),
];

beforeAll(() => {
  port = freePort();
  const log = new Log(false);
  log.open(file);
  const config = new Config();
  config.assign("port", port);
  server = new Server(config, log);
  for (const each of ROWS) server.registry.commands.add(each.name, new Command(each));
  server.listeners.start(config.values);
});
afterAll(() => server.listeners.stop());

const logText = (): Promise<string> => Bun.file(file).text();

test("a handler that throws is answered with an error, in its place among the replies", async () => {
  const [client, other] = await Promise.all([RawClient.open(port), RawClient.open(port)]);
  for (const name of ["throwerror", "throwfast", "throwhalf", "throwtext"]) {
    const before = server.counters.unexpectedErrors;
    client.send(`PING\r\n${name}\r\nECHO after\r\n`);
    other.send("PING\r\nPING\r\n");
    await client.expect(`+PONG\r\n${INTERNAL}$5\r\nafter\r\n`);
    await other.expect("+PONG\r\n+PONG\r\n");
    expect(server.counters.unexpectedErrors).toBe(before + 1);
    expect(await logText()).toContain(`Exception in command '${name}'`);
  }
  expect(await logText()).toContain("in the middle of the reply");
  client.end();
  other.end();
});

test("what a handler wrote before its CommandError is taken back", async () => {
  const client = await RawClient.open(port);
  await client.send("throwcommand\r\nPING\r\n");
  await client.expect("-MYCODE with a sentence\r\n+PONG\r\n");
  expect(server.counters.errors.get("MYCODE")).toBe(1);
  client.end();
});

test("an exception outside of any handler ends that client, and its replies reach nobody else", async () => {
  const [client, other] = await Promise.all([RawClient.open(port), RawClient.open(port)]);
  await other.send("PING\r\n");
  await other.expect("+PONG\r\n");
  const { registry } = server;
  const lookup = registry.lookup.bind(registry);
  registry.lookup = (line) => {
    if (line.end[0]! - line.start[0]! === 9) throw new Error("outside of a handler");
    return lookup(line);
  };
  client.send("ECHO lost\r\nECHO lost\r\n123456789\r\nECHO lost\r\n");
  expect(await client.rest()).toBe("");
  await other.send("ECHO kept\r\n");
  await other.expect("$4\r\nkept\r\n");
  registry.lookup = lookup;
  expect(await logText()).toContain("outside of a handler");
  await other.send("PING\r\n");
  await other.expect("+PONG\r\n");
  other.end();
});

test("a client that goes away in the middle of everything leaves nothing behind", async () => {
  for (let i = 0; i < 50; i++) {
    const client = await RawClient.open(port);
    client.send(`${"throwhalf\r\n".repeat(i % 3)}SET a`);
    client.terminate();
  }
  const client = await RawClient.open(port);
  do {
    await client.send("PING\r\n");
    await client.expect("+PONG\r\n");
  } while (server.clients.count > 1);
  client.end();
});
