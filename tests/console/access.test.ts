/** Who is answered over HTTP: by address, by name, by origin, by password; and how the console is turned on and off. */
import { describe, expect, test } from "bun:test";
import { startRedbun } from "redbun";
import { freePort } from "../../scripts/lib/launch.ts";
import { encode } from "../differential/lib/wire.ts";
import { ReplyError } from "../resp-client.ts";
import { raw, type Site, startSite } from "./support.ts";

/** A request with headers that fetch would not let pass. */
async function ask(
  { port }: Pick<Site, "port">,
  path: string,
  headers: Record<string, string> = {},
): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let received = "";
  const lines = Object.entries({ host: `127.0.0.1:${port}`, connection: "close", ...headers });
  await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: (socket) =>
        void socket.write(
          `GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`,
        ),
      data: (socket, chunk) => {
        received += chunk.toString("latin1");
        const [head = "", body] = received.split(/\r\n\r\n(.*)/s);
        const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
        if (body !== undefined && body.length >= length) socket.end();
      },
      close: () => resolve(received),
    },
  });
  return promise;
}

async function status(
  site: Pick<Site, "port">,
  path: string,
  headers?: Record<string, string>,
): Promise<number> {
  return Number((await ask(site, path, headers)).split(" ")[1]);
}

const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

/** A WebSocket's first reply to these commands, sent at once. */
async function tunnelled({ url }: Site, ...commands: string[][]): Promise<string> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/resp`);
  socket.binaryType = "arraybuffer";
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = "";
  socket.onopen = () => socket.send(Buffer.concat(commands.map((command) => encode(command))));
  socket.onerror = () => reject(new Error("refused"));
  socket.onmessage = ({ data }) => {
    text += Buffer.from(data as ArrayBuffer).toString("latin1");
    if (text.split("\r\n").length > commands.length) resolve(text);
  };
  const reply = await promise;
  socket.close();
  return reply;
}

test("off by default, on and off at run time, on a port that is free", async () => {
  const port = freePort();
  await using server = await startRedbun();
  const site = { server, port, url: `http://127.0.0.1:${port}` };
  const client = await raw(site);
  expect(await client.call("CONFIG", "GET", "console-*")).toEqual([
    "console-port",
    "0",
    "console-bind",
    "127.0.0.1",
  ]);
  expect(await client.call("CONFIG", "SET", "console-port", String(port))).toBe("OK");
  expect(await status(site, "/healthz")).toBe(200);
  expect(await client.call("CONFIG", "SET", "console-port", String(server.port))).toEqual(
    new ReplyError(
      "ERR CONFIG SET failed (possibly related to argument 'console-port') - Unable to listen on this port. Check server logs.",
    ),
  );
  expect(await status(site, "/healthz")).toBe(200);
  expect(await client.call("CONFIG", "SET", "console-port", "0")).toBe("OK");
  await expect(ask(site, "/healthz")).rejects.toThrow();
});

test("the server does not start where the console cannot", async () => {
  await using server = await startRedbun();
  await expect(startRedbun({ "console-port": server.port })).rejects.toThrow("Could not open the console");
});

describe("requests that another site's page makes", () => {
  test.each(["/metrics", "/resp", "/"])(
    "%s: refused by Origin, by Sec-Fetch-Site, by a name",
    async (path) => {
      const site = await startSite();
      const extra = path === "/resp" ? UPGRADE : {};
      const fine = path === "/resp" ? 101 : 200;
      const own = `127.0.0.1:${site.port}`;
      expect(await status(site, path, extra)).toBe(fine);
      expect(await status(site, path, { ...extra, origin: `http://${own}` })).toBe(fine);
      expect(await status(site, path, { ...extra, host: `localhost:${site.port}` })).toBe(fine);
      expect(await status(site, path, { ...extra, host: `[::1]:${site.port}` })).toBe(fine);
      for (const origin of [
        "http://evil.example",
        "null",
        "http://127.0.0.1",
        `https://evil.example/${own}`,
        "file://",
      ])
        expect([origin, await status(site, path, { ...extra, origin })]).toEqual([origin, 403]);
      for (const host of [
        "evil.example",
        `evil.example:${site.port}`,
        "127.0.0.1.evil.example",
        "localhost.evil.example",
      ])
        expect([host, await status(site, path, { ...extra, host })]).toEqual([host, 403]);
      const foreign = { ...extra, "sec-fetch-site": "cross-site" };
      // A link to the page may be followed.
      expect(await status(site, path, foreign)).toBe(path === "/" ? 200 : 403);
    },
  );

  test("nothing is changed by a POST, nor by a GET", async () => {
    const site = await startSite();
    expect((await fetch(`${site.url}/resp`, { method: "POST", body: "SET a 1\r\n" })).status).toBe(405);
    expect((await fetch(`${site.url}/metrics`, { method: "DELETE" })).status).toBe(405);
    expect(await status(site, "/resp")).toBe(426);
    expect(await (await raw(site)).call("DBSIZE")).toBe(0);
  });
});

