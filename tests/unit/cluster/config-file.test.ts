import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigFile, CorruptConfig } from "../../../src/cluster/config-file.ts";
import { describeNodes } from "../../../src/cluster/describe.ts";
import { FLAG } from "../../../src/cluster/node.ts";
import { ClusterState } from "../../../src/cluster/state.ts";
import { Log } from "../../../src/host/log.ts";

/** nodes.conf: files of Redis 7.0 and 7.2 read and written back, and files that are none. */

const dir = mkdtempSync(join(tmpdir(), "redbun-nodes-"));
afterAll(() => rmSync(dir, { recursive: true }));

const log = new Log(false);
log.level = "nothing";
const [A, B, C] = ["a", "b", "c"].map((letter) => letter.repeat(40));
const [SHARD, OTHER_SHARD] = ["1".repeat(40), "2".repeat(40)];
let files = 0;

function read(text: string): { state: ClusterState; file: ConfigFile; path: string } {
  const path = join(dir, `nodes-${files++}.conf`);
  writeFileSync(path, text);
  const state = new ClusterState({ log, scheduled() {} });
  const file = new ConfigFile(path, state, { log, tlsCluster: false, lock: () => "locked" });
  expect(file.acquire()).toBeNull();
  file.load();
  return { state, file, path };
}

const OF_72 = [
  `${A} 127.0.0.1:7001@17001,,tls-port=0,shard-id=${SHARD} myself,master - 0 0 1 connected 0-5460 9000 [93->-${C}] [16000-<-${C}]`,
  `${C} 10.0.0.3:7003@17003,,tls-port=0,shard-id=${OTHER_SHARD} master,fail,nofailover - 0 0 3 disconnected 5461-8999 9001-16383`,
  `${B} 127.0.0.1:7002@17002,host-b,tls-port=7102,nodename=bee,shard-id=${SHARD} slave ${A} 0 0 1 connected`,
  "vars currentEpoch 6 lastVoteEpoch 4",
  "",
].join("\n");

describe("a file of Redis 7.2", () => {
  test("is read whole", () => {
    const { state } = read(OF_72);
    const { myself, slots } = state;
    expect([myself.name, myself.ip, myself.tcpPort, myself.busPort, myself.shardId]).toEqual([
      A!,
      "127.0.0.1",
      7001,
      17001,
      SHARD!,
    ]);
    expect([state.currentEpoch, state.lastVoteEpoch]).toEqual([6, 4]);
    const [b, c] = [state.lookup(B!)!, state.lookup(C!)!];
    expect([b.master, b.hostname, b.humanName, b.tlsPort, b.configEpoch]).toEqual([
      myself,
      "host-b",
      "bee",
      7102,
      0,
    ]);
    expect(c.has(FLAG.fail) && c.has(FLAG.nofailover) && c.isMaster).toBe(true);
    expect([slots.owner[0], slots.owner[9000], slots.owner[9001], slots.owner[16383]]).toEqual([
      myself,
      myself,
      c,
      c,
    ]);
    expect([slots.migrating[93], slots.importing[16000], myself.slotCount]).toEqual([c, c, 5462]);
    expect([...state.shards].map(([id, members]) => [id, members.map(({ name }) => name)])).toEqual([
      [SHARD!, [A!, B!]],
      [OTHER_SHARD!, [C!]],
    ]);
  });

  test("is written as it was, under a name that takes its place", () => {
    const { file, path } = read(OF_72);
    file.save(true);
    const connected = (text: string): string => text.replace("1 connected\n", "1 disconnected\n");
    expect(readFileSync(path, "latin1")).toBe(connected(OF_72));
    expect(readdirSync(dir).filter((name) => name.includes(".tmp"))).toEqual([]);
  });

  test("CLUSTER NODES says less", () => {
    const { state } = read(OF_72);
    expect(describeNodes(state, 0, { tls: true }).split("\n")[2]).toBe(
      `${B} 127.0.0.1:7102@17002,host-b slave ${A} 0 0 1 disconnected`,
    );
  });
});

test("files of older versions: no fields, no bus port, no shards", () => {
  const { state } = read(
    [
      `${A} 127.0.0.1:7001 myself,slave ${B} 0 0 1 connected`,
      `${B} 127.0.0.1:7002@17002,host-b master - 0 0 2 connected 0-16383`,
      "vars currentEpoch 1 lastVoteEpoch 0",
      "",
    ].join("\n"),
  );
  const [a, b] = [state.lookup(A!)!, state.lookup(B!)!];
  expect([a.busPort, b.hostname, a.shardId === b.shardId, b.slotCount]).toEqual([
    17001,
    "host-b",
    true,
    16384,
  ]);
  // An epoch that some node has seen is not forgotten.
  expect(state.currentEpoch).toBe(2);
});

test("an empty file is none yet", () => {
  const path = join(dir, "empty.conf");
  const state = new ClusterState({ log, scheduled() {} });
  const file = new ConfigFile(path, state, { log, tlsCluster: false, lock: () => "locked" });
  expect(file.acquire()).toBeNull();
  expect(file.load()).toBe(false);
});

test("a file that another process holds is not taken", () => {
  const state = new ClusterState({ log, scheduled() {} });
  const file = new ConfigFile(join(dir, "taken.conf"), state, {
    log,
    tlsCluster: false,
    lock: () => "taken",
  });
  expect(file.acquire()).toContain("already used by a different Redis Cluster node");
});

describe("corrupt files are refused", () => {
  const lines: [string, string][] = [
    ["too few words", `${A} 127.0.0.1:7001@17001 myself,master - 0 0 1`],
    ["no name", "short 127.0.0.1:7001@17001 myself,master - 0 0 1 connected"],
    ["an unknown flag", `${A} 127.0.0.1:7001@17001 myself,king - 0 0 1 connected`],
    ["an unknown field", `${A} 127.0.0.1:7001@17001,,colour=red myself,master - 0 0 1 connected`],
    ["a field with a bad letter", `${A} 127.0.0.1:7001@17001,,nodename=a{b myself,master - 0 0 1 connected`],
    ["a slot beyond all slots", `${A} 127.0.0.1:7001@17001 myself,master - 0 0 1 connected 16384`],
    ["a slot that is none", `${A} 127.0.0.1:7001@17001 myself,master - 0 0 1 connected one`],
    ["a master without a name", `${A} 127.0.0.1:7001@17001 myself,slave nobody 0 0 1 connected`],
    ["nobody who is us", `${A} 127.0.0.1:7001@17001 master - 0 0 1 connected`],
    ["an odd number of variables", "vars currentEpoch"],
  ];
  for (const [what, line] of lines) test(what, () => expect(() => read(`${line}\n`)).toThrow(CorruptConfig));
});
