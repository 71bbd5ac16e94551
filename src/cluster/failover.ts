import type { Log } from "../host/log.ts";
import { CommandError } from "../resp/errors.ts";
import type { Bus } from "./bus.ts";
import type { Health } from "./health.ts";
import { type ClusterNode, FLAG } from "./node.ts";
import { type ClusterState, DUE } from "./state.ts";

/**
 * A replica takes its master's place.
 *
 *   the master has failed -> a delay (the better informed a replica, the shorter) -> an epoch of its own, and votes are
 *   asked for -> most masters have voted for it -> the master's slots are its own, and all are told
 *
 *   CLUSTER FAILOVER            MFSTART -> the master rests its writes and says at which offset -> we are there -> votes
 *   CLUSTER FAILOVER FORCE      votes at once
 *   CLUSTER FAILOVER TAKEOVER   no votes
 */
export interface FailoverSettings {
  readonly clusterNodeTimeout: number;
  readonly clusterReplicaNoFailover: boolean;
  readonly clusterReplicaValidityFactor: number;
  readonly replPingReplicaPeriod: number;
}

export interface FailoverDeps {
  readonly state: ClusterState;
  readonly health: Health;
  readonly bus: Bus;
  readonly settings: FailoverSettings;
  readonly log: Log;
  /** Bytes of the master's stream that have been processed. */
  offset(): number;
  /** Milliseconds since the master was last heard of. */
  dataAge(): number;
  /** Becomes a master, as far as replication is concerned. */
  promote(): void;
  /** Writes rest until then, or no longer (0). */
  pauseWrites(until: number): void;
  saveNow(): void;
}

/** A manual failover that takes longer is given up; its master's writes rest twice as long at most, milliseconds. */
const MANUAL_TIMEOUT = 5000;
const PAUSE_FACTOR = 2;
const LEAST_VOTING_TIME = 2000;
const FIRST_DELAY = 500;
const DELAY_BY_RANK = 1000;
/** The same reason is logged again after so long. */
const RELOG = 10_000;
const QUIET_AFTER_FAILURE = 5000;

type Hindrance = "data-age" | "waiting-delay" | "expired" | "waiting-votes";

const HINDRANCES: Record<Hindrance, string> = {
  "data-age":
    "Disconnected from master for longer than allowed. Please check the 'cluster-replica-validity-factor' " +
    "configuration option.",
  "waiting-delay": "Waiting the delay before I can start a new failover.",
  expired: "Failover attempt expired.",
  "waiting-votes": "Waiting for votes, but majority still not reached.",
};

export class Failover {
  // The election under way, or the last one.
  private electionAt = 0;
  private electionEpoch = 0;
  private votes = 0;
  private asked = false;
  private rank = 0;
  private hindrance: Hindrance | null = null;
  private hindranceLogged = 0;
  // The manual failover under way; 0: there is none.
  private manualUntil = 0;
  /** As the master: who wants to take over. */
  private successor: ClusterNode | null = null;
  /** As the replica: the offset at which the master rests, -1: not known yet; and whether we are there. */
  private masterOffset = -1;
  private mayStart = false;

  constructor(private readonly deps: FailoverDeps) {}

  /** A manual failover is under way. */
  get manual(): boolean {
    return this.manualUntil > 0;
  }

  /** As its master: who performs it. */
  get manualSuccessor(): ClusterNode | null {
    return this.successor;
  }

  // ------------------------------------------------------------------ by hand