describe("an address that others can reach", () => {
  test("without a password nobody is served, with one everybody who knows it", async () => {
    const site = await startSite({ "console-bind": "0.0.0.0" });
    const client = await raw(site);
    for (const path of ["/", "/metrics"]) {
      const answer = await ask(site, path);
      expect(answer).toStartWith("HTTP/1.1 403");
      expect(answer).toContain("has no password");
    }
    expect(await status(site, "/resp", UPGRADE)).toBe(403);
    expect(await status(site, "/healthz")).toBe(200);
    await client.call("CONFIG", "SET", "requirepass", "secret");
    expect(await status(site, "/")).toBe(200);
    expect(await status(site, "/", { host: "redis.example" })).toBe(200);
    expect(await status(site, "/metrics", { host: "redis.example" })).toBe(401);
    await client.call("ACL", "SETUSER", "guest", "on", "nopass");
    expect(await status(site, "/")).toBe(403);
    await client.call("ACL", "SETUSER", "guest", "off");
    expect(await status(site, "/")).toBe(200);
    await client.call("CONFIG", "SET", "requirepass", "");
    expect(await status(site, "/")).toBe(403);
  });
});

describe("rights", () => {
  const users = ["alice on >pw ~alice:* +get +set +info", "default off"];

  test("a visitor may do what the user may do that is logged in, and nothing before", async () => {
    const site = await startSite({ user: users });
    expect(await tunnelled(site, ["GET", "alice:1"])).toStartWith("-NOAUTH");
    expect(await tunnelled(site, ["AUTH", "alice", "wrong"])).toStartWith("-WRONGPASS");
    const auth = ["AUTH", "alice", "pw"];
    expect(await tunnelled(site, auth, ["SET", "alice:1", "x"])).toBe("+OK\r\n+OK\r\n");
    expect(await tunnelled(site, auth, ["GET", "bob:1"])).toStartWith("+OK\r\n-NOPERM");
    expect(await tunnelled(site, auth, ["FLUSHALL"])).toStartWith("+OK\r\n-NOPERM");
  });

  test("a visitor is a client: listed, killed, and gone with the window", async () => {
    const site = await startSite();
    const client = await raw(site);
    const socket = new WebSocket(`${site.url.replace("http", "ws")}/resp`);
    socket.binaryType = "arraybuffer";
    const message = () =>
      new Promise((resolve) => socket.addEventListener("message", resolve, { once: true }));
    await new Promise((resolve) => socket.addEventListener("open", resolve));
    const reply = message();
    socket.send(Buffer.from("CLIENT SETNAME visitor\r\n"));
    await reply;
    const list = await client.text("CLIENT", "LIST");
    expect(list).toMatch(/addr=127\.0\.0\.1:\d+ laddr=console:0 .*name=visitor/);
    const id = /id=(\d+) [^\n]*name=visitor/.exec(list)![1]!;
    const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
    expect(await client.call("CLIENT", "KILL", "ID", id)).toBe(1);
    await closed;
    expect((await client.text("CLIENT", "LIST")).trim().split("\n")).toHaveLength(1);
  });

  test("messages, blocking commands and replies of megabytes", async () => {
    const site = await startSite();
    const client = await raw(site);
    await client.call("SET", "big", "x".repeat(5_000_000));
    const socket = new WebSocket(`${site.url.replace("http", "ws")}/resp`);
    socket.binaryType = "arraybuffer";
    let received = "";
    let wake = () => {};
    socket.onmessage = ({ data }) => {
      received += Buffer.from(data as ArrayBuffer).toString("latin1");
      wake();
    };
    const until = async (done: () => boolean): Promise<void> => {
      while (!done()) await new Promise<void>((resolve) => (wake = resolve));
    };
    await new Promise((resolve) => socket.addEventListener("open", resolve));
    for (let i = 0; i < 4; i++) socket.send(encode(["GET", "big"]));
    await until(() => received.length >= 4 * 5_000_012);
    expect(received.length).toBe(4 * 5_000_012);
    received = "";
    socket.send(encode(["BLPOP", "list", "0"]));
    while (!(await client.text("INFO", "clients")).includes("blocked_clients:1"));
    await client.call("RPUSH", "list", "element");
    await until(() => received === "*2\r\n$4\r\nlist\r\n$7\r\nelement\r\n");
    received = "";
    socket.send(encode(["SUBSCRIBE", "news"]));
    await until(() => received.endsWith(":1\r\n"));
    received = "";
    await client.call("PUBLISH", "news", "hello");
    await until(() => received.endsWith("hello\r\n"));
    socket.close();
  });
});

test("visitors count for maxclients", async () => {
  const site = await startSite({ maxclients: 1 });
  await raw(site);
  expect(await status(site, "/metrics")).toBe(503);
  expect(await status(site, "/resp", UPGRADE)).toBe(503);
  expect(await status(site, "/healthz")).toBe(200);
});

test("while nobody looks nothing of it runs", async () => {
  const site = await startSite();
  const client = await raw(site);
  const before = await client.text("INFO", "commandstats");
  await site.server.clock.advance(60_000);
  const after = await client.text("INFO", "commandstats");
  const named = (text: string): string[] => [...text.matchAll(/^cmdstat_\w+/gm)].map(([name]) => name);
  expect(named(after)).toEqual([...named(before), "cmdstat_info"]);
  expect((await client.text("CLIENT", "LIST")).trim().split("\n")).toHaveLength(1);
});
