import type { Log } from "../host/log.ts";
import { CommandError } from "../resp/errors.ts";
import type { History } from "./history.ts";
import type { Primary } from "./primary.ts";
import type { Replica } from "./replica.ts";

/**
 * FAILOVER: master and replica change roles without a write being lost.
 *
 *   waiting-for-sync       nothing is written any more; the target is to catch up
 *   failover-in-progress   this server follows the target, and asks it by PSYNC ... FAILOVER to become the master
 */
export type FailoverState = "no-failover" | "waiting-for-sync" | "failover-in-progress";

export interface FailoverRequest {
  target: { host: string; port: number } | null;
  force: boolean;
  /** Milliseconds; 0: for ever. */
  timeout: number;
}

export interface FailoverDeps {
  readonly primary: Primary;
  readonly history: History;
  readonly stream: { readonly offset: number; flush(): void };
  readonly clock: { readonly now: number };
  readonly log: Log;
  follow(host: string, port: number): void;
  promote(): void;
  /** Writes are held back, or no longer. */
  paused(paused: boolean): void;
}

export class Failover {
  state: FailoverState = "no-failover";
  private target: { host: string; port: number } | null = null;
  private force = false;
  private until = 0;

  constructor(private readonly deps: FailoverDeps) {}

  start({ target, force, timeout }: FailoverRequest): void {
    const { deps } = this;
    if (target !== null) {
      const replica = this.find(target);
      if (replica === null) throw new CommandError("ERR FAILOVER target HOST and PORT is not a replica.");
      if (replica.state !== "online") throw new CommandError("ERR FAILOVER target replica is not online.");
      deps.log.notice(`FAILOVER requested to ${target.host}:${target.port}.`);
    } else deps.log.notice("FAILOVER requested to any replica.");
    this.target = target;
    this.force = force;
    this.until = timeout > 0 ? deps.clock.now + timeout : 0;
    this.state = "waiting-for-sync";
    deps.paused(true);
  }

  private find({ host, port }: { host: string; port: number }): Replica | null {
    for (const replica of this.deps.primary.all())
      if (replica.ip === host && replica.port === port) return replica;
    return null;
  }

  abort(why: string): void {
    const { log, promote } = this.deps;
    if (this.state === "no-failover") return;
    const { target } = this;
    log.notice(
      `FAILOVER to ${target === null ? "any replica" : `${target.host}:${target.port}`} aborted: ${why}`,
    );
    if (this.state === "failover-in-progress") promote();
    this.clear();
  }

  private clear(): void {
    this.state = "no-failover";
    this.target = null;
    this.force = false;
    this.until = 0;
    this.deps.paused(false);
  }

  /** With each tick of the cron, and each acknowledgement. */
  check(): void {
    if (this.state !== "waiting-for-sync") return;
    const { log, clock, stream, primary } = this.deps;
    if (this.until > 0 && clock.now >= this.until) {
      if (!this.force || this.target === null) return this.abort("Replica never caught up before timeout");
      log.notice(`FAILOVER to ${this.target.host}:${this.target.port} time out exceeded, failing over.`);
      return this.changeRoles(this.target);
    }
    stream.flush();
    const candidates = this.target === null ? [...primary.all()] : [this.find(this.target)];
    const ready = candidates.find(
      (replica) => replica?.state === "online" && replica.acknowledged === stream.offset,
    );
    if (!ready) return;
    const target = { host: ready.ip, port: ready.port };
    log.notice(`Failover target ${target.host}:${target.port} is synced, failing over.`);
    this.changeRoles(target);
  }

  private changeRoles(target: { host: string; port: number }): void {
    this.target = target;
    this.state = "failover-in-progress";
    this.deps.follow(target.host, target.port);
  }

  /** The target has answered PSYNC. */
  answered(accepted: boolean): void {
    if (this.state !== "failover-in-progress") return;
    if (accepted) this.clear();
    else this.abort("Failover target rejected psync request");
  }
}
