/**
 * What streams hold that only Redis 8.6 and 8.8 know, entries given back (XNACK) and idempotent producers (XADD with
 * IDMP): who claims what first, and that files, copies and replicas keep it.
 */
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Wire } from "../differential/lib/wire.ts";
import { Node } from "../replication.ts";
import { type Reply, RespClient } from "../resp-client.ts";
import { keptOverRestarts } from "../restarts.ts";
import { startServer, type TestServer } from "../server.ts";

setDefaultTimeout(30_000);

const folders: string[] = [];
const running: TestServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "redbun-newer-streams-"));
  folders.push(folder);
  return folder;
}

async function start(...args: string[]): Promise<{ server: TestServer; client: RespClient }> {
  const server = await startServer(["--enable-debug-command", "yes", ...args]);
  running.push(server);
  return { server, client: await RespClient.open(server.port) };
}

const words = (line: string) => line.split(" ");

async function fill(client: RespClient): Promise<void> {
  for (let i = 1; i <= 4; i++) await client.call("XADD", "s", `${i}-0`, "f", `v${i}`);
  for (const line of [
    "XGROUP CREATE s g 0",
    "XREADGROUP GROUP g c STREAMS s >",
    "XNACK s g FAIL IDS 2 3-0 1-0",
    "XNACK s g FATAL IDS 1 2-0",
    "XCFGSET s IDMP-DURATION 86400",
    "XADD s IDMP p i * f x",
    "XADD s IDMP p j MAXLEN ~ 100 * f x",
    "XADD s IDMPAUTO q * f x g y",
  ])
    await client.call(...words(line));
}

/** All that is to be kept: what is pending of nobody, the order in which it is claimed, what is added only once. */
async function look(client: RespClient, key = "s"): Promise<unknown> {
  const length = await client.call("XLEN", key);
  const again: Reply[] = [];
  for (const line of ["IDMP p i * a b", "IDMP p j * a b", "IDMPAUTO q * g y f x"])
    again.push(await client.call("XADD", key, ...words(line)));
  expect(await client.call("XLEN", key)).toBe(length);
  const pending = await client.call("XPENDING", key, "g", "-", "3-0", "10");
  await client.call("COPY", key, "copy", "REPLACE");
  const claimed = await client.call(...words("XREADGROUP GROUP g c9 COUNT 3 CLAIM 0 STREAMS copy >"));
  const order = (claimed as [string, [string, unknown][]][])[0]![1].map(([id]) => id);
  return { length, again, pending, order };
}

test("a file of either kind, and an append-only file, keep it over a restart", () =>
  keptOverRestarts(start, newFolder, fill, look, {
    length: 7,
    pending: [
      ["1-0", "", -1, 1],
      ["2-0", "", -1, expect.anything()],
      ["3-0", "", -1, 1],
    ],
    order: ["3-0", "1-0", "2-0"],
  }));

test("a file is of an older version where nothing of it is left", async () => {
  const folder = newFolder();
  const { client } = await start("--dir", folder, "--save", "");
  const version = async () => {
    await client.call("SAVE");
    return readFileSync(join(folder, "dump.rdb")).toString("latin1", 0, 9);
  };
  await client.call("XADD", "s", "1-1", "a", "b");
  expect(await version()).toBe("REDIS0010");
  // An addition that long ago is forgotten at once.
  await client.call("XIDMPRECORD", "s", "p", "i", "1-1");
  expect(await version()).toBe("REDIS0010");
  await client.call("XADD", "s", "IDMP", "p", "i", "*", "a", "b");
  expect(await client.call("XLEN", "s")).toBe(2);
  expect(await version()).toBe("REDIS0014");
  await client.call("RENAME", "s", "t");
  expect(await version()).toBe("REDIS0014");
  await client.call("DEL", "t");
  await client.call("XADD", "s", "1-1", "a", "b");
  await client.call(...words("XGROUP CREATE s g 0"));
  await client.call(...words("XNACK s g FAIL IDS 1 1-1 FORCE"));
  expect(await version()).toBe("REDIS0014");
  await client.call("XACK", "s", "g", "1-1");
  expect(await version()).toBe("REDIS0010");
});