  /** CLUSTER FAILOVER. */
  begin(how: "agreed" | "force" | "takeover"): void {
    const { state, log, bus } = this.deps;
    const { myself } = state;
    const { master } = myself;
    if (myself.isMaster) throw new CommandError("ERR You should send CLUSTER FAILOVER to a replica");
    if (master === null) throw new CommandError("ERR I'm a replica but my master is unknown to me");
    if (how === "agreed" && (master.failed || master.link === null))
      throw new CommandError("ERR Master is down or failed, please use CLUSTER FAILOVER FORCE");
    this.resetManual();
    this.resetElection();
    this.manualUntil = Date.now() + MANUAL_TIMEOUT;
    if (how === "takeover") {
      log.notice("Taking over the master (user request).");
      state.bumpEpoch();
      this.takeOver();
    } else if (how === "force") {
      log.notice("Forced failover user request accepted.");
      this.mayStart = true;
    } else {
      log.notice("Manual failover user request accepted.");
      bus.startManualFailover(master);
    }
  }

  /** One of our replicas wants our place. */
  beginAsMaster(replica: ClusterNode): void {
    this.resetManual();
    const now = Date.now();
    this.manualUntil = now + MANUAL_TIMEOUT;
    this.successor = replica;
    this.deps.pauseWrites(now + MANUAL_TIMEOUT * PAUSE_FACTOR);
    this.deps.log.notice(`Manual failover requested by replica ${replica.name} (${replica.humanName}).`);
  }

  /** Somebody says that its writes rest; its offset is what we have to reach, if it is our master. */
  masterPaused(sender: ClusterNode): void {
    const { state, log } = this.deps;
    const { myself } = state;
    if (!this.manual || !myself.isReplica || myself.master !== sender || this.masterOffset !== -1) return;
    this.masterOffset = sender.replOffset;
    state.later(DUE.manualFailover);
    log.notice(`Received replication offset for paused master manual failover: ${this.masterOffset}`);
  }

  resetManual(): void {
    if (this.successor !== null) this.deps.pauseWrites(0);
    this.manualUntil = 0;
    this.successor = null;
    this.mayStart = false;
    this.masterOffset = -1;
  }

  /** With each tick. */
  checkManualTimeout(): void {
    if (!this.manual || this.manualUntil >= Date.now()) return;
    this.deps.log.warning("Manual failover timed out.");
    this.resetManual();
  }

  /** As the replica: are we where the master rests? */
  handleManual(): void {
    if (!this.manual || this.mayStart || this.masterOffset === -1) return;
    if (this.masterOffset !== this.deps.offset()) return;
    this.mayStart = true;
    this.deps.log.notice("All master replication stream processed, manual failover can start.");
    this.deps.state.later(DUE.failover);
  }

  // ------------------------------------------------------------------ the election

  /**
   * The next election begins anew, with an epoch and votes of its own. Redis keeps those of the last one for a while,
   * so that a replica whose next master fails soon takes itself for elected, with an epoch that nobody believes.
   */
  resetElection(): void {
    this.electionAt = this.votes = 0;
    this.asked = false;
  }

  /** A master has voted for us. */
  voted(epoch: number): void {
    if (!this.asked || epoch < this.electionEpoch) return;
    this.votes++;
    this.deps.state.later(DUE.failover);
  }

  /** What is to be done next, with each tick and when something has come that it waits for. */
  handle(): void {
    const { state, settings, health } = this.deps;
    state.due &= ~DUE.failover;
    const now = Date.now();
    const { master } = state.myself;
    const manual = this.manual && this.mayStart;
    if (
      !state.myself.isReplica ||
      master === null ||
      (!master.failed && !manual) ||
      (settings.clusterReplicaNoFailover && !manual) ||
      master.slotCount === 0
    ) {
      this.hindrance = null;
      return;
    }
    if (!manual && this.isTooOld()) return this.hindered("data-age", master);
    const age = now - this.electionAt;
    const votingTime = Math.max(LEAST_VOTING_TIME, settings.clusterNodeTimeout * 2);
    if (age > votingTime * 2) return this.schedule(now);
    if (!this.asked && !this.manual) this.updateRank();
    if (now < this.electionAt) return this.hindered("waiting-delay", master);
    if (age > votingTime) return this.hindered("expired", master);
    if (!this.asked) return this.ask();
    if (this.votes < health.quorum) return this.hindered("waiting-votes", master);
    this.won();
  }

