import type { Call } from "../call/call.ts";
import type { Command } from "../call/registry.ts";
import { FLAGS } from "../call/spec.ts";
import type { Server } from "./server.ts";

/**
 * Commands that have to wait though nobody asked for a pause: all of them while the final RDB file is written, writes
 * while replicas are to catch up, and what would change keys that are on their way to another server.
 */
export class HoldBack {
  constructor(private readonly server: Server) {}

  /** What is held back may have changed. */
  refresh(): void {
    const { migrations, shutdown, pause } = this.server;
    pause.gate = migrations.active || shutdown.saving || this.writes ? this.gate : null;
    this.server.sockets.resumeAll();
  }

  /** While the final RDB file is written, nothing may change. */
  freeze(frozen: boolean): void {
    if (frozen) this.server.cron.stop();
    else this.server.cron.start();
    this.refresh();
  }

  /** Replicas are to catch up: at the end of the server, and before roles change (FAILOVER, CLUSTER FAILOVER). */
  private get writes(): boolean {
    const { shutdown, replication, clustering } = this.server;
    if (clustering.writesRest) return true;
    return shutdown.waitsUntil > 0 || replication.failover.state !== "no-failover";
  }

  private readonly gate = (call: Call, command: Command): boolean => {
    const { shutdown, transactions, migrations } = this.server;
    if (shutdown.saving) return true;
    const queues = call.session.inTransaction && command.spec.immediate !== true;
    if (this.writes && !queues) {
      const ends = command.spec.endsTransaction === true;
      const flags = ends ? transactions.queuedFlags(call.session) : command.flagsOf(call);
      if ((flags & (FLAGS.write | FLAGS.may_replicate)) !== 0) return true;
    }
    return !queues && migrations.delays(call, command);
  };
}
