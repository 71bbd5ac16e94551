import type { Log } from "../host/log.ts";
import type { Bus } from "./bus.ts";
import type { Failover } from "./failover.ts";
import type { Health } from "./health.ts";
import type { BusLink } from "./link.ts";
import { decode, type Header, MESSAGE_FLAG, type Message, TYPE, TYPE_NAMES } from "./message.ts";
import { type ClusterNode, FLAG } from "./node.ts";
import { Presence } from "./presence.ts";
import type { SlotUpdates } from "./slot-updates.ts";
import { type ClusterState, DUE } from "./state.ts";
import type { Voting } from "./voting.ts";

/**
 * What comes over the bus. Each message carries in its header what its sender is and knows; that is taken in first,
 * then what the message itself says. Only who is known is listened to, but for MEET.
 */
export interface ReceiverDeps {
  readonly state: ClusterState;
  readonly health: Health;
  readonly bus: Bus;
  readonly failover: Failover;
  readonly voting: Voting;
  readonly updates: SlotUpdates;
  readonly settings: { readonly tlsCluster: boolean; readonly clusterAnnounceIp: string };
  readonly log: Log;
  /** Our master has moved. */
  masterMoved(): void;
  /** A message for who listens here. */
  deliver(channel: Uint8Array, message: Uint8Array, sharded: boolean): void;
}

export class Receiver {
  /** DEBUG: messages of this type are not seen; -1: none are. */
  dropped = -1;
  private readonly presence: Presence;

  constructor(private readonly deps: ReceiverDeps) {
    this.presence = new Presence(deps);
  }

  receive(link: BusLink, bytes: Uint8Array): void {
    const { log, bus } = this.deps;
    const message = decode(bytes);
    if (message === null) return;
    if (typeof message === "string") return log.warning(message);
    const { type } = message.header;
    if (type < TYPE_NAMES.length) bus.receivedCounts[type] = bus.receivedCounts[type]! + 1;
    if (type === this.dropped) return log.warning("Dropping packet that matches debug drop filter");
    const sender = this.senderOf(link, message.header);
    if (sender !== null) {
      sender.dataReceived = Date.now();
      if (!sender.has(FLAG.handshake)) this.takeIn(sender, message.header);
    }
    this.dispatch(link, sender, message);
  }

  /** Who says this, or null: we do not know it. */
  private senderOf(link: BusLink, header: Header): ClusterNode | null {
    if (link.node !== null && !link.node.has(FLAG.handshake)) return link.node;
    const sender = this.deps.state.lookup(header.sender) ?? null;
    if (sender !== null && link.node === null) this.deps.bus.adopt(link, sender);
    return sender;
  }

  /** Epochs and offset of the header. */
  private takeIn(sender: ClusterNode, header: Header): void {
    const { state, failover } = this.deps;
    state.currentEpoch = Math.max(state.currentEpoch, header.currentEpoch);
    if (header.configEpoch > sender.configEpoch) {
      sender.configEpoch = header.configEpoch;
      state.later(DUE.save | DUE.fsync);
    }
    sender.replOffset = header.offset;
    if ((header.messageFlags & MESSAGE_FLAG.paused) !== 0) failover.masterPaused(sender);
  }

  private dispatch(link: BusLink, sender: ClusterNode | null, { header, body }: Message): void {
    const { state, failover, voting, log } = this.deps;
    if (body.kind === "presence") {
      this.presence.take(link, sender, header, body);
      return;
    }
    if (body.kind === "fail") {
      this.failed(sender, header, body.name);
      return;
    }
    if (sender === null) return;
    if (body.kind === "publish")
      this.deps.deliver(body.channel, body.message, header.type === TYPE.publishShard);
    else if (body.kind === "update") this.update(body);
    else if (header.type === TYPE.authRequest) voting.requested(sender, header);
    else if (header.type === TYPE.authAck) {
      if (sender.isMaster && sender.slotCount > 0) failover.voted(header.currentEpoch);
    } else if (header.type === TYPE.mfstart) {
      if (sender.master !== state.myself) return;
      failover.beginAsMaster(sender);
      this.deps.bus.presence(link, TYPE.ping);
    } else if (header.type !== TYPE.module) log.warning(`Received unknown packet type: ${header.type}`);
  }

  private failed(sender: ClusterNode | null, header: Header, name: string): void {
    const { state, log } = this.deps;
    if (sender === null)
      return log.notice(`Ignoring FAIL message from unknown node ${header.sender} about ${name}`);
    const node = state.lookup(name);
    if (node === undefined || node.has(FLAG.fail | FLAG.myself)) return;
    log.notice(
      `FAIL message received from ${sender.name} (${sender.humanName}) about ${node.name} (${node.humanName})`,
    );
    node.set(FLAG.fail);
    node.failTime = Date.now();
    node.clear(FLAG.pfail);
    state.later(DUE.save | DUE.updateState);
  }

  /** Somebody knows better who has certain slots. */
  private update(body: { configEpoch: number; name: string; slots: Uint8Array }): void {
    const { state, updates } = this.deps;
    const node = state.lookup(body.name);
    if (node === undefined || node.configEpoch >= body.configEpoch) return;
    if (node.isReplica) state.setAsMaster(node);
    node.configEpoch = body.configEpoch;
    state.later(DUE.save | DUE.fsync);
    updates.claimed(node, body.configEpoch, body.slots);
  }
}
