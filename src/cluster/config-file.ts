import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { latin1Bytes } from "../bytes/ascii.ts";
import { SLOT_COUNT } from "../bytes/crc16.ts";
import { systemErrorText } from "../config/errors.ts";
import type { Log } from "../host/log.ts";
import { describeNodes } from "./describe.ts";
import { ClusterNode, FLAG, FLAG_NAMES, isNodeName } from "./node.ts";
import type { ClusterState } from "./state.ts";

/**
 * The cluster's configuration file (cluster-config-file), written by the node itself whenever what it knows changes:
 * a line a node as in describe.ts, and at the end
 *
 *   vars currentEpoch <epoch> lastVoteEpoch <epoch>
 *
 * It is written under another name that then takes its place, so there is always a whole one. A server holds a lock
 * on it while it runs; since a file that is replaced takes its lock along, each new one is locked before the rename.
 */
export interface ConfigFileDeps {
  readonly log: Log;
  readonly tlsCluster: boolean;
  /** Locks an open file; "taken": another process has it. */
  lock(fd: number): "locked" | "taken";
}

const BUS_PORT_OFFSET = 10_000;
/** Not in values of fields, which stand between commas. */
const BAD_FIELD = /[!#$%&()*+:;<>?@[\]^{|}~]/;

/** What is written there is no configuration of a node. */
export class CorruptConfig extends Error {}

export class ConfigFile {
  private locked = -1;

  constructor(
    private readonly path: string,
    private readonly state: ClusterState,
    private readonly deps: ConfigFileDeps,
  ) {}

  /** Takes the file for this process; the reason why that cannot be, or null. */
  acquire(): string | null {
    let fd: number;
    try {
      fd = openSync(this.path, "a", 0o644);
    } catch (error) {
      return `Can't open ${this.path} in order to acquire a lock: ${systemErrorText(error)}`;
    }
    if (this.deps.lock(fd) === "locked") {
      this.locked = fd;
      return null;
    }
    closeSync(fd);
    return (
      `Sorry, the cluster configuration file ${this.path} is already used by a different Redis Cluster node. Please ` +
      "make sure that different nodes use different cluster configuration files."
    );
  }

  // ------------------------------------------------------------------ writing

  /** Throws what writing throws. */
  save(durable: boolean): void {
    const { state, path } = this;
    const text =
      `${describeNodes(state, FLAG.handshake, "for-file")}` +
      `vars currentEpoch ${state.currentEpoch} lastVoteEpoch ${state.lastVoteEpoch}\n`;
    const temporary = `${path}.tmp-${process.pid}-${Date.now()}`;
    let fd = -1;
    try {
      fd = openSync(temporary, "w", 0o644);
      const bytes = latin1Bytes(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      if (durable) fsyncSync(fd);
      this.deps.lock(fd);
      renameSync(temporary, path);
    } catch (error) {
      if (fd >= 0) closeSync(fd);
      rmSync(temporary, { force: true });
      throw error;
    }
    if (this.locked >= 0) closeSync(this.locked);
    this.locked = fd;
    if (durable) syncFolder(dirname(path));
  }

  // ------------------------------------------------------------------ reading

  /** Fills the state; false where there is nothing to read yet. Throws CorruptConfig, or what reading throws. */
  load(): boolean {
    const text = readFileSync(this.path, "latin1");
    if (text === "") return false;
    for (const line of text.split("\n")) {
      const words = line.split(" ").filter((word) => word !== "");
      if (words.length === 0) continue;
      const good = words[0] === "vars" ? this.readVariables(words) : this.readNode(words);
      if (!good) throw new CorruptConfig(line);
    }
    const { state } = this;
    if (state.myself === undefined) throw new CorruptConfig("no line about this node");
    state.currentEpoch = state.maxEpoch;
    return true;
  }

  private readVariables(words: readonly string[]): boolean {
    if (words.length % 2 === 0) return false;
    for (let i = 1; i < words.length; i += 2) {
      const value = Number(words[i + 1]);
      if (words[i] === "currentEpoch") this.state.currentEpoch = value;
      else if (words[i] === "lastVoteEpoch") this.state.lastVoteEpoch = value;
      else this.deps.log.notice(`Skipping unknown cluster config variable '${words[i]}'`);
    }
    return true;
  }

  private readNode(words: readonly string[]): boolean {
    const [name, address, flags, master, pingSent, pongReceived, epoch, , ...slots] = words;
    if (words.length < 8 || !isNodeName(name!)) return false;
    const node = this.nodeOf(name!);
    const shard = readAddress(node, address!, this.deps.tlsCluster);
    if (shard === null || !this.readFlags(node, flags!) || !this.readMaster(node, master!, shard))
      return false;
    const now = Date.now();
    if (pingSent !== "0") node.pingSent = now;
    if (pongReceived !== "0") node.pongReceived = now;
    node.configEpoch = node.isReplica && node.master !== null ? 0 : Number(epoch);
    return slots.every((word) => this.readSlots(node, word));
  }

  private nodeOf(name: string): ClusterNode {
    const known = this.state.nodes.get(name);
    if (known !== undefined) return known;
    const node = new ClusterNode(name, 0, Date.now());
    this.state.add(node);
    return node;
  }

  private readFlags(node: ClusterNode, words: string): boolean {
    for (const word of words.split(",")) {
      if (word === "noflags") continue;
      const flag = FLAG_NAMES.find(([name]) => name === word);
      if (flag === undefined) return false;
      node.set(flag[1]);
      if (flag[1] === FLAG.myself) this.state.myself = node;
      if (flag[1] === FLAG.fail) node.failTime = Date.now();
    }
    return true;
  }

  /** `shard`: what the line says, "" where it says nothing. */
  private readMaster(node: ClusterNode, word: string, shard: string): boolean {
    const { state } = this;
    if (word === "-") {
      if (shard !== "") node.shardId = shard;
      state.joinShard(node, node.shardId);
      return true;
    }
    if (!isNodeName(word)) return false;
    const master = this.nodeOf(word);
    // A master not read yet is of the shard that its replica names.
    const known = state.shards.get(master.shardId)?.includes(master) === true;
    if (shard === "") node.shardId = master.shardId;
    else if (known && master.shardId !== shard) return false;
    else node.shardId = shard;
    state.joinShard(node, node.shardId);
    node.master = master;
    master.addReplica(node);
    return true;
  }

  private readSlots(node: ClusterNode, word: string): boolean {
    const { slots } = this.state;
    const moving = /^\[(\d+)-([<>])-([a-z0-9]{40})\]$/.exec(word);
    if (moving !== null) {
      const slot = Number(moving[1]);
      if (slot >= SLOT_COUNT) return false;
      (moving[2] === ">" ? slots.migrating : slots.importing)[slot] = this.nodeOf(moving[3]!);
      return true;
    }
    const range = /^(\d+)(?:-(\d+))?$/.exec(word);
    if (range === null) return false;
    const first = Number(range[1]);
    const last = Number(range[2] ?? first);
    if (first >= SLOT_COUNT || last >= SLOT_COUNT) return false;
    for (let slot = first; slot <= last; slot++) slots.add(node, slot);
    return true;
  }
}

/** ip:port@bus port,hostname,field=value...; the shard ID ("": none), or null for what is malformed. */
function readAddress(node: ClusterNode, text: string, tlsCluster: boolean): string | null {
  const [address, hostname = "", ...fields] = text.split(",");
  node.hostname = hostname;
  let shard = "";
  let tcp = false;
  let tls = false;
  for (const field of fields) {
    const [name, value, ...more] = field.split("=");
    if (value === undefined || more.length > 0 || BAD_FIELD.test(field)) return null;
    const port = /^\d+$/.test(value) ? Number(value) : -1;
    if (name === "shard-id" && value.length === 40) shard = value;
    else if (name === "nodename") node.humanName = value;
    else if (name === "tcp-port" && port >= 0 && port <= 65535) [node.tcpPort, tcp] = [port, true];
    else if (name === "tls-port" && port >= 0 && port <= 65535) [node.tlsPort, tls] = [port, true];
    else return null;
  }
  const colon = address!.lastIndexOf(":");
  if (colon < 0) return null;
  node.ip = address!.slice(0, colon);
  const [port, bus] = address!.slice(colon + 1).split("@");
  const number = Number.parseInt(port!, 10) || 0;
  if (tcp ? !tls : !tls && tlsCluster) node.tlsPort = number;
  else if (!tcp) node.tcpPort = number;
  node.busPort =
    bus === undefined
      ? (tlsCluster ? node.tlsPort : node.tcpPort) + BUS_PORT_OFFSET
      : Number.parseInt(bus, 10) || 0;
  return shard;
}

function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
