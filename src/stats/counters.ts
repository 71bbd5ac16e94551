/** The server's counters, as INFO's section "stats" and others show them. Plain numbers, added to in place. */
export class Counters {
  connections = 0;
  rejectedConnections = 0;
  commands = 0;
  /** Changes to the data set since the last save. */
  changes = 0;
  netInput = 0;
  netOutput = 0;
  netReplInput = 0;
  netReplOutput = 0;
  syncFull = 0;
  syncPartialOk = 0;
  syncPartialErr = 0;
  hits = 0;
  misses = 0;
  expired = 0;
  /** Fields of hashes. */
  expiredFields = 0;
  evictedKeys = 0;
  evictedClients = 0;
  /** Snapshots begun: for files, and for replicas. */
  snapshots = 0;
  errorReplies = 0;
  unexpectedErrors = 0;
  reads = 0;
  writes = 0;
  queryBufferLimitDisconnections = 0;
  outputBufferLimitDisconnections = 0;
  expireCycleMs = 0;
  expireTimeCapReached = 0;
  lazyFreedObjects = 0;
  slowestEventUs = 0;
  eventLoopCycles = 0;
  eventLoopUs = 0;
  eventLoopCommandUs = 0;
  maxCommandsPerCycle = 0;
  /** Microseconds of periodic tasks. */
  cronUs = 0;
  /** What users were not allowed, by what it was about. */
  accessDenied = { auth: 0, command: 0, key: 0, channel: 0 };
  /** Error replies by code ("ERR", "WRONGTYPE", ...). */
  errors = new Map<string, number>();

  /** CONFIG RESETSTAT: what counts since the last save, or for security, stays. */
  reset(): void {
    const { changes, accessDenied } = this;
    Object.assign(this, new Counters(), { changes, accessDenied });
  }

  /** One turn of the event loop that had something to do. */
  countCycle(microseconds: number, commands: number): void {
    this.eventLoopCycles++;
    this.eventLoopUs += microseconds;
    if (microseconds > this.slowestEventUs) this.slowestEventUs = microseconds;
    if (commands > this.maxCommandsPerCycle) this.maxCommandsPerCycle = commands;
  }

  countError(text: string): void {
    this.errorReplies++;
    const space = text.indexOf(" ");
    const code = space > 0 && space < 32 ? text.slice(0, space) : "ERR";
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }
}