  private isTooOld(): boolean {
    const { settings, dataAge } = this.deps;
    const { clusterNodeTimeout, clusterReplicaValidityFactor, replPingReplicaPeriod } = settings;
    if (clusterReplicaValidityFactor === 0) return false;
    const age = dataAge();
    // That the master was not heard of for its timeout is what made it fail.
    const counted = age > clusterNodeTimeout ? age - clusterNodeTimeout : age;
    return counted > replPingReplicaPeriod * 1000 + clusterNodeTimeout * clusterReplicaValidityFactor;
  }

  /** Replicas of the same master that know more than we do. */
  private betterReplicas(): number {
    const { state, offset } = this.deps;
    const { myself } = state;
    const mine = offset();
    const better = (node: ClusterNode): boolean =>
      node !== myself && !node.has(FLAG.nofailover) && node.replOffset > mine;
    return myself.master?.replicas.filter(better).length ?? 0;
  }

  private schedule(now: number): void {
    const { state, bus, log, offset } = this.deps;
    this.rank = this.manual ? 0 : this.betterReplicas();
    const chance = Math.floor(Math.random() * FIRST_DELAY);
    this.electionAt = this.manual ? now : now + FIRST_DELAY + chance + this.rank * DELAY_BY_RANK;
    this.votes = 0;
    this.asked = false;
    if (this.manual) state.later(DUE.failover);
    log.notice(
      `Start of election delayed for ${this.electionAt - now} milliseconds (rank #${this.rank}, offset ${offset()}).`,
    );
    // The other replicas are to know our offset, and we theirs.
    bus.announce("replicas");
  }

  private updateRank(): void {
    const rank = this.betterReplicas();
    if (rank <= this.rank) return;
    const added = (rank - this.rank) * DELAY_BY_RANK;
    this.electionAt += added;
    this.rank = rank;
    this.deps.log.notice(`Replica rank updated to #${rank}, added ${added} milliseconds of delay.`);
  }

  private ask(): void {
    const { state, bus, log } = this.deps;
    this.electionEpoch = ++state.currentEpoch;
    log.notice(`Starting a failover election for epoch ${state.currentEpoch}.`);
    bus.requestVotes();
    this.asked = true;
    state.later(DUE.save | DUE.updateState | DUE.fsync);
  }

  private won(): void {
    const { state, log } = this.deps;
    const { myself } = state;
    log.notice("Failover election won: I'm the new master.");
    if (myself.configEpoch < this.electionEpoch) {
      myself.configEpoch = this.electionEpoch;
      log.notice(`configEpoch set to ${myself.configEpoch} after successful failover`);
    }
    this.takeOver();
  }

  /** The master's slots are ours. */
  private takeOver(): void {
    const { state, health, bus } = this.deps;
    const { myself, slots } = state;
    const { master } = myself;
    if (myself.isMaster || master === null) return;
    state.setAsMaster(myself);
    this.deps.promote();
    for (let slot = 0; slot < slots.owner.length; slot++) {
      if (!master.hasSlot(slot)) continue;
      slots.remove(slot);
      slots.add(myself, slot);
    }
    health.update();
    state.later(DUE.save | DUE.fsync);
    this.deps.saveNow();
    bus.announce("all");
    this.resetManual();
    this.resetElection();
  }

  private hindered(why: Hindrance, master: ClusterNode): void {
    const { log, settings, health } = this.deps;
    const now = Date.now();
    if (why === this.hindrance && now - this.hindranceLogged < RELOG) return;
    this.hindrance = why;
    // Just after a failure this is the normal course.
    if (master.failed && now - master.failTime < settings.clusterNodeTimeout + QUIET_AFTER_FAILURE) return;
    this.hindranceLogged = now;
    log.notice(`Currently unable to failover: ${HINDRANCES[why]}`);
    if (why === "waiting-votes" || why === "expired")
      log.notice(`Needed quorum: ${health.quorum}. Number of votes received so far: ${this.votes}`);
  }
}
