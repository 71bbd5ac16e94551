import type { ConfigValues } from "../config/table.ts";
import type { Clock } from "../host/clock.ts";
import type { Log } from "../host/log.ts";
import type { Counters } from "../stats/counters.ts";
import type { Connection } from "./connection.ts";

/** client-output-buffer-limit: ends connections whose clients do not read what they asked for. */
export class OutputLimits {
  constructor(
    private readonly values: Readonly<ConfigValues>,
    private readonly clock: Clock,
    private readonly counters: Counters,
    private readonly log: Log,
  ) {}

  /** Bytes that the connection may still have waiting; Infinity where there is no limit. */
  room(connection: Connection): number {
    const { hard } = this.values.clientOutputBufferLimit[classOf(connection)];
    return hard > 0 ? hard - connection.outputBytes : Number.POSITIVE_INFINITY;
  }

  check(connection: Connection): void {
    if (connection.closed) return;
    const { hard, soft, seconds } = this.values.clientOutputBufferLimit[classOf(connection)];
    const waiting = connection.outputBytes + connection.session.heldOutput;
    if (hard > 0 && waiting >= hard) return this.exceeded(connection);
    if (soft === 0 || waiting < soft) {
      connection.softLimitSince = 0;
      return;
    }
    if (connection.softLimitSince === 0) connection.softLimitSince = this.clock.now;
    else if (this.clock.now - connection.softLimitSince > seconds * 1000) this.exceeded(connection);
  }

  exceeded(connection: Connection): void {
    this.counters.outputBufferLimitDisconnections++;
    this.log.warning(
      `Client id=${connection.session.id} addr=${connection.address} scheduled to be closed ASAP for overcoming of output buffer limits.`,
    );
    connection.close("now");
  }
}

/** Clients in MONITOR are normal ones too. */
function classOf({ session }: Connection): "normal" | "replica" | "pubsub" {
  if (session.role === "replica") return "replica";
  return session.subscribed ? "pubsub" : "normal";
}
