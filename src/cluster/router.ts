import { keySlot } from "../bytes/crc16.ts";
import type { Call } from "../call/call.ts";
import type { KeyList } from "../call/keys.ts";
import type { Command } from "../call/registry.ts";
import type { Session } from "../call/session.ts";
import { FLAGS } from "../call/spec.ts";
import type { Database } from "../keyspace/database.ts";
import { type EndpointType, preferredEndpoint } from "./address.ts";
import { clientPort } from "./describe.ts";
import type { ClusterNode } from "./node.ts";
import type { ClusterState } from "./state.ts";

/**
 * Whether a command is for this node: all its keys (of a transaction, those of all its commands) must be of one slot.
 *
 *   slot not ours              MOVED to who has it; READONLY lets a replica serve its master's
 *   ours, being given away     what is here is served; ASK where nothing is; TRYAGAIN where some is
 *   being taken in             served after ASKING, unless several keys are asked for and one is not here yet
 *   cluster not working        CLUSTERDOWN
 *
 * Nothing is allocated unless the answer is an error; the usual case is decided by one look into a table.
 */
export interface RouterDeps {
  readonly state: ClusterState;
  readonly settings: {
    readonly clusterAllowReadsWhenDown: boolean;
    readonly clusterAllowPubsubshardWhenDown: boolean;
    readonly clusterPreferredEndpointType: EndpointType;
    readonly tlsCluster: boolean;
  };
  database(): Database;
  /** Flags of the commands that the session has queued. */
  queuedFlags(session: Session): number;
  /** Whether the session has queued a command for which this is true. */
  anyQueued(session: Session, test: (call: Call, command: Command) => boolean): boolean;
}

const HERE = 0;
const CROSS_SLOT = 1;
const UNSTABLE = 2;
const ASK = 3;
const MOVED = 4;
const DOWN = 5;
const DOWN_FOR_WRITES = 6;
const UNBOUND = 7;

export class Router {
  private readonly keys: KeyList = [];
  /** The slot of the keys seen so far, -1: none was seen; and where it is. */
  private slot = -1;
  private owner: ClusterNode | null = null;
  private migrating = false;
  private importing = false;
  /** Of keys in a slot on its way: several different ones, and how many are and are not here. */
  private several = false;
  private missing = 0;
  private present = 0;
  private firstBuf: Uint8Array = new Uint8Array(0);
  private firstStart = 0;
  private firstEnd = 0;

  constructor(private readonly deps: RouterDeps) {}

  /** The error that redirects the client, or tells it why it is not served; null: the command may go on. */
  refusal(call: Call, command: Command): string | null {
    if (!command.routed) return null;
    const { session } = call;
    const outcome = this.route(call, command, session);
    return outcome === HERE ? null : this.sentence(outcome, session.link.tls);
  }

  /** For a script's command: its slot, -1 where it has no keys, or the error that the script gets. */
  forScript(call: Call, command: Command, caller: Session): number | string {
    if (!command.routed) return -1;
    switch (this.route(call, command, caller)) {
      case HERE:
        return this.slot;
      case DOWN_FOR_WRITES:
        return "ERR Script attempted to execute a write command while the cluster is down and readonly";
      case DOWN:
        return "ERR Script attempted to execute a command while the cluster is down";
      default:
        return "ERR Script attempted to access a non local key in a cluster node";
    }
  }

  /** The slot of the call's keys, -1 where it has none. */
  slotOf(call: Call, command: Command): number {
    if (!command.routed || command.keys.findRouted(call, this.keys) === 0) return -1;
    return keySlot(call.buf, call.start[this.keys[0]!]!, call.end[this.keys[0]!]!);
  }

  /** For a client that waits for a key: why it can wait here no longer, or null. */
  forBlocked(session: Session, command: Command, key: Uint8Array): string | null {
    const { state } = this.deps;
    const { myself } = state;
    if (!state.ok) return this.sentence(DOWN, session.link.tls);
    const slot = keySlot(key, 0, key.length);
    const owner = state.slots.owner[slot]!;
    if (owner === myself || state.slots.importing[slot] !== null) return null;
    const reads = session.readsReplica && (command.flags & FLAGS.write) === 0;
    if (reads && myself.isReplica && myself.master === owner) return null;
    this.slot = slot;
    this.owner = owner;
    return this.sentence(owner === null ? UNBOUND : MOVED, session.link.tls);
  }

  // ------------------------------------------------------------------ the decision

