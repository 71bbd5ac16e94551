import { afterEach, beforeEach, describe, expect, setSystemTime, test } from "bun:test";
import type { Bus } from "../../../src/cluster/bus.ts";
import { Failover } from "../../../src/cluster/failover.ts";
import { Health } from "../../../src/cluster/health.ts";
import { type Header, MESSAGE_FLAG, SLOT_BYTES } from "../../../src/cluster/message.ts";
import { ClusterNode, FLAG } from "../../../src/cluster/node.ts";
import { ClusterState } from "../../../src/cluster/state.ts";
import { Voting } from "../../../src/cluster/voting.ts";
import { Log } from "../../../src/host/log.ts";

/** Who fails, who votes for whom, and who has won: with a clock that goes only as told. */

const log = new Log(false);
log.level = "nothing";
const NODE_TIMEOUT = 1000;
let now = 1_700_000_000_000;

beforeEach(() => void setSystemTime(new Date(now)));
afterEach(() => void setSystemTime());

function pass(milliseconds: number): void {
  now += milliseconds;
  setSystemTime(new Date(now));
}

const settings = {
  clusterNodeTimeout: NODE_TIMEOUT,
  clusterRequireFullCoverage: false,
  clusterReplicaNoFailover: false,
  clusterReplicaValidityFactor: 10,
  replPingReplicaPeriod: 10,
};

/** Three masters with a slot each, of which `failed` has a replica; `myself` as asked for. */
function world(me: "master" | "replica") {
  const state = new ClusterState({ log, scheduled() {} });
  const masters = [1, 2, 3].map((epoch) => {
    const node = ClusterNode.fresh(FLAG.master, now);
    node.configEpoch = epoch;
    state.add(node);
    state.slots.add(node, epoch);
    return node;
  });
  const [failed, ...others] = masters as [ClusterNode, ClusterNode, ClusterNode];
  const replica = ClusterNode.fresh(FLAG.replica, now);
  replica.master = failed;
  failed.addReplica(replica);
  state.add(replica);
  state.myself = me === "master" ? others[0]! : replica;
  state.myself.set(FLAG.myself);
  state.size = 3;
  state.currentEpoch = 3;
  const told: string[] = [];
  const bus = {
    vote: (node: ClusterNode) => told.push(`vote for ${node.name}`),
    requestVotes: () => told.push(`votes for epoch ${state.currentEpoch}`),
    announce: (to: string) => told.push(`announced to ${to}`),
    startManualFailover: () => told.push("mfstart"),
  } as unknown as Bus;
  const health = new Health(state, {
    settings,
    log,
    sendFail: (node) => void told.push(`fail ${node.name}`),
    changed() {},
  });
  let age = 0;
  const failover = new Failover({
    state,
    health,
    bus,
    settings,
    log,
    offset: () => 100,
    dataAge: () => age,
    promote: () => void told.push("promoted"),
    pauseWrites: (until) => void told.push(until === 0 ? "writes go on" : "writes rest"),
    saveNow: () => void told.push("saved"),
  });
  const voting = new Voting({ state, bus, settings, log, saveNow: () => void told.push("saved") });
  const setAge = (milliseconds: number): void => {
    age = milliseconds;
  };
  return { state, failed, others, replica, told, health, failover, voting, setAge };
}

describe("failure", () => {
  test("is what most masters say, within twice the timeout", () => {
    const { failed, others, health, told } = world("master");
    failed.set(FLAG.pfail);
    health.markFailing(failed);
    expect(told).toEqual([]);
    failed.addFailReport(others[1]!, now);
    pass(NODE_TIMEOUT * 2 + 1);
    health.markFailing(failed);
    expect(failed.failed).toBe(false);
    failed.addFailReport(others[1]!, now);
    health.markFailing(failed);
    expect([told, failed.failed, failed.has(FLAG.pfail)]).toEqual([[`fail ${failed.name}`], true, false]);
  });

  test("of a master with slots is over only after some time, of others at once", () => {
    const { failed, replica, health } = world("master");
    for (const node of [failed, replica]) {
      node.set(FLAG.fail);
      node.failTime = now;
      health.clearFailure(node);
    }
    expect([failed.failed, replica.failed]).toEqual([true, false]);
    pass(NODE_TIMEOUT * 2 + 1);
    health.clearFailure(failed);
    expect(failed.failed).toBe(false);
  });
});

