import type { Log } from "../host/log.ts";
import { BusLink, type LinkUser } from "./link.ts";
import {
  type Extension,
  encodeFail,
  encodePlain,
  encodePresence,
  encodePublish,
  encodeUpdate,
  type GossipEntry,
  type Header,
  MESSAGE_FLAG,
  TYPE,
  TYPE_NAMES,
} from "./message.ts";
import { type ClusterNode, FLAG } from "./node.ts";
import type { ClusterState } from "./state.ts";

/**
 * The bus: the connections among nodes, and what this node says on them. What it hears is in receive.ts.
 */
export interface BusSettings {
  readonly port: number;
  readonly tlsPort: number;
  readonly tlsCluster: boolean;
  readonly clusterPort: number;
  readonly clusterAnnounceIp: string;
  readonly clusterAnnouncePort: number;
  readonly clusterAnnounceTlsPort: number;
  readonly clusterAnnounceBusPort: number;
  readonly clusterLinkSendbufLimit: number;
}

export interface BusDeps {
  readonly settings: BusSettings;
  readonly log: Log;
  /** For tls-cluster; undefined: without TLS. */
  clientTls(): Bun.TLSOptions | undefined;
  /** The replication offset: what was written, or of a replica what it has processed. */
  offset(): number;
  /** This node's writes rest, for a manual failover. */
  paused(): boolean;
  /** A manual failover is what votes are asked for. */
  forced(): boolean;
  /** A whole message has come. */
  received(link: BusLink, bytes: Uint8Array): void;
  /** Others may connect: not before the data are loaded, so that a node that takes long to start counts as failed. */
  accepting(): boolean;
  /** Opens the bus port; throws where it cannot. */
  listen(handlers: Bun.SocketHandler<BusLink>): void;
}

const BUS_PORT_OFFSET = 10_000;
/** Of 5 nodes this many are told about by gossip at least. */
const LEAST_GOSSIP = 3;
const GOSSIP_SHARE = 10;

/** The port of the bus, given that of the clients. */
export function busPortOf(settings: BusSettings): number {
  if (settings.clusterPort > 0) return settings.clusterPort;
  return (settings.tlsCluster ? settings.tlsPort : settings.port) + BUS_PORT_OFFSET;
}

/** What this node tells others of its ports. */
export function announcedPorts(settings: BusSettings): { tcp: number; tls: number; bus: number } {
  return {
    tcp: settings.clusterAnnouncePort || settings.port,
    tls: settings.clusterAnnounceTlsPort || settings.tlsPort,
    bus: settings.clusterAnnounceBusPort || busPortOf(settings),
  };
}

export class Bus implements LinkUser {
  /** Messages by type (TYPE). */
  readonly sent = new Float64Array(TYPE_NAMES.length);
  readonly receivedCounts = new Float64Array(TYPE_NAMES.length);
  /** Links closed because too much waited to be sent. */
  limitExceeded = 0;
  /** Connections that others made to us, whoever they are. */
  private readonly inbound = new Set<BusLink>();

  constructor(
    private readonly state: ClusterState,
    private readonly deps: BusDeps,
  ) {}

  // ------------------------------------------------------------------ connections

  listen(): void {
    this.deps.listen({
      binaryType: "uint8array",
      open: (socket) => {
        if (!this.deps.accepting()) return void socket.terminate();
        const link = new BusLink(true, this);
        socket.data = link;
        this.inbound.add(link);
        link.open(socket);
      },
      data: (socket, chunk) => socket.data?.received(chunk),
      drain: (socket) => socket.data?.flush(),
      close: (socket) => socket.data?.close(),
      error: (socket) => socket.data?.close(),
    });
  }

  connect(node: ClusterNode): void {
    const link = new BusLink(false, this);
    link.node = node;
    node.link = link;
    const tls = this.deps.clientTls();
    Bun.connect<undefined>({
      hostname: node.ip,
      port: node.busPort,
      ...(tls !== undefined && { tls }),
      socket: {
        binaryType: "uint8array",
        open: (socket) => (tls === undefined ? link.open(socket) : undefined),
        handshake: (socket, success) => (success ? link.open(socket) : link.close()),
        data: (_socket, chunk) => link.received(chunk),
        drain: () => link.flush(),
        close: () => link.close(),
        end: () => link.close(),
        error: () => link.close(),
        connectError: () => this.failed(link),
      },
    }).catch(() => this.failed(link));
  }

