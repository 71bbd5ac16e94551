/**
 * The package's entry for Node: bundled as `bun run build` does it, imported and required by programs that Node runs.
 * The server is redbun from source, or REDBUN_TEST_SERVER.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { temporaryDirectory } from "../../scripts/lib/launch.ts";
import { buildNodeEntry } from "../../scripts/lib/node-entry.ts";
import { RespClient } from "../resp-client.ts";
import { serverCommand } from "../server.ts";

const NODE = Bun.which("node");
const ENTRY = temporaryDirectory();

beforeAll(() => buildNodeEntry(ENTRY));

/** A program that has `startRedbun` and `say`, which prints a line of JSON. */
async function program(kind: "mjs" | "cjs", body: string) {
  const entry = JSON.stringify(join(ENTRY, kind === "mjs" ? "node.js" : "node.cjs"));
  const head =
    kind === "mjs"
      ? `import { startRedbun as begin } from ${entry};`
      : `const { startRedbun: begin } = require(${entry});`;
  const file = join(ENTRY, `${crypto.randomUUID()}.${kind}`);
  const command = JSON.stringify(serverCommand());
  await Bun.write(
    file,
    `${head}
    const startRedbun = (directives, options) => begin(directives, { command: ${command}, ...options });
    const say = (what) => console.log(JSON.stringify(what));
    (async () => { ${body} })();`,
  );
  await Bun.write(join(ENTRY, "package.json"), '{"type":"module"}');
  const child = Bun.spawn([NODE!, file], { stdout: "pipe", stderr: "pipe", timeout: 60_000 });
  return {
    child,
    lines: readLines(child.stdout),
    errors: child.stderr.text(),
  };
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<unknown, undefined> {
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + new TextDecoder().decode(chunk)).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
  return undefined;
}

async function all(lines: AsyncGenerator<unknown, undefined>): Promise<unknown[]> {
  const said: unknown[] = [];
  for await (const line of lines) said.push(line);
  return said;
}

describe.skipIf(NODE === null)("in Node [needs node]", () => {
  test.each(["mjs", "cjs"] as const)("%s: start, talk, advance, flush, close", async (kind) => {
    const { child, lines, errors } = await program(
      kind,
      `const net = ${kind === "mjs" ? 'await import("node:net")' : 'require("node:net")'};
      const server = await startRedbun({ maxmemory: "10mb", requirepass: undefined });
      const socket = net.connect(server.port, "127.0.0.1").setEncoding("latin1");
      const call = (line) => new Promise((done) => socket.once("data", done).write(line + "\\r\\n"));
      say(server.url === "redis://127.0.0.1:" + server.port);
      say(await call("CONFIG GET maxmemory"));
      await call("SET a 1 EX 60");
      await server.clock.advance(59000); say(await call("EXISTS a"));
      await server.clock.advance(1001); say(await call("EXISTS a"));
      await call("SET a 1"); await server.flush(); say(await call("DBSIZE"));
      await Promise.all([server.close(), server.close()]); await server.closed;
      say(await server.flush().catch((error) => error.message));
      say(await server.clock.advance(-1).catch((error) => error.name));`,
    );
    expect([await all(lines), await errors, await child.exited]).toEqual([
      [
        true,
        "*2\r\n$9\r\nmaxmemory\r\n$8\r\n10485760\r\n",
        ":1\r\n",
        ":0\r\n",
        ":0\r\n",
        "This redbun server is closed",
        "RangeError",
      ],
      "",
      0,
    ]);
  });

  test("why it does not start", async () => {
    const { lines, child } = await program(
      "mjs",
      `const reason = (start) => start.catch((error) => error.message);
      say(await reason(startRedbun({ maxmemroy: "1mb" })));
      say(await reason(startRedbun({}, { command: ["/no/such/program"] })));
      say(await reason(startRedbun({}, { command: [process.execPath, "-e", "console.error('no'); process.exit(3)"] })));`,
    );
    expect(await all(lines)).toEqual([
      "redbun cannot start: maxmemroy 1mb: Bad directive or wrong number of arguments",
      expect.stringContaining("ENOENT"),
      expect.stringContaining("has ended: no"),
    ]);
    expect(await child.exited).toBe(0);
  });

  test("a program that does not close it ends all the same, and the server with it", async () => {
    const { lines, child } = await program("mjs", "say((await startRedbun()).port);");
    const port = Number((await lines.next()).value);
    expect(await child.exited).toBe(0);
    await refused(port);
  });

  test("a program that is killed takes the server along", async () => {
    const { lines, child } = await program(
      "cjs",
      "say((await startRedbun()).port); setInterval(() => {}, 1000);",
    );
    const port = Number((await lines.next()).value);
    const client = await RespClient.open(port);
    child.kill("SIGKILL");
    expect(await client.nextOrEnd()).toBeUndefined();
    await refused(port);
  });

  test("a client's SHUTDOWN is told", async () => {
    const { lines, child } = await program(
      "mjs",
      `const server = await startRedbun(); say(server.port);
      // Waiting for the server's end alone does not keep Node.
      const keep = setInterval(() => {}, 1000);
      await server.closed; say("closed"); await server.close(); clearInterval(keep);`,
    );
    const client = await RespClient.open(Number((await lines.next()).value));
    client.send("SHUTDOWN");
    expect(await client.nextOrEnd()).toBeUndefined();
    expect([await all(lines), await child.exited]).toEqual([["closed"], 0]);
  });
});

/** Nobody listens there, now or very soon. */
async function refused(port: number): Promise<void> {
  for (;;) {
    try {
      (await RespClient.open(port)).close();
    } catch {
      return;
    }
  }
}