describe("a vote", () => {
  const request = (more: Partial<Header> = {}): Header => ({
    type: 5,
    port: 0,
    otherPort: 0,
    busPort: 0,
    currentEpoch: 4,
    configEpoch: 1,
    offset: 0,
    sender: "",
    slots: Uint8Array.from({ length: SLOT_BYTES }, (_, i) => (i === 0 ? 0b10 : 0)),
    master: "",
    ip: "",
    flags: 0,
    ok: true,
    messageFlags: 0,
    ...more,
  });

  test("is given once an epoch, to the replica of a failed master, and is on disk first", () => {
    const { state, failed, replica, voting, told } = world("master");
    state.currentEpoch = 4;
    voting.requested(replica, request());
    expect(told).toEqual([]);
    failed.set(FLAG.fail);
    voting.requested(replica, request({ currentEpoch: 3 }));
    expect(told).toEqual([]);
    voting.requested(replica, request());
    expect([told, state.lastVoteEpoch]).toEqual([["saved", `vote for ${replica.name}`], 4]);
    voting.requested(replica, request());
    state.currentEpoch = 5;
    // Another one for the same master comes too soon.
    voting.requested(replica, request({ currentEpoch: 5 }));
    expect(told).toHaveLength(2);
    pass(NODE_TIMEOUT * 2);
    voting.requested(replica, request({ currentEpoch: 5 }));
    expect(told).toHaveLength(4);
  });

  test("is not needed that the master has failed where a user wants it so", () => {
    const { state, replica, voting, told } = world("master");
    state.currentEpoch = 4;
    voting.requested(replica, request({ messageFlags: MESSAGE_FLAG.forceAck }));
    expect(told).toContain(`vote for ${replica.name}`);
  });

  test("is denied to masters, to who claims slots that somebody has with a greater epoch", () => {
    const { state, failed, others, replica, voting, told } = world("master");
    state.currentEpoch = 4;
    failed.set(FLAG.fail);
    const slots = Uint8Array.from({ length: SLOT_BYTES }, (_, i) => (i === 0 ? 0b1010 : 0));
    voting.requested(replica, request({ slots }));
    voting.requested(others[1]!, request());
    expect(told).toEqual([]);
  });
});

describe("a replica", () => {
  test("waits, asks for votes with an epoch of its own, and takes over with most of them", () => {
    const { state, failed, replica, failover, told } = world("replica");
    failover.handle();
    expect(told).toEqual([]);
    failed.set(FLAG.fail);
    failover.handle();
    expect(told).toEqual(["announced to replicas"]);
    failover.handle();
    pass(1000);
    failover.handle();
    expect([told.at(-1), state.currentEpoch]).toEqual(["votes for epoch 4", 4]);
    failover.voted(4);
    failover.voted(3);
    failover.handle();
    expect(replica.isMaster).toBe(false);
    failover.voted(4);
    failover.handle();
    expect([replica.isMaster, replica.configEpoch, state.slots.owner[1]]).toEqual([true, 4, replica]);
    expect(told.slice(-3)).toEqual(["promoted", "saved", "announced to all"]);
  });

  test("does not take votes of one election for those of the next", () => {
    const { state, failed, replica, failover } = world("replica");
    failed.set(FLAG.fail);
    failover.handle();
    pass(1000);
    failover.handle();
    failover.voted(4);
    failover.voted(4);
    failover.handle();
    expect(replica.isMaster).toBe(true);
    // The old master is back, takes its slots again with a greater epoch, and fails once more.
    failed.clear(FLAG.fail);
    failed.configEpoch = state.currentEpoch = 5;
    state.slots.remove(1);
    state.slots.add(failed, 1);
    state.setMyMaster(failed);
    failover.resetElection();
    failed.set(FLAG.fail);
    failover.handle();
    failover.handle();
    expect(replica.isMaster).toBe(false);
    pass(1000);
    failover.handle();
    expect(state.currentEpoch).toBe(6);
  });

  test("that has not heard of its master for too long stays what it is", () => {
    const { failed, failover, told, setAge } = world("replica");
    failed.set(FLAG.fail);
    setAge(NODE_TIMEOUT * 11 + 10_001);
    failover.handle();
    expect(told).toEqual([]);
    setAge(Number.POSITIVE_INFINITY);
    failover.handle();
    expect(told).toEqual([]);
  });

  test("by hand: the master rests, and where it rests the election begins at once", () => {
    const { state, failed, replica, failover, told } = world("replica");
    expect(() => failover.begin("agreed")).toThrow("Master is down or failed");
    failed.link = {} as NonNullable<ClusterNode["link"]>;
    failover.begin("agreed");
    expect(told).toEqual(["mfstart"]);
    failed.replOffset = 101;
    failover.masterPaused(failed);
    failover.handleManual();
    failover.handle();
    expect(told).toEqual(["mfstart"]);
    pass(6000);
    failover.checkManualTimeout();
    expect(failover.manual).toBe(false);
    failover.begin("agreed");
    failed.replOffset = 100;
    failover.masterPaused(failed);
    failover.handleManual();
    failover.handle();
    failover.handle();
    expect(told.at(-1)).toBe("votes for epoch 4");
    failover.resetManual();
    failover.begin("takeover");
    expect([replica.isMaster, state.slots.owner[1]]).toEqual([true, replica]);
  });
});

test("a master rests its writes for the one who wants its place, for as long as that may take", () => {
  const { state, others, failover, told } = world("master");
  const heir = ClusterNode.fresh(FLAG.replica, now);
  heir.master = state.myself;
  failover.beginAsMaster(heir);
  expect([told, failover.manualSuccessor]).toEqual([["writes rest"], heir]);
  pass(5001);
  failover.checkManualTimeout();
  expect([told, failover.manualSuccessor]).toEqual([["writes rest", "writes go on"], null]);
  expect(others).toHaveLength(2);
});
