/**
 * Commands and options of Redis 8.2 to 8.8 and of Valkey, which no oracle here knows: what Redis 8.8 answers, byte
 * for byte, in RESP2 and RESP3, with the keyspace events.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Wire } from "../differential/lib/wire.ts";
import { startServer, type TestServer } from "../server.ts";
import { play } from "../transcript.ts";

const TEMPORARY = join(tmpdir(), "redbun-newer-");
const WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";

let server: TestServer;
beforeAll(async () => {
  server = await startServer(["--enable-debug-command", "yes"]);
});
afterAll(() => server.stop());

async function same(name: string): Promise<void> {
  const recorded = await Bun.file(join(import.meta.dir, "transcripts", `${name}.txt`)).text();
  const played = await play(server.port, recorded);
  expect(played.split("\n")).toEqual(recorded.split("\n"));
}

test("SET with IFEQ, IFNE, IFDEQ, IFDNE; DELEX, DIGEST", () => same("comparing"));
test("MSETEX", () => same("msetex"));
test("INCREX", () => same("increx"));

test("DELIFEQ, as Valkey documents it", async () => {
  const wire = await Wire.open(server.port);
  const ask = async (line: string) => String((await wire.send([line.split(" ")]))[0]).trim();
  expect([await ask("FLUSHALL"), await ask("SET k v"), await ask("LPUSH l a")]).toEqual(["+OK", "+OK", ":1"]);
  expect(await ask("DELIFEQ k w")).toBe(":0");
  expect(await ask("DELIFEQ missing w")).toBe(":0");
  expect(await ask("DELIFEQ l a")).toBe(`-${WRONG_TYPE}`);
  expect(await ask("DELIFEQ k")).toBe("-ERR wrong number of arguments for 'delifeq' command");
  expect(await ask("DELIFEQ k v")).toBe(":1");
  expect(await ask("EXISTS k")).toBe(":0");
  wire.close();
});
test("BITOP with DIFF, DIFF1, ANDOR, ONE", () => same("bitop"));
test("ZUNION and ZINTER with AGGREGATE COUNT", () => same("zunion"));
test("XDELEX and XACKDEL", () => same("xdelex"));
test("XADD and XTRIM with KEEPREF, DELREF, ACKED", () => same("xtrim"));
test("XREAD from the last entry; XREADGROUP CLAIM, what does not depend on time", () => same("xread"));
test("HSCAN NOVALUES", () => same("hscan"));
test("HOTKEYS: what is refused", () => same("hotkeys"));
test("expiry of hash fields: replies, refusals, events", () => same("hash-expiry"));
test("WATCH and streams", () => same("watching"));
test("events about fields of hashes", () => same("field-events"));
test("INFO keysizes", () => same("keysizes"));
test("XNACK", () => same("xnack"));
test("XADD with IDMP and IDMPAUTO: what is refused; XCFGSET, XIDMPRECORD", () => same("xadd-idmp"));
test("arrays: ARSET ARMSET ARGET ARMGET ARGETRANGE ARDEL ARDELRANGE ARLEN ARCOUNT ARSCAN ARGREP AROP ARINFO", () =>
  same("arrays"));
test("arrays that are written to in turn: ARINSERT ARRING ARNEXT ARSEEK ARLASTITEMS", () =>
  same("arrays-rings"));
test("CLUSTER SLOT-STATS", async () => {
  const folder = mkdtempSync(TEMPORARY);
  const node = await startServer(["--cluster-enabled", "yes", "--save", "", "--dir", folder]);
  try {
    const recorded = await Bun.file(join(import.meta.dir, "transcripts", "slot-stats.txt")).text();
    expect(await play(node.port, recorded)).toBe(recorded);
    const wire = await Wire.open(node.port);
    const ask = async (line: string) => String((await wire.send([line.split(" ")]))[0]).trim();
    expect(await ask("CLUSTER ADDSLOTSRANGE 0 16383")).toBe("+OK");
    while (!(await ask("CLUSTER INFO")).includes("cluster_state:ok")) await Bun.sleep(2);
    for (const key of ["{a}1", "{a}2", "{a}3", "{b}1", "{c}1", "{c}2"]) await ask(`SET ${key} v`);
    const slots = await ask("CLUSTER SLOT-STATS ORDERBY key-count LIMIT 3");
    expect(slots.match(/:\d+/g)!.map((number) => Number(number.slice(1)))).toEqual([
      15495, 3, 7365, 2, 3300, 1,
    ]);
    wire.close();
  } finally {
    await node.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});
