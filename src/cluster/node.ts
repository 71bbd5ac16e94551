import { SLOT_COUNT } from "../bytes/crc16.ts";
import { randomHex } from "../host/random.ts";
import type { BusLink } from "./link.ts";

/**
 * A node of the cluster as this one knows it. Names are 40 letters a-z and digits; a node just met has a random one
 * until it says its own.
 */

/** Flags, as they go over the bus. */
export const FLAG = {
  master: 1,
  replica: 2,
  /** Not heard of for too long by this node. */
  pfail: 4,
  /** So say most masters. */
  fail: 8,
  myself: 16,
  /** It has not said its name yet. */
  handshake: 32,
  noaddr: 64,
  /** It is to be told to meet us. */
  meet: 128,
  /** A master that replicas may migrate to. */
  migrateTo: 256,
  /** A replica that does not want to become a master. */
  nofailover: 512,
} as const;

export const NAME_LENGTH = 40;

/** In the order in which CLUSTER NODES prints them. */
export const FLAG_NAMES: readonly (readonly [string, number])[] = [
  ["myself", FLAG.myself],
  ["master", FLAG.master],
  ["slave", FLAG.replica],
  ["fail?", FLAG.pfail],
  ["fail", FLAG.fail],
  ["handshake", FLAG.handshake],
  ["noaddr", FLAG.noaddr],
  ["nofailover", FLAG.nofailover],
];

export function isNodeName(text: string): boolean {
  return /^[a-z0-9]{40}$/.test(text);
}

export class ClusterNode {
  /** A random name where none is given. */
  constructor(
    public name: string,
    public flags: number,
    readonly createdAt: number,
  ) {}

  static fresh(flags: number, now: number): ClusterNode {
    return new ClusterNode(randomHex(NAME_LENGTH), flags, now);
  }

  shardId = randomHex(NAME_LENGTH);
  configEpoch = 0;
  /** A bit a slot, the lowest bit of a byte first, as on the bus. */
  readonly slots = new Uint8Array(SLOT_COUNT / 8);
  slotCount = 0;
  /** In the order in which they were added. */
  readonly replicas: ClusterNode[] = [];
  master: ClusterNode | null = null;
  ip = "";
  hostname = "";
  humanName = "";
  /** Ports for clients, and that of the bus; 0: there is none. */
  tcpPort = 0;
  tlsPort = 0;
  busPort = 0;
  /** Milliseconds since 1970; pingSent is 0 when the answer has come. */
  pingSent = 0;
  pongReceived = 0;
  dataReceived = 0;
  failTime = 0;
  votedTime = 0;
  orphanedTime = 0;
  replOffset = 0;
  /** The connection that we made to it, and the one that it made to us. */
  link: BusLink | null = null;
  inbound: BusLink | null = null;
  /** Masters that say it cannot be reached, and when they last said so. */
  readonly failReports = new Map<ClusterNode, number>();

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  set(flag: number): void {
    this.flags |= flag;
  }

  clear(flag: number): void {
    this.flags &= ~flag;
  }

  get isMaster(): boolean {
    return (this.flags & FLAG.master) !== 0;
  }

  get isReplica(): boolean {
    return (this.flags & FLAG.replica) !== 0;
  }

  get failed(): boolean {
    return (this.flags & FLAG.fail) !== 0;
  }

  hasSlot(slot: number): boolean {
    return testBit(this.slots, slot);
  }

  addReplica(replica: ClusterNode): void {
    if (this.replicas.includes(replica)) return;
    this.replicas.push(replica);
    this.set(FLAG.migrateTo);
  }

  removeReplica(replica: ClusterNode): void {
    const at = this.replicas.indexOf(replica);
    if (at < 0) return;
    this.replicas.splice(at, 1);
    if (this.replicas.length === 0) this.clear(FLAG.migrateTo);
  }

  get workingReplicas(): number {
    return this.replicas.reduce((count, replica) => (replica.failed ? count : count + 1), 0);
  }

  /** The master at the end of the chain, or itself. */
  get topMaster(): ClusterNode {
    let node: ClusterNode = this;
    // Two nodes may each take the other for their master for a while.
    for (let steps = 0; node.master !== null && steps < 16; steps++) node = node.master;
    return node;
  }

  // ------------------------------------------------------------------ failure reports

  /** False where this one had reported it before. */
  addFailReport(reporter: ClusterNode, now: number): boolean {
    const known = this.failReports.has(reporter);
    this.failReports.set(reporter, now);
    return !known;
  }

  removeFailReport(reporter: ClusterNode): boolean {
    return this.failReports.delete(reporter);
  }

  /** Those not older than `validity` milliseconds. */
  countFailReports(now: number, validity: number): number {
    for (const [reporter, at] of this.failReports) if (now - at > validity) this.failReports.delete(reporter);
    return this.failReports.size;
  }
}

export function testBit(bits: Uint8Array, at: number): boolean {
  return (bits[at >> 3]! & (1 << (at & 7))) !== 0;
}

export function setBit(bits: Uint8Array, at: number): void {
  bits[at >> 3] = bits[at >> 3]! | (1 << (at & 7));
}

export function clearBit(bits: Uint8Array, at: number): void {
  bits[at >> 3] = bits[at >> 3]! & ~(1 << (at & 7));
}
