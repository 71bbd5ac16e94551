import { Target } from "./target.ts";

/**
 * Connections kept open between migrations, since keys mostly migrate one after the other to the same place. One
 * that carries a migration serves no other at the same time; of two to the same place one is kept.
 */

const MOST = 64;
const KEPT_MS = 10_000;

export interface Address {
  readonly host: string;
  readonly port: number;
  /** The arguments of AUTH: a connection that has logged in must not serve who has not. */
  readonly auth: readonly Uint8Array[];
}

export class Targets {
  private readonly byName = new Map<string, Target>();

  /** `tls`: options for connections, where they are to be encrypted; throws a sentence where it cannot tell. */
  constructor(private readonly tls: () => Bun.TLSOptions | undefined) {}

  /** Connections that are open or being opened. */
  get count(): number {
    return this.byName.size;
  }

  /** A connection for one migration; throws where the address is none. */
  get(address: Address): Target {
    const name = JSON.stringify([
      address.host,
      address.port,
      ...address.auth.map((arg) => Buffer.from(arg).toString("latin1")),
    ]);
    const kept = this.byName.get(name);
    if (kept !== undefined && kept.user === null && !kept.closed) return kept;
    const target = new Target(name, address.host, address.port, this.tls());
    if (kept === undefined || kept.closed) {
      if (this.byName.size >= MOST) this.dropOldest();
      this.byName.set(name, target);
    }
    return target;
  }

  /** Its migration is over. */
  release(target: Target, now: number): void {
    target.leave(now);
    const kept = this.byName.get(target.name);
    if (kept === target) {
      if (target.closed) this.byName.delete(target.name);
    } else if (kept === undefined && !target.closed && this.byName.size < MOST)
      this.byName.set(target.name, target);
    else target.close();
  }

  closeAll(): void {
    for (const target of this.byName.values()) target.close();
    this.byName.clear();
  }

  /** Closes those not used for some time. */
  tick(now: number): void {
    for (const [name, target] of this.byName)
      if (target.closed || (target.user === null && now - target.lastUse > KEPT_MS)) {
        target.close();
        this.byName.delete(name);
      }
  }

  private dropOldest(): void {
    let oldest: Target | null = null;
    for (const target of this.byName.values())
      if (target.user === null && (oldest === null || target.lastUse < oldest.lastUse)) oldest = target;
    if (oldest === null) return;
    oldest.close();
    this.byName.delete(oldest.name);
  }
}