  private route(call: Call, command: Command, session: Session): number {
    this.slot = -1;
    this.several = false;
    this.missing = this.present = 0;
    const ends = command.spec.endsTransaction === true;
    if (ends) {
      let outcome = HERE;
      this.deps.anyQueued(session, (queued, each) => (outcome = this.visit(queued, each)) !== HERE);
      if (outcome !== HERE) return outcome;
    } else {
      const outcome = this.visit(call, command);
      if (outcome !== HERE) return outcome;
    }
    if (this.slot < 0) return HERE;
    const { state } = this.deps;
    if (state.ok && this.owner === state.myself && !this.migrating && !this.importing) return HERE;
    return this.elsewhere(call, command, session, ends);
  }

  /** Adds the keys of one command. */
  private visit(call: Call, command: Command): number {
    const { keys } = this;
    const { buf, start, end } = call;
    const count = command.keys.findRouted(call, keys);
    for (let i = 0; i < count * 2; i += 2) {
      const at = keys[i]!;
      const slot = keySlot(buf, start[at]!, end[at]!);
      if (this.slot < 0) {
        this.first(slot, buf, start[at]!, end[at]!);
        if (this.owner === null) return UNBOUND;
      } else if (slot !== this.slot) return CROSS_SLOT;
      else if (this.importing && !this.several && !this.isFirst(buf, start[at]!, end[at]!))
        this.several = true;
      if ((this.migrating || this.importing) && (command.flags & FLAGS.pubsub) === 0) {
        if (this.deps.database().findLive(buf, start[at]!, end[at]!) === 0) this.missing++;
        else this.present++;
      }
    }
    return HERE;
  }

  private first(slot: number, buf: Uint8Array, start: number, end: number): void {
    const { slots, myself } = this.deps.state;
    this.slot = slot;
    this.owner = slots.owner[slot]!;
    this.migrating = this.owner === myself && slots.migrating[slot] !== null;
    this.importing = !this.migrating && slots.importing[slot] !== null;
    this.firstBuf = buf;
    this.firstStart = start;
    this.firstEnd = end;
  }

  private isFirst(buf: Uint8Array, start: number, end: number): boolean {
    const { firstBuf, firstStart, firstEnd } = this;
    if (end - start !== firstEnd - firstStart) return false;
    for (let i = 0; i < end - start; i++) if (buf[start + i] !== firstBuf[firstStart + i]) return false;
    return true;
  }

  private elsewhere(call: Call, command: Command, session: Session, ends: boolean): number {
    const { state, settings } = this.deps;
    const { myself } = state;
    const sharded = (command.flags & FLAGS.pubsub) !== 0;
    const flags = command.flagsOf(call);
    const writes = (flags & FLAGS.write) !== 0;
    if (!state.ok) {
      if (sharded) {
        if (!settings.clusterAllowPubsubshardWhenDown) return DOWN;
      } else if (!settings.clusterAllowReadsWhenDown) return DOWN;
      else if (writes) return DOWN_FOR_WRITES;
    }
    if ((this.migrating || this.importing) && command.spec.movesSlots === true) return HERE;
    if (this.migrating && this.missing > 0) {
      if (this.present > 0) return UNSTABLE;
      this.owner = state.slots.migrating[this.slot]!;
      return ASK;
    }
    if (this.importing && (session.asking || (flags & FLAGS.asking) !== 0))
      return this.several && this.missing > 0 ? UNSTABLE : HERE;
    const reads = !writes && !(ends && (this.deps.queuedFlags(session) & FLAGS.write) !== 0);
    if ((session.readsReplica || sharded) && reads && myself.isReplica && myself.master === this.owner)
      return HERE;
    return this.owner === myself ? HERE : MOVED;
  }

  private sentence(outcome: number, tls: boolean): string {
    switch (outcome) {
      case CROSS_SLOT:
        return "CROSSSLOT Keys in request don't hash to the same slot";
      case UNSTABLE:
        return "TRYAGAIN Multiple keys request during rehashing of slot";
      case DOWN:
        return "CLUSTERDOWN The cluster is down";
      case DOWN_FOR_WRITES:
        return "CLUSTERDOWN The cluster is down and only accepts read commands";
      case UNBOUND:
        return "CLUSTERDOWN Hash slot not served";
    }
    const node = this.owner!;
    const host = preferredEndpoint(node, this.deps.settings.clusterPreferredEndpointType);
    return `${outcome === ASK ? "ASK" : "MOVED"} ${this.slot} ${host}:${clientPort(node, tls)}`;
  }
}

/** Whether an error sends the client elsewhere rather than saying that something is wrong with its command. */
export function isRedirection(error: string): boolean {
  return /^(MOVED|ASK|CROSSSLOT|TRYAGAIN|CLUSTERDOWN|REDIRECT) /.test(error);
}
