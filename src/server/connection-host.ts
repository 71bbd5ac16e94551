import type { Clock } from "../host/clock.ts";
import type { Request } from "../resp/request.ts";
import type { ReaderLimits } from "../resp/request-reader.ts";
import type { Counters } from "../stats/counters.ts";
import type { Connection } from "./connection.ts";
import type { PiecePool } from "./piece-pool.ts";

/** What a connection needs of the server around it. */
export interface ConnectionHost {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly readerLimits: ReaderLimits;
  /** The request that serves all connections while their commands lie whole in a chunk. */
  readonly sharedRequest: Request;
  readonly pieces: PiecePool;
  /** Send the replies held in this turn now, since something else is to follow them. */
  sendHeld(): void;
  /** Send what this connection has waiting when the turn ends. */
  flushLater(connection: Connection): void;
  /** Its waiting output has grown: enforce client-output-buffer-limit. */
  checkOutput(connection: Connection): void;
  removed(connection: Connection): void;
}
