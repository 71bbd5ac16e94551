/** A cluster node by itself: who it is, its slots and keys, what it refuses, and its file. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join as path } from "node:path";
import { launch, temporaryDirectory } from "../../scripts/lib/launch.ts";
import { errorOf, type Member, ok, startMember, stopMember, working } from "../cluster.ts";
import { Node } from "../replication.ts";
import { fieldsOf, type Reply } from "../resp-client.ts";
import { serverCommand, startServer, type TestServer } from "../server.ts";

// A master does not serve in its first two seconds.
setDefaultTimeout(30_000);

let member: Member;
let node: Node;
beforeAll(async () => {
  member = await startMember(["--enable-debug-command", "yes"]);
  node = member.node;
});
afterAll(() => stopMember(member));

const call = (...args: string[]): Promise<Reply> => node.call(...args);
const error = (...args: string[]): Promise<string> => errorOf(node.call(...args));

describe("without cluster-enabled", () => {
  let plain: TestServer;
  let client: Node;
  beforeAll(async () => {
    plain = await startServer();
    client = await Node.of(plain);
  });
  afterAll(async () => {
    client.close();
    await plain.stop();
  });

  test("there is no cluster, and no file", async () => {
    for (const command of [
      ["CLUSTER", "INFO"],
      ["CLUSTER", "HELP"],
      ["CLUSTER", "KEYSLOT", "a"],
      ["ASKING"],
      ["READONLY"],
      ["READWRITE"],
    ])
      expect(await errorOf(client.call(...command))).toBe("ERR This instance has cluster support disabled");
    expect(existsSync(path(plain.dir, "nodes.conf"))).toBe(false);
    expect((await client.info("cluster")).cluster_enabled).toBe("0");
    expect((await client.info("server")).redis_mode).toBe("standalone");
  });
});

describe("a node says what it is", () => {
  test("its names, and that it is in cluster mode", async () => {
    expect(await call("CLUSTER", "MYID")).toMatch(/^[0-9a-f]{40}$/);
    expect(await call("CLUSTER", "MYSHARDID")).toMatch(/^[0-9a-f]{40}$/);
    expect((await node.info("server")).redis_mode).toBe("cluster");
    expect((await node.info("cluster")).cluster_enabled).toBe("1");
    const hello = (await call("HELLO", "2")) as Reply[];
    expect(hello[hello.indexOf("mode") + 1]).toBe("cluster");
    expect(await call("CONFIG", "GET", "databases")).toEqual(["databases", "1"]);
  });

  test("CLUSTER NODES and the file say the same of it", async () => {
    const text = await node.client.text("CLUSTER", "NODES");
    expect(text).toMatch(
      new RegExp(`^${member.id} :${member.server.port}@${member.bus} myself,master - 0 0 \\d+ connected`),
    );
    await ok(call("CLUSTER", "SAVECONFIG"));
    const file = readFileSync(path(member.server.dir, "nodes.conf"), "latin1");
    expect(file).toContain(`${member.id} :${member.server.port}@${member.bus},,tls-port=0,shard-id=`);
    expect(file).toMatch(/\nvars currentEpoch \d+ lastVoteEpoch 0\n$/);
  });

  test("COMMAND knows its flags", async () => {
    const [[name, arity, flags]] = (await call("COMMAND", "INFO", "CLUSTER|SETSLOT")) as [Reply[]];
    expect([name, arity, flags]).toEqual(["cluster|setslot", -4, ["admin", "stale", "no_async_loading"]]);
    const help = (await call("CLUSTER", "HELP")) as string[];
    expect(help[0]).toBe("CLUSTER <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  });
});

describe("slots", () => {
  test("are given and taken, each once", async () => {
    expect(await error("SET", "a", "1")).toBe("CLUSTERDOWN Hash slot not served");
    await ok(call("CLUSTER", "ADDSLOTS", "1", "2", "3"));
    expect(await error("CLUSTER", "ADDSLOTS", "4", "3")).toBe("ERR Slot 3 is already busy");
    expect(await error("CLUSTER", "ADDSLOTS", "4", "4")).toBe("ERR Slot 4 specified multiple times");
    expect(await error("CLUSTER", "ADDSLOTS", "16384")).toBe("ERR Invalid or out of range slot");
    expect(await error("CLUSTER", "ADDSLOTS", "-1")).toBe("ERR Invalid or out of range slot");
    expect(await error("CLUSTER", "ADDSLOTS", "x")).toBe("ERR Invalid or out of range slot");
    expect(await error("CLUSTER", "ADDSLOTS")).toBe(
      "ERR wrong number of arguments for 'cluster|addslots' command",
    );
    await ok(call("CLUSTER", "DELSLOTS", "1", "3"));
    expect(await error("CLUSTER", "DELSLOTS", "1")).toBe("ERR Slot 1 is already unassigned");
    await ok(call("CLUSTER", "ADDSLOTSRANGE", "10", "20", "30", "30"));
    expect(await error("CLUSTER", "ADDSLOTSRANGE", "40", "39")).toBe(
      "ERR start slot number 40 is greater than end slot number 39",
    );
    expect(await error("CLUSTER", "ADDSLOTSRANGE", "40", "50", "60")).toBe(
      "ERR wrong number of arguments for 'cluster|addslotsrange' command",
    );
    expect(await error("CLUSTER", "ADDSLOTSRANGE", "40", "50", "45", "46")).toBe(
      "ERR Slot 45 specified multiple times",
    );
    expect(((await call("CLUSTER", "NODES")) as string).trim().split(" ").slice(8)).toEqual([
      "2",
      "10-20",
      "30",
    ]);
    await ok(call("CLUSTER", "DELSLOTSRANGE", "15", "20"));
    expect(await error("CLUSTER", "DELSLOTSRANGE", "14", "15")).toBe("ERR Slot 15 is already unassigned");
    await ok(call("CLUSTER", "FLUSHSLOTS"));
    expect((await node.client.text("CLUSTER", "INFO")).split("\r\n")[1]).toBe("cluster_slots_assigned:0");
  });

  test("with all of them the cluster works", async () => {
    await ok(call("CLUSTER", "ADDSLOTSRANGE", "0", "16383"));
    await working([member]);
    expect(await call("CLUSTER", "SLOTS")).toEqual([[0, 16383, ["", member.server.port, member.id, []]]]);
    const [shard] = (await call("CLUSTER", "SHARDS")) as Reply[][];
    expect(shard!.slice(0, 3)).toEqual(["slots", [0, 16383], "nodes"]);
    expect(await call("CLUSTER", "LINKS")).toEqual([]);
    expect(await call("CLUSTER", "REPLICAS", member.id)).toEqual([]);
    expect(await call("CLUSTER", "SLAVES", member.id)).toEqual([]);
    expect(await call("CLUSTER", "COUNT-FAILURE-REPORTS", member.id)).toBe(0);
  });

  test("know their keys", async () => {
    await ok(call("FLUSHALL"));
    for (let i = 0; i < 200; i++) await ok(call("SET", `{tag}${i}`, "x"));
    await ok(call("SET", "other", "x"));
    const slot = String(await call("CLUSTER", "KEYSLOT", "{tag}7"));
    expect(slot).toBe(String(await call("CLUSTER", "KEYSLOT", "tag")));
    expect(await call("CLUSTER", "COUNTKEYSINSLOT", slot)).toBe(200);
    const keys = (await call("CLUSTER", "GETKEYSINSLOT", slot, "1000")) as string[];
    expect(keys.toSorted()).toEqual(Array.from({ length: 200 }, (_, i) => `{tag}${i}`).toSorted());
    expect(await call("CLUSTER", "GETKEYSINSLOT", slot, "3")).toHaveLength(3);
    await call("DEL", "{tag}1", "{tag}2");
    expect(await call("CLUSTER", "COUNTKEYSINSLOT", slot)).toBe(198);
    expect(await error("CLUSTER", "COUNTKEYSINSLOT", "16384")).toBe("ERR Invalid slot");
    expect(await error("CLUSTER", "GETKEYSINSLOT", "0", "-1")).toBe("ERR Invalid slot or number of keys");
    expect(await error("CLUSTER", "FLUSHSLOTS")).toBe("ERR DB must be empty to perform CLUSTER FLUSHSLOTS.");
    await ok(call("DEBUG", "RELOAD"));
    expect(await call("CLUSTER", "COUNTKEYSINSLOT", slot)).toBe(198);
    await ok(call("FLUSHDB"));
    expect(await call("CLUSTER", "COUNTKEYSINSLOT", slot)).toBe(0);
  });

  test("on their way: only with nodes that are known", async () => {
    const nobody = "0".repeat(40);
    expect(await error("CLUSTER", "SETSLOT", "5", "MIGRATING", nobody)).toBe(
      `ERR I don't know about node ${nobody}`,
    );
    expect(await error("CLUSTER", "SETSLOT", "5", "IMPORTING", nobody)).toBe(
      "ERR I'm already the owner of hash slot 5",
    );
    expect(await error("CLUSTER", "SETSLOT", "5", "NODE", nobody)).toBe(`ERR Unknown node ${nobody}`);
    expect(await error("CLUSTER", "SETSLOT", "5", "SOMEHOW")).toBe(
      "ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP",
    );
    await ok(call("CLUSTER", "SETSLOT", "5", "STABLE"));
    await ok(call("CLUSTER", "SETSLOT", "5", "NODE", member.id));
  });
});

describe("what a cluster does not have", () => {
  test("other databases, and roles by hand", async () => {
    expect(await call("SELECT", "0")).toBe("OK");
    expect(await error("SELECT", "1")).toBe("ERR SELECT is not allowed in cluster mode");
    expect(await error("MOVE", "a", "0")).toBe("ERR MOVE is not allowed in cluster mode");
    expect(await error("SWAPDB", "0", "0")).toBe("ERR SWAPDB is not allowed in cluster mode");
    expect(await error("COPY", "a", "{a}b", "DB", "1")).toBe("ERR DB index is out of range");
    expect(await error("REPLICAOF", "NO", "ONE")).toBe("ERR REPLICAOF not allowed in cluster mode.");
    expect(await error("FAILOVER")).toBe(
      "ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead.",
    );
  });

  test("keys of several slots in one command, transaction or script", async () => {
    const cross = "CROSSSLOT Keys in request don't hash to the same slot";
    expect(await error("MSET", "a", "1", "b", "2")).toBe(cross);
    expect(await call("MSET", "{x}a", "1", "{x}b", "2")).toBe("OK");
    expect(await error("EVAL", "return 1", "2", "a", "b")).toBe(cross);
    await ok(call("MULTI"));
    expect(await call("SET", "a", "1")).toBe("QUEUED");
    expect(await call("SET", "b", "1")).toBe("QUEUED");
    expect(await error("EXEC")).toBe(cross);
    // The transaction is gone with it.
    expect(await error("EXEC")).toBe("ERR EXEC without MULTI");
    expect(await error("SORT", "l", "BY", "w_*")).toBe("ERR BY option of SORT denied in Cluster mode.");
  });

  test("scripts may reach undeclared keys of one slot; of several only where they say so", async () => {
    const body = "redis.call('set', 'a', 1) return redis.call('set', 'b', 1)";
    expect(await call("EVAL", body, "0")).toBe("OK");
    expect(await error("EVAL", `#!lua\n${body}`, "0")).toContain(
      "ERR Script attempted to access keys that do not hash to the same slot",
    );
    expect(await call("EVAL", `#!lua flags=allow-cross-slot-keys\n${body}`, "0")).toBe("OK");
    expect(await error("EVAL", "#!lua flags=no-cluster\nreturn 1", "0")).toBe(
      "ERR Can not run script on cluster, 'no-cluster' flag is set.",
    );
  });
});

describe("epochs and nodes by hand", () => {
  test("BUMPEPOCH and SET-CONFIG-EPOCH", async () => {
    expect(await call("CLUSTER", "BUMPEPOCH")).toMatch(/^BUMPED \d+$/);
    expect(await call("CLUSTER", "BUMPEPOCH")).toMatch(/^STILL \d+$/);
    expect(await error("CLUSTER", "SET-CONFIG-EPOCH", "7")).toBe("ERR Node config epoch is already non-zero");
    expect(await error("CLUSTER", "SET-CONFIG-EPOCH", "-7")).toBe("ERR Invalid config epoch specified: -7");
  });

  test("errors of MEET, FORGET, REPLICATE and FAILOVER", async () => {
    expect(await error("CLUSTER", "MEET", "nowhere", "1")).toBe(
      "ERR Invalid node address specified: nowhere:1",
    );
    expect(await error("CLUSTER", "MEET", "127.0.0.1", "x")).toBe("ERR Invalid base port specified: x");
    expect(await error("CLUSTER", "MEET", "127.0.0.1", "1", "y")).toBe("ERR Invalid bus port specified: y");
    expect(await error("CLUSTER", "FORGET", member.id)).toBe("ERR I tried hard but I can't forget myself...");
    expect(await error("CLUSTER", "FORGET", "nobody")).toBe("ERR Unknown node nobody");
    expect(await error("CLUSTER", "REPLICATE", member.id)).toBe("ERR Can't replicate myself");
    expect(await error("CLUSTER", "FAILOVER")).toBe("ERR You should send CLUSTER FAILOVER to a replica");
    expect(await error("CLUSTER", "FAILOVER", "SOON")).toBe("ERR syntax error");
  });

  test("RESET, of an empty master only; HARD makes it another node", async () => {
    expect(await error("CLUSTER", "RESET")).toBe(
      "ERR CLUSTER RESET can't be called with master nodes containing keys",
    );
    await ok(call("FLUSHALL"));
    expect(await error("CLUSTER", "RESET", "SOMEHOW")).toBe("ERR syntax error");
    await ok(call("CLUSTER", "RESET"));
    expect(await call("CLUSTER", "MYID")).toBe(member.id);
    expect(await call("CLUSTER", "SLOTS")).toEqual([]);
    await ok(call("CLUSTER", "RESET", "HARD"));
    expect(await call("CLUSTER", "MYID")).not.toBe(member.id);
    await ok(call("CLUSTER", "SET-CONFIG-EPOCH", "7"));
    expect(await node.client.text("CLUSTER", "INFO")).toContain("cluster_my_epoch:7\r\n");
  });
});

describe("nodes.conf", () => {
  test("is taken up at the next start, keys of slots that nobody has are taken over", async () => {
    const dir = temporaryDirectory();
    const first = await startMember(["--dir", dir]);
    const id = await first.node.call("CLUSTER", "MYID");
    await ok(first.node.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383"));
    await working([first]);
    await ok(first.node.call("SET", "a", "1"));
    await ok(first.node.call("SAVE"));
    await ok(first.node.call("CLUSTER", "DELSLOTS", "15495"));
    await stopMember(first);
    const second = await startMember(["--dir", dir]);
    expect(await second.node.call("CLUSTER", "MYID")).toBe(id);
    await second.server.logged("I have keys for unassigned slot 15495. Taking responsibility for it.");
    await working([second]);
    expect(await second.node.call("GET", "a")).toBe("1");
    await stopMember(second);
  });

  const fails = async (dir: string): Promise<string> => {
    const args = ["--cluster-enabled", "yes", "--cluster-port", "0", "--dir", dir];
    try {
      await launch({ command: serverCommand(), args });
    } catch (failure) {
      return (failure as Error).message;
    }
    return "it started";
  };

  test("belongs to one server at a time", async () => {
    const first = await startMember();
    // The lock holds also for the file that has taken the first one's place.
    await ok(first.node.call("CLUSTER", "SAVECONFIG"));
    expect(await fails(first.server.dir)).toContain(
      "Sorry, the cluster configuration file nodes.conf is already used by a different Redis Cluster node.",
    );
    await stopMember(first);
  });

  test("corrupt, ends the start", async () => {
    const dir = temporaryDirectory();
    writeFileSync(path(dir, "nodes.conf"), "nonsense\n");
    expect(await fails(dir)).toContain('Unrecoverable error: corrupted cluster config file "nonsense".');
  });
});

test("CLIENT LIST shows READONLY, RESET takes it back", async () => {
  await ok(call("READONLY"));
  expect(fieldsOf(await node.client.text("CLIENT", "INFO")).flags).toBe("r");
  await ok(call("READWRITE"));
  expect(fieldsOf(await node.client.text("CLIENT", "INFO")).flags).toBe("N");
  await ok(call("READONLY"));
  expect(await call("RESET")).toBe("RESET");
  expect(fieldsOf(await node.client.text("CLIENT", "INFO")).flags).toBe("N");
});
