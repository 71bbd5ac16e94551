import { SLOT_COUNT } from "../bytes/crc16.ts";
import { describeAddress } from "./address.ts";
import { flagText } from "./describe.ts";
import type { BusLink } from "./link.ts";
import { type Extension, type GossipEntry, type Header, TYPE } from "./message.ts";
import { ClusterNode, FLAG, testBit } from "./node.ts";
import type { ReceiverDeps } from "./receive.ts";
import { DUE } from "./state.ts";

/**
 * PING, PONG and MEET: the same message, of which PING and MEET want a PONG. From it follow in this order
 *
 *   our own address    where we are told nothing else, the one that others reach us by
 *   who it is          a node just met gets its name; at an address where somebody else answers, the old one is gone
 *   its role, its slots
 *   what it says of others (gossip), and more of itself (extensions)
 */
export class Presence {
  constructor(private readonly deps: ReceiverDeps) {}

  take(
    link: BusLink,
    sender: ClusterNode | null,
    header: Header,
    body: { gossip: GossipEntry[]; extensions: Extension[] },
  ): void {
    const { state, bus } = this.deps;
    if (header.type !== TYPE.pong) {
      this.learnOwnAddress(link, header.type);
      if (sender === null && header.type === TYPE.meet) this.met(link, header);
      bus.presence(link, TYPE.pong);
    }
    if (!link.inbound && !this.identify(link, sender, header)) return;
    if (!link.inbound && header.type === TYPE.pong) this.answered(link);
    if (sender === null) return;
    sender.clear(FLAG.nofailover);
    sender.set(header.flags & FLAG.nofailover);
    if (header.type === TYPE.ping && !sender.has(FLAG.handshake) && this.updateAddress(sender, link, header))
      state.later(DUE.save | DUE.updateState);
    this.role(sender, header);
    this.slots(sender, header);
    this.epochCollision(sender, header);
    this.gossip(sender, body.gossip);
    this.extensions(sender, body.extensions);
  }

  // ------------------------------------------------------------------ addresses

  private learnOwnAddress(link: BusLink, type: number): void {
    const { state, settings, log } = this.deps;
    const { myself } = state;
    if (settings.clusterAnnounceIp !== "" || (type !== TYPE.meet && myself.ip !== "")) return;
    const ip = link.localAddress;
    if (ip === "" || ip === myself.ip) return;
    myself.ip = ip;
    log.notice(`IP address for this node updated to ${ip}`);
    state.later(DUE.save);
  }

  /** Somebody new wants to be known: we shake hands by pinging it ourselves. */
  private met(link: BusLink, header: Header): void {
    const { state } = this.deps;
    const node = ClusterNode.fresh(FLAG.handshake, Date.now());
    node.ip = header.ip === "" ? link.remoteAddress : header.ip;
    this.takePorts(node, header);
    state.add(node);
    state.later(DUE.save);
  }

  private takePorts(node: ClusterNode, ports: { port: number; otherPort: number; busPort: number }): void {
    const { tlsCluster } = this.deps.settings;
    node.tcpPort = tlsCluster ? ports.otherPort : ports.port;
    node.tlsPort = tlsCluster ? ports.port : ports.otherPort;
    node.busPort = ports.busPort;
  }

  private hasPorts(node: ClusterNode, ports: { port: number; otherPort: number; busPort: number }): boolean {
    const { tlsCluster } = this.deps.settings;
    const [first, second] = tlsCluster ? [node.tlsPort, node.tcpPort] : [node.tcpPort, node.tlsPort];
    return first === ports.port && second === ports.otherPort && node.busPort === ports.busPort;
  }