  private failed(link: BusLink): void {
    const { node } = link;
    if (!link.closed && node !== null)
      this.deps.log.verbose(`Connection with Node ${node.name} at ${node.ip}:${node.busPort} failed`);
    link.close();
  }

  /** The first thing said on a connection of ours: who we are. */
  opened(link: BusLink): void {
    const { node } = link;
    if (node === null) return;
    const { pingSent } = node;
    this.presence(link, node.has(FLAG.meet) ? TYPE.meet : TYPE.ping);
    // Reconnecting does not make it younger: it has not answered yet.
    if (pingSent > 0) node.pingSent = pingSent;
    node.clear(FLAG.meet);
  }

  message(link: BusLink, bytes: Uint8Array): void {
    try {
      this.deps.received(link, bytes);
    } catch (error) {
      const trace = error instanceof Error ? error.stack : String(error);
      this.deps.log.warning(`Exception while handling a message of the cluster bus: ${trace}`);
      link.close();
    }
  }

  garbage(link: BusLink, why: string): void {
    this.deps.log.warning(`${why} (${link.node?.name ?? link.remoteAddress})`);
  }

  closed(link: BusLink): void {
    this.inbound.delete(link);
  }

  /** A connection made to us turns out to be this node's; an older one of it is given up. */
  adopt(link: BusLink, node: ClusterNode): void {
    if (node.inbound === link) return;
    node.inbound?.close();
    node.inbound = link;
    link.node = node;
  }

  closeAll(): void {
    for (const { link } of this.state.nodes.values()) link?.close();
    for (const link of this.inbound) link.close();
  }

  /** Gives up connections on which more waits than cluster-link-sendbuf-limit allows. */
  enforceLimit(node: ClusterNode): void {
    const limit = this.deps.settings.clusterLinkSendbufLimit;
    if (limit === 0) return;
    for (const link of [node.link, node.inbound]) {
      if (link === null || link.queuedBytes <= limit) continue;
      this.deps.log.warning(
        `Freeing cluster link(${link.inbound ? "from" : "to"} node ${node.name}, used memory: ${link.queuedBytes}) ` +
          "due to exceeding send buffer memory limit.",
      );
      link.close();
      this.limitExceeded++;
    }
  }

  // ------------------------------------------------------------------ figures

  get connectionCount(): number {
    let count = 0;
    for (const { link, inbound } of this.state.nodes.values())
      count += (link === null ? 0 : 1) + (inbound === null ? 0 : 1);
    return count;
  }

  get memoryUse(): number {
    let bytes = 0;
    for (const { link, inbound } of this.state.nodes.values())
      bytes += (link?.queuedBytes ?? 0) + (inbound?.queuedBytes ?? 0);
    return bytes;
  }

  // ------------------------------------------------------------------ saying something

  private send(link: BusLink | null, bytes: Uint8Array, type: number): void {
    if (link === null) return;
    this.sent[type] = this.sent[type]! + 1;
    link.send(bytes);
  }

  /** Sends to all nodes that have said who they are. */
  private broadcast(bytes: Uint8Array, type: number): void {
    for (const node of this.state.nodes.values())
      if (!node.has(FLAG.myself | FLAG.handshake)) this.send(node.link, bytes, type);
  }

  private header(type: number): Header {
    const { state, deps } = this;
    const { myself } = state;
    const { settings } = deps;
    const ports = announcedPorts(settings);
    const owner = myself.isReplica && myself.master !== null ? myself.master : myself;
    return {
      type,
      port: settings.tlsCluster ? ports.tls : ports.tcp,
      otherPort: settings.tlsCluster ? ports.tcp : ports.tls,
      busPort: ports.bus,
      currentEpoch: state.currentEpoch,
      configEpoch: owner.configEpoch,
      offset: deps.offset(),
      sender: myself.name,
      slots: owner.slots,
      master: myself.master?.name ?? "",
      ip: settings.clusterAnnounceIp,
      flags: myself.flags,
      ok: state.ok,
      messageFlags: myself.isMaster && deps.paused() ? MESSAGE_FLAG.paused : 0,
    };
  }

  /** PING, PONG or MEET, with gossip. */
  presence(link: BusLink, type: number): void {
    if (type === TYPE.ping && !link.inbound && link.node !== null) link.node.pingSent = Date.now();
    this.send(link, encodePresence(this.header(type), this.gossip(), this.extensions()), type);
  }

