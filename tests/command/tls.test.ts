import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, temporaryDirectory } from "../../scripts/lib/launch.ts";
import { attach, clusterField, errorOf, ok, startMember, stopMember, working } from "../cluster.ts";
import { until } from "../replication.ts";
import { startServer, type TestServer } from "../server.ts";
import { RawClient } from "./raw-client.ts";

/** TLS with certificates made for the test: an authority, a server, a client, and a stranger's client. */

const openssl = Bun.which("openssl");
const dir = temporaryDirectory("redbun-tls-");
const path = (name: string): string => join(dir, name);
const read = (name: string): string => readFileSync(path(name), "utf8");

function command(...args: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([openssl!, ...args], { cwd: dir });
  if (exitCode !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
}

function authority(name: string): void {
  const key = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-keyout",
    `${name}.key`,
  ];
  command("req", "-x509", ...key, "-out", `${name}.crt`, "-days", "2", "-subj", `/CN=${name}`);
}

function certificate(name: string, issuer: string): void {
  const key = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-keyout",
    `${name}.key`,
  ];
  command("req", "-new", ...key, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
  writeFileSync(path("names.ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  const by = ["-extfile", "names.ext", "-CA", `${issuer}.crt`, "-CAkey", `${issuer}.key`, "-CAcreateserial"];
  command("x509", "-req", "-in", `${name}.csr`, ...by, "-out", `${name}.crt`, "-days", "2");
}

const SERVER_FILES = ["--tls-cert-file", path("server.crt"), "--tls-key-file", path("server.key")];
const AUTHORITY = ["--tls-ca-cert-file", path("authority.crt")];

/** A client's side of TLS; with a certificate where a name is given. */
function clientTls(name?: string): Bun.TLSOptions {
  const own = name === undefined ? {} : { cert: read(`${name}.crt`), key: read(`${name}.key`) };
  return {
    ca: read("authority.crt"),
    rejectUnauthorized: true,
    serverName: "localhost",
    ...own,
  };
}

async function pings(port: number, tls?: Bun.TLSOptions): Promise<boolean> {
  const client = await RawClient.open({ port, tls }).catch(() => null);
  if (client === null) return false;
  client.send("PING\r\n");
  const answered = await client
    .until((text) => text === "+PONG\r\n")
    .then(
      () => true,
      () => false,
    );
  client.end();
  return answered;
}

describe.skipIf(openssl === null)("TLS [needs openssl]", () => {
  beforeAll(() => {
    authority("authority");
    authority("strangers");
    certificate("server", "authority");
    certificate("client", "authority");
    certificate("stranger", "strangers");
    certificate("foreign", "strangers");
  });

  describe("beside a plain port, client certificates not asked for", () => {
    let server: TestServer;
    let tlsPort: number;
    beforeAll(async () => {
      tlsPort = freePort();
      server = await startServer([
        "--tls-port",
        String(tlsPort),
        ...SERVER_FILES,
        "--tls-auth-clients",
        "no",
      ]);
    });
    afterAll(() => server.stop());

    test("both ports answer, each in its own language", async () => {
      await server.logged("Ready to accept connections tls");
      expect(await pings(server.port)).toBe(true);
      expect(await pings(tlsPort, clientTls())).toBe(true);
      const plain = await RawClient.open(tlsPort);
      plain.send("PING\r\nPING\r\nPING\r\n");
      expect(await plain.rest()).not.toContain("PONG");
      // A hello of TLS is a broken inline command to the plain port; the server goes on.
      expect(await pings(server.port)).toBe(true);
      expect(await pings(tlsPort, clientTls())).toBe(true);
    });

    test("the certificate is the server's own", async () => {
      const stranger = { ...clientTls(), ca: read("strangers.crt") };
      expect(await pings(tlsPort, stranger)).toBe(false);
    });

    test("large values there and back, and a slow reader", async () => {
      const client = await RawClient.open({ port: tlsPort, tls: clientTls() });
      const size = 20 << 20;
      const value = Buffer.alloc(size);
      for (let i = 0; i < size; i += 4) value.writeInt32LE(Math.imul(i, 0x9e3779b1), i);
      await client.send(`*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$${size}\r\n`);
      await client.send(value);
      await client.send("\r\n");
      await client.expect("+OK\r\n");
      const hash = new Bun.CryptoHasher("sha1");
      client.keep = false;
      let chunks = 0;
      client.onData = (chunk) => {
        hash.update(chunk);
        if (++chunks % 5 > 0) return;
        client.pause();
        setImmediate(() => client.resume());
      };
      client.send("GET big\r\nPING\r\n");
      const head = `$${size}\r\n`;
      await client.untilCount(head.length + size + 9);
      const expected = new Bun.CryptoHasher("sha1").update(head).update(value).update("\r\n+PONG\r\n");
      expect(hash.digest("hex")).toBe(expected.digest("hex"));
      client.end();
    });

    test("protocol errors, QUIT and CLIENT KILL end a TLS connection", async () => {
      for (const [bytes, reply] of [
        ["*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"],
        ["QUIT\r\n", "+OK\r\n"],
      ] as const) {
        const client = await RawClient.open({ port: tlsPort, tls: clientTls() });
        client.send(bytes);
        expect(await client.rest()).toBe(reply);
      }
      const files = (): number => readdirSync(`/proc/${server.process.pid}/fd`).length;
      const counts = process.platform === "linux";
      const before = counts ? files() : 0;
      const victims = await Promise.all(
        Array.from({ length: 5 }, () => RawClient.open({ port: tlsPort, tls: clientTls() })),
      );
      for (const victim of victims) {
        await victim.send("PING\r\n");
        await victim.expect("+PONG\r\n");
        victim.pause();
        victim.send("GET big\r\n".repeat(3));
      }
      const admin = await RawClient.open(server.port);
      for (let waiting = 0; waiting < 5; ) {
        await admin.send("CLIENT LIST\r\n");
        const list = await admin.until((text) => text.includes("laddr=") && text.endsWith("\n\r\n"));
        waiting = list.match(/ omem=[1-9]/g)?.length ?? 0;
        admin.takeText();
      }
      await admin.send("CLIENT KILL TYPE normal\r\n");
      await admin.expect(":5\r\n");
      // The clients do not read, so nothing but the server's own doing frees the descriptors.
      if (counts)
        for (const end = Date.now() + 10_000; files() > before + 1 && Date.now() < end; await Bun.sleep(5));
      if (counts) expect(files()).toBeLessThanOrEqual(before + 1);
      for (const victim of victims) victim.resume();
      await Promise.all(victims.map((victim) => victim.rest()));
      admin.end();
    });

    test("a client that breaks off its handshake leaves nothing behind", async () => {
      for (let i = 0; i < 20; i++) {
        const client = await RawClient.open(tlsPort);
        await client.send(Buffer.from([22, 3, 1, 2, 0, 1]));
        if (i % 2 === 0) client.terminate();
        else client.end();
      }
      const admin = await RawClient.open(server.port);
      for (const end = Date.now() + 20_000; ; ) {
        await admin.send("INFO clients\r\n");
        const text = await admin.until((all) => all.includes("connected_clients:") && all.endsWith("\r\n"));
        admin.takeText();
        if (text.includes("connected_clients:1\r\n")) break;
        if (Date.now() > end) throw new Error(text);
      }
      admin.end();
    });
  });

  test("TLS alone", async () => {
    const tlsPort = freePort();
    const server = await startServer([
      "--port",
      "0",
      "--tls-port",
      String(tlsPort),
      ...SERVER_FILES,
      "--tls-auth-clients",
      "no",
    ]);
    expect(await pings(tlsPort, clientTls())).toBe(true);
    expect(await pings(server.port)).toBe(false);
    await server.stop();
  });

  test("client certificates: required, optional", async () => {
    for (const [mode, without, stranger] of [
      ["yes", false, false],
      ["optional", true, false],
      ["no", true, true],
    ] as const) {
      const tlsPort = freePort();
      const server = await startServer([
        "--tls-port",
        String(tlsPort),
        ...SERVER_FILES,
        ...AUTHORITY,
        "--tls-auth-clients",
        mode,
      ]);
      expect([mode, "own", await pings(tlsPort, clientTls("client"))]).toEqual([mode, "own", true]);
      expect([mode, "none", await pings(tlsPort, clientTls())]).toEqual([mode, "none", without]);
      expect([mode, "stranger", await pings(tlsPort, clientTls("stranger"))]).toEqual([
        mode,
        "stranger",
        stranger,
      ]);
      // A refused client does not disturb the next one.
      expect(await pings(tlsPort, clientTls("client"))).toBe(true);
      await server.stop();
    }
  });

  test("MIGRATE goes over TLS where tls-cluster says so, and only to who is trusted", async () => {
    const [from, to, other] = [freePort(), freePort(), freePort()] as const;
    const start = (port: number, files: string[]): Promise<TestServer> =>
      startServer([
        "--tls-port",
        String(port),
        ...files,
        ...AUTHORITY,
        "--tls-cluster",
        "yes",
        "--tls-auth-clients",
        "yes",
      ]);
    const foreign = ["--tls-cert-file", path("foreign.crt"), "--tls-key-file", path("foreign.key")];
    const servers = await Promise.all([
      start(from, SERVER_FILES),
      start(to, SERVER_FILES),
      start(other, foreign),
    ]);
    const client = await RawClient.open({ port: servers[0].port });
    client.send("MSET a 1 b 2\r\n");
    await client.expect("+OK\r\n");
    client.send(`MIGRATE 127.0.0.1 ${to} a 0 5000\r\n`);
    await client.expect("+OK\r\n");
    client.send(`MIGRATE 127.0.0.1 ${other} b 0 5000\r\n`);
    await client.expect("-IOERR error or timeout connecting to the client\r\n");
    client.end();
    for (const server of servers) await server.stop();
  });

  test("certificates can be exchanged while the server runs", async () => {
    const tlsPort = freePort();
    const server = await startServer([
      "--tls-port",
      String(tlsPort),
      ...SERVER_FILES,
      ...AUTHORITY,
      "--tls-auth-clients",
      "no",
    ]);
    certificate("newer", "strangers");
    const kept = await RawClient.open({ port: tlsPort, tls: clientTls() });
    const admin = await RawClient.open(server.port);
    await admin.command(
      "CONFIG",
      "SET",
      "tls-cert-file",
      path("newer.crt"),
      "tls-key-file",
      path("newer.key"),
    );
    await admin.expect("+OK\r\n");
    expect(await pings(tlsPort, { ...clientTls(), ca: read("strangers.crt") })).toBe(true);
    expect(await pings(tlsPort, clientTls())).toBe(false);
    await kept.send("PING\r\n");
    await kept.expect("+PONG\r\n");
    admin.end();
    kept.end();
    await server.stop();
  });

  test("a cluster whose bus and replication speak TLS", async () => {
    const nodes = await Promise.all(
      [0, 1].map(async () => {
        const port = freePort();
        const tls = ["--tls-port", String(port), "--tls-cluster", "yes", "--tls-replication", "yes"];
        const member = await startMember([...tls, ...SERVER_FILES, ...AUTHORITY]);
        return { member, port };
      }),
    );
    const [first, second] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
    const { node } = first.member;
    await ok(node.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383"));
    await ok(node.call("CLUSTER", "MEET", "127.0.0.1", String(second.port), String(second.member.bus)));
    await until(async () => (await clusterField(first.member, "cluster_known_nodes")) === "2");
    await attach(second.member, first.member);
    await working([first.member, second.member]);
    await ok(node.call("SET", "a", "1"));
    await second.member.node.caughtUpWith(node);
    // Who came without TLS is told of the port without TLS.
    expect(await errorOf(second.member.node.call("GET", "a"))).toBe(
      `MOVED 15495 127.0.0.1:${first.member.server.port}`,
    );
    const secure = await RawClient.open({ port: second.port, tls: clientTls("client") });
    secure.send("GET a\r\n");
    const moved = `-MOVED 15495 127.0.0.1:${first.port}\r\n`;
    expect(await secure.until((text) => text.includes("\r\n"))).toBe(moved);
    secure.end();
    await Promise.all(nodes.map(({ member }) => stopMember(member)));
  }, 60_000);

  test("a certificate that is missing or does not fit its key ends the start", async () => {
    for (const [cert, key] of [
      ["nothing.crt", "server.key"],
      ["server.crt", "client.key"],
      ["server.key", "server.key"],
    ] as const) {
      const start = startServer([
        "--tls-port",
        String(freePort()),
        "--tls-cert-file",
        path(cert),
        "--tls-key-file",
        path(key),
        "--tls-auth-clients",
        "no",
      ]);
      expect(
        await start.then(
          () => "started",
          (error: Error) => error.message,
        ),
      ).toMatch(/ended with code 1 .*Failed to configure TLS: /s);
    }
  });
});