  /** The node says itself, on a connection of its own, where it is; true where that is news. */
  private updateAddress(node: ClusterNode, link: BusLink, header: Header): boolean {
    if (link === node.link) return false;
    const ip = header.ip === "" ? link.remoteAddress : header.ip;
    if (ip === "" || (ip === node.ip && this.hasPorts(node, header))) return false;
    const { state, log, settings } = this.deps;
    node.ip = ip;
    this.takePorts(node, header);
    node.link?.close();
    node.clear(FLAG.noaddr);
    log.notice(
      `Address updated for node ${node.name} (${node.humanName}), now ${describeAddress(node, settings.tlsCluster)}`,
    );
    if (state.myself.isReplica && state.myself.master === node) this.deps.masterMoved();
    return true;
  }

  // ------------------------------------------------------------------ who it is

  /** On a connection that we made: is this whom we meant? False where there is nothing more to be said to it. */
  private identify(link: BusLink, sender: ClusterNode | null, header: Header): boolean {
    const { state, log } = this.deps;
    const { node } = link;
    if (node === null) return false;
    if (node.has(FLAG.handshake)) {
      if (sender !== null) {
        log.verbose(
          `Handshake: we already know node ${sender.name} (${sender.humanName}), updating the address if needed.`,
        );
        if (this.updateAddress(sender, link, header)) state.later(DUE.save | DUE.updateState);
        state.remove(node);
        return false;
      }
      state.rename(node, header.sender);
      log.debug(`Handshake with node ${node.name} completed.`);
      node.clear(FLAG.handshake);
      node.set(header.flags & (FLAG.master | FLAG.replica));
      state.later(DUE.save);
      return true;
    }
    if (node.name === header.sender) return true;
    log.debug(
      `PONG contains mismatching sender ID. About node ${node.name} added ${Date.now() - node.createdAt} ms ago, ` +
        `having flags ${node.flags}`,
    );
    node.set(FLAG.noaddr);
    node.ip = "";
    node.tcpPort = node.tlsPort = node.busPort = 0;
    link.close();
    state.later(DUE.save);
    return false;
  }

  private answered({ node }: BusLink): void {
    if (node === null) return;
    node.pongReceived = Date.now();
    node.pingSent = 0;
    if (node.has(FLAG.pfail)) {
      node.clear(FLAG.pfail);
      this.deps.state.later(DUE.save | DUE.updateState);
    } else if (node.failed) this.deps.health.clearFailure(node);
  }

  // ------------------------------------------------------------------ role and slots

  private role(sender: ClusterNode, header: Header): void {
    const { state } = this.deps;
    if (header.master === "") return state.setAsMaster(sender);
    if (sender.isMaster) {
      state.slots.removeAllOf(sender);
      sender.clear(FLAG.master | FLAG.migrateTo);
      sender.set(FLAG.replica);
      state.later(DUE.save | DUE.updateState);
    }
    const master = state.lookup(header.master);
    if (master === undefined || sender.master === master) return;
    sender.master?.removeReplica(sender);
    master.addReplica(sender);
    sender.master = master;
    state.setShard(sender, master.shardId);
    state.later(DUE.save);
  }

