import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { infoField, Wire } from "../../scripts/lib/wire.ts";
import { startServer, type TestServer } from "../server.ts";
import { seeded } from "../unit/bytes/random.ts";
import { RawClient } from "./raw-client.ts";

/** Clients that are slow, stop in the middle, or go away: the others must not notice. */

const MB = 1 << 20;

let server: TestServer;
let admin: Wire;
beforeAll(async () => {
  server = await startServer();
  admin = await Wire.connect(server.port);
});
afterAll(async () => {
  admin.close();
  await server.stop();
});

const info = async (field: string): Promise<number> => Number(infoField(await admin.command("INFO"), field));

async function untilClients(count: number): Promise<void> {
  for (const deadline = Date.now() + 20_000; (await info("connected_clients")) !== count; )
    if (Date.now() > deadline) throw new Error(`${await info("connected_clients")} clients, not ${count}`);
}

/** Open files of the server, where the system tells. */
function openFiles(): number {
  try {
    return readdirSync(`/proc/${server.process.pid}/fd`).length;
  } catch {
    return 0;
  }
}

async function many(count: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  while (clients.length < count)
    clients.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(100, count - clients.length) }, () => RawClient.open(server.port)),
      )),
    );
  return clients;
}

test("a thousand idle clients and two hundred that send byte by byte do not hold up another", async () => {
  const idle = await many(1000);
  const slow = await many(200);
  const command = "*3\r\n$3\r\nSET\r\n$4\r\nslow\r\n$10\r\n0123456789\r\n";
  let bytes = 0;
  let stop = false;
  const drip = async (): Promise<void> => {
    while (!stop) {
      for (const client of slow) client.send(command[bytes % command.length]!);
      bytes++;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const dripping = drip();
  const client = await RawClient.open(server.port);
  for (let i = 0; i < 1000; i++) {
    await client.send(`*2\r\n$4\r\nECHO\r\n$${String(i).length}\r\n${i}\r\n`);
    await client.expect(`$${String(i).length}\r\n${i}\r\n`);
  }
  stop = true;
  await dripping;
  // The slow ones get their answers as well.
  const whole = Math.floor(bytes / command.length);
  await Promise.all(slow.map((each) => each.untilCount(whole * 5)));
  for (const each of slow) expect(each.takeText()).toBe("+OK\r\n".repeat(whole));
  for (const each of [...idle, ...slow, client]) each.end();
  await untilClients(1);
}, 60_000);

test("half a command, then the end: a hundred times each way", async () => {
  const before = openFiles();
  const command = `*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$2000\r\n${"x".repeat(2000)}\r\n`;
  const random = seeded("half commands");
  for (let round = 0; round < 5; round++) {
    const clients = await many(40);
    await Promise.all(
      clients.map(async (client, i) => {
        await client.send(`PING\r\n${command.slice(0, 1 + random.below(command.length - 1))}`);
        await client.untilCount(7);
        if (i % 2 === 0) client.end();
        else client.terminate();
      }),
    );
  }
  await untilClients(1);
  expect(await admin.command("EXISTS", "half")).toBe(0);
  expect(openFiles()).toBeLessThanOrEqual(before);
});

test("clients that disappear while their replies are on the way", async () => {
  await admin.command("SET", "big", "x".repeat(MB));
  const clients = await many(20);
  for (const [i, client] of clients.entries()) {
    client.keep = false;
    client.send("GET big\r\n".repeat(20));
    client.untilCount(1).then(
      () => (i % 2 === 0 ? client.terminate() : client.end()),
      () => {},
    );
  }
  await Promise.all(clients.map((client) => client.closed));
  await untilClients(1);
});

test("CLIENT KILL in the middle of a large reply frees the connection at once", async () => {
  const before = openFiles();
  const clients = await many(10);
  await Promise.all(
    clients.map(async (client, i) => {
      await client.send(`CLIENT SETNAME victim${i}\r\n`);
      await client.expect("+OK\r\n");
      client.pause();
      client.send("GET big\r\n".repeat(30));
    }),
  );
  // All replies wait in the server once each has been asked for.
  for (let waiting = 0; waiting < 10; )
    waiting = String(await admin.command("CLIENT", "LIST")).match(/name=victim.* omem=[1-9]/g)?.length ?? 0;
  expect(await admin.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")).toBe(10);
  await untilClients(1);
  // Although the clients have not closed their ends.
  expect(openFiles()).toBeLessThanOrEqual(before);
  for (const client of clients) {
    client.resume();
    await client.rest();
    expect(client.count).toBeLessThan(30 * MB);
  }
});

test("replies that were sent before a kill are still read", async () => {
  const victim = await RawClient.open(server.port);
  await victim.send("CLIENT ID\r\n");
  const id = (await victim.until((text) => text.endsWith("\r\n"))).slice(1, -2);
  victim.takeText();
  victim.pause();
  await victim.send("ECHO last\r\n");
  for (let seen = false; !seen; )
    seen = new RegExp(`id=${id} .*cmd=echo`).test(String(await admin.command("CLIENT", "LIST")));
  expect(await admin.command("CLIENT", "KILL", "ID", id)).toBe(1);
  victim.resume();
  expect(await victim.rest()).toBe("$4\r\nlast\r\n");
});

test("50 MB of replies read slowly arrive whole and in order", async () => {
  const random = seeded("slow reader");
  const sizes = [1, 100, 70_000, 3 * MB, 20 * MB, 27 * MB];
  const hash = new Bun.CryptoHasher("sha1");
  let total = 0;
  let line = "";
  const expected = new Bun.CryptoHasher("sha1");
  const setter = await RawClient.open(server.port);
  for (const [i, size] of sizes.entries()) {
    const value = Buffer.alloc(size);
    for (let at = 0; at + 4 <= size; at += 4) value.writeInt32LE((random.below(2 ** 31) ^ at) | 0, at);
    await setter.send(`*3\r\n$3\r\nSET\r\n$2\r\ns${i}\r\n$${size}\r\n`);
    await setter.send(value);
    await setter.send("\r\n");
    await setter.expect("+OK\r\n");
    const head = `$${size}\r\n`;
    expected.update(head).update(value).update("\r\n+PONG\r\n");
    total += head.length + size + 2 + 7;
    line += `GET s${i}\r\nPING\r\n`;
  }
  setter.end();
  const client = await RawClient.open(server.port);
  client.keep = false;
  let pauses = 0;
  client.onData = (chunk) => {
    hash.update(chunk);
    // A pause now and then, so that the server runs into a full socket again and again.
    if (random.below(4) > 0) return;
    pauses++;
    client.pause();
    setImmediate(() => client.resume());
  };
  client.send(line);
  await client.untilCount(total);
  expect(client.count).toBe(total);
  expect(pauses).toBeGreaterThan(10);
  expect(hash.digest("hex")).toBe(expected.digest("hex"));
  // What waited has been let go of.
  expect(String(await admin.command("CLIENT", "LIST"))).not.toMatch(/omem=[1-9]/);
  client.end();
}, 60_000);

test("more commands while earlier replies wait are answered in order", async () => {
  const client = await RawClient.open(server.port);
  client.pause();
  const asked = 100;
  for (let i = 0; i < asked; i++) await client.send(`ECHO ${i}\r\nGET big\r\n`);
  const hash = new Bun.CryptoHasher("sha1");
  const expected = new Bun.CryptoHasher("sha1");
  const big = `$${MB}\r\n${"x".repeat(MB)}\r\n`;
  let total = 0;
  for (let i = 0; i < asked; i++) {
    const reply = `$${String(i).length}\r\n${i}\r\n${big}`;
    expected.update(reply);
    total += reply.length;
  }
  client.keep = false;
  client.onData = (chunk) => hash.update(chunk);
  client.resume();
  await client.untilCount(total);
  expect(client.count).toBe(total);
  expect(hash.digest("hex")).toBe(expected.digest("hex"));
  client.end();
}, 60_000);

test.each(["yes", "no"])(
  "many at once, half of whom stop reading now and then (io-uring %s)",
  async (together) => {
    await admin.command("CONFIG", "SET", "io-uring", together);
    const random = seeded("many readers");
    const clients = await many(60);
    // They read all that is published as well: what waits for many goes out together too.
    for (const client of clients) await client.send("HELLO 3\r\nSUBSCRIBE news\r\n");
    await Promise.all(clients.map((client) => client.until((text) => text.endsWith("news\r\n:1\r\n"))));
    const hashes = clients.map((client, i) => {
      const hash = new Bun.CryptoHasher("sha1");
      client.takeText();
      client.keep = false;
      client.onData = (chunk) => {
        hash.update(chunk);
        if (i % 2 === 0 || random.below(4) > 0) return;
        client.pause();
        setImmediate(() => client.resume());
      };
      return hash;
    });
    const expected = clients.map(() => new Bun.CryptoHasher("sha1"));
    const totals = clients.map(() => 0);
    for (let round = 0; round < 30; round++) {
      for (const [i, client] of clients.entries()) {
        const size = random.pick([1, 10, 1000, 30_000, 200_000]);
        const letter = String.fromCharCode(97 + random.below(26)).repeat(size);
        const reply = `$${size}\r\n${letter}\r\n`;
        client.command("ECHO", letter);
        expected[i]!.update(reply);
        totals[i]! += reply.length;
      }
      await Promise.all(clients.map((client, i) => client.untilCount(totals[i]!)));
      const text = "n".repeat(random.pick([1, 5000, 100_000]));
      expect(await admin.command("PUBLISH", "news", text)).toBe(clients.length);
      const message = `>3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$${text.length}\r\n${text}\r\n`;
      for (const [i, hash] of expected.entries()) {
        hash.update(message);
        totals[i]! += message.length;
      }
    }
    await Promise.all(clients.map((client, i) => client.untilCount(totals[i]!)));
    for (const [i, client] of clients.entries()) {
      expect(hashes[i]!.digest("hex")).toBe(expected[i]!.digest("hex"));
      client.end();
    }
    await untilClients(1);
  },
  60_000,
);

/** Has all of them answered in one turn of the server's loop, which makes them a crowd. */
async function crowd(clients: RawClient[]): Promise<void> {
  for (let round = 0; round < 5; round++) {
    for (const client of clients) client.send("PING\r\n");
    await Promise.all(clients.map((client) => client.expect("+PONG\r\n")));
  }
}

test("a crowd is served by io_uring, where the system has it, and comes apart as it should", async () => {
  const before = openFiles();
  await admin.command("CONFIG", "SET", "io-uring", "yes");
  await admin.command("SET", "big", "x".repeat(MB));
  const clients = await many(40);
  await crowd(clients);
  const state = infoField(await admin.command("INFO", "server"), "io_uring");
  expect(["active", "unavailable"]).toContain(state);
  const [ends, resets, halves, quits, stuck, kills, ...rest] = clients as [
    RawClient,
    RawClient,
    RawClient,
    RawClient,
    RawClient,
    RawClient,
    ...RawClient[],
  ];
  ends.end();
  resets.terminate();
  halves.send("*2\r\n$3\r\nGET\r\n$3\r\nbi");
  halves.end();
  quits.send("QUIT\r\n");
  expect(await quits.rest()).toBe("+OK\r\n");
  kills.send("CLIENT SETNAME victim\r\n");
  await kills.expect("+OK\r\n");
  stuck.pause();
  stuck.send("CLIENT SETNAME stuck\r\n");
  stuck.send("GET big\r\n".repeat(30));
  for (let waits = false; !waits; )
    waits = /name=stuck.* omem=[1-9]/.test(String(await admin.command("CLIENT", "LIST")));
  const list = String(await admin.command("CLIENT", "LIST"));
  for (const name of ["victim", "stuck"]) {
    const id = new RegExp(`id=(\\d+) .*name=${name} `).exec(list)![1]!;
    expect(await admin.command("CLIENT", "KILL", "ID", id)).toBe(1);
  }
  expect(await kills.rest()).toBe("");
  stuck.resume();
  await stuck.rest();
  expect(stuck.count).toBeLessThan(30 * MB);
  await Promise.all([ends.closed, halves.closed]);
  await untilClients(rest.length + 1);
  // The others have heard nothing of it.
  await crowd(rest);
  // Blocked, and woken by one another; and all that one of them sends at a time is answered in order.
  for (const client of rest) client.send("BLPOP queue 0\r\nECHO behind\r\n");
  for (const each of rest.keys()) await admin.command("RPUSH", "queue", String(each));
  const served = await Promise.all(rest.map((client) => client.until((text) => text.endsWith("behind\r\n"))));
  for (const text of served)
    expect(text).toMatch(/^\*2\r\n\$5\r\nqueue\r\n\$[12]\r\n\d+\r\n\$6\r\nbehind\r\n$/);
  for (const client of rest) client.end();
  await untilClients(1);
  // A ring, its bell and the other ring.
  expect(openFiles()).toBeLessThanOrEqual(before + 4);
});