  /** Some nodes by chance, and all that cannot be reached: others have to learn of these soon. */
  private gossip(): GossipEntry[] {
    const { state } = this;
    const told = new Set<ClusterNode>();
    // Neither ourselves nor whom we talk to.
    let fresh = state.nodes.size - 2;
    const wanted = Math.min(fresh, Math.max(LEAST_GOSSIP, Math.floor(state.nodes.size / GOSSIP_SHARE)));
    for (let tries = wanted * 3; fresh > 0 && told.size < wanted && tries > 0; tries--) {
      const node = state.randomNode();
      if (node === state.myself || node.has(FLAG.pfail) || told.has(node)) continue;
      fresh--;
      if (node.has(FLAG.handshake | FLAG.noaddr) || (node.link === null && node.slotCount === 0)) continue;
      told.add(node);
    }
    for (const node of state.nodes.values())
      if (node.has(FLAG.pfail) && !node.has(FLAG.handshake | FLAG.noaddr)) told.add(node);
    return [...told].map((node) => this.gossipAbout(node));
  }

  private gossipAbout(node: ClusterNode): GossipEntry {
    const { tlsCluster } = this.deps.settings;
    return {
      name: node.name,
      pingSent: Math.floor(node.pingSent / 1000),
      pongReceived: Math.floor(node.pongReceived / 1000),
      ip: node.ip,
      port: tlsCluster ? node.tlsPort : node.tcpPort,
      otherPort: tlsCluster ? node.tcpPort : node.tlsPort,
      busPort: node.busPort,
      flags: node.flags,
    };
  }

  private extensions(): Extension[] {
    const { myself, blacklist } = this.state;
    const extensions: Extension[] = [];
    if (myself.hostname !== "") extensions.push({ type: "hostname", text: myself.hostname });
    if (myself.humanName !== "") extensions.push({ type: "humanName", text: myself.humanName });
    const now = Math.floor(Date.now() / 1000);
    for (const [name, until] of blacklist)
      if (until >= now) extensions.push({ type: "forgottenNode", name, seconds: until - now });
    extensions.push({ type: "shardId", text: myself.shardId });
    return extensions;
  }

  /** A PONG that nobody asked for: something of ours has changed. `to`: all, or replicas of our master and of us. */
  announce(to: "all" | "replicas"): void {
    const { myself } = this.state;
    for (const node of this.state.nodes.values()) {
      if (node.link === null || node === myself || node.has(FLAG.handshake)) continue;
      const ours =
        node.isReplica && node.master !== null && (node.master === myself || node.master === myself.master);
      if (to === "all" || ours) this.presence(node.link, TYPE.pong);
    }
  }

  fail(node: ClusterNode): void {
    this.broadcast(encodeFail(this.header(TYPE.fail), node.name), TYPE.fail);
  }

  /** Tells somebody whose knowledge is old who has these slots. */
  update(to: ClusterNode, about: ClusterNode): void {
    if (to.link !== null) this.send(to.link, encodeUpdate(this.header(TYPE.update), about), TYPE.update);
  }

  publish(channel: Uint8Array, message: Uint8Array): void {
    if (this.state.nodes.size === 1) return;
    this.broadcast(encodePublish(this.header(TYPE.publish), channel, message), TYPE.publish);
  }

  /** To the nodes of our own shard. */
  publishToShard(channel: Uint8Array, message: Uint8Array): void {
    const { state } = this;
    const type = TYPE.publishShard;
    let bytes: Uint8Array | null = null;
    for (const node of state.shards.get(state.myself.shardId) ?? []) {
      if (node.has(FLAG.myself | FLAG.handshake)) continue;
      this.send(node.link, (bytes ??= encodePublish(this.header(type), channel, message)), type);
    }
  }

  /** Asks all for their vote. */
  requestVotes(): void {
    const header = this.header(TYPE.authRequest);
    if (this.deps.forced()) header.messageFlags |= MESSAGE_FLAG.forceAck;
    this.broadcast(encodePlain(header), TYPE.authRequest);
  }

  vote(candidate: ClusterNode): void {
    this.plain(candidate, TYPE.authAck);
  }

  /** Asks our master to rest its writes. */
  startManualFailover(master: ClusterNode): void {
    this.plain(master, TYPE.mfstart);
  }

  private plain(to: ClusterNode, type: number): void {
    this.send(to.link, encodePlain(this.header(type)), type);
  }
}