  private slots(sender: ClusterNode, header: Header): void {
    const { state, updates, bus, log } = this.deps;
    const master = sender.isMaster ? sender : sender.master;
    if (master === null || sameBits(master.slots, header.slots)) return;
    if (sender.isMaster) updates.claimed(sender, header.configEpoch, header.slots);
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      if (!testBit(header.slots, slot)) continue;
      const owner = state.slots.owner[slot]!;
      if (owner === null || owner === sender || state.slots.isUnclaimed(slot)) continue;
      if (owner.configEpoch <= header.configEpoch) continue;
      log.verbose(
        `Node ${sender.name} has old slots configuration, sending an UPDATE message about ${owner.name}`,
      );
      bus.update(sender, owner);
      break;
    }
  }

  /** Two masters with one epoch: the one with the smaller name takes another. */
  private epochCollision(sender: ClusterNode, header: Header): void {
    const { state, log } = this.deps;
    const { myself } = state;
    if (!myself.isMaster || !sender.isMaster || header.configEpoch !== myself.configEpoch) return;
    if (sender.configEpoch !== myself.configEpoch || sender.name <= myself.name) return;
    myself.configEpoch = ++state.currentEpoch;
    state.later(DUE.save | DUE.fsync);
    log.verbose(
      `WARNING: configEpoch collision with node ${sender.name} (${sender.humanName}). configEpoch set to ${myself.configEpoch}`,
    );
  }

  // ------------------------------------------------------------------ what it says of others, and of itself

  private gossip(sender: ClusterNode, entries: readonly GossipEntry[]): void {
    const { state, log } = this.deps;
    for (const entry of entries) {
      if (log.enabled("debug"))
        log.debug(`GOSSIP ${entry.name} ${entry.ip}:${entry.port}@${entry.busPort} ${flagText(entry.flags)}`);
      const node = state.lookup(entry.name);
      if (node !== undefined) {
        if (node !== state.myself) this.opinion(sender, node, entry);
      } else if ((entry.flags & FLAG.noaddr) === 0 && !state.isForgotten(entry.name)) {
        const fresh = new ClusterNode(entry.name, entry.flags & ~FLAG.myself, Date.now());
        fresh.ip = entry.ip;
        this.takePorts(fresh, entry);
        state.add(fresh);
        state.joinShard(fresh, fresh.shardId);
      }
    }
  }

  /** What it thinks of a node that we know as well. */
  private opinion(sender: ClusterNode, node: ClusterNode, entry: GossipEntry): void {
    const { health, log } = this.deps;
    const unreachable = (entry.flags & (FLAG.fail | FLAG.pfail)) !== 0;
    if (sender.isMaster) {
      const who = `Node ${sender.name} (${sender.humanName}) reported node ${node.name} (${node.humanName})`;
      if (unreachable) {
        if (node.addFailReport(sender, Date.now())) log.verbose(`${who} as not reachable.`);
        health.markFailing(node);
      } else if (node.removeFailReport(sender)) log.verbose(`${who} is back online.`);
    }
    if (unreachable) return;
    if (node.pingSent === 0 && health.failReports(node) === 0) {
      // It was heard of there more recently than here: no need to ask.
      const heard = entry.pongReceived * 1000;
      if (heard <= Date.now() + 500 && heard > node.pongReceived) node.pongReceived = heard;
    }
    const moved = node.ip.toLowerCase() !== entry.ip.toLowerCase() || !this.hasPorts(node, entry);
    if (!node.has(FLAG.fail | FLAG.pfail) || (entry.flags & FLAG.noaddr) !== 0 || !moved) return;
    node.link?.close();
    node.ip = entry.ip;
    this.takePorts(node, entry);
    node.clear(FLAG.noaddr);
  }

  private extensions(sender: ClusterNode, extensions: readonly Extension[]): void {
    const { state, log } = this.deps;
    let hostname = "";
    let humanName = "";
    let shard = "";
    for (const extension of extensions) {
      if (extension.type === "hostname") hostname = extension.text;
      else if (extension.type === "humanName") humanName = extension.text;
      else if (extension.type === "shardId") shard = extension.text;
      else if (extension.type === "forgottenNode") this.forgotten(extension.name, extension.seconds);
      else if (extension.type === "unknown")
        log.warning(`Received unknown extension type ${extension.number}`);
    }
    if (sender.hostname !== hostname || sender.humanName !== humanName) state.later(DUE.save);
    sender.hostname = hostname;
    sender.humanName = humanName;
    // Redis 7.0 has no shards: it is of its master's.
    state.setShard(sender, shard === "" ? sender.topMaster.shardId : shard);
  }

  /** Somebody was told to forget a node: so do we, unless it is our master. */
  private forgotten(name: string, seconds: number): void {
    const { state } = this.deps;
    const { myself } = state;
    const node = state.lookup(name);
    if (node === undefined || node === myself || (myself.isReplica && myself.master === node)) return;
    state.forgetForAWhile(node.name, seconds);
    state.remove(node);
    state.later(DUE.updateState | DUE.save);
  }
}

function sameBits(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
