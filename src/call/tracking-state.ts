/** CLIENT TRACKING as one client has it (push/tracking.ts). */
export interface TrackingOptions {
  /** The client that is told instead; 0: the client itself. */
  redirect: number;
  /** Told of all keys that begin with a prefix, read or not. */
  broadcast: boolean;
  /** What is read counts only after CLIENT CACHING YES; or unless CLIENT CACHING NO was said. */
  optIn: boolean;
  optOut: boolean;
  /** Not told of what it changes itself. */
  noLoop: boolean;
}

export interface TrackingState extends TrackingOptions {
  /** CLIENT CACHING was called for the command, or the transaction, that comes next. */
  caching: boolean;
  /** The client that was to be told instead is gone. */
  brokenRedirect: boolean;
  readonly prefixes: Set<string>;
  /** Bytes that these take, about. */
  prefixBytes: number;
}
