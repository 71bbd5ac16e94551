import { latin1Bytes, utf8 } from "../../bytes/ascii.ts";
import type { Call } from "../../call/call.ts";
import { ID_INVALID, ID_OPEN, StreamId } from "../../encodings/stream-id.ts";
import { CommandError, errors } from "../../resp/errors.ts";
import type { Stream, Trimming } from "../../types/stream.ts";
import { isChar, readStrictId, type StreamDeps, streamErrors } from "./common.ts";
import { policyAt, type ReferencePolicy } from "./references.ts";

/** The options that XADD and XTRIM share, and how a trimming is propagated. */

const MAXLEN = latin1Bytes("maxlen");
const MINID = latin1Bytes("minid");
const LIMIT = latin1Bytes("limit");
const NOMKSTREAM = latin1Bytes("nomkstream");
const IDMP = latin1Bytes("idmp");
const IDMPAUTO = latin1Bytes("idmpauto");
const STAR = 42;
const TILDE = 126;
const EQUALS = 61;
const EQUALS_BYTES = latin1Bytes("=");
const MAXLEN_BYTES = latin1Bytes("MAXLEN");
const MINID_BYTES = latin1Bytes("MINID");
const NOMKSTREAM_BYTES = latin1Bytes("NOMKSTREAM");

/** Entries that an approximate trimming without LIMIT removes at most. */
const NODES_AT_ONCE = 100;
const DEFAULT_LIMIT = 10000;
const LARGEST_LIMIT = 1000000;

/** Options of one call. */
export class TrimOptions implements Trimming {
  strategy: Trimming["strategy"] = "none";
  approximate = false;
  limit = 0;
  maxLength = 0;
  readonly minId = new StreamId();
  /** What becomes of entries that groups have pending. */
  policy: ReferencePolicy = "keep";
  /** Where that was said; 0: nowhere. */
  policyAt = 0;
  /** XADD: where IDMP or IDMPAUTO stands, and how many arguments that is; 0: nowhere. */
  idmpAt = 0;
  idmpArgs = 0;
  /** XADD: do not create the stream. */
  noCreate = false;
  /** XADD: the ID given, and what of it. */
  readonly id = new StreamId();
  idForm: "auto" | "given" | "open" = "auto";
  /** Where the ID stands; for XTRIM, where the arguments end. */
  idAt = 0;

