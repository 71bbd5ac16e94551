import { latin1Bytes, utf8 } from "../bytes/ascii.ts";
import type { Database } from "../keyspace/database.ts";
import { writePayload } from "../rdb/dump.ts";
import type { RdbWriter } from "../rdb/writer.ts";
import type { Failure, Target, TargetUser } from "./target.ts";
import type { Address, Targets } from "./targets.ts";

/**
 * One MIGRATE under way:
 *
 *   connect -> AUTH, SELECT -> their replies -> RESTORE, RESTORE, ... -> a reply to each -> over
 *
 * The keys cannot change meanwhile (migrations.ts), so each is serialized only when the socket can take it: no
 * more than one payload and a batch of small ones wait in memory. RESTORE is sent only where AUTH and SELECT
 * have been granted, otherwise the keys would land in the database that happens to be selected.
 */
export interface MigrationRequest extends Address {
  readonly keys: readonly Uint8Array[];
  /** The database they come from, and the number of the one they go to. */
  readonly source: Database;
  readonly database: number;
  readonly timeoutMs: number;
  readonly copy: boolean;
  readonly replace: boolean;
  /** The target is a node that is taking in the keys' slot. */
  readonly asking: boolean;
}

export interface MigrationDeps {
  readonly targets: Targets;
  readonly writer: RdbWriter;
  readonly clock: { readonly now: number; update(): void };
  /** The migration is over: see `error` and `accepted`. */
  over(migration: Migration): void;
}

/** Requests are put together up to so many bytes. */
const BATCH = 64 * 1024;
const CRLF = latin1Bytes("\r\n");
const AUTH = latin1Bytes("AUTH");
const SELECT = latin1Bytes("SELECT");
const RESTORE = latin1Bytes("RESTORE");
const RESTORE_ASKING = latin1Bytes("RESTORE-ASKING");
const REPLACE = latin1Bytes("REPLACE");

export class Migration implements TargetUser {
  /** Keys that the target has. */
  readonly accepted: Uint8Array[] = [];
  /** What to reply instead of OK. */
  error: string | null = null;
  private target!: Target;
  private mayRetry = true;
  /** Replies to AUTH and SELECT that are still to come. */
  private opening = 0;
  private refused = false;
  /** The next key to be sent, and those sent whose replies are to come. */
  private next = 0;
  private readonly sent: Uint8Array[] = [];
  private replied = false;

  constructor(
    readonly request: MigrationRequest,
    private readonly deps: MigrationDeps,
  ) {}

  start(): void {
    const { request, deps } = this;
    this.opening = this.next = this.sent.length = 0;
    try {
      this.target = deps.targets.get(request);
    } catch {
      return this.end(failureText("connecting"));
    }
    this.target.take(this, request.timeoutMs);
    if (this.target.connected) this.connected();
  }

  connected(): void {
    const { request, target } = this;
    const requests: Uint8Array[] = [];
    this.opening = openingRequests(request, target.database !== request.database, requests);
    if (requests.length === 0) return this.pump();
    target.send(Buffer.concat(requests));
  }

  drained(): void {
    if (this.opening === 0 && !this.refused) this.pump();
  }

  /** Sends keys as long as the kernel takes them. */
  private pump(): void {
    const { request, target } = this;
    while (target.drained && !target.closed && this.next < request.keys.length) {
      const batch: Uint8Array[] = [];
      this.deps.clock.update();
      for (let bytes = 0; bytes < BATCH && this.next < request.keys.length; )
        bytes += this.serialize(request.keys[this.next++]!, batch);
      if (batch.length > 0) target.send(Buffer.concat(batch));
    }
    if (this.next === request.keys.length && this.sent.length === 0) this.finished();
  }

  /** Adds the key's RESTORE, nothing where it has expired by now; returns the bytes. */
  private serialize(key: Uint8Array, out: Uint8Array[]): number {
    const bytes = restoreRequest(this.request, key, this.deps.writer, this.deps.clock.now, out);
    if (bytes > 0) this.sent.push(key);
    return bytes;
  }

  line(text: string): void {
    this.replied = true;
    const failed = text.startsWith("-");
    if (failed && this.error === null)
      this.error = `ERR Target instance replied with error: ${text.slice(1)}`;
    if (failed) this.refused ||= this.opening > 0;
    if (this.opening > 0) {
      if (--this.opening > 0) return;
      if (this.refused) return this.finished();
      this.target.database = this.request.database;
      return this.pump();
    }
    const key = this.sent.shift();
    if (key === undefined) return;
    if (!failed) this.accepted.push(key);
    if (this.sent.length === 0 && this.next === this.request.keys.length) this.finished();
  }

  failed(what: Failure, timedOut: boolean): void {
    const { deps } = this;
    deps.targets.release(this.target, deps.clock.now);
    // A connection kept from an earlier time may have been closed by the other side.
    if (this.mayRetry && !timedOut && !this.replied && what !== "connecting") {
      this.mayRetry = false;
      return this.start();
    }
    this.end(failureText(what));
  }

  private finished(): void {
    const { target, deps } = this;
    if (this.error !== null) target.database = -1;
    deps.targets.release(target, deps.clock.now);
    deps.over(this);
  }

  private end(error: string): void {
    this.error ??= error;
    this.deps.over(this);
  }
}

/** Adds what is to be granted before keys are sent; returns how many requests that is. */
export function openingRequests(request: MigrationRequest, selects: boolean, out: Uint8Array[]): number {
  if (request.auth.length > 0) encode(out, [AUTH, ...request.auth]);
  if (selects) encode(out, [SELECT, utf8(String(request.database))]);
  return Number(request.auth.length > 0) + Number(selects);
}

/** Adds a key's RESTORE, nothing where it has expired by now; returns the bytes. */
export function restoreRequest(
  request: MigrationRequest,
  key: Uint8Array,
  writer: RdbWriter,
  now: number,
  out: Uint8Array[],
): number {
  const { source } = request;
  const position = source.find(key, 0, key.length);
  if (position === 0) return 0;
  const expireAt = source.records.expireAt(position);
  const ttl = expireAt < 0 ? 0 : Math.max(1, expireAt - now);
  writePayload(writer, source, position);
  const payload = writer.buf.slice(0, writer.pos);
  writer.clear();
  const args = [request.asking ? RESTORE_ASKING : RESTORE, key, utf8(String(ttl)), payload];
  if (request.replace) args.push(REPLACE);
  encode(out, args);
  return payload.length + key.length;
}

/** What is replied where the target failed. */
export function failureText(what: Failure): string {
  return what === "connecting"
    ? "IOERR error or timeout connecting to the client"
    : `IOERR error or timeout ${what} to target instance`;
}

function encode(out: Uint8Array[], args: readonly Uint8Array[]): void {
  out.push(latin1Bytes(`*${args.length}\r\n`));
  for (const arg of args) out.push(latin1Bytes(`$${arg.length}\r\n`), arg, CRLF);
}
