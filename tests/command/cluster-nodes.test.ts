/** Several redbun nodes: redirections, slots on their way, messages, replicas and who takes over from whom. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  attach,
  clusterField,
  errorOf,
  join,
  lineOf,
  type Member,
  ok,
  startMember,
  stopMember,
  working,
} from "../cluster.ts";
import { until } from "../replication.ts";
import { type Reply, RespClient } from "../resp-client.ts";

setDefaultTimeout(60_000);

// Slots: {a} 15495 and {c} 7365 are b's and a's of two nodes; foo 12182.
const A = { tag: "a", slot: "15495" };
const C = { tag: "c", slot: "7365" };

describe("two masters", () => {
  let low: Member;
  let high: Member;
  beforeAll(async () => {
    [low, high] = await Promise.all([startMember(["--enable-debug-command", "yes"]), startMember()]);
    await join([low, high]);
  });
  afterAll(() => Promise.all([low, high].map(stopMember)));

  const moved = (slot: string, member: Member): string => `MOVED ${slot} 127.0.0.1:${member.server.port}`;

  test("MOVED says who has the slot", async () => {
    expect(await errorOf(low.node.call("SET", "a", "1"))).toBe(moved(A.slot, high));
    expect(await errorOf(high.node.call("GET", "c"))).toBe(moved(C.slot, low));
    expect(await high.node.call("SET", "a", "1")).toBe("OK");
    // Commands without keys are anybody's.
    expect(await low.node.call("DBSIZE")).toBe(0);
    expect(await errorOf(low.node.call("EVAL", "return 1", "1", "a"))).toBe(moved(A.slot, high));
    expect(await errorOf(low.node.call("EVAL", "return redis.call('get', 'a')", "0"))).toContain(
      "ERR Script attempted to access a non local key in a cluster node",
    );
  });

  test("a queued command that is elsewhere spoils the transaction", async () => {
    await ok(low.node.call("MULTI"));
    expect(await errorOf(low.node.call("SET", "a", "1"))).toBe(moved(A.slot, high));
    expect(await errorOf(low.node.call("EXEC"))).toBe(
      "EXECABORT Transaction discarded because of previous errors.",
    );
  });

  test("cluster-preferred-endpoint-type and the announced host name", async () => {
    await ok(high.node.call("CONFIG", "SET", "cluster-announce-hostname", "high.example"));
    await ok(low.node.call("CONFIG", "SET", "cluster-preferred-endpoint-type", "hostname"));
    await until(async () => (await lineOf(low, high.id))[1]?.endsWith(",high.example") === true);
    const { port } = high.server;
    expect(await errorOf(low.node.call("GET", "a"))).toBe(`MOVED ${A.slot} high.example:${port}`);
    await ok(low.node.call("CONFIG", "SET", "cluster-preferred-endpoint-type", "unknown-endpoint"));
    expect(await errorOf(low.node.call("GET", "a"))).toBe(`MOVED ${A.slot} :${port}`);
    const ranges = (await low.node.call("CLUSTER", "SLOTS")) as Reply[][];
    expect(ranges[1]![2]).toEqual([null, port, high.id, ["ip", "127.0.0.1", "hostname", "high.example"]]);
    await ok(low.node.call("CONFIG", "SET", "cluster-preferred-endpoint-type", "ip"));
  });

  test("a slot on its way: ASK, ASKING, TRYAGAIN, and MIGRATE", async () => {
    const { slot } = A;
    const ask = `ASK ${slot} 127.0.0.1:${low.server.port}`;
    await ok(high.node.call("MSET", "{a}1", "one", "{a}2", "two"));
    await ok(low.node.call("CLUSTER", "SETSLOT", slot, "IMPORTING", high.id));
    await ok(high.node.call("CLUSTER", "SETSLOT", slot, "MIGRATING", low.id));
    expect(await high.node.client.text("CLUSTER", "NODES")).toContain(` [${slot}->-${low.id}]`);
    // What is here is served, what is not is asked for there.
    expect(await high.node.call("GET", "{a}1")).toBe("one");
    expect(await errorOf(high.node.call("GET", "{a}new"))).toBe(ask);
    expect(await errorOf(high.node.call("MGET", "{a}1", "{a}new"))).toBe(
      "TRYAGAIN Multiple keys request during rehashing of slot",
    );
    expect(await errorOf(low.node.call("GET", "{a}new"))).toBe(moved(slot, high));
    await ok(low.node.call("ASKING"));
    expect(await low.node.call("SET", "{a}new", "new")).toBe("OK");
    // It holds for one command, or for a transaction.
    expect(await errorOf(low.node.call("GET", "{a}new"))).toBe(moved(slot, high));
    await ok(low.node.call("ASKING"));
    expect(await errorOf(low.node.call("MGET", "{a}new", "{a}1"))).toBe(
      "TRYAGAIN Multiple keys request during rehashing of slot",
    );
    await ok(low.node.call("ASKING"));
    await ok(low.node.call("MULTI"));
    expect(await low.node.call("GET", "{a}new")).toBe("QUEUED");
    expect(await low.node.call("EXEC")).toEqual(["new"]);
    await ok(
      high.node.call(
        ...["MIGRATE", "127.0.0.1", String(low.server.port), "", "0", "5000", "KEYS", "{a}1", "{a}2", "a"],
      ),
    );
    expect(await high.node.call("CLUSTER", "COUNTKEYSINSLOT", slot)).toBe(0);
    await ok(low.node.call("CLUSTER", "SETSLOT", slot, "NODE", low.id));
    await ok(high.node.call("CLUSTER", "SETSLOT", slot, "NODE", low.id));
    expect(await low.node.call("MGET", "{a}1", "{a}2", "{a}new", "a")).toEqual(["one", "two", "new", "1"]);
    expect(await errorOf(high.node.call("GET", "{a}1"))).toBe(moved(slot, low));
  });

  test("a payload comes in by RESTORE-ASKING", async () => {
    await ok(low.node.call("SET", "{c}x", "value"));
    const dump = (await low.node.call("DUMP", "{c}x")) as string;
    await ok(high.node.call("CLUSTER", "SETSLOT", C.slot, "IMPORTING", low.id));
    expect(await errorOf(high.node.call("RESTORE", "{c}x", "0", dump))).toBe(moved(C.slot, low));
    expect(await errorOf(high.node.call("RESTORE-ASKING", "{c}x", "0", "junk"))).toBe(
      "ERR DUMP payload version or checksum are wrong",
    );
    await ok(high.node.call("CLUSTER", "SETSLOT", C.slot, "STABLE"));
  });

  test("who waits for a key, or listens to a shard channel, is sent on when the slot leaves", async () => {
    const [waits, listens] = [await RespClient.open(low.server.port), await RespClient.open(low.server.port)];
    const blocked = waits.call("BLPOP", "{c}list", "0");
    expect(await errorOf(high.node.call("SSUBSCRIBE", "{c}news"))).toBe(moved(C.slot, low));
    expect(await listens.call("SSUBSCRIBE", "{c}news")).toEqual(["ssubscribe", "{c}news", 1]);
    await until(async () => (await low.node.info("clients")).blocked_clients === "1");
    await ok(high.node.call("CLUSTER", "SETSLOT", C.slot, "NODE", high.id));
    await ok(low.node.call("DEL", "{c}x").then(() => "OK"));
    await ok(low.node.call("CLUSTER", "SETSLOT", C.slot, "NODE", high.id));
    expect(await listens.next()).toEqual(["sunsubscribe", "{c}news", 0]);
    expect(await errorOf(blocked)).toBe(moved(C.slot, high));
    waits.close();
    listens.close();
  });

  test("keys of a slot that another node claims with a greater epoch are deleted", async () => {
    const slot = String(await low.node.call("CLUSTER", "KEYSLOT", "{b}"));
    await ok(low.node.call("SET", "{b}1", "x"));
    await ok(low.node.call("SET", "{b}2", "x"));
    expect(await low.node.call("CLUSTER", "COUNTKEYSINSLOT", slot)).toBe(2);
    await ok(high.node.call("CLUSTER", "DELSLOTS", slot));
    await ok(high.node.call("CLUSTER", "ADDSLOTS", slot));
    await high.node.call("CLUSTER", "BUMPEPOCH");
    await until(async () => (await low.node.call("CLUSTER", "COUNTKEYSINSLOT", slot)) === 0);
    expect(await errorOf(low.node.call("GET", "{b}1"))).toBe(moved(slot, high));
  });

  test("PUBLISH reaches listeners of all nodes", async () => {
    const listener = await RespClient.open(high.server.port);
    await listener.call("SUBSCRIBE", "news");
    expect(await low.node.call("PUBLISH", "news", "hello")).toBe(0);
    expect(await listener.next()).toEqual(["message", "news", "hello"]);
    listener.close();
  });

  test("CLUSTER LINKS shows both connections, INFO counts them; a broken one comes back", async () => {
    const directions = async (): Promise<Reply[]> =>
      ((await low.node.call("CLUSTER", "LINKS")) as Reply[][]).map((link) => link[1]!);
    await until(async () => (await directions()).length === 2);
    expect((await directions()).toSorted()).toEqual(["from", "to"]);
    expect((await low.node.info("clients")).cluster_connections).toBe("2");
    await ok(low.node.call("DEBUG", "CLUSTERLINK", "KILL", "ALL", high.id));
    await until(async () => (await directions()).length === 2);
  });

  test("without a majority the cluster is down; reads may be let through", async () => {
    await ok(low.node.call("CONFIG", "SET", "cluster-require-full-coverage", "no"));
    await ok(low.node.call("SET", "{hello}1", "x"));
    high.server.process.kill("SIGSTOP");
    await until(async () => (await clusterField(low, "cluster_state")) === "fail");
    expect(await errorOf(low.node.call("GET", "{hello}1"))).toBe("CLUSTERDOWN The cluster is down");
    await ok(low.node.call("CONFIG", "SET", "cluster-allow-reads-when-down", "yes"));
    expect(await low.node.call("GET", "{hello}1")).toBe("x");
    expect(await errorOf(low.node.call("SET", "{hello}1", "y"))).toBe(
      "CLUSTERDOWN The cluster is down and only accepts read commands",
    );
    high.server.process.kill("SIGCONT");
    await working([low, high]);
  });

  test("a forgotten node is not taken in again because others know it", async () => {
    await ok(high.node.call("CLUSTER", "FORGET", low.id));
    expect(await clusterField(high, "cluster_known_nodes")).toBe("1");
    await ok(low.node.call("CLUSTER", "FORGET", high.id));
    // Once forgotten, it may be forgotten again.
    await ok(low.node.call("CLUSTER", "FORGET", high.id));
    expect(await clusterField(low, "cluster_known_nodes")).toBe("1");
  });
});

describe("masters with replicas", () => {
  let masters: Member[];
  let replicas: Member[];
  beforeAll(async () => {
    masters = await Promise.all([startMember(), startMember(), startMember()]);
    replicas = await Promise.all([startMember(), startMember()]);
    await join([...masters, ...replicas], 3);
    for (const replica of replicas) await attach(replica, masters[0]!);
    // Nobody votes for a replica that it takes for a master.
    for (const member of [...masters, ...replicas])
      for (const { id } of replicas)
        await until(async () => (await lineOf(member, id))[3] === masters[0]!.id);
  });
  afterAll(() => Promise.all([...masters, ...replicas].map(stopMember)));

  const isMaster = async (member: Member): Promise<boolean> =>
    (await lineOf(member, member.id))[2]!.includes("master");
  const followsNow = async (member: Member, master: Member): Promise<boolean> =>
    (await lineOf(member, member.id))[3] === master.id &&
    (await member.node.info()).master_link_status === "up";

  test("a replica has the data; READONLY makes it answer", async () => {
    const [master] = masters;
    const [replica] = replicas;
    await ok(master!.node.call("SET", "{b}key", "value"));
    await replica!.node.caughtUpWith(master!.node);
    const slot = await replica!.node.call("CLUSTER", "KEYSLOT", "{b}");
    const elsewhere = `MOVED ${slot} 127.0.0.1:${master!.server.port}`;
    expect(await errorOf(replica!.node.call("GET", "{b}key"))).toBe(elsewhere);
    await ok(replica!.node.call("READONLY"));
    expect(await replica!.node.call("GET", "{b}key")).toBe("value");
    expect(await errorOf(replica!.node.call("SET", "{b}key", "x"))).toBe(elsewhere);
    await ok(replica!.node.call("MULTI"));
    expect(await replica!.node.call("GET", "{b}key")).toBe("QUEUED");
    expect(await replica!.node.call("EXEC")).toEqual(["value"]);
    await ok(replica!.node.call("READWRITE"));
    expect(await errorOf(replica!.node.call("GET", "{b}key"))).toBe(elsewhere);
    expect(await replica!.node.call("CLUSTER", "COUNTKEYSINSLOT", String(slot))).toBe(1);
    await until(
      async () => ((await master!.node.call("CLUSTER", "REPLICAS", master!.id)) as Reply[]).length === 2,
    );
    expect(await replica!.node.call("CLUSTER", "MYSHARDID")).toBe(
      await master!.node.call("CLUSTER", "MYSHARDID"),
    );
    expect(await errorOf(replica!.node.call("CLUSTER", "SETSLOT", "1", "STABLE"))).toBe(
      "ERR Please use SETSLOT only with masters.",
    );
    expect(await errorOf(replica!.node.call("CLUSTER", "FORGET", master!.id))).toBe(
      "ERR Can't forget my master!",
    );
  });

  test("SPUBLISH reaches who listens at the shard's replicas", async () => {
    const listener = await RespClient.open(replicas[1]!.server.port);
    expect(await listener.call("SSUBSCRIBE", "{b}news")).toEqual(["ssubscribe", "{b}news", 1]);
    expect(await masters[0]!.node.call("SPUBLISH", "{b}news", "hello")).toBe(0);
    expect(await listener.next()).toEqual(["smessage", "{b}news", "hello"]);
    listener.close();
  });

  test("CLUSTER FAILOVER: roles change, nothing is lost, nobody needs a second snapshot", async () => {
    const [master] = masters;
    const [first, second] = replicas;
    const before = (await master!.node.info("stats")).sync_full;
    await ok(first!.node.call("CLUSTER", "FAILOVER"));
    await until(() => isMaster(first!));
    await until(() => followsNow(master!, first!));
    await until(() => followsNow(second!, first!));
    await working([...masters, ...replicas]);
    expect(await first!.node.call("GET", "{b}key")).toBe("value");
    expect((await first!.node.info("stats")).sync_full).toBe("0");
    expect((await master!.node.info("stats")).sync_full).toBe(before!);
    // And back, without asking anybody.
    await ok(master!.node.call("CLUSTER", "FAILOVER", "TAKEOVER"));
    await until(() => followsNow(first!, master!));
    await until(() => followsNow(second!, master!));
    await working([...masters, ...replicas]);
  });

  test("a master that dies is replaced; it comes back as a replica", async () => {
    const [master] = masters;
    await ok(master!.node.call("SET", "{b}key", "newer"));
    expect(await master!.node.call("WAIT", "2", "0")).toBe(2);
    await ok(replicas[1]!.node.call("CONFIG", "SET", "cluster-replica-no-failover", "yes"));
    master!.server.process.kill("SIGSTOP");
    const [heir, other] = replicas;
    await until(() => isMaster(heir!));
    await until(() => followsNow(other!, heir!));
    await working([masters[1]!, heir!]);
    expect(await heir!.node.call("GET", "{b}key")).toBe("newer");
    expect(heir!.server.log()).toContain("Failover election won: I'm the new master.");
    expect((await lineOf(masters[1]!, other!.id))[2]).toBe("slave,nofailover");
    master!.server.process.kill("SIGCONT");
    await until(() => followsNow(master!, heir!));
    await until(async () => (await clusterField(heir!, "cluster_slots_ok")) === "16384");
  });
});