  parse(call: Call, deps: StreamDeps, adding: boolean): void {
    this.strategy = "none";
    this.approximate = this.noCreate = false;
    this.limit = this.policyAt = this.idmpAt = 0;
    this.policy = "keep";
    this.idForm = "auto";
    let limited = false;
    let i = 2;
    for (; i < call.argc; i++) {
      if (adding && isChar(call, i, STAR)) break;
      const more = i + 1 < call.argc;
      if (more && call.is(i, MAXLEN)) i = this.parseLength(call, i);
      else if (more && call.is(i, MINID)) i = this.parseMinId(call, i);
      else if (more && call.is(i, LIMIT)) {
        this.limit = call.int(++i);
        if (this.limit < 0) throw new CommandError("ERR The LIMIT argument must be >= 0.");
        limited = true;
      } else if (this.policyAt === 0 && this.takesPolicy(call, i)) this.policyAt = i;
      else if (adding && call.is(i, NOMKSTREAM)) this.noCreate = true;
      else if (adding && more && call.is(i, IDMPAUTO)) i = this.parseIdmp(call, i, 2);
      else if (adding && i + 2 < call.argc && call.is(i, IDMP)) i = this.parseIdmp(call, i, 3);
      else if (adding) {
        this.parseId(call, i);
        if (this.idmpAt > 0 && !call.session.isObeyed)
          throw new CommandError("ERR syntax error, IDMP/IDMPAUTO can be used only with auto-generated IDs");
        break;
      } else throw new CommandError(errors.syntax);
    }
    this.idAt = i;
    if (this.limit > 0 && this.strategy === "none")
      throw new CommandError("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
    if (!adding && this.strategy === "none")
      throw new CommandError("ERR syntax error, XTRIM must be called with a trimming strategy");
    // As it comes from a master or a file, the outcome stands in place of the approximate, and LIMIT has been left there.
    if (call.session.isObeyed) this.limit = 0;
    else if (!limited) this.limit = this.approximate ? usualLimit(deps) : 0;
    else if (!this.approximate)
      throw new CommandError("ERR syntax error, LIMIT cannot be used without the special ~ option");
  }

  private takesPolicy(call: Call, i: number): boolean {
    const named = policyAt(call, i);
    if (named !== null) this.policy = named;
    return named !== null;
  }

  /** Returns the last of these arguments. */
  private parseIdmp(call: Call, i: number, args: number): number {
    if (this.idmpAt > 0) throw new CommandError("ERR syntax error, IDMP/IDMPAUTO specified multiple times");
    const option = args === 2 ? "IDMPAUTO" : "IDMP";
    if (call.length(i + 1) === 0)
      throw new CommandError(`ERR syntax error, ${option} requires a non-empty producer ID`);
    if (args === 3 && call.length(i + 2) === 0)
      throw new CommandError("ERR syntax error, IDMP requires a non-empty idempotent ID");
    this.idmpAt = i;
    this.idmpArgs = args;
    return i + args - 1;
  }

  /** Whether argument i is for servers that know idempotent producers alone, or says how older servers trim anyway. */
  private leftOut(i: number): boolean {
    if (i > 0 && i === this.policyAt) return true;
    return this.idmpAt > 0 && i >= this.idmpAt && i < this.idmpAt + this.idmpArgs;
  }

  private parseId(call: Call, i: number): void {
    const form = this.id.parse(call.buf, call.start[i]!, call.end[i]!, true, false, true);
    if (form === ID_INVALID) throw new CommandError(streamErrors.invalidId);
    this.idForm = form === ID_OPEN ? "open" : "given";
  }

  private parseLength(call: Call, i: number): number {
    i = this.parseOperator(call, i);
    this.maxLength = call.int(i);
    if (this.maxLength < 0) throw new CommandError("ERR The MAXLEN argument must be >= 0.");
    this.strategy = "length";
    return i;
  }

  private parseMinId(call: Call, i: number): number {
    i = this.parseOperator(call, i);
    readStrictId(call, i, this.minId);
    this.strategy = "id";
    return i;
  }

  /** Returns where the threshold stands. */
  private parseOperator(call: Call, i: number): number {
    if (this.strategy !== "none")
      throw new CommandError(
        "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
      );
    const operator = i + 2 < call.argc ? i + 1 : 0;
    this.approximate = operator > 0 && isChar(call, operator, TILDE);
    return this.approximate || (operator > 0 && isChar(call, operator, EQUALS)) ? i + 2 : i + 1;
  }

  /**
   * The call's arguments with what it came to: the ID in place of `*`, and an exact trimming in place of an
   * approximate one, which depends on limits and on how entries lie in nodes. KEEPREF is left out: it is how older
   * servers trim.
   */
  outcome(call: Call, stream: Stream, id: StreamId | null): Uint8Array[] {
    const args: Uint8Array[] = [];
    const { approximate, idAt } = this;
    if (approximate) {
      args.push(call.bytes(0), call.bytes(1));
      if (this.noCreate) args.push(NOMKSTREAM_BYTES);
      if (this.strategy === "length") args.push(MAXLEN_BYTES, EQUALS_BYTES, utf8(String(stream.length)));
      else args.push(MINID_BYTES, EQUALS_BYTES, stream.edgeId(true, false, this.minId).bytes());
    } else for (let i = 0; i < idAt; i++) if (!this.leftOut(i)) args.push(call.bytes(i));
    for (let i = idAt; i < call.argc; i++)
      args.push(i === idAt && id !== null && this.idForm !== "given" ? id.bytes() : call.bytes(i));
    return args;
  }
}

function usualLimit({ config }: StreamDeps): number {
  const limit = NODES_AT_ONCE * config.values.streamNodeMaxEntries;
  return limit <= 0 ? DEFAULT_LIMIT : Math.min(limit, LARGEST_LIMIT);
}