test("a replica has it from the snapshot and from the stream", async () => {
  const master = await start();
  const replica = await start();
  const [a, b] = [await Node.of(master.server), await Node.of(replica.server)];
  await fill(master.client);
  await b.follow(master.server);
  await b.linked();
  for (const line of [
    "XADD s IDMP r k * f x",
    "XADD s IDMP r k * f x",
    "XADD s DELREF MAXLEN 7 IDMP r l * f x",
    "XNACK s g SILENT IDS 1 4-0",
    "XCLAIM s g d 0 3-0",
  ])
    await master.client.call(...words(line));
  await b.caughtUpWith(a);
  const full = async (client: RespClient) => await client.call("XINFO", "STREAM", "s", "FULL");
  // Of additions asked for again only the master knows.
  const known = (reply: Reply) => JSON.stringify(reply).replace(/"iids-duplicates",\d+/, "");
  const seen = (text: string) => text.replace(/"(seen|active)-time",-?\d+/g, "");
  expect(seen(known(await full(replica.client)))).toBe(seen(known(await full(master.client))));
  a.close();
  b.close();
});

test("who waits to claim hears of what is given back", async () => {
  const { server, client } = await start();
  await fill(client);
  await client.call("XACK", "s", "g", "1-0", "2-0", "3-0");
  const waiting = await RespClient.open(server.port);
  await client.call(...words("XGROUP SETID s g $"));
  waiting.send(...words("XREADGROUP GROUP g d BLOCK 0 CLAIM 1000000 STREAMS s >"));
  while (!(await client.text("INFO", "clients")).includes("blocked_clients:1")) await Bun.sleep(1);
  await client.call(...words("XNACK s g FAIL IDS 1 4-0"));
  expect(await waiting.next()).toMatchObject([["s", [["4-0", ["f", "v4"], expect.anything(), 1]]]]);
  waiting.close();
});

test("a payload of Redis 8.8 is restored", async () => {
  const { server, client } = await start();
  const payload =
    "1b011000000000000000010000000000000000c34053406811680000002300060100010101816602000102200a060001827631030420" +
    "0b0001600b0032600b401902827633600b000360170034600b09f4ff9f07c2da5100000920420178024036e00112000260120101ff06" +
    "81000051dac207a000020100000006010167000081ffffffffffffffff03000000000000000100000000000000000000000000000000" +
    "000000000000000002000000000000000000000000000000000000000000000000030000000000000000000000000000000000000300" +
    "000000000000030000000000000000000000000000000100000000000000000000000000000002000000000000000032070201700101" +
    "6981000051dac207a00001017101016a81000051dac207a0000202000e007ea9a63046609af8";
  await client.call("DEL", "s");
  const wire = await Wire.open(server.port);
  const [reply] = await wire.send([["RESTORE", "s", "0", Buffer.from(payload, "hex")]]);
  expect(String(reply)).toBe("+OK\r\n");
  wire.close();
  expect(await client.call("XADD", "s", "IDMP", "p", "i", "*", "a", "b")).toBe("90000000000000-1");
  expect(await client.call("XADD", "s", "IDMP", "q", "j", "*", "a", "b")).toBe("90000000000000-2");
  expect(await client.call("XINFO", "STREAM", "s")).toEqual(
    expect.arrayContaining(["idmp-duration", 50, "idmp-maxsize", 7, "iids-added", 2]),
  );
  expect(await client.call("XPENDING", "s", "g", "-", "+", "10")).toEqual([
    ["1-0", "", -1, 0],
    ["2-0", "", -1, 0],
    ["3-0", "", -1, 0],
  ]);
});
